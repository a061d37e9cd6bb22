
/*
 * Copyright (C) The Tailgate authors
 *
 * This node: its own state, as the LocalAPI tells it, and those who wait for
 * that or for a lookup.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_lookup.h"


static ngx_int_t ngx_http_tailgate_self_fetch(ngx_http_tailgate_node_t *node);
static void ngx_http_tailgate_self_answered(ngx_http_tailgate_call_t *call);
static ngx_int_t ngx_http_tailgate_self_parse(ngx_http_tailgate_node_t *node,
    ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_self_failed(ngx_http_tailgate_node_t *node,
    const char *fmt, ...);
static void *ngx_http_tailgate_palloc(void *ctx, size_t size);


static ngx_str_t  ngx_http_tailgate_status_target =
    ngx_string(TG_LOCALAPI_STATUS);


ngx_int_t
ngx_http_tailgate_node_init(ngx_http_tailgate_node_t *node, ngx_pool_t *pool)
{
    ngx_rbtree_init(&node->lookups, &node->sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_queue_init(&node->self_waiters);

    return ngx_http_tailgate_localapi_init(&node->localapi, pool);
}


void
ngx_http_tailgate_node_exit(ngx_http_tailgate_node_t *node)
{
    if (node->self) {
        ngx_http_tailgate_self_release(node->self);
        node->self = NULL;
    }
}


/* What a node says of itself before it runs is no good for later. */

ngx_str_t *
ngx_http_tailgate_self_error(ngx_http_tailgate_node_t *node)
{
    return &node->self_error;
}


void
ngx_http_tailgate_self_renew(ngx_http_tailgate_node_t *node)
{
    if (node->self_call == NULL && !ngx_exiting) {
        /* without it the next one who needs it waits */
        (void) ngx_http_tailgate_self_fetch(node);
    }
}


