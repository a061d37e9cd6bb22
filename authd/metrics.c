
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/metrics.h"

#include <string.h>
#include <time.h>


const uint32_t  authd_metrics_bounds[AUTHD_METRICS_BUCKETS] = {
    100, 250, 500, 1000, 5000, 25000, 250000, 2000000
};

static const char *const  endpoint_names[AUTHD_ENDPOINT_MAX] = {
    "auth", "nginx", "traefik", "caddy", "envoy", "haproxy", "whoami"
};


const char *
authd_endpoint_name(authd_endpoint_t endpoint)
{
    return endpoint_names[endpoint];
}


const char *
authd_result_name(authd_result_t result)
{
    return tg_outcome_name((tg_outcome_t) result);
}


void
authd_metrics_count(authd_metrics_t *metrics, authd_endpoint_t endpoint,
    authd_result_t result, uint64_t usec)
{
    int  i;

    metrics->decisions[endpoint][result]++;

    for (i = 0; i < AUTHD_METRICS_BUCKETS; i++) {
        if (usec <= authd_metrics_bounds[i]) {
            break;
        }
    }

    metrics->duration[i]++;
    metrics->duration_sum += usec;
}


/*
 * A name that is too long for a label counts as one of the others: cut, it
 * could be a second one's.
 */

void
authd_metrics_routes(authd_metrics_t *metrics, const tg_policy_t *policy)
{
    size_t                  i, j, n;
    tg_str_t                name;
    authd_metrics_route_t  *route;
    authd_metrics_t         old = *metrics;

    n = policy ? tg_policy_nroutes(policy) : 0;

    if (n > TG_METRICS_ROUTES) {
        n = TG_METRICS_ROUTES;
    }

    metrics->nroutes = n;
    memset(metrics->routes, 0, sizeof(metrics->routes));

    for (i = 0; i < n; i++) {
        route = &metrics->routes[i];
        name = tg_policy_route_name(policy, i);

        if (name.len > TG_METRICS_ROUTE_NAME) {
            continue;
        }

        memcpy(route->name, name.data, name.len);

        for (j = 0; j < old.nroutes; j++) {
            if (strcmp(old.routes[j].name, route->name) == 0) {
                *route = old.routes[j];
            }
        }
    }
}


void
authd_metrics_route(authd_metrics_t *metrics, size_t route,
    authd_result_t result)
{
    if (route == SIZE_MAX) {
        metrics->no_route.decisions[result]++;

    } else if (route >= metrics->nroutes
               || metrics->routes[route].name[0] == '\0')
    {
        metrics->other_routes.decisions[result]++;

    } else {
        metrics->routes[route].decisions[result]++;
    }
}


void
authd_metrics_call(authd_metrics_t *metrics, tgn_localapi_status_t status,
    uint64_t usec)
{
    static const tg_count_t  kinds[] = {
        [TGN_LOCALAPI_DENIED] = TG_COUNT_ERROR_CONNECT,
        [TGN_LOCALAPI_ABSENT] = TG_COUNT_ERROR_CONNECT,
        [TGN_LOCALAPI_REFUSED] = TG_COUNT_ERROR_CONNECT,
        [TGN_LOCALAPI_TIMEOUT] = TG_COUNT_ERROR_TIMEOUT,
        [TGN_LOCALAPI_BROKEN] = TG_COUNT_ERROR_CLOSED,
        [TGN_LOCALAPI_TOO_LARGE] = TG_COUNT_ERROR_MALFORMED,
        [TGN_LOCALAPI_FAILED] = TG_COUNT_ERROR_INTERNAL
    };

    tg_metrics_duration(metrics->counts, usec);

    if (status != TGN_LOCALAPI_OK) {
        metrics->counts[kinds[status]]++;
    }
}


void
authd_metrics_nonsense(authd_metrics_t *metrics, int code)
{
    metrics->counts[code == 200 ? TG_COUNT_ERROR_MALFORMED
                                : TG_COUNT_ERROR_STATUS]++;
}


uint64_t
authd_metrics_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}
