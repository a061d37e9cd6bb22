
/*
 * Copyright (C) The Tailgate authors
 *
 * What the table of t/policy has no words for: explanations, headers, roles,
 * grants that cannot be read, a peer that is not what it should be.
 */

#include <tailgate/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define NOW       1795348800


static const char  file[] =
    "version: 1\n"
    "tailnet: own.ts.net\n"
    "contact: help@example.com\n"
    "groups:\n"
    "  admins: [ann@example.com, zoe@example.com]\n"
    "capabilities:\n"
    "  grafana:\n"
    "    capability: x/cap/g\n"
    "    field: role\n"
    "    order: [Viewer, Editor, Admin]\n"
    "  team: { capability: x/cap/g, field: team }\n"
    "  fallback: { capability: x/cap/g, field: none, default: low }\n"
    "always:\n"
    "  deny: [{ os: iOS, methods: [DELETE] }]\n"
    "routes:\n"
    "  - name: app\n"
    "    hosts: app\n"
    "    explain_denials: self\n"
    "    contact: owner@example.com\n"
    "    allow:\n"
    "      - { group: admins }\n"
    "      - { user: bob@example.com, methods: read, paths: /pub }\n"
    "      - { tag: tag:ci, via: svc:app, os: linux }\n"
    "    deny:\n"
    "      - { os: macOS, os_version: '< 15.3' }\n"
    "    require:\n"
    "      - { client_version: '>= 1.80' }\n"
    "    headers:\n"
    "      X-Role:\n"
    "        from: capability x/cap/g\n"
    "        field: role\n"
    "        order: [Viewer, Editor, Admin]\n"
    "      X-Team: { from: capability x/cap/g, field: team }\n"
    "      X-Login: { from: login }\n"
    "      X-Granted: { from: role, order: [none, low, high], default: none }\n"
    "grants: { capability: x/cap/t }\n";


static tg_arena_t   *arena;
static tg_alloc_t    alloc;
static tg_policy_t  *policy;


