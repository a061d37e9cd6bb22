
/*
 * Copyright (C) The Tailgate authors
 *
 * A store and what it has told: for the tests of authd/store, on SQLite in a
 * folder of its own, or on the PostgreSQL database that $TAILGATE_STORE_URL
 * names, whose schema "tailgate" is dropped before each test.
 */

#ifndef T_STORE_WORLD_H_INCLUDED_
#define T_STORE_WORLD_H_INCLUDED_

#include <tailgate_config.h>

#include "authd/store/store.h"
#include "core/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#if (TAILGATE_HAVE_PG)
#include <libpq-fe.h>
#endif

#include <cmocka.h>


#define LINKS_MAX    1024
#define RESULTS_MAX  1024
#define PATIENCE     200000        /* ms; a machine may be busy */


typedef struct {
    tgn_loop_t            *loop;
    authd_store_t         *store;
    tgn_timer_t           *timer;
    authd_record_t        *links[LINKS_MAX];
    uint64_t               clicks[LINKS_MAX];
    size_t                 n;
    int                    resets;
    int                    changes;
    int                    states;
    bool                   works;
    char                   state_text[512];
    const bool            *until;

    /* the last answer */

    int                    answers;
    authd_store_status_t   status;
    authd_store_status_t   results[RESULTS_MAX];
    authd_record_t        *records[RESULTS_MAX];
    uint64_t               seqs[RESULTS_MAX];
    size_t                 n_results;
    unsigned               retry;
    char                   text[512];
    authd_store_entry_t    entries[64];
    char                   whos[64][64];
    char                   actions[64][64];
    size_t                 n_entries;
    authd_store_clicks_t   counts[64];
    size_t                 n_counts;
} world_t;


static char  folder[128];
static char  path[160];
static char  url[512];

static const char  *server;


/* Two worlds may share one database; the first one is the test's. */

static inline tg_str_t
str(const char *text)
{
    tg_str_t  s = { text, strlen(text) };

    return s;
}


static inline size_t
find(const world_t *w, const char *id)
{
    size_t  i;

    for (i = 0; i < w->n; i++) {
        if (tgi_str_equal(authd_record_id(w->links[i]), str(id))) {
            break;
        }
    }

    return i;
}


/* The link as the index has it; a link without id if there is none. */

static inline authd_link_t
seen(const world_t *w, const char *id)
{
    size_t        i = find(w, id);
    authd_link_t  link;

    memset(&link, 0, sizeof(authd_link_t));

    if (i < w->n) {
        authd_record_link(w->links[i], &link);
    }

    return link;
}


static inline void
on_changed(void *data, const authd_store_news_t *news, size_t n)
{
    size_t    i, at;
    char      id[AUTHD_LINK_NAME_MAX + 1];
    world_t  *w = data;

    w->changes++;

    for (i = 0; i < n; i++) {
        (void) snprintf(id, sizeof(id), "%.*s", (int) news[i].id.len,
                        news[i].id.data);
        at = find(w, id);

        if (news[i].record == NULL) {
            if (at < w->n) {
                authd_record_drop(&w->links[at]);
                w->links[at] = w->links[--w->n];
                w->clicks[at] = w->clicks[w->n];
            }

            continue;
        }

        assert_true(at < LINKS_MAX);

        if (at == w->n) {
            w->n++;
            w->clicks[at] = 0;
            w->links[at] = NULL;
        }

        authd_record_drop(&w->links[at]);
        w->links[at] = authd_record_hold(news[i].record);

        if (news[i].has_clicks) {
            w->clicks[at] = news[i].clicks;
        }
    }
}


static inline void
on_reset(void *data)
{
    world_t  *w = data;

    w->resets++;

    while (w->n) {
        authd_record_drop(&w->links[--w->n]);
    }
}


static inline void
on_state(void *data, bool works, const char *text)
{
    world_t  *w = data;

    w->states++;
    w->works = works;
    (void) snprintf(w->state_text, sizeof(w->state_text), "%s", text);
}


static inline void
forget(world_t *w)
{
    size_t  i;

    for (i = 0; i < w->n_results; i++) {
        authd_record_drop(&w->records[i]);
    }

    for (i = 0; i < w->n_entries; i++) {
        authd_record_drop(&w->entries[i].before);
        authd_record_drop(&w->entries[i].after);
    }

    w->n_results = 0;
    w->n_entries = 0;
    w->n_counts = 0;
}


