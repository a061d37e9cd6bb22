
/*
 * Copyright (C) The Tailgate authors
 *
 * One number for the rules in force, so that a worker of an older
 * configuration sees that they are not its own any more.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */

#define NGX_HTTP_TAILGATE_FNV_BASIS  UINT64_C(0xcbf29ce484222325)
#define NGX_HTTP_TAILGATE_FNV_PRIME  UINT64_C(0x00000100000001b3)


static uint64_t ngx_http_tailgate_digest_number(uint64_t digest, uint64_t n);
static uint64_t ngx_http_tailgate_digest_str(uint64_t digest,
    const void *data, size_t len);
static uint64_t ngx_http_tailgate_digest_server(uint64_t digest,
    ngx_http_tailgate_srv_conf_t *scf);


uint64_t
ngx_http_tailgate_digest(uint64_t digest, const void *data, size_t len)
{
    const u_char  *p, *last;

    if (digest == 0) {
        digest = NGX_HTTP_TAILGATE_FNV_BASIS;
    }

    p = data;

    for (last = p + len; p < last; p++) {
        digest ^= *p;
        digest *= NGX_HTTP_TAILGATE_FNV_PRIME;
    }

    return digest;
}


/* The words of a directive, its name included. */

uint64_t
ngx_http_tailgate_digest_words(uint64_t digest, ngx_array_t *words)
{
    ngx_str_t   *word;
    ngx_uint_t   i;

    word = words->elts;

    for (i = 0; i < words->nelts; i++) {
        digest = ngx_http_tailgate_digest_str(digest, word[i].data,
                                              word[i].len);
    }

    return digest;
}


/* conf->digest is that of the rules that stand in the location itself. */

void
ngx_http_tailgate_digest_location(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *prev, ngx_http_tailgate_loc_conf_t *conf)
{
    tg_str_t                  *tailnet, file;
    uint64_t                   digest;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    digest = ngx_http_tailgate_digest_number(conf->digest, prev->digest);
    digest = ngx_http_tailgate_digest_str(digest, clcf->name.data,
                                          clcf->name.len);
    digest = ngx_http_tailgate_digest_number(digest, conf->enable);
    digest = ngx_http_tailgate_digest_number(digest, conf->peers);
    digest = ngx_http_tailgate_digest_number(digest, conf->raw_path);

    if (conf->tailnets) {
        tailnet = conf->tailnets->elts;

        for (i = 0; i < conf->tailnets->nelts; i++) {
            digest = ngx_http_tailgate_digest_str(digest, tailnet[i].data,
                                                  tailnet[i].len);
        }
    }

    if (conf->policy) {
        file = tg_policy_digest(conf->policy->policy);
        digest = ngx_http_tailgate_digest_str(digest, file.data, file.len);
    }

    conf->digest = digest;
}


/* Of all locations that guard, and of who is believed. */

void
ngx_http_tailgate_digest_init(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf)
{
    uint64_t                        digest;
    ngx_uint_t                      i;
    tg_service_t                   *service;
    ngx_http_core_srv_conf_t      **cscf;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_tailgate_loc_conf_t  **lcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    digest = ngx_http_tailgate_digest_str(0, mcf->localapi_name.data,
                                          mcf->localapi_name.len);

    if (mcf->services) {
        service = mcf->services->elts;

        for (i = 0; i < mcf->services->nelts; i++) {
            digest = ngx_http_tailgate_digest_str(digest,
                                                  service[i].name.data,
                                                  service[i].name.len);
            digest = ngx_http_tailgate_digest(digest, service[i].addr.bytes,
                                              sizeof(service[i].addr.bytes));
        }
    }

    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        digest = ngx_http_tailgate_digest_server(digest,
                     cscf[i]->ctx->srv_conf
                                       [ngx_http_tailgate_module.ctx_index]);
    }

    lcf = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {

        if (lcf[i]->enable == NGX_HTTP_TAILGATE_OFF) {
            continue;
        }

        digest = ngx_http_tailgate_digest_number(digest, lcf[i]->digest);

        if (lcf[i]->recheck
            && (mcf->recheck.tick == 0
                || lcf[i]->recheck / 2 < mcf->recheck.tick))
        {
            mcf->recheck.tick = ngx_max(lcf[i]->recheck / 2, 1);
        }
    }

    mcf->digest = digest;
}


static uint64_t
ngx_http_tailgate_digest_server(uint64_t digest,
    ngx_http_tailgate_srv_conf_t *scf)
{
    tg_cidr_t   *cidr;
    ngx_uint_t   i;

    digest = ngx_http_tailgate_digest_number(digest, scf->trusted_unix);
    digest = ngx_http_tailgate_digest_number(digest, scf->trusted_serve);
    digest = ngx_http_tailgate_digest_str(digest, scf->interface.data,
                                          scf->interface.len);

    if (scf->trusted == NULL) {
        return digest;
    }

    cidr = scf->trusted->elts;

    for (i = 0; i < scf->trusted->nelts; i++) {
        digest = ngx_http_tailgate_digest(digest, cidr[i].addr.bytes,
                                          sizeof(cidr[i].addr.bytes));
        digest = ngx_http_tailgate_digest_number(digest, cidr[i].prefix);
    }

    return digest;
}


static uint64_t
ngx_http_tailgate_digest_number(uint64_t digest, uint64_t n)
{
    return ngx_http_tailgate_digest(digest, &n, sizeof(uint64_t));
}


/* The length comes first: "ab", "c" is not "a", "bc". */

static uint64_t
ngx_http_tailgate_digest_str(uint64_t digest, const void *data, size_t len)
{
    digest = ngx_http_tailgate_digest_number(digest, len);

    return ngx_http_tailgate_digest(digest, data, len);
}
