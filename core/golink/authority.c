
/*
 * Copyright (C) The Tailgate authors
 *
 * Scheme and host of a URL.
 */

#include "core/golink/authority.h"

#include "core/base/base.h"

#include <arpa/inet.h>
#include <string.h>


static inline uint8_t
mark_at(const tgi_link_text_t *text, size_t i)
{
    return text->marks != NULL ? text->marks[i] : text->mark;
}


static bool
is_alpha(char c)
{
    c = tgi_lower(c);

    return c >= 'a' && c <= 'z';
}


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static int
choose(tg_error_t *error)
{
    return tgi_error(error, TG_LINK_HOST,
                     "the visitor's request would choose the scheme or the"
                     " host: write them out");
}


static int
bad(tg_error_t *error, const char *what)
{
    return tgi_error(error, TG_LINK_BAD_URL, "%s", what);
}


/* Up to the ":" of a scheme, if there is one: *len, else 0. */

static int
find_scheme(const tgi_link_text_t *text, size_t end, size_t *len,
    tg_error_t *error)
{
    char    c;
    size_t  i;

    *len = 0;

    for (i = 0; i < end; i++) {
        c = text->data[i];

        if (is_alpha(c)) {
            continue;
        }

        if (i > 0 && (is_digit(c) || c == '+' || c == '-' || c == '.')) {
            continue;
        }

        break;
    }

    if (i == end || text->data[i] != ':') {
        return TG_OK;
    }

    if (i == 0) {
        return bad(error, "it begins with \":\"");
    }

    *len = i;

    for (i = 0; i <= *len; i++) {
        if (mark_at(text, i) != LINK_AUTHOR) {
            return choose(error);
        }
    }

    return TG_OK;
}


static int
check_scheme(const tgi_link_text_t *text, size_t len,
    const tg_link_limits_t *limits, tg_error_t *error)
{
    size_t    i;
    tg_str_t  scheme;

    static const tg_str_t  never[] = {
        TG_STR("javascript"), TG_STR("data"), TG_STR("vbscript")
    };

    scheme.data = text->data;
    scheme.len = len;

    /* whatever the configuration says */

    for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (tgi_str_equal_nocase(scheme, never[i])) {
            return tgi_error(error, TG_LINK_SCHEME,
                             "scheme \"%.*s\" runs what the link says in the"
                             " visitor's browser", (int) len, text->data);
        }
    }

    for (i = 0; i < limits->nschemes; i++) {
        if (tgi_str_equal_nocase(scheme, limits->schemes[i])) {
            return TG_OK;
        }
    }

    return tgi_error(error, TG_LINK_SCHEME,
                     "scheme \"%.*s\" is not among those that are allowed",
                     (int) (len < 32 ? len : 32), text->data);
}


/* A relative reference whose first segment has a ":" would be a scheme. */

static int
check_relative(const tgi_link_text_t *text, size_t end, tg_error_t *error)
{
    size_t  i;

    if (mark_at(text, 0) != LINK_AUTHOR) {
        return choose(error);
    }

    for (i = 0; i < end && text->data[i] != '/'; i++) {
        if (text->data[i] == ':') {
            return mark_at(text, i) != LINK_AUTHOR ? choose(error)
                   : bad(error, "what is before the \":\" is no scheme");
        }
    }

    return TG_OK;
}


/* Whose bytes they are: a port may be sent, a label may be the login. */

static int
check_marks(const tgi_link_text_t *text, const link_authority_t *head,
    tg_error_t *error)
{
    char     c;
    size_t   i;
    uint8_t  mark;

    for (i = head->user; i < head->path; i++) {
        c = text->data[i];
        mark = mark_at(text, i);

        /* what is no number was found to be none */

        if (mark == LINK_AUTHOR || i > head->port) {
            continue;
        }

        if (mark == LINK_USER && i < head->port
            && (is_alpha(c) || is_digit(c) || c == '-' || c == '_'
                || c == '.'))
        {
            continue;
        }

        return choose(error);
    }

    return TG_OK;
}


