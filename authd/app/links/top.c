
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/top.h"

#include <string.h>


/* Milliseconds that a list of unchanged links is good for: clicks go on. */

#define TOP_AGE   5000



typedef bool (*before_pt)(const authd_links_entry_t *a,
    const authd_links_entry_t *b);


static bool top_each(authd_links_entry_t *entry, void *data);
static void top_insert(authd_links_entry_t **items, size_t *n,
    authd_links_entry_t *entry, before_pt before);
static bool clicked_more(const authd_links_entry_t *a,
    const authd_links_entry_t *b);
static bool edited_later(const authd_links_entry_t *a,
    const authd_links_entry_t *b);


void
authd_links_top(authd_links_top_t *top, const authd_links_index_t *index,
    uint64_t now)
{
    uint64_t  generation;

    generation = authd_links_index_generation(index);

    if (top->known && top->generation == generation
        && now - top->time < TOP_AGE)
    {
        return;
    }

    top->npopular = 0;
    top->nrecent = 0;

    authd_links_index_each(index, 0, top_each, top);

    top->generation = generation;
    top->time = now;
    top->known = true;
}


static bool
top_each(authd_links_entry_t *entry, void *data)
{
    authd_link_t        link;
    authd_links_top_t  *top;

    top = data;

    authd_record_link(entry->record, &link);

    if (link.alias.len == 0) {
        top_insert(top->popular, &top->npopular, entry, clicked_more);
        top_insert(top->recent, &top->nrecent, entry, edited_later);
    }

    return true;
}


/* Entries come by name, and stay so among equals. */

static void
top_insert(authd_links_entry_t **items, size_t *n, authd_links_entry_t *entry,
    before_pt before)
{
    size_t  low, high, mid;

    if (*n == AUTHD_LINKS_TOP_MAX && !before(entry, items[*n - 1])) {
        return;
    }

    low = 0;
    high = *n;

    while (low < high) {
        mid = low + (high - low) / 2;

        if (before(entry, items[mid])) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    if (*n < AUTHD_LINKS_TOP_MAX) {
        (*n)++;
    }

    memmove(&items[low + 1], &items[low],
            (*n - low - 1) * sizeof(authd_links_entry_t *));

    items[low] = entry;
}


static bool
clicked_more(const authd_links_entry_t *a, const authd_links_entry_t *b)
{
    return a->clicks > b->clicks;
}


static bool
edited_later(const authd_links_entry_t *a, const authd_links_entry_t *b)
{
    authd_link_t  x, y;

    authd_record_link(a->record, &x);
    authd_record_link(b->record, &y);

    return x.edited != y.edited ? x.edited > y.edited
                                : x.version > y.version;
}
