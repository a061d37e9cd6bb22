
/*
 * Copyright (C) The Tailgate authors
 *
 * What is counted.  Every label has a fixed set of values: nothing that a
 * client or a peer says becomes one.
 */

#ifndef AUTHD_METRICS_H_INCLUDED_
#define AUTHD_METRICS_H_INCLUDED_

#include <tailgate/metrics.h>
#include <tailgate/policy.h>

#include <net/client/localapi.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


typedef enum {
    AUTHD_ENDPOINT_AUTH = 0,       /* the drop-in for nginx-auth */
    AUTHD_ENDPOINT_NGINX,
    AUTHD_ENDPOINT_TRAEFIK,
    AUTHD_ENDPOINT_CADDY,
    AUTHD_ENDPOINT_ENVOY,
    AUTHD_ENDPOINT_HAPROXY,
    AUTHD_ENDPOINT_WHOAMI,
    AUTHD_ENDPOINT_MAX
} authd_endpoint_t;

/* "auth", "nginx", ...: a label, and a word of the audit line. */

const char *authd_endpoint_name(authd_endpoint_t endpoint);


/* Those outcomes that there are here; their names are tg_outcome_name()'s. */

typedef enum {
    AUTHD_RESULT_ALLOW = TG_OUTCOME_ALLOW,
    AUTHD_RESULT_DENY = TG_OUTCOME_DENY,
    AUTHD_RESULT_UNAVAILABLE = TG_OUTCOME_UNAVAILABLE,
    AUTHD_RESULT_BAD_REQUEST = TG_OUTCOME_BAD_REQUEST,
    AUTHD_RESULT_UNLISTED = TG_OUTCOME_UNLISTED,
    AUTHD_RESULT_ABORTED = TG_OUTCOME_ABORTED,
    AUTHD_RESULT_MAX
} authd_result_t;

const char *authd_result_name(authd_result_t result);


/* Upper bounds of the histogram, in microseconds, without +Inf. */

#define AUTHD_METRICS_BUCKETS  8

extern const uint32_t  authd_metrics_bounds[AUTHD_METRICS_BUCKETS];

typedef struct {
    char      name[TG_METRICS_ROUTE_NAME + 1];
    uint64_t  decisions[TG_OUTCOME_MAX];
} authd_metrics_route_t;


typedef struct {
    uint64_t  decisions[AUTHD_ENDPOINT_MAX][AUTHD_RESULT_MAX];
    uint64_t  counts[TG_COUNT_MAX];
    bool      cached;              /* answers are kept */
    tg_bus_state_t  bus;           /* if cached */
    size_t    entries;
    size_t    bytes;               /* that entries take */
    size_t    capacity;            /* bytes, at most */
    uint64_t  duration[AUTHD_METRICS_BUCKETS + 1];
    uint64_t  duration_sum;        /* microseconds */
    uint64_t  malformed;           /* requests that could not be read */
    uint64_t  audit_failed;        /* lines that could not be written */
    uint64_t  bad_grants;          /* that could not be read */
    uint64_t  policy_errors;       /* policy files refused by a reload */
    uint64_t  reloads;
    uint64_t  reloads_failed;
    int64_t   config_time;         /* when the configuration was loaded */
    bool      config_ok;           /* the last reload took it */

    authd_metrics_route_t  routes[TG_METRICS_ROUTES];
    size_t                 nroutes;
    authd_metrics_route_t  other_routes;
    authd_metrics_route_t  no_route;
} authd_metrics_t;


/*
 * The routes of the policy file in force (NULL: none).  What was counted of a
 * route stays with its name.
 */

void authd_metrics_routes(authd_metrics_t *metrics,
    const tg_policy_t *policy);

/* Counts a decision about a route of the policy file; SIZE_MAX: about none. */

void authd_metrics_route(authd_metrics_t *metrics, size_t route,
    authd_result_t result);

/*
 * A call to the LocalAPI that took usec: why it has no answer (if it has none),
 * or that its answer made no sense.
 */

void authd_metrics_call(authd_metrics_t *metrics,
    tgn_localapi_status_t status, uint64_t usec);
void authd_metrics_nonsense(authd_metrics_t *metrics, int code);

/* Microseconds of a clock that only runs forward. */

uint64_t authd_metrics_clock(void);

/* Counts a request that took usec. */

void authd_metrics_count(authd_metrics_t *metrics, authd_endpoint_t endpoint,
    authd_result_t result, uint64_t usec);


#endif /* AUTHD_METRICS_H_INCLUDED_ */
