
/*
 * Copyright (C) The Tailgate authors
 *
 * Configurations: how they are made and inherited.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_reload(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);


void *
ngx_http_tailgate_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tailgate_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mcf->localapi_name = { 0, NULL };
     *     mcf->sockaddr = NULL;
     *     mcf->services = NULL;
     *     mcf->request_id = 0;
     *     mcf->names = NULL;
     *     mcf->key = NULL;
     *     mcf->zone = NULL;
     *     mcf->sessions = 0;
     *     mcf->policed = 0;
     *     mcf->cache_zone = NULL;
     *     mcf->generation = 0;
     *     mcf->digest = 0;
     *     mcf->recheck = { { NULL } };
     *     mcf->stats_zone = NULL;
     *     mcf->taken = NULL;
     *     mcf->node = NULL;
     *     mcf->bus = NULL;
     *     mcf->stats = { NULL, NULL, NULL };
     */

    mcf->timeout = NGX_CONF_UNSET_MSEC;
    mcf->keepalive = NGX_CONF_UNSET_UINT;
    mcf->cache = NGX_CONF_UNSET;
    mcf->cache_ttl = NGX_CONF_UNSET_MSEC;
    mcf->cache_negative = NGX_CONF_UNSET_MSEC;
    mcf->cache_stale = NGX_CONF_UNSET_MSEC;
    mcf->cache_misses = NGX_CONF_UNSET_UINT;

    if (ngx_http_tailgate_reload(cf, mcf) != NGX_OK) {
        return NULL;
    }

    if (ngx_array_init(&mcf->locations, cf->pool, 16,
                       sizeof(ngx_http_tailgate_loc_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&mcf->policies, cf->pool, 2,
                       sizeof(ngx_http_tailgate_policy_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


/* Whether it is a reload, one that will be taken or refused. */

static ngx_int_t
ngx_http_tailgate_reload(ngx_conf_t *cf, ngx_http_tailgate_main_conf_t *mcf)
{
    ngx_uint_t                      i;
    ngx_cycle_t                    *old;
    ngx_http_tailgate_main_conf_t  *omcf;

    old = cf->cycle->old_cycle;

    if (old == NULL || ngx_is_init_cycle(old)) {
        return NGX_OK;
    }

    /* load_module may be new as well */

    for (i = 0; old->modules[i]; i++) {
        if (old->modules[i] == &ngx_http_tailgate_module) {
            break;
        }
    }

    if (old->modules[i] == NULL) {
        return NGX_OK;
    }

    omcf = ngx_http_cycle_get_module_main_conf(old, ngx_http_tailgate_module);

    if (omcf == NULL || omcf->stats_zone == NULL) {
        return NGX_OK;
    }

    return ngx_http_tailgate_stats_read(cf, omcf->stats_zone, &mcf->taken);
}


char *
ngx_http_tailgate_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    ngx_str_t  id = ngx_string("request_id");
    ngx_str_t  path = ngx_string("unix:" TG_LOCALAPI_SOCKET);

    if (mcf->sockaddr == NULL
        && ngx_http_tailgate_socket(cf, mcf, &path) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_msec_value(mcf->timeout, 2000);
    ngx_conf_init_uint_value(mcf->keepalive, 4);
    ngx_conf_init_value(mcf->cache, 1);
    ngx_conf_init_msec_value(mcf->cache_ttl, 30000);
    ngx_conf_init_msec_value(mcf->cache_negative, 2000);
    ngx_conf_init_msec_value(mcf->cache_stale, 0);
    ngx_conf_init_uint_value(mcf->cache_misses, 250);

    mcf->request_id = ngx_http_get_variable_index(cf, &id);
    if (mcf->request_id == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


void *
ngx_http_tailgate_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tailgate_srv_conf_t));
    if (scf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     scf->interface = { 0, NULL };
     *     scf->strip = NULL;
     *     scf->strip_set = NULL;
     *     scf->shapes = NULL;
     *     scf->enabled = 0;
     *     scf->policed = 0;
     */

    scf->trusted = NGX_CONF_UNSET_PTR;
    scf->trusted_unix = NGX_CONF_UNSET;
    scf->trusted_serve = NGX_CONF_UNSET;

    if (ngx_array_init(&scf->managed, cf->pool, 4, sizeof(ngx_str_t))
        != NGX_OK
        || ngx_array_init(&scf->policies, cf->pool, 2,
                          sizeof(ngx_http_tailgate_policy_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return scf;
}


char *
ngx_http_tailgate_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tailgate_srv_conf_t *prev = parent;
    ngx_http_tailgate_srv_conf_t *conf = child;

    ngx_str_t   *name;
    ngx_uint_t   i;

    ngx_conf_merge_ptr_value(conf->trusted, prev->trusted, NULL);
    ngx_conf_merge_value(conf->trusted_unix, prev->trusted_unix, 0);
    ngx_conf_merge_value(conf->trusted_serve, prev->trusted_serve, 0);
    ngx_conf_merge_str_value(conf->interface, prev->interface, "");

    /* names to strip accumulate */

    if (conf->strip == NULL) {
        conf->strip = prev->strip;

    } else if (prev->strip) {

        name = prev->strip->elts;

        for (i = 0; i < prev->strip->nelts; i++) {
            if (ngx_http_tailgate_push_str(conf->strip, &name[i]) != NGX_OK) {
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


void *
ngx_http_tailgate_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tailgate_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lcf->peers = 0;
     *     lcf->own_file = { 0, NULL };
     *     lcf->own_line = 0;
     *     lcf->gate = { 0, NULL, 0 };
     *     lcf->rules = NULL;
     *     lcf->headers = { NULL };
     *     lcf->session_cookies = { NULL };
     *     lcf->parent = NULL;
     *     lcf->compiled = 0;
     *     lcf->guards = 0;
     *     lcf->digest = 0;
     */

    lcf->enable = NGX_CONF_UNSET_UINT;
    lcf->tailnets = NGX_CONF_UNSET_PTR;
    lcf->policy = NGX_CONF_UNSET_PTR;
    lcf->allows = NGX_CONF_UNSET_PTR;
    lcf->denies = NGX_CONF_UNSET_PTR;
    lcf->requires = NGX_CONF_UNSET_PTR;
    lcf->raw_path = NGX_CONF_UNSET_UINT;
    lcf->profiles = NGX_CONF_UNSET_PTR;
    lcf->set_headers = NGX_CONF_UNSET_PTR;
    lcf->cookies = NGX_CONF_UNSET_PTR;
    lcf->recheck = NGX_CONF_UNSET_MSEC;

    return lcf;
}


char *
ngx_http_tailgate_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tailgate_loc_conf_t *prev = parent;
    ngx_http_tailgate_loc_conf_t *conf = child;

    char                           *rv;
    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_loc_conf_t  **lcf;
    ngx_http_tailgate_main_conf_t  *mcf;

    ngx_conf_merge_uint_value(conf->enable, prev->enable,
                              NGX_HTTP_TAILGATE_OFF);
    ngx_conf_merge_ptr_value(conf->tailnets, prev->tailnets, NULL);
    ngx_conf_merge_ptr_value(conf->profiles, prev->profiles, NULL);
    ngx_conf_merge_ptr_value(conf->set_headers, prev->set_headers, NULL);
    ngx_conf_merge_ptr_value(conf->cookies, prev->cookies, NULL);
    ngx_conf_merge_msec_value(conf->recheck, prev->recheck, 5000);

    if (conf->peers == 0) {
        conf->peers = prev->peers ? prev->peers : TG_TRAIT_MEMBER;
    }

    conf->gate.peers = conf->peers;

    if (conf->tailnets) {
        conf->gate.tailnets = conf->tailnets->elts;
        conf->gate.ntailnets = conf->tailnets->nelts;
    }

    rv = ngx_http_tailgate_merge_rules(cf, prev, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_http_tailgate_digest_location(cf, prev, conf);

    /* a header that some location sets no client of the server may send */

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_tailgate_module);

    if (conf->enable != NGX_HTTP_TAILGATE_OFF) {
        scf->enabled = 1;
    }

    if (ngx_http_tailgate_compile_headers(cf, conf) != NGX_OK
        || ngx_http_tailgate_compile_cookies(cf, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tailgate_module);

    lcf = ngx_array_push(&mcf->locations);
    if (lcf == NULL) {
        return NGX_CONF_ERROR;
    }

    *lcf = conf;

    return NGX_CONF_OK;
}
