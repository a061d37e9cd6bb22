
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/cache.h"

#include <net/client/bus.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>


/*
 * Ready-made answers, at most, and the bytes that they take, as a peer may have
 * many capabilities; and the lists that they are in.
 */

#define READY_MAX      1024
#define READY_BYTES    (8 * 1024 * 1024)
#define READY_BUCKETS  1024

/* In ms: who asks already must not be in the way of every request. */

#define READY_AGAIN    100

/* A whole identification takes no more calls to tailscaled than this. */

#define CALLS          10

#define KNOWN_MAX      (8 * 1024 * 1024)


typedef struct ready_s  ready_t;

typedef TAILQ_HEAD(ready_list_s, ready_s)  ready_list_t;

/* Good while the epoch of its making stands. */

struct ready_s {
    TAILQ_ENTRY(ready_s)  link;    /* by use */
    ready_t              *next;    /* of its bucket */
    authd_known_t        *known;
    uint64_t              epoch;
    uint64_t              refresh; /* when the table is to be asked again */
    uint32_t              bucket;
    size_t                bytes;
    authd_key_t           key;
};

struct authd_cache_s {
    tgn_loop_t           *loop;
    const authd_config_t *conf;
    const authd_log_t    *log;
    authd_metrics_t      *metrics;
    authd_changes_t      *changes;
    void                 *memory;
    tg_table_t           *table;
    tgn_bus_t            *bus;
    bool                  told;    /* the log, that the stream is lost */
    bool                  caps;    /* are parsed */
    uint8_t              *record;  /* room for one */
    size_t                record_size;
    size_t                nready;
    size_t                ready_bytes;
    ready_list_t          recent;
    ready_t              *buckets[READY_BUCKETS];
    uint64_t              evicted[3]; /* as counted so far */
};


static bool cache_get(authd_cache_t *cache, const authd_key_t *key,
    const tg_table_ask_t *ask, tg_table_found_t *found);
static authd_known_t *cache_known(authd_cache_t *cache,
    const tg_table_found_t *found);
static bool known_expired(const authd_known_t *known);
static void cache_count(authd_cache_t *cache);
static void cache_address(const tg_addr_t *addr, uint8_t data[TG_TABLE_ADDR]);
static void on_changed(const tg_bus_change_t *change, void *data);
static void on_moved(tg_bus_state_t state, const char *text, void *data);
static void on_nonsense(const char *text, void *data);
static uint32_t ready_bucket(const authd_key_t *key);
static ready_t *ready_find(authd_cache_t *cache, const authd_key_t *key);
static void ready_keep(authd_cache_t *cache, const authd_key_t *key,
    authd_known_t *known, const tg_table_found_t *found);
static void ready_free(authd_cache_t *cache, ready_t *ready);


static const tgn_bus_events_t  bus_events = {
    on_changed, on_moved, on_nonsense
};


bool
authd_status_has_identity(tg_status_t status)
{
    return status >= TG_STATUS_MEMBER && status <= TG_STATUS_UNSIGNED;
}


authd_cache_t *
authd_cache_new(tgn_loop_t *loop, const authd_config_t *conf,
    const authd_log_t *log, authd_metrics_t *metrics,
    authd_changes_t *changes, bool *ok)
{
    authd_cache_t    *cache;
    tgn_bus_conf_t    bc;

    *ok = true;

    if (conf->cache_size == 0) {
        return NULL;
    }

    *ok = false;

    cache = calloc(1, sizeof(authd_cache_t));
    if (cache == NULL) {
        return NULL;
    }

    TAILQ_INIT(&cache->recent);

    cache->loop = loop;
    cache->conf = conf;
    cache->log = log;
    cache->metrics = metrics;
    cache->changes = changes;
    cache->caps = conf->rules != NULL;
    cache->memory = malloc(conf->cache_size);

    if (cache->memory == NULL) {
        authd_cache_free(&cache);
        return NULL;
    }

    cache->table = tg_table_init(cache->memory, conf->cache_size);

    memset(&bc, 0, sizeof(bc));

    bc.socket = conf->localapi;
    bc.timeout = conf->localapi_timeout;

    cache->bus = tgn_bus_new(loop, &bc, &bus_events, cache);

    if (cache->table == NULL || cache->bus == NULL) {
        authd_cache_free(&cache);
        return NULL;
    }

    *ok = true;

    metrics->cached = true;
    metrics->bus = TG_BUS_LOST;
    cache_count(cache);

    return cache;
}


