
/*
 * Copyright (C) The Tailgate authors
 *
 * Paths: what is done without nginx (t/nginx/test_normalize.py compares with
 * it), what is ambiguous, and patterns.
 */

#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define RAW(literal)  { literal, sizeof(literal) - 1 }


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(64 * 1024 * 1024);
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


static void *
no_memory(void *ctx, size_t size)
{
    (void) ctx;
    (void) size;

    return NULL;
}


/* Where there is nothing to do nothing is copied, not even looked for room. */

static void
test_plain(void **state)
{
    size_t            i;
    tg_str_t          path;
    const tg_alloc_t  none = { no_memory, NULL };

    static const tg_str_t  plain[] = {
        RAW("/"), RAW("/a"), RAW("/a/b.c/d"), RAW("/a+b"),
        RAW("/a;b"), RAW("/\xc3\xa4/~x"), RAW("/a:b@c!$&'()*,=-_")
    };

    (void) state;

    for (i = 0; i < NELTS(plain); i++) {
        assert_int_equal(tg_path_normalize(plain[i], &none, &path), TG_OK);
        assert_ptr_equal(path.data, plain[i].data);
        assert_int_equal(path.len, plain[i].len);
    }

    assert_int_equal(tg_path_normalize((tg_str_t) RAW("/a//b"), &none, &path),
                     TG_ERR_NOMEM);
}


static void
test_normalize(void **state)
{
    int       rc;
    size_t    i;
    tg_str_t  path;

    static const struct {
        tg_str_t     raw;
        int          rc;
        const char  *path;
    } cases[] = {
        { RAW("/public/..;/admin"), TG_OK, "/public/..;/admin" },
        { RAW("/admin%2f..%2fpublic%2f"), TG_OK, "/public/" },
        { RAW("/public/..%5cadmin"), TG_OK, "/public/..\\admin" },
        { RAW("/public/%252e%252e/admin"), TG_OK, "/public/%2e%2e/admin" },
        { RAW("/public/#/../admin"), TG_OK, "/public/" },
        { RAW("/a//b/./c/../d"), TG_OK, "/a/b/d" },
        { RAW("/a/./b"), TG_OK, "/a/b" },
        { RAW("/%61"), TG_OK, "/a" },
        { RAW("/.hidden"), TG_OK, "/.hidden" },
        { RAW("/a?b/../c"), TG_OK, "/a" },
        { RAW("/.."), TG_ERR_SYNTAX, NULL },
        { RAW("/a/../.."), TG_ERR_SYNTAX, NULL },
        { RAW("/%00"), TG_ERR_SYNTAX, NULL },
        { RAW("/%4"), TG_ERR_SYNTAX, NULL },
        { RAW("/%zz"), TG_ERR_SYNTAX, NULL },
        { RAW("/a b"), TG_ERR_SYNTAX, NULL },
        { RAW("/a\0b"), TG_ERR_SYNTAX, NULL },
        { RAW("/a#\x01"), TG_ERR_SYNTAX, NULL },
        { RAW("a"), TG_ERR_SYNTAX, NULL },
        { RAW(""), TG_ERR_SYNTAX, NULL },
        { RAW("?/"), TG_ERR_SYNTAX, NULL },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        rc = tg_path_normalize(cases[i].raw, &alloc, &path);

        if (rc != cases[i].rc
            || (rc == TG_OK
                && (path.len != strlen(cases[i].path)
                    || memcmp(path.data, cases[i].path, path.len) != 0)))
        {
            fail_msg("%s: %s, %.*s", cases[i].raw.data, tg_strerror(rc),
                     (int) path.len, path.data ? path.data : "");
        }
    }
}


static void
test_limit(void **state)
{
    char     *raw;
    tg_str_t  path;

    (void) state;

    raw = tg_arena_alloc(arena, TG_PATH_MAX + 1);
    assert_non_null(raw);
    memset(raw, '/', TG_PATH_MAX + 1);

    assert_int_equal(tg_path_normalize((tg_str_t) { raw, TG_PATH_MAX }, &alloc,
                                       &path), TG_OK);
    assert_int_equal(path.len, 1);
    assert_int_equal(tg_path_normalize((tg_str_t) { raw, TG_PATH_MAX + 1 },
                                       &alloc, &path), TG_ERR_LIMIT);
}


