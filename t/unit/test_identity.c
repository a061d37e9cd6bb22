
/*
 * Copyright (C) The Tailgate authors
 *
 * What t/cases/identity.yaml cannot say: bounds, memory, the flat record.
 */

#include <tailgate/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static const char  alice[] =
    "{\"Node\":{\"StableID\":\"n4\",\"Name\":\"alice-laptop.tail.example.\","
    "\"ComputedName\":\"alice-laptop\",\"Tags\":[],"
    "\"Addresses\":[\"100.64.0.4/32\",\"fd7a:115c:a1e0::4/128\"],"
    "\"AllowedIPs\":[\"100.64.0.4/32\",\"10.0.0.0/8\"],"
    "\"KeyExpiry\":\"2027-01-01T00:00:00Z\",\"MachineAuthorized\":true,"
    "\"Hostinfo\":{\"OS\":\"linux\",\"OSVersion\":\"6.1\","
    "\"IPNVersion\":\"1.102.5\"}},"
    "\"UserProfile\":{\"LoginName\":\"alice@example.com\","
    "\"DisplayName\":\"Alice\",\"ProfilePicURL\":\"https://p.example/a\","
    "\"Groups\":[\"group:eng\",\"group:ops\"]},"
    "\"CapMap\":{\"example.com/cap/web\":[{\"role\":[\"viewer\",\"Admin\"]},"
    "{\"role\":\"editor\"},{\"role\":7},\"admin\",{}],"
    "\"example.com/cap/none\":null}}";

static const char  status[] =
    "{\"Version\":\"1.102.5\",\"BackendState\":\"Running\","
    "\"TailscaleIPs\":[\"100.64.0.1\"],"
    "\"Self\":{\"ID\":\"n2\",\"DNSName\":\"Web1.Tail.example.\","
    "\"TailscaleIPs\":[\"100.64.0.2\",\"fd7a:115c:a1e0::2\"]},"
    "\"CurrentTailnet\":{\"MagicDNSSuffix\":\"other.example\"},"
    "\"Health\":[\"one\\ntwo\",\"\"]}";

static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};

#define NOW  1795348800


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(4 * 1024 * 1024);
    alloc = tg_arena_allocator(arena);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static void
assert_str(tg_str_t have, const char *want)
{
    assert_int_equal(have.len, strlen(want));

    if (have.len > 0) {
        assert_memory_equal(have.data, want, have.len);
    }
}


static int
parse(const char *json, tg_identity_t *identity, tg_error_t *error)
{
    return tg_whois_parse(json, strlen(json), &self, NOW, &alloc, identity,
                          error);
}


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


static void
test_status(void **state)
{
    tg_self_t   own;
    tg_error_t  error;

    (void) state;

    assert_int_equal(tg_status_parse(status, sizeof(status) - 1, &alloc, &own,
                                     &error), TG_OK);

    assert_true(own.running);
    assert_str(own.state, "Running");
    assert_str(own.version, "1.102.5");
    assert_str(own.node, "Web1.Tail.example");
    assert_str(own.node_id, "n2");
    assert_str(own.tailnet, "tail.example");
    assert_int_equal(own.naddrs, 2);
    assert_int_equal(own.addrs[0].family, TG_ADDR_V4);
    assert_int_equal(own.addrs[0].bytes[3], 2);
    assert_int_equal(own.addrs[1].family, TG_ADDR_V6);

    /* for people: mended, not refused */

    assert_int_equal(own.health.n, 2);
    assert_str(own.health.items[0], "one two");
    assert_str(own.health.items[1], "");
}


