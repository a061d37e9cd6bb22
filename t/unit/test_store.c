
/*
 * Copyright (C) The Tailgate authors
 *
 * The store: what is put is there, for this process and for the next one, for
 * both engines (store_world.h).
 */

#include "store_world.h"


static void
test_put(void **state)
{
    world_t              *w = *state;
    uint64_t              version;
    authd_link_t          link, stored;
    authd_store_change_t  change = change_of(AUTHD_STORE_PUT, "");

    link = make_link("wiki", "https://wiki.example.com/{{.Path}}");
    link.name = str("Wi-ki");
    link.owners = str("bob@example.com\ngroup:docs");
    link.description = str("Das \xe2\x82\xac-Wiki, \"quoted\" \\ and\nlines");
    link.tags = str("docs\nteam");
    link.expires = 1999999999;
    link.anyone = true;
    change.link = &link;

    assert_int_equal(change_now(w, &change, 1000), AUTHD_STORE_OK);
    authd_record_link(w->records[0], &stored);
    assert_int_equal(stored.created, 1000);
    assert_int_equal(stored.edited, 1000);
    assert_true(stored.version > 0);
    assert_int_equal(stored.uid, stored.version);

    version = stored.version;

    assert_int_equal(put_now(w, "wiki", "https://new.example.com", 2000),
                     AUTHD_STORE_OK);
    authd_record_link(w->records[0], &stored);
    assert_int_equal(stored.created, 1000);
    assert_int_equal(stored.edited, 2000);
    assert_true(stored.version > version);
    assert_int_equal(stored.uid, version);

    assert_int_equal(change_now(w, &change, 3000), AUTHD_STORE_OK);

    /* and so it is behind a restart */

    close_store(w);
    open_store(w);
    assert_int_equal(w->n, 1);

    stored = seen(w, "wiki");
    assert_str(stored.name, "Wi-ki");
    assert_str(stored.url, "https://wiki.example.com/{{.Path}}");
    assert_str(stored.owner, "alice@example.com");
    assert_str(stored.owners, "bob@example.com\ngroup:docs");
    assert_str(stored.description,
               "Das \xe2\x82\xac-Wiki, \"quoted\" \\ and\nlines");
    assert_str(stored.tags, "docs\nteam");
    assert_str(stored.origin, "");
    assert_str(stored.alias, "");
    assert_int_equal(stored.created, 1000);
    assert_int_equal(stored.edited, 3000);
    assert_int_equal(stored.expires, 1999999999);
    assert_int_equal(stored.uid, version);
    assert_true(stored.anyone);
}


/* The index knows of a change before the one who made it is answered. */

static void
on_done_indexed(void *data, const authd_store_answer_t *answer)
{
    world_t  *w = data;

    assert_int_equal(answer->status, AUTHD_STORE_OK);
    assert_int_equal(find(w, "first") < w->n, 1);
    on_done(data, answer);
}


static void
test_told_before_answered(void **state)
{
    world_t              *w = *state;
    authd_link_t          link = make_link("first", "https://example.com");
    authd_store_change_t  change = change_of(AUTHD_STORE_PUT, "");

    change.link = &link;

    assert_int_equal(authd_store_submit(w->store, &change, 1, false, str(""),
                                        1, on_done_indexed, w, NULL),
                     TG_OK);
    wait_answer(w);
}


