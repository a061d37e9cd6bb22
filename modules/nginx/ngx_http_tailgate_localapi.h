
/*
 * Copyright (C) The Tailgate authors
 *
 * Questions to a LocalAPI over its Unix socket, on nginx's event loop.  It
 * knows sockets and nothing of requests or identities.
 */

#ifndef NGX_HTTP_TAILGATE_LOCALAPI_H_INCLUDED_
#define NGX_HTTP_TAILGATE_LOCALAPI_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_reader.h"
#include "ngx_http_tailgate_stats.h"


typedef struct ngx_http_tailgate_localapi_s  ngx_http_tailgate_localapi_t;
typedef struct ngx_http_tailgate_call_s  ngx_http_tailgate_call_t;

typedef void (*ngx_http_tailgate_call_pt)(ngx_http_tailgate_call_t *call);

/* NGX_ERROR ends the call, with call->error set by the handler or not. */

typedef ngx_int_t (*ngx_http_tailgate_stream_pt)(
    ngx_http_tailgate_call_t *call, const char *data, size_t len);


/* One question.  The caller fills the upper part, all else is zero. */

struct ngx_http_tailgate_call_s {
    ngx_http_tailgate_localapi_t  *localapi;
    ngx_pool_t                    *pool;       /* outlives the call */
    ngx_http_tailgate_call_pt      handler;    /* called once, never before
                                                  localapi_ask() returns */
    void                          *data;
    ngx_http_tailgate_stream_pt    stream;     /* NULL, or for an answer of 200
                                                  without an end: its parts,
                                                  and no deadline from the
                                                  first one on */

    /* the answer: code is 0 if there is none, and then error says why */
    ngx_int_t                      code;
    ngx_str_t                      body;
    ngx_str_t                      error;

    /* private */
    ngx_queue_t                    queue;
    ngx_connection_t              *connection;
    tg_count_t                     failure;    /* what an error counts as */
    uint64_t                       started;    /* stats_clock() */
    ngx_event_t                    timer;
    ngx_event_t                    event;
    ngx_buf_t                      request;
    ngx_http_tailgate_reader_t     reader;
    size_t                         body_size;
    unsigned                       pending:1;
    unsigned                       reused:1;
    unsigned                       retried:1;
    unsigned                       answered:1; /* a byte has come in */
};


struct ngx_http_tailgate_localapi_s {
    ngx_str_t                      name;       /* "unix:/path" */
    struct sockaddr               *sockaddr;
    socklen_t                      socklen;
    ngx_msec_t                     timeout;
    ngx_uint_t                     keepalive;
    size_t                         body_max;
    ngx_http_tailgate_stats_t     *stats;

    /* private */
    ngx_queue_t                    idle;       /* kept-alive connections */
    ngx_queue_t                    free;       /* ... room for more */
    ngx_queue_t                    pending;    /* calls without connection */
    ngx_uint_t                     active;     /* calls that have one */
};


/*
 * The upper part of *localapi is filled; the rest lives in pool.  For a worker
 * process, and for its whole life: connections are closed when it ends.
 */

ngx_int_t ngx_http_tailgate_localapi_init(
    ngx_http_tailgate_localapi_t *localapi, ngx_pool_t *pool);

/*
 * Asks for a target.  NGX_ERROR only when there is no memory; everything else
 * comes as an error of the answer, at the latest after localapi->timeout.
 */

ngx_int_t ngx_http_tailgate_localapi_ask(ngx_http_tailgate_call_t *call,
    ngx_str_t *target);

/* The handler will not be called.  Harmless when it has been. */

void ngx_http_tailgate_localapi_cancel(ngx_http_tailgate_call_t *call);

/*
 * failure.c: the call has no answer, and this is why; err is connect()'s.  They
 * end nothing.
 */

void ngx_http_tailgate_call_error(ngx_http_tailgate_call_t *call,
    const char *fmt, ...);
void ngx_http_tailgate_call_unconnected(ngx_http_tailgate_call_t *call,
    ngx_err_t err);


#endif /* NGX_HTTP_TAILGATE_LOCALAPI_H_INCLUDED_ */
