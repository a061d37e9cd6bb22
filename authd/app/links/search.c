
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/search.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* How well a link matches: the smaller, the better. */

enum {
    MATCH_EXACT = 0,
    MATCH_PREFIX,
    MATCH_NAME,
    MATCH_OTHER
};

typedef struct {
    authd_links_entry_t  *entry;
    uint64_t              key;     /* clicks, or when it was edited */
    size_t                place;   /* by name */
    int                   match;
} hit_t;

typedef struct {
    const authd_links_search_t  *search;
    char                         text[256];    /* lower case */
    tg_str_t                     terms[AUTHD_LINKS_TERMS_MAX];
    size_t                       nterms;
    char                         id[TG_LINK_NAME_MAX];
    size_t                       id_len;
    hit_t                       *hits;
    size_t                       n;
    size_t                       size;
    size_t                       place;
    bool                         failed;
} state_t;


static void state_init(state_t *state, const authd_links_search_t *search);
static bool each(authd_links_entry_t *entry, void *data);
static int match(const state_t *state, const authd_link_t *link);
static bool owns(const authd_links_search_t *search,
    const authd_link_t *link);
static bool contains(tg_str_t in, tg_str_t term);
static bool starts(tg_str_t in, tg_str_t term);
static int compare(const void *a, const void *b);


int
authd_links_search(const authd_links_index_t *index,
    const authd_links_search_t *search, const tg_alloc_t *alloc,
    authd_links_found_t *found)
{
    int      rc;
    size_t   i, from;
    state_t  state;

    rc = TG_ERR_NOMEM;

    memset(found, 0, sizeof(authd_links_found_t));
    state_init(&state, search);

    authd_links_index_each(index, 0, each, &state);

    if (state.failed) {
        goto out;
    }

    if (state.n != 0
        && (search->sort > AUTHD_LINKS_BY_NAME
            || (search->sort == AUTHD_LINKS_BY_MATCH && state.nterms != 0)))
    {
        qsort(state.hits, state.n, sizeof(hit_t), compare);
    }

    from = search->offset < state.n ? search->offset : state.n;

    found->total = state.n;
    found->n = state.n - from < search->limit ? state.n - from
                                              : search->limit;
    found->more = from + found->n < state.n;
    found->items = alloc->alloc(alloc->ctx, (found->n + 1)
                                            * sizeof(authd_links_entry_t *));

    if (found->items == NULL) {
        goto out;
    }

    for (i = 0; i < found->n; i++) {
        found->items[i] = state.hits[from + i].entry;
    }

    rc = TG_OK;

out:

    free(state.hits);

    return rc;
}


static void
state_init(state_t *state, const authd_links_search_t *search)
{
    size_t    i, len;
    tg_str_t  term;

    memset(state, 0, sizeof(state_t));

    state->search = search;

    len = search->text.len < sizeof(state->text) ? search->text.len
                                                 : sizeof(state->text);

    for (i = 0; i < len; i++) {
        state->text[i] = tgi_lower(search->text.data[i]);
    }

    for (i = 0; i < len && state->nterms < AUTHD_LINKS_TERMS_MAX; /* void */) {

        if (state->text[i] == ' ') {
            i++;
            continue;
        }

        term.data = &state->text[i];

        for (term.len = 0; i < len && state->text[i] != ' '; i++) {
            term.len++;
        }

        state->terms[state->nterms++] = term;
    }

    if (state->nterms == 1) {
        state->id_len = tg_link_id(state->terms[0], state->id);
    }
}


static bool
each(authd_links_entry_t *entry, void *data)
{
    int            rank;
    hit_t         *hit, *hits;
    size_t         more;
    state_t       *state;
    authd_link_t   link;

    state = data;
    state->place++;

    authd_record_link(entry->record, &link);

    if (link.alias.len != 0 || !owns(state->search, &link)
        || (state->search->tag.len != 0
            && !authd_list_has(link.tags, state->search->tag)))
    {
        return true;
    }

    rank = match(state, &link);

    if (rank < 0) {
        return true;
    }

    if (state->n == state->size) {
        more = state->size ? state->size * 2 : 256;
        hits = reallocarray(state->hits, more, sizeof(hit_t));

        if (hits == NULL) {
            state->failed = true;
            return false;
        }

        state->hits = hits;
        state->size = more;
    }

    hit = &state->hits[state->n++];

    hit->entry = entry;
    hit->place = state->place;
    hit->match = state->search->sort == AUTHD_LINKS_BY_MATCH ? rank : 0;
    hit->key = state->search->sort == AUTHD_LINKS_BY_EDITED
               ? (uint64_t) link.edited
               : entry->clicks;

    return true;
}


/* -1: not at all. */

static int
match(const state_t *state, const authd_link_t *link)
{
    size_t           i;
    bool             in_name;
    const tg_str_t  *term;

    in_name = true;

    for (i = 0; i < state->nterms; i++) {
        term = &state->terms[i];

        if (contains(link->name, *term)) {
            continue;
        }

        in_name = false;

        if (!contains(link->url, *term) && !contains(link->description, *term)
            && !contains(link->tags, *term))
        {
            return -1;
        }
    }

    if (state->nterms == 0) {
        return MATCH_OTHER;
    }

    if (state->id_len != 0 && link->id.len == state->id_len
        && memcmp(link->id.data, state->id, state->id_len) == 0)
    {
        return MATCH_EXACT;
    }

    if (!in_name) {
        return MATCH_OTHER;
    }

    return starts(link->name, state->terms[0]) ? MATCH_PREFIX : MATCH_NAME;
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


/* term is lower case. */

static bool
contains(tg_str_t in, tg_str_t term)
{
    size_t  i, k;

    for (i = 0; i + term.len <= in.len; i++) {

        for (k = 0; k < term.len && tgi_lower(in.data[i + k]) == term.data[k];
             k++)
        {
            /* void */
        }

        if (k == term.len) {
            return true;
        }
    }

    return false;
}


static bool
starts(tg_str_t in, tg_str_t term)
{
    return in.len >= term.len
           && contains((tg_str_t) { in.data, term.len }, term);
}


static int
compare(const void *a, const void *b)
{
    const hit_t  *x, *y;

    x = a;
    y = b;

    if (x->match != y->match) {
        return x->match < y->match ? -1 : 1;
    }

    if (x->key != y->key) {
        return x->key > y->key ? -1 : 1;
    }

    return x->place < y->place ? -1 : 1;
}
