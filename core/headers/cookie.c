
/*
 * Copyright (C) The Tailgate authors
 *
 * Cookies, and whether they could pass for a guarded one.
 *
 * What browsers send is plain.  What a person sends who wants to slip another
 * one's cookie by is not: some runtimes decode "%73ession", some read
 * "my.session" as "my_session" (PHP), some trim no-break spaces (Python), some
 * split at commas (old servlet containers) or blanks (http.cookies), and some
 * fold case.  So a name is compared after all of that; that a cookie may pass
 * is then decided on its exact bytes.
 */

#include "core/headers/cookie.h"

#include "core/headers/headers.h"

#include <string.h>


#define NAME_FOLD_MAX  256


/* Anything but visible ASCII: no runtime keeps all of it in a name. */

static bool
is_edge(unsigned char c)
{
    return c <= ' ' || c >= 0x7f;
}


static tg_str_t
trim_edges(tg_str_t text)
{
    while (text.len != 0 && is_edge((unsigned char) text.data[0])) {
        text.data++;
        text.len--;
    }

    while (text.len != 0 && is_edge((unsigned char) text.data[text.len - 1])) {
        text.len--;
    }

    return text;
}


/* What browsers trim: RFC 6265 5.2. */

static tg_str_t
trim_blanks(tg_str_t text)
{
    while (text.len != 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }

    while (text.len != 0
           && (text.data[text.len - 1] == ' '
               || text.data[text.len - 1] == '\t'))
    {
        text.len--;
    }

    return text;
}


static void
split(tg_str_t text, tgi_cookie_t *cookie)
{
    const char  *equals;

    cookie->text = text;
    cookie->name = (tg_str_t) TG_NULL_STR;
    cookie->value = trim_blanks(text);

    equals = memchr(text.data, '=', text.len);

    if (equals == NULL) {
        return;
    }

    cookie->name.data = text.data;
    cookie->name.len = (size_t) (equals - text.data);
    cookie->name = trim_blanks(cookie->name);

    cookie->value.data = equals + 1;
    cookie->value.len = text.len - (size_t) (equals + 1 - text.data);
    cookie->value = trim_blanks(cookie->value);
}


bool
tgi_cookie_next(tg_str_t *rest, tgi_cookie_t *cookie)
{
    tg_str_t     text;
    const char  *end;

    while (rest->len != 0) {
        text = *rest;
        end = memchr(text.data, ';', text.len);

        if (end != NULL) {
            text.len = (size_t) (end - text.data);
            rest->data = end + 1;
            rest->len -= text.len + 1;

        } else {
            rest->len = 0;
        }

        text = trim_blanks(text);

        if (text.len != 0) {
            split(text, cookie);
            return true;
        }
    }

    return false;
}


int
tgi_set_cookie_parse(tg_str_t set_cookie, tgi_cookie_t *cookie,
    tg_str_t *attributes)
{
    size_t          i;
    tg_str_t        text;
    const char     *end;
    unsigned char   c;

    for (i = 0; i < set_cookie.len; i++) {
        c = (unsigned char) set_cookie.data[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return TG_ERR_SYNTAX;
        }
    }

    if (set_cookie.len == 0) {
        return TG_ERR_SYNTAX;
    }

    text = set_cookie;
    *attributes = (tg_str_t) TG_NULL_STR;

    end = memchr(text.data, ';', text.len);

    if (end != NULL) {
        text.len = (size_t) (end - text.data);
        attributes->data = end;
        attributes->len = set_cookie.len - text.len;
    }

    text = trim_blanks(text);

    if (text.len == 0) {
        return TG_ERR_SYNTAX;
    }

    split(text, cookie);

    return cookie->name.len != 0 ? TG_OK : TG_ERR_SYNTAX;
}


static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = (char) (c | 0x20);

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


/*
 * To lower case, percent-decoded, all but letters and digits as "-".  What
 * does not fit is cut: a guarded name is never that long, so nothing is lost.
 */

static size_t
fold(tg_str_t name, char out[NAME_FOLD_MAX])
{
    int     high, low;
    char    c;
    size_t  i, n;

    name = trim_edges(name);

    for (i = 0, n = 0; i < name.len && n < NAME_FOLD_MAX; i++) {
        c = name.data[i];

        if (c == '%' && i + 2 < name.len) {
            high = hex_digit(name.data[i + 1]);
            low = hex_digit(name.data[i + 2]);

            if (high >= 0 && low >= 0) {
                c = (char) (unsigned char) (high << 4 | low);
                i += 2;
            }
        }

        tg_header_fold(&c, 1, &out[n++]);
    }

    return n;
}


bool
tgi_cookie_is_companion(tg_str_t name)
{
    char    folded[NAME_FOLD_MAX];
    size_t  len;

    len = sizeof(TG_SESSION_PREFIX) - 1;

    return fold(name, folded) >= len
           && memcmp(folded, TG_SESSION_PREFIX, len) == 0;
}


bool
tgi_cookie_is_guarded(const tg_session_t *session, tg_str_t name)
{
    bool      rest;
    char      folded[NAME_FOLD_MAX], pattern[NAME_FOLD_MAX];
    size_t    i, len, n;
    tg_str_t  guarded;

    len = fold(name, folded);

    for (i = 0; i < session->ncookies; i++) {
        guarded = session->cookies[i];
        rest = guarded.len != 0 && guarded.data[guarded.len - 1] == '*';

        if (rest) {
            guarded.len--;
        }

        n = fold(guarded, pattern);

        if ((rest ? len >= n : len == n)
            && memcmp(folded, pattern, n) == 0)
        {
            return true;
        }
    }

    return false;
}


static bool
is_delimiter(char c)
{
    return c == ',' || c == '"' || is_edge((unsigned char) c);
}


/*
 * The name that ends before text.data[end], if a cookie began behind a comma,
 * a quote or a blank.
 */

static tg_str_t
name_before(tg_str_t text, size_t end)
{
    size_t  start;

    while (end != 0 && is_edge((unsigned char) text.data[end - 1])) {
        end--;
    }

    for (start = end; start != 0; start--) {
        if (text.data[start - 1] == '=' || is_delimiter(text.data[start - 1]))
        {
            break;
        }
    }

    return (tg_str_t) { text.data + start, end - start };
}


/*
 * Whether name can be the first one behind a delimiter: "a=sid=x" and
 * "a=b=sid=x" are one cookie to everybody, "=sid=x" and "a=1,=sid=x" are not.
 */

static bool
comes_first(tg_str_t text, const char *name)
{
    const char  *p;

    for (p = name; p != text.data && p[-1] == '='; p--) { /* void */ }

    return p == text.data || is_delimiter(p[-1]);
}


bool
tgi_cookie_hides(const tg_session_t *session, const tgi_cookie_t *cookie)
{
    size_t    i;
    tg_str_t  name, text;

    text = cookie->text;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] != '=') {
            continue;
        }

        name = name_before(text, i);

        if (name.len != 0 && comes_first(text, name.data)
            && tgi_cookie_is_guarded(session, name))
        {
            return true;
        }
    }

    return false;
}
