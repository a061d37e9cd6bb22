
/*
 * Copyright (C) The Tailgate authors
 *
 * What all dialects share: statement, identification, decision.
 */

#include "authd/app/forward/forward.h"
#include "authd/app/forward/arguments.h"

#include <stdio.h>
#include <string.h>


#define TEXT_MAX  128


typedef struct {
    const authd_dialect_t  *dialect;
    authd_arguments_t       arguments;
    authd_statement_t       statement;
} forward_t;


static void forward(authd_t *authd, tgn_request_t *r,
    const authd_dialect_t *dialect);
static const char *forward_read(authd_exchange_t *ex, forward_t *fw);
static void forward_identified(authd_exchange_t *ex,
    const authd_identified_t *identified);
static bool forward_odd(authd_exchange_t *ex, const forward_t *fw,
    const authd_identified_t *identified);
static const char *forward_text(authd_exchange_t *ex, const char *name,
    const char *what);
static void handle_nginx(authd_t *authd, tgn_request_t *r);
static void handle_traefik(authd_t *authd, tgn_request_t *r);
static void handle_caddy(authd_t *authd, tgn_request_t *r);
static void handle_envoy(authd_t *authd, tgn_request_t *r);
static void handle_haproxy(authd_t *authd, tgn_request_t *r);


static const authd_route_t  forward_routes[] = {
    { "/auth", authd_nginx_auth },
    { "/v1/auth/nginx", handle_nginx },
    { "/v1/auth/traefik", handle_traefik },
    { "/v1/auth/caddy", handle_caddy },
    { "/v1/auth/envoy/", handle_envoy },
    { "/v1/auth/haproxy", handle_haproxy }
};


const authd_route_t *
authd_forward_routes(size_t *n)
{
    *n = sizeof(forward_routes) / sizeof(forward_routes[0]);

    return forward_routes;
}


const char *
authd_forward_header(authd_exchange_t *ex, const char *name, tg_str_t *value)
{
    int  rc;

    rc = authd_header_one(ex->r, name, value);

    if (rc == TG_ERR_REFUSED) {
        return forward_text(ex, name, "comes twice");
    }

    if (rc != TG_OK || value->len == 0) {
        return forward_text(ex, name, "is missing");
    }

    return NULL;
}


const char *
authd_forward_x_forwarded(authd_exchange_t *ex, authd_statement_t *st)
{
    tg_str_t     value;
    const char  *error;

    error = authd_forward_header(ex, "X-Forwarded-Method", &value);

    if (error == NULL) {
        error = authd_statement_method(st, value);
    }

    if (error == NULL) {
        error = authd_forward_header(ex, "X-Forwarded-Host", &value);
    }

    if (error == NULL) {
        error = authd_statement_host(st, value);
    }

    if (error == NULL) {
        error = authd_forward_header(ex, "X-Forwarded-Uri", &value);
    }

    if (error == NULL) {
        error = authd_statement_uri(st, value);
    }

    return error;
}


static void
forward(authd_t *authd, tgn_request_t *r, const authd_dialect_t *dialect)
{
    forward_t         *fw;
    const char        *error;
    authd_exchange_t  *ex;

    ex = authd_exchange_begin(authd, r, dialect->endpoint);

    if (ex == NULL) {
        return;
    }

    fw = ex->alloc.alloc(ex->alloc.ctx, sizeof(forward_t));

    if (fw == NULL) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, NULL,
                              "out of memory");
        return;
    }

    memset(fw, 0, sizeof(forward_t));

    fw->dialect = dialect;
    ex->data = fw;

    error = forward_read(ex, fw);

    ex->audit.method = fw->statement.method;
    ex->audit.host = fw->statement.host;
    ex->audit.path = fw->statement.path;

    if (error != NULL) {
        authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 400, NULL, error);
        return;
    }

    if (forward_odd(ex, fw, NULL)) {
        return;
    }

    if (authd_exchange_request(ex, fw->statement.method, fw->statement.host,
                               fw->statement.path))
    {
        authd_exchange_identify(ex, forward_identified);
    }
}


/*
 * Whether ex was refused, and is gone, for a path that can be read in two ways
 * and that no policy file judges.
 */

static bool
forward_odd(authd_exchange_t *ex, const forward_t *fw,
    const authd_identified_t *identified)
{
    if (fw->statement.odd == NULL || ex->authd->conf->rules != NULL) {
        return false;
    }

    authd_exchange_refuse(ex, AUTHD_RESULT_BAD_REQUEST, 400, identified,
                          fw->statement.odd);

    return true;
}


static const char *
forward_read(authd_exchange_t *ex, forward_t *fw)
{
    tg_str_t     arguments;
    const char  *error;

    error = fw->dialect->read(ex, &fw->statement, &arguments);

    if (error != NULL) {
        return error;
    }

    fw->arguments.source = fw->dialect->source;

    error = authd_arguments_read(arguments, &fw->arguments);

    if (error != NULL) {
        return error;
    }

    if (authd_source_read(ex->r, fw->arguments.source, &ex->source, &error)
        != TG_OK
        || authd_source_local(ex->r, fw->arguments.source, &ex->local,
                              &ex->has_local, &error)
           != TG_OK)
    {
        return error;
    }

    return NULL;
}


static void
forward_identified(authd_exchange_t *ex, const authd_identified_t *identified)
{
    forward_t  *fw;

    fw = ex->data;

    /* a policy file may have gone in the meantime */

    if (forward_odd(ex, fw, identified)) {
        return;
    }

    authd_exchange_decide(ex, identified);

    if (ex->decision.verdict != TG_ALLOW) {
        authd_exchange_deny(ex, identified, fw->dialect->body, 0);
        return;
    }

    authd_forward_headers(ex, fw->dialect, &fw->arguments, identified);

    authd_exchange_end(ex, AUTHD_RESULT_ALLOW, 200, identified, NULL, NULL,
                       (tg_str_t) TG_NULL_STR);
}


static const char *
forward_text(authd_exchange_t *ex, const char *name, const char *what)
{
    char  *text;

    text = ex->alloc.alloc(ex->alloc.ctx, TEXT_MAX);

    if (text == NULL) {
        return "a header is missing or comes twice";
    }

    (void) snprintf(text, TEXT_MAX, "%s %s", name, what);

    return text;
}


static void
handle_nginx(authd_t *authd, tgn_request_t *r)
{
    forward(authd, r, &authd_dialect_nginx);
}


static void
handle_traefik(authd_t *authd, tgn_request_t *r)
{
    forward(authd, r, &authd_dialect_traefik);
}


static void
handle_caddy(authd_t *authd, tgn_request_t *r)
{
    forward(authd, r, &authd_dialect_caddy);
}


static void
handle_envoy(authd_t *authd, tgn_request_t *r)
{
    forward(authd, r, &authd_dialect_envoy);
}


static void
handle_haproxy(authd_t *authd, tgn_request_t *r)
{
    forward(authd, r, &authd_dialect_haproxy);
}