static void
test_expect(void **state)
{
    world_t              *w = *state;
    authd_link_t          link = make_link("a", "https://two.example.com");
    authd_link_t          current;
    authd_store_change_t  change = change_of(AUTHD_STORE_PUT, "");

    assert_int_equal(put_now(w, "a", "https://one.example.com", 1),
                     AUTHD_STORE_OK);

    change.link = &link;
    change.expect = AUTHD_STORE_NEW;
    assert_int_equal(change_now(w, &change, 2), AUTHD_STORE_CONFLICT);
    assert_int_equal(w->status, AUTHD_STORE_OK);
    authd_record_link(w->records[0], &current);
    assert_str(current.url, "https://one.example.com");

    change.expect = AUTHD_STORE_VERSION;
    change.version = current.version + 1;
    assert_int_equal(change_now(w, &change, 3), AUTHD_STORE_CONFLICT);

    change.version = current.version;
    assert_int_equal(change_now(w, &change, 4), AUTHD_STORE_OK);
    assert_int_equal(change_now(w, &change, 5), AUTHD_STORE_CONFLICT);
    assert_str(seen(w, "a").url, "https://two.example.com");

    link = make_link("b", "https://b.example.com");
    assert_int_equal(change_now(w, &change, 6), AUTHD_STORE_CONFLICT);
    assert_null(w->records[0]);

    change.expect = AUTHD_STORE_NEW;
    assert_int_equal(change_now(w, &change, 7), AUTHD_STORE_OK);
}


static void
test_delete_and_restore(void **state)
{
    uint64_t              edit, gone;
    world_t              *w = *state;
    authd_link_t          link;
    authd_store_clicks_t  clicks = { 0, 20000, 7 };
    authd_store_change_t  change = change_of(AUTHD_STORE_DELETE, "a");

    assert_int_equal(change_now(w, &change, 1), AUTHD_STORE_ABSENT);

    assert_int_equal(put_now(w, "a", "https://one", 1), AUTHD_STORE_OK);
    edit = w->seqs[0];
    assert_int_equal(put_now(w, "a", "https://two", 2), AUTHD_STORE_OK);

    clicks.uid = seen(w, "a").uid;
    assert_int_equal(authd_store_add_clicks(w->store, &clicks, 1, false,
                                            on_done, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);

    assert_int_equal(change_now(w, &change, 3), AUTHD_STORE_OK);
    gone = w->seqs[0];
    assert_null(w->records[0]);
    assert_int_equal(w->n, 0);

    /* undo of the delete: all of it comes back, and its clicks */

    change = change_of(AUTHD_STORE_RESTORE, "a");
    change.seq = gone;
    assert_int_equal(change_now(w, &change, 4), AUTHD_STORE_OK);
    link = seen(w, "a");
    assert_str(link.url, "https://two");
    assert_int_equal(link.uid, clicks.uid);
    assert_int_equal(link.created, 1);
    assert_int_equal(link.edited, 4);
    assert_int_equal(w->clicks[find(w, "a")], 7);

    /* undo of the edit */

    change.seq = edit;
    assert_int_equal(change_now(w, &change, 5), AUTHD_STORE_OK);
    assert_str(seen(w, "a").url, "https://one");

    /* no such entry; one of another link */

    change.seq = 99999;
    assert_int_equal(change_now(w, &change, 6), AUTHD_STORE_ABSENT);
    assert_int_equal(put_now(w, "b", "https://b", 7), AUTHD_STORE_OK);
    change.seq = w->seqs[0];
    assert_int_equal(change_now(w, &change, 8), AUTHD_STORE_ABSENT);
    assert_str(seen(w, "a").url, "https://one");

    /* another link has the name by now: it keeps its own uid and clicks */

    change = change_of(AUTHD_STORE_DELETE, "a");
    assert_int_equal(change_now(w, &change, 9), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "a", "https://other", 10), AUTHD_STORE_OK);
    link = seen(w, "a");
    assert_true(link.uid != clicks.uid);

    change = change_of(AUTHD_STORE_RESTORE, "a");
    change.seq = gone;
    clicks.uid = link.uid;
    assert_int_equal(change_now(w, &change, 11), AUTHD_STORE_OK);
    link = seen(w, "a");
    assert_str(link.url, "https://two");
    assert_int_equal(link.uid, clicks.uid);
    assert_int_equal(w->clicks[find(w, "a")], 0);
}


