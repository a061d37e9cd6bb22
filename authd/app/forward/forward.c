
/*
 * Copyright (C) The Tailgate authors
 *
 * What all dialects share: statement, identification, headers of the answer.
 */

#include "authd/app/forward/forward.h"
#include "authd/app/forward/arguments.h"

#include <stdio.h>
#include <string.h>


#define TEXT_MAX   128

/* of names, each of which is at most TG_HEADER_NAME_MAX long */

#define NAMES_MAX  8192


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
static void forward_profile(authd_exchange_t *ex, const forward_t *fw,
    const tg_profile_t *profile, const tg_identity_t *identity);
static void forward_header(authd_exchange_t *ex, const forward_t *fw,
    const tg_header_t *header, const tg_identity_t *identity);
static void forward_names(authd_exchange_t *ex, const forward_t *fw);
static size_t add_name(char *text, size_t len, const char *name);
static const tg_str_t *forward_secret(const authd_config_t *conf,
    const tg_profile_t *profile);
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

    authd_exchange_identify(ex, forward_identified);
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
    size_t      i;
    forward_t  *fw;

    fw = ex->data;

    if (identified->verdict == TG_UNAVAILABLE) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, identified,
                              identified->reason);
        return;
    }

    /* an allow without an identity is nothing that the rules can say */

    if (identified->verdict != TG_ALLOW || identified->identity == NULL) {
        authd_exchange_refuse(ex, AUTHD_RESULT_DENY, 403, identified,
                              identified->reason);
        return;
    }

    for (i = 0; i < fw->arguments.nprofiles; i++) {
        forward_profile(ex, fw, fw->arguments.profiles[i],
                        identified->identity);
    }

    if (fw->dialect->list_names) {
        forward_names(ex, fw);
    }

    authd_exchange_end(ex, AUTHD_RESULT_ALLOW, 200, identified, NULL, NULL,
                       (tg_str_t) TG_NULL_STR);
}


static void
forward_profile(authd_exchange_t *ex, const forward_t *fw,
    const tg_profile_t *profile, const tg_identity_t *identity)
{
    size_t           i;
    const tg_str_t  *secret;

    for (i = 0; i < profile->nheaders; i++) {
        forward_header(ex, fw, &profile->headers[i], identity);
    }

    if (profile->secret_header == NULL) {
        return;
    }

    secret = forward_secret(ex->authd->conf, profile);

    if (secret != NULL) {
        authd_exchange_header(ex, profile->secret_header, *secret);

    } else if (fw->dialect->send_empty) {
        authd_exchange_header(ex, profile->secret_header,
                              (tg_str_t) TG_NULL_STR);
    }
}


static void
forward_header(authd_exchange_t *ex, const forward_t *fw,
    const tg_header_t *header, const tg_identity_t *identity)
{
    int       rc;
    tg_str_t  value;

    rc = tg_header_value(header, identity, &ex->alloc, &value);

    if (rc == TG_OK) {
        authd_exchange_header(ex, header->name, value);
        return;
    }

    if (rc != TG_ERR_ABSENT) {
        authd_log(&ex->authd->log, AUTHD_LOG_WARN,
                  "request %s: no header %s for %.*s: %s", ex->id,
                  header->name, (int) identity->login.len,
                  identity->login.data ? identity->login.data : "",
                  tg_strerror(rc));
    }

    if (fw->dialect->send_empty) {
        authd_exchange_header(ex, header->name, (tg_str_t) TG_NULL_STR);
    }
}


/* The headers of the profiles, whether they have a value or not. */

static void
forward_names(authd_exchange_t *ex, const forward_t *fw)
{
    char                *text;
    size_t               i, j, len;
    const tg_profile_t  *profile;

    text = ex->alloc.alloc(ex->alloc.ctx, NAMES_MAX);
    len = 0;

    if (text == NULL) {
        return;
    }

    for (i = 0; i < fw->arguments.nprofiles; i++) {
        profile = fw->arguments.profiles[i];

        for (j = 0; j < profile->nheaders; j++) {
            len = add_name(text, len, profile->headers[j].name);
        }

        if (profile->secret_header != NULL) {
            len = add_name(text, len, profile->secret_header);
        }
    }

    authd_exchange_header(ex, "Tailgate-Headers", (tg_str_t) { text, len });
}


static size_t
add_name(char *text, size_t len, const char *name)
{
    int  n;

    n = snprintf(text + len, NAMES_MAX - len, "%s%s", len ? "," : "", name);

    return (size_t) n < NAMES_MAX - len ? len + (size_t) n : len;
}


static const tg_str_t *
forward_secret(const authd_config_t *conf, const tg_profile_t *profile)
{
    size_t  i;

    for (i = 0; i < conf->nsecrets; i++) {
        if (conf->secrets[i].profile == profile) {
            return &conf->secrets[i].value;
        }
    }

    return NULL;
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
