
/*
 * Copyright (C) The Tailgate authors
 *
 * Counters in shared memory.  The lock of the zone guards slots' owners, names
 * and the last error, and is never taken to count.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <signal.h>
#include <time.h>

#include "ngx_http_tailgate_stats.h"


/*
 * Room for some 300 slots, as old workers may stay for long; what nobody uses
 * is never touched.
 */

#define NGX_HTTP_TAILGATE_STATS_SIZE  (2 * 1024 * 1024)


typedef struct {
    u_char                    data[TG_METRICS_ROUTE_NAME];
    size_t                    len;            /* 0: the column is free */
    ngx_uint_t                generation;     /* that has it, the last one */
} ngx_http_tailgate_stats_name_t;


struct ngx_http_tailgate_tally_s {
    ngx_uint_t                generation;     /* of configurations */
    uint64_t                  reloads;
    uint64_t                  reloads_failed;
    time_t                    config_time;
    ngx_uint_t                config_failed;  /* unsigned  config_failed:1; */
    uint64_t                  digest;         /* of the rules in force */

    time_t                    error_time;
    size_t                    error_len;
    u_char                    error[NGX_HTTP_TAILGATE_STATS_ERROR];

    ngx_http_tailgate_stats_name_t  names[TG_METRICS_ROUTES];

    ngx_uint_t                nslots;
    ngx_uint_t                used;           /* the others were never used */
    /* slots follow */
};


/* A configuration that is being read. */

typedef struct {
    ngx_shm_zone_t           *zone;           /* of the one in force */
    ngx_uint_t                taken;
} ngx_http_tailgate_stats_attempt_t;


static ngx_int_t ngx_http_tailgate_stats_init_zone(ngx_shm_zone_t *zone,
    void *data);
static ngx_http_tailgate_slot_t *ngx_http_tailgate_stats_slots(
    ngx_http_tailgate_tally_t *tally);
static void ngx_http_tailgate_stats_attempt_cleanup(void *data);
static ngx_http_tailgate_slot_t *ngx_http_tailgate_stats_slot(
    ngx_http_tailgate_tally_t *tally, ngx_uint_t i);
static ngx_http_tailgate_stats_name_t *ngx_http_tailgate_stats_find(
    ngx_http_tailgate_tally_t *tally, const tg_str_t *name);
static ngx_http_tailgate_stats_name_t *ngx_http_tailgate_stats_take(
    ngx_http_tailgate_tally_t *tally, const tg_str_t *name);
static ngx_http_tailgate_slot_t *ngx_http_tailgate_stats_claim(
    ngx_http_tailgate_tally_t *tally);
static ngx_uint_t ngx_http_tailgate_stats_alive(ngx_pid_t pid);
static ngx_int_t ngx_http_tailgate_stats_names(
    ngx_http_tailgate_tally_t *tally, ngx_pool_t *pool,
    ngx_http_tailgate_sum_t *sum, ngx_uint_t *columns);


ngx_shm_zone_t *
ngx_http_tailgate_stats_zone(ngx_conf_t *cf)
{
    ngx_shm_zone_t  *zone;

    static ngx_str_t   name = ngx_string("tailgate_stats");
    static ngx_uint_t  tag;

    zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_TAILGATE_STATS_SIZE,
                                 &tag);
    if (zone == NULL) {
        return NULL;
    }

    zone->init = ngx_http_tailgate_stats_init_zone;

    return zone;
}


