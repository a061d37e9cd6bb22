
/*
 * Copyright (C) The Tailgate authors
 *
 * Cells of one size, in lists by number.  An entry is a head and, behind it,
 * as many cells as its key and record take; the free ones are a list too.  So
 * room is never broken up, and whatever is evicted is of use to any other.
 *
 * Cells that were never used are in no list, and their memory is not touched:
 * a large table costs what is in it, and forgetting all of it takes no time.
 */

#include <tailgate/table.h>

#include <stdatomic.h>
#include <string.h>


#define CELL      128
#define NOTHING   UINT32_MAX

/* A refresh begins in the last quarter of an answer's life. */

#define REFRESH(asked, expires)  ((expires) - ((expires) - (asked)) / 4)


typedef struct {
    uint32_t   next;           /* of the entry, or of the free list */
    uint8_t    data[CELL - sizeof(uint32_t)];
} cell_t;

/* One that has ended may still do as a stale one; it was counted. */

typedef enum {
    NO_ANSWER = 0,
    GOOD_ANSWER,
    ENDED_ANSWER
} answer_t;

/* In the data of an entry's first cell. */

typedef struct {
    uint32_t   chain;          /* of its bucket */
    uint32_t   newer;          /* by use */
    uint32_t   older;
    uint32_t   bucket;
    uint32_t   status;
    uint32_t   len;            /* of the record */
    uint32_t   cells;          /* besides this one */
    uint16_t   key_len;
    uint16_t   answer;         /* answer_t */
    uint64_t   ticket;         /* of who asks; 0: nobody */
    uint64_t   deadline;       /* of who asks */
    uint64_t   asked;
    uint64_t   expires;
} entry_t;

struct tg_table_s {
    _Atomic uint64_t  epoch;
    _Atomic uint64_t  counters[TG_TABLE_COUNTERS];
    _Atomic uint32_t  busy;    /* somebody is changing it, or died so */

    uint64_t   tickets;
    uint64_t   changes;        /* evictions for a change */
    uint32_t   ncells;
    uint32_t   nbuckets;
    uint32_t   free;           /* the first one that was used before */
    uint32_t   fresh;          /* from here on none was used */
    uint32_t   nfree;          /* of both kinds */
    uint32_t   newest;
    uint32_t   oldest;
    uint32_t   entries;
    uint32_t   good;           /* those with a GOOD_ANSWER */
};


static uint32_t *buckets_of(tg_table_t *t);
static cell_t *cell_at(tg_table_t *t, uint32_t i);
static entry_t *entry_at(tg_table_t *t, uint32_t i);
static void lay_out(tg_table_t *t);
static void enter(tg_table_t *t);
static void leave(tg_table_t *t);
static void count(tg_table_t *t, tg_table_counter_t counter);
static uint32_t bucket_of(const tg_table_t *t, const uint8_t *addr);
static uint32_t find(tg_table_t *t, const tg_table_key_t *key);
static bool key_begins(tg_table_t *t, uint32_t i, const uint8_t *data,
    size_t len);
static uint32_t create(tg_table_t *t, const tg_table_key_t *key);
static bool make_room(tg_table_t *t, uint32_t cells, uint32_t keep);
static bool resize(tg_table_t *t, uint32_t i, uint32_t cells);
static void evict(tg_table_t *t, uint32_t i, tg_table_counter_t counter);
static void destroy(tg_table_t *t, uint32_t i);
static uint32_t take_cell(tg_table_t *t);
static void free_cells(tg_table_t *t, uint32_t first, uint32_t n);
static void unlink_use(tg_table_t *t, uint32_t i);
static void link_newest(tg_table_t *t, uint32_t i);
static void copy_in(tg_table_t *t, uint32_t i, size_t at, const void *data,
    size_t len);
static void copy_out(tg_table_t *t, uint32_t i, size_t at, void *data,
    size_t len);
static uint32_t cells_for(size_t bytes);
static uint64_t take_lease(tg_table_t *t, entry_t *entry,
    const tg_table_ask_t *ask);