static void
test_ambiguity(void **state)
{
    size_t       i;
    const char  *text;

    /* what has to be in the text; NULL: nothing is ambiguous */

    static const struct {
        tg_str_t     raw;
        const char  *word;
    } cases[] = {
        { RAW("/public/..;/admin"), "\";\"" },
        { RAW("/admin%2f..%2fpublic%2f"), "slash" },
        { RAW("/public/..%5cadmin"), "backslash" },
        { RAW("/public/%252e%252e/admin"), "twice" },
        { RAW("/public/#/../admin"), "\"#\"" },
        { RAW("/a%2Fb"), "slash" },
        { RAW("/a\\b"), "backslash" },
        { RAW("/a%5Cb"), "backslash" },
        { RAW("/a%3bb"), "\";\"" },
        { RAW("/a%23b"), "\"#\"" },
        { RAW("/a%00"), "NUL" },
        { RAW("/a\0"), "NUL" },
        { RAW("/a/./b"), "dot segment" },
        { RAW("/a/."), "dot segment" },
        { RAW("/.."), "dot segment" },
        { RAW("/a/%2e%2e/b"), "dot segment" },
        { RAW("/a/.%2E"), "dot segment" },
        { RAW("/a/..?x"), "dot segment" },
        { RAW("/a/..%3fx"), "dot segment" },
        { RAW("/%25%32%65"), "twice" },
        { RAW("/%25252e"), "twice" },
        { RAW("/%2500"), "twice" },
        { RAW("/"), NULL },
        { RAW("/a/b/c.d"), NULL },
        { RAW("/.well-known/x"), NULL },
        { RAW("/..a/.../a../a."), NULL },
        { RAW("/100%25"), NULL },
        { RAW("/100%25-free"), NULL },
        { RAW("/%2x%3"), NULL },
        { RAW("//a///b"), NULL },
        { RAW("/a?b;c=%2f../#"), NULL },
        { RAW("/%c3%a4%20%3d"), NULL },
        { RAW(""), NULL },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        text = tg_path_ambiguity(cases[i].raw);

        if ((text == NULL) != (cases[i].word == NULL)
            || (text != NULL && strstr(text, cases[i].word) == NULL))
        {
            fail_msg("%s: %s", cases[i].raw.data, text ? text : "fine");
        }
    }
}


/* Every short path of bytes that mean something. */

static void
test_is_plain(void **state)
{
    int         rc;
    bool        fine;
    char        raw[6];
    size_t      i, n, len, plain, rest;
    tg_str_t    text, path;

    static const char  bytes[] = "/.%2eaA;\\#? \t\x7f\xc3~";

    (void) state;

    plain = 0;
    n = sizeof(bytes);            /* with the NUL */
    text.data = raw;

    for (i = 0; i < n * n * n * n * 2; i++) {
        len = 1 + i % 2 * 3;
        rest = i / 2;
        raw[0] = '/';

        for (text.len = 1; text.len <= len; text.len++) {
            raw[text.len] = bytes[rest % n];
            rest /= n;
        }

        if (!tg_path_is_plain(text)) {
            continue;
        }

        plain++;
        rc = tg_path_normalize(text, &alloc, &path);
        fine = rc == TG_OK && path.len == text.len
               && memcmp(path.data, text.data, text.len) == 0
               && tg_path_ambiguity(text) == NULL;

        if (!fine) {
            fail_msg("\"%.*s\" is not plain", (int) text.len, text.data);
        }
    }

    assert_true(plain > 1000);

    text = (tg_str_t) TG_STR("/static/app-1.2.min.js");
    assert_true(tg_path_is_plain(text));

    text = (tg_str_t) TG_STR("/static/app.js?v=1/../2");
    assert_false(tg_path_is_plain(text));
    assert_int_equal(tg_path_plain(text), strlen("/static/app.js"));

    text = (tg_str_t) TG_STR("/a/b//c");
    assert_int_equal(tg_path_plain(text), strlen("/a/b/"));

    text = (tg_str_t) TG_STR("");
    assert_false(tg_path_is_plain(text));

    text = (tg_str_t) TG_STR("*");
    assert_false(tg_path_is_plain(text));
}


