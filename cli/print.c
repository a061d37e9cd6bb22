
/*
 * Copyright (C) The Tailgate authors
 *
 * Text of others on a terminal.
 */

#include <cli/print.h>

#include "core/base/base.h"


/* Marks, embeddings, overrides and isolates, and what ends a line. */

static bool
is_hidden(uint32_t c)
{
    return tgi_is_control(c)
           || c == 0x061c
           || (c >= 0x200b && c <= 0x200f)
           || (c >= 0x2028 && c <= 0x202e)
           || (c >= 0x2066 && c <= 0x2069)
           || c == 0xfeff;
}


void
cli_print(FILE *out, tg_str_t text)
{
    size_t    i, len;
    uint32_t  c;

    for (i = 0; i < text.len; i += len) {
        len = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (len == 0) {
            len = 1;
            c = 0;
        }

        if (is_hidden(c)) {
            (void) fputc('?', out);

        } else {
            (void) fwrite(text.data + i, 1, len, out);
        }
    }
}


size_t
cli_print_width(tg_str_t text)
{
    size_t    i, len, width;
    uint32_t  c;

    width = 0;

    for (i = 0; i < text.len; i += len) {
        len = tgi_utf8_char(text.data + i, text.len - i, &c);
        len += len == 0;
        width++;
    }

    return width;
}


void
cli_print_padded(FILE *out, tg_str_t text, size_t width)
{
    size_t  n;

    cli_print(out, text);

    for (n = cli_print_width(text); n < width; n++) {
        (void) fputc(' ', out);
    }
}
