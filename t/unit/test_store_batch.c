
/*
 * Copyright (C) The Tailgate authors
 *
 * Many changes in one request, requests in one commit, and links that nobody
 * takes: on both engines (store_world.h).
 */

#include "store_world.h"


static void
test_batch(void **state)
{
    int                   i;
    world_t              *w = *state;
    authd_link_t          links[5];
    authd_store_change_t  changes[7];

    assert_int_equal(put_now(w, "old", "https://old", 1), AUTHD_STORE_OK);

    links[0] = make_link("x", "https://x");
    links[1] = make_link("old", "https://newer");
    links[2] = make_link("x", "https://x2");
    links[3] = make_link("y", "https://y");
    links[4] = make_link("x", "https://x3");
    links[3].created = 77;
    links[3].edited = 88;

    for (i = 0; i < 5; i++) {
        changes[i] = change_of(AUTHD_STORE_PUT, "");
        changes[i].link = &links[i];
    }

    changes[1].expect = AUTHD_STORE_NEW;
    changes[3].keep_times = true;
    changes[4].expect = AUTHD_STORE_NEW;
    changes[5] = change_of(AUTHD_STORE_DELETE, "old");
    changes[6] = change_of(AUTHD_STORE_DELETE, "nothing");

    submit(w, changes, 7, false, 5);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
    assert_int_equal(w->n_results, 7);
    assert_int_equal(w->results[0], AUTHD_STORE_OK);
    assert_int_equal(w->results[1], AUTHD_STORE_CONFLICT);
    assert_int_equal(w->results[2], AUTHD_STORE_OK);
    assert_int_equal(w->results[3], AUTHD_STORE_OK);
    assert_int_equal(w->results[4], AUTHD_STORE_CONFLICT);
    assert_int_equal(w->results[5], AUTHD_STORE_OK);
    assert_int_equal(w->results[6], AUTHD_STORE_ABSENT);
    assert_str(seen(w, "x").url, "https://x2");
    assert_int_equal(seen(w, "y").created, 77);
    assert_int_equal(seen(w, "y").edited, 88);
    assert_int_equal(w->n, 2);

    /* all or nothing */

    links[0] = make_link("z", "https://z");
    links[1] = make_link("x", "https://x4");
    changes[5] = change_of(AUTHD_STORE_DELETE, "y");

    submit(w, changes, 7, true, 6);
    wait_answer(w);
    assert_int_equal(w->status, AUTHD_STORE_OK);
    assert_int_equal(w->results[0], AUTHD_STORE_SKIPPED);
    assert_int_equal(w->results[1], AUTHD_STORE_CONFLICT);
    assert_int_equal(w->results[5], AUTHD_STORE_SKIPPED);
    assert_int_equal(w->results[6], AUTHD_STORE_ABSENT);
    assert_int_equal(w->n, 2);
    assert_int_equal(find(w, "z"), w->n);

    changes[0].expect = AUTHD_STORE_ANY;
    submit(w, changes, 1, true, 7);
    wait_answer(w);
    assert_int_equal(w->results[0], AUTHD_STORE_OK);

    close_store(w);
    open_store(w);
    assert_int_equal(w->n, 3);
    assert_str(seen(w, "x").url, "https://x2");
}