bool
authd_cache_configure(authd_cache_t *cache, const authd_config_t *conf)
{
    if (conf->cache_size != cache->conf->cache_size
        || strcmp(conf->localapi, cache->conf->localapi) != 0)
    {
        return false;
    }

    cache->conf = conf;
    cache->caps = conf->rules != NULL;

    tgn_bus_timeout(cache->bus, conf->localapi_timeout);

    /* they are made for a policy file, or for none */

    while (!TAILQ_EMPTY(&cache->recent)) {
        ready_free(cache, TAILQ_FIRST(&cache->recent));
    }

    return true;
}


void
authd_cache_free(authd_cache_t **cachep)
{
    authd_cache_t  *cache;

    cache = *cachep;
    *cachep = NULL;

    if (cache == NULL) {
        return;
    }

    tgn_bus_free(&cache->bus);

    while (!TAILQ_EMPTY(&cache->recent)) {
        ready_free(cache, TAILQ_FIRST(&cache->recent));
    }

    free(cache->record);
    free(cache->memory);
    free(cache);
}


bool
authd_cache_key(const tg_question_t *question, authd_key_t *key)
{
    if (question->with_port
        || question->service.len > TG_TABLE_KEY_MAX - TG_TABLE_ADDR)
    {
        return false;
    }

    cache_address(&question->addr, key->data);

    if (question->service.len != 0) {
        memcpy(key->data + TG_TABLE_ADDR, question->service.data,
               question->service.len);
    }

    key->len = TG_TABLE_ADDR + question->service.len;

    return true;
}


authd_known_t *
authd_cache_find(authd_cache_t *cache, const authd_key_t *key,
    authd_lease_t *lease)
{
    bool              lost;
    uint64_t          now;
    ready_t          *ready;
    authd_known_t    *known;
    tg_table_ask_t    ask;
    tg_table_found_t  found;

    memset(lease, 0, sizeof(authd_lease_t));

    now = tgn_loop_now(cache->loop);
    lost = tgn_bus_state(cache->bus) == TG_BUS_LOST;
    ready = ready_find(cache, key);

    if (ready != NULL) {

        if (!lost && now < ready->refresh
            && ready->epoch == tg_table_epoch(cache->table)
            && !known_expired(ready->known))
        {
            TAILQ_REMOVE(&cache->recent, ready, link);
            TAILQ_INSERT_HEAD(&cache->recent, ready, link);

            ready->known->refs++;
            return ready->known;
        }

        ready_free(cache, ready);
    }

    memset(&ask, 0, sizeof(ask));

    ask.now = now;
    ask.lease = cache->conf->localapi_timeout * CALLS;

    /* without the stream nothing that was asked before is good */

    ask.not_before = lost ? UINT64_MAX : 0;

    lease->asked = now;

    if (!cache_get(cache, key, &ask, &found)) {
        lease->state = TG_TABLE_FULL;
        return NULL;
    }

    lease->state = found.state;
    lease->ticket = found.ticket;

    if (found.state != TG_TABLE_FOUND) {
        return NULL;
    }

    known = cache_known(cache, &found);

    if (known == NULL || known_expired(known)) {

        authd_known_release(&known);

        /* what is kept is of no use: whoever asks replaces it */

        ask.not_before = UINT64_MAX;

        if (lease->ticket == 0 && cache_get(cache, key, &ask, &found)) {
            lease->ticket = found.ticket;
        }

        lease->state = lease->ticket ? TG_TABLE_ASK : TG_TABLE_FULL;
        return NULL;
    }

    if (lease->ticket == 0) {
        ready_keep(cache, key, known, &found);
    }

    return known;
}


