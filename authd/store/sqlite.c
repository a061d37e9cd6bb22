
/*
 * Copyright (C) The Tailgate authors
 *
 * SQLite as the engine: a write-ahead log, synchronised at each COMMIT.
 *
 * Nothing here runs VACUUM or a checkpoint other than the passive one that
 * SQLite makes by itself: whoever copies the log away (Litestream) can follow.
 */

#include "authd/store/engine.h"

#include "authd/store/sqlite_file.h"
#include "core/base/base.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* How long another process may hold the write lock. */

#define BUSY_TIMEOUT  2000

#define VALUES_MAX    20


typedef struct {
    authd_engine_t   engine;
    sqlite3         *db;
    sqlite3_stmt    *statements[AUTHD_SQL_MAX];
    char             path[AUTHD_SQLITE_PATH_MAX];
} sqlite_t;


/* What failed, in words for who runs the server. */

static int
fault(sqlite_t *s)
{
    int          code;
    const char  *why;

    code = sqlite3_errcode(s->db) & 0xff;
    s->engine.retry = 5;
    s->engine.smaller = false;

    switch (code) {

    case SQLITE_FULL:
        why = "the disk is full";
        s->engine.retry = 30;
        s->engine.smaller = true;
        break;

    case SQLITE_READONLY:
        why = "the database is read-only";
        s->engine.retry = 30;
        break;

    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        why = "another process has locked the database";
        s->engine.retry = 2;
        break;

    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        why = "the file is damaged, or no SQLite database";
        s->engine.retry = 60;
        break;

    case SQLITE_NOMEM:
        why = "out of memory";
        s->engine.smaller = true;
        break;

    default:
        why = sqlite3_errmsg(s->db);
        break;
    }

    (void) snprintf(s->engine.text, sizeof(s->engine.text), "%s: %s",
                    s->path, why);

    switch (code) {

    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return TG_ERR_REFUSED;

    case SQLITE_NOMEM:
        return TG_ERR_NOMEM;

    default:
        return TG_ERR_ABSENT;
    }
}


static int
prepare(sqlite_t *s, authd_sql_t sql)
{
    const char               *text;
    const authd_statement_t  *statement;

    statement = &authd_statements[sql];
    text = statement->sqlite ? statement->sqlite : statement->text;

    if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT,
                           &s->statements[sql], NULL)
        != SQLITE_OK)
    {
        return fault(s);
    }

    return TG_OK;
}


static int
bind(sqlite_t *s, sqlite3_stmt *stmt, const authd_value_t *values, size_t n)
{
    int  i, rc;

    for (i = 1; i <= (int) n; i++, values++) {

        if (values->is_number) {
            rc = sqlite3_bind_int64(stmt, i, values->number);

        } else if (values->text.data == NULL) {
            rc = sqlite3_bind_null(stmt, i);

        } else {
            rc = sqlite3_bind_text64(stmt, i, values->text.data,
                                     values->text.len, SQLITE_STATIC,
                                     SQLITE_UTF8);
        }

        if (rc != SQLITE_OK) {
            return fault(s);
        }
    }

    return TG_OK;
}


static int
deliver(sqlite3_stmt *stmt, authd_row_pt row, void *data)
{
    int            i, n;
    authd_value_t  columns[VALUES_MAX];

    n = sqlite3_column_count(stmt);

    for (i = 0; i < n && i < VALUES_MAX; i++) {

        if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER) {
            columns[i] = authd_number(sqlite3_column_int64(stmt, i));
            continue;
        }

        columns[i] = authd_null();
        columns[i].text.data = (const char *) sqlite3_column_text(stmt, i);
        columns[i].text.len = (size_t) sqlite3_column_bytes(stmt, i);
    }

    return row(data, columns, (size_t) i);
}


/*
 * A file that was removed, or whose place another has taken, can be written
 * all the same, and nobody would ever see it again.
 */

