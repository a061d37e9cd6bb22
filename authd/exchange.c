
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/exchange.h"
#include "authd/decide.h"
#include "authd/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>


#define TEXT_MAX     1024
#define RETRY_AFTER  "5"           /* seconds, in answers of an outage */

/* what of authd_seen_first() */

#define SEEN_BAD_GRANT  1


static void exchange_id(authd_t *authd, char id[AUTHD_ID_MAX]);
static void exchange_via(authd_exchange_t *ex);
static bool exchange_override(const authd_exchange_t *ex);
static void exchange_grants(authd_exchange_t *ex);
static bool exchange_unlisted(authd_exchange_t *ex);
static void exchange_done(const authd_identified_t *identified, void *data);
static void exchange_abort(void *data);
static void exchange_audit(authd_exchange_t *ex, authd_result_t result,
    int code, const authd_identified_t *identified, const char *reason);
static void exchange_audit_write(authd_t *authd, const authd_audit_t *audit);
static void exchange_free(authd_exchange_t *ex);
static bool same_host(tg_str_t a, tg_str_t b);
static void answer_common(tgn_request_t *r, const char *type);
static uint64_t now_ns(void);


authd_exchange_t *
authd_exchange_begin(authd_t *authd, tgn_request_t *r,
    authd_endpoint_t endpoint)
{
    tg_arena_t        *arena;
    authd_exchange_t  *ex;

    arena = tg_arena_new(AUTHD_EXCHANGE_ARENA_MAX);
    ex = arena ? tg_arena_alloc(arena, sizeof(authd_exchange_t)) : NULL;

    if (ex == NULL) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "out of memory");
        tg_arena_free(&arena);
        authd_answer_text(r, 503, "out of memory");
        return NULL;
    }

    ex->authd = authd;
    ex->r = r;
    ex->arena = arena;
    ex->alloc = tg_arena_allocator(arena);
    ex->start = now_ns();

    exchange_id(authd, ex->id);

    ex->audit.id = ex->id;
    ex->audit.endpoint = endpoint;
    ex->peer = *r->peer;
    ex->audit.sender = &ex->peer;

    if (exchange_unlisted(ex)) {
        return NULL;
    }

    return ex;
}


void
authd_exchange_identify(authd_exchange_t *ex, authd_exchange_pt cb)
{
    authd_lookup_t  *lookup;

    ex->audit.source = &ex->source;
    ex->audit.local = ex->has_local ? &ex->local : NULL;
    ex->identified = cb;

    tgn_request_on_abort(ex->r, exchange_abort, ex);

    lookup = authd_identify(ex->authd->identify, &ex->source,
                            ex->has_local ? &ex->local : NULL, exchange_done,
                            ex);

    /* ex is gone if the lookup is */

    if (lookup != NULL) {
        ex->lookup = lookup;
    }
}


bool
authd_exchange_request(authd_exchange_t *ex, tg_str_t method, tg_str_t host,
    tg_str_t path)
{
    int            rc;
    tg_request_t  *request;

    request = &ex->request;

    request->method = method;
    request->host = host;
    request->raw_path = path;

    rc = tg_path_normalize(path, &ex->alloc, &request->path);

    if (rc == TG_ERR_NOMEM) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, NULL,
                              "out of memory");
        return false;
    }

    /* a policy file refuses a path that is none */

    if (rc != TG_OK) {
        request->path = (tg_str_t) TG_NULL_STR;
    }

    return true;
}


void
authd_exchange_decide(authd_exchange_t *ex,
    const authd_identified_t *identified)
{
    exchange_via(ex);

    ex->request.method_override = exchange_override(ex);
    ex->request.now = (int64_t) time(NULL);

    authd_decide(ex->authd->conf, &identified->peer, &ex->request,
                 &ex->decision);

    ex->audit.decision = &ex->decision;
    ex->audit.policy = authd_decide_digest(ex->authd->conf);

    exchange_grants(ex);
}


void
authd_exchange_header(authd_exchange_t *ex, const char *name, tg_str_t value)
{
    (void) tgn_response_header(ex->r, name, value);
}


void
authd_exchange_end(authd_exchange_t *ex, authd_result_t result, int code,
    const authd_identified_t *identified, const char *reason,
    const char *type, tg_str_t body)
{
    answer_common(ex->r, body.len ? type : NULL);
    authd_exchange_finish(ex, result, code, identified, reason, body);
}


