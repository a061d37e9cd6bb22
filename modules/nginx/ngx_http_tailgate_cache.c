
/*
 * Copyright (C) The Tailgate authors
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* A record of the table is larger for few peers. */

#define NGX_HTTP_TAILGATE_CACHE_BUF  2048


/* A ready-made answer, good while the epoch of its making stands. */

struct ngx_http_tailgate_ready_s {
    ngx_http_tailgate_ready_t   *next;        /* of its bucket */
    ngx_queue_t                  queue;
    ngx_http_tailgate_peer_t    *peer;        /* held */
    ngx_uint_t                   serial;      /* of its uses */
    uint64_t                     epoch;
    ngx_msec_t                   asked;
    ngx_msec_t                   expires;
    ngx_msec_t                   refresh;     /* when to ask the table again */
    ngx_http_tailgate_key_t      key;
};


static ngx_int_t ngx_http_tailgate_cache_init_zone(ngx_shm_zone_t *zone,
    void *data);
static tg_table_t *ngx_http_tailgate_cache_table(
    ngx_http_tailgate_shared_t *shared);
static ngx_http_tailgate_ready_t *ngx_http_tailgate_ready_find(
    ngx_http_tailgate_cache_t *cache, const ngx_http_tailgate_key_t *key);
static void ngx_http_tailgate_ready_keep(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_key_t *key, ngx_http_tailgate_peer_t *peer,
    const tg_table_found_t *found);
static void ngx_http_tailgate_ready_free(ngx_http_tailgate_cache_t *cache,
    ngx_http_tailgate_ready_t *ready);
static ngx_int_t ngx_http_tailgate_cache_get(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_key_t *key, tg_table_ask_t *ask,
    tg_table_found_t *found);
static ngx_http_tailgate_peer_t *ngx_http_tailgate_cache_peer(
    ngx_http_tailgate_node_t *node,
    const tg_table_found_t *found);
static void ngx_http_tailgate_cache_address(const tg_addr_t *addr,
    u_char *data);


ngx_shm_zone_t *
ngx_http_tailgate_cache_zone(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_shm_zone_t  *zone;

    /* not the module: a zone of its that holds something else is none */
    static ngx_uint_t  tag;

    zone = ngx_shared_memory_add(cf, name, size, &tag);
    if (zone == NULL) {
        return NULL;
    }

    if (zone->init == NULL) {
        zone->init = ngx_http_tailgate_cache_init_zone;
    }

    return zone;
}


static ngx_int_t
ngx_http_tailgate_cache_init_zone(ngx_shm_zone_t *zone, void *data)
{
    size_t                       size;
    ngx_slab_pool_t             *shpool;
    ngx_http_tailgate_shared_t  *shared;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    /* all of it in one piece: nothing is allocated from the zone later */

    size = shpool->pfree * ngx_pagesize;
    shared = size ? ngx_slab_calloc(shpool, size) : NULL;

    if (shared == NULL
        || tg_table_init(ngx_http_tailgate_cache_table(shared),
                         size - (size_t)
                         ((u_char *) ngx_http_tailgate_cache_table(shared)
                          - (u_char *) shared))
           == NULL)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" is too small", &zone->shm.name);
        return NGX_ERROR;
    }

    shpool->data = shared;
    zone->data = shared;

    return NGX_OK;
}


static tg_table_t *
ngx_http_tailgate_cache_table(ngx_http_tailgate_shared_t *shared)
{
    return (tg_table_t *) ngx_align_ptr(shared + 1, NGX_CPU_CACHE_LINE);
}


