
/*
 * Copyright (C) The Tailgate authors
 *
 * The question to tailscaled, and what its answers mean.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_question.h"


static void ngx_http_tailgate_lookup_oom_handler(ngx_event_t *ev);
static void ngx_http_tailgate_lookup_answered(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_lookup_itself(
    ngx_http_tailgate_lookup_t *lookup);
static void ngx_http_tailgate_lookup_self_handler(ngx_event_t *ev);
static void ngx_http_tailgate_lookup_judge(ngx_http_tailgate_lookup_t *lookup);
static void ngx_http_tailgate_lookup_unavailable(
    ngx_http_tailgate_lookup_t *lookup, ngx_str_t *reason);


void
ngx_http_tailgate_lookup_ask(ngx_http_tailgate_lookup_t *lookup,
    ngx_str_t *target)
{
    ngx_http_tailgate_call_t  *call;

    call = &lookup->call;

    if (lookup->stage != NGX_HTTP_TAILGATE_ASK_ITSELF) {
        lookup->asked = ngx_current_msec;
        lookup->epoch = ngx_http_tailgate_cache_epoch(lookup->owner->cache);
    }

    ngx_memzero(call, sizeof(ngx_http_tailgate_call_t));

    call->localapi = &lookup->owner->localapi;
    call->pool = lookup->pool;
    call->handler = ngx_http_tailgate_lookup_answered;
    call->data = lookup;

    if (ngx_http_tailgate_localapi_ask(call, target) == NGX_OK) {
        ngx_http_tailgate_count(call->localapi->stats, TG_COUNT_LOOKUPS);
        return;
    }

    /* a waiter must not be answered before it waits */

    ngx_str_set(&call->error, "no memory");

    lookup->self.event.handler = ngx_http_tailgate_lookup_oom_handler;
    lookup->self.event.data = lookup;
    lookup->self.event.log = ngx_cycle->log;

    ngx_post_event(&lookup->self.event, &ngx_posted_events);
}


static void
ngx_http_tailgate_lookup_oom_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_lookup_judge(ev->data);
}


/*
 * A 404 means a stranger only from a tailscaled that has the map of its peers:
 * after a restart it is what it answers for everybody.  "Running" is not
 * enough: the state may have become so after the 404, and a tailscaled that
 * starts from a map on disk that holds no peers says so at once (seen in
 * 1.102.5); but then it does not know itself either.  So after a 404 come the
 * state, a question about the node itself, and the first question again.
 */

static void
ngx_http_tailgate_lookup_answered(ngx_http_tailgate_call_t *call)
{
    ngx_http_tailgate_lookup_t  *lookup;

    static ngx_str_t  no_peers =
        ngx_string("it is running, but has no map of its peers yet");

    lookup = call->data;
    lookup->answered = 1;

    if (call->code == 200 && lookup->stage != NGX_HTTP_TAILGATE_ASK_ITSELF
        && !lookup->state->self.running && !lookup->refreshed)
    {
        /* a node that comes up had not told which tailnet is its own */

        lookup->refreshed = 1;

        if (ngx_http_tailgate_lookup_self_wait(lookup) == NGX_OK) {
            return;
        }
    }

    switch (lookup->stage) {

    case NGX_HTTP_TAILGATE_ASK_FIRST:

        if (call->code == 404
            && ngx_http_tailgate_lookup_self_wait(lookup) == NGX_OK)
        {
            return;
        }

        break;

    case NGX_HTTP_TAILGATE_ASK_ITSELF:

        if (call->code == 0) {
            break;
        }

        if (call->code != 200) {
            ngx_http_tailgate_stats_error(call->localapi->stats,
                                          TG_COUNT_ERROR_STATUS, &no_peers);
            ngx_http_tailgate_lookup_unavailable(lookup, &no_peers);
            return;
        }

        lookup->stage = NGX_HTTP_TAILGATE_ASK_AGAIN;
        ngx_http_tailgate_lookup_ask(lookup, &lookup->target);
        return;

    default: /* NGX_HTTP_TAILGATE_ASK_AGAIN */
        break;
    }

    ngx_http_tailgate_lookup_judge(lookup);
}


ngx_int_t
ngx_http_tailgate_lookup_self_wait(ngx_http_tailgate_lookup_t *lookup)
{
    lookup->self.event.handler = ngx_http_tailgate_lookup_self_handler;
    lookup->self.event.data = lookup;

    return ngx_http_tailgate_self_wait(lookup->owner, &lookup->self);
}


void
ngx_http_tailgate_lookup_hold(ngx_http_tailgate_lookup_t *lookup)
{
    if (lookup->state) {
        ngx_http_tailgate_self_release(lookup->state);
    }

    lookup->state = ngx_http_tailgate_self_hold(lookup->owner->self);
}


static void
ngx_http_tailgate_lookup_self_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_lookup_t  *lookup;

    lookup = ev->data;

    if (lookup->self.failed) {
        ngx_http_tailgate_lookup_unavailable(lookup,
                                 ngx_http_tailgate_self_error(lookup->owner));
        return;
    }

    ngx_http_tailgate_lookup_hold(lookup);

    if (!lookup->answered) {
        ngx_http_tailgate_lookup_ask(lookup, &lookup->target);
        return;
    }

    if (lookup->call.code == 404 && lookup->state->self.running) {
        ngx_http_tailgate_lookup_itself(lookup);
        return;
    }

    ngx_http_tailgate_lookup_judge(lookup);
}


