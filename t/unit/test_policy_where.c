
/*
 * Copyright (C) The Tailgate authors
 *
 * Capabilities, and what "where" says of their values.
 */

#include "core/policy/caps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(16 * 1024 * 1024);
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


static tg_str_t
text(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static const tgi_value_t *
grant_of(const char *json)
{
    char                buf[512];
    tg_caps_t          *caps;
    const tgi_value_t  *grants;

    (void) snprintf(buf, sizeof(buf), "{\"c\":[%s]}", json);
    assert_int_equal(tg_caps_parse(text(buf), &alloc, &caps), TG_OK);

    grants = tgi_caps_find(caps, text("c"));
    assert_non_null(grants);
    assert_int_equal(grants->n, 1);

    return &grants->u.items[0];
}


static void
test_field(void **state)
{
    bool         is;
    size_t       i;
    tgi_where_t  where;

    static const struct {
        const char         *grant;
        tgi_where_value_t   value;     /* of "f" */
        bool                is;
    } cases[] = {
#define EQUALS(t)  { TGI_WHERE_EQUALS, TG_STR(t), TGI_OP_LT, 0 }
#define QUOTED(t)  { TGI_WHERE_TEXT, TG_STR(t), TGI_OP_LT, 0 }
#define GLOB(t)    { TGI_WHERE_GLOB, TG_STR(t), TGI_OP_LT, 0 }
#define NUMBER(o, n)  { TGI_WHERE_NUMBER, TG_NULL_STR, o, n }
#define THERE      { TGI_WHERE_PRESENT, TG_NULL_STR, TGI_OP_LT, 0 }
#define GONE       { TGI_WHERE_ABSENT, TG_NULL_STR, TGI_OP_LT, 0 }

        { "{\"f\":\"admin\"}", EQUALS("admin"), true },
        { "{\"f\":\"Admin\"}", EQUALS("admin"), false },
        { "{\"f\":\"admins\"}", EQUALS("admin"), false },
        { "{\"f\":\"a*\"}", EQUALS("a*"), true },
        { "{\"g\":\"admin\"}", EQUALS("admin"), false },
        { "{\"f\":3}", EQUALS("3"), true },
        { "{\"f\":3.0}", EQUALS("3"), true },
        { "{\"f\":3}", EQUALS("3.0"), true },
        { "{\"f\":3}", EQUALS("3x"), false },
        { "{\"f\":3}", EQUALS(" 3"), false },
        { "{\"f\":3}", EQUALS("0x3"), false },
        { "{\"f\":0.5}", EQUALS("5e-1"), true },
        { "{\"f\":9007199254740993}", EQUALS("9007199254740992"), false },
        { "{\"f\":9007199254740993}", EQUALS("9007199254740993"), true },
        { "{\"f\":9223372036854775807}", EQUALS("9223372036854775808"),
          false },
        { "{\"f\":9223372036854775807}", EQUALS("9223372036854775808.0"),
          false },
        { "{\"f\":1e308}", EQUALS("inf"), false },
        { "{\"f\":true}", EQUALS("true"), true },
        { "{\"f\":true}", EQUALS("false"), false },
        { "{\"f\":false}", EQUALS("false"), true },
        { "{\"f\":\"true\"}", EQUALS("true"), true },
        { "{\"f\":null}", EQUALS("null"), false },
        { "{\"f\":{\"f\":\"a\"}}", EQUALS("a"), false },

        { "{\"f\":\"3\"}", QUOTED("3"), true },
        { "{\"f\":3}", QUOTED("3"), false },
        { "{\"f\":true}", QUOTED("true"), false },

        { "{\"f\":\"web-1\"}", GLOB("web-*"), true },
        { "{\"f\":\"web\"}", GLOB("web-*"), false },
        { "{\"f\":\"a/b/c\"}", GLOB("a*c"), true },
        { "{\"f\":\"\"}", GLOB("*"), true },
        { "{\"f\":3}", GLOB("*"), false },
        { "{\"f\":\"aXbXb\"}", GLOB("a*b"), true },
        { "{\"f\":\"aXbXc\"}", GLOB("a*b"), false },

        { "{\"f\":3}", NUMBER(TGI_OP_GE, 3), true },
        { "{\"f\":2.9}", NUMBER(TGI_OP_GE, 3), false },
        { "{\"f\":2}", NUMBER(TGI_OP_LT, 3), true },
        { "{\"f\":3}", NUMBER(TGI_OP_EQ, 3), true },
        { "{\"f\":\"3\"}", NUMBER(TGI_OP_GE, 3), false },
        { "{\"f\":true}", NUMBER(TGI_OP_GE, 0), false },

        { "{\"f\":\"\"}", THERE, true },
        { "{\"f\":[]}", THERE, true },
        { "{\"f\":null}", THERE, false },
        { "{\"g\":1}", THERE, false },
        { "{\"g\":1}", GONE, true },
        { "{\"f\":null}", GONE, true },
        { "{\"f\":0}", GONE, false },
        { "{}", GONE, true },

        /* of a list one item is enough; a list in it is none */

        { "{\"f\":[\"viewer\",\"admin\"]}", EQUALS("admin"), true },
        { "{\"f\":[\"viewer\",7]}", NUMBER(TGI_OP_GT, 6), true },
        { "{\"f\":[[\"admin\"]]}", EQUALS("admin"), false },
        { "{\"f\":[]}", EQUALS("admin"), false },
        { "{\"f\":[null]}", EQUALS("null"), false },

        /* what is no object satisfies nothing */

        { "\"admin\"", EQUALS("admin"), false },
        { "[\"f\"]", THERE, false },
        { "7", GONE, false },
        { "null", GONE, false }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        where.field = text("f");
        where.values = (tgi_where_value_t *) (uintptr_t) &cases[i].value;
        where.nvalues = 1;

        is = tgi_where_match(&where, 1, grant_of(cases[i].grant));

        if (is != cases[i].is) {
            fail_msg("case %zu: %s", i, cases[i].grant);
        }
    }
}


/* All fields of one grant, any of the values of a field. */

static void
test_fields(void **state)
{
    tgi_where_value_t  roles[] = { EQUALS("editor"), EQUALS("admin") };
    tgi_where_value_t  teams[] = { EQUALS("web") };
    tgi_where_t        where[] = {
        { TG_STR("role"), roles, 2 },
        { TG_STR("team"), teams, 1 }
    };

    (void) state;

    assert_true(tgi_where_match(where, 2, grant_of(
        "{\"role\":\"admin\",\"team\":\"web\"}")));
    assert_true(tgi_where_match(where, 2, grant_of(
        "{\"role\":\"editor\",\"team\":[\"web\",\"db\"]}")));
    assert_false(tgi_where_match(where, 2, grant_of("{\"role\":\"admin\"}")));
    assert_false(tgi_where_match(where, 2, grant_of(
        "{\"role\":\"viewer\",\"team\":\"web\"}")));
}


static void
test_caps(void **state)
{
    char        deep[512];
    size_t      i;
    tg_caps_t  *caps;

    static const char *const  bad[] = {
        "[]", "{", "{\"a\":1,\"a\":2}", "{}x", "nonsense", "{\"a\":[1e999]}",
        "{\"a\":\"\\u0000\"}"
    };

    (void) state;

    assert_int_equal(tg_caps_parse(text("{\"b\":[1],\"a\":[],\"no\":null,"
                                        "\"n\":{},\"long-name\":[{}]}"),
                                   &alloc, &caps), TG_OK);
    assert_non_null(tgi_caps_find(caps, text("a")));
    assert_int_equal(tgi_caps_find(caps, text("a"))->n, 0);
    assert_int_equal(tgi_caps_find(caps, text("b"))->n, 1);
    assert_non_null(tgi_caps_find(caps, text("long-name")));

    /* Go's encoder writes no values as null; what else is no array is none */

    assert_non_null(tgi_caps_find(caps, text("no")));
    assert_int_equal(tgi_caps_find(caps, text("no"))->n, 0);
    assert_null(tgi_caps_find(caps, text("n")));
    assert_null(tgi_caps_find(caps, text("c")));
    assert_null(tgi_caps_find(NULL, text("a")));

    assert_int_equal(tg_caps_parse(text(""), &alloc, &caps), TG_OK);
    assert_null(tgi_caps_find(caps, text("a")));

    for (i = 0; i < NELTS(bad); i++) {
        if (tg_caps_parse(text(bad[i]), &alloc, &caps) != TG_ERR_SYNTAX
            || caps != NULL)
        {
            fail_msg("%s", bad[i]);
        }
    }

    memset(deep, '[', sizeof(deep));
    memcpy(deep, "{\"a\":", 5);
    memset(deep + 5 + 100, ']', 100);
    deep[5 + 200] = '}';

    assert_int_equal(tg_caps_parse((tg_str_t) { deep, 206 }, &alloc, &caps),
                     TG_ERR_LIMIT);
}


/* The tree must not refer to the text that it was made of. */

static void
test_copies(void **state)
{
    char                json[] = "{\"cap\":[{\"role\":\"admin\"}]}";
    tg_caps_t          *caps;
    const tgi_value_t  *role;

    (void) state;

    assert_int_equal(tg_caps_parse(text(json), &alloc, &caps), TG_OK);
    memset(json, 'x', sizeof(json));

    role = tgi_value_field(&tgi_caps_find(caps, text("cap"))->u.items[0],
                           text("role"));
    assert_non_null(role);
    assert_true(tgi_str_equal(role->u.text, text("admin")));
}


static void *
limited(void *ctx, size_t size)
{
    size_t  *left = ctx;

    if ((*left)-- == 0) {
        *left = 0;
        return NULL;
    }

    return tg_arena_alloc(arena, size);
}


static void
test_no_memory(void **state)
{
    int         rc;
    size_t      i, left;
    tg_caps_t  *caps;
    tg_alloc_t  some = { limited, &left };

    (void) state;

    for (i = 0; i < 100; i++) {
        left = i;
        rc = tg_caps_parse(text("{\"a\":[{\"b\":[\"c\",1]}]}"), &some, &caps);

        if (rc == TG_OK) {
            break;
        }

        assert_int_equal(rc, TG_ERR_NOMEM);
        assert_null(caps);
    }

    assert_in_range(i, 5, 99);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_field),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
