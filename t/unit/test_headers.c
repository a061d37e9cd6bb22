
/*
 * Copyright (C) The Tailgate authors
 *
 * What apps are told, and what clients may not tell them.
 */

#include <tailgate/headers.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define N(table)  (sizeof(table) / sizeof(table[0]))


typedef struct {
    const char  *profile;
    const char  *header;
    const char  *value;        /* NULL: no such header is sent */
} expected_t;


static tg_arena_t  *arena;
static tg_alloc_t   alloc;
static tg_strip_t  *set;

static tg_str_t  alice_groups[] = {
    TG_STR("netops"), TG_STR("Net Ops"), TG_STR("a|b"), TG_STR("a,b"),
    TG_STR("Zoë"), TG_STR("Иван"), TG_STR(" edge"), TG_STR("edge "),
    TG_STR(""), TG_STR("say \"hi\""), TG_STR("a\\b"), TG_STR("bad\r\nX: y")
};

static tg_str_t  bob_groups[] = { TG_STR("netops"), TG_STR("netbox-admins") };

static const tg_identity_t  alice = {
    .traits = TG_TRAIT_MEMBER,
    .status = TG_STATUS_MEMBER,
    .login = TG_STR("Alice@Example.com"),
    .user = TG_STR("Alice"),
    .name = TG_STR("Alice van Ångström"),
    .picture = TG_STR("https://example.com/a.png"),
    .groups = { alice_groups, N(alice_groups) },
    .node = TG_STR("laptop.tail1234.ts.net"),
    .node_id = TG_STR("nALICE"),
    .tailnet = TG_STR("tail1234.ts.net"),
    .caps = TG_STR("{\"tailscale.com/cap/proxy-to-grafana\":"
                   "[{\"role\":\"viewer\"},{\"role\":\"ADMIN\"}],"
                   "\"tailgate.dev/cap/otterwiki\":[{\"role\":\"writer\"}]}")
};

static const tg_identity_t  bob = {
    .traits = TG_TRAIT_MEMBER,
    .status = TG_STATUS_MEMBER,
    .login = TG_STR("bob@example.com"),
    .user = TG_STR("bob"),
    .name = TG_STR("Bob"),
    .groups = { bob_groups, N(bob_groups) },
    .node = TG_STR("desktop.tail1234.ts.net"),
    .node_id = TG_STR("nBOB"),
    .tailnet = TG_STR("tail1234.ts.net"),
    .caps = TG_STR("{}")
};

static const tg_identity_t  machine = {
    .traits = TG_TRAIT_TAGGED,
    .status = TG_STATUS_TAGGED,
    .node = TG_STR("ci.tail1234.ts.net"),
    .node_id = TG_STR("nCI"),
    .tailnet = TG_STR("tail1234.ts.net"),
    .caps = TG_STR("{}")
};


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(4 * 1024 * 1024);
    if (arena == NULL) {
        return 1;
    }

    alloc = tg_arena_allocator(arena);
    set = tg_strip_new(&alloc);

    return set == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static const tg_profile_t *
profile_of(const char *name)
{
    const tg_profile_t  *profile;

    profile = tg_profile_find(name, strlen(name));
    assert_non_null(profile);

    return profile;
}


static const tg_header_t *
header_of(const char *profile_name, const char *name)
{
    size_t               i;
    const tg_profile_t  *profile;

    profile = profile_of(profile_name);

    for (i = 0; i < profile->nheaders; i++) {
        if (strcmp(profile->headers[i].name, name) == 0) {
            return &profile->headers[i];
        }
    }

    fail_msg("profile %s has no header %s", profile_name, name);

    return NULL;
}


static int
value_of(const tg_identity_t *identity, const char *profile, const char *name,
    tg_str_t *value)
{
    return tg_header_value(header_of(profile, name), identity, &alloc, value);
}


