
/*
 * Copyright (C) The Tailgate authors
 *
 * Requests that run for long: WebSockets, event streams, big downloads.  Each
 * worker looks at its own again and again, asks anew where the answer that let
 * one in may be out of date, decides anew, and closes what would not be let in
 * any more.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* Answers that a worker waits for, and in ms, until it asks for more. */

#define NGX_HTTP_TAILGATE_RECHECK_WAITING  64
#define NGX_HTTP_TAILGATE_RECHECK_PAUSE    10


static void ngx_http_tailgate_recheck_drop(ngx_http_tailgate_record_t *record)
    NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_recheck_handler(ngx_event_t *ev);
static void ngx_http_tailgate_recheck_one(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record);
static ngx_http_tailgate_peer_t *ngx_http_tailgate_recheck_peer(
    ngx_http_tailgate_record_t *record);
static ngx_uint_t ngx_http_tailgate_recheck_stands(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_record_t *record);
static void ngx_http_tailgate_recheck_ask(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record);
static ngx_int_t ngx_http_tailgate_recheck_lookup(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_record_t *record,
    const tg_question_t *question);
static ngx_int_t ngx_http_tailgate_recheck_wait_self(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_record_t *record);
static ngx_int_t ngx_http_tailgate_recheck_waiter(
    ngx_http_tailgate_record_t *record);
static void ngx_http_tailgate_recheck_wait(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record);
static void ngx_http_tailgate_recheck_resume_handler(ngx_event_t *ev);
static void ngx_http_tailgate_recheck_answer(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_record_t *record,
    ngx_http_tailgate_peer_t *peer);
static void ngx_http_tailgate_recheck_outage(
    ngx_http_tailgate_main_conf_t *mcf, ngx_http_tailgate_record_t *record);
static ngx_uint_t ngx_http_tailgate_recheck_same(
    const ngx_http_tailgate_peer_t *old, const ngx_http_tailgate_peer_t *new);
static void ngx_http_tailgate_recheck_judge(
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer);
static void ngx_http_tailgate_recheck_close(
    ngx_http_tailgate_record_t *record, const char *reason, tg_str_t rule);


static const tg_str_t  ngx_http_tailgate_no_rule = TG_NULL_STR;


void
ngx_http_tailgate_recheck_init(ngx_cycle_t *cycle,
    ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_http_tailgate_recheck_t  *recheck;

    recheck = &mcf->recheck;

    ngx_queue_init(&recheck->requests);

    recheck->timer.handler = ngx_http_tailgate_recheck_handler;
    recheck->timer.data = mcf;
    recheck->timer.log = cycle->log;
    recheck->timer.cancelable = 1;
}


void
ngx_http_tailgate_recheck_exit(ngx_http_tailgate_main_conf_t *mcf)
{
    if (mcf->recheck.timer.timer_set) {
        ngx_del_timer(&mcf->recheck.timer);
    }
}


/*
 * What Tailgate's own rules let in is looked at again, also where another
 * location has it next.
 */

void
ngx_http_tailgate_recheck_join(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_record_t     *record;
    ngx_http_tailgate_recheck_t    *recheck;
    ngx_http_tailgate_loc_conf_t   *lcf;
    ngx_http_tailgate_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (lcf->recheck == 0) {
        return;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    record = ctx->record;
    recheck = &mcf->recheck;

    ctx->lcf = lcf;
    ctx->next = record->passes;

    record->passes = ctx;

    if (record->running) {
        record->recheck = ngx_min(record->recheck, lcf->recheck);
        return;
    }

    record->running = r->main;
    record->recheck = lcf->recheck;
    record->checked = ngx_current_msec;
    record->confirmed = ngx_current_msec;

    ngx_queue_insert_tail(&recheck->requests, &record->queue);

    if (!recheck->timer.timer_set) {
        ngx_add_timer(&recheck->timer, recheck->tick);
    }
}


void
ngx_http_tailgate_recheck_leave(ngx_http_tailgate_record_t *record)
{
    if (record->running == NULL) {
        return;
    }

    ngx_queue_remove(&record->queue);

    if (record->waiter || record->known) {
        ngx_http_tailgate_recheck_drop(record);
    }

    record->running = NULL;
}


/* What was asked, or is being asked, since it was let in. */

static void
ngx_http_tailgate_recheck_drop(ngx_http_tailgate_record_t *record)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    if (record->waiting) {
        mcf = ngx_http_get_module_main_conf(record->running,
                                            ngx_http_tailgate_module);
        record->waiting = 0;
        mcf->recheck.waiting--;
    }

    if (record->waiter) {
        ngx_http_tailgate_waiter_cancel(record->waiter);
    }

    if (record->known) {
        ngx_http_tailgate_peer_release(record->known);
        record->known = NULL;
    }
}


