
/*
 * Copyright (C) The Tailgate authors
 *
 * The links that are nearest to names which were asked for lately: the same few
 * names are asked for again and again (a favicon, a link that somebody wrote
 * down wrong), and to find what is near takes longer than the page around it.
 */

#ifndef AUTHD_LINKS_NEARBY_H_INCLUDED_
#define AUTHD_LINKS_NEARBY_H_INCLUDED_

#include "authd/app/links/index.h"


#define AUTHD_LINKS_NEARBY_NAMES  64
#define AUTHD_LINKS_NEARBY_NAME   64   /* bytes; a longer one is not kept */


typedef struct {
    char                  id[AUTHD_LINKS_NEARBY_NAME];
    size_t                len;         /* 0: free */
    authd_links_entry_t  *entries[TG_LINK_NEAR_MAX];
    size_t                n;
} authd_links_nearby_name_t;

/* Begins as zeroes. */

typedef struct {
    uint64_t                   generation;     /* of the index */
    authd_links_nearby_name_t  names[AUTHD_LINKS_NEARBY_NAMES];
} authd_links_nearby_t;


/*
 * Puts the entries nearest to id (a folded name) into entries, the nearest
 * first, and returns how many these are.
 */

size_t authd_links_nearby(authd_links_nearby_t *nearby,
    const authd_links_index_t *index, tg_str_t id,
    authd_links_entry_t *entries[TG_LINK_NEAR_MAX]);


#endif /* AUTHD_LINKS_NEARBY_H_INCLUDED_ */
