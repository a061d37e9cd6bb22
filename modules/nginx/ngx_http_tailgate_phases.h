
/*
 * Copyright (C) The Tailgate authors
 *
 * The handlers of the phases.
 */

#ifndef NGX_HTTP_TAILGATE_PHASES_H_INCLUDED_
#define NGX_HTTP_TAILGATE_PHASES_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


ngx_int_t ngx_http_tailgate_capture_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tailgate_preaccess_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tailgate_access_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_tailgate_precontent_handler(ngx_http_request_t *r);


#endif /* NGX_HTTP_TAILGATE_PHASES_H_INCLUDED_ */
