
/*
 * Copyright (C) The Tailgate authors
 *
 * Text from outside into a denial, so that none of it can be markup.
 */

#include "core/policy/denial.h"
#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


typedef void (*out_char_pt)(tgi_out_t *out, const char *data, size_t len);


static void out_text(tgi_out_t *out, tg_str_t text, out_char_pt put);
static void put_markup(tgi_out_t *out, const char *data, size_t len);
static void put_json(tgi_out_t *out, const char *data, size_t len);
static void put_percent(tgi_out_t *out, const char *data, size_t len);


void
tgi_out_add(tgi_out_t *out, const char *data, size_t len)
{
    if (out->data != NULL) {

        if (len > out->size - out->len) {
            return;
        }

        memcpy(out->data + out->len, data, len);
    }

    out->len += len;
}


void
tgi_out_str(tgi_out_t *out, const char *text)
{
    tgi_out_add(out, text, strlen(text));
}


void
tgi_out_markup(tgi_out_t *out, tg_str_t text)
{
    out_text(out, text, put_markup);
}


void
tgi_out_json(tgi_out_t *out, tg_str_t text)
{
    out_text(out, text, put_json);
}


void
tgi_out_line(tgi_out_t *out, tg_str_t text)
{
    out_text(out, text, tgi_out_add);
}


void
tgi_out_percent(tgi_out_t *out, tg_str_t text)
{
    out_text(out, text, put_percent);
}


/* By characters: put() gets one that text may hold in every form. */

static void
out_text(tgi_out_t *out, tg_str_t text, out_char_pt put)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (i + (n ? n : 1) > TGI_DENIAL_TEXT_MAX) {
            tgi_out_add(out, "...", 3);
            return;
        }

        /* XML has no U+FFFE and U+FFFF either */

        if (n == 0 || tgi_is_control(c) || (c & 0xfffe) == 0xfffe) {
            tgi_out_add(out, "?", 1);
            n = n ? n : 1;
            continue;
        }

        put(out, text.data + i, n);
    }
}


static void
put_markup(tgi_out_t *out, const char *data, size_t len)
{
    switch (data[0]) {

    case '&':
        tgi_out_str(out, "&amp;");
        break;

    case '<':
        tgi_out_str(out, "&lt;");
        break;

    case '>':
        tgi_out_str(out, "&gt;");
        break;

    case '"':
        tgi_out_str(out, "&quot;");
        break;

    case '\'':
        tgi_out_str(out, "&#39;");
        break;

    default:
        tgi_out_add(out, data, len);
    }
}


/* Nor is it markup to whoever takes JSON for a page. */

static void
put_json(tgi_out_t *out, const char *data, size_t len)
{
    char  escape[8];

    if (strchr("\"\\<>&'", data[0]) == NULL) {
        tgi_out_add(out, data, len);
        return;
    }

    (void) snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) data[0]);
    tgi_out_str(out, escape);
}


/* gRPC over HTTP/2: all but %x20-24 and %x26-7E is encoded. */

static void
put_percent(tgi_out_t *out, const char *data, size_t len)
{
    char    escape[4];
    size_t  i;

    for (i = 0; i < len; i++) {

        if (data[i] >= ' ' && data[i] <= '~' && data[i] != '%') {
            tgi_out_add(out, &data[i], 1);
            continue;
        }

        (void) snprintf(escape, sizeof(escape), "%%%02X",
                        (unsigned) (unsigned char) data[i]);
        tgi_out_str(out, escape);
    }
}
