
/*
 * Copyright (C) The Tailgate authors
 *
 * Rules whose conditions exclude each other.  Only what is certain is told.
 */

#include "core/policy/check.h"

#include "core/base/base.h"

#include <string.h>


/* Enough for what people write; a file of machines cannot hold us up. */

#define WORK_MAX  2000000


/* Whether the bounds leave anything: the highest of the low ones counts. */

static bool
is_empty_range(const tgi_range_t *range)
{
    int                 order;
    bool                low_open, high_open;
    size_t              i;
    const tgi_bound_t  *bound, *low, *high;

    low = NULL;
    high = NULL;
    low_open = false;
    high_open = false;

    for (i = 0; i < range->n; i++) {
        bound = &range->bounds[i];

        if (bound->op != TGI_OP_LT && bound->op != TGI_OP_LE) {
            order = low == NULL ? 1 : tgi_version_compare(&bound->version,
                                                          &low->version);

            low_open = bound->op == TGI_OP_GT ? order >= 0 || low_open
                                              : order <= 0 && low_open;
            low = order > 0 ? bound : low;
        }

        if (bound->op != TGI_OP_GT && bound->op != TGI_OP_GE) {
            order = high == NULL ? -1 : tgi_version_compare(&bound->version,
                                                            &high->version);

            high_open = bound->op == TGI_OP_LT ? order <= 0 || high_open
                                               : order >= 0 && high_open;
            high = order < 0 ? bound : high;
        }
    }

    if (low == NULL || high == NULL) {
        return false;
    }

    order = tgi_version_compare(&low->version, &high->version);

    return order > 0 || (order == 0 && (low_open || high_open));
}


static bool
are_empty_ranges(const tgi_ranges_t *ranges)
{
    size_t  i;

    for (i = 0; i < ranges->n; i++) {
        if (!is_empty_range(&ranges->items[i])) {
            return false;
        }
    }

    return ranges->n != 0;
}


static const char *
never_who(const tg_rule_t *rule)
{
    bool    person, machine;
    size_t  i;

    person = (rule->conditions & (TGI_IF_USER|TGI_IF_GROUP)) != 0;
    machine = (rule->conditions & TGI_IF_TAG) != 0;

    if (rule->conditions & TGI_IF_AUTOGROUP) {
        person |= rule->autogroups == TG_TRAIT_MEMBER;
        machine |= rule->autogroups == TG_TRAIT_TAGGED;
    }

    if (person && machine) {
        return "a tagged node is nobody's, and in no group";
    }

    if (rule->ngroups == 0 || rule->tailnet_groups.n != 0) {
        return NULL;
    }

    for (i = 0; i < rule->ngroups; i++) {
        if (rule->groups[i]->members.n != 0) {
            return NULL;
        }
    }

    return "its groups have no members";
}


static bool
hosts_meet(const tgi_host_t *a, const tgi_host_t *b)
{
    if (a->kind == TGI_HOST_EXACT) {
        return tgi_host_match(b, a->text);
    }

    if (b->kind == TGI_HOST_EXACT) {
        return tgi_host_match(a, b->text);
    }

    /* two wildcards: one is within the other, or they are apart */

    return a->kind == TGI_HOST_ANY || b->kind == TGI_HOST_ANY
           || tgi_str_equal(a->text, b->text) || tgi_host_match(a, b->text)
           || tgi_host_match(b, a->text);
}


static bool
paths_meet(const tgi_path_t *a, const tgi_path_t *b)
{
    size_t  len;

    if (a->kind == TGI_PATH_EXACT) {
        return tgi_path_match(b, a->text);
    }

    if (b->kind == TGI_PATH_EXACT) {
        return tgi_path_match(a, b->text);
    }

    if (a->kind == TGI_PATH_PREFIX && b->kind == TGI_PATH_PREFIX) {
        return tgi_path_match(a, b->text) || tgi_path_match(b, a->text);
    }

    /* globs that begin differently are apart */

    len = a->literal < b->literal ? a->literal : b->literal;

    return memcmp(a->text.data, b->text.data, len) == 0;
}


static bool
has_no_host(const tg_rule_t *rule, const tgi_route_t *route)
{
    size_t  i, j;

    for (i = 0; i < rule->nhosts; i++) {
        for (j = 0; j < route->nhosts; j++) {
            if (hosts_meet(&rule->hosts[i], &route->hosts[j])) {
                return false;
            }
        }
    }

    return rule->nhosts != 0;
}


static bool
has_no_path(const tg_rule_t *rule, const tgi_route_t *route)
{
    size_t  i, j;

    for (i = 0; i < rule->npaths; i++) {
        for (j = 0; j < route->npaths; j++) {
            if (paths_meet(&rule->paths[i], &route->paths[j])) {
                return false;
            }
        }
    }

    return rule->npaths != 0;
}


static const char *
never_place(const tg_rule_t *rule, const tgi_route_t *route, size_t *work)
{
    *work += rule->nhosts * route->nhosts + rule->npaths * route->npaths;

    if (*work > WORK_MAX) {
        return NULL;
    }

    if (has_no_host(rule, route)) {
        return "the route has none of its hosts";
    }

    if (has_no_path(rule, route)) {
        return "the route has none of its paths";
    }

    return NULL;
}


const char *
tgi_rule_never(const tg_rule_t *rule, const tgi_route_t *route, size_t *work)
{
    const char  *why;

    why = never_who(rule);

    if (why != NULL) {
        return why;
    }

    if ((rule->conditions & TGI_IF_FROM) && (rule->conditions & TGI_IF_UNTIL)
        && rule->from >= rule->until)
    {
        return "\"until\" is not after \"from\"";
    }

    if (are_empty_ranges(&rule->os_versions)
        || are_empty_ranges(&rule->client_versions))
    {
        return "no version is in that range";
    }

    if (are_empty_ranges(&rule->key_expires_in)) {
        return "no duration is in that range";
    }

    if (rule->kind == TG_RULE_ALLOW && rule->via == TGI_VIA_FUNNEL
        && rule->services.n == 0)
    {
        return "who comes in by Funnel is never let in";
    }

    return route != NULL ? never_place(rule, route, work) : NULL;
}
