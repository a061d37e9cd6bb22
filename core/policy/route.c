
/*
 * Copyright (C) The Tailgate authors
 *
 * Which route decides.
 */

#include "core/policy/index.h"

#include <string.h>


int
tgi_host_compare(const tgi_host_t *a, const tgi_host_t *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }

    if (a->text.len != b->text.len) {
        return a->text.len > b->text.len ? -1 : 1;
    }

    return 0;
}


static int
path_rank(tgi_path_kind_t kind)
{
    switch (kind) {

    case TGI_PATH_EXACT:
        return 0;

    case TGI_PATH_GLOB:
        return 1;

    default:
        return 2;
    }
}


int
tgi_path_compare(const tgi_path_t *a, const tgi_path_t *b)
{
    if (a->literal != b->literal) {
        return a->literal > b->literal ? -1 : 1;
    }

    if (a->kind != b->kind) {
        return path_rank(a->kind) - path_rank(b->kind);
    }

    if (a->text.len != b->text.len) {
        return a->text.len > b->text.len ? -1 : 1;
    }

    return a->text.len == 0 ? 0
                            : memcmp(a->text.data, b->text.data, a->text.len);
}


/* The best of the route's hosts and paths; false if it does not fit. */

static bool
fit_route(const tgi_route_t *route, tg_str_t host, tg_str_t path,
    const tgi_host_t **best_host, const tgi_path_t **best_path)
{
    size_t  i;

    *best_host = NULL;
    *best_path = NULL;

    for (i = 0; i < route->nhosts; i++) {
        if (tgi_host_match(&route->hosts[i], host)
            && (*best_host == NULL
                || tgi_host_compare(&route->hosts[i], *best_host) < 0))
        {
            *best_host = &route->hosts[i];
        }
    }

    if (*best_host == NULL) {
        return false;
    }

    for (i = 0; i < route->npaths; i++) {
        if (tgi_path_match(&route->paths[i], path)
            && (*best_path == NULL
                || tgi_path_compare(&route->paths[i], *best_path) < 0))
        {
            *best_path = &route->paths[i];
        }
    }

    return *best_path != NULL;
}


const tgi_route_t *
tgi_route_find(const tg_policy_t *policy, tgi_subject_t *subject)
{
    int                 order;
    size_t              i;
    tg_str_t            host, path;
    const tgi_host_t   *best_host, *its_host;
    const tgi_path_t   *best_path, *its_path;
    const tgi_route_t  *best;

    if (policy->route_index != NULL) {
        return tgi_route_index_find(policy, subject);
    }

    host = subject->host;
    path = subject->request->path;
    best = NULL;
    best_host = NULL;
    best_path = NULL;

    for (i = 0; i < policy->nroutes; i++) {
        if (!fit_route(&policy->routes[i], host, path, &its_host, &its_path)) {
            continue;
        }

        if (best != NULL) {
            order = tgi_host_compare(its_host, best_host);

            if (order == 0) {
                order = tgi_path_compare(its_path, best_path);
            }

            if (order >= 0) {
                continue;
            }
        }

        best = &policy->routes[i];
        best_host = its_host;
        best_path = its_path;
    }

    return best;
}
