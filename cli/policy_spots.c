
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy what: a peer at each host and path that a policy tells
 * apart, with each method, and which of the answers say something new.
 */

#include <cli/cli.h>
#include <cli/policy_what.h>

#include "core/base/base.h"

#include <string.h>


static cli_row_t *
new_row(cli_policy_t *self, cli_rows_t *rows)
{
    size_t      max;
    cli_row_t  *items;

    if (rows->n == rows->max) {
        max = rows->max > 0 ? 2 * rows->max : 64;
        items = tgi_alloc(&self->alloc, max, sizeof(cli_row_t));

        if (items == NULL) {
            return NULL;
        }

        if (rows->n > 0) {
            memcpy(items, rows->items, rows->n * sizeof(cli_row_t));
        }

        rows->items = items;
        rows->max = max;
    }

    return &rows->items[rows->n++];
}


/* Where grants alone decide there is no route. */

static tg_str_t
route_name(const cli_policy_t *self, size_t route)
{
    static  const tg_str_t  none = TG_NULL_STR;

    return route < tg_policy_nroutes(self->file)
           ? tg_policy_route_name(self->file, route) : none;
}


static cli_row_t *
add_row(cli_policy_t *self, cli_rows_t *rows, const tg_policy_place_t *place,
    size_t route, tg_str_t rule)
{
    cli_row_t  *row;

    row = new_row(self, rows);

    if (row == NULL) {
        return NULL;
    }

    row->place = place;
    row->route = route_name(self, route);
    row->rule = rule;
    row->methods = tgi_alloc(&self->alloc, rows->methods.n, sizeof(bool));

    if (row->methods == NULL) {
        return NULL;
    }

    memset(row->methods, 0, rows->methods.n * sizeof(bool));

    return row;
}


/* The row of the rule that allows, among those of this spot. */

static cli_row_t *
row_of(cli_policy_t *self, cli_rows_t *rows, const cli_spot_t *spot,
    tg_str_t rule)
{
    size_t  i;

    for (i = spot->first; i < rows->n; i++) {
        if (tgi_str_equal(rows->items[i].rule, rule)) {
            return &rows->items[i];
        }
    }

    return add_row(self, rows, spot->place, spot->route, rule);
}


static bool
ask_spot(cli_policy_t *self, const cli_peer_t *peer, cli_spot_t *spot,
    cli_rows_t *rows)
{
    size_t          i, route_index;
    cli_row_t      *row;
    tg_request_t    request;
    tg_decision_t   decision;

    route_index = spot->route < tg_policy_nroutes(self->file) ? spot->route
                                                             : SIZE_MAX;
    request = self->request;
    request.now = self->now;
    request.host = spot->place->sample_host;
    request.path = spot->place->sample_path;
    spot->first = rows->n;

    for (i = 0; i < rows->methods.n; i++) {
        request.method = rows->methods.items[i];

        tg_policy_decide(self->file, NULL, NULL, &peer->peer, &request,
                         &decision);

        spot->elsewhere = decision.route_index != route_index;

        if (spot->elsewhere) {
            break;
        }

        if (decision.verdict != TG_ALLOW) {
            spot->rule = decision.rule;
            continue;
        }

        row = row_of(self, rows, spot, decision.rule);

        if (row == NULL) {
            return false;
        }

        row->methods[i] = true;
    }

    spot->end = rows->n;

    return true;
}


int
cli_spots_ask(cli_policy_t *self, const cli_peer_t *peer, size_t route,
    cli_spots_t *spots)
{
    int                 rc;
    size_t              i, n;
    cli_spot_t         *items;
    tg_policy_place_t  *places;

    rc = tg_policy_places(self->file, route, peer->peer.caps, &self->alloc,
                          &places, &n);

    if (rc != TG_OK) {
        cli_error(self->name, "route \"%.*s\": %s",
                  (int) route_name(self, route).len,
                  route_name(self, route).data,
                  rc == TG_ERR_LIMIT ? "it tells too many hosts and paths"
                                       " apart to list them"
                                     : tg_strerror(rc));
        return CLI_USAGE;
    }

    items = tgi_alloc(&self->alloc, spots->n + n, sizeof(cli_spot_t));
    if (items == NULL) {
        goto nomem;
    }

    if (spots->n > 0) {
        memcpy(items, spots->items, spots->n * sizeof(cli_spot_t));
    }

    memset(items + spots->n, 0, n * sizeof(cli_spot_t));
    spots->items = items;

    for (i = 0; i < n; i++) {
        items = &spots->items[spots->n++];
        items->place = &places[i];
        items->route = route;

        if (!ask_spot(self, peer, items, &spots->asked)) {
            goto nomem;
        }
    }

    return CLI_OK;

nomem:

    cli_error(self->name, "out of memory");

    return CLI_USAGE;
}


