
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/index.h"
#include "authd/app/links/hash.h"
#include "authd/app/links/order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


#define SLOTS_FIRST  1024

typedef struct {
    authd_links_entry_t  *entry;   /* NULL: empty */
    uint64_t              hash;
} slot_t;

struct authd_links_index_s {
    slot_t                 *slots;
    size_t                  mask;
    size_t                  n;
    authd_links_filter_t    filter;    /* of the slots' hashes */
    size_t                  nstale;    /* of what it has, that went since */
    uint64_t                base;      /* of the polynomial; random */
    uint64_t                generation;
    authd_links_order_t     order;
    authd_links_entry_t   **dirty;     /* room for all */
    size_t                  ndirty;
    size_t                  dirty_size;
    authd_links_entry_t   **aliases;
    size_t                  naliases;
    size_t                  aliases_size;
    authd_store_clicks_t   *orphans;   /* fresh clicks of links that went */
    size_t                  norphans;
    size_t                  orphans_size;
};


static slot_t *slot_find(const authd_links_index_t *index, tg_str_t id,
    uint64_t hash);
static bool slots_grow(authd_links_index_t *index);
static bool filter_new(authd_links_filter_t *filter, size_t slots);
static void filter_fill(authd_links_index_t *index);
static void slot_remove(authd_links_index_t *index, slot_t *slot);
static bool room(void **items, size_t *size, size_t n, size_t width);
static bool news_put(authd_links_index_t *index,
    const authd_store_news_t *news);
static void news_gone(authd_links_index_t *index, slot_t *slot);
static bool news_replace(authd_links_index_t *index, slot_t *slot,
    const authd_store_news_t *news);
static void alias_remove(authd_links_index_t *index,
    const authd_links_entry_t *entry);
static bool is_alias(const authd_record_t *record);
static bool compile(const authd_record_t *record, tg_link_t **program);
static void orphan(authd_links_index_t *index, authd_links_entry_t *entry);
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

    index->slots = calloc(SLOTS_FIRST, sizeof(slot_t));
    index->mask = SLOTS_FIRST - 1;

    if (index->slots == NULL
        || !filter_new(&index->filter, SLOTS_FIRST)
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

    if ((*index)->slots != NULL) {
        authd_links_index_clear(*index);
    }

    authd_links_order_free(&(*index)->order);
    free((*index)->slots);
    free((*index)->filter.bits);
    free((*index)->dirty);
    free((*index)->aliases);
    free((*index)->orphans);
    free(*index);

    *index = NULL;
}


void
authd_links_index_clear(authd_links_index_t *index)
{
    size_t                i;
    authd_links_entry_t  *entry;

    for (i = 0; i <= index->mask; i++) {
        entry = index->slots[i].entry;

        if (entry != NULL) {
            orphan(index, entry);
            entry_free(entry);
            index->slots[i].entry = NULL;
        }
    }

    authd_links_order_free(&index->order);

    index->n = 0;
    index->naliases = 0;
    index->generation++;
}


