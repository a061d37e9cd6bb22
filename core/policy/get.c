
/*
 * Copyright (C) The Tailgate authors
 *
 * What a compiled policy tells about itself, and names of headers.
 */

#include "core/policy/policy.h"

#include <tailgate/headers.h>

#include <string.h>


tg_str_t
tg_policy_digest(const tg_policy_t *policy)
{
    return (tg_str_t) { policy->digest, TG_POLICY_DIGEST_LEN };
}


size_t
tg_policy_nroutes(const tg_policy_t *policy)
{
    return policy->nroutes;
}


tg_str_t
tg_policy_route_name(const tg_policy_t *policy, size_t i)
{
    if (i >= policy->nroutes) {
        return (tg_str_t) TG_NULL_STR;
    }

    return policy->routes[i].name;
}


const tg_list_t *
tg_policy_header_names(const tg_policy_t *policy)
{
    return &policy->header_names;
}


size_t
tg_policy_nheaders(const tg_policy_t *policy, size_t route_index)
{
    return route_index < policy->nroutes
           ? policy->routes[route_index].nheaders : 0;
}


const tg_policy_header_t *
tg_policy_header(const tg_policy_t *policy, size_t route_index, size_t i)
{
    if (i >= tg_policy_nheaders(policy, route_index)) {
        return NULL;
    }

    return &policy->routes[route_index].headers[i];
}


tg_str_t
tg_policy_header_name(const tg_policy_header_t *header)
{
    return header->name;
}


static const tg_str_t  overrides[] = {
    TG_STR("x-http-method-override"),
    TG_STR("x-method-override"),
    TG_STR("x-http-method")
};

#define OVERRIDES  (sizeof(overrides) / sizeof(overrides[0]))


/* As apps read them that take "_" for "-". */

static bool
is_override(const char *name, size_t len)
{
    char      folded[sizeof("x-http-method-override")];
    size_t    i;
    tg_str_t  text;

    if (len >= sizeof(folded)) {
        return false;
    }

    tg_header_fold(name, len, folded);
    text = (tg_str_t) { folded, len };

    for (i = 0; i < OVERRIDES; i++) {
        if (tgi_str_equal(text, overrides[i])) {
            return true;
        }
    }

    return false;
}


/* It is asked about each header of a request: most are none at first sight. */

bool
tg_is_method_override(const char *name, size_t len)
{
    if (len < sizeof("x-http-method") - 1
        || (name[0] != 'x' && name[0] != 'X'))
    {
        return false;
    }

    return is_override(name, len);
}


void
tg_method_override_shapes(tg_shapes_t *shapes)
{
    size_t  i;

    for (i = 0; i < OVERRIDES; i++) {
        tg_shapes_add(shapes, overrides[i].data, overrides[i].len);
    }
}
