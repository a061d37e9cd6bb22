
/*
 * Copyright (C) The Tailgate authors
 *
 * Links in the order of their names, bytewise: pieces of a sorted array, so
 * that a link more or less moves little.
 */

#ifndef AUTHD_LINKS_ORDER_H_INCLUDED_
#define AUTHD_LINKS_ORDER_H_INCLUDED_

#include "authd/app/links/index.h"


#define AUTHD_LINKS_PIECE  256

typedef struct {
    size_t                n;
    authd_links_entry_t  *items[AUTHD_LINKS_PIECE];
} authd_links_piece_t;

/* Zeroed it is empty. */

typedef struct {
    authd_links_piece_t  **pieces;
    size_t                 n;
    size_t                 size;
} authd_links_order_t;


/* False when out of memory. */

bool authd_links_order_add(authd_links_order_t *order,
    authd_links_entry_t *entry);

/* By its name of now. */

void authd_links_order_remove(authd_links_order_t *order,
    const authd_links_entry_t *entry);

authd_links_entry_t *authd_links_order_at(const authd_links_order_t *order,
    size_t place);
size_t authd_links_order_place(const authd_links_order_t *order,
    tg_str_t name);
void authd_links_order_each(const authd_links_order_t *order, size_t place,
    authd_links_each_pt cb, void *data);


/*
 * Calls cb for n links before name and n from there on, in order, or for 2 * n
 * from the first on, as long as it returns true.
 */

void authd_links_order_around(const authd_links_order_t *order, tg_str_t name,
    size_t n, authd_links_each_pt cb, void *data);

/* Below, equal to or above zero, by name. */

int authd_links_order_compare(const authd_links_entry_t *a,
    const authd_links_entry_t *b);

void authd_links_order_free(authd_links_order_t *order);


#endif /* AUTHD_LINKS_ORDER_H_INCLUDED_ */
