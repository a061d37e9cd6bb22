
/*
 * Copyright (C) The Tailgate authors
 *
 * Configurations: how they are made and inherited, and what is compiled from
 * them when all of it has been read.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_compile_headers(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);
static ngx_int_t ngx_http_tailgate_compile_profile(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_profile_t *profile);
static ngx_int_t ngx_http_tailgate_compile_header(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_header_t *header);
static ngx_int_t ngx_http_tailgate_compile_cookies(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);
static ngx_int_t ngx_http_tailgate_init_strip(ngx_conf_t *cf,
    ngx_http_tailgate_srv_conf_t *scf);
static ngx_int_t ngx_http_tailgate_init_names(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);
static ngx_int_t ngx_http_tailgate_check_listeners(ngx_conf_t *cf);
static ngx_int_t ngx_http_tailgate_check_listener(ngx_conf_t *cf,
    ngx_http_conf_addr_t *addr);


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
     *     mcf->names = NULL;
     *     mcf->key = NULL;
     *     mcf->zone = NULL;
     *     mcf->sessions = 0;
     *     mcf->node = NULL;
     */

    mcf->timeout = NGX_CONF_UNSET_MSEC;
    mcf->keepalive = NGX_CONF_UNSET_UINT;

    if (ngx_array_init(&mcf->locations, cf->pool, 16,
                       sizeof(ngx_http_tailgate_loc_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


char *
ngx_http_tailgate_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_tailgate_main_conf_t *mcf = conf;

    ngx_str_t  path = ngx_string("unix:" TG_LOCALAPI_SOCKET);

    if (mcf->sockaddr == NULL
        && ngx_http_tailgate_socket(cf, mcf, &path) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_msec_value(mcf->timeout, 2000);
    ngx_conf_init_uint_value(mcf->keepalive, 4);

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
     *     scf->enabled = 0;
     */

    scf->trusted = NGX_CONF_UNSET_PTR;
    scf->trusted_unix = NGX_CONF_UNSET;
    scf->trusted_serve = NGX_CONF_UNSET;

    if (ngx_array_init(&scf->managed, cf->pool, 4, sizeof(ngx_str_t))
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
     *     lcf->headers = { NULL };
     *     lcf->session_cookies = { NULL };
     */

    lcf->enable = NGX_CONF_UNSET_UINT;
    lcf->tailnets = NGX_CONF_UNSET_PTR;
    lcf->profiles = NGX_CONF_UNSET_PTR;
    lcf->set_headers = NGX_CONF_UNSET_PTR;
    lcf->cookies = NGX_CONF_UNSET_PTR;

    return lcf;
}


char *
ngx_http_tailgate_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tailgate_loc_conf_t *prev = parent;
    ngx_http_tailgate_loc_conf_t *conf = child;

    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_loc_conf_t  **lcf;
    ngx_http_tailgate_main_conf_t  *mcf;

    ngx_conf_merge_uint_value(conf->enable, prev->enable,
                              NGX_HTTP_TAILGATE_OFF);
    ngx_conf_merge_ptr_value(conf->tailnets, prev->tailnets, NULL);
    ngx_conf_merge_ptr_value(conf->profiles, prev->profiles, NULL);
    ngx_conf_merge_ptr_value(conf->set_headers, prev->set_headers, NULL);
    ngx_conf_merge_ptr_value(conf->cookies, prev->cookies, NULL);

    if (conf->peers == 0) {
        conf->peers = prev->peers ? prev->peers : TG_TRAIT_MEMBER;
    }

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


/* What a location sets: its own headers before those of profiles. */

static ngx_int_t
ngx_http_tailgate_compile_headers(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    ngx_uint_t                     i;
    ngx_http_tailgate_header_t    *header;
    ngx_http_tailgate_profile_t   *profile;
    ngx_http_tailgate_srv_conf_t  *scf;

    scf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_tailgate_module);

    if (ngx_array_init(&lcf->headers, cf->pool, 8,
                       sizeof(ngx_http_tailgate_header_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (lcf->set_headers) {

        header = lcf->set_headers->elts;

        for (i = 0; i < lcf->set_headers->nelts; i++) {

            if (ngx_http_tailgate_push_str(&scf->managed, &header[i].name)
                != NGX_OK
                || ngx_http_tailgate_compile_header(cf, lcf, &header[i])
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    if (lcf->profiles) {

        profile = lcf->profiles->elts;

        for (i = 0; i < lcf->profiles->nelts; i++) {
            if (ngx_http_tailgate_compile_profile(cf, lcf, &profile[i])
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_compile_profile(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_profile_t *profile)
{
    size_t                       i;
    const tg_profile_t          *p;
    ngx_http_tailgate_header_t   header;

    p = profile->profile;

    for (i = 0; i < p->nheaders; i++) {

        ngx_memzero(&header, sizeof(ngx_http_tailgate_header_t));

        header.header = &p->headers[i];
        header.name.data = (u_char *) p->headers[i].name;
        header.name.len = ngx_strlen(header.name.data);

        if (ngx_http_tailgate_compile_header(cf, lcf, &header) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p->secret_header == NULL || profile->secret.len == 0) {
        return NGX_OK;
    }

    ngx_memzero(&header, sizeof(ngx_http_tailgate_header_t));

    header.secret = profile->secret;
    header.name.data = (u_char *) p->secret_header;
    header.name.len = ngx_strlen(header.name.data);

    return ngx_http_tailgate_compile_header(cf, lcf, &header);
}


/* Of two headers that are the same after folding the first one is set. */

static ngx_int_t
ngx_http_tailgate_compile_header(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_header_t *header)
{
    ngx_uint_t                   i;
    ngx_http_tailgate_header_t  *h;

    h = lcf->headers.elts;

    for (i = 0; i < lcf->headers.nelts; i++) {
        if (ngx_http_tailgate_same_name(&h[i].name, &header->name)) {
            return NGX_OK;
        }
    }

    h = ngx_array_push(&lcf->headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = *header;

    return NGX_OK;
}


/* The cookies of profiles, and those of tailgate_session. */

static ngx_int_t
ngx_http_tailgate_compile_cookies(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf)
{
    size_t                          n;
    tg_str_t                       *cookie, *source;
    ngx_uint_t                      i;
    ngx_http_tailgate_profile_t    *profile;
    ngx_http_tailgate_main_conf_t  *mcf;

    if (ngx_array_init(&lcf->session_cookies, cf->pool, 4, sizeof(tg_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* "off" */

    if (lcf->cookies && lcf->cookies->nelts == 0) {
        return NGX_OK;
    }

    if (lcf->profiles) {

        profile = lcf->profiles->elts;

        for (i = 0; i < lcf->profiles->nelts; i++) {
            for (n = 0; n < profile[i].profile->ncookies; n++) {

                cookie = ngx_array_push(&lcf->session_cookies);
                if (cookie == NULL) {
                    return NGX_ERROR;
                }

                cookie->data = profile[i].profile->cookies[n];
                cookie->len = ngx_strlen(cookie->data);
            }
        }
    }

    if (lcf->cookies) {

        source = lcf->cookies->elts;

        for (i = 0; i < lcf->cookies->nelts; i++) {

            cookie = ngx_array_push(&lcf->session_cookies);
            if (cookie == NULL) {
                return NGX_ERROR;
            }

            *cookie = source[i];
        }
    }

    if (lcf->session_cookies.nelts) {
        mcf = ngx_http_conf_get_module_main_conf(cf,
                                                 ngx_http_tailgate_module);
        mcf->sessions = 1;
    }

    return NGX_OK;
}


/* When all of the configuration has been read. */

ngx_int_t
ngx_http_tailgate_init_servers(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_core_srv_conf_t      **cscfp;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tailgate_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        scf = cscfp[i]->ctx->srv_conf[ngx_http_tailgate_module.ctx_index];

        if (scf->enabled && ngx_http_tailgate_init_strip(cf, scf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_tailgate_check_listeners(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tailgate_init_names(cf, mcf);
}


static ngx_int_t
ngx_http_tailgate_init_strip(ngx_conf_t *cf, ngx_http_tailgate_srv_conf_t *scf)
{
    ngx_str_t    *name;
    tg_alloc_t    alloc;
    ngx_uint_t    i;

    alloc = ngx_http_tailgate_alloc(cf->pool);

    scf->strip_set = tg_strip_new(&alloc);
    if (scf->strip_set == NULL) {
        return NGX_ERROR;
    }

    /* names were judged when they were read */

    name = scf->managed.elts;

    for (i = 0; i < scf->managed.nelts; i++) {
        if (tg_strip_add(scf->strip_set, (char *) name[i].data, name[i].len)
            != TG_OK)
        {
            return NGX_ERROR;
        }
    }

    if (scf->strip == NULL) {
        return NGX_OK;
    }

    name = scf->strip->elts;

    for (i = 0; i < scf->strip->nelts; i++) {
        if (tg_strip_add(scf->strip_set, (char *) name[i].data, name[i].len)
            != TG_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The lower-case names of all headers that are set, in one piece: an element
 * of a list of headers is ours if its name is in there.
 */

static ngx_int_t
ngx_http_tailgate_init_names(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf)
{
    size_t                          len;
    u_char                         *p;
    ngx_uint_t                      i, n;
    ngx_http_header_t              *hh;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_tailgate_header_t     *header;
    ngx_http_tailgate_loc_conf_t  **lcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    len = 0;
    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {

        header = lcf[i]->headers.elts;

        for (n = 0; n < lcf[i]->headers.nelts; n++) {
            len += header[n].name.len;
        }
    }

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    mcf->names = p;
    mcf->names_end = p + len;

    for (i = 0; i < mcf->locations.nelts; i++) {

        header = lcf[i]->headers.elts;

        for (n = 0; n < lcf[i]->headers.nelts; n++) {

            header[n].lowcase_key = p;
            header[n].hash = ngx_hash_strlow(p, header[n].name.data,
                                             header[n].name.len);

            hh = ngx_hash_find(&cmcf->headers_in_hash, header[n].hash, p,
                               header[n].name.len);

            header[n].offset = hh ? hh->offset : NGX_HTTP_TAILGATE_UNKNOWN;

            p += header[n].name.len;
        }
    }

    return NGX_OK;
}


/* What a listener has to do with who its clients are. */

static ngx_int_t
ngx_http_tailgate_check_listeners(ngx_conf_t *cf)
{
    ngx_uint_t                  p, a;
    ngx_http_conf_port_t       *port;
    ngx_http_conf_addr_t       *addr;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (cmcf->ports == NULL) {
        return NGX_OK;
    }

    port = cmcf->ports->elts;

    for (p = 0; p < cmcf->ports->nelts; p++) {

        addr = port[p].addrs.elts;

        for (a = 0; a < port[p].addrs.nelts; a++) {
            if (ngx_http_tailgate_check_listener(cf, &addr[a]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tailgate_check_listener(ngx_conf_t *cf, ngx_http_conf_addr_t *addr)
{
    tg_addr_t                       local;
    ngx_uint_t                      s;
    ngx_http_core_srv_conf_t      **server;
    ngx_http_tailgate_srv_conf_t   *scf;

    server = addr->servers.elts;

    for (s = 0; s < addr->servers.nelts; s++) {

        scf = server[s]->ctx->srv_conf[ngx_http_tailgate_module.ctx_index];

        if (!scf->enabled) {
            continue;
        }

#if (nginx_version >= 1025000)

        if (addr->opt.quic) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "\"tailgate\" refuses all requests over HTTP/3 to "
                          "%V: the address of a QUIC connection may change "
                          "under way, and names nobody",
                          &addr->opt.addr_text);
        }

#endif

        if (!scf->trusted_serve) {
            continue;
        }

        (void) tg_addr_from_sockaddr(&local, addr->opt.sockaddr,
                                     addr->opt.socklen);

        if (!tg_addr_is_loopback(&local)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"tailgate_trusted_serve\" needs a listener that "
                          "only this machine can reach, such as "
                          "127.0.0.1:8080, and %V is none",
                          &addr->opt.addr_text);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
