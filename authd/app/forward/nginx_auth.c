
/*
 * Copyright (C) The Tailgate authors
 *
 * What tailscale's nginx-auth answers, so that a configuration written for it
 * works with another socket path alone.  Its contract is its README and what
 * it was seen to do: Remote-Addr, Remote-Port and Expected-Tailnet in; 204 and
 * five headers out, else 400 (a header is missing), 401 (no such peer) or 403
 * (a tagged peer, another tailnet).
 *
 * What differs, on purpose: an outage is 503 and not 401; a tailnet is compared
 * and sent without its last dot; what Tailgate's rules close is 403, and what
 * they open passes; a sender has to be listed.
 *
 * A policy file judges the method, and nginx-auth is not told of it: a location
 * that was written for nginx-auth would pass on whatever X-Original-Method its
 * client sends.  So a file denies here, unless the argument "request=original"
 * says that the location sets X-Original-Method, X-Original-Host and
 * X-Original-URI.
 */

#include "authd/app/forward/forward.h"
#include "authd/decide.h"

#include <string.h>
#include <strings.h>


static const char *expected_read(authd_exchange_t *ex, tg_str_t *expected);
static const char *statement_read(authd_exchange_t *ex);
static bool expected_match(tg_str_t expected, tg_str_t tailnet);
static void nginx_auth_audit(authd_exchange_t *ex);
static void nginx_auth_identified(authd_exchange_t *ex,
    const authd_identified_t *identified);


typedef struct {
    tg_str_t           expected;   /* empty: any */
    bool               stated;     /* the original request is */
    authd_statement_t  statement;  /* else for the audit line alone */
} nginx_auth_t;

#define ARGUMENT  "request=original"


void
authd_nginx_auth(authd_t *authd, tgn_request_t *r)
{
    int                rc;
    const char        *error;
    nginx_auth_t      *na;
    authd_exchange_t  *ex;

    ex = authd_exchange_begin(authd, r, AUTHD_ENDPOINT_AUTH);

    if (ex == NULL) {
        return;
    }

    na = ex->alloc.alloc(ex->alloc.ctx, sizeof(nginx_auth_t));

    if (na == NULL) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, NULL,
                              "out of memory");
        return;
    }

    memset(na, 0, sizeof(nginx_auth_t));

    ex->data = na;

    na->stated = r->query.len == sizeof(ARGUMENT) - 1
                 && memcmp(r->query.data, ARGUMENT, r->query.len) == 0;

    if (na->stated) {
        error = statement_read(ex);

        if (error != NULL) {
            authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 400, NULL,
                                  error);
            return;
        }

    } else {
        nginx_auth_audit(ex);
    }

    rc = authd_source_read(r, AUTHD_SOURCE_REMOTE, &ex->source, &error);

    if (rc == TG_OK) {
        rc = authd_source_local(r, AUTHD_SOURCE_REMOTE, &ex->local,
                                &ex->has_local, &error);
    }

    if (rc == TG_OK) {
        error = expected_read(ex, &na->expected);
        rc = error ? TG_ERR_REFUSED : TG_OK;
    }

    if (rc != TG_OK) {
        authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST,
                              rc == TG_ERR_SYNTAX ? 401 : 400, NULL, error);
        return;
    }

    if (authd_exchange_request(ex, na->statement.method, na->statement.host,
                               na->statement.path))
    {
        authd_exchange_identify(ex, nginx_auth_identified);
    }
}


static const char *
statement_read(authd_exchange_t *ex)
{
    const char         *error;
    tg_str_t            arguments;
    authd_statement_t  *st;

    st = &((nginx_auth_t *) ex->data)->statement;

    error = authd_dialect_nginx.read(ex, st, &arguments);

    ex->audit.method = st->method;
    ex->audit.host = st->host;
    ex->audit.path = st->path;

    return error;
}


static const char *
expected_read(authd_exchange_t *ex, tg_str_t *expected)
{
    int  rc;

    rc = authd_header_one(ex->r, "Expected-Tailnet", expected);

    if (rc == TG_ERR_ABSENT) {
        *expected = (tg_str_t) TG_NULL_STR;
        return NULL;
    }

    return rc == TG_OK ? NULL : "Expected-Tailnet comes twice";
}


/* What the audit line can say of the original request; nothing rests on it. */

static void
nginx_auth_audit(authd_exchange_t *ex)
{
    tg_str_t       uri;
    nginx_auth_t  *na;

    na = ex->data;

    if (authd_header_one(ex->r, "Original-URI", &uri) == TG_OK
        && authd_statement_uri(&na->statement, uri) == NULL)
    {
        ex->audit.path = na->statement.path;
    }

    if (authd_statement_host(&na->statement, ex->r->host) == NULL) {
        ex->audit.host = na->statement.host;
    }
}


static void
nginx_auth_identified(authd_exchange_t *ex,
    const authd_identified_t *identified)
{
    tg_str_t              tailnet;
    nginx_auth_t         *na;
    const tg_identity_t  *identity;

    na = ex->data;
    identity = identified->peer.identity;

    authd_exchange_decide(ex, identified);

    if (ex->authd->conf->rules != NULL && !na->stated
        && ex->decision.verdict != TG_UNAVAILABLE)
    {
        authd_decide_deny(&ex->decision, "the policy file has rules about"
                          " methods, hosts and paths, which this endpoint is"
                          " not told: let the location set X-Original-Method,"
                          " X-Original-Host and X-Original-URI, and ask for"
                          " /auth?request=original or /v1/auth/nginx");
    }

    if (ex->decision.verdict != TG_ALLOW) {
        authd_exchange_deny(ex, identified, false,
                            ex->decision.verdict == TG_DENY
                            && identified->peer.status == TG_STATUS_STRANGER
                                ? 401 : 0);
        return;
    }

    /* a node that is shared in has no tailnet here, as with the original */

    tailnet = identity->tailnet;

    if (identity->traits & TG_TRAIT_SHARED) {
        tailnet = (tg_str_t) TG_NULL_STR;
    }

    if (na->expected.len != 0 && !expected_match(na->expected, tailnet)) {
        authd_exchange_refuse(ex, AUTHD_RESULT_DENY, 403, identified,
                              "the peer is not of the Expected-Tailnet");
        return;
    }

    authd_exchange_header(ex, "Tailscale-Login", identity->user);
    authd_exchange_header(ex, "Tailscale-User", identity->login);
    authd_exchange_header(ex, "Tailscale-Name", identity->name);
    authd_exchange_header(ex, "Tailscale-Profile-Picture", identity->picture);
    authd_exchange_header(ex, "Tailscale-Tailnet", tailnet);

    authd_exchange_end(ex, AUTHD_RESULT_ALLOW, 204, identified, NULL, NULL,
                       (tg_str_t) TG_NULL_STR);
}


static bool
expected_match(tg_str_t expected, tg_str_t tailnet)
{
    if (expected.len != 0 && expected.data[expected.len - 1] == '.') {
        expected.len--;
    }

    if (tailnet.len != 0 && tailnet.data[tailnet.len - 1] == '.') {
        tailnet.len--;
    }

    return expected.len == tailnet.len && tailnet.len != 0
           && strncasecmp(expected.data, tailnet.data, tailnet.len) == 0;
}
