
/*
 * Copyright (C) The Tailgate authors
 *
 * The YAML reader: what the tree remembers, and what is refused where.
 */

#include "core/base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


static const tgi_yaml_limits_t  limits = {
    .size = 1000,
    .nodes = 20,
    .depth = 3
};


static int
read_text(const char *text, tg_arena_t *arena, tgi_yaml_t **root,
    tg_error_t *error)
{
    tg_alloc_t  alloc;

    alloc = tg_arena_allocator(arena);

    return tgi_yaml_read(text, strlen(text), &limits, &alloc, root, error);
}


static void
test_tree(void **state)
{
    tg_error_t   error;
    tgi_yaml_t  *root, *node;
    tg_arena_t  *arena;

    (void) state;

    arena = tg_arena_new(65536);
    assert_non_null(arena);

    assert_int_equal(read_text("# people\n"
                               "name: \"a: b\"\n"
                               "tags:\n"
                               "  - one\n"
                               "  - 'two'\n", arena, &root, &error), TG_OK);

    assert_int_equal(root->kind, TGI_YAML_MAPPING);
    assert_int_equal(root->n, 2);

    node = root->first;
    assert_string_equal(node->key.data, "name");
    assert_string_equal(node->text.data, "a: b");
    assert_int_equal(node->text.len, 4);
    assert_false(node->plain);
    assert_int_equal(node->line, 2);
    assert_int_equal(node->column, 1);
    assert_int_equal(node->value_column, 7);

    node = node->next;
    assert_int_equal(node->kind, TGI_YAML_SEQUENCE);
    assert_int_equal(node->n, 2);
    assert_int_equal(node->line, 3);
    assert_int_equal(node->value_line, 4);
    assert_null(node->next);

    assert_string_equal(node->first->text.data, "one");
    assert_true(node->first->plain);
    assert_null(node->first->key.data);
    assert_false(node->first->next->plain);

    tg_arena_free(&arena);
}


/* What editors of Windows write before the text. */

static void
test_byte_order_mark(void **state)
{
    tg_error_t   error;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;

    (void) state;

    arena = tg_arena_new(65536);
    assert_non_null(arena);

    assert_int_equal(read_text("\xef\xbb\xbf" "name: a\nuser: b\n", arena,
                               &root, &error), TG_OK);
    assert_int_equal(root->n, 2);
    assert_string_equal(root->first->key.data, "name");
    assert_int_equal(root->first->column, 1);

    tg_arena_free(&arena);
}


static void
test_empty(void **state)
{
    size_t       i;
    tg_error_t   error;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;

    static const char *const  texts[] = { "", "# nothing\n", "---\n" };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        arena = tg_arena_new(65536);
        assert_non_null(arena);

        assert_int_equal(read_text(texts[i], arena, &root, &error), TG_OK);
        assert_int_equal(root->kind, TGI_YAML_MAPPING);
        assert_int_equal(root->n, 0);

        tg_arena_free(&arena);
    }
}


static void
test_refused(void **state)
{
    int          rc;
    size_t       i;
    tg_error_t   error;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;

    static const struct {
        const char  *text;
        int          code;
        size_t       line;
        size_t       column;
        const char  *says;
    } cases[] = {
        { "a: 1\na: 2\n", TG_ERR_REFUSED, 2, 1, "\"a\" is there twice" },
        { "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1,\n"
          " k: 1, l: 1, m: 1, n: 1, o: 1, p: 1, q: 1, r: 1, q: 2}\n",
          TG_ERR_REFUSED, 2, 50, "\"q\" is there twice, first in line 2" },
        { "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1,\n"
          " k: 1, l: 1, m: 1, n: 1, o: 1, p: 1, q: 1, r: 1, b: 2}\n",
          TG_ERR_REFUSED, 2, 50, "\"b\" is there twice, first in line 1" },
        { "a: &x 1\n", TG_ERR_REFUSED, 1, 4, "anchors" },
        { "a: &x [1]\n", TG_ERR_REFUSED, 1, 4, "anchors" },
        { "a: *x\n", TG_ERR_REFUSED, 1, 4, "aliases" },
        { "a: !!int 1\n", TG_ERR_REFUSED, 1, 4, "tags" },
        { "[a]: 1\n", TG_ERR_REFUSED, 1, 1, "a key has to be a word" },
        { "a: 1\n---\nb: 1\n", TG_ERR_REFUSED, 2, 1, "second document" },
        { "a: [[[1]]]\n", TG_ERR_LIMIT, 1, 6, "deeper than 3" },
        { "a: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]\n",
          TG_ERR_LIMIT, 1, 50, "more than 20" },
        { "a: \"\\0\"\n", TG_ERR_SYNTAX, 1, 4, "NUL" },
        { "a: [1\n", TG_ERR_SYNTAX, 2, 1, "no valid YAML" },
        { "a:\n\t- 1\n", TG_ERR_SYNTAX, 2, 1, "no valid YAML" },
        { "a: \xff\n", TG_ERR_SYNTAX, 1, 0, "no valid YAML" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        arena = tg_arena_new(65536);
        assert_non_null(arena);

        rc = read_text(cases[i].text, arena, &root, &error);

        if (rc != cases[i].code || strstr(error.text, cases[i].says) == NULL
            || error.line != cases[i].line
            || (cases[i].column && error.column != cases[i].column))
        {
            fail_msg("%s: %d at %zu:%zu: %s", cases[i].text, rc, error.line,
                     error.column, error.text);
        }

        tg_arena_free(&arena);
    }
}


static void
test_size(void **state)
{
    char        *text;
    tg_alloc_t   alloc;
    tg_error_t   error;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;

    (void) state;

    arena = tg_arena_new(65536);
    text = malloc(limits.size + 1);

    assert_non_null(arena);
    assert_non_null(text);

    memset(text, '#', limits.size + 1);
    alloc = tg_arena_allocator(arena);

    assert_int_equal(tgi_yaml_read(text, limits.size, &limits, &alloc, &root,
                                   &error), TG_OK);
    assert_int_equal(tgi_yaml_read(text, limits.size + 1, &limits, &alloc,
                                   &root, &error), TG_ERR_LIMIT);
    assert_int_equal(tgi_yaml_read("a\0b", 3, &limits, &alloc, &root,
                                   &error), TG_ERR_SYNTAX);

    free(text);
    tg_arena_free(&arena);
}


static void
test_out_of_memory(void **state)
{
    int          rc;
    size_t       max;
    tg_error_t   error;
    tgi_yaml_t  *root;
    tg_arena_t  *arena;

    (void) state;

    rc = TG_ERR_NOMEM;

    for (max = 1; rc != TG_OK; max += 8) {
        assert_true(max < 65536);

        arena = tg_arena_new(max);
        assert_non_null(arena);

        rc = read_text("a: [b, {c: d}]\n", arena, &root, &error);
        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);

        tg_arena_free(&arena);
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_out_of_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
