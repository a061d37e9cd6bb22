
/*
 * Copyright (C) The Tailgate authors
 */

#include "core/base/base.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static void
test_strerror(void **state)
{
    int  i, j;

    (void) state;

    for (i = TG_OK; i >= TG_ERR_CRYPTO; i--) {
        for (j = TG_OK; j > i; j--) {
            assert_string_not_equal(tg_strerror(i), tg_strerror(j));
        }

        assert_string_not_equal(tg_strerror(i), tg_strerror(1));
    }

    assert_string_equal(tg_strerror(-99), tg_strerror(1));
}


static void
test_arena(void **state)
{
    size_t       i;
    char        *p, *q;
    tg_arena_t  *arena;

    (void) state;

    arena = tg_arena_new(10000);
    assert_non_null(arena);

    p = tg_arena_alloc(arena, 3);
    q = tg_arena_alloc(arena, 0);
    assert_non_null(p);
    assert_non_null(q);
    assert_ptr_not_equal(p, q);
    assert_int_equal((uintptr_t) p % alignof(max_align_t), 0);
    assert_int_equal((uintptr_t) q % alignof(max_align_t), 0);

    /* more than a block holds, and zeroed */

    p = tg_arena_alloc(arena, 9000);
    assert_non_null(p);

    for (i = 0; i < 9000; i++) {
        assert_int_equal(p[i], 0);
    }

    memset(p, 'x', 9000);

    /* past the bound, at once and as a sum */

    assert_null(tg_arena_alloc(arena, 10001));
    assert_null(tg_arena_alloc(arena, 1000));
    assert_null(tg_arena_alloc(arena, SIZE_MAX));
    assert_non_null(tg_arena_alloc(arena, 900));

    tg_arena_reset(arena);

    p = tg_arena_alloc(arena, 10000);
    assert_non_null(p);
    assert_int_equal(p[0], 0);
    assert_null(tg_arena_alloc(arena, 1));

    tg_arena_free(&arena);
    assert_null(arena);
    tg_arena_free(&arena);

    /* an arena without a bound has one: what can be counted */

    arena = tg_arena_new(SIZE_MAX);
    assert_non_null(arena);
    assert_null(tg_arena_alloc(arena, SIZE_MAX));
    assert_null(tg_arena_alloc(arena, SIZE_MAX - 8));
    tg_arena_free(&arena);
}


static void
test_alloc_overflow(void **state)
{
    tg_str_t     copy;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    (void) state;

    arena = tg_arena_new(100);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    /* 8 bytes, if nobody looks */
    assert_null(tgi_alloc(&alloc, SIZE_MAX / 8 + 2, 8));
    assert_non_null(tgi_alloc(&alloc, 2, 3));

    assert_int_equal(tgi_str_copy(&copy, "abc", 3, &alloc), TG_OK);
    assert_memory_equal(copy.data, "abc", 3);
    assert_int_equal(tgi_str_copy(&copy, NULL, 0, &alloc), TG_OK);
    assert_int_equal(copy.len, 0);
    assert_int_equal(tgi_str_copy(&copy, "abc", 1000, &alloc), TG_ERR_NOMEM);
    assert_int_equal(copy.len, 0);

    tg_arena_free(&arena);
}


