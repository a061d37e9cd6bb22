
/*
 * Copyright (C) The Tailgate authors
 *
 * Lookups: who shares one, what is kept of it, and how it ends.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_question.h"


/* In ms: how often to look whether another worker's answer is there. */

#define NGX_HTTP_TAILGATE_POLL_FIRST  1
#define NGX_HTTP_TAILGATE_POLL_LAST   32

/* What changes faster than it can be asked for is taken as it comes. */

#define NGX_HTTP_TAILGATE_AGAIN_MAX   3


static ngx_int_t ngx_http_tailgate_lookup_get(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, ngx_atomic_uint_t scope,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    ngx_http_tailgate_lookup_t **result);
static ngx_int_t ngx_http_tailgate_lookup_start(
    ngx_http_tailgate_lookup_t *lookup);
static void ngx_http_tailgate_lookup_poll(ngx_http_tailgate_lookup_t *lookup);
static void ngx_http_tailgate_lookup_poll_handler(ngx_event_t *ev);
static void ngx_http_tailgate_lookup_again(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer);
static ngx_http_tailgate_lookup_t *ngx_http_tailgate_lookup_create(
    ngx_http_tailgate_node_t *node, ngx_str_t *key, ngx_uint_t hash,
    ngx_str_t *target);
static void ngx_http_tailgate_lookup_finish(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer);
static void ngx_http_tailgate_lookup_free(ngx_http_tailgate_lookup_t *lookup);


ngx_int_t
ngx_http_tailgate_lookup_wait(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, ngx_atomic_uint_t scope,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    ngx_http_tailgate_waiter_t *waiter)
{
    ngx_int_t                    rc;
    ngx_http_tailgate_lookup_t  *lookup;

    rc = ngx_http_tailgate_lookup_get(node, question, scope, key, lease,
                                      &lookup);

    /*
     * one that is under way has a lease of its own, polls for one, or keeps
     * nothing: nobody would ever give this one back
     */

    if (rc != NGX_OK && key && lease->ticket) {
        ngx_http_tailgate_cache_drop(node, key, lease);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED
        || (key && lease->state == TG_TABLE_WAIT))
    {
        ngx_http_tailgate_count(node->localapi.stats, TG_COUNT_COALESCED);
    }

    waiter->node = node;
    waiter->lookup = lookup;
    waiter->queued = 1;

    ngx_queue_insert_tail(&lookup->waiters, &waiter->queue);

    return NGX_OK;
}


void
ngx_http_tailgate_lookup_refresh(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, const ngx_http_tailgate_key_t *key,
    const ngx_http_tailgate_lease_t *lease)
{
    ngx_int_t                    rc;
    ngx_http_tailgate_lookup_t  *lookup;

    rc = ngx_exiting ? NGX_ERROR
                     : ngx_http_tailgate_lookup_get(node, question, 0, key,
                                                    lease, &lookup);

    if (rc != NGX_OK) {
        ngx_http_tailgate_cache_drop(node, key, lease);
    }
}


/* NGX_DECLINED: it was under way already. */

