
/*
 * Copyright (C) The Tailgate authors
 *
 * What is asked of the rules in force, and what they say.  A policy file
 * judges the request that the client made, which is why that is put down
 * before anything in nginx rewrites it; a subrequest has only a URI of its
 * own.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_path(ngx_http_request_t *r, tg_str_t raw,
    tg_str_t *path) NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_warn(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx) NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_judge_anew(ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_uint_t keep)
    NGX_HTTP_TAILGATE_SELDOM;
static ngx_uint_t ngx_http_tailgate_is_kept(ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_loc_conf_t *lcf);
static void ngx_http_tailgate_keep(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
static ngx_uint_t ngx_http_tailgate_two_hosts(ngx_http_request_t *r);


static ngx_inline tg_str_t
ngx_http_tailgate_str(ngx_str_t *value)
{
    tg_str_t  str;

    str.data = (char *) value->data;
    str.len = value->len;

    return str;
}


/* The client's request, when the first of its phases begins. */

void
ngx_http_tailgate_request_capture(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    size_t         n;
    u_char        *p;
    tg_request_t  *request;

    request = &record->request;

    request->method = ngx_http_tailgate_str(&r->method_name);
    request->host = ngx_http_tailgate_str(&r->headers_in.server);
    request->raw_path = ngx_http_tailgate_str(&r->unparsed_uri);

    if (r->unparsed_uri.len == 0) {
        /* it could not be parsed, and is judged so */
        return;
    }

    n = tg_path_plain(request->raw_path);

    if (n == request->raw_path.len || request->raw_path.data[n] == '?') {
        request->raw_path.len = n;

        if (n != 0) {
            record->plain = 1;
        }

    } else {
        p = memchr(r->unparsed_uri.data, '?', r->unparsed_uri.len);

        if (p) {
            request->raw_path.len = p - r->unparsed_uri.data;
        }
    }

    if (ngx_http_tailgate_two_hosts(r)) {
        ngx_str_null(&request->host);
    }

    /* "GET http://host?args" */

    if (request->raw_path.len == 0) {
        request->raw_path.data = "/";
        request->raw_path.len = 1;
    }
}


/*
 * "GET http://one/" with "Host: two", which RFC 9112 3.2 forbids, and nginx in
 * HTTP/3: the app may be told the other one, by $http_host.
 */

static ngx_uint_t
ngx_http_tailgate_two_hosts(ngx_http_request_t *r)
{
    size_t      len;
    u_char     *p, *last;
    ngx_str_t  *server;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    server = &r->headers_in.server;

    p = r->headers_in.host->value.data;
    len = r->headers_in.host->value.len;
    last = p + len;

    /* mostly nginx has not even copied it */

    if (len == server->len
        && (p == server->data || ngx_memcmp(p, server->data, len) == 0))
    {
        return 0;
    }

    if (len < server->len
        || ngx_strncasecmp(p, server->data, server->len) != 0)
    {
        return 1;
    }

    p += server->len;

    if (p < last && *p == '.') {
        p++;
    }

    return p < last && *p != ':';
}


/*
 * A subrequest is judged by the URI that it was made with, also after it was
 * redirected, when its context has gone.  Nobody has normalised that, and an
 * SSI page may make it of what a client sent: it is escaped as it would be for
 * an upstream, and then read as a client's is.
 */