/* The record, if there is one, is in cache->record; false: no memory. */

static bool
cache_get(authd_cache_t *cache, const authd_key_t *key,
    const tg_table_ask_t *ask, tg_table_found_t *found)
{
    uint8_t         *p;
    uint64_t         ticket;
    tg_table_key_t   name = { key->data, key->len };

    tg_table_get(cache->table, &name, ask, cache->record, cache->record_size,
                 found);
    cache_count(cache);

    if (found->state != TG_TABLE_FOUND || found->len <= cache->record_size) {
        return true;
    }

    ticket = found->ticket;

    /* rarely, and never again for one of this size */

    p = realloc(cache->record, found->len);

    if (p == NULL) {

        if (ticket != 0) {
            tg_table_drop(cache->table, &name, ticket);
        }

        return false;
    }

    cache->record = p;
    cache->record_size = found->len;

    tg_table_get(cache->table, &name, ask, cache->record, cache->record_size,
                 found);

    /* the lease of the first look is the caller's still */

    if (found->ticket == 0) {
        found->ticket = ticket;
    }

    return true;
}


/* NULL: no memory, or a record that is not whole. */

static authd_known_t *
cache_known(authd_cache_t *cache, const tg_table_found_t *found)
{
    uint8_t        *record;
    tg_caps_t      *caps;
    tg_arena_t     *arena;
    tg_alloc_t      alloc;
    authd_known_t  *known;

    arena = tg_arena_new(KNOWN_MAX);
    if (arena == NULL) {
        return NULL;
    }

    alloc = tg_arena_allocator(arena);

    known = tg_arena_alloc(arena, sizeof(authd_known_t));
    if (known == NULL) {
        goto failed;
    }

    known->refs = 1;
    known->arena = arena;
    known->status = (tg_status_t) found->status;

    if (!authd_status_has_identity(known->status)) {
        return known;
    }

    record = tg_arena_alloc(arena, found->len);
    if (record == NULL) {
        goto failed;
    }

    memcpy(record, cache->record, found->len);

    if (tg_identity_unpack(record, found->len, &alloc, &known->identity)
        != TG_OK)
    {
        authd_log(cache->log, AUTHD_LOG_ERROR,
                  "an answer that was kept is not whole");
        goto failed;
    }

    if (cache->caps) {

        /* what makes no sense is none; that was told when it came */

        switch (tg_caps_parse(known->identity.caps, &alloc, &caps)) {

        case TG_OK:
            known->caps = caps;
            break;

        case TG_ERR_NOMEM:
            goto failed;

        default:
            break;
        }
    }

    return known;

failed:

    tg_arena_free(&arena);

    return NULL;
}


void
authd_known_release(authd_known_t **knownp)
{
    tg_arena_t     *arena;
    authd_known_t  *known;

    known = *knownp;
    *knownp = NULL;

    if (known == NULL || --known->refs > 0) {
        return;
    }

    arena = known->arena;
    tg_arena_free(&arena);
}


/* Its key has run out since tailscaled was asked. */

static bool
known_expired(const authd_known_t *known)
{
    return authd_status_has_identity(known->status)
           && (known->identity.traits & TG_TRAIT_EXPIRED) == 0
           && known->identity.key_expiry != 0
           && known->identity.key_expiry <= (int64_t) time(NULL);
}


