
/*
 * Copyright (C) The Tailgate authors
 *
 * Caddy's forward_auth.  It sends GET with X-Forwarded-Method, -Uri, -Proto,
 * -Host and -For, beside the client's own headers.  Unless trusted_proxies
 * lists the client, X-Forwarded-For holds one address; else the last address
 * is the one that Caddy itself saw.
 *
 * 2xx passes, any other answer goes to the client.  What copy_headers lists is
 * copied from the answer; whether one that is absent here leaves the client's
 * own in place depends on the version, so that each is sent, empty if need be.
 */

#include "authd/app/forward/forward.h"


static const char *caddy_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments);


const authd_dialect_t  authd_dialect_caddy = {
    AUTHD_ENDPOINT_CADDY, AUTHD_SOURCE_FORWARDED, true, false, true,
    caddy_read
};


static const char *
caddy_read(authd_exchange_t *ex, authd_statement_t *st, tg_str_t *arguments)
{
    *arguments = ex->r->query;

    return authd_forward_x_forwarded(ex, st);
}