static void
ngx_http_tailgate_lookup_itself(ngx_http_tailgate_lookup_t *lookup)
{
    char              buf[TG_LOCALAPI_TARGET_MAX];
    tg_self_t        *self;
    ngx_str_t         target;

    static const tg_str_t  none = TG_NULL_STR;

    self = &lookup->state->self;

    if (self->naddrs == 0
        || tg_whois_target(&self->addrs[0], 0, none, NULL, buf, &target.len)
           != TG_OK)
    {
        ngx_http_tailgate_lookup_judge(lookup);
        return;
    }

    target.data = (u_char *) buf;

    lookup->stage = NGX_HTTP_TAILGATE_ASK_ITSELF;
    ngx_http_tailgate_lookup_ask(lookup, &target);
}


static void
ngx_http_tailgate_lookup_judge(ngx_http_tailgate_lookup_t *lookup)
{
    size_t                     len;
    tg_alloc_t                 alloc;
    tg_error_t                 error;
    ngx_http_tailgate_call_t  *call;
    ngx_http_tailgate_self_t  *self;
    ngx_http_tailgate_peer_t  *peer;

    static ngx_str_t  no_tailnet =
        ngx_string("it is not running, and knows no tailnet of its own");

    call = &lookup->call;

    if (call->code == 0) {
        ngx_http_tailgate_lookup_unavailable(lookup, &call->error);
        return;
    }

    self = lookup->state;

    if (call->code == 200 && !self->self.running
        && self->self.tailnet.len == 0)
    {
        ngx_http_tailgate_lookup_unavailable(lookup, &no_tailnet);
        return;
    }

    peer = ngx_pcalloc(lookup->pool, sizeof(ngx_http_tailgate_peer_t));
    if (peer == NULL) {
        ngx_http_tailgate_lookup_done(lookup, NULL);
        return;
    }

    peer->pool = lookup->pool;
    peer->asked = lookup->asked;
    peer->epoch = lookup->epoch;

    alloc = ngx_http_tailgate_alloc(lookup->pool);
    ngx_memzero(&error, sizeof(tg_error_t));

    peer->status = tg_whois_status((int) call->code, (char *) call->body.data,
                                   call->body.len, &self->self, ngx_time(),
                                   &alloc, &peer->identity, &error);

    if (call->body.data) {
        (void) ngx_pfree(lookup->pool, call->body.data);
    }

    if (lookup->owner->caps && peer->status >= TG_STATUS_MEMBER
        && peer->status <= TG_STATUS_UNSIGNED
        && ngx_http_tailgate_peer_caps(peer) != NGX_OK)
    {
        ngx_http_tailgate_lookup_done(lookup, NULL);
        return;
    }

    peer->self = ngx_http_tailgate_self_hold(self);

    len = ngx_strlen(error.text);

    if (len) {
        peer->reason.data = ngx_pnalloc(lookup->pool, len);

        if (peer->reason.data) {
            ngx_memcpy(peer->reason.data, error.text, len);
            peer->reason.len = len;
        }
    }

    if (peer->status == TG_STATUS_UNAVAILABLE) {
        ngx_http_tailgate_stats_error(call->localapi->stats,
                                      call->code == 200
                                          ? TG_COUNT_ERROR_MALFORMED
                                          : TG_COUNT_ERROR_STATUS,
                                      &peer->reason);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "tailgate: %V does not identify \"%V\": %V",
                      &call->localapi->name, &lookup->target, &peer->reason);
    }

    ngx_http_tailgate_lookup_done(lookup, peer);
}


/* Parsed once, and not by each decision; what cannot be read is none. */

ngx_int_t
ngx_http_tailgate_peer_caps(ngx_http_tailgate_peer_t *peer)
{
    int         rc;
    tg_alloc_t  alloc;

    alloc = ngx_http_tailgate_alloc(peer->pool);

    rc = tg_caps_parse(peer->identity.caps, &alloc, &peer->caps);

    if (rc == TG_ERR_NOMEM) {
        return NGX_ERROR;
    }

    if (rc != TG_OK) {
        peer->caps = NULL;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "tailgate: capabilities of \"%*s\" cannot be read, none "
                      "is believed: %s", peer->identity.node.len,
                      peer->identity.node.data, tg_strerror(rc));
    }

    return NGX_OK;
}


static void
ngx_http_tailgate_lookup_unavailable(ngx_http_tailgate_lookup_t *lookup,
    ngx_str_t *reason)
{
    ngx_http_tailgate_peer_t  *peer;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "tailgate: %V does not identify \"%V\": %V",
                  &lookup->owner->localapi.name, &lookup->target, reason);

    peer = ngx_pcalloc(lookup->pool, sizeof(ngx_http_tailgate_peer_t));

    if (peer) {
        peer->pool = lookup->pool;
        peer->status = TG_STATUS_UNAVAILABLE;
        peer->reason.data = ngx_pstrdup(lookup->pool, reason);

        if (peer->reason.data) {
            peer->reason.len = reason->len;
        }
    }

    ngx_http_tailgate_lookup_done(lookup, peer);
}