/* [::1], as what inet_pton() takes; *end is behind the bracket. */

static int
check_literal(const tgi_link_text_t *text, const link_authority_t *head,
    size_t *end, tg_error_t *error)
{
    char             buf[INET6_ADDRSTRLEN];
    size_t           len;
    const char      *p;
    struct in6_addr  addr;

    p = memchr(text->data + head->host, ']', head->path - head->host);
    if (p == NULL) {
        return bad(error, "the host has no \"]\"");
    }

    *end = (size_t) (p - text->data) + 1;
    len = *end - head->host - 2;

    if (len >= sizeof(buf)) {
        return bad(error, "the host is no IPv6 address");
    }

    memcpy(buf, text->data + head->host + 1, len);
    buf[len] = '\0';

    return inet_pton(AF_INET6, buf, &addr) == 1 ? TG_OK
           : bad(error, "the host is no IPv6 address");
}


static int
check_host(const tgi_link_text_t *text, link_authority_t *head, bool web,
    tg_error_t *error)
{
    int            c, rc;
    size_t         i;
    tg_str_t       view;
    unsigned char  byte;

    view.data = text->data;
    view.len = head->path;

    i = head->host;
    head->port = head->path;

    if (i < head->path && text->data[i] == '[') {
        rc = check_literal(text, head, &i, error);
        if (rc != TG_OK) {
            return rc;
        }

        if (i < head->path && text->data[i] != ':') {
            return bad(error, "behind the \"]\" of a host comes no port");
        }
    }

    for ( /* void */ ; i < head->path; i++) {
        byte = (unsigned char) text->data[i];

        if (byte == ':' && (head->port == head->path || !web)) {
            /* lists of hosts with ports, in the URLs of databases */
            head->port = i;
            continue;
        }

        if (byte == '%') {
            c = tgi_link_escape(view, i);

            if (c < 0x80) {
                return bad(error, "the host has a \"%\"");
            }

            i += 2;

        } else if (byte == '[' || byte == ']' || byte == ':'
                   || (byte < 0x80 && !(tgi_link_chars[byte] & LINK_HOST)))
        {
            return bad(error, "the host has a character that it cannot have");
        }
    }

    for (i = head->port + 1; i < head->path; i++) {
        if (!is_digit(text->data[i])) {
            return bad(error, "the port is no number");
        }
    }

    if (web && head->port == head->host) {
        return bad(error, "it has no host");
    }

    return TG_OK;
}


static int
check_userinfo(const tgi_link_text_t *text, const link_authority_t *head,
    tg_error_t *error)
{
    char      c;
    size_t    i;
    tg_str_t  view;

    view.data = text->data;
    view.len = head->host;

    for (i = head->user; i + 1 < head->host; i++) {
        c = text->data[i];

        if ((c == '%' && tgi_link_escape(view, i) < 0)
            || (!is_alpha(c) && !is_digit(c)
                && strchr("-._:~!$&'()*+,;=%@", c) == NULL))
        {
            return bad(error, "the part before \"@\" has a character that it"
                       " cannot have");
        }
    }

    return TG_OK;
}


/* Behind "//". */

static int
find_authority(const tgi_link_text_t *text, size_t end,
    link_authority_t *head, bool web, tg_error_t *error)
{
    int          rc;
    size_t       i;
    const char  *p;

    p = memchr(text->data + head->user, '/', end - head->user);

    /* a "/" that was sent encoded ends no host */

    i = p != NULL ? (size_t) (p - text->data) : end;

    if (p != NULL && mark_at(text, i) != LINK_AUTHOR
        && mark_at(text, i) != LINK_SENT)
    {
        return choose(error);
    }

    head->path = i;
    head->host = head->user;

    for (i = head->user; i < head->path; i++) {
        if (text->data[i] == '@') {
            head->host = i + 1;
        }
    }

    rc = check_host(text, head, web, error);

    if (rc == TG_OK || rc == TG_LINK_BAD_URL) {
        /* who chose it says more than what is wrong with it */
        if (check_marks(text, head, error) != TG_OK) {
            return TG_LINK_HOST;
        }
    }

    return rc == TG_OK ? check_userinfo(text, head, error) : rc;
}


