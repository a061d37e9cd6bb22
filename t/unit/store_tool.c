
/*
 * Copyright (C) The Tailgate authors
 *
 * store_tool [--unsafe] URL
 *
 * A store with its loop and its thread, driven by lines on stdin, for tests
 * that trace, kill, lock out and fill up (t/store).  Answers are lines on
 * stdout, each written at once:
 *
 *   put ID           ok ID VERSION | STATUS ID RETRY TEXT
 *   many PREFIX N    N saves, a few at a time: as put, then "done"
 *   batch PREFIX N   N links in one request: batch STATUS RETRY MSEC TEXT
 *   list             link ID, for each, then "end"
 *
 * and at any time "state up|down TEXT", "seen ID", "gone ID", "reset".
 *
 * --unsafe is what a test must be able to tell from the real thing: it turns
 * the engine's promise of durability off, behind the store's back.
 */

#include <tailgate_config.h>

#include "authd/store/store.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#if (TAILGATE_HAVE_PG)
#include <libpq-fe.h>
#endif


#define LINE_MAX_   1024
#define AT_ONCE     32
#define IDS_MAX     200000


typedef struct {
    tgn_loop_t     *loop;
    tgn_poll_t     *input;
    authd_store_t  *store;
    char            line[LINE_MAX_];
    size_t          len;
    char           *ids[IDS_MAX];  /* of what is there, unordered */
    size_t          n;
    bool            quiet;         /* while all is loaded */

    char            prefix[64];    /* of what "many" is doing */
    size_t          next;
    size_t          end;
    size_t          running;
    int64_t         began;
} tool_t;

typedef struct {
    tool_t         *tool;
    char            id[96];
} save_t;


static bool  unsafe;


static const char *
spoil(const char *sql, const char *good, const char *bad, char *buf,
    size_t size)
{
    const char  *at;

    at = unsafe ? strstr(sql, good) : NULL;
    if (at == NULL) {
        return sql;
    }

    (void) snprintf(buf, size, "%.*s%s%s", (int) (at - sql), sql, bad,
                    at + strlen(good));

    return buf;
}


/* In front of the libraries' own. */

int
sqlite3_exec(sqlite3 *db, const char *sql,
    int (*cb)(void *, int, char **, char **), void *data, char **text)
{
    char  buf[512];
    int  (*real)(sqlite3 *, const char *,
                 int (*)(void *, int, char **, char **), void *, char **);

    *(void **) &real = dlsym(RTLD_NEXT, "sqlite3_exec");

    return real(db, spoil(sql, "synchronous = FULL", "synchronous = OFF", buf,
                          sizeof(buf)), cb, data, text);
}


#if (TAILGATE_HAVE_PG)

int
PQsendQuery(PGconn *conn, const char *sql)
{
    char   buf[1024];
    int  (*real)(PGconn *, const char *);

    *(void **) &real = dlsym(RTLD_NEXT, "PQsendQuery");

    sql = spoil(sql, "SELECT set_config('synchronous_commit', 'on', false) "
                     "WHERE current_setting('synchronous_commit') = 'off'",
                "SET synchronous_commit = off", buf, sizeof(buf));

    return real(conn, sql);
}

#endif


static int64_t
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
forget(tool_t *tool, const char *id)
{
    size_t  i;

    for (i = 0; i < tool->n; i++) {
        if (strcmp(tool->ids[i], id) == 0) {
            free(tool->ids[i]);
            tool->ids[i] = tool->ids[--tool->n];
            return;
        }
    }
}


static void
on_changed(void *data, const authd_store_news_t *news, size_t n)
{
    char     id[AUTHD_LINK_NAME_MAX + 1];
    size_t   i;
    tool_t  *tool = data;

    for (i = 0; i < n; i++) {
        (void) snprintf(id, sizeof(id), "%.*s", (int) news[i].id.len,
                        news[i].id.data);

        /* the large ones are only counted */

        if (tool->n < 4096) {
            forget(tool, id);
        }

        if (news[i].record != NULL && tool->n < IDS_MAX) {
            tool->ids[tool->n] = strdup(id);
            tool->n += tool->ids[tool->n] != NULL;
        }

        if (!tool->quiet) {
            (void) dprintf(1, "%s %s\n", news[i].record ? "seen" : "gone",
                           id);
        }
    }
}


