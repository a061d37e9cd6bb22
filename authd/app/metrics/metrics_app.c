
/*
 * Copyright (C) The Tailgate authors
 *
 * Prometheus' text format, version 0.0.4.
 */

#include "authd/app/metrics/metrics_app.h"
#include "authd/exchange.h"
#include "tailgate_config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* all that there can be: routes have bounded names, and only so many count */

#define BODY_MAX  (64 * 1024)


typedef struct {
    char    data[BODY_MAX];
    size_t  len;
} body_t;


static void handle_healthz(authd_t *authd, tgn_request_t *r);
static void handle_metrics(authd_t *authd, tgn_request_t *r);
static void body_decisions(body_t *body, const authd_metrics_t *m);
static void body_routes(body_t *body, const authd_t *authd);
static void body_route(body_t *body, const char *name,
    const authd_metrics_route_t *route);
static void body_duration(body_t *body, const authd_metrics_t *m);
static void body_rest(body_t *body, const authd_t *authd);
static void body_head(body_t *body, const char *name, const char *type,
    const char *help);
static void body_add(body_t *body, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


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
    body_t  body;

    if (!authd_admin_allowed(authd, r)) {
        return;
    }

    body.len = 0;

    body_decisions(&body, &authd->metrics);
    body_routes(&body, authd);
    body_duration(&body, &authd->metrics);
    body_rest(&body, authd);

    (void) tgn_response_header(r, "Content-Type",
                    (tg_str_t) TG_STR("text/plain; version=0.0.4"));
    (void) tgn_response_header(r, "Cache-Control",
                               (tg_str_t) TG_STR("no-store"));

    tgn_response_send(r, 200, (tg_str_t) { body.data, body.len });
}


static void
body_decisions(body_t *body, const authd_metrics_t *m)
{
    int  e, v;

    body_head(body, "decisions_total", "counter",
              "Requests answered, by endpoint and result.");

    for (e = 0; e < AUTHD_ENDPOINT_MAX; e++) {
        for (v = 0; v < AUTHD_RESULT_MAX; v++) {
            body_add(body, "tailgate_authd_decisions_total{endpoint=\"%s\","
                     "result=\"%s\"} %" PRIu64 "\n",
                     authd_endpoint_name((authd_endpoint_t) e),
                     authd_result_name((authd_result_t) v),
                     m->decisions[e][v]);
        }
    }
}


/* The labels that are no name of a route have brackets, which no name has. */

static void
body_routes(body_t *body, const authd_t *authd)
{
    size_t                        i;
    const authd_metrics_t *const  m = &authd->metrics;

    if (authd->conf->rules == NULL) {
        return;
    }

    body_head(body, "route_decisions_total", "counter",
              "Decisions by the policy file, by route and result.");

    for (i = 0; i < m->nroutes; i++) {
        if (m->routes[i].name[0] != '\0') {
            body_route(body, m->routes[i].name, &m->routes[i]);
        }
    }

    body_route(body, "(other)", &m->other_routes);
    body_route(body, "(none)", &m->no_route);
}


static void
body_route(body_t *body, const char *name,
    const authd_metrics_route_t *route)
{
    size_t  i;

    static const authd_result_t  results[] = {
        AUTHD_RESULT_ALLOW, AUTHD_RESULT_DENY, AUTHD_RESULT_UNAVAILABLE
    };

    for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        body_add(body, "tailgate_authd_route_decisions_total{route=\"%s\","
                 "result=\"%s\"} %" PRIu64 "\n", name,
                 authd_result_name(results[i]),
                 route->decisions[results[i]]);
    }
}


static void
body_duration(body_t *body, const authd_metrics_t *m)
{
    int       i;
    uint64_t  sum;

    body_head(body, "duration_seconds", "histogram",
              "From a request to its answer.");

    sum = 0;

    for (i = 0; i < AUTHD_METRICS_BUCKETS; i++) {
        sum += m->duration[i];

        body_add(body, "tailgate_authd_duration_seconds_bucket{le=\"%g\"} %"
                 PRIu64 "\n", authd_metrics_bounds[i] / 1e6, sum);
    }

    sum += m->duration[i];

    body_add(body, "tailgate_authd_duration_seconds_bucket{le=\"+Inf\"} %"
             PRIu64 "\n", sum);
    body_add(body, "tailgate_authd_duration_seconds_sum %" PRIu64 ".%06"
             PRIu64 "\n", m->duration_sum / 1000000,
             m->duration_sum % 1000000);
    body_add(body, "tailgate_authd_duration_seconds_count %" PRIu64 "\n", sum);
}


static void
body_rest(body_t *body, const authd_t *authd)
{
    size_t                        i;
    tg_str_t                      digest;
    const authd_metrics_t *const  m = &authd->metrics;

    const struct {
        const char  *name;
        const char  *type;
        const char  *help;
        uint64_t     value;
    } rows[] = {
        { "lookups_total", "counter", "WhoIs calls to tailscaled.",
          m->lookups },
        { "lookups_joined_total", "counter",
          "Requests that waited for another one's WhoIs call.",
          m->lookups_joined },
        { "lookups_failed_total", "counter",
          "WhoIs calls without an answer that makes sense.",
          m->lookups_failed },
        { "malformed_total", "counter", "Requests that could not be read.",
          m->malformed },
        { "audit_failed_total", "counter",
          "Audit lines that could not be written.", m->audit_failed },
        { "connections", "gauge", "Connections of proxies that are open.",
          (uint64_t) tgn_http_connections(authd->http) },
        { "bad_grants_total", "counter",
          "Grants that could not be read, and allowed nothing.",
          m->bad_grants },
        { "policy_reload_errors_total", "counter",
          "Reloads refused for a fault of the policy file.",
          m->policy_errors },
        { "reloads_total", "counter", "Configurations taken over.",
          m->reloads },
        { "reloads_failed_total", "counter", "Configurations refused.",
          m->reloads_failed },
        { "config_ok", "gauge",
          "Whether the last configuration that was read is in force.",
          m->config_ok },
        { "config_time_seconds", "gauge",
          "When the configuration in force was read.",
          (uint64_t) m->config_time }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        body_head(body, rows[i].name, rows[i].type, rows[i].help);
        body_add(body, "tailgate_authd_%s %" PRIu64 "\n", rows[i].name,
                 rows[i].value);
    }

    if (authd->conf->rules != NULL) {
        digest = tg_policy_digest(authd->conf->rules);

        body_head(body, "policy_info", "gauge", "The policy file in force.");
        body_add(body, "tailgate_authd_policy_info{digest=\"%.*s\"} 1\n",
                 (int) digest.len, digest.data);
    }

    body_head(body, "info", "gauge", "The version.");
    body_add(body, "tailgate_authd_info{version=\"%s\"} 1\n", TAILGATE_VERSION);
}


static void
body_head(body_t *body, const char *name, const char *type, const char *help)
{
    body_add(body, "# HELP tailgate_authd_%s %s\n# TYPE tailgate_authd_%s"
             " %s\n", name, help, name, type);
}


/* The size of all of it is known: a unit test looks for the last line. */

static void
body_add(body_t *body, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(body->data + body->len, BODY_MAX - body->len, fmt, args);
    va_end(args);

    if (n > 0 && (size_t) n < BODY_MAX - body->len) {
        body->len += (size_t) n;
    }
}
