
/*
 * Copyright (C) The Tailgate authors
 *
 * The status for programs.
 */

#include "core/status/status.h"
#include "core/base/base.h"

#include <tailgate/addr.h>

#include <jansson.h>

#include <stdlib.h>
#include <string.h>


static json_t *page_json(const tg_status_page_t *page);
static json_t *node_json(const tg_self_t *self);
static json_t *localapi_json(const tg_status_page_t *page);
static json_t *cache_json(const tg_metrics_t *m);
static json_t *config_json(const tg_metrics_t *m);
static json_t *policies_json(const tg_metrics_t *m);
static json_t *decisions_json(const tg_metrics_t *m);
static json_t *string_json(tg_str_t value);
static json_t *clean_json(tg_str_t value);


int
tgi_status_json(tg_metrics_text_t *text, const tg_status_page_t *page)
{
    int      rc;
    size_t   len, room;
    json_t  *root;

    rc = TG_ERR_NOMEM;
    root = page_json(page);

    if (root == NULL) {
        return rc;
    }

    room = text->len < text->size ? text->size - text->len : 0;
    len = json_dumpb(root, room ? text->data + text->len : NULL, room,
                     JSON_INDENT(2));

    if (len != 0) {
        text->len += len;
        rc = TG_OK;
    }

    json_decref(root);

    return rc;
}


/* json_pack() takes what it is given, also when it fails. */

static json_t *
page_json(const tg_status_page_t *page)
{
    size_t                     i;
    json_t                    *counters;
    const tg_metrics_t *const  m = &page->metrics;

    counters = json_object();

    for (i = 0; i < tgi_status_ncounts; i++) {
        if (json_object_set_new(counters, tgi_status_counts[i].key,
                 json_integer((json_int_t)
                              m->counts[tgi_status_counts[i].count]))
            != 0)
        {
            json_decref(counters);
            return NULL;
        }
    }

    return json_pack("{s:s, s:s, s:I, s:I, s:o*, s:o, s:o, s:o, s:o, s:o, s:o,"
                     " s:o}",
                     "component", m->component,
                     "version", m->version,
                     "time", (json_int_t) page->now,
                     "workers", (json_int_t) page->workers,
                     "node", page->self ? node_json(page->self) : NULL,
                     "localapi", localapi_json(page),
                     "cache", cache_json(m),
                     "counters", counters,
                     "config", config_json(m),
                     "digest", string_json(page->digest),
                     "policies", policies_json(m),
                     "decisions", decisions_json(m));
}


static json_t *
node_json(const tg_self_t *self)
{
    char     addr[TG_ADDR_TEXT_MAX];
    size_t   i, n;
    json_t  *addrs, *health;

    addrs = json_array();
    health = json_array();

    for (i = 0; i < self->naddrs; i++) {
        n = tg_addr_format(&self->addrs[i], false, addr);
        (void) json_array_append_new(addrs, json_stringn(addr, n));
    }

    for (i = 0; i < self->health.n; i++) {
        (void) json_array_append_new(health,
                                     string_json(self->health.items[i]));
    }

    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
                     "name", string_json(self->node),
                     "id", string_json(self->node_id),
                     "tailnet", string_json(self->tailnet),
                     "state", string_json(self->state),
                     "running", (int) self->running,
                     "tailscaled", string_json(self->version),
                     "addresses", addrs,
                     "health", health);
}


static json_t *
localapi_json(const tg_status_page_t *page)
{
    size_t                     i;
    json_t                    *errors;
    uint64_t                   calls;
    tg_count_t                 kind;
    const tg_metrics_t *const  m = &page->metrics;

    errors = json_object();

    for (kind = TG_COUNT_ERROR_CONNECT; kind <= TG_COUNT_ERROR_INTERNAL; kind++)
    {
        (void) json_object_set_new(errors, tg_metrics_error_name(kind),
                             json_integer((json_int_t) m->counts[kind]));
    }

    calls = 0;

    for (i = 0; i <= TG_METRICS_BUCKETS; i++) {
        calls += m->counts[TG_COUNT_BUCKET + i];
    }

    return json_pack("{s:o, s:I, s:I, s:o, s:o, s:I}",
                     "socket", string_json(page->socket),
                     "calls", (json_int_t) calls,
                     "microseconds",
                     (json_int_t) m->counts[TG_COUNT_DURATION],
                     "errors", errors,
                     "error", string_json(page->error),
                     "error_time", (json_int_t) page->error_time);
}


static json_t *
cache_json(const tg_metrics_t *m)
{
    if (!m->cached) {
        return json_pack("{s:b}", "kept", 0);
    }

    return json_pack("{s:b, s:s, s:I, s:I, s:I}", "kept", 1,
                     "bus", tg_bus_state_name(m->bus),
                     "entries", (json_int_t) m->entries,
                     "bytes", (json_int_t) m->bytes,
                     "capacity", (json_int_t) m->capacity);
}


static json_t *
config_json(const tg_metrics_t *m)
{
    return json_pack("{s:b, s:I, s:I, s:I}", "ok", (int) m->config_ok,
                     "time", (json_int_t) m->config_time,
                     "reloads", (json_int_t) m->reloads,
                     "reloads_failed", (json_int_t) m->reloads_failed);
}


static json_t *
policies_json(const tg_metrics_t *m)
{
    size_t   i;
    json_t  *list;

    list = json_array();

    for (i = 0; i < m->npolicies; i++) {
        (void) json_array_append_new(list,
                 json_pack("{s:o, s:o}",
                           "file", string_json(m->policies[i].file),
                           "digest", string_json(m->policies[i].digest)));
    }

    return list;
}


static json_t *
decisions_json(const tg_metrics_t *m)
{
    size_t   i, j;
    json_t  *list, *route;

    list = json_array();

    for (i = 0; i < m->nroutes; i++) {
        route = json_pack("{s:o}", "route", string_json(m->routes[i].name));

        for (j = 0; j < TG_OUTCOME_MAX; j++) {
            (void) json_object_set_new(route,
                      tg_outcome_name((tg_outcome_t) j),
                      json_integer((json_int_t) m->routes[i].outcomes[j]));
        }

        (void) json_array_append_new(list, route);
    }

    return list;
}


static json_t *
string_json(tg_str_t value)
{
    if (value.len == 0) {
        return json_string("");
    }

    if (tgi_text_check(value.data, value.len) != TG_OK) {
        return clean_json(value);
    }

    return json_stringn(value.data, value.len);
}


/* What is no UTF-8 or a control character becomes "?". */

static json_t *
clean_json(tg_str_t value)
{
    char      *p;
    size_t     i, n, len;
    json_t    *json;
    uint32_t   c;

    p = malloc(value.len);

    if (p == NULL) {
        return NULL;
    }

    len = 0;

    for (i = 0; i < value.len; i += n) {
        n = tgi_utf8_char(value.data + i, value.len - i, &c);

        if (n == 0 || tgi_is_control(c)) {
            p[len++] = '?';
            n = n ? n : 1;

        } else {
            memcpy(p + len, value.data + i, n);
            len += n;
        }
    }

    json = json_stringn(p, len);
    free(p);

    return json;
}
