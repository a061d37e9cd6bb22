
/*
 * Copyright (C) The Tailgate authors
 *
 * golink's database: its tables as golink makes them, and files that are not
 * what they seem.
 */

#include "authd/store/golink_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>


/* tests E1 to E3 of golink's own: see the table of docs/links/golink.md */

static const char  tables[] =
    "CREATE TABLE IF NOT EXISTS Links ("
    "  ID       TEXT    PRIMARY KEY,"
    "  Short    TEXT    NOT NULL DEFAULT \"\","
    "  Long     TEXT    NOT NULL DEFAULT \"\","
    "  Created  INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),"
    "  LastEdit INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),"
    "  Owner    TEXT    NOT NULL DEFAULT \"\");"
    "CREATE TABLE IF NOT EXISTS Stats ("
    "  ID       TEXT    NOT NULL DEFAULT \"\","
    "  Created  INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),"
    "  Clicks   INTEGER);";


typedef struct {
    char    text[4096];
    size_t  len;
    int     stop;
} seen_t;


static char  path[64];


static int
on_link(void *data, const authd_golink_link_t *link)
{
    seen_t  *seen = data;

    seen->len += (size_t) snprintf(seen->text + seen->len,
                                   sizeof(seen->text) - seen->len,
                                   "%.*s %.*s %.*s %lld %lld\n",
                                   (int) link->name.len, link->name.data,
                                   (int) link->url.len, link->url.data,
                                   (int) link->owner.len, link->owner.data,
                                   (long long) link->created,
                                   (long long) link->edited);

    return seen->stop ? TG_ERR_REFUSED : TG_OK;
}


static int
on_clicks(void *data, const authd_golink_clicks_t *clicks)
{
    seen_t  *seen = data;

    seen->len += (size_t) snprintf(seen->text + seen->len,
                                   sizeof(seen->text) - seen->len,
                                   "%.*s day %d: %llu\n",
                                   (int) clicks->id.len, clicks->id.data,
                                   (int) clicks->day,
                                   (unsigned long long) clicks->n);

    return TG_OK;
}


static int
setup(void **state)
{
    int  fd;

    (void) state;

    (void) snprintf(path, sizeof(path), "/tmp/tggolink.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd != -1);
    assert_int_equal(close(fd), 0);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    return unlink(path);
}


static void
run_sql(const char *sql)
{
    char     *text = NULL;
    sqlite3  *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);

    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) {
        fail_msg("%s: %s", sql, text);
    }

    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}


static int
read_all(seen_t *seen, tg_error_t *error)
{
    authd_golink_reader_t  reader = { on_link, on_clicks, seen };

    memset(error, 0, sizeof(tg_error_t));

    return authd_golink_read(path, &reader, error);
}


static void
test_links(void **state)
{
    seen_t      seen = { "", 0, 0 };
    tg_error_t  error;

    (void) state;

    run_sql(tables);
    run_sql("INSERT INTO Links VALUES "
            "('foo', 'foo', 'https://foo/', 1654131723, 1654131724, 'a@b'),"
            "('bar', 'B-ar', '', '2022-06-02 01:02:03', "
            "'2022-06-02T03:02:03+02:00', ''),"
            "('bad', 'bad', 'x', 'yesterday', '', 'tagged-devices')");

    assert_int_equal(read_all(&seen, &error), TG_OK);
    assert_string_equal(seen.text,
                        "B-ar   1654131723 1654131723\n"
                        "bad x tagged-devices 0 0\n"
                        "foo https://foo/ a@b 1654131723 1654131724\n");

    /* the callback may have seen enough */

    seen.len = 0;
    seen.stop = 1;
    assert_int_equal(read_all(&seen, &error), TG_ERR_REFUSED);
    assert_string_equal(seen.text, "B-ar   1654131723 1654131723\n");
}


static void
test_stats(void **state)
{
    seen_t      seen = { "", 0, 0 };
    tg_error_t  error;

    (void) state;

    run_sql(tables);
    run_sql("INSERT INTO Stats VALUES ('a', 1654131723, 1),"
            "('a', 1654131724, 41), ('a', 1654214399, 1), ('b-c', 0, 1),"
            "('bc', 86400, 2), ('a', 1654214400, 5), ('a', -5, 7),"
            "('a', 1654131723, -3), ('a', 1654131723, NULL),"
            "('t', '2022-06-02 01:02:03', 9), ('t', 'never', 9)");

    assert_int_equal(read_all(&seen, &error), TG_OK);

    /* -5 is the day 0 of SQLite's division, and no day that golink wrote */

    assert_string_equal(seen.text,
                        "a day 0: 7\n"
                        "a day 19145: 43\n"
                        "a day 19146: 5\n"
                        "b-c day 0: 1\n"
                        "bc day 1: 2\n"
                        "t day 0: 9\n"
                        "t day 19145: 9\n");
}