static bool
is_web(const tgi_link_text_t *text, size_t len)
{
    tg_str_t  scheme;

    scheme.data = text->data;
    scheme.len = len;

    return len == 0 || tgi_str_equal_nocase(scheme, (tg_str_t) TG_STR("http"))
           || tgi_str_equal_nocase(scheme, (tg_str_t) TG_STR("https"));
}


int
tgi_link_head(const tgi_link_text_t *text, size_t end,
    const tg_link_limits_t *limits, link_authority_t *head, tg_error_t *error)
{
    int     rc;
    bool    web;
    size_t  i;

    memset(head, 0, sizeof(link_authority_t));

    rc = find_scheme(text, end, &head->scheme, error);
    if (rc != TG_OK) {
        return rc;
    }

    if (head->scheme > 0) {
        rc = check_scheme(text, head->scheme, limits, error);

    } else {
        rc = check_relative(text, end, error);
    }

    if (rc != TG_OK) {
        return rc;
    }

    i = head->scheme > 0 ? head->scheme + 1 : 0;
    web = is_web(text, head->scheme);

    head->path = i;
    head->slashes = end - i >= 2 && text->data[i] == '/'
                    && text->data[i + 1] == '/';

    if (head->slashes) {

        if (mark_at(text, i + 1) != LINK_AUTHOR && head->scheme == 0) {
            head->slashes = false;
            head->escaped = true;

            return TG_OK;
        }

        if (mark_at(text, i) != LINK_AUTHOR
            || mark_at(text, i + 1) != LINK_AUTHOR)
        {
            return choose(error);
        }

        head->user = i + 2;

        return find_authority(text, end, head, web, error);
    }

    if (head->scheme == 0) {
        return TG_OK;
    }

    if (web) {
        return bad(error, "it has no host: \"//\" is missing");
    }

    head->opaque = i == end || text->data[i] != '/';

    return TG_OK;
}


/* From "user:password@" what Go makes of it. */

static size_t
put_userinfo(const tgi_link_text_t *text, const link_authority_t *head,
    char *out)
{
    int             c;
    bool            password;
    size_t          i, n;
    tg_str_t        view;

    view.data = text->data;
    view.len = head->host;

    n = 0;
    password = false;

    for (i = head->user; i + 1 < head->host; i++) {
        c = (unsigned char) text->data[i];

        if (c == ':' && !password) {
            password = true;
            out[n++] = ':';
            continue;
        }

        if (c == '%') {
            c = tgi_link_escape(view, i);
            i += 2;
        }

        if (tgi_link_chars[c] & LINK_USERINFO) {
            out[n++] = (char) c;

        } else {
            tgi_link_put_escape(out + n, (unsigned char) c);
            n += 3;
        }
    }

    out[n++] = '@';

    return n;
}


size_t
tgi_link_put_head(const tgi_link_text_t *text, const link_authority_t *head,
    char *out)
{
    int       c;
    size_t    i, n;
    tg_str_t  view;

    n = 0;

    for (i = 0; i < head->scheme; i++) {
        out[n++] = tgi_lower(text->data[i]);
    }

    if (head->scheme > 0) {
        out[n++] = ':';
    }

    if (!head->slashes) {
        return n;
    }

    out[n++] = '/';
    out[n++] = '/';

    if (head->host > head->user) {
        n += put_userinfo(text, head, out + n);
    }

    view.data = text->data;
    view.len = head->path;

    for (i = head->host; i < head->path; i++) {
        c = (unsigned char) text->data[i];

        if (c == '%') {
            c = tgi_link_escape(view, i);
            i += 2;
        }

        if (c >= 0x80) {
            tgi_link_put_escape(out + n, (unsigned char) c);
            n += 3;

        } else {
            out[n++] = (char) c;
        }
    }

    return n;
}