bool
authd_cache_put(authd_cache_t *cache, const authd_key_t *key,
    const authd_lease_t *lease, tg_status_t status,
    const tg_identity_t *identity)
{
    bool            changed;
    size_t          len;
    int64_t         left;
    uint8_t        *record;
    uint64_t        ttl;
    tg_table_key_t  name = { key->data, key->len };

    len = 0;
    record = NULL;
    ttl = cache->conf->cache_negative;

    if (identity != NULL) {

        ttl = cache->conf->cache_ttl;

        /* a key that runs out makes another peer of it */

        left = identity->key_expiry - (int64_t) time(NULL);

        if (left > 0 && left < (int64_t) (ttl / 1000)) {
            ttl = (uint64_t) left * 1000;
        }

        if (tg_identity_pack(identity, NULL, 0, &len) != TG_ERR_LIMIT) {
            authd_cache_drop(cache, key, lease);
            return false;
        }

        record = malloc(len);

        if (record == NULL
            || tg_identity_pack(identity, record, len, &len) != TG_OK)
        {
            free(record);
            authd_cache_drop(cache, key, lease);
            return false;
        }
    }

    (void) tg_table_put(cache->table, &name, lease->ticket, (uint32_t) status,
                        record, len, lease->asked, ttl, &changed);

    free(record);
    cache_count(cache);

    return changed;
}


void
authd_cache_drop(authd_cache_t *cache, const authd_key_t *key,
    const authd_lease_t *lease)
{
    tg_table_key_t  name = { key->data, key->len };

    tg_table_drop(cache->table, &name, lease->ticket);
    cache_count(cache);
}


authd_known_t *
authd_cache_stale(authd_cache_t *cache, const authd_key_t *key)
{
    authd_known_t    *known;
    tg_table_ask_t    ask;
    tg_table_found_t  found;
    tg_table_key_t    name = { key->data, key->len };

    if (cache->conf->cache_stale == 0) {
        return NULL;
    }

    memset(&ask, 0, sizeof(ask));

    ask.now = tgn_loop_now(cache->loop);
    ask.not_before = UINT64_MAX;
    ask.stale = cache->conf->cache_stale;

    if (!cache_get(cache, key, &ask, &found)) {
        return NULL;
    }

    if (found.ticket != 0) {
        tg_table_drop(cache->table, &name, found.ticket);
    }

    if (found.state != TG_TABLE_FOUND) {
        return NULL;
    }

    known = cache_known(cache, &found);

    if (known != NULL && known_expired(known)) {
        authd_known_release(&known);
    }

    return known;
}


/* What the table counts itself; it begins anew with each table. */

static void
cache_count(authd_cache_t *cache)
{
    size_t           i;
    uint64_t         n;
    authd_metrics_t  *metrics;

    static const struct {
        tg_table_counter_t  counter;
        tg_count_t          count;
    } evicted[] = {
        { TG_TABLE_EVICTED_CHANGE, TG_COUNT_EVICTED_BUS },
        { TG_TABLE_EVICTED_TTL, TG_COUNT_EVICTED_TTL },
        { TG_TABLE_EVICTED_LRU, TG_COUNT_EVICTED_LRU }
    };

    metrics = cache->metrics;

    for (i = 0; i < sizeof(evicted) / sizeof(evicted[0]); i++) {
        n = tg_table_counter(cache->table, evicted[i].counter);
        metrics->counts[evicted[i].count] += n - cache->evicted[i];
        cache->evicted[i] = n;
    }

    tg_table_usage(cache->table, &metrics->entries, &metrics->bytes,
                   &metrics->capacity);
}


static void
cache_address(const tg_addr_t *addr, uint8_t data[TG_TABLE_ADDR])
{
    data[0] = (uint8_t) addr->family;
    memcpy(data + 1, addr->bytes, TG_TABLE_ADDR - 1);
}


static void
on_changed(const tg_bus_change_t *change, void *data)
{
    size_t          i;
    uint8_t         addr[TG_TABLE_ADDR];
    authd_cache_t  *cache = data;

    if (change->all) {
        authd_changes_all(cache->changes);
        tg_table_flush(cache->table);
    }

    for (i = 0; !change->all && i < change->naddrs; i++) {
        authd_changes_add(cache->changes, &change->addrs[i]);
        cache_address(&change->addrs[i], addr);
        tg_table_evict(cache->table, addr);
    }

    cache_count(cache);
}


