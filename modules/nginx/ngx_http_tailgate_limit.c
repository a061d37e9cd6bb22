
/*
 * Copyright (C) The Tailgate authors
 *
 * How many questions one source may make for: a scanner on the tailnet must
 * not keep tailscaled from answering about everybody else.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/*
 * Of a worker: sources that made for a question last.  Who is not there has
 * not asked for long, or is one of very many.
 */

#define NGX_HTTP_TAILGATE_LIMIT_SETS   256
#define NGX_HTTP_TAILGATE_LIMIT_WAYS   4

/* Of a question, in thousandths; what a bucket holds, in ms of the rate. */

#define NGX_HTTP_TAILGATE_LIMIT_TOKEN  1000
#define NGX_HTTP_TAILGATE_LIMIT_BURST  2000

/* In seconds: one line for each source. */

#define NGX_HTTP_TAILGATE_LIMIT_TOLD   3600


typedef struct {
    tg_addr_t                   addr;
    uint64_t                    tokens;
    ngx_msec_t                  last;
    time_t                      told;     /* 0: the log was not */
    ngx_uint_t                  used;     /* unsigned  used:1; */
} ngx_http_tailgate_bucket_t;


static ngx_http_tailgate_bucket_t *ngx_http_tailgate_limit_find(
    const tg_addr_t *addr);


static ngx_http_tailgate_bucket_t
    ngx_http_tailgate_buckets[NGX_HTTP_TAILGATE_LIMIT_SETS]
                             [NGX_HTTP_TAILGATE_LIMIT_WAYS];


/* Loopback is exempt: everybody may be behind it. */

ngx_uint_t
ngx_http_tailgate_limited(ngx_http_tailgate_main_conf_t *mcf,
    const tg_addr_t *addr, ngx_log_t *log)
{
    char                         text[TG_ADDR_TEXT_MAX];
    uint64_t                     full;
    ngx_msec_t                   passed;
    ngx_http_tailgate_bucket_t  *bucket;

    if (mcf->cache_misses == 0 || tg_addr_is_loopback(addr)) {
        return 0;
    }

    full = (uint64_t) mcf->cache_misses * NGX_HTTP_TAILGATE_LIMIT_BURST;
    bucket = ngx_http_tailgate_limit_find(addr);

    if (!bucket->used || !tg_addr_equal(&bucket->addr, addr)) {
        ngx_memzero(bucket, sizeof(ngx_http_tailgate_bucket_t));
        bucket->addr = *addr;
        bucket->tokens = full;
        bucket->used = 1;

    } else {
        passed = ngx_min((ngx_msec_t) (ngx_current_msec - bucket->last),
                         NGX_HTTP_TAILGATE_LIMIT_BURST);
        bucket->tokens = ngx_min(full, bucket->tokens
                                 + (uint64_t) passed * mcf->cache_misses);
    }

    bucket->last = ngx_current_msec;

    if (bucket->tokens >= NGX_HTTP_TAILGATE_LIMIT_TOKEN) {
        bucket->tokens -= NGX_HTTP_TAILGATE_LIMIT_TOKEN;
        return 0;
    }

    ngx_http_tailgate_count(&mcf->stats, TG_COUNT_LIMITED);

    if (bucket->told == 0
        || ngx_time() - bucket->told >= NGX_HTTP_TAILGATE_LIMIT_TOLD)
    {
        bucket->told = ngx_time();

        (void) tg_addr_format(addr, 0, text);

        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "tailgate: the source %s makes for more than %ui "
                      "questions to tailscaled a second (\"misses\" of "
                      "tailgate_cache): the others are answered 503", text,
                      mcf->cache_misses);
    }

    return 1;
}


/* The source's own bucket, or the one of its set that was longest unused. */

static ngx_http_tailgate_bucket_t *
ngx_http_tailgate_limit_find(const tg_addr_t *addr)
{
    uint32_t                     hash;
    ngx_uint_t                   i;
    ngx_http_tailgate_bucket_t  *set, *oldest;

    hash = ngx_murmur_hash2((u_char *) addr->bytes, sizeof(addr->bytes));
    set = ngx_http_tailgate_buckets[hash % NGX_HTTP_TAILGATE_LIMIT_SETS];

    oldest = &set[0];

    for (i = 0; i < NGX_HTTP_TAILGATE_LIMIT_WAYS; i++) {

        if (set[i].used && tg_addr_equal(&set[i].addr, addr)) {
            return &set[i];
        }

        if (oldest->used
            && (!set[i].used
                || (ngx_msec_int_t) (set[i].last - oldest->last) < 0))
        {
            oldest = &set[i];
        }
    }

    return oldest;
}