static void
check(const tg_identity_t *identity, const expected_t *expected, size_t n)
{
    int       rc;
    size_t    i;
    tg_str_t  value;

    for (i = 0; i < n; i++) {
        value = (tg_str_t) TG_NULL_STR;

        rc = value_of(identity, expected[i].profile, expected[i].header,
                      &value);

        if (expected[i].value == NULL) {
            assert_int_equal(rc, TG_ERR_ABSENT);
            continue;
        }

        if (rc != TG_OK || value.len != strlen(expected[i].value)
            || (value.len != 0
                && memcmp(value.data, expected[i].value, value.len) != 0))
        {
            fail_msg("%s %s: \"%.*s\" (%d), not \"%s\"", expected[i].profile,
                     expected[i].header, (int) value.len,
                     value.len ? value.data : "", rc, expected[i].value);
        }
    }
}


static void
test_person(void **state)
{
    static const expected_t  expected[] = {
        { "webauth", "X-Webauth-User", "alice@example.com" },
        { "webauth", "X-Webauth-Name", "Alice van Ångström" },
        { "webauth", "X-Webauth-Groups",
          "netops,Net Ops,a|b,Zoë,Иван,say \"hi\",a\\b" },

        { "x-forwarded", "X-Forwarded-Preferred-Username", "alice" },
        { "gitea", "X-Webauth-User", "alice" },
        { "tiddlywiki", "X-Webauth-User", "alice%40example.com" },

        /* as serve and nginx-auth have it: the login as it is */
        { "tailscale", "Tailscale-User-Login", "Alice@Example.com" },
        { "tailscale", "Tailscale-User-Name",
          "=?utf-8?q?Alice_van_=C3=85ngstr=C3=B6m?=" },
        { "tailscale", "Tailscale-User-Profile-Pic",
          "https://example.com/a.png" },
        { "tailscale", "Tailscale-Headers-Info",
          "https://tailscale.com/s/serve-headers" },
        { "tailscale", "Tailscale-User", "Alice@Example.com" },
        { "tailscale", "Tailscale-Login", "Alice" },
        { "tailscale", "Tailscale-Name", "Alice van Ångström" },
        { "tailscale", "Tailscale-Profile-Picture",
          "https://example.com/a.png" },
        { "tailscale", "Tailscale-Tailnet", "tail1234.ts.net" },

        { "grafana", "X-Webauth-Name", "Alice van =C3=85ngstr=C3=B6m" },
        { "grafana", "X-Webauth-Role", "Admin" },
        { "grafana", "X-Webauth-Groups",
          "[\"netops\",\"Net Ops\",\"a|b\",\"a,b\",\"Zo=C3=AB\","
          "\"=D0=98=D0=B2=D0=B0=D0=BD\",\"say \\\"hi\\\"\",\"a\\\\b\"]" },

        { "netbox", "Remote-User", "alice@example.com" },
        { "netbox", "Remote-User-First-Name", "Alice van" },
        { "netbox", "Remote-User-Last-Name", "\xc5ngstr\xf6m" },
        { "netbox", "Remote-User-Group",
          "netops|Net Ops|a,b|Zo\xeb|say \"hi\"|a\\b" },

        { "otterwiki", "X-Otterwiki-Permissions", "READ,WRITE,UPLOAD" }
    };

    (void) state;

    check(&alice, expected, N(expected));
}


static void
test_missing_attributes(void **state)
{
    static const expected_t  expected[] = {
        { "netbox", "Remote-User-First-Name", "Bob" },
        { "netbox", "Remote-User-Last-Name", NULL },
        { "grafana", "X-Webauth-Role", "Viewer" },
        { "grafana", "X-Webauth-Groups", "netops,netbox-admins" },
        { "netbox", "Remote-User-Group", "netops|netbox-admins" },
        { "otterwiki", "X-Otterwiki-Permissions", "READ" },
        { "tailscale", "Tailscale-User-Profile-Pic", "" },
        { "tailscale", "Tailscale-Profile-Picture", NULL }
    };

    (void) state;

    check(&bob, expected, N(expected));
}


/* No app may take a machine for a person. */

static void
test_tagged(void **state)
{
    int                  rc;
    size_t               i, j, n;
    tg_str_t             value;
    const tg_header_t   *header;
    const tg_profile_t  *profiles;

    (void) state;

    profiles = tg_profile_table(&n);

    for (i = 0; i < n; i++) {
        for (j = 0; j < profiles[i].nheaders; j++) {
            header = &profiles[i].headers[j];

            rc = tg_header_value(header, &machine, &alloc, &value);

            assert_int_equal(rc, header->source == TG_ATTR_TAILNET
                                     ? TG_OK : TG_ERR_ABSENT);
        }
    }
}


