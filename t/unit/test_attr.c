
/*
 * Copyright (C) The Tailgate authors
 *
 * Attributes by name, and roles.
 */

#include "t/unit/alice.h"


static void
test_attr(void **state)
{
    size_t         i;
    tg_str_t       value;
    tg_identity_t  identity, empty;

    static const struct {
        tg_attr_t    attr;
        const char  *value;
    } cases[] = {
        { TG_ATTR_LOGIN, "alice@example.com" },
        { TG_ATTR_USER, "alice" },
        { TG_ATTR_NAME, "Alice" },
        { TG_ATTR_PICTURE, "https://p.example/a" },
        { TG_ATTR_GROUPS, "group:eng,group:ops" },
        { TG_ATTR_NODE, "alice-laptop.tail.example" },
        { TG_ATTR_NODE_ID, "n4" },
        { TG_ATTR_NODE_ADDR, "100.64.0.4" },
        { TG_ATTR_TAILNET, "tail.example" },
        { TG_ATTR_OS, "linux" },
        { TG_ATTR_OS_VERSION, "6.1" },
        { TG_ATTR_PRINCIPAL, "alice@example.com" }
    };

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    memset(&empty, 0, sizeof(empty));

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tg_identity_attr(&identity, cases[i].attr, &alloc,
                                          &value), TG_OK);
        assert_str(value, cases[i].value);
    }

    for (i = 0; i <= TG_ATTR_MAX; i++) {
        assert_int_equal(tg_identity_attr(&empty, (tg_attr_t) i, &alloc,
                                          &value), TG_ERR_ABSENT);
        assert_int_equal(value.len, 0);
    }

    assert_int_equal(tg_identity_attr(&identity, TG_ATTR_TAGS, &alloc,
                                      &value), TG_ERR_ABSENT);
    assert_int_equal(tg_identity_attr(&identity, TG_ATTR_CAPABILITY_FIELD,
                                      &alloc, &value), TG_ERR_ABSENT);

    /* a tagged node goes by its own name, even if it had a login */

    identity.traits = TG_TRAIT_TAGGED;
    assert_int_equal(tg_identity_attr(&identity, TG_ATTR_PRINCIPAL, &alloc,
                                      &value), TG_OK);
    assert_str(value, "alice-laptop.tail.example");
}


static void
test_role(void **state)
{
    size_t         i;
    tg_str_t       value;
    tg_identity_t  identity;

    static const char *const  order[] = { "Viewer", "Editor", "Admin" };

    static const struct {
        const char  *cap;
        const char  *field;
        size_t       norder;
        const char  *role;
    } cases[] = {
        { "example.com/cap/web", "role", 3, "Admin" },
        { "example.com/cap/web", "role", 2, "Editor" },
        { "example.com/cap/web", "role", 1, "Viewer" },
        { "example.com/cap/web", "role", 0, NULL },
        { "example.com/cap/web", "roles", 3, NULL },
        { "example.com/cap/none", "role", 3, NULL },
        { "example.com/cap/other", "role", 3, NULL }
    };

    static const char *const  unreadable[] = {
        "", "{", "[]", "{\"a\":{}}", "{\"a\":{\"role\":\"Admin\"}}",
        "{\"a\":[],\"a\":[{\"role\":\"Admin\"}]}",
        "{\"a\":[{\"role\":\"Admin\"}]}}", "{\"a\":[[\"role\",\"Admin\"]]}",
        "{\"a\":[{\"role\":[[\"Admin\"]]}]}", "{\"a\":[{\"role\":\"root\"}]}",
        "{\"a\":[{\"role\":\"Admin \"}]}"
    };

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tg_identity_role(&identity, cases[i].cap,
                                          cases[i].field, order,
                                          cases[i].norder, &value),
                         cases[i].role != NULL ? TG_OK : TG_ERR_ABSENT);
        assert_str(value, cases[i].role != NULL ? cases[i].role : "");
    }

    for (i = 0; i < NELTS(unreadable); i++) {
        identity.caps.data = unreadable[i];
        identity.caps.len = strlen(unreadable[i]);

        assert_int_equal(tg_identity_role(&identity, "a", "role", order, 3,
                                          &value), TG_ERR_ABSENT);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_attr, setup, teardown),
        cmocka_unit_test_setup_teardown(test_role, setup, teardown)
    };

    return cmocka_run_group_tests_name("attr", tests, NULL, NULL);
}
