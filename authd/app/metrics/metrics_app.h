
/*
 * Copyright (C) The Tailgate authors
 *
 * /healthz and /metrics.
 */

#ifndef AUTHD_METRICS_APP_H_INCLUDED_
#define AUTHD_METRICS_APP_H_INCLUDED_

#include "authd/authd.h"


const authd_route_t *authd_metrics_endpoints(size_t *n);


#endif /* AUTHD_METRICS_APP_H_INCLUDED_ */