/* Two logins never become one. */

static void
test_exact_logins(void **state)
{
    size_t         i;
    tg_str_t       value;
    tg_identity_t  identity;

    static const struct {
        const char  *login;
        const char  *profile;
        const char  *header;
        int          rc;
    } logins[] = {
        { "zoë@example.com", "openwebui", "X-User-Email", TG_ERR_REFUSED },
        { "zoë@example.com", "jupyterhub", "X-Webauth-User", TG_OK },
        { "zoë@example.com", "netbox", "Remote-User", TG_OK },
        { "zoe\xcc\x88@example.com", "netbox", "Remote-User",
          TG_ERR_REFUSED },
        { "иван@example.com", "netbox", "Remote-User", TG_ERR_REFUSED },
        { "иван@example.com", "tiddlywiki", "X-Webauth-User", TG_OK },
        { "иван@example.com", "webauth", "X-Webauth-User", TG_OK },
        { " alice@example.com", "webauth", "X-Webauth-User",
          TG_ERR_REFUSED },
        { "alice@example.com ", "webauth", "X-Webauth-User",
          TG_ERR_REFUSED },
        { "alice@example.com\xc2\xa0", "webauth", "X-Webauth-User",
          TG_ERR_REFUSED },
        { "\xe2\x80\x8b" "alice@example.com", "webauth", "X-Webauth-User",
          TG_ERR_REFUSED },
        { "alice@example.com\r\nX-Admin: 1", "webauth", "X-Webauth-User",
          TG_ERR_REFUSED },
        { "zo\xeb@example.com", "netbox", "Remote-User", TG_ERR_REFUSED },

        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaa@example.com", "netbox", "Remote-User", TG_ERR_LIMIT }
    };

    (void) state;

    for (i = 0; i < N(logins); i++) {
        identity = bob;
        identity.login.data = logins[i].login;
        identity.login.len = strlen(logins[i].login);

        if (value_of(&identity, logins[i].profile, logins[i].header, &value)
            != logins[i].rc)
        {
            fail_msg("\"%s\" in %s", logins[i].login, logins[i].profile);
        }
    }
}


/* Their alice is not ours: of a shared-in peer only whole logins are sent. */

static void
test_shared(void **state)
{
    tg_str_t       value;
    tg_identity_t  identity;

    (void) state;

    identity = alice;
    identity.traits |= TG_TRAIT_SHARED;

    assert_int_equal(value_of(&identity, "gitea", "X-Webauth-User", &value),
                     TG_ERR_REFUSED);
    assert_int_equal(value_of(&identity, "gitea", "X-Webauth-Email", &value),
                     TG_OK);
}


static void
test_transforms(void **state)
{
    size_t         i;
    tg_str_t       value;
    tg_header_t    header;
    tg_identity_t  identity;

    static const struct {
        tg_transform_t   transform;
        const char      *name;
        const char      *value;
    } names[] = {
        { TG_TRANSFORM_WHOLE, " Ann Lee ", "Ann Lee" },
        { TG_TRANSFORM_LOWER, "ÅNN Lee", "Ånn lee" },
        { TG_TRANSFORM_FIRST_NAME, "Ann Marie Lee", "Ann Marie" },
        { TG_TRANSFORM_FIRST_NAME, "Ann  Lee", "Ann" },
        { TG_TRANSFORM_FIRST_NAME, "Ann", "Ann" },
        { TG_TRANSFORM_FIRST_NAME, "   ", NULL },
        { TG_TRANSFORM_LAST_NAME, "Ann Marie Lee", "Lee" },
        { TG_TRANSFORM_LAST_NAME, "Ann ", NULL },
        { TG_TRANSFORM_LAST_NAME, "Ann", NULL },
        { TG_TRANSFORM_LOCAL_PART, "a@b@c", "a@b" },
        { TG_TRANSFORM_LOCAL_PART, "ann", "ann" },
        { TG_TRANSFORM_LOCAL_PART, "@b", NULL }
    };

    (void) state;

    memset(&header, 0, sizeof(tg_header_t));
    header.name = "X-Name";
    header.source = TG_ATTR_NAME;
    header.max = 64;

    for (i = 0; i < N(names); i++) {
        header.transform = names[i].transform;

        identity = bob;
        identity.name.data = names[i].name;
        identity.name.len = strlen(names[i].name);

        if (names[i].value == NULL) {
            assert_int_equal(tg_header_value(&header, &identity, &alloc,
                                             &value), TG_ERR_ABSENT);
            continue;
        }

        assert_int_equal(tg_header_value(&header, &identity, &alloc, &value),
                         TG_OK);
        assert_int_equal(value.len, strlen(names[i].value));
        assert_memory_equal(value.data, names[i].value, value.len);
    }
}


