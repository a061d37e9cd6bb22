
/*
 * Copyright (C) The Tailgate authors
 *
 * Who is it, and who are we: answers of the LocalAPI turned into identities.
 * A lookup belongs to the worker process; any number of waiters get its
 * answer, each by an event of its own.
 */

#ifndef NGX_HTTP_TAILGATE_LOOKUP_H_INCLUDED_
#define NGX_HTTP_TAILGATE_LOOKUP_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <tailgate/gate.h>
#include <tailgate/identity.h>
#include <tailgate/policy.h>

#include "ngx_http_tailgate_cache.h"
#include "ngx_http_tailgate_localapi.h"


/*
 * How old, in ms, the node's own state may be: in general, and when a source
 * seems to have come by an address that is not the node's.
 */

#define NGX_HTTP_TAILGATE_SELF_AGE    10000
#define NGX_HTTP_TAILGATE_SELF_FRESH  1000


/* This node.  Counted: freed with the last that holds it. */

typedef struct {
    ngx_uint_t                  refs;
    ngx_pool_t                 *pool;
    ngx_msec_t                  taken;     /* ngx_current_msec */
    ngx_uint_t                  flushes;   /* of the cache, when it was */
    ngx_uint_t                  serial;    /* of those of a node, from 1 */
    tg_self_t                   self;
} ngx_http_tailgate_self_t;


typedef struct ngx_http_tailgate_memo_s  ngx_http_tailgate_memo_t;

/* What became of an identification.  Counted too. */

typedef struct {
    ngx_uint_t                  refs;
    ngx_pool_t                 *pool;
    tg_status_t                 status;
    tg_identity_t               identity;  /* if status says that there is */
    tg_caps_t                  *caps;      /* of identity; may be NULL */
    ngx_str_t                   reason;    /* for a log; may be empty */
    ngx_http_tailgate_self_t   *self;      /* may be NULL */
    ngx_msec_t                  asked;     /* ngx_current_msec */
    uint64_t                    epoch;     /* good while it stands */
    ngx_http_tailgate_memo_t   *memos;     /* memo.c */
    unsigned                    stale:1;   /* past its end */
    unsigned                    kept:1;    /* for other requests as well */
} ngx_http_tailgate_peer_t;


typedef struct ngx_http_tailgate_lookup_s  ngx_http_tailgate_lookup_t;

typedef struct {
    ngx_http_tailgate_localapi_t  localapi;

    ngx_http_tailgate_self_t     *self;    /* the last one; may be NULL */
    ngx_http_tailgate_cache_t    *cache;   /* NULL: no answer is kept */
    unsigned                      caps:1;  /* peers' are wanted */

    /* private */
    ngx_rbtree_t                  lookups;
    ngx_rbtree_node_t             sentinel;
    ngx_str_t                     self_error;
    ngx_queue_t                   self_waiters;
    ngx_http_tailgate_call_t     *self_call;
    ngx_pool_t                   *self_pool;
    ngx_msec_t                    self_started;
    ngx_uint_t                    self_flushes;
    ngx_uint_t                    self_serial;
    u_char                        self_error_buf[512];
} ngx_http_tailgate_node_t;


/* One who waits: for a peer, or for the own state.  Zero it first. */

typedef struct {
    ngx_event_t                   event;   /* handler and data: the caller's */

    /* the answer, when the event comes */
    ngx_http_tailgate_peer_t     *peer;    /* held for the waiter */
    unsigned                      failed:1; /* there is no own state */

    /* private */
    ngx_queue_t                   queue;
    ngx_http_tailgate_node_t     *node;
    ngx_http_tailgate_lookup_t   *lookup;
    unsigned                      queued:1;
} ngx_http_tailgate_waiter_t;


/* node->localapi is filled; for the life of a worker process. */

ngx_int_t ngx_http_tailgate_node_init(ngx_http_tailgate_node_t *node,
    ngx_pool_t *pool);
void ngx_http_tailgate_node_exit(ngx_http_tailgate_node_t *node);

/* Why the last attempt at it failed; empty if it did not. */

ngx_str_t *ngx_http_tailgate_self_error(ngx_http_tailgate_node_t *node);

/*
 * The waiter's event is posted when an attempt, which is begun if none is
 * under way, is over.  NGX_ERROR: out of memory.
 */

ngx_int_t ngx_http_tailgate_self_wait(ngx_http_tailgate_node_t *node,
    ngx_http_tailgate_waiter_t *waiter);

/* Fetches it for later, unless it is being fetched. */

void ngx_http_tailgate_self_renew(ngx_http_tailgate_node_t *node);

