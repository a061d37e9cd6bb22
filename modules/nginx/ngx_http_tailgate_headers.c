
/*
 * Copyright (C) The Tailgate authors
 *
 * Request headers: those that a client may not send, those that a location
 * sets, and those that are taken back when another location has its turn.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_list.h"


#define NGX_HTTP_TAILGATE_VALUE_MAX  8192


static void ngx_http_tailgate_serve_headers(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
static ngx_uint_t ngx_http_tailgate_is_serve(ngx_table_elt_t *h,
    const char *folded);
static ngx_uint_t ngx_http_tailgate_route_has(
    ngx_http_tailgate_route_t *route, ngx_http_tailgate_header_t *header);
static ngx_int_t ngx_http_tailgate_header_set(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_header_t *header);
static int ngx_http_tailgate_header_value(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_header_t *header,
    ngx_str_t *value);
static ngx_int_t ngx_http_tailgate_cookies_keep(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
static ngx_int_t ngx_http_tailgate_cookies_restore(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);


/* Before anything else is done with a client's request. */

ngx_int_t
ngx_http_tailgate_headers_strip(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (scf->trusted_serve) {
        ngx_http_tailgate_serve_headers(r, ctx->record);
    }

    part = &r->headers_in.headers.part;
    i = 0;

    while (scf->policed
           && (h = ngx_http_tailgate_list_next(&part, &i)) != NULL)
    {
        if (tg_is_method_override((char *) h->key.data, h->key.len)) {
            ctx->record->request.method_override = true;
            break;
        }
    }

    if (!ngx_http_tailgate_list_has(r, NGX_HTTP_TAILGATE_DROP_MANAGED)) {
        return NGX_OK;
    }

    return ngx_http_tailgate_list_copy(r, ctx, NGX_HTTP_TAILGATE_DROP_MANAGED);
}


/*
 * Another location, or a subrequest: the headers and cookies that an earlier
 * location had chosen are undone.
 */