/*
 * To close a request may end others, which then leave the queue: those that
 * are still to be looked at are in one of their own meanwhile.
 */

static void
ngx_http_tailgate_recheck_handler(ngx_event_t *ev)
{
    ngx_queue_t                    *q, rest;
    ngx_msec_t                      pause;
    ngx_uint_t                      old;
    ngx_http_tailgate_record_t     *record;
    ngx_http_tailgate_recheck_t    *recheck;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ev->data;
    recheck = &mcf->recheck;
    pause = recheck->tick;

    /* the rules of a worker that is shut down may not be those in force */

    old = ngx_exiting
          && ngx_http_tailgate_stats_digest(mcf->stats_zone) != mcf->digest;

    ngx_queue_init(&rest);
    ngx_queue_add(&rest, &recheck->requests);
    ngx_queue_init(&recheck->requests);

    while (!ngx_queue_empty(&rest)) {

        if (recheck->waiting >= NGX_HTTP_TAILGATE_RECHECK_WAITING && !old) {
            pause = ngx_min(pause, NGX_HTTP_TAILGATE_RECHECK_PAUSE);
            break;
        }

        q = ngx_queue_head(&rest);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&recheck->requests, q);

        record = ngx_queue_data(q, ngx_http_tailgate_record_t, queue);

        if (record->running->blocked) {
            /* a thread works for it */
            continue;
        }

        if (old) {
            ngx_http_tailgate_recheck_close(record,
                "this worker shuts down, and other rules are in force now",
                ngx_http_tailgate_no_rule);
            continue;
        }

        ngx_http_tailgate_recheck_one(mcf, record);
    }

    /* these come first the next time */

    if (!ngx_queue_empty(&rest)) {
        ngx_queue_add(&rest, &recheck->requests);
        ngx_queue_init(&recheck->requests);
        ngx_queue_add(&recheck->requests, &rest);
    }

    if (!ngx_queue_empty(&recheck->requests)) {
        ngx_add_timer(ev, pause);
    }
}


/* Whoever is known by nothing but a header cannot be asked about. */

static void
ngx_http_tailgate_recheck_one(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    ngx_msec_t  age;

    age = ngx_current_msec - record->checked;

    if (record->waiting || age + mcf->recheck.tick < record->recheck) {
        return;
    }

    record->checked = ngx_current_msec;

    if (record->peer != record->stranger
        && !ngx_http_tailgate_recheck_stands(mcf, record))
    {
        ngx_http_tailgate_recheck_ask(mcf, record);
        return;
    }

    record->confirmed = ngx_current_msec;

    ngx_http_tailgate_recheck_judge(record,
                                    ngx_http_tailgate_recheck_peer(record));
}


/* The newest answer about the client; realip may have found another since. */

static ngx_http_tailgate_peer_t *
ngx_http_tailgate_recheck_peer(ngx_http_tailgate_record_t *record)
{
    return record->known && record->known_for == record->peer
           ? record->known : record->peer;
}


/*
 * The event stream says what changed, and the ttl bounds what it does not
 * tell.  While it is lost, or there is none, the ttl alone says when to ask.
 */

static ngx_uint_t
ngx_http_tailgate_recheck_stands(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    ngx_http_tailgate_peer_t  *peer;

    peer = ngx_http_tailgate_recheck_peer(record);

    return !ngx_http_tailgate_expired(peer)
           && ngx_http_tailgate_peer_stands(mcf->node, peer) == NGX_OK;
}


static void
ngx_http_tailgate_recheck_ask(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    ngx_int_t      rc;
    tg_question_t  question;

    if (ngx_http_tailgate_recheck_waiter(record) != NGX_OK) {
        ngx_http_tailgate_recheck_outage(mcf, record);
        return;
    }

    ngx_http_tailgate_question(record->running, record->passes, &question);

    if (question.ask == TG_ASK_WHOIS) {
        record->self_asked = 0;
        rc = ngx_http_tailgate_recheck_lookup(mcf, record, &question);

    } else if (question.ask == TG_ASK_SELF && !record->self_asked) {
        rc = ngx_http_tailgate_recheck_wait_self(mcf, record);

    } else {
        rc = NGX_ERROR;

        if (question.ask != TG_ASK_SELF) {
            ngx_http_tailgate_recheck_close(record,
                                            tg_reason_text(question.reason),
                                            ngx_http_tailgate_no_rule);
            return;
        }
    }

    if (rc == NGX_ERROR) {
        record->self_asked = 0;
        ngx_http_tailgate_recheck_outage(mcf, record);
    }
}