bool
authd_links_index_news(authd_links_index_t *index,
    const authd_store_news_t *news)
{
    slot_t  *slot;

    slot = slot_find(index, news->id,
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
    return index->n;
}


uint64_t
authd_links_index_generation(const authd_links_index_t *index)
{
    return index->generation;
}


authd_links_entry_t *
authd_links_index_get(const authd_links_index_t *index, tg_str_t id)
{
    return slot_find(index, id, authd_links_hash(index->base, id))->entry;
}


authd_links_entry_t *
authd_links_index_hashed(const authd_links_index_t *index, tg_str_t id,
    uint64_t hash)
{
    return slot_find(index, id, hash)->entry;
}


uint64_t
authd_links_index_base(const authd_links_index_t *index)
{
    return index->base;
}


const authd_links_filter_t *
authd_links_index_filter(const authd_links_index_t *index)
{
    return &index->filter;
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


authd_links_entry_t *
authd_links_index_alias(const authd_links_index_t *index, size_t n)
{
    return n < index->naliases ? index->aliases[n] : NULL;
}


void
authd_links_index_click(authd_links_index_t *index,
    authd_links_entry_t *entry)
{
    entry->clicks++;
    entry->fresh++;

    if (entry->dirty == 0) {
        index->dirty[index->ndirty++] = entry;
        entry->dirty = (uint32_t) index->ndirty;
    }
}


size_t
authd_links_index_fresh(authd_links_index_t *index,
    authd_store_clicks_t *clicks, size_t max, int32_t day)
{
    size_t                n;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    for (n = 0; n < max && index->norphans > 0; n++) {
        clicks[n] = index->orphans[--index->norphans];
        clicks[n].day = day;
    }

    for ( /* void */ ; n < max && index->ndirty > 0; n++) {
        entry = index->dirty[--index->ndirty];

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
authd_links_index_nfresh(const authd_links_index_t *index)
{
    return index->norphans + index->ndirty;
}


/* The slot of an id, or the empty one where it would be. */

static slot_t *
slot_find(const authd_links_index_t *index, tg_str_t id, uint64_t hash)
{
    size_t    i;
    slot_t   *slot;
    tg_str_t  other;

    for (i = hash & index->mask; /* void */ ; i = (i + 1) & index->mask) {
        slot = &index->slots[i];

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


static bool
slots_grow(authd_links_index_t *index)
{
    size_t                i, at, mask;
    slot_t               *slots;
    authd_links_filter_t  filter;

    if (index->n < (index->mask + 1) / 3 * 2) {

        if (index->nstale > index->mask / 2) {
            filter_fill(index);
        }

        return true;
    }

    mask = index->mask * 2 + 1;
    slots = calloc(mask + 1, sizeof(slot_t));

    if (slots == NULL || !filter_new(&filter, mask + 1)) {
        free(slots);
        return false;
    }

    for (i = 0; i <= index->mask; i++) {

        if (index->slots[i].entry == NULL) {
            continue;
        }

        for (at = index->slots[i].hash & mask; slots[at].entry != NULL;
             at = (at + 1) & mask)
        {
            /* void */
        }

        slots[at] = index->slots[i];
    }

    free(index->slots);
    free(index->filter.bits);

    index->slots = slots;
    index->mask = mask;
    index->filter = filter;

    filter_fill(index);

    return true;
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
filter_fill(authd_links_index_t *index)
{
    size_t  i;

    memset(index->filter.bits, 0, index->mask + 1);
    index->nstale = 0;

    for (i = 0; i <= index->mask; i++) {
        if (index->slots[i].entry != NULL) {
            authd_links_filter_add(&index->filter, index->slots[i].hash);
        }
    }
}


/* Closes the gap, so that nothing behind it is lost. */

static void
slot_remove(authd_links_index_t *index, slot_t *slot)
{
    size_t  gap, i, home;

    gap = (size_t) (slot - index->slots);
    index->nstale++;

    for (i = (gap + 1) & index->mask; index->slots[i].entry != NULL;
         i = (i + 1) & index->mask)
    {
        home = index->slots[i].hash & index->mask;

        if (((i - home) & index->mask) >= ((i - gap) & index->mask)) {
            index->slots[gap] = index->slots[i];
            gap = i;
        }
    }

    index->slots[gap].entry = NULL;
}


/* Makes room for n items of that width. */

static bool
room(void **items, size_t *size, size_t n, size_t width)
{
    void    *p;
    size_t   more;

    if (n <= *size) {
        return true;
    }

    more = *size ? *size * 2 : 64;
    more = more < n ? n : more;
    p = reallocarray(*items, more, width);

    if (p == NULL) {
        return false;
    }

    *items = p;
    *size = more;

    return true;
}


static bool
news_put(authd_links_index_t *index, const authd_store_news_t *news)
{
    slot_t               *slot;
    uint64_t              hash;
    authd_links_entry_t  *entry;

    entry = calloc(1, sizeof(authd_links_entry_t));

    if (entry == NULL
        || !room((void **) &index->dirty, &index->dirty_size, index->n + 1,
                 sizeof(authd_links_entry_t *))
        || !room((void **) &index->aliases, &index->aliases_size,
                 index->naliases + 1, sizeof(authd_links_entry_t *))
        || !slots_grow(index)
        || !compile(news->record, &entry->program))
    {
        goto failed;
    }

    entry->record = authd_record_hold(news->record);
    entry->clicks = news->has_clicks ? news->clicks : 0;

    if (!authd_links_order_add(&index->order, entry)) {
        goto failed;
    }

    hash = authd_links_hash(index->base, news->id);
    slot = slot_find(index, news->id, hash);
    slot->entry = entry;
    slot->hash = hash;

    authd_links_filter_add(&index->filter, hash);

    if (is_alias(entry->record)) {
        index->aliases[index->naliases++] = entry;
    }

    index->n++;
    index->generation++;

    return true;

failed:

    entry_free(entry);

    return false;
}


static void
news_gone(authd_links_index_t *index, slot_t *slot)
{
    authd_links_entry_t  *entry;

    entry = slot->entry;

    orphan(index, entry);
    alias_remove(index, entry);
    authd_links_order_remove(&index->order, entry);
    slot_remove(index, slot);
    entry_free(entry);

    index->n--;
    index->generation++;
}


/* A change of the spelling alone moves a link in the order. */

static bool
news_replace(authd_links_index_t *index, slot_t *slot,
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

    if (!compile(news->record, &program)) {
        return false;
    }

    if (before.uid != after.uid) {
        /* another link of that id: what was counted is not its own */
        orphan(index, entry);
        entry->clicks = 0;
    }

    alias_remove(index, entry);

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

    if (is_alias(entry->record)) {
        index->aliases[index->naliases++] = entry;
    }

    index->generation++;

    /* what was just removed left room */

    return !moves || authd_links_order_add(&index->order, entry);
}


static void
alias_remove(authd_links_index_t *index, const authd_links_entry_t *entry)
{
    size_t  i;

    if (!is_alias(entry->record)) {
        return;
    }

    for (i = 0; i < index->naliases; i++) {
        if (index->aliases[i] == entry) {
            index->aliases[i] = index->aliases[--index->naliases];
            return;
        }
    }
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


/* Out of memory they are lost. */

static void
orphan(authd_links_index_t *index, authd_links_entry_t *entry)
{
    authd_link_t           link;
    authd_store_clicks_t  *clicks;

    if (entry->dirty == 0) {
        return;
    }

    if (room((void **) &index->orphans, &index->orphans_size,
             index->norphans + 1, sizeof(authd_store_clicks_t)))
    {
        authd_record_link(entry->record, &link);

        clicks = &index->orphans[index->norphans++];
        clicks->uid = link.uid;
        clicks->day = 0;
        clicks->n = entry->fresh;
    }

    index->ndirty--;
    index->dirty[entry->dirty - 1] = index->dirty[index->ndirty];
    index->dirty[entry->dirty - 1]->dirty = entry->dirty;

    entry->dirty = 0;
    entry->fresh = 0;
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
