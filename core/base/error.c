
/*
 * Copyright (C) The Tailgate authors
 *
 * Errors: a word for each code, and texts that are safe to log.
 */

#include "core/base/base.h"
#include "tailgate_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


const char *
tg_strerror(int err)
{
    switch (err) {

    case TG_OK:
        return "success";

    case TG_ERR_NOMEM:
        return "out of memory";

    case TG_ERR_LIMIT:
        return "limit exceeded";

    case TG_ERR_SYNTAX:
        return "not well-formed";

    case TG_ERR_TYPE:
        return "wrong type";

    case TG_ERR_MISSING:
        return "required field missing";

    case TG_ERR_RANGE:
        return "value out of range";

    case TG_ERR_ABSENT:
        return "nothing there";

    case TG_ERR_REFUSED:
        return "refused";

    case TG_ERR_CRYPTO:
        return "cryptographic library failed";
    }

    return "unknown error";
}


/* Makes the text printable in place; it never grows. */

static void
clean_text(char *text, size_t len)
{
    size_t    i, n, out;
    uint32_t  c;

    for (i = 0, out = 0; i < len; i += n) {
        n = tgi_utf8_char(text + i, len - i, &c);

        if (n == 0 || tgi_is_control(c)) {
            text[out++] = '?';
            n = n ? n : 1;
            continue;
        }

        memmove(text + out, text + i, n);
        out += n;
    }

    text[out] = '\0';
}


/*
 * The length of text without a character that its end has cut: what is left
 * of one begins at most three bytes before the end.
 */

static size_t
whole_characters(const char *text, size_t len)
{
    size_t         i;
    unsigned char  c;

    for (i = 1; i <= 3 && i <= len; i++) {
        c = (unsigned char) text[len - i];

        if (c < 0x80) {
            return len;
        }

        if (c >= 0xc0) {
            if ((c >= 0xf0 && i < 4) || (c >= 0xe0 && i < 3) || i < 2) {
                return len - i;
            }

            return len;
        }
    }

    return len;
}


int
tgi_error(tg_error_t *error, int code, const char *format, ...)
{
    int      n;
    size_t   len;
    va_list  args;

    if (error == NULL) {
        return code;
    }

    error->code = code;
    error->line = 0;
    error->column = 0;

    va_start(args, format);
    n = vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);

    if (n < 0) {
        error->text[0] = '\0';
        return code;
    }

    len = (size_t) n;

    if (len >= sizeof(error->text)) {
        len = whole_characters(error->text, sizeof(error->text) - 1);
    }

    clean_text(error->text, len);

    return code;
}


const char *
tg_version(void)
{
    return TAILGATE_VERSION;
}