static void
test_json(void **state)
{
    size_t         i;
    tg_str_t       value, item;
    tg_header_t    header;
    tg_identity_t  identity;

    static const struct {
        tg_join_t      join;
        tg_encoding_t  encoding;
        const char    *item;
        const char    *value;
    } items[] = {
        { TG_JOIN_JSON, TG_ENCODING_UTF8, "ops", "[\"ops\"]" },
        { TG_JOIN_JSON, TG_ENCODING_ASCII, "Zoë", "[\"Zo\\u00eb\"]" },
        { TG_JOIN_JSON, TG_ENCODING_LATIN1, "🚀", "[\"\\ud83d\\ude80\"]" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_UTF8, "ops", "ops" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_UTF8, "[x", "[\"[x\"]" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_UTF8, "a,b", "[\"a,b\"]" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_UTF8, "a b", "[\"a b\"]" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_UTF8, "a\"b",
          "[\"a\\\"b\"]" },
        { TG_JOIN_SEPARATOR_OR_JSON, TG_ENCODING_ASCII, "ë", "[\"\\u00eb\"]" },
        { TG_JOIN_SEPARATOR, TG_ENCODING_ASCII, "ë", NULL },
        { TG_JOIN_SEPARATOR, TG_ENCODING_UTF8, "a,b", NULL },
        { TG_JOIN_SEPARATOR, TG_ENCODING_UTF8, "\xff", NULL }
    };

    (void) state;

    memset(&header, 0, sizeof(tg_header_t));
    header.name = "X-Groups";
    header.source = TG_ATTR_GROUPS;
    header.separator = ',';
    header.max = 64;

    identity = bob;
    identity.groups.items = &item;
    identity.groups.n = 1;

    for (i = 0; i < N(items); i++) {
        header.join = items[i].join;
        header.encoding = items[i].encoding;

        item.data = items[i].item;
        item.len = strlen(items[i].item);

        if (items[i].value == NULL) {
            assert_int_equal(tg_header_value(&header, &identity, &alloc,
                                             &value), TG_ERR_ABSENT);
            continue;
        }

        assert_int_equal(tg_header_value(&header, &identity, &alloc, &value),
                         TG_OK);
        assert_int_equal(value.len, strlen(items[i].value));
        assert_memory_equal(value.data, items[i].value, value.len);
    }
}


/* Every entry of the table says all that it has to. */

static void
test_table(void **state)
{
    char                 folded[TG_HEADER_NAME_MAX],
                         other[TG_HEADER_NAME_MAX];
    size_t               i, j, k, n;
    const tg_header_t   *header;
    const tg_profile_t  *profiles;

    (void) state;

    profiles = tg_profile_table(&n);
    assert_true(n >= 20);

    for (i = 0; i < n; i++) {
        assert_ptr_equal(profile_of(profiles[i].name), &profiles[i]);
        assert_non_null(profiles[i].summary);
        assert_true(profiles[i].nheaders > 0);

        for (j = 0; j < profiles[i].nheaders; j++) {
            header = &profiles[i].headers[j];

            assert_true(header->max > 0);
            assert_true(tg_strip_match(set, header->name,
                                       strlen(header->name)));

            if (header->source == TG_ATTR_GROUPS
                && header->join != TG_JOIN_JSON)
            {
                assert_int_not_equal(header->separator, '\0');
            }

            if (header->source == TG_ATTR_CAPABILITY_FIELD) {
                assert_non_null(header->cap);
                assert_non_null(header->field);
                assert_true(header->norder > 0);
            }

            tg_header_fold(header->name, strlen(header->name), folded);

            /* an app must not get two of what it cannot tell apart */

            for (k = 0; k < j; k++) {
                tg_header_fold(profiles[i].headers[k].name,
                               strlen(profiles[i].headers[k].name), other);

                assert_false(strlen(profiles[i].headers[k].name)
                             == strlen(header->name)
                             && memcmp(folded, other, strlen(header->name))
                                == 0);
            }
        }
    }

    assert_null(tg_profile_find("netbo", 5));
    assert_null(tg_profile_find("netbox2", 7));
    assert_null(tg_profile_find("NetBox", 6));
    assert_null(tg_profile_find("", 0));
}