static tg_str_t
text(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static void
report(void *ctx, const tg_policy_message_t *message)
{
    (void) ctx;

    if (message->severity == TG_POLICY_ERROR) {
        fail_msg("%zu: %s", message->line, message->text);
    }
}


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(16 * 1024 * 1024);
    assert_non_null(arena);
    alloc = tg_arena_allocator(arena);

    assert_int_equal(tg_policy_compile(file, sizeof(file) - 1, &alloc, report,
                                       NULL, &policy), TG_OK);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


/* as, and words of "from" up to a NULL. */

static tg_peer_t
persona(const char *as, const char *const *words)
{
    size_t      n;
    tg_str_t    from[16];
    tg_peer_t   peer;
    tg_error_t  error;

    for (n = 0; words != NULL && words[n] != NULL; n++) {
        from[n] = text(words[n]);
    }

    if (tg_persona(policy, text(as), from, n, NOW, &alloc, &peer, &error)
        != TG_OK)
    {
        fail_msg("%s", error.text);
    }

    return peer;
}


static tg_request_t
asking(const char *what)
{
    tg_error_t    error;
    tg_request_t  request;

    assert_int_equal(tg_request_parse(text(what), &alloc, &request, &error),
                     TG_OK);
    request.now = NOW;

    return request;
}


static tg_explanation_t
explain(const tg_peer_t *peer, const tg_request_t *request)
{
    tg_decision_t     decision;
    tg_explanation_t  explanation;

    tg_policy_decide(policy, NULL, NULL, peer, request, &decision);
    assert_int_equal(tg_policy_explain(policy, NULL, NULL, peer, request,
                                       &alloc, &explanation), TG_OK);

    assert_int_equal(decision.verdict, explanation.decision.verdict);
    assert_int_equal(decision.reason, explanation.decision.reason);
    assert_ptr_equal(decision.text, explanation.decision.text);

    return explanation;
}


static const tg_explained_rule_t *
row(const tg_explanation_t *explanation, const char *rule)
{
    size_t    i;
    tg_str_t  name;

    for (i = 0; i < explanation->nrules; i++) {
        name = explanation->rules[i].rule;

        if (name.len == strlen(rule)
            && memcmp(name.data, rule, name.len) == 0)
        {
            return &explanation->rules[i];
        }
    }

    fail_msg("no rule %s", rule);

    return NULL;
}


static void
same(tg_str_t got, const char *wanted)
{
    if (got.len != strlen(wanted)
        || (got.len > 0 && memcmp(got.data, wanted, got.len) != 0))
    {
        fail_msg("\"%.*s\" is not \"%s\"", (int) got.len,
                 got.len > 0 ? got.data : "", wanted);
    }
}


static void
condition(const tg_explained_rule_t *explained, size_t i, bool holds,
    const char *name, const char *why)
{
    assert_in_range(i + 1, 1, explained->nconditions);
    same(explained->conditions[i].condition, name);
    same(explained->conditions[i].why, why);
    assert_int_equal(explained->conditions[i].holds, holds);
}


static void
test_explained(void **state)
{
    tg_peer_t                   peer;
    tg_request_t                request;
    tg_explanation_t            explanation;
    const tg_explained_rule_t  *explained;

    static const char *const  from[] = {
        "os=macOS", "os_version=15.1", "client_version=1.82.0", NULL
    };

    (void) state;

    peer = persona("bob@example.com", from);
    request = asking("POST https://app/pub/x");
    explanation = explain(&peer, &request);

    same(explanation.decision.rule, "app.deny[0]");
    assert_int_equal(explanation.nrules, 7);

    explained = row(&explanation, "app.deny[0]");
    assert_true(explained->decides && explained->matches);
    assert_int_equal(explained->line, 25);
    condition(explained, 0, true, "os: macOS",
              "the operating system is macOS");
    condition(explained, 1, true, "os_version: < 15.3", "15.1 is below 15.3");

    explained = row(&explanation, "app.require[0]");
    assert_true(explained->matches && !explained->decides);
    condition(explained, 0, true, "client_version: >= 1.80",
              "1.82.0 is above 1.80");

    explained = row(&explanation, "app.allow[1]");
    assert_false(explained->matches);
    assert_int_equal(explained->nconditions, 4);
    condition(explained, 0, true, "peers: members", "the peer is a member");
    condition(explained, 1, true, "user: bob@example.com",
              "bob@example.com is such a login");
    condition(explained, 2, true, "paths: /pub", "the path is /pub/x");
    condition(explained, 3, false, "methods: read",
              "the method is POST, which is a write");

    explained = row(&explanation, "app.allow[2]");
    condition(explained, 1, false, "tag: tag:ci", "the node has no tag");
    condition(explained, 3, false, "via: svc:app",
              "the request came directly");

    condition(row(&explanation, "always.deny[0]"), 0, false, "os: iOS",
              "the operating system is macOS");
    condition(row(&explanation, "grants"), 0, false, "capability: x/cap/t",
              "the peer has no such capability");

    /* what refuses, then the allow that lacks least */

    assert_int_equal(explanation.nneeded, 5);
    same(explanation.needed[0], "app.deny[0] must not match: os: macOS (the "
         "operating system is macOS), or os_version: < 15.3 (15.1 is below "
         "15.3)");
    same(explanation.needed[1], "app.allow[0] would allow it: group: admins "
         "(bob@example.com is in no such group)");
    same(explanation.needed[2], "app.allow[1] would allow it: methods: read "
         "(the method is POST, which is a write)");
}


/* Nobody learns from it who else is in a group. */

static void
test_explains_nobody_else(void **state)
{
    size_t            i, j;
    tg_str_t          said[2];
    tg_peer_t         peer;
    tg_request_t      request;
    tg_explanation_t  explanation;

    (void) state;

    peer = persona("bob@example.com", NULL);
    request = asking("GET https://app/");
    explanation = explain(&peer, &request);

    for (i = 0; i < explanation.nrules; i++) {
        for (j = 0; j < explanation.rules[i].nconditions; j++) {
            said[0] = explanation.rules[i].conditions[j].condition;
            said[1] = explanation.rules[i].conditions[j].why;

            assert_null(memmem(said[0].data, said[0].len, "zoe", 3));
            assert_null(memmem(said[1].data, said[1].len, "zoe", 3));
        }
    }

    for (i = 0; i < explanation.nneeded; i++) {
        assert_null(memmem(explanation.needed[i].data,
                           explanation.needed[i].len, "zoe", 3));
    }
}


static void
test_unknown_version(void **state)
{
    tg_peer_t         peer;
    tg_request_t      request;
    tg_explanation_t  explanation;

    static const char *const  from[] = { "os=macOS", NULL };

    (void) state;

    peer = persona("ann@example.com", from);
    request = asking("GET https://app/");
    explanation = explain(&peer, &request);

    same(explanation.decision.rule, "app.deny[0]");
    condition(row(&explanation, "app.deny[0]"), 1, true,
              "os_version: < 15.3",
              "the version of the operating system is not known, which "
              "counts as matching in a deny");
    condition(row(&explanation, "app.require[0]"), 0, false,
              "client_version: >= 1.80",
              "the version of Tailscale is not known, which satisfies no such "
              "rule");
}


/* What a request holds cannot break the lines of who prints it. */

static void
test_control_characters(void **state)
{
    tg_peer_t         peer;
    tg_request_t      request;
    tg_explanation_t  explanation;

    static const char *const  from[] = {
        "os=linux", "client_version=1.82", NULL
    };

    (void) state;

    peer = persona("bob@example.com", from);
    request = asking("GET https://app/");
    request.path = text("/a\x1b[2J\nb\xff");
    request.raw_path = request.path;
    explanation = explain(&peer, &request);

    condition(row(&explanation, "app.allow[1]"), 2, false, "paths: /pub",
              "the path is /a?[2J?b?");
}


static void
test_contact(void **state)
{
    tg_peer_t      peer;
    tg_request_t   request;
    tg_decision_t  decision;

    (void) state;

    peer = persona("bob@example.com", NULL);
    request = asking("GET https://app/");
    tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);
    assert_true(decision.explain);
    same(decision.contact, "owner@example.com");
    same(decision.route, "app");
    assert_int_equal(decision.route_index, 0);

    request = asking("GET https://elsewhere/");
    tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);
    assert_int_equal(decision.reason, TG_POLICY_REASON_NO_ROUTE);
    assert_false(decision.explain);
    same(decision.contact, "help@example.com");
    assert_int_equal(decision.route_index, SIZE_MAX);
}


