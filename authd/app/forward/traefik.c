
/*
 * Copyright (C) The Tailgate authors
 *
 * Traefik's ForwardAuth middleware.  It sends X-Forwarded-Method, -Proto,
 * -Host, -Uri and -For, beside the client's own headers.  Without
 * trustForwardHeader it has dropped what the client said of these, and
 * X-Forwarded-For holds one address; with it, the last address is the one that
 * Traefik itself saw.  There is no port, so that a loopback source is nobody.
 *
 * 2xx passes, any other answer goes to the client.  The headers that
 * authResponseHeaders lists are deleted from the request and then copied from
 * the answer: one that is absent here is absent there.
 */

#include "authd/app/forward/forward.h"


static const char *traefik_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments);


const authd_dialect_t  authd_dialect_traefik = {
    AUTHD_ENDPOINT_TRAEFIK, AUTHD_SOURCE_FORWARDED, false, false, true,
    traefik_read
};


static const char *
traefik_read(authd_exchange_t *ex, authd_statement_t *st,
    tg_str_t *arguments)
{
    *arguments = ex->r->query;

    return authd_forward_x_forwarded(ex, st);
}
