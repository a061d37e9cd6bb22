
/*
 * Copyright (C) The Tailgate authors
 *
 * HAProxy, by the Lua action that comes with Tailgate.  It makes a request of
 * its own, which holds nothing of the client's but what is stated:
 *
 *     Remote-Addr, Remote-Port, Tailgate-Local-Addr,
 *     X-Forwarded-Method, X-Forwarded-Host, X-Forwarded-Uri
 *
 * On 200 it deletes what Tailgate-Headers lists, under every spelling, from the
 * request, and copies those headers from the answer; any other answer goes to
 * the client.
 */

#include "authd/app/forward/forward.h"


static const char *haproxy_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments);


const authd_dialect_t  authd_dialect_haproxy = {
    AUTHD_ENDPOINT_HAPROXY, AUTHD_SOURCE_REMOTE, false, true, true,
    haproxy_read
};


static const char *
haproxy_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments)
{
    *arguments = ex->r->query;

    return authd_forward_x_forwarded(ex, st);
}