#define PAYLOAD  (CELL - sizeof(uint32_t))


tg_table_t *
tg_table_init(void *memory, size_t size)
{
    size_t       cells;
    tg_table_t  *t;

    if (size < TG_TABLE_SIZE_MIN) {
        return NULL;
    }

    t = memory;
    memset(t, 0, sizeof(tg_table_t));

    /* a bucket for every four cells, which is about one for an entry */

    cells = (size - sizeof(tg_table_t) - CELL)
            / (sizeof(cell_t) + sizeof(uint32_t) / 4);

    t->ncells = cells < NOTHING - 1 ? (uint32_t) cells : NOTHING - 1;
    t->nbuckets = t->ncells / 4;

    lay_out(t);

    return t;
}


/* The epoch, the tickets and the numbers go on: workers remember them. */

static void
lay_out(tg_table_t *t)
{
    uint32_t   i;
    uint32_t  *buckets;

    buckets = buckets_of(t);

    for (i = 0; i < t->nbuckets; i++) {
        buckets[i] = NOTHING;
    }

    t->free = NOTHING;
    t->fresh = 0;
    t->nfree = t->ncells;
    t->newest = NOTHING;
    t->oldest = NOTHING;
    t->entries = 0;
    t->good = 0;
}


size_t
tg_table_record_max(const tg_table_t *t)
{
    return t->ncells / 16 * PAYLOAD;
}


void
tg_table_get(tg_table_t *t, const tg_table_key_t *key,
    const tg_table_ask_t *ask, void *buf, size_t size, tg_table_found_t *found)
{
    bool       fresh;
    uint32_t   i;
    entry_t   *entry;

    enter(t);

    memset(found, 0, sizeof(tg_table_found_t));
    found->epoch = atomic_load_explicit(&t->epoch, memory_order_relaxed);

    i = find(t, key);

    if (i == NOTHING) {
        i = create(t, key);
    }

    if (i == NOTHING) {
        found->state = TG_TABLE_FULL;
        count(t, TG_TABLE_MISSES);
        goto done;
    }

    entry = entry_at(t, i);

    unlink_use(t, i);
    link_newest(t, i);

    fresh = entry->answer != NO_ANSWER && entry->asked >= ask->not_before
            && ask->now < entry->expires;

    if (entry->ticket == 0 || ask->now >= entry->deadline) {

        if (!fresh || ask->now >= REFRESH(entry->asked, entry->expires)) {
            found->ticket = take_lease(t, entry, ask);
            count(t, fresh ? TG_TABLE_REFRESHED : TG_TABLE_MISSES);
        }

    } else if (!fresh) {
        count(t, TG_TABLE_COALESCED);
    }

    if (!fresh && (ask->stale == 0 || entry->answer == NO_ANSWER
                   || ask->now >= entry->expires + ask->stale))
    {
        found->state = found->ticket ? TG_TABLE_ASK : TG_TABLE_WAIT;
        goto done;
    }

    found->state = TG_TABLE_FOUND;
    found->status = entry->status;
    found->asked = entry->asked;
    found->expires = entry->expires;
    found->len = entry->len;

    if (entry->len > 0 && entry->len <= size) {
        copy_out(t, i, sizeof(entry_t) + entry->key_len, buf, entry->len);
    }

    count(t, fresh ? TG_TABLE_HITS : TG_TABLE_STALE);

done:

    leave(t);
}


static uint64_t
take_lease(tg_table_t *t, entry_t *entry, const tg_table_ask_t *ask)
{
    if (entry->answer == GOOD_ANSWER && ask->now >= entry->expires) {
        entry->answer = ENDED_ANSWER;
        t->good--;
        count(t, TG_TABLE_EVICTED_TTL);
    }

    entry->ticket = ++t->tickets;
    entry->deadline = ask->now + ask->lease;

    return entry->ticket;
}


