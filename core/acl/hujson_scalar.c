
/*
 * Copyright (C) The Tailgate authors
 *
 * HuJSON: strings, numbers and words, and what is said of anything else.
 */

#include "core/acl/hujson.h"

#include "core/base/base.h"

#include <string.h>


static int read_escaped(tgi_hujson_reader_t *reader, size_t start,
    tg_str_t *string);
static int read_escape(tgi_hujson_reader_t *reader, char *p, size_t *n);
static int read_hex(tgi_hujson_reader_t *reader, uint32_t *c);


int
tgi_hujson_string(tgi_hujson_reader_t *reader, tg_str_t *string)
{
    size_t    n, start;
    uint32_t  c;

    start = ++reader->pos;

    while (reader->pos < reader->len) {

        switch (reader->text[reader->pos]) {

        case '"':
            string->data = reader->text + start;
            string->len = reader->pos++ - start;
            return TG_OK;

        case '\\':
            return read_escaped(reader, start, string);

        default:
            n = tgi_utf8_char(reader->text + reader->pos,
                              reader->len - reader->pos, &c);
            if (n == 0 || c < 0x20) {
                return tgi_hujson_expected(reader, "a character of a string");
            }

            reader->pos += n;
        }
    }

    return tgi_hujson_expected(reader, "\"\"\" at the end of the string");
}


/* A string with escapes is never longer decoded than written. */

static int
read_escaped(tgi_hujson_reader_t *reader, size_t start, tg_str_t *string)
{
    int        rc;
    char      *data;
    size_t     n, end, len;
    uint32_t   c;

    for (end = reader->pos; end < reader->len; end++) {
        if (reader->text[end] == '"') {
            break;
        }

        if (reader->text[end] == '\\') {
            end++;
        }
    }

    if (end >= reader->len) {
        reader->pos = reader->len;
        return tgi_hujson_expected(reader, "\"\"\" at the end of the string");
    }

    data = tgi_alloc(reader->alloc, end - start, 1);
    if (data == NULL) {
        return tgi_hujson_fail(reader, start, TG_ERR_NOMEM, "out of memory");
    }

    n = 0;
    len = reader->pos - start;
    memcpy(data, reader->text + start, len);

    while (reader->pos < end) {
        if (reader->text[reader->pos] == '\\') {
            rc = read_escape(reader, data + len, &n);
            if (rc != TG_OK) {
                return rc;
            }

            len += n;
            continue;
        }

        n = tgi_utf8_char(reader->text + reader->pos,
                          reader->len - reader->pos, &c);
        if (n == 0 || c < 0x20) {
            return tgi_hujson_expected(reader, "a character of a string");
        }

        memcpy(data + len, reader->text + reader->pos, n);
        reader->pos += n;
        len += n;
    }

    reader->pos++;
    string->data = data;
    string->len = len;

    return TG_OK;
}


static size_t
encode(uint32_t c, char *p)
{
    if (c < 0x80) {
        p[0] = (char) c;
        return 1;
    }

    if (c < 0x800) {
        p[0] = (char) (0xc0 | (c >> 6));
        p[1] = (char) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        p[0] = (char) (0xe0 | (c >> 12));
        p[1] = (char) (0x80 | ((c >> 6) & 0x3f));
        p[2] = (char) (0x80 | (c & 0x3f));
        return 3;
    }

    p[0] = (char) (0xf0 | (c >> 18));
    p[1] = (char) (0x80 | ((c >> 12) & 0x3f));
    p[2] = (char) (0x80 | ((c >> 6) & 0x3f));
    p[3] = (char) (0x80 | (c & 0x3f));

    return 4;
}


static int
read_escape(tgi_hujson_reader_t *reader, char *p, size_t *n)
{
    int          rc;
    size_t       start;
    uint32_t     c, low;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  meant[] = "\"\\/\b\f\n\r\t";

    start = reader->pos++;
    found = memchr(names, reader->text[reader->pos], sizeof(names) - 1);

    if (found != NULL) {
        *p = meant[found - names];
        *n = 1;
        reader->pos++;
        return TG_OK;
    }

    if (reader->text[reader->pos] != 'u') {
        return tgi_hujson_expected(reader, "one of \"\\/bfnrtu after \"\\\"");
    }

    rc = read_hex(reader, &c);
    if (rc != TG_OK) {
        return rc;
    }

    if (c >= 0xd800 && c < 0xe000) {

        if (c >= 0xdc00 || reader->len - reader->pos < 6
            || reader->text[reader->pos] != '\\'
            || reader->text[reader->pos + 1] != 'u')
        {
            return tgi_hujson_fail(reader, start, TG_ERR_SYNTAX,
                           "half of a surrogate pair");
        }

        reader->pos++;
        rc = read_hex(reader, &low);
        if (rc != TG_OK) {
            return rc;
        }

        if (low < 0xdc00 || low >= 0xe000) {
            return tgi_hujson_fail(reader, start, TG_ERR_SYNTAX,
                           "half of a surrogate pair");
        }

        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }

    *n = encode(c, p);

    return TG_OK;
}


