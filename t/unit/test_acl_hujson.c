
/*
 * Copyright (C) The Tailgate authors
 */

#include <tailgate/hujson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)   (sizeof(a) / sizeof((a)[0]))
#define ARENA_MAX  (16 * 1024 * 1024)


typedef struct {
    tg_arena_t  *arena;
    tg_alloc_t   alloc;
} world_t;


static int
setup(void **state)
{
    static world_t  world;

    world.arena = tg_arena_new(ARENA_MAX);
    assert_non_null(world.arena);
    world.alloc = tg_arena_allocator(world.arena);
    *state = &world;

    return 0;
}


static int
teardown(void **state)
{
    world_t  *world = *state;

    tg_arena_free(&world->arena);

    return 0;
}


static void
test_values(void **state)
{
    size_t              i;
    tg_str_t            json;
    world_t            *world = *state;
    const tg_hujson_t  *root;

    static const struct {
        const char  *text;
        const char  *json;
    } cases[] = {
        { "null", "null" },
        { " true ", "true" },
        { "// x\nfalse // y", "false" },
        { "/* a * / */[/**/]", "[]" },
        { "[1, -0, 0.5, 1e9, -12.25E-3,]", "[1,-0,0.5,1e9,-12.25E-3]" },
        { "{\"a\": {\"b\": [{}]},}", "{\"a\":{\"b\":[{}]}}" },
        { "\"\\u00e9\\n\\/\"", "\"\xc3\xa9\\u000a/\"" },
        { "\"\\ud83d\\ude80\"", "\"\xf0\x9f\x9a\x80\"" },
        { "\"a\\\\\"", "\"a\\\\\"" },
        { "{\"\": 1}", "{\"\":1}" },
        { "{\"a\": 1, \"A\": 2}", "{\"a\":1,\"A\":2}" }
    };

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tg_hujson_parse(&root, cases[i].text,
                                         strlen(cases[i].text), &world->alloc,
                                         NULL), TG_OK);
        assert_int_equal(tg_hujson_write(root, &world->alloc, &json), TG_OK);
        assert_int_equal(json.len, strlen(cases[i].json));
        assert_memory_equal(json.data, cases[i].json, json.len);
    }
}


static void
test_faults(void **state)
{
    int                 rc;
    size_t              i;
    world_t            *world = *state;
    tg_error_t          error;
    const tg_hujson_t  *root;

    static const struct {
        const char  *text;
        int          rc;
        size_t       line;
        size_t       column;
        const char  *says;
    } cases[] = {
        { "", TG_ERR_SYNTAX, 1, 1, "the end of the text, expected a value" },
        { "{\n\"\xc3\xa9\" 1}", TG_ERR_SYNTAX, 2, 5,
          "\"1\", expected \":\" after the key" },
        { "[1 2]", TG_ERR_SYNTAX, 1, 4, "\"2\", expected \",\" or \"]\"" },
        { "[,]", TG_ERR_SYNTAX, 1, 2, "\",\", expected a value" },
        { "[1,,]", TG_ERR_SYNTAX, 1, 4, "\",\", expected a value" },
        { "{,}", TG_ERR_SYNTAX, 1, 2, "\",\", expected a key" },
        { "{a: 1}", TG_ERR_SYNTAX, 1, 2, "\"a\", expected a key" },
        { "1 1", TG_ERR_SYNTAX, 1, 3, "expected nothing after the value" },
        { "01", TG_ERR_SYNTAX, 1, 2, "expected nothing after" },
        { "1.", TG_ERR_SYNTAX, 1, 3, "expected a digit after \".\"" },
        { "-", TG_ERR_SYNTAX, 1, 2, "expected a digit" },
        { "1e+", TG_ERR_SYNTAX, 1, 4, "expected a digit of the exponent" },
        { "\"a", TG_ERR_SYNTAX, 1, 3, "at the end of the string" },
        { "\"a\\", TG_ERR_SYNTAX, 1, 4, "at the end of the string" },
        { "\"\\x\"", TG_ERR_SYNTAX, 1, 3, "\"x\", expected one of" },
        { "\"\\u12g4\"", TG_ERR_SYNTAX, 1, 6, "four hexadecimal digits" },
        { "\"\\ud800\"", TG_ERR_SYNTAX, 1, 2, "half of a surrogate pair" },
        { "\"\\udc00\\ud800\"", TG_ERR_SYNTAX, 1, 2, "half of a surrogate" },
        { "\"\x01\"", TG_ERR_SYNTAX, 1, 2, "the control character U+0001" },
        { "\"\xff\"", TG_ERR_SYNTAX, 1, 2, "the byte 0xff is not UTF-8" },
        { "\"\xed\xa0\x80\"", TG_ERR_SYNTAX, 1, 2, "is not UTF-8" },
        { "// \xff\n1", TG_ERR_SYNTAX, 1, 4, "is not UTF-8" },
        { "/* x", TG_ERR_SYNTAX, 1, 1, "a comment without its end" },
        { "/ 1", TG_ERR_SYNTAX, 1, 2, "of a comment" },
        { "\xef\xbb\xbf{}", TG_ERR_SYNTAX, 1, 1, "a byte order mark" },
        { "{\"a\":1,\n\"a\":2}", TG_ERR_REFUSED, 2, 1, "a second time" },
        { "{\"a\":1,\"\\u0061\":2}", TG_ERR_REFUSED, 1, 8, "second time" },
        { "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,"
          "\"i\":0,\"c\":0}", TG_ERR_REFUSED, 1, 56, "the key \"c\"" }
    };

    for (i = 0; i < NELTS(cases); i++) {
        rc = tg_hujson_parse(&root, cases[i].text, strlen(cases[i].text),
                             &world->alloc, &error);
        assert_int_equal(rc, cases[i].rc);
        assert_int_equal(error.code, rc);
        assert_non_null(strstr(error.text, cases[i].says));
        assert_int_equal(error.line, cases[i].line);
        assert_int_equal(error.column, cases[i].column);
    }
}