ngx_int_t
ngx_http_tailgate_cache_init(ngx_http_tailgate_cache_t *cache,
    ngx_pool_t *pool)
{
    cache->shpool = (ngx_slab_pool_t *) cache->zone->shm.addr;
    cache->shared = cache->zone->data;
    cache->table = ngx_http_tailgate_cache_table(cache->shared);
    cache->pool = pool;

    ngx_queue_init(&cache->recent);
    ngx_queue_init(&cache->free);

    cache->buf_size = NGX_HTTP_TAILGATE_CACHE_BUF;
    cache->buf = ngx_palloc(pool, cache->buf_size);

    cache->buckets = ngx_pcalloc(pool, NGX_HTTP_TAILGATE_READY_BUCKETS
                                       * sizeof(ngx_http_tailgate_ready_t *));

    if (cache->buf == NULL || cache->buckets == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_tailgate_cache_exit(ngx_http_tailgate_cache_t *cache)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->recent)) {
        q = ngx_queue_head(&cache->recent);

        ngx_http_tailgate_ready_free(cache,
                    ngx_queue_data(q, ngx_http_tailgate_ready_t, queue));
    }
}


ngx_int_t
ngx_http_tailgate_cache_key(const tg_question_t *question,
    ngx_http_tailgate_key_t *key)
{
    if (question->with_port
        || question->service.len > TG_TABLE_KEY_MAX - TG_TABLE_ADDR)
    {
        return NGX_DECLINED;
    }

    ngx_http_tailgate_cache_address(&question->addr, key->data);

    if (question->service.len) {
        ngx_memcpy(key->data + TG_TABLE_ADDR, question->service.data,
                   question->service.len);
    }

    key->len = TG_TABLE_ADDR + question->service.len;
    key->hash = ngx_murmur_hash2(key->data, key->len);

    return NGX_OK;
}


static void
ngx_http_tailgate_cache_address(const tg_addr_t *addr, u_char *data)
{
    data[0] = addr->family;
    ngx_memcpy(data + 1, addr->bytes, sizeof(addr->bytes));
}


uint64_t
ngx_http_tailgate_cache_epoch(ngx_http_tailgate_cache_t *cache)
{
    return cache ? tg_table_epoch(cache->table) : 0;
}


