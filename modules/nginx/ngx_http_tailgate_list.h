
/*
 * Copyright (C) The Tailgate authors
 *
 * The list of request headers.  It is never edited in place: nginx keeps
 * pointers to known headers in it, and a subrequest has a copy of its head
 * whose "last" is the main request's.  Whoever has to change it gets a list of
 * his own; elements that were kept stay valid where they are.
 */

#ifndef NGX_HTTP_TAILGATE_LIST_H_INCLUDED_
#define NGX_HTTP_TAILGATE_LIST_H_INCLUDED_

#include "ngx_http_tailgate_module.h"


typedef enum {
    NGX_HTTP_TAILGATE_DROP_NONE = 0,
    NGX_HTTP_TAILGATE_DROP_MANAGED,    /* what a client may not send */
    NGX_HTTP_TAILGATE_DROP_OURS,       /* what a location was given */
    NGX_HTTP_TAILGATE_DROP_COOKIES
} ngx_http_tailgate_drop_e;


/* The lower-case name of Cookie headers that were made here. */

extern u_char  ngx_http_tailgate_cookie_key[];


/*
 * Whether the server has anything to do with the headers that a client sent.
 * Most requests have none that is alike, and cost no more than this.
 */

ngx_uint_t ngx_http_tailgate_list_suspects(ngx_http_request_t *r);

/* Whether there is something to drop. */

ngx_uint_t ngx_http_tailgate_list_has(ngx_http_request_t *r,
    ngx_http_tailgate_drop_e drop);

/* Gives the request a list of its own, without what is to be dropped. */

ngx_int_t ngx_http_tailgate_list_copy(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_http_tailgate_drop_e drop);

/* The next element, NULL at the end; begins with the first part and 0. */

ngx_table_elt_t *ngx_http_tailgate_list_next(ngx_list_part_t **part,
    ngx_uint_t *i);

/* A header that nginx knows was added behind those of its name. */

ngx_int_t ngx_http_tailgate_known_set(ngx_http_request_t *r,
    size_t offset, ngx_table_elt_t *h);

ngx_uint_t ngx_http_tailgate_is_cookie(ngx_table_elt_t *h);


#endif /* NGX_HTTP_TAILGATE_LIST_H_INCLUDED_ */