static void
test_no_stats(void **state)
{
    seen_t      seen = { "", 0, 0 };
    tg_error_t  error;

    (void) state;

    run_sql(tables);
    run_sql("DROP TABLE Stats; INSERT INTO Links (ID, Short, Long, Created, "
            "LastEdit) VALUES ('a', 'a', 'b', 1, 2)");

    assert_int_equal(read_all(&seen, &error), TG_OK);
    assert_string_equal(seen.text, "a b  1 2\n");
}


static void
test_refused(void **state)
{
    FILE        *file;
    seen_t       seen = { "", 0, 0 };
    tg_error_t   error;

    (void) state;

    /* an empty file is an empty database */

    assert_int_equal(read_all(&seen, &error), TG_ERR_TYPE);
    assert_non_null(strstr(error.text, "is not golink's: Links: no such "
                                       "table: Links"));

    run_sql("CREATE TABLE Links (ID TEXT)");
    assert_int_equal(read_all(&seen, &error), TG_ERR_TYPE);
    assert_non_null(strstr(error.text, "no such column: Short"));

    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("{\"Short\":\"a\",\"Long\":\"b\"}\n", file) >= 0);
    assert_int_equal(fclose(file), 0);

    assert_int_equal(read_all(&seen, &error), TG_ERR_SYNTAX);
    assert_non_null(strstr(error.text, "is no SQLite database"));

    assert_int_equal(authd_golink_read("/nonexistent/golink.db", NULL, &error),
                     TG_ERR_ABSENT);
    assert_string_equal(seen.text, "");

    assert_true(authd_golink_is_sqlite("SQLite format 3\0\x10", 17));
    assert_false(authd_golink_is_sqlite("SQLite format 3\0", 15));
    assert_false(authd_golink_is_sqlite("{\"Short\":\"a\"    }", 17));
}


/* What another one's file says is not run, and not read twice. */

static void
test_hostile(void **state)
{
    size_t      i;
    seen_t      seen = { "", 0, 0 };
    tg_error_t  error;

    static const char *const  files[] = {
        /* without an end */
        "DROP TABLE Links; CREATE VIEW Links AS"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT i AS ID, i AS Short, i AS Long, 0 AS Created,"
        " 0 AS LastEdit, '' AS Owner FROM n",

        "DROP TABLE Stats; CREATE VIEW sTATS AS SELECT 'a' AS ID,"
        " 0 AS Created, 1 AS Clicks",

        /* a row that is as large as may be */
        "DROP TABLE Links; CREATE TABLE Links (ID TEXT, Short TEXT, Owner,"
        " Created, LastEdit, Long AS (hex(zeroblob(100000))))",

        "ALTER TABLE Stats ADD COLUMN More AS (hex(Clicks)) VIRTUAL",

        /* no page of the file's own */
        "DROP TABLE Links; CREATE VIRTUAL TABLE Links USING fts5(ID, Short,"
        " Long, Created, LastEdit, Owner)",
    };

    (void) state;

    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_int_equal(truncate(path, 0), 0);
        run_sql(tables);
        run_sql(files[i]);

        assert_int_equal(read_all(&seen, &error), TG_ERR_TYPE);
        assert_non_null(strstr(error.text, "is no plain table"));
    }

    /* pages that two trees have */

    assert_int_equal(truncate(path, 0), 0);
    run_sql(tables);
    run_sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage ="
            " (SELECT rootpage FROM sqlite_schema WHERE name = 'Links')"
            " WHERE name = 'Stats'");

    assert_int_equal(read_all(&seen, &error), TG_ERR_SYNTAX);
    assert_non_null(strstr(error.text, "is damaged"));

    /* a check that would take its time */

    assert_int_equal(truncate(path, 0), 0);
    run_sql(tables);
    run_sql("DROP TABLE Links; CREATE TABLE Links (ID, Short, Long, Created,"
            " LastEdit, Owner, CHECK (Short <> 'never'));"
            "PRAGMA ignore_check_constraints = ON;"
            "INSERT INTO Links VALUES ('never', 'never', 'x', 0, 0, '')");

    assert_int_equal(read_all(&seen, &error), TG_OK);
    assert_string_equal(seen.text, "never x  0 0\n");

    /* more than any link has */

    run_sql("UPDATE Links SET Long = hex(zeroblob(600000))");

    assert_int_equal(read_all(&seen, &error), TG_ERR_ABSENT);
    assert_non_null(strstr(error.text, "too big"));
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_links),
        TEST(test_stats),
        TEST(test_no_stats),
        TEST(test_refused),
        TEST(test_hostile)
    };

    return cmocka_run_group_tests_name("golink_db", tests, NULL, NULL);
}
