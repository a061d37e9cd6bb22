
/*
 * Copyright (C) The Tailgate authors
 *
 * What is counted, by which name, and how it is written for Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version
 * 0.0.4).  nginx and tailgate-authd both take names, types and help texts from
 * here: one thing has one name, whoever tells it.
 */

#ifndef TAILGATE_METRICS_H_INCLUDED_
#define TAILGATE_METRICS_H_INCLUDED_

#include <tailgate/base.h>


/* What only ever grows.  An array of TG_COUNT_MAX of them starts as zeroes. */

#define TG_METRICS_BUCKETS  12

typedef enum {
    TG_COUNT_LOOKUPS = 0,      /* WhoIs calls to tailscaled */
    TG_COUNT_HITS,             /* answered by what was kept */
    TG_COUNT_MISSES,           /* nothing that was kept would do */
    TG_COUNT_NEGATIVE,         /* hits that say: nobody */
    TG_COUNT_COALESCED,        /* waited for a call that was under way */
    TG_COUNT_EVICTED_BUS,
    TG_COUNT_EVICTED_TTL,
    TG_COUNT_EVICTED_LRU,
    TG_COUNT_STALE,            /* answers past their end that were used */
    TG_COUNT_LIMITED,          /* misses refused to a source with too many */

    TG_COUNT_ERROR_CONNECT,    /* no connection to the LocalAPI's socket */
    TG_COUNT_ERROR_TIMEOUT,
    TG_COUNT_ERROR_CLOSED,     /* it ended before the answer did */
    TG_COUNT_ERROR_STATUS,     /* an HTTP status that is no answer */
    TG_COUNT_ERROR_MALFORMED,  /* not HTTP, too large, or no such JSON */
    TG_COUNT_ERROR_INTERNAL,   /* no memory or descriptors to ask with */

    TG_COUNT_DURATION,         /* of LocalAPI calls, in microseconds */
    TG_COUNT_BUCKET,           /* ... and TG_METRICS_BUCKETS behind it */
    TG_COUNT_MAX = TG_COUNT_BUCKET + TG_METRICS_BUCKETS + 1
} tg_count_t;

#define TG_COUNT_ERRORS  (TG_COUNT_ERROR_INTERNAL - TG_COUNT_ERROR_CONNECT + 1)

/* "connect", "timeout", ...; count is one of TG_COUNT_ERROR_*. */

const char *tg_metrics_error_name(tg_count_t count);

/* Adds a call to the LocalAPI that took so long. */

void tg_metrics_duration(uint64_t counts[TG_COUNT_MAX], uint64_t usec);


/* What became of a request.  The first three are told of every route. */

typedef enum {
    TG_OUTCOME_ALLOW = 0,
    TG_OUTCOME_DENY,
    TG_OUTCOME_UNAVAILABLE,    /* nobody could say */
    TG_OUTCOME_BAD_REQUEST,    /* a proxy's statement made no sense */
    TG_OUTCOME_UNLISTED,       /* a proxy that is not listed */
    TG_OUTCOME_ABORTED,        /* the client went away */
    TG_OUTCOME_OPTIONAL,       /* no rule let it in, and none was needed */
    TG_OUTCOME_MAX
} tg_outcome_t;

#define TG_OUTCOME_ALWAYS  (TG_OUTCOME_UNAVAILABLE + 1)

/* "allow", "deny", "unavailable", "bad_request", ... */

const char *tg_outcome_name(tg_outcome_t outcome);


/*
 * Routes are counted each for itself, up to so many of names up to so long;
 * the others count together, and so do decisions about no route.  Their labels
 * have brackets, which no name of a route has.
 */

#define TG_METRICS_ROUTES      100
#define TG_METRICS_ROUTE_NAME  64

#define TG_METRICS_OTHER  "(other)"
#define TG_METRICS_NONE   "(none)"

typedef struct {
    tg_str_t  name;
    uint64_t  outcomes[TG_OUTCOME_MAX];
} tg_metrics_route_t;


typedef enum {
    TG_BUS_LOST = 0,           /* no answer outlives its request */
    TG_BUS_FOLLOWED,
    TG_BUS_NONE                /* a tailscaled without one: the ttl alone */
} tg_bus_state_t;