static void
test_status_forms(void **state)
{
    size_t      i;
    tg_self_t   own;
    tg_error_t  error;

    static const struct {
        const char  *text;
        int          rc;
        bool         running;
        const char  *tailnet;
        size_t       naddrs;
    } cases[] = {
        { "{\"BackendState\":\"NoState\",\"Self\":null}", TG_OK, false, "",
          0 },
        { "{\"BackendState\":\"running\"}", TG_OK, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"100.64.0.1\"]}",
          TG_OK, true, "", 1 },
        { "{\"BackendState\":\"Running\",\"Self\":{\"DNSName\":\"web1.\"},"
          "\"CurrentTailnet\":{\"MagicDNSSuffix\":\"A.Example.\"}}",
          TG_OK, true, "a.example", 0 },

        { "{}", TG_ERR_MISSING, false, "", 0 },
        { "{\"BackendState\":\"\"}", TG_ERR_MISSING, false, "", 0 },
        { "{\"BackendState\":6}", TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"Self\":[]}", TG_ERR_TYPE, false,
          "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":\"1.2.3.4\"}",
          TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[7]}",
          TG_ERR_TYPE, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"1.2.3.4:5\"]}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"TailscaleIPs\":[\"x\"]}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "{\"BackendState\":\"Running\",\"Health\":[1]}", TG_ERR_TYPE, false,
          "", 0 },
        { "{\"BackendState\":\"a\\nb\"}", TG_ERR_REFUSED, false, "", 0 },
        { "{\"BackendState\":\"a\",\"BackendState\":\"Running\"}",
          TG_ERR_SYNTAX, false, "", 0 },
        { "", TG_ERR_SYNTAX, false, "", 0 }
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {

        if (tg_status_parse(cases[i].text, strlen(cases[i].text), &alloc,
                            &own, &error)
            != cases[i].rc)
        {
            fail_msg("%s: %s", cases[i].text, error.text);
        }

        assert_int_equal(error.code, cases[i].rc);
        assert_int_equal(own.running, cases[i].running);
        assert_str(own.tailnet, cases[i].tailnet);
        assert_int_equal(own.naddrs, cases[i].naddrs);
    }
}


static void
test_health_is_cut(void **state)
{
    char        text[4096];
    size_t      i, len;
    tg_self_t   own;
    tg_error_t  error;

    (void) state;

    /* three bytes each, so that the bound falls into a character */

    len = (size_t) snprintf(text, sizeof(text),
                            "{\"BackendState\":\"a\",\"Health\":[\"");

    for (i = 0; i < 500; i++) {
        memcpy(text + len, "\xe2\x82\xac", 3);
        len += 3;
    }

    memcpy(text + len, "\"]}", 3);

    assert_int_equal(tg_status_parse(text, len + 3, &alloc, &own, &error),
                     TG_OK);
    assert_int_equal(own.health.items[0].len, TG_NAME_MAX / 3 * 3);
}


static void
test_status_names(void **state)
{
    int  i, j;

    (void) state;

    for (i = TG_STATUS_NONE; i <= TG_STATUS_UNAVAILABLE; i++) {
        for (j = TG_STATUS_NONE; j < i; j++) {
            assert_string_not_equal(tg_status_name((tg_status_t) i),
                                    tg_status_name((tg_status_t) j));
        }
    }

    assert_string_equal(tg_status_name((tg_status_t) 99), "-");
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


static void
assert_same(const tg_identity_t *a, const tg_identity_t *b)
{
    char    *first, *second;
    size_t   la, lb;

    assert_int_equal(tg_identity_pack(a, NULL, 0, &la), TG_ERR_LIMIT);
    assert_int_equal(tg_identity_pack(b, NULL, 0, &lb), TG_ERR_LIMIT);
    assert_int_equal(la, lb);

    first = malloc(la);
    second = malloc(lb);
    assert_non_null(first);
    assert_non_null(second);

    assert_int_equal(tg_identity_pack(a, first, la, &la), TG_OK);
    assert_int_equal(tg_identity_pack(b, second, lb, &lb), TG_OK);
    assert_memory_equal(first, second, la);

    free(first);
    free(second);
}


static void
test_flat(void **state)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   identity, copy;

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    assert_int_equal(tg_identity_pack(&identity, NULL, 0, &size),
                     TG_ERR_LIMIT);
    assert_true(size > 300 && size < 1000);

    buf = malloc(size);
    assert_non_null(buf);

    /* every size that is too small, and none is written past */

    for (len = 0; len < size; len++) {
        char    *small;
        size_t   need;

        small = malloc(len > 0 ? len : 1);
        assert_non_null(small);
        assert_int_equal(tg_identity_pack(&identity, small, len, &need),
                         TG_ERR_LIMIT);
        assert_int_equal(need, size);
        free(small);
    }

    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);
    assert_int_equal(len, size);

    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy), TG_OK);
    assert_int_equal(copy.traits, identity.traits);
    assert_int_equal(copy.status, identity.status);
    assert_int_equal(copy.key_expiry, identity.key_expiry);
    assert_true(tg_addr_equal(&copy.node_addr, &identity.node_addr));
    assert_str(copy.login, "alice@example.com");
    assert_str(copy.user, "alice");
    assert_str(copy.client_version, "1.102.5");
    assert_int_equal(copy.groups.n, 2);
    assert_str(copy.groups.items[1], "group:ops");
    assert_int_equal(copy.caps.len, identity.caps.len);
    assert_same(&identity, &copy);

    /* the record is not copied */
    assert_true(copy.login.data > buf && copy.login.data < buf + size);

    free(buf);
}