static ngx_int_t
ngx_http_tailgate_stats_init_zone(ngx_shm_zone_t *zone, void *data)
{
    size_t                      size;
    ngx_slab_pool_t            *shpool;
    ngx_http_tailgate_tally_t  *tally;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    size = shpool->pfree * ngx_pagesize;

    tally = ngx_slab_alloc(shpool, size);
    if (tally == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(tally, sizeof(ngx_http_tailgate_tally_t));

    tally->nslots = (size - ((u_char *) ngx_http_tailgate_stats_slots(tally)
                             - (u_char *) tally))
                    / ngx_align(sizeof(ngx_http_tailgate_slot_t),
                                NGX_CPU_CACHE_LINE);

    shpool->data = tally;
    zone->data = tally;

    return NGX_OK;
}


static ngx_http_tailgate_slot_t *
ngx_http_tailgate_stats_slots(ngx_http_tailgate_tally_t *tally)
{
    return (ngx_http_tailgate_slot_t *)
               ngx_align_ptr(tally + 1, NGX_CPU_CACHE_LINE);
}


/* No two workers share a line of the cache. */

static ngx_http_tailgate_slot_t *
ngx_http_tailgate_stats_slot(ngx_http_tailgate_tally_t *tally, ngx_uint_t i)
{
    return (ngx_http_tailgate_slot_t *)
               ((u_char *) ngx_http_tailgate_stats_slots(tally)
                + i * ngx_align(sizeof(ngx_http_tailgate_slot_t),
                                NGX_CPU_CACHE_LINE));
}


ngx_int_t
ngx_http_tailgate_stats_read(ngx_conf_t *cf, ngx_shm_zone_t *old,
    ngx_uint_t **taken)
{
    ngx_pool_cleanup_t                 *cln;
    ngx_http_tailgate_stats_attempt_t  *attempt;

    cln = ngx_pool_cleanup_add(cf->pool,
                               sizeof(ngx_http_tailgate_stats_attempt_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_tailgate_stats_attempt_cleanup;

    attempt = cln->data;
    attempt->zone = old;
    attempt->taken = 0;

    *taken = &attempt->taken;

    return NGX_OK;
}


/* Of a configuration that was taken this runs much later. */

static void
ngx_http_tailgate_stats_attempt_cleanup(void *data)
{
    ngx_http_tailgate_stats_attempt_t *attempt = data;

    ngx_http_tailgate_tally_t  *tally;

    if (!attempt->taken) {
        tally = attempt->zone->data;
        tally->reloads_failed++;
        tally->config_failed = 1;
    }
}


void
ngx_http_tailgate_stats_taken(ngx_shm_zone_t *zone, uint64_t digest,
    ngx_uint_t reload)
{
    ngx_slab_pool_t            *shpool;
    ngx_http_tailgate_tally_t  *tally;

    tally = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);
    tally->digest = digest;
    ngx_shmtx_unlock(&shpool->mutex);

    tally->generation++;
    tally->config_time = ngx_time();
    tally->config_failed = 0;

    if (reload) {
        tally->reloads++;
    }
}


uint64_t
ngx_http_tailgate_stats_digest(ngx_shm_zone_t *zone)
{
    uint64_t                    digest;
    ngx_slab_pool_t            *shpool;
    ngx_http_tailgate_tally_t  *tally;

    tally = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);
    digest = tally->digest;
    ngx_shmtx_unlock(&shpool->mutex);

    return digest;
}


void
ngx_http_tailgate_stats_keep(ngx_shm_zone_t *zone, const tg_str_t *name)
{
    ngx_slab_pool_t                 *shpool;
    ngx_http_tailgate_tally_t       *tally;
    ngx_http_tailgate_stats_name_t  *column;

    tally = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    column = ngx_http_tailgate_stats_find(tally, name);

    if (column) {
        column->generation = tally->generation;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_uint_t
ngx_http_tailgate_stats_column(ngx_shm_zone_t *zone, const tg_str_t *name)
{
    ngx_slab_pool_t                 *shpool;
    ngx_http_tailgate_tally_t       *tally;
    ngx_http_tailgate_stats_name_t  *column;

    tally = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    /* cut, it could be the name of another one */

    if (name->len == 0 || name->len > TG_METRICS_ROUTE_NAME) {
        return NGX_HTTP_TAILGATE_STATS_OTHER;
    }

    ngx_shmtx_lock(&shpool->mutex);

    column = ngx_http_tailgate_stats_find(tally, name);

    if (column == NULL) {
        column = ngx_http_tailgate_stats_take(tally, name);
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return column ? (ngx_uint_t) (column - tally->names)
                  : NGX_HTTP_TAILGATE_STATS_OTHER;
}


static ngx_http_tailgate_stats_name_t *
ngx_http_tailgate_stats_find(ngx_http_tailgate_tally_t *tally,
    const tg_str_t *name)
{
    ngx_uint_t                       i;
    ngx_http_tailgate_stats_name_t  *names;

    names = tally->names;

    for (i = 0; i < TG_METRICS_ROUTES; i++) {
        if (names[i].len && names[i].len == name->len
            && ngx_memcmp(names[i].data, name->data, name->len) == 0)
        {
            return &names[i];
        }
    }

    return NULL;
}


/*
 * A column that is free, else one whose name is no longer in force: what was
 * counted there goes, and what an old worker still counts there is the new
 * one's.
 */

static ngx_http_tailgate_stats_name_t *
ngx_http_tailgate_stats_take(ngx_http_tailgate_tally_t *tally,
    const tg_str_t *name)
{
    ngx_uint_t                       i, column;
    ngx_http_tailgate_stats_name_t  *names, *found;

    names = tally->names;
    found = NULL;

    for (i = 0; i < TG_METRICS_ROUTES; i++) {

        if (names[i].len == 0) {
            found = &names[i];
            break;
        }

        if (found == NULL && names[i].generation != tally->generation) {
            found = &names[i];
        }
    }

    if (found == NULL) {
        return NULL;
    }

    column = found - names;

    for (i = 0; i < tally->used; i++) {
        ngx_memzero(ngx_http_tailgate_stats_slot(tally, i)->routes[column],
                    sizeof(uint64_t) * TG_OUTCOME_MAX);
    }

    ngx_memcpy(found->data, name->data, name->len);
    found->len = name->len;
    found->generation = tally->generation;

    return found;
}


ngx_int_t
ngx_http_tailgate_stats_init(ngx_http_tailgate_stats_t *stats,
    ngx_shm_zone_t *zone, ngx_pool_t *pool)
{
    stats->slot = NULL;

    if (zone) {
        stats->tally = zone->data;
        stats->shpool = (ngx_slab_pool_t *) zone->shm.addr;

        ngx_shmtx_lock(&stats->shpool->mutex);
        stats->slot = ngx_http_tailgate_stats_claim(stats->tally);
        ngx_shmtx_unlock(&stats->shpool->mutex);

        if (stats->slot) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "tailgate: too many worker processes, what this one "
                      "counts is not shown");
    }

    stats->slot = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_slot_t));

    return stats->slot ? NGX_OK : NGX_ERROR;
}


/* That of a worker that is no more goes on being counted in. */

static ngx_http_tailgate_slot_t *
ngx_http_tailgate_stats_claim(ngx_http_tailgate_tally_t *tally)
{
    ngx_uint_t                 i;
    ngx_http_tailgate_slot_t  *slot;

    for (i = 0; i < tally->used; i++) {
        slot = ngx_http_tailgate_stats_slot(tally, i);

        if (!ngx_http_tailgate_stats_alive(slot->pid)) {
            slot->pid = ngx_pid;
            return slot;
        }
    }

    if (tally->used == tally->nslots) {
        return NULL;
    }

    slot = ngx_http_tailgate_stats_slot(tally, i);

    ngx_memzero(slot, sizeof(ngx_http_tailgate_slot_t));

    slot->pid = ngx_pid;
    tally->used++;

    return slot;
}


static ngx_uint_t
ngx_http_tailgate_stats_alive(ngx_pid_t pid)
{
    if (pid == 0 || pid == ngx_pid) {
        return 0;
    }

    return kill(pid, 0) == 0 || ngx_errno != NGX_ESRCH;
}


void
ngx_http_tailgate_stats_exit(ngx_http_tailgate_stats_t *stats)
{
    if (stats->tally && stats->slot->pid == ngx_pid) {
        stats->slot->pid = 0;
    }
}


void
ngx_http_tailgate_stats_error(ngx_http_tailgate_stats_t *stats,
    tg_count_t kind, ngx_str_t *error)
{
    ngx_http_tailgate_count(stats, kind);
    ngx_http_tailgate_stats_last(stats, error);
}


void
ngx_http_tailgate_stats_last(ngx_http_tailgate_stats_t *stats,
    ngx_str_t *error)
{
    size_t                      len;
    ngx_http_tailgate_tally_t  *tally;

    tally = stats->tally;

    if (tally == NULL) {
        return;
    }

    len = ngx_min(error->len, NGX_HTTP_TAILGATE_STATS_ERROR);

    ngx_shmtx_lock(&stats->shpool->mutex);

    ngx_memcpy(tally->error, error->data, len);
    tally->error_len = len;
    tally->error_time = ngx_time();

    ngx_shmtx_unlock(&stats->shpool->mutex);
}


/*
 * What a worker adds at this moment is in the sum or not; no number is less
 * than it was in an earlier sum.
 */

ngx_int_t
ngx_http_tailgate_stats_sum(ngx_http_tailgate_stats_t *stats,
    ngx_pool_t *pool, ngx_http_tailgate_sum_t *sum)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i, j, k, used;
    ngx_uint_t                  columns[NGX_HTTP_TAILGATE_STATS_ROUTES];
    tg_metrics_route_t         *routes;
    ngx_http_tailgate_slot_t   *slot;
    ngx_http_tailgate_tally_t  *tally;

    tally = stats->tally;

    ngx_shmtx_lock(&stats->shpool->mutex);
    rc = ngx_http_tailgate_stats_names(tally, pool, sum, columns);
    used = tally->used;
    ngx_shmtx_unlock(&stats->shpool->mutex);

    if (rc != NGX_OK) {
        return rc;
    }

    sum->metrics.reloads = tally->reloads;
    sum->metrics.reloads_failed = tally->reloads_failed;
    sum->metrics.config_time = tally->config_time;
    sum->metrics.config_ok = !tally->config_failed;

    routes = (tg_metrics_route_t *) sum->metrics.routes;

    for (i = 0; i < used; i++) {
        slot = ngx_http_tailgate_stats_slot(tally, i);

        sum->workers += slot->pid == ngx_pid
                        || ngx_http_tailgate_stats_alive(slot->pid);

        for (j = 0; j < TG_COUNT_MAX; j++) {
            sum->metrics.counts[j] += slot->counts[j];
        }

        for (j = 0; j < sum->metrics.nroutes; j++) {
            for (k = 0; k < TG_OUTCOME_MAX; k++) {
                routes[j].outcomes[k] += slot->routes[columns[j]][k];
            }
        }
    }

    return NGX_OK;
}