#define TG_BUS_STATES  3

/* "lost", "followed", "none". */

const char *tg_bus_state_name(tg_bus_state_t state);


/* A policy file in force. */

typedef struct {
    tg_str_t  file;
    tg_str_t  digest;
} tg_metrics_policy_t;


/* What both tell.  The strings and arrays are borrowed. */

typedef struct {
    const char                 *component;    /* "nginx", "authd" */
    const char                 *version;
    uint64_t                    counts[TG_COUNT_MAX];
    const tg_metrics_route_t   *routes;
    size_t                      nroutes;
    const tg_metrics_policy_t  *policies;
    size_t                      npolicies;
    uint64_t                    reloads;
    uint64_t                    reloads_failed;
    uint64_t                    config_time;  /* seconds since the epoch */
    bool                        config_ok;
    bool                        cached;       /* answers are kept */
    tg_bus_state_t              bus;          /* if cached */
    uint64_t                    entries;
    uint64_t                    bytes;        /* that entries take */
    uint64_t                    capacity;     /* bytes, at most */
} tg_metrics_t;


/* Every metric that there is.  Those behind TG_METRIC_COMMON are authd's. */

typedef enum {
    TG_METRIC_BUILD_INFO = 0,
    TG_METRIC_DECISIONS,
    TG_METRIC_LOOKUPS,
    TG_METRIC_HITS,
    TG_METRIC_MISSES,
    TG_METRIC_NEGATIVE,
    TG_METRIC_COALESCED,
    TG_METRIC_EVICTED,
    TG_METRIC_STALE,
    TG_METRIC_LIMITED,
    TG_METRIC_ERRORS,
    TG_METRIC_DURATION,
    TG_METRIC_BUS,
    TG_METRIC_ENTRIES,
    TG_METRIC_BYTES,
    TG_METRIC_CAPACITY,
    TG_METRIC_POLICY,
    TG_METRIC_RELOADS,
    TG_METRIC_RELOADS_FAILED,
    TG_METRIC_CONFIG_OK,
    TG_METRIC_CONFIG_TIME,
    TG_METRIC_COMMON,
    TG_METRIC_REQUESTS = TG_METRIC_COMMON,
    TG_METRIC_REQUEST_DURATION,
    TG_METRIC_MALFORMED,
    TG_METRIC_AUDIT_FAILED,
    TG_METRIC_CONNECTIONS,
    TG_METRIC_BAD_GRANTS,
    TG_METRIC_POLICY_ERRORS,
    TG_METRIC_MAX
} tg_metric_id_t;

typedef struct {
    const char  *name;
    const char  *type;         /* "counter", "gauge", "histogram" */
    const char  *help;
} tg_metric_t;

const tg_metric_t *tg_metric(tg_metric_id_t id);


/*
 * Where text is written to: at most size bytes at data, which may be NULL if
 * size is 0.  len is what all of it takes: while it is more than size the text
 * is not whole, and to be written again into so much memory.
 */

typedef struct {
    char    *data;
    size_t   size;
    size_t   len;
} tg_metrics_text_t;

typedef struct {
    const char  *name;
    tg_str_t     value;        /* any bytes: they are escaped */
} tg_metrics_label_t;

/*
 * tg_metrics_head() writes the lines about a metric that go before its values,
 * tg_metrics_value() one value.  tg_metrics_histogram() writes a histogram
 * whole: n counts, and one more of what is above all bounds; bounds and sum
 * are microseconds.  tg_metrics_write() writes all that both tell.
 */

void tg_metrics_head(tg_metrics_text_t *text, tg_metric_id_t id);
void tg_metrics_value(tg_metrics_text_t *text, tg_metric_id_t id,
    const tg_metrics_label_t *labels, size_t nlabels, uint64_t value);
void tg_metrics_histogram(tg_metrics_text_t *text, tg_metric_id_t id,
    const uint32_t *bounds, const uint64_t *counts, size_t n, uint64_t sum);
void tg_metrics_write(tg_metrics_text_t *text, const tg_metrics_t *metrics);


#endif /* TAILGATE_METRICS_H_INCLUDED_ */