static int
check_place(sqlite_t *s)
{
    int  moved;

    moved = 0;

    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved)
        != SQLITE_OK || !moved)
    {
        return TG_OK;
    }

    (void) snprintf(s->engine.text, sizeof(s->engine.text),
                    "%s: the file was removed or replaced: restart "
                    "tailgate-authd", s->path);
    s->engine.retry = 60;
    s->engine.smaller = false;

    return TG_ERR_ABSENT;
}


static int
sqlite_send(authd_engine_t *engine, authd_sql_t sql,
    const authd_value_t *values, size_t n, authd_row_pt row, void *data)
{
    int            rc, step;
    sqlite_t      *s = (sqlite_t *) (void *) engine;
    sqlite3_stmt  *stmt;

    if (authd_statements[sql].text == NULL
        && authd_statements[sql].sqlite == NULL)
    {
        return TG_OK;
    }

    if (sql == AUTHD_SQL_BEGIN) {
        rc = check_place(s);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (s->statements[sql] == NULL) {
        rc = prepare(s, sql);
        if (rc != TG_OK) {
            return rc;
        }
    }

    stmt = s->statements[sql];

    rc = bind(s, stmt, values, n);

    while (rc == TG_OK) {
        step = sqlite3_step(stmt);

        if (step == SQLITE_DONE) {
            break;
        }

        if (step != SQLITE_ROW) {
            rc = fault(s);
            break;
        }

        if (row != NULL) {
            rc = deliver(stmt, row, data);
        }
    }

    (void) sqlite3_reset(stmt);
    (void) sqlite3_clear_bindings(stmt);

    return rc;
}


static int
sqlite_send_rows(authd_engine_t *engine, authd_sql_t sql,
    const authd_value_t *values, size_t n, size_t count, authd_row_pt row,
    void *data)
{
    int     rc;
    size_t  i;

    rc = TG_OK;

    for (i = 0; i < count && rc == TG_OK; i++) {
        rc = sqlite_send(engine, sql, values + i * n, n, row, data);
    }

    return rc;
}


static int
sqlite_wait(authd_engine_t *engine)
{
    (void) engine;

    return TG_OK;
}


static void
sqlite_abandon(authd_engine_t *engine)
{
    sqlite_t  *s = (sqlite_t *) (void *) engine;

    /* some errors have rolled back already */

    if (!sqlite3_get_autocommit(s->db)) {
        (void) sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
}


static int
on_number(void *data, int n, char **columns, char **names)
{
    int64_t  *number = data;

    (void) names;

    if (n == 1 && columns[0] != NULL) {
        *number = strtoimax(columns[0], NULL, 10);
    }

    return 0;
}


static int
on_mode(void *data, int n, char **columns, char **names)
{
    bool  *wal = data;

    (void) names;

    *wal = n == 1 && columns[0] != NULL && strcmp(columns[0], "wal") == 0;

    return 0;
}


static int
migrate(sqlite_t *s, int64_t version)
{
    char  set[64];

    for ( /* void */ ; version < AUTHD_STORE_SCHEMA; version++) {
        if (sqlite3_exec(s->db, authd_migrations_sqlite[version], NULL, NULL,
                         NULL)
            != SQLITE_OK)
        {
            return fault(s);
        }
    }

    (void) snprintf(set, sizeof(set), "PRAGMA user_version = %d",
                    AUTHD_STORE_SCHEMA);

    if (sqlite3_exec(s->db, set, NULL, NULL, NULL) != SQLITE_OK) {
        return fault(s);
    }

    return TG_OK;
}


/*
 * One transaction: a version that is read outside of it may be old by the time
 * that the lock is ours.
 */

static int
bring_up_to_date(sqlite_t *s, tg_error_t *error)
{
    int      rc;
    int64_t  version, others;

    version = -1;
    others = 0;

    if (sqlite3_exec(s->db, "PRAGMA user_version", on_number, &version, NULL)
        != SQLITE_OK)
    {
        return fault(s);
    }

    if (version == AUTHD_STORE_SCHEMA) {
        return TG_OK;
    }

    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK
        || sqlite3_exec(s->db, "PRAGMA user_version", on_number, &version,
                        NULL)
           != SQLITE_OK
        || sqlite3_exec(s->db, "SELECT count(*) FROM sqlite_schema",
                        on_number, &others, NULL)
           != SQLITE_OK)
    {
        return fault(s);
    }

    if (version > AUTHD_STORE_SCHEMA) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s: its tables are of version %" PRId64 ", this "
                         "program knows version %d: it is older than the one "
                         "that wrote them", s->path, version,
                         AUTHD_STORE_SCHEMA);
    }

    if (version <= 0 && others != 0) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s: this is a database of another program; "
                         "\"tailgate links import\" reads golink's", s->path);
    }

    rc = migrate(s, version);

    if (rc == TG_OK
        && sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    {
        rc = fault(s);
    }

    return rc;
}