static bool
same_rows(const cli_rows_t *rows, const cli_spot_t *a, const cli_spot_t *b)
{
    size_t            i, n;
    const cli_row_t  *x, *y;

    n = a->end - a->first;

    if (n != b->end - b->first
        || (n == 0 && !tgi_str_equal(a->rule, b->rule)))
    {
        return false;
    }

    for (i = 0; i < n; i++) {
        x = &rows->items[a->first + i];
        y = &rows->items[b->first + i];

        if (!tgi_str_equal(x->rule, y->rule)
            || memcmp(x->methods, y->methods,
                      rows->methods.n * sizeof(bool)) != 0)
        {
            return false;
        }
    }

    return true;
}


/*
 * Whether the next wider path of the same route and host, if that is a whole
 * prefix, says the same.
 */

static bool
is_said(const cli_spots_t *spots, const cli_spot_t *spot)
{
    size_t             i;
    const cli_spot_t  *wider, *parent;

    parent = NULL;

    for (i = 0; i < spots->n; i++) {
        wider = &spots->items[i];

        if (wider->route == spot->route && !wider->elsewhere
            && tgi_str_equal(wider->place->host, spot->place->host)
            && tg_policy_place_covers(wider->place, spot->place)
            && (parent == NULL
                || tg_policy_place_covers(parent->place, wider->place)))
        {
            parent = wider;
        }
    }

    return parent != NULL && same_rows(&spots->asked, spot, parent);
}


/*
 * Whether what is told of a wider host and a narrower path would seem to hold
 * at the spot: the route is chosen by the host first.
 */

static bool
crosses(const tg_policy_place_t *wider, const tg_policy_place_t *narrow)
{
    tg_policy_place_t  host, path;

    host = *narrow;
    host.path_pattern = wider->path_pattern;
    host.sample_path = wider->sample_path;

    path = *wider;
    path.host_pattern = narrow->host_pattern;
    path.sample_host = narrow->sample_host;

    return tg_policy_place_covers(wider, &host)
           && tg_policy_place_covers(narrow, &path);
}


/* Whether something that is told would seem to hold here, too. */

static bool
is_exception(const cli_spots_t *spots, const cli_spot_t *spot)
{
    size_t             i;
    const cli_spot_t  *wider;

    for (i = 0; i < spots->n; i++) {
        wider = &spots->items[i];

        if (!wider->elsewhere && wider->end > wider->first
            && (tg_policy_place_covers(wider->place, spot->place)
                || crosses(wider->place, spot->place)))
        {
            return true;
        }
    }

    return false;
}


static bool
tell(cli_policy_t *self, cli_spots_t *spots)
{
    size_t             i, k;
    cli_row_t         *row;
    const cli_spot_t  *spot;

    for (i = 0; i < spots->n; i++) {
        spot = &spots->items[i];

        if (spot->elsewhere || is_said(spots, spot)) {
            continue;
        }

        for (k = spot->first; k < spot->end; k++) {
            row = new_row(self, &spots->told);

            if (row == NULL) {
                return false;
            }

            *row = spots->asked.items[k];
        }

        if (spot->first == spot->end && is_exception(spots, spot)
            && add_row(self, &spots->told, spot->place, spot->route,
                       spot->rule) == NULL)
        {
            return false;
        }
    }

    return true;
}


int
cli_spots_tell(cli_policy_t *self, cli_spots_t *spots)
{
    if (!tell(self, spots)) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    return CLI_OK;
}
