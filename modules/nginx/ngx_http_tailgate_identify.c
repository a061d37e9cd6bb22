
/*
 * Copyright (C) The Tailgate authors
 *
 * Who the client of a request is: one lookup for it and all its subrequests,
 * on a loopback connection one for all of its requests.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_ask(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_int_t ngx_http_tailgate_ask_anew(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx) NGX_HTTP_TAILGATE_SELDOM;
static ngx_int_t ngx_http_tailgate_resumed(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx) NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_hit(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer,
    const char *cache);
static ngx_int_t ngx_http_tailgate_ask_cache(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx) NGX_HTTP_TAILGATE_SELDOM;
static ngx_int_t ngx_http_tailgate_ask_limited(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, const ngx_http_tailgate_lease_t *lease);
static ngx_int_t ngx_http_tailgate_lookup(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, const tg_question_t *question,
    ngx_atomic_uint_t scope, const ngx_http_tailgate_key_t *key,
    const ngx_http_tailgate_lease_t *lease);
static ngx_uint_t ngx_http_tailgate_is_asked(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_uint_t ngx_http_tailgate_asked(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, const tg_question_t *question);
static ngx_uint_t ngx_http_tailgate_is_direct(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
static ngx_int_t ngx_http_tailgate_ask_self(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_waiter_t *waiter);
static ngx_int_t ngx_http_tailgate_nobody(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_waiter_t *waiter,
    tg_reason_t reason);
static ngx_uint_t ngx_http_tailgate_connection_stands(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_peer_t *peer);
static ngx_int_t ngx_http_tailgate_suspend(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static void ngx_http_tailgate_resume_handler(ngx_event_t *ev);
static ngx_http_tailgate_waiter_t *ngx_http_tailgate_waiter(
    ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx);
static void ngx_http_tailgate_waiter_cleanup(void *data);
static ngx_int_t ngx_http_tailgate_answer(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_peer_t *peer);
static ngx_int_t ngx_http_tailgate_stranger(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, tg_status_t status,
    const char *reason);
static void ngx_http_tailgate_set_peer(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer);
static ngx_int_t ngx_http_tailgate_serve(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer);


ngx_int_t
ngx_http_tailgate_identify(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->waiting) {
        rc = ngx_http_tailgate_resumed(r, ctx);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_tailgate_ask(r, ctx);
}


/* NGX_DECLINED: it waits no longer, but the client is not identified. */

