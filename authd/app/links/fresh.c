
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/fresh.h"
#include "authd/app/links/room.h"

#include <stdlib.h>
#include <string.h>


bool
authd_links_fresh_room(authd_links_fresh_t *fresh, size_t n)
{
    return authd_links_room((void **) &fresh->dirty, &fresh->dirty_size, n,
                            sizeof(authd_links_entry_t *));
}


void
authd_links_fresh_free(authd_links_fresh_t *fresh)
{
    free(fresh->dirty);
    free(fresh->orphans);

    memset(fresh, 0, sizeof(authd_links_fresh_t));
}


void
authd_links_fresh_click(authd_links_fresh_t *fresh,
    authd_links_entry_t *entry)
{
    entry->clicks++;
    entry->fresh++;

    if (entry->dirty == 0) {
        fresh->dirty[fresh->ndirty++] = entry;
        entry->dirty = (uint32_t) fresh->ndirty;
    }
}


void
authd_links_fresh_orphan(authd_links_fresh_t *fresh, authd_links_entry_t *entry)
{
    authd_link_t           link;
    authd_store_clicks_t  *clicks;

    if (entry->dirty == 0) {
        return;
    }

    if (authd_links_room((void **) &fresh->orphans, &fresh->orphans_size,
             fresh->norphans + 1, sizeof(authd_store_clicks_t)))
    {
        authd_record_link(entry->record, &link);

        clicks = &fresh->orphans[fresh->norphans++];
        clicks->uid = link.uid;
        clicks->day = 0;
        clicks->n = entry->fresh;
    }

    fresh->ndirty--;
    fresh->dirty[entry->dirty - 1] = fresh->dirty[fresh->ndirty];
    fresh->dirty[entry->dirty - 1]->dirty = entry->dirty;

    entry->dirty = 0;
    entry->fresh = 0;
}


size_t
authd_links_fresh_take(authd_links_fresh_t *fresh,
    authd_store_clicks_t *clicks, size_t max, int32_t day)
{
    size_t                n;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    for (n = 0; n < max && fresh->norphans > 0; n++) {
        clicks[n] = fresh->orphans[--fresh->norphans];
        clicks[n].day = day;
    }

    for ( /* void */ ; n < max && fresh->ndirty > 0; n++) {
        entry = fresh->dirty[--fresh->ndirty];

        authd_record_link(entry->record, &link);

        clicks[n].uid = link.uid;
        clicks[n].day = day;
        clicks[n].n = entry->fresh;

        entry->fresh = 0;
        entry->dirty = 0;
    }

    return n;
}


size_t
authd_links_fresh_n(const authd_links_fresh_t *fresh)
{
    return fresh->norphans + fresh->ndirty;
}
