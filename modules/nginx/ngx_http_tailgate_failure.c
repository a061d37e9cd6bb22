
/*
 * Copyright (C) The Tailgate authors
 *
 * Why the LocalAPI gave no answer, in words that say what to do.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_localapi.h"


void
ngx_http_tailgate_call_error(ngx_http_tailgate_call_t *call, const char *fmt,
    ...)
{
    u_char   *p, text[NGX_MAX_ERROR_STR];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    call->code = 0;
    ngx_str_null(&call->body);

    call->error.data = ngx_pnalloc(call->pool, p - text);

    if (call->error.data == NULL) {
        ngx_str_set(&call->error, "no memory");
        return;
    }

    call->error.len = p - text;
    ngx_memcpy(call->error.data, text, call->error.len);
}


void
ngx_http_tailgate_call_unconnected(ngx_http_tailgate_call_t *call,
    ngx_err_t err)
{
    u_char  *p, text[NGX_MAX_ERROR_STR];

    p = ngx_strerror(err, text, sizeof(text) - 1);
    *p = '\0';

    call->failure = TG_COUNT_ERROR_CONNECT;

    switch (err) {

    case NGX_EACCES:
    case NGX_EPERM:
        ngx_http_tailgate_call_error(call,
            "connect() failed (%d: %s): the user of the worker processes may "
            "not open the socket; give it the socket's group (usermod -aG "
            "GROUP USER, then restart nginx), and where SELinux or AppArmor "
            "confines nginx, allow nginx to connect to it", err, text);
        break;

    case NGX_ENOENT:
        ngx_http_tailgate_call_error(call,
            "connect() failed (%d: %s): tailscaled does not run, or its "
            "socket is elsewhere: see tailgate_localapi", err, text);
        break;

    case NGX_ECONNREFUSED:
        ngx_http_tailgate_call_error(call,
            "connect() failed (%d: %s): tailscaled does not run", err, text);
        break;

    default:
        ngx_http_tailgate_call_error(call, "connect() failed (%d: %s)", err,
                                     text);
        break;
    }
}