void
authd_exchange_finish(authd_exchange_t *ex, authd_result_t result, int code,
    const authd_identified_t *identified, const char *reason, tg_str_t body)
{
    tgn_request_t  *r;

    r = ex->r;

    tgn_request_on_abort(r, NULL, NULL);

    /* the strings of the audit line are those of the request */

    exchange_audit(ex, result, code, identified, reason);

    tgn_response_send(r, code, body);

    exchange_free(ex);
}


void
authd_exchange_refuse(authd_exchange_t *ex, authd_result_t result, int code,
    const authd_identified_t *identified, const char *reason)
{
    int       n;
    char      text[TEXT_MAX];
    tg_str_t  body;

    n = snprintf(text, sizeof(text), "%d %s: %s\nrequest %s\n", code,
                 tgn_status_text(code), reason, ex->id);

    body.data = text;
    body.len = n < TEXT_MAX ? (size_t) n : TEXT_MAX - 1;

    if (code == 503) {
        authd_exchange_header(ex, "Retry-After",
                              (tg_str_t) TG_STR(RETRY_AFTER));
    }

    authd_exchange_end(ex, result, code, identified, reason, "text/plain",
                       body);
}


void
authd_exchange_malformed(authd_t *authd, const tgn_peer_t *peer, int status,
    const char *reason)
{
    char           id[AUTHD_ID_MAX];
    authd_audit_t  audit;

    authd->metrics.malformed++;

    exchange_id(authd, id);
    memset(&audit, 0, sizeof(audit));

    audit.id = id;
    audit.endpoint = AUTHD_ENDPOINT_MAX;
    audit.result = AUTHD_RESULT_BAD_REQUEST;
    audit.code = status;
    audit.why = reason;
    audit.sender = peer;

    exchange_audit_write(authd, &audit);
}


bool
authd_host_allowed(const authd_t *authd, const tgn_request_t *r)
{
    char                   own[TG_ADDR_TEXT_MAX];
    size_t                 i;
    tg_str_t               host;
    const authd_config_t  *conf;

    if (r->peer->addr.family == TG_ADDR_UNIX) {
        return true;
    }

    conf = authd->conf;

    if (conf->tcp_hosts.n == 0) {
        host.len = tg_addr_format(&r->peer->local, true, own);
        host.data = own;

        return same_host(host, r->host);
    }

    for (i = 0; i < conf->tcp_hosts.n; i++) {
        if (same_host(conf->tcp_hosts.items[i], r->host)) {
            return true;
        }
    }

    return false;
}


bool
authd_is_forwarded(const tgn_request_t *r)
{
    size_t    i;
    tg_str_t  value;

    static const char *const  names[] = {
        "X-Forwarded-For", "X-Real-IP", "Remote-Addr", "Forwarded", "Via"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (tgn_request_header(r, names[i], 0, &value)) {
            return true;
        }
    }

    return false;
}


bool
authd_admin_allowed(const authd_t *authd, tgn_request_t *r)
{
    if (!authd_host_allowed(authd, r)) {
        authd_answer_text(r, 421, "the Host is not one of listen.hosts");
        return false;
    }

    /* a proxy that passes its clients on to here does so by mistake */

    if (!authd_sender_listed(&authd->conf->senders, r->peer)
        || authd_is_forwarded(r))
    {
        authd_answer_text(r, 403, "this is for the senders of listen.senders,"
                          " not for their clients");
        return false;
    }

    return true;
}


void
authd_answer_text(tgn_request_t *r, int code, const char *text)
{
    int       n;
    char      buf[TEXT_MAX];
    tg_str_t  body;

    n = snprintf(buf, sizeof(buf), "%d %s: %s\n", code, tgn_status_text(code),
                 text);

    body.data = buf;
    body.len = n < TEXT_MAX ? (size_t) n : TEXT_MAX - 1;

    answer_common(r, "text/plain");
    tgn_response_send(r, code, body);
}


static void
exchange_id(authd_t *authd, char id[AUTHD_ID_MAX])
{
    (void) snprintf(id, AUTHD_ID_MAX, "%016" PRIx64,
                    authd->id_base + authd->id_next++);
}


/* Which of the node's Services the request came to, if that is stated. */

static void
exchange_via(authd_exchange_t *ex)
{
    size_t                 i;
    const authd_config_t  *conf;

    conf = ex->authd->conf;

    ex->request.via = TG_VIA_DIRECT;

    for (i = 0; ex->has_local && i < conf->nservices; i++) {
        if (tg_addr_equal(&conf->services[i].addr, &ex->local)) {
            ex->request.via = TG_VIA_SERVICE;
            ex->request.service = conf->services[i].name;
        }
    }
}


/* Of proxies that pass the client's headers on. */

