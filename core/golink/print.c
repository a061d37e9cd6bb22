
/*
 * Copyright (C) The Tailgate authors
 *
 * Values as text: fmt.Sprint and fmt.Sprintf, for what is accepted of them.
 */

#include "core/golink/value.h"

#include "core/base/base.h"
#include "core/golink/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


const char *
tgi_link_type(const link_value_t *value)
{
    switch (value->kind) {
    case VALUE_NIL: return "nil";
    case VALUE_BOOL: return "bool";
    case VALUE_INT: return "int";
    case VALUE_INT64: return "int64";
    case VALUE_BYTE: return "uint8";
    case VALUE_MONTH: return "time.Month";
    case VALUE_WEEKDAY: return "time.Weekday";
    case VALUE_FLOAT: return "float64";
    case VALUE_STRING: return "string";
    default: return "time.Time";
    }
}


/* The shortest digits that read back as the same number. */

static void
put_float(double real, char *out, size_t size)
{
    int   exponent, precision, n;
    char  digits[40], *e;

    for (precision = 0; precision < 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*e", precision, real);

        if (strtod(digits, NULL) <= real && strtod(digits, NULL) >= real) {
            break;
        }
    }

    e = strchr(digits, 'e');
    exponent = e != NULL ? (int) strtoimax(e + 1, NULL, 10) : 0;

    /* %v is %g, but that large numbers are written out up to 1e21 */

    if (exponent < -4 || exponent >= 21) {
        snprintf(out, size, "%s", digits);
        return;
    }

    n = precision - exponent;
    snprintf(out, size, "%.*f", n > 0 ? n : 0, real);
}


static int
put_time(link_run_t *run, tgi_link_buf_t *buf, link_time_t time)
{
    tgi_link_text_t  layout;

    static const char  text[] = "2006-01-02 15:04:05.999999999 -0700 MST";

    memset(&layout, 0, sizeof(tgi_link_text_t));
    layout.data = text;
    layout.len = sizeof(text) - 1;

    return tgi_link_format_time(run, buf, time, &layout);
}


int
tgi_link_print(link_run_t *run, tgi_link_buf_t *buf, const link_value_t *value)
{
    char  text[400];

    switch (value->kind) {

    case VALUE_STRING:
        return tgi_link_add(run, buf, &value->u.text);

    case VALUE_TIME:
        return put_time(run, buf, value->u.time);

    case VALUE_NIL:
        snprintf(text, sizeof(text), "<nil>");
        break;

    case VALUE_BOOL:
        snprintf(text, sizeof(text), value->u.truth ? "true" : "false");
        break;

    case VALUE_FLOAT:
        put_float(value->u.real, text, sizeof(text));
        break;

    case VALUE_MONTH:
        snprintf(text, sizeof(text), "%s",
                 tgi_link_months[value->u.integer - 1]);
        break;

    case VALUE_WEEKDAY:
        snprintf(text, sizeof(text), "%s",
                 tgi_link_weekdays[value->u.integer]);
        break;

    default:
        snprintf(text, sizeof(text), "%" PRId64, value->u.integer);
    }

    return tgi_link_add_bytes(run, buf, text, strlen(text), value->mark);
}