/* "uXXXX"; pos is at the "u". */

static int
read_hex(tgi_hujson_reader_t *reader, uint32_t *c)
{
    char      digit;
    unsigned  i;

    reader->pos++;
    *c = 0;

    for (i = 0; i < 4; i++, reader->pos++) {
        digit = reader->pos < reader->len
                ? tgi_lower(reader->text[reader->pos]) : '\0';

        if (digit >= '0' && digit <= '9') {
            *c = (*c << 4) | (uint32_t) (digit - '0');

        } else if (digit >= 'a' && digit <= 'f') {
            *c = (*c << 4) | (uint32_t) (digit - 'a' + 10);

        } else {
            return tgi_hujson_expected(reader, "four hexadecimal digits after "
                                       "\"\\u\"");
        }
    }

    return TG_OK;
}


static bool
digits(tgi_hujson_reader_t *reader)
{
    size_t  start;

    start = reader->pos;

    while (reader->pos < reader->len && reader->text[reader->pos] >= '0'
           && reader->text[reader->pos] <= '9')
    {
        reader->pos++;
    }

    return reader->pos != start;
}


char
tgi_hujson_peek(const tgi_hujson_reader_t *reader)
{
    return reader->pos < reader->len ? reader->text[reader->pos] : '\0';
}


int
tgi_hujson_number(tgi_hujson_reader_t *reader, tg_hujson_t *value)
{
    size_t  start;

    start = reader->pos;

    if (tgi_hujson_peek(reader) == '-') {
        reader->pos++;
    }

    if (tgi_hujson_peek(reader) == '0') {
        reader->pos++;

    } else if (!digits(reader)) {
        return tgi_hujson_expected(reader, "a digit");
    }

    if (tgi_hujson_peek(reader) == '.') {
        reader->pos++;

        if (!digits(reader)) {
            return tgi_hujson_expected(reader, "a digit after \".\"");
        }
    }

    if (tgi_lower(tgi_hujson_peek(reader)) == 'e') {
        reader->pos++;

        if (tgi_hujson_peek(reader) == '+' || tgi_hujson_peek(reader) == '-') {
            reader->pos++;
        }

        if (!digits(reader)) {
            return tgi_hujson_expected(reader, "a digit of the exponent");
        }
    }

    value->type = TG_HUJSON_NUMBER;
    value->text.data = reader->text + start;
    value->text.len = reader->pos - start;

    return TG_OK;
}


int
tgi_hujson_word(tgi_hujson_reader_t *reader, tg_hujson_t *value)
{
    size_t  i, n;

    static const struct {
        const char        *word;
        tg_hujson_type_t   type;
    } words[] = {
        { "null", TG_HUJSON_NULL },
        { "false", TG_HUJSON_FALSE },
        { "true", TG_HUJSON_TRUE }
    };

    for (i = 0; i < 3; i++) {
        n = strlen(words[i].word);

        if (reader->len - reader->pos >= n
            && memcmp(reader->text + reader->pos, words[i].word, n) == 0)
        {
            value->type = (uint8_t) words[i].type;
            reader->pos += n;
            return TG_OK;
        }
    }

    return tgi_hujson_expected(reader, "a value");
}


/* What stands at pos, in words, and what should. */

int
tgi_hujson_expected(tgi_hujson_reader_t *reader, const char *what)
{
    size_t       n, len;
    uint32_t     c;
    const char  *found;

    found = reader->text + reader->pos;
    len = reader->len - reader->pos;

    if (len == 0) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the end of the text, expected %s", what);

    } else if ((n = tgi_utf8_char(found, len, &c)) == 0) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the byte 0x%02x is not UTF-8, expected %s",
                         (unsigned) (unsigned char) *found, what);

    } else if (tgi_is_control(c)) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the control character U+%04X, expected %s",
                         (unsigned) c, what);

    } else {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "\"%.*s\", expected %s", (int) n, found, what);
    }

    if (reader->error != NULL) {
        tg_hujson_position(reader->text, reader->len, reader->pos,
                           &reader->error->line, &reader->error->column);
    }

    return TG_ERR_SYNTAX;
}


int
tgi_hujson_fail(tgi_hujson_reader_t *reader, size_t offset, int code,
    const char *message)
{
    (void) tgi_error(reader->error, code, "%s", message);

    if (reader->error != NULL) {
        tg_hujson_position(reader->text, reader->len, offset,
                           &reader->error->line, &reader->error->column);
    }

    return code;
}
