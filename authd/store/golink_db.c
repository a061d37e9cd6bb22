
/*
 * Copyright (C) The Tailgate authors
 *
 * golink's database, as it is on disk.
 */

#include "authd/store/golink_db.h"

#include "core/base/base.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>


#define DAY       86400

/* Bytes of a row or a text: far more than a link may have. */

#define ROW_MAX   (1024 * 1024)

/* Every SQLite file begins so. */

static const char  magic[16] = "SQLite format 3";


bool
authd_golink_is_sqlite(const char *data, size_t len)
{
    return len >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}


static tg_str_t
column_text(sqlite3_stmt *stmt, int i)
{
    tg_str_t  text;

    text.data = (const char *) sqlite3_column_text(stmt, i);
    text.len = (size_t) sqlite3_column_bytes(stmt, i);

    if (text.data == NULL) {
        text.data = "";
        text.len = 0;
    }

    return text;
}


/*
 * golink writes integers.  Its columns have no strict type: what was brought
 * in by hand may be "2022-06-02 01:02:03" or RFC 3339.
 */

static int64_t
column_time(sqlite3_stmt *stmt, int i)
{
    char      text[64];
    int64_t   seconds;
    tg_str_t  value;

    if (sqlite3_column_type(stmt, i) != SQLITE_TEXT) {
        return sqlite3_column_int64(stmt, i);
    }

    value = column_text(stmt, i);

    if (value.len < sizeof("2022-06-02 01:02:03") - 1
        || value.len > sizeof(text) - 2)
    {
        return 0;
    }

    memcpy(text, value.data, value.len);

    if (text[10] == ' ') {
        text[10] = 'T';
    }

    if (value.len == sizeof("2022-06-02 01:02:03") - 1) {
        text[value.len++] = 'Z';
    }

    if (tgi_time_parse(&seconds, text, value.len) != TG_OK) {
        return 0;
    }

    return seconds;
}


static int
fault(sqlite3 *db, const char *path, tg_error_t *error)
{
    int  code;

    code = sqlite3_errcode(db) & 0xff;

    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) {
        return tgi_error(error, TG_ERR_SYNTAX, "%s: %s", path,
                         code == SQLITE_NOTADB ? "is no SQLite database"
                                               : "is damaged");
    }

    return tgi_error(error, TG_ERR_ABSENT, "%s: %s", path,
                     sqlite3_errmsg(db));
}


/* Whether there is such a table with such columns, and which. */

static int
prepare(sqlite3 *db, const char *path, const char *sql, const char *what,
    sqlite3_stmt **stmt, tg_error_t *error)
{
    int  code;

    if (sqlite3_prepare_v2(db, sql, -1, stmt, NULL) == SQLITE_OK) {
        return TG_OK;
    }

    code = sqlite3_errcode(db) & 0xff;

    /* SQLITE_ERROR is for what it does not know: a table, a column */

    if (code == SQLITE_ERROR) {
        return tgi_error(error, TG_ERR_TYPE, "%s: is not golink's: %s: %s",
                         path, what, sqlite3_errmsg(db));
    }

    return fault(db, path, error);
}


static int
read_links(sqlite3 *db, const char *path, const authd_golink_reader_t *reader,
    tg_error_t *error)
{
    int                  rc, step;
    sqlite3_stmt        *stmt;
    authd_golink_link_t  link;

    stmt = NULL;

    rc = prepare(db, path,
                 "SELECT Short, Long, Owner, Created, LastEdit FROM Links "
                 "ORDER BY Short, ID", "Links", &stmt, error);

    while (rc == TG_OK) {
        step = sqlite3_step(stmt);

        if (step == SQLITE_DONE) {
            break;
        }

        if (step != SQLITE_ROW) {
            rc = fault(db, path, error);
            break;
        }

        link.name = column_text(stmt, 0);
        link.url = column_text(stmt, 1);
        link.owner = column_text(stmt, 2);
        link.created = column_time(stmt, 3);
        link.edited = column_time(stmt, 4);

        rc = reader->link(reader->data, &link);
    }

    (void) sqlite3_finalize(stmt);

    return rc;
}


/* A day is that of UTC; a count that makes no sense is none. */

