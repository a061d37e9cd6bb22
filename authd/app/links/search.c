
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/search.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* What a step looks at, in bytes; a link costs some whatever is in it. */

#define STEP  (512 * 1024)
#define LINK  128

/*
 * Where most of a word occurs over and over, each of its characters is looked
 * at for each of a text: so many are done for what one byte is reckoned.
 */

#define WORD  16


/* How well a link matches: the smaller, the better. */

enum {
    MATCH_EXACT = 0,
    MATCH_PREFIX,
    MATCH_NAME,
    MATCH_OTHER
};

struct authd_links_hit_s {
    authd_record_t  *record;
    uint64_t         key;          /* clicks, or when it was edited */
    size_t           place;        /* by name */
    int              match;
};


static bool is_blank(uint32_t c);
static bool each(authd_links_entry_t *entry, void *data);
static size_t weight(const authd_links_finder_t *finder);
static uint64_t when(int64_t seconds);
static int match(const authd_links_finder_t *finder, const authd_link_t *link);
static bool holds(const authd_links_finder_t *finder, tg_str_t in,
    size_t term);
static bool owns(const authd_links_search_t *search,
    const authd_link_t *link);
static void hit_keep(authd_links_finder_t *finder,
    const authd_links_hit_t *hit);
static bool hits_room(authd_links_finder_t *finder);
static void heap_up(authd_links_hit_t *hits, size_t at);
static void heap_down(authd_links_hit_t *hits, size_t n, size_t at);
static bool is_before(const authd_links_hit_t *x, const authd_links_hit_t *y);


int
authd_links_finder_init(authd_links_finder_t *finder,
    const authd_links_search_t *search)
{
    size_t    i, n, from;
    tg_str_t  name;

    memset(finder, 0, sizeof(authd_links_finder_t));

    finder->search = search;

    if (search->text.len > AUTHD_LINKS_TEXT_MAX) {
        return TG_ERR_LIMIT;
    }

    n = tg_link_fold(search->text, finder->chars);

    for (i = 0; i < n; i++) {

        if (is_blank(finder->chars[i])) {
            continue;
        }

        for (from = i; i < n && !is_blank(finder->chars[i]); i++) {
            /* void */
        }

        finder->terms[finder->nterms].chars = &finder->chars[from];
        finder->terms[finder->nterms++].n = i - from;
    }

    if (finder->nterms == 1) {
        name = search->text;

        while (name.len != 0 && is_blank((uint32_t) name.data[0])) {
            name.data++;
            name.len--;
        }

        while (name.len != 0 && is_blank((uint32_t) name.data[name.len - 1])) {
            name.len--;
        }

        finder->id_len = tg_link_id(name, finder->id);
    }

    finder->weight = weight(finder);
    finder->ordered = search->sort > AUTHD_LINKS_BY_NAME
                      || (search->sort == AUTHD_LINKS_BY_MATCH
                          && finder->nterms != 0);

    return TG_OK;
}


bool
authd_links_finder_step(authd_links_finder_t *finder,
    const authd_links_index_t *index)
{
    finder->work = 0;

    return authd_links_index_step(index, &finder->cursor, each, finder)
           && !finder->failed;
}


/* Of a heap the last comes out first: only as many as are asked for. */

int
authd_links_finder_done(authd_links_finder_t *finder,
    const authd_links_index_t *index, const tg_alloc_t *alloc,
    authd_links_found_t *found)
{
    size_t                i, n;
    tg_str_t              id;
    authd_links_hit_t     hit;
    authd_links_entry_t  *entry;

    memset(found, 0, sizeof(authd_links_found_t));

    if (finder->ordered) {
        n = finder->n > finder->search->offset
            ? finder->n - finder->search->offset : 0;

    } else {
        n = finder->n;
    }

    found->items = alloc->alloc(alloc->ctx,
                                (n + 1) * sizeof(authd_links_entry_t *));

    if (finder->failed || found->items == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = n; finder->ordered && i > 0; i--) {
        hit = finder->hits[0];
        finder->hits[0] = finder->hits[--finder->n];
        heap_down(finder->hits, finder->n, 0);
        finder->hits[finder->n] = hit;
    }

    for (i = 0; i < n; i++) {
        id = authd_record_id(finder->hits[finder->ordered ? finder->n + i
                                                          : i].record);
        entry = authd_links_index_get(index, id);

        if (entry != NULL) {
            found->items[found->n++] = entry;
        }
    }

    finder->n = finder->ordered ? finder->n + n : n;
    found->total = finder->total;
    found->more = finder->search->offset + n < finder->total;

    return TG_OK;
}


void
authd_links_finder_drop(authd_links_finder_t *finder)
{
    size_t  i;

    for (i = 0; i < finder->n; i++) {
        authd_record_drop(&finder->hits[i].record);
    }

    free(finder->hits);
    authd_links_cursor_drop(&finder->cursor);

    finder->hits = NULL;
    finder->n = 0;
}


static bool
is_blank(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x3000;
}