/* NGX_OK: it was decided, or is waited for. */

static ngx_int_t
ngx_http_tailgate_recheck_lookup(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record, const tg_question_t *question)
{
    ngx_uint_t                  kept;
    ngx_atomic_uint_t           scope;
    ngx_http_request_t         *r;
    ngx_http_tailgate_key_t     key;
    ngx_http_tailgate_peer_t   *peer;
    ngx_http_tailgate_lease_t   lease;

    r = record->running;
    scope = 0;

    if (question->with_port) {
        scope = ngx_http_tailgate_is_connection(record, question)
                ? ngx_http_tailgate_real_connection(r)->number
                : r->connection->number;
    }

    kept = mcf->node->cache
           && ngx_http_tailgate_self(mcf->node, NGX_HTTP_TAILGATE_SELF_AGE)
           && ngx_http_tailgate_cache_key(question, &key) == NGX_OK;

    if (kept) {
        peer = ngx_http_tailgate_cache_find(mcf->node, &key, NULL,
                                            ngx_current_msec
                                            - mcf->recheck.tick, &lease);
        if (peer) {

            if (lease.ticket) {
                ngx_http_tailgate_lookup_refresh(mcf->node, question, &key,
                                                 &lease);
            }

            ngx_http_tailgate_recheck_answer(mcf, record, peer);
            ngx_http_tailgate_peer_release(peer);

            return NGX_OK;
        }
    }

    if (ngx_http_tailgate_lookup_wait(mcf->node, question, scope,
                                      kept ? &key : NULL,
                                      kept ? &lease : NULL, record->waiter)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_tailgate_recheck_wait(mcf, record);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_recheck_wait_self(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    if (ngx_http_tailgate_self_wait(mcf->node, record->waiter) != NGX_OK) {
        return NGX_ERROR;
    }

    record->self_asked = 1;
    ngx_http_tailgate_recheck_wait(mcf, record);

    return NGX_OK;
}


/* One for all times: a request may run for weeks. */

static ngx_int_t
ngx_http_tailgate_recheck_waiter(ngx_http_tailgate_record_t *record)
{
    if (record->waiter) {
        return NGX_OK;
    }

    record->waiter = ngx_pcalloc(record->running->pool,
                                 sizeof(ngx_http_tailgate_waiter_t));
    if (record->waiter == NULL) {
        return NGX_ERROR;
    }

    record->waiter->event.handler = ngx_http_tailgate_recheck_resume_handler;
    record->waiter->event.data = record;

    return NGX_OK;
}


static void
ngx_http_tailgate_recheck_wait(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    record->waiting = 1;
    mcf->recheck.waiting++;
}


static void
ngx_http_tailgate_recheck_resume_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_peer_t       *peer;
    ngx_http_tailgate_record_t     *record;
    ngx_http_tailgate_waiter_t     *waiter;
    ngx_http_tailgate_main_conf_t  *mcf;

    record = ev->data;
    waiter = record->waiter;

    mcf = ngx_http_get_module_main_conf(record->running,
                                        ngx_http_tailgate_module);
    record->waiting = 0;
    mcf->recheck.waiting--;

    if (record->running->blocked) {
        /* asked again by the next tick */
        record->self_asked = 0;
        record->checked = ngx_current_msec - record->recheck;
        ngx_http_tailgate_waiter_cancel(waiter);
        return;
    }

    if (record->self_asked) {

        if (!waiter->failed) {
            ngx_http_tailgate_recheck_ask(mcf, record);
            return;
        }

        record->self_asked = 0;
        ngx_http_tailgate_recheck_outage(mcf, record);
        return;
    }

    peer = waiter->peer;
    waiter->peer = NULL;

    ngx_http_tailgate_recheck_answer(mcf, record, peer);

    if (peer) {
        ngx_http_tailgate_peer_release(peer);
    }
}


static void
ngx_http_tailgate_recheck_answer(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record, ngx_http_tailgate_peer_t *peer)
{
    ngx_http_tailgate_peer_t  *old;

    if (peer == NULL || peer->status == TG_STATUS_UNAVAILABLE || peer->stale) {
        ngx_http_tailgate_recheck_outage(mcf, record);
        return;
    }

    old = ngx_http_tailgate_recheck_peer(record);

    if (!ngx_http_tailgate_recheck_same(old, peer)) {
        ngx_http_tailgate_recheck_close(record,
                                        "somebody else has its address now",
                                        ngx_http_tailgate_no_rule);
        return;
    }

    record->confirmed = ngx_current_msec;

    if (record->known) {
        ngx_http_tailgate_peer_release(record->known);
    }

    record->known = ngx_http_tailgate_peer_hold(peer);
    record->known_for = record->peer;

    ngx_http_tailgate_recheck_judge(record, peer);
}


/*
 * Nobody is cut off while tailscaled restarts; but what it does not confirm
 * for as long as an answer may be kept is over.
 */

static void
ngx_http_tailgate_recheck_outage(ngx_http_tailgate_main_conf_t *mcf,
    ngx_http_tailgate_record_t *record)
{
    ngx_msec_t                 bound;
    ngx_http_tailgate_peer_t  *peer;

    peer = ngx_http_tailgate_recheck_peer(record);

    if (ngx_http_tailgate_expired(peer)) {
        ngx_http_tailgate_recheck_close(record, "its key has expired",
                                        ngx_http_tailgate_no_rule);
        return;
    }

    bound = ngx_max(mcf->cache_ttl, record->recheck) + mcf->cache_stale;

    if ((ngx_msec_t) (ngx_current_msec - record->confirmed) >= bound) {
        ngx_http_tailgate_recheck_close(record,
                                        "tailscaled has not told for too long "
                                        "who it is",
                                        ngx_http_tailgate_no_rule);
        return;
    }

    ngx_http_tailgate_recheck_judge(record, peer);
}


/*
 * A person may change machines.  Who was nobody may become somebody: no app
 * was told of anybody then.
 */

static ngx_uint_t
ngx_http_tailgate_recheck_same(const ngx_http_tailgate_peer_t *old,
    const ngx_http_tailgate_peer_t *new)
{
    const tg_str_t  *a, *b;

    if (!ngx_http_tailgate_has_identity(old)
        || !ngx_http_tailgate_has_identity(new))
    {
        return 1;
    }

    a = &old->identity.login;
    b = &new->identity.login;

    if (a->len == 0 && b->len == 0) {
        a = &old->identity.node_id;
        b = &new->identity.node_id;
    }

    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


/* By each location that has let it in. */

static void
ngx_http_tailgate_recheck_judge(ngx_http_tailgate_record_t *record,
    ngx_http_tailgate_peer_t *peer)
{
    tg_peer_t                  who;
    tg_request_t               request;
    tg_decision_t              decision;
    ngx_http_tailgate_ctx_t   *ctx;

    if (ngx_http_tailgate_has_identity(record->peer)
        && !ngx_http_tailgate_has_identity(peer))
    {
        ngx_http_tailgate_recheck_close(record, "it is nobody's any more",
                                        ngx_http_tailgate_no_rule);
        return;
    }

    ngx_http_tailgate_peer_who(peer, &who);

    for (ctx = record->passes; ctx; ctx = ctx->next) {

        ngx_http_tailgate_request(ctx, &request);

        tg_policy_decide(ctx->lcf->policy ? ctx->lcf->policy->policy : NULL,
                         ctx->lcf->rules, &ctx->lcf->gate, &who, &request,
                         &decision);

        if (decision.verdict != TG_ALLOW) {
            ngx_http_tailgate_recheck_close(record, decision.text,
                                            decision.rule);
            return;
        }
    }
}


/* On HTTP/2 this ends the stream alone. */

static void
ngx_http_tailgate_recheck_close(ngx_http_tailgate_record_t *record,
    const char *reason, tg_str_t rule)
{
    tg_str_t                   who;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_tailgate_peer_t  *peer;

    static const tg_str_t  nobody = TG_STR("-");

    r = record->running;
    c = r->connection;
    peer = record->peer;

    who = nobody;

    if (ngx_http_tailgate_has_identity(peer)) {
        who = peer->identity.login.len ? peer->identity.login
                                       : peer->identity.node;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_error(NGX_LOG_ERR, c->log, 0,
                  "tailgate: closed, %s \"%*s\" has lost its right: %s%s%*s%s",
                  tg_status_name(peer->status), who.len, who.data, reason,
                  rule.len ? ", rule \"" : "", rule.len,
                  rule.len ? rule.data : "", rule.len ? "\"" : "");

    /* who else may yet end it finds it gone */
    ngx_http_tailgate_recheck_leave(record);

#if (NGX_HTTP_V2)

    if (r->stream) {
        /* RST_STREAM would wait for what other streams have to say */
        ngx_post_event(r->stream->connection->connection->write,
                       &ngx_posted_events);
    }

#endif

    /*
     * as ngx_http_request_handler() does for a connection that is closed: the
     * cleanup of an upstream lets go of the request, and must not free it
     */

    r->count++;

    ngx_http_finalize_request(r, NGX_HTTP_CLOSE);
    ngx_http_run_posted_requests(c);
}
