
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/index.h"
#include "authd/app/links/fresh.h"
#include "authd/app/links/hash.h"
#include "authd/app/links/order.h"
#include "authd/app/links/room.h"
#include "authd/app/links/table.h"
#include "authd/app/links/top.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


struct authd_links_index_s {
    authd_links_table_t     table;
    authd_links_order_t     order;
    authd_links_fresh_t     fresh;
    authd_links_top_t       top;
    uint64_t                base;      /* of the polynomial; random */
    uint64_t                generation;
    authd_links_entry_t   **aliases;
    size_t                  naliases;
    size_t                  aliases_size;
};


static bool news_put(authd_links_index_t *index,
    const authd_store_news_t *news);
static void news_gone(authd_links_index_t *index, authd_links_slot_t *slot);
static bool news_replace(authd_links_index_t *index, authd_links_slot_t *slot,
    const authd_store_news_t *news);
static void listed_add(authd_links_index_t *index, authd_links_entry_t *entry);
static void listed_remove(authd_links_index_t *index,
    authd_links_entry_t *entry);
static bool is_alias(const authd_record_t *record);
static bool compile(const authd_record_t *record, tg_link_t **program);
static void entry_free(authd_links_entry_t *entry);
static void *alloc_malloc(void *ctx, size_t size);


authd_links_index_t *
authd_links_index_new(void)
{
    authd_links_index_t  *index;

    index = calloc(1, sizeof(authd_links_index_t));

    if (index == NULL) {
        return NULL;
    }

    if (!authd_links_table_init(&index->table)
        || getrandom(&index->base, sizeof(index->base), 0)
           != sizeof(index->base))
    {
        authd_links_index_free(&index);
        return NULL;
    }

    index->base = index->base % (AUTHD_LINKS_PRIME - 1000) + 500;

    return index;
}


void
authd_links_index_free(authd_links_index_t **index)
{
    if (*index == NULL) {
        return;
    }

    if ((*index)->table.slots != NULL) {
        authd_links_index_clear(*index);
    }

    authd_links_order_free(&(*index)->order);
    authd_links_table_free(&(*index)->table);
    authd_links_fresh_free(&(*index)->fresh);
    free((*index)->aliases);
    free(*index);

    *index = NULL;
}


void
authd_links_index_clear(authd_links_index_t *index)
{
    size_t                i;
    authd_links_entry_t  *entry;

    for (i = 0; i <= index->table.mask; i++) {
        entry = index->table.slots[i].entry;

        if (entry != NULL) {
            authd_links_fresh_orphan(&index->fresh, entry);
            entry_free(entry);
            index->table.slots[i].entry = NULL;
        }
    }

    authd_links_order_free(&index->order);

    authd_links_top_clear(&index->top);

    index->table.n = 0;
    index->naliases = 0;
    index->generation++;
}


bool
authd_links_index_news(authd_links_index_t *index,
    const authd_store_news_t *news)
{
    authd_links_slot_t  *slot;

    slot = authd_links_table_find(&index->table, news->id,
                                  authd_links_hash(index->base, news->id));

    if (news->record == NULL) {

        if (slot->entry != NULL) {
            news_gone(index, slot);
        }

        return true;
    }

    if (slot->entry == NULL) {
        return news_put(index, news);
    }

    return news_replace(index, slot, news);
}


size_t
authd_links_index_n(const authd_links_index_t *index)
{
    return index->table.n;
}


uint64_t
authd_links_index_generation(const authd_links_index_t *index)
{
    return index->generation;
}


authd_links_entry_t *
authd_links_index_get(const authd_links_index_t *index, tg_str_t id)
{
    return authd_links_index_hashed(index, id,
                                    authd_links_hash(index->base, id));
}


authd_links_entry_t *
authd_links_index_hashed(const authd_links_index_t *index, tg_str_t id,
    uint64_t hash)
{
    return authd_links_table_find(&index->table, id, hash)->entry;
}


uint64_t
authd_links_index_base(const authd_links_index_t *index)
{
    return index->base;
}


const authd_links_filter_t *
authd_links_index_filter(const authd_links_index_t *index)
{
    return &index->table.filter;
}


authd_links_entry_t *
authd_links_index_named(const authd_links_index_t *index, tg_str_t name)
{
    char      buf[TG_LINK_NAME_MAX];
    tg_str_t  id;

    id.data = buf;
    id.len = tg_link_id(name, buf);

    return id.len ? authd_links_index_get(index, id) : NULL;
}


authd_links_entry_t *
authd_links_index_at(const authd_links_index_t *index, size_t place)
{
    return authd_links_order_at(&index->order, place);
}


size_t
authd_links_index_place(const authd_links_index_t *index, tg_str_t name)
{
    return authd_links_order_place(&index->order, name);
}


void
authd_links_index_each(const authd_links_index_t *index, size_t place,
    authd_links_each_pt cb, void *data)
{
    authd_links_order_each(&index->order, place, cb, data);
}


void
authd_links_index_around(const authd_links_index_t *index, tg_str_t name,
    size_t n, authd_links_each_pt cb, void *data)
{
    authd_links_order_around(&index->order, name, n, cb, data);
}


authd_links_entry_t **
authd_links_index_popular(authd_links_index_t *index, size_t *n)
{
    return authd_links_top_popular(&index->top, &index->order, n);
}


authd_links_entry_t **
authd_links_index_recent(authd_links_index_t *index, size_t *n)
{
    return authd_links_top_recent(&index->top, &index->order, n);
}


authd_links_entry_t *
authd_links_index_alias(const authd_links_index_t *index, size_t n)
{
    return n < index->naliases ? index->aliases[n] : NULL;
}


