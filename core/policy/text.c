
/*
 * Copyright (C) The Tailgate authors
 *
 * Bounded text for people.
 */

#include "core/policy/describe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define MORE  "..."


void
tgi_text_str(tgi_text_t *text, tg_str_t str)
{
    size_t  left;

    left = TGI_TEXT_MAX - (sizeof(MORE) - 1) - text->len;

    if (text->full || str.len == 0) {
        return;
    }

    if (str.len > left) {
        text->full = true;
        str.len = left;
    }

    memcpy(text->buf + text->len, str.data, str.len);
    text->len += str.len;
}


void
tgi_text_add(tgi_text_t *text, const char *format, ...)
{
    int      n;
    char     buf[TGI_TEXT_MAX];
    va_list  args;

    va_start(args, format);
    n = vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);

    if (n > 0) {
        tgi_text_str(text, (tg_str_t) { buf, (size_t) n < sizeof(buf)
                                             ? (size_t) n
                                             : sizeof(buf) - 1 });
    }
}


int
tgi_text_copy(tgi_text_t *text, const tg_alloc_t *alloc, tg_str_t *copy)
{
    char      *p;
    size_t     i, n, len;
    uint32_t   c;

    if (text->full) {
        memcpy(text->buf + text->len, MORE, sizeof(MORE) - 1);
        text->len += sizeof(MORE) - 1;
        text->full = false;
    }

    p = tgi_alloc(alloc, text->len + 1, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    len = 0;

    for (i = 0; i < text->len; i += n) {
        n = tgi_utf8_char(text->buf + i, text->len - i, &c);

        if (n == 0 || tgi_is_control(c)) {
            p[len++] = '?';
            n = (n == 0) ? 1 : n;
            continue;
        }

        memcpy(p + len, text->buf + i, n);
        len += n;
    }

    copy->data = p;
    copy->len = len;

    return TG_OK;
}
