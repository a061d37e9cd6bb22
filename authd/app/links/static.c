
/*
 * Copyright (C) The Tailgate authors
 *
 * What pages need besides: style, script, icon, and what a browser reads of a
 * search engine.
 */

#include "authd/app/links/page.h"
#include "assets/authd_assets.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>


typedef struct {
    const char           *name;
    const char           *type;
    const unsigned char  *data;
    const size_t         *len;
} asset_t;

static const asset_t  assets[] = {
    { "links.css", "text/css; charset=utf-8", authd_asset_links_links_css,
      &authd_asset_links_links_css_len },
    { "links.js", "text/javascript; charset=utf-8",
      authd_asset_links_links_js, &authd_asset_links_links_js_len },
    { "favicon.svg", "image/svg+xml", authd_asset_links_favicon_svg,
      &authd_asset_links_favicon_svg_len }
};


static void asset_send(authd_links_call_t *call, const asset_t *asset);
static tg_str_t escaped(authd_links_call_t *call, tg_str_t s);


void
authd_links_static(authd_links_call_t *call)
{
    size_t  i;

    for (i = 0; i < sizeof(assets) / sizeof(assets[0]); i++) {
        if (authd_links_equal(call->name, assets[i].name)) {
            asset_send(call, &assets[i]);
            return;
        }
    }

    authd_links_fault(call, 404, "404 page not found");
}


void
authd_links_opensearch(authd_links_call_t *call)
{
    tg_str_t  body, site, host;

    site = escaped(call, authd_links_site(call));
    host = call->app->authd->conf->links.hosts.n
           ? escaped(call, call->app->authd->conf->links.hosts.items[0])
           : (tg_str_t) TG_STR("go");

    body = authd_links_format(&call->alloc,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<OpenSearchDescription"
        " xmlns=\"http://a9.com/-/spec/opensearch/1.1/\""
        " xmlns:moz=\"http://www.mozilla.org/2006/browser/search/\">\n"
        "<ShortName>%.*s</ShortName>\n"
        "<Description>Links of the tailnet</Description>\n"
        "<InputEncoding>UTF-8</InputEncoding>\n"
        "<Image type=\"image/svg+xml\">%.*s/.static/favicon.svg</Image>\n"
        "<Url type=\"text/html\" method=\"get\""
        " template=\"%.*s/{searchTerms}\"/>\n"
        "<Url type=\"application/x-suggestions+json\" method=\"get\""
        " template=\"%.*s/api/v1/suggest?q={searchTerms}\"/>\n"
        "<moz:SearchForm>%.*s</moz:SearchForm>\n"
        "</OpenSearchDescription>\n",
        (int) host.len, host.data, (int) site.len, site.data, (int) site.len,
        site.data, (int) site.len, site.data, (int) site.len, site.data);

    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));

    authd_links_send(call, 200, "application/opensearchdescription+xml", body);
}


/* They change with the program alone. */

static void
asset_send(authd_links_call_t *call, const asset_t *asset)
{
    int            code;
    char           tag[40];
    size_t         i;
    tg_str_t       value;
    unsigned       len;
    unsigned char  hash[EVP_MAX_MD_SIZE];

    code = 200;

    if (EVP_Digest(asset->data, *asset->len, hash, &len, EVP_sha256(), NULL)
        == 1)
    {
        tag[0] = '"';

        for (i = 0; i < 16; i++) {
            (void) snprintf(tag + 1 + 2 * i, 4, "%02x\"", hash[i]);
        }

        (void) tgn_response_header(call->r, "ETag", authd_links_str(tag));

        if (tgn_request_header(call->r, "If-None-Match", 0, &value)
            && authd_links_equal(value, tag))
        {
            code = 304;
        }
    }

    (void) tgn_response_header(call->r, "Cache-Control",
                               authd_links_str("max-age=3600"));
    (void) tgn_response_header(call->r, "X-Content-Type-Options",
                               authd_links_str("nosniff"));
    (void) tgn_response_header(call->r, "Content-Security-Policy",
                               authd_links_str("default-src 'none';"
                                               " frame-ancestors 'none'"));

    authd_links_send(call, code, asset->type,
                     code == 304 ? (tg_str_t) TG_NULL_STR
                                 : (tg_str_t) { (const char *) asset->data,
                                                *asset->len });
}


static tg_str_t
escaped(authd_links_call_t *call, tg_str_t s)
{
    authd_links_out_t  out;

    authd_links_out_init(&out, &call->alloc);
    authd_links_out_text(&out, s);

    return authd_links_out_done(&out);
}
