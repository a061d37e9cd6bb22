
/*
 * Copyright (C) The Tailgate authors
 *
 * Routes by host, and under each host by path.
 */

#include "core/policy/index.h"

#include <stdlib.h>
#include <string.h>


/*
 * A route with many hosts and many paths is not found by each pair of them,
 * but by its hosts alone, and then looked at.
 */

#define PAIRS_MAX  256

#define NO_SITE    UINT32_MAX


/* A path of a route; those that are better have lower numbers. */

typedef struct {
    const tgi_path_t   *path;
    const tgi_route_t  *route;
} place_t;

/* A host that some route has, once; the large routes are in places, too. */

typedef struct {
    const tgi_host_t  *host;
    uint32_t           large;              /* the first of them */
    uint32_t           nlarge;
} site_t;

struct tgi_route_index_s {
    tgi_table_t           hosts;           /* to sites */
    tgi_table_t           paths;           /* of a site, to places */
    site_t               *sites;
    place_t              *places;
    const tgi_route_t   **large;
    uint32_t              any;             /* the site of any host */
};


/* While it is made: one host of one route. */

typedef struct {
    const tgi_host_t   *host;
    const tgi_route_t  *route;
    uint32_t            site;
} pair_t;

typedef struct {
    const tg_policy_t  *policy;
    const tg_alloc_t   *alloc;
    tgi_route_index_t  *index;
    pair_t             *pairs;             /* by host */
    pair_t             *by_route;
    size_t              npairs;
    size_t              nsites;
    size_t              nplaces;
    tgi_posting_t      *postings;
} maker_t;


static bool
is_large(const tgi_route_t *route)
{
    return route->npaths > 1 && route->nhosts > 1
           && route->npaths > PAIRS_MAX / route->nhosts;
}


static bool
same_host(const tgi_host_t *a, const tgi_host_t *b)
{
    return a->kind == b->kind && tgi_str_equal(a->text, b->text);
}


static int
compare_pairs(const void *a, const void *b)
{
    int            order;
    const pair_t  *one = a, *two = b;

    order = tgi_host_compare(one->host, two->host);

    if (order == 0 && one->host->text.len > 0) {
        order = memcmp(one->host->text.data, two->host->text.data,
                       one->host->text.len);
    }

    return order != 0 ? order
                      : (one->route > two->route) - (one->route < two->route);
}


static int
compare_routes(const void *a, const void *b)
{
    const pair_t  *one = a, *two = b;

    return (one->route > two->route) - (one->route < two->route);
}


static int
compare_places(const void *a, const void *b)
{
    int             order;
    const place_t  *one = a, *two = b;

    order = tgi_path_compare(one->path, two->path);

    return order != 0 ? order
                      : (one->route > two->route) - (one->route < two->route);
}


static uint64_t
key_of_place(uint32_t site, uint64_t hash)
{
    return tgi_hash_number(hash, site);
}


/* All hosts of all routes, equal ones beside each other. */

static int
list_pairs(maker_t *maker)
{
    size_t              i, j;
    const tgi_route_t  *route;
    const tg_policy_t  *policy;

    policy = maker->policy;

    for (i = 0; i < policy->nroutes; i++) {
        maker->npairs += policy->routes[i].nhosts;
        maker->nplaces += policy->routes[i].npaths;
    }

    maker->pairs = calloc(maker->npairs + 1, sizeof(pair_t));
    maker->by_route = calloc(maker->npairs + 1, sizeof(pair_t));

    if (maker->pairs == NULL || maker->by_route == NULL) {
        return TG_ERR_NOMEM;
    }

    maker->npairs = 0;

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        for (j = 0; j < route->nhosts; j++) {
            maker->pairs[maker->npairs].host = &route->hosts[j];
            maker->pairs[maker->npairs].route = route;
            maker->npairs++;
        }
    }

    qsort(maker->pairs, maker->npairs, sizeof(pair_t), compare_pairs);

    return TG_OK;
}


static int
make_sites(maker_t *maker)
{
    size_t              i, nlarge;
    site_t             *site;
    pair_t             *pair;
    tgi_route_index_t  *index;

    index = maker->index;
    site = NULL;
    nlarge = 0;

    index->sites = tgi_alloc(maker->alloc, maker->npairs + 1, sizeof(site_t));
    index->large = tgi_alloc(maker->alloc, maker->npairs + 1,
                             sizeof(tgi_route_t *));

    if (index->sites == NULL || index->large == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < maker->npairs; i++) {
        pair = &maker->pairs[i];

        if (site == NULL || !same_host(site->host, pair->host)) {
            site = &index->sites[maker->nsites++];
            site->host = pair->host;
            site->large = (uint32_t) nlarge;
            site->nlarge = 0;
        }

        pair->site = (uint32_t) (maker->nsites - 1);

        if (is_large(pair->route)) {
            index->large[nlarge++] = pair->route;
            site->nlarge++;
        }
    }

    memcpy(maker->by_route, maker->pairs, maker->npairs * sizeof(pair_t));
    qsort(maker->by_route, maker->npairs, sizeof(pair_t), compare_routes);

    return TG_OK;
}


static int
make_hosts(maker_t *maker)
{
    int                 rc;
    size_t              i, n;
    tgi_posting_t      *postings;
    const tgi_host_t   *host;
    tgi_route_index_t  *index;

    index = maker->index;
    index->any = NO_SITE;

    postings = calloc(maker->nsites + 1, sizeof(tgi_posting_t));
    if (postings == NULL) {
        return TG_ERR_NOMEM;
    }

    n = 0;

    for (i = 0; i < maker->nsites; i++) {
        host = index->sites[i].host;

        if (host->kind == TGI_HOST_ANY) {
            index->any = (uint32_t) i;
            continue;
        }

        postings[n].key = tgi_hash_host_pattern(host);
        postings[n].number = (uint32_t) i;
        n++;
    }

    rc = tgi_table_make(&index->hosts, postings, n, maker->alloc);

    free(postings);

    return rc;
}


