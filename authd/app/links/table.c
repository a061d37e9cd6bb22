
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/table.h"

#include <stdlib.h>
#include <string.h>


#define SLOTS_FIRST  1024


static bool filter_new(authd_links_filter_t *filter, size_t slots);
static void filter_fill(authd_links_table_t *table);


bool
authd_links_table_init(authd_links_table_t *table)
{
    table->slots = calloc(SLOTS_FIRST, sizeof(authd_links_slot_t));
    table->mask = SLOTS_FIRST - 1;

    return table->slots != NULL && filter_new(&table->filter, SLOTS_FIRST);
}


void
authd_links_table_free(authd_links_table_t *table)
{
    free(table->slots);
    free(table->filter.bits);

    memset(table, 0, sizeof(authd_links_table_t));
}


authd_links_slot_t *
authd_links_table_find(const authd_links_table_t *table, tg_str_t id,
    uint64_t hash)
{
    size_t               i;
    tg_str_t             other;
    authd_links_slot_t  *slot;

    for (i = hash & table->mask; /* void */ ; i = (i + 1) & table->mask) {
        slot = &table->slots[i];

        if (slot->entry == NULL) {
            return slot;
        }

        if (slot->hash != hash) {
            continue;
        }

        other = authd_record_id(slot->entry->record);

        if (other.len == id.len && memcmp(other.data, id.data, id.len) == 0) {
            return slot;
        }
    }
}


bool
authd_links_table_room(authd_links_table_t *table)
{
    size_t                 i, at, mask;
    authd_links_slot_t    *slots;
    authd_links_filter_t   filter;

    if (table->n < (table->mask + 1) / 3 * 2) {

        if (table->nstale > table->mask / 2) {
            filter_fill(table);
        }

        return true;
    }

    mask = table->mask * 2 + 1;
    slots = calloc(mask + 1, sizeof(authd_links_slot_t));

    if (slots == NULL || !filter_new(&filter, mask + 1)) {
        free(slots);
        return false;
    }

    for (i = 0; i <= table->mask; i++) {

        if (table->slots[i].entry == NULL) {
            continue;
        }

        for (at = table->slots[i].hash & mask; slots[at].entry != NULL;
             at = (at + 1) & mask)
        {
            /* void */
        }

        slots[at] = table->slots[i];
    }

    free(table->slots);
    free(table->filter.bits);

    table->slots = slots;
    table->mask = mask;
    table->filter = filter;

    filter_fill(table);

    return true;
}


void
authd_links_table_put(authd_links_table_t *table, tg_str_t id, uint64_t hash,
    authd_links_entry_t *entry)
{
    authd_links_slot_t  *slot;

    slot = authd_links_table_find(table, id, hash);
    slot->entry = entry;
    slot->hash = hash;

    authd_links_filter_add(&table->filter, hash);
    table->n++;
}


/* Closes the gap, so that nothing behind it is lost. */

void
authd_links_table_remove(authd_links_table_t *table, authd_links_slot_t *slot)
{
    size_t  gap, i, home;

    gap = (size_t) (slot - table->slots);
    table->nstale++;

    for (i = (gap + 1) & table->mask; table->slots[i].entry != NULL;
         i = (i + 1) & table->mask)
    {
        home = table->slots[i].hash & table->mask;

        if (((i - home) & table->mask) >= ((i - gap) & table->mask)) {
            table->slots[gap] = table->slots[i];
            gap = i;
        }
    }

    table->slots[gap].entry = NULL;
    table->n--;
}


static bool
filter_new(authd_links_filter_t *filter, size_t slots)
{
    filter->bits = calloc(slots, 1);
    filter->mask = slots * 8 - 1;

    return filter->bits != NULL;
}


/* Forgets what is in no slot any more. */

static void
filter_fill(authd_links_table_t *table)
{
    size_t  i;

    memset(table->filter.bits, 0, table->mask + 1);
    table->nstale = 0;

    for (i = 0; i <= table->mask; i++) {
        if (table->slots[i].entry != NULL) {
            authd_links_filter_add(&table->filter, table->slots[i].hash);
        }
    }
}
