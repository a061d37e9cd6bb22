
/*
 * Copyright (C) The Tailgate authors
 *
 * What holds of every policy: the index finds what looking at each rule finds,
 * a deny more or an allow less lets nobody in, order says nothing, and an
 * explanation is of the decision.
 */

#include "policy_naive.h"

#include "core/policy/index.h"


#define POLICIES  10000
#define REQUESTS  10


typedef struct {
    tg_policy_t   *file;
    tg_inline_t   *rules;      /* NULL: none */
    person_t       persons[REQUESTS];
    tg_request_t   requests[REQUESTS];
    tg_decision_t  decisions[REQUESTS];
    uint64_t       seed;       /* makes it again */
} world_t;


/* How often each thing was seen: what never comes up proves nothing. */

static struct {
    size_t  reasons[TG_POLICY_REASON_UNAVAILABLE + 1];
    size_t  rule_indexes;
    size_t  children;
    size_t  route_indexes;
    size_t  timeless;
    size_t  pathless;
} seen;


static tg_inline_t *
saying(tg_inline_t *rules)
{
    return rules != NULL && rules->allow.n + rules->deny.n + rules->require.n
           ? rules : NULL;
}


static tg_decision_t
decide(const tg_policy_t *file, const tg_inline_t *rules,
    const person_t *person, const tg_request_t *request)
{
    tg_decision_t  decision;

    tg_policy_decide(file, rules, NULL, &person->peer, request, &decision);

    return decision;
}


static void
make_index(tg_policy_t *file, tg_inline_t *rules)
{
    assert_int_equal(tgi_policy_index(file, &alloc), TG_OK);

    if (rules != NULL) {
        assert_int_equal(tgi_inline_index(rules, &alloc), TG_OK);
    }
}


static void
make_world(world_t *world, uint64_t i)
{
    size_t  j;

    seed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    world->seed = i;

    world->file = random_policy();
    world->rules = chance(33) ? random_inline(world->file) : NULL;

    for (j = 0; j < REQUESTS; j++) {
        random_person(&world->persons[j]);
        random_request(&world->requests[j]);
    }
}


static void
fail_at(const world_t *world, size_t i, const char *what,
    const tg_decision_t *got)
{
    fail_msg("%s: world %" PRIu64 ", request %zu: verdict %d, reason %s, "
             "rule %.*s", what, world->seed, i, (int) got->verdict,
             tg_policy_reason_name(got->reason), (int) got->rule.len,
             got->rule.data ? got->rule.data : "");
}


static void
same_as_naive(world_t *world, size_t i)
{
    tg_decision_t       *got;
    naive_decision_t     naive;
    const tgi_route_t   *route;

    got = &world->decisions[i];
    route = got->route_index == SIZE_MAX ? NULL
                                    : &world->file->routes[got->route_index];

    naive = naive_decide(world->file, saying(world->rules),
                         &world->persons[i], &world->requests[i]);

    if (naive.verdict != got->verdict || naive.reason != got->reason
        || naive.route != route || naive.rule_len != got->rule.len
        || (naive.rule_len > 0
            && memcmp(naive.rule, got->rule.data, naive.rule_len) != 0))
    {
        print_message("naive: verdict %d, reason %s, rule %.*s\n",
                      (int) naive.verdict, tg_policy_reason_name(naive.reason),
                      (int) naive.rule_len, naive.rule);
        fail_at(world, i, "not as looking at each rule", got);
    }
}


static void
same_as_explained(world_t *world, size_t i)
{
    bool                         decides;
    size_t                       j, n;
    tg_explanation_t             explanation;
    const tg_decision_t         *a, *b;
    const tg_explained_rule_t   *row;

    assert_int_equal(tg_policy_explain(world->file, world->rules, NULL,
                                       &world->persons[i].peer,
                                       &world->requests[i], &alloc,
                                       &explanation), TG_OK);

    a = &world->decisions[i];
    b = &explanation.decision;

    if (a->verdict != b->verdict || a->reason != b->reason
        || a->text != b->text || a->route_index != b->route_index
        || a->bad_grants != b->bad_grants || !tgi_str_equal(a->rule, b->rule))
    {
        fail_at(world, i, "not as explained", a);
    }

    n = 0;

    for (j = 0; j < explanation.nrules; j++) {
        row = &explanation.rules[j];
        decides = tgi_str_equal(row->rule, a->rule);
        n += row->decides;

        if (row->decides != decides
            || (decides && row->matches != (row->kind != TG_RULE_REQUIRE)))
        {
            fail_at(world, i, "the deciding rule is marked wrong", a);
        }
    }

    if (n != (a->rule.len > 0)
        || (explanation.nneeded == 0) != (a->verdict == TG_ALLOW))
    {
        fail_at(world, i, "explained without what is needed", a);
    }
}


/* No request that was not allowed may be now. */

