
/*
 * Copyright (C) The Tailgate authors
 *
 * Variables tell who the client is from the preaccess phase on.  Before that
 * they are not found, and as they cannot be cached nginx asks for them anew
 * wherever they are used.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


#define NGX_HTTP_TAILGATE_VAR_STATUS  1001
#define NGX_HTTP_TAILGATE_VAR_ERROR   1002


typedef struct {
    ngx_str_t             name;
    uintptr_t             what;      /* tg_attr_t, or one of the above */
} ngx_http_tailgate_variable_t;


static ngx_int_t ngx_http_tailgate_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_tailgate_is_hidden(ngx_http_request_t *r,
    ngx_http_tailgate_peer_t *peer, tg_attr_t attr);
static ngx_int_t ngx_http_tailgate_variable_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len);


static ngx_http_tailgate_variable_t  ngx_http_tailgate_variables[] = {
    { ngx_string("tailgate_login"), TG_ATTR_LOGIN },
    { ngx_string("tailgate_user"), TG_ATTR_USER },
    { ngx_string("tailgate_name"), TG_ATTR_NAME },
    { ngx_string("tailgate_picture"), TG_ATTR_PICTURE },
    { ngx_string("tailgate_groups"), TG_ATTR_GROUPS },
    { ngx_string("tailgate_tags"), TG_ATTR_TAGS },
    { ngx_string("tailgate_node"), TG_ATTR_NODE },
    { ngx_string("tailgate_node_id"), TG_ATTR_NODE_ID },
    { ngx_string("tailgate_node_addr"), TG_ATTR_NODE_ADDR },
    { ngx_string("tailgate_tailnet"), TG_ATTR_TAILNET },
    { ngx_string("tailgate_os"), TG_ATTR_OS },
    { ngx_string("tailgate_os_version"), TG_ATTR_OS_VERSION },
    { ngx_string("tailgate_caps"), TG_ATTR_CAPS },
    { ngx_string("tailgate_status"), NGX_HTTP_TAILGATE_VAR_STATUS },
    { ngx_string("tailgate_error"), NGX_HTTP_TAILGATE_VAR_ERROR }
};

#define NGX_HTTP_TAILGATE_VARIABLES                                           \
    (sizeof(ngx_http_tailgate_variables)                                      \
     / sizeof(ngx_http_tailgate_variables[0]))


ngx_int_t
ngx_http_tailgate_add_variables(ngx_conf_t *cf)
{
    ngx_uint_t            i;
    ngx_http_variable_t  *var;

    for (i = 0; i < NGX_HTTP_TAILGATE_VARIABLES; i++) {

        var = ngx_http_add_variable(cf, &ngx_http_tailgate_variables[i].name,
                                    NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = ngx_http_tailgate_variable;
        var->data = ngx_http_tailgate_variables[i].what;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    int                          rc;
    tg_str_t                     value;
    const char                  *name;
    tg_alloc_t                   alloc;
    ngx_http_tailgate_peer_t    *peer;
    ngx_http_tailgate_record_t  *record;

    v->valid = 0;
    v->no_cacheable = 1;
    v->not_found = 1;

    record = ngx_http_tailgate_record(r);

    if (record == NULL || record->peer == NULL) {
        return NGX_OK;
    }

    peer = record->peer;

    if (data == NGX_HTTP_TAILGATE_VAR_STATUS) {
        name = tg_status_name(peer->status);

        return ngx_http_tailgate_variable_value(v, (u_char *) name,
                                                ngx_strlen(name));
    }

    if (data == NGX_HTTP_TAILGATE_VAR_ERROR) {
        return ngx_http_tailgate_variable_value(v, record->error.data,
                                                record->error.len);
    }

    if (!ngx_http_tailgate_has_identity(peer)
        || ngx_http_tailgate_is_hidden(r, peer, (tg_attr_t) data))
    {
        return NGX_OK;
    }

    alloc = ngx_http_tailgate_alloc(r->pool);

    rc = tg_identity_attr(&peer->identity, (tg_attr_t) data, &alloc, &value);

    if (rc == TG_ERR_NOMEM) {
        return NGX_ERROR;
    }

    if (rc != TG_OK) {
        return NGX_OK;
    }

    return ngx_http_tailgate_variable_value(v, (u_char *) value.data,
                                            value.len);
}


/*
 * A person is not told where the identity is no good one: an expired key, say,
 * or many machines behind one address.  Otherwise "tailgate optional" and a
 * header made of $tailgate_login would be a way in.  The login of a peer that
 * is shared in is never told without its domain, as profiles do not send it:
 * their "alice" is not ours.
 */

static ngx_uint_t
ngx_http_tailgate_is_hidden(ngx_http_request_t *r,
    ngx_http_tailgate_peer_t *peer, tg_attr_t attr)
{
    uint32_t                       bad;
    ngx_http_tailgate_loc_conf_t  *lcf;

    switch (attr) {

    case TG_ATTR_LOGIN:
    case TG_ATTR_USER:
    case TG_ATTR_NAME:
    case TG_ATTR_PICTURE:
    case TG_ATTR_GROUPS:
    case TG_ATTR_CAPS:
        break;

    default:
        return 0;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    bad = TG_TRAITS_NEVER | (TG_TRAIT_ROUTED & ~lcf->peers);

    if (attr == TG_ATTR_USER) {
        bad |= TG_TRAIT_SHARED;
    }

    return (peer->identity.traits & bad) != 0;
}


static ngx_int_t
ngx_http_tailgate_variable_value(ngx_http_variable_value_t *v,
    const u_char *data, size_t len)
{
    if (len == 0) {
        return NGX_OK;
    }

    v->data = (u_char *) data;
    v->len = len;
    v->valid = 1;
    v->not_found = 0;

    return NGX_OK;
}
