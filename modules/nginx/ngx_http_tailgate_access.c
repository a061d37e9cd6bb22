
/*
 * Copyright (C) The Tailgate authors
 *
 * The phases: a request is captured and stripped, identified, and decided.
 * The access phase is not run for subrequests, nor for what another module
 * let in under "satisfy any"; those are decided in the precontent phase.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_phases.h"


/* In seconds: tailscaled is back within this after a restart. */

#define NGX_HTTP_TAILGATE_RETRY_AFTER  "5"


static ngx_int_t ngx_http_tailgate_access_init(ngx_conf_t *cf);
static ngx_inline ngx_int_t ngx_http_tailgate_wait(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_int_t ngx_http_tailgate_decide(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_int_t ngx_http_tailgate_refuse(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx) NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_error(ngx_http_tailgate_ctx_t *ctx,
    ngx_str_t *error);
static ngx_uint_t ngx_http_tailgate_is_optional(
    const tg_decision_t *decision);
static ngx_inline void ngx_http_tailgate_counted(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, tg_outcome_t outcome);
static ngx_int_t ngx_http_tailgate_allow(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_int_t ngx_http_tailgate_deny(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_str_t *error);
static ngx_int_t ngx_http_tailgate_unavailable(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static void ngx_http_tailgate_retry_after_clear(
    ngx_http_tailgate_record_t *record);


static ngx_http_module_t  ngx_http_tailgate_access_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_tailgate_access_init,         /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_tailgate_access_module = {
    NGX_MODULE_V1,
    &ngx_http_tailgate_access_module_ctx,  /* module context */
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


ngx_int_t
ngx_http_tailgate_capture_handler(ngx_http_request_t *r)
{
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (!scf->enabled) {
        return NGX_DECLINED;
    }

    if (ngx_http_tailgate_ctx(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


/* Never denies: another module may yet let the request in. */

ngx_int_t
ngx_http_tailgate_preaccess_handler(ngx_http_request_t *r)
{
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (lcf->enable == NGX_HTTP_TAILGATE_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_tailgate_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tailgate_wait(r, ctx);
}


ngx_int_t
ngx_http_tailgate_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (!scf->enabled) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_tailgate_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_tailgate_decide(r, ctx);

    if (rc != NGX_AGAIN && rc != NGX_DONE && ngx_http_tailgate_sessions(r)
        && ngx_http_tailgate_session_request(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return rc;
}


/*
 * What has not been in the access phase.  A main request got here without us
 * only because another module let it in, which is the administrator's choice:
 * then our rules still decide on the identity headers.
 */

ngx_int_t
ngx_http_tailgate_precontent_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_tailgate_ctx_t       *ctx;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    if (!scf->enabled) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_tailgate_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->decided) {

        if (ctx->refused) {
            /* another module has let it in since */
            ctx->record->refused = 0;
        }

        return NGX_DECLINED;
    }

    rc = ngx_http_tailgate_decide(r, ctx);

    if (rc == NGX_AGAIN || rc == NGX_DONE) {
        return rc;
    }

    if (ngx_http_tailgate_sessions(r)
        && ngx_http_tailgate_session_request(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r == r->main && clcf->satisfy == NGX_HTTP_SATISFY_ANY
        && (rc == NGX_HTTP_FORBIDDEN || rc == NGX_HTTP_SERVICE_UNAVAILABLE))
    {
        ngx_http_tailgate_retry_after_clear(ctx->record);
        ctx->record->refused = 0;
        return NGX_DECLINED;
    }

    return rc;
}


static ngx_int_t
ngx_http_tailgate_access_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_tailgate_access_handler;

    return NGX_OK;
}


/* NGX_DECLINED: identified, as mostly in the second of the two phases. */

static ngx_inline ngx_int_t
ngx_http_tailgate_wait(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ngx_http_tailgate_is_identified(r, ctx)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_tailgate_identify(r, ctx);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * One decision for each pass.  NGX_OK: allowed, by our rules; NGX_DECLINED: we
 * have no say; NGX_AGAIN: suspended; else a status for the client.
 */

static ngx_int_t
ngx_http_tailgate_decide(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t                      rc;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (lcf->enable == NGX_HTTP_TAILGATE_OFF) {
        ctx->decided = 1;
        return NGX_DECLINED;
    }

    rc = ngx_http_tailgate_wait(r, ctx);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    ctx->decided = 1;

    if (ngx_http_tailgate_judge(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->decision.verdict == TG_ALLOW) {
        ngx_http_tailgate_counted(r, ctx, TG_OUTCOME_ALLOW);
        return ngx_http_tailgate_allow(r, ctx);
    }

    return ngx_http_tailgate_refuse(r, ctx);
}


static ngx_int_t
ngx_http_tailgate_refuse(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_str_t                      error;
    tg_decision_t                 *decision;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    decision = &ctx->decision;

    ngx_http_tailgate_error(ctx, &error);

    if (r == r->main && !ctx->record->refused) {
        ctx->record->error = error;
    }

    if (lcf->enable == NGX_HTTP_TAILGATE_OPTIONAL
        && ngx_http_tailgate_is_optional(decision))
    {
        ngx_http_tailgate_counted(r, ctx, TG_OUTCOME_OPTIONAL);
        return NGX_DECLINED;
    }

    ctx->refused = 1;

    if (r == r->main) {
        ctx->record->refused = 1;
    }

    if (decision->verdict == TG_UNAVAILABLE) {
        ngx_http_tailgate_counted(r, ctx, TG_OUTCOME_UNAVAILABLE);
        return ngx_http_tailgate_unavailable(r, ctx);
    }

    ngx_http_tailgate_counted(r, ctx, TG_OUTCOME_DENY);

    return ngx_http_tailgate_deny(r, ctx, &error);
}


static ngx_inline void
ngx_http_tailgate_counted(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    tg_outcome_t outcome)
{
    ngx_uint_t                      column;
    ngx_http_tailgate_policy_t     *policy;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    policy = ctx->policy;

    column = policy && ctx->decision.route_index < policy->nroutes
             ? policy->routes[ctx->decision.route_index].column
             : NGX_HTTP_TAILGATE_STATS_NONE;

    ngx_http_tailgate_count_decision(&mcf->stats, column, outcome);
}


/*
 * Why the request was not let in, for a log: where nobody was identified, and
 * no rule was needed to refuse that, what the identification came to.
 */

static void
ngx_http_tailgate_error(ngx_http_tailgate_ctx_t *ctx, ngx_str_t *error)
{
    tg_decision_t             *decision;
    ngx_http_tailgate_peer_t  *peer;

    decision = &ctx->decision;
    peer = ctx->record->peer;

    if (peer->reason.len && !ngx_http_tailgate_has_identity(peer)
        && !tg_policy_reason_is_refusal(decision->reason))
    {
        *error = peer->reason;
        return;
    }

    error->data = (u_char *) decision->text;
    error->len = ngx_strlen(decision->text);
}


/* "tailgate optional" lets pass for want of a rule, never against one. */

static ngx_uint_t
ngx_http_tailgate_is_optional(const tg_decision_t *decision)
{
    if (decision->verdict == TG_UNAVAILABLE) {
        return !decision->rules;
    }

    return !tg_policy_reason_is_refusal(decision->reason);
}


static ngx_int_t
ngx_http_tailgate_allow(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ctx->allowed = 1;

    ngx_http_tailgate_recheck_join(r, ctx);

    if (r == r->main && !ctx->record->refused) {
        ngx_str_null(&ctx->record->error);
    }

    if (ngx_http_tailgate_memo_push(r, ctx) != NGX_OK
        && ngx_http_tailgate_headers_set(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_deny(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    ngx_str_t *error)
{
    tg_str_t                    who, *rule;
    ngx_str_t                   name;
    ngx_http_tailgate_peer_t   *peer;
    ngx_http_core_loc_conf_t   *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r == r->main && clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        return NGX_HTTP_FORBIDDEN;
    }

    peer = ctx->record->peer;

    ngx_str_set(&name, "-");

    if (ngx_http_tailgate_has_identity(peer)) {

        who = peer->identity.login.len ? peer->identity.login
                                       : peer->identity.node;
        name.data = (u_char *) who.data;
        name.len = who.len;
    }

    rule = &ctx->decision.rule;

    if (rule->len) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "tailgate: access forbidden, %s \"%V\": %V, rule "
                      "\"%*s\"", tg_status_name(peer->status), &name,
                      error, rule->len, rule->data);

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "tailgate: access forbidden, %s \"%V\": %V",
                      tg_status_name(peer->status), &name, error);
    }

    return ngx_http_tailgate_denial(r, ctx, NGX_HTTP_FORBIDDEN);
}


static ngx_int_t
ngx_http_tailgate_unavailable(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_table_elt_t             *h;
    ngx_http_tailgate_record_t  *record;

    rc = ngx_http_tailgate_denial(r, ctx, NGX_HTTP_SERVICE_UNAVAILABLE);

    if (rc != NGX_HTTP_SERVICE_UNAVAILABLE) {
        return rc;
    }

    /* an error_page may be guarded too */

    record = ctx->record;

    if (r != r->main || record->retry_after) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");
    ngx_str_set(&h->value, NGX_HTTP_TAILGATE_RETRY_AFTER);

    record->retry_after = h;

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* Another module has let the client in: it need not come back. */

static void
ngx_http_tailgate_retry_after_clear(ngx_http_tailgate_record_t *record)
{
    if (record->retry_after) {
        record->retry_after->hash = 0;
        record->retry_after = NULL;
    }
}
