
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/order.h"

#include <stdlib.h>
#include <string.h>


static tg_str_t name_of(const authd_links_entry_t *entry);
static int compare(tg_str_t a, tg_str_t b);
static size_t piece_find(const authd_links_order_t *order, tg_str_t name);
static size_t item_find(const authd_links_piece_t *piece, tg_str_t name);
static bool piece_insert(authd_links_order_t *order, size_t at);
static bool piece_split(authd_links_order_t *order, size_t at);


bool
authd_links_order_add(authd_links_order_t *order, authd_links_entry_t *entry)
{
    size_t                i, k;
    tg_str_t              name;
    authd_links_piece_t  *piece;

    name = name_of(entry);

    if (order->n == 0 && !piece_insert(order, 0)) {
        return false;
    }

    i = piece_find(order, name);

    if (order->pieces[i]->n == AUTHD_LINKS_PIECE) {

        if (!piece_split(order, i)) {
            return false;
        }

        i = piece_find(order, name);
    }

    piece = order->pieces[i];
    k = item_find(piece, name);

    memmove(&piece->items[k + 1], &piece->items[k],
            (piece->n - k) * sizeof(authd_links_entry_t *));

    piece->items[k] = entry;
    piece->n++;

    return true;
}


void
authd_links_order_remove(authd_links_order_t *order,
    const authd_links_entry_t *entry)
{
    size_t                i, k;
    tg_str_t              name;
    authd_links_piece_t  *piece;

    if (order->n == 0) {
        return;
    }

    name = name_of(entry);
    i = piece_find(order, name);
    piece = order->pieces[i];
    k = item_find(piece, name);

    if (k == piece->n || piece->items[k] != entry) {
        return;
    }

    piece->n--;

    memmove(&piece->items[k], &piece->items[k + 1],
            (piece->n - k) * sizeof(authd_links_entry_t *));

    if (piece->n == 0) {
        free(piece);

        order->n--;
        memmove(&order->pieces[i], &order->pieces[i + 1],
                (order->n - i) * sizeof(authd_links_piece_t *));
    }
}


authd_links_entry_t *
authd_links_order_at(const authd_links_order_t *order, size_t place)
{
    size_t  i;

    for (i = 0; i < order->n; i++) {

        if (place < order->pieces[i]->n) {
            return order->pieces[i]->items[place];
        }

        place -= order->pieces[i]->n;
    }

    return NULL;
}


size_t
authd_links_order_place(const authd_links_order_t *order, tg_str_t name)
{
    size_t  i, at, place;

    if (order->n == 0) {
        return 0;
    }

    place = 0;
    at = piece_find(order, name);

    for (i = 0; i < at; i++) {
        place += order->pieces[i]->n;
    }

    return place + item_find(order->pieces[at], name);
}


void
authd_links_order_each(const authd_links_order_t *order, size_t place,
    authd_links_each_pt cb, void *data)
{
    size_t  i, k;

    for (i = 0; i < order->n; i++) {

        if (place >= order->pieces[i]->n) {
            place -= order->pieces[i]->n;
            continue;
        }

        for (k = place; k < order->pieces[i]->n; k++) {
            if (!cb(order->pieces[i]->items[k], data)) {
                return;
            }
        }

        place = 0;
    }
}


void
authd_links_order_around(const authd_links_order_t *order, tg_str_t name,
    size_t n, authd_links_each_pt cb, void *data)
{
    size_t                      i, k, left;
    const authd_links_piece_t  *piece;

    if (order->n == 0) {
        return;
    }

    i = piece_find(order, name);
    k = item_find(order->pieces[i], name);

    for (left = n; left > k && i > 0; k = order->pieces[--i]->n) {
        left -= k;
    }

    k -= left < k ? left : k;

    for (left = 2 * n; left > 0; left--) {
        piece = order->pieces[i];

        if (k == piece->n) {

            if (++i == order->n) {
                return;
            }

            piece = order->pieces[i];
            k = 0;
        }

        if (!cb(piece->items[k++], data)) {
            return;
        }
    }
}


int
authd_links_order_compare(const authd_links_entry_t *a,
    const authd_links_entry_t *b)
{
    return compare(name_of(a), name_of(b));
}


void
authd_links_order_free(authd_links_order_t *order)
{
    size_t  i;

    for (i = 0; i < order->n; i++) {
        free(order->pieces[i]);
    }

    free(order->pieces);

    memset(order, 0, sizeof(authd_links_order_t));
}


static tg_str_t
name_of(const authd_links_entry_t *entry)
{
    return authd_record_name(entry->record);
}


static int
compare(tg_str_t a, tg_str_t b)
{
    int     rc;
    size_t  len;

    len = a.len < b.len ? a.len : b.len;
    rc = len ? memcmp(a.data, b.data, len) : 0;

    return rc ? rc : (a.len > b.len) - (a.len < b.len);
}


/* The piece that name is in or belongs to: the last that begins before. */

static size_t
piece_find(const authd_links_order_t *order, tg_str_t name)
{
    size_t  low, high, mid;

    low = 0;
    high = order->n;

    while (high - low > 1) {
        mid = low + (high - low) / 2;

        if (compare(name_of(order->pieces[mid]->items[0]), name) <= 0) {
            low = mid;

        } else {
            high = mid;
        }
    }

    return low;
}


/* The first item that is not before name. */

static size_t
item_find(const authd_links_piece_t *piece, tg_str_t name)
{
    size_t  low, high, mid;

    low = 0;
    high = piece->n;

    /* what comes sorted is appended */

    if (high != 0 && compare(name_of(piece->items[high - 1]), name) < 0) {
        return high;
    }

    while (low < high) {
        mid = low + (high - low) / 2;

        if (compare(name_of(piece->items[mid]), name) < 0) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    return low;
}


static bool
piece_insert(authd_links_order_t *order, size_t at)
{
    size_t                more;
    authd_links_piece_t  *piece, **pieces;

    if (order->n == order->size) {
        more = order->size ? order->size * 2 : 16;
        pieces = reallocarray(order->pieces, more,
                              sizeof(authd_links_piece_t *));

        if (pieces == NULL) {
            return false;
        }

        order->pieces = pieces;
        order->size = more;
    }

    piece = malloc(sizeof(authd_links_piece_t));

    if (piece == NULL) {
        return false;
    }

    piece->n = 0;

    memmove(&order->pieces[at + 1], &order->pieces[at],
            (order->n - at) * sizeof(authd_links_piece_t *));

    order->pieces[at] = piece;
    order->n++;

    return true;
}


/* The last one leaves most behind: links come sorted at the start. */

static bool
piece_split(authd_links_order_t *order, size_t at)
{
    size_t                keep;
    authd_links_piece_t  *full, *rest;

    if (!piece_insert(order, at + 1)) {
        return false;
    }

    full = order->pieces[at];
    rest = order->pieces[at + 1];
    keep = at + 2 == order->n ? AUTHD_LINKS_PIECE - 1 : AUTHD_LINKS_PIECE / 2;

    rest->n = full->n - keep;
    full->n = keep;

    memcpy(rest->items, &full->items[keep],
           rest->n * sizeof(authd_links_entry_t *));

    return true;
}
