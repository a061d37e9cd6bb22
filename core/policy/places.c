
/*
 * Copyright (C) The Tailgate authors
 *
 * What a policy tells apart: the hosts and paths that its rules name, with a
 * sample of each.
 */

#include "core/policy/caps.h"
#include "core/policy/policy.h"

#include <string.h>


/* A label and a segment that nobody writes into a policy. */

#define ANY_HOST     "any-host"
#define ANY_SEGMENT  "any-path"


typedef struct {
    const tgi_host_t  **hosts;
    size_t              nhosts;
    const tgi_path_t  **paths;
    size_t              npaths;
} patterns_t;


static bool collect(const tg_policy_t *policy, const tgi_route_t *route,
    const tgi_value_t *grants, const tg_alloc_t *alloc,
    patterns_t *patterns);
static bool fill_host(const tgi_host_t *host, const tg_alloc_t *alloc,
    tg_policy_place_t *place);
static bool fill_path(const tgi_path_t *path, const tg_alloc_t *alloc,
    tg_policy_place_t *place);


size_t
tg_policy_nrules(const tg_policy_t *policy)
{
    size_t              i, n;
    const tgi_route_t  *route;

    n = policy->always_deny.n + policy->always_require.n;

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];
        n += route->allow.n + route->deny.n + route->require.n;
    }

    return n;
}


int
tg_policy_places(const tg_policy_t *policy, size_t i, const tg_caps_t *caps,
    const tg_alloc_t *alloc, tg_policy_place_t **places, size_t *n)
{
    size_t              h, p;
    patterns_t          patterns;
    tg_policy_place_t  *place, host;
    const tgi_route_t  *route;
    const tgi_value_t  *grants;

    *places = NULL;
    *n = 0;

    route = i < policy->nroutes ? &policy->routes[i] : NULL;
    grants = policy->grants.len > 0 ? tgi_caps_find(caps, policy->grants)
                                    : NULL;

    if (route == NULL && (grants == NULL || grants->n == 0)) {
        return TG_OK;
    }

    if (!collect(policy, route, grants, alloc, &patterns)) {
        return TG_ERR_NOMEM;
    }

    if (patterns.npaths > TG_POLICY_PLACES_MAX / patterns.nhosts) {
        return TG_ERR_LIMIT;
    }

    place = tgi_alloc(alloc, patterns.nhosts * patterns.npaths,
                      sizeof(tg_policy_place_t));
    if (place == NULL) {
        return TG_ERR_NOMEM;
    }

    *places = place;

    for (h = 0; h < patterns.nhosts; h++) {

        if (!fill_host(patterns.hosts[h], alloc, &host)) {
            return TG_ERR_NOMEM;
        }

        for (p = 0; p < patterns.npaths; p++) {

            if (h > 0) {
                *place = (*places)[p];

            } else if (!fill_path(patterns.paths[p], alloc, place)) {
                return TG_ERR_NOMEM;
            }

            place->host = host.host;
            place->sample_host = host.sample_host;
            place->host_pattern = patterns.hosts[h];
            place->path_pattern = patterns.paths[p];
            place++;
        }
    }

    *n = patterns.nhosts * patterns.npaths;

    return TG_OK;
}


static bool
same_host(const tgi_host_t *a, const tgi_host_t *b)
{
    return a->kind == b->kind && tgi_str_equal(a->text, b->text);
}


static bool
same_path(const tgi_path_t *a, const tgi_path_t *b)
{
    return a->kind == b->kind && tgi_str_equal(a->text, b->text);
}


static void
add_host(patterns_t *patterns, const tgi_host_t *host)
{
    size_t  i;

    for (i = 0; i < patterns->nhosts; i++) {
        if (same_host(patterns->hosts[i], host)) {
            return;
        }
    }

    patterns->hosts[patterns->nhosts++] = host;
}


static void
add_path(patterns_t *patterns, const tgi_path_t *path)
{
    size_t  i;

    for (i = 0; i < patterns->npaths; i++) {
        if (same_path(patterns->paths[i], path)) {
            return;
        }
    }

    patterns->paths[patterns->npaths++] = path;
}


static void
add_rules(patterns_t *patterns, const tgi_rules_t *rules)
{
    size_t            i, k;
    const tg_rule_t  *rule;

    for (i = 0; i < rules->n; i++) {
        rule = rules->items[i];

        for (k = 0; k < rule->nhosts; k++) {
            add_host(patterns, &rule->hosts[k]);
        }

        for (k = 0; k < rule->npaths; k++) {
            add_path(patterns, &rule->paths[k]);
        }
    }
}