bool
tg_table_put(tg_table_t *t, const tg_table_key_t *key, uint64_t ticket,
    uint32_t status, const void *record, size_t len, uint64_t asked,
    uint64_t ttl, bool *changed)
{
    bool       kept;
    uint32_t   i;
    entry_t   *entry;

    enter(t);

    kept = false;
    *changed = false;

    i = find(t, key);

    if (i == NOTHING || entry_at(t, i)->ticket != ticket) {

        /* an eviction for want of room does not make an answer wrong */

        *changed = ticket <= t->changes;
        count(t, TG_TABLE_REJECTED);
        goto done;
    }

    entry = entry_at(t, i);
    entry->ticket = 0;

    if (len > tg_table_record_max(t)
        || !resize(t, i, cells_for(sizeof(entry_t) + entry->key_len + len)))
    {
        destroy(t, i);
        goto done;
    }

    if (entry->answer != GOOD_ANSWER) {
        entry->answer = GOOD_ANSWER;
        t->good++;
    }

    entry->status = status;
    entry->len = (uint32_t) len;
    entry->asked = asked;
    entry->expires = asked + ttl;

    if (len > 0) {
        copy_in(t, i, sizeof(entry_t) + entry->key_len, record, len);
    }

    kept = true;

done:

    leave(t);

    return kept;
}


void
tg_table_drop(tg_table_t *t, const tg_table_key_t *key, uint64_t ticket)
{
    uint32_t  i;

    enter(t);

    i = find(t, key);

    if (i != NOTHING && entry_at(t, i)->ticket == ticket) {
        entry_at(t, i)->ticket = 0;

        if (entry_at(t, i)->answer == NO_ANSWER) {
            destroy(t, i);
        }
    }

    leave(t);
}


/*
 * The epoch moves last: who reads the new one finds nothing old, and who has
 * the old one comes back for a look.
 */

void
tg_table_evict(tg_table_t *t, const uint8_t addr[TG_TABLE_ADDR])
{
    uint32_t  i, next;

    enter(t);

    for (i = buckets_of(t)[bucket_of(t, addr)]; i != NOTHING; i = next) {
        next = entry_at(t, i)->chain;

        if (key_begins(t, i, addr, TG_TABLE_ADDR)) {
            evict(t, i, TG_TABLE_EVICTED_CHANGE);
        }
    }

    t->changes = t->tickets;
    atomic_fetch_add_explicit(&t->epoch, 1, memory_order_release);

    leave(t);
}


void
tg_table_flush(tg_table_t *t)
{
    enter(t);

    atomic_fetch_add_explicit(&t->counters[TG_TABLE_EVICTED_CHANGE],
                              t->good, memory_order_relaxed);

    lay_out(t);

    t->changes = t->tickets;
    atomic_fetch_add_explicit(&t->epoch, 1, memory_order_release);

    leave(t);
}


uint64_t
tg_table_epoch(tg_table_t *t)
{
    return atomic_load_explicit(&t->epoch, memory_order_acquire);
}


uint64_t
tg_table_counter(tg_table_t *t, tg_table_counter_t counter)
{
    return atomic_load_explicit(&t->counters[counter], memory_order_relaxed);
}


void
tg_table_usage(tg_table_t *t, size_t *entries, size_t *used, size_t *size)
{
    enter(t);

    *entries = t->entries;
    *used = (size_t) (t->ncells - t->nfree) * CELL;
    *size = (size_t) t->ncells * CELL;

    leave(t);
}


/* Whoever died in here may have left any list half done. */

static void
enter(tg_table_t *t)
{
    if (atomic_exchange_explicit(&t->busy, 1, memory_order_seq_cst) == 0) {
        return;
    }

    lay_out(t);

    t->changes = t->tickets;
    atomic_fetch_add_explicit(&t->epoch, 1, memory_order_release);
    count(t, TG_TABLE_RESET);
}


static void
leave(tg_table_t *t)
{
    atomic_store_explicit(&t->busy, 0, memory_order_seq_cst);
}


static void
count(tg_table_t *t, tg_table_counter_t counter)
{
    atomic_fetch_add_explicit(&t->counters[counter], 1, memory_order_relaxed);
}


