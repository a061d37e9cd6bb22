
/*
 * Copyright (C) The Tailgate authors
 *
 * The links that are followed most and those that were changed last: two lists
 * that are kept right by each change and each click, so that to read them is
 * no look at all links.
 */

#ifndef AUTHD_LINKS_TOP_H_INCLUDED_
#define AUTHD_LINKS_TOP_H_INCLUDED_

#include "authd/app/links/order.h"


/*
 * More are kept than are given away: a link that leaves a list says nothing
 * about who comes next.  Only when so many have left that too few are there,
 * all links are looked at.
 */

#define AUTHD_LINKS_TOP_KEPT  (2 * AUTHD_LINKS_TOP_MAX)

typedef struct {
    authd_links_entry_t   *items[AUTHD_LINKS_TOP_KEPT];
    size_t                 n;      /* none that is not here is before these */
} authd_links_best_t;

/* Zeroed it is empty. */

typedef struct {
    authd_links_best_t     popular;
    authd_links_best_t     recent;
    size_t                 nlinks; /* all, of which these are the best */
} authd_links_top_t;


/* Of a link that is no former name: with the record and clicks it has. */

void authd_links_top_add(authd_links_top_t *top, authd_links_entry_t *entry);

/* Before its record or clicks change, or it goes. */

void authd_links_top_remove(authd_links_top_t *top,
    const authd_links_entry_t *entry);

/* One click more. */

void authd_links_top_clicked(authd_links_top_t *top,
    authd_links_entry_t *entry);

void authd_links_top_clear(authd_links_top_t *top);

/* *n of them, at most AUTHD_LINKS_TOP_MAX.  order has all links. */

authd_links_entry_t **authd_links_top_popular(authd_links_top_t *top,
    const authd_links_order_t *order, size_t *n);
authd_links_entry_t **authd_links_top_recent(authd_links_top_t *top,
    const authd_links_order_t *order, size_t *n);


#endif /* AUTHD_LINKS_TOP_H_INCLUDED_ */
