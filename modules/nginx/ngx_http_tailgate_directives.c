
/*
 * Copyright (C) The Tailgate authors
 *
 * What stands behind the directives about who is asked, and who may pass.  A
 * fault is one sentence that names the value and says what may stand there.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* A word of cmd->post. */

char *
ngx_http_tailgate_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *p = conf;

    u_char           *last, text[NGX_MAX_CONF_ERRSTR / 4];
    ngx_str_t        *value;
    ngx_uint_t       *np, i;
    ngx_conf_enum_t  *word;

    np = (ngx_uint_t *) (p + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    word = cmd->post;

    for (i = 0; word[i].name.len; i++) {

        if (word[i].name.len == value[1].len
            && ngx_strcasecmp(word[i].name.data, value[1].data) == 0)
        {
            *np = word[i].value;
            return NGX_CONF_OK;
        }
    }

    last = text;

    for (i = 0; word[i].name.len; i++) {
        last = ngx_slprintf(last, text + sizeof(text), "%s\"%V\"",
                            i ? " or " : "", &word[i].name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\": it must be %*s",
                       &value[1], &cmd->name, (size_t) (last - text), text);

    return NGX_CONF_ERROR;
}


/* tailgate_localapi unix:PATH [timeout=TIME] [keepalive=N] */

char *
ngx_http_tailgate_localapi(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    ngx_int_t    n;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (mcf->sockaddr) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_tailgate_socket(cf, mcf, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {

            s.len = value[i].len - 8;
            s.data = value[i].data + 8;

            mcf->timeout = ngx_parse_time(&s, 0);

            if (mcf->timeout == (ngx_msec_t) NGX_ERROR || mcf->timeout == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid timeout \"%V\" in \"%V\": a time "
                                   "such as \"2s\" is needed", &s, &cmd->name);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "keepalive=", 10) == 0) {

            n = ngx_atoi(value[i].data + 10, value[i].len - 10);

            if (n == NGX_ERROR || n > 64) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" in \"%V\": a number of "
                                   "connections up to 64 is needed",
                                   &value[i], &cmd->name);
                return NGX_CONF_ERROR;
            }

            mcf->keepalive = n;

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"%V\": only "
                           "\"timeout=\" and \"keepalive=\" may stand there",
                           &value[i], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_tailgate_socket(ngx_conf_t *cf, ngx_http_tailgate_main_conf_t *mcf,
    ngx_str_t *name)
{
    size_t               len;
    struct sockaddr_un  *sun;

    if (name->len < 6 || ngx_strncmp(name->data, "unix:/", 6) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid socket \"%V\" in \"tailgate_localapi\": "
                           "\"unix:\" and an absolute path are needed", name);
        return NGX_ERROR;
    }

    sun = ngx_pcalloc(cf->pool, sizeof(struct sockaddr_un));
    if (sun == NULL) {
        return NGX_ERROR;
    }

    len = name->len - 5;

    if (len >= sizeof(sun->sun_path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the path of \"%V\" in \"tailgate_localapi\" is "
                           "longer than the %uz bytes that a socket's may "
                           "have", name, sizeof(sun->sun_path) - 1);
        return NGX_ERROR;
    }

    sun->sun_family = AF_UNIX;
    ngx_memcpy(sun->sun_path, name->data + 5, len);

    mcf->sockaddr = (struct sockaddr *) sun;
    mcf->socklen = sizeof(struct sockaddr_un);
    mcf->localapi_name.len = name->len;

    mcf->localapi_name.data = ngx_pstrdup(cf->pool, name);
    if (mcf->localapi_name.data == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* tailgate_service svc:NAME ADDRESS */

char *
ngx_http_tailgate_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    size_t         i;
    u_char         ch;
    tg_addr_t      addr;
    ngx_str_t     *value;
    tg_service_t  *service;

    value = cf->args->elts;

    for (i = 4; i < value[1].len; i++) {

        ch = value[1].data[i];

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9')
            && ch != '-')
        {
            break;
        }
    }

    if (ngx_strncmp(value[1].data, "svc:", 4) != 0 || value[1].len == 4
        || value[1].len > 63 || i != value[1].len)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"%V\": a Tailscale "
                           "Service's is needed, such as \"svc:wiki\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (tg_addr_parse(&addr, (char *) value[2].data, value[2].len) != TG_OK
        || addr.port != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" in \"%V\": an IPv4 or IPv6 "
                           "address without a port is needed",
                           &value[2], &cmd->name);
        return NGX_CONF_ERROR;
    }

    /* with any other, a forged source on that interface would count */

    if (!tg_addr_is_tailnet(&addr)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\" in \"%V\": those of "
                           "Services are in 100.64.0.0/10 and "
                           "fd7a:115c:a1e0::/48", &value[2], &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (mcf->services == NULL) {
        mcf->services = ngx_array_create(cf->pool, 4, sizeof(tg_service_t));
        if (mcf->services == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    service = mcf->services->elts;

    for (i = 0; i < mcf->services->nelts; i++) {
        if (tg_addr_equal(&service[i].addr, &addr)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the address \"%V\" in \"%V\" is that of "
                               "another service", &value[2], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    service = ngx_array_push(mcf->services);
    if (service == NULL) {
        return NGX_CONF_ERROR;
    }

    service->name.data = (char *) value[1].data;
    service->name.len = value[1].len;
    service->addr = addr;

    return NGX_CONF_OK;
}


/* tailgate_trusted_proxy CIDR|unix: ... */

char *
ngx_http_tailgate_trusted_proxy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_srv_conf_t *scf = conf;

    int          rc;
    tg_cidr_t   *cidr;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (scf->trusted == NGX_CONF_UNSET_PTR) {

        scf->trusted = ngx_array_create(cf->pool, 4, sizeof(tg_cidr_t));
        if (scf->trusted == NULL) {
            return NGX_CONF_ERROR;
        }

        scf->trusted_unix = 0;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 5 && ngx_strncmp(value[i].data, "unix:", 5) == 0) {
            scf->trusted_unix = 1;
            continue;
        }

        cidr = ngx_array_push(scf->trusted);
        if (cidr == NULL) {
            return NGX_CONF_ERROR;
        }

        rc = tg_cidr_parse(cidr, (char *) value[i].data, value[i].len);

        if (rc != TG_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid network \"%V\" in \"%V\": %s",
                               &value[i], &cmd->name,
                               rc == TG_ERR_RANGE
                               ? "low address bits are meaningless, an "
                                 "address alone or its network is needed"
                               : "an address, a network such as 10.0.0.0/8 "
                                 "or \"unix:\" is needed");
            return NGX_CONF_ERROR;
        }

        if (cidr->prefix == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the network \"%V\" in \"%V\" would let "
                               "anybody name anybody", &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* tailgate_interface NAME */

char *
ngx_http_tailgate_interface(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_srv_conf_t *scf = conf;

    ngx_str_t  *value;

    if (scf->interface.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].len >= IF_NAMESIZE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"%V\": one of an "
                           "interface is needed, such as \"tailscale0\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    scf->interface = value[1];

    return NGX_CONF_OK;
}


/* tailgate_peers member [tagged] [shared] [routed] */

char *
ngx_http_tailgate_peers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    uint32_t     trait;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->peers) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        trait = tg_trait_parse((char *) value[i].data, value[i].len);

        if (trait == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid kind of peer \"%V\" in \"%V\": only "
                               "\"member\", \"tagged\", \"shared\" and "
                               "\"routed\" are ones", &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        lcf->peers |= trait;
    }

    return NGX_CONF_OK;
}


/* tailgate_tailnet NAME ... */

char *
ngx_http_tailgate_tailnet(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tailgate_loc_conf_t *lcf = conf;

    tg_str_t    *name;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->tailnets != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    lcf->tailnets = ngx_array_create(cf->pool, 2, sizeof(tg_str_t));
    if (lcf->tailnets == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len && value[i].data[value[i].len - 1] == '.') {
            value[i].len--;
        }

        if (value[i].len == 0 || value[i].len > 253) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid tailnet \"%V\" in \"%V\": its domain "
                               "is needed, such as \"tail1234.ts.net\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        ngx_strlow(value[i].data, value[i].data, value[i].len);

        name = ngx_array_push(lcf->tailnets);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        name->data = (char *) value[i].data;
        name->len = value[i].len;
    }

    return NGX_CONF_OK;
}


/* tailgate_session_secret FILE */

char *
ngx_http_tailgate_session_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    ngx_str_t  *value;

    if (mcf->key) {
        return "is duplicate";
    }

    value = cf->args->elts;

    return ngx_http_tailgate_secret_key(cf, &value[1], &mcf->key);
}


ngx_int_t
ngx_http_tailgate_push_str(ngx_array_t *array, ngx_str_t *value)
{
    ngx_str_t  *s;

    s = ngx_array_push(array);
    if (s == NULL) {
        return NGX_ERROR;
    }

    *s = *value;

    return NGX_OK;
}