static void
count_rules(patterns_t *patterns, const tgi_rules_t *rules)
{
    size_t  i;

    for (i = 0; i < rules->n; i++) {
        patterns->nhosts += rules->items[i]->nhosts;
        patterns->npaths += rules->items[i]->npaths;
    }
}


/* A host or a path of a grant; what is none makes the grant worth nothing. */

static bool
add_granted(patterns_t *patterns, const tgi_value_t *value, bool is_host,
    const tg_alloc_t *alloc)
{
    char        *buf;
    tgi_host_t  *host;
    tgi_path_t  *path;

    if (value->kind != TGI_VALUE_TEXT) {
        return true;
    }

    if (!is_host) {
        path = tgi_alloc(alloc, 1, sizeof(tgi_path_t));

        if (path != NULL && tgi_path_parse(value->u.text, path)) {
            add_path(patterns, path);
        }

        return path != NULL;
    }

    host = tgi_alloc(alloc, 1, sizeof(tgi_host_t));
    buf = tgi_alloc(alloc, TG_HOST_MAX, 1);

    if (host == NULL || buf == NULL) {
        return false;
    }

    if (tgi_host_parse(value->u.text, buf, host)) {
        add_host(patterns, host);
    }

    return true;
}


static bool
add_grant(patterns_t *patterns, const tgi_value_t *grant,
    const tg_alloc_t *alloc)
{
    bool                is_host;
    size_t              i, k;
    const tgi_value_t  *field;

    static const tg_str_t  names[] = { TG_STR("hosts"), TG_STR("paths") };

    for (k = 0; k < 2; k++) {
        is_host = k == 0;
        field = tgi_value_field(grant, names[k]);

        if (field == NULL) {
            continue;
        }

        if (field->kind != TGI_VALUE_ARRAY) {
            if (!add_granted(patterns, field, is_host, alloc)) {
                return false;
            }

            continue;
        }

        for (i = 0; i < field->n; i++) {
            if (!add_granted(patterns, &field->u.items[i], is_host, alloc)) {
                return false;
            }
        }
    }

    return true;
}


/* As many at most: one each, or a list. */

static size_t
count_grant(const tgi_value_t *grant)
{
    size_t  i, n;

    if (grant->kind != TGI_VALUE_OBJECT) {
        return 0;
    }

    for (i = 0, n = 0; i < grant->n; i++) {
        n += grant->u.items[i].kind == TGI_VALUE_ARRAY
             ? grant->u.items[i].n : 1;
    }

    return n;
}


/* For as many as were counted. */

static bool
make_room(patterns_t *patterns, const tg_alloc_t *alloc)
{
    patterns->hosts = tgi_alloc(alloc, patterns->nhosts,
                                sizeof(patterns->hosts[0]));
    patterns->paths = tgi_alloc(alloc, patterns->npaths,
                                sizeof(patterns->paths[0]));
    patterns->nhosts = 0;
    patterns->npaths = 0;

    return patterns->hosts != NULL && patterns->paths != NULL;
}


/* The route's own; all there is where no route is. */

static void
add_route(patterns_t *patterns, const tgi_route_t *route)
{
    size_t  i;

    static const tgi_host_t  any = { .kind = TGI_HOST_ANY };
    static const tgi_path_t  all = { .kind = TGI_PATH_PREFIX,
                                     .text = TG_STR("/"), .literal = 1 };

    if (route == NULL) {
        add_host(patterns, &any);
        add_path(patterns, &all);
        return;
    }

    for (i = 0; i < route->nhosts; i++) {
        add_host(patterns, &route->hosts[i]);
    }

    for (i = 0; i < route->npaths; i++) {
        add_path(patterns, &route->paths[i]);
    }
}


static bool
collect(const tg_policy_t *policy, const tgi_route_t *route,
    const tgi_value_t *grants, const tg_alloc_t *alloc, patterns_t *patterns)
{
    size_t              i, k, n;
    const tgi_rules_t  *rules[5];

    rules[0] = &policy->always_deny;
    rules[1] = &policy->always_require;
    n = 2;

    patterns->nhosts = 1;
    patterns->npaths = 1;

    if (route != NULL) {
        rules[2] = &route->allow;
        rules[3] = &route->deny;
        rules[4] = &route->require;
        n = 5;

        patterns->nhosts = route->nhosts;
        patterns->npaths = route->npaths;
    }

    for (k = 0; k < n; k++) {
        count_rules(patterns, rules[k]);
    }

    for (i = 0; grants != NULL && i < grants->n; i++) {
        patterns->nhosts += count_grant(&grants->u.items[i]);
        patterns->npaths += count_grant(&grants->u.items[i]);
    }

    if (!make_room(patterns, alloc)) {
        return false;
    }

    add_route(patterns, route);

    for (k = 0; k < n; k++) {
        add_rules(patterns, rules[k]);
    }

    for (i = 0; grants != NULL && i < grants->n; i++) {
        if (!add_grant(patterns, &grants->u.items[i], alloc)) {
            return false;
        }
    }

    return true;
}


