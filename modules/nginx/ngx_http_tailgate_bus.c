
/*
 * Copyright (C) The Tailgate authors
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <tailgate/bus.h>

#include "ngx_http_tailgate_bus.h"


/* In ms: after it was lost, and for a tailscaled that has none. */

#define NGX_HTTP_TAILGATE_BUS_RETRY       200
#define NGX_HTTP_TAILGATE_BUS_RETRY_NONE  5000

/* In ms: how long a worker that is shut down waits for its successor. */

#define NGX_HTTP_TAILGATE_BUS_LINGER      1000

/*
 * In ms: an answer that was on its way to us when the message came may be from
 * before it, so that what a message names is forgotten once more.
 */

#define NGX_HTTP_TAILGATE_BUS_ECHO        200
#define NGX_HTTP_TAILGATE_BUS_ECHOES      64

/* What is remembered of nodes: about 8,000 of them. */

#define NGX_HTTP_TAILGATE_BUS_MEMORY      (1024 * 1024)


struct ngx_http_tailgate_bus_s {
    ngx_http_tailgate_node_t    *node;
    ngx_http_tailgate_cache_t   *cache;
    ngx_uint_t                   generation;
    ngx_event_t                  beat;
    ngx_event_t                  echo;
    ngx_msec_t                   retry;       /* when to connect again */
    ngx_msec_t                   began;       /* the stream, with its data */
    ngx_msec_t                   leaving;     /* since when the worker exits */
    ngx_pool_t                  *call_pool;
    ngx_http_tailgate_call_t    *call;        /* NULL: not connected */

    tg_bus_t                    *nodes;
    u_char                      *line;        /* TG_BUS_MESSAGE_MAX + 1 */
    size_t                       len;

    tg_addr_t                    echoes[NGX_HTTP_TAILGATE_BUS_ECHOES];
    ngx_uint_t                   nechoes;

    unsigned                     echo_all:1;
    unsigned                     echo_more:1; /* came since the timer began */
    unsigned                     skip:1;      /* up to the end of a line */
    unsigned                     connected:1; /* the stream has begun */
    unsigned                     following:1;
    unsigned                     told:1;      /* the log, that it is lost */
};


static void ngx_http_tailgate_bus_beat_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_tailgate_bus_leaves(ngx_http_tailgate_bus_t *bus);
static void ngx_http_tailgate_bus_connect(ngx_http_tailgate_bus_t *bus);
static void ngx_http_tailgate_bus_close(ngx_http_tailgate_bus_t *bus);
static void ngx_http_tailgate_bus_ended(ngx_http_tailgate_call_t *call);
static ngx_int_t ngx_http_tailgate_bus_data(ngx_http_tailgate_call_t *call,
    const char *data, size_t len);
static ngx_int_t ngx_http_tailgate_bus_take_over(
    ngx_http_tailgate_bus_t *bus);
static void ngx_http_tailgate_bus_line(ngx_http_tailgate_bus_t *bus);
static void ngx_http_tailgate_bus_forget(ngx_http_tailgate_bus_t *bus,
    const tg_bus_change_t *change);
static void ngx_http_tailgate_bus_echo_handler(ngx_event_t *ev);
static void ngx_http_tailgate_bus_set(ngx_http_tailgate_bus_t *bus,
    ngx_uint_t state);


static ngx_str_t  ngx_http_tailgate_bus_target = ngx_string(TG_BUS_TARGET);


