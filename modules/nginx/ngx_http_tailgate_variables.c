
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


#define NGX_HTTP_TAILGATE_VAR_STATUS    1001
#define NGX_HTTP_TAILGATE_VAR_ERROR     1002
#define NGX_HTTP_TAILGATE_VAR_CACHE     1003

/* those of a decision */

#define NGX_HTTP_TAILGATE_VAR_DECISION  1004
#define NGX_HTTP_TAILGATE_VAR_RULE      1005
#define NGX_HTTP_TAILGATE_VAR_ROUTE     1006
#define NGX_HTTP_TAILGATE_VAR_REASON    1007
#define NGX_HTTP_TAILGATE_VAR_POLICY    1008


typedef struct {
    ngx_str_t             name;
    uintptr_t             what;      /* tg_attr_t, or one of the above */
} ngx_http_tailgate_variable_t;


static ngx_int_t ngx_http_tailgate_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tailgate_decision_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tailgate_cap_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_uint_t ngx_http_tailgate_is_hidden(ngx_http_request_t *r,
    ngx_http_tailgate_peer_t *peer, tg_attr_t attr);
static ngx_int_t ngx_http_tailgate_variable_text(
    ngx_http_variable_value_t *v, const char *text);
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
    { ngx_string("tailgate_error"), NGX_HTTP_TAILGATE_VAR_ERROR },
    { ngx_string("tailgate_cache"), NGX_HTTP_TAILGATE_VAR_CACHE },
    { ngx_string("tailgate_decision"), NGX_HTTP_TAILGATE_VAR_DECISION },
    { ngx_string("tailgate_rule"), NGX_HTTP_TAILGATE_VAR_RULE },
    { ngx_string("tailgate_route"), NGX_HTTP_TAILGATE_VAR_ROUTE },
    { ngx_string("tailgate_reason"), NGX_HTTP_TAILGATE_VAR_REASON },
    { ngx_string("tailgate_policy"), NGX_HTTP_TAILGATE_VAR_POLICY }
};

static ngx_str_t  ngx_http_tailgate_cap_prefix =
    ngx_string("tailgate_cap_");

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

    var = ngx_http_add_variable(cf, &ngx_http_tailgate_cap_prefix,
                                NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_tailgate_cap_variable;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    int                          rc;
    tg_str_t                     value;
    tg_alloc_t                   alloc;
    ngx_http_tailgate_peer_t    *peer;
    ngx_http_tailgate_record_t  *record;

    v->valid = 0;
    v->no_cacheable = 1;
    v->not_found = 1;

    if (data == NGX_HTTP_TAILGATE_VAR_POLICY) {
        return ngx_http_tailgate_decision_variable(r, v, data);
    }

    record = ngx_http_tailgate_record(r);

    if (record == NULL || record->peer == NULL) {
        return NGX_OK;
    }

    peer = record->peer;

    if (data == NGX_HTTP_TAILGATE_VAR_STATUS) {
        return ngx_http_tailgate_variable_text(v,
                                               tg_status_name(peer->status));
    }

    if (data == NGX_HTTP_TAILGATE_VAR_ERROR) {
        return ngx_http_tailgate_variable_value(v, record->error.data,
                                                record->error.len);
    }

    if (data == NGX_HTTP_TAILGATE_VAR_CACHE) {
        return ngx_http_tailgate_variable_text(v, record->cache);
    }

    if (data >= NGX_HTTP_TAILGATE_VAR_DECISION) {
        return ngx_http_tailgate_decision_variable(r, v, data);
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


static ngx_int_t
ngx_http_tailgate_decision_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    tg_str_t                       value;
    tg_decision_t                 *decision;
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_tailgate_loc_conf_t  *lcf;

    static const char  *verdicts[] = { "allow", "deny", "unavailable" };

    ctx = ngx_http_tailgate_decided(r);

    if (ctx == NULL) {

        /* nobody decides here: the file that would */

        lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

        if (data != NGX_HTTP_TAILGATE_VAR_POLICY
            || lcf->enable != NGX_HTTP_TAILGATE_OFF || lcf->policy == NULL)
        {
            return NGX_OK;
        }

        value = tg_policy_digest(lcf->policy->policy);

        return ngx_http_tailgate_variable_value(v, (u_char *) value.data,
                                                value.len);
    }

    decision = &ctx->decision;

    switch (data) {

    case NGX_HTTP_TAILGATE_VAR_DECISION:
        return ngx_http_tailgate_variable_text(v, verdicts[decision->verdict]);

    case NGX_HTTP_TAILGATE_VAR_REASON:
        return ngx_http_tailgate_variable_text(v,
                                     tg_policy_reason_name(decision->reason));

    case NGX_HTTP_TAILGATE_VAR_RULE:
        value = decision->rule;
        break;

    case NGX_HTTP_TAILGATE_VAR_ROUTE:
        value = decision->route;
        break;

    default: /* NGX_HTTP_TAILGATE_VAR_POLICY */

        if (ctx->policy == NULL) {
            return NGX_OK;
        }

        value = tg_policy_digest(ctx->policy->policy);
        break;
    }

    return ngx_http_tailgate_variable_value(v, (u_char *) value.data,
                                            value.len);
}


/*
 * $tailgate_cap_NAME: by the policy file in force, or, where an error page has
 * none, by the one that decided.
 */

static ngx_int_t
ngx_http_tailgate_cap_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t *variable = (ngx_str_t *) data;

    int                            rc;
    tg_str_t                       name, value;
    tg_peer_t                      who;
    tg_alloc_t                     alloc;
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_tailgate_policy_t    *policy;
    ngx_http_tailgate_record_t    *record;
    ngx_http_tailgate_loc_conf_t  *lcf;

    v->valid = 0;
    v->no_cacheable = 1;
    v->not_found = 1;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);
    policy = lcf->policy;

    if (policy == NULL) {
        ctx = ngx_http_tailgate_decided(r);
        policy = ctx ? ctx->policy : NULL;
    }

    record = ngx_http_tailgate_record(r);

    if (policy == NULL || record == NULL || record->peer == NULL
        || ngx_http_tailgate_is_hidden(r, record->peer, TG_ATTR_CAPS))
    {
        return NGX_OK;
    }

    name.data = (char *) variable->data + ngx_http_tailgate_cap_prefix.len;
    name.len = variable->len - ngx_http_tailgate_cap_prefix.len;

    alloc = ngx_http_tailgate_alloc(r->pool);
    ngx_http_tailgate_who(record, &who);

    rc = tg_policy_capability(policy->policy, name, &who, &alloc, &value);

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
    ngx_http_tailgate_ctx_t       *ctx;
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
    ctx = ngx_http_get_module_ctx(r, ngx_http_tailgate_module);

    bad = TG_TRAITS_NEVER;

    /* a rule may open what the built-in one does not, and the reverse */

    if (ctx && ctx->judged && ctx->decision.rules) {

        if (!ctx->allowed) {
            bad |= TG_TRAIT_ROUTED;
        }

    } else {
        bad |= TG_TRAIT_ROUTED & ~lcf->peers;
    }

    if (attr == TG_ATTR_USER) {
        bad |= TG_TRAIT_SHARED;
    }

    return (peer->identity.traits & bad) != 0;
}


static ngx_int_t
ngx_http_tailgate_variable_text(ngx_http_variable_value_t *v, const char *text)
{
    return ngx_http_tailgate_variable_value(v, (u_char *) text,
                                            text ? ngx_strlen(text) : 0);
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