static void
test_error(void **state)
{
    size_t      i;
    char        text[400];
    tg_error_t  error;

    (void) state;

    assert_int_equal(tgi_error(NULL, TG_ERR_TYPE, "x"), TG_ERR_TYPE);

    memset(&error, 0xff, sizeof(error));
    assert_int_equal(tgi_error(&error, TG_ERR_TYPE, "%s is %d", "n", 7),
                     TG_ERR_TYPE);
    assert_int_equal(error.code, TG_ERR_TYPE);
    assert_int_equal(error.line, 0);
    assert_int_equal(error.column, 0);
    assert_string_equal(error.text, "n is 7");

    /* neither a line of its own in a log, nor half a character */

    (void) tgi_error(&error, TG_ERR_TYPE, "%s",
                     "a\r\nb\033[1m\xc3\xa5\xff\xc3 \xc2\x85\xe2\x82");
    assert_string_equal(error.text, "a??b?[1m\xc3\xa5?? ???");

    /* every place for the end to be in a character of 1 to 4 bytes */

    for (i = 0; i < 8; i++) {
        memset(text, 'x', sizeof(text));
        memcpy(text + TG_ERROR_TEXT_MAX - 8 + i, "\xf0\x9f\x90\x8b", 4);
        text[sizeof(text) - 1] = '\0';

        (void) tgi_error(&error, TG_ERR_LIMIT, "%s", text);

        assert_null(strchr(error.text, '?'));
        assert_int_equal(tgi_text_check(error.text, strlen(error.text)),
                         TG_OK);
        assert_true(strlen(error.text) >= TG_ERROR_TEXT_MAX - 4);

        memcpy(text + TG_ERROR_TEXT_MAX - 8 + i, "\xe2\x82\xacx", 4);
        (void) tgi_error(&error, TG_ERR_LIMIT, "%s", text);

        assert_null(strchr(error.text, '?'));
        assert_true(strlen(error.text) >= TG_ERROR_TEXT_MAX - 3);

        memcpy(text + TG_ERROR_TEXT_MAX - 8 + i, "\xc3\xa5xx", 4);
        (void) tgi_error(&error, TG_ERR_LIMIT, "%s", text);

        assert_null(strchr(error.text, '?'));
        assert_true(strlen(error.text) >= TG_ERROR_TEXT_MAX - 2);
    }
}


static void
test_text_check(void **state)
{
    int      rc;
    char    *copy;
    size_t   i;

    static const struct {
        const char  *text;
        size_t       len;
        int          rc;
    } cases[] = {
        { "", 0, TG_OK },
        { "alice", 5, TG_OK },
        { "\xc2\xa0", 2, TG_OK },
        { "\xdf\xbf", 2, TG_OK },
        { "\xe0\xa0\x80", 3, TG_OK },
        { "\xed\x9f\xbf", 3, TG_OK },
        { "\xee\x80\x80", 3, TG_OK },
        { "\xf0\x90\x80\x80", 4, TG_OK },
        { "\xf4\x8f\xbf\xbf", 4, TG_OK },

        { "\x80", 1, TG_ERR_SYNTAX },
        { "\xbf", 1, TG_ERR_SYNTAX },
        { "\xa5\x80", 2, TG_ERR_SYNTAX },
        { "\xc0\x80", 2, TG_ERR_SYNTAX },
        { "\xc1\xbf", 2, TG_ERR_SYNTAX },
        { "\xc3", 1, TG_ERR_SYNTAX },
        { "\xc3(", 2, TG_ERR_SYNTAX },
        { "\xe0\x9f\xbf", 3, TG_ERR_SYNTAX },
        { "\xed\xa0\x80", 3, TG_ERR_SYNTAX },
        { "\xed\xbf\xbf", 3, TG_ERR_SYNTAX },
        { "\xe2\x82", 2, TG_ERR_SYNTAX },
        { "\xf0\x8f\xbf\xbf", 4, TG_ERR_SYNTAX },
        { "\xf4\x90\x80\x80", 4, TG_ERR_SYNTAX },
        { "\xf5\x80\x80\x80", 4, TG_ERR_SYNTAX },
        { "\xf8\x90\x80\x80", 4, TG_ERR_SYNTAX },
        { "\xff", 1, TG_ERR_SYNTAX },
        { "\xfe", 1, TG_ERR_SYNTAX },

        { "a\0b", 3, TG_ERR_REFUSED },
        { "\t", 1, TG_ERR_REFUSED },
        { "\x1f", 1, TG_ERR_REFUSED },
        { "\x7f", 1, TG_ERR_REFUSED },
        { "\xc2\x80", 2, TG_ERR_REFUSED },
        { "\xc2\x9f", 2, TG_ERR_REFUSED }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        /* so that a sanitizer sees a step behind the end */

        copy = malloc(cases[i].len > 0 ? cases[i].len : 1);
        assert_non_null(copy);
        memcpy(copy, cases[i].text, cases[i].len);

        rc = tgi_text_check(copy, cases[i].len);
        free(copy);

        if (rc != cases[i].rc) {
            fail_msg("text %zu is not %d", i, cases[i].rc);
        }
    }
}


