
/*
 * Copyright (C) The Tailgate authors
 *
 * What stands behind the directives about answers that are kept, and about
 * requests that outlive them.  A fault is told of the parameter that has it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* An hour without news of a capability that was taken away is enough. */

#define NGX_HTTP_TAILGATE_TIME_MAX    (3600 * 1000)

/* More questions a second tailscaled never answers. */

#define NGX_HTTP_TAILGATE_MISSES_MAX  1000000


static char *ngx_http_tailgate_cache_parameter(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf, ngx_str_t *value);
static char *ngx_http_tailgate_cache_time(ngx_conf_t *cf, ngx_str_t *value,
    size_t prefix, ngx_msec_t *time);
static char *ngx_http_tailgate_cache_misses(ngx_conf_t *cf, ngx_str_t *value,
    size_t prefix, ngx_uint_t *misses);
static char *ngx_http_tailgate_cache_size(ngx_conf_t *cf, ngx_str_t *value,
    size_t prefix, ngx_shm_zone_t **zone);
static char *ngx_http_tailgate_cache_fault(ngx_conf_t *cf, ngx_str_t *value,
    const char *fault);


static const char  ngx_http_tailgate_twice[] = "it is there twice";


/* [zone=NAME:SIZE] [ttl=TIME] [negative=TIME] [stale=TIME] [misses=N] | off */

char *
ngx_http_tailgate_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mcf->cache != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    mcf->cache = 1;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts != 2) {
            return "has parameters behind \"off\"";
        }

        mcf->cache = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        rv = ngx_http_tailgate_cache_parameter(cf, mcf, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tailgate_cache_parameter(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf, ngx_str_t *value)
{
    if (ngx_strncmp(value->data, "zone=", 5) == 0) {
        return ngx_http_tailgate_cache_size(cf, value, 5, &mcf->cache_zone);
    }

    if (ngx_strncmp(value->data, "ttl=", 4) == 0) {
        return ngx_http_tailgate_cache_time(cf, value, 4, &mcf->cache_ttl);
    }

    if (ngx_strncmp(value->data, "negative=", 9) == 0) {
        return ngx_http_tailgate_cache_time(cf, value, 9,
                                            &mcf->cache_negative);
    }

    if (ngx_strncmp(value->data, "stale=", 6) == 0) {
        return ngx_http_tailgate_cache_time(cf, value, 6, &mcf->cache_stale);
    }

    if (ngx_strncmp(value->data, "misses=", 7) == 0) {
        return ngx_http_tailgate_cache_misses(cf, value, 7,
                                              &mcf->cache_misses);
    }

    return ngx_http_tailgate_cache_fault(cf, value,
                                         "only \"zone=\", \"ttl=\", "
                                         "\"negative=\", \"stale=\" and "
                                         "\"misses=\" may stand there, or "
                                         "\"off\" alone");
}


static char *
ngx_http_tailgate_cache_time(ngx_conf_t *cf, ngx_str_t *value, size_t prefix,
    ngx_msec_t *time)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (*time != NGX_CONF_UNSET_MSEC) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             ngx_http_tailgate_twice);
    }

    s.data = value->data + prefix;
    s.len = value->len - prefix;

    n = ngx_parse_time(&s, 0);

    if (s.len == 0 || n == NGX_ERROR || n > NGX_HTTP_TAILGATE_TIME_MAX) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             "a time such as \"2s\" is "
                                             "needed, an hour at most");
    }

    *time = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_tailgate_cache_misses(ngx_conf_t *cf, ngx_str_t *value, size_t prefix,
    ngx_uint_t *misses)
{
    ngx_int_t  n;

    if (*misses != NGX_CONF_UNSET_UINT) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             ngx_http_tailgate_twice);
    }

    n = ngx_atoi(value->data + prefix, value->len - prefix);

    if (n == NGX_ERROR || n > NGX_HTTP_TAILGATE_MISSES_MAX) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             "a number of questions a second "
                                             "is needed, 1000000 at most; 0 "
                                             "is no limit");
    }

    *misses = n;

    return NGX_CONF_OK;
}


static char *
ngx_http_tailgate_cache_size(ngx_conf_t *cf, ngx_str_t *value, size_t prefix,
    ngx_shm_zone_t **zone)
{
    u_char     *colon;
    ssize_t     size;
    ngx_str_t   name, s;

    if (*zone) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             ngx_http_tailgate_twice);
    }

    name.data = value->data + prefix;
    colon = (u_char *) ngx_strchr(name.data, ':');

    if (colon == NULL || colon == name.data) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             "a name and a size are needed, "
                                             "such as \"zone=tailgate:4m\"");
    }

    name.len = colon - name.data;

    s.data = colon + 1;
    s.len = value->data + value->len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR || size < (ssize_t) (16 * ngx_pagesize)) {
        return ngx_http_tailgate_cache_fault(cf, value,
                                             "a size such as \"4m\" is "
                                             "needed, 64k at least");
    }

    /* nginx itself tells of a name that is in use */

    *zone = ngx_http_tailgate_cache_zone(cf, &name, size);

    return *zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_tailgate_cache_fault(ngx_conf_t *cf, ngx_str_t *value,
    const char *fault)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in \"tailgate_cache\": %s",
                       value, fault);

    return NGX_CONF_ERROR;
}


/* tailgate_recheck TIME */

char *
ngx_http_tailgate_recheck_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (lcf->recheck != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = ngx_parse_time(&value[1], 0);

    if (value[1].len == 0 || n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"%V\": one such as \"5s\" "
                           "is needed; 0 closes nothing",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    lcf->recheck = n;

    return NGX_CONF_OK;
}
