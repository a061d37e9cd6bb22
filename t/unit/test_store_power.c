
/*
 * Copyright (C) The Tailgate authors
 *
 * The power is cut at the moment of an answer, and what was not synchronised
 * by then is lost: what was answered is there all the same.  With
 * synchronous=OFF it is not, or the test would prove nothing.
 */

#include "store_world.h"

#include "lossy_vfs.h"

#include <dlfcn.h>


#define SAVES  40
#define LARGE  900


static bool    unsafe;
static size_t  lost;
static char    copied[170];


/* In front of SQLite's own. */

int
sqlite3_exec(sqlite3 *db, const char *sql,
    int (*cb)(void *, int, char **, char **), void *data, char **text)
{
    int  (*exec)(sqlite3 *, const char *,
                 int (*)(void *, int, char **, char **), void *, char **);

    *(void **) &exec = dlsym(RTLD_NEXT, "sqlite3_exec");

    if (unsafe && strcmp(sql, "PRAGMA synchronous = FULL") == 0) {
        sql = "PRAGMA synchronous = OFF";
    }

    return exec(db, sql, cb, data, text);
}


/* How many of n links are in a database, -1 if it is none. */

static int
count_links(const char *name)
{
    int            n;
    sqlite3       *db;
    sqlite3_stmt  *stmt;

    n = -1;
    stmt = NULL;

    assert_int_equal(sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE,
                                     real_vfs->zName),
                     SQLITE_OK);

    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM links l, history h "
                           "WHERE h.seq = l.version", -1, &stmt, NULL)
        == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_ROW)
    {
        n = sqlite3_column_int(stmt, 0);
    }

    (void) sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    return n;
}


/*
 * At the moment of the answer.  The database's log is copied first: a
 * checkpoint between the two could otherwise empty it into a database that was
 * copied before; but nothing is written while the lock is held.
 */

static void
on_answer(void *data, const authd_store_answer_t *answer)
{
    int       n;
    char      from[180], to[180];
    world_t  *w = data;

    on_done(data, answer);

    (void) pthread_mutex_lock(&lossy_lock);

    lossy_cut(path, copied);
    (void) snprintf(from, sizeof(from), "%s-wal", path);
    (void) snprintf(to, sizeof(to), "%s-wal", copied);
    lossy_cut(from, to);

    (void) pthread_mutex_unlock(&lossy_lock);

    n = count_links(copied);

    if (n < (int) w->n) {
        lost += w->n - (size_t) (n < 0 ? 0 : n);
    }
}


static void
save_all(world_t *w)
{
    int                    i;
    char                   ids[LARGE][16];
    authd_link_t           links[LARGE];
    authd_store_change_t   changes[LARGE];

    for (i = 0; i < LARGE; i++) {
        (void) snprintf(ids[i], sizeof(ids[i]), "n%d", i);
        links[i] = make_link(ids[i], "https://example.com");
        changes[i] = change_of(AUTHD_STORE_PUT, "");
        changes[i].link = &links[i];
    }

    for (i = 0; i < SAVES; i++) {
        assert_int_equal(authd_store_submit(w->store, &changes[i], 1, false,
                                            str(""), 1, on_answer, w, NULL),
                         TG_OK);
        wait_answer(w);
    }

    /* so much that the log goes into the database, again and again */

    for (i = 0; i < 6; i++) {
        assert_int_equal(authd_store_submit(w->store, changes, LARGE, true,
                                            str(""), 1, on_answer, w, NULL),
                         TG_OK);
        wait_answer(w);
        assert_int_equal(w->n, LARGE);
    }
}


static int
setup_power(void **state)
{
    int  rc;

    /* SQLite alone: a server is not killed by a file system of ours */

    (void) unsetenv("TAILGATE_STORE_URL");

    lost = 0;
    lossy_install();
    rc = setup_world(state);
    (void) snprintf(copied, sizeof(copied), "%s/cut.db", folder);

    return rc;
}


static int
setup_unsafe(void **state)
{
    unsafe = true;

    return setup_power(state);
}


static int
teardown_power(void **state)
{
    char  name[180];

    (void) unlink(copied);
    (void) snprintf(name, sizeof(name), "%s-wal", copied);
    (void) unlink(name);
    (void) snprintf(name, sizeof(name), "%s-shm", copied);
    (void) unlink(name);

    (void) teardown_world(state);
    lossy_remove();
    unsafe = false;

    return 0;
}


static void
test_power_cut(void **state)
{
    save_all(*state);
    assert_int_equal(lost, 0);

    /* one for each answer, and no more than that but for checkpoints */
    assert_true(syncs >= SAVES + 6);
}


static void
test_power_cut_is_seen(void **state)
{
    save_all(*state);
    assert_true(lost >= SAVES);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_power_cut, setup_power,
                                        teardown_power),
        cmocka_unit_test_setup_teardown(test_power_cut_is_seen, setup_unsafe,
                                        teardown_power)
    };

    return cmocka_run_group_tests_name("store power", tests, NULL, NULL);
}