static void
test_rename(void **state)
{
    uint64_t              uid;
    world_t              *w = *state;
    authd_link_t          link;
    authd_store_change_t  change = change_of(AUTHD_STORE_RENAME, "a");

    change.to = str("b");
    change.name = str("B");
    change.keep_alias = true;

    assert_int_equal(change_now(w, &change, 1), AUTHD_STORE_ABSENT);
    assert_int_equal(put_now(w, "a", "https://one", 1), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "c", "https://taken", 1), AUTHD_STORE_OK);
    uid = seen(w, "a").uid;

    assert_int_equal(change_now(w, &change, 2), AUTHD_STORE_OK);
    authd_record_link(w->records[0], &link);
    assert_str(link.id, "b");
    assert_str(link.name, "B");
    assert_int_equal(link.uid, uid);
    assert_str(seen(w, "a").alias, "b");
    assert_str(seen(w, "b").url, "https://one");

    /* a taken name */

    change.id = str("b");
    change.to = str("c");
    assert_int_equal(change_now(w, &change, 3), AUTHD_STORE_CONFLICT);
    authd_record_link(w->records[0], &link);
    assert_str(link.url, "https://taken");

    /* what led to b leads to d, and b does, too */

    change.to = str("d");
    change.name = str("d");
    assert_int_equal(change_now(w, &change, 4), AUTHD_STORE_OK);
    assert_str(seen(w, "a").alias, "d");
    assert_str(seen(w, "b").alias, "d");
    assert_int_equal(seen(w, "d").uid, uid);

    /* back to a name that is its own alias; the former one is given up */

    change.id = str("d");
    change.to = str("a");
    change.name = str("A");
    change.keep_alias = false;
    assert_int_equal(change_now(w, &change, 5), AUTHD_STORE_OK);
    assert_str(seen(w, "a").url, "https://one");
    assert_str(seen(w, "a").alias, "");
    assert_str(seen(w, "b").alias, "a");
    assert_int_equal(find(w, "d"), w->n);

    /* another spelling of the same id */

    change.id = str("a");
    change.name = str("aA");
    change.keep_alias = true;
    assert_int_equal(change_now(w, &change, 6), AUTHD_STORE_OK);
    assert_str(seen(w, "a").name, "aA");
    assert_int_equal(w->n, 3);

    close_store(w);
    open_store(w);
    assert_int_equal(w->n, 3);
    assert_int_equal(seen(w, "a").uid, uid);
    assert_str(seen(w, "b").alias, "a");

    /* one history through all names, newest first */

    assert_int_equal(authd_store_history(w->store, str("a"), 0, 60,
                                         on_history, w),
                     TG_OK);
    wait_answer(w);
    assert_true(w->n_entries >= 5);
    assert_string_equal(w->actions[0], "rename");
    assert_string_equal(w->actions[w->n_entries - 1], "create");
    authd_record_link(w->entries[w->n_entries - 1].after, &link);
    assert_str(link.url, "https://one");
}


