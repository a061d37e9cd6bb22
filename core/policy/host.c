
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


/* What a byte is in a name: itself in lower case, '\0' if it cannot be. */

static const char  name_chars[256] = {
    ['-'] = '-', ['.'] = '.', ['_'] = '_',
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
    ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e',
    ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j',
    ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
    ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't',
    ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y',
    ['z'] = 'z',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e',
    ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
    ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o',
    ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r', ['S'] = 's', ['T'] = 't',
    ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y',
    ['Z'] = 'z'
};


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
    char    c;
    size_t  i, label;

    label = 0;

    for (i = 0; i < host.len && i < TG_HOST_MAX; i++) {
        c = name_chars[(unsigned char) host.data[i]];

        if (c == '\0') {
            break;
        }

        if (c == '.') {
            if (i == label) {
                return 0;
            }

            label = i + 1;
        }

        buf[i] = c;
    }

    return (i == host.len || host.data[i] == ':') ? i : 0;
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