/* One that cannot be read spoils no other, and is counted. */

static void
test_grants(void **state)
{
    tg_peer_t         peer;
    tg_request_t      request;
    tg_explanation_t  explanation;

    static const char *const  from[] = {
        "os=linux",
        "capability=x/cap/t:[{\"hosts\":7},{\"hosts\":[]},\"app\","
        "{\"hosts\":\"wiki\",\"role\":[\"x\"]},{\"paths\":\"x\"},"
        "{\"methods\":\"get\"},{\"hosts\":[\"wiki:80\",\"a\"]},"
        "{\"hosts\":\"wiki\",\"other\":1},"
        "{\"hosts\":\"wiki\",\"methods\":[\"read\",\"PUT\"]}]",
        NULL
    };

    (void) state;

    peer = persona("bob@example.com", from);
    request = asking("GET https://wiki/");
    explanation = explain(&peer, &request);
    assert_int_equal(explanation.decision.verdict, TG_ALLOW);
    assert_int_equal(explanation.decision.bad_grants, 8);
    same(explanation.decision.rule, "grants");
    same(explanation.decision.route, "");
    assert_true(row(&explanation, "grants")->decides);
    condition(row(&explanation, "grants"), 1, false, "grant 0",
              "it cannot be read, and allows nothing");
    condition(row(&explanation, "grants"), 9, true, "grant 8",
              "it fits the request");
    assert_int_equal(explanation.nneeded, 0);

    request = asking("DELETE https://wiki/");
    explanation = explain(&peer, &request);
    assert_int_equal(explanation.decision.reason, TG_POLICY_REASON_NO_ROUTE);

    request = asking("GET https://wiki/a;b");
    explanation = explain(&peer, &request);
    assert_int_equal(explanation.decision.reason, TG_POLICY_REASON_RAW_PATH);
}


