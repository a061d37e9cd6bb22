
/*
 * Copyright (C) The Tailgate authors
 *
 * Addresses: from the kernel, from and to text, and the ranges that matter.
 */

#include <tailgate/addr.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>


/* ::ffff:0:0/96, RFC 4291 2.5.5.2 */

static const uint8_t  mapped_prefix[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};


/* Both set an address that is all zero so far. */

static void
set_v4(tg_addr_t *addr, const void *bytes)
{
    addr->family = TG_ADDR_V4;
    memcpy(addr->bytes, bytes, 4);
}


static void
set_v6(tg_addr_t *addr, const void *bytes)
{
    const uint8_t  *b = bytes;

    if (memcmp(b, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        set_v4(addr, b + sizeof(mapped_prefix));
        return;
    }

    addr->family = TG_ADDR_V6;
    memcpy(addr->bytes, b, 16);
}


int
tg_addr_from_sockaddr(tg_addr_t *addr, const struct sockaddr *sockaddr,
    socklen_t len)
{
    sa_family_t          family;
    struct sockaddr_in   sin;
    struct sockaddr_in6  sin6;

    memset(addr, 0, sizeof(tg_addr_t));

    if (sockaddr == NULL || len < sizeof(sa_family_t)) {
        return TG_ERR_TYPE;
    }

    memcpy(&family, &sockaddr->sa_family, sizeof(family));

    if (family == AF_UNIX) {
        addr->family = TG_ADDR_UNIX;
        return TG_OK;
    }

    if (family == AF_INET && len >= sizeof(sin)) {
        memcpy(&sin, sockaddr, sizeof(sin));
        set_v4(addr, &sin.sin_addr);
        addr->port = ntohs(sin.sin_port);
        return TG_OK;
    }

    if (family == AF_INET6 && len >= sizeof(sin6)) {
        memcpy(&sin6, sockaddr, sizeof(sin6));

        if (sin6.sin6_scope_id != 0) {
            return TG_ERR_REFUSED;
        }

        set_v6(addr, &sin6.sin6_addr);
        addr->port = ntohs(sin6.sin6_port);
        return TG_OK;
    }

    return TG_ERR_TYPE;
}


/* Decimal digits without a sign or a leading zero, up to max. */

static int
parse_number(const char *text, size_t len, unsigned max, unsigned *value)
{
    size_t    i;
    unsigned  v;

    if (len == 0 || len > 5 || (len > 1 && text[0] == '0')) {
        return TG_ERR_SYNTAX;
    }

    for (i = 0, v = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return TG_ERR_SYNTAX;
        }

        v = v * 10 + (unsigned) (text[i] - '0');
    }

    if (v > max) {
        return TG_ERR_SYNTAX;
    }

    *value = v;

    return TG_OK;
}


/* An address without a port or brackets.  Touches *addr on success only. */

static int
parse_host(tg_addr_t *addr, int family, const char *text, size_t len)
{
    char     buf[INET6_ADDRSTRLEN];
    uint8_t  bytes[16];

    /* a NUL would end the text for inet_pton() only */

    if (len >= sizeof(buf) || memchr(text, '\0', len) != NULL) {
        return TG_ERR_SYNTAX;
    }

    memcpy(buf, text, len);
    buf[len] = '\0';

    if (inet_pton(family, buf, bytes) != 1) {
        return TG_ERR_SYNTAX;
    }

    if (family == AF_INET) {
        set_v4(addr, bytes);

    } else {
        set_v6(addr, bytes);
    }

    return TG_OK;
}


int
tg_addr_parse(tg_addr_t *addr, const char *text, size_t len)
{
    int          family;
    size_t       host_len;
    unsigned     port;
    tg_addr_t    parsed;
    const char  *host, *colon, *end;

    memset(addr, 0, sizeof(tg_addr_t));
    memset(&parsed, 0, sizeof(tg_addr_t));

    if (len == 0) {
        return TG_ERR_SYNTAX;
    }

    if (memchr(text, '%', len) != NULL) {
        return TG_ERR_REFUSED;
    }

    end = text + len;
    host = text;
    host_len = len;
    colon = memchr(text, ':', len);
    family = AF_INET6;

    if (text[0] == '[') {
        host = text + 1;
        colon = memchr(text, ']', len);

        if (colon == NULL) {
            return TG_ERR_SYNTAX;
        }

        host_len = (size_t) (colon - host);
        colon++;

        if (colon == end) {
            colon = NULL;

        } else if (*colon != ':') {
            return TG_ERR_SYNTAX;
        }

    } else if (memchr(text, '.', len) != NULL
               && (colon == NULL
                   || memchr(colon + 1, ':', (size_t) (end - colon - 1))
                      == NULL))
    {
        family = AF_INET;
        host_len = colon != NULL ? (size_t) (colon - text) : len;

    } else {
        colon = NULL;
    }

    if (parse_host(&parsed, family, host, host_len) != TG_OK) {
        return TG_ERR_SYNTAX;
    }

    if (colon != NULL) {
        colon++;

        if (parse_number(colon, (size_t) (end - colon), 65535, &port)
            != TG_OK)
        {
            return TG_ERR_SYNTAX;
        }

        parsed.port = (uint16_t) port;
    }

    *addr = parsed;

    return TG_OK;
}


