
/*
 * Copyright (C) The Tailgate authors
 *
 * The response: identity headers are for apps, and do not reach a client, as
 * headers or as trailers; the session cookies of an app get their companions.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_filter_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_tailgate_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_tailgate_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static void ngx_http_tailgate_filter_list(ngx_list_t *list,
    ngx_http_tailgate_srv_conf_t *scf);


static ngx_http_module_t  ngx_http_tailgate_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_tailgate_filter_init,         /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_tailgate_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_tailgate_filter_module_ctx,  /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_tailgate_header_filter(ngx_http_request_t *r)
{
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (r != r->main || !scf->enabled) {
        return ngx_http_next_header_filter(r);
    }

    ngx_http_tailgate_filter_list(&r->headers_out.headers, scf);

    ctx = ngx_http_get_module_ctx(r, ngx_http_tailgate_module);

    if (ctx && ngx_http_tailgate_sessions(r)
        && ngx_http_tailgate_session_response(r, ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/*
 * An upstream's trailers (grpc_pass, proxy_pass_trailers) are there when the
 * last buffer is; those of add_trailer come behind this filter.
 */

static ngx_int_t
ngx_http_tailgate_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t                   *cl;
    ngx_http_tailgate_srv_conf_t  *scf;

    if (r != r->main || r->headers_out.trailers.part.nelts == 0) {
        return ngx_http_next_body_filter(r, in);
    }

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (scf->enabled) {
        for (cl = in; cl; cl = cl->next) {
            if (cl->buf->last_buf) {
                ngx_http_tailgate_filter_list(&r->headers_out.trailers, scf);
                break;
            }
        }
    }

    return ngx_http_next_body_filter(r, in);
}


static void
ngx_http_tailgate_filter_list(ngx_list_t *list,
    ngx_http_tailgate_srv_conf_t *scf)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &list->part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash && h[i].key.len
                && tg_shapes_have(scf->shapes, h[i].key.data, h[i].key.len)
                && tg_strip_match(scf->strip_set, (char *) h[i].key.data,
                                  h[i].key.len))
            {
                h[i].hash = 0;
            }
        }
    }
}


static ngx_int_t
ngx_http_tailgate_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_tailgate_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_tailgate_body_filter;

    return NGX_OK;
}
