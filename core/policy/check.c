
/*
 * Copyright (C) The Tailgate authors
 *
 * What is well-formed and still not meant.
 */

#include "core/policy/read.h"

#include "core/base/base.h"


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


void
tgi_check_policy(tgi_read_t *rd)
{
    check_groups(rd);
    check_allows(rd);
}
