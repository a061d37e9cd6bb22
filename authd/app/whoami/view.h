
/*
 * Copyright (C) The Tailgate authors
 *
 * How an identity looks as JSON and as a page.
 */

#ifndef AUTHD_WHOAMI_VIEW_H_INCLUDED_
#define AUTHD_WHOAMI_VIEW_H_INCLUDED_

#include "authd/exchange.h"


/* Live in ex; empty when out of memory. */

tg_str_t authd_whoami_json(authd_exchange_t *ex,
    const authd_identified_t *identified);
tg_str_t authd_whoami_page(authd_exchange_t *ex,
    const authd_identified_t *identified);

/* The policy that lets the page have its own style, and nothing else. */

tg_str_t authd_whoami_csp(authd_exchange_t *ex);


#endif /* AUTHD_WHOAMI_VIEW_H_INCLUDED_ */
