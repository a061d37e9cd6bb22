
/*
 * Copyright (C) The Tailgate authors
 *
 * Borrowed strings and UTF-8.
 */

#include "core/base/base.h"

#include <string.h>


void *
tgi_alloc(const tg_alloc_t *alloc, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size) {
        return NULL;
    }

    return alloc->alloc(alloc->ctx, n * size);
}


int
tgi_str_copy(tg_str_t *copy, const char *data, size_t len,
    const tg_alloc_t *alloc)
{
    char  *p;

    *copy = (tg_str_t) TG_NULL_STR;

    if (len == 0) {
        return TG_OK;
    }

    p = tgi_alloc(alloc, len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(p, data, len);

    copy->data = p;
    copy->len = len;

    return TG_OK;
}


char
tgi_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char) (c | 0x20) : c;
}


bool
tgi_str_equal(tg_str_t a, tg_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


bool
tgi_str_equal_nocase(tg_str_t a, tg_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return false;
    }

    /* mostly it is one spelling, or another text from its first byte on */

    if (a.len == 0 || memcmp(a.data, b.data, a.len) == 0) {
        return true;
    }

    for (i = 0; i < a.len; i++) {
        if (tgi_lower(a.data[i]) != tgi_lower(b.data[i])) {
            return false;
        }
    }

    return true;
}


size_t
tgi_utf8_char(const char *data, size_t len, uint32_t *c)
{
    size_t          i, n;
    uint32_t        code, least;
    unsigned char   byte;

    byte = (unsigned char) data[0];

    if (byte < 0x80) {
        *c = byte;
        return 1;
    }

    if (byte >= 0xf0) {
        n = 4;
        code = byte & 0x07u;
        least = 0x10000;

    } else if (byte >= 0xe0) {
        n = 3;
        code = byte & 0x0fu;
        least = 0x800;

    } else {
        n = 2;
        code = byte & 0x1fu;
        least = 0x80;
    }

    if (byte < 0xc2 || byte > 0xf4 || n > len) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        byte = (unsigned char) data[i];

        if ((byte & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (byte & 0x3fu);
    }

    /* an overlong form, a surrogate, or past the last code point */

    if (code < least || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
        return 0;
    }

    *c = code;

    return n;
}


bool
tgi_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}


int
tgi_text_check(const char *data, size_t len)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < len; i += n) {

        /* nearly all of it, in the flat record of every request */

        if (data[i] >= ' ' && data[i] <= '~') {
            n = 1;
            continue;
        }

        n = tgi_utf8_char(data + i, len - i, &c);

        if (n == 0) {
            return TG_ERR_SYNTAX;
        }

        if (tgi_is_control(c)) {
            return TG_ERR_REFUSED;
        }
    }

    return TG_OK;
}