static void
test_checked(void **state)
{
    world_t              *w = *state;
    tg_error_t            error;
    authd_link_t          link = make_link("a", "https://one");
    authd_store_change_t  change = change_of(AUTHD_STORE_PUT, "");

    static char  long_text[AUTHD_LINK_MAX + 2];

    memset(long_text, 'x', sizeof(long_text) - 1);
    change.link = &link;

#define REFUSED(code, message)                                                \
    assert_int_equal(authd_store_submit(w->store, &change, 1, false, str("a"),\
                                        1, on_done, w, &error), code);        \
    assert_string_equal(error.text, message);                                 \
    assert_int_equal(error.line, 1)

    link.url = str("");
    REFUSED(TG_ERR_MISSING, "url: is empty");

    link.url.data = long_text;
    link.url.len = AUTHD_LINK_MAX;
    REFUSED(TG_ERR_LIMIT, "is longer than 65536 bytes in all");
    link.url.len++;
    REFUSED(TG_ERR_LIMIT, "url: is longer than 65536 bytes");

    link.url = str("https://\xff");
    REFUSED(TG_ERR_SYNTAX, "url: is no UTF-8 text");
    link.url.data = "a\0b";
    link.url.len = 3;
    REFUSED(TG_ERR_SYNTAX, "url: is no UTF-8 text");

    link.url = str("https://one");
    link.tags = str("a\n\nb");
    REFUSED(TG_ERR_SYNTAX, "tags: has an empty item");
    link.tags = str("");

    link.id.data = long_text;
    link.id.len = AUTHD_LINK_NAME_MAX + 1;
    REFUSED(TG_ERR_LIMIT, "id: is longer than 1024 bytes");

    change = change_of(AUTHD_STORE_RENAME, "a");
    change.to = str("b");
    REFUSED(TG_ERR_MISSING, "name: is empty");

    /* as long as it may be */

    change = change_of(AUTHD_STORE_PUT, "");
    change.link = &link;
    link.id.len = AUTHD_LINK_NAME_MAX;
    link.name = link.id;
    link.url.data = long_text;
    link.url.len = AUTHD_LINK_MAX - 2 * AUTHD_LINK_NAME_MAX - link.owner.len;
    assert_int_equal(change_now(w, &change, 1), AUTHD_STORE_OK);
}


static bool
is_all(const void *data)
{
    const world_t  *w = data;

    return w->answers == 30;
}


/* What the database itself does not take is refused, and only that. */

static void
test_refused_by_database(void **state)
{
    int                   i;
    world_t              *w = *state;
    authd_link_t          links[3];
    authd_store_change_t  changes[3];

    if (server == NULL) {
        run_sql("CREATE TRIGGER no BEFORE INSERT ON links "
                "WHEN new.url = 'https://evil' BEGIN "
                "SELECT RAISE(ABORT, 'no evil'); END");

    } else {
        run_sql("ALTER TABLE links ADD CONSTRAINT no "
                "CHECK (url <> 'https://evil')");
    }

    links[0] = make_link("a", "https://a");
    links[1] = make_link("evil", "https://evil");
    links[2] = make_link("c", "https://c");

    for (i = 0; i < 3; i++) {
        changes[i] = change_of(AUTHD_STORE_PUT, "");
        changes[i].link = &links[i];
    }

    submit(w, changes, 3, false, 1);
    wait_answer(w);
    assert_int_equal(w->results[0], AUTHD_STORE_OK);
    assert_int_equal(w->results[1], AUTHD_STORE_REFUSED);
    assert_int_equal(w->results[2], AUTHD_STORE_OK);
    assert_true(strlen(w->text) > 0);
    assert_null(w->records[1]);
    assert_int_equal(w->n, 2);

    submit(w, changes, 3, true, 1);
    wait_answer(w);
    assert_int_equal(w->results[0], AUTHD_STORE_SKIPPED);
    assert_int_equal(w->results[1], AUTHD_STORE_REFUSED);

    /* requests that share a commit do not share its fate */

    for (i = 0; i < 30; i++) {
        submit(w, &changes[i % 3], 1, false, 100 + i);
    }

    wait_until(w->loop, is_all, w);
    w->answers = 0;
    assert_int_equal(seen(w, "a").edited, 127);
    assert_int_equal(seen(w, "c").edited, 129);
    assert_int_equal(find(w, "evil"), w->n);
    assert_true(authd_store_works(w->store, NULL));

    close_store(w);
    open_store(w);
    assert_int_equal(w->n, 2);
    assert_int_equal(seen(w, "c").edited, 129);
}


#define TEST(name)                                                            \
    cmocka_unit_test_setup_teardown(name, setup_world, teardown_world)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_batch),
        TEST(test_checked),
        TEST(test_refused_by_database)
    };

    return cmocka_run_group_tests_name("store batch", tests, NULL, NULL);
}
