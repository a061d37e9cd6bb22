
/*
 * Copyright (C) The Tailgate authors
 *
 * What all workers count.  Each has a slot of a zone for itself and adds to it
 * as to a variable of its own: nothing is locked, and what was counted stays
 * when the worker ends, however it does.  Whoever wants to know sums them up.
 */

#ifndef NGX_HTTP_TAILGATE_STATS_H_INCLUDED_
#define NGX_HTTP_TAILGATE_STATS_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>

#include <tailgate/metrics.h>


/* Columns of decisions: routes by name, and then two without one. */

#define NGX_HTTP_TAILGATE_STATS_OTHER  TG_METRICS_ROUTES
#define NGX_HTTP_TAILGATE_STATS_NONE   (TG_METRICS_ROUTES + 1)
#define NGX_HTTP_TAILGATE_STATS_ROUTES  (TG_METRICS_ROUTES + 2)

/* Bytes of an error that are kept. */

#define NGX_HTTP_TAILGATE_STATS_ERROR  512


/* A worker's. */

typedef struct {
    uint64_t                           counts[TG_COUNT_MAX];
    uint64_t                           routes[NGX_HTTP_TAILGATE_STATS_ROUTES]
                                             [TG_OUTCOME_MAX];
    ngx_pid_t                          pid;   /* 0: nobody's */
} ngx_http_tailgate_slot_t;


typedef struct ngx_http_tailgate_tally_s  ngx_http_tailgate_tally_t;

/* Of a process. */

typedef struct {
    ngx_http_tailgate_slot_t          *slot;  /* never NULL in a worker */
    ngx_slab_pool_t                   *shpool;
    ngx_http_tailgate_tally_t         *tally; /* in the zone */
} ngx_http_tailgate_stats_t;


/* The sum.  What it points to is in pool. */

typedef struct {
    tg_metrics_t                       metrics;
    ngx_uint_t                         workers;   /* that are running */
    ngx_str_t                          error;     /* of the LocalAPI, last */
    time_t                             error_time;
} ngx_http_tailgate_sum_t;


/* Adds the zone to a configuration; NULL: no memory. */

ngx_shm_zone_t *ngx_http_tailgate_stats_zone(ngx_conf_t *cf);

/*
 * In the master process.  A configuration is read while that of old runs, and
 * then it is taken, or its pool goes.  For one that is taken names of routes
 * get columns: keep() is called for all of them first, so that none loses its
 * column to another.
 */

ngx_int_t ngx_http_tailgate_stats_read(ngx_conf_t *cf, ngx_shm_zone_t *old,
    ngx_uint_t **taken);
void ngx_http_tailgate_stats_taken(ngx_shm_zone_t *zone, uint64_t digest,
    ngx_uint_t reload);
void ngx_http_tailgate_stats_keep(ngx_shm_zone_t *zone, const tg_str_t *name);
ngx_uint_t ngx_http_tailgate_stats_column(ngx_shm_zone_t *zone,
    const tg_str_t *name);

/* Of the rules of the configuration that was taken last. */

uint64_t ngx_http_tailgate_stats_digest(ngx_shm_zone_t *zone);

/*
 * In a worker.  init() finds a slot; where the zone is NULL, or more workers
 * run than it has slots, it is one that nobody reads.
 */

ngx_int_t ngx_http_tailgate_stats_init(ngx_http_tailgate_stats_t *stats,
    ngx_shm_zone_t *zone, ngx_pool_t *pool);
void ngx_http_tailgate_stats_exit(ngx_http_tailgate_stats_t *stats);

/* The LocalAPI failed; kind is one of TG_COUNT_ERROR_*. */

void ngx_http_tailgate_stats_error(ngx_http_tailgate_stats_t *stats,
    tg_count_t kind, ngx_str_t *error);

/* The same, where no call of those that are counted did. */

void ngx_http_tailgate_stats_last(ngx_http_tailgate_stats_t *stats,
    ngx_str_t *error);

ngx_int_t ngx_http_tailgate_stats_sum(ngx_http_tailgate_stats_t *stats,
    ngx_pool_t *pool, ngx_http_tailgate_sum_t *sum);

/* Microseconds of a clock that only runs forward. */

uint64_t ngx_http_tailgate_stats_clock(void);


static ngx_inline void
ngx_http_tailgate_count(ngx_http_tailgate_stats_t *stats, tg_count_t count)
{
    stats->slot->counts[count]++;
}


static ngx_inline void
ngx_http_tailgate_count_decision(ngx_http_tailgate_stats_t *stats,
    ngx_uint_t column, tg_outcome_t outcome)
{
    stats->slot->routes[column][outcome]++;
}


#endif /* NGX_HTTP_TAILGATE_STATS_H_INCLUDED_ */
