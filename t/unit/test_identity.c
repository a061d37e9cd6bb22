
/*
 * Copyright (C) The Tailgate authors
 *
 * What t/cases/identity.yaml cannot say about WhoIs: bounds and memory.
 */

#include "t/unit/alice.h"

#include <jansson.h>


/* alice with one field more, in object ("Node" or "UserProfile"). */

static int
parse_with(const char *object, const char *key, const char *value,
    size_t repeat, tg_identity_t *identity, tg_error_t *error)
{
    int      rc;
    char    *text;
    size_t   i, n;
    json_t  *root, *items;

    root = json_loads(alice, 0, NULL);
    assert_non_null(root);

    /* repeat is how often the text occurs in a string, or items in a list */

    n = strlen(value);
    text = malloc(n * repeat + 1);
    assert_non_null(text);
    items = json_array();

    for (i = 0; i < repeat; i++) {
        memcpy(text + n * i, value, n);
        json_array_append_new(items, json_string(value));
    }

    text[n * repeat] = '\0';

    json_object_set_new(json_object_get(root, object), key,
                        strcmp(key, "Groups") == 0 ? json_incref(items)
                                                   : json_string(text));
    json_decref(items);
    free(text);

    text = json_dumps(root, 0);
    assert_non_null(text);
    json_decref(root);

    rc = parse(text, identity, error);
    free(text);

    return rc;
}


static void
test_fields(void **state)
{
    tg_error_t     error;
    tg_identity_t  identity;

    (void) state;

    assert_int_equal(parse(alice, &identity, &error), TG_OK);
    assert_int_equal(error.code, TG_OK);
    assert_string_equal(error.text, "");

    assert_int_equal(identity.traits, TG_TRAIT_MEMBER|TG_TRAIT_ROUTED);
    assert_int_equal(identity.status, TG_STATUS_ROUTED);
    assert_str(identity.login, "alice@example.com");
    assert_str(identity.user, "alice");
    assert_str(identity.name, "Alice");
    assert_str(identity.picture, "https://p.example/a");
    assert_int_equal(identity.groups.n, 2);
    assert_str(identity.groups.items[1], "group:ops");
    assert_str(identity.node, "alice-laptop.tail.example");
    assert_str(identity.computed_name, "alice-laptop");
    assert_str(identity.node_id, "n4");
    assert_int_equal(identity.node_addr.family, TG_ADDR_V4);
    assert_str(identity.tailnet, "tail.example");
    assert_int_equal(identity.tags.n, 0);
    assert_str(identity.os, "linux");
    assert_str(identity.os_version, "6.1");
    assert_str(identity.client_version, "1.102.5");
    assert_int_equal(identity.key_expiry, 1798761600);

    /* an error is not needed */

    assert_int_equal(parse("{}", &identity, NULL), TG_ERR_MISSING);
    assert_int_equal(identity.status, TG_STATUS_NONE);
}


/* The last value inside of each bound, and the first one past it. */

static void
test_bounds(void **state)
{
    size_t         i;
    tg_error_t     error;
    tg_identity_t  identity;

    static const struct {
        const char  *object;
        const char  *key;
        const char  *value;
        size_t       max;
        int          rc;
    } cases[] = {
        { "UserProfile", "LoginName", "a", TG_LOGIN_MAX, TG_ERR_REFUSED },
        { "UserProfile", "DisplayName", "a", TG_NAME_MAX, TG_ERR_LIMIT },
        { "UserProfile", "ProfilePicURL", "a", TG_URL_MAX, TG_ERR_LIMIT },
        { "UserProfile", "Groups", "group:a", TG_LIST_MAX, TG_ERR_LIMIT },
        { "Node", "StableID", "a", TG_LIST_ITEM_MAX, TG_ERR_LIMIT },
        { "Node", "Name", "a", TG_NAME_MAX, TG_ERR_LIMIT },
        { "Node", "ComputedName", "a", TG_NAME_MAX, TG_ERR_LIMIT }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(parse_with(cases[i].object, cases[i].key,
                                    cases[i].value, cases[i].max, &identity,
                                    &error),
                         TG_OK);
        assert_int_equal(parse_with(cases[i].object, cases[i].key,
                                    cases[i].value, cases[i].max + 1,
                                    &identity, &error),
                         cases[i].rc);
        assert_int_equal(error.code, cases[i].rc);

        if (strstr(error.text, cases[i].key) == NULL) {
            fail_msg("\"%s\" does not name %s", error.text, cases[i].key);
        }
    }

    /* 64 KB of a login: never the first 320 bytes of it */

    assert_int_equal(parse_with("UserProfile", "LoginName", "a", 65536,
                                &identity, &error), TG_ERR_REFUSED);
    assert_int_equal(identity.login.len, 0);
}


