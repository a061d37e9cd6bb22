
/*
 * Copyright (C) The Tailgate authors
 *
 * All links, and all clicks, as golink exports them.
 */

#include "authd/app/links/export.h"
#include "authd/app/links/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define DAY        86400
#define PIECE      (256 * 1024)    /* bytes that are sent at a time */
#define ARENA_MAX  (1024 * 1024)   /* of one line */


typedef struct {
    authd_links_call_t    *call;
    authd_links_lines_t    lines;
    tg_arena_t            *arena;
    tg_alloc_t             alloc;
    char                  *data;
    size_t                 len;
    bool                   failed;
} export_t;


static bool export_each(authd_links_entry_t *entry, void *data);
static bool export_add(export_t *export, tg_str_t line);
static bool export_flush(export_t *export);
static void stats_done(void *data, const authd_store_counts_t *counts);
static bool uid_each(authd_links_entry_t *entry, void *data);
static int uid_compare(const void *a, const void *b);


typedef struct {
    uint64_t               uid;
    authd_links_entry_t   *entry;
} by_uid_t;

typedef struct {
    by_uid_t  *items;
    size_t          n;
} uids_t;


void
authd_links_export(authd_links_call_t *call)
{
    authd_links_export_lines(call, AUTHD_LINKS_LINES_GOLINK,
                             "text/plain; charset=utf-8");
}


/* In pieces: the whole of a million links would not fit anywhere else. */

void
authd_links_export_lines(authd_links_call_t *call, authd_links_lines_t lines,
    const char *type)
{
    export_t        export;
    tgn_request_t  *r;

    memset(&export, 0, sizeof(export));

    r = call->r;

    export.call = call;
    export.lines = lines;
    export.arena = tg_arena_new(ARENA_MAX);
    export.data = malloc(PIECE);

    if (export.arena == NULL || export.data == NULL) {
        tg_arena_free(&export.arena);
        free(export.data);
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    export.alloc = tg_arena_allocator(export.arena);

    (void) tgn_response_header(r, "Content-Type", authd_links_str(type));
    (void) tgn_response_header(r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(r, "Cache-Control",
                               authd_links_str("no-store"));

    tgn_request_on_abort(r, NULL, NULL);

    if (tgn_response_begin(r, 200, TGN_LENGTH_CHUNKED) == TG_OK) {
        authd_links_index_each(call->app->index, 0, export_each, &export);

        if (!export.failed && export_flush(&export)) {
            tgn_response_end(r);
        }
    }

    tg_arena_free(&export.arena);
    free(export.data);

    authd_links_end(call);
}


/* golink has a row per flush; here it is one per day, at its midnight. */

void
authd_links_export_stats(authd_links_call_t *call)
{
    authd_links_wait(call);

    authd_links_flush(call->app);

    if (authd_store_clicks(call->app->store, 0, INT32_MIN, INT32_MAX, false,
                           stats_done, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


static bool
export_each(authd_links_entry_t *entry, void *data)
{
    tg_str_t      line;
    export_t     *export;
    authd_link_t  link;

    export = data;

    authd_record_link(entry->record, &link);

    if (link.alias.len != 0 && export->lines == AUTHD_LINKS_LINES_GOLINK) {
        return true;
    }

    tg_arena_reset(export->arena);

    line = export->lines == AUTHD_LINKS_LINES_GOLINK
           ? authd_links_golink_line(&link, &export->alloc)
           : authd_links_json_line(&link, entry->clicks, &export->alloc);

    return line.len == 0 || export_add(export, line);
}


static bool
export_add(export_t *export, tg_str_t line)
{
    if (line.len > PIECE - export->len && !export_flush(export)) {
        return false;
    }

    if (line.len <= PIECE) {
        memcpy(export->data + export->len, line.data, line.len);
        export->len += line.len;
    }

    return true;
}


static bool
export_flush(export_t *export)
{
    tg_str_t  piece;

    piece.data = export->data;
    piece.len = export->len;

    export->len = 0;

    export->failed = tgn_response_write(export->call->r, piece) != TG_OK;

    return !export->failed;
}


static void
stats_done(void *data, const authd_store_counts_t *counts)
{
    char                 *text;
    size_t                i, len, size;
    uids_t                uids;
    tg_str_t              id;
    by_uid_t        *found, key;
    authd_links_call_t   *call;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (counts->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, counts->retry, counts->text);
        return;
    }

    len = 0;
    size = counts->n * (TG_LINK_NAME_MAX + 48) + 1;

    uids.n = 0;
    uids.items = calloc(authd_links_index_n(call->app->index) + 1,
                        sizeof(by_uid_t));
    text = malloc(size);

    if (uids.items == NULL || text == NULL) {
        free(uids.items);
        free(text);
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    authd_links_index_each(call->app->index, 0, uid_each, &uids);
    qsort(uids.items, uids.n, sizeof(by_uid_t), uid_compare);

    for (i = 0; i < counts->n; i++) {
        key.uid = counts->clicks[i].uid;
        found = bsearch(&key, uids.items, uids.n, sizeof(by_uid_t),
                        uid_compare);

        if (found == NULL) {
            continue;
        }

        id = authd_record_id(found->entry->record);

        len += (size_t) snprintf(text + len, size - len,
                                 "%.*s,%" PRIi64 ",%" PRIu64 "\n",
                                 (int) id.len, id.data,
                                 (int64_t) counts->clicks[i].day * DAY,
                                 counts->clicks[i].n);
    }

    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));

    authd_links_send(call, 200, "text/plain; charset=utf-8",
                     (tg_str_t) { text, len });

    free(uids.items);
    free(text);
}


static bool
uid_each(authd_links_entry_t *entry, void *data)
{
    uids_t        *uids;
    authd_link_t   link;

    uids = data;

    authd_record_link(entry->record, &link);

    if (link.alias.len == 0) {
        uids->items[uids->n].uid = link.uid;
        uids->items[uids->n].entry = entry;
        uids->n++;
    }

    return true;
}


static int
uid_compare(const void *a, const void *b)
{
    const by_uid_t  *x, *y;

    x = a;
    y = b;

    return (x->uid > y->uid) - (x->uid < y->uid);
}
