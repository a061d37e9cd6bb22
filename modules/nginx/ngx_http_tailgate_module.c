
/*
 * Copyright (C) The Tailgate authors
 *
 * The main module: directives, and what happens when nginx starts.  It is the
 * last in the list of modules, so that its handlers run first in each phase
 * but the access one.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"
#include "ngx_http_tailgate_phases.h"


static ngx_int_t ngx_http_tailgate_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_tailgate_init_zones(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);
static ngx_int_t ngx_http_tailgate_init_module(ngx_cycle_t *cycle);
static void ngx_http_tailgate_init_columns(
    ngx_http_tailgate_main_conf_t *mcf);
static ngx_int_t ngx_http_tailgate_init_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_tailgate_start_cache(ngx_cycle_t *cycle,
    ngx_http_tailgate_main_conf_t *mcf);
static void ngx_http_tailgate_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_tailgate_enable[] = {
    { ngx_string("off"), NGX_HTTP_TAILGATE_OFF },
    { ngx_string("on"), NGX_HTTP_TAILGATE_ON },
    { ngx_string("optional"), NGX_HTTP_TAILGATE_OPTIONAL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_tailgate_raw_path[] = {
    { ngx_string("refuse"), 0 },
    { ngx_string("allow"), 1 },
    { ngx_null_string, 0 }
};


static tg_rule_kind_t  ngx_http_tailgate_kind_allow = TG_RULE_ALLOW;
static tg_rule_kind_t  ngx_http_tailgate_kind_deny = TG_RULE_DENY;
static tg_rule_kind_t  ngx_http_tailgate_kind_require = TG_RULE_REQUIRE;


static ngx_command_t  ngx_http_tailgate_commands[] = {

    { ngx_string("tailgate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tailgate_loc_conf_t, enable),
      &ngx_http_tailgate_enable },

    { ngx_string("tailgate_localapi"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_tailgate_localapi,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1234|NGX_CONF_TAKE5,
      ngx_http_tailgate_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_service"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_tailgate_service,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_session_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_session_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_trusted_proxy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_trusted_proxy,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_trusted_serve"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tailgate_srv_conf_t, trusted_serve),
      NULL },

    { ngx_string("tailgate_interface"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_interface,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_strip"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_strip_names,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_peers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_peers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_tailnet"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_tailnet,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_policy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_policy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_rule,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tailgate_loc_conf_t, allows),
      &ngx_http_tailgate_kind_allow },

    { ngx_string("tailgate_deny"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_rule,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tailgate_loc_conf_t, denies),
      &ngx_http_tailgate_kind_deny },

    { ngx_string("tailgate_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_rule,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tailgate_loc_conf_t, requires),
      &ngx_http_tailgate_kind_require },

    { ngx_string("tailgate_raw_path"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tailgate_loc_conf_t, raw_path),
      &ngx_http_tailgate_raw_path },

    { ngx_string("tailgate_headers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_set_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE23,
      ngx_http_tailgate_set_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_recheck"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tailgate_recheck_time,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_status_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_tailgate_status_page,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tailgate_session"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_tailgate_session_cookies,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_tailgate_module_ctx = {
    ngx_http_tailgate_add_variables,       /* preconfiguration */
    ngx_http_tailgate_init,                /* postconfiguration */

    ngx_http_tailgate_create_main_conf,    /* create main configuration */
    ngx_http_tailgate_init_main_conf,      /* init main configuration */

    ngx_http_tailgate_create_srv_conf,     /* create server configuration */
    ngx_http_tailgate_merge_srv_conf,      /* merge server configuration */

    ngx_http_tailgate_create_loc_conf,     /* create location configuration */
    ngx_http_tailgate_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_tailgate_module = {
    NGX_MODULE_V1,
    &ngx_http_tailgate_module_ctx,         /* module context */
    ngx_http_tailgate_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_tailgate_init_module,         /* init module */
    ngx_http_tailgate_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_tailgate_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_tailgate_init(ngx_conf_t *cf)
{
    ngx_uint_t                     i;
    ngx_http_handler_pt           *h;
    ngx_http_core_main_conf_t     *cmcf;
    ngx_http_tailgate_main_conf_t *mcf;

    static const struct {
        ngx_uint_t                 phase;
        ngx_http_handler_pt        handler;

    } handlers[] = {
        { NGX_HTTP_POST_READ_PHASE, ngx_http_tailgate_capture_handler },

        /*
         * A request that nginx could not parse reaches its error_page without
         * a POST_READ phase.
         */

        { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_tailgate_capture_handler },
        { NGX_HTTP_REWRITE_PHASE, ngx_http_tailgate_capture_handler },

        { NGX_HTTP_PREACCESS_PHASE, ngx_http_tailgate_preaccess_handler },
        { NGX_HTTP_PRECONTENT_PHASE, ngx_http_tailgate_precontent_handler }
    };

    if (ngx_http_tailgate_init_servers(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {

        h = ngx_array_push(&cmcf->phases[handlers[i].phase].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = handlers[i].handler;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tailgate_module);

    if (ngx_http_tailgate_init_zones(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mcf->sessions && mcf->key == NULL) {
        return ngx_http_tailgate_secret_zone(cf, mcf);
    }

    return NGX_OK;
}


/* Where somebody is identified, answers are kept if no directive says so. */

static ngx_int_t
ngx_http_tailgate_init_zones(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_uint_t                      i;
    ngx_http_tailgate_loc_conf_t  **lcf;

    static ngx_str_t  name = ngx_string("tailgate");

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        if (lcf[i]->enable != NGX_HTTP_TAILGATE_OFF || lcf[i]->status_page) {
            break;
        }
    }

    if (i == mcf->locations.nelts) {
        return NGX_OK;
    }

    ngx_http_tailgate_digest_init(cf, mcf);

    mcf->stats_zone = ngx_http_tailgate_stats_zone(cf);
    if (mcf->stats_zone == NULL) {
        return NGX_ERROR;
    }

    if (!mcf->cache || mcf->cache_zone) {
        return NGX_OK;
    }

    mcf->cache_zone = ngx_http_tailgate_cache_zone(cf, &name,
                                               NGX_HTTP_TAILGATE_CACHE_SIZE);

    return mcf->cache_zone ? NGX_OK : NGX_ERROR;
}


/* In the master process, for each configuration that is taken. */

static ngx_int_t
ngx_http_tailgate_init_module(ngx_cycle_t *cycle)
{
    ngx_http_tailgate_shared_t     *shared;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tailgate_module);

    if (mcf && mcf->cache_zone) {
        shared = mcf->cache_zone->data;
        mcf->generation = ngx_atomic_fetch_add(&shared->generations, 1) + 1;
    }

    if (mcf && mcf->taken) {
        *mcf->taken = 1;
    }

    if (mcf && mcf->stats_zone) {
        ngx_http_tailgate_stats_taken(mcf->stats_zone, mcf->digest,
                                      mcf->taken != NULL);
        ngx_http_tailgate_init_columns(mcf);
    }

    return NGX_OK;
}


static void
ngx_http_tailgate_init_columns(ngx_http_tailgate_main_conf_t *mcf)
{
    tg_str_t                      name;
    ngx_uint_t                    i, j;
    ngx_http_tailgate_policy_t  **policy;

    policy = mcf->policies.elts;

    for (i = 0; i < mcf->policies.nelts; i++) {
        for (j = 0; j < policy[i]->nroutes; j++) {
            name = tg_policy_route_name(policy[i]->policy, j);
            ngx_http_tailgate_stats_keep(mcf->stats_zone, &name);
        }
    }

    for (i = 0; i < mcf->policies.nelts; i++) {
        for (j = 0; j < policy[i]->nroutes; j++) {
            name = tg_policy_route_name(policy[i]->policy, j);

            policy[i]->routes[j].column =
                       ngx_http_tailgate_stats_column(mcf->stats_zone, &name);
        }
    }
}


static ngx_int_t
ngx_http_tailgate_init_process(ngx_cycle_t *cycle)
{
    ngx_http_tailgate_node_t       *node;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tailgate_module);

    if (mcf == NULL) {
        return NGX_OK;
    }

    node = ngx_pcalloc(cycle->pool, sizeof(ngx_http_tailgate_node_t));
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->localapi.name = mcf->localapi_name;
    node->localapi.sockaddr = mcf->sockaddr;
    node->localapi.socklen = mcf->socklen;
    node->localapi.timeout = mcf->timeout;
    node->localapi.keepalive = mcf->keepalive;
    node->localapi.body_max = TG_WHOIS_BODY_MAX;
    node->localapi.stats = &mcf->stats;
    node->caps = mcf->policed;

    mcf->node = node;

    if (ngx_http_tailgate_node_init(node, cycle->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    /* the processes of proxy_cache have no requests */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    if (ngx_http_tailgate_stats_init(&mcf->stats, mcf->stats_zone, cycle->pool)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_tailgate_recheck_init(cycle, mcf);

    if (mcf->cache_zone == NULL) {
        return NGX_OK;
    }

    return ngx_http_tailgate_start_cache(cycle, mcf);
}


static ngx_int_t
ngx_http_tailgate_start_cache(ngx_cycle_t *cycle,
    ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_http_tailgate_cache_t  *cache;

    cache = ngx_pcalloc(cycle->pool, sizeof(ngx_http_tailgate_cache_t));
    if (cache == NULL) {
        return NGX_ERROR;
    }

    cache->zone = mcf->cache_zone;
    cache->ttl = mcf->cache_ttl;
    cache->negative = mcf->cache_negative;
    cache->stale = mcf->cache_stale;

    /* a question, and what may have to be asked before and after it */
    cache->lease = 4 * mcf->timeout;

    if (ngx_http_tailgate_cache_init(cache, cycle->pool) != NGX_OK) {
        return NGX_ERROR;
    }

    mcf->node->cache = cache;

    /* one that died is followed by another of the same number */

    if (ngx_worker == 0) {
        mcf->bus = ngx_http_tailgate_bus_follow(mcf->node, mcf->generation,
                                                cycle->pool);
        if (mcf->bus == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_tailgate_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tailgate_module);

    if (mcf == NULL || mcf->node == NULL) {
        return;
    }

    ngx_http_tailgate_recheck_exit(mcf);

    if (mcf->bus) {
        ngx_http_tailgate_bus_exit(mcf->bus);
    }

    if (mcf->node->cache) {
        ngx_http_tailgate_cache_exit(mcf->node->cache);
    }

    ngx_http_tailgate_node_exit(mcf->node);

    if (mcf->stats.slot) {
        ngx_http_tailgate_stats_exit(&mcf->stats);
    }
}
