
/*
 * Copyright (C) The Tailgate authors
 *
 * When clicks are given to the store: the store is this test.
 */

#include "authd/app/links/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define MANY  10000                /* links that one request has */


static size_t               calls, rows;
static uint64_t             clicks;
static authd_store_done_pt  waiting;


int
authd_store_add_clicks(authd_store_t *store, const authd_store_clicks_t *items,
    size_t n, bool at_least, authd_store_done_pt done, void *data)
{
    size_t  i;

    (void) store;
    (void) data;

    assert_false(at_least);
    assert_null(waiting);

    calls++;
    rows = n;
    waiting = done;

    for (i = 0; i < n; i++) {
        clicks += items[i].n;
    }

    return TG_OK;
}


static void
answer(authd_links_t *app, const char *text)
{
    authd_store_done_pt   done;
    authd_store_answer_t  answered;

    memset(&answered, 0, sizeof(answered));
    answered.text = text;

    done = waiting;
    waiting = NULL;

    assert_non_null(done);
    done(app, &answered);
}


static void
click(authd_links_t *app, size_t first, size_t n)
{
    char      name[32];
    size_t    i;
    tg_str_t  id = { name, 0 };

    for (i = first; i < first + n; i++) {
        id.len = (size_t) snprintf(name, sizeof(name), "link%zu", i);

        authd_links_index_click(app->index,
                                authd_links_index_get(app->index, id));
    }
}


static int
setup(void **state)
{
    char                name[32];
    size_t              i;
    tgn_loop_t         *loop;
    authd_link_t        link;
    authd_links_t      *app;
    authd_store_news_t  news;

    app = calloc(1, sizeof(authd_links_t));
    assert_non_null(app);

    app->authd = calloc(1, sizeof(authd_t));
    assert_non_null(app->authd);

    loop = tgn_loop_new();
    assert_non_null(loop);
    app->authd->loop = loop;

    app->index = authd_links_index_new();
    assert_non_null(app->index);
    assert_true(authd_links_flush_start(app));

    for (i = 0; i < MANY + 5; i++) {
        memset(&link, 0, sizeof(link));
        memset(&news, 0, sizeof(news));

        link.name.data = name;
        link.name.len = (size_t) snprintf(name, sizeof(name), "link%zu", i);
        link.id = link.name;
        link.url = link.name;
        link.uid = i + 1;
        link.version = i + 1;

        news.id = link.id;
        news.record = authd_record_new(&link);
        assert_non_null(news.record);
        assert_true(authd_links_index_news(app->index, &news));
        authd_record_drop(&news.record);
    }

    calls = 0;
    clicks = 0;
    waiting = NULL;
    *state = app;

    return 0;
}


static int
teardown(void **state)
{
    authd_links_t  *app = *state;

    tgn_timer_free(&app->flush);
    authd_links_index_free(&app->index);
    tgn_loop_free(&app->authd->loop);
    free(app->authd);
    free(app->flushed);
    free(app);

    return 0;
}


/* What comes while a commit is under way waits for the timer. */

static void
test_one_at_a_time(void **state)
{
    authd_links_t  *app = *state;

    authd_links_flush(app);
    assert_int_equal(calls, 0);

    click(app, 0, 3);
    authd_links_flush(app);
    assert_int_equal(calls, 1);
    assert_int_equal(rows, 3);

    click(app, 1, 4);
    authd_links_flush(app);
    assert_int_equal(calls, 1);

    answer(app, "");
    assert_int_equal(calls, 1);

    authd_links_flush(app);
    assert_int_equal(calls, 2);
    assert_int_equal(clicks, 7);
    answer(app, "");
}


/* What was not taken is given once more, and nothing counts twice. */

static void
test_again(void **state)
{
    authd_links_t  *app = *state;

    click(app, 0, 2);
    authd_links_flush(app);
    answer(app, "the disk is full");
    assert_int_equal(calls, 1);

    click(app, 0, 2);
    clicks = 0;
    authd_links_flush(app);
    assert_int_equal(clicks, 2);
    answer(app, "");
    authd_links_flush(app);
    assert_int_equal(clicks, 4);
    answer(app, "");
    authd_links_flush(app);
    assert_int_equal(calls, 3);
}


/* More than one request has follows at once. */

static void
test_many(void **state)
{
    authd_links_t  *app = *state;

    click(app, 0, MANY + 5);
    authd_links_flush(app);
    assert_int_equal(rows, MANY);

    answer(app, "");
    assert_int_equal(calls, 2);
    assert_int_equal(rows, 5);
    assert_int_equal(clicks, MANY + 5);
    answer(app, "");
}


/* At the end there is no later. */

static void
test_end(void **state)
{
    authd_links_t  *app = *state;

    click(app, 0, 1);
    authd_links_flush(app);
    click(app, 1, 1);

    tgn_timer_free(&app->flush);
    authd_links_flush(app);
    assert_int_equal(calls, 1);

    answer(app, "");
    assert_int_equal(calls, 2);
    assert_int_equal(clicks, 2);
    answer(app, "");
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_one_at_a_time),
        TEST(test_again),
        TEST(test_many),
        TEST(test_end)
    };

    return cmocka_run_group_tests_name("links_click", tests, NULL, NULL);
}
