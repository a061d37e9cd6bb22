
/*
 * Copyright (C) The Tailgate authors
 *
 * The operations that change nothing.
 */

#include "authd/app/links/api.h"
#include "authd/app/links/export.h"
#include "authd/app/links/turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define LIMIT          100
#define LIMIT_MAX      1000
#define SUGGESTIONS    10


static void list_found(authd_links_call_t *call,
    const authd_links_found_t *found);
static void suggest_found(authd_links_call_t *call,
    const authd_links_found_t *found);
static bool list_arguments(authd_links_call_t *call,
    authd_links_search_t *search);
static bool number(tg_str_t text, size_t min, size_t max, size_t *n);


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
