
/*
 * Copyright (C) The Tailgate authors
 *
 * The names that are nearest to one that is unknown.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"

#include <string.h>


#define NEAR_SHORT   5          /* shorter than this: one edit at most */
#define NEAR_PREFIX  3          /* so much begins another name */


static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}


/*
 * Optimal string alignment over three rows, of which only the diagonal band
 * of max cells to each side can stay within max.
 */

unsigned
tg_link_distance(tg_str_t a, tg_str_t b, unsigned max)
{
    size_t     i, j, from, to;
    unsigned   d, best, *row, *above, *two, *free_row;
    unsigned   rows[3][TG_LINK_NAME_MAX + 1];

    if (a.len > TG_LINK_NAME_MAX || b.len > TG_LINK_NAME_MAX) {
        return max + 1;
    }

    if (a.len > b.len + max || b.len > a.len + max) {
        return max + 1;
    }

    two = rows[0];
    above = rows[1];
    row = rows[2];

    for (j = 0; j <= b.len; j++) {
        above[j] = (unsigned) j;
    }

    for (i = 1; i <= a.len; i++) {
        from = i > max ? i - max : 1;
        to = i + max < b.len ? i + max : b.len;

        row[0] = (unsigned) i;
        best = from > 1 ? max + 1 : row[0];

        if (from > 1) {
            row[from - 1] = max + 1;
        }

        for (j = from; j <= to; j++) {
            d = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            d = least(d, row[j - 1] + 1);

            /* the row above has no cell at the band's far end */

            if (j < i + max) {
                d = least(d, above[j] + 1);
            }

            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2]
                && a.data[i - 2] == b.data[j - 1])
            {
                d = least(d, two[j - 2] + 1);
            }

            row[j] = d;
            best = least(best, d);
        }

        if (best > max) {
            return max + 1;
        }

        free_row = two;
        two = above;
        above = row;
        row = free_row;
    }

    return least(above[b.len], max + 1);
}


/* Which of 64 classes of letters occur. */

static uint64_t
letters(const char *data, size_t len)
{
    size_t    i;
    uint64_t  set;

    set = 0;

    for (i = 0; i < len; i++) {
        set |= UINT64_C(1) << ((unsigned char) data[i] & 63);
    }

    return set;
}


/* More letters of either that the other lacks than max edits can mend: one
 * edit takes away one letter and brings in one. */

static bool
differ(uint64_t a, uint64_t b, unsigned max)
{
    return __builtin_popcountll(a & ~b) > (int) max
           || __builtin_popcountll(b & ~a) > (int) max;
}


void
tg_link_near_init(tg_link_near_t *near, tg_str_t id)
{
    memset(near, 0, sizeof(tg_link_near_t));

    if (id.len == 0 || id.len > TG_LINK_NAME_MAX) {
        return;
    }

    memcpy(near->id, id.data, id.len);
    near->len = id.len;
    near->letters = letters(id.data, id.len);
    near->bound = id.len < NEAR_SHORT ? 1 : 2;
}


/* The distance of an id, or more than bound + 1; one that begins with what
 * was asked for is bound + 1 away. */

static unsigned
measure(const tg_link_near_t *near, tg_str_t id)
{
    unsigned  d;
    tg_str_t  own;

    own.data = near->id;
    own.len = near->len;

    d = near->bound + 2;

    if (id.len <= own.len + near->bound && own.len <= id.len + near->bound
        && !differ(near->letters, letters(id.data, id.len), near->bound))
    {
        d = tg_link_distance(own, id, near->bound);

        if (d <= near->bound) {
            /* nothing of a name of one letter would be left */
            return d < own.len ? d : near->bound + 2;
        }

        d = near->bound + 2;
    }

    if (own.len >= NEAR_PREFIX && id.len > own.len
        && memcmp(id.data, own.data, own.len) == 0)
    {
        d = near->bound + 1;
    }

    return d;
}


static bool
precedes(const tg_link_near_item_t *a, const tg_link_near_item_t *b)
{
    int     order;
    size_t  len;

    if (a->distance != b->distance) {
        return a->distance < b->distance;
    }

    len = a->id.len < b->id.len ? a->id.len : b->id.len;
    order = memcmp(a->id.data, b->id.data, len);

    return order < 0 || (order == 0 && a->id.len < b->id.len);
}


void
tg_link_near_add(tg_link_near_t *near, tg_str_t id, const void *data)
{
    size_t               i;
    tg_link_near_item_t  item;

    if (near->len == 0 || id.len == 0) {
        return;
    }

    item.id = id;
    item.data = data;
    item.distance = measure(near, id);

    if (item.distance > near->bound + 1) {
        return;
    }

    for (i = near->nitems; i > 0 && precedes(&item, &near->items[i - 1]); i--)
    {
        if (i < TG_LINK_NEAR_MAX) {
            near->items[i] = near->items[i - 1];
        }
    }

    if (i == TG_LINK_NEAR_MAX) {
        return;
    }

    near->items[i] = item;

    if (near->nitems < TG_LINK_NEAR_MAX) {
        near->nitems++;
    }
}
