
/*
 * Copyright (C) The Tailgate authors
 *
 * What was worked out once about a peer, for the locations that it asks for
 * most: the headers that it is introduced by, and what was decided.  It is kept
 * with the peer, so that it is forgotten with it, whatever made the peer out of
 * date: nothing here has a time of its own.
 *
 * A decision is kept only where it depends on no path and no time
 * (tg_policy_depends()), under all of the request that it may depend on.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_list.h"


/* Locations of a peer, and kinds of requests for each of them. */

#define NGX_HTTP_TAILGATE_MEMO_LOCATIONS  16
#define NGX_HTTP_TAILGATE_MEMO_REQUESTS   2

/* A longer method, or host, is not kept. */

#define NGX_HTTP_TAILGATE_MEMO_METHOD     16
#define NGX_HTTP_TAILGATE_MEMO_HOST       64


typedef struct {
    size_t                         method_len;
    size_t                         host_len;
    u_char                         method[NGX_HTTP_TAILGATE_MEMO_METHOD];
    u_char                         host[NGX_HTTP_TAILGATE_MEMO_HOST];
    tg_decision_t                  decision;
} ngx_http_tailgate_decided_t;


struct ngx_http_tailgate_memo_s {
    ngx_http_tailgate_memo_t      *next;
    ngx_http_tailgate_loc_conf_t  *lcf;

    ngx_table_elt_t               *headers;      /* as they are pushed */
    size_t                        *offsets;      /* as in lcf->headers */
    ngx_uint_t                     nheaders;

    ngx_uint_t                     ndecided;
    ngx_http_tailgate_decided_t    decided[NGX_HTTP_TAILGATE_MEMO_REQUESTS];

    unsigned                       last:1;       /* of decided: overwritten */
    unsigned                       made:1;       /* headers are there */
    unsigned                       known:1;      /* nginx knows one of them */
    unsigned                       unfit:1;      /* one has to be logged about
                                                    at each request */
};


static ngx_http_tailgate_memo_t *ngx_http_tailgate_memo_create(
    ngx_http_tailgate_peer_t *peer, ngx_http_tailgate_loc_conf_t *lcf)
    NGX_HTTP_TAILGATE_SELDOM;
static ngx_int_t ngx_http_tailgate_memo_make(ngx_http_request_t *r,
    ngx_http_tailgate_memo_t *memo, ngx_http_tailgate_peer_t *peer);
