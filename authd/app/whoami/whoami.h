
/*
 * Copyright (C) The Tailgate authors
 *
 * /v1/whoami: who Tailgate thinks the caller is, and why.  The caller alone
 * sees it.
 */

#ifndef AUTHD_WHOAMI_H_INCLUDED_
#define AUTHD_WHOAMI_H_INCLUDED_

#include "authd/authd.h"


const authd_route_t *authd_whoami_routes(size_t *n);


#endif /* AUTHD_WHOAMI_H_INCLUDED_ */
