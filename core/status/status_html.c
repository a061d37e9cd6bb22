
/*
 * Copyright (C) The Tailgate authors
 *
 * The status for people: one page without a script.
 */

#include "core/status/status.h"
#include "core/base/base.h"
#include "core/base/metrics.h"
#include "assets/core_assets.h"

#include <tailgate/addr.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>


#define TIME_MAX  32


static void write_node(tg_metrics_text_t *text, const tg_status_page_t *page);
static void write_localapi(tg_metrics_text_t *text,
    const tg_status_page_t *page);
static void write_config(tg_metrics_text_t *text,
    const tg_status_page_t *page);
static void write_cache(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_hits(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_policies(tg_metrics_text_t *text, const tg_metrics_t *m);
static void write_decisions(tg_metrics_text_t *text, const tg_metrics_t *m);
static void section(tg_metrics_text_t *text, const char *title);
static void row(tg_metrics_text_t *text, const char *label, tg_str_t value);
static void row_text(tg_metrics_text_t *text, const char *label,
    const char *value);
static void row_number(tg_metrics_text_t *text, const char *label,
    uint64_t value);
static void row_time(tg_metrics_text_t *text, const char *label,
    int64_t seconds);
static void cell_number(tg_metrics_text_t *text, uint64_t value);
static void escape(tg_metrics_text_t *text, tg_str_t value);


void
tgi_status_html(tg_metrics_text_t *text, const tg_status_page_t *page)
{
    const tg_metrics_t *const  m = &page->metrics;

    tgi_text_str(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                 "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                 "content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"robots\" content=\"noindex\">\n"
                 "<title>Tailgate</title>\n<style>");
    tgi_text_add(text, (const char *) tgi_asset_status_status_css,
                 tgi_asset_status_status_css_len);
    tgi_text_str(text, "</style>\n</head>\n<body>\n<main>\n"
                 "<h1>Tailgate</h1>\n");

    write_node(text, page);
    write_localapi(text, page);
    write_config(text, page);
    write_policies(text, m);
    write_cache(text, m);
    write_decisions(text, m);

    tgi_text_str(text, "<p>For programs: <a href=\"?format=json\">JSON</a>, "
                 "<a href=\"?format=prometheus\">Prometheus</a></p>\n"
                 "</main>\n</body>\n</html>\n");
}


static void
write_node(tg_metrics_text_t *text, const tg_status_page_t *page)
{
    char              addr[TG_ADDR_TEXT_MAX];
    size_t            i, n;
    const tg_self_t  *self;

    self = page->self;

    section(text, "This node");

    if (self == NULL) {
        row_text(text, "State", "not known: nobody had to be identified yet, "
                 "or tailscaled does not tell");
        tgi_text_str(text, "</dl>\n");
        return;
    }

    row(text, "Name", self->node);
    row(text, "ID", self->node_id);
    row(text, "Tailnet", self->tailnet);
    row(text, "State", self->state);

    for (i = 0; i < self->naddrs; i++) {
        n = tg_addr_format(&self->addrs[i], false, addr);
        row(text, "Address", (tg_str_t) { addr, n });
    }

    row(text, "tailscaled", self->version);

    for (i = 0; i < self->health.n; i++) {
        row(text, "Health", self->health.items[i]);
    }

    tgi_text_str(text, "</dl>\n");
}


static void
write_localapi(tg_metrics_text_t *text, const tg_status_page_t *page)
{
    size_t                     i;
    uint64_t                   calls;
    tg_count_t                 kind;
    const tg_metrics_t *const  m = &page->metrics;

    section(text, "tailscaled");

    row(text, "Socket", page->socket);

    calls = 0;

    for (i = 0; i <= TG_METRICS_BUCKETS; i++) {
        calls += m->counts[TG_COUNT_BUCKET + i];
    }

    row_number(text, "Calls", calls);

    if (calls != 0) {
        tgi_text_format(text, "<dt>Mean time</dt><dd>%" PRIu64 " us</dd>\n",
                        m->counts[TG_COUNT_DURATION] / calls);
    }

    for (kind = TG_COUNT_ERROR_CONNECT; kind <= TG_COUNT_ERROR_INTERNAL; kind++)
    {
        tgi_text_format(text, "<dt>Errors: %s</dt><dd>%" PRIu64 "</dd>\n",
                        tg_metrics_error_name(kind), m->counts[kind]);
    }

    if (page->error.len != 0) {
        row(text, "Last error", page->error);
        row_time(text, "... at", page->error_time);

    } else {
        row_text(text, "Last error", "none");
    }

    tgi_text_str(text, "</dl>\n");
}


static void
write_config(tg_metrics_text_t *text, const tg_status_page_t *page)
{
    const tg_metrics_t *const  m = &page->metrics;

    section(text, "Configuration");

    row_text(text, "Part", m->component);
    row_text(text, "Version", m->version);
    row_number(text, "Processes", page->workers);
    row_time(text, "Time", page->now);
    row_time(text, "Loaded", (int64_t) m->config_time);
    row_number(text, "Reloads", m->reloads);
    row_number(text, "Reloads refused", m->reloads_failed);

    if (!m->config_ok) {
        tgi_text_str(text, "<dt>Last reload</dt><dd class=\"bad\">refused: "
                     "what was in force before it still is; the log says why"
                     "</dd>\n");
    }

    tgi_text_str(text, "</dl>\n");
}


static void
write_policies(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t  i;

    tgi_text_str(text, "<h2>Policy files</h2>\n");

    if (m->npolicies == 0) {
        tgi_text_str(text, "<p>none</p>\n");
        return;
    }

    tgi_text_str(text, "<table>\n<tr><th>File</th><th>Digest</th></tr>\n");

    for (i = 0; i < m->npolicies; i++) {
        tgi_text_str(text, "<tr><td>");
        escape(text, m->policies[i].file);
        tgi_text_str(text, "</td><td>");
        escape(text, m->policies[i].digest);
        tgi_text_str(text, "</td></tr>\n");
    }

    tgi_text_str(text, "</table>\n");
}


static void
write_cache(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t  i;

    static const char *const  states[TG_BUS_STATES] = {
        "lost: each peer is asked for anew until it is back",
        "followed: changes count within a second",
        "none: this tailscaled is too old for one, changes count after ttl"
    };

    section(text, "Cache");

    if (!m->cached) {
        row_text(text, "State", "off");

    } else {
        tgi_text_format(text, "<dt>Bus</dt><dd%s>%s</dd>\n",
                        m->bus == TG_BUS_LOST ? " class=\"bad\"" : "",
                        states[m->bus]);
        row_number(text, "Answers", m->entries);
        tgi_text_format(text, "<dt>Memory</dt><dd>%" PRIu64 " of %" PRIu64
                        " bytes, %" PRIu64 " %%</dd>\n", m->bytes,
                        m->capacity,
                        m->capacity ? m->bytes * 100 / m->capacity : 0);
    }

    write_hits(text, m);

    for (i = 0; i < tgi_status_ncounts; i++) {
        row_number(text, tgi_status_counts[i].label,
                   m->counts[tgi_status_counts[i].count]);
    }

    tgi_text_str(text, "</dl>\n");
}


static void
write_hits(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    uint64_t  all;

    all = m->counts[TG_COUNT_HITS] + m->counts[TG_COUNT_MISSES];

    if (all == 0) {
        row_text(text, "Hit ratio", "nobody was identified yet");
        return;
    }

    tgi_text_format(text, "<dt>Hit ratio</dt><dd>%.1f %%</dd>\n",
                    (double) m->counts[TG_COUNT_HITS] * 100 / (double) all);
}


/* The outcomes that are rare are one column. */

static void
write_decisions(tg_metrics_text_t *text, const tg_metrics_t *m)
{
    size_t    i, j;
    uint64_t  rest;

    tgi_text_str(text, "<h2>Decisions by route</h2>\n<table>\n<tr>"
                 "<th>Route</th><th class=\"n\">Allowed</th>"
                 "<th class=\"n\">Denied</th><th class=\"n\">Unavailable</th>"
                 "<th class=\"n\">Other</th></tr>\n");

    for (i = 0; i < m->nroutes; i++) {
        tgi_text_str(text, "<tr><td>");
        escape(text, m->routes[i].name);
        tgi_text_str(text, "</td>");

        rest = 0;

        for (j = 0; j < TG_OUTCOME_MAX; j++) {
            if (j < TG_OUTCOME_ALWAYS) {
                cell_number(text, m->routes[i].outcomes[j]);

            } else {
                rest += m->routes[i].outcomes[j];
            }
        }

        cell_number(text, rest);
        tgi_text_str(text, "</tr>\n");
    }

    tgi_text_str(text, "</table>\n");
}


static void
section(tg_metrics_text_t *text, const char *title)
{
    tgi_text_format(text, "<h2>%s</h2>\n<dl>\n", title);
}


static void
row(tg_metrics_text_t *text, const char *label, tg_str_t value)
{
    tgi_text_format(text, "<dt>%s</dt><dd>", label);
    escape(text, value);
    tgi_text_str(text, "</dd>\n");
}


static void
row_text(tg_metrics_text_t *text, const char *label, const char *value)
{
    row(text, label, (tg_str_t) { value, strlen(value) });
}


static void
row_number(tg_metrics_text_t *text, const char *label, uint64_t value)
{
    tgi_text_format(text, "<dt>%s</dt><dd>%" PRIu64 "</dd>\n", label, value);
}


static void
row_time(tg_metrics_text_t *text, const char *label, int64_t seconds)
{
    char       buf[TIME_MAX];
    time_t     t;
    struct tm  tm;

    t = (time_t) seconds;

    if (gmtime_r(&t, &tm) == NULL
        || strftime(buf, TIME_MAX, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
    {
        return;
    }

    row_text(text, label, buf);
}


static void
cell_number(tg_metrics_text_t *text, uint64_t value)
{
    tgi_text_format(text, "<td class=\"n\">%" PRIu64 "</td>", value);
}


static void
escape(tg_metrics_text_t *text, tg_str_t value)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < value.len; i += n) {

        n = tgi_utf8_char(value.data + i, value.len - i, &c);

        if (n == 0 || tgi_is_control(c)) {
            n = n ? n : 1;
            tgi_text_add(text, "?", 1);
            continue;
        }

        switch (c) {

        case '&':
            tgi_text_str(text, "&amp;");
            break;

        case '<':
            tgi_text_str(text, "&lt;");
            break;

        case '>':
            tgi_text_str(text, "&gt;");
            break;

        case '"':
            tgi_text_str(text, "&quot;");
            break;

        case '\'':
            tgi_text_str(text, "&#39;");
            break;

        default:
            tgi_text_add(text, value.data + i, n);
        }
    }
}
