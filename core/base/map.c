
/*
 * Copyright (C) The Tailgate authors
 *
 * Open addressing with linear probing, never more than half full.
 */

#include "core/base/map.h"

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


#define SLOTS_MIN  16


/* An empty key needs an address that is not NULL. */

static const char  empty[] = "";


static uint32_t
hash_key(tg_str_t key)
{
    size_t    i;
    uint64_t  h;

    h = UINT64_C(0xcbf29ce484222325);

    for (i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char) key.data[i]) * UINT64_C(0x100000001b3);
    }

    h ^= h >> 32;

    return (uint32_t) h;
}


int
tgi_map_init(tgi_map_t *map, size_t n, const tg_alloc_t *alloc)
{
    size_t  size;

    size = SLOTS_MIN;

    while (size < n * 2) {
        size *= 2;
    }

    map->slots = alloc == NULL ? calloc(size, sizeof(tgi_map_slot_t))
                               : tgi_alloc(alloc, size,
                                           sizeof(tgi_map_slot_t));
    if (map->slots == NULL) {
        return TG_ERR_NOMEM;
    }

    if (alloc != NULL) {
        memset(map->slots, 0, size * sizeof(tgi_map_slot_t));
    }

    map->alloc = alloc;
    map->mask = size - 1;
    map->n = 0;

    return TG_OK;
}


void
tgi_map_done(tgi_map_t *map)
{
    if (map->alloc == NULL) {
        free(map->slots);
    }

    memset(map, 0, sizeof(tgi_map_t));
}


static tgi_map_slot_t *
find(const tgi_map_t *map, tg_str_t key, uint32_t hash)
{
    size_t           i;
    tgi_map_slot_t  *slot;

    for (i = hash & map->mask; /* void */ ; i = (i + 1) & map->mask) {
        slot = &map->slots[i];

        if (slot->key.data == NULL
            || (slot->hash == hash && tgi_str_equal(slot->key, key)))
        {
            return slot;
        }
    }
}


static int
grow(tgi_map_t *map)
{
    int         rc;
    size_t      i;
    tgi_map_t   larger;

    rc = tgi_map_init(&larger, map->n * 2 + SLOTS_MIN, map->alloc);
    if (rc != TG_OK) {
        return rc;
    }

    for (i = 0; map->slots != NULL && i <= map->mask; i++) {
        if (map->slots[i].key.data != NULL) {
            *find(&larger, map->slots[i].key, map->slots[i].hash)
                = map->slots[i];
        }
    }

    larger.n = map->n;
    tgi_map_done(map);
    *map = larger;

    return TG_OK;
}


int
tgi_map_add(tgi_map_t *map, tg_str_t key, uint32_t value)
{
    uint32_t         hash;
    tgi_map_slot_t  *slot;

    if (map->slots == NULL || (map->n + 1) * 2 > map->mask + 1) {
        if (grow(map) != TG_OK) {
            return TG_ERR_NOMEM;
        }
    }

    if (key.data == NULL) {
        key.data = empty;
    }

    hash = hash_key(key);
    slot = find(map, key, hash);

    if (slot->key.data != NULL) {
        return TG_ERR_REFUSED;
    }

    slot->key = key;
    slot->value = value;
    slot->hash = hash;
    map->n++;

    return TG_OK;
}


uint32_t
tgi_map_get(const tgi_map_t *map, tg_str_t key)
{
    tgi_map_slot_t  *slot;

    if (map->slots == NULL) {
        return TGI_MAP_NONE;
    }

    slot = find(map, key, hash_key(key));

    return slot->key.data == NULL ? TGI_MAP_NONE : slot->value;
}