static void
on_reset(void *data)
{
    tool_t  *tool = data;

    while (tool->n) {
        free(tool->ids[--tool->n]);
    }

    if (!tool->quiet) {
        (void) dprintf(1, "reset\n");
    }
}


static void
on_state(void *data, bool works, const char *text)
{
    (void) data;
    (void) dprintf(1, "state %s %s\n", works ? "up" : "down", text);
}


static const char *
status_name(authd_store_status_t status)
{
    static const char *const  names[] = {
        "ok", "conflict", "absent", "refused", "skipped", "unavailable"
    };

    return names[status];
}


static void save_next(tool_t *tool);


static void
on_saved(void *data, const authd_store_answer_t *answer)
{
    save_t        *save = data;
    tool_t        *tool = save->tool;
    authd_link_t   link;

    if (answer->n == 1 && answer->results[0].status == AUTHD_STORE_OK) {
        authd_record_link(answer->results[0].record, &link);
        (void) dprintf(1, "ok %s %" PRIu64 "\n", save->id, link.version);

    } else {
        (void) dprintf(1, "%s %s %u %s\n",
                       status_name(answer->n ? answer->results[0].status
                                             : answer->status),
                       save->id, answer->retry, answer->text);
    }

    free(save);

    if (tool->running) {
        tool->running--;
        save_next(tool);
    }
}


static void
on_batch(void *data, const authd_store_answer_t *answer)
{
    size_t   i, ok;
    tool_t  *tool = data;

    ok = 0;

    for (i = 0; i < answer->n; i++) {
        ok += answer->results[i].status == AUTHD_STORE_OK;
    }

    (void) dprintf(1, "batch %s %zu %u %" PRId64 " %s\n",
                   status_name(answer->status), ok, answer->retry,
                   now() - tool->began, answer->text);
}


static void
fill(authd_link_t *link, const char *id)
{
    memset(link, 0, sizeof(authd_link_t));

    link->id.data = id;
    link->id.len = strlen(id);
    link->name = link->id;
    link->url.data = "https://www.example.com/some/where/{{.Path}}";
    link->url.len = strlen(link->url.data);
    link->owner.data = "alice@example.com";
    link->owner.len = strlen(link->owner.data);
}


static void
save(tool_t *tool, const char *id)
{
    save_t                *s;
    tg_str_t               who = TG_STR("alice@example.com");
    tg_error_t             error;
    authd_link_t           link;
    authd_store_change_t   change;

    s = calloc(1, sizeof(save_t));
    if (s == NULL) {
        exit(1);
    }

    s->tool = tool;
    (void) snprintf(s->id, sizeof(s->id), "%s", id);

    fill(&link, id);
    memset(&change, 0, sizeof(change));
    change.op = AUTHD_STORE_PUT;
    change.link = &link;

    if (authd_store_submit(tool->store, &change, 1, false, who, 1, on_saved,
                           s, &error)
        != TG_OK)
    {
        (void) dprintf(1, "error %s %s\n", id, error.text);
        free(s);
    }
}


static void
save_next(tool_t *tool)
{
    char  id[96];

    while (tool->running < AT_ONCE && tool->next < tool->end) {
        (void) snprintf(id, sizeof(id), "%s%zu", tool->prefix, tool->next++);
        tool->running++;
        save(tool, id);
    }

    if (tool->running == 0 && tool->end) {
        tool->end = 0;
        (void) dprintf(1, "done\n");
    }
}


