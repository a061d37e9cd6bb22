
/*
 * Copyright (C) The Tailgate authors
 *
 * How often a link was followed, day by day.
 */

#include "authd/app/links/api.h"
#include "core/base/base.h"

#include <inttypes.h>
#include <stdio.h>


#define DAY  86400


static bool day_argument(authd_links_call_t *call, const char *name,
    int32_t *day);
static void clicks_done(void *data, const authd_store_counts_t *counts);
static void clicks_csv(authd_links_call_t *call,
    const authd_store_counts_t *counts);


void
authd_links_api_clicks(authd_links_call_t *call)
{
    int32_t               from, to;
    tg_str_t              format;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(call->app->index, call->name);

    if (entry == NULL) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    from = INT32_MIN;
    to = INT32_MAX;
    format = authd_links_arg(call, "format");

    if (!day_argument(call, "from", &from) || !day_argument(call, "to", &to)
        || (format.len != 0 && !authd_links_equal(format, "csv")
            && !authd_links_equal(format, "json")))
    {
        authd_links_fault(call, 400, "from and to have to be days, such as"
                          " 2026-12-31, format json or csv");
        return;
    }

    authd_record_link(entry->record, &link);

    /* what was counted since is told, too */

    authd_links_flush(call->app);

    authd_links_wait(call);

    if (authd_store_clicks(call->app->store, link.uid, from, to, false,
                           clicks_done, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


static bool
day_argument(authd_links_call_t *call, const char *name, int32_t *day)
{
    int64_t   seconds;
    tg_str_t  arg, text;

    arg = authd_links_arg(call, name);

    if (arg.len == 0) {
        return true;
    }

    text = authd_links_format(&call->alloc, "%.*sT00:00:00Z", (int) arg.len,
                              arg.data);

    if (tgi_time_parse(&seconds, text.data, text.len) != TG_OK) {
        return false;
    }

    *day = (int32_t) (seconds / DAY);

    return true;
}


static void
clicks_done(void *data, const authd_store_counts_t *counts)
{
    size_t               i;
    json_t              *days;
    tg_str_t             day;
    authd_links_call_t  *call;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (counts->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, counts->retry, counts->text);
        return;
    }

    if (authd_links_equal(authd_links_arg(call, "format"), "csv")) {
        clicks_csv(call, counts);
        return;
    }

    days = json_array();

    for (i = 0; i < counts->n; i++) {
        day = authd_links_day(&call->alloc,
                              (int64_t) counts->clicks[i].day * DAY);
        (void) json_array_append_new(days,
                   json_pack("{s:o, s:I}", "day",
                             json_stringn(day.data, day.len), "n",
                             (json_int_t) counts->clicks[i].n));
    }

    authd_links_send_json(call, 200,
                          json_pack("{s:o, s:o}", "name",
                                    json_stringn(call->name.data,
                                                 call->name.len),
                                    "clicks", days));
}


static void
clicks_csv(authd_links_call_t *call, const authd_store_counts_t *counts)
{
    char      *text;
    size_t     i, len, size;
    tg_str_t   day;

    len = 0;
    size = 64 + counts->n * 48;
    text = call->alloc.alloc(call->alloc.ctx, size);

    if (text == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    len += (size_t) snprintf(text, size, "day,clicks\n");

    for (i = 0; i < counts->n; i++) {
        day = authd_links_day(&call->alloc,
                              (int64_t) counts->clicks[i].day * DAY);
        len += (size_t) snprintf(text + len, size - len, "%.*s,%" PRIu64 "\n",
                                 (int) day.len, day.data,
                                 counts->clicks[i].n);
    }

    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));

    authd_links_send(call, 200, "text/csv; charset=utf-8",
                     (tg_str_t) { text, len });
}