static uint32_t *
buckets_of(tg_table_t *t)
{
    return (uint32_t *) (t + 1);
}


static cell_t *
cell_at(tg_table_t *t, uint32_t i)
{
    uint8_t  *cells;
    size_t    head;

    /* heads are entries, and those hold 64-bit numbers */

    head = sizeof(tg_table_t)
           + (size_t) t->nbuckets * sizeof(uint32_t);
    head = (head + 2 * sizeof(uint64_t) - 1) / sizeof(uint64_t)
           * sizeof(uint64_t) - sizeof(uint32_t);

    cells = (uint8_t *) t + head;

    return (cell_t *) (void *) (cells + (size_t) i * CELL);
}


static entry_t *
entry_at(tg_table_t *t, uint32_t i)
{
    return (entry_t *) (void *) cell_at(t, i)->data;
}


/* FNV-1a; all keys of one address are in one bucket. */

static uint32_t
bucket_of(const tg_table_t *t, const uint8_t *addr)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < TG_TABLE_ADDR; i++) {
        hash = (hash ^ addr[i]) * 16777619u;
    }

    return hash % t->nbuckets;
}


static uint32_t
find(tg_table_t *t, const tg_table_key_t *key)
{
    uint32_t  i;

    for (i = buckets_of(t)[bucket_of(t, key->data)]; i != NOTHING;
         i = entry_at(t, i)->chain)
    {
        if (entry_at(t, i)->key_len == key->len
            && key_begins(t, i, key->data, key->len))
        {
            return i;
        }
    }

    return NOTHING;
}


static bool
key_begins(tg_table_t *t, uint32_t i, const uint8_t *data, size_t len)
{
    uint8_t  key[TG_TABLE_KEY_MAX];

    if (entry_at(t, i)->key_len < len) {
        return false;
    }

    copy_out(t, i, sizeof(entry_t), key, len);

    return memcmp(key, data, len) == 0;
}


/* An entry without an answer; NOTHING if there is no room. */

static uint32_t
create(tg_table_t *t, const tg_table_key_t *key)
{
    uint32_t   i, bucket;
    entry_t   *entry;

    if (key->len < TG_TABLE_ADDR
        || key->len > TG_TABLE_KEY_MAX
        || !make_room(t, cells_for(sizeof(entry_t) + key->len), NOTHING))
    {
        return NOTHING;
    }

    i = take_cell(t);

    entry = entry_at(t, i);
    memset(entry, 0, sizeof(entry_t));

    entry->key_len = (uint16_t) key->len;

    bucket = bucket_of(t, key->data);
    entry->bucket = bucket;
    entry->chain = buckets_of(t)[bucket];
    buckets_of(t)[bucket] = i;

    link_newest(t, i);
    t->entries++;

    (void) resize(t, i, cells_for(sizeof(entry_t) + key->len));
    copy_in(t, i, sizeof(entry_t), key->data, key->len);

    return i;
}


/* Evicts the longest unused, but not keep, until so many cells are free. */

static bool
make_room(tg_table_t *t, uint32_t cells, uint32_t keep)
{
    uint32_t  i;

    while (t->nfree < cells) {
        i = t->oldest;

        if (i == keep && i != NOTHING) {
            i = entry_at(t, i)->newer;
        }

        if (i == NOTHING) {
            return false;
        }

        evict(t, i, TG_TABLE_EVICTED_LRU);
    }

    return true;
}


/* Gives an entry so many cells in all; what its key is in stays. */

static bool
resize(tg_table_t *t, uint32_t i, uint32_t cells)
{
    uint32_t   n, last;
    entry_t   *entry;

    entry = entry_at(t, i);

    if (cells > entry->cells + 1
        && !make_room(t, cells - entry->cells - 1, i))
    {
        return false;
    }

    for (last = i, n = 1; n < cells && cell_at(t, last)->next != NOTHING; n++) {
        last = cell_at(t, last)->next;
    }

    if (cells < entry->cells + 1) {
        free_cells(t, cell_at(t, last)->next, entry->cells + 1 - cells);
        cell_at(t, last)->next = NOTHING;
    }

    for ( /* void */ ; n < cells; n++) {
        i = take_cell(t);
        cell_at(t, last)->next = i;
        last = i;
    }

    entry->cells = cells - 1;

    return true;
}