static ngx_int_t
ngx_http_tailgate_self_fetch(ngx_http_tailgate_node_t *node)
{
    ngx_pool_t                *pool;
    ngx_http_tailgate_call_t  *call;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_call_t));
    if (call == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    call->localapi = &node->localapi;
    call->pool = pool;
    call->handler = ngx_http_tailgate_self_answered;
    call->data = node;

    if (ngx_http_tailgate_localapi_ask(call, &ngx_http_tailgate_status_target)
        != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    node->self_call = call;
    node->self_pool = pool;
    node->self_started = ngx_current_msec;
    node->self_flushes = ngx_http_tailgate_cache_flushes(node->cache);

    return NGX_OK;
}


ngx_int_t
ngx_http_tailgate_self_wait(ngx_http_tailgate_node_t *node,
    ngx_http_tailgate_waiter_t *waiter)
{
    if (node->self_call == NULL
        && ngx_http_tailgate_self_fetch(node) != NGX_OK)
    {
        return NGX_ERROR;
    }

    waiter->node = node;
    waiter->lookup = NULL;
    waiter->queued = 1;

    ngx_queue_insert_tail(&node->self_waiters, &waiter->queue);

    return NGX_OK;
}


static void
ngx_http_tailgate_self_answered(ngx_http_tailgate_call_t *call)
{
    ngx_pool_t                  *pool;
    ngx_queue_t                 *q;
    ngx_http_tailgate_node_t    *node;
    ngx_http_tailgate_waiter_t  *waiter;

    node = call->data;
    pool = node->self_pool;

    node->self_call = NULL;
    node->self_pool = NULL;

    if (ngx_http_tailgate_self_parse(node, call) == NGX_OK) {
        /* it is the new self's now */
        pool = NULL;
    }

    while (!ngx_queue_empty(&node->self_waiters)) {

        q = ngx_queue_head(&node->self_waiters);

        waiter = ngx_queue_data(q, ngx_http_tailgate_waiter_t, queue);
        waiter->failed = pool != NULL;

        ngx_http_tailgate_waiter_post(q);
    }

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


static ngx_int_t
ngx_http_tailgate_self_parse(ngx_http_tailgate_node_t *node,
    ngx_http_tailgate_call_t *call)
{
    int                        rc;
    tg_alloc_t                 alloc;
    tg_error_t                 error;
    ngx_http_tailgate_self_t  *self;

    if (call->code == 0) {
        ngx_http_tailgate_self_failed(node, "%V", &call->error);
        return NGX_ERROR;
    }

    if (call->code != 200) {
        ngx_http_tailgate_self_failed(node, "its status answer is %i",
                                      call->code);
        ngx_http_tailgate_stats_error(node->localapi.stats,
                                      TG_COUNT_ERROR_STATUS,
                                      &node->self_error);
        return NGX_ERROR;
    }

    self = ngx_pcalloc(call->pool, sizeof(ngx_http_tailgate_self_t));
    if (self == NULL) {
        ngx_http_tailgate_self_failed(node, "no memory");
        return NGX_ERROR;
    }

    alloc = ngx_http_tailgate_alloc(call->pool);
    ngx_memzero(&error, sizeof(tg_error_t));

    rc = tg_status_parse((char *) call->body.data, call->body.len, &alloc,
                         &self->self, &error);

    if (call->body.data) {
        (void) ngx_pfree(call->pool, call->body.data);
    }

    if (rc != TG_OK) {
        ngx_http_tailgate_self_failed(node,
                                      "its status answer is nonsense: %s",
                                      error.text[0] ? error.text
                                                    : tg_strerror(rc));
        ngx_http_tailgate_stats_error(node->localapi.stats,
                                      TG_COUNT_ERROR_MALFORMED,
                                      &node->self_error);
        return NGX_ERROR;
    }

    self->refs = 1;
    self->pool = call->pool;
    self->taken = node->self_started;
    self->flushes = node->self_flushes;
    self->serial = ++node->self_serial;

    if (node->self) {
        ngx_http_tailgate_self_release(node->self);
    }

    node->self = self;
    node->self_error.len = 0;

    return NGX_OK;
}


static void
ngx_http_tailgate_self_failed(ngx_http_tailgate_node_t *node,
    const char *fmt, ...)
{
    u_char   *last;
    va_list   args;

    va_start(args, fmt);
    last = ngx_vslprintf(node->self_error_buf,
                         node->self_error_buf + sizeof(node->self_error_buf),
                         fmt, args);
    va_end(args);

    node->self_error.data = node->self_error_buf;
    node->self_error.len = last - node->self_error_buf;
}


void
ngx_http_tailgate_waiter_post(ngx_queue_t *q)
{
    ngx_http_tailgate_waiter_t  *waiter;

    waiter = ngx_queue_data(q, ngx_http_tailgate_waiter_t, queue);

    ngx_queue_remove(q);
    waiter->queued = 0;

    waiter->event.log = ngx_cycle->log;
    ngx_post_event(&waiter->event, &ngx_posted_events);
}


/*
 * A lookup that nobody waits for any more is given up: what remains under way
 * is waited for, so that an exiting worker neither leaves a connection open
 * nor stays for an answer that nobody wants.
 */

void
ngx_http_tailgate_waiter_cancel(ngx_http_tailgate_waiter_t *waiter)
{
    ngx_http_tailgate_node_t    *node;
    ngx_http_tailgate_lookup_t  *lookup;

    if (waiter->event.posted) {
        ngx_delete_posted_event(&waiter->event);
    }

    if (waiter->peer) {
        ngx_http_tailgate_peer_release(waiter->peer);
        waiter->peer = NULL;
    }

    if (!waiter->queued) {
        return;
    }

    ngx_queue_remove(&waiter->queue);
    waiter->queued = 0;

    node = waiter->node;
    lookup = waiter->lookup;
    waiter->lookup = NULL;

    if (lookup) {
        ngx_http_tailgate_lookup_leave(lookup);
        return;
    }

    if (node->self_call && ngx_queue_empty(&node->self_waiters)) {

        ngx_http_tailgate_localapi_cancel(node->self_call);
        ngx_destroy_pool(node->self_pool);

        node->self_call = NULL;
        node->self_pool = NULL;
    }
}


ngx_http_tailgate_self_t *
ngx_http_tailgate_self_hold(ngx_http_tailgate_self_t *self)
{
    self->refs++;

    return self;
}


void
ngx_http_tailgate_self_release(ngx_http_tailgate_self_t *self)
{
    if (--self->refs == 0) {
        ngx_destroy_pool(self->pool);
    }
}


tg_alloc_t
ngx_http_tailgate_alloc(ngx_pool_t *pool)
{
    tg_alloc_t  alloc;

    alloc.alloc = ngx_http_tailgate_palloc;
    alloc.ctx = pool;

    return alloc;
}


static void *
ngx_http_tailgate_palloc(void *ctx, size_t size)
{
    return ngx_palloc(ctx, size);
}
