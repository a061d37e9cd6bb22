
/*
 * Copyright (C) The Tailgate authors
 *
 * What is read from a policy file and from the words of a directive.
 */

#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define ARENA_MAX  ((size_t) 16 * 1024 * 1024)


static const char  whole[] =
    "version: 1\n"
    "tailnet: [Example.ts.net., other.ts.net]\n"
    "groups:\n"
    "  admins: [Alice@Example.com, \"*@ops.example.com\"]\n"
    "  staff: bob@example.com\n"
    "capabilities:\n"
    "  wiki: { capability: example.com/cap/wiki, field: role,\n"
    "          order: [Reader, Writer], default: reader }\n"
    "always:\n"
    "  deny: [{ os: [iOS, android], methods: [DELETE, write] }]\n"
    "  require: [{ key_expires_in: \"> 1d12h\" }]\n"
    "grants: { capability: example.com/cap/tailgate }\n"
    "contact: it@example.com\n"
    "explain_denials: self\n"
    "routes:\n"
    "  - name: wiki\n"
    "    hosts: [Wiki.Corp, \"*.Example.COM\"]\n"
    "    paths: [/api, \"= /x*\", \"/u/*/edit\"]\n"
    "    raw_path: allow\n"
    "    method_override: refuse\n"
    "    explain_denials: never\n"
    "    contact: wiki@example.com\n"
    "    allow:\n"
    "      - { users: [Carol@Example.com, \"*@example.org\"] }\n"
    "      - { group: [admins, tailnet:eng, staff] }\n"
    "      - { tag: tag:ci, node: Build1., autogroup: autogroup:shared }\n"
    "      - capability: example.com/cap/wiki\n"
    "        where:\n"
    "          role: [editor, \"3\", \"w*\", \">= 2.5\"]\n"
    "          team: { equals: \"a*\" }\n"
    "          n: { present: false }\n"
    "      - { user: erin@example.com, from: 2027-01-31T18:00:00Z,\n"
    "          until: 2027-01-31T18:00:01Z }\n"
    "      - { os_version: [\">= 15, < 16\", 14.7.1],\n"
    "          via: [direct, svc:wiki],\n"
    "          from: 2027-01-31T18:00:00Z, until: 2027-01-31T18:00:01Z }\n"
    "    headers:\n"
    "      X-User: { from: login, encoding: latin1 }\n"
    "      X-Role: { from: capability example.com/cap/wiki, field: role }\n"
    "      X-Granted: { from: role, order: [a, b], default: A }\n"
    "  - allow: [{}]\n"
    "    headers: { X-User: { from: node_id } }\n"
    "tests:\n"
    "  - { as: dave@example.net, request: GET https://wiki.corp/api,\n"
    "      expect: deny, name: stranger to the wiki }\n"
    "  - { as: carol@example.com, from: { os: linux, key_expires_in: 30d },\n"
    "      request: https://wiki.corp/api/x?y, expect: allow,\n"
    "      at: 2027-01-01T00:00:00Z, rule: \"wiki.allow[0]\" }\n"
    "  - { as: erin@example.com, from: { key_expires_in: 30d },\n"
    "      request: https://wiki.corp/api, expect: allow,\n"
    "      at: 2027-01-31T18:00:00.9Z }\n"
    "  - { as: carol@example.com, from: { key_expires_in: 1d },\n"
    "      request: https://wiki.corp/api, expect: allow }\n";


typedef struct {
    tg_arena_t   *arena;
    tg_alloc_t    alloc;
    tg_policy_t  *policy;
} fixture_t;


static void
report(void *ctx, const tg_policy_message_t *message)
{
    (void) ctx;

    print_error("%zu:%zu: %s: %s\n", message->line, message->column,
                message->code, message->text);
}


static int
setup(void **state)
{
    fixture_t  *fx;

    fx = calloc(1, sizeof(fixture_t));
    assert_non_null(fx);

    fx->arena = tg_arena_new(ARENA_MAX);
    assert_non_null(fx->arena);

    fx->alloc = tg_arena_allocator(fx->arena);

    assert_int_equal(tg_policy_compile(whole, sizeof(whole) - 1, &fx->alloc,
                                       report, NULL, &fx->policy), TG_OK);
    *state = fx;

    return 0;
}