/* Sorted by route, so that the hosts of a route stand together. */

static const pair_t *
first_pair(const maker_t *maker, const tgi_route_t *route)
{
    size_t  low, high, middle;

    low = 0;
    high = maker->npairs;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (maker->by_route[middle].route < route) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return &maker->by_route[low];
}


static int
make_places(maker_t *maker)
{
    size_t              i, j, n, total;
    place_t            *places;
    const tgi_route_t  *route;
    const tg_policy_t  *policy;

    policy = maker->policy;
    places = tgi_alloc(maker->alloc, maker->nplaces + 1, sizeof(place_t));

    if (places == NULL) {
        return TG_ERR_NOMEM;
    }

    n = 0;
    total = 0;

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        if (is_large(route)) {
            continue;
        }

        total += route->nhosts * route->npaths;

        for (j = 0; j < route->npaths; j++) {
            places[n].path = &route->paths[j];
            places[n].route = route;
            n++;
        }
    }

    qsort(places, n, sizeof(place_t), compare_places);

    maker->nplaces = n;
    maker->index->places = places;
    maker->postings = calloc(total + 1, sizeof(tgi_posting_t));

    return maker->postings == NULL ? TG_ERR_NOMEM : TG_OK;
}


static int
make_paths(maker_t *maker)
{
    size_t          i, j, n;
    uint64_t        hash;
    const pair_t   *pair;
    const place_t  *place;

    n = 0;

    for (i = 0; i < maker->nplaces; i++) {
        place = &maker->index->places[i];
        hash = tgi_hash_path_pattern(place->path);
        pair = first_pair(maker, place->route);

        for (j = 0; j < place->route->nhosts; j++) {
            maker->postings[n].key = key_of_place(pair[j].site, hash);
            maker->postings[n].number = (uint32_t) i;
            n++;
        }
    }

    return tgi_table_make(&maker->index->paths, maker->postings, n,
                          maker->alloc);
}


int
tgi_route_index_make(tg_policy_t *policy, const tg_alloc_t *alloc)
{
    int                 rc;
    maker_t             maker;
    tgi_route_index_t  *index;

    if (policy->nroutes < TGI_INDEX_MIN) {
        return TG_OK;
    }

    index = tgi_alloc(alloc, 1, sizeof(tgi_route_index_t));
    if (index == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(&maker, 0, sizeof(maker_t));
    maker.policy = policy;
    maker.alloc = alloc;
    maker.index = index;

    rc = list_pairs(&maker);

    if (rc == TG_OK) {
        rc = make_sites(&maker);
    }

    if (rc == TG_OK) {
        rc = make_hosts(&maker);
    }

    if (rc == TG_OK) {
        rc = make_places(&maker);
    }

    if (rc == TG_OK) {
        rc = make_paths(&maker);
    }

    if (rc == TG_OK) {
        policy->route_index = index;
    }

    free(maker.pairs);
    free(maker.by_route);
    free(maker.postings);

    return rc;
}


/* Whether no worse place than this one can be the best. */

static bool
consider(const place_t *place, tg_str_t path, place_t *best)
{
    if (best->path != NULL
        && tgi_path_compare(place->path, best->path) >= 0)
    {
        return true;
    }

    if (!tgi_path_match(place->path, path)) {
        return false;
    }

    *best = *place;

    return true;
}


/* The best route of a site. */

static const tgi_route_t *
find_path(const tgi_route_index_t *index, uint32_t number,
    const tgi_subject_t *subject)
{
    size_t             i, j;
    place_t            place, best = { NULL, NULL };
    tg_str_t           path;
    const site_t      *site;
    const uint32_t    *numbers;
    const tgi_slot_t  *slot;

    path = subject->request->path;
    site = &index->sites[number];

    for (i = subject->npaths; i > 0; i--) {
        slot = tgi_table_find(&index->paths,
                              key_of_place(number, subject->paths[i - 1]));
        if (slot == NULL) {
            continue;
        }

        numbers = index->paths.numbers + slot->start;

        for (j = 0; j < slot->n; j++) {
            if (consider(&index->places[numbers[j]], path, &best)) {
                break;
            }
        }
    }

    for (i = 0; i < site->nlarge; i++) {
        place.route = index->large[site->large + i];

        for (j = 0; j < place.route->npaths; j++) {
            place.path = &place.route->paths[j];
            (void) consider(&place, path, &best);
        }
    }

    return best.route;
}


/*
 * Sites ascend from the best host to the worst, and the longer part of a host
 * has been hashed behind the shorter; of one part the name comes before the
 * wildcard.
 */

const tgi_route_t *
tgi_route_index_find(const tg_policy_t *policy, tgi_subject_t *subject)
{
    size_t                    i, j;
    uint32_t                  number;
    const tgi_slot_t         *slot;
    const tgi_route_t        *route;
    const tgi_route_index_t  *index;

    index = policy->route_index;
    tgi_subject_hash_host(subject);
    tgi_subject_hash_path(subject);

    for (i = subject->nhosts; i > 0; i--) {
        slot = tgi_table_find(&index->hosts, subject->hosts[i - 1]);

        for (j = 0; slot != NULL && j < slot->n; j++) {
            number = index->hosts.numbers[slot->start + j];

            if (!tgi_host_match(index->sites[number].host, subject->host)) {
                continue;
            }

            route = find_path(index, number, subject);

            if (route != NULL) {
                return route;
            }
        }
    }

    return index->any != NO_SITE ? find_path(index, index->any, subject)
                                 : NULL;
}
