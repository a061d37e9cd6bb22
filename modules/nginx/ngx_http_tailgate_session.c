
/*
 * Copyright (C) The Tailgate authors
 *
 * Session cookies of apps, bound to the peer that they were issued to.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_companions(ngx_http_request_t *r,
    const tg_session_t *session, const tg_identity_t *identity);
static ngx_int_t ngx_http_tailgate_session(ngx_http_request_t *r,
    ngx_http_tailgate_loc_conf_t *lcf, tg_session_t *session);
static ngx_int_t ngx_http_tailgate_companion(ngx_http_request_t *r,
    const tg_session_t *session, const tg_identity_t *identity,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_tailgate_set_cookies(ngx_http_request_t *r,
    ngx_array_t *headers);
static ngx_int_t ngx_http_tailgate_cookie_headers(ngx_http_request_t *r,
    ngx_array_t *values);
static const tg_identity_t *ngx_http_tailgate_session_identity(
    ngx_http_tailgate_ctx_t *ctx);


/* Marks a Set-Cookie header as a companion, or as one that has its own. */

static ngx_str_t  ngx_http_tailgate_companion_key = ngx_string("Set-Cookie");


/*
 * Cookies that were issued to somebody else do not reach the app; when nobody
 * was let in by our rules, none of those that are guarded does.
 */

ngx_int_t
ngx_http_tailgate_session_request(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    int                            rc;
    size_t                         i, removed;
    tg_str_t                      *in, *out;
    tg_alloc_t                     alloc;
    ngx_array_t                    values;
    tg_session_t                   session;
    ngx_http_tailgate_loc_conf_t  *lcf;

    if (ctx->sessions) {
        return NGX_OK;
    }

    ctx->sessions = 1;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (ngx_http_tailgate_session(r, lcf, &session) != NGX_OK) {
        return NGX_OK;
    }

    if (r == r->main && ctx->allowed) {
        ctx->record->guard = lcf;
    }

    if (ngx_array_init(&values, r->pool, 2, sizeof(tg_str_t)) != NGX_OK
        || ngx_http_tailgate_cookie_headers(r, &values) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (values.nelts == 0) {
        return NGX_OK;
    }

    in = values.elts;

    out = ngx_pcalloc(r->pool, sizeof(tg_str_t) * values.nelts);
    if (out == NULL) {
        return NGX_ERROR;
    }

    alloc = ngx_http_tailgate_alloc(r->pool);

    rc = tg_session_filter(&session, ngx_http_tailgate_session_identity(ctx),
                           in, values.nelts, &alloc, out, &removed);

    if (rc != TG_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "tailgate: cookies cannot be judged: %s",
                      tg_strerror(rc));
        return NGX_ERROR;
    }

    if (removed) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "tailgate: %uz session cookies of somebody else are "
                      "kept from the app", removed);
    }

    for (i = 0; i < values.nelts; i++) {
        if (out[i].data != in[i].data || out[i].len != in[i].len) {
            return ngx_http_tailgate_headers_cookies(r, ctx, out,
                                                     values.nelts);
        }
    }

    return NGX_OK;
}


/* A companion for each session cookie that the app sets. */

ngx_int_t
ngx_http_tailgate_session_response(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    tg_session_t                   session;
    const tg_identity_t           *identity;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);
    identity = ngx_http_tailgate_session_identity(ctx);

    if (identity == NULL
        || ngx_http_tailgate_session(r, lcf, &session) != NGX_OK)
    {
        return NGX_OK;
    }

    return ngx_http_tailgate_companions(r, &session, identity);
}


/*
 * The app answered by a redirect inside of nginx (X-Accel-Redirect), and its
 * cookies go out with what another location says: their companions have to be
 * made by the rules of the one that the app is behind.
 */