void
authd_links_index_click(authd_links_index_t *index,
    authd_links_entry_t *entry)
{
    authd_links_fresh_click(&index->fresh, entry);

    if (entry->alias == 0) {
        authd_links_top_clicked(&index->top, entry);
    }
}


void
authd_links_index_counted(authd_links_index_t *index,
    authd_links_entry_t *entry, uint64_t clicks)
{
    clicks += entry->fresh;

    if (entry->clicks == clicks) {
        return;
    }

    if (entry->alias == 0) {
        authd_links_top_remove(&index->top, entry);
    }

    entry->clicks = clicks;

    if (entry->alias == 0) {
        authd_links_top_add(&index->top, entry);
    }
}


size_t
authd_links_index_fresh(authd_links_index_t *index,
    authd_store_clicks_t *clicks, size_t max, int32_t day)
{
    return authd_links_fresh_take(&index->fresh, clicks, max, day);
}


size_t
authd_links_index_nfresh(const authd_links_index_t *index)
{
    return authd_links_fresh_n(&index->fresh);
}


static bool
news_put(authd_links_index_t *index, const authd_store_news_t *news)
{
    authd_links_entry_t  *entry;

    entry = calloc(1, sizeof(authd_links_entry_t));

    if (entry == NULL
        || !authd_links_fresh_room(&index->fresh, index->table.n + 1)
        || !authd_links_room((void **) &index->aliases, &index->aliases_size,
                             index->naliases + 1,
                             sizeof(authd_links_entry_t *))
        || !authd_links_table_room(&index->table)
        || !compile(news->record, &entry->program))
    {
        goto failed;
    }

    entry->record = authd_record_hold(news->record);
    entry->clicks = news->has_clicks ? news->clicks : 0;

    if (!authd_links_order_add(&index->order, entry)) {
        goto failed;
    }

    authd_links_table_put(&index->table, news->id,
                          authd_links_hash(index->base, news->id), entry);

    listed_add(index, entry);
    index->generation++;

    return true;

failed:

    entry_free(entry);

    return false;
}


static void
news_gone(authd_links_index_t *index, authd_links_slot_t *slot)
{
    authd_links_entry_t  *entry;

    entry = slot->entry;

    authd_links_fresh_orphan(&index->fresh, entry);
    listed_remove(index, entry);
    authd_links_order_remove(&index->order, entry);
    authd_links_table_remove(&index->table, slot);
    entry_free(entry);

    index->generation++;
}


/* A change of the spelling alone moves a link in the order. */

static bool
news_replace(authd_links_index_t *index, authd_links_slot_t *slot,
    const authd_store_news_t *news)
{
    bool                  moves;
    uint64_t              fresh;
    tg_link_t            *program;
    authd_link_t          before, after;
    authd_links_entry_t  *entry;

    entry = slot->entry;

    authd_record_link(entry->record, &before);
    authd_record_link(news->record, &after);

    moves = before.name.len != after.name.len
            || memcmp(before.name.data, after.name.data, after.name.len) != 0;

    /* a link may become a former name with no other that is put before it */

    if ((is_alias(news->record)
         && !authd_links_room((void **) &index->aliases, &index->aliases_size,
                              index->naliases + 1,
                              sizeof(authd_links_entry_t *)))
        || !compile(news->record, &program))
    {
        return false;
    }

    listed_remove(index, entry);

    if (before.uid != after.uid) {
        /* another link of that id: what was counted is not its own */
        authd_links_fresh_orphan(&index->fresh, entry);
        entry->clicks = 0;
    }

    if (moves) {
        authd_links_order_remove(&index->order, entry);
    }

    authd_record_drop(&entry->record);
    free(entry->program);

    entry->record = authd_record_hold(news->record);
    entry->program = program;

    fresh = entry->fresh;

    if (news->has_clicks) {
        entry->clicks = news->clicks + fresh;
    }

    listed_add(index, entry);
    index->generation++;

    /* what was just removed left room */

    return !moves || authd_links_order_add(&index->order, entry);
}


/* In the list of former names, for which there is room, or among the others. */

static void
listed_add(authd_links_index_t *index, authd_links_entry_t *entry)
{
    if (!is_alias(entry->record)) {
        authd_links_top_add(&index->top, entry);
        return;
    }

    index->aliases[index->naliases++] = entry;
    entry->alias = (uint32_t) index->naliases;
}


static void
listed_remove(authd_links_index_t *index, authd_links_entry_t *entry)
{
    authd_links_entry_t  *last;

    if (entry->alias == 0) {
        authd_links_top_remove(&index->top, entry);
        return;
    }

    last = index->aliases[--index->naliases];
    index->aliases[entry->alias - 1] = last;
    last->alias = entry->alias;

    entry->alias = 0;
}


static bool
is_alias(const authd_record_t *record)
{
    authd_link_t  link;

    authd_record_link(record, &link);

    return link.alias.len != 0;
}


/*
 * A link that cannot be compiled is there all the same, for somebody to mend:
 * its program is NULL, and the braces of its URL say that it should have one.
 */

static bool
compile(const authd_record_t *record, tg_link_t **program)
{
    authd_link_t  link;
    tg_alloc_t    alloc = { alloc_malloc, NULL };

    *program = NULL;

    authd_record_link(record, &link);

    return memmem(link.url.data, link.url.len, "{{", 2) == NULL
           || tg_link_compile(link.url, NULL, &alloc, program, NULL)
              != TG_ERR_NOMEM;
}


static void
entry_free(authd_links_entry_t *entry)
{
    if (entry == NULL) {
        return;
    }

    authd_record_drop(&entry->record);
    free(entry->program);
    free(entry);
}


static void *
alloc_malloc(void *ctx, size_t size)
{
    (void) ctx;

    return malloc(size);
}