static void
test_history(void **state)
{
    uint64_t              before;
    world_t              *w = *state;
    authd_link_t          link;
    authd_store_change_t  change = change_of(AUTHD_STORE_DELETE, "a");

    assert_int_equal(put_now(w, "a", "https://one", 10), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "b", "https://b", 11), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "a", "https://two", 12), AUTHD_STORE_OK);
    assert_int_equal(change_now(w, &change, 13), AUTHD_STORE_OK);

    assert_int_equal(authd_store_history(w->store, str("a"), 0, 10,
                                         on_history, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
    assert_int_equal(w->n_entries, 3);
    assert_string_equal(w->actions[0], "delete");
    assert_string_equal(w->actions[1], "edit");
    assert_string_equal(w->actions[2], "create");
    assert_string_equal(w->whos[1], "alice@example.com");
    assert_int_equal(w->entries[1].at, 12);
    assert_null(w->entries[2].before);
    assert_null(w->entries[0].after);

    authd_record_link(w->entries[1].before, &link);
    assert_str(link.url, "https://one");
    authd_record_link(w->entries[1].after, &link);
    assert_str(link.url, "https://two");
    authd_record_link(w->entries[0].before, &link);
    assert_str(link.url, "https://two");

    /* by pages */

    before = w->entries[0].seq;
    assert_int_equal(authd_store_history(w->store, str("a"), before, 1,
                                         on_history, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->n_entries, 1);
    assert_string_equal(w->actions[0], "edit");

    assert_int_equal(authd_store_history(w->store, str("none"), 0, 10,
                                         on_history, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
    assert_int_equal(w->n_entries, 0);
}


static void
add(world_t *w, const authd_store_clicks_t *clicks, size_t n, bool at_least)
{
    assert_int_equal(authd_store_add_clicks(w->store, clicks, n, at_least,
                                            on_done, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
}


static void
ask(world_t *w, uint64_t uid, int32_t from, int32_t to, bool totals)
{
    assert_int_equal(authd_store_clicks(w->store, uid, from, to, totals,
                                        on_counts, w),
                     TG_OK);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
}


static void
test_clicks(void **state)
{
    uint64_t              a, b;
    world_t              *w = *state;

    assert_int_equal(put_now(w, "a", "https://a", 1), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "b", "https://b", 1), AUTHD_STORE_OK);
    a = seen(w, "a").uid;
    b = seen(w, "b").uid;

    {
        authd_store_clicks_t  first[] = { { a, 100, 3 }, { b, 100, 1 },
                                          { a, 101, 2 }, { a, 100, 1 } };
        authd_store_clicks_t  least[] = { { a, 100, 10 }, { a, 101, 1 },
                                          { b, 99, 5 } };

        add(w, first, 4, false);
        ask(w, a, 100, 100, false);
        assert_int_equal(w->n_counts, 1);
        assert_int_equal(w->counts[0].n, 4);

        /* an import, twice */

        add(w, least, 3, true);
        add(w, least, 3, true);
    }

    ask(w, a, 0, 200, false);
    assert_int_equal(w->n_counts, 2);
    assert_int_equal(w->counts[0].day, 100);
    assert_int_equal(w->counts[0].n, 10);
    assert_int_equal(w->counts[1].day, 101);
    assert_int_equal(w->counts[1].n, 2);

    ask(w, 0, 0, 100, false);
    assert_int_equal(w->n_counts, 3);
    assert_int_equal(w->counts[0].day, 99);
    assert_int_equal(w->counts[0].uid, b);
    assert_int_equal(w->counts[1].uid, a);
    assert_int_equal(w->counts[2].uid, b);

    ask(w, 0, 0, 0, true);
    assert_int_equal(w->n_counts, 2);

    close_store(w);
    open_store(w);
    assert_int_equal(w->clicks[find(w, "a")], 12);
    assert_int_equal(w->clicks[find(w, "b")], 6);

    /* an edit does not tell of clicks: the index has them */

    assert_int_equal(put_now(w, "a", "https://a2", 2), AUTHD_STORE_OK);
    assert_int_equal(w->clicks[find(w, "a")], 12);
}


static void
test_secret(void **state)
{
    world_t                *w = *state;
    uint8_t                 first[32], again[32], other[32];
    tg_error_t              error;
    authd_store_t          *store;
    authd_store_handler_t   handler = { on_changed, on_reset, NULL, w };

    assert_int_equal(authd_store_open(&store, url, w->loop, &handler, &error),
                     TG_OK);
    assert_int_equal(authd_store_secret(store, "forms", first, &error), TG_OK);
    assert_int_equal(authd_store_secret(store, "other", other, &error), TG_OK);
    authd_store_close(&store);

    assert_int_equal(authd_store_open(&store, url, w->loop, &handler, &error),
                     TG_OK);
    assert_int_equal(authd_store_secret(store, "forms", again, &error), TG_OK);
    authd_store_close(&store);

    assert_memory_equal(first, again, 32);
    assert_memory_not_equal(first, other, 32);
}


static void
test_newer_version(void **state)
{
    world_t     *w = *state;
    tg_error_t   error;

    close_store(w);
    run_sql(server == NULL ? "PRAGMA user_version = 7"
                           : "UPDATE store SET schema = 7");

    assert_int_equal(try_open(w, &error), TG_ERR_REFUSED);
    assert_non_null(strstr(error.text, "its tables are of version 7, this "
                                       "program knows version 1"));
}


static bool
is_two(const void *data)
{
    const world_t  *w = data;

    return w->n == 2 && seen(w, "a").edited == 3;
}


static bool
is_reset(const void *data)
{
    const world_t  *w = data;

    return w->resets == 1 && w->n == 1;
}


/* What another process has changed is told, whichever way it was made. */

static void
test_news(void **state)
{
    world_t              *w = *state, *other;
    authd_store_change_t  change = change_of(AUTHD_STORE_RENAME, "c");

    assert_int_equal(put_now(w, "a", "https://a", 1), AUTHD_STORE_OK);

    other = new_world();
    open_store(other);
    assert_int_equal(other->n, 1);

    assert_int_equal(put_now(other, "b", "https://b", 2), AUTHD_STORE_OK);
    assert_int_equal(put_now(other, "c", "https://c", 2), AUTHD_STORE_OK);

    change.to = str("d");
    change.name = str("d");
    assert_int_equal(change_now(other, &change, 2), AUTHD_STORE_OK);

    change = change_of(AUTHD_STORE_DELETE, "d");
    assert_int_equal(change_now(other, &change, 3), AUTHD_STORE_OK);
    assert_int_equal(put_now(other, "a", "https://a3", 3), AUTHD_STORE_OK);

    wait_until(w->loop, is_two, w);
    assert_str(seen(w, "b").url, "https://b");
    assert_str(seen(w, "a").url, "https://a3");

    /* a conflict is noticed even if the news has not come yet */

    assert_int_equal(put_now(other, "e", "https://e", 4), AUTHD_STORE_OK);
    assert_int_equal(put_now(w, "f", "https://f", 5), AUTHD_STORE_OK);
    assert_str(seen(w, "e").url, "https://e");

    free_world(other);

    /* a backup was brought back */

    run_sql("DELETE FROM history WHERE seq > 1");
    run_sql("DELETE FROM links WHERE version > 1 AND id <> 'b'");
    run_sql("UPDATE store SET seq = 1");

    wait_until(w->loop, is_reset, w);
    assert_str(seen(w, "b").url, "https://b");
}


static void
count_done(void *data, const authd_store_answer_t *answer)
{
    int  *n = data;

    assert_int_equal(answer->status, AUTHD_STORE_OK);
    (*n)++;
}


/* What is queued when the store is closed is done, and answered. */

static void
test_close(void **state)
{
    int                    i, n;
    char                   id[16];
    world_t               *w = *state;
    authd_link_t           link;
    authd_store_change_t   change = change_of(AUTHD_STORE_PUT, "");

    n = 0;
    change.link = &link;

    for (i = 0; i < 200; i++) {
        (void) snprintf(id, sizeof(id), "n%d", i);
        link = make_link(id, "https://example.com");

        assert_int_equal(authd_store_submit(w->store, &change, 1, false,
                                            str(""), 1, count_done, &n, NULL),
                         TG_OK);
    }

    close_store(w);
    assert_int_equal(n, 200);

    open_store(w);
    assert_int_equal(w->n, 200);
}


#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, setup_world, teardown_world)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_put),
        TEST(test_told_before_answered),
        TEST(test_expect),
        TEST(test_delete_and_restore),
        TEST(test_rename),
        TEST(test_history),
        TEST(test_clicks),
        TEST(test_secret),
        TEST(test_newer_version),
        TEST(test_news),
        TEST(test_close)
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
