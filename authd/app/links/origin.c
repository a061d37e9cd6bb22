
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/origin.h"

#include <string.h>
#include <strings.h>


static bool is_own(tg_str_t origin, const authd_links_conf_t *conf, bool tls);
static bool is_json(const tgn_request_t *r);


const char *
authd_links_origin(const tgn_request_t *r, const authd_links_conf_t *conf,
    bool tls)
{
    size_t    n;
    tg_str_t  value;

    for (n = 0; tgn_request_header(r, "Sec-Fetch-Site", n, &value); n++) {
        if (value.len != 11 || memcmp(value.data, "same-origin", 11) != 0) {
            return "the request comes from another site: Sec-Fetch-Site is not"
                   " same-origin";
        }
    }

    for (n = 0; tgn_request_header(r, "Origin", n, &value); n++) {
        if (!is_own(value, conf, tls)) {
            return "the request comes from another site: its Origin is none of"
                   " links.hosts";
        }
    }

    if (n != 0) {
        return NULL;
    }

    if ((tgn_request_header(r, "Sec-Golink", 0, &value) && value.len != 0)
        || is_json(r))
    {
        return NULL;
    }

    return "a change needs an Origin of ours, application/json, or the header"
           " Sec-Golink: 1";
}


static bool
is_own(tg_str_t origin, const authd_links_conf_t *conf, bool tls)
{
    size_t    i;
    tg_str_t  scheme;

    scheme = tls ? (tg_str_t) TG_STR("https://")
                 : (tg_str_t) TG_STR("http://");

    if (origin.len <= scheme.len
        || memcmp(origin.data, scheme.data, scheme.len) != 0)
    {
        return false;
    }

    origin.data += scheme.len;
    origin.len -= scheme.len;

    for (i = 0; i < conf->hosts.n; i++) {
        if (conf->hosts.items[i].len == origin.len
            && strncasecmp(conf->hosts.items[i].data, origin.data, origin.len)
               == 0)
        {
            return true;
        }
    }

    return false;
}


/* Alone, or with parameters. */

static bool
is_json(const tgn_request_t *r)
{
    tg_str_t  type;

    return tgn_request_header(r, "Content-Type", 0, &type)
           && type.len >= 16
           && strncasecmp(type.data, "application/json", 16) == 0
           && (type.len == 16 || type.data[16] == ';'
               || type.data[16] == ' ');
}