static ngx_int_t
ngx_http_tailgate_lookup_get(ngx_http_tailgate_node_t *node,
    const tg_question_t *question, ngx_atomic_uint_t scope,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    ngx_http_tailgate_lookup_t **result)
{
    char                         buf[TG_LOCALAPI_TARGET_MAX];
    u_char                       name_buf[TG_LOCALAPI_TARGET_MAX
                                          + NGX_ATOMIC_T_LEN + 1];
    size_t                       len;
    uint32_t                     hash;
    ngx_str_t                    name, target;
    ngx_http_tailgate_lookup_t  *lookup;

    if (tg_whois_target(&question->addr, question->with_port,
                        question->service, NULL, buf, &len)
        != TG_OK)
    {
        return NGX_ERROR;
    }

    target.data = (u_char *) buf;
    target.len = len;

    name.data = name_buf;
    name.len = ngx_sprintf(name_buf, "%uA %V", scope, &target) - name_buf;

    hash = ngx_crc32_long(name.data, name.len);

    *result = (ngx_http_tailgate_lookup_t *)
                  ngx_str_rbtree_lookup(&node->lookups, &name, hash);

    if (*result) {
        return NGX_DECLINED;
    }

    lookup = ngx_http_tailgate_lookup_create(node, &name, hash, &target);
    if (lookup == NULL) {
        return NGX_ERROR;
    }

    if (key) {
        lookup->keyed = 1;
        lookup->key = *key;
        lookup->lease = *lease;
    }

    if (ngx_http_tailgate_lookup_start(lookup) != NGX_OK) {
        ngx_http_tailgate_lookup_free(lookup);
        return NGX_ERROR;
    }

    *result = lookup;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_lookup_start(ngx_http_tailgate_lookup_t *lookup)
{
    if (lookup->keyed && lookup->lease.state == TG_TABLE_WAIT) {
        ngx_http_tailgate_lookup_poll(lookup);
        return NGX_OK;
    }

    if (ngx_http_tailgate_self(lookup->owner, NGX_HTTP_TAILGATE_SELF_AGE)) {
        ngx_http_tailgate_lookup_hold(lookup);
        ngx_http_tailgate_lookup_ask(lookup, &lookup->target);
        return NGX_OK;
    }

    return ngx_http_tailgate_lookup_self_wait(lookup);
}


/* As proxy_cache_lock does: no worker can wake another one up. */

static void
ngx_http_tailgate_lookup_poll(ngx_http_tailgate_lookup_t *lookup)
{
    if (lookup->pause < NGX_HTTP_TAILGATE_POLL_LAST) {
        lookup->pause = lookup->pause ? 2 * lookup->pause
                                      : NGX_HTTP_TAILGATE_POLL_FIRST;
    }

    lookup->poll.handler = ngx_http_tailgate_lookup_poll_handler;
    lookup->poll.data = lookup;
    lookup->poll.log = ngx_cycle->log;

    ngx_add_timer(&lookup->poll, lookup->pause);
}


static void
ngx_http_tailgate_lookup_poll_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_lookup_again(ev->data, NULL);
}


/*
 * Looks once more what there is: an answer of another worker, one that is
 * still to be waited for, or none, so that this one asks.
 */

static void
ngx_http_tailgate_lookup_again(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer)
{
    ngx_http_tailgate_peer_t  *found;

    if (peer && peer->self) {
        ngx_http_tailgate_self_release(peer->self);
        peer->self = NULL;
    }

    found = NULL;

    if (lookup->keyed && lookup->owner->self) {
        found = ngx_http_tailgate_cache_find(lookup->owner, &lookup->key,
                                             NULL, lookup->since,
                                             &lookup->lease);
    }

    if (found) {

        /* whoever asks next may refresh it */

        if (lookup->lease.ticket) {
            ngx_http_tailgate_cache_drop(lookup->owner, &lookup->key,
                                         &lookup->lease);
        }

        ngx_http_tailgate_lookup_finish(lookup, found);
        return;
    }

    lookup->stage = NGX_HTTP_TAILGATE_ASK_FIRST;
    lookup->answered = 0;
    lookup->refreshed = 0;

    if (ngx_http_tailgate_lookup_start(lookup) != NGX_OK) {
        ngx_http_tailgate_lookup_done(lookup, NULL);
    }
}


static ngx_http_tailgate_lookup_t *
ngx_http_tailgate_lookup_create(ngx_http_tailgate_node_t *node,
    ngx_str_t *key, ngx_uint_t hash, ngx_str_t *target)
{
    ngx_pool_t                  *pool;
    ngx_http_tailgate_lookup_t  *lookup;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    lookup = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_lookup_t));
    if (lookup == NULL) {
        goto failed;
    }

    lookup->node.node.key = hash;
    lookup->node.str.len = key->len;
    lookup->node.str.data = ngx_pstrdup(pool, key);
    lookup->target.len = target->len;
    lookup->target.data = ngx_pstrdup(pool, target);

    if (lookup->node.str.data == NULL || lookup->target.data == NULL) {
        goto failed;
    }

    lookup->pool = pool;
    lookup->owner = node;
    lookup->since = ngx_current_msec;

    /* it may be given up before anything is asked */
    lookup->call.localapi = &node->localapi;

    ngx_queue_init(&lookup->waiters);
    ngx_rbtree_insert(&node->lookups, &lookup->node.node);

    return lookup;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


/*
 * The answer is there, or NULL: there was no memory for one.  It is kept, and
 * asked for again if it became out of date on its way; without one an old
 * answer may have to do.
 */