static int
header(const tg_peer_t *peer, const tg_request_t *request, const char *name,
    tg_str_t *value)
{
    size_t                     i;
    tg_str_t                   its;
    const tg_policy_header_t  *found;

    for (i = 0; i < tg_policy_nheaders(policy, 0); i++) {
        found = tg_policy_header(policy, 0, i);
        its = tg_policy_header_name(found);

        if (its.len == strlen(name) && memcmp(its.data, name, its.len) == 0) {
            return tg_policy_header_value(policy, found, peer, request, &alloc,
                                          value);
        }
    }

    fail_msg("no header %s", name);

    return TG_ERR_ABSENT;
}


static void
test_headers(void **state)
{
    tg_str_t      value;
    tg_peer_t     peer;
    tg_request_t  request;

    static const char *const  from[] = {
        "capability=x/cap/g:[{\"role\":\"root\",\"team\":\"web\"},"
        "{\"role\":[\"EDITOR\",\"viewer\"],\"team\":[\"db\",\"web\",\"a,b\"]},"
        "{\"role\":7},\"Admin\"]",
        "capability=x/cap/t:[{\"role\":\"low\",\"hosts\":\"app\"},"
        "{\"role\":\"high\",\"hosts\":\"wiki\"}]",
        NULL
    };

    (void) state;

    peer = persona("bob@example.com", from);
    request = asking("GET https://app/");

    assert_int_equal(header(&peer, &request, "X-Role", &value), TG_OK);
    same(value, "Editor");
    assert_int_equal(header(&peer, &request, "X-Team", &value), TG_OK);
    same(value, "db,web");
    assert_int_equal(header(&peer, &request, "X-Login", &value), TG_OK);
    same(value, "bob@example.com");

    /* the role of grants that match this request */

    assert_int_equal(header(&peer, &request, "X-Granted", &value), TG_OK);
    same(value, "low");
    request = asking("GET https://wiki/");
    assert_int_equal(header(&peer, &request, "X-Granted", &value), TG_OK);
    same(value, "high");

    peer = persona("bob@example.com", NULL);
    assert_int_equal(header(&peer, &request, "X-Role", &value),
                     TG_ERR_ABSENT);
    assert_int_equal(header(&peer, &request, "X-Team", &value),
                     TG_ERR_ABSENT);
    assert_int_equal(header(&peer, &request, "X-Granted", &value), TG_OK);
    same(value, "none");

    peer = persona("stranger", NULL);
    assert_int_equal(header(&peer, &request, "X-Granted", &value),
                     TG_ERR_ABSENT);
    assert_int_equal(tg_policy_nheaders(policy, 1), 0);
    assert_null(tg_policy_header(policy, 0, 4));
}


