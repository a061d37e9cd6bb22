
/*
 * Copyright (C) The Tailgate authors
 *
 * What is made of configurations when they have been read: the headers and
 * cookies of a location, the names that a server strips, what its listeners
 * are good for.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


static ngx_int_t ngx_http_tailgate_compile_profile(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_profile_t *profile);
static ngx_int_t ngx_http_tailgate_compile_header(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf, ngx_http_tailgate_header_t *header);
static ngx_int_t ngx_http_tailgate_init_strip(ngx_conf_t *cf,
    ngx_http_tailgate_srv_conf_t *scf);
static ngx_int_t ngx_http_tailgate_init_shapes(ngx_conf_t *cf,
    ngx_http_tailgate_srv_conf_t *scf);
static ngx_int_t ngx_http_tailgate_init_names(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);
static ngx_int_t ngx_http_tailgate_header_sets(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf, ngx_array_t *sets);
static ngx_int_t ngx_http_tailgate_check_listeners(ngx_conf_t *cf);
static ngx_int_t ngx_http_tailgate_check_listener(ngx_conf_t *cf,
    ngx_http_conf_addr_t *addr);


/* What a location sets: its own headers before those of profiles. */

ngx_int_t
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

    lcf->fixed = 1;
    header = lcf->headers.elts;

    for (i = 0; i < lcf->headers.nelts; i++) {
        if (header[i].header == NULL && header[i].secret.len == 0) {
            lcf->fixed = 0;
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

ngx_int_t
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

    if (ngx_http_tailgate_check_rules(cf, mcf) != NGX_OK
        || ngx_http_tailgate_check_listeners(cf) != NGX_OK)
    {
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

    /* names were judged when they were read, be it with a policy */

    name = scf->managed.elts;

    for (i = 0; i < scf->managed.nelts; i++) {
        if (tg_strip_add(scf->strip_set, (char *) name[i].data, name[i].len)
            != TG_OK)
        {
            return NGX_ERROR;
        }
    }

    if (scf->strip == NULL) {
        return ngx_http_tailgate_init_shapes(cf, scf);
    }

    name = scf->strip->elts;

    for (i = 0; i < scf->strip->nelts; i++) {
        if (tg_strip_add(scf->strip_set, (char *) name[i].data, name[i].len)
            != TG_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_tailgate_init_shapes(cf, scf);
}


/* A policy may refuse requests by the method that a header says. */

static ngx_int_t
ngx_http_tailgate_init_shapes(ngx_conf_t *cf,
    ngx_http_tailgate_srv_conf_t *scf)
{
    scf->shapes = ngx_palloc(cf->pool, sizeof(tg_shapes_t));
    if (scf->shapes == NULL) {
        return NGX_ERROR;
    }

    tg_shapes_of(scf->strip_set, scf->shapes);

    if (scf->policed) {
        tg_method_override_shapes(scf->shapes);
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
    size_t                      len;
    u_char                     *p;
    ngx_uint_t                  i, n;
    ngx_array_t                 sets;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_tailgate_route_t  *set;
    ngx_http_tailgate_header_t *header;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (ngx_http_tailgate_header_sets(cf, mcf, &sets) != NGX_OK) {
        return NGX_ERROR;
    }

    len = 0;
    set = sets.elts;

    for (i = 0; i < sets.nelts; i++) {
        for (n = 0; n < set[i].nheaders; n++) {
            len += set[i].headers[n].name.len;
        }
    }

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    mcf->names = p;
    mcf->names_end = p + len;

    for (i = 0; i < sets.nelts; i++) {

        header = set[i].headers;

        for (n = 0; n < set[i].nheaders; n++) {

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


/* The headers of all locations, and of all routes. */

static ngx_int_t
ngx_http_tailgate_header_sets(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf, ngx_array_t *sets)
{
    size_t                          n;
    ngx_uint_t                      i;
    ngx_http_tailgate_route_t      *set;
    ngx_http_tailgate_policy_t    **policy;
    ngx_http_tailgate_loc_conf_t  **lcf;

    if (ngx_array_init(sets, cf->temp_pool, mcf->locations.nelts + 1,
                       sizeof(ngx_http_tailgate_route_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {

        set = ngx_array_push(sets);
        if (set == NULL) {
            return NGX_ERROR;
        }

        set->headers = lcf[i]->headers.elts;
        set->nheaders = lcf[i]->headers.nelts;
    }

    policy = mcf->policies.elts;

    for (i = 0; i < mcf->policies.nelts; i++) {
        for (n = 0; n < policy[i]->nroutes; n++) {

            set = ngx_array_push(sets);
            if (set == NULL) {
                return NGX_ERROR;
            }

            *set = policy[i]->routes[n];
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