static void
test_addresses_bound(void **state)
{
    int            rc;
    char           text[8192];
    size_t         i, n, len;
    tg_error_t     error;
    tg_identity_t  identity;

    (void) state;

    for (n = TG_LIST_MAX; n <= TG_LIST_MAX + 1; n++) {
        len = (size_t) snprintf(text, sizeof(text),
                                "{\"Node\":{\"StableID\":\"n\","
                                "\"Tags\":[\"tag:a\"],\"Addresses\":[");

        for (i = 0; i < n; i++) {
            len += (size_t) snprintf(text + len, sizeof(text) - len,
                                     "%s\"100.64.0.1/32\"", i ? "," : "");
        }

        (void) snprintf(text + len, sizeof(text) - len, "]}}");

        rc = parse(text, &identity, &error);
        assert_int_equal(rc, n == TG_LIST_MAX ? TG_OK : TG_ERR_LIMIT);
    }

    assert_non_null(strstr(error.text, "Node.Addresses"));
}


static int
parse_caps(size_t len, tg_identity_t *identity, tg_error_t *error)
{
    int    rc;
    char  *text;

    static const char  head[] =
        "{\"Node\":{\"StableID\":\"n\",\"Tags\":[\"tag:a\"]},\"CapMap\":";
    static const char  caps[] = "{\"example.com/cap\":[\"";

    text = malloc(len + 1024);
    assert_non_null(text);

    memcpy(text, head, sizeof(head));
    memcpy(text + sizeof(head) - 1, caps, sizeof(caps));
    memset(text + sizeof(head) + sizeof(caps) - 2, 'a', len);
    memcpy(text + sizeof(head) + sizeof(caps) - 2 + len - (sizeof(caps) - 1)
           - 4, "\"]}}", 5);

    rc = parse(text, identity, error);
    free(text);

    return rc;
}


static void
test_caps_bound(void **state)
{
    tg_error_t     error;
    tg_identity_t  identity;

    (void) state;

    /* the text ends in one bracket more than CapMap does */

    assert_int_equal(parse_caps(TG_CAPS_MAX + 1, &identity, &error), TG_OK);
    assert_int_equal(identity.caps.len, TG_CAPS_MAX);

    assert_int_equal(parse_caps(TG_CAPS_MAX + 2, &identity, &error),
                     TG_ERR_LIMIT);
    assert_int_equal(identity.caps.len, 0);
    assert_non_null(strstr(error.text, "CapMap"));
}


static void
test_size_and_depth(void **state)
{
    char           *text;
    size_t          i, len;
    tg_error_t      error;
    tg_identity_t   identity;

    (void) state;

    text = malloc(TG_WHOIS_BODY_MAX + 1);
    assert_non_null(text);

    /* blanks behind the answer are part of it */

    memset(text, ' ', TG_WHOIS_BODY_MAX + 1);
    memcpy(text, alice, sizeof(alice) - 1);

    assert_int_equal(tg_whois_parse(text, TG_WHOIS_BODY_MAX, &self, NOW,
                                    &alloc, &identity, &error), TG_OK);
    assert_int_equal(tg_whois_parse(text, TG_WHOIS_BODY_MAX + 1, &self, NOW,
                                    &alloc, &identity, &error), TG_ERR_LIMIT);

    /* 64 levels with the root; a bracket in a string is none */

    for (i = 62; i <= 63; i++) {
        len = (size_t) snprintf(text, 100, "{\"a\":\"[[\\\"[[{{\",\"b\":[");
        memset(text + len, '[', i);
        memset(text + len + i, ']', i + 1);
        text[len + 2 * i + 1] = '}';

        assert_int_equal(tg_whois_parse(text, len + 2 * i + 2, &self, NOW,
                                        &alloc, &identity, &error),
                         i == 62 ? TG_ERR_MISSING : TG_ERR_LIMIT);
    }

    /* brackets beside each other are not deep */

    len = (size_t) snprintf(text, 100, "{\"a\":[");

    for (i = 0; i < 100; i++) {
        memcpy(text + len, "[],{},", 6);
        len += 6;
    }

    memcpy(text + len, "0]}", 3);
    assert_int_equal(tg_whois_parse(text, len + 3, &self, NOW, &alloc,
                                    &identity, &error), TG_ERR_MISSING);

    /* what would overflow a stack, closed or not */

    memset(text, '[', TG_WHOIS_BODY_MAX);
    assert_int_equal(tg_whois_parse(text, TG_WHOIS_BODY_MAX, &self, NOW,
                                    &alloc, &identity, &error), TG_ERR_LIMIT);
    assert_non_null(strstr(error.text, "deep"));

    free(text);
}


