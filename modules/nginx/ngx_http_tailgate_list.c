
/*
 * Copyright (C) The Tailgate authors
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_list.h"


static ngx_uint_t ngx_http_tailgate_is_dropped(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_http_tailgate_drop_e drop);
static void ngx_http_tailgate_known_clear(ngx_http_request_t *r,
    ngx_table_elt_t *h);


u_char  ngx_http_tailgate_cookie_key[] = "cookie";


static ngx_uint_t
ngx_http_tailgate_is_dropped(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_http_tailgate_drop_e drop)
{
    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_main_conf_t  *mcf;

    switch (drop) {

    case NGX_HTTP_TAILGATE_DROP_MANAGED:
        scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

        return tg_strip_match(scf->strip_set, (char *) h->key.data,
                              h->key.len);

    case NGX_HTTP_TAILGATE_DROP_OURS:
        mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

        return (h->lowcase_key >= mcf->names
                && h->lowcase_key < mcf->names_end)
               || h->lowcase_key == ngx_http_tailgate_cookie_key;

    case NGX_HTTP_TAILGATE_DROP_COOKIES:
        return ngx_http_tailgate_is_cookie(h);

    default: /* NGX_HTTP_TAILGATE_DROP_NONE */
        return 0;
    }
}


ngx_uint_t
ngx_http_tailgate_list_suspects(ngx_http_request_t *r)
{
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h, *last;
    const tg_shapes_t             *shapes;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (scf->trusted_serve) {
        return 1;
    }

    shapes = scf->shapes;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;
        last = h + part->nelts;

        for ( /* void */ ; h < last; h++) {
            if (h->key.len
                && tg_shapes_have(shapes, h->key.data, h->key.len))
            {
                return 1;
            }
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_tailgate_list_has(ngx_http_request_t *r,
    ngx_http_tailgate_drop_e drop)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {
        if (ngx_http_tailgate_is_dropped(r, h, drop)) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_tailgate_list_copy(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_drop_e drop)
{
    ngx_list_t        list;
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *copy;

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    /* one part, as "last" has to point into r */

    if (ngx_list_init(&list, r->pool, n + 8, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {

        if (ngx_http_tailgate_is_dropped(r, h, drop)) {
            ngx_http_tailgate_known_clear(r, h);
            continue;
        }

        copy = ngx_list_push(&list);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        *copy = *h;
    }

    r->headers_in.headers = list;
    r->headers_in.headers.last = &r->headers_in.headers.part;

    ctx->own_list = 1;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_tailgate_list_next(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    while (*part && *i == (*part)->nelts) {
        *part = (*part)->next;
        *i = 0;
    }

    if (*part == NULL) {
        return NULL;
    }

    h = (*part)->elts;

    return &h[(*i)++];
}


/*
 * A header that nginx knows is gone.  All of its name are, as names are
 * compared after folding, so that nothing remains to point to.
 */

static void
ngx_http_tailgate_known_clear(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    char                       *p;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);
    if (hh == NULL) {
        return;
    }

    p = (char *) &r->headers_in;

#if (nginx_version < 1023000)

    if (hh->offset == offsetof(ngx_http_headers_in_t, cookies)
#if (NGX_HTTP_X_FORWARDED_FOR)
        || hh->offset == offsetof(ngx_http_headers_in_t, x_forwarded_for)
#endif
        )
    {
        ((ngx_array_t *) (p + hh->offset))->nelts = 0;
        return;
    }

#endif

    *(ngx_table_elt_t **) (p + hh->offset) = NULL;

    if (hh->offset == offsetof(ngx_http_headers_in_t, authorization)) {
        ngx_str_null(&r->headers_in.user);
        ngx_str_null(&r->headers_in.passwd);
    }
}


/* A header that nginx knows was added behind those of its name. */

ngx_int_t
ngx_http_tailgate_known_set(ngx_http_request_t *r, size_t offset,
    ngx_table_elt_t *h)
{
    char              *p;
    ngx_table_elt_t  **ph;
#if (nginx_version < 1023000)
    ngx_array_t       *headers;
#endif

    if (offset == NGX_HTTP_TAILGATE_UNKNOWN) {
        return NGX_OK;
    }

    p = (char *) &r->headers_in + offset;

#if (nginx_version < 1023000)

    if (offset == offsetof(ngx_http_headers_in_t, cookies)
#if (NGX_HTTP_X_FORWARDED_FOR)
        || offset == offsetof(ngx_http_headers_in_t, x_forwarded_for)
#endif
        )
    {
        headers = (ngx_array_t *) p;

        /* a subrequest shares the elements with its parent */

        if (headers->nelts == 0
            && ngx_array_init(headers, r->pool, 2, sizeof(ngx_table_elt_t *))
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        ph = ngx_array_push(headers);
        if (ph == NULL) {
            return NGX_ERROR;
        }

        *ph = h;

        return NGX_OK;
    }

    ph = (ngx_table_elt_t **) p;

#else

    for (ph = (ngx_table_elt_t **) p; *ph; ph = &(*ph)->next) { /* void */ }

#endif

    *ph = h;

    return NGX_OK;
}


ngx_uint_t
ngx_http_tailgate_is_cookie(ngx_table_elt_t *h)
{
    return h->key.len == sizeof("cookie") - 1
           && ngx_strncmp(h->lowcase_key, "cookie", sizeof("cookie") - 1) == 0;
}
