
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/whoami/whoami.h"
#include "authd/app/whoami/view.h"
#include "authd/exchange.h"
#include "authd/source.h"

#include <string.h>
#include <strings.h>


static bool is_question(const tgn_request_t *r);
static void handle_whoami(authd_t *authd, tgn_request_t *r);
static bool whoami_source(authd_exchange_t *ex, const char **what);
static void whoami_identified(authd_exchange_t *ex,
    const authd_identified_t *identified);
static void whoami_decide(authd_exchange_t *ex,
    const authd_identified_t *identified);
static bool wants_page(const tgn_request_t *r);


static const authd_route_t  whoami_routes[] = {
    { "/v1/whoami", handle_whoami }
};


const authd_route_t *
authd_whoami_routes(size_t *n)
{
    *n = sizeof(whoami_routes) / sizeof(whoami_routes[0]);

    return whoami_routes;
}


static void
handle_whoami(authd_t *authd, tgn_request_t *r)
{
    const char        *what;
    authd_exchange_t  *ex;

    ex = authd_exchange_begin(authd, r, AUTHD_ENDPOINT_WHOAMI);

    if (ex == NULL) {
        return;
    }

    ex->audit.method = r->method;
    ex->audit.path = r->path;

    if (!r->head
        && (r->method.len != 3 || memcmp(r->method.data, "GET", 3) != 0))
    {
        authd_exchange_header(ex, "Allow", (tg_str_t) TG_STR("GET, HEAD"));
        authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 405, NULL,
                              "the method is neither GET nor HEAD");
        return;
    }

    if (is_question(r)) {
        authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 400, NULL,
                              "this endpoint shows who somebody is, and lets"
                              " nobody pass: ask one below /v1/auth/");
        return;
    }

    if (!whoami_source(ex, &what)) {
        authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 400, NULL, what);
        return;
    }

    authd_exchange_identify(ex, whoami_identified);
}


/*
 * Whether a proxy asks about another request.  It would take a 200, which a
 * stranger gets as well, for an allow.
 */

static bool
is_question(const tgn_request_t *r)
{
    size_t    i;
    tg_str_t  value;

    static const char *const  names[] = {
        "X-Forwarded-Method", "X-Forwarded-Uri", "X-Original-Method",
        "X-Original-URI", "X-Original-URL", "Original-URI"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (tgn_request_header(r, names[i], 0, &value)) {
            return true;
        }
    }

    return false;
}


/*
 * "?source=forwarded" may come from a client whose path a proxy passes on as
 * it is; it does not help them, as such a proxy states a Remote-Addr, and both
 * together are refused.
 */

static bool
whoami_source(authd_exchange_t *ex, const char **what)
{
    authd_source_kind_t   kind;
    const tgn_request_t  *r;

    r = ex->r;
    kind = AUTHD_SOURCE_REMOTE;

    if (r->query.len == 16 && memcmp(r->query.data, "source=forwarded", 16)
                              == 0)
    {
        kind = AUTHD_SOURCE_FORWARDED;
    }

    return authd_source_read(r, kind, &ex->source, what) == TG_OK
           && authd_source_local(r, kind, &ex->local, &ex->has_local, what)
              == TG_OK;
}


static void
whoami_identified(authd_exchange_t *ex, const authd_identified_t *identified)
{
    bool             page;
    tg_str_t         body;
    authd_result_t   result;

    whoami_decide(ex, identified);

    if (ex->decision.verdict == TG_UNAVAILABLE) {
        authd_exchange_deny(ex, identified, true, 0);
        return;
    }

    page = wants_page(ex->r);

    body = page ? authd_whoami_page(ex, identified)
                : authd_whoami_json(ex, identified);

    if (body.len == 0) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, identified,
                              "out of memory");
        return;
    }

    authd_exchange_header(ex, "Content-Security-Policy",
                          authd_whoami_csp(ex));
    authd_exchange_header(ex, "X-Frame-Options", (tg_str_t) TG_STR("DENY"));
    authd_exchange_header(ex, "Referrer-Policy",
                          (tg_str_t) TG_STR("no-referrer"));
    authd_exchange_header(ex, "Cross-Origin-Resource-Policy",
                          (tg_str_t) TG_STR("same-origin"));
    authd_exchange_header(ex, "Vary", (tg_str_t) TG_STR("Accept"));

    result = ex->decision.verdict == TG_ALLOW ? AUTHD_RESULT_ALLOW
                                              : AUTHD_RESULT_DENY;

    authd_exchange_end(ex, result, 200, identified, NULL,
                       page ? "text/html; charset=utf-8" : "application/json",
                       body);
}


/*
 * A policy file judges a request for an app, and there is none here: what can
 * be told is whether the peer is one that it may let in at all.
 */

static void
whoami_decide(authd_exchange_t *ex, const authd_identified_t *identified)
{
    tg_gate_rules_t  open = {
        TG_TRAIT_MEMBER|TG_TRAIT_TAGGED|TG_TRAIT_SHARED|TG_TRAIT_ROUTED,
        NULL, 0
    };

    if (ex->authd->conf->rules == NULL) {
        authd_exchange_decide(ex, identified);
        return;
    }

    tg_policy_decide(NULL, NULL, &open, &identified->peer, &ex->request,
                     &ex->decision);

    if (ex->decision.verdict == TG_ALLOW) {
        ex->decision.text = "the policy file decides, for each request";
    }
}


/* A browser names text/html in Accept; what names nothing gets JSON. */

static bool
wants_page(const tgn_request_t *r)
{
    size_t    i, n;
    tg_str_t  accept;

    for (n = 0; tgn_request_header(r, "Accept", n, &accept); n++) {
        for (i = 0; i + 9 <= accept.len; i++) {
            if (strncasecmp(accept.data + i, "text/html", 9) == 0) {
                return true;
            }
        }
    }

    return false;
}