/* Copies: of names those in force. */

static ngx_int_t
ngx_http_tailgate_stats_names(ngx_http_tailgate_tally_t *tally,
    ngx_pool_t *pool, ngx_http_tailgate_sum_t *sum, ngx_uint_t *columns)
{
    u_char                          *p;
    ngx_uint_t                       i, n;
    tg_metrics_route_t              *routes;
    ngx_http_tailgate_stats_name_t  *name;

    static const tg_str_t  other = TG_STR(TG_METRICS_OTHER);
    static const tg_str_t  none = TG_STR(TG_METRICS_NONE);

    routes = ngx_pcalloc(pool, NGX_HTTP_TAILGATE_STATS_ROUTES
                               * sizeof(tg_metrics_route_t));
    p = ngx_pnalloc(pool, TG_METRICS_ROUTES * TG_METRICS_ROUTE_NAME
                          + NGX_HTTP_TAILGATE_STATS_ERROR);

    if (routes == NULL || p == NULL) {
        return NGX_ERROR;
    }

    n = 0;

    for (i = 0; i < TG_METRICS_ROUTES; i++) {
        name = &tally->names[i];

        if (name->len && name->generation == tally->generation) {
            routes[n].name.data = (char *) p;
            routes[n].name.len = name->len;
            columns[n++] = i;

            p = ngx_cpymem(p, name->data, name->len);
        }
    }

    routes[n].name = other;
    columns[n++] = NGX_HTTP_TAILGATE_STATS_OTHER;

    routes[n].name = none;
    columns[n++] = NGX_HTTP_TAILGATE_STATS_NONE;

    sum->metrics.routes = routes;
    sum->metrics.nroutes = n;

    sum->error.data = p;
    sum->error.len = tally->error_len;
    sum->error_time = tally->error_time;
    ngx_memcpy(p, tally->error, tally->error_len);

    return NGX_OK;
}


uint64_t
ngx_http_tailgate_stats_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}
