
/*
 * Copyright (C) The Tailgate authors
 *
 * "/.metrics": golink's names where it has such a thing, and no more labels
 * than there is room for.
 */

#include "authd/app/links/page.h"

#include <string.h>


static void head(authd_links_out_t *out, const char *name, const char *type,
    const char *help);
static void value(authd_links_out_t *out, const char *name, uint64_t n);
static void labelled(authd_links_out_t *out, const char *name, tg_str_t path,
    uint64_t n);
static void clicks(authd_links_call_t *call, authd_links_out_t *out);
static void unknown(authd_links_call_t *call, authd_links_out_t *out);
static void raw(authd_links_out_t *out, const char *s);


void
authd_links_metrics(authd_links_call_t *call)
{
    authd_links_out_t      out;
    authd_links_counts_t  *counts;

    counts = &call->app->counts;

    authd_links_out_init(&out, &call->alloc);

    clicks(call, &out);
    unknown(call, &out);

    head(&out, "golinks_total", "gauge", "Links.");
    value(&out, "golinks_total", authd_links_index_n(call->app->index));

    head(&out, "tailgate_links_redirects_total", "counter",
         "Requests that were sent on.");
    value(&out, "tailgate_links_redirects_total", counts->redirects);
    head(&out, "tailgate_links_unknown_total", "counter",
         "Requests for names that are no links.");
    value(&out, "tailgate_links_unknown_total", counts->unknown);
    head(&out, "tailgate_links_failed_total", "counter",
         "Requests for links that led nowhere.");
    value(&out, "tailgate_links_failed_total", counts->failed);
    head(&out, "tailgate_links_saved_total", "counter",
         "Links that were made or changed here.");
    value(&out, "tailgate_links_saved_total", counts->saved);
    head(&out, "tailgate_links_deleted_total", "counter",
         "Links that were deleted here.");
    value(&out, "tailgate_links_deleted_total", counts->deleted);
    head(&out, "tailgate_links_refused_total", "counter",
         "Changes that were refused.");
    value(&out, "tailgate_links_refused_total", counts->refused);
    head(&out, "tailgate_links_unavailable_total", "counter",
         "Requests that the store or tailscaled did not answer.");
    value(&out, "tailgate_links_unavailable_total", counts->unavailable);
    head(&out, "tailgate_links_misdirected_total", "counter",
         "Requests for a Host that is not listed.");
    value(&out, "tailgate_links_misdirected_total", counts->misdirected);
    head(&out, "tailgate_links_steps_total", "counter",
         "Turns of the loop that long searches and exports took.");
    value(&out, "tailgate_links_steps_total", counts->steps);
    head(&out, "tailgate_links_store_up", "gauge",
         "Whether the store worked when it was last used.");
    value(&out, "tailgate_links_store_up",
          authd_store_works(call->app->store, NULL));

    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));
    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));

    authd_links_send(call, 200, "text/plain; version=0.0.4",
                     authd_links_out_done(&out));
}


/* Of the links that are followed most. */

static void
clicks(authd_links_call_t *call, authd_links_out_t *out)
{
    size_t                 i, n;
    authd_link_t           link;
    authd_links_entry_t  **entries;

    entries = authd_links_index_popular(call->app->index, &n);

    head(out, "golink_clicks_total", "counter",
         "Clicks of the links that have most.");

    for (i = 0; i < n && entries[i]->clicks != 0; i++) {
        authd_record_link(entries[i]->record, &link);
        labelled(out, "golink_clicks_total", link.name, entries[i]->clicks);
    }
}


static void
unknown(authd_links_call_t *call, authd_links_out_t *out)
{
    size_t                 i;
    authd_links_counts_t  *counts;

    counts = &call->app->counts;

    head(out, "golink_not_found_total", "counter",
         "Requests for names that are no links, of the first names.");

    for (i = 0; i < counts->nnames; i++) {
        labelled(out, "golink_not_found_total",
                 (tg_str_t) { counts->names[i].name, counts->names[i].len },
                 counts->names[i].n);
    }
}


static void
head(authd_links_out_t *out, const char *name, const char *type,
    const char *help)
{
    raw(out, "# HELP ");
    raw(out, name);
    raw(out, " ");
    raw(out, help);
    raw(out, "\n# TYPE ");
    raw(out, name);
    raw(out, " ");
    raw(out, type);
    raw(out, "\n");
}


static void
value(authd_links_out_t *out, const char *name, uint64_t n)
{
    raw(out, name);
    raw(out, " ");
    authd_links_out_number(out, n);
    raw(out, "\n");
}


static void
labelled(authd_links_out_t *out, const char *name, tg_str_t path, uint64_t n)
{
    size_t  i;

    raw(out, name);
    raw(out, "{path=\"");

    for (i = 0; i < path.len; i++) {

        if (path.data[i] == '"' || path.data[i] == '\\') {
            raw(out, "\\");
        }

        authd_links_out_raw(out, (tg_str_t) { path.data + i, 1 });
    }

    raw(out, "\"} ");
    authd_links_out_number(out, n);
    raw(out, "\n");
}


static void
raw(authd_links_out_t *out, const char *s)
{
    authd_links_out_raw(out, authd_links_str(s));
}