static ngx_int_t ngx_http_tailgate_memo_lend(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
static void ngx_http_tailgate_memo_release(void *data);


/* A method, or a host: too short for it to pay to call memcmp(). */

static ngx_inline ngx_uint_t
ngx_http_tailgate_memo_is(const u_char *kept, size_t len, const tg_str_t *text)
{
    size_t    i;
    uint16_t  c, d;
    uint64_t  a, b;

    if (len != text->len) {
        return 0;
    }

    if (len == 3) {
        /* GET and PUT */
        ngx_memcpy(&c, kept, sizeof(uint16_t));
        ngx_memcpy(&d, text->data, sizeof(uint16_t));

        return c == d && kept[2] == (u_char) text->data[2];
    }

    if (len < sizeof(uint64_t)) {

        for (i = 0; i < len; i++) {
            if (kept[i] != (u_char) text->data[i]) {
                return 0;
            }
        }

        return 1;
    }

    /* eight at once, the last ones with some of those before them */

    for (i = 0; /* void */ ; i = ngx_min(i + sizeof(uint64_t),
                                         len - sizeof(uint64_t)))
    {
        ngx_memcpy(&a, kept + i, sizeof(uint64_t));
        ngx_memcpy(&b, text->data + i, sizeof(uint64_t));

        if (a != b) {
            return 0;
        }

        if (i == len - sizeof(uint64_t)) {
            return 1;
        }
    }
}


/* NULL: nothing is kept of this peer, or not for this location. */

ngx_http_tailgate_memo_t *
ngx_http_tailgate_memo(ngx_http_tailgate_peer_t *peer,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    ngx_http_tailgate_memo_t  *memo;

    for (memo = peer->memos; memo; memo = memo->next) {
        if (memo->lcf == lcf) {
            return memo;
        }
    }

    return ngx_http_tailgate_memo_create(peer, lcf);
}


static ngx_http_tailgate_memo_t *
ngx_http_tailgate_memo_create(ngx_http_tailgate_peer_t *peer,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    ngx_uint_t                 n;
    ngx_http_tailgate_memo_t  *memo;

    n = 0;

    for (memo = peer->memos; memo; memo = memo->next) {
        n++;
    }

    if (!peer->kept || n == NGX_HTTP_TAILGATE_MEMO_LOCATIONS) {
        return NULL;
    }

    memo = ngx_pcalloc(peer->pool, sizeof(ngx_http_tailgate_memo_t));
    if (memo == NULL) {
        return NULL;
    }

    memo->lcf = lcf;
    memo->next = peer->memos;

    peer->memos = memo;

    return memo;
}


/* Whether the decision is known: it is then ctx->decision. */

ngx_uint_t
ngx_http_tailgate_memo_find(ngx_http_tailgate_ctx_t *ctx)
{
    ngx_uint_t                    i;
    const tg_str_t               *method, *host;
    ngx_http_tailgate_memo_t     *memo;
    ngx_http_tailgate_decided_t  *decided;

    memo = ctx->memo;

    host = &ctx->record->request.host;
    method = ctx->subrequest ? &ctx->subrequest->method
                             : &ctx->record->request.method;

    for (i = 0; i < memo->ndecided; i++) {

        decided = &memo->decided[i];

        if (!(memo->lcf->depends & TG_DEPENDS_REQUEST)
            || (ngx_http_tailgate_memo_is(decided->method,
                                          decided->method_len, method)
                && ngx_http_tailgate_memo_is(decided->host, decided->host_len,
                                             host)))
        {
            ctx->decision = decided->decision;
            return 1;
        }
    }

    return 0;
}


void
ngx_http_tailgate_memo_keep(ngx_http_tailgate_memo_t *memo,
    const tg_request_t *request, const tg_decision_t *decision)
{
    ngx_http_tailgate_decided_t  *decided;

    if (request->method.len > NGX_HTTP_TAILGATE_MEMO_METHOD
        || request->host.len > NGX_HTTP_TAILGATE_MEMO_HOST)
    {
        return;
    }

    if (memo->ndecided < NGX_HTTP_TAILGATE_MEMO_REQUESTS) {
        decided = &memo->decided[memo->ndecided++];

    } else {
        decided = &memo->decided[memo->last];
        memo->last = !memo->last;
    }

    decided->method_len = request->method.len;
    decided->host_len = request->host.len;

    /* what could not be parsed has no method, and HTTP/1.0 may have no host */

    if (request->method.len) {
        ngx_memcpy(decided->method, request->method.data,
                   request->method.len);
    }

    if (request->host.len) {
        ngx_memcpy(decided->host, request->host.data, request->host.len);
    }

    decided->decision = *decision;
}


/*
 * The headers of the location, pushed without copies of their values, where
 * nothing stands in the way, as with most requests: they have been made, none
 * of them is one that nginx knows, no route adds any, and the list is the
 * client's own and has room.  NGX_DECLINED: something does.
 */

ngx_int_t
ngx_http_tailgate_memo_push(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_list_t                  *list;
    ngx_table_elt_t             *h;
    ngx_list_part_t             *last;
    ngx_http_tailgate_memo_t    *memo;
    ngx_http_tailgate_record_t  *record;

    memo = ctx->memo;
    record = ctx->record;
    list = &r->headers_in.headers;
    last = list->last;

    if (memo == NULL || !memo->made || memo->known
        || r != r->main || r->internal || last == NULL
        || (record->lender && record->lender != record->peer)
        || last->nelts + memo->nheaders > list->nalloc
        || (ctx->policy && ngx_http_tailgate_route(ctx)))
    {
        return NGX_DECLINED;
    }

    if (record->lender == NULL) {
        record->lender = ngx_http_tailgate_peer_hold(record->peer);
    }

    h = (ngx_table_elt_t *) last->elts + last->nelts;
    last->nelts += memo->nheaders;

    ngx_memcpy(h, memo->headers, memo->nheaders * sizeof(ngx_table_elt_t));

    return NGX_OK;
}


/* The same wherever it can be.  NGX_DECLINED: they have to be made. */

ngx_int_t
ngx_http_tailgate_memo_headers(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_list_t                *list;
    ngx_uint_t                 i;
    ngx_table_elt_t           *h;
    ngx_http_tailgate_memo_t  *memo;

    memo = ctx->memo;

    if (!memo->made) {

        if (memo->unfit) {
            return NGX_DECLINED;
        }

        if (ngx_http_tailgate_memo_make(r, memo, ctx->record->peer)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (memo->unfit) {
            return NGX_DECLINED;
        }
    }

    if (ctx->record->lender != ctx->record->peer
        && ngx_http_tailgate_memo_lend(r, ctx->record) != NGX_OK)
    {
        return NGX_ERROR;
    }

    list = &r->headers_in.headers;

    for (i = 0; i < memo->nheaders; i++) {

        h = ngx_list_push(list);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = memo->headers[i];

        if (ngx_http_tailgate_known_set(r, memo->offsets[i], h) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* NGX_ERROR: no memory. */

static ngx_int_t
ngx_http_tailgate_memo_make(ngx_http_request_t *r,
    ngx_http_tailgate_memo_t *memo, ngx_http_tailgate_peer_t *peer)
{
    int                          rc;
    ngx_str_t                    value;
    ngx_uint_t                   i, n;
    tg_alloc_t                   alloc;
    ngx_table_elt_t             *h;
    ngx_http_tailgate_header_t  *header;

    n = memo->lcf->headers.nelts;
    header = memo->lcf->headers.elts;

    memo->nheaders = 0;
    memo->headers = ngx_pcalloc(peer->pool, n * sizeof(ngx_table_elt_t));
    memo->offsets = ngx_palloc(peer->pool, n * sizeof(size_t));

    if (memo->headers == NULL || memo->offsets == NULL) {
        return NGX_ERROR;
    }

    alloc = ngx_http_tailgate_alloc(r->pool);

    for (i = 0; i < n; i++) {

        rc = ngx_http_tailgate_header_fixed(&header[i], peer, &alloc, &value);

        if (rc == TG_ERR_ABSENT) {
            continue;
        }

        if (rc == TG_ERR_NOMEM) {
            return NGX_ERROR;
        }

        if (rc != TG_OK) {
            memo->unfit = 1;
            return NGX_OK;
        }

        h = &memo->headers[memo->nheaders];

        h->value.data = ngx_pnalloc(peer->pool, value.len + 1);
        if (h->value.data == NULL) {
            return NGX_ERROR;
        }

        h->value.len = value.len;
        *ngx_cpymem(h->value.data, value.data, value.len) = '\0';

        h->key = header[i].name;
        h->lowcase_key = header[i].lowcase_key;
        h->hash = header[i].hash;

        if (header[i].offset != NGX_HTTP_TAILGATE_UNKNOWN) {
            memo->known = 1;
        }

        memo->offsets[memo->nheaders++] = header[i].offset;
    }

    memo->made = 1;

    return NGX_OK;
}


/*
 * The request has values of the peer in its list, also when another client is
 * found for it later, or the peer is forgotten.
 */

static ngx_int_t
ngx_http_tailgate_memo_lend(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    ngx_pool_cleanup_t  *cln;

    if (record->lender) {

        cln = ngx_pool_cleanup_add(r->pool, 0);
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_tailgate_memo_release;
        cln->data = record->lender;
    }

    record->lender = ngx_http_tailgate_peer_hold(record->peer);

    return NGX_OK;
}


static void
ngx_http_tailgate_memo_release(void *data)
{
    ngx_http_tailgate_peer_release(data);
}
