
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/top.h"

#include <string.h>


typedef bool (*before_pt)(const authd_links_entry_t *a,
    const authd_links_entry_t *b);

typedef struct {
    authd_links_best_t  *best;
    before_pt            before;
} look_t;


static void best_add(authd_links_best_t *best, authd_links_entry_t *entry,
    bool all, before_pt before);
static size_t best_place(const authd_links_best_t *best,
    const authd_links_entry_t *entry, before_pt before);
static void best_remove(authd_links_best_t *best,
    const authd_links_entry_t *entry, before_pt before);
static authd_links_entry_t **best_read(authd_links_best_t *best,
    const authd_links_top_t *top, const authd_links_order_t *order,
    before_pt before, size_t *n);
static bool look_each(authd_links_entry_t *entry, void *data);
static bool clicked_more(const authd_links_entry_t *a,
    const authd_links_entry_t *b);
static bool edited_later(const authd_links_entry_t *a,
    const authd_links_entry_t *b);


void
authd_links_top_add(authd_links_top_t *top, authd_links_entry_t *entry)
{
    best_add(&top->popular, entry, top->popular.n == top->nlinks,
             clicked_more);
    best_add(&top->recent, entry, top->recent.n == top->nlinks, edited_later);

    top->nlinks++;
}


void
authd_links_top_remove(authd_links_top_t *top,
    const authd_links_entry_t *entry)
{
    best_remove(&top->popular, entry, clicked_more);
    best_remove(&top->recent, entry, edited_later);

    top->nlinks--;
}


/* Its place is that of one click less. */

void
authd_links_top_clicked(authd_links_top_t *top, authd_links_entry_t *entry)
{
    size_t               at;
    authd_links_best_t  *best;

    best = &top->popular;

    if (best->n == 0 || entry->clicks < best->items[best->n - 1]->clicks) {
        return;
    }

    entry->clicks--;
    at = best_place(best, entry, clicked_more);
    entry->clicks++;

    if (at == best->n || best->items[at] != entry) {
        best_add(best, entry, false, clicked_more);
        return;
    }

    for ( /* void */ ; at > 0 && clicked_more(entry, best->items[at - 1]);
         at--)
    {
        best->items[at] = best->items[at - 1];
    }

    best->items[at] = entry;
}


void
authd_links_top_clear(authd_links_top_t *top)
{
    memset(top, 0, sizeof(authd_links_top_t));
}


authd_links_entry_t **
authd_links_top_popular(authd_links_top_t *top,
    const authd_links_order_t *order, size_t *n)
{
    return best_read(&top->popular, top, order, clicked_more, n);
}


authd_links_entry_t **
authd_links_top_recent(authd_links_top_t *top,
    const authd_links_order_t *order, size_t *n)
{
    return best_read(&top->recent, top, order, edited_later, n);
}


/*
 * What is behind the last may be behind others that are not here; unless all
 * are.
 */

static void
best_add(authd_links_best_t *best, authd_links_entry_t *entry, bool all,
    before_pt before)
{
    size_t  at;

    if ((!all || best->n == AUTHD_LINKS_TOP_KEPT)
        && (best->n == 0 || !before(entry, best->items[best->n - 1])))
    {
        return;
    }

    at = best_place(best, entry, before);

    if (best->n < AUTHD_LINKS_TOP_KEPT) {
        best->n++;
    }

    memmove(&best->items[at + 1], &best->items[at],
            (best->n - at - 1) * sizeof(authd_links_entry_t *));

    best->items[at] = entry;
}


/* The first item that is not before entry: itself, if it is there. */

static size_t
best_place(const authd_links_best_t *best, const authd_links_entry_t *entry,
    before_pt before)
{
    size_t  low, high, mid;

    low = 0;
    high = best->n;

    /* most links are behind the last */

    if (high != 0 && before(best->items[high - 1], entry)) {
        return high;
    }

    while (low < high) {
        mid = low + (high - low) / 2;

        if (before(best->items[mid], entry)) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    return low;
}


static void
best_remove(authd_links_best_t *best, const authd_links_entry_t *entry,
    before_pt before)
{
    size_t  at;

    at = best_place(best, entry, before);

    if (at == best->n || best->items[at] != entry) {
        return;
    }

    best->n--;

    memmove(&best->items[at], &best->items[at + 1],
            (best->n - at) * sizeof(authd_links_entry_t *));
}


static authd_links_entry_t **
best_read(authd_links_best_t *best, const authd_links_top_t *top,
    const authd_links_order_t *order, before_pt before, size_t *n)
{
    look_t  look;

    if (best->n < AUTHD_LINKS_TOP_MAX && best->n < top->nlinks) {
        look.best = best;
        look.before = before;

        best->n = 0;
        authd_links_order_each(order, 0, look_each, &look);
    }

    *n = best->n < AUTHD_LINKS_TOP_MAX ? best->n : AUTHD_LINKS_TOP_MAX;

    return best->items;
}


static bool
look_each(authd_links_entry_t *entry, void *data)
{
    look_t  *look;

    look = data;

    if (entry->alias == 0) {
        best_add(look->best, entry, true, look->before);
    }

    return true;
}


static bool
clicked_more(const authd_links_entry_t *a, const authd_links_entry_t *b)
{
    return a->clicks != b->clicks ? a->clicks > b->clicks
                                  : authd_links_order_compare(a, b) < 0;
}


static bool
edited_later(const authd_links_entry_t *a, const authd_links_entry_t *b)
{
    int64_t       at, other;
    authd_link_t  x, y;

    at = authd_record_edited(a->record);
    other = authd_record_edited(b->record);

    if (at != other) {
        return at > other;
    }

    authd_record_link(a->record, &x);
    authd_record_link(b->record, &y);

    return x.version != y.version ? x.version > y.version
                                  : authd_links_order_compare(a, b) < 0;
}