/*
 * Asks who that is; the waiter's event is posted when waiter->peer is there.
 * Waiters of one question at one time share a lookup; scope separates those
 * that may not (the number of a connection, else 0).  key is NULL for what is
 * not kept; else lease is what cache_find() said.  NGX_ERROR: out of memory,
 * or a question that cannot be asked.
 */

ngx_int_t ngx_http_tailgate_lookup_wait(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, ngx_atomic_uint_t scope,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    ngx_http_tailgate_waiter_t *waiter);

/* Asks so that the answer is kept, and nobody waits. */

void ngx_http_tailgate_lookup_refresh(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, const ngx_http_tailgate_key_t *key,
    const ngx_http_tailgate_lease_t *lease);

/*
 * cache.c.  An answer that is kept, held for the caller, or NULL: lease then
 * says what to do.  hint, of that key alone, may be NULL.  Answers that were
 * asked for before since count only while the bus is followed.  node->self
 * must be there.
 */

ngx_http_tailgate_peer_t *ngx_http_tailgate_cache_find(
    ngx_http_tailgate_node_t *node, const ngx_http_tailgate_key_t *key,
    ngx_http_tailgate_hint_t *hint, ngx_msec_t since,
    ngx_http_tailgate_lease_t *lease);

/*
 * The answer that was found there before, held for the caller.  NULL: it has
 * gone, or cache_find() has to judge it.
 */

ngx_http_tailgate_peer_t *ngx_http_tailgate_cache_again(
    ngx_http_tailgate_cache_t *cache, const ngx_http_tailgate_hint_t *hint);

/*
 * Keeps the answer to what a lease was about.  NGX_AGAIN: something changed in
 * the meantime, so that it has to be asked for again.
 */

ngx_int_t ngx_http_tailgate_cache_put(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    const ngx_http_tailgate_peer_t *peer);

/* There was none. */

void ngx_http_tailgate_cache_drop(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key,
    const ngx_http_tailgate_lease_t *lease);

/* An answer past its end, held for the caller, if the configuration lets it. */

ngx_http_tailgate_peer_t *ngx_http_tailgate_cache_stale(
    ngx_http_tailgate_node_t *node, const ngx_http_tailgate_key_t *key);

/*
 * Whether an answer that is kept elsewhere still counts, so that nobody has to
 * be asked.  Where nothing is kept there is no news either: NGX_DECLINED.
 */

ngx_int_t ngx_http_tailgate_peer_stands(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_peer_t *peer);

/* Parses the capabilities of a peer into it; NGX_ERROR: no memory. */

ngx_int_t ngx_http_tailgate_peer_caps(ngx_http_tailgate_peer_t *peer);

/* Forgets the wait, and lets go of an answer.  Harmless when there is none. */

void ngx_http_tailgate_waiter_cancel(ngx_http_tailgate_waiter_t *waiter);


ngx_http_tailgate_self_t *ngx_http_tailgate_self_hold(
    ngx_http_tailgate_self_t *self);
void ngx_http_tailgate_self_release(ngx_http_tailgate_self_t *self);
ngx_http_tailgate_peer_t *ngx_http_tailgate_peer_hold(
    ngx_http_tailgate_peer_t *peer);
void ngx_http_tailgate_peer_release(ngx_http_tailgate_peer_t *peer);

/* Between node.c and lookup.c: an answer is there; a waiter has gone. */

void ngx_http_tailgate_waiter_post(ngx_queue_t *q);
void ngx_http_tailgate_lookup_leave(ngx_http_tailgate_lookup_t *lookup);

/* libtailgate's allocator over a pool. */

tg_alloc_t ngx_http_tailgate_alloc(ngx_pool_t *pool);


/*
 * The own state, not older than age nor than the last flush of the cache, of
 * a node that is up: borrowed, good until the next event.  NULL if there is
 * none: ngx_http_tailgate_self_wait() then fetches it, and unless that failed
 * node->self is what was said.
 */

static ngx_inline ngx_http_tailgate_self_t *
ngx_http_tailgate_self(ngx_http_tailgate_node_t *node, ngx_msec_t age)
{
    if (node->self == NULL
        || !node->self->self.running
        || (ngx_msec_t) (ngx_current_msec - node->self->taken) > age
        || node->self->flushes != ngx_http_tailgate_cache_flushes(node->cache))
    {
        return NULL;
    }

    return node->self;
}


/* Fetches it for later, if it is about to get too old. */

static ngx_inline void
ngx_http_tailgate_self_refresh(ngx_http_tailgate_node_t *node)
{
    if (node->self
        && (ngx_msec_t) (ngx_current_msec - node->self->taken)
           > NGX_HTTP_TAILGATE_SELF_AGE / 2)
    {
        ngx_http_tailgate_self_renew(node);
    }
}


#endif /* NGX_HTTP_TAILGATE_LOOKUP_H_INCLUDED_ */
