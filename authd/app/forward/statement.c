
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/forward/statement.h"

#include <tailgate/addr.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>


static const char *host_name(authd_statement_t *st, const char *p, size_t len);
static const char *host_v6(authd_statement_t *st, const char *p, size_t len);
static bool is_port(const char *p, size_t len);
static const char *uri_odd(tg_str_t in, size_t i, bool query);
static bool is_token(unsigned char c);


const char *
authd_statement_method(authd_statement_t *st, tg_str_t in)
{
    size_t  i;

    if (in.len == 0 || in.len > AUTHD_METHOD_MAX) {
        return "the method is empty or too long";
    }

    for (i = 0; i < in.len; i++) {
        if (!is_token((unsigned char) in.data[i])) {
            return "the method is no token";
        }
    }

    st->method = in;

    return NULL;
}


const char *
authd_statement_host(authd_statement_t *st, tg_str_t in)
{
    size_t       len;
    const char  *end, *port;

    if (in.len == 0) {
        return "the host is empty";
    }

    if (in.data[0] == '[') {
        end = memchr(in.data, ']', in.len);

        if (end == NULL) {
            return "the host has a bracket that nothing closes";
        }

        len = (size_t) (end - in.data) + 1;

        if (len != in.len && !is_port(in.data + len, in.len - len)) {
            return "something that is no port stands behind the host";
        }

        return host_v6(st, in.data, len);
    }

    port = memchr(in.data, ':', in.len);
    len = port ? (size_t) (port - in.data) : in.len;

    if (port != NULL && !is_port(port, in.len - len)) {
        return "something that is no port stands behind the host";
    }

    return host_name(st, in.data, len);
}


const char *
authd_statement_uri(authd_statement_t *st, tg_str_t in)
{
    size_t         i;
    unsigned char  c;
    const char    *query;

    st->odd = NULL;

    if (in.len > AUTHD_URI_MAX) {
        return "the URI is too long";
    }

    if (in.len == 1 && in.data[0] == '*'
        && st->method.len == 7 && memcmp(st->method.data, "OPTIONS", 7) == 0)
    {
        st->path = in;
        return NULL;
    }

    if (in.len == 0 || in.data[0] != '/') {
        return "the URI does not begin with a slash";
    }

    query = NULL;

    for (i = 0; i < in.len; i++) {
        c = (unsigned char) in.data[i];

        if (c <= 0x20 || c == 0x7f) {
            return "the URI holds a blank or a control character";
        }

        if (c == '?' && query == NULL) {
            query = in.data + i;
        }

        if (st->odd == NULL) {
            st->odd = uri_odd(in, i, query != NULL);
        }
    }

    st->path.data = in.data;
    st->path.len = query ? (size_t) (query - in.data) : in.len;

    return NULL;
}


const char *
authd_statement_url(authd_statement_t *st, tg_str_t in)
{
    tg_str_t     host, uri;
    const char  *p, *error;

    p = in.data;

    if (in.len >= 7 && strncasecmp(p, "http://", 7) == 0) {
        p += 7;

    } else if (in.len >= 8 && strncasecmp(p, "https://", 8) == 0) {
        p += 8;

    } else {
        return "the URL does not begin with http:// or https://";
    }

    host.data = p;

    p = memchr(p, '/', in.len - (size_t) (p - in.data));

    if (p == NULL) {
        return "the URL has no path";
    }

    host.len = (size_t) (p - host.data);

    uri.data = p;
    uri.len = in.len - (size_t) (p - in.data);

    error = authd_statement_host(st, host);

    return error ? error : authd_statement_uri(st, uri);
}


static const char *
host_name(authd_statement_t *st, const char *p, size_t len)
{
    size_t         i;
    unsigned char  c;

    if (len != 0 && p[len - 1] == '.') {
        len--;
    }

    if (len == 0 || len > AUTHD_HOST_MAX) {
        return "the host is empty or too long";
    }

    for (i = 0; i < len; i++) {
        c = (unsigned char) p[i];

        if (c == '.' && (i == 0 || p[i - 1] == '.' || i == len - 1)) {
            return "the host has an empty label";
        }

        if (c >= 0x80 || (!isalnum(c) && c != '.' && c != '-' && c != '_')) {
            return "the host holds a character that no name has";
        }

        st->host_text[i] = (char) tolower(c);
    }

    st->host_text[len] = '\0';
    st->host.data = st->host_text;
    st->host.len = len;

    return NULL;
}


static const char *
host_v6(authd_statement_t *st, const char *p, size_t len)
{
    size_t     i;
    tg_addr_t  addr;

    if (len > AUTHD_HOST_MAX || tg_addr_parse(&addr, p, len) != TG_OK) {
        return "the host is no IPv6 address";
    }

    for (i = 0; i < len; i++) {
        st->host_text[i] = (char) tolower((unsigned char) p[i]);
    }

    st->host_text[len] = '\0';
    st->host.data = st->host_text;
    st->host.len = len;

    return NULL;
}


/* ":443"; a colon alone is allowed by RFC 3986 3.2.3, and means none. */

static bool
is_port(const char *p, size_t len)
{
    size_t    i;
    uint32_t  n;

    n = 0;

    if (len == 0 || len > 6 || p[0] != ':') {
        return false;
    }

    for (i = 1; i < len; i++) {
        if (!isdigit((unsigned char) p[i])) {
            return false;
        }

        n = n * 10 + (uint32_t) (p[i] - '0');
    }

    return n <= UINT16_MAX;
}


/* What two programs could read in two ways at in.data[i], or NULL. */

static const char *
uri_odd(tg_str_t in, size_t i, bool query)
{
    unsigned char  c;

    c = (unsigned char) in.data[i];

    if (c >= 0x80 || c == '#') {
        return "the URI holds a \"#\" or a byte above 127";
    }

    if (c == '\\' && !query) {
        return "the path holds a backslash";
    }

    if (c != '%') {
        return NULL;
    }

    if (in.len - i < 3
        || !isxdigit((unsigned char) in.data[i + 1])
        || !isxdigit((unsigned char) in.data[i + 2]))
    {
        return "the URI has a \"%\" that two hexadecimal digits do not follow";
    }

    if (in.data[i + 1] == '0' && in.data[i + 2] == '0') {
        return "the URI holds \"%00\"";
    }

    return NULL;
}


/* RFC 9110 5.6.2 */

static bool
is_token(unsigned char c)
{
    return c < 0x80
           && (isalnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c)));
}