static void
test_flat_empty(void **state)
{
    char           buf[512];
    size_t         len;
    tg_identity_t  identity, copy;

    (void) state;

    memset(&identity, 0, sizeof(identity));
    assert_int_equal(tg_identity_pack(&identity, buf, sizeof(buf), &len),
                     TG_OK);
    assert_int_equal(tg_identity_unpack(buf, len, &alloc, &copy), TG_OK);
    assert_int_equal(copy.login.len, 0);
    assert_same(&identity, &copy);
}


/*
 * Whatever happens to one byte: a record is refused, or is one that packs to
 * the same bytes.
 */

static void
test_flat_damage(void **state)
{
    int             rc;
    char           *buf, *again;
    size_t          i, len, size;
    unsigned        bit;
    tg_identity_t   identity, copy;

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    (void) tg_identity_pack(&identity, NULL, 0, &size);

    buf = malloc(size);
    again = malloc(size);
    assert_non_null(buf);
    assert_non_null(again);
    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);

    for (i = 0; i < size; i++) {
        memcpy(again, buf, i);
        assert_int_equal(tg_identity_unpack(again, i, &alloc, &copy),
                         TG_ERR_SYNTAX);
        assert_int_equal(copy.status, TG_STATUS_NONE);
    }

    for (i = 0; i < size * 8; i++) {
        bit = 1u << (i % 8);
        buf[i / 8] = (char) (buf[i / 8] ^ (char) bit);

        rc = tg_identity_unpack(buf, size, &alloc, &copy);

        if (rc == TG_OK) {
            assert_int_equal(tg_identity_pack(&copy, again, size, &len),
                             TG_OK);
            assert_memory_equal(buf, again, size);

        } else {
            assert_int_equal(rc, TG_ERR_SYNTAX);
        }

        /* the head is never anything else */

        if (i / 8 < 8) {
            assert_int_equal(rc, TG_ERR_SYNTAX);
        }

        buf[i / 8] = (char) (buf[i / 8] ^ (char) bit);
    }

    free(again);
    free(buf);
}


/* Packed without a question, unpacked by nobody. */

static void
assert_refused(const tg_identity_t *identity)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   copy;

    assert_int_equal(tg_identity_pack(identity, NULL, 0, &size),
                     TG_ERR_LIMIT);
    buf = malloc(size);
    assert_non_null(buf);

    assert_int_equal(tg_identity_pack(identity, buf, size, &len), TG_OK);
    assert_int_equal(tg_identity_unpack(buf, len, &alloc, &copy),
                     TG_ERR_SYNTAX);
    assert_int_equal(copy.traits, 0);
    assert_int_equal(copy.login.len, 0);

    free(buf);
}


