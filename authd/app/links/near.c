
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
    const authd_links_index_t  *index;
    tg_str_t                    id;
    tg_link_near_t             *near;
    uint64_t                    head[NEAR_LEN + 1];  /* hash of the first i */
    uint64_t                    tail[NEAR_LEN + 1];  /* what the last i add */
    uint64_t                    power[NEAR_LEN + 2];
} edits_t;


static bool near_each(authd_links_entry_t *entry, void *data);
static void near_add(tg_link_near_t *near, authd_links_entry_t *entry);
static void near_neighbours(edits_t *edits);
static void near_edits(edits_t *edits);
static void near_put(edits_t *edits, size_t at, const char *put, size_t nput,
    size_t cut);


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
    edits.id = id;
    edits.near = near;

    near_neighbours(&edits);
    near_edits(&edits);
}


static bool
near_each(authd_links_entry_t *entry, void *data)
{
    tg_link_near_add(data, authd_record_id(entry->record), entry);

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
near_neighbours(edits_t *edits)
{
    size_t                i, place;
    authd_links_entry_t  *entry;

    place = authd_links_index_place(edits->index, edits->id);
    place = place > NEAR_NEIGHBOUR ? place - NEAR_NEIGHBOUR : 0;

    for (i = 0; i < (size_t) 2 * NEAR_NEIGHBOUR; i++) {
        entry = authd_links_index_at(edits->index, place + i);

        if (entry == NULL) {
            break;
        }

        near_add(edits->near, entry);
    }
}


static void
near_edits(edits_t *edits)
{
    char      swapped[2];
    size_t    i, k, len;
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

    for (i = 0; i <= len; i++) {

        for (k = 0; k < sizeof(letters) - 1; k++) {
            near_put(edits, i, &letters[k], 1, 0);

            if (i < len) {
                near_put(edits, i, &letters[k], 1, 1);
            }
        }

        if (i < len) {
            near_put(edits, i, NULL, 0, 1);
        }

        if (i + 1 < len) {
            swapped[0] = id.data[i + 1];
            swapped[1] = id.data[i];
            near_put(edits, i, swapped, 2, 2);
        }
    }
}


/* The id with cut bytes at a place replaced by others. */

static void
near_put(edits_t *edits, size_t at, const char *put, size_t nput, size_t cut)
{
    char                  buf[NEAR_LEN + 1];
    size_t                i, rest;
    uint64_t              h, base;
    tg_str_t              id;
    authd_links_entry_t  *entry;

    base = authd_links_index_base(edits->index);
    rest = edits->id.len - at - cut;
    h = edits->head[at];

    for (i = 0; i < nput; i++) {
        h = authd_links_hash_step(h, base, put[i]);
        buf[at + i] = put[i];
    }

    h = authd_links_hash_add(authd_links_hash_mul(h, edits->power[rest]),
                             edits->tail[rest]);

    memcpy(buf, edits->id.data, at);
    memcpy(buf + at + nput, edits->id.data + at + cut, rest);

    id.data = buf;
    id.len = at + nput + rest;

    entry = authd_links_index_hashed(edits->index, id, h);

    if (entry != NULL) {
        near_add(edits->near, entry);
    }
}
