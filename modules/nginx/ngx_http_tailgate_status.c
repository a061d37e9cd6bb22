
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate_status_page: what the workers count, and what they run by.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <tailgate/status.h>

#include "ngx_http_tailgate_list.h"
#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_tailgate_status_guard(ngx_http_request_t *r);
static ngx_uint_t ngx_http_tailgate_status_realip(ngx_http_request_t *r);
static ngx_uint_t ngx_http_tailgate_status_forwarded(ngx_http_request_t *r);
static ngx_int_t ngx_http_tailgate_status_form(ngx_http_request_t *r,
    tg_status_form_t *form);
static ngx_int_t ngx_http_tailgate_status_fill(ngx_http_request_t *r,
    tg_status_page_t *page);
static ngx_int_t ngx_http_tailgate_status_policies(ngx_http_request_t *r,
    tg_metrics_t *metrics);
static ngx_int_t ngx_http_tailgate_status_write(ngx_http_request_t *r,
    tg_status_form_t form, const tg_status_page_t *page,
    tg_metrics_text_t *text);
static ngx_int_t ngx_http_tailgate_status_send(ngx_http_request_t *r,
    ngx_uint_t status, const char *type, u_char *data, size_t len);
static ngx_int_t ngx_http_tailgate_status_header(ngx_http_request_t *r,
    char *name, char *value);


/* tailgate_status_page [open] */

char *
ngx_http_tailgate_status_page(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->status_page) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strcmp(value[1].data, "open") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"%V\": only "
                               "\"open\" is one, for a location that other "
                               "modules guard", &value[1], &cmd->name);
            return NGX_CONF_ERROR;
        }

        lcf->status_open = 1;
    }

    lcf->status_page = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_tailgate_status_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_tailgate_status_handler(ngx_http_request_t *r)
{
    ngx_int_t          rc;
    tg_status_form_t   form;
    tg_status_page_t   page;
    tg_metrics_text_t  text;

    static u_char  unknown[] =
        "\"format\" is one of html, json and prometheus\n";

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_tailgate_status_guard(r);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_tailgate_status_form(r, &form) != NGX_OK) {
        return ngx_http_tailgate_status_send(r, NGX_HTTP_BAD_REQUEST,
                                             "text/plain", unknown,
                                             sizeof(unknown) - 1);
    }

    if (ngx_http_tailgate_status_fill(r, &page) != NGX_OK
        || ngx_http_tailgate_status_write(r, form, &page, &text) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tailgate_status_send(r, NGX_HTTP_OK,
                                         tg_status_form_type(form),
                                         (u_char *) text.data, text.len);
}


/*
 * Where "tailgate on" does not guard the page, and nobody said that others do,
 * it is for this machine alone: for a peer that is on it and no proxy there
 * that speaks for another one.
 */

static ngx_int_t
ngx_http_tailgate_status_guard(ngx_http_request_t *r)
{
    tg_addr_t                      addr;
    ngx_connection_t              *c;
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (lcf->enable == NGX_HTTP_TAILGATE_ON || lcf->status_open) {
        return NGX_OK;
    }

    c = r->connection;

    if (c->proxy_protocol == NULL
        && !ngx_http_tailgate_status_realip(r)
        && !ngx_http_tailgate_status_forwarded(r)
        && (c->sockaddr->sa_family == AF_UNIX
            || (tg_addr_from_sockaddr(&addr, c->sockaddr, c->socklen) == TG_OK
                && tg_addr_is_loopback(&addr))))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, c->log, 0,
                  "tailgate: access to the status page forbidden: without "
                  "\"tailgate on\", or \"tailgate_status_page open\" and a "
                  "guard of another module, it is for this machine alone");

    return NGX_HTTP_FORBIDDEN;
}


/* Whether c->sockaddr is what somebody said, and not the kernel. */

static ngx_uint_t
ngx_http_tailgate_status_realip(ngx_http_request_t *r)
{
    ngx_uint_t                  key;
    ngx_http_variable_value_t  *v;

    static ngx_str_t  name = ngx_string("realip_remote_addr");

    key = ngx_hash_key(name.data, name.len);
    v = ngx_http_get_variable(r, &name, key);

    /* not found: an nginx without that module */

    return v && !v->not_found
           && (v->len != r->connection->addr_text.len
               || ngx_memcmp(v->data, r->connection->addr_text.data, v->len)
                  != 0);
}