static void
test_patterns(void **state)
{
    size_t      i;
    tg_str_t    text, path;
    tgi_path_t  pattern;

    static const struct {
        const char  *pattern;
        const char  *fits;             /* separated by blanks */
        const char  *misses;
    } cases[] = {
        { "/", "/ /a /a/b", "" },
        { "/api", "/api /api/ /api/x", "/apiary /API /ap / /x/api" },
        { "/api/", "/api/ /api/x", "/api /apiary" },
        { "= /api", "/api", "/api/ /api/x /apiary" },
        { "=/api", "/api", "/api/" },
        { "= /a*", "/a*", "/ab /a" },
        { "/u/*/edit", "/u/alice/edit /u//edit",
          "/u/a/b/edit /u/alice/edit/x /u/edit" },
        { "/static/**.js", "/static/a.js /static/b/c.js /static/.js",
          "/static/a.css /static/a.jsx /statica.js" },
        { "/a*", "/a /ab", "/a/ /ab/c /b" },
        { "/a**", "/a /a/ /ab/c/d", "/b" },
        { "/**/x", "/a/x /a/b/x //x", "/x /a/xy" },
        { "/*/*", "/a/b //", "/a /a/b/c" },
        { "/a*b*c", "/abc /aXbYc /abbcc", "/ab/c /acb /abcd" },
        { "/**a*b", "/ab /a/xab /aab /x/a/b/ab", "/a/b /ab/ /ba" },
        { "/**b/*c**", "/b/c /ab/xc/d /b/b/c", "/b/x /bc" },
        { "/***", "/ /a/b", "" },
    };

    (void) state;

    for (i = 0; i < NELTS(cases) * 2; i++) {
        text.data = cases[i / 2].pattern;
        text.len = strlen(text.data);
        assert_true(tgi_path_parse(text, &pattern));

        path.data = i % 2 ? cases[i / 2].misses : cases[i / 2].fits;

        for ( ;; ) {
            path.len = strcspn(path.data, " ");

            if (path.len > 0
                && tgi_path_match(&pattern, path) != (i % 2 == 0))
            {
                fail_msg("%s and %.*s", text.data, (int) path.len, path.data);
            }

            if (path.data[path.len] == '\0') {
                break;
            }

            path.data += path.len + 1;
        }
    }
}


/* Would end with this test's time-out if it were not linear. */

static void
test_long(void **state)
{
    char        *path, pattern[TGI_PATTERN_MAX];
    size_t       i;
    tg_str_t     text;
    tgi_path_t   parsed;

    (void) state;

    path = tg_arena_alloc(arena, TG_PATH_MAX);
    assert_non_null(path);
    memset(path, 'a', TG_PATH_MAX);
    path[0] = '/';

    pattern[0] = '/';

    for (i = 1; i + 3 < sizeof(pattern); i += 3) {
        memcpy(pattern + i, "**a", 3);
    }

    pattern[i++] = 'b';

    assert_true(tgi_path_parse((tg_str_t) { pattern, i }, &parsed));

    text = (tg_str_t) { path, TG_PATH_MAX };
    assert_false(tgi_path_match(&parsed, text));

    path[TG_PATH_MAX - 1] = 'b';
    assert_true(tgi_path_match(&parsed, text));
}


static void
test_parse(void **state)
{
    char        pattern[TGI_PATTERN_MAX + 1];
    size_t      i;
    tgi_path_t  path;

    static const tg_str_t  bad[] = {
        RAW(""), RAW("a"), RAW("="), RAW("= "), RAW("= a"), RAW("*"),
        RAW(" /a")
    };

    (void) state;

    for (i = 0; i < NELTS(bad); i++) {
        assert_false(tgi_path_parse(bad[i], &path));
    }

    memset(pattern, '/', sizeof(pattern));
    assert_true(tgi_path_parse((tg_str_t) { pattern, TGI_PATTERN_MAX },
                               &path));
    assert_false(tgi_path_parse((tg_str_t) { pattern, TGI_PATTERN_MAX + 1 },
                                &path));

    assert_true(tgi_path_parse((tg_str_t) RAW("/a/b*c"), &path));
    assert_int_equal(path.kind, TGI_PATH_GLOB);
    assert_int_equal(path.literal, 4);
}


static void
test_method_override(void **state)
{
    (void) state;

    assert_true(tg_is_method_override("X-HTTP-Method-Override", 22));
    assert_true(tg_is_method_override("x_http_method_override", 22));
    assert_true(tg_is_method_override("X-Method-Override", 17));
    assert_true(tg_is_method_override("X-HTTP-Method", 13));
    assert_false(tg_is_method_override("X-HTTP-Method-Overrides", 23));
    assert_false(tg_is_method_override("Method", 6));
    assert_false(tg_is_method_override("", 0));
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_ambiguity),
        cmocka_unit_test(test_is_plain),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_method_override)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