static void
save_batch(tool_t *tool, const char *prefix, size_t n)
{
    char                  (*ids)[96];
    size_t                  i;
    tg_str_t                who = TG_STR("alice@example.com");
    tg_error_t              error;
    authd_link_t           *links;
    authd_store_change_t   *changes;

    ids = calloc(n, sizeof(ids[0]));
    links = calloc(n, sizeof(authd_link_t));
    changes = calloc(n, sizeof(authd_store_change_t));

    if (ids == NULL || links == NULL || changes == NULL) {
        exit(1);
    }

    for (i = 0; i < n; i++) {
        (void) snprintf(ids[i], sizeof(ids[i]), "%s%zu", prefix, i);
        fill(&links[i], ids[i]);
        changes[i].link = &links[i];
    }

    tool->began = now();

    if (authd_store_submit(tool->store, changes, n, false, who, 1, on_batch,
                           tool, &error)
        != TG_OK)
    {
        (void) dprintf(1, "error batch %s\n", error.text);
    }

    free(ids);
    free(links);
    free(changes);
}


static void
on_line(tool_t *tool, const char *line)
{
    char    *rest;
    char     word[64];
    size_t   i, n;

    n = strcspn(line, " ");
    (void) snprintf(word, sizeof(word), "%.*s", (int) n, line);
    line += n + (line[n] == ' ');

    if (strcmp(word, "put") == 0) {
        save(tool, line);
        return;
    }

    if (strcmp(word, "list") == 0) {
        for (i = 0; i < tool->n; i++) {
            (void) dprintf(1, "link %s\n", tool->ids[i]);
        }

        (void) dprintf(1, "end\n");
        return;
    }

    n = strcspn(line, " ");
    (void) snprintf(tool->prefix, sizeof(tool->prefix), "%.*s", (int) n, line);
    n = strtoumax(line + n, &rest, 10);

    if (strcmp(word, "many") == 0) {
        tool->next = 0;
        tool->end = n;
        save_next(tool);

    } else if (strcmp(word, "batch") == 0) {
        tool->quiet = true;
        save_batch(tool, tool->prefix, n);

    } else {
        (void) dprintf(1, "error unknown command %s\n", word);
    }
}


static void
on_input(tgn_poll_t *poll, unsigned events, void *data)
{
    char     *end;
    tool_t   *tool = data;
    ssize_t   n;

    (void) poll;
    (void) events;

    n = read(0, tool->line + tool->len, sizeof(tool->line) - 1 - tool->len);

    if (n <= 0) {
        tgn_poll_free(&tool->input);
        tgn_loop_stop(tool->loop);
        return;
    }

    tool->len += (size_t) n;
    tool->line[tool->len] = '\0';

    for ( ;; ) {
        end = strchr(tool->line, '\n');
        if (end == NULL) {
            return;
        }

        *end = '\0';
        on_line(tool, tool->line);

        tool->len -= (size_t) (end + 1 - tool->line);
        memmove(tool->line, end + 1, tool->len + 1);
    }
}


int
main(int argc, char **argv)
{
    int                    rc;
    tg_error_t             error;
    authd_store_handler_t  handler = { on_changed, on_reset, on_state, NULL };

    static tool_t  tool;

    if (argc > 1 && strcmp(argv[1], "--unsafe") == 0) {
        unsafe = true;
        argc--;
        argv++;
    }

    if (argc != 2) {
        return 2;
    }

    handler.data = &tool;
    tool.loop = tgn_loop_new();
    tool.quiet = true;

    rc = authd_store_open(&tool.store, argv[1], tool.loop, &handler, &error);

    if (rc == TG_OK) {
        rc = authd_store_start(tool.store, &error);
    }

    if (rc != TG_OK) {
        (void) dprintf(1, "failed %s\n", error.text);
        authd_store_close(&tool.store);
        tgn_loop_free(&tool.loop);
        return 1;
    }

    tool.quiet = false;
    (void) dprintf(1, "ready %zu\n", tool.n);

    tool.input = tgn_poll_new(tool.loop, 0, on_input, &tool);
    (void) tgn_poll_set(tool.input, TGN_POLL_READ);

    tgn_loop_run(tool.loop);

    tool.end = 0;
    authd_store_close(&tool.store);
    tool.quiet = true;
    on_reset(&tool);
    tgn_loop_free(&tool.loop);

    return 0;
}
