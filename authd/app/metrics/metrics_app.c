
/*
 * Copyright (C) The Tailgate authors
 *
 * Prometheus' text format, version 0.0.4.
 */

#include "authd/app/metrics/metrics_app.h"
#include "authd/exchange.h"
#include "tailgate_config.h"

#include <tailgate/metrics.h>

#include <stdlib.h>
#include <string.h>


/* That fits almost always; more is made room for. */

#define BODY_SIZE  (64 * 1024)


static void handle_healthz(authd_t *authd, tgn_request_t *r);
static void handle_metrics(authd_t *authd, tgn_request_t *r);
static void metrics_all(tg_metrics_text_t *text, const authd_t *authd);
static size_t metrics_routes_fill(tg_metrics_route_t *routes,
    const authd_metrics_t *m);
static void metrics_requests(tg_metrics_text_t *text,
    const authd_metrics_t *m);
static void metrics_rest(tg_metrics_text_t *text, const authd_t *authd);


static const authd_route_t  metrics_routes[] = {
    { "/healthz", handle_healthz },
    { "/metrics", handle_metrics }
};


const authd_route_t *
authd_metrics_endpoints(size_t *n)
{
    *n = sizeof(metrics_routes) / sizeof(metrics_routes[0]);

    return metrics_routes;
}


/* That the daemon answers; whether tailscaled does is a metric. */

static void
handle_healthz(authd_t *authd, tgn_request_t *r)
{
    if (!authd_host_allowed(authd, r)) {
        authd_answer_text(r, 421, "the Host is not one of listen.hosts");
        return;
    }

    /* a proxy that asks here about a client would take a 200 for an allow */

    if (authd_is_forwarded(r)) {
        authd_answer_text(r, 403, "this endpoint lets nobody pass");
        return;
    }

    (void) tgn_response_header(r, "Content-Type",
                               (tg_str_t) TG_STR("text/plain"));
    (void) tgn_response_header(r, "Cache-Control",
                               (tg_str_t) TG_STR("no-store"));

    tgn_response_send(r, 200, (tg_str_t) TG_STR("ok\n"));
}


static void
handle_metrics(authd_t *authd, tgn_request_t *r)
{
    char               *data;
    tg_metrics_text_t   text;

    if (!authd_admin_allowed(authd, r)) {
        return;
    }

    data = NULL;
    memset(&text, 0, sizeof(tg_metrics_text_t));
    text.len = BODY_SIZE;

    while (text.len > text.size) {
        free(data);

        data = malloc(text.len);

        if (data == NULL) {
            authd_answer_text(r, 500, "out of memory");
            return;
        }

        text.data = data;
        text.size = text.len;
        text.len = 0;

        metrics_all(&text, authd);
    }

    (void) tgn_response_header(r, "Content-Type",
                    (tg_str_t) TG_STR("text/plain; version=0.0.4"));
    (void) tgn_response_header(r, "Cache-Control",
                               (tg_str_t) TG_STR("no-store"));

    tgn_response_send(r, 200, (tg_str_t) { text.data, text.len });

    free(data);
}


static void
metrics_all(tg_metrics_text_t *text, const authd_t *authd)
{
    tg_metrics_t                  metrics;
    tg_metrics_route_t            routes[TG_METRICS_ROUTES + 2];
    tg_metrics_policy_t           policy;
    const authd_metrics_t *const  m = &authd->metrics;

    memset(&metrics, 0, sizeof(tg_metrics_t));

    metrics.component = "authd";
    metrics.version = TAILGATE_VERSION;
    memcpy(metrics.counts, m->counts, sizeof(metrics.counts));

    metrics.routes = routes;
    metrics.nroutes = metrics_routes_fill(routes, m);

    if (authd->conf->rules != NULL) {
        policy.file.data = authd->conf->policy_file;
        policy.file.len = strlen(authd->conf->policy_file);
        policy.digest = tg_policy_digest(authd->conf->rules);

        metrics.policies = &policy;
        metrics.npolicies = 1;
    }

    metrics.reloads = m->reloads;
    metrics.reloads_failed = m->reloads_failed;
    metrics.config_time = (uint64_t) m->config_time;
    metrics.config_ok = m->config_ok;
    metrics.cached = m->cached;
    metrics.bus = m->bus;
    metrics.entries = m->entries;
    metrics.bytes = m->bytes;
    metrics.capacity = m->capacity;

    tg_metrics_write(text, &metrics);

    metrics_requests(text, m);
    metrics_rest(text, authd);
}


static size_t
metrics_routes_fill(tg_metrics_route_t *routes, const authd_metrics_t *m)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < m->nroutes; i++) {
        if (m->routes[i].name[0] == '\0') {
            continue;
        }

        routes[n].name.data = m->routes[i].name;
        routes[n].name.len = strlen(m->routes[i].name);
        memcpy(routes[n].outcomes, m->routes[i].decisions,
               sizeof(routes[n].outcomes));
        n++;
    }

    routes[n].name = (tg_str_t) TG_STR(TG_METRICS_OTHER);
    memcpy(routes[n].outcomes, m->other_routes.decisions,
           sizeof(routes[n].outcomes));
    n++;

    routes[n].name = (tg_str_t) TG_STR(TG_METRICS_NONE);
    memcpy(routes[n].outcomes, m->no_route.decisions,
           sizeof(routes[n].outcomes));
    n++;

    return n;
}


static void
metrics_requests(tg_metrics_text_t *text, const authd_metrics_t *m)
{
    int                  e, v;
    const char          *name;
    tg_metrics_label_t   labels[2];

    tg_metrics_head(text, TG_METRIC_REQUESTS);

    for (e = 0; e < AUTHD_ENDPOINT_MAX; e++) {
        for (v = 0; v < AUTHD_RESULT_MAX; v++) {
            name = authd_endpoint_name((authd_endpoint_t) e);
            labels[0].name = "endpoint";
            labels[0].value = (tg_str_t) { name, strlen(name) };

            name = authd_result_name((authd_result_t) v);
            labels[1].name = "outcome";
            labels[1].value = (tg_str_t) { name, strlen(name) };

            tg_metrics_value(text, TG_METRIC_REQUESTS, labels, 2,
                             m->decisions[e][v]);
        }
    }

    tg_metrics_histogram(text, TG_METRIC_REQUEST_DURATION,
                         authd_metrics_bounds, m->duration,
                         AUTHD_METRICS_BUCKETS, m->duration_sum);
}


static void
metrics_rest(tg_metrics_text_t *text, const authd_t *authd)
{
    size_t                        i;
    const authd_metrics_t *const  m = &authd->metrics;

    const struct {
        tg_metric_id_t  id;
        uint64_t        value;
    } rows[] = {
        { TG_METRIC_MALFORMED, m->malformed },
        { TG_METRIC_AUDIT_FAILED, m->audit_failed },
        { TG_METRIC_CONNECTIONS,
          (uint64_t) tgn_http_connections(authd->http) },
        { TG_METRIC_BAD_GRANTS, m->bad_grants },
        { TG_METRIC_POLICY_ERRORS, m->policy_errors }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tg_metrics_head(text, rows[i].id);
        tg_metrics_value(text, rows[i].id, NULL, 0, rows[i].value);
    }
}
