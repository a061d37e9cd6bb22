
/*
 * Copyright (C) The Tailgate authors
 *
 * Nothing that is logged can begin a line, end one or add a field.
 */

#include "authd/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>


#define TIME  "2026-11-22T12:00:00.000Z"


static const char *
format(authd_log_format_t form, const char *message, const char *key,
    const char *data, size_t len)
{
    size_t             n;
    authd_log_t        log = { -1, AUTHD_LOG_INFO, form, false };
    authd_log_field_t  field = { key, { data, len }, false };

    static char  buf[AUTHD_LOG_LINE_MAX + 1];

    n = authd_log_format(&log, AUTHD_LOG_WARN, TIME, message, &field,
                         key ? 1 : 0, buf, AUTHD_LOG_LINE_MAX);
    buf[n] = '\0';

    assert_int_equal(buf[n - 1], '\n');
    assert_null(memchr(buf, '\n', n - 1));

    return buf;
}


static void
test_text(void **state)
{
    size_t  i;

    static const struct {
        const char  *value;
        const char  *want;
    } rows[] = {
        { "alice", " k=alice\n" },
        { "/a/b?", " k=/a/b?\n" },
        { "a b", " k=\"a b\"\n" },
        { "a=b", " k=\"a=b\"\n" },
        { "a\"b", " k=\"a\\\"b\"\n" },
        { "a\\b", " k=\"a\\\\b\"\n" },
        { "a\nb audit=allow", " k=\"a\\u000ab audit=allow\"\n" },
        { "a\r", " k=\"a\\u000d\"\n" },
        { "a\tb", " k=\"a\\u0009b\"\n" },
        { "\x1b[31m", " k=\"\\u001b[31m\"\n" },
        { "\x7f", " k=\"\\u007f\"\n" },
        { "Zo\xc3\xab", " k=\"Zo\xc3\xab\"\n" },
        { "\xc2\x85", " k=\"\\u0085\"\n" },
        { "\xe2\x80\xae" "evil", " k=\"\\u202eevil\"\n" },
        { "\xe2\x80\xa8", " k=\"\\u2028\"\n" },
        { "\xe2\x80\x8b", " k=\"\\u200b\"\n" },
        { "\xff\xfe", " k=\"\\xff\\xfe\"\n" },
        { "\xc3", " k=\"\\xc3\"\n" },
        { "\xc0\xaf", " k=\"\\xc0\\xaf\"\n" },
        { "\xed\xa0\x80", " k=\"\\xed\\xa0\\x80\"\n" },
        { "\xf0\x9f\x9a\x80", " k=\"\xf0\x9f\x9a\x80\"\n" },
        { "\xf3\xa0\x80\x81", " k=\"\\udb40\\udc01\"\n" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char  *line;

        line = format(AUTHD_LOG_TEXT, NULL, "k", rows[i].value,
                      strlen(rows[i].value));

        assert_memory_equal(line, TIME, strlen(TIME));
        assert_string_equal(line + strlen(TIME), rows[i].want);
    }
}


static void
test_text_message(void **state)
{
    (void) state;

    assert_string_equal(format(AUTHD_LOG_TEXT, "went wrong:\nerror x", "k",
                               "v", 1),
                        TIME " warn went wrong:\\u000aerror x k=v\n");
}


/* Whatever the bytes, the line is one JSON object with what was meant. */

static void
test_json(void **state)
{
    size_t   i;
    json_t  *root;

    static const struct {
        const char  *value;
        const char  *want;
    } rows[] = {
        { "alice", "alice" },
        { "a\"b\\c", "a\"b\\c" },
        { "a\nb", "a\nb" },
        { "\",\"audit\":\"allow", "\",\"audit\":\"allow" },
        { "Zo\xc3\xab", "Zo\xc3\xab" },
        { "\xe2\x80\xae", "\xe2\x80\xae" },
        { "\xf3\xa0\x80\x81", "\xf3\xa0\x80\x81" },
        { "a\xff", "a\\xff" },
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        root = json_loads(format(AUTHD_LOG_JSON, "m", "k", rows[i].value,
                                 strlen(rows[i].value)),
                          JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);

        assert_string_equal(json_string_value(json_object_get(root, "k")),
                            rows[i].want);
        assert_string_equal(json_string_value(json_object_get(root, "time")),
                            TIME);
        assert_string_equal(json_string_value(json_object_get(root, "level")),
                            "warn");
        assert_int_equal(json_object_size(root), 4);

        json_decref(root);
    }
}


static void
test_nul(void **state)
{
    (void) state;

    assert_string_equal(format(AUTHD_LOG_TEXT, NULL, "k", "a\0b", 3),
                        TIME " k=\"a\\u0000b\"\n");
}


static void
test_empty_is_left_out(void **state)
{
    (void) state;

    assert_string_equal(format(AUTHD_LOG_TEXT, NULL, "k", "", 0), TIME "\n");
    assert_string_equal(format(AUTHD_LOG_JSON, NULL, "k", "", 0),
                        "{\"time\":\"" TIME "\"}\n");
}


/* A long value is cut, and what comes behind it is still there. */

static void
test_long(void **state)
{
    size_t             n;
    json_t            *root;
    char               value[AUTHD_LOG_FIELD_MAX + 1];
    char               buf[AUTHD_LOG_LINE_MAX];
    authd_log_t        log = { -1, AUTHD_LOG_INFO, AUTHD_LOG_JSON, false };
    authd_log_field_t  fields[] = {
        { "a", { value, sizeof(value) }, false },
        { "b", { "7", 1 }, true }
    };

    (void) state;

    memset(value, 'x', sizeof(value));

    n = authd_log_format(&log, AUTHD_LOG_WARN, TIME, NULL, fields, 2, buf,
                         sizeof(buf));

    root = json_loadb(buf, n, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_string_length(json_object_get(root, "a")),
                     AUTHD_LOG_FIELD_MAX);
    assert_int_equal(json_integer_value(json_object_get(root, "b")), 7);
    assert_true(json_is_true(json_object_get(root, "cut")));
    json_decref(root);
}


/* A line that is full ends with a whole field. */

static void
test_full(void **state)
{
    size_t             i, n;
    json_t            *root;
    char               value[AUTHD_LOG_FIELD_MAX];
    char               buf[AUTHD_LOG_LINE_MAX];
    authd_log_t        log = { -1, AUTHD_LOG_INFO, AUTHD_LOG_JSON, false };
    authd_log_field_t  fields[12];

    (void) state;

    /* six bytes each when escaped */

    memset(value, '\x01', sizeof(value));

    for (i = 0; i < 12; i++) {
        fields[i].key = "k";
        fields[i].value = (tg_str_t) { value, sizeof(value) };
        fields[i].number = false;
    }

    n = authd_log_format(&log, AUTHD_LOG_WARN, TIME, NULL, fields, 12, buf,
                         sizeof(buf));

    assert_true(n <= sizeof(buf));

    root = json_loadb(buf, n, 0, NULL);
    assert_non_null(root);
    assert_true(json_is_true(json_object_get(root, "cut")));
    json_decref(root);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_message),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_empty_is_left_out),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_full)
    };

    return cmocka_run_group_tests_name("authd_log", tests, NULL, NULL);
}
