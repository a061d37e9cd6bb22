
/*
 * Copyright (C) The Tailgate authors
 *
 * Names of links, and the path that a name is asked for by.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"

#include <string.h>


static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_';
}


int
tg_link_name_check(tg_str_t name, tg_error_t *error)
{
    size_t  i;

    if (name.len == 0) {
        return tgi_error(error, TG_ERR_MISSING, "a link needs a name");
    }

    if (name.len > TG_LINK_NAME_MAX) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "a name may have %d bytes, this one has %zu",
                         TG_LINK_NAME_MAX, name.len);
    }

    if (!is_word(name.data[0])) {
        return tgi_error(error, TG_ERR_SYNTAX,
                         "a name begins with a letter from a to z, a digit"
                         " or \"_\"");
    }

    for (i = 1; i < name.len; i++) {
        if (!is_word(name.data[i]) && name.data[i] != '-'
            && name.data[i] != '.')
        {
            return tgi_error(error, TG_ERR_SYNTAX,
                             "a name has only letters from a to z, digits,"
                             " \"-\", \".\" and \"_\"");
        }
    }

    return TG_OK;
}


size_t
tg_link_id(tg_str_t name, char id[TG_LINK_NAME_MAX])
{
    char    c;
    size_t  i, len;

    if (name.len > TG_LINK_NAME_MAX) {
        return 0;
    }

    len = 0;

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (c == '-') {
            continue;
        }

        if (!is_word(c) && c != '.') {
            return 0;
        }

        id[len++] = tgi_lower(c);
    }

    return len;
}


int
tgi_link_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = tgi_lower(c);

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/* The byte that "%" and two digits at i stand for, or -1. */

int
tgi_link_escape(tg_str_t text, size_t i)
{
    int  high, low;

    if (text.len - i < 3) {
        return -1;
    }

    high = tgi_link_hex(text.data[i + 1]);
    low = tgi_link_hex(text.data[i + 2]);

    return (high < 0 || low < 0) ? -1 : high << 4 | low;
}


/* Whether each "%" has its two digits. */

static bool
is_escaped(tg_str_t text)
{
    size_t       i;
    const char  *p;

    for (i = 0; i < text.len; i += 3) {
        p = memchr(text.data + i, '%', text.len - i);
        if (p == NULL) {
            return true;
        }

        i = (size_t) (p - text.data);

        if (tgi_link_escape(text, i) < 0) {
            return false;
        }
    }

    return true;
}


/* The decoded first segment into buf; *end is where it ends in path. */

static int
first_segment(tg_str_t path, char *buf, size_t *len, size_t *end)
{
    int     c;
    size_t  i, n;

    n = 0;

    for (i = 1; i < path.len && path.data[i] != '/'; i++) {
        c = (unsigned char) path.data[i];

        if (c == '%') {
            c = tgi_link_escape(path, i);

            if (c == '/') {
                break;
            }

            i += 2;
        }

        if (n > TG_LINK_NAME_MAX) {
            return TG_ERR_LIMIT;
        }

        buf[n++] = (char) c;
    }

    *len = n;
    *end = i;

    return TG_OK;
}


int
tg_link_split(tg_str_t path, char buf[TG_LINK_NAME_MAX + 1],
    tg_link_path_t *parts)
{
    int     rc;
    size_t  end, len;

    memset(parts, 0, sizeof(tg_link_path_t));

    if (path.len == 0 || path.data[0] != '/' || !is_escaped(path)) {
        return TG_ERR_SYNTAX;
    }

    rc = first_segment(path, buf, &len, &end);
    if (rc != TG_OK) {
        return rc;
    }

    if (tgi_text_check(buf, len) != TG_OK) {
        return TG_LINK_BYTES;
    }

    if (end < path.len) {
        end += path.data[end] == '%' ? 3 : 1;
        parts->rest.data = path.data + end;
        parts->rest.len = path.len - end;
    }

    if (len > 0 && buf[len - 1] == '+') {
        parts->details = true;
        len--;
    }

    parts->name.data = buf;
    parts->name.len = len;

    while (len > 0 && memchr(".,()[]{}", buf[len - 1], 8) != NULL) {
        len--;
    }

    parts->trimmed.data = buf;
    parts->trimmed.len = len;

    return TG_OK;
}