static ngx_int_t
ngx_http_tailgate_resumed(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_http_tailgate_peer_t    *peer;
    ngx_http_tailgate_waiter_t  *waiter;

    waiter = ctx->waiter;

    if (waiter->queued || waiter->event.posted) {
        return NGX_AGAIN;
    }

    ctx->waiting = 0;

    if (ctx->asked) {
        ctx->asked = 0;
        peer = waiter->peer;
        waiter->peer = NULL;

        if (peer && peer->stale) {
            ctx->record->cache = "stale";
            ngx_http_tailgate_count(waiter->node->localapi.stats,
                                    TG_COUNT_STALE);
        }

        rc = ngx_http_tailgate_answer(r, ctx, peer);

        if (peer) {
            ngx_http_tailgate_peer_release(peer);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_tailgate_is_identified(r, ctx) ? NGX_OK : NGX_DECLINED;
}


/* Nearly always the answer is where this connection has found it before. */

static ngx_int_t
ngx_http_tailgate_ask(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_peer_t        *peer;
    ngx_http_tailgate_record_t      *record;
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    record = ctx->record;
    record->cache = NULL;

    if (record->no_address || !ngx_http_tailgate_is_asked(r, ctx)) {
        return ngx_http_tailgate_ask_anew(r, ctx);
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    tc = record->connection;

    record->request.service = tc->question.service;
    ctx->connection = 0;

    peer = ngx_http_tailgate_cache_again(mcf->node->cache, &tc->hint);

    if (peer == NULL) {
        return ngx_http_tailgate_ask_cache(r, ctx);
    }

    ngx_http_tailgate_hit(r, record, peer, "hit");
    ngx_http_tailgate_set_peer(r, record, peer);
    ngx_http_tailgate_self_refresh(mcf->node);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_ask_anew(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_atomic_uint_t                scope;
    tg_question_t                    question;
    ngx_http_tailgate_record_t      *record;
    ngx_http_tailgate_waiter_t      *waiter;
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    record = ctx->record;
    tc = record->connection;

    if (record->no_address) {
        return ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER,
            "HTTP/3 names nobody: the address of a QUIC connection may change "
            "under way");
    }

    waiter = ngx_http_tailgate_waiter(r, ctx);
    if (waiter == NULL) {
        return NGX_ERROR;
    }

    ngx_http_tailgate_question(r, ctx, &question);

    record->request.service = question.service;

    if (question.ask == TG_ASK_SELF) {
        return ngx_http_tailgate_ask_self(r, ctx, waiter);
    }

    if (question.ask != TG_ASK_WHOIS) {
        return ngx_http_tailgate_nobody(r, ctx, waiter, question.reason);
    }

    scope = 0;
    ctx->connection = 0;
    ctx->self_asked = 0;

    if (question.with_port) {

        scope = r->connection->number;

        if (ngx_http_tailgate_is_connection(record, &question)) {

            ctx->connection = 1;

            if (ngx_http_tailgate_connection_stands(mcf, tc->peer)) {
                ngx_http_tailgate_hit(r, record, tc->peer, "connection");
                return ngx_http_tailgate_answer(r, ctx, tc->peer);
            }

            scope = ngx_http_tailgate_real_connection(r)->number;
        }
    }

    if (ngx_http_tailgate_asked(r, record, &question)) {
        return ngx_http_tailgate_ask_cache(r, ctx);
    }

    return ngx_http_tailgate_lookup(r, ctx, &question, scope, NULL, NULL);
}


/* With a key, the connection's, the answer may be there already. */

static ngx_int_t
ngx_http_tailgate_ask_cache(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_peer_t        *peer;
    ngx_http_tailgate_lease_t        lease;
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    tc = ctx->record->connection;

    ngx_http_tailgate_self_refresh(mcf->node);

    peer = ngx_http_tailgate_cache_find(mcf->node, &tc->key, &tc->hint,
                                        ngx_current_msec, &lease);

    if (peer == NULL) {
        return ngx_http_tailgate_ask_limited(r, ctx, &lease);
    }

    if (lease.ticket) {
        ngx_http_tailgate_lookup_refresh(mcf->node, &tc->question, &tc->key,
                                         &lease);
    }

    ngx_http_tailgate_hit(r, ctx->record, peer, "hit");

    /* it is held for us */
    ngx_http_tailgate_set_peer(r, ctx->record, peer);

    return NGX_OK;
}


/* Who waits for another's question makes for none. */

static ngx_int_t
ngx_http_tailgate_ask_limited(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, const ngx_http_tailgate_lease_t *lease)
{
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    tc = ctx->record->connection;

    if (lease->state == TG_TABLE_WAIT
        || !ngx_http_tailgate_limited(mcf, &tc->question.addr,
                                      r->connection->log))
    {
        return ngx_http_tailgate_lookup(r, ctx, &tc->question, 0, &tc->key,
                                        lease);
    }

    if (lease->ticket) {
        ngx_http_tailgate_cache_drop(mcf->node, &tc->key, lease);
    }

    return ngx_http_tailgate_stranger(r, ctx->record, TG_STATUS_UNAVAILABLE,
                                      "its source makes for too many "
                                      "questions to tailscaled");
}


static ngx_int_t
ngx_http_tailgate_lookup(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    const tg_question_t *question, ngx_atomic_uint_t scope,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease)
{
    ngx_http_tailgate_waiter_t     *waiter;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    waiter = ngx_http_tailgate_waiter(r, ctx);
    if (waiter == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_tailgate_lookup_wait(mcf->node, question, scope, key, lease,
                                      waiter)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->asked = 1;
    ctx->record->cache = "miss";

    ngx_http_tailgate_count(&mcf->stats, TG_COUNT_MISSES);

    return ngx_http_tailgate_suspend(r, ctx);
}


static void
ngx_http_tailgate_hit(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer,
    const char *cache)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    record->cache = cache;

    ngx_http_tailgate_count(&mcf->stats, TG_COUNT_HITS);

    if (peer->status == TG_STATUS_STRANGER) {
        ngx_http_tailgate_count(&mcf->stats, TG_COUNT_NEGATIVE);
    }
}


/*
 * Whether this connection has asked already, and nothing has changed that the
 * question was made of: the server, its node's own addresses.  Nobody forwards
 * for anybody by it.
 */

static ngx_uint_t
ngx_http_tailgate_is_asked(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_self_t        *self;
    ngx_http_tailgate_record_t      *record;
    ngx_http_tailgate_srv_conf_t    *scf;
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    record = ctx->record;
    tc = record->connection;

    if (tc->scf != scf || ctx->self_asked
        || !ngx_http_tailgate_is_direct(r, record))
    {
        return 0;
    }

    self = ngx_http_tailgate_self(mcf->node, NGX_HTTP_TAILGATE_SELF_AGE);

    return self && self->serial == tc->self_serial;
}


/* Whether the question has a key: it is then the connection's. */

static ngx_uint_t
ngx_http_tailgate_asked(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, const tg_question_t *question)
{
    ngx_http_tailgate_self_t        *self;
    ngx_http_tailgate_main_conf_t   *mcf;
    ngx_http_tailgate_connection_t  *tc;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    tc = record->connection;
    tc->scf = NULL;

    if (mcf->node->cache == NULL) {
        return 0;
    }

    self = ngx_http_tailgate_self(mcf->node, NGX_HTTP_TAILGATE_SELF_AGE);

    if (self == NULL
        || ngx_http_tailgate_cache_key(question, &tc->key) != NGX_OK)
    {
        return 0;
    }

    tc->question = *question;
    tc->hint.ready = NULL;

    if (ngx_http_tailgate_is_direct(r, record)) {
        tc->scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);
        tc->self_serial = self->serial;
    }

    return 1;
}


static ngx_uint_t
ngx_http_tailgate_is_direct(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    return r->connection->sockaddr == record->sockaddr
           && record->connection->source.proxied.family == TG_ADDR_NONE
           && !record->connection->source.proxy_listener
           && !record->wrong_interface;
}


/* An attempt that has just failed is not made again for this request. */

static ngx_int_t
ngx_http_tailgate_ask_self(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_waiter_t *waiter)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    if (ctx->self_asked) {

        ctx->self_asked = 0;

        if (!waiter->failed) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "tailgate: %V knows no address of this node yet",
                          &mcf->localapi_name);

        } else {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "tailgate: %V does not tell the state of this "
                          "node: %V", &mcf->localapi_name,
                          ngx_http_tailgate_self_error(mcf->node));
        }

        return ngx_http_tailgate_stranger(r, ctx->record,
                                          TG_STATUS_UNAVAILABLE,
                                          "the addresses of this node are not "
                                          "known");
    }

    if (ngx_http_tailgate_self_wait(mcf->node, waiter) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->self_asked = 1;

    return ngx_http_tailgate_suspend(r, ctx);
}