static void
allows_no_more(world_t *world, const char *what)
{
    size_t         i;
    tg_decision_t  after;

    for (i = 0; i < REQUESTS; i++) {
        after = decide(world->file, world->rules, &world->persons[i],
                       &world->requests[i]);

        if (after.verdict == TG_ALLOW
            && world->decisions[i].verdict != TG_ALLOW)
        {
            fail_at(world, i, what, &after);
        }
    }
}


static tgi_rules_t
without(const tgi_rules_t *rules, size_t gone)
{
    size_t       i;
    tgi_rules_t  result = { NULL, 0 };

    result.items = get(rules->n, sizeof(tg_rule_t *));

    for (i = 0; i < rules->n; i++) {
        if (i != gone) {
            result.items[result.n++] = rules->items[i];
        }
    }

    return result;
}


static tgi_rules_t
with(const tgi_rules_t *rules, tg_rule_t *more)
{
    tgi_rules_t  result = { NULL, 0 };

    result.items = get(rules->n + 1, sizeof(tg_rule_t *));
    memcpy(result.items, rules->items, rules->n * sizeof(tg_rule_t *));
    result.items[rules->n] = more;
    result.n = rules->n + 1;

    return result;
}


static void
check_more_denies(world_t *world)
{
    tgi_rules_t   before, *list;
    tg_rule_t    *rule;

    rule = random_rule(TG_RULE_DENY, world->file);
    list = world->file->nroutes > 0
           ? &world->file->routes[pick(world->file->nroutes)].deny
           : &world->file->always_deny;

    if (saying(world->rules) != NULL && chance(30)) {
        list = &world->rules->deny;
    }

    before = *list;
    *list = with(list, rule);

    make_index(world->file, world->rules);
    allows_no_more(world, "a deny more allows more");

    *list = before;
}


/* The last inline allow is left: without one inline rules allow nothing. */

static void
check_fewer_allows(world_t *world)
{
    tgi_rules_t  before, *list;

    list = world->file->nroutes > 0
           ? &world->file->routes[pick(world->file->nroutes)].allow : NULL;

    if (world->rules != NULL && world->rules->allow.n > 1 && chance(30)) {
        list = &world->rules->allow;
    }

    if (list == NULL || list->n == 0) {
        return;
    }

    before = *list;
    *list = without(list, pick(list->n));

    make_index(world->file, world->rules);
    allows_no_more(world, "an allow less allows more");

    *list = before;
}


static void
shuffle_rules(tgi_rules_t *rules)
{
    size_t      i, j;
    tg_rule_t  *rule;

    for (i = rules->n; i > 1; i--) {
        j = pick(i);
        rule = rules->items[j];
        rules->items[j] = rules->items[i - 1];
        rules->items[i - 1] = rule;
    }
}


static void
swap_groups(tg_policy_t *file, size_t i, size_t j)
{
    size_t       k, l, m, nlists;
    tgi_group_t  group, *a, *b;
    tg_rule_t   *rule;
    tgi_rules_t *lists[3 * 20 + 2];

    a = &file->groups[i];
    b = &file->groups[j];
    group = *a;
    *a = *b;
    *b = group;
    a->index = i;
    b->index = j;

    nlists = 0;
    lists[nlists++] = &file->always_deny;
    lists[nlists++] = &file->always_require;

    for (k = 0; k < file->nroutes; k++) {
        lists[nlists++] = &file->routes[k].allow;
        lists[nlists++] = &file->routes[k].deny;
        lists[nlists++] = &file->routes[k].require;
    }

    for (k = 0; k < nlists; k++) {
        for (l = 0; l < lists[k]->n; l++) {
            rule = lists[k]->items[l];

            for (m = 0; m < rule->ngroups; m++) {
                rule->groups[m] = rule->groups[m] == a ? b
                                  : rule->groups[m] == b ? a
                                  : rule->groups[m];
            }
        }
    }
}


static void
shuffle(world_t *world)
{
    size_t        i, j;
    tgi_route_t   route;
    tg_policy_t  *file;

    file = world->file;
    shuffle_rules(&file->always_deny);
    shuffle_rules(&file->always_require);

    for (i = 0; i < file->nroutes; i++) {
        shuffle_rules(&file->routes[i].allow);
        shuffle_rules(&file->routes[i].deny);
        shuffle_rules(&file->routes[i].require);
    }

    if (world->rules != NULL) {
        shuffle_rules(&world->rules->allow);
        shuffle_rules(&world->rules->deny);
        shuffle_rules(&world->rules->require);
    }

    for (i = file->nroutes; i > 1; i--) {
        j = pick(i);
        route = file->routes[j];
        file->routes[j] = file->routes[i - 1];
        file->routes[i - 1] = route;
    }

    for (i = 0; i < file->nroutes; i++) {
        file->routes[i].index = i;
    }

    /* inline rules refer to groups as well, by what is in their place */

    if (file->ngroups > 1 && world->rules == NULL) {
        swap_groups(file, 0, 1 + pick(file->ngroups - 1));
    }
}


