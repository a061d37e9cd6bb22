
/*
 * Copyright (C) The Tailgate authors
 *
 * The methods that a policy tells apart.
 */

#include "core/policy/policy.h"


/* A method that nobody writes into a policy. */

#define ANY_METHOD  "ANY-OTHER"


static void
add_method(tg_list_t *methods, tg_str_t method)
{
    size_t  i;

    for (i = 0; i < methods->n; i++) {
        if (tgi_str_equal(methods->items[i], method)) {
            return;
        }
    }

    methods->items[methods->n++] = method;
}


static void
add_methods(tg_list_t *methods, const tgi_rules_t *rules)
{
    size_t  i, k;

    for (i = 0; i < rules->n; i++) {
        for (k = 0; k < rules->items[i]->methods.n; k++) {
            add_method(methods, rules->items[i]->methods.items[k]);
        }
    }
}


static size_t
count_methods(const tgi_rules_t *rules)
{
    size_t  i, n;

    for (i = 0, n = 0; i < rules->n; i++) {
        n += rules->items[i]->methods.n;
    }

    return n;
}


int
tg_policy_methods(const tg_policy_t *policy, const tg_alloc_t *alloc,
    tg_list_t *methods)
{
    size_t              i, n;
    const tgi_route_t  *route;

    static const tg_str_t  usual[] = {
        TG_STR("GET"), TG_STR("HEAD"), TG_STR("OPTIONS"), TG_STR("POST"),
        TG_STR("PUT"), TG_STR("PATCH"), TG_STR("DELETE")
    };
    static const tg_str_t  other = TG_STR(ANY_METHOD);

    n = sizeof(usual) / sizeof(usual[0]) + 1
        + count_methods(&policy->always_deny)
        + count_methods(&policy->always_require);

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];
        n += count_methods(&route->allow) + count_methods(&route->deny)
             + count_methods(&route->require);
    }

    methods->n = 0;
    methods->items = tgi_alloc(alloc, n, sizeof(tg_str_t));

    if (methods->items == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        add_method(methods, usual[i]);
    }

    add_methods(methods, &policy->always_deny);
    add_methods(methods, &policy->always_require);

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];
        add_methods(methods, &route->allow);
        add_methods(methods, &route->deny);
        add_methods(methods, &route->require);
    }

    add_method(methods, other);

    return TG_OK;
}