size_t
tg_addr_format(const tg_addr_t *addr, bool with_port,
    char buf[TG_ADDR_TEXT_MAX])
{
    int   n, family;
    char  host[INET6_ADDRSTRLEN];

    if (addr->family != TG_ADDR_V4 && addr->family != TG_ADDR_V6) {
        n = snprintf(buf, TG_ADDR_TEXT_MAX, "%s",
                     addr->family == TG_ADDR_UNIX ? "unix:" : "-");
        return (size_t) n;
    }

    family = addr->family == TG_ADDR_V4 ? AF_INET : AF_INET6;

    /* cannot fail: the family is known and the text fits */
    (void) inet_ntop(family, addr->bytes, host, sizeof(host));

    if (!with_port) {
        n = snprintf(buf, TG_ADDR_TEXT_MAX, "%s", host);

    } else {
        n = snprintf(buf, TG_ADDR_TEXT_MAX,
                     family == AF_INET ? "%s:%u" : "[%s]:%u", host,
                     (unsigned) addr->port);
    }

    return (size_t) n;
}


bool
tg_addr_equal(const tg_addr_t *a, const tg_addr_t *b)
{
    if (a->family != TG_ADDR_V4 && a->family != TG_ADDR_V6) {
        return false;
    }

    return a->family == b->family
           && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}


bool
tg_addr_is_tailnet(const tg_addr_t *addr)
{
    static const tg_cidr_t  ranges[] = {

        /* 100.64.0.0/10, CGNATRange */
        { { TG_ADDR_V4, { 100, 64 }, 0 }, 10 },

        /* fd7a:115c:a1e0::/48, TailscaleULARange */
        { { TG_ADDR_V6, { 0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0 }, 0 }, 48 }
    };

    return tg_cidr_match(&ranges[0], addr) || tg_cidr_match(&ranges[1], addr);
}


bool
tg_addr_is_loopback(const tg_addr_t *addr)
{
    static const tg_cidr_t  ranges[] = {
        { { TG_ADDR_V4, { 127 }, 0 }, 8 },
        { { TG_ADDR_V6, { [15] = 1 }, 0 }, 128 }
    };

    return tg_cidr_match(&ranges[0], addr) || tg_cidr_match(&ranges[1], addr);
}


static bool
host_bits_are_zero(const tg_cidr_t *cidr)
{
    size_t   i;
    uint8_t  mask;

    i = cidr->prefix / 8;

    if (i == sizeof(cidr->addr.bytes)) {
        return true;
    }

    mask = (uint8_t) (0xffu >> (cidr->prefix % 8));

    if (cidr->addr.bytes[i] & mask) {
        return false;
    }

    for (i++; i < sizeof(cidr->addr.bytes); i++) {
        if (cidr->addr.bytes[i] != 0) {
            return false;
        }
    }

    return true;
}


int
tg_cidr_parse(tg_cidr_t *cidr, const char *text, size_t len)
{
    size_t       host_len;
    unsigned     bits, prefix;
    tg_cidr_t    parsed;
    const char  *slash;

    memset(cidr, 0, sizeof(tg_cidr_t));
    memset(&parsed, 0, sizeof(tg_cidr_t));

    if (len == 0) {
        return TG_ERR_SYNTAX;
    }

    slash = memchr(text, '/', len);
    host_len = slash != NULL ? (size_t) (slash - text) : len;
    bits = memchr(text, ':', host_len) != NULL ? 128 : 32;

    if (parse_host(&parsed.addr, bits == 32 ? AF_INET : AF_INET6, text,
                   host_len)
        != TG_OK)
    {
        return TG_ERR_SYNTAX;
    }

    prefix = bits;

    if (slash != NULL
        && parse_number(slash + 1, len - host_len - 1, bits, &prefix)
           != TG_OK)
    {
        return TG_ERR_SYNTAX;
    }

    if (bits == 128 && parsed.addr.family == TG_ADDR_V4) {

        /* ::ffff:0:0/90 is IPv4 and more: no one family to match */

        if (prefix < 96) {
            return TG_ERR_SYNTAX;
        }

        prefix -= 96;
    }

    parsed.prefix = (uint8_t) prefix;

    if (!host_bits_are_zero(&parsed)) {
        return TG_ERR_RANGE;
    }

    *cidr = parsed;

    return TG_OK;
}


bool
tg_cidr_match(const tg_cidr_t *cidr, const tg_addr_t *addr)
{
    size_t    n;
    unsigned  bits, mask;

    if ((addr->family != TG_ADDR_V4 && addr->family != TG_ADDR_V6)
        || addr->family != cidr->addr.family)
    {
        return false;
    }

    n = cidr->prefix / 8;
    bits = cidr->prefix % 8;

    if (memcmp(cidr->addr.bytes, addr->bytes, n) != 0) {
        return false;
    }

    if (bits == 0) {
        return true;
    }

    mask = 0xffu << (8 - bits) & 0xffu;

    return (cidr->addr.bytes[n] & mask) == (addr->bytes[n] & mask);
}
