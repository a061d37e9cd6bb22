
/*
 * Copyright (C) The Tailgate authors
 *
 * What is well-formed and still not meant.
 */

#include "core/policy/check.h"


static void
use_groups(const tg_policy_t *policy, const tgi_rules_t *rules)
{
    size_t            i, j;
    const tg_rule_t  *rule;

    for (i = 0; i < rules->n; i++) {
        rule = rules->items[i];

        for (j = 0; j < rule->ngroups; j++) {
            policy->groups[rule->groups[j]->index].used = true;
        }
    }
}


/*
 * A file without routes has its groups for the rules of nginx directives,
 * which are not known here.
 */

static void
check_groups(tgi_read_t *rd)
{
    size_t        i;
    tgi_group_t  *group;
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = rd->policy;

    if (!policy->has_routes) {
        return;
    }

    use_groups(policy, &policy->always_deny);
    use_groups(policy, &policy->always_require);

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        use_groups(policy, &route->allow);
        use_groups(policy, &route->deny);
        use_groups(policy, &route->require);
    }

    for (i = 0; i < policy->ngroups; i++) {
        group = &policy->groups[i];

        if (!group->used) {
            tgi_messages_add(&rd->messages, TGI_P_UNUSED_GROUP,
                             (tgi_place_t) { group->line, group->column },
                             group->name.data, NULL, NULL);
        }
    }
}


static void
check_allows(tgi_read_t *rd)
{
    size_t        i;
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = rd->policy;

    if (policy->grants.len != 0) {
        return;
    }

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        if (route->allow.n == 0) {
            tgi_messages_add(&rd->messages, TGI_P_NO_ALLOW,
                             (tgi_place_t) { route->line, route->column },
                             route->name.data, NULL, NULL);
        }
    }
}


static void
check_rules(tgi_read_t *rd, const tgi_rules_t *rules, const tgi_route_t *route,
    size_t *work)
{
    size_t            i;
    const char       *why;
    tgi_place_t       place;
    const tg_rule_t  *rule;

    for (i = 0; i < rules->n; i++) {
        rule = rules->items[i];
        why = tgi_rule_never(rule, route, work);

        if (why != NULL) {
            place = (tgi_place_t) { rule->line, rule->column };
            tgi_messages_add(&rd->messages, TGI_P_NEVER, place, rule->id.data,
                             why, NULL);
        }
    }
}


static void
check_never(tgi_read_t *rd)
{
    size_t        i, work;
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = rd->policy;
    work = 0;

    check_rules(rd, &policy->always_deny, NULL, &work);
    check_rules(rd, &policy->always_require, NULL, &work);

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        check_rules(rd, &route->allow, route, &work);
        check_rules(rd, &route->deny, route, &work);
        check_rules(rd, &route->require, route, &work);
    }
}


void
tgi_check_policy(tgi_read_t *rd)
{
    check_groups(rd);
    check_allows(rd);
    check_never(rd);
    tgi_check_routes(rd);
}
