
/*
 * Copyright (C) The Tailgate authors
 *
 * The operations that change nothing.
 */

#include "authd/app/links/api.h"
#include "authd/app/links/export.h"
#include "authd/app/links/turn.h"
#include "core/base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define LIMIT          100
#define LIMIT_MAX      1000
#define SUGGESTIONS    10
#define HISTORY_MAX    1000
#define DAY            86400


static void list_found(authd_links_call_t *call,
    const authd_links_found_t *found);
static void suggest_found(authd_links_call_t *call,
    const authd_links_found_t *found);
static bool list_arguments(authd_links_call_t *call,
    authd_links_search_t *search);
static bool number(tg_str_t text, size_t min, size_t max, size_t *n);
static void history_done(void *data, const authd_store_history_t *history);
static json_t *history_entry(const authd_store_entry_t *entry);
static json_t *record_json(authd_record_t *record);
static bool day_argument(authd_links_call_t *call, const char *name,
    int32_t *day);
static void clicks_done(void *data, const authd_store_counts_t *counts);
static void clicks_csv(authd_links_call_t *call,
    const authd_store_counts_t *counts);


void
authd_links_api_list(authd_links_call_t *call)
{
    authd_links_search_t  *search;

    search = call->alloc.alloc(call->alloc.ctx, sizeof(authd_links_search_t));

    if (search == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    if (list_arguments(call, search)) {
        call->data = search;
        authd_links_find(call, search, list_found);
    }
}


void
authd_links_api_export(authd_links_call_t *call)
{
    tg_str_t             format;
    authd_links_lines_t  lines;

    format = authd_links_arg(call, "format");

    if (authd_links_equal(format, "golink")) {
        lines = AUTHD_LINKS_LINES_GOLINK;

    } else if (format.len == 0 || authd_links_equal(format, "full")) {
        lines = AUTHD_LINKS_LINES_FULL;

    } else {
        authd_links_fault(call, 400, "format has to be golink or full");
        return;
    }

    authd_links_export_lines(call, lines, "application/x-ndjson");
}


/* As a redirect would, but for the click. */

void
authd_links_api_resolve(authd_links_call_t *call)
{
    int                   rc;
    tg_str_t              path;
    const char           *mark;
    authd_link_t          link;
    authd_links_walk_t    walk;

    path = authd_links_arg(call, "path");

    if (path.len == 0 || path.data[0] != '/') {
        authd_links_fault(call, 400, "path has to be a path, such as"
                          " /wiki/page");
        return;
    }

    mark = memchr(path.data, '?', path.len);

    walk.path = path;
    walk.query = (tg_str_t) TG_NULL_STR;
    walk.user = &call->who.login;
    walk.whole = true;

    if (mark != NULL) {
        walk.path.len = (size_t) (mark - path.data);
        walk.query.data = mark + 1;
        walk.query.len = path.len - walk.path.len - 1;
    }

    rc = authd_links_walk(call->app, &walk, &call->alloc);

    if (rc == TG_OK && !walk.details) {
        authd_record_link(walk.through[0]->record, &link);
        authd_links_send_json(call, 200,
                 json_pack("{s:o, s:o}", "name",
                           json_stringn(link.name.data, link.name.len), "url",
                           json_stringn(walk.location.data,
                                        walk.location.len)));
        return;
    }

    if (rc == TG_LINK_NO_USER) {
        authd_links_fault(call, 401, "link requires a valid user");

    } else if (rc == TG_ERR_ABSENT || rc == TG_ERR_RANGE || walk.details) {
        authd_links_fault(call, 404, rc == TG_ERR_RANGE
                                     ? "the link has expired"
                                     : "there is no such link");

    } else {
        authd_links_fault(call, 400, walk.text[0] ? walk.text
                                                  : tg_strerror(rc));
    }
}


/* [query, [names], [descriptions], [URLs]], as OpenSearch suggestions 1.1 */

void
authd_links_api_suggest(authd_links_call_t *call)
{
    authd_links_search_t  search;

    memset(&search, 0, sizeof(search));

    search.text = authd_links_arg(call, "q");
    search.limit = SUGGESTIONS;

    if (search.text.len == 0) {
        authd_links_fault(call, 400, "q is missing");
        return;
    }

    authd_links_find(call, &search, suggest_found);
}


void
authd_links_api_history(authd_links_call_t *call)
{
    char      buf[TG_LINK_NAME_MAX];
    tg_str_t  id;

    id.data = buf;
    id.len = tg_link_id(call->name, buf);

    if (id.len == 0) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    authd_links_wait(call);

    if (authd_store_history(call->app->store, id, 0, HISTORY_MAX,
                            history_done, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


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


static void
list_found(authd_links_call_t *call, const authd_links_found_t *found)
{
    size_t                       i;
    json_t                      *json, *links;
    authd_link_t                 link;
    const authd_links_search_t  *search;

    search = call->data;
    links = json_array();

    for (i = 0; i < found->n; i++) {
        authd_record_link(found->items[i]->record, &link);
        (void) json_array_append_new(links,
                           authd_links_json(&link, found->items[i]->clicks));
    }

    json = json_pack("{s:o, s:I}", "links", links, "total",
                     (json_int_t) found->total);

    if (json != NULL && found->more) {
        (void) json_object_set_new(json, "next",
                                   json_sprintf("%zu", search->offset
                                                       + search->limit));
    }

    authd_links_send_json(call, 200, json);
}


static void
suggest_found(authd_links_call_t *call, const authd_links_found_t *found)
{
    char          *dump;
    size_t         i;
    json_t        *json, *names, *texts, *urls;
    tg_str_t       site, q, body;
    authd_link_t   link;

    q = authd_links_arg(call, "q");
    site = authd_links_site(call);
    names = json_array();
    texts = json_array();
    urls = json_array();

    for (i = 0; i < found->n; i++) {
        authd_record_link(found->items[i]->record, &link);

        (void) json_array_append_new(names, json_stringn(link.name.data,
                                                         link.name.len));
        (void) json_array_append_new(texts,
                   json_stringn(link.description.len ? link.description.data
                                                     : link.url.data,
                                link.description.len ? link.description.len
                                                     : link.url.len));
        (void) json_array_append_new(urls,
                   json_sprintf("%.*s/%.*s", (int) site.len, site.data,
                                (int) link.name.len, link.name.data));
    }

    json = json_pack("[o, o, o, o]", json_stringn(q.data, q.len), names,
                     texts, urls);
    dump = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);

    if (dump == NULL) {
        authd_links_fault(call, 400, "q is no UTF-8");
        return;
    }

    body = authd_links_format(&call->alloc, "%s\n", dump);
    free(dump);

    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));

    authd_links_send(call, 200, "application/x-suggestions+json", body);
}


static bool
list_arguments(authd_links_call_t *call, authd_links_search_t *search)
{
    size_t    i;
    tg_str_t  sort, arg;

    static const char *const  sorts[] = { "", "name", "clicks", "edited" };

    memset(search, 0, sizeof(authd_links_search_t));

    search->limit = LIMIT;
    search->text = authd_links_arg(call, "q");
    search->tag = authd_links_arg(call, "tag");
    search->owner = authd_links_arg(call, "owner");
    search->has_owner = search->owner.len != 0;

    if (authd_links_equal(search->owner, "me")) {
        search->owner = call->who.login;
    }

    sort = authd_links_arg(call, "sort");

    for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        if (authd_links_equal(sort, sorts[i])) {
            break;
        }
    }

    search->sort = (authd_links_sort_t) i;

    if (i == sizeof(sorts) / sizeof(sorts[0])) {
        authd_links_fault(call, 400, "sort has to be name, clicks or edited");
        return false;
    }

    arg = authd_links_arg(call, "limit");

    if (arg.len != 0 && !number(arg, 1, LIMIT_MAX, &search->limit)) {
        authd_links_fault(call, 400, "limit has to be a number from 1 to"
                          " 1000");
        return false;
    }

    arg = authd_links_arg(call, "cursor");

    if (arg.len != 0 && !number(arg, 0, SIZE_MAX / 2, &search->offset)) {
        authd_links_fault(call, 400, "cursor is none that was given");
        return false;
    }

    return true;
}


