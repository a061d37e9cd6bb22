
/*
 * Copyright (C) The Tailgate authors
 *
 * Links that lead to links.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"

#include <string.h>


static tg_str_t
skip(tg_str_t text, size_t n)
{
    text.data += n;
    text.len -= n;

    return text;
}


static bool
begins(tg_str_t text, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}


/* Up to the first of c, which is taken away with what follows it. */

static tg_str_t
cut(tg_str_t *text, char c)
{
    size_t       len;
    tg_str_t     rest;
    const char  *p;

    rest = (tg_str_t) TG_NULL_STR;

    p = text->len > 0 ? memchr(text->data, c, text->len) : NULL;

    if (p != NULL) {
        len = (size_t) (p - text->data);
        rest = skip(*text, len + 1);
        text->len = len;
    }

    return rest;
}


/* A host without its final dot; its port apart, or the scheme's own. */

static void
split_port(tg_str_t *host, tg_str_t *port, tg_str_t standard)
{
    size_t  i;

    *port = standard;

    for (i = host->len; i > 0 && host->data[i - 1] >= '0'
                        && host->data[i - 1] <= '9'; i--)
    {
        /* void */
    }

    if (i > 0 && host->data[i - 1] == ':') {
        if (i < host->len) {
            *port = skip(*host, i);
        }

        host->len = i - 1;
    }

    if (host->len > 0 && host->data[host->len - 1] == '.') {
        host->len--;
    }
}


static bool
is_own(tg_str_t host, tg_str_t standard, const tg_str_t *hosts, size_t nhosts)
{
    size_t    i;
    tg_str_t  own, port, own_port;

    split_port(&host, &port, standard);

    if (host.len == 0) {
        return false;
    }

    for (i = 0; i < nhosts; i++) {
        own = hosts[i];
        split_port(&own, &own_port, standard);

        if (tgi_str_equal_nocase(host, own) && tgi_str_equal(port, own_port)) {
            return true;
        }
    }

    return false;
}


int
tg_link_hop(tg_str_t location, const tg_str_t *hosts, size_t nhosts,
    tg_link_hop_t *hop)
{
    size_t         i;
    tg_str_t       path, host, port, query, fragment;

    static const tg_str_t  http = TG_STR("80");
    static const tg_str_t  https = TG_STR("443");

    memset(hop, 0, sizeof(tg_link_hop_t));

    path = location;
    port = http;

    if (begins(path, "http:")) {
        path = skip(path, 5);

    } else if (begins(path, "https:")) {
        path = skip(path, 6);
        port = https;
    }

    fragment = cut(&path, '#');
    query = cut(&path, '?');

    if (begins(path, "//")) {
        host = skip(path, 2);

        for (i = 0; i < host.len && host.data[i] != '/'; i++) { /* void */ }

        path = skip(host, i);
        host.len = i;

        if (!is_own(host, port, hosts, nhosts)) {
            return TG_ERR_ABSENT;
        }
    }

    /* "/%2e" is what the app would take for its own, too */

    if (path.len < 2 || path.data[0] != '/' || path.data[1] == '.'
        || path.data[1] == '/'
        || (path.data[1] == '%' && tgi_link_escape(path, 1) == '.'))
    {
        return TG_ERR_ABSENT;
    }

    hop->path = path;
    hop->query = query;
    hop->fragment = fragment;

    return TG_OK;
}
