
/*
 * Copyright (C) The Tailgate authors
 *
 * What a client gets that is not let in: a page of our own, in a form that it
 * understands, where the administrator has none for it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <tailgate/denial.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_list.h"


static ngx_uint_t ngx_http_tailgate_denial_is_ours(ngx_http_request_t *r,
    ngx_int_t status);
static ngx_int_t ngx_http_tailgate_denial_form(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, tg_denial_form_t *form);
static ngx_uint_t ngx_http_tailgate_denial_header(ngx_table_elt_t *h,
    const char *name);
static ngx_int_t ngx_http_tailgate_denial_join(ngx_http_request_t *r,
    const char *name, tg_str_t *all);
static void ngx_http_tailgate_denial_id(ngx_http_request_t *r, tg_str_t *id);
static ngx_int_t ngx_http_tailgate_denial_send(ngx_http_request_t *r,
    tg_denial_answer_t *answer);
static ngx_int_t ngx_http_tailgate_denial_head(ngx_http_request_t *r,
    tg_denial_answer_t *answer);


/*
 * Answers a request that is refused with status; returns what a handler of a
 * phase has to: status itself where nginx shall answer.
 */

ngx_int_t
ngx_http_tailgate_denial(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    ngx_int_t status)
{
    int                  rc;
    tg_peer_t            who;
    tg_alloc_t           alloc;
    tg_denial_t          denial;
    tg_denial_answer_t   answer;

    if (!ngx_http_tailgate_denial_is_ours(r, status)) {
        return status;
    }

    ngx_http_tailgate_who(ctx->record, &who);

    ngx_memzero(&denial, sizeof(tg_denial_t));

    denial.decision = &ctx->decision;
    denial.peer = &who;

    ngx_http_tailgate_denial_id(r, &denial.id);

    if (ngx_http_tailgate_denial_form(r, ctx, &denial.form) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    alloc = ngx_http_tailgate_alloc(r->pool);

    rc = tg_denial_render(&denial, &alloc, &answer);

    if (rc == TG_ERR_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != TG_OK) {
        return status;
    }

    /* a client that waits for "100 Continue" keeps its body */

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    ngx_http_finalize_request(r, ngx_http_tailgate_denial_send(r, &answer));

    return NGX_DONE;
}


/*
 * Not where another module may yet let the client in, not in the middle of
 * somebody else's response, and not instead of an error_page, for which the
 * test is that of ngx_http_special_response_handler().
 */

static ngx_uint_t
ngx_http_tailgate_denial_is_ours(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r != r->main || r->header_sent
        || clcf->satisfy == NGX_HTTP_SATISFY_ANY)
    {
        return 0;
    }

    /* an error page that is refused itself: nginx has a short one */

    if (r->error_page || r->err_status) {
        return 0;
    }

    if (clcf->error_pages == NULL || r->uri_changes == 0) {
        return 1;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == status) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_tailgate_denial_form(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, tg_denial_form_t *form)
{
    ngx_uint_t            i;
    ngx_list_part_t      *part;
    ngx_table_elt_t      *h;
    tg_denial_request_t   request;

    ngx_memzero(&request, sizeof(tg_denial_request_t));

    request.method = ctx->record->request.method;

    if (ngx_http_tailgate_denial_join(r, "accept", &request.accept) != NGX_OK
        || ngx_http_tailgate_denial_join(r, "content-type",
                                         &request.content_type)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {

        if (ngx_http_tailgate_denial_header(h, "origin")) {
            request.origin = true;

        } else if (ngx_http_tailgate_denial_header(h,
                                             "access-control-request-method"))
        {
            request.request_method = true;
        }
    }

    *form = tg_denial_form(&request);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tailgate_denial_header(ngx_table_elt_t *h, const char *name)
{
    return h->key.len == ngx_strlen(name)
           && ngx_strncmp(h->lowcase_key, name, h->key.len) == 0;
}


/*
 * RFC 9110, 5.3: several headers of one name are one list.  It is made at once,
 * as the pool may be there for as long as a client sends its body.
 */

static ngx_int_t
ngx_http_tailgate_denial_join(ngx_http_request_t *r, const char *name,
    tg_str_t *all)
{
    u_char           *p;
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = 0;
    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {
        if (ngx_http_tailgate_denial_header(h, name)) {
            len += h->value.len + 1;
        }
    }

    if (len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    all->data = (char *) p;
    all->len = len - 1;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {
        if (ngx_http_tailgate_denial_header(h, name)) {
            p = ngx_cpymem(p, h->value.data, h->value.len);
            *p++ = ',';
        }
    }

    return NGX_OK;
}


/* $request_id, which is the same wherever this request is written about. */

static void
ngx_http_tailgate_denial_id(ngx_http_request_t *r, tg_str_t *id)
{
    ngx_http_variable_value_t      *v;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    v = ngx_http_get_indexed_variable(r, mcf->request_id);

    if (v && !v->not_found) {
        id->data = (char *) v->data;
        id->len = v->len;
    }
}


static ngx_int_t
ngx_http_tailgate_denial_send(ngx_http_request_t *r,
    tg_denial_answer_t *answer)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (ngx_http_tailgate_denial_head(r, answer) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = (u_char *) answer->body.data;
    b->last = b->pos + answer->body.len;
    b->memory = answer->body.len != 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_tailgate_denial_head(ngx_http_request_t *r,
    tg_denial_answer_t *answer)
{
    u_char           *p;
    size_t            i;
    ngx_table_elt_t  *h;

    r->headers_out.status = answer->status;
    r->headers_out.content_length_n = answer->body.len;

    /*
     * One block of headers is what gRPC takes; in HTTP/1 a filter may have made
     * it chunked, and so it needs an end.
     */

    r->header_only = answer->body.len == 0
                     && r->http_version >= NGX_HTTP_VERSION_20;

    /* that of gRPC has status 200, and "If-Match" is not about it */

    r->disable_not_modified = 1;

    r->headers_out.content_type.data = (u_char *) answer->content_type.data;
    r->headers_out.content_type.len = answer->content_type.len;
    r->headers_out.content_type_len = answer->content_type.len;

    /* it is not for the charset module */

    p = ngx_strlchr(r->headers_out.content_type.data,
                    r->headers_out.content_type.data
                    + r->headers_out.content_type.len, ';');
    if (p) {
        r->headers_out.content_type_len = p - r->headers_out.content_type.data;
    }

    for (i = 0; i < answer->nheaders; i++) {

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = 1;
        h->key.data = (u_char *) answer->headers[i].name.data;
        h->key.len = answer->headers[i].name.len;
        h->value.data = (u_char *) answer->headers[i].value.data;
        h->value.len = answer->headers[i].value.len;
    }

    return NGX_OK;
}
