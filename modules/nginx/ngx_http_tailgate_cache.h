
/*
 * Copyright (C) The Tailgate authors
 *
 * Answers that are kept: ready-made ones of this worker, and behind them the
 * table that all workers share (tailgate/table.h).  What makes one out of date
 * is told by bus.c.  It knows nothing of requests.
 */

#ifndef NGX_HTTP_TAILGATE_CACHE_H_INCLUDED_
#define NGX_HTTP_TAILGATE_CACHE_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <tailgate/gate.h>
#include <tailgate/table.h>


/* Of the zone that nobody asked for. */

#define NGX_HTTP_TAILGATE_CACHE_SIZE     (4 * 1024 * 1024)

/* Ready-made answers of a worker, at most. */

#define NGX_HTTP_TAILGATE_READY_MAX      4096
#define NGX_HTTP_TAILGATE_READY_BUCKETS  4096

/*
 * In ms: how often the follower of the bus says that it lives, and how long it
 * may be silent until the bus counts as lost.
 */

#define NGX_HTTP_TAILGATE_BUS_BEAT       100
#define NGX_HTTP_TAILGATE_BUS_SILENCE    600


typedef enum {
    NGX_HTTP_TAILGATE_BUS_LOST = 0,      /* no answer outlives its request */
    NGX_HTTP_TAILGATE_BUS_FOLLOWED,
    NGX_HTTP_TAILGATE_BUS_NONE           /* a tailscaled too old to have one:
                                            the ttl alone */
} ngx_http_tailgate_bus_e;


/* At the front of the zone; the table is behind it. */

typedef struct {
    ngx_atomic_t                 bus;         /* ngx_http_tailgate_bus_e */
    ngx_atomic_t                 heard;       /* of the follower, in ms */
    ngx_atomic_t                 generation;  /* the follower's */
    ngx_atomic_t                 generations; /* given out so far */
    ngx_atomic_t                 flushes;     /* so far */
} ngx_http_tailgate_shared_t;


/* What find() says about an answer that has to be fetched. */

typedef struct {
    tg_table_state_t             state;
    uint64_t                     ticket;      /* 0: somebody else has it */
    ngx_msec_t                   asked;
} ngx_http_tailgate_lease_t;


typedef struct ngx_http_tailgate_ready_s  ngx_http_tailgate_ready_t;

/* Where an answer was found; it may have gone since.  Zero: nowhere yet. */

typedef struct {
    ngx_http_tailgate_ready_t   *ready;
    ngx_uint_t                   serial;
} ngx_http_tailgate_hint_t;


typedef struct {
    ngx_shm_zone_t              *zone;
    ngx_slab_pool_t             *shpool;
    ngx_http_tailgate_shared_t  *shared;
    tg_table_t                  *table;
    ngx_msec_t                   ttl;
    ngx_msec_t                   negative;
    ngx_msec_t                   stale;
    ngx_msec_t                   lease;
    ngx_pool_t                  *pool;        /* of the worker */

    /* of this worker alone */
    ngx_http_tailgate_ready_t  **buckets;
    ngx_queue_t                  recent;      /* ready ones, by use */
    ngx_queue_t                  free;
    ngx_uint_t                   nready;
    u_char                      *buf;         /* for one record */
    size_t                       buf_size;
} ngx_http_tailgate_cache_t;


/* Whom an answer is about. */

typedef struct {
    u_char                       data[TG_TABLE_KEY_MAX];
    size_t                       len;
    uint32_t                     hash;
} ngx_http_tailgate_key_t;


/* Adds a zone to a configuration, of that name and size. */

ngx_shm_zone_t *ngx_http_tailgate_cache_zone(ngx_conf_t *cf, ngx_str_t *name,
    size_t size);

/* For a worker process, and for its whole life; cache->zone is filled. */

ngx_int_t ngx_http_tailgate_cache_init(ngx_http_tailgate_cache_t *cache,
    ngx_pool_t *pool);
void ngx_http_tailgate_cache_exit(ngx_http_tailgate_cache_t *cache);

/*
 * The key of a question.  NGX_DECLINED: its answer is one connection's, and
 * never kept.
 */

ngx_int_t ngx_http_tailgate_cache_key(const tg_question_t *question,
    ngx_http_tailgate_key_t *key);

/* Moves with whatever may make an answer untrue.  cache may be NULL. */

uint64_t ngx_http_tailgate_cache_epoch(ngx_http_tailgate_cache_t *cache);

/* Forgets what is about an address, or everything. */

void ngx_http_tailgate_cache_evict(ngx_http_tailgate_cache_t *cache,
    const tg_addr_t *addr);
void ngx_http_tailgate_cache_flush(ngx_http_tailgate_cache_t *cache);


/* NGX_HTTP_TAILGATE_BUS_LOST as well when its follower is silent. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_cache_bus(ngx_http_tailgate_cache_t *cache)
{
    ngx_uint_t  bus;

    bus = cache->shared->bus;

    if (bus == NGX_HTTP_TAILGATE_BUS_FOLLOWED
        && (ngx_msec_t) (ngx_current_msec - cache->shared->heard)
           > NGX_HTTP_TAILGATE_BUS_SILENCE
        && (ngx_msec_int_t) (ngx_current_msec - cache->shared->heard) > 0)
    {
        return NGX_HTTP_TAILGATE_BUS_LOST;
    }

    return bus;
}


/* Moves when everything is forgotten: this node's own state may be another. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_cache_flushes(ngx_http_tailgate_cache_t *cache)
{
    return cache ? cache->shared->flushes : 0;
}


#endif /* NGX_HTTP_TAILGATE_CACHE_H_INCLUDED_ */