ngx_int_t
ngx_http_tailgate_session_redirect(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    tg_session_t                   session;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = record->guard;

    if (r != r->main || lcf == NULL) {
        return NGX_OK;
    }

    record->guard = NULL;

    if (ngx_http_tailgate_session(r, lcf, &session) != NGX_OK) {
        return NGX_OK;
    }

    return ngx_http_tailgate_companions(r, &session, &record->peer->identity);
}


static ngx_int_t
ngx_http_tailgate_companions(ngx_http_request_t *r,
    const tg_session_t *session, const tg_identity_t *identity)
{
    ngx_uint_t         i;
    ngx_array_t        headers;
    ngx_table_elt_t  **h;

    if (ngx_array_init(&headers, r->pool, 4, sizeof(ngx_table_elt_t *))
        != NGX_OK
        || ngx_http_tailgate_set_cookies(r, &headers) != NGX_OK)
    {
        return NGX_ERROR;
    }

    h = headers.elts;

    for (i = 0; i < headers.nelts; i++) {
        if (ngx_http_tailgate_companion(r, session, identity, h[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_companion(ngx_http_request_t *r, const tg_session_t *session,
    const tg_identity_t *identity, ngx_table_elt_t *h)
{
    int               rc;
    tg_str_t          in, out;
    tg_alloc_t        alloc;
    ngx_table_elt_t  *companion;

    alloc = ngx_http_tailgate_alloc(r->pool);

    in.data = (char *) h->value.data;
    in.len = h->value.len;

    rc = tg_session_companion(session, identity, in, &alloc, &out);

    switch (rc) {

    case TG_OK:
        break;

    case TG_ERR_REFUSED:
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "tailgate: the app set a cookie whose name begins with "
                      "\"" TG_SESSION_PREFIX "\", it is dropped");
        h->hash = 0;
        return NGX_OK;

    case TG_ERR_NOMEM:
    case TG_ERR_CRYPTO:
        return NGX_ERROR;

    default:
        return NGX_OK;
    }

    companion = ngx_list_push(&r->headers_out.headers);
    if (companion == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(companion, sizeof(ngx_table_elt_t));

    companion->hash = 1;
    companion->key = ngx_http_tailgate_companion_key;
    companion->value.data = (u_char *) out.data;
    companion->value.len = out.len;

    h->key = ngx_http_tailgate_companion_key;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_set_cookies(ngx_http_request_t *r, ngx_array_t *headers)
{
    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h, **ph;

    for (part = &r->headers_out.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0
                || h[i].key.data == ngx_http_tailgate_companion_key.data
                || h[i].key.len != sizeof("Set-Cookie") - 1
                || ngx_strncasecmp(h[i].key.data, (u_char *) "Set-Cookie",
                                   sizeof("Set-Cookie") - 1)
                   != 0)
            {
                continue;
            }

            ph = ngx_array_push(headers);
            if (ph == NULL) {
                return NGX_ERROR;
            }

            *ph = &h[i];
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_cookie_headers(ngx_http_request_t *r, ngx_array_t *values)
{
    tg_str_t          *value;
    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("cookie") - 1
                || ngx_strncmp(h[i].lowcase_key, "cookie",
                               sizeof("cookie") - 1)
                   != 0)
            {
                continue;
            }

            value = ngx_array_push(values);
            if (value == NULL) {
                return NGX_ERROR;
            }

            value->data = (char *) h[i].value.data;
            value->len = h[i].value.len;
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED: the location guards no cookie. */

static ngx_int_t
ngx_http_tailgate_session(ngx_http_request_t *r,
    ngx_http_tailgate_loc_conf_t *lcf, tg_session_t *session)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    if (lcf->session_cookies.nelts == 0) {
        return NGX_DECLINED;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    session->key = ngx_http_tailgate_secret(mcf);
    session->cookies = lcf->session_cookies.elts;
    session->ncookies = lcf->session_cookies.nelts;

    return NGX_OK;
}


static const tg_identity_t *
ngx_http_tailgate_session_identity(ngx_http_tailgate_ctx_t *ctx)
{
    return ctx->allowed ? &ctx->record->peer->identity : NULL;
}
