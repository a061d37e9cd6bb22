
/*
 * Copyright (C) The Tailgate authors
 *
 * All links in memory: by id in a hash table, by name in order.  A link is an
 * immutable record with its template compiled; a save puts another one in its
 * place, in one step between two requests, so that a redirect takes no lock,
 * asks no disk and sees one of the two.
 *
 * It lives in the loop's thread.
 */

#ifndef AUTHD_LINKS_INDEX_H_INCLUDED_
#define AUTHD_LINKS_INDEX_H_INCLUDED_

#include "authd/app/links/filter.h"
#include "authd/store/store.h"

#include <tailgate/golink.h>


typedef struct authd_links_index_s  authd_links_index_t;

typedef struct {
    authd_record_t  *record;
    tg_link_t       *program;  /* NULL: a plain link, or one that is broken */
    uint64_t         clicks;   /* of all days, fresh ones included */
    uint32_t         fresh;    /* not yet given to the store */
    uint32_t         dirty;    /* place in the list of those, from 1; or 0 */
    uint32_t         alias;    /* the same in that of former names */
} authd_links_entry_t;


/* NULL when out of memory or random bytes. */

authd_links_index_t *authd_links_index_new(void);
void authd_links_index_free(authd_links_index_t **index);

/* Forgets all links, but not the clicks that the store was not given. */

void authd_links_index_clear(authd_links_index_t *index);

/*
 * What the store tells: puts, replaces or takes away.  False when out of
 * memory: the index is then as it was.
 */

bool authd_links_index_news(authd_links_index_t *index,
    const authd_store_news_t *news);

size_t authd_links_index_n(const authd_links_index_t *index);

/* Changes with every change of a link. */

uint64_t authd_links_index_generation(const authd_links_index_t *index);

/* The link of an id, or NULL. */

authd_links_entry_t *authd_links_index_get(const authd_links_index_t *index,
    tg_str_t id);

/* The same, for whoever has reckoned the hash: see hash.h. */

authd_links_entry_t *authd_links_index_hashed(
    const authd_links_index_t *index, tg_str_t id, uint64_t hash);
uint64_t authd_links_index_base(const authd_links_index_t *index);

/* Which hashes need not be looked for; valid until the index changes. */

const authd_links_filter_t *authd_links_index_filter(
    const authd_links_index_t *index);

/* The same of a name in any spelling. */

authd_links_entry_t *authd_links_index_named(const authd_links_index_t *index,
    tg_str_t name);

/*
 * In the order of names, bytewise: the link at a place from 0, or NULL behind
 * the last.  authd_links_index_place() is the place of the first link that is
 * not before name.
 */

authd_links_entry_t *authd_links_index_at(const authd_links_index_t *index,
    size_t place);
size_t authd_links_index_place(const authd_links_index_t *index,
    tg_str_t name);

/*
 * Calls cb for each link from a place on, in order, until it returns false.
 * cb must not change the index.
 */

typedef bool (*authd_links_each_pt)(authd_links_entry_t *entry, void *data);

void authd_links_index_each(const authd_links_index_t *index, size_t place,
    authd_links_each_pt cb, void *data);

/*
 * Calls cb for n links before name and n from there on, in order, or for 2 * n
 * from the first on, as long as it returns true.
 */

void authd_links_index_around(const authd_links_index_t *index, tg_str_t name,
    size_t n, authd_links_each_pt cb, void *data);

/*
 * All links in steps, between which the index may change: a link that comes or
 * goes meanwhile may or may not be seen, the others are, once.  A step goes on
 * behind the link that ended the last; false: there are no more.  A zeroed
 * cursor is at the first link.
 */

typedef struct {
    authd_record_t  *last;         /* what ended a step; NULL: nothing yet */
} authd_links_cursor_t;

bool authd_links_index_step(const authd_links_index_t *index,
    authd_links_cursor_t *cursor, authd_links_each_pt cb, void *data);
void authd_links_cursor_drop(authd_links_cursor_t *cursor);

/* The n-th former name, from 0; NULL behind the last. */

authd_links_entry_t *authd_links_index_alias(const authd_links_index_t *index,
    size_t n);

/*
 * The links that are followed most, and those that were changed last, by name
 * among equals, without former names: *n of them, at most AUTHD_LINKS_TOP_MAX.
 * Valid until the index changes or a click is counted.
 */

#define AUTHD_LINKS_TOP_MAX  200

authd_links_entry_t **authd_links_index_popular(authd_links_index_t *index,
    size_t *n);
authd_links_entry_t **authd_links_index_recent(authd_links_index_t *index,
    size_t *n);

/*
 * The links that are nearest to an id that is unknown: of the data of near's
 * items each is an entry.
 */

void authd_links_index_near(const authd_links_index_t *index, tg_str_t id,
    tg_link_near_t *near);


/*
 * Clicks.  authd_links_index_click() counts one; it allocates nothing.
 * authd_links_index_counted() says how many the store has of a link.
 *
 * authd_links_index_fresh() hands out what was counted since the last time, at
 * most max counts, for the store to add to day; authd_links_index_unfresh()
 * takes counts back that the store did not take.  That changes no totals.
 */

void authd_links_index_click(authd_links_index_t *index,
    authd_links_entry_t *entry);
void authd_links_index_counted(authd_links_index_t *index,
    authd_links_entry_t *entry, uint64_t clicks);
size_t authd_links_index_fresh(authd_links_index_t *index,
    authd_store_clicks_t *clicks, size_t max, int32_t day);
size_t authd_links_index_nfresh(const authd_links_index_t *index);


#endif /* AUTHD_LINKS_INDEX_H_INCLUDED_ */
