
/*
 * Copyright (C) The Tailgate authors
 */

#include "core/policy/policy.h"


int
tgi_policy_index(tg_policy_t *policy, const tg_alloc_t *alloc)
{
    (void) policy;
    (void) alloc;

    return TG_OK;
}


int
tgi_inline_index(tg_inline_t *inline_rules, const tg_alloc_t *alloc)
{
    (void) inline_rules;
    (void) alloc;

    return TG_OK;
}