static bool
stripped(const char *name)
{
    return tg_strip_match(set, name, strlen(name));
}


static void
test_strip(void **state)
{
    size_t  i;

    static const char  *const go[] = {
        "X-Webauth-User", "x-webauth-user", "X_Webauth.User", "X.WEBAUTH.USER",
        "x webauth user", "X\xc3Webauth\xffUser", "X-Webauth-Role",
        "Remote-User", "REMOTE_USER", "remote.user", "Remote-User-Group",
        "X-Pgadmin-Webserver-Secret", "X_Pgadmin_Webserver_Secret",
        "Tailscale-User-Login", "Tailscale_User_Login",
        "Tailscale-App-Capabilities", "Tailscale-Headers-Info",
        "Tailscale-Funnel-Request", "Tailscale-Whatever-Comes",
        "Tailgate-Local-Addr", "tailgate.local.addr", "Tailgate-",
        "X-Forwarded-Access-Token", "X-Remote-Extra-Scopes", "X_Remote_",
        "X-Otterwiki-Permissions"
    };

    static const char  *const stay[] = {
        "", "X", "Host", "User-Agent", "Accept", "Cookie", "Referer", "Range",
        "Connection", "Authorization", "TE", "Transfer-Encoding",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
        "X-Real-IP", "X-Requested-With", "X-Webauth-Use", "X-Webauth-Users",
        "XWebauth-User", "Tailscale", "Tailgate", "Tail-Gate-X",
        "Remote--User", "HTTP_REMOTE_USER", "Traceparent", "Sec-Fetch-Site"
    };

    (void) state;

    for (i = 0; i < N(go); i++) {
        if (!stripped(go[i])) {
            fail_msg("\"%s\" stays", go[i]);
        }
    }

    for (i = 0; i < N(stay); i++) {
        if (stripped(stay[i])) {
            fail_msg("\"%s\" goes", stay[i]);
        }
    }
}


/* However a name is spelt that is removed, it looks like one. */

static void
test_shapes(void **state)
{
    char          name[TG_HEADER_NAME_MAX];
    size_t        i, len;
    unsigned      round, byte;
    tg_shapes_t   shapes;

    static const char  *const names[] = {
        "X-Webauth-User", "Remote-User-Group", "Tailscale-User-Login",
        "Tailgate-", "X-Remote-Extra-Scopes-And-What-Ever-Else-Some-Client-"
        "May-Make-Up-To-Be-Longer-Than-All", "X-My-User"
    };

    static const char  *const others[] = {
        "Host", "User-Agent", "Accept", "Cookie", "Referer",
        "Sec-Fetch-Dest", "Sec-Fetch-Site", "Upgrade-Insecure-Requests"
    };

    (void) state;

    assert_int_equal(tg_strip_add(set, "X-My-User", 9), TG_OK);
    tg_shapes_of(set, &shapes);

    for (i = 0; i < N(names); i++) {
        len = strlen(names[i]);

        for (byte = 1; byte < 256; byte++) {
            memcpy(name, names[i], len);

            for (round = 0; round < len; round++) {
                if (name[round] == '-') {
                    name[round] = (char) byte;
                }
            }

            if (tg_strip_match(set, name, len)
                && !tg_shapes_have(&shapes, name, len))
            {
                fail_msg("\"%.*s\" has another shape", (int) len, name);
            }
        }

        assert_true(tg_strip_match(set, names[i], len));
        assert_true(tg_shapes_have(&shapes, names[i], len));
    }

    for (i = 0; i < N(others); i++) {
        if (tg_shapes_have(&shapes, others[i], strlen(others[i]))) {
            fail_msg("\"%s\" is looked at", others[i]);
        }
    }

    tg_shapes_add(&shapes, "Q-New-Name", 10);
    assert_true(tg_shapes_have(&shapes, "q_new_name", 10));
}


