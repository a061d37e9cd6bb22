
/*
 * Copyright (C) The Tailgate authors
 *
 * Hosts of requests and patterns for them.
 */

#include "core/policy/policy.h"

#include <string.h>


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
is_name_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'
           || c == '.';
}


static bool
is_literal_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}


/* What stands behind the host: nothing, or a port. */

static bool
is_port(tg_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (i == 0 ? text.data[i] != ':' : !is_digit(text.data[i])) {
            return false;
        }
    }

    return true;
}


/* "[fd7a::1]" keeps its brackets: so it stands in a URL, and is no name. */

static size_t
copy_literal(tg_str_t host, char *buf)
{
    char    c;
    size_t  i;

    for (i = 0; i < host.len && i < TG_HOST_MAX; i++) {
        c = tgi_lower(host.data[i]);
        buf[i] = c;

        if (c == ']') {
            return i > 1 ? i + 1 : 0;
        }

        if (i > 0 && !is_literal_char(c)) {
            break;
        }
    }

    return 0;
}


/* A name up to its port; no label of it is empty. */

static size_t
copy_name(tg_str_t host, char *buf)
{
    char    c, last;
    size_t  i;

    last = '.';

    for (i = 0; i < host.len; i++) {
        c = tgi_lower(host.data[i]);

        if (c == ':') {
            break;
        }

        if (i == TG_HOST_MAX || !is_name_char(c) || (c == '.' && last == '.')) {
            return 0;
        }

        buf[i] = c;
        last = c;
    }

    return i;
}


bool
tgi_host_canonical(tg_str_t host, char buf[TG_HOST_MAX], tg_str_t *canonical)
{
    size_t    len;
    tg_str_t  rest;

    *canonical = (tg_str_t) TG_NULL_STR;

    if (host.len == 0) {
        return false;
    }

    len = (host.data[0] == '[') ? copy_literal(host, buf)
                                : copy_name(host, buf);
    if (len == 0) {
        return false;
    }

    rest.data = host.data + len;
    rest.len = host.len - len;

    if (!is_port(rest)) {
        return false;
    }

    if (buf[len - 1] == '.') {
        len--;
    }

    canonical->data = buf;
    canonical->len = len;

    return len > 0;
}


bool
tgi_host_match(const tgi_host_t *pattern, tg_str_t canonical)
{
    tg_str_t  tail;

    switch (pattern->kind) {

    case TGI_HOST_ANY:
        return true;

    case TGI_HOST_EXACT:
        return tgi_str_equal(pattern->text, canonical);

    case TGI_HOST_WILDCARD:
        if (canonical.len <= pattern->text.len) {
            return false;
        }

        tail.data = canonical.data + canonical.len - pattern->text.len;
        tail.len = pattern->text.len;

        return tgi_str_equal(pattern->text, tail);
    }

    return false;
}


bool
tgi_host_parse(tg_str_t text, char buf[TG_HOST_MAX], tgi_host_t *host)
{
    char      lower[TG_HOST_MAX];
    tg_str_t  name;

    host->kind = TGI_HOST_EXACT;

    /* neither a port nor a dot at the end, which the name has lost */

    if (text.len < 2 || text.data[0] != '*') {
        return tgi_host_canonical(text, buf, &host->text)
               && host->text.len == text.len;
    }

    host->kind = TGI_HOST_WILDCARD;

    name.data = text.data + 2;
    name.len = text.len - 2;

    if (text.data[1] != '.' || name.len >= TG_HOST_MAX || name.len == 0
        || name.data[0] == '['
        || !tgi_host_canonical(name, lower, &host->text)
        || host->text.len != name.len)
    {
        return false;
    }

    buf[0] = '.';
    memcpy(buf + 1, lower, name.len);
    host->text.data = buf;
    host->text.len = name.len + 1;

    return true;
}
