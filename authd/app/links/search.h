
/*
 * Copyright (C) The Tailgate authors
 *
 * Lists of links: which of them, in which order, and which part of that.
 */

#ifndef AUTHD_LINKS_SEARCH_H_INCLUDED_
#define AUTHD_LINKS_SEARCH_H_INCLUDED_

#include "authd/app/links/index.h"


#define AUTHD_LINKS_TERMS_MAX  16


typedef enum {
    AUTHD_LINKS_BY_MATCH = 0,      /* with words; without, by name */
    AUTHD_LINKS_BY_NAME,
    AUTHD_LINKS_BY_CLICKS,
    AUTHD_LINKS_BY_EDITED
} authd_links_sort_t;

/*
 * All words of text have to occur in name, URL, description or tags, whatever
 * their case.  owner is the login or group that owns, or one of the owners;
 * has_owner with an empty one: nobody's.  Former names are listed nowhere.
 */

typedef struct {
    tg_str_t             text;
    tg_str_t             owner;
    tg_str_t             tag;
    bool                 has_owner;
    authd_links_sort_t   sort;
    size_t               offset;
    size_t               limit;
} authd_links_search_t;

typedef struct {
    authd_links_entry_t  **items;  /* in alloc */
    size_t                 n;
    size_t                 total;
    bool                   more;
} authd_links_found_t;

/* TG_OK or TG_ERR_NOMEM. */

int authd_links_search(const authd_links_index_t *index,
    const authd_links_search_t *search, const tg_alloc_t *alloc,
    authd_links_found_t *found);


#endif /* AUTHD_LINKS_SEARCH_H_INCLUDED_ */
