
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/view.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define HOSTILE  "\"><script>alert('1')</script>&amp;"
#define ESCAPED  "&#34;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;" \
                 "&amp;amp;"


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static size_t
count(tg_str_t page, const char *what)
{
    size_t       n, len;
    const char  *p, *last;

    n = 0;
    len = strlen(what);
    last = page.data + page.len;

    for (p = page.data; (p = memmem(p, (size_t) (last - p), what, len));
         p += len)
    {
        n++;
    }

    return n;
}


static void
test_text(void **state)
{
    authd_links_out_t  out;

    (void) state;

    authd_links_out_init(&out, &alloc);
    authd_links_out_text(&out, (tg_str_t) TG_STR(HOSTILE));
    authd_links_out_text(&out, (tg_str_t) TG_NULL_STR);
    authd_links_out_number(&out, UINT64_MAX);

    assert_int_equal(authd_links_out_done(&out).len,
                     strlen(ESCAPED "18446744073709551615"));
    assert_memory_equal(authd_links_out_done(&out).data,
                        ESCAPED "18446744073709551615",
                        authd_links_out_done(&out).len);
}


static void
test_growth(void **state)
{
    size_t             i;
    tg_str_t           page;
    authd_links_out_t  out;

    (void) state;

    authd_links_out_init(&out, &alloc);

    for (i = 0; i < 10000; i++) {
        authd_links_out_raw(&out, (tg_str_t) TG_STR("0123456789"));
    }

    page = authd_links_out_done(&out);

    assert_int_equal(page.len, 100000);
    assert_int_equal(count(page, "0123456789"), 10000);
}


/* Half a page is none. */

static void
test_no_memory(void **state)
{
    size_t             i;
    authd_links_out_t  out;

    (void) state;

    authd_links_out_init(&out, &alloc);

    for (i = 0; i < 100000; i++) {
        authd_links_out_raw(&out, (tg_str_t) TG_STR("0123456789"));
    }

    assert_true(out.failed);
    assert_int_equal(authd_links_out_done(&out).len, 0);
}


/* What people typed is in every field of the page, and nowhere as markup. */

static void
test_hostile_detail(void **state)
{
    tg_str_t              page, hostile = TG_STR(HOSTILE);
    authd_links_day_t     day;
    authd_links_out_t     out;
    authd_links_row_t     row;
    authd_links_form_t    form;
    authd_links_frame_t   frame;
    authd_links_detail_t  detail;

    (void) state;

    memset(&detail, 0, sizeof(detail));
    memset(&day, 0, sizeof(day));

    day.day = hostile;
    day.height = 100;

    frame = (authd_links_frame_t) {
        hostile, hostile, hostile, hostile, true, true
    };
    row = (authd_links_row_t) {
        hostile, hostile, hostile, hostile, hostile, hostile, &hostile, 1,
        hostile, 7
    };
    form = (authd_links_form_t) {
        hostile, hostile, hostile, hostile, hostile, hostile, hostile,
        hostile, true, true, hostile, hostile, hostile, hostile, hostile,
        hostile, hostile
    };

    detail.frame = frame;
    detail.link = row;
    detail.form = form;
    detail.created = hostile;
    detail.expires = hostile;
    detail.owners = hostile;
    detail.other_names = hostile;
    detail.history = hostile;
    detail.csv = hostile;
    detail.rename_action = hostile;
    detail.delete_action = hostile;
    detail.note = hostile;
    detail.rename_error = hostile;
    detail.git = true;
    detail.owned = true;
    detail.expired = true;
    detail.takeover = true;
    detail.days = &day;
    detail.ndays = 1;

    authd_links_out_init(&out, &alloc);
    authd_links_page_detail(&out, &detail);
    page = authd_links_out_done(&out);

    assert_true(page.len > 0);
    assert_int_equal(count(page, "<script>"), 0);
    assert_int_equal(count(page, "alert('"), 0);
    assert_true(count(page, ESCAPED) >= 40);
    assert_int_equal(count(page, "</html>"), 1);
}


/* An error stands behind its own field, which points to it. */

static void
test_form_error(void **state)
{
    tg_str_t            page;
    authd_links_out_t   out;
    authd_links_form_t  form;

    (void) state;

    memset(&form, 0, sizeof(form));
    form.url_error = (tg_str_t) TG_STR("this is no address");

    authd_links_out_init(&out, &alloc);
    authd_links_page_form(&out, &form);
    page = authd_links_out_done(&out);

    assert_int_equal(count(page, "<p class=\"error\" id=\"long-error\">"
                                 "this is no address</p>"), 1);
    assert_int_equal(count(page, "aria-describedby=\"long-error\""), 1);
    assert_int_equal(count(page, "this is no address"), 1);
    assert_int_equal(count(page, ">Create</button>"), 1);
    assert_int_equal(count(page, "readonly"), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_growth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_detail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_form_error, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