ngx_http_tailgate_bus_t *
ngx_http_tailgate_bus_follow(ngx_http_tailgate_node_t *node,
    ngx_uint_t generation, ngx_pool_t *pool)
{
    void                     *memory;
    ngx_http_tailgate_bus_t  *bus;

    bus = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_bus_t));
    if (bus == NULL) {
        return NULL;
    }

    memory = ngx_palloc(pool, NGX_HTTP_TAILGATE_BUS_MEMORY);
    bus->line = ngx_pnalloc(pool, TG_BUS_MESSAGE_MAX + 1);

    if (memory == NULL || bus->line == NULL) {
        return NULL;
    }

    bus->nodes = tg_bus_init(memory, NGX_HTTP_TAILGATE_BUS_MEMORY);
    bus->node = node;
    bus->cache = node->cache;
    bus->generation = generation;

    bus->beat.handler = ngx_http_tailgate_bus_beat_handler;
    bus->beat.data = bus;
    bus->beat.log = ngx_cycle->log;
    bus->beat.cancelable = 1;

    bus->echo.handler = ngx_http_tailgate_bus_echo_handler;
    bus->echo.data = bus;
    bus->echo.log = ngx_cycle->log;
    bus->echo.cancelable = 1;

    ngx_http_tailgate_bus_connect(bus);
    ngx_add_timer(&bus->beat, NGX_HTTP_TAILGATE_BUS_BEAT);

    return bus;
}


void
ngx_http_tailgate_bus_exit(ngx_http_tailgate_bus_t *bus)
{
    if (bus->beat.timer_set) {
        ngx_del_timer(&bus->beat);
    }

    if (bus->echo.timer_set) {
        ngx_del_timer(&bus->echo);
    }

    ngx_http_tailgate_bus_close(bus);
}


static void
ngx_http_tailgate_bus_beat_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_bus_t  *bus;

    bus = ev->data;

    if (ngx_http_tailgate_bus_leaves(bus)) {
        ngx_http_tailgate_bus_close(bus);
        return;
    }

    if (bus->following) {

        /* tailscaled drops events for a listener that is slow */

        if (ngx_http_tailgate_cache_bus(bus->cache)
            != NGX_HTTP_TAILGATE_BUS_FOLLOWED)
        {
            ngx_http_tailgate_cache_flush(bus->cache);
        }

        ngx_http_tailgate_bus_set(bus, NGX_HTTP_TAILGATE_BUS_FOLLOWED);

    } else if (bus->connected) {
        (void) ngx_http_tailgate_bus_take_over(bus);

    } else if (bus->call == NULL
               && (ngx_msec_int_t) (bus->retry - ngx_current_msec) <= 0)
    {
        ngx_http_tailgate_bus_connect(bus);
    }

    /* nginx waits for the timer only if there is a successor to wait for */

    ev->cancelable = bus->cache->shared->generations <= bus->generation;

    ngx_add_timer(ev, NGX_HTTP_TAILGATE_BUS_BEAT);
}


/*
 * A worker that is shut down for a new configuration stays until a worker of
 * that one follows, for a while.
 */

static ngx_uint_t
ngx_http_tailgate_bus_leaves(ngx_http_tailgate_bus_t *bus)
{
    if (bus->cache->shared->generation > bus->generation) {
        return 1;
    }

    if (!ngx_exiting) {
        return 0;
    }

    if (bus->leaving == 0) {
        bus->leaving = ngx_current_msec;
    }

    return !bus->connected
           || bus->cache->shared->generations <= bus->generation
           || (ngx_msec_t) (ngx_current_msec - bus->leaving)
              > NGX_HTTP_TAILGATE_BUS_LINGER;
}


static void
ngx_http_tailgate_bus_connect(ngx_http_tailgate_bus_t *bus)
{
    ngx_pool_t                *pool;
    ngx_http_tailgate_call_t  *call;

    bus->retry = ngx_current_msec + NGX_HTTP_TAILGATE_BUS_RETRY;
    bus->len = 0;
    bus->skip = 0;
    bus->connected = 0;

    tg_bus_forget(bus->nodes);

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_http_tailgate_call_t));
    if (call == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    call->localapi = &bus->node->localapi;
    call->pool = pool;
    call->handler = ngx_http_tailgate_bus_ended;
    call->stream = ngx_http_tailgate_bus_data;
    call->data = bus;

    if (ngx_http_tailgate_localapi_ask(call, &ngx_http_tailgate_bus_target)
        != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return;
    }

    bus->call = call;
    bus->call_pool = pool;
}