static bool
exchange_override(const authd_exchange_t *ex)
{
    size_t               i;
    const tgn_header_t  *header;

    for (i = 0; i < ex->r->nheaders; i++) {
        header = &ex->r->headers[i];

        if (header->value.len != 0
            && tg_is_method_override(header->name.data, header->name.len))
        {
            return true;
        }
    }

    return false;
}


/* Grants that cannot be read allow nothing, and somebody wrote them. */

static void
exchange_grants(authd_exchange_t *ex)
{
    char  source[TG_ADDR_TEXT_MAX];

    if (ex->decision.bad_grants == 0) {
        return;
    }

    ex->authd->metrics.bad_grants += ex->decision.bad_grants;

    if (authd_seen_first(&ex->authd->seen, &ex->source, SEEN_BAD_GRANT)) {
        (void) tg_addr_format(&ex->source, false, source);

        authd_log(&ex->authd->log, AUTHD_LOG_WARN, "request %s: %zu of the"
                  " grants of %s cannot be read, and allow nothing", ex->id,
                  ex->decision.bad_grants, source);
    }
}


/* Whether ex was refused, and is gone, as nobody of the lists has sent it. */

static bool
exchange_unlisted(authd_exchange_t *ex)
{
    if (!authd_host_allowed(ex->authd, ex->r)) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNLISTED, 421, NULL,
                              "the Host is not one of listen.hosts");
        return true;
    }

    if (!authd_sender_listed(&ex->authd->conf->senders, &ex->peer)) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNLISTED, 403, NULL,
                              "the sender is not one of listen.senders");
        return true;
    }

    return false;
}


static void
exchange_done(const authd_identified_t *identified, void *data)
{
    authd_exchange_t  *ex;

    ex = data;
    ex->lookup = NULL;

    /* a configuration that came in the meantime decides all of it */

    if (exchange_unlisted(ex)) {
        return;
    }

    ex->identified(ex, identified);
}


/* The proxy has gone: the request, and every string of it, is no more. */

static void
exchange_abort(void *data)
{
    authd_exchange_t  *ex;

    ex = data;

    authd_lookup_cancel(&ex->lookup);

    ex->audit.method = (tg_str_t) TG_NULL_STR;
    ex->audit.host = (tg_str_t) TG_NULL_STR;
    ex->audit.path = (tg_str_t) TG_NULL_STR;

    exchange_audit(ex, AUTHD_RESULT_ABORTED, 499, NULL,
                   "the proxy closed its connection");
    exchange_free(ex);
}


static void
exchange_audit(authd_exchange_t *ex, authd_result_t result, int code,
    const authd_identified_t *identified, const char *reason)
{
    ex->audit.result = result;
    ex->audit.code = code;
    ex->audit.why = reason;
    ex->audit.usec = (now_ns() - ex->start) / 1000;

    if (identified != NULL) {
        ex->audit.status = identified->peer.status;
        ex->audit.identity = identified->peer.identity;
        ex->audit.detail = identified->detail;
        ex->audit.answer = identified->answer;
    }

    authd_metrics_route(&ex->authd->metrics,
                        ex->audit.decision != NULL
                            ? ex->decision.route_index : SIZE_MAX,
                        result);

    if (ex->audit.decision != NULL && reason == NULL) {
        ex->audit.why = ex->decision.text;
    }

    authd_metrics_count(&ex->authd->metrics, ex->audit.endpoint, result,
                        ex->audit.usec);
    exchange_audit_write(ex->authd, &ex->audit);
}


/* One line about an audit that is not written, not one a decision. */

static void
exchange_audit_write(authd_t *authd, const authd_audit_t *audit)
{
    if (authd_audit(&authd->audit, audit)) {
        authd->audit_fault = false;
        return;
    }

    authd->metrics.audit_failed++;

    if (!authd->audit_fault) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "decisions are not audited:"
                  " %s: %s", authd->conf->audit, strerror(errno));
    }

    authd->audit_fault = true;
}


static void
exchange_free(authd_exchange_t *ex)
{
    tg_arena_t  *arena;

    /* ex lives in it */

    arena = ex->arena;
    tg_arena_free(&arena);
}


static bool
same_host(tg_str_t a, tg_str_t b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}


static void
answer_common(tgn_request_t *r, const char *type)
{
    (void) tgn_response_header(r, "Cache-Control",
                               (tg_str_t) TG_STR("no-store"));

    if (type != NULL) {
        (void) tgn_response_header(r, "Content-Type",
                                   (tg_str_t) { type, strlen(type) });
        (void) tgn_response_header(r, "X-Content-Type-Options",
                                   (tg_str_t) TG_STR("nosniff"));
    }
}


static uint64_t
now_ns(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
