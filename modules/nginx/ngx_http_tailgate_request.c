
/*
 * Copyright (C) The Tailgate authors
 *
 * What is kept of a request.  An internal redirect clears the contexts of all
 * modules, so the record of a client's request is found by its pool's list of
 * cleanups, as ngx_http_realip_module does.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_list.h"


static ngx_http_tailgate_ctx_t *ngx_http_tailgate_record_create(
    ngx_http_request_t *r);
static void ngx_http_tailgate_record_cleanup(void *data);


/* That of an earlier pass. */

static ngx_inline ngx_http_tailgate_record_t *
ngx_http_tailgate_record_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_tailgate_record_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


/*
 * A new context means another location, or a subrequest: the headers that an
 * earlier one was given are taken back, and the cookies that its app has set
 * get their companions.
 */

ngx_http_tailgate_ctx_t *
ngx_http_tailgate_ctx_create(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_tailgate_ctx_t     *ctx;
    ngx_http_tailgate_record_t  *record;

    record = ngx_http_tailgate_record_find(r);

    if (record == NULL) {
        ctx = ngx_http_tailgate_record_create(r);

    } else {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_tailgate_ctx_t));
    }

    if (ctx == NULL) {
        return NULL;
    }

    if (record) {
        ctx->record = record;
    }

    if (r != r->main
        && ngx_http_tailgate_subrequest_capture(r, ctx) != NGX_OK)
    {
        return NULL;
    }

    /* an error_page may be tried when there was no memory to strip */

    if (!ctx->record->stripped) {
        rc = ngx_http_tailgate_list_suspects(r)
             ? ngx_http_tailgate_headers_strip(r, ctx) : NGX_OK;
        ctx->record->stripped = rc == NGX_OK;

    } else {
        rc = ngx_http_tailgate_headers_take_back(r, ctx);

        if (rc == NGX_OK) {
            rc = ngx_http_tailgate_session_redirect(r, ctx->record);
        }
    }

    if (rc != NGX_OK) {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_tailgate_module);

    return ctx;
}


ngx_http_tailgate_record_t *
ngx_http_tailgate_record(ngx_http_request_t *r)
{
    ngx_http_tailgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tailgate_module);

    return ctx ? ctx->record : ngx_http_tailgate_record_find(r);
}


/* A record and the context of the first pass, which take memory once. */

static ngx_http_tailgate_ctx_t *
ngx_http_tailgate_record_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_tailgate_ctx_t     *ctx;
    ngx_http_tailgate_record_t  *record;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_tailgate_record_t)
                                        + sizeof(ngx_http_tailgate_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    record = cln->data;

    ngx_memzero(record, sizeof(ngx_http_tailgate_record_t)
                        + offsetof(ngx_http_tailgate_ctx_t, decision));

    if (ngx_http_tailgate_source_capture(r, record) != NGX_OK) {
        return NULL;
    }

    ngx_http_tailgate_request_capture(r->main, record);

    cln->handler = ngx_http_tailgate_record_cleanup;

    ctx = (ngx_http_tailgate_ctx_t *) (record + 1);
    ctx->record = record;

    return ctx;
}


/* The log phase is over by now. */

static void
ngx_http_tailgate_record_cleanup(void *data)
{
    ngx_http_tailgate_record_t  *record = data;

    ngx_http_tailgate_recheck_leave(record);

    if (record->peer && record->peer != record->stranger) {
        ngx_http_tailgate_peer_release(record->peer);
    }

    if (record->lender) {
        ngx_http_tailgate_peer_release(record->lender);
    }
}


/* On HTTP/2 a request has a connection of its own, which is none. */

ngx_connection_t *
ngx_http_tailgate_real_connection(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)

    if (r->stream) {
        return r->stream->connection->connection;
    }

#endif

    return r->connection;
}
