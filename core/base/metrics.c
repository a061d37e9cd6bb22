
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of metrics, and Prometheus' text format.
 */

#include "core/base/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* The longest piece that is formatted at once: two numbers and a name. */

#define PIECE_MAX    256
#define SECONDS_MAX  24


static void write_counts(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_decisions(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_labelled(tg_metrics_text_t *text, tg_metric_id_t id,
    const char *label, const char *const *values, const uint64_t *counts,
    size_t n);
static void write_cache(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_config(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_one(tg_metrics_text_t *text, tg_metric_id_t id,
    uint64_t value);
static void format_seconds(uint32_t usec, char le[SECONDS_MAX]);
static void add_labels(tg_metrics_text_t *text,
    const tg_metrics_label_t *labels, size_t n);
static void add_value(tg_metrics_text_t *text, tg_str_t value);


static const tg_metric_t  table[TG_METRIC_MAX] = {
    [TG_METRIC_BUILD_INFO] = { "tailgate_build_info", "gauge",
        "The version of Tailgate that answers." },
    [TG_METRIC_DECISIONS] = { "tailgate_decisions_total", "counter",
        "Decisions, by outcome and by route of the policy file." },
    [TG_METRIC_LOOKUPS] = { "tailgate_lookups_total", "counter",
        "WhoIs calls to tailscaled." },
    [TG_METRIC_HITS] = { "tailgate_cache_hits_total", "counter",
        "Identifications by an answer that was kept." },
    [TG_METRIC_MISSES] = { "tailgate_cache_misses_total", "counter",
        "Identifications for which no answer was kept." },
    [TG_METRIC_NEGATIVE] = { "tailgate_cache_negative_hits_total", "counter",
        "Hits on the answer that nobody is there." },
    [TG_METRIC_COALESCED] = { "tailgate_lookups_coalesced_total", "counter",
        "Identifications that waited for a WhoIs call under way." },
    [TG_METRIC_EVICTED] = { "tailgate_cache_evicted_total", "counter",
        "Answers that are kept no more, by reason." },
    [TG_METRIC_STALE] = { "tailgate_stale_served_total", "counter",
        "Answers past their end that were used as tailscaled gave none." },
    [TG_METRIC_LIMITED] = { "tailgate_limited_misses_total", "counter",
        "Identifications refused to sources that caused too many lookups." },
    [TG_METRIC_ERRORS] = { "tailgate_localapi_errors_total", "counter",
        "Calls to tailscaled without an answer that makes sense, by kind." },
    [TG_METRIC_DURATION] = { "tailgate_localapi_duration_seconds",
        "histogram", "From a call to tailscaled to its answer." },
    [TG_METRIC_BUS] = { "tailgate_bus_state", "gauge",
        "Whether changes are heard of at once: 1 for the state that is." },
    [TG_METRIC_ENTRIES] = { "tailgate_cache_entries", "gauge",
        "Answers in the cache." },
    [TG_METRIC_BYTES] = { "tailgate_cache_bytes", "gauge",
        "Memory that answers in the cache take." },
    [TG_METRIC_CAPACITY] = { "tailgate_cache_capacity_bytes", "gauge",
        "Memory that answers in the cache can take." },
    [TG_METRIC_POLICY] = { "tailgate_policy_info", "gauge",
        "Policy files in force, by name and digest." },
    [TG_METRIC_RELOADS] = { "tailgate_reloads_total", "counter",
        "Configurations taken over." },
    [TG_METRIC_RELOADS_FAILED] = { "tailgate_reloads_failed_total",
        "counter", "Configurations refused." },
    [TG_METRIC_CONFIG_OK] = { "tailgate_config_ok", "gauge",
        "Whether the last configuration that was read is in force." },
    [TG_METRIC_CONFIG_TIME] = { "tailgate_config_time_seconds", "gauge",
        "When the configuration in force was read." },

    [TG_METRIC_REQUESTS] = { "tailgate_authd_requests_total", "counter",
        "Requests answered, by endpoint and outcome." },
    [TG_METRIC_REQUEST_DURATION] = {
        "tailgate_authd_request_duration_seconds", "histogram",
        "From a request to its answer." },
    [TG_METRIC_MALFORMED] = { "tailgate_authd_malformed_requests_total",
        "counter", "Requests that could not be read." },
    [TG_METRIC_AUDIT_FAILED] = { "tailgate_authd_audit_failed_total",
        "counter", "Audit lines that could not be written." },
    [TG_METRIC_CONNECTIONS] = { "tailgate_authd_connections", "gauge",
        "Connections of proxies that are open." },
    [TG_METRIC_BAD_GRANTS] = { "tailgate_authd_bad_grants_total", "counter",
        "Grants that could not be read, and allowed nothing." },
    [TG_METRIC_POLICY_ERRORS] = {
        "tailgate_authd_policy_reload_errors_total", "counter",
        "Reloads refused for a fault of the policy file." }
};

static const char *const  error_names[TG_COUNT_ERRORS] = {
    "connect", "timeout", "closed", "status", "malformed", "internal"
};

static const char *const  evicted_names[] = { "bus", "ttl", "lru" };

static const char *const  outcome_names[TG_OUTCOME_MAX] = {
    "allow", "deny", "unavailable", "bad_request", "unlisted", "aborted",
    "optional"
};

static const char *const  bus_names[TG_BUS_STATES] = {
    "lost", "followed", "none"
};

/* Microseconds: a warm answer takes 45, a first request about 1000. */

static const uint32_t  bounds[TG_METRICS_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 25000, 100000, 500000, 1000000,
    2500000
};


const tg_metric_t *
tg_metric(tg_metric_id_t id)
{
    return &table[id];
}


const char *
tg_metrics_error_name(tg_count_t count)
{
    return error_names[count - TG_COUNT_ERROR_CONNECT];
}


const char *
tg_outcome_name(tg_outcome_t outcome)
{
    return outcome_names[outcome];
}


const char *
tg_bus_state_name(tg_bus_state_t state)
{
    return bus_names[state];
}


void
tg_metrics_duration(uint64_t counts[TG_COUNT_MAX], uint64_t usec)
{
    size_t  i;

    for (i = 0; i < TG_METRICS_BUCKETS && usec > bounds[i]; i++) {
        /* void */
    }

    counts[TG_COUNT_BUCKET + i]++;
    counts[TG_COUNT_DURATION] += usec;
}


void
tg_metrics_write(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    const tg_metrics_label_t  labels[] = {
        { "component", { m->component, strlen(m->component) } },
        { "version", { m->version, strlen(m->version) } }
    };

    tg_metrics_head(text, TG_METRIC_BUILD_INFO);
    tg_metrics_value(text, TG_METRIC_BUILD_INFO, labels, 2, 1);

    write_decisions(text, m);
    write_counts(text, m);
    write_cache(text, m);
    write_config(text, m);
}


static void
write_counts(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t  i;

    static const struct {
        tg_metric_id_t  id;
        tg_count_t      count;
    } rows[] = {
        { TG_METRIC_LOOKUPS, TG_COUNT_LOOKUPS },
        { TG_METRIC_HITS, TG_COUNT_HITS },
        { TG_METRIC_MISSES, TG_COUNT_MISSES },
        { TG_METRIC_NEGATIVE, TG_COUNT_NEGATIVE },
        { TG_METRIC_COALESCED, TG_COUNT_COALESCED },
        { TG_METRIC_STALE, TG_COUNT_STALE },
        { TG_METRIC_LIMITED, TG_COUNT_LIMITED }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_one(text, rows[i].id, m->counts[rows[i].count]);
    }

    write_labelled(text, TG_METRIC_EVICTED, "reason", evicted_names,
                   &m->counts[TG_COUNT_EVICTED_BUS], 3);
    write_labelled(text, TG_METRIC_ERRORS, "kind", error_names,
                   &m->counts[TG_COUNT_ERROR_CONNECT], TG_COUNT_ERRORS);

    tg_metrics_histogram(text, TG_METRIC_DURATION, bounds,
                         &m->counts[TG_COUNT_BUCKET], TG_METRICS_BUCKETS,
                         m->counts[TG_COUNT_DURATION]);
}


static void
write_decisions(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t              i, j;
    tg_metrics_label_t  labels[2];

    tg_metrics_head(text, TG_METRIC_DECISIONS);

    for (i = 0; i < m->nroutes; i++) {
        labels[0].name = "route";
        labels[0].value = m->routes[i].name;

        for (j = 0; j < TG_OUTCOME_MAX; j++) {

            if (j >= TG_OUTCOME_ALWAYS && m->routes[i].outcomes[j] == 0) {
                continue;
            }

            labels[1].name = "outcome";
            labels[1].value.data = outcome_names[j];
            labels[1].value.len = strlen(outcome_names[j]);

            tg_metrics_value(text, TG_METRIC_DECISIONS, labels, 2,
                             m->routes[i].outcomes[j]);
        }
    }
}


static void
write_labelled(tg_metrics_text_t *text, tg_metric_id_t id, const char *label,
    const char *const *values, const uint64_t *counts, size_t n)
{
    size_t              i;
    tg_metrics_label_t  one;

    tg_metrics_head(text, id);

    for (i = 0; i < n; i++) {
        one.name = label;
        one.value.data = values[i];
        one.value.len = strlen(values[i]);

        tg_metrics_value(text, id, &one, 1, counts[i]);
    }
}


/* Without a cache there is no bus, whatever tailscaled has. */

static void
write_cache(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    uint64_t  states[TG_BUS_STATES] = { 0, 0, 0 };

    states[m->cached ? m->bus : TG_BUS_NONE] = 1;

    write_labelled(text, TG_METRIC_BUS, "state", bus_names, states,
                   TG_BUS_STATES);

    write_one(text, TG_METRIC_ENTRIES, m->entries);
    write_one(text, TG_METRIC_BYTES, m->bytes);
    write_one(text, TG_METRIC_CAPACITY, m->capacity);
}


static void
write_config(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t              i;
    tg_metrics_label_t  labels[2];

    if (m->npolicies != 0) {
        tg_metrics_head(text, TG_METRIC_POLICY);
    }

    for (i = 0; i < m->npolicies; i++) {
        labels[0].name = "file";
        labels[0].value = m->policies[i].file;
        labels[1].name = "digest";
        labels[1].value = m->policies[i].digest;

        tg_metrics_value(text, TG_METRIC_POLICY, labels, 2, 1);
    }

    write_one(text, TG_METRIC_RELOADS, m->reloads);
    write_one(text, TG_METRIC_RELOADS_FAILED, m->reloads_failed);
    write_one(text, TG_METRIC_CONFIG_OK, m->config_ok);
    write_one(text, TG_METRIC_CONFIG_TIME, m->config_time);
}


static void
write_one(tg_metrics_text_t *text, tg_metric_id_t id, uint64_t value)
{
    tg_metrics_head(text, id);
    tg_metrics_value(text, id, NULL, 0, value);
}


void
tg_metrics_head(tg_metrics_text_t *text, tg_metric_id_t id)
{
    const tg_metric_t  *m;

    m = &table[id];

    tgi_text_format(text, "# HELP %s %s\n", m->name, m->help);
    tgi_text_format(text, "# TYPE %s %s\n", m->name, m->type);
}


void
tg_metrics_value(tg_metrics_text_t *text, tg_metric_id_t id,
    const tg_metrics_label_t *labels, size_t nlabels, uint64_t value)
{
    tgi_text_add(text, table[id].name, strlen(table[id].name));
    add_labels(text, labels, nlabels);
    tgi_text_format(text, " %" PRIu64 "\n", value);
}


void
tg_metrics_histogram(tg_metrics_text_t *text, tg_metric_id_t id,
    const uint32_t *limits, const uint64_t *counts, size_t n, uint64_t sum)
{
    char         le[SECONDS_MAX];
    size_t       i;
    uint64_t     total;
    const char  *name;

    tg_metrics_head(text, id);

    total = 0;
    name = table[id].name;

    for (i = 0; i < n; i++) {
        total += counts[i];
        format_seconds(limits[i], le);
        tgi_text_format(text, "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, le,
                   total);
    }

    total += counts[n];

    tgi_text_format(text, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, total);
    tgi_text_format(text, "%s_sum %" PRIu64 ".%06" PRIu64 "\n", name,
               sum / 1000000, sum % 1000000);
    tgi_text_format(text, "%s_count %" PRIu64 "\n", name, total);
}


/* Without zeroes at its end: the label is compared as text. */

static void
format_seconds(uint32_t usec, char le[SECONDS_MAX])
{
    size_t  n;

    n = (size_t) snprintf(le, SECONDS_MAX, "%" PRIu32 ".%06" PRIu32,
                          usec / 1000000, usec % 1000000);

    while (le[n - 1] == '0') {
        le[--n] = '\0';
    }

    if (le[n - 1] == '.') {
        le[n - 1] = '\0';
    }
}


static void
add_labels(tg_metrics_text_t *text, const tg_metrics_label_t *labels, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        tgi_text_format(text, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
        add_value(text, labels[i].value);
        tgi_text_add(text, "\"", 1);
    }

    if (n != 0) {
        tgi_text_add(text, "}", 1);
    }
}


/* The format has no escape for any other byte, and needs none. */

static void
add_value(tg_metrics_text_t *text, tg_str_t value)
{
    size_t  i;

    for (i = 0; i < value.len; i++) {

        switch (value.data[i]) {

        case '\\':
            tgi_text_add(text, "\\\\", 2);
            break;

        case '"':
            tgi_text_add(text, "\\\"", 2);
            break;

        case '\n':
            tgi_text_add(text, "\\n", 2);
            break;

        default:
            tgi_text_add(text, &value.data[i], 1);
        }
    }
}


void
tgi_text_add(tg_metrics_text_t *text, const char *data, size_t len)
{
    if (text->len < text->size && len <= text->size - text->len) {
        memcpy(text->data + text->len, data, len);
    }

    text->len += len;
}


void
tgi_text_str(tg_metrics_text_t *text, const char *string)
{
    tgi_text_add(text, string, strlen(string));
}


void
tgi_text_format(tg_metrics_text_t *text, const char *format, ...)
{
    int      n;
    char     piece[PIECE_MAX];
    va_list  args;

    va_start(args, format);
    n = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);

    if (n > 0 && (size_t) n < sizeof(piece)) {
        tgi_text_add(text, piece, (size_t) n);
    }
}
