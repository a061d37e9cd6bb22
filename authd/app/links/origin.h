
/*
 * Copyright (C) The Tailgate authors
 *
 * Whether a request that changes something was meant to be sent by whoever is
 * identified: people have no password here that another site would not know.
 */

#ifndef AUTHD_LINKS_ORIGIN_H_INCLUDED_
#define AUTHD_LINKS_ORIGIN_H_INCLUDED_

#include "authd/config.h"

#include <net/http/server.h>


/*
 * NULL if it was, else why not.  An Origin has to be one of ours, in the scheme
 * that the request came by; without one, the request has to have what no form
 * can send: Sec-Golink, or a body of application/json.
 */

const char *authd_links_origin(const tgn_request_t *r,
    const authd_links_conf_t *conf, bool tls);


#endif /* AUTHD_LINKS_ORIGIN_H_INCLUDED_ */