/*
 * A stranger without having been asked about; but the own addresses may have
 * changed.
 */

static ngx_int_t
ngx_http_tailgate_nobody(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_waiter_t *waiter, tg_reason_t reason)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    if (reason == TG_REASON_FOREIGN_LOCAL_ADDR) {

        mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

        if (!ctx->self_asked
            && ngx_http_tailgate_self(mcf->node, NGX_HTTP_TAILGATE_SELF_FRESH)
               == NULL)
        {
            return ngx_http_tailgate_ask_self(r, ctx, waiter);
        }

        ngx_http_tailgate_source_warn(r, &ctx->record->connection->source);
    }

    ctx->self_asked = 0;

    return ngx_http_tailgate_stranger(r, ctx->record, TG_STATUS_STRANGER,
                                      tg_reason_text(reason));
}


/* Whether a connection that is kept alive need not be asked about again. */

static ngx_uint_t
ngx_http_tailgate_connection_stands(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_peer_t *peer)
{
    ngx_http_tailgate_cache_t  *cache;

    if (peer == NULL || ngx_http_tailgate_expired(peer)) {
        return 0;
    }

    cache = mcf->node->cache;

    return cache == NULL
           || (ngx_http_tailgate_peer_stands(mcf->node, peer) == NGX_OK
               && ngx_http_tailgate_cache_bus(cache)
                  != NGX_HTTP_TAILGATE_BUS_LOST);
}


/* Whether the answer is about the connection itself, and so good for it. */

ngx_uint_t
ngx_http_tailgate_is_connection(ngx_http_tailgate_record_t *record,
    const tg_question_t *question)
{
    return tg_addr_equal(&question->addr, &record->connection->source.peer)
           && question->addr.port == record->connection->source.peer.port;
}


static ngx_int_t
ngx_http_tailgate_suspend(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_connection_t  *c;

    c = r->connection;

    /* a client that goes away while its request waits is noticed */

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_tailgate_waiter_cancel(ctx->waiter);
        return NGX_ERROR;
    }

    if (r == r->main) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ctx->waiting = 1;

    return NGX_AGAIN;
}