static int
read_clicks(sqlite3 *db, const char *path,
    const authd_golink_reader_t *reader, tg_error_t *error)
{
    int                    rc, step;
    int64_t                day, n;
    sqlite3_stmt          *stmt;
    authd_golink_clicks_t  clicks;

    stmt = NULL;

    rc = prepare(db, path,
                 "SELECT ID, CASE typeof(Created) WHEN 'text' "
                 "THEN CAST(strftime('%s', Created) AS INTEGER) "
                 "ELSE Created END / 86400 AS Day, "
                 "CAST(total(Clicks) AS INTEGER) FROM Stats "
                 "WHERE Clicks > 0 GROUP BY ID, Day ORDER BY ID, Day",
                 "Stats", &stmt, error);

    while (rc == TG_OK) {
        step = sqlite3_step(stmt);

        if (step == SQLITE_DONE) {
            break;
        }

        if (step != SQLITE_ROW) {
            rc = fault(db, path, error);
            break;
        }

        clicks.id = column_text(stmt, 0);
        day = sqlite3_column_int64(stmt, 1);
        n = sqlite3_column_int64(stmt, 2);

        if (day < 0 || day > INT64_MAX / DAY || day > INT32_MAX || n <= 0) {
            continue;
        }

        clicks.day = (int32_t) day;
        clicks.n = (uint64_t) n;

        rc = reader->clicks(reader->data, &clicks);
    }

    (void) sqlite3_finalize(stmt);

    return rc;
}


/* One number that a statement gives, or -1. */

static int64_t
number(sqlite3 *db, const char *sql)
{
    int64_t        n;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return -1;
    }

    n = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    (void) sqlite3_finalize(stmt);

    return n;
}


/* The first golink had no Stats: then there are no clicks. */

static bool
has_stats(sqlite3 *db)
{
    return number(db, "SELECT count(*) FROM sqlite_schema"
                      " WHERE name = 'Stats'")
           > 0;
}


/*
 * Rows that are computed could be without end, or each as large as may be: a
 * view, a virtual table (which has no root page), a generated column.
 */

static int
check_tables(sqlite3 *db, const char *path, tg_error_t *error)
{
    int64_t  n;

    n = number(db, "SELECT (SELECT count(*) FROM sqlite_schema"
                   " WHERE name COLLATE NOCASE IN ('Links', 'Stats')"
                   " AND (type <> 'table' OR rootpage IS NULL"
                   " OR rootpage < 1))"
                   " + (SELECT count(*) FROM pragma_table_xinfo('Links')"
                   " WHERE hidden)"
                   " + (SELECT count(*) FROM pragma_table_xinfo('Stats')"
                   " WHERE hidden)");

    if (n == 0) {
        return TG_OK;
    }

    if (n < 0) {
        return fault(db, path, error);
    }

    return tgi_error(error, TG_ERR_TYPE, "%s: is not golink's: Links or Stats"
                     " is no plain table", path);
}


/*
 * A page that is met twice would be read as often as it is named, and that
 * doubles with each level of a tree.
 */

static int
check_pages(sqlite3 *db, const char *path, tg_error_t *error)
{
    int            rc;
    tg_str_t       word;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL)
        != SQLITE_OK)
    {
        return fault(db, path, error);
    }

    rc = TG_OK;

    if (sqlite3_step(stmt) != SQLITE_ROW) {
        rc = fault(db, path, error);

    } else {
        word = column_text(stmt, 0);

        if (word.len != 2 || memcmp(word.data, "ok", 2) != 0) {
            rc = tgi_error(error, TG_ERR_SYNTAX, "%s: is damaged: %.*s", path,
                           (int) word.len, word.data);
        }
    }

    (void) sqlite3_finalize(stmt);

    return rc;
}


/* Somebody else's file: nothing that it says is run. */

static int
guard(sqlite3 *db, const char *path, tg_error_t *error)
{
    (void) sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void) sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void) sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_MAX);

    if (sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL,
                     NULL)
        != SQLITE_OK)
    {
        return fault(db, path, error);
    }

    return TG_OK;
}


int
authd_golink_read(const char *path, const authd_golink_reader_t *reader,
    tg_error_t *error)
{
    int       rc;
    sqlite3  *db;

    db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        rc = db != NULL ? fault(db, path, error)
                        : tgi_error(error, TG_ERR_NOMEM, "out of memory");
        goto out;
    }

    (void) sqlite3_busy_timeout(db, 5000);

    rc = guard(db, path, error);

    if (rc != TG_OK) {
        goto out;
    }

    /* one state of both tables, also while golink writes */

    if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        rc = fault(db, path, error);
        goto out;
    }

    rc = check_tables(db, path, error);

    if (rc == TG_OK) {
        rc = check_pages(db, path, error);
    }

    if (rc == TG_OK) {
        rc = read_links(db, path, reader, error);
    }

    if (rc == TG_OK && reader->clicks != NULL && has_stats(db)) {
        rc = read_clicks(db, path, reader, error);
    }

out:

    (void) sqlite3_close(db);

    return rc;
}
