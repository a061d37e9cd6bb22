
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/nearby.h"
#include "authd/app/links/hash.h"

#include <string.h>


size_t
authd_links_nearby(authd_links_nearby_t *nearby,
    const authd_links_index_t *index, tg_str_t id,
    authd_links_entry_t *entries[TG_LINK_NEAR_MAX])
{
    size_t                      i, n;
    uint64_t                    generation;
    tg_link_near_t              near;
    authd_links_nearby_name_t  *name;

    generation = authd_links_index_generation(index);

    if (nearby->generation != generation) {
        memset(nearby, 0, sizeof(authd_links_nearby_t));
        nearby->generation = generation;
    }

    /* at a place that nobody outside can reckon */

    name = &nearby->names[authd_links_hash(authd_links_index_base(index), id)
                          % AUTHD_LINKS_NEARBY_NAMES];

    if (id.len != 0 && name->len == id.len
        && memcmp(name->id, id.data, id.len) == 0)
    {
        memcpy(entries, name->entries, sizeof(name->entries));
        return name->n;
    }

    authd_links_index_near(index, id, &near);
    n = near.nitems;

    for (i = 0; i < n; i++) {
        entries[i] = (authd_links_entry_t *) (uintptr_t) near.items[i].data;
    }

    if (id.len != 0 && id.len <= AUTHD_LINKS_NEARBY_NAME) {
        memcpy(name->id, id.data, id.len);
        memcpy(name->entries, entries, n * sizeof(entries[0]));

        name->len = id.len;
        name->n = n;
    }

    return n;
}
