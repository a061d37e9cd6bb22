
/*
 * Copyright (C) The Tailgate authors
 *
 * What Go does with durations, white space, keys and quotes.
 */

#include "core/acl/acl.h"
#include "core/acl/go.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static tg_str_t
str(const char *text)
{
    tg_str_t  s = { text, strlen(text) };

    return s;
}


static void
test_duration(void **state)
{
    char         buf[TGI_GO_DURATION];
    size_t       i, n;
    int64_t      value;
    tg_str_t     unit;
    const char  *why;

    static const struct {
        const char  *text;
        int64_t      value;
        const char  *written;
    } cases[] = {
        { "0", 0, "0s" },
        { "-0", 0, "0s" },
        { "0h", 0, "0s" },
        { "1ns", 1, "1ns" },
        { "1500ns", 1500, "1.5\xc2\xb5s" },
        { "2us", 2000, "2\xc2\xb5s" },
        { "2\xc2\xb5s", 2000, "2\xc2\xb5s" },
        { "2\xce\xbcs", 2000, "2\xc2\xb5s" },
        { "1.5ms", 1500000, "1.5ms" },
        { "-1m", -60000000000, "-1m0s" },
        { "+5s", 5000000000, "5s" },
        { "1.000000001s", 1000000001, "1.000000001s" },
        { "168h0m1s", 604801000000000, "168h0m1s" },
        { "200h", 720000000000000, "200h0m0s" },
        { "1h30m", 5400000000000, "1h30m0s" },
        { ".5h", 1800000000000, "30m0s" },
        { "1.h", 3600000000000, "1h0m0s" },
        { "1s1s", 2000000000, "2s" },
        { "9223372036854775807ns", INT64_MAX,
          "2562047h47m16.854775807s" },
        { "-9223372036854775808ns", INT64_MIN,
          "-2562047h47m16.854775808s" }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tgi_go_duration(str(cases[i].text), &value, &why,
                                         &unit), TG_OK);
        assert_true(value == cases[i].value);

        n = tgi_go_duration_text(value, buf);
        assert_string_equal(buf, cases[i].written);
        assert_int_equal(n, strlen(buf));
    }
}


static void
test_bad_duration(void **state)
{
    size_t       i;
    int64_t      value;
    tg_str_t     unit;
    const char  *why;

    static const struct {
        const char  *text;
        const char  *why;
        const char  *unit;
    } cases[] = {
        { "", "invalid duration ", "" },
        { "-", "invalid duration ", "" },
        { "abc", "invalid duration ", "" },
        { ".s", "invalid duration ", "" },
        { "s", "invalid duration ", "" },
        { " 1h", "invalid duration ", "" },
        { "1h ", "unknown unit ", "h " },
        { "12", "missing unit in duration ", "" },
        { "1h5", "missing unit in duration ", "" },
        { "7d", "unknown unit ", "d" },
        { "1hour", "unknown unit ", "hour" },
        { "9223372036854775808ns", "invalid duration ", "" },
        { "99999999999999999999h", "invalid duration ", "" },
        { "2562048h", "invalid duration ", "" }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tgi_go_duration(str(cases[i].text), &value, &why,
                                         &unit), TG_ERR_SYNTAX);
        assert_string_equal(why, cases[i].why);
        assert_int_equal(unit.len, strlen(cases[i].unit));
        assert_memory_equal(unit.data, cases[i].unit, unit.len);
    }
}


static void
test_trim(void **state)
{
    size_t    i;
    tg_str_t  trimmed;

    static const char *const  cases[][2] = {
        { "", "" },
        { " \t\r\n\v\f", "" },
        { " a b ", "a b" },
        { "\xc2\xa0" "a\xe3\x80\x80", "a" },
        { "\xe2\x80\xa8x\xc2\x85", "x" },
        { "\xe2\x80\x8b", "\xe2\x80\x8b" },
        { " \xff ", "\xff" },
        { "\xc3\xa9 ", "\xc3\xa9" }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        trimmed = tgi_go_trim(str(cases[i][0]));
        assert_int_equal(trimmed.len, strlen(cases[i][1]));
        assert_memory_equal(trimmed.data, cases[i][1], trimmed.len);
    }
}


static void
test_key(void **state)
{
    (void) state;

    assert_true(tgi_go_key(str("sshTests"), "sshTests"));
    assert_true(tgi_go_key(str("SSHTESTS"), "sshTests"));
    assert_true(tgi_go_key(str("\xc5\xbfsh"), "ssh"));
    assert_true(tgi_go_key(str("chec\xe2\x84\xaaPeriod"), "checkPeriod"));
    assert_false(tgi_go_key(str("ss"), "ssh"));
    assert_false(tgi_go_key(str("sshh"), "ssh"));
    assert_false(tgi_go_key(str("ss_h"), "ssh"));
    assert_false(tgi_go_key(str("\xc3\x9f"), "ss"));
    assert_false(tgi_go_key(str("\xff"), "ssh"));
}


static int
message(tg_str_t *result, const tg_alloc_t *alloc, const char *format, ...)
{
    int      rc;
    va_list  args;

    va_start(args, format);
    rc = tgi_go_message(result, alloc, format, args);
    va_end(args);

    return rc;
}


