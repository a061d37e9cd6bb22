
/*
 * Copyright (C) The Tailgate authors
 *
 * A search that a request asked for.
 */

#include "authd/app/links/turn.h"

#include <string.h>


typedef struct {
    authd_links_turn_t     turn;
    authd_links_search_t   search;
    authd_links_finder_t   finder;
    authd_links_found_pt   next;
} find_t;


static bool find_step(authd_links_turn_t *turn);
static void find_done(authd_links_turn_t *turn);
static void find_gone(authd_links_turn_t *turn);


void
authd_links_find(authd_links_call_t *call, const authd_links_search_t *search,
    authd_links_found_pt next)
{
    find_t  *find;

    find = call->alloc.alloc(call->alloc.ctx, sizeof(find_t));

    if (find == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    memset(find, 0, sizeof(find_t));

    find->turn.call = call;
    find->turn.step = find_step;
    find->turn.done = find_done;
    find->turn.gone = find_gone;
    find->search = *search;
    find->next = next;

    if (authd_links_finder_init(&find->finder, &find->search) != TG_OK) {
        authd_links_fault(call, 400, "q is longer than 256 bytes");
        return;
    }

    authd_links_turn(&find->turn);
}


static bool
find_step(authd_links_turn_t *turn)
{
    find_t  *find;

    find = (find_t *) turn;

    return authd_links_finder_step(&find->finder, turn->call->app->index);
}


static void
find_done(authd_links_turn_t *turn)
{
    int                   rc;
    find_t               *find;
    authd_links_found_t   found;
    authd_links_call_t   *call;

    find = (find_t *) turn;
    call = turn->call;

    rc = authd_links_finder_done(&find->finder, call->app->index, &call->alloc,
                                 &found);
    authd_links_finder_drop(&find->finder);

    if (rc != TG_OK) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    find->next(call, &found);
}


static void
find_gone(authd_links_turn_t *turn)
{
    authd_links_finder_drop(&((find_t *) turn)->finder);
}
