
/*
 * Copyright (C) The Tailgate authors
 *
 * Random policies, peers and requests of few words, so that they meet.
 */

#ifndef T_POLICY_RANDOM_H_INCLUDED_
#define T_POLICY_RANDOM_H_INCLUDED_

#include "core/policy/policy.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define PICK(list)  (list)[pick(NELTS(list))]

#define SELF_TAILNET  "own.ts.net"
#define NOW           1795348800


static uint64_t     seed;
static tg_arena_t  *arena;
static tg_alloc_t   alloc;


/* xorshift64*, Vigna 2014. */

static size_t
pick(size_t n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return (size_t) ((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}


static bool
chance(size_t percent)
{
    return pick(100) < percent;
}


static tg_str_t
text(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


static void *
get(size_t n, size_t size)
{
    void  *p;

    p = tg_arena_alloc(arena, (n + 1) * size);
    assert_non_null(p);

    return p;
}


static const char *const  logins[] = {
    "ann@one.example", "Bob@one.example", "cat@two.example", "dan",
    "eve@sub.one.example", "fay@two.example"
};

static const char *const  users[] = {
    "ann@one.example", "bob@one.example", "cat@two.example", "dan",
    "*@one.example", "*@two.example", "*@sub.one.example"
};

static const char *const  group_names[] = {
    "eng", "group:eng", "ops", "group:all"
};

static const char *const  tags[] = { "tag:ci", "tag:web", "tag:db" };

static const char *const  nodes[] = {
    "box", "box.own.ts.net", "box.far.ts.net", "n1", "n2", "Pad", "n3"
};

static const char *const  tailnets[] = {
    "own.ts.net", "far.ts.net", "Far.ts.net.", "none.ts.net"
};

static const char *const  systems[] = { "linux", "iOS", "macOS", "IOS" };

static const char *const  versions[] = {
    "", "15", "15.3.1", "18.10", "9", "x1", "15.3-beta"
};

static const char *const  hosts[] = {
    "app", "app.corp", "a.app.corp", "b.a.app.corp", "APP.corp:443",
    "other.corp.", "corp", "1.2.3.4.5.6.7.8.9.corp"
};

static const char *const  host_patterns[] = {
    "app", "app.corp", "*.corp", "*.app.corp", "a.app.corp", "other.corp",
    "*.2.3.4.5.6.7.8.9.corp", "*.9.corp"
};

static const char *const  paths[] = {
    "/", "/api", "/api/", "/api/v1", "/apiary", "/api/v1/x/y", "/b/c",
    "/b/c/d.js", "/b", "/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6/7/8"
};

static const char *const  path_patterns[] = {
    "/", "/api", "/api/", "= /api", "= /api/", "/api/v1", "/a*", "/**/c*",
    "/b/*", "/b/**", "/*/v1", "= /", "/b/c", "/**.js", "/api/v1/*/y",
    "/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6/7/8",
    "/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6/7"
};

static const char *const  methods[] = {
    "GET", "HEAD", "POST", "DELETE", "PROPFIND", "get"
};

static const char *const  capabilities[] = { "x/cap/a", "x/cap/b" };

static const char *const  cap_texts[] = {
    "{}",
    "{\"x/cap/a\":[]}",
    "{\"x/cap/a\":[{\"role\":\"admin\",\"n\":3}],\"x/cap/b\":null}",
    "{\"x/cap/a\":[{\"role\":[\"viewer\",\"ad\"]},{\"n\":1.5,\"t\":true}]}",
    "{\"x/cap/b\":[{\"role\":\"3\"},\"admin\",7],\"x/cap/a\":[{\"n\":\"3\"}]}",
    "{\"g\":[{}]}",
    "{\"g\":[{\"hosts\":[\"app\"],\"methods\":\"read\"}]}",
    "{\"g\":[{\"paths\":\"/api\",\"role\":\"x\"},{\"path\":\"/\"},7]}",
    "{\"g\":[{\"hosts\":\"*.corp\",\"paths\":[\"/b/*\",\"= /\"]}],"
        "\"x/cap/a\":[null]}"
};

static json_t     *cap_jsons[NELTS(cap_texts)];
static tg_caps_t  *cap_trees[NELTS(cap_texts)];
static tg_arena_t *cap_arena;


static int
setup(void **state)
{
    size_t      i;
    tg_alloc_t  lasting;

    (void) state;

    arena = tg_arena_new(64 * 1024 * 1024);
    cap_arena = tg_arena_new(1024 * 1024);
    assert_non_null(arena);
    assert_non_null(cap_arena);

    alloc = tg_arena_allocator(arena);
    lasting = tg_arena_allocator(cap_arena);

    for (i = 0; i < NELTS(cap_texts); i++) {
        cap_jsons[i] = json_loads(cap_texts[i], 0, NULL);
        assert_non_null(cap_jsons[i]);
        assert_int_equal(tg_caps_parse(text(cap_texts[i]), &lasting,
                                       &cap_trees[i]), TG_OK);
    }

    return 0;
}


static int
teardown(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < NELTS(cap_texts); i++) {
        json_decref(cap_jsons[i]);
    }

    tg_arena_free(&arena);
    tg_arena_free(&cap_arena);

    return 0;
}


static tg_list_t
random_list(const char *const *words, size_t nwords, size_t most)
{
    size_t     i;
    tg_list_t  list;

    list.n = 1 + pick(most);
    list.items = get(list.n, sizeof(tg_str_t));

    for (i = 0; i < list.n; i++) {
        list.items[i] = text(words[pick(nwords)]);
    }

    return list;
}

#define LIST(words, most)  random_list(words, NELTS(words), most)


static tgi_ranges_t
random_ranges(bool duration)
{
    size_t         i, j;
    tgi_range_t   *range;
    tgi_ranges_t   ranges;

    ranges.n = 1 + pick(2);
    ranges.items = get(ranges.n, sizeof(tgi_range_t));

    for (i = 0; i < ranges.n; i++) {
        range = &ranges.items[i];
        range->n = 1 + pick(2);
        range->bounds = get(range->n, sizeof(tgi_bound_t));
        range->text = text("range");

        for (j = 0; j < range->n; j++) {
            range->bounds[j].op = (tgi_op_t) pick(5);

            if (duration) {
                range->bounds[j].version.parts[0] = pick(3) * 3600;

            } else {
                range->bounds[j].version.parts[0] = 15 + pick(4);
                range->bounds[j].version.parts[1] = pick(2) * 3;
            }
        }
    }

    return ranges;
}


static tgi_host_t *
random_hosts(size_t *n)
{
    size_t       i;
    const char  *pattern;
    tgi_host_t  *result;

    *n = 1 + pick(2);
    result = get(*n, sizeof(tgi_host_t));

    for (i = 0; i < *n; i++) {
        pattern = PICK(host_patterns);
        result[i].kind = pattern[0] == '*' ? TGI_HOST_WILDCARD
                                           : TGI_HOST_EXACT;
        result[i].text = text(pattern + (pattern[0] == '*'));
    }

    return result;
}


static tgi_path_t *
random_paths(size_t *n)
{
    size_t       i;
    const char  *pattern;
    tgi_path_t  *result;

    *n = 1 + pick(2);
    result = get(*n, sizeof(tgi_path_t));

    for (i = 0; i < *n; i++) {
        pattern = PICK(path_patterns);

        if (pattern[0] == '=') {
            result[i].kind = TGI_PATH_EXACT;
            pattern += 2;

        } else {
            result[i].kind = strchr(pattern, '*') ? TGI_PATH_GLOB
                                                  : TGI_PATH_PREFIX;
        }

        result[i].text = text(pattern);
        result[i].literal = strcspn(pattern, "*");
    }

    return result;
}


static void
random_where(tg_rule_t *rule)
{
    size_t              i, j;
    tgi_where_t        *where;
    tgi_where_value_t  *value;

    static const char *const  fields[] = { "role", "n", "t", "none" };
    static const char *const  words[] = { "admin", "3", "true", "a*", "1.5" };

    rule->nwhere = pick(3);
    rule->where = get(rule->nwhere, sizeof(tgi_where_t));

    for (i = 0; i < rule->nwhere; i++) {
        where = &rule->where[i];
        where->field = text(PICK(fields));
        where->nvalues = 1 + pick(2);
        where->values = get(where->nvalues, sizeof(tgi_where_value_t));

        for (j = 0; j < where->nvalues; j++) {
            value = &where->values[j];
            value->kind = (tgi_where_kind_t) pick(6);
            value->text = text(PICK(words));
            value->op = (tgi_op_t) pick(5);
            value->number = (double) pick(4);
        }
    }
}


static void
random_who(tg_rule_t *rule, const tg_policy_t *policy)
{
    size_t  i;

    if (chance(35)) {
        rule->conditions |= TGI_IF_USER;
        rule->users = LIST(users, 2);
    }

    if (policy != NULL && policy->ngroups > 0 && chance(20)) {
        rule->conditions |= TGI_IF_GROUP;
        rule->ngroups = 1 + pick(2);
        rule->groups = get(rule->ngroups, sizeof(tgi_group_t *));

        for (i = 0; i < rule->ngroups; i++) {
            rule->groups[i] = &policy->groups[pick(policy->ngroups)];
        }
    }

    if (chance(8)) {
        rule->conditions |= TGI_IF_GROUP;
        rule->tailnet_groups = LIST(group_names, 2);
    }

    if (chance(8)) {
        rule->conditions |= TGI_IF_TAG;
        rule->tags = LIST(tags, 2);
    }

    if (chance(10)) {
        rule->conditions |= TGI_IF_NODE;
        rule->nodes = LIST(nodes, 2);
    }

    if (chance(5)) {
        rule->conditions |= TGI_IF_TAILNET;
        rule->tailnets = LIST(tailnets, 2);
    }

    if (chance(15)) {
        rule->conditions |= TGI_IF_AUTOGROUP;
        rule->autogroups = 1 + (uint32_t) pick(7);
    }

    if (chance(10)) {
        rule->conditions |= TGI_IF_CAPABILITY;
        rule->capabilities = LIST(capabilities, 2);
        random_where(rule);
    }
}


static void
random_what(tg_rule_t *rule)
{
    if (chance(20)) {
        rule->conditions |= TGI_IF_OS;
        rule->os = LIST(systems, 2);
    }

    if (chance(8)) {
        rule->conditions |= TGI_IF_OS_VERSION;
        rule->os_versions = random_ranges(false);
    }

    if (chance(5)) {
        rule->conditions |= TGI_IF_CLIENT_VERSION;
        rule->client_versions = random_ranges(false);
    }

    if (chance(5)) {
        rule->conditions |= TGI_IF_KEY_EXPIRES_IN;
        rule->key_expires_in = random_ranges(true);
    }

    if (chance(8)) {
        rule->conditions |= TGI_IF_VIA;
        rule->via = (uint32_t) pick(8);
        rule->services.n = pick(2);
        rule->services.items = get(1, sizeof(tg_str_t));
        rule->services.items[0] = text("svc:wiki");
    }

    if (chance(5)) {
        rule->conditions |= TGI_IF_FROM;
        rule->from = NOW - 10 + (int64_t) pick(21);
    }

    if (chance(5)) {
        rule->conditions |= TGI_IF_UNTIL;
        rule->until = NOW - 10 + (int64_t) pick(21);
    }

    if (chance(20)) {
        rule->conditions |= TGI_IF_HOST;
        rule->hosts = random_hosts(&rule->nhosts);
    }

    if (chance(35)) {
        rule->conditions |= TGI_IF_PATH;
        rule->paths = random_paths(&rule->npaths);
    }

    if (chance(30)) {
        rule->conditions |= TGI_IF_METHOD;
        rule->method_classes = (uint32_t) pick(4);
        rule->methods = LIST(methods, 2);
    }
}


static tg_rule_t *
random_rule(tg_rule_kind_t kind, const tg_policy_t *policy)
{
    char       *id;
    tg_rule_t  *rule;

    static unsigned  serial;

    rule = get(1, sizeof(tg_rule_t));
    rule->kind = kind;

    do {
        random_who(rule, policy);
        random_what(rule);
    } while (kind == TG_RULE_DENY && (rule->conditions & (rule->conditions - 1))
             == 0);

    /* docs/policy.md, "Which peers a rule is about" */

    rule->opens = TG_TRAIT_MEMBER;

    if ((rule->conditions & (TGI_IF_TAG|TGI_IF_NODE|TGI_IF_CAPABILITY))
        || (rule->autogroups & TG_TRAIT_TAGGED))
    {
        rule->opens |= TG_TRAIT_TAGGED;
    }

    if ((rule->conditions & TGI_IF_NODE)
        || (rule->autogroups & TG_TRAIT_SHARED))
    {
        rule->opens |= TG_TRAIT_SHARED;
    }

    if (rule->conditions & TGI_IF_NODE) {
        rule->opens |= TG_TRAIT_ROUTED;
    }

    id = get(16, 1);
    (void) snprintf(id, 16, "r%u", ++serial);
    rule->id = text(id);
    rule->line = serial;

    return rule;
}


static tgi_rules_t
random_rules(tg_rule_kind_t kind, size_t n, const tg_policy_t *policy)
{
    size_t       i;
    tgi_rules_t  rules;

    rules.n = n;
    rules.items = get(n, sizeof(tg_rule_t *));

    for (i = 0; i < n; i++) {
        rules.items[i] = random_rule(kind, policy);
    }

    return rules;
}


static bool
has_twin(const tg_policy_t *policy, const tgi_route_t *route)
{
    size_t              i, j, k, l, m;
    const tgi_route_t  *other;

    for (i = 0; i < policy->nroutes; i++) {
        other = &policy->routes[i];

        for (j = 0; j < route->nhosts; j++) {
            for (k = 0; k < other->nhosts; k++) {
                if (route->hosts[j].kind != other->hosts[k].kind
                    || !tgi_str_equal(route->hosts[j].text,
                                      other->hosts[k].text))
                {
                    continue;
                }

                for (l = 0; l < route->npaths; l++) {
                    for (m = 0; m < other->npaths; m++) {
                        if (route->paths[l].kind == other->paths[m].kind
                            && tgi_str_equal(route->paths[l].text,
                                             other->paths[m].text))
                        {
                            return true;
                        }
                    }
                }
            }
        }
    }

    return false;
}


static void
random_route(tg_policy_t *policy)
{
    char         *name;
    size_t        many;
    tgi_route_t  *route;

    route = &policy->routes[policy->nroutes];
    memset(route, 0, sizeof(tgi_route_t));

    if (chance(75)) {
        route->hosts = random_hosts(&route->nhosts);

    } else {
        route->nhosts = 1;
        route->hosts = get(1, sizeof(tgi_host_t));
        route->hosts[0].kind = TGI_HOST_ANY;
    }

    route->paths = random_paths(&route->npaths);

    if (chance(50)) {
        route->paths[0].kind = TGI_PATH_PREFIX;
        route->paths[0].text = text("/");
        route->paths[0].literal = 1;
    }

    if (has_twin(policy, route)) {
        return;
    }

    name = get(16, 1);
    (void) snprintf(name, 16, "route%zu", policy->nroutes);
    route->name = text(name);
    route->index = policy->nroutes;

    many = chance(2) ? 400 : chance(20) ? 40 : 10;

    route->allow = random_rules(TG_RULE_ALLOW, pick(many), policy);
    route->deny = random_rules(TG_RULE_DENY, pick(chance(20) ? 12 : 2),
                               policy);
    route->require = random_rules(TG_RULE_REQUIRE, chance(5), policy);
    route->raw_path = chance(30);
    route->refuse_override = chance(30);
    route->explain = chance(50);

    policy->nroutes++;
}


static tg_policy_t *
random_policy(void)
{
    size_t        i, n;
    tg_policy_t  *policy;

    policy = get(1, sizeof(tg_policy_t));

    if (chance(15)) {
        policy->tailnets = LIST(tailnets, 2);
    }

    policy->ngroups = pick(5);
    policy->groups = get(policy->ngroups, sizeof(tgi_group_t));

    for (i = 0; i < policy->ngroups; i++) {
        policy->groups[i].index = i;
        policy->groups[i].members = LIST(users, chance(10) ? 20 : 3);
    }

    policy->always_deny = random_rules(TG_RULE_DENY, pick(chance(10) ? 12 : 2),
                                       policy);
    policy->always_require = random_rules(TG_RULE_REQUIRE, chance(4), policy);

    n = chance(40) ? pick(20) : pick(5);
    policy->routes = get(n, sizeof(tgi_route_t));

    for (i = 0; i < n; i++) {
        random_route(policy);
    }

    if (chance(20)) {
        policy->grants = text("g");
    }

    policy->has_routes = policy->nroutes > 0 || policy->grants.len > 0
                         || chance(50);

    return policy;
}


static tg_inline_t *
random_inline(const tg_policy_t *file)
{
    size_t        most;
    tg_inline_t  *rules;

    rules = get(1, sizeof(tg_inline_t));
    most = chance(10) ? 12 : 3;

    rules->file = file;
    rules->raw_path = chance(50);
    rules->allow = random_rules(TG_RULE_ALLOW, pick(most), file);
    rules->deny = random_rules(TG_RULE_DENY, pick(most), file);
    rules->require = random_rules(TG_RULE_REQUIRE, chance(10), file);

    return rules;
}


typedef struct {
    tg_peer_t      peer;
    tg_identity_t  identity;
    tg_self_t      self;
    json_t        *caps;
} person_t;


static void
random_identity(tg_identity_t *identity)
{
    size_t  who;

    static const struct {
        uint32_t     traits;
        tg_status_t  status;
    } kinds[] = {
        { TG_TRAIT_MEMBER, TG_STATUS_MEMBER },
        { TG_TRAIT_MEMBER, TG_STATUS_MEMBER },
        { TG_TRAIT_MEMBER, TG_STATUS_MEMBER },
        { TG_TRAIT_TAGGED, TG_STATUS_TAGGED },
        { TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { TG_TRAIT_TAGGED|TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { TG_TRAIT_MEMBER|TG_TRAIT_ROUTED, TG_STATUS_ROUTED },
        { TG_TRAIT_TAGGED|TG_TRAIT_ROUTED, TG_STATUS_ROUTED },
        { TG_TRAIT_MEMBER|TG_TRAIT_EXPIRED, TG_STATUS_EXPIRED },
        { TG_TRAIT_MEMBER|TG_TRAIT_FUNNEL, TG_STATUS_FUNNEL },
    };

    who = pick(NELTS(kinds));

    identity->traits = kinds[who].traits;
    identity->status = kinds[who].status;
    identity->login = text(PICK(logins));
    identity->groups = LIST(group_names, 2);
    identity->node = text(PICK(nodes));
    identity->node_id = text(PICK(nodes));
    identity->tailnet = text((identity->traits & TG_TRAIT_SHARED)
                             ? PICK(tailnets) : SELF_TAILNET);
    identity->os = text(chance(20) ? "" : PICK(systems));
    identity->os_version = text(PICK(versions));
    identity->client_version = text(PICK(versions));
    identity->key_expiry = chance(50) ? 0 : NOW + (int64_t) pick(3) * 3600;

    /* what WhoIs tells of a tagged node's owner must not matter */

    if (identity->traits & TG_TRAIT_TAGGED) {
        identity->tags = LIST(tags, 2);
    }
}


static void
random_person(person_t *person)
{
    size_t  caps;

    memset(person, 0, sizeof(person_t));

    person->self.tailnet = text(SELF_TAILNET);
    person->peer.self = chance(95) ? &person->self : NULL;

    if (chance(7)) {
        person->peer.status = chance(30) ? TG_STATUS_UNAVAILABLE
                                         : TG_STATUS_STRANGER;
        return;
    }

    random_identity(&person->identity);
    person->peer.identity = &person->identity;
    person->peer.status = person->identity.status;

    if (chance(80)) {
        caps = pick(NELTS(cap_texts));
        person->caps = cap_jsons[caps];
        person->peer.caps = cap_trees[caps];
    }
}


static void
random_request(tg_request_t *request)
{
    static const char *const  raw_paths[] = {
        "/a%2fb", "/a/../b", "/a;b", "/a%5cb", "/a/%2e", "/%252e", "/a\\b"
    };

    memset(request, 0, sizeof(tg_request_t));

    request->method = text(PICK(methods));
    request->host = text(chance(2) ? "a b" : PICK(hosts));
    request->path = text(chance(1) ? "" : PICK(paths));
    request->raw_path = chance(10) ? text(PICK(raw_paths)) : request->path;
    request->method_override = chance(10);
    request->via = (tg_via_t) (chance(10) ? pick(3) : 0);
    request->service = text(chance(50) ? "svc:wiki" : "svc:web");
    request->now = NOW - 10 + (int64_t) pick(21);
}


#endif /* T_POLICY_RANDOM_H_INCLUDED_ */