ngx_int_t
ngx_http_tailgate_peer_stands(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_peer_t *peer)
{
    if (node->cache == NULL) {
        return NGX_DECLINED;
    }

    if (peer->epoch != tg_table_epoch(node->cache->table)
        || (ngx_msec_t) (ngx_current_msec - peer->asked) >= node->cache->ttl)
    {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


ngx_http_tailgate_peer_t *
ngx_http_tailgate_cache_find(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key, ngx_http_tailgate_hint_t *hint,
    ngx_msec_t since, ngx_http_tailgate_lease_t *lease)
{
    ngx_msec_t                  not_before;
    ngx_http_tailgate_peer_t   *peer;
    ngx_http_tailgate_cache_t  *cache;
    ngx_http_tailgate_ready_t  *ready;
    tg_table_ask_t              ask;
    tg_table_found_t            found;

    cache = node->cache;

    not_before = ngx_http_tailgate_cache_bus(cache)
                 == NGX_HTTP_TAILGATE_BUS_LOST ? since : 0;

    ready = hint ? hint->ready : NULL;

    if (ready == NULL || ready->serial != hint->serial) {
        ready = ngx_http_tailgate_ready_find(cache, key);
    }

    if (ready
        && ready->epoch == tg_table_epoch(cache->table)
        && (ngx_msec_int_t) (ready->refresh - ngx_current_msec) > 0
        && (not_before == 0 || ready->asked >= not_before))
    {
        if (ngx_queue_head(&cache->recent) != &ready->queue) {
            ngx_queue_remove(&ready->queue);
            ngx_queue_insert_head(&cache->recent, &ready->queue);
        }

        if (hint) {
            hint->ready = ready;
            hint->serial = ready->serial;
        }

        lease->ticket = 0;

        return ngx_http_tailgate_peer_hold(ready->peer);
    }

    if (ready) {
        ngx_http_tailgate_ready_free(cache, ready);
    }

    ngx_memzero(lease, sizeof(ngx_http_tailgate_lease_t));
    ngx_memzero(&ask, sizeof(tg_table_ask_t));

    ask.now = ngx_current_msec;
    ask.not_before = not_before;
    ask.lease = cache->lease;

    if (ngx_http_tailgate_cache_get(cache, key, &ask, &found) != NGX_OK) {
        return NULL;
    }

    lease->state = found.state;
    lease->ticket = found.ticket;
    lease->asked = ngx_current_msec;

    if (found.state != TG_TABLE_FOUND) {
        return NULL;
    }

    peer = ngx_http_tailgate_cache_peer(node, &found);

    if (peer == NULL) {

        /* nothing that cannot be read is believed, nor asked for twice */

        lease->state = TG_TABLE_FULL;
        return NULL;
    }

    if (lease->ticket == 0) {
        ngx_http_tailgate_ready_keep(cache, key, peer, &found);
    }

    return peer;
}


ngx_http_tailgate_peer_t *
ngx_http_tailgate_cache_again(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_hint_t *hint)
{
    ngx_http_tailgate_ready_t  *ready;

    ready = hint->ready;

    if (ready == NULL
        || ready->serial != hint->serial
        || ready->epoch != tg_table_epoch(cache->table)
        || (ngx_msec_int_t) (ready->refresh - ngx_current_msec) <= 0
        || ngx_http_tailgate_cache_bus(cache) == NGX_HTTP_TAILGATE_BUS_LOST)
    {
        return NULL;
    }

    if (ngx_queue_head(&cache->recent) != &ready->queue) {
        ngx_queue_remove(&ready->queue);
        ngx_queue_insert_head(&cache->recent, &ready->queue);
    }

    ready->peer->refs++;

    return ready->peer;
}


/* The record, if there is one, is in cache->buf. */

static ngx_int_t
ngx_http_tailgate_cache_get(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_key_t *key, tg_table_ask_t *ask,
    tg_table_found_t *found)
{
    u_char         *p;
    uint64_t        ticket;
    tg_table_key_t  name;

    name.data = key->data;
    name.len = key->len;

    ngx_shmtx_lock(&cache->shpool->mutex);
    tg_table_get(cache->table, &name, ask, cache->buf, cache->buf_size, found);
    ngx_shmtx_unlock(&cache->shpool->mutex);

    if (found->state != TG_TABLE_FOUND || found->len <= cache->buf_size) {
        return NGX_OK;
    }

    /* rarely, and never again for one of this size */

    p = ngx_palloc(cache->pool, found->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_pfree(cache->pool, cache->buf);

    cache->buf = p;
    cache->buf_size = found->len;

    ticket = found->ticket;

    if (ngx_http_tailgate_cache_get(cache, key, ask, found) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the lease of the first look is the caller's still */

    if (found->ticket == 0 && found->state == TG_TABLE_FOUND) {
        found->ticket = ticket;
    }

    return NGX_OK;
}


/* NULL: no memory, or a record that is not whole. */

static ngx_http_tailgate_peer_t *
ngx_http_tailgate_cache_peer(ngx_http_tailgate_node_t *node,
    const tg_table_found_t *found)
{
    u_char                    *record;
    ngx_pool_t                *pool;
    tg_alloc_t                 alloc;
    ngx_http_tailgate_peer_t  *peer;

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    peer = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_peer_t));
    if (peer == NULL) {
        goto failed;
    }

    peer->refs = 1;
    peer->pool = pool;
    peer->status = found->status;
    peer->asked = (ngx_msec_t) found->asked;
    peer->epoch = found->epoch;

    if (found->len) {

        record = ngx_palloc(pool, found->len);
        if (record == NULL) {
            goto failed;
        }

        ngx_memcpy(record, node->cache->buf, found->len);

        alloc = ngx_http_tailgate_alloc(pool);

        if (tg_identity_unpack(record, found->len, &alloc, &peer->identity)
            != TG_OK
            || peer->identity.status != peer->status)
        {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "tailgate: a record of zone \"%V\" is not whole",
                          &node->cache->zone->shm.name);
            goto failed;
        }

        if (node->caps
            && ngx_http_tailgate_peer_caps(peer) != NGX_OK)
        {
            goto failed;
        }

    } else if (ngx_http_tailgate_has_identity(peer)) {
        goto failed;
    }

    peer->self = ngx_http_tailgate_self_hold(node->self);

    return peer;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


ngx_int_t
ngx_http_tailgate_cache_put(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key, const ngx_http_tailgate_lease_t *lease,
    const ngx_http_tailgate_peer_t *peer)
{
    int                         rc;
    bool                        changed;
    size_t                      len;
    int64_t                     left;
    u_char                     *record;
    ngx_msec_t                  ttl;
    ngx_time_t                 *now;
    ngx_http_tailgate_cache_t  *cache;
    tg_table_key_t              name;

    cache = node->cache;

    len = 0;
    record = NULL;
    ttl = cache->negative;

    if (ngx_http_tailgate_has_identity(peer)) {

        ttl = cache->ttl;

        /* a key that expires makes another peer of it, and no event tells */

        now = ngx_timeofday();

        if (peer->identity.key_expiry > now->sec) {

            left = peer->identity.key_expiry - now->sec;

            if (left <= (int64_t) (ttl / 1000) + 1) {
                ttl = ngx_min(ttl, (ngx_msec_t) left * 1000 - now->msec);
            }
        }

        rc = tg_identity_pack(&peer->identity, NULL, 0, &len);

        if (rc != TG_ERR_LIMIT) {
            ngx_http_tailgate_cache_drop(node, key, lease);
            return NGX_DECLINED;
        }

        record = ngx_palloc(peer->pool, len);

        if (record == NULL
            || tg_identity_pack(&peer->identity, record, len, &len) != TG_OK)
        {
            ngx_http_tailgate_cache_drop(node, key, lease);
            return NGX_DECLINED;
        }
    }

    name.data = key->data;
    name.len = key->len;

    ngx_shmtx_lock(&cache->shpool->mutex);
    (void) tg_table_put(cache->table, &name, lease->ticket, peer->status,
                        record, len, lease->asked, ttl, &changed);
    ngx_shmtx_unlock(&cache->shpool->mutex);

    if (record) {
        (void) ngx_pfree(peer->pool, record);
    }

    return changed ? NGX_AGAIN : NGX_OK;
}


void
ngx_http_tailgate_cache_drop(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key,
    const ngx_http_tailgate_lease_t *lease)
{
    ngx_http_tailgate_cache_t  *cache;
    tg_table_key_t              name;

    cache = node->cache;

    name.data = key->data;
    name.len = key->len;

    ngx_shmtx_lock(&cache->shpool->mutex);
    tg_table_drop(cache->table, &name, lease->ticket);
    ngx_shmtx_unlock(&cache->shpool->mutex);
}


/* An answer past its end, for when tailscaled gives none. */

ngx_http_tailgate_peer_t *
ngx_http_tailgate_cache_stale(ngx_http_tailgate_node_t *node,
    const ngx_http_tailgate_key_t *key)
{
    ngx_http_tailgate_peer_t   *peer;
    ngx_http_tailgate_cache_t  *cache;
    tg_table_ask_t              ask;
    tg_table_found_t            found;

    cache = node->cache;

    if (cache->stale == 0 || node->self == NULL) {
        return NULL;
    }

    ngx_memzero(&ask, sizeof(tg_table_ask_t));

    ask.now = ngx_current_msec;
    ask.not_before = ngx_current_msec;
    ask.stale = cache->stale;

    if (ngx_http_tailgate_cache_get(cache, key, &ask, &found) != NGX_OK
        || found.state != TG_TABLE_FOUND)
    {
        return NULL;
    }

    peer = ngx_http_tailgate_cache_peer(node, &found);

    if (peer == NULL) {
        return NULL;
    }

    /* past its end an answer may be past the peer's key as well */

    if (ngx_http_tailgate_has_identity(peer)
        && peer->identity.key_expiry
        && peer->identity.key_expiry <= ngx_time())
    {
        ngx_http_tailgate_peer_release(peer);
        return NULL;
    }

    peer->stale = 1;

    return peer;
}


void
ngx_http_tailgate_cache_evict(ngx_http_tailgate_cache_t *cache,
    const tg_addr_t *addr)
{
    u_char  data[TG_TABLE_ADDR];

    ngx_http_tailgate_cache_address(addr, data);

    ngx_shmtx_lock(&cache->shpool->mutex);
    tg_table_evict(cache->table, data);
    ngx_shmtx_unlock(&cache->shpool->mutex);
}


void
ngx_http_tailgate_cache_flush(ngx_http_tailgate_cache_t *cache)
{
    ngx_shmtx_lock(&cache->shpool->mutex);

    /* first: an answer judged by the old state has its question from before */

    cache->shared->flushes++;

    tg_table_flush(cache->table);
    ngx_shmtx_unlock(&cache->shpool->mutex);
}


static ngx_http_tailgate_ready_t *
ngx_http_tailgate_ready_find(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_key_t *key)
{
    ngx_http_tailgate_ready_t  *ready;

    ready = cache->buckets[key->hash % NGX_HTTP_TAILGATE_READY_BUCKETS];

    while (ready) {

        if (ready->key.hash == key->hash && ready->key.len == key->len
            && ngx_memcmp(ready->key.data, key->data, key->len) == 0)
        {
            return ready;
        }

        ready = ready->next;
    }

    return NULL;
}


static void
ngx_http_tailgate_ready_keep(ngx_http_tailgate_cache_t *cache,
    const ngx_http_tailgate_key_t *key, ngx_http_tailgate_peer_t *peer,
    const tg_table_found_t *found)
{
    ngx_queue_t                 *q;
    ngx_http_tailgate_ready_t   *ready, **bucket;

    if (cache->nready == NGX_HTTP_TAILGATE_READY_MAX) {
        q = ngx_queue_last(&cache->recent);

        ngx_http_tailgate_ready_free(cache,
                    ngx_queue_data(q, ngx_http_tailgate_ready_t, queue));
    }

    if (!ngx_queue_empty(&cache->free)) {
        q = ngx_queue_head(&cache->free);
        ngx_queue_remove(q);

        ready = ngx_queue_data(q, ngx_http_tailgate_ready_t, queue);

    } else {
        ready = ngx_palloc(cache->pool, sizeof(ngx_http_tailgate_ready_t));

        if (ready == NULL) {
            return;
        }

        ready->serial = 0;
    }

    bucket = &cache->buckets[key->hash % NGX_HTTP_TAILGATE_READY_BUCKETS];

    ready->next = *bucket;
    *bucket = ready;

    peer->kept = 1;

    ready->peer = ngx_http_tailgate_peer_hold(peer);
    ready->epoch = found->epoch;
    ready->asked = (ngx_msec_t) found->asked;
    ready->expires = (ngx_msec_t) found->expires;
    ready->key = *key;

    /*
     * the table says when it is time to ask anew; who is asking already must
     * not be in its way at each request
     */

    ready->refresh = (ngx_msec_t) (found->expires
                                   - (found->expires - found->asked) / 4);

    if ((ngx_msec_int_t) (ready->refresh - ngx_current_msec) <= 0) {
        ready->refresh = ngx_min(ready->expires,
                                 ngx_current_msec
                                 + NGX_HTTP_TAILGATE_BUS_BEAT);
    }

    ngx_queue_insert_head(&cache->recent, &ready->queue);
    cache->nready++;
}


static void
ngx_http_tailgate_ready_free(ngx_http_tailgate_cache_t *cache,
    ngx_http_tailgate_ready_t *ready)
{
    ngx_http_tailgate_ready_t  **link;

    link = &cache->buckets[ready->key.hash % NGX_HTTP_TAILGATE_READY_BUCKETS];

    while (*link != ready) {
        link = &(*link)->next;
    }

    *link = ready->next;
    ready->serial++;

    ngx_queue_remove(&ready->queue);
    ngx_queue_insert_head(&cache->free, &ready->queue);
    cache->nready--;

    ngx_http_tailgate_peer_release(ready->peer);
}
