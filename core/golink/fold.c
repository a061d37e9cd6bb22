
/*
 * Copyright (C) The Tailgate authors
 *
 * Text whose case does not count.
 */

#include "core/base/base.h"
#include "core/golink/golink.h"


/* Bytes that are no UTF-8 are no characters either. */

#define NO_CHAR  0x110000


static size_t fold_char(tg_str_t text, size_t at, uint32_t *c);


size_t
tg_link_fold(tg_str_t text, uint32_t *chars)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < text.len; i += fold_char(text, i, &chars[n++])) {
        /* void */
    }

    return n;
}


bool
tg_link_holds(tg_str_t text, const uint32_t *chars, size_t n)
{
    size_t    i;
    uint32_t  c;

    if (n == 0) {
        return true;
    }

    for (i = 0; i < text.len; i += fold_char(text, i, &c)) {
        if (tg_link_begins((tg_str_t) { text.data + i, text.len - i }, chars,
                           n))
        {
            return true;
        }
    }

    return false;
}


bool
tg_link_begins(tg_str_t text, const uint32_t *chars, size_t n)
{
    size_t    i, k;
    uint32_t  c;

    for (i = 0, k = 0; k < n; k++) {

        if (i == text.len) {
            return false;
        }

        i += fold_char(text, i, &c);

        if (c != chars[k]) {
            return false;
        }
    }

    return true;
}


/* The character that begins at a place; how many bytes it is. */

static size_t
fold_char(tg_str_t text, size_t at, uint32_t *c)
{
    size_t         n;
    unsigned char  first;

    first = (unsigned char) text.data[at];

    if (first < 0x80) {
        *c = (uint32_t) (unsigned char) tgi_lower(text.data[at]);
        return 1;
    }

    n = tgi_utf8_char(text.data + at, text.len - at, c);

    if (n == 0) {
        *c = NO_CHAR + first;
        return 1;
    }

    *c = tgi_link_lower(tgi_link_upper(*c));

    return n;
}