static void
ngx_http_tailgate_bus_close(ngx_http_tailgate_bus_t *bus)
{
    if (bus->call) {
        ngx_http_tailgate_localapi_cancel(bus->call);
        ngx_destroy_pool(bus->call_pool);
        bus->call = NULL;
        bus->connected = 0;
    }

    if (bus->following) {
        bus->following = 0;
        ngx_http_tailgate_bus_set(bus, NGX_HTTP_TAILGATE_BUS_LOST);
    }
}


/* The stream has an end after all, or there is none. */

static void
ngx_http_tailgate_bus_ended(ngx_http_tailgate_call_t *call)
{
    ngx_uint_t                state;
    ngx_http_tailgate_bus_t  *bus;

    bus = call->data;

    state = NGX_HTTP_TAILGATE_BUS_LOST;

    if (call->code == 400 || call->code == 404) {
        state = NGX_HTTP_TAILGATE_BUS_NONE;
        bus->retry = ngx_current_msec + NGX_HTTP_TAILGATE_BUS_RETRY_NONE;
    }

    if (!bus->told && bus->cache->shared->generation <= bus->generation) {
        bus->told = 1;

        if (state == NGX_HTTP_TAILGATE_BUS_NONE) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "tailgate: %V has no event stream (%i), answers are "
                          "kept for their ttl whatever changes",
                          &bus->node->localapi.name, call->code);

        } else {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "tailgate: the event stream of %V is lost: %V; until "
                          "it is back each request is asked for anew",
                          &bus->node->localapi.name, &call->error);
        }
    }

    bus->connected = 0;
    bus->following = 0;
    ngx_http_tailgate_bus_set(bus, state);

    bus->call = NULL;
    ngx_destroy_pool(bus->call_pool);
}


/* Of this generation's follower only. */