ngx_int_t
ngx_http_tailgate_subrequest_capture(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    size_t                           len;
    u_char                          *p;
    ngx_http_tailgate_record_t      *record;
    ngx_http_tailgate_subrequest_t  *sr;

    record = ctx->record;

    for (sr = record->subrequests; sr; sr = sr->next) {
        if (sr->request == r) {
            ctx->subrequest = sr;
            return NGX_OK;
        }
    }

    len = r->uri.len + 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len,
                                          NGX_ESCAPE_URI);

    p = ngx_pnalloc(r->pool, len + 1);
    sr = ngx_palloc(r->pool, sizeof(ngx_http_tailgate_subrequest_t));

    if (p == NULL || sr == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_uri(p, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    sr->request = r;
    sr->method = ngx_http_tailgate_str(&r->method_name);
    sr->raw_path.data = (char *) p;
    sr->raw_path.len = len;

    if (ngx_http_tailgate_path(r, sr->raw_path, &sr->path) != NGX_OK) {
        return NGX_ERROR;
    }

    sr->next = record->subrequests;

    record->subrequests = sr;
    ctx->subrequest = sr;

    return NGX_OK;
}


/*
 * One decision by all that is in force in this location: the policy file, its
 * own rules, the built-in one.  The client is identified.  NGX_ERROR: no
 * memory.
 */

ngx_int_t
ngx_http_tailgate_judge(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_uint_t                     keep, known;
    ngx_http_tailgate_record_t    *record;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    record = ctx->record;

    ctx->memo = ngx_http_tailgate_memo(record->peer, lcf);
    ctx->policy = lcf->policy;

    keep = ngx_http_tailgate_is_kept(ctx, lcf);
    known = keep && ngx_http_tailgate_memo_find(ctx);

    /* the built-in rule looks at no path */

    if (!record->normalized && lcf->depends) {

        if (ngx_http_tailgate_path(r, record->request.raw_path,
                                   &record->request.path)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        record->normalized = 1;
    }

    if (!known) {
        ngx_http_tailgate_judge_anew(ctx, lcf, keep);
    }

    if (ctx->decision.bad_grants) {
        ngx_http_tailgate_warn(r, ctx);
    }

    ctx->judged = 1;

    ngx_http_tailgate_keep(r, ctx);

    return NGX_OK;
}


static void
ngx_http_tailgate_warn(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    tg_str_t  *node;

    node = &ctx->record->peer->identity.node;

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "tailgate: %uz grants of \"%*s\" cannot be read, and "
                  "allow nothing", ctx->decision.bad_grants, node->len,
                  node->data);
}


static void
ngx_http_tailgate_judge_anew(ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_uint_t keep)
{
    tg_peer_t     who;
    tg_request_t  request;

    ngx_http_tailgate_who(ctx->record, &who);
    ngx_http_tailgate_request(ctx, &request);

    tg_policy_decide(lcf->policy ? lcf->policy->policy : NULL, lcf->rules,
                     &lcf->gate, &who, &request, &ctx->decision);

    if (keep) {
        ngx_http_tailgate_memo_keep(ctx->memo, &request, &ctx->decision);
    }
}


/* Whether what is decided for this request is so for all that are like it. */

static ngx_uint_t
ngx_http_tailgate_is_kept(ngx_http_tailgate_ctx_t *ctx,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    ngx_http_tailgate_record_t  *record;

    record = ctx->record;

    if (ctx->memo == NULL || record->peer->status == TG_STATUS_FUNNEL) {
        return 0;
    }

    if (lcf->depends == 0) {
        return 1;
    }

    if ((lcf->depends & (TG_DEPENDS_PATH|TG_DEPENDS_TIME))
        || record->request.method_override || record->request.service.len)
    {
        return 0;
    }

    if (ctx->subrequest) {
        return tg_path_plain(ctx->subrequest->raw_path)
               == ctx->subrequest->raw_path.len;
    }

    if (!record->plain) {
        return 0;
    }

    record->request.path = record->request.raw_path;
    record->normalized = 1;

    return 1;
}


void
ngx_http_tailgate_who(ngx_http_tailgate_record_t *record, tg_peer_t *who)
{
    ngx_http_tailgate_peer_who(record->peer, who);
}


void
ngx_http_tailgate_peer_who(ngx_http_tailgate_peer_t *peer, tg_peer_t *who)
{
    ngx_memzero(who, sizeof(tg_peer_t));

    who->status = peer->status;
    who->self = peer->self ? &peer->self->self : NULL;

    if (ngx_http_tailgate_has_identity(peer)) {
        who->identity = &peer->identity;
        who->caps = peer->caps;
    }
}


/* What is asked in this pass. */

void
ngx_http_tailgate_request(ngx_http_tailgate_ctx_t *ctx, tg_request_t *request)
{
    ngx_http_tailgate_record_t  *record;

    record = ctx->record;

    *request = record->request;

    if (ctx->subrequest) {
        request->raw_path = ctx->subrequest->raw_path;
        request->method = ctx->subrequest->method;
        request->path = ctx->subrequest->path;
    }

    request->now = ngx_time();

    if (record->peer->status == TG_STATUS_FUNNEL) {
        request->via = TG_VIA_FUNNEL;

    } else if (request->service.len) {
        request->via = TG_VIA_SERVICE;
    }
}


/* What cannot be read in one way is no path, and is judged so. */

static ngx_int_t
ngx_http_tailgate_path(ngx_http_request_t *r, tg_str_t raw, tg_str_t *path)
{
    int         rc;
    tg_alloc_t  alloc;

    alloc = ngx_http_tailgate_alloc(r->pool);

    rc = tg_path_normalize(raw, &alloc, path);

    if (rc == TG_ERR_NOMEM) {
        return NGX_ERROR;
    }

    if (rc != TG_OK) {
        ngx_str_null(path);
    }

    return NGX_OK;
}


/*
 * What the log tells of a client's request: how it was refused, else what was
 * decided last.  An error_page has a decision of its own, which is not that.
 */

static void
ngx_http_tailgate_keep(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_record_t  *record;

    record = ctx->record;

    if (r == r->main && !record->refused) {
        record->decided = ctx;
    }
}


/* The pass that variables tell of; NULL: nothing was decided. */

ngx_http_tailgate_ctx_t *
ngx_http_tailgate_decided(ngx_http_request_t *r)
{
    ngx_http_tailgate_ctx_t     *ctx;
    ngx_http_tailgate_record_t  *record;

    if (r != r->main) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_tailgate_module);

        return ctx && ctx->judged ? ctx : NULL;
    }

    record = ngx_http_tailgate_record(r);

    return record ? record->decided : NULL;
}
