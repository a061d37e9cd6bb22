
/*
 * Copyright (C) The Tailgate authors
 *
 * Work on all links, in steps: one step in a turn of the loop, whose it may
 * be, so that redirects are answered between them however many links there are
 * and however many ask.
 */

#ifndef AUTHD_LINKS_TURN_H_INCLUDED_
#define AUTHD_LINKS_TURN_H_INCLUDED_

#include "authd/app/links/app.h"
#include "authd/app/links/search.h"


/*
 * step(): whether there is more to do.  done() is called after the last, and
 * answers; gone() instead of it when the client is gone: it frees what is not
 * the call's.  The turn lives in the call.
 */

struct authd_links_turn_s {
    authd_links_call_t    *call;
    bool                 (*step)(authd_links_turn_t *turn);
    void                 (*done)(authd_links_turn_t *turn);
    void                 (*gone)(authd_links_turn_t *turn);
    authd_links_turn_t    *next;       /* the rest is turn.c's */
};

/* The first step is done at once if nobody else is at it. */

void authd_links_turn(authd_links_turn_t *turn);


/*
 * A search by a call: next() gets what was found, and the call's data as it
 * was.  search is copied, not its strings.
 */

typedef void (*authd_links_found_pt)(authd_links_call_t *call,
    const authd_links_found_t *found);

void authd_links_find(authd_links_call_t *call,
    const authd_links_search_t *search, authd_links_found_pt next);


#endif /* AUTHD_LINKS_TURN_H_INCLUDED_ */
