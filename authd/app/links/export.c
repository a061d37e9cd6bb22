
/*
 * Copyright (C) The Tailgate authors
 *
 * All links, and all clicks, as golink exports them.
 */

#include "authd/app/links/export.h"
#include "authd/app/links/json.h"
#include "authd/app/links/turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define DAY        86400
#define PIECE      (256 * 1024)    /* bytes that are sent at a time */
#define LINE       (512 * 1024)    /* of a line: six for each of a link */
#define ARENA_MAX  (4 * LINE)


typedef struct {
    authd_links_turn_t     turn;
    authd_links_lines_t    lines;
    authd_links_cursor_t   cursor;
    tg_arena_t            *arena;
    tg_alloc_t             alloc;
    char                  *data;
    size_t                 len;
    bool                   broken;
} export_t;


static bool export_step(authd_links_turn_t *turn);
static void export_done(authd_links_turn_t *turn);
static void export_gone(authd_links_turn_t *turn);
static bool export_each(authd_links_entry_t *entry, void *data);
static void export_flush(export_t *export);
static void stats_done(void *data, const authd_store_counts_t *counts);
static int row_compare(const void *a, const void *b);
static bool uid_each(authd_links_entry_t *entry, void *data);
static int uid_compare(const void *a, const void *b);


typedef struct {
    uint64_t               uid;
    authd_links_entry_t   *entry;
} by_uid_t;

typedef struct {
    by_uid_t  *items;
    size_t     n;
} uids_t;

typedef struct {
    tg_str_t  id;
    int32_t   day;
    uint64_t  clicks;
} row_t;


void
authd_links_export(authd_links_call_t *call)
{
    authd_links_export_lines(call, AUTHD_LINKS_LINES_GOLINK,
                             "text/plain; charset=utf-8");
}


/*
 * A piece in a turn: neither memory nor the loop is taken up by a million
 * links.
 */

void
authd_links_export_lines(authd_links_call_t *call, authd_links_lines_t lines,
    const char *type)
{
    export_t  *export;

    export = call->alloc.alloc(call->alloc.ctx, sizeof(export_t));

    if (export == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    memset(export, 0, sizeof(export_t));

    export->turn.call = call;
    export->turn.step = export_step;
    export->turn.done = export_done;
    export->turn.gone = export_gone;
    export->lines = lines;
    export->arena = tg_arena_new(ARENA_MAX);
    export->data = malloc(PIECE + LINE);

    if (export->arena == NULL || export->data == NULL) {
        export_gone(&export->turn);
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    export->alloc = tg_arena_allocator(export->arena);

    (void) tgn_response_header(call->r, "Content-Type", authd_links_str(type));
    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));

    if (tgn_response_begin(call->r, 200, TGN_LENGTH_CHUNKED) != TG_OK) {
        export_gone(&export->turn);
        authd_links_end(call);
        return;
    }

    authd_links_turn(&export->turn);
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
export_step(authd_links_turn_t *turn)
{
    bool       more;
    export_t  *export;

    export = (export_t *) turn;

    more = authd_links_index_step(turn->call->app->index, &export->cursor,
                                  export_each, export);

    if (export->broken) {
        tgn_request_abort(turn->call->r);
        turn->call->r = NULL;
        return false;
    }

    export_flush(export);

    return more && turn->call->r != NULL;
}


static void
export_done(authd_links_turn_t *turn)
{
    tgn_request_on_abort(turn->call->r, NULL, NULL);
    tgn_response_end(turn->call->r);

    export_gone(turn);
    authd_links_end(turn->call);
}


static void
export_gone(authd_links_turn_t *turn)
{
    export_t  *export;

    export = (export_t *) turn;

    authd_links_cursor_drop(&export->cursor);
    tg_arena_free(&export->arena);
    free(export->data);
}


static bool
export_each(authd_links_entry_t *entry, void *data)
{
    tg_str_t       line;
    export_t      *export;
    authd_link_t   link;

    export = data;

    authd_record_link(entry->record, &link);

    if (link.alias.len != 0 && export->lines == AUTHD_LINKS_LINES_GOLINK) {
        return true;
    }

    tg_arena_reset(export->arena);

    line = export->lines == AUTHD_LINKS_LINES_GOLINK
           ? authd_links_golink_line(&link, &export->alloc)
           : authd_links_json_line(&link, entry->clicks, &export->alloc);

    /* without a line it would be taken for the whole, so it breaks off */

    if (line.len == 0 || line.len > LINE) {
        authd_log(&export->turn.call->app->authd->log, AUTHD_LOG_ERROR,
                  "links: \"%.*s\" can't be exported: it is too long, or out"
                  " of memory", (int) link.name.len, link.name.data);
        export->broken = true;
        return false;
    }

    memcpy(export->data + export->len, line.data, line.len);
    export->len += line.len;

    return export->len < PIECE;
}


/* The request is gone if it cannot be written. */

static void
export_flush(export_t *export)
{
    tg_str_t             piece;
    authd_links_call_t  *call;

    call = export->turn.call;

    piece.data = export->data;
    piece.len = export->len;

    export->len = 0;

    if (piece.len != 0 && tgn_response_write(call->r, piece) != TG_OK) {
        call->r = NULL;
    }
}


static void
stats_done(void *data, const authd_store_counts_t *counts)
{
    row_t                *rows;
    char                 *text;
    size_t                i, n, len, size;
    uids_t                uids;
    by_uid_t             *found, key;
    authd_links_call_t   *call;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (counts->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, counts->retry, counts->text);
        return;
    }

    n = 0;
    len = 0;
    size = counts->n * (TG_LINK_NAME_MAX + 48) + 1;

    uids.n = 0;
    uids.items = calloc(authd_links_index_n(call->app->index) + 1,
                        sizeof(by_uid_t));
    rows = calloc(counts->n + 1, sizeof(row_t));
    text = malloc(size);

    if (uids.items == NULL || rows == NULL || text == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        goto out;
    }

    authd_links_index_each(call->app->index, 0, uid_each, &uids);
    qsort(uids.items, uids.n, sizeof(by_uid_t), uid_compare);

    for (i = 0; i < counts->n; i++) {
        key.uid = counts->clicks[i].uid;
        found = bsearch(&key, uids.items, uids.n, sizeof(by_uid_t),
                        uid_compare);

        if (found != NULL) {
            rows[n].id = authd_record_id(found->entry->record);
            rows[n].day = counts->clicks[i].day;
            rows[n++].clicks = counts->clicks[i].n;
        }
    }

    qsort(rows, n, sizeof(row_t), row_compare);

    for (i = 0; i < n; i++) {
        len += (size_t) snprintf(text + len, size - len,
                                 "%.*s,%" PRIi64 ",%" PRIu64 "\n",
                                 (int) rows[i].id.len, rows[i].id.data,
                                 (int64_t) rows[i].day * DAY, rows[i].clicks);
    }

    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("no-store"));

    authd_links_send(call, 200, "text/plain; charset=utf-8",
                     (tg_str_t) { text, len });

out:

    free(uids.items);
    free(rows);
    free(text);
}


/* As golink has them: by time, then by id. */

static int
row_compare(const void *a, const void *b)
{
    int           rc;
    const row_t  *x, *y;

    x = a;
    y = b;

    if (x->day != y->day) {
        return x->day < y->day ? -1 : 1;
    }

    rc = memcmp(x->id.data, y->id.data, x->id.len < y->id.len ? x->id.len
                                                              : y->id.len);

    return rc ? rc : (x->id.len > y->id.len) - (x->id.len < y->id.len);
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