/* No prefix of an answer is an answer. */

static void
test_truncation(void **state)
{
    char           *copy;
    size_t          len;
    tg_error_t      error;
    tg_identity_t   identity;

    (void) state;

    for (len = 0; len < sizeof(alice) - 1; len++) {
        copy = malloc(len > 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, alice, len);

        assert_int_equal(tg_whois_parse(copy, len, &self, NOW, &alloc,
                                        &identity, &error), TG_ERR_SYNTAX);
        free(copy);
    }
}


/* Our own name may come from elsewhere than a status answer. */

static void
test_self_in_any_case(void **state)
{
    tg_self_t      own;
    tg_identity_t  identity;

    (void) state;

    own = self;
    own.tailnet = (tg_str_t) TG_STR("Tail.EXAMPLE");

    assert_int_equal(tg_whois_parse(alice, sizeof(alice) - 1, &own, NOW,
                                    &alloc, &identity, NULL), TG_OK);
    assert_true(identity.traits & TG_TRAIT_MEMBER);
}


static void *
failing_malloc(size_t size)
{
    if (calls_left == 0) {
        return NULL;
    }

    calls_left--;

    return malloc(size);
}


static void
test_no_memory(void **state)
{
    int            rc;
    size_t         n, failed;
    tg_self_t      own;
    tg_str_t       value;
    tg_error_t     error;
    tg_identity_t  identity;

    static const tg_alloc_t  failing = { failing_alloc, NULL };

    (void) state;

    json_set_alloc_funcs(failing_malloc, free);

    failed = 0;

    for (n = 0, rc = TG_ERR_NOMEM; rc != TG_OK; n++) {
        calls_left = n;
        rc = tg_whois_parse(alice, sizeof(alice) - 1, &self, NOW, &failing,
                            &identity, &error);

        if (rc != TG_OK) {
            assert_int_equal(identity.status, TG_STATUS_NONE);
            failed++;
        }

        /* the lexer of jansson calls its own failures an invalid token */
        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM
                    || (rc == TG_ERR_SYNTAX && n > 0));
    }

    assert_true(failed > 100);

    for (n = 0, rc = TG_ERR_NOMEM; rc != TG_OK; n++) {
        calls_left = n;
        rc = tg_status_parse(status, sizeof(status) - 1, &failing, &own,
                             &error);
        assert_true(rc == TG_OK || !own.running);
    }

    calls_left = 0;
    assert_int_equal(tg_identity_attr(&identity, TG_ATTR_GROUPS, &failing,
                                      &value), TG_ERR_NOMEM);
    assert_int_equal(tg_identity_attr(&identity, TG_ATTR_NODE_ADDR, &failing,
                                      &value), TG_ERR_NOMEM);

    /* no nonsense of tailscaled's */

    calls_left = 0;
    assert_int_equal(tg_whois_status(200, alice, sizeof(alice) - 1, &self, NOW,
                                     &failing, &identity, &error),
                     TG_STATUS_UNAVAILABLE);
    assert_string_equal(error.text, "out of memory");

    json_set_alloc_funcs(malloc, free);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_caps_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size_and_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_self_in_any_case, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
