
/*
 * Copyright (C) The Tailgate authors
 *
 * Which form a status is told in.
 */

#include "core/status/status.h"
#include "core/base/base.h"
#include "assets/core_assets.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>


#define ALL_BUT_STYLE  "default-src 'none'; base-uri 'none';"                \
                       " form-action 'none'; frame-ancestors 'none'"


static bool contains(tg_str_t text, const char *word);


const tgi_status_count_t  tgi_status_counts[] = {
    { TG_COUNT_LOOKUPS, "lookups", "WhoIs calls to tailscaled" },
    { TG_COUNT_HITS, "hits", "Hits" },
    { TG_COUNT_NEGATIVE, "negative", "... that say: nobody" },
    { TG_COUNT_MISSES, "misses", "Misses" },
    { TG_COUNT_COALESCED, "coalesced", "Waited for a call under way" },
    { TG_COUNT_EVICTED_BUS, "evicted_bus", "Evicted for a change" },
    { TG_COUNT_EVICTED_TTL, "evicted_ttl", "Evicted by age" },
    { TG_COUNT_EVICTED_LRU, "evicted_lru", "Evicted for want of room" },
    { TG_COUNT_STALE, "stale", "Stale answers used" },
    { TG_COUNT_LIMITED, "limited", "Misses refused to busy sources" }
};

const size_t  tgi_status_ncounts = sizeof(tgi_status_counts)
                                   / sizeof(tgi_status_counts[0]);


int
tg_status_form_parse(tg_status_form_t *form, tg_str_t name)
{
    if (tgi_str_equal(name, (tg_str_t) TG_STR("html"))) {
        *form = TG_STATUS_FORM_HTML;
        return TG_OK;
    }

    if (tgi_str_equal(name, (tg_str_t) TG_STR("json"))) {
        *form = TG_STATUS_FORM_JSON;
        return TG_OK;
    }

    if (tgi_str_equal(name, (tg_str_t) TG_STR("prometheus"))) {
        *form = TG_STATUS_FORM_PROMETHEUS;
        return TG_OK;
    }

    return TG_ERR_SYNTAX;
}


/* A browser names HTML, Prometheus both of its formats, and curl nothing. */

tg_status_form_t
tg_status_form_accept(tg_str_t accept)
{
    if (contains(accept, "text/html")) {
        return TG_STATUS_FORM_HTML;
    }

    if (contains(accept, "text/plain")
        || contains(accept, "application/openmetrics-text"))
    {
        return TG_STATUS_FORM_PROMETHEUS;
    }

    if (contains(accept, "application/json")) {
        return TG_STATUS_FORM_JSON;
    }

    return TG_STATUS_FORM_HTML;
}


static bool
contains(tg_str_t text, const char *word)
{
    size_t    i, len;
    tg_str_t  part;

    len = strlen(word);

    for (i = 0; i + len <= text.len; i++) {
        part.data = text.data + i;
        part.len = len;

        if (tgi_str_equal_nocase(part, (tg_str_t) { word, len })) {
            return true;
        }
    }

    return false;
}


const char *
tg_status_form_type(tg_status_form_t form)
{
    static const char *const  types[] = {
        "text/html; charset=utf-8",
        "application/json",
        "text/plain; version=0.0.4; charset=utf-8"
    };

    return types[form];
}


int
tg_status_page(tg_metrics_text_t *text, tg_status_form_t form,
    const tg_status_page_t *page)
{
    switch (form) {

    case TG_STATUS_FORM_JSON:
        return tgi_status_json(text, page);

    case TG_STATUS_FORM_PROMETHEUS:
        tg_metrics_write(text, &page->metrics);
        return TG_OK;

    default: /* TG_STATUS_FORM_HTML */
        tgi_status_html(text, page);
        return TG_OK;
    }
}


void
tg_status_csp(char buf[TG_STATUS_CSP_MAX])
{
    unsigned       len;
    unsigned char  hash[EVP_MAX_MD_SIZE], base64[2 * EVP_MAX_MD_SIZE];

    /* without its style the page is plain, and no less right */

    if (EVP_Digest(tgi_asset_status_status_css,
                   tgi_asset_status_status_css_len, hash, &len, EVP_sha256(),
                   NULL)
        != 1)
    {
        (void) snprintf(buf, TG_STATUS_CSP_MAX, "%s", ALL_BUT_STYLE);
        return;
    }

    (void) EVP_EncodeBlock(base64, hash, (int) len);
    (void) snprintf(buf, TG_STATUS_CSP_MAX, "%s; style-src 'sha256-%s'",
                    ALL_BUT_STYLE, (const char *) base64);
}