static void
check_order(world_t *world)
{
    size_t          i;
    tg_decision_t   after, *before;

    shuffle(world);
    make_index(world->file, world->rules);

    for (i = 0; i < REQUESTS; i++) {
        before = &world->decisions[i];
        after = decide(world->file, world->rules, &world->persons[i],
                       &world->requests[i]);

        if (after.verdict != before->verdict
            || after.reason != before->reason
            || !tgi_str_equal(after.route, before->route))
        {
            fail_at(world, i, "another order, another decision", &after);
        }
    }
}


static void
count_index(const tgi_index_t *index)
{
    if (index != NULL) {
        seen.rule_indexes++;
        seen.children += index->children != NULL;
    }
}


static void
count_indexes(const world_t *world)
{
    size_t  i;

    count_index(world->file->always_deny_index);
    seen.route_indexes += world->file->route_index != NULL;

    for (i = 0; i < world->file->nroutes; i++) {
        count_index(world->file->routes[i].allow_index);
        count_index(world->file->routes[i].deny_index);
    }
}


static bool
same_decision(const tg_decision_t *a, const tg_decision_t *b)
{
    return a->verdict == b->verdict && a->reason == b->reason
           && a->text == b->text && a->route_index == b->route_index
           && tgi_str_equal(a->rule, b->rule) && a->rules == b->rules
           && a->explain == b->explain && a->bad_grants == b->bad_grants
           && tgi_str_equal(a->contact, b->contact);
}


/* What a decision is said not to depend on makes no other one of it. */

static void
check_depends(world_t *world)
{
    size_t         i;
    uint32_t       depends;
    tg_str_t       path;
    tg_request_t   request;
    tg_decision_t  other;

    depends = tg_policy_depends(world->file, saying(world->rules));
    assert_true(depends & TG_DEPENDS_REQUEST);

    for (i = 0; i < REQUESTS; i++) {
        request = world->requests[i];
        path = world->requests[(i + 1) % REQUESTS].path;

        if (!(depends & TG_DEPENDS_TIME)) {
            request.now += (int64_t) pick(200000) - 100000;
            seen.timeless++;
        }

        if (!(depends & TG_DEPENDS_PATH) && tg_path_is_plain(path)
            && tg_path_is_plain(request.raw_path)
            && tgi_str_equal(request.raw_path, request.path))
        {
            request.path = path;
            request.raw_path = path;
            seen.pathless++;
        }

        other = decide(world->file, world->rules, &world->persons[i],
                       &request);

        if (!same_decision(&other, &world->decisions[i])) {
            fail_at(world, i, "it depends on more", &other);
        }
    }
}


static void
check_world(uint64_t number)
{
    size_t    i;
    world_t  *world;

    tg_arena_reset(arena);
    world = get(1, sizeof(world_t));
    make_world(world, number);
    make_index(world->file, world->rules);
    count_indexes(world);

    for (i = 0; i < REQUESTS; i++) {
        world->decisions[i] = decide(world->file, world->rules,
                                     &world->persons[i], &world->requests[i]);
        seen.reasons[world->decisions[i].reason]++;
        same_as_naive(world, i);

        if (number % 10 == 0) {
            same_as_explained(world, i);
        }
    }

    check_depends(world);
    check_more_denies(world);
    check_fewer_allows(world);
    check_order(world);
}


static void
test_properties(void **state)
{
    uint64_t  i;

    (void) state;

    for (i = 0; i < POLICIES; i++) {
        check_world(i);
    }
}


/* After the properties. */

static void
test_variety(void **state)
{
    tg_policy_reason_t  reason;

    (void) state;

    for (reason = TG_POLICY_REASON_ALLOWED;
         reason <= TG_POLICY_REASON_UNAVAILABLE;
         reason++)
    {
        if (reason != TG_POLICY_REASON_BUILTIN && seen.reasons[reason] < 500) {
            fail_msg("%s: only %zu times", tg_policy_reason_name(reason),
                     seen.reasons[reason]);
        }
    }

    assert_in_range(seen.reasons[TG_POLICY_REASON_ALLOWED],
                    POLICIES * REQUESTS / 20, POLICIES * REQUESTS);
    assert_in_range(seen.rule_indexes, POLICIES, SIZE_MAX);
    assert_in_range(seen.children, POLICIES / 20, SIZE_MAX);
    assert_in_range(seen.route_indexes, POLICIES / 10, SIZE_MAX);
    assert_in_range(seen.timeless, POLICIES / 10, SIZE_MAX);
    assert_in_range(seen.pathless, POLICIES / 20, SIZE_MAX);
}


int
main(void)
{
    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_variety)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
