
/*
 * Copyright (C) The Tailgate authors
 *
 * Forward-auth: a proxy asks about each request before it passes it on.
 */

#ifndef AUTHD_FORWARD_FORWARD_H_INCLUDED_
#define AUTHD_FORWARD_FORWARD_H_INCLUDED_

#include "authd/app/forward/arguments.h"
#include "authd/app/forward/statement.h"
#include "authd/authd.h"
#include "authd/exchange.h"
#include "authd/source.h"


/* How one kind of proxy states a request and reads an answer. */

typedef struct {
    authd_endpoint_t      endpoint;
    authd_source_kind_t   source;      /* unless an argument says otherwise */
    bool                  send_empty;  /* an identity header without a value
                                          is sent empty: without one the proxy
                                          would pass on the client's own */
    bool                  list_names;  /* Tailgate-Headers in the answer names
                                          what the proxy has to strip */
    bool                  body;        /* an answer that denies goes to the
                                          client as it is */

    /*
     * Reads the original request into *st and what the administrator wrote
     * behind the endpoint into *arguments.  Returns NULL, or a few words about
     * what is wrong, which may live in ex.
     */

    const char         *(*read)(authd_exchange_t *ex, authd_statement_t *st,
                                tg_str_t *arguments);
} authd_dialect_t;

extern const authd_dialect_t  authd_dialect_nginx;
extern const authd_dialect_t  authd_dialect_traefik;
extern const authd_dialect_t  authd_dialect_caddy;
extern const authd_dialect_t  authd_dialect_envoy;
extern const authd_dialect_t  authd_dialect_haproxy;


/* The routes of this app; *n of them. */

const authd_route_t *authd_forward_routes(size_t *n);

/* The drop-in for tailscale's nginx-auth, at any path. */

void authd_nginx_auth(authd_t *authd, tgn_request_t *r);


/*
 * The headers of an answer that lets a request pass: those of the profiles,
 * and those of the policy file's route, which count where both have one.
 */

void authd_forward_headers(authd_exchange_t *ex,
    const authd_dialect_t *dialect, const authd_arguments_t *arguments,
    const authd_identified_t *identified);

/* For dialects: a header that has to be there, once. */

const char *authd_forward_header(authd_exchange_t *ex, const char *name,
    tg_str_t *value);

/* For dialects: X-Forwarded-Method, X-Forwarded-Host and X-Forwarded-Uri. */

const char *authd_forward_x_forwarded(authd_exchange_t *ex,
    authd_statement_t *st);


#endif /* AUTHD_FORWARD_FORWARD_H_INCLUDED_ */