int
tgi_link_sprint(link_run_t *run, tgi_link_buf_t *buf, const link_value_t *args,
    size_t nargs)
{
    int     rc;
    size_t  i;

    for (i = 0; i < nargs; i++) {

        if (i > 0 && args[i].kind != VALUE_STRING
            && args[i - 1].kind != VALUE_STRING)
        {
            rc = tgi_link_add_bytes(run, buf, " ", 1, LINK_AUTHOR);
            if (rc != TG_OK) {
                return rc;
            }
        }

        rc = tgi_link_print(run, buf, &args[i]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


/* A character within quotes, as strconv.Quote writes it; its length. */

static size_t
quote_char(uint32_t c, char quote, char out[16])
{
    const char  *p;

    static const char  controls[] = "\a\b\f\n\r\t\v";
    static const char  letters[] = "abfnrtv";

    if (c == (unsigned char) quote || c == '\\') {
        out[0] = '\\';
        out[1] = (char) c;
        return 2;
    }

    p = c != 0 && c < 0x20 ? strchr(controls, (int) c) : NULL;
    if (p != NULL) {
        out[0] = '\\';
        out[1] = letters[p - controls];
        return 2;
    }

    if (c < 0x20 || c == 0x7f) {
        return (size_t) snprintf(out, 16, "\\x%02x", c);
    }

    if ((c >= 0x80 && c <= 0xa0) || c == 0xad) {
        return (size_t) snprintf(out, 16, "\\u%04x", c);
    }

    return tgi_link_put_utf8(out, c);
}


/* A string within quotes is of whom its parts are. */

static int
put_quoted(link_run_t *run, tgi_link_buf_t *buf, const tgi_link_text_t *text)
{
    int       rc;
    char      out[16];
    size_t    i, n;
    uint8_t   mark;
    uint32_t  c;

    rc = tgi_link_add_bytes(run, buf, "\"", 1, LINK_AUTHOR);

    for (i = 0; rc == TG_OK && i < text->len; i += n) {
        mark = text->marks != NULL ? text->marks[i] : text->mark;
        n = tgi_utf8_char(text->data + i, text->len - i, &c);

        if (n == 0) {
            n = 1;
            snprintf(out, sizeof(out), "\\x%02x",
                     (unsigned) (unsigned char) text->data[i]);
            rc = tgi_link_add_bytes(run, buf, out, 4, mark);

        } else {
            rc = tgi_link_add_bytes(run, buf, out, quote_char(c, '"', out),
                                    mark);
        }
    }

    return rc == TG_OK ? tgi_link_add_bytes(run, buf, "\"", 1, LINK_AUTHOR)
                       : rc;
}


static bool
is_integer(const link_value_t *value)
{
    return value->kind >= VALUE_INT && value->kind <= VALUE_WEEKDAY;
}


static int
put_verb(link_run_t *run, tgi_link_buf_t *buf, const link_verb_t *verb,
    const link_value_t *value)
{
    int       n;
    char      out[32];
    bool      named;
    uint32_t  c;

    named = value->kind == VALUE_MONTH || value->kind == VALUE_WEEKDAY
            || value->kind == VALUE_TIME;

    switch (verb->verb) {

    case 'd':
        if (!is_integer(value)) {
            break;
        }

        n = snprintf(out, sizeof(out), verb->plus ? "%+" PRId64
                                       : (verb->space ? "% " PRId64
                                                      : "%" PRId64),
                     value->u.integer);

        return tgi_link_add_bytes(run, buf, out, (size_t) n, value->mark);

    case 's':
        if (value->kind != VALUE_STRING && !named) {
            break;
        }

        return tgi_link_print(run, buf, value);

    case 'v':
        return tgi_link_print(run, buf, value);

    default:
        if (value->kind == VALUE_STRING) {
            return put_quoted(run, buf, &value->u.text);
        }

        if (named || !is_integer(value)) {
            break;
        }

        /* a number is a character */

        c = value->u.integer < 0 || value->u.integer > 0x10ffff
            || (value->u.integer >= 0xd800 && value->u.integer <= 0xdfff)
            ? 0xfffd : (uint32_t) value->u.integer;

        out[0] = '\'';
        n = (int) quote_char(c, '\'', out + 1) + 1;
        out[n++] = '\'';

        return tgi_link_add_bytes(run, buf, out, (size_t) n, value->mark);
    }

    return tgi_link_fail(run, TG_ERR_TYPE, "printf: \"%%%c\" of %s",
                         verb->verb, tgi_link_type(value));
}


static bool
begins_char(char c)
{
    return ((unsigned char) c & 0xc0) != 0x80;
}


/* The bytes of the first n characters. */

static size_t
cut_chars(const tgi_link_text_t *text, size_t n)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (begins_char(text->data[i]) && n-- == 0) {
            break;
        }
    }

    return i;
}


static size_t
count_chars(const tgi_link_buf_t *buf, size_t from)
{
    size_t  i, n;

    n = 0;

    for (i = from; i < buf->len; i++) {
        n += begins_char(buf->data[i]) ? 1 : 0;
    }

    return n;
}


/* Pads what was added from start on; a number's zeros go behind its sign. */

static int
pad(link_run_t *run, tgi_link_buf_t *buf, const link_verb_t *verb,
    size_t start, bool number)
{
    int      rc;
    char     c;
    size_t   n, len, at;
    uint8_t  mark;

    n = count_chars(buf, start);

    if (verb->width < 0 || n >= (size_t) verb->width) {
        return TG_OK;
    }

    c = verb->zero && !verb->minus ? '0' : ' ';
    at = start;

    if (c == '0' && number
        && (buf->data[at] == '-' || buf->data[at] == '+'
            || buf->data[at] == ' '))
    {
        at++;
    }

    len = buf->len;
    mark = len > start ? buf->marks[start] : LINK_AUTHOR;

    for (n = (size_t) verb->width - n; n > 0; n--) {
        rc = tgi_link_add_bytes(run, buf, &c, 1, mark);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (!verb->minus && len > at) {
        n = buf->len - len;
        memmove(buf->data + at + n, buf->data + at, len - at);
        memmove(buf->marks + at + n, buf->marks + at, len - at);
        memset(buf->data + at, c, n);
        memset(buf->marks + at, mark, n);
    }

    return TG_OK;
}


static int
put_value(link_run_t *run, tgi_link_buf_t *buf, const link_verb_t *verb,
    const link_value_t *value)
{
    int           rc;
    size_t        start;
    link_value_t  cut;

    cut = *value;

    if (verb->precision >= 0 && value->kind == VALUE_STRING) {
        cut.u.text.len = cut_chars(&value->u.text, (size_t) verb->precision);
    }

    start = buf->len;

    rc = put_verb(run, buf, verb, &cut);
    if (rc != TG_OK) {
        return rc;
    }

    return pad(run, buf, verb, start,
               verb->verb == 'd' || value->kind == VALUE_FLOAT
               || (is_integer(value) && value->kind < VALUE_MONTH));
}


int
tgi_link_sprintf(link_run_t *run, tgi_link_buf_t *buf,
    const link_value_t *args, size_t nargs)
{
    int          rc;
    size_t       i, n, start;
    tg_str_t     format;
    link_verb_t  verb;

    n = 1;
    i = 0;

    format.data = args[0].u.text.data;
    format.len = args[0].u.text.len;

    /* written out it was checked at save */

    rc = tgi_link_format_check(format, nargs - 1, run->error);
    if (rc != TG_OK) {
        return tgi_link_at(run->error, run->source, run->pos, TG_LINK_FAILED);
    }

    while (i < format.len) {
        start = i;

        if (format.data[i] == '%') {
            rc = tgi_link_format_verb(format, &i, &verb, run->error);

            if (rc == TG_OK && verb.verb != '%') {
                rc = put_value(run, buf, &verb, &args[n++]);

            } else if (rc == TG_OK) {
                rc = tgi_link_add_bytes(run, buf, "%", 1, LINK_AUTHOR);
            }

        } else {
            tgi_link_text_t  text;

            text = args[0].u.text;

            while (i < format.len && format.data[i] != '%') {
                i++;
            }

            text.data += start;
            text.marks = text.marks != NULL ? text.marks + start : NULL;
            text.len = i - start;

            rc = tgi_link_add(run, buf, &text);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}