/* Each answer is counted once, and a question under way is none. */

static void
evict(tg_table_t *t, uint32_t i, tg_table_counter_t counter)
{
    if (entry_at(t, i)->answer == GOOD_ANSWER) {
        count(t, counter);
    }

    destroy(t, i);
}


static void
destroy(tg_table_t *t, uint32_t i)
{
    uint32_t  *link;
    entry_t   *entry;

    entry = entry_at(t, i);

    for (link = &buckets_of(t)[entry->bucket]; *link != i;
         link = &entry_at(t, *link)->chain)
    {
        /* void */
    }

    *link = entry->chain;

    unlink_use(t, i);
    t->entries--;
    t->good -= entry->answer == GOOD_ANSWER;

    free_cells(t, i, entry->cells + 1);
}


/* There is one: make_room() has said so. */

static uint32_t
take_cell(tg_table_t *t)
{
    uint32_t  i;

    i = t->free;

    if (i != NOTHING) {
        t->free = cell_at(t, i)->next;

    } else {
        i = t->fresh++;
    }

    t->nfree--;
    cell_at(t, i)->next = NOTHING;

    return i;
}


static void
free_cells(tg_table_t *t, uint32_t first, uint32_t n)
{
    uint32_t  last, i;

    for (last = first, i = 1; i < n; i++) {
        last = cell_at(t, last)->next;
    }

    cell_at(t, last)->next = t->free;
    t->free = first;
    t->nfree += n;
}


static void
unlink_use(tg_table_t *t, uint32_t i)
{
    entry_t  *entry;

    entry = entry_at(t, i);

    if (entry->newer != NOTHING) {
        entry_at(t, entry->newer)->older = entry->older;

    } else {
        t->newest = entry->older;
    }

    if (entry->older != NOTHING) {
        entry_at(t, entry->older)->newer = entry->newer;

    } else {
        t->oldest = entry->newer;
    }
}


static void
link_newest(tg_table_t *t, uint32_t i)
{
    entry_t  *entry;

    entry = entry_at(t, i);

    entry->newer = NOTHING;
    entry->older = t->newest;

    if (t->newest != NOTHING) {
        entry_at(t, t->newest)->newer = i;

    } else {
        t->oldest = i;
    }

    t->newest = i;
}


static uint32_t
cells_for(size_t bytes)
{
    return (uint32_t) ((bytes + PAYLOAD - 1) / PAYLOAD);
}


/* Bytes of an entry, across its cells; at counts from its head on. */

static void
copy_in(tg_table_t *t, uint32_t i, size_t at, const void *data, size_t len)
{
    size_t          n;
    const uint8_t  *from = data;

    for ( /* void */ ; at >= PAYLOAD; at -= PAYLOAD) {
        i = cell_at(t, i)->next;
    }

    for ( /* void */ ; len > 0; len -= n, from += n, at = 0) {
        n = PAYLOAD - at < len ? PAYLOAD - at : len;
        memcpy(cell_at(t, i)->data + at, from, n);
        i = cell_at(t, i)->next;
    }
}


static void
copy_out(tg_table_t *t, uint32_t i, size_t at, void *data, size_t len)
{
    size_t    n;
    uint8_t  *to = data;

    for ( /* void */ ; at >= PAYLOAD; at -= PAYLOAD) {
        i = cell_at(t, i)->next;
    }

    for ( /* void */ ; len > 0; len -= n, to += n, at = 0) {
        n = PAYLOAD - at < len ? PAYLOAD - at : len;
        memcpy(to, cell_at(t, i)->data + at, n);
        i = cell_at(t, i)->next;
    }
}
