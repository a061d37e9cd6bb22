
/*
 * Copyright (C) The Tailgate authors
 *
 * Made-up peers and requests: as tailscaled and a client would have them.
 */

#include <tailgate/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define ARENA_MAX  ((size_t) 1024 * 1024)
#define NOW        INT64_C(1800000000)
#define FROM_MAX   6


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(ARENA_MAX);
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
str(const char *text)
{
    return (tg_str_t) { text, strlen(text) };
}


static void
assert_text(tg_str_t text, const char *wanted)
{
    if (text.len != strlen(wanted)
        || (text.len != 0 && memcmp(text.data, wanted, text.len) != 0))
    {
        fail_msg("\"%.*s\" is not \"%s\"", (int) text.len,
                 text.len ? text.data : "", wanted);
    }
}


static int
make(const char *as, const char *const *from, tg_peer_t *peer,
    tg_error_t *error)
{
    size_t    n;
    tg_str_t  words[FROM_MAX];

    for (n = 0; n < FROM_MAX && from[n] != NULL; n++) {
        words[n] = str(from[n]);
    }

    return tg_persona(NULL, str(as), words, n, NOW, &alloc, peer, error);
}


static void
test_traits(void **state)
{
    size_t      i;
    tg_peer_t   peer;
    tg_error_t  error;

    static const struct {
        const char   *as;
        const char   *from[FROM_MAX];
        uint32_t      traits;
        tg_status_t   status;
    } cases[] = {
        { "alice@example.com", { NULL }, TG_TRAIT_MEMBER, TG_STATUS_MEMBER },
        { "alice@example.com", { "routed=yes" },
          TG_TRAIT_MEMBER|TG_TRAIT_ROUTED, TG_STATUS_ROUTED },
        { "alice@example.com", { "shared=yes" },
          TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { "alice@example.com", { "shared=no" },
          TG_TRAIT_MEMBER, TG_STATUS_MEMBER },
        { "alice@example.com", { "tailnet=other.ts.net" },
          TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { "alice@example.com", { "node=mac.other.ts.net" },
          TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { "alice@example.com", { "expired=yes" },
          TG_TRAIT_MEMBER|TG_TRAIT_EXPIRED, TG_STATUS_EXPIRED },
        { "alice@example.com", { "key_expires_in=0s" },
          TG_TRAIT_MEMBER|TG_TRAIT_EXPIRED, TG_STATUS_EXPIRED },
        { "alice@example.com", { "unauthorized=yes" },
          TG_TRAIT_MEMBER|TG_TRAIT_UNAUTHORIZED, TG_STATUS_UNAUTHORIZED },
        { "alice@example.com", { "unsigned=yes" },
          TG_TRAIT_MEMBER|TG_TRAIT_UNSIGNED, TG_STATUS_UNSIGNED },
        { "tag:ci", { NULL }, TG_TRAIT_TAGGED, TG_STATUS_TAGGED },
        { "tag:ci", { "shared=yes" }, TG_TRAIT_TAGGED|TG_TRAIT_SHARED,
          TG_STATUS_SHARED },
        { "node:build1", { "tag=tag:ci" }, TG_TRAIT_TAGGED, TG_STATUS_TAGGED },
        { "stranger", { NULL }, 0, TG_STATUS_STRANGER },
        { "unavailable", { NULL }, 0, TG_STATUS_UNAVAILABLE }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (make(cases[i].as, cases[i].from, &peer, &error) != TG_OK) {
            fail_msg("%s: %s", cases[i].as, error.text);
        }

        assert_int_equal(peer.status, cases[i].status);

        if (cases[i].traits == 0) {
            assert_null(peer.identity);
            continue;
        }

        assert_int_equal(peer.identity->traits, cases[i].traits);
        assert_int_equal(peer.identity->status, cases[i].status);
        assert_non_null(peer.self);
        assert_non_null(peer.caps);
    }
}


static void
test_attributes(void **state)
{
    tg_peer_t             peer;
    tg_error_t            error;
    const tg_identity_t  *identity;

    static const char *const  person[] = {
        "os=macOS", "os_version=15.3", "client_version=1.80.2", "node=Mac",
        "group=eng", "group=group:ops", NULL
    };
    static const char *const  machine[] = {
        "tag=tag:web", "node_id=n1CNTRL", "key_expires_in=1d12h",
        "capability=example.com/cap/wiki:{\"role\": \"editor\"}",
        "capability=https://example.com/cap/x:[1, \"a:{b\"]",
        "capability=example.com/cap/wiki"
    };

    (void) state;

    assert_int_equal(make("alice@example.com", person, &peer, &error), TG_OK);

    identity = peer.identity;
    assert_text(identity->login, "alice@example.com");
    assert_text(identity->user, "alice");
    assert_text(identity->os, "macOS");
    assert_text(identity->os_version, "15.3");
    assert_text(identity->client_version, "1.80.2");
    assert_text(identity->node, "Mac.tailnet.invalid");
    assert_text(identity->tailnet, "tailnet.invalid");
    assert_int_equal(identity->groups.n, 2);
    assert_text(identity->groups.items[1], "group:ops");
    assert_int_equal(identity->key_expiry, 0);
    assert_text(identity->caps, "{}");

    assert_int_equal(make("tag:ci", machine, &peer, &error), TG_OK);

    identity = peer.identity;
    assert_int_equal(identity->login.len, 0);
    assert_int_equal(identity->tags.n, 2);
    assert_text(identity->tags.items[0], "tag:ci");
    assert_text(identity->node_id, "n1CNTRL");
    assert_int_equal(identity->key_expiry, NOW + 36 * 3600);
    assert_text(identity->caps,
                "{\"example.com/cap/wiki\":[{\"role\":\"editor\"}],"
                "\"https://example.com/cap/x\":[1,\"a:{b\"]}");
}


static void
test_nobody(void **state)
{
    size_t      i;
    tg_peer_t   peer;
    tg_error_t  error;

    static const struct {
        const char  *as;
        const char  *from[FROM_MAX];
        const char  *says;
    } cases[] = {
        { "", { NULL }, "nobody is named" },
        { "a\nb", { NULL }, "nobody is named" },
        { "a@b@c", { NULL }, "more than one \"@\"" },
        { "tagged-devices", { NULL }, "tagged-devices" },
        { "a@b", { "tag=tag:ci" }, "a tagged node has no login" },
        { "tag:ci", { "tag=ci" }, "lacks its prefix" },
        { "a@b", { "os" }, "write KEY=VALUE" },
        { "a@b", { "oss=iOS" }, "did you mean \"os\"?" },
        { "a@b", { "shared=1" }, "\"shared\" is yes or no" },
        { "a@b", { "key_expires_in=7" }, "is no duration" },
        { "a@b", { "capability=" }, "has a name" },
        { "a@b", { "capability=x:{" }, "cannot be read" },
        { "a@b", { "capability=x:{\"a\":1,\"a\":2}" }, "cannot be read" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        assert_true(make(cases[i].as, cases[i].from, &peer, &error) < TG_OK);

        if (strstr(error.text, cases[i].says) == NULL) {
            fail_msg("\"%s\" is not in: %s", cases[i].says, error.text);
        }

        assert_null(peer.identity);
    }
}


/* A key that expires at the epoch is none that never does. */

static void
test_epoch(void **state)
{
    tg_str_t    from = TG_STR("key_expires_in=1d");
    tg_peer_t   peer;
    tg_error_t  error;

    (void) state;

    assert_int_equal(tg_persona(NULL, str("a@b"), &from, 1, -86400, &alloc,
                                &peer, &error), TG_OK);
    assert_int_equal(peer.identity->key_expiry, 1);
}


/* The policy's tailnet is the persona's own. */

static void
test_tailnet(void **state)
{
    tg_peer_t     peer;
    tg_error_t    error;
    tg_policy_t  *policy;

    static const char  text[] = "version: 1\ntailnet: [a.ts.net, b.ts.net]\n";

    (void) state;

    assert_int_equal(tg_policy_compile(text, sizeof(text) - 1, &alloc, NULL,
                                       NULL, &policy), TG_OK);
    assert_int_equal(tg_persona(policy, str("node:x"), NULL, 0, NOW, &alloc,
                                &peer, &error), TG_OK);
    assert_text(peer.identity->node, "x.a.ts.net");
    assert_text(peer.self->tailnet, "a.ts.net");
}


static void
test_requests(void **state)
{
    size_t        i;
    tg_error_t    error;
    tg_request_t  request;

    static const struct {
        const char  *text;
        const char  *method;
        const char  *host;
        const char  *raw_path;
        const char  *path;
    } cases[] = {
        { "DELETE https://grafana/api/x?y=/z", "DELETE", "grafana", "/api/x",
          "/api/x" },
        { "https://grafana.corp:8443", "GET", "grafana.corp:8443", "/", "/" },
        { "PROPFIND  http://Wiki./a//b/%2e%2e/c%20d", "PROPFIND", "Wiki.",
          "/a//b/%2e%2e/c%20d", "/a/c d" },
        { "GET https://wiki?q", "GET", "wiki", "/", "/" },
        { "GET https://[fd7a::1]:80/", "GET", "[fd7a::1]:80", "/", "/" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (tg_request_parse(str(cases[i].text), &alloc, &request, &error)
            != TG_OK)
        {
            fail_msg("%s: %s", cases[i].text, error.text);
        }

        assert_text(request.method, cases[i].method);
        assert_text(request.host, cases[i].host);
        assert_text(request.raw_path, cases[i].raw_path);
        assert_text(request.path, cases[i].path);
        assert_int_equal(request.via, TG_VIA_DIRECT);
    }
}


static void
test_no_requests(void **state)
{
    size_t        i;
    tg_error_t    error;
    tg_request_t  request;

    static const struct {
        const char  *text;
        const char  *says;
    } cases[] = {
        { "", "write a method and a URL" },
        { "GET /api", "write a method and a URL" },
        { "G\"T https://a/", "\"G\"T\" is no method" },
        { "GET https:///x", "\"\" is no host" },
        { "GET https://alice@wiki/", "\"alice@wiki\" is no host" },
        { "GET https://wiki/../x", "no server takes the path" },
        { "GET https://wiki/%zz", "no server takes the path" },
        { "GET https://wiki/a b", "no server takes the path" },
        { "GET https://wiki/\x7f", "no text" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        assert_int_equal(tg_request_parse(str(cases[i].text), &alloc, &request,
                                          &error), TG_ERR_SYNTAX);

        if (strstr(error.text, cases[i].says) == NULL) {
            fail_msg("\"%s\" is not in: %s", cases[i].says, error.text);
        }
    }
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_traits),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_tailnet),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_no_requests)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