static int
teardown(void **state)
{
    fixture_t  *fx;

    fx = *state;

    tg_arena_free(&fx->arena);
    free(fx);

    return 0;
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


static void
test_top(void **state)
{
    tg_policy_t  *policy;

    policy = ((fixture_t *) *state)->policy;

    assert_int_equal(policy->tailnets.n, 2);
    assert_text(policy->tailnets.items[0], "example.ts.net");

    assert_int_equal(policy->ngroups, 2);
    assert_text(policy->groups[0].name, "admins");
    assert_text(policy->groups[0].members.items[0], "alice@example.com");
    assert_int_equal(policy->groups[1].line, 5);
    assert_int_equal(policy->groups[1].members.n, 1);

    assert_int_equal(policy->nroles, 1);
    assert_text(policy->roles[0].name, "wiki");
    assert_text(policy->roles[0].field, "role");
    assert_int_equal(policy->roles[0].order.n, 2);
    assert_text(policy->roles[0].fallback, "Reader");

    assert_true(policy->has_routes);
    assert_text(policy->grants, "example.com/cap/tailgate");
    assert_true(policy->explain);
    assert_text(policy->contact, "it@example.com");

    assert_int_equal(policy->always_deny.n, 1);
    assert_text(policy->always_deny.items[0]->id, "always.deny[0]");
    assert_int_equal(policy->always_deny.items[0]->line, 10);
    assert_int_equal(policy->always_deny.items[0]->methods.n, 1);
    assert_int_equal(policy->always_deny.items[0]->method_classes,
                     TGI_METHOD_WRITE);
    assert_int_equal(policy->always_require.items[0]->key_expires_in.items[0]
                         .bounds[0].version.parts[0], 36 * 3600);
}


static void
test_route(void **state)
{
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = ((fixture_t *) *state)->policy;

    assert_int_equal(tg_policy_nroutes(policy), 2);

    route = &policy->routes[0];

    assert_text(route->name, "wiki");
    assert_int_equal(route->nhosts, 2);
    assert_text(route->hosts[0].text, "wiki.corp");
    assert_int_equal(route->hosts[1].kind, TGI_HOST_WILDCARD);
    assert_text(route->hosts[1].text, ".example.com");

    assert_int_equal(route->npaths, 3);
    assert_int_equal(route->paths[0].kind, TGI_PATH_PREFIX);
    assert_int_equal(route->paths[1].kind, TGI_PATH_EXACT);
    assert_text(route->paths[1].text, "/x*");
    assert_int_equal(route->paths[2].kind, TGI_PATH_GLOB);
    assert_int_equal(route->paths[2].literal, 3);

    assert_true(route->raw_path);
    assert_true(route->refuse_override);
    assert_false(route->explain);
    assert_text(route->contact, "wiki@example.com");

    /* what a route does not say is the file's, or the widest there is */

    route = &policy->routes[1];

    assert_text(tg_policy_route_name(policy, 1), "routes[1]");
    assert_text(route->allow.items[0]->id, "routes[1].allow[0]");
    assert_int_equal(route->hosts[0].kind, TGI_HOST_ANY);
    assert_text(route->paths[0].text, "/");
    assert_true(route->explain);
    assert_text(route->contact, "it@example.com");
    assert_false(route->raw_path);
}


static void
test_who(void **state)
{
    tg_rule_t    *rule;
    tg_policy_t  *policy;

    policy = ((fixture_t *) *state)->policy;

    rule = policy->routes[0].allow.items[0];
    assert_int_equal(rule->conditions, TGI_IF_USER);
    assert_int_equal(rule->opens, TG_TRAIT_MEMBER);
    assert_text(rule->users.items[0], "carol@example.com");
    assert_text(rule->users.items[1], "*@example.org");

    rule = policy->routes[0].allow.items[1];
    assert_int_equal(rule->ngroups, 2);
    assert_ptr_equal(rule->groups[0], &policy->groups[0]);
    assert_ptr_equal(rule->groups[1], &policy->groups[1]);
    assert_int_equal(rule->tailnet_groups.n, 1);
    assert_text(rule->tailnet_groups.items[0], "eng");

    rule = policy->routes[0].allow.items[2];
    assert_text(rule->tags.items[0], "tag:ci");
    assert_text(rule->nodes.items[0], "Build1");
    assert_int_equal(rule->autogroups, TG_TRAIT_SHARED);
    assert_int_equal(rule->opens, TG_TRAIT_MEMBER|TG_TRAIT_TAGGED
                                  |TG_TRAIT_SHARED|TG_TRAIT_ROUTED);
}


static void
test_where(void **state)
{
    tg_rule_t    *rule;
    tgi_where_t  *where;

    rule = ((fixture_t *) *state)->policy->routes[0].allow.items[3];
    where = rule->where;

    assert_int_equal(rule->nwhere, 3);
    assert_int_equal(rule->opens, TG_TRAIT_MEMBER|TG_TRAIT_TAGGED);

    assert_text(where[0].field, "role");
    assert_int_equal(where[0].nvalues, 4);
    assert_int_equal(where[0].values[0].kind, TGI_WHERE_EQUALS);
    assert_int_equal(where[0].values[1].kind, TGI_WHERE_TEXT);
    assert_text(where[0].values[1].text, "3");
    assert_int_equal(where[0].values[2].kind, TGI_WHERE_GLOB);
    assert_int_equal(where[0].values[3].kind, TGI_WHERE_NUMBER);
    assert_int_equal(where[0].values[3].op, TGI_OP_GE);
    assert_true(where[0].values[3].number >= 2.5);
    assert_true(where[0].values[3].number <= 2.5);

    assert_int_equal(where[1].values[0].kind, TGI_WHERE_TEXT);
    assert_text(where[1].values[0].text, "a*");
    assert_int_equal(where[2].values[0].kind, TGI_WHERE_ABSENT);
}


static void
test_device(void **state)
{
    tg_rule_t  *rule;

    rule = ((fixture_t *) *state)->policy->routes[0].allow.items[5];

    assert_int_equal(rule->os_versions.n, 2);
    assert_int_equal(rule->os_versions.items[0].n, 2);
    assert_text(rule->os_versions.items[0].text, ">= 15, < 16");
    assert_int_equal(rule->os_versions.items[0].bounds[0].op, TGI_OP_GE);
    assert_int_equal(rule->os_versions.items[0].bounds[1].op, TGI_OP_LT);
    assert_int_equal(rule->os_versions.items[0].bounds[1].version.parts[0],
                     16);
    assert_int_equal(rule->os_versions.items[1].bounds[0].op, TGI_OP_EQ);
    assert_int_equal(rule->os_versions.items[1].bounds[0].version.parts[2], 1);

    assert_int_equal(rule->via, TGI_VIA_DIRECT);
    assert_text(rule->services.items[0], "svc:wiki");
    assert_int_equal(rule->until - rule->from, 1);
}


static void
test_headers(void **state)
{
    tg_policy_t               *policy;
    const tg_list_t           *names;
    const tg_policy_header_t  *header;

    policy = ((fixture_t *) *state)->policy;

    assert_int_equal(tg_policy_nheaders(policy, 0), 3);

    header = tg_policy_header(policy, 0, 0);
    assert_int_equal(header->kind, TGI_HEADER_ATTRIBUTE);
    assert_int_equal(header->header.source, TG_ATTR_LOGIN);
    assert_int_equal(header->header.encoding, TG_ENCODING_LATIN1);
    assert_string_equal(header->header.name, "X-User");

    header = tg_policy_header(policy, 0, 1);
    assert_int_equal(header->kind, TGI_HEADER_ROLE);
    assert_text(header->role.capability, "example.com/cap/wiki");

    header = tg_policy_header(policy, 0, 2);
    assert_int_equal(header->kind, TGI_HEADER_GRANTED);
    assert_text(header->role.fallback, "a");

    /* each name once */

    names = tg_policy_header_names(policy);
    assert_int_equal(names->n, 3);
}


static void
test_own_tests(void **state)
{
    fixture_t         *fx;
    tg_policy_test_t   result;

    fx = *state;

    assert_int_equal(tg_policy_ntests(fx->policy), 4);

    assert_int_equal(tg_policy_test(fx->policy, 0, 1800000000, &fx->alloc,
                                    &result), TG_OK);
    assert_text(result.name, "stranger to the wiki");
    assert_true(result.passed);
    assert_int_equal(result.why.len, 0);

    assert_int_equal(tg_policy_test(fx->policy, 1, 1800000000, &fx->alloc,
                                    &result), TG_OK);
    assert_true(result.passed);
    assert_text(result.name, "tests[1]");

    /* it is judged at the time that it says */

    assert_int_equal(tg_policy_test(fx->policy, 2, 1800000000, &fx->alloc,
                                    &result), TG_OK);
    assert_true(result.passed);

    assert_int_equal(tg_policy_test(fx->policy, 3, 1800000000, &fx->alloc,
                                    &result), TG_OK);
    assert_false(result.passed);
    assert_text(result.decision.rule, "always.require[0]");
    assert_non_null(strstr(result.why.data, "expected allow, got deny by the"
                                            " rule always.require[0]"));
}


/* What sha256sum says of the same bytes. */

static void
test_digest(void **state)
{
    fixture_t    *fx;
    tg_policy_t  *policy;

    fx = *state;

    assert_int_equal(tg_policy_compile("version: 1\n", 11, &fx->alloc, report,
                                       NULL, &policy), TG_OK);
    assert_text(tg_policy_digest(policy),
                "09bfcc6a14b83e2192b8673677725c84"
                "883ee9cd0c70e45c9ec09daa8f2b2847");
    assert_false(policy->has_routes);
}


/* Whatever the room, there is a policy or there is none. */

static void
test_out_of_memory(void **state)
{
    int           rc;
    size_t        max;
    tg_alloc_t    alloc;
    tg_arena_t   *arena;
    tg_policy_t  *policy;

    (void) state;

    rc = TG_ERR_NOMEM;

    for (max = 64; rc != TG_OK; max += 128) {
        assert_true(max < ARENA_MAX);

        arena = tg_arena_new(max);
        assert_non_null(arena);

        alloc = tg_arena_allocator(arena);
        policy = NULL;

        rc = tg_policy_compile(whole, sizeof(whole) - 1, &alloc, NULL, NULL,
                               &policy);

        assert_true(rc == TG_OK || rc == TG_ERR_NOMEM);
        assert_int_equal(rc == TG_OK, policy != NULL);

        tg_arena_free(&arena);
    }
}


static tg_rule_t *
parse(fixture_t *fx, tg_rule_kind_t kind, const char *const *texts, size_t n)
{
    size_t       i;
    tg_str_t     words[16], id = TG_STR("tailgate_allow:nginx.conf:7");
    tg_rule_t   *rule;
    tg_error_t   error;

    for (i = 0; i < n; i++) {
        words[i] = (tg_str_t) { texts[i], strlen(texts[i]) };
    }

    if (tg_rule_parse(kind, words, n, id, &fx->alloc, &rule, &error) != TG_OK)
    {
        fail_msg("%s", error.text);
    }

    return rule;
}


static void
test_words(void **state)
{
    fixture_t  *fx;
    tg_rule_t  *rule;

    static const char *const  words[] = {
        "user=Alice@Example.com", "user=*@example.org", "method=GET",
        "methods=read", "capability=example.com/cap/wiki", "where=role:admin",
        "where=role:owner", "where=n:>=3", "os_version=>= 15, < 16",
        "until=2027-01-31T18:00:00Z", "path=/api", "host=wiki"
    };

    fx = *state;

    /* the keys of a list are one spelling, as in a file */

    rule = parse(fx, TG_RULE_REQUIRE, words, 3);
    assert_int_equal(rule->kind, TG_RULE_REQUIRE);
    assert_text(rule->id, "tailgate_allow:nginx.conf:7");
    assert_int_equal(rule->users.n, 2);
    assert_text(rule->users.items[0], "alice@example.com");
    assert_text(rule->methods.items[0], "GET");

    rule = parse(fx, TG_RULE_ALLOW, words + 3, 9);
    assert_int_equal(rule->method_classes, TGI_METHOD_READ);
    assert_int_equal(rule->nwhere, 2);
    assert_text(rule->where[0].field, "role");
    assert_int_equal(rule->where[0].nvalues, 2);
    assert_int_equal(rule->where[1].values[0].kind, TGI_WHERE_NUMBER);
    assert_int_equal(rule->os_versions.items[0].n, 2);
    assert_text(rule->paths[0].text, "/api");
    assert_text(rule->hosts[0].text, "wiki");
}


static void
test_inline_groups(void **state)
{
    fixture_t        *fx;
    tg_error_t        error;
    tg_inline_t      *rules;
    const tg_rule_t  *rule;

    static const char *const  words[] = { "group=admins", "group=tailnet:x" };

    fx = *state;
    rule = parse(fx, TG_RULE_DENY, words, 2);

    assert_int_equal(tg_inline_compile(&rule, 1, true, fx->policy, &fx->alloc,
                                       &rules, &error), TG_OK);
    assert_true(rules->raw_path);
    assert_int_equal(rules->deny.n, 1);
    assert_int_equal(rules->allow.n, 0);
    assert_ptr_equal(rules->deny.items[0]->groups[0], &fx->policy->groups[0]);

    /* the rule itself is somebody else's, maybe under another file */

    assert_int_equal(rule->ngroups, 0);

    assert_int_equal(tg_inline_compile(&rule, 1, true, NULL, &fx->alloc,
                                       &rules, &error), TG_ERR_REFUSED);
    assert_non_null(strstr(error.text, "\"admins\""));

    assert_int_equal(tg_inline_compile(NULL, 0, false, NULL, &fx->alloc,
                                       &rules, &error), TG_OK);
    assert_int_equal(rules->allow.n + rules->deny.n + rules->require.n, 0);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_route),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_own_tests),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_inline_groups)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
