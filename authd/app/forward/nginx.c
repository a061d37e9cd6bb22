
/*
 * Copyright (C) The Tailgate authors
 *
 * nginx's auth_request.  The location of the subrequest sets every header that
 * is read here, so that none is the client's:
 *
 *     Remote-Addr        $remote_addr
 *     Remote-Port        $remote_port
 *     X-Original-Method  $request_method
 *     X-Original-Host    $http_host
 *     X-Original-URI     $request_uri
 *
 * or, instead of the last two, as ingress-nginx does,
 *
 *     X-Original-URL     $scheme://$http_host$request_uri
 *
 * nginx takes 2xx, 401 and 403, and makes a 500 of anything else; headers of
 * the answer count only where the configuration names them, so that one which
 * is absent is empty.
 */

#include "authd/app/forward/forward.h"


static const char *nginx_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments);


const authd_dialect_t  authd_dialect_nginx = {
    AUTHD_ENDPOINT_NGINX, AUTHD_SOURCE_REMOTE, false, false, false,
    nginx_read
};


static const char *
nginx_read(authd_exchange_t *ex, authd_statement_t *st, tg_str_t *arguments)
{
    tg_str_t     value, other;
    const char  *error;

    *arguments = ex->r->query;

    error = authd_forward_header(ex, "X-Original-Method", &value);

    if (error == NULL) {
        error = authd_statement_method(st, value);
    }

    if (error != NULL) {
        return error;
    }

    if (authd_header_one(ex->r, "X-Original-URL", &value) != TG_ERR_ABSENT) {

        /* the one that the configuration does not set is the client's */

        if (authd_header_one(ex->r, "X-Original-URI", &other) != TG_ERR_ABSENT
            || authd_header_one(ex->r, "X-Original-Host", &other)
               != TG_ERR_ABSENT)
        {
            return "both X-Original-URL and X-Original-URI or X-Original-Host"
                   " state the request";
        }

        error = authd_forward_header(ex, "X-Original-URL", &value);

        return error ? error : authd_statement_url(st, value);
    }

    error = authd_forward_header(ex, "X-Original-Host", &value);

    if (error == NULL) {
        error = authd_statement_host(st, value);
    }

    if (error == NULL) {
        error = authd_forward_header(ex, "X-Original-URI", &value);
    }

    return error ? error : authd_statement_uri(st, value);
}
