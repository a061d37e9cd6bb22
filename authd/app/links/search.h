
/*
 * Copyright (C) The Tailgate authors
 *
 * Lists of links: which of them, in which order, and which part of that.
 */

#ifndef AUTHD_LINKS_SEARCH_H_INCLUDED_
#define AUTHD_LINKS_SEARCH_H_INCLUDED_

#include "authd/app/links/index.h"


#define AUTHD_LINKS_TEXT_MAX   256
#define AUTHD_LINKS_TERMS_MAX  (AUTHD_LINKS_TEXT_MAX / 2)


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

/*
 * A search in steps, each of which looks at some half a megabyte of links.
 * Between them the index may change: of what was found, a link that is gone in
 * the end is left out.
 *
 * authd_links_finder_init(): TG_OK; TG_ERR_LIMIT if the text is longer than
 * AUTHD_LINKS_TEXT_MAX; the strings of search stay the caller's.
 *
 * authd_links_finder_step(): whether there is more to do.
 *
 * authd_links_finder_done() gives what was found, TG_OK or TG_ERR_NOMEM.
 * authd_links_finder_drop() is called whatever happened.
 */

typedef struct authd_links_hit_s  authd_links_hit_t;

typedef struct {
    const authd_links_search_t  *search;
    uint32_t                     chars[AUTHD_LINKS_TEXT_MAX];
    struct {
        const uint32_t          *chars;
        size_t                   n;
    }                            terms[AUTHD_LINKS_TERMS_MAX];
    size_t                       nterms;
    size_t                       weight;    /* of a byte that is searched */
    char                         id[TG_LINK_NAME_MAX];
    size_t                       id_len;
    authd_links_hit_t           *hits;      /* with an order a heap, the last
                                               of them first */
    size_t                       n;
    size_t                       size;
    size_t                       total;
    size_t                       seen;
    size_t                       work;      /* of this step */
    authd_links_cursor_t         cursor;
    bool                         ordered;   /* other than by name */
    bool                         failed;
} authd_links_finder_t;

int authd_links_finder_init(authd_links_finder_t *finder,
    const authd_links_search_t *search);
bool authd_links_finder_step(authd_links_finder_t *finder,
    const authd_links_index_t *index);
int authd_links_finder_done(authd_links_finder_t *finder,
    const authd_links_index_t *index, const tg_alloc_t *alloc,
    authd_links_found_t *found);
void authd_links_finder_drop(authd_links_finder_t *finder);


#endif /* AUTHD_LINKS_SEARCH_H_INCLUDED_ */