static bool
number(tg_str_t text, size_t min, size_t max, size_t *n)
{
    size_t  i;

    *n = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9' || i == 18) {
            return false;
        }

        *n = *n * 10 + (size_t) (text.data[i] - '0');
    }

    return *n >= min && *n <= max;
}


static void
history_done(void *data, const authd_store_history_t *history)
{
    size_t               i;
    json_t              *entries;
    authd_links_call_t  *call;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, history->retry, history->text);
        return;
    }

    if (history->n == 0) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    entries = json_array();

    for (i = 0; i < history->n; i++) {
        (void) json_array_append_new(entries,
                                     history_entry(&history->entries[i]));
    }

    authd_links_send_json(call, 200, json_pack("{s:o}", "history", entries));
}


static json_t *
history_entry(const authd_store_entry_t *entry)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}",
                     "seq", (json_int_t) entry->seq,
                     "time", authd_links_json_time(entry->at),
                     "who", json_stringn(entry->who.data ? entry->who.data
                                                         : "", entry->who.len),
                     "action", json_stringn(entry->action.data,
                                            entry->action.len),
                     "before", record_json(entry->before),
                     "after", record_json(entry->after));
}


static json_t *
record_json(authd_record_t *record)
{
    json_t        *json;
    authd_link_t   link;

    if (record == NULL) {
        return json_null();
    }

    authd_record_link(record, &link);

    json = authd_links_json(&link, 0);
    (void) json_object_del(json, "clicks");

    return json;
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