static bool
each(authd_links_entry_t *entry, void *data)
{
    int                          rank;
    authd_link_t                 link;
    authd_links_hit_t            hit;
    authd_links_finder_t        *finder;
    const authd_links_search_t  *search;

    finder = data;
    search = finder->search;

    authd_record_link(entry->record, &link);

    finder->seen++;
    finder->work += LINK;

    if (link.alias.len != 0 || !owns(search, &link)
        || (search->tag.len != 0 && !authd_list_has(link.tags, search->tag)))
    {
        return finder->work < STEP;
    }

    finder->work += finder->weight * (link.name.len + link.url.len
                                      + link.description.len + link.tags.len);
    rank = match(finder, &link);

    if (rank >= 0) {
        hit.record = entry->record;
        hit.place = finder->seen;
        hit.match = search->sort == AUTHD_LINKS_BY_MATCH ? rank : 0;
        hit.key = search->sort == AUTHD_LINKS_BY_EDITED
                  ? when(link.edited) : entry->clicks;

        hit_keep(finder, &hit);
        finder->total++;
    }

    return finder->work < STEP && !finder->failed;
}


/* How often a text is looked at, at most. */

static size_t
weight(const authd_links_finder_t *finder)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < finder->nterms; i++) {
        n += (finder->terms[i].n + WORD - 1) / WORD;
    }

    return n;
}


/* In the order of time: golink's "not known" is before 1970. */

static uint64_t
when(int64_t seconds)
{
    return (uint64_t) seconds ^ (UINT64_C(1) << 63);
}


/* -1: not at all. */

static int
match(const authd_links_finder_t *finder, const authd_link_t *link)
{
    bool    in_name;
    size_t  i;

    if (finder->nterms == 0) {
        return MATCH_OTHER;
    }

    if (finder->id_len != 0 && link->id.len == finder->id_len
        && memcmp(link->id.data, finder->id, finder->id_len) == 0)
    {
        return MATCH_EXACT;
    }

    in_name = true;

    for (i = 0; i < finder->nterms; i++) {

        if (holds(finder, link->name, i)) {
            continue;
        }

        in_name = false;

        if (!holds(finder, link->url, i)
            && !holds(finder, link->description, i)
            && !holds(finder, link->tags, i))
        {
            return -1;
        }
    }

    if (!in_name) {
        return MATCH_OTHER;
    }

    return tg_link_begins(link->name, finder->terms[0].chars,
                          finder->terms[0].n)
           ? MATCH_PREFIX : MATCH_NAME;
}


static bool
holds(const authd_links_finder_t *finder, tg_str_t in, size_t term)
{
    return tg_link_holds(in, finder->terms[term].chars, finder->terms[term].n);
}


/* As golink has it: logins are compared without case. */

static bool
owns(const authd_links_search_t *search, const authd_link_t *link)
{
    tg_str_t  list, item;

    if (!search->has_owner) {
        return true;
    }

    if (search->owner.len == 0) {
        return link->owner.len == 0 && link->owners.len == 0;
    }

    if (tgi_str_equal_nocase(search->owner, link->owner)) {
        return true;
    }

    list = link->owners;

    while (authd_list_next(&list, &item)) {
        if (tgi_str_equal_nocase(search->owner, item)) {
            return true;
        }
    }

    return false;
}


/* No more than the page that is asked for and what is before it. */

static void
hit_keep(authd_links_finder_t *finder, const authd_links_hit_t *hit)
{
    size_t  max;

    max = finder->search->offset + finder->search->limit;

    if (finder->ordered && finder->n == max) {

        if (max == 0 || !is_before(hit, &finder->hits[0])) {
            return;
        }

        authd_record_drop(&finder->hits[0].record);
        finder->hits[0] = *hit;
        (void) authd_record_hold(hit->record);
        heap_down(finder->hits, finder->n, 0);

        return;
    }

    if ((!finder->ordered && (finder->total < finder->search->offset
                              || finder->total >= max))
        || !hits_room(finder))
    {
        return;
    }

    finder->hits[finder->n++] = *hit;
    (void) authd_record_hold(hit->record);

    if (finder->ordered) {
        heap_up(finder->hits, finder->n - 1);
    }
}


static bool
hits_room(authd_links_finder_t *finder)
{
    size_t              more;
    authd_links_hit_t  *hits;

    if (finder->n < finder->size) {
        return true;
    }

    more = finder->size ? finder->size * 2 : 256;
    hits = reallocarray(finder->hits, more, sizeof(authd_links_hit_t));

    if (hits == NULL) {
        finder->failed = true;
        return false;
    }

    finder->hits = hits;
    finder->size = more;

    return true;
}


static void
heap_up(authd_links_hit_t *hits, size_t at)
{
    size_t             parent;
    authd_links_hit_t  hit;

    hit = hits[at];

    for ( /* void */ ; at > 0; at = parent) {
        parent = (at - 1) / 2;

        if (!is_before(&hits[parent], &hit)) {
            break;
        }

        hits[at] = hits[parent];
    }

    hits[at] = hit;
}


static void
heap_down(authd_links_hit_t *hits, size_t n, size_t at)
{
    size_t             child;
    authd_links_hit_t  hit;

    if (n == 0) {
        return;
    }

    hit = hits[at];

    for (child = 2 * at + 1; child < n; child = 2 * at + 1) {

        if (child + 1 < n && is_before(&hits[child], &hits[child + 1])) {
            child++;
        }

        if (!is_before(&hit, &hits[child])) {
            break;
        }

        hits[at] = hits[child];
        at = child;
    }

    hits[at] = hit;
}


static bool
is_before(const authd_links_hit_t *x, const authd_links_hit_t *y)
{
    if (x->match != y->match) {
        return x->match < y->match;
    }

    if (x->key != y->key) {
        return x->key > y->key;
    }

    return x->place < y->place;
}
