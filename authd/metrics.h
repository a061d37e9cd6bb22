
/*
 * Copyright (C) The Tailgate authors
 *
 * What is counted.  Every label has a fixed set of values: nothing that a
 * client or a peer says becomes one.
 */

#ifndef AUTHD_METRICS_H_INCLUDED_
#define AUTHD_METRICS_H_INCLUDED_

#include <tailgate/policy.h>

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


typedef enum {
    AUTHD_RESULT_ALLOW = 0,
    AUTHD_RESULT_DENY,
    AUTHD_RESULT_UNAVAILABLE,
    AUTHD_RESULT_BAD_REQUEST,      /* the statement could not be parsed */
    AUTHD_RESULT_UNLISTED,         /* the sender is not listed */
    AUTHD_RESULT_ABORTED,          /* the proxy went away */
    AUTHD_RESULT_MAX
} authd_result_t;

/* "allow", "deny", "unavailable", "bad_request", "unlisted", "aborted". */

const char *authd_result_name(authd_result_t result);


/* Upper bounds of the histogram, in microseconds, without +Inf. */

#define AUTHD_METRICS_BUCKETS  8

extern const uint32_t  authd_metrics_bounds[AUTHD_METRICS_BUCKETS];

/*
 * Routes that are counted each for itself; the others are counted together,
 * as are decisions without a route.
 */

#define AUTHD_METRICS_ROUTES    100
#define AUTHD_METRICS_NAME_MAX  64

typedef struct {
    char      name[AUTHD_METRICS_NAME_MAX + 1];
    uint64_t  decisions[AUTHD_RESULT_MAX];
} authd_metrics_route_t;


typedef struct {
    uint64_t  decisions[AUTHD_ENDPOINT_MAX][AUTHD_RESULT_MAX];
    uint64_t  lookups;             /* WhoIs calls */
    uint64_t  lookups_joined;      /* that found one under way */
    uint64_t  lookups_failed;
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

    authd_metrics_route_t  routes[AUTHD_METRICS_ROUTES];
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

/* Counts a decision by a policy file about route; SIZE_MAX: about none. */

void authd_metrics_route(authd_metrics_t *metrics, size_t route,
    authd_result_t result);

/* Counts a decision that took usec. */

void authd_metrics_count(authd_metrics_t *metrics, authd_endpoint_t endpoint,
    authd_result_t result, uint64_t usec);


#endif /* AUTHD_METRICS_H_INCLUDED_ */