static inline void
on_done(void *data, const authd_store_answer_t *answer)
{
    size_t    i;
    world_t  *w = data;

    forget(w);

    w->answers++;
    w->status = answer->status;
    w->retry = answer->retry;
    (void) snprintf(w->text, sizeof(w->text), "%s", answer->text);

    for (i = 0; i < answer->n && i < RESULTS_MAX; i++) {
        w->results[i] = answer->results[i].status;
        w->seqs[i] = answer->results[i].seq;
        w->records[i] = answer->results[i].record;

        if (w->records[i] != NULL) {
            (void) authd_record_hold(w->records[i]);
        }
    }

    w->n_results = i;
}


static inline void
on_history(void *data, const authd_store_history_t *history)
{
    size_t                i;
    world_t              *w = data;
    authd_store_entry_t  *entry;

    forget(w);

    w->answers++;
    w->status = history->status;
    w->retry = history->retry;
    (void) snprintf(w->text, sizeof(w->text), "%s", history->text);

    for (i = 0; i < history->n && i < 64; i++) {
        entry = &w->entries[i];
        *entry = history->entries[i];

        (void) snprintf(w->whos[i], 64, "%.*s", (int) entry->who.len,
                        entry->who.data);
        (void) snprintf(w->actions[i], 64, "%.*s", (int) entry->action.len,
                        entry->action.data);

        if (entry->before != NULL) {
            (void) authd_record_hold(entry->before);
        }

        if (entry->after != NULL) {
            (void) authd_record_hold(entry->after);
        }
    }

    w->n_entries = i;
}


static inline void
on_counts(void *data, const authd_store_counts_t *counts)
{
    world_t  *w = data;

    forget(w);

    w->answers++;
    w->status = counts->status;
    w->n_counts = counts->n < 64 ? counts->n : 64;

    if (w->n_counts) {
        memcpy(w->counts, counts->clicks,
               w->n_counts * sizeof(authd_store_clicks_t));
    }
}


static inline void
on_late(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    fail_msg("the store did not answer");
}


typedef struct {
    bool    (*is)(const void *data);
    const void  *data;
    tgn_loop_t  *loop;
} condition_t;


static inline void
on_tick(tgn_timer_t *timer, void *data)
{
    condition_t  *c = data;

    (void) timer;

    if (c->is(c->data)) {
        tgn_loop_stop(c->loop);
    }
}


/* Runs the loop until is(data); asks every few milliseconds. */

static inline void
wait_until(tgn_loop_t *loop, bool (*is)(const void *), const void *data)
{
    tgn_timer_t  *tick, *late;
    condition_t   c = { is, data, loop };

    tick = tgn_timer_new(loop, on_tick, &c);
    late = tgn_timer_new(loop, on_late, NULL);
    assert_non_null(tick);
    assert_non_null(late);

    tgn_timer_start(tick, 0, 2);
    tgn_timer_start(late, PATIENCE, 0);
    tgn_loop_run(loop);

    tgn_timer_free(&tick);
    tgn_timer_free(&late);
}


static inline bool
is_answered(const void *data)
{
    const world_t  *w = data;

    return w->answers > 0;
}


static inline void
wait_answer(world_t *w)
{
    wait_until(w->loop, is_answered, w);
    w->answers--;
    assert_int_equal(w->answers, 0);
}


/* Another program's statement, on the same database. */

static inline void
sqlite_run(const char *sql)
{
    char     *text = NULL;
    sqlite3  *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void) sqlite3_busy_timeout(db, 30000);

    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }

    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}


#if (TAILGATE_HAVE_PG)

static inline PGconn *
pg_connect(void)
{
    PGconn  *conn;

    conn = PQconnectdb(url);
    if (PQstatus(conn) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(conn));
    }

    return conn;
}


static inline void
pg_exec(PGconn *conn, const char *sql)
{
    PGresult  *result;

    result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK
        && PQresultStatus(result) != PGRES_TUPLES_OK)
    {
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    }

    PQclear(result);
}


static inline void
pg_run(const char *sql)
{
    PGconn  *conn;

    conn = pg_connect();
    pg_exec(conn, "SET client_min_messages = warning");

    /* fails before there is a schema, and then nobody needs it */

    pg_exec(conn, "SET search_path = tailgate");
    pg_exec(conn, sql);
    PQfinish(conn);
}

