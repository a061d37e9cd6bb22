
/*
 * Copyright (C) The Tailgate authors
 *
 * Clicks that the store was not given yet.
 */

#ifndef AUTHD_LINKS_FRESH_H_INCLUDED_
#define AUTHD_LINKS_FRESH_H_INCLUDED_

#include "authd/app/links/index.h"


/* Zeroed it is empty. */

typedef struct {
    authd_links_entry_t   **dirty;     /* room for all */
    size_t                  ndirty;
    size_t                  dirty_size;
    authd_store_clicks_t   *orphans;   /* of links that went */
    size_t                  norphans;
    size_t                  orphans_size;
} authd_links_fresh_t;


/* For n links in all: a click then allocates nothing. */

bool authd_links_fresh_room(authd_links_fresh_t *fresh, size_t n);
void authd_links_fresh_free(authd_links_fresh_t *fresh);

void authd_links_fresh_click(authd_links_fresh_t *fresh,
    authd_links_entry_t *entry);

/* The entry's uid is no more its own; out of memory its clicks are lost. */

void authd_links_fresh_orphan(authd_links_fresh_t *fresh,
    authd_links_entry_t *entry);

size_t authd_links_fresh_take(authd_links_fresh_t *fresh,
    authd_store_clicks_t *clicks, size_t max, int32_t day);
size_t authd_links_fresh_n(const authd_links_fresh_t *fresh);


#endif /* AUTHD_LINKS_FRESH_H_INCLUDED_ */
