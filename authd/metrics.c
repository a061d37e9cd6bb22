
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/metrics.h"


const uint32_t  authd_metrics_bounds[AUTHD_METRICS_BUCKETS] = {
    100, 250, 500, 1000, 5000, 25000, 250000, 2000000
};

static const char *const  endpoint_names[AUTHD_ENDPOINT_MAX] = {
    "auth", "nginx", "traefik", "caddy", "envoy", "haproxy", "whoami"
};

static const char *const  result_names[AUTHD_RESULT_MAX] = {
    "allow", "deny", "unavailable", "bad_request", "unlisted", "aborted"
};


const char *
authd_endpoint_name(authd_endpoint_t endpoint)
{
    return endpoint_names[endpoint];
}


const char *
authd_result_name(authd_result_t result)
{
    return result_names[result];
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
