
/*
 * Copyright (C) The Tailgate authors
 *
 * What decisions depend on.
 */

#include "core/policy/policy.h"

#include "core/policy/decide.h"


#define OF_TIME  (TGI_IF_KEY_EXPIRES_IN|TGI_IF_FROM|TGI_IF_UNTIL)


static uint32_t
of_rules(const tgi_rules_t *rules)
{
    size_t    i;
    uint32_t  depends;

    depends = 0;

    for (i = 0; i < rules->n; i++) {

        if (rules->items[i]->conditions & TGI_IF_PATH) {
            depends |= TG_DEPENDS_PATH;
        }

        if (rules->items[i]->conditions & OF_TIME) {
            depends |= TG_DEPENDS_TIME;
        }
    }

    return depends;
}


/* "/" begins every path. */

static bool
is_any_path(const tgi_path_t *path)
{
    return path->kind == TGI_PATH_PREFIX && path->text.len == 1;
}


static uint32_t
of_route(const tgi_route_t *route)
{
    size_t    i;
    uint32_t  depends;

    depends = of_rules(&route->allow) | of_rules(&route->deny)
              | of_rules(&route->require);

    for (i = 0; i < route->npaths; i++) {
        if (!is_any_path(&route->paths[i])) {
            depends |= TG_DEPENDS_PATH;
        }
    }

    return depends;
}


static uint32_t
of_file(const tg_policy_t *file)
{
    size_t    i;
    uint32_t  depends;

    depends = of_rules(&file->always_deny) | of_rules(&file->always_require);

    for (i = 0; i < file->nroutes; i++) {
        depends |= of_route(&file->routes[i]);
    }

    /* a grant may say anything */

    if (file->grants.len > 0) {
        depends |= TG_DEPENDS_PATH | TG_DEPENDS_TIME;
    }

    return depends;
}


uint32_t
tg_policy_depends(const tg_policy_t *file, const tg_inline_t *inline_rules)
{
    uint32_t  depends;

    depends = 0;

    if (file != NULL) {
        depends |= TG_DEPENDS_REQUEST | of_file(file);
    }

    if (tgi_inline_has_rules(inline_rules)) {
        depends |= TG_DEPENDS_REQUEST | of_rules(&inline_rules->allow)
                   | of_rules(&inline_rules->deny)
                   | of_rules(&inline_rules->require);
    }

    return depends;
}
