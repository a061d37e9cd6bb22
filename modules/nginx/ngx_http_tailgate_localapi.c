
/*
 * Copyright (C) The Tailgate authors
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <tailgate/identity.h>

#include "ngx_http_tailgate_localapi.h"


/*
 * tailscaled answers no faster on more connections than this, and each of
 * them is a descriptor of the worker; calls beyond wait, and the wait counts
 * towards their deadline.
 */

#define NGX_HTTP_TAILGATE_LOCALAPI_ACTIVE  64

/* The body of a stream; what is added to it does not overflow. */

#define NGX_HTTP_TAILGATE_ENDLESS  (NGX_MAX_SIZE_T_VALUE / 32)

/* In ms: the queue of a busy tailscaled may be full for a moment. */

#define NGX_HTTP_TAILGATE_LOCALAPI_PAUSE   10


typedef struct {
    ngx_queue_t                    queue;
    ngx_connection_t              *connection;
    ngx_http_tailgate_localapi_t  *localapi;
} ngx_http_tailgate_idle_t;


static void ngx_http_tailgate_call_start(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_call_begin(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_call_connect(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_connect_handler(ngx_event_t *ev);
static ngx_connection_t *ngx_http_tailgate_idle_take(
    ngx_http_tailgate_localapi_t *localapi);
static void ngx_http_tailgate_idle_keep(
    ngx_http_tailgate_localapi_t *localapi, ngx_connection_t *c);
static void ngx_http_tailgate_idle_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_tailgate_is_quiet(ngx_connection_t *c);
static void ngx_http_tailgate_dummy_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_tailgate_connect(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_write_handler(ngx_event_t *wev);
static void ngx_http_tailgate_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_http_tailgate_read(ngx_http_tailgate_call_t *call,
    const char *pos, const char *last);
static ngx_int_t ngx_http_tailgate_body_append(ngx_http_tailgate_call_t *call,
    const char *data, size_t len);
static void ngx_http_tailgate_died(ngx_http_tailgate_call_t *call);
static void ngx_http_tailgate_timeout_handler(ngx_event_t *ev);
static void ngx_http_tailgate_fail(ngx_http_tailgate_call_t *call,
    const char *reason);
static void ngx_http_tailgate_fail_handler(ngx_event_t *ev);
static void ngx_http_tailgate_call_close(ngx_http_tailgate_call_t *call,
    ngx_uint_t keep);
static void ngx_http_tailgate_call_done(ngx_http_tailgate_call_t *call,
    ngx_uint_t keep);


ngx_int_t
ngx_http_tailgate_localapi_init(ngx_http_tailgate_localapi_t *localapi,
    ngx_pool_t *pool)
{
    ngx_uint_t                 i;
    ngx_http_tailgate_idle_t  *idle;

    ngx_queue_init(&localapi->idle);
    ngx_queue_init(&localapi->free);
    ngx_queue_init(&localapi->pending);

    localapi->active = 0;

    idle = ngx_pcalloc(pool,
                       sizeof(ngx_http_tailgate_idle_t) * localapi->keepalive);
    if (idle == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < localapi->keepalive; i++) {
        idle[i].localapi = localapi;
        ngx_queue_insert_tail(&localapi->free, &idle[i].queue);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_tailgate_localapi_ask(ngx_http_tailgate_call_t *call,
    ngx_str_t *target)
{
    size_t                         len;
    ngx_http_tailgate_localapi_t  *localapi;

    localapi = call->localapi;

    len = sizeof("GET  HTTP/1.1" CRLF "Host: " TG_LOCALAPI_HOST CRLF CRLF) - 1
          + target->len;

    call->request.start = ngx_pnalloc(call->pool, len);
    if (call->request.start == NULL) {
        return NGX_ERROR;
    }

    call->request.pos = call->request.start;
    call->request.last = ngx_sprintf(call->request.start,
                                     "GET %V HTTP/1.1" CRLF
                                     "Host: " TG_LOCALAPI_HOST CRLF CRLF,
                                     target);

    call->failure = TG_COUNT_ERROR_CLOSED;
    call->started = ngx_http_tailgate_stats_clock();

    call->timer.handler = ngx_http_tailgate_timeout_handler;
    call->timer.data = call;
    call->timer.log = ngx_cycle->log;

    call->event.data = call;
    call->event.log = ngx_cycle->log;

    ngx_add_timer(&call->timer, localapi->timeout);

    if (localapi->active >= NGX_HTTP_TAILGATE_LOCALAPI_ACTIVE) {
        ngx_queue_insert_tail(&localapi->pending, &call->queue);
        call->pending = 1;

        return NGX_OK;
    }

    ngx_http_tailgate_call_start(call);

    return NGX_OK;
}


void
ngx_http_tailgate_localapi_cancel(ngx_http_tailgate_call_t *call)
{
    ngx_http_tailgate_call_close(call, 0);
}


static void
ngx_http_tailgate_call_start(ngx_http_tailgate_call_t *call)
{
    ngx_connection_t  *c;

    call->request.pos = call->request.start;
    call->answered = 0;

    ngx_http_tailgate_reader_init(&call->reader,
                                  call->stream ? NGX_HTTP_TAILGATE_ENDLESS
                                               : call->localapi->body_max);

    c = call->retried ? NULL : ngx_http_tailgate_idle_take(call->localapi);

    if (c) {
        call->connection = c;
        call->reused = 1;
        call->localapi->active++;

        ngx_http_tailgate_call_begin(call);

    } else {
        call->reused = 0;

        ngx_http_tailgate_call_connect(call);
    }
}


static void
ngx_http_tailgate_call_begin(ngx_http_tailgate_call_t *call)
{
    ngx_connection_t  *c;

    c = call->connection;

    c->data = call;
    c->read->handler = ngx_http_tailgate_read_handler;
    c->write->handler = ngx_http_tailgate_write_handler;

    ngx_post_event(c->write, &ngx_posted_events);
}


static void
ngx_http_tailgate_call_connect(ngx_http_tailgate_call_t *call)
{
    switch (ngx_http_tailgate_connect(call)) {

    case NGX_OK:
        ngx_http_tailgate_call_begin(call);
        break;

    case NGX_AGAIN:
        call->event.handler = ngx_http_tailgate_connect_handler;
        ngx_add_timer(&call->event, NGX_HTTP_TAILGATE_LOCALAPI_PAUSE);
        break;

    default: /* NGX_ERROR */
        /* the handler is never called from here */
        call->event.handler = ngx_http_tailgate_fail_handler;
        ngx_post_event(&call->event, &ngx_posted_events);
        break;
    }
}


static void
ngx_http_tailgate_connect_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_call_connect(ev->data);
}


static ngx_connection_t *
ngx_http_tailgate_idle_take(ngx_http_tailgate_localapi_t *localapi)
{
    ngx_queue_t               *q;
    ngx_connection_t          *c;
    ngx_http_tailgate_idle_t  *idle;

    if (ngx_queue_empty(&localapi->idle)) {
        return NULL;
    }

    q = ngx_queue_head(&localapi->idle);
    ngx_queue_remove(q);
    ngx_queue_insert_head(&localapi->free, q);

    idle = ngx_queue_data(q, ngx_http_tailgate_idle_t, queue);

    c = idle->connection;
    c->idle = 0;

    return c;
}


static void
ngx_http_tailgate_idle_keep(ngx_http_tailgate_localapi_t *localapi,
    ngx_connection_t *c)
{
    ngx_queue_t               *q;
    ngx_http_tailgate_idle_t  *idle;

    if (ngx_exiting || ngx_terminate || ngx_queue_empty(&localapi->free)
        || c->read->eof || c->read->error || c->close
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_close_connection(c);
        return;
    }

    q = ngx_queue_head(&localapi->free);
    ngx_queue_remove(q);
    ngx_queue_insert_head(&localapi->idle, q);

    idle = ngx_queue_data(q, ngx_http_tailgate_idle_t, queue);
    idle->connection = c;

    /* an exiting worker asks idle connections to close */

    c->idle = 1;
    c->data = idle;
    c->read->handler = ngx_http_tailgate_idle_handler;
    c->write->handler = ngx_http_tailgate_dummy_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


static void
ngx_http_tailgate_idle_handler(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_tailgate_idle_t  *idle;

    c = ev->data;
    idle = c->data;

    if (!c->close && ngx_http_tailgate_is_quiet(c)) {
        ev->ready = 0;

        if (ngx_handle_read_event(ev, 0) == NGX_OK) {
            return;
        }
    }

    ngx_queue_remove(&idle->queue);
    ngx_queue_insert_head(&idle->localapi->free, &idle->queue);

    ngx_close_connection(c);
}


/* Nothing has come in, nor has the other side closed. */

static ngx_uint_t
ngx_http_tailgate_is_quiet(ngx_connection_t *c)
{
    ssize_t  n;
    u_char   buf[1];

    n = recv(c->fd, buf, 1, MSG_PEEK);

    return n == -1 && ngx_socket_errno == NGX_EAGAIN;
}


static void
ngx_http_tailgate_dummy_handler(ngx_event_t *ev)
{
    /* void */
}


/*
 * As ngx_event_connect_peer() does, which does not tell why it failed: what to
 * do about a socket depends on the error.
 */

static ngx_int_t
ngx_http_tailgate_connect(ngx_http_tailgate_call_t *call)
{
    ngx_err_t                      err;
    ngx_log_t                     *log;
    ngx_socket_t                   s;
    ngx_connection_t              *c;
    ngx_http_tailgate_localapi_t  *localapi;

    log = ngx_cycle->log;
    localapi = call->localapi;

    s = ngx_socket(AF_UNIX, SOCK_STREAM, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_http_tailgate_call_unconnected(call, ngx_socket_errno);
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, log);

    if (c == NULL) {
        (void) ngx_close_socket(s);
        call->failure = TG_COUNT_ERROR_INTERNAL;
        ngx_http_tailgate_call_error(call, "worker_connections are not enough");
        return NGX_ERROR;
    }

    c->type = SOCK_STREAM;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->log = log;
    c->log_error = NGX_ERROR_INFO;
    c->read->log = log;
    c->write->log = log;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;

    if (ngx_nonblocking(s) == -1
        || (ngx_add_conn && ngx_add_conn(c) == NGX_ERROR)
        || connect(s, localapi->sockaddr, localapi->socklen) == -1)
    {
        /* on a Unix socket EINPROGRESS does not exist */
        err = ngx_socket_errno;

        ngx_close_connection(c);

        if (err == NGX_EAGAIN) {
            return NGX_AGAIN;
        }

        ngx_http_tailgate_call_unconnected(call, err);

        return NGX_ERROR;
    }

    if (!ngx_add_conn
        && ngx_add_event(c->read, NGX_READ_EVENT,
                         (ngx_event_flags & NGX_USE_CLEAR_EVENT)
                         ? NGX_CLEAR_EVENT : NGX_LEVEL_EVENT)
           != NGX_OK)
    {
        ngx_close_connection(c);
        call->failure = TG_COUNT_ERROR_INTERNAL;
        ngx_http_tailgate_call_error(call, "no event can be added");
        return NGX_ERROR;
    }

    c->write->ready = 1;

    call->connection = c;
    localapi->active++;

    return NGX_OK;
}


static void
ngx_http_tailgate_write_handler(ngx_event_t *wev)
{
    ssize_t                    n;
    ngx_buf_t                 *b;
    ngx_connection_t          *c;
    ngx_http_tailgate_call_t  *call;

    c = wev->data;
    call = c->data;
    b = &call->request;

    /* what comes before a question is not its answer */

    if (call->reused && b->pos == b->start
        && !ngx_http_tailgate_is_quiet(c))
    {
        ngx_http_tailgate_died(call);
        return;
    }

    while (b->pos < b->last) {

        n = c->send(c, b->pos, b->last - b->pos);

        if (n == NGX_AGAIN) {

            if (ngx_handle_write_event(wev, 0) != NGX_OK) {
                ngx_http_tailgate_fail(call, "no event can be added");
            }

            return;
        }

        if (n <= 0) {
            ngx_http_tailgate_died(call);
            return;
        }

        b->pos += n;
    }

    wev->handler = ngx_http_tailgate_dummy_handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_tailgate_fail(call, "no event can be added");
    }
}


static void
ngx_http_tailgate_read_handler(ngx_event_t *rev)
{
    char                       buf[4096];
    ssize_t                    n;
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_tailgate_call_t  *call;

    c = rev->data;
    call = c->data;

    if (c->close) {
        ngx_http_tailgate_fail(call, "the worker process is shut down");
        return;
    }

    if (call->reused && call->request.pos == call->request.start) {
        /* not asked yet: the write handler looks at it */
        return;
    }

    for ( ;; ) {

        n = c->recv(c, (u_char *) buf, sizeof(buf));

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_tailgate_fail(call, "no event can be added");
            }

            return;
        }

        if (n <= 0) {
            ngx_http_tailgate_died(call);
            return;
        }

        call->answered = 1;

        rc = ngx_http_tailgate_read(call, buf, buf + n);

        if (rc != NGX_AGAIN) {
            return;
        }
    }
}


/* Anything but NGX_AGAIN has ended the call. */

static ngx_int_t
ngx_http_tailgate_read(ngx_http_tailgate_call_t *call, const char *pos,
    const char *last)
{
    size_t       len;
    const char  *body;

    for ( ;; ) {

        switch (ngx_http_tailgate_reader_feed(&call->reader, &pos, last,
                                              &body, &len))
        {
        case NGX_HTTP_TAILGATE_READER_MORE:
            return NGX_AGAIN;

        case NGX_HTTP_TAILGATE_READER_BODY:

            if (call->stream && call->reader.code == 200) {

                if (call->timer.timer_set) {
                    ngx_del_timer(&call->timer);
                }

                if (call->stream(call, body, len) != NGX_OK) {
                    ngx_http_tailgate_fail(call, "it is not wanted any more");
                    return NGX_ERROR;
                }

                break;
            }

            if (ngx_http_tailgate_body_append(call, body, len) != NGX_OK) {
                ngx_http_tailgate_fail(call, "no memory for its answer");
                return NGX_ERROR;
            }

            break;

        case NGX_HTTP_TAILGATE_READER_DONE:

            if (call->request.pos != call->request.last) {
                ngx_http_tailgate_fail(call, "it answered before it was asked");
                return NGX_ERROR;
            }

            call->code = call->reader.code;
            ngx_http_tailgate_call_done(call, call->reader.keepalive);
            return NGX_OK;

        default: /* NGX_HTTP_TAILGATE_READER_ERROR */
            call->failure = TG_COUNT_ERROR_MALFORMED;
            ngx_http_tailgate_fail(call, call->reader.error);
            return NGX_ERROR;
        }
    }
}


/* Grows by doubling; the reader keeps it below body_max. */

static ngx_int_t
ngx_http_tailgate_body_append(ngx_http_tailgate_call_t *call,
    const char *data, size_t len)
{
    size_t   size;
    u_char  *p;

    if (len > call->body_size - call->body.len) {

        size = call->body_size ? call->body_size : 4096;

        while (size - call->body.len < len) {
            size *= 2;
        }

        p = ngx_palloc(call->pool, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (call->body.len) {
            ngx_memcpy(p, call->body.data, call->body.len);
            (void) ngx_pfree(call->pool, call->body.data);
        }

        call->body.data = p;
        call->body_size = size;
    }

    ngx_memcpy(call->body.data + call->body.len, data, len);
    call->body.len += len;

    return NGX_OK;
}


/*
 * The other side closed.  A kept-alive connection may have died since it was
 * last used, or be out of step: what was asked on it is asked once more on a
 * new one.
 */

static void
ngx_http_tailgate_died(ngx_http_tailgate_call_t *call)
{
    if (call->reused && !call->retried && !call->answered) {

        ngx_close_connection(call->connection);

        call->connection = NULL;
        call->localapi->active--;
        call->retried = 1;

        ngx_http_tailgate_call_start(call);

        return;
    }

    ngx_http_tailgate_fail(call, call->answered
                                 ? "it closed the connection inside of an "
                                   "answer"
                                 : "it closed the connection without an "
                                   "answer");
}


static void
ngx_http_tailgate_timeout_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_call_t  *call;

    call = ev->data;
    call->failure = TG_COUNT_ERROR_TIMEOUT;

    ngx_http_tailgate_call_error(call,
                            call->event.timer_set
                            ? "it did not accept a connection within %M ms"
                            : "it did not answer within %M ms",
                            call->localapi->timeout);
    ngx_http_tailgate_call_done(call, 0);
}


static void
ngx_http_tailgate_fail(ngx_http_tailgate_call_t *call, const char *reason)
{
    ngx_http_tailgate_call_error(call, "%s", reason);
    ngx_http_tailgate_call_done(call, 0);
}


static void
ngx_http_tailgate_fail_handler(ngx_event_t *ev)
{
    ngx_http_tailgate_call_done(ev->data, 0);
}


/* Leaves nothing of the call with nginx, and lets the next one have a turn. */

static void
ngx_http_tailgate_call_close(ngx_http_tailgate_call_t *call, ngx_uint_t keep)
{
    ngx_queue_t                   *q;
    ngx_connection_t              *c;
    ngx_http_tailgate_call_t      *next;
    ngx_http_tailgate_localapi_t  *localapi;

    localapi = call->localapi;

    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }

    if (call->event.timer_set) {
        ngx_del_timer(&call->event);
    }

    if (call->event.posted) {
        ngx_delete_posted_event(&call->event);
    }

    if (call->pending) {
        ngx_queue_remove(&call->queue);
        call->pending = 0;
    }

    c = call->connection;

    if (c) {
        call->connection = NULL;
        localapi->active--;

        if (keep) {
            ngx_http_tailgate_idle_keep(localapi, c);

        } else {
            ngx_close_connection(c);
        }
    }

    if (localapi->active < NGX_HTTP_TAILGATE_LOCALAPI_ACTIVE
        && !ngx_queue_empty(&localapi->pending))
    {
        q = ngx_queue_head(&localapi->pending);
        ngx_queue_remove(q);

        next = ngx_queue_data(q, ngx_http_tailgate_call_t, queue);
        next->pending = 0;

        ngx_http_tailgate_call_start(next);
    }
}


static void
ngx_http_tailgate_call_done(ngx_http_tailgate_call_t *call, ngx_uint_t keep)
{
    uint64_t                    now;
    ngx_http_tailgate_stats_t  *stats;

    ngx_http_tailgate_call_close(call, keep);

    stats = call->localapi->stats;

    /* one without an end is no call: that it is lost is the bus's state */

    if (call->stream == NULL) {
        now = ngx_http_tailgate_stats_clock();
        tg_metrics_duration(stats->slot->counts, now - call->started);

        if (call->code == 0) {
            ngx_http_tailgate_stats_error(stats, call->failure, &call->error);
        }

    } else if (call->code == 0) {
        ngx_http_tailgate_stats_last(stats, &call->error);
    }

    call->handler(call);
}