ngx_int_t
ngx_http_tailgate_headers_take_back(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_uint_t                   i, cookies;
    ngx_list_part_t             *part;
    ngx_table_elt_t             *h;
    ngx_http_tailgate_record_t  *record;

    record = ctx->record;
    cookies = 0;

    if (record->cookies) {

        cookies = 1;
        part = &r->headers_in.headers.part;
        i = 0;

        while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {

            if (ngx_http_tailgate_is_cookie(h)
                && h->lowcase_key != ngx_http_tailgate_cookie_key)
            {
                cookies = 0;
                break;
            }
        }
    }

    if (!cookies
        && !ngx_http_tailgate_list_has(r, NGX_HTTP_TAILGATE_DROP_OURS))
    {
        return NGX_OK;
    }

    if (ngx_http_tailgate_list_copy(r, ctx, NGX_HTTP_TAILGATE_DROP_OURS)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (cookies) {
        return ngx_http_tailgate_cookies_restore(r, record);
    }

    return NGX_OK;
}


/* The identity headers of the location; its rules have allowed the request. */

ngx_int_t
ngx_http_tailgate_headers_set(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_tailgate_route_t     *route;
    ngx_http_tailgate_header_t    *header;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);
    route = ngx_http_tailgate_route(ctx);

    if (lcf->headers.nelts == 0 && route == NULL) {
        return NGX_OK;
    }

    /* a request of HTTP/0.9 has no list to push to */

    if (!ctx->own_list
        && (r != r->main || r->internal
            || r->headers_in.headers.last == NULL)
        && ngx_http_tailgate_list_copy(r, ctx, NGX_HTTP_TAILGATE_DROP_NONE)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (route == NULL && lcf->fixed && ctx->memo) {

        rc = ngx_http_tailgate_memo_headers(r, ctx);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    header = lcf->headers.elts;

    for (i = 0; i < lcf->headers.nelts; i++) {

        if (route && ngx_http_tailgate_route_has(route, &header[i])) {
            continue;
        }

        if (ngx_http_tailgate_header_set(r, ctx, &header[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (i = 0; route && i < route->nheaders; i++) {
        if (ngx_http_tailgate_header_set(r, ctx, &route->headers[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A header of the route replaces the location's, also where it is absent. */

static ngx_uint_t
ngx_http_tailgate_route_has(ngx_http_tailgate_route_t *route,
    ngx_http_tailgate_header_t *header)
{
    ngx_uint_t  i;

    for (i = 0; i < route->nheaders; i++) {
        if (ngx_http_tailgate_same_name(&route->headers[i].name,
                                        &header->name))
        {
            return 1;
        }
    }

    return 0;
}


/* Other Cookie headers instead of the client's; empty ones are left out. */

ngx_int_t
ngx_http_tailgate_headers_cookies(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, const tg_str_t *values, size_t n)
{
    size_t            i;
    ngx_table_elt_t  *h;

    if (ctx->record->cookies == NULL
        && ngx_http_tailgate_cookies_keep(r, ctx->record) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tailgate_list_copy(r, ctx, NGX_HTTP_TAILGATE_DROP_COOKIES)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (values[i].len == 0) {
            continue;
        }

        h = ngx_list_push(&r->headers_in.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->value.data = ngx_pnalloc(r->pool, values[i].len + 1);
        if (h->value.data == NULL) {
            h->hash = 0;
            return NGX_ERROR;
        }

        h->value.len = values[i].len;
        *ngx_cpymem(h->value.data, values[i].data, values[i].len) = '\0';

        ngx_str_set(&h->key, "Cookie");
        h->lowcase_key = ngx_http_tailgate_cookie_key;
        h->hash = ngx_hash_key(h->lowcase_key, h->key.len);

#if (nginx_version >= 1023000)
        if (ngx_http_tailgate_known_set(r,
                                     offsetof(ngx_http_headers_in_t, cookie),
                                     h)
            != NGX_OK)
#else
        if (ngx_http_tailgate_known_set(r,
                                     offsetof(ngx_http_headers_in_t, cookies),
                                     h)
            != NGX_OK)
#endif
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * What tailscale serve says of the client, before it is removed with all that
 * look like it.  What is there twice, by whatever spelling, was not said by
 * serve alone.
 */

static void
ngx_http_tailgate_serve_headers(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    char              name[TG_HEADER_NAME_MAX];
    ngx_str_t        *value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {

        if (ngx_http_tailgate_is_serve(h, "tailscale-user-login")) {
            value = &record->serve_login;

        } else if (ngx_http_tailgate_is_serve(h, "tailscale-user-name")) {
            value = &record->serve_name;

        } else if (ngx_http_tailgate_is_serve(h,
                                              "tailscale-user-profile-pic"))
        {
            value = &record->serve_picture;

        } else if (ngx_http_tailgate_is_serve(h, "tailscale-funnel-request")) {
            record->funnel = 1;
            continue;

        } else {
            continue;
        }

        tg_header_fold((char *) h->key.data, h->key.len, name);

        if (value->data
            || ngx_memcmp(h->lowcase_key, name, h->key.len) != 0)
        {
            record->serve_bad = 1;
        }

        *value = h->value;
    }
}


static ngx_uint_t
ngx_http_tailgate_is_serve(ngx_table_elt_t *h, const char *folded)
{
    char    name[TG_HEADER_NAME_MAX];
    size_t  len;

    len = ngx_strlen(folded);

    if (h->key.len != len) {
        return 0;
    }

    tg_header_fold((char *) h->key.data, len, name);

    return ngx_memcmp(name, folded, len) == 0;
}


static ngx_int_t
ngx_http_tailgate_header_set(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_header_t *header)
{
    int               rc;
    ngx_str_t         value;
    ngx_table_elt_t  *h;

    rc = ngx_http_tailgate_header_value(r, ctx, header, &value);

    if (rc == TG_ERR_NOMEM) {
        return NGX_ERROR;
    }

    if (rc == TG_ERR_ABSENT) {
        return NGX_OK;
    }

    if (rc != TG_OK) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "tailgate: header \"%V\" is left out, its value is no "
                      "good for it: %s", &header->name, tg_strerror(rc));
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->value.data = ngx_pnalloc(r->pool, value.len + 1);
    if (h->value.data == NULL) {
        return NGX_ERROR;
    }

    h->value.len = value.len;
    *ngx_cpymem(h->value.data, value.data, value.len) = '\0';

    h->key = header->name;
    h->lowcase_key = header->lowcase_key;
    h->hash = header->hash;

    return ngx_http_tailgate_known_set(r, header->offset, h);
}


static int
ngx_http_tailgate_header_value(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_header_t *header,
    ngx_str_t *value)
{
    int            rc;
    tg_str_t       in, out;
    ngx_str_t      text;
    tg_peer_t      who;
    tg_alloc_t     alloc;
    tg_request_t   request;

    alloc = ngx_http_tailgate_alloc(r->pool);

    if (header->header || header->secret.len) {
        return ngx_http_tailgate_header_fixed(header, ctx->record->peer,
                                              &alloc, value);
    }

    if (header->policy) {
        ngx_http_tailgate_who(ctx->record, &who);
        ngx_http_tailgate_request(ctx, &request);

        rc = tg_policy_header_value(ctx->policy->policy, header->policy, &who,
                                    &request, &alloc, &out);

    } else {

        if (ngx_http_complex_value(r, header->value, &text) != NGX_OK) {
            return TG_ERR_NOMEM;
        }

        if (text.len == 0) {
            return TG_ERR_ABSENT;
        }

        in.data = (char *) text.data;
        in.len = text.len;

        rc = tg_encode(header->encoding, in, NGX_HTTP_TAILGATE_VALUE_MAX,
                       &alloc, &out);
    }

    if (rc == TG_OK) {
        value->data = (u_char *) out.data;
        value->len = out.len;
    }

    return rc;
}


/* A value that is the peer's, or everybody's; returns as tg_header_value(). */

int
ngx_http_tailgate_header_fixed(ngx_http_tailgate_header_t *header,
    ngx_http_tailgate_peer_t *peer, const tg_alloc_t *alloc, ngx_str_t *value)
{
    int       rc;
    tg_str_t  out;

    if (header->secret.len) {
        *value = header->secret;
        return TG_OK;
    }

    rc = tg_header_value(header->header, &peer->identity, alloc, &out);

    if (rc == TG_OK) {
        value->data = (u_char *) out.data;
        value->len = out.len;
    }

    return rc;
}


static ngx_int_t
ngx_http_tailgate_cookies_keep(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *copy;

    record->cookies = ngx_array_create(r->pool, 2, sizeof(ngx_table_elt_t));
    if (record->cookies == NULL) {
        return NGX_ERROR;
    }

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {

        if (!ngx_http_tailgate_is_cookie(h)) {
            continue;
        }

        copy = ngx_array_push(record->cookies);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = *h;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_cookies_restore(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    size_t            offset;
    ngx_uint_t        i;
    ngx_table_elt_t  *h, *cookie;

#if (nginx_version >= 1023000)
    offset = offsetof(ngx_http_headers_in_t, cookie);
    r->headers_in.cookie = NULL;
#else
    offset = offsetof(ngx_http_headers_in_t, cookies);
    r->headers_in.cookies.nelts = 0;
#endif

    cookie = record->cookies->elts;

    for (i = 0; i < record->cookies->nelts; i++) {

        h = ngx_list_push(&r->headers_in.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = cookie[i];

#if (nginx_version >= 1023000)
        h->next = NULL;
#endif

        if (ngx_http_tailgate_known_set(r, offset, h) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