void
ngx_http_tailgate_lookup_done(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer)
{
    ngx_http_tailgate_peer_t  *stale;

    if (!lookup->keyed || lookup->lease.ticket == 0) {

        /* the table tells only those with a lease what changed meanwhile */

        if (peer && peer->status != TG_STATUS_UNAVAILABLE
            && lookup->epoch
               != ngx_http_tailgate_cache_epoch(lookup->owner->cache)
            && lookup->again++ < NGX_HTTP_TAILGATE_AGAIN_MAX)
        {
            ngx_http_tailgate_lookup_again(lookup, peer);
            return;
        }

        ngx_http_tailgate_lookup_finish(lookup, peer);
        return;
    }

    if (peer && peer->status != TG_STATUS_UNAVAILABLE) {

        if (ngx_http_tailgate_cache_put(lookup->owner, &lookup->key,
                                        &lookup->lease, peer)
            == NGX_AGAIN
            && lookup->again++ < NGX_HTTP_TAILGATE_AGAIN_MAX)
        {
            ngx_http_tailgate_lookup_again(lookup, peer);
            return;
        }

        ngx_http_tailgate_lookup_finish(lookup, peer);
        return;
    }

    ngx_http_tailgate_cache_drop(lookup->owner, &lookup->key, &lookup->lease);

    stale = ngx_http_tailgate_cache_stale(lookup->owner, &lookup->key);

    if (stale) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "tailgate: a stale answer is used for \"%V\"",
                      &lookup->target);

        if (peer && peer->self) {
            ngx_http_tailgate_self_release(peer->self);
        }

        peer = stale;
    }

    ngx_http_tailgate_lookup_finish(lookup, peer);
}


/*
 * A peer that was made here has the lookup's pool.  A waiter without an answer
 * has to take that for an outage.
 */

static void
ngx_http_tailgate_lookup_finish(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer)
{
    ngx_pool_t                  *pool;
    ngx_queue_t                 *q;
    ngx_http_tailgate_waiter_t  *waiter;

    ngx_rbtree_delete(&lookup->owner->lookups, &lookup->node.node);

    if (lookup->state) {
        ngx_http_tailgate_self_release(lookup->state);
    }

    pool = lookup->pool;

    if (peer && peer->pool == pool) {
        peer->refs = 1;
        pool = NULL;
    }

    while (!ngx_queue_empty(&lookup->waiters)) {

        q = ngx_queue_head(&lookup->waiters);
        waiter = ngx_queue_data(q, ngx_http_tailgate_waiter_t, queue);

        waiter->lookup = NULL;

        if (peer) {
            waiter->peer = ngx_http_tailgate_peer_hold(peer);
        }

        ngx_http_tailgate_waiter_post(q);
    }

    if (peer) {
        ngx_http_tailgate_peer_release(peer);
    }

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


void
ngx_http_tailgate_lookup_leave(ngx_http_tailgate_lookup_t *lookup)
{
    if (ngx_queue_empty(&lookup->waiters)) {
        ngx_http_tailgate_lookup_free(lookup);
    }
}


static void
ngx_http_tailgate_lookup_free(ngx_http_tailgate_lookup_t *lookup)
{
    ngx_rbtree_delete(&lookup->owner->lookups, &lookup->node.node);

    if (lookup->poll.timer_set) {
        ngx_del_timer(&lookup->poll);
    }

    if (lookup->keyed && lookup->lease.ticket) {
        ngx_http_tailgate_cache_drop(lookup->owner, &lookup->key,
                                     &lookup->lease);
    }

    ngx_http_tailgate_localapi_cancel(&lookup->call);
    ngx_http_tailgate_waiter_cancel(&lookup->self);

    if (lookup->state) {
        ngx_http_tailgate_self_release(lookup->state);
    }

    ngx_destroy_pool(lookup->pool);
}


ngx_http_tailgate_peer_t *
ngx_http_tailgate_peer_hold(ngx_http_tailgate_peer_t *peer)
{
    peer->refs++;

    return peer;
}


void
ngx_http_tailgate_peer_release(ngx_http_tailgate_peer_t *peer)
{
    if (--peer->refs) {
        return;
    }

    if (peer->self) {
        ngx_http_tailgate_self_release(peer->self);
    }

    ngx_destroy_pool(peer->pool);
}
