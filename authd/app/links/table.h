
/*
 * Copyright (C) The Tailgate authors
 *
 * Links by id: a hash table, and a filter of the hashes in it.
 */

#ifndef AUTHD_LINKS_TABLE_H_INCLUDED_
#define AUTHD_LINKS_TABLE_H_INCLUDED_

#include "authd/app/links/filter.h"
#include "authd/app/links/index.h"


typedef struct {
    authd_links_entry_t   *entry;      /* NULL: empty */
    uint64_t               hash;
} authd_links_slot_t;

typedef struct {
    authd_links_slot_t    *slots;
    size_t                 mask;
    size_t                 n;
    authd_links_filter_t   filter;     /* of the slots' hashes */
    size_t                 nstale;     /* of what it has, that went since */
} authd_links_table_t;


/* Of a zeroed table; false when out of memory. */

bool authd_links_table_init(authd_links_table_t *table);
void authd_links_table_free(authd_links_table_t *table);

/* The slot of an id, or the empty one where it would be. */

authd_links_slot_t *authd_links_table_find(const authd_links_table_t *table,
    tg_str_t id, uint64_t hash);

/*
 * authd_links_table_put() fills the slot of an id that is new, once
 * authd_links_table_room() had room for it: false when out of memory.
 */

bool authd_links_table_room(authd_links_table_t *table);
void authd_links_table_put(authd_links_table_t *table, tg_str_t id,
    uint64_t hash, authd_links_entry_t *entry);

void authd_links_table_remove(authd_links_table_t *table,
    authd_links_slot_t *slot);


#endif /* AUTHD_LINKS_TABLE_H_INCLUDED_ */