/* One line when it is lost, and one when it is back. */

static void
on_moved(tg_bus_state_t state, const char *text, void *data)
{
    authd_cache_t  *cache = data;

    cache->metrics->bus = state;

    if (state == TG_BUS_FOLLOWED) {

        if (cache->told) {
            authd_log(cache->log, AUTHD_LOG_INFO,
                      "the event stream of tailscaled is followed");
        }

        cache->told = false;
        return;
    }

    if (cache->told) {
        return;
    }

    cache->told = true;

    if (state == TG_BUS_NONE) {
        authd_log(cache->log, AUTHD_LOG_WARN,
                  "tailscaled has no event stream (%s): answers are kept for"
                  " cache.ttl whatever changes", text);
        return;
    }

    authd_log(cache->log, AUTHD_LOG_WARN,
              "the event stream of tailscaled is lost (%s): until it is back"
              " each request is asked for anew", text);
}


static void
on_nonsense(const char *text, void *data)
{
    authd_cache_t  *cache = data;

    authd_log(cache->log, AUTHD_LOG_ERROR, "tailscaled sent an event that is"
              " not understood: %s", text);
}


/* FNV-1a. */

static uint32_t
ready_bucket(const authd_key_t *key)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < key->len; i++) {
        hash = (hash ^ key->data[i]) * 16777619u;
    }

    return hash % READY_BUCKETS;
}


static ready_t *
ready_find(authd_cache_t *cache, const authd_key_t *key)
{
    ready_t  *ready;

    ready = cache->buckets[ready_bucket(key)];

    while (ready != NULL
           && (ready->key.len != key->len
               || memcmp(ready->key.data, key->data, key->len) != 0))
    {
        ready = ready->next;
    }

    return ready;
}


/* It does without, if there is no memory. */

static void
ready_keep(authd_cache_t *cache, const authd_key_t *key, authd_known_t *known,
    const tg_table_found_t *found)
{
    size_t     bytes;
    uint64_t   now;
    ready_t   *ready, **bucket;

    bytes = sizeof(ready_t) + tg_arena_used(known->arena);

    if (bytes > READY_BYTES) {
        return;
    }

    while (cache->nready == READY_MAX
           || cache->ready_bytes + bytes > READY_BYTES)
    {
        ready_free(cache, TAILQ_LAST(&cache->recent, ready_list_s));
    }

    ready = malloc(sizeof(ready_t));
    if (ready == NULL) {
        return;
    }

    now = tgn_loop_now(cache->loop);

    ready->known = known;
    ready->epoch = found->epoch;
    ready->bytes = bytes;
    ready->key = *key;
    ready->bucket = ready_bucket(key);

    /* the table says when it is time to ask anew */

    ready->refresh = found->expires - (found->expires - found->asked) / 4;

    if (ready->refresh <= now) {
        ready->refresh = found->expires < now + READY_AGAIN
                         ? found->expires : now + READY_AGAIN;
    }

    known->refs++;

    bucket = &cache->buckets[ready->bucket];
    ready->next = *bucket;
    *bucket = ready;

    TAILQ_INSERT_HEAD(&cache->recent, ready, link);
    cache->nready++;
    cache->ready_bytes += bytes;
}


static void
ready_free(authd_cache_t *cache, ready_t *ready)
{
    ready_t  **link;

    for (link = &cache->buckets[ready->bucket]; *link != ready;
         link = &(*link)->next)
    {
        /* void */
    }

    *link = ready->next;

    TAILQ_REMOVE(&cache->recent, ready, link);
    cache->nready--;
    cache->ready_bytes -= ready->bytes;

    authd_known_release(&ready->known);
    free(ready);
}