static void
test_capabilities(void **state)
{
    tg_str_t   value;
    tg_peer_t  peer;

    static const char *const  from[] = {
        "capability=x/cap/g:[{\"role\":\"admin\",\"team\":\"web\"}]", NULL
    };

    (void) state;

    peer = persona("bob@example.com", from);

    assert_int_equal(tg_policy_capability(policy, text("grafana"), &peer,
                                          &alloc, &value), TG_OK);
    same(value, "Admin");
    assert_int_equal(tg_policy_capability(policy, text("fallback"), &peer,
                                          &alloc, &value), TG_OK);
    same(value, "low");
    assert_int_equal(tg_policy_capability(policy, text("unknown"), &peer,
                                          &alloc, &value), TG_ERR_ABSENT);

    peer = persona("stranger", NULL);
    assert_int_equal(tg_policy_capability(policy, text("fallback"), &peer,
                                          &alloc, &value), TG_ERR_ABSENT);
}


/* What no answer makes: nobody gets in by it. */

static void
test_unexpected(void **state)
{
    int             status;
    uint32_t        traits;
    tg_peer_t       peer, broken;
    tg_identity_t   identity;
    tg_request_t    request;
    tg_decision_t   decision;

    static const char *const  from[] = {
        "os=linux", "client_version=1.82", NULL
    };

    (void) state;

    peer = persona("ann@example.com", from);
    request = asking("GET https://app/");
    tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);
    assert_int_equal(decision.verdict, TG_ALLOW);

    /* a status that is not the identity's, and none at all */

    for (status = TG_STATUS_NONE; status <= TG_STATUS_UNAVAILABLE; status++) {
        broken = peer;
        broken.status = (tg_status_t) status;

        if (status != TG_STATUS_MEMBER) {
            tg_policy_decide(policy, NULL, NULL, &broken, &request, &decision);
            assert_int_not_equal(decision.verdict, TG_ALLOW);
        }

        broken.identity = NULL;
        tg_policy_decide(policy, NULL, NULL, &broken, &request, &decision);
        assert_int_not_equal(decision.verdict, TG_ALLOW);
    }

    identity = *peer.identity;
    broken = peer;
    broken.identity = &identity;

    for (traits = 0; traits < 0x200; traits++) {
        identity.traits = traits;
        tg_policy_decide(policy, NULL, NULL, &broken, &request, &decision);
        assert_int_equal(decision.verdict == TG_ALLOW,
                         traits == TG_TRAIT_MEMBER);
    }
}


static void
test_bad_request(void **state)
{
    size_t         i;
    tg_peer_t      peer;
    tg_request_t   request;
    tg_decision_t  decision;

    static const tg_str_t  paths[] = {
        TG_STR(""), TG_STR("a"), TG_STR("/a\0b"), TG_NULL_STR
    };

    (void) state;

    peer = persona("ann@example.com", NULL);

    for (i = 0; i < NELTS(paths); i++) {
        request = asking("GET https://app/");
        request.path = paths[i];
        tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);
        assert_int_equal(decision.reason, TG_POLICY_REASON_BAD_REQUEST);
        assert_int_equal(decision.verdict, TG_DENY);
        assert_true(tg_policy_reason_is_refusal(decision.reason));
    }

    request = asking("GET https://app/");
    request.host = text("");
    tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);
    assert_int_equal(decision.reason, TG_POLICY_REASON_BAD_REQUEST);
}


static void
test_texts(void **state)
{
    int  reason;

    (void) state;

    for (reason = -1; reason <= TG_POLICY_REASON_UNAVAILABLE + 1; reason++) {
        assert_non_null(tg_policy_reason_text((tg_policy_reason_t) reason));
        assert_non_null(tg_policy_reason_name((tg_policy_reason_t) reason));
    }

    assert_int_equal(tg_policy_nroutes(policy), 1);
    same(tg_policy_route_name(policy, 0), "app");
    same(tg_policy_route_name(policy, 1), "");
    assert_int_equal(tg_policy_digest(policy).len, TG_POLICY_DIGEST_LEN);
    assert_int_equal(tg_policy_header_names(policy)->n, 4);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_explained),
        cmocka_unit_test(test_explains_nobody_else),
        cmocka_unit_test(test_unknown_version),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_contact),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_unexpected),
        cmocka_unit_test(test_bad_request),
        cmocka_unit_test(test_texts)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
