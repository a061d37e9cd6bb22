
/*
 * Copyright (C) The Tailgate authors
 *
 * What a handler asks of a request.
 */

#include <net/http/http.h>

#include <string.h>
#include <strings.h>


bool
tgn_request_header(const tgn_request_t *r, const char *name, size_t n,
    tg_str_t *value)
{
    size_t  i, len;

    len = strlen(name);

    for (i = 0; i < r->nheaders; i++) {

        if (r->headers[i].name.len == len
            && strncasecmp(r->headers[i].name.data, name, len) == 0
            && n-- == 0)
        {
            *value = r->headers[i].value;
            return true;
        }
    }

    return false;
}


static int
hex(char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    if (ch >= 'a' && ch <= 'f') {
        return ch - 'a' + 10;
    }

    if (ch >= 'A' && ch <= 'F') {
        return ch - 'A' + 10;
    }

    return -1;
}


/* Decodes application/x-www-form-urlencoded into out, which has room for max
   bytes.  A NUL is no text. */

static int
decode(tg_str_t in, char *out, size_t max, size_t *len)
{
    int     high, low;
    char    ch;
    size_t  i, n;

    n = 0;

    for (i = 0; i < in.len; i++) {
        ch = in.data[i];

        if (ch == '+') {
            ch = ' ';

        } else if (ch == '%') {
            if (in.len - i < 3) {
                return TG_ERR_SYNTAX;
            }

            high = hex(in.data[i + 1]);
            low = hex(in.data[i + 2]);

            if (high < 0 || low < 0) {
                return TG_ERR_SYNTAX;
            }

            ch = (char) (high << 4 | low);
            i += 2;
        }

        if (ch == '\0') {
            return TG_ERR_SYNTAX;
        }

        if (n == max) {
            return TG_ERR_LIMIT;
        }

        out[n++] = ch;
    }

    *len = n;

    return TG_OK;
}


static bool
is_named(tg_str_t in, const char *name)
{
    char    buf[64];
    size_t  len;

    return decode(in, buf, sizeof(buf), &len) == TG_OK
           && len == strlen(name) && memcmp(buf, name, len) == 0;
}


int
tgn_query_arg(tg_str_t query, const char *name, size_t n, char *buf,
    size_t size, size_t *len)
{
    int          rc;
    tg_str_t     arg, value;
    const char  *end, *eq;

    while (query.len) {
        end = memchr(query.data, '&', query.len);

        arg.data = query.data;
        arg.len = end ? (size_t) (end - query.data) : query.len;

        query.data += arg.len + (end != NULL);
        query.len -= arg.len + (end != NULL);

        eq = arg.len ? memchr(arg.data, '=', arg.len) : NULL;

        value.data = eq ? eq + 1 : "";
        value.len = eq ? (size_t) (arg.data + arg.len - value.data) : 0;

        if (eq) {
            arg.len = (size_t) (eq - arg.data);
        }

        if (!is_named(arg, name) || n-- != 0) {
            continue;
        }

        if (size == 0) {
            return TG_ERR_LIMIT;
        }

        rc = decode(value, buf, size - 1, len);

        if (rc == TG_OK) {
            buf[*len] = '\0';
        }

        return rc;
    }

    return TG_ERR_ABSENT;
}