static ngx_uint_t
ngx_http_tailgate_status_forwarded(ngx_http_request_t *r)
{
    ngx_uint_t        i, j;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  names[] = {
        ngx_string("x-forwarded-for"), ngx_string("x-real-ip"),
        ngx_string("forwarded"), ngx_string("via"), ngx_null_string
    };

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {
        for (j = 0; names[j].len; j++) {
            if (h->key.len == names[j].len
                && ngx_strncmp(h->lowcase_key, names[j].data, h->key.len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_tailgate_status_form(ngx_http_request_t *r, tg_status_form_t *form)
{
    tg_str_t          text;
    ngx_str_t         value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (ngx_http_arg(r, (u_char *) "format", 6, &value) == NGX_OK) {
        text.data = (char *) value.data;
        text.len = value.len;

        return tg_status_form_parse(form, text) == TG_OK ? NGX_OK
                                                         : NGX_DECLINED;
    }

    text.data = NULL;
    text.len = 0;

    part = &r->headers_in.headers.part;
    i = 0;

    while ((h = ngx_http_tailgate_list_next(&part, &i)) != NULL) {
        if (h->key.len == 6 && ngx_strncmp(h->lowcase_key, "accept", 6) == 0) {
            text.data = (char *) h->value.data;
            text.len = h->value.len;
            break;
        }
    }

    *form = tg_status_form_accept(text);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_status_fill(ngx_http_request_t *r, tg_status_page_t *page)
{
    size_t                          entries, used, size;
    ngx_http_tailgate_sum_t         sum;
    ngx_http_tailgate_node_t       *node;
    ngx_http_tailgate_cache_t      *cache;
    ngx_http_tailgate_loc_conf_t   *lcf;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    node = mcf->node;

    ngx_memzero(&sum, sizeof(ngx_http_tailgate_sum_t));
    ngx_memzero(page, sizeof(tg_status_page_t));

    if (ngx_http_tailgate_stats_sum(&mcf->stats, r->pool, &sum) != NGX_OK) {
        return NGX_ERROR;
    }

    page->metrics = sum.metrics;
    page->metrics.component = "nginx";
    page->metrics.version = tg_version();

    if (ngx_http_tailgate_status_policies(r, &page->metrics) != NGX_OK) {
        return NGX_ERROR;
    }

    cache = node->cache;

    if (cache) {
        ngx_shmtx_lock(&cache->shpool->mutex);
        tg_table_usage(cache->table, &entries, &used, &size);
        ngx_shmtx_unlock(&cache->shpool->mutex);

        page->metrics.cached = true;
        page->metrics.bus = (tg_bus_state_t)
                                ngx_http_tailgate_cache_bus(cache);
        page->metrics.entries = entries;
        page->metrics.bytes = used;
        page->metrics.capacity = size;

        page->metrics.counts[TG_COUNT_EVICTED_BUS] =
            tg_table_counter(cache->table, TG_TABLE_EVICTED_CHANGE);
        page->metrics.counts[TG_COUNT_EVICTED_TTL] =
            tg_table_counter(cache->table, TG_TABLE_EVICTED_TTL);
        page->metrics.counts[TG_COUNT_EVICTED_LRU] =
            tg_table_counter(cache->table, TG_TABLE_EVICTED_LRU);
    }

    page->self = node->self ? &node->self->self : NULL;
    page->socket.data = (char *) mcf->localapi_name.data;
    page->socket.len = mcf->localapi_name.len;

    page->error.data = (char *) sum.error.data;
    page->error.len = sum.error.len;
    page->error_time = sum.error_time;

    page->now = ngx_time();
    page->workers = sum.workers;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    if (lcf->policy) {
        page->digest = tg_policy_digest(lcf->policy->policy);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_status_policies(ngx_http_request_t *r, tg_metrics_t *metrics)
{
    ngx_uint_t                      i;
    tg_metrics_policy_t            *policies;
    ngx_http_tailgate_policy_t    **policy;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);

    policies = ngx_palloc(r->pool, (mcf->policies.nelts + 1)
                                   * sizeof(tg_metrics_policy_t));
    if (policies == NULL) {
        return NGX_ERROR;
    }

    policy = mcf->policies.elts;

    for (i = 0; i < mcf->policies.nelts; i++) {
        policies[i].file.data = (char *) policy[i]->name.data;
        policies[i].file.len = policy[i]->name.len;
        policies[i].digest = tg_policy_digest(policy[i]->policy);
    }

    metrics->policies = policies;
    metrics->npolicies = mcf->policies.nelts;

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_status_write(ngx_http_request_t *r, tg_status_form_t form,
    const tg_status_page_t *page, tg_metrics_text_t *text)
{
    ngx_memzero(text, sizeof(tg_metrics_text_t));

    if (tg_status_page(text, form, page) != TG_OK) {
        return NGX_ERROR;
    }

    text->size = text->len;
    text->len = 0;

    text->data = ngx_pnalloc(r->pool, text->size);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    return tg_status_page(text, form, page) == TG_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_tailgate_status_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, u_char *data, size_t len)
{
    char         *csp;
    u_char       *p;
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    csp = ngx_pnalloc(r->pool, TG_STATUS_CSP_MAX);
    if (csp == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    tg_status_csp(csp);

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    /* it is not for the charset module */

    p = (u_char *) ngx_strchr(type, ';');
    if (p) {
        r->headers_out.content_type_len = p - (u_char *) type;
    }

    if (ngx_http_tailgate_status_header(r, "Cache-Control", "no-store")
        != NGX_OK
        || ngx_http_tailgate_status_header(r, "X-Content-Type-Options",
                                           "nosniff")
           != NGX_OK
        || ngx_http_tailgate_status_header(r, "Vary", "Accept") != NGX_OK
        || ngx_http_tailgate_status_header(r, "Content-Security-Policy", csp)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = data;
    b->last = data + len;
    b->memory = 1;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_tailgate_status_header(ngx_http_request_t *r, char *name, char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}
