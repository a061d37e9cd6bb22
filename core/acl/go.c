
/*
 * Copyright (C) The Tailgate authors
 *
 * White space, keys without case, and quoted text in messages, as Go has them.
 */

#include "core/acl/go.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


#define ESCAPE_MAX  16


/* Unicode's White_Space. */

static bool
is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0x85 || c == 0xa0
           || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
           || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}


tg_str_t
tgi_go_trim(tg_str_t text)
{
    size_t    n, start;
    uint32_t  c;

    while (text.len > 0) {
        n = tgi_utf8_char(text.data, text.len, &c);

        if (n == 0 || !is_space(c)) {
            break;
        }

        text.data += n;
        text.len -= n;
    }

    while (text.len > 0) {
        start = text.len - 1;

        while (start > 0 && ((unsigned char) text.data[start] & 0xc0) == 0x80) {
            start--;
        }

        n = tgi_utf8_char(text.data + start, text.len - start, &c);

        if (n == 0 || !is_space(c)) {
            break;
        }

        text.len = start;
    }

    return text;
}


/*
 * Names are ASCII; two characters of more bytes fold to ASCII letters: the
 * long s (U+017F) and the sign for kelvin (U+212A).
 */

bool
tgi_go_key(tg_str_t key, const char *name)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < key.len; i += n, name++) {
        n = tgi_utf8_char(key.data + i, key.len - i, &c);

        if (n == 0) {
            return false;
        }

        if (c == 0x17f) {
            c = 's';

        } else if (c == 0x212a) {
            c = 'k';
        }

        if (c >= 0x80 || *name == '\0'
            || tgi_lower((char) c) != tgi_lower(*name))
        {
            return false;
        }
    }

    return *name == '\0';
}


/*
 * strconv.IsPrint, but for characters that no version of Unicode has assigned:
 * those are printed.
 */

static bool
is_print(uint32_t c)
{
    static const struct {
        uint32_t  first;
        uint32_t  last;
    } hidden[] = {
        { 0x00, 0x1f }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 },
        { 0x61c, 0x61c }, { 0x6dd, 0x6dd }, { 0x70f, 0x70f },
        { 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },
        { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x3000, 0x3000 },
        { 0xd800, 0xf8ff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb },
        { 0xfffe, 0xffff }, { 0xe0000, 0xe00ff }, { 0xf0000, 0x10ffff }
    };

    size_t  i;

    for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last) {
            return false;
        }
    }

    return true;
}


/* One character as strconv.Quote writes it; n bytes at data. */

static size_t
escape(const char *data, size_t n, uint32_t c, char buf[ESCAPE_MAX])
{
    int          len;
    const char  *found;

    static const char  controls[] = "\a\b\f\n\r\t\v\"\\";
    static const char  names[] = "abfnrtv\"\\";

    found = c < 0x80 && c != 0 ? strchr(controls, (char) c) : NULL;

    if (found != NULL) {
        buf[0] = '\\';
        buf[1] = names[found - controls];
        return 2;
    }

    if (is_print(c)) {
        memcpy(buf, data, n);
        return n;
    }

    if (c < 0x80) {
        len = snprintf(buf, ESCAPE_MAX, "\\x%02x", (unsigned) c);

    } else if (c < 0x10000) {
        len = snprintf(buf, ESCAPE_MAX, "\\u%04x", (unsigned) c);

    } else {
        len = snprintf(buf, ESCAPE_MAX, "\\U%08x", (unsigned) c);
    }

    return len < 0 ? 0 : (size_t) len;
}


/* Package time quotes with its own function: every byte that is not ASCII. */

static size_t
escape_time(const char *data, size_t n, uint32_t c, char buf[ESCAPE_MAX])
{
    size_t  i;

    static const char  hex[] = "0123456789abcdef";

    if (c >= 0x80 || c < ' ') {
        for (i = 0; i < n; i++) {
            buf[i * 4] = '\\';
            buf[i * 4 + 1] = 'x';
            buf[i * 4 + 2] = hex[(unsigned char) data[i] >> 4];
            buf[i * 4 + 3] = hex[(unsigned char) data[i] & 0x0f];
        }

        return n * 4;
    }

    i = 0;

    if (c == '"' || c == '\\') {
        buf[i++] = '\\';
    }

    buf[i++] = (char) c;

    return i;
}


/* Counts while p is NULL. */

static size_t
put_quoted(char *p, tg_str_t text, bool time)
{
    char      buf[ESCAPE_MAX];
    size_t    i, n, len, total;
    uint32_t  c;

    total = 0;

    if (p != NULL) {
        p[total] = '"';
    }

    total++;

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (n == 0) {
            n = 1;
            c = 0xfffd;
        }

        len = time ? escape_time(text.data + i, n, c, buf)
                   : escape(text.data + i, n, c, buf);

        if (p != NULL) {
            memcpy(p + total, buf, len);
        }

        total += len;
    }

    if (p != NULL) {
        p[total] = '"';
    }

    return total + 1;
}


static size_t
put_message(char *p, const char *format, va_list args)
{
    size_t       total;
    tg_str_t     text;
    const char  *string;

    for (total = 0; *format != '\0'; format++) {

        if (*format != '%') {
            if (p != NULL) {
                p[total] = *format;
            }

            total++;
            continue;
        }

        format++;

        if (*format == 's') {
            string = va_arg(args, const char *);
            text.data = string;
            text.len = strlen(string);

        } else {
            text = *va_arg(args, const tg_str_t *);
        }

        if (*format == 'q' || *format == 't') {
            total += put_quoted(p == NULL ? NULL : p + total, text,
                                *format == 't');
            continue;
        }

        if (p != NULL && text.len > 0) {
            memcpy(p + total, text.data, text.len);
        }

        total += text.len;
    }

    return total;
}


int
tgi_go_message(tg_str_t *message, const tg_alloc_t *alloc, const char *format,
    va_list args)
{
    char     *p;
    size_t    len;
    va_list   again;

    va_copy(again, args);
    len = put_message(NULL, format, again);
    va_end(again);

    p = tgi_alloc(alloc, len + 1, 1);
    if (p == NULL) {
        message->data = "out of memory";
        message->len = strlen(message->data);
        return TG_ERR_NOMEM;
    }

    (void) put_message(p, format, args);
    p[len] = '\0';

    message->data = p;
    message->len = len;

    return TG_OK;
}