static void
test_equal(void **state)
{
    size_t  i;

    static const struct {
        tg_str_t  a;
        tg_str_t  b;
        bool      equal;
        bool      nocase;
    } cases[] = {
        { TG_NULL_STR, TG_STR(""), true, true },
        { TG_STR("Az"), TG_STR("Az"), true, true },
        { TG_STR("Az"), TG_STR("aZ"), false, true },
        { TG_STR("a"), TG_STR("ab"), false, false },

        /* only the case of letters: these differ by the same bit */
        { TG_STR("@"), TG_STR("`"), false, false },
        { TG_STR("["), TG_STR("{"), false, false },
        { TG_STR("\xc3\x85"), TG_STR("\xc3\xa5"), false, false }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tgi_str_equal(cases[i].a, cases[i].b),
                         cases[i].equal);
        assert_int_equal(tgi_str_equal_nocase(cases[i].a, cases[i].b),
                         cases[i].nocase);
    }
}


static void
test_time(void **state)
{
    size_t   i;
    int64_t  seconds;

    static const struct {
        const char  *text;
        int          rc;
        int64_t      seconds;
    } cases[] = {
        { "1970-01-01T00:00:00Z", TG_OK, 0 },
        { "1969-12-31T23:59:59Z", TG_OK, -1 },
        { "0001-01-01T00:00:00Z", TG_OK, -62135596800 },
        { "9999-12-31T23:59:59Z", TG_OK, 253402300799 },
        { "2000-02-29T12:00:00Z", TG_OK, 951825600 },
        { "2026-11-22T13:12:59.998814809Z", TG_OK, 1795353179 },
        { "2026-11-22T13:12:59.9Z", TG_OK, 1795353179 },
        { "2038-01-19T03:14:08Z", TG_OK, 2147483648 },
        { "2026-11-22t12:00:00z", TG_OK, 1795348800 },
        { "2026-11-22T13:30:00+01:30", TG_OK, 1795348800 },
        { "2026-11-22T04:00:00-08:00", TG_OK, 1795348800 },
        { "2026-11-23T00:00:00+12:00", TG_OK, 1795348800 },

        { "", TG_ERR_SYNTAX, 0 },
        { "2026-11-22", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00", TG_ERR_SYNTAX, 0 },
        { "2026-11-22 12:00:00Z", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00Z", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00ZZ", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00.Z", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00,5Z", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00+0100", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00+24:00", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00+01:60", TG_ERR_SYNTAX, 0 },
        { "2026-11-22T12:00:00*01:00", TG_ERR_SYNTAX, 0 },
        { "20261122T120000Z", TG_ERR_SYNTAX, 0 },
        { "+026-11-22T12:00:00Z", TG_ERR_SYNTAX, 0 },
        { "12026-11-22T12:00:00Z", TG_ERR_SYNTAX, 0 },
        { "2026-1-22T12:00:00Z", TG_ERR_SYNTAX, 0 },

        { "0000-01-01T00:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-00-22T12:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-13-22T12:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-11-00T12:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-11-31T12:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-02-29T12:00:00Z", TG_ERR_RANGE, 0 },
        { "1900-02-29T12:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-11-22T24:00:00Z", TG_ERR_RANGE, 0 },
        { "2026-11-22T12:60:00Z", TG_ERR_RANGE, 0 },
        { "2026-11-22T12:00:60Z", TG_ERR_RANGE, 0 }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        if (tgi_time_parse(&seconds, cases[i].text, strlen(cases[i].text))
            != cases[i].rc)
        {
            fail_msg("\"%s\" is not %d", cases[i].text, cases[i].rc);
        }

        assert_int_equal(seconds, cases[i].seconds);
    }
}


/* Day by day through two cycles of leap years. */

static void
test_time_days(void **state)
{
    int      year, month, day;
    char     text[64];
    int64_t  seconds, expected;

    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    (void) state;

    expected = -11676096000;   /* 1600-01-01, date -u -d */

    for (year = 1600; year < 2400; year++) {
        for (month = 1; month <= 12; month++) {
            for (day = 1; day <= 31; day++) {

                if (day > days[month - 1]
                    && !(month == 2 && day == 29 && year % 4 == 0
                         && (year % 100 != 0 || year % 400 == 0)))
                {
                    continue;
                }

                (void) snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z",
                                year, month, day);

                assert_int_equal(tgi_time_parse(&seconds, text, 20), TG_OK);
                assert_int_equal(seconds, expected);

                expected += 86400;
            }
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_strerror),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_alloc_overflow),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_text_check),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_time_days)
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
