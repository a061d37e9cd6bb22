
/*
 * Copyright (C) The Tailgate authors
 *
 * Strings and numbers as Go's source has them.
 */

#include "core/golink/literal.h"

#include "core/base/base.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


#define NUMBER_MAX  64


size_t
tgi_link_put_utf8(char *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (char) c;
        return 1;
    }

    if (c < 0x800) {
        p[0] = (char) (0xc0 | c >> 6);
        p[1] = (char) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        p[0] = (char) (0xe0 | c >> 12);
        p[1] = (char) (0x80 | (c >> 6 & 0x3f));
        p[2] = (char) (0x80 | (c & 0x3f));
        return 3;
    }

    p[0] = (char) (0xf0 | c >> 18);
    p[1] = (char) (0x80 | (c >> 12 & 0x3f));
    p[2] = (char) (0x80 | (c >> 6 & 0x3f));
    p[3] = (char) (0x80 | (c & 0x3f));

    return 4;
}


/* n digits of base 8 or 16 at text; the value, or UINT32_MAX. */

static uint32_t
digits(tg_str_t text, size_t i, size_t n, int base)
{
    int       digit;
    size_t    end;
    uint32_t  value;

    if (text.len < i + n) {
        return UINT32_MAX;
    }

    value = 0;

    for (end = i + n; i < end; i++) {
        digit = tgi_link_hex(text.data[i]);

        if (digit < 0 || digit >= base) {
            return UINT32_MAX;
        }

        value = value * (uint32_t) base + (uint32_t) digit;
    }

    return value;
}


/*
 * The escape behind the backslash at i: its value and whether that is a byte
 * rather than a character; the bytes that it takes with the backslash, or 0.
 */

static size_t
unescape(tg_str_t text, size_t i, char quote, uint32_t *c, bool *byte)
{
    size_t       n, skip;
    const char  *p;

    static const char  letters[] = "abfnrtv\\";
    static const char  values[] = "\a\b\f\n\r\t\v\\";

    *byte = false;

    if (i + 1 >= text.len) {
        return 0;
    }

    if (text.data[i + 1] == quote) {
        *c = (unsigned char) quote;
        return 2;
    }

    p = memchr(letters, text.data[i + 1], sizeof(letters) - 1);
    if (p != NULL) {
        *c = (unsigned char) values[p - letters];
        return 2;
    }

    skip = 2;

    switch (text.data[i + 1]) {
    case 'x': n = 2; *byte = true; break;
    case 'u': n = 4; break;
    case 'U': n = 8; break;
    default:  n = 3; *byte = true; skip = 1; break;
    }

    *c = digits(text, i + skip, n, skip == 1 ? 8 : 16);

    if (*c > 0x10ffff || (*byte && *c > 0xff)
        || (!*byte && *c >= 0xd800 && *c <= 0xdfff))
    {
        return 0;
    }

    return skip + n;
}


static bool
is_utf8(const char *data, size_t len)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < len; i += n) {
        n = tgi_utf8_char(data + i, len - i, &c);

        if (n == 0) {
            return false;
        }
    }

    return true;
}


int
tgi_link_unquote(tg_str_t text, char *out, size_t *len)
{
    char      quote;
    bool      byte;
    size_t    i, n, used;
    uint32_t  c;

    n = 0;
    quote = text.data[0];
    text.len--;

    for (i = 1; i < text.len; i += used) {
        used = 1;

        if (quote == '`') {
            /* Go drops it, so that files with CR LF work */
            if (text.data[i] != '\r') {
                out[n++] = text.data[i];
            }

            continue;
        }

        if (text.data[i] != '\\') {
            out[n++] = text.data[i];
            continue;
        }

        used = unescape(text, i, quote, &c, &byte);
        if (used == 0) {
            return TG_ERR_SYNTAX;
        }

        if (byte) {
            out[n++] = (char) c;

        } else {
            n += tgi_link_put_utf8(out + n, c);
        }
    }

    *len = n;

    return is_utf8(out, n) ? TG_OK : TG_ERR_REFUSED;
}


int
tgi_link_unquote_char(tg_str_t text, uint32_t *c)
{
    bool    byte;
    size_t  n;

    if (text.len < 3) {
        return TG_ERR_SYNTAX;
    }

    text.len--;

    if (text.data[1] == '\\') {
        n = unescape(text, 1, '\'', c, &byte);

    } else {
        n = tgi_utf8_char(text.data + 1, text.len - 1, c);
    }

    return n == text.len - 1 ? TG_OK : TG_ERR_SYNTAX;
}


/* Go allows "_" between digits and behind a prefix. */

static int
integer(const char *text, bool negative, int64_t *value)
{
    int        base, digit;
    bool       gap;
    uint64_t   n, limit;

    base = 10;
    gap = true;

    if (text[0] == '0' && text[1] != '\0') {
        base = 8;
        gap = false;

        switch (tgi_lower(text[1])) {
        case 'x': base = 16; text += 2; break;
        case 'o': base = 8; text += 2; break;
        case 'b': base = 2; text += 2; break;
        default: text += 1;
        }
    }

    n = 0;
    limit = negative ? (uint64_t) INT64_MAX + 1 : INT64_MAX;

    if (*text == '\0') {
        return TG_ERR_SYNTAX;
    }

    for ( /* void */ ; *text != '\0'; text++) {
        if (*text == '_' && !gap && tgi_link_hex(text[1]) >= 0) {
            gap = true;
            continue;
        }

        gap = false;

        digit = tgi_link_hex(*text);

        if (digit < 0 || digit >= base) {
            return TG_ERR_SYNTAX;
        }

        if (n > (limit - (uint64_t) digit) / (uint64_t) base) {
            return TG_ERR_RANGE;
        }

        n = n * (uint64_t) base + (uint64_t) digit;
    }

    *value = negative ? (int64_t) (0 - n) : (int64_t) n;

    return TG_OK;
}


int
tgi_link_number(tg_str_t text, bool *is_real, int64_t *value, double *real)
{
    char   *end;
    bool    hex, negative;
    size_t  sign;
    char    buf[NUMBER_MAX];

    if (text.len == 0 || text.len >= NUMBER_MAX) {
        return TG_ERR_SYNTAX;
    }

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    sign = (buf[0] == '+' || buf[0] == '-') ? 1 : 0;
    negative = buf[0] == '-';
    hex = buf[sign] == '0' && tgi_lower(buf[sign + 1]) == 'x';

    *is_real = strpbrk(buf, hex ? ".pP" : ".eEpP") != NULL;

    if (!*is_real) {
        return integer(buf + sign, negative, value);
    }

    if (strspn(buf, hex ? "+-0123456789abcdefABCDEFxX.pP"
                        : "+-0123456789.eE")
        != text.len)
    {
        return TG_ERR_SYNTAX;
    }

    *real = strtod(buf, &end);

    return (*end == '\0' && isfinite(*real)) ? TG_OK : TG_ERR_SYNTAX;
}