#else

static inline void
pg_run(const char *sql)
{
    fail_msg("%s: built without PostgreSQL", sql);
}

#endif


static inline void
run_sql(const char *sql)
{
    if (server != NULL) {
        pg_run(sql);

    } else {
        sqlite_run(sql);
    }
}


static inline int
try_open(world_t *w, tg_error_t *error)
{
    int                    rc;
    authd_store_handler_t  handler = { on_changed, on_reset, on_state, w };

    rc = authd_store_open(&w->store, url, w->loop, &handler, error);

    if (rc == TG_OK) {
        rc = authd_store_start(w->store, error);
    }

    return rc;
}


static inline void
open_store(world_t *w)
{
    tg_error_t  error;

    w->works = true;

    if (try_open(w, &error) != TG_OK) {
        fail_msg("%s", error.text);
    }
}


static inline world_t *
new_world(void)
{
    world_t  *w;

    w = calloc(1, sizeof(world_t));
    assert_non_null(w);

    w->loop = tgn_loop_new();
    assert_non_null(w->loop);

    return w;
}


/* What is queued is answered; the index is forgotten. */

static inline void
close_store(world_t *w)
{
    authd_store_close(&w->store);
    on_reset(w);
    w->resets = 0;
}


static inline void
free_world(world_t *w)
{
    close_store(w);
    forget(w);
    tgn_loop_free(&w->loop);
    free(w);
}


static inline void
clear_database(void)
{
    char  name[200];

    if (server != NULL) {
        pg_run("DROP SCHEMA IF EXISTS tailgate CASCADE");
        return;
    }

    (void) unlink(path);
    (void) snprintf(name, sizeof(name), "%s-wal", path);
    (void) unlink(name);
    (void) snprintf(name, sizeof(name), "%s-shm", path);
    (void) unlink(name);
}


static inline int
setup_world(void **state)
{
    world_t  *w;

    server = getenv("TAILGATE_STORE_URL");

    (void) snprintf(folder, sizeof(folder), "/tmp/tgstore.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void) snprintf(path, sizeof(path), "%s/links.db", folder);
    (void) snprintf(url, sizeof(url), "%s", server ? server : path);

    clear_database();

    w = new_world();
    open_store(w);

    *state = w;

    return 0;
}


static inline int
teardown_world(void **state)
{
    free_world(*state);

    if (server == NULL) {
        clear_database();
    }

    (void) rmdir(folder);

    return 0;
}


/* Submitting, one change at a time. */

static inline void
submit(world_t *w, const authd_store_change_t *changes, size_t n, bool whole,
    int64_t at)
{
    tg_error_t  error;

    if (authd_store_submit(w->store, changes, n, whole,
                           str("alice@example.com"), at, on_done, w, &error)
        != TG_OK)
    {
        fail_msg("%s", error.text);
    }
}


static inline authd_link_t
make_link(const char *id, const char *target)
{
    authd_link_t  link;

    memset(&link, 0, sizeof(authd_link_t));
    link.id = str(id);
    link.name = str(id);
    link.url = str(target);
    link.owner = str("alice@example.com");

    return link;
}


static inline authd_store_status_t
change_now(world_t *w, const authd_store_change_t *change, int64_t at)
{
    submit(w, change, 1, false, at);
    wait_answer(w);

    return w->n_results == 1 ? w->results[0] : w->status;
}


static inline authd_store_status_t
put_now(world_t *w, const char *id, const char *target, int64_t at)
{
    authd_link_t          link = make_link(id, target);
    authd_store_change_t  change;

    memset(&change, 0, sizeof(change));
    change.op = AUTHD_STORE_PUT;
    change.link = &link;

    return change_now(w, &change, at);
}


static inline authd_store_change_t
change_of(authd_store_op_t op, const char *id)
{
    authd_store_change_t  change;

    memset(&change, 0, sizeof(change));
    change.op = op;
    change.id = str(id);

    return change;
}


static inline void
assert_str(tg_str_t value, const char *expected)
{
    char  text[2048];

    (void) snprintf(text, sizeof(text), "%.*s", (int) value.len,
                    value.data ? value.data : "");
    assert_string_equal(text, expected);
}


#endif /* T_STORE_WORLD_H_INCLUDED_ */
