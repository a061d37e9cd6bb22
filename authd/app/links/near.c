
/*
 * Copyright (C) The Tailgate authors
 *
 * Did you mean: the links that are nearest to a name that is unknown.  Of few
 * links each is looked at; of many those that an edit leads to, which the hash
 * table tells, and the neighbours in the order of names.
 */

#include "authd/app/links/hash.h"
#include "authd/app/links/index.h"

#include <string.h>


#define NEAR_ALL        1000       /* links that are looked at one by one */
#define NEAR_LEN        64         /* of an id: nobody mistypes a longer one */
#define NEAR_NEIGHBOUR  32


typedef struct {
    const authd_links_index_t   *index;
    const authd_links_filter_t  *filter;
    tg_str_t                     id;
    tg_link_near_t              *near;
    uint64_t                     head[NEAR_LEN + 1]; /* hash of the first i */
    uint64_t                     tail[NEAR_LEN + 1]; /* what the last i add */
    uint64_t                     power[NEAR_LEN + 2];
} edits_t;


static bool near_each(authd_links_entry_t *entry, void *data);
static void near_add(tg_link_near_t *near, authd_links_entry_t *entry);
static bool near_neighbour(authd_links_entry_t *entry, void *data);
static void near_edits(edits_t *edits);
static void near_letters(edits_t *edits, size_t at, size_t cut);
static void near_swap(edits_t *edits, size_t at);
static void near_put(edits_t *edits, size_t at, const char *put, size_t nput,
    size_t cut, uint64_t hash);


static const char  letters[] = "abcdefghijklmnopqrstuvwxyz0123456789._";


void
authd_links_index_near(const authd_links_index_t *index, tg_str_t id,
    tg_link_near_t *near)
{
    edits_t  edits;

    tg_link_near_init(near, id);

    if (authd_links_index_n(index) <= NEAR_ALL) {
        authd_links_index_each(index, 0, near_each, near);
        return;
    }

    if (id.len == 0 || id.len > NEAR_LEN) {
        return;
    }

    edits.index = index;
    edits.filter = authd_links_index_filter(index);
    edits.id = id;
    edits.near = near;

    authd_links_index_around(index, id, NEAR_NEIGHBOUR, near_neighbour, near);
    near_edits(&edits);
}


static bool
near_each(authd_links_entry_t *entry, void *data)
{
    tg_link_near_add(data, authd_record_id(entry->record), entry);

    return true;
}


static bool
near_neighbour(authd_links_entry_t *entry, void *data)
{
    near_add(data, entry);

    return true;
}


/* Several edits may lead to one link. */

static void
near_add(tg_link_near_t *near, authd_links_entry_t *entry)
{
    size_t  i;

    for (i = 0; i < near->nitems; i++) {
        if (near->items[i].data == entry) {
            return;
        }
    }

    tg_link_near_add(near, authd_record_id(entry->record), entry);
}


static void
near_edits(edits_t *edits)
{
    size_t    i, len;
    uint64_t  base;
    tg_str_t  id;

    id = edits->id;
    len = id.len;
    base = authd_links_index_base(edits->index);

    edits->head[0] = 1;
    edits->tail[0] = 0;
    edits->power[0] = 1;

    for (i = 0; i < len; i++) {
        edits->head[i + 1] = authd_links_hash_step(edits->head[i], base,
                                                   id.data[i]);
        edits->tail[i + 1] = authd_links_hash_add(edits->tail[i],
                  authd_links_hash_mul((unsigned char) id.data[len - 1 - i],
                                       edits->power[i]));
        edits->power[i + 1] = authd_links_hash_mul(edits->power[i], base);
    }

    edits->power[len + 1] = authd_links_hash_mul(edits->power[len], base);

    for (i = 0; i <= len; i++) {
        near_letters(edits, i, 0);

        if (i < len) {
            near_letters(edits, i, 1);
            near_put(edits, i, NULL, 0, 1,
                     authd_links_hash_add(
                         authd_links_hash_mul(edits->head[i],
                                              edits->power[len - i - 1]),
                         edits->tail[len - i - 1]));
        }

        if (i + 1 < len) {
            near_swap(edits, i);
        }
    }
}


/* Another letter at a place, or one more: only its own share is reckoned. */

static void
near_letters(edits_t *edits, size_t at, size_t cut)
{
    size_t    k, rest;
    uint64_t  h, power;

    rest = edits->id.len - at - cut;
    power = edits->power[rest];

    h = authd_links_hash_mul(edits->head[at], edits->power[rest + 1]);
    h = authd_links_hash_add(h, edits->tail[rest]);

    for (k = 0; k < sizeof(letters) - 1; k++) {
        near_put(edits, at, &letters[k], 1, cut,
                 authd_links_hash_add(h,
                     authd_links_hash_mul((unsigned char) letters[k],
                                          power)));
    }
}


static void
near_swap(edits_t *edits, size_t at)
{
    char      swapped[2];
    size_t    rest;
    uint64_t  h, base;

    base = authd_links_index_base(edits->index);
    rest = edits->id.len - at - 2;

    swapped[0] = edits->id.data[at + 1];
    swapped[1] = edits->id.data[at];

    h = authd_links_hash_step(edits->head[at], base, swapped[0]);
    h = authd_links_hash_step(h, base, swapped[1]);
    h = authd_links_hash_add(authd_links_hash_mul(h, edits->power[rest]),
                             edits->tail[rest]);

    near_put(edits, at, swapped, 2, 2, h);
}


/* The id with cut bytes at a place replaced by others, and its hash. */

static void
near_put(edits_t *edits, size_t at, const char *put, size_t nput, size_t cut,
    uint64_t hash)
{
    char                  buf[NEAR_LEN + 1];
    size_t                rest;
    tg_str_t              id;
    authd_links_entry_t  *entry;

    if (!authd_links_filter_has(edits->filter, hash)) {
        return;
    }

    rest = edits->id.len - at - cut;

    memcpy(buf, edits->id.data, at);
    memcpy(buf + at + nput, edits->id.data + at + cut, rest);

    if (nput != 0) {
        memcpy(buf + at, put, nput);
    }

    id.data = buf;
    id.len = at + nput + rest;

    entry = authd_links_index_hashed(edits->index, id, hash);

    if (entry != NULL) {
        near_add(edits->near, entry);
    }
}