/*
 * FULL: in the log's mode, COMMIT returns behind the fdatasync() of the log.
 * A read-only database is in whatever mode it is.
 */

static int
configure(sqlite_t *s)
{
    bool  wal;

    (void) sqlite3_extended_result_codes(s->db, 1);
    (void) sqlite3_busy_timeout(s->db, BUSY_TIMEOUT);

    wal = false;

    if (sqlite3_exec(s->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL)
        != SQLITE_OK
        || sqlite3_exec(s->db, "PRAGMA trusted_schema = OFF", NULL, NULL, NULL)
           != SQLITE_OK
        || sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", on_mode, &wal,
                        NULL)
           != SQLITE_OK)
    {
        return fault(s);
    }

    if (!wal && !sqlite3_db_readonly(s->db, "main")) {
        (void) snprintf(s->engine.text, sizeof(s->engine.text),
                        "%s: the file system has no shared memory, which a "
                        "write-ahead log needs", s->path);
        return TG_ERR_ABSENT;
    }

    return TG_OK;
}


static void
sqlite_close(authd_engine_t **engine)
{
    size_t     i;
    sqlite_t  *s;

    if (*engine == NULL) {
        return;
    }

    s = (sqlite_t *) (void *) *engine;

    for (i = 0; i < AUTHD_SQL_MAX; i++) {
        (void) sqlite3_finalize(s->statements[i]);
    }

    (void) sqlite3_close(s->db);
    free(s);

    *engine = NULL;
}


static int
sqlite_open(authd_engine_t **engine, const char *url, tg_error_t *error)
{
    int              rc;
    sqlite_t        *s;
    authd_engine_t  *opened;

    s = calloc(1, sizeof(sqlite_t));
    if (s == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    s->engine.ops = &authd_engine_sqlite;
    opened = &s->engine;

    rc = authd_sqlite_file(s->path, url, error);
    if (rc != TG_OK) {
        goto failed;
    }

    /* the store's thread and the thread that opens never meet: no mutex */

    if (sqlite3_open_v2(s->path, &s->db,
                        SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOMUTEX, NULL)
        != SQLITE_OK)
    {
        rc = fault(s);

    } else {
        error->code = TG_OK;

        rc = configure(s);
        if (rc == TG_OK) {
            rc = bring_up_to_date(s, error);
        }
    }

    if (rc == TG_OK) {
        *engine = opened;
        return TG_OK;
    }

    if (error->code == TG_OK) {
        rc = rc == TG_ERR_REFUSED ? TG_ERR_ABSENT : rc;
        (void) tgi_error(error, rc, "%s", s->engine.text);
    }

failed:

    sqlite_close(&opened);

    return rc;
}


const authd_engine_ops_t  authd_engine_sqlite = {
    "sqlite",
    sqlite_open,
    sqlite_close,
    sqlite_send,
    sqlite_send_rows,
    sqlite_wait,
    sqlite_abandon,
    NULL,
    NULL,
    NULL
};
