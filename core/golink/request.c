
/*
 * Copyright (C) The Tailgate authors
 *
 * What a visitor sent, decoded and marked.
 */

#include "core/golink/golink.h"

#include "core/base/base.h"

#include <string.h>


static int
check_bytes(const tgi_link_text_t *text, const char *what, tg_error_t *error)
{
    if (tgi_text_check(text->data, text->len) != TG_OK) {
        return tgi_error(error, TG_LINK_BYTES,
                         "the %s has a control character, or is not UTF-8",
                         what);
    }

    return TG_OK;
}


int
tgi_link_decode(tg_str_t rest, const tg_alloc_t *alloc, tgi_link_text_t *text,
    tg_error_t *error)
{
    int       c;
    char     *data;
    size_t    i, n;
    uint8_t  *marks;

    memset(text, 0, sizeof(tgi_link_text_t));

    text->data = rest.data;
    text->len = rest.len;
    text->mark = LINK_SENT;

    if (rest.len == 0 || memchr(rest.data, '%', rest.len) == NULL) {
        return check_bytes(text, "path", error);
    }

    data = tgi_alloc(alloc, rest.len, 2);
    if (data == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "%s", tg_strerror(TG_ERR_NOMEM));
    }

    marks = (uint8_t *) data + rest.len;
    n = 0;

    for (i = 0; i < rest.len; i++) {
        data[n] = rest.data[i];
        marks[n] = LINK_SENT;

        if (rest.data[i] == '%') {
            c = tgi_link_escape(rest, i);

            if (c < 0) {
                return tgi_error(error, TG_LINK_BYTES,
                                 "the path has a \"%%\" that is no escape");
            }

            data[n] = (char) c;
            marks[n] = LINK_CODED;
            i += 2;
        }

        n++;
    }

    text->data = data;
    text->marks = marks;
    text->len = n;

    return check_bytes(text, "path", error);
}


/* A byte of a query, with "+" for a space; *i is moved to its last one. */

static char
query_byte(tg_str_t text, size_t *i)
{
    int   c;
    char  byte;

    byte = text.data[*i];

    if (byte == '+') {
        return ' ';
    }

    if (byte == '%') {
        c = tgi_link_escape(text, *i);

        if (c >= 0) {
            *i += 2;
            return (char) c;
        }
    }

    return byte;
}


bool
tgi_link_query_is(tg_str_t pair, tg_str_t name)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < pair.len && pair.data[i] != '='; i++) {
        if (n == name.len || query_byte(pair, &i) != name.data[n]) {
            return false;
        }

        n++;
    }

    return n == name.len;
}


int
tgi_link_query_get(tg_str_t query, tg_str_t name, const tg_alloc_t *alloc,
    tgi_link_text_t *text, tg_error_t *error)
{
    char        *data;
    size_t       i, n;
    tg_str_t     pair;
    const char  *p;

    memset(text, 0, sizeof(tgi_link_text_t));
    text->mark = LINK_CODED;

    for ( /* void */ ; query.len > 0; query.data += n, query.len -= n) {
        p = memchr(query.data, '&', query.len);

        pair.data = query.data;
        pair.len = p != NULL ? (size_t) (p - query.data) : query.len;
        n = pair.len + (p != NULL ? 1 : 0);

        if (tgi_link_query_is(pair, name)) {
            break;
        }
    }

    p = query.len > 0 ? memchr(pair.data, '=', pair.len) : NULL;
    if (p == NULL) {
        return TG_OK;
    }

    pair.len -= (size_t) (p + 1 - pair.data);
    pair.data = p + 1;

    data = tgi_alloc(alloc, pair.len + 1, 1);
    if (data == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "%s", tg_strerror(TG_ERR_NOMEM));
    }

    for (i = 0, n = 0; i < pair.len; i++) {
        data[n++] = query_byte(pair, &i);
    }

    text->data = data;
    text->len = n;

    return check_bytes(text, "query", error);
}