static void
ngx_http_tailgate_resume_handler(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ev->data;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (r == r->main) {
        r->read_event_handler = ngx_http_block_reading;
    }

    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


static ngx_http_tailgate_waiter_t *
ngx_http_tailgate_waiter(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_cleanup_t          *cln;
    ngx_http_tailgate_waiter_t  *waiter;

    if (ctx->waiter) {
        return ctx->waiter;
    }

    waiter = ngx_pcalloc(r->pool, sizeof(ngx_http_tailgate_waiter_t));
    if (waiter == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_tailgate_waiter_cleanup;
    cln->data = waiter;

    waiter->event.handler = ngx_http_tailgate_resume_handler;
    waiter->event.data = r;

    ctx->waiter = waiter;

    return waiter;
}


static void
ngx_http_tailgate_waiter_cleanup(void *data)
{
    ngx_http_tailgate_waiter_cancel(data);
}


/* What a lookup, or the one of this connection, has brought. */

static ngx_int_t
ngx_http_tailgate_answer(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_peer_t *peer)
{
    ngx_http_tailgate_record_t      *record;
    ngx_http_tailgate_srv_conf_t    *scf;
    ngx_http_tailgate_connection_t  *tc;

    record = ctx->record;
    tc = record->connection;

    if (peer == NULL) {
        return ngx_http_tailgate_stranger(r, record, TG_STATUS_UNAVAILABLE,
                                          "no memory for an identity");
    }

    if (ctx->connection && peer != tc->peer
        && peer->status != TG_STATUS_UNAVAILABLE)
    {
        if (tc->peer) {
            ngx_http_tailgate_peer_release(tc->peer);
        }

        peer->kept = 1;
        tc->peer = ngx_http_tailgate_peer_hold(peer);
    }

    if (ctx->connection && peer->status == TG_STATUS_STRANGER) {

        scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

        if (scf->trusted_serve && tg_addr_is_loopback(&tc->source.local)) {
            return ngx_http_tailgate_serve(r, record, peer);
        }

        return ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER,
            "a connection from this machine itself that is nobody's; if "
            "tailscale serve is in front of nginx, see "
            "tailgate_trusted_serve");
    }

    ngx_http_tailgate_set_peer(r, record, ngx_http_tailgate_peer_hold(peer));

    return NGX_OK;
}


/* A peer without an identity, which lives as long as the request. */

static ngx_int_t
ngx_http_tailgate_stranger(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, tg_status_t status, const char *reason)
{
    ngx_http_tailgate_peer_t  *peer;

    /* the old one may be this */
    ngx_http_tailgate_set_peer(r, record, NULL);

    if (record->stranger == NULL) {
        record->stranger = ngx_palloc(r->pool,
                                      sizeof(ngx_http_tailgate_peer_t));
        if (record->stranger == NULL) {
            return NGX_ERROR;
        }
    }

    peer = record->stranger;

    ngx_memzero(peer, sizeof(ngx_http_tailgate_peer_t));

    peer->status = status;
    peer->reason.len = ngx_strlen(reason);
    peer->reason.data = (u_char *) reason;

    ngx_http_tailgate_set_peer(r, record, peer);

    return NGX_OK;
}


static void
ngx_http_tailgate_set_peer(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer)
{
    if (record->peer && record->peer != record->stranger) {
        ngx_http_tailgate_peer_release(record->peer);
    }

    record->peer = peer;
    record->identified = r->connection->sockaddr;

    /* it may be the old peer's */
    ngx_str_null(&record->error);
}


/*
 * The one exception to "never a header": tailscale serve in front of nginx, by
 * a connection from this machine that WhoIs does not know, on a listener that
 * nobody else can reach.
 */

static ngx_int_t
ngx_http_tailgate_serve(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer)
{
    int                        rc;
    tg_str_t                   login, name, picture;
    tg_alloc_t                 alloc;
    tg_error_t                 error;
    ngx_http_tailgate_peer_t  *served;

    if (record->funnel) {

        if (ngx_http_tailgate_stranger(r, record, TG_STATUS_FUNNEL,
                                       "a Funnel request: it came from the "
                                       "Internet")
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        record->stranger->identity.status = TG_STATUS_FUNNEL;
        record->stranger->identity.traits = TG_TRAIT_FUNNEL;

        return NGX_OK;
    }

    if (record->serve_bad) {
        return ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER,
            "identity headers of tailscale serve came twice or under another "
            "spelling");
    }

    if (record->serve_login.len == 0) {
        return ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER,
            "tailscale serve names nobody: a tagged node, or no serve at all");
    }

    if (ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER, "")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    served = record->stranger;

    login.data = (char *) record->serve_login.data;
    login.len = record->serve_login.len;
    name.data = (char *) record->serve_name.data;
    name.len = record->serve_name.len;
    picture.data = (char *) record->serve_picture.data;
    picture.len = record->serve_picture.len;

    alloc = ngx_http_tailgate_alloc(r->pool);
    ngx_memzero(&error, sizeof(tg_error_t));

    rc = tg_identity_from_serve(login, name, picture,
                                peer->self ? &peer->self->self : NULL,
                                &alloc, &served->identity, &error);

    if (rc == TG_ERR_NOMEM) {
        return NGX_ERROR;
    }

    if (rc != TG_OK) {
        return ngx_http_tailgate_stranger(r, record, TG_STATUS_STRANGER,
                                          tg_strerror(rc));
    }

    served->status = served->identity.status;
    served->self = peer->self;

    return NGX_OK;
}