static void
test_message(void **state)
{
    size_t       i;
    tg_str_t     text, result;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    static const char *const  cases[][3] = {
        { "", "\"\"", "\"\"" },
        { "a\"b\\", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"" },
        { "\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\"",
          "\"\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b\"" },
        { "\x01\x7f", "\"\\x01\\x7f\"", "\"\\x01\x7f\"" },
        { "\xd1\x81", "\"\xd1\x81\"", "\"\\xd1\\x81\"" },
        { "\xf0\x9f\x9a\x80", "\"\xf0\x9f\x9a\x80\"",
          "\"\\xf0\\x9f\\x9a\\x80\"" },
        { "\xe2\x80\x8b", "\"\\u200b\"", "\"\\xe2\\x80\\x8b\"" },
        { "\xc2\xa0", "\"\\u00a0\"", "\"\\xc2\\xa0\"" },
        { "\xf3\xa0\x80\x81", "\"\\U000e0001\"",
          "\"\\xf3\\xa0\\x80\\x81\"" }
    };

    (void) state;

    arena = tg_arena_new(65536);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    for (i = 0; i < NELTS(cases); i++) {
        text = str(cases[i][0]);

        assert_int_equal(message(&result, &alloc, "%q", &text), TG_OK);
        assert_string_equal(result.data, cases[i][1]);

        assert_int_equal(message(&result, &alloc, "%t", &text), TG_OK);
        assert_string_equal(result.data, cases[i][2]);
    }

    text = str("b");
    assert_int_equal(message(&result, &alloc, "a %v %s", &text, "c"), TG_OK);
    assert_string_equal(result.data, "a b c");
    assert_int_equal(result.len, 5);

    tg_arena_free(&arena);
}


static void
test_selector(void **state)
{
    size_t     i;
    tgi_sel_t  sel;

    static const struct {
        const char      *text;
        tgi_sel_kind_t   kind;
    } cases[] = {
        { "*", TGI_SEL_STAR },
        { "odin@example.com", TGI_SEL_EMAIL },
        { "group:a", TGI_SEL_GROUP },
        { "tag:a@b", TGI_SEL_TAG },
        { "user:*@example.com", TGI_SEL_DOMAIN },
        { "user:odin@example.com", TGI_SEL_EMAIL },
        { "autogroup:member", TGI_SEL_MEMBER },
        { "autogroup:tagged", TGI_SEL_TAGGED },
        { "autogroup:Member", TGI_SEL_AUTOGROUP },
        { "autogroup:it-admin", TGI_SEL_ROLE },
        { "100.64.0.1", TGI_SEL_ADDRESS },
        { "fd7a::1", TGI_SEL_ADDRESS },
        { "[fd7a::1]", TGI_SEL_NAME },
        { "100.64.0.1:22", TGI_SEL_NAME },
        { "10.0.0.0/8", TGI_SEL_PREFIX },
        { "10.0.0.1/8", TGI_SEL_BAD_PREFIX },
        { "10.0.0.0/33", TGI_SEL_BAD_PREFIX },
        { "host", TGI_SEL_NAME },
        { "", TGI_SEL_NAME }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        tgi_selector(&sel, str(cases[i].text));
        assert_int_equal(sel.kind, cases[i].kind);
    }
}


static void
test_ports(void **state)
{
    size_t       i;
    uint16_t     first, last;
    const char  *why;

    static const struct {
        const char  *text;
        const char  *why;
        uint16_t     first;
        uint16_t     last;
    } cases[] = {
        { "*", NULL, 0, 65535 },
        { "22", NULL, 22, 22 },
        { "1-65535", NULL, 1, 65535 },
        { "080", NULL, 80, 80 },
        { "", "invalid first integer", 0, 0 },
        { "+22", "invalid first integer", 0, 0 },
        { "-22", "invalid first integer", 0, 0 },
        { "65536", "invalid first integer", 0, 0 },
        { "22-", "invalid last integer", 0, 0 },
        { "1-2-3", "too many dashes(-)", 0, 0 },
        { "0", "first port must be >0, or use '*' for wildcard", 0, 0 },
        { "3-2", "first port must be >= last port", 0, 0 }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        if (cases[i].why == NULL) {
            assert_int_equal(tgi_port_range(str(cases[i].text), &first, &last,
                                            &why), TG_OK);
            assert_int_equal(first, cases[i].first);
            assert_int_equal(last, cases[i].last);
            continue;
        }

        assert_int_equal(tgi_port_range(str(cases[i].text), &first, &last,
                                        &why), TG_ERR_SYNTAX);
        assert_string_equal(why, cases[i].why);
    }

    assert_int_equal(tgi_proto(str("TCP")), 6);
    assert_int_equal(tgi_proto(str("17")), 17);
    assert_int_equal(tgi_proto(str("0")), 0);
    assert_int_equal(tgi_proto(str("06")), -2);
    assert_int_equal(tgi_proto(str("256")), -2);
    assert_int_equal(tgi_proto(str("bogus")), -2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_bad_duration),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_selector),
        cmocka_unit_test(test_ports)
    };

    return cmocka_run_group_tests_name("acl_go", tests, NULL, NULL);
}
