
/*
 * Copyright (C) The Tailgate authors
 *
 * /v1/status: what the daemon runs by, for tailgate status.
 */

#ifndef AUTHD_STATUS_H_INCLUDED_
#define AUTHD_STATUS_H_INCLUDED_

#include "authd/authd.h"


const authd_route_t *authd_status_routes(size_t *n);


#endif /* AUTHD_STATUS_H_INCLUDED_ */