static bool
join(tg_str_t *text, const char *before, tg_str_t middle, const char *after,
    const tg_alloc_t *alloc)
{
    char    *p;
    size_t   before_len, after_len;

    before_len = strlen(before);
    after_len = strlen(after);

    p = tgi_alloc(alloc, before_len + middle.len + after_len + 1, 1);
    if (p == NULL) {
        return false;
    }

    memcpy(p, before, before_len);

    if (middle.len > 0) {
        memcpy(p + before_len, middle.data, middle.len);
    }

    memcpy(p + before_len + middle.len, after, after_len);

    text->data = p;
    text->len = before_len + middle.len + after_len;

    return true;
}


static bool
fill_host(const tgi_host_t *host, const tg_alloc_t *alloc,
    tg_policy_place_t *place)
{
    static  const tg_str_t  any = TG_STR("*");
    static  const tg_str_t  none = TG_STR(ANY_HOST);

    switch (host->kind) {

    case TGI_HOST_EXACT:
        place->host = host->text;
        place->sample_host = host->text;
        return true;

    case TGI_HOST_WILDCARD:
        return join(&place->host, "*", host->text, "", alloc)
               && join(&place->sample_host, ANY_HOST, host->text, "", alloc);

    default:
        place->host = any;
        place->sample_host = none;
        return true;
    }
}


/* Each run of "*" becomes a segment, which "*" and "**" both match. */

static bool
fill_glob(const tgi_path_t *path, const tg_alloc_t *alloc, tg_str_t *sample)
{
    char    *p;
    size_t   i, n, stars;

    stars = 0;

    for (i = 0; i < path->text.len; i++) {
        stars += path->text.data[i] == '*';
    }

    p = tgi_alloc(alloc, path->text.len + stars * strlen(ANY_SEGMENT) + 1, 1);
    if (p == NULL) {
        return false;
    }

    n = 0;

    for (i = 0; i < path->text.len; i++) {

        if (path->text.data[i] != '*') {
            p[n++] = path->text.data[i];

        } else if (i + 1 == path->text.len || path->text.data[i + 1] != '*') {
            memcpy(p + n, ANY_SEGMENT, strlen(ANY_SEGMENT));
            n += strlen(ANY_SEGMENT);
        }
    }

    *sample = (tg_str_t) { p, n };

    return true;
}


static bool
fill_path(const tgi_path_t *path, const tg_alloc_t *alloc,
    tg_policy_place_t *place)
{
    const char  *below;

    place->path = path->text;

    switch (path->kind) {

    case TGI_PATH_EXACT:
        place->sample_path = path->text;
        return join(&place->path, "= ", path->text, "", alloc);

    case TGI_PATH_GLOB:
        return fill_glob(path, alloc, &place->sample_path);

    default:
        below = path->text.data[path->text.len - 1] == '/'
                ? ANY_SEGMENT : "/" ANY_SEGMENT;

        return join(&place->sample_path, "", path->text, below, alloc);
    }
}


bool
tg_policy_place_covers(const tg_policy_place_t *a, const tg_policy_place_t *b)
{
    const tgi_host_t  *host, *other_host;
    const tgi_path_t  *path, *other_path;

    host = a->host_pattern;
    path = a->path_pattern;
    other_host = b->host_pattern;
    other_path = b->path_pattern;

    if (same_host(host, other_host) && same_path(path, other_path)) {
        return false;
    }

    if (!same_path(path, other_path)) {

        /* the sample of a prefix says nothing about all that is below it */

        if (path->kind == TGI_PATH_EXACT
            || (path->kind == TGI_PATH_GLOB
                && other_path->kind != TGI_PATH_EXACT)
            || (other_path->kind == TGI_PATH_PREFIX
                && path->text.len >= other_path->text.len)
            || !tgi_path_match(path, b->sample_path))
        {
            return false;
        }
    }

    return same_host(host, other_host)
           || (host->kind > other_host->kind
               && tgi_host_match(host, b->sample_host))
           || (host->kind == TGI_HOST_WILDCARD
               && other_host->kind == TGI_HOST_WILDCARD
               && tgi_host_match(host, b->sample_host));
}