static void
test_depth(void **state)
{
    char                text[2 * TG_HUJSON_DEPTH_MAX + 2];
    world_t            *world = *state;
    const tg_hujson_t  *root;

    memset(text, '[', TG_HUJSON_DEPTH_MAX);
    memset(text + TG_HUJSON_DEPTH_MAX, ']', TG_HUJSON_DEPTH_MAX);
    assert_int_equal(tg_hujson_parse(&root, text, 2 * TG_HUJSON_DEPTH_MAX,
                                     &world->alloc, NULL), TG_OK);

    memset(text, '[', TG_HUJSON_DEPTH_MAX + 1);
    memset(text + TG_HUJSON_DEPTH_MAX + 1, ']', TG_HUJSON_DEPTH_MAX + 1);
    assert_int_equal(tg_hujson_parse(&root, text, sizeof(text),
                                     &world->alloc, NULL), TG_ERR_LIMIT);
}


static void
test_length(void **state)
{
    world_t            *world = *state;
    const tg_hujson_t  *root;

    /* nothing is read of what is too long */
    assert_int_equal(tg_hujson_parse(&root, "1",
                                     (size_t) TG_HUJSON_TEXT_MAX + 1,
                                     &world->alloc, NULL), TG_ERR_LIMIT);
}


static void
test_memory(void **state)
{
    int                 rc;
    size_t              max, n;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    const tg_hujson_t  *root;

    static const char  text[] = "{\"a\": [\"\\n\", {\"b\": 1}], \"c\": null}";

    (void) state;

    for (max = 1, n = 0, rc = TG_ERR_NOMEM; rc != TG_OK && max < 4096; max++) {
        arena = tg_arena_new(max);
        assert_non_null(arena);
        alloc = tg_arena_allocator(arena);
        rc = tg_hujson_parse(&root, text, sizeof(text) - 1, &alloc, NULL);
        tg_arena_free(&arena);
        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);
        n++;
    }

    assert_int_equal(rc, TG_OK);
    assert_true(n > 100);
}


static void
test_get(void **state)
{
    world_t            *world = *state;
    const tg_hujson_t  *root;

    static const char  text[] = "{\"a\": 1, \"ab\": [2]}";

    assert_int_equal(tg_hujson_parse(&root, text, sizeof(text) - 1,
                                     &world->alloc, NULL), TG_OK);
    assert_int_equal(tg_hujson_get(root, "ab")->type, TG_HUJSON_ARRAY);
    assert_int_equal(tg_hujson_get(root, "ab")->key_offset, 9);
    assert_int_equal(tg_hujson_get(root, "ab")->offset, 15);
    assert_null(tg_hujson_get(root, "A"));
    assert_null(tg_hujson_get(root, ""));
    assert_null(tg_hujson_get(tg_hujson_get(root, "a"), "a"));
    assert_null(tg_hujson_get(NULL, "a"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length, setup, teardown),
        cmocka_unit_test(test_memory),
        cmocka_unit_test_setup_teardown(test_get, setup, teardown)
    };

    return cmocka_run_group_tests_name("acl_hujson", tests, NULL, NULL);
}