static void
test_flat_refused(void **state)
{
    size_t         i;
    tg_str_t       items[TG_LIST_MAX + 1];
    tg_identity_t  identity, good;

    static char  text[TG_CAPS_MAX + 1];

    (void) state;

    memset(text, 'a', sizeof(text));

    for (i = 0; i <= TG_LIST_MAX; i++) {
        items[i] = (tg_str_t) TG_STR("group:a");
    }

    assert_int_equal(parse(alice, &good, NULL), TG_OK);

    identity = good;
    identity.name = (tg_str_t) TG_STR("a\nb");
    assert_refused(&identity);
    identity.name = (tg_str_t) TG_STR("a\xff");
    assert_refused(&identity);

    identity = good;
    identity.login.data = text;
    identity.login.len = TG_LOGIN_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.caps.data = text;
    identity.caps.len = TG_CAPS_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.groups.items = items;
    identity.groups.n = TG_LIST_MAX + 1;
    assert_refused(&identity);

    identity.groups.n = 2;
    items[1].data = text;
    items[1].len = TG_LIST_ITEM_MAX + 1;
    assert_refused(&identity);

    identity = good;
    identity.traits |= 0x8000;
    assert_refused(&identity);

    identity = good;
    identity.status = TG_STATUS_MEMBER;
    assert_refused(&identity);

    identity = good;
    identity.node_addr.bytes[15] = 1;
    assert_refused(&identity);

    identity = good;
    identity.node_addr.family = TG_ADDR_UNIX;
    assert_refused(&identity);
}


/* A record ends where its head says, and nothing in it goes on behind. */

static void
test_flat_ends(void **state)
{
    char           *buf;
    size_t          len, size;
    uint32_t        n;
    tg_str_t        tag = TG_STR("tag:last");
    tg_identity_t   identity, copy;

    (void) state;

    memset(&identity, 0, sizeof(identity));
    identity.tags.items = &tag;
    identity.tags.n = 1;

    (void) tg_identity_pack(&identity, NULL, 0, &size);

    buf = malloc(size);
    assert_non_null(buf);
    assert_int_equal(tg_identity_pack(&identity, buf, size, &len), TG_OK);

    n = (uint32_t) tag.len + 1;
    memcpy(buf + size - tag.len - sizeof(n), &n, sizeof(n));
    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy),
                     TG_ERR_SYNTAX);

    /* one byte that belongs to nothing */

    n = (uint32_t) tag.len - 1;
    memcpy(buf + size - tag.len - sizeof(n), &n, sizeof(n));
    assert_int_equal(tg_identity_unpack(buf, size, &alloc, &copy),
                     TG_ERR_SYNTAX);

    free(buf);
}


/* An allocator that fails at its n-th call, and jansson's. */

static size_t  calls_left;


static void *
failing_alloc(void *ctx, size_t size)
{
    (void) ctx;

    if (calls_left == 0) {
        return NULL;
    }

    calls_left--;

    return tg_arena_alloc(arena, size);
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

    json_set_alloc_funcs(malloc, free);
}


static void
test_flat_no_memory(void **state)
{
    int            rc;
    char           buf[1024];
    size_t         n, len;
    tg_identity_t  identity, copy;

    static const tg_alloc_t  failing = { failing_alloc, NULL };

    (void) state;

    assert_int_equal(parse(alice, &identity, NULL), TG_OK);
    assert_int_equal(tg_identity_pack(&identity, buf, sizeof(buf), &len),
                     TG_OK);

    for (n = 0, rc = TG_ERR_NOMEM; rc != TG_OK; n++) {
        calls_left = n;
        rc = tg_identity_unpack(buf, len, &failing, &copy);
        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);
    }

    /* no more than the list arrays; tags are empty */
    assert_int_equal(n, 2);
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
        cmocka_unit_test_setup_teardown(test_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_health_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_self_in_any_case, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_attr, setup, teardown),
        cmocka_unit_test_setup_teardown(test_role, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
