
/*
 * Copyright (C) The Tailgate authors
 *
 * Routes that are told apart by nothing, and routes that are never chosen.
 * Both are found by sorting all hosts with all paths.
 */

#include "core/policy/check.h"

#include "core/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define PAIRS_MAX  500000


typedef struct {
    const tgi_host_t   *host;
    const tgi_path_t   *path;
    const tgi_route_t  *route;
} pair_t;

typedef struct {
    pair_t  *items;
    size_t   n;
} pairs_t;


static int
compare_text(tg_str_t a, tg_str_t b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }

    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}


static int
compare_places(const pair_t *a, const pair_t *b)
{
    int  order;

    if (a->host->kind != b->host->kind) {
        return a->host->kind < b->host->kind ? -1 : 1;
    }

    order = compare_text(a->host->text, b->host->text);

    if (order != 0) {
        return order;
    }

    if (a->path->kind != b->path->kind) {
        return a->path->kind < b->path->kind ? -1 : 1;
    }

    return compare_text(a->path->text, b->path->text);
}


static int
compare_pairs(const void *one, const void *two)
{
    int            order;
    const pair_t  *a, *b;

    a = one;
    b = two;

    order = compare_places(a, b);

    if (order != 0 || a->route == b->route) {
        return order;
    }

    return a->route->index < b->route->index ? -1 : 1;
}


/* False if that was told to be impossible. */

static bool
list_pairs(tgi_read_t *rd, pairs_t *pairs)
{
    char                max[24];
    size_t              i, j, k, n;
    pair_t             *pair;
    tgi_place_t         place;
    const tgi_route_t  *route;
    const tg_policy_t  *policy;

    policy = rd->policy;

    for (n = 0, i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        /* neither is over the number of values in a file */

        n += route->nhosts * route->npaths;

        if (n > PAIRS_MAX) {
            place = (tgi_place_t) { route->line, route->column };
            (void) snprintf(max, sizeof(max), "%d", PAIRS_MAX);
            tgi_messages_add(&rd->messages, TGI_P_TOO_MANY, place, max,
                             "pairs of a host and a path", NULL);
            return false;
        }
    }

    pairs->items = tgi_alloc(rd->scratch, n + 1, sizeof(pair_t));
    if (pairs->items == NULL) {
        rd->messages.nomem = true;
        return false;
    }

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        for (j = 0; j < route->nhosts; j++) {
            for (k = 0; k < route->npaths; k++) {
                pair = &pairs->items[pairs->n++];
                pair->host = &route->hosts[j];
                pair->path = &route->paths[k];
                pair->route = route;
            }
        }
    }

    qsort(pairs->items, pairs->n, sizeof(pair_t), compare_pairs);

    return true;
}


/* "grafana.corp/api", as a person would write it. */

static void
name_pair(const pair_t *pair, char *out, size_t size)
{
    (void) snprintf(out, size, "%s%.*s%s%.*s",
                    pair->host->kind == TGI_HOST_ANY ? "any host" :
                    pair->host->kind == TGI_HOST_WILDCARD ? "*" : "",
                    (int) pair->host->text.len,
                    pair->host->text.len ? pair->host->text.data : "",
                    pair->path->kind == TGI_PATH_EXACT ? " = " : " ",
                    (int) pair->path->text.len, pair->path->text.data);
}


static void
check_ambiguous(tgi_read_t *rd, const pairs_t *pairs)
{
    char           name[512];
    size_t         i;
    tgi_place_t    place;
    const pair_t  *one, *two;

    for (i = 1; i < pairs->n; i++) {
        one = &pairs->items[i - 1];
        two = &pairs->items[i];

        if (one->route == two->route || compare_places(one, two) != 0) {
            continue;
        }

        name_pair(two, name, sizeof(name));
        place = (tgi_place_t) { two->route->line, two->route->column };

        tgi_messages_add(&rd->messages, TGI_P_AMBIGUOUS, place,
                         one->route->name.data, two->route->name.data, name);
    }
}


/*
 * The pattern that is chosen before this one wherever both match, and has all
 * of its paths: "/api/" and "/api/ *" (without the blank) lose against the glob
 * with "**" behind the same literal part.
 */

static bool
wider_path(const tgi_path_t *path, char *buf, size_t size, tgi_path_t *wider)
{
    size_t  len;

    len = path->literal;

    if (path->kind == TGI_PATH_EXACT || len + 2 > size
        || (path->kind == TGI_PATH_GLOB && path->text.len != len + 1))
    {
        return false;
    }

    memcpy(buf, path->text.data, len);
    buf[len] = '*';
    buf[len + 1] = '*';

    wider->kind = TGI_PATH_GLOB;
    wider->text.data = buf;
    wider->text.len = len + 2;
    wider->literal = len;

    return true;
}


/* What takes the place of a pair: another route, or NULL. */

static const tgi_route_t *
find_shadow(const pairs_t *pairs, const tgi_route_t *route,
    const tgi_host_t *host, const tgi_path_t *path)
{
    char        buf[TGI_PATTERN_MAX + 2];
    int         order;
    pair_t      wanted;
    size_t      low, high, middle;
    tgi_path_t  wider;

    if (!wider_path(path, buf, sizeof(buf), &wider)) {
        return NULL;
    }

    wanted.host = host;
    wanted.path = &wider;
    wanted.route = NULL;

    low = 0;
    high = pairs->n;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = compare_places(&pairs->items[middle], &wanted);

        if (order == 0) {
            return pairs->items[middle].route != route
                   ? pairs->items[middle].route : NULL;
        }

        if (order < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return NULL;
}


static const tgi_route_t *
shadow_of(const pairs_t *pairs, const tgi_route_t *route)
{
    size_t              i, j;
    const tgi_route_t  *shadow;

    shadow = NULL;

    for (i = 0; i < route->nhosts; i++) {
        for (j = 0; j < route->npaths; j++) {
            shadow = find_shadow(pairs, route, &route->hosts[i],
                                 &route->paths[j]);
            if (shadow == NULL) {
                return NULL;
            }
        }
    }

    return shadow;
}


static void
check_shadowed(tgi_read_t *rd, const pairs_t *pairs)
{
    char                line[24];
    size_t              i;
    tgi_place_t         place;
    const tgi_route_t  *route, *shadow;

    for (i = 0; i < rd->policy->nroutes; i++) {
        route = &rd->policy->routes[i];
        shadow = shadow_of(pairs, route);

        if (shadow == NULL) {
            continue;
        }

        (void) snprintf(line, sizeof(line), "%zu", shadow->line);
        place = (tgi_place_t) { route->line, route->column };

        tgi_messages_add(&rd->messages, TGI_P_SHADOWED, place,
                         route->name.data, shadow->name.data, line);
    }
}


void
tgi_check_routes(tgi_read_t *rd)
{
    pairs_t  pairs = { NULL, 0 };

    if (list_pairs(rd, &pairs)) {
        check_ambiguous(rd, &pairs);
        check_shadowed(rd, &pairs);
    }
}