static void
ngx_http_tailgate_bus_set(ngx_http_tailgate_bus_t *bus, ngx_uint_t state)
{
    ngx_slab_pool_t             *shpool;
    ngx_http_tailgate_shared_t  *shared;

    shpool = bus->cache->shpool;
    shared = bus->cache->shared;

    ngx_shmtx_lock(&shpool->mutex);

    if (shared->generation <= bus->generation) {

        /* an older one may follow while this one cannot */

        if (state == NGX_HTTP_TAILGATE_BUS_FOLLOWED
            || shared->generation == bus->generation
            || ngx_http_tailgate_cache_bus(bus->cache)
               != NGX_HTTP_TAILGATE_BUS_FOLLOWED)
        {
            shared->generation = bus->generation;
            shared->heard = ngx_current_msec;
            shared->bus = state;
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);
}


static ngx_int_t
ngx_http_tailgate_bus_data(ngx_http_tailgate_call_t *call, const char *data,
    size_t len)
{
    size_t                    n;
    const char               *end;
    ngx_http_tailgate_bus_t  *bus;

    bus = call->data;

    if (!bus->following && ngx_http_tailgate_bus_take_over(bus) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( /* void */ ; len; data += n, len -= n) {

        end = memchr(data, LF, len);
        n = end ? (size_t) (end - data) + 1 : len;

        if (bus->len + n > TG_BUS_MESSAGE_MAX + 1) {
            bus->skip = 1;

        } else if (!bus->skip) {
            ngx_memcpy(bus->line + bus->len, data, n);
            bus->len += n;
        }

        if (end) {
            ngx_http_tailgate_bus_line(bus);
            bus->len = 0;
            bus->skip = 0;
        }
    }

    return NGX_OK;
}


/*
 * What was missed while nobody followed may have been about anybody.  A
 * follower of the same generation that was killed still looks alive for a
 * while, and so does one of an older generation: only if that one has said
 * since the stream began that it lives, nothing can have been missed.  What is
 * out of date goes before anybody may believe the bus again.
 */

static ngx_int_t
ngx_http_tailgate_bus_take_over(ngx_http_tailgate_bus_t *bus)
{
    ngx_http_tailgate_shared_t  *shared;

    shared = bus->cache->shared;

    if (shared->generation > bus->generation) {
        return NGX_ERROR;
    }

    if (!bus->connected) {
        bus->connected = 1;
        bus->began = ngx_current_msec;
    }

    if (shared->generation == bus->generation
        || ngx_http_tailgate_cache_bus(bus->cache)
           != NGX_HTTP_TAILGATE_BUS_FOLLOWED)
    {
        ngx_http_tailgate_cache_flush(bus->cache);

    } else if ((ngx_msec_int_t) (shared->heard - bus->began) <= 0) {
        /* the next beat looks again */
        return NGX_OK;
    }

    bus->following = 1;
    ngx_http_tailgate_bus_set(bus, NGX_HTTP_TAILGATE_BUS_FOLLOWED);

    if (bus->told) {
        bus->told = 0;
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "tailgate: the event stream of %V is followed",
                      &bus->node->localapi.name);
    }

    return NGX_OK;
}


static void
ngx_http_tailgate_bus_line(ngx_http_tailgate_bus_t *bus)
{
    ngx_pool_t       *pool;
    tg_alloc_t        alloc;
    tg_error_t        error;
    tg_bus_change_t   change;

    ngx_memzero(&change, sizeof(tg_bus_change_t));

    pool = ngx_create_pool(1024, ngx_cycle->log);

    if (pool == NULL || bus->skip) {
        tg_bus_forget(bus->nodes);
        change.all = 1;

    } else {
        alloc = ngx_http_tailgate_alloc(pool);

        if (tg_bus_read(bus->nodes, (char *) bus->line, bus->len, &alloc,
                        &change, &error)
            != TG_OK)
        {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "tailgate: %V sent an event that is not understood: "
                          "%s", &bus->node->localapi.name, error.text);
        }
    }

    ngx_http_tailgate_bus_forget(bus, &change);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_tailgate_bus_forget(ngx_http_tailgate_bus_t *bus,
    const tg_bus_change_t *change)
{
    size_t  i;

    if (change->all) {
        bus->echo_all = 1;
        ngx_http_tailgate_cache_flush(bus->cache);
    }

    for (i = 0; i < change->naddrs; i++) {

        if (!change->all) {
            ngx_http_tailgate_cache_evict(bus->cache, &change->addrs[i]);
        }

        if (bus->nechoes == NGX_HTTP_TAILGATE_BUS_ECHOES) {
            bus->echo_all = 1;
            continue;
        }

        bus->echoes[bus->nechoes++] = change->addrs[i];
    }

    if (!change->all && change->naddrs == 0) {
        return;
    }

    if (bus->echo.timer_set) {
        bus->echo_more = 1;
        return;
    }

    ngx_add_timer(&bus->echo, NGX_HTTP_TAILGATE_BUS_ECHO);
}


static void
ngx_http_tailgate_bus_echo_handler(ngx_event_t *ev)
{
    ngx_uint_t                i;
    ngx_http_tailgate_bus_t  *bus;

    bus = ev->data;

    if (bus->echo_all) {
        ngx_http_tailgate_cache_flush(bus->cache);

    } else {
        for (i = 0; i < bus->nechoes; i++) {
            ngx_http_tailgate_cache_evict(bus->cache, &bus->echoes[i]);
        }
    }

    if (bus->echo_more) {
        bus->echo_more = 0;
        ngx_add_timer(ev, NGX_HTTP_TAILGATE_BUS_ECHO);
        return;
    }

    bus->echo_all = 0;
    bus->nechoes = 0;
}
