
/*
 * Copyright (C) The Tailgate authors
 *
 * Envoy's ext_authz filter with an http_service.  It sends the original method
 * and Host, and the original path and query behind path_prefix.  The query is
 * therefore the client's, and the arguments stand in the path:
 *
 *     path_prefix: /v1/auth/envoy/headers=webauth
 *
 * There always is such a segment ("headers=off" if no header is wanted), so
 * that no part of the client's path can be one.  X-Forwarded-For has to be in
 * allowed_headers; with use_remote_address its last address is the one that
 * Envoy itself saw.
 *
 * 200 passes.  What allowed_upstream_headers matches replaces the client's own
 * header, and what is absent leaves it, so that each is sent, empty if need be.
 */

#include "authd/app/forward/forward.h"

#include <string.h>


#define PREFIX  "/v1/auth/envoy/"


static const char *envoy_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments);


const authd_dialect_t  authd_dialect_envoy = {
    AUTHD_ENDPOINT_ENVOY, AUTHD_SOURCE_FORWARDED, true, false, true,
    envoy_read
};


static const char *
envoy_read(authd_exchange_t *ex, authd_statement_t *st, tg_str_t *arguments)
{
    size_t       len;
    tg_str_t     uri;
    const char  *p, *slash, *error;

    p = ex->r->target.data + (sizeof(PREFIX) - 1);
    len = ex->r->target.len - (sizeof(PREFIX) - 1);

    /* a query begins behind the original path: what it holds is no border */

    slash = memchr(p, '/', len);

    if (slash == NULL || memchr(p, '?', (size_t) (slash - p)) != NULL) {
        return "the original path is missing behind path_prefix";
    }

    if (memchr(p, '=', (size_t) (slash - p)) == NULL) {
        return "path_prefix has no arguments, such as headers=off";
    }

    arguments->data = p;
    arguments->len = (size_t) (slash - p);

    uri.data = slash;
    uri.len = len - arguments->len;

    error = authd_statement_method(st, ex->r->method);

    if (error == NULL) {
        error = authd_statement_host(st, ex->r->host);
    }

    return error ? error : authd_statement_uri(st, uri);
}