static void
test_strip_long(void **state)
{
    char  name[4096];

    (void) state;

    memset(name, 'x', sizeof(name));
    assert_false(tg_strip_match(set, name, sizeof(name)));

    memcpy(name, "Tailscale_", 10);
    assert_true(tg_strip_match(set, name, sizeof(name)));

    memset(name, 'y', sizeof(name));
    assert_int_equal(tg_strip_add(set, name, TG_HEADER_NAME_MAX), TG_OK);
    assert_true(tg_strip_match(set, name, TG_HEADER_NAME_MAX));
    assert_false(tg_strip_match(set, name, TG_HEADER_NAME_MAX - 1));
    assert_false(tg_strip_match(set, name, TG_HEADER_NAME_MAX + 1));
    assert_int_equal(tg_strip_add(set, name, TG_HEADER_NAME_MAX + 1),
                     TG_ERR_LIMIT);
}


static int
add(const char *name)
{
    return tg_strip_add(set, name, strlen(name));
}


static void
test_strip_add(void **state)
{
    size_t  i;

    static const char  *const needed[] = {
        "Host", "host", "Connection", "Content-Length", "content_length",
        "Transfer.Encoding", "Upgrade", "TE", "Expect", "Cookie", "Range",
        "If-Match", "If-Modified-Since", "IF_RANGE"
    };

    static const char  *const wrong[] = {
        "", "X User", "X:User", "X\r\n", "X\tY", "Zoë", "X/Y", "\"X\"", "X@Y"
    };

    (void) state;

    assert_false(stripped("X-Corp-User"));
    assert_int_equal(add("X-Corp-User"), TG_OK);
    assert_int_equal(add("x_corp_user"), TG_OK);
    assert_true(stripped("X-Corp-User"));
    assert_true(stripped("x.corp.user"));
    assert_int_equal(add("Authorization"), TG_OK);
    assert_true(stripped("authorization"));
    assert_int_equal(add("!#$%&'*+-.^_`|~09AZaz"), TG_OK);

    for (i = 0; i < N(needed); i++) {
        assert_int_equal(add(needed[i]), TG_ERR_REFUSED);
        assert_false(stripped(needed[i]));
    }

    for (i = 0; i < N(wrong); i++) {
        assert_int_equal(add(wrong[i]), TG_ERR_SYNTAX);
    }
}


/* Folding by the definition, byte by byte. */

static void
test_fold(void **state)
{
    char    byte, folded, expected;
    size_t  i;

    (void) state;

    for (i = 0; i < 256; i++) {
        byte = (char) (unsigned char) i;

        expected = '-';

        if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z')) {
            expected = byte;

        } else if (byte >= 'A' && byte <= 'Z') {
            expected = (char) (byte - 'A' + 'a');
        }

        tg_header_fold(&byte, 1, &folded);
        assert_int_equal(folded, expected);

        /* in place */

        tg_header_fold(&byte, 1, &byte);
        assert_int_equal(byte, expected);
    }
}


/* Out of memory at any point is an error, never half a set. */

static void
test_no_memory(void **state)
{
    size_t       i, max, ok;
    tg_str_t     value;
    tg_alloc_t   small;
    tg_arena_t  *poor;

    (void) state;

    for (i = 0, ok = 0; i < 20; i++) {
        max = (size_t) 1 << i;

        poor = tg_arena_new(max);
        assert_non_null(poor);

        small = tg_arena_allocator(poor);
        ok += tg_strip_new(&small) != NULL;

        if (max < 16) {
            assert_int_equal(tg_header_value(header_of("tiddlywiki",
                                                       "X-Webauth-User"),
                                             &alice, &small, &value),
                             TG_ERR_NOMEM);
        }

        tg_arena_free(&poor);
    }

    assert_in_range(ok, 1, 10);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_person, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_attributes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_tagged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_logins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transforms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strip_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strip_add, setup, teardown),
        cmocka_unit_test(test_fold),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
