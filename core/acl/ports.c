
/*
 * Copyright (C) The Tailgate authors
 *
 * Ports and protocols, read as tailscale's tailcfg and types/ipproto do.
 */

#include "core/acl/acl.h"

#include "core/base/base.h"

#include <string.h>


/* strconv.ParseUint(text, 10, ...): digits alone. */

bool
tgi_number(tg_str_t text, unsigned max, unsigned *number)
{
    size_t  i;

    *number = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }

        *number = *number * 10 + (unsigned) (text.data[i] - '0');

        if (*number > max) {
            return false;
        }
    }

    return text.len > 0;
}


int
tgi_port_range(tg_str_t text, uint16_t *first, uint16_t *last,
    const char **why)
{
    unsigned     low, high;
    tg_str_t     part;
    const char  *dash;

    if (text.len == 1 && text.data[0] == '*') {
        *first = 0;
        *last = 65535;
        return TG_OK;
    }

    dash = text.len == 0 ? NULL : memchr(text.data, '-', text.len);
    part = text;

    if (dash != NULL) {
        part.len = (size_t) (dash - text.data);

        if (memchr(dash + 1, '-', text.len - part.len - 1) != NULL) {
            *why = "too many dashes(-)";
            return TG_ERR_SYNTAX;
        }
    }

    if (!tgi_number(part, 65535, &low)) {
        *why = "invalid first integer";
        return TG_ERR_SYNTAX;
    }

    high = low;

    if (dash != NULL) {
        part.data = dash + 1;
        part.len = text.len - part.len - 1;

        if (!tgi_number(part, 65535, &high)) {
            *why = "invalid last integer";
            return TG_ERR_SYNTAX;
        }
    }

    if (low == 0) {
        *why = "first port must be >0, or use '*' for wildcard";
        return TG_ERR_SYNTAX;
    }

    if (low > high) {
        *why = "first port must be >= last port";
        return TG_ERR_SYNTAX;
    }

    *first = (uint16_t) low;
    *last = (uint16_t) high;

    return TG_OK;
}


int
tgi_proto(tg_str_t text)
{
    size_t    i;
    unsigned  number;

    static const struct {
        const char  *name;
        int          number;
    } protos[] = {
        { "icmp", 1 },
        { "igmp", 2 },
        { "ipv4", 4 },
        { "ip-in-ip", 4 },
        { "tcp", 6 },
        { "egp", 8 },
        { "igp", 9 },
        { "udp", 17 },
        { "dccp", 33 },
        { "gre", 47 },
        { "esp", 50 },
        { "ah", 51 },
        { "ipv6-icmp", 58 },
        { "sctp", 132 }
    };

    for (i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
        tg_str_t  name = { protos[i].name, strlen(protos[i].name) };

        if (tgi_str_equal_nocase(text, name)) {
            return protos[i].number;
        }
    }

    if (tgi_number(text, 255, &number)
        && (text.len == 1 || text.data[0] != '0'))
    {
        return (int) number;
    }

    return -2;
}
