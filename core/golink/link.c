
/*
 * Copyright (C) The Tailgate authors
 *
 * Links: what is saved, and where it leads.
 */

#include "core/golink/program.h"

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


static const tg_str_t  schemes[] = {
    TG_STR("http"), TG_STR("https"), TG_STR("mailto")
};

static const tg_link_limits_t  defaults = {
    .url_max = TG_LINK_URL_MAX,
    .output_max = 16384,
    .steps_max = 20000,
    .depth_max = 64,
    .pattern_max = 512,
    .match_max = 10000,
    .match_depth = 500,
    .schemes = schemes,
    .nschemes = sizeof(schemes) / sizeof(schemes[0])
};


const tg_link_limits_t *
tg_link_limits_default(void)
{
    return &defaults;
}


unsigned
tg_link_flags(const tg_link_t *link)
{
    return link != NULL ? link->flags : 0;
}


size_t
tg_link_size(const tg_link_t *link)
{
    return link != NULL ? link->size : 0;
}


int
tgi_link_at(tg_error_t *error, tg_str_t source, size_t pos, int code)
{
    size_t  i, start, line;

    if (error == NULL) {
        return code;
    }

    line = 1;
    start = 0;

    for (i = 0; i < pos && i < source.len; i++) {
        if (source.data[i] == '\n') {
            start = i + 1;
            line++;
        }
    }

    error->line = line;
    error->column = pos - start + 1;

    return code;
}


/*
 * A plain link with the path of the request in its place: before the query, or
 * at the end of a fragment, which some apps route by.
 */

static int
join(tg_str_t url, const tgi_link_text_t *rest, const tg_alloc_t *alloc,
    tgi_link_text_t *text)
{
    char        *data;
    size_t       at, n;
    uint8_t     *marks;
    const char  *query;

    at = url.len;

    if (memchr(url.data, '#', url.len) == NULL) {
        query = memchr(url.data, '?', url.len);
        at = query != NULL ? (size_t) (query - url.data) : url.len;
    }

    data = tgi_alloc(alloc, url.len + 1 + rest->len, 2);
    if (data == NULL) {
        return TG_ERR_NOMEM;
    }

    marks = (uint8_t *) data + url.len + 1 + rest->len;

    memcpy(data, url.data, at);
    n = at;

    if (at == 0 || data[at - 1] != '/') {
        data[n++] = '/';
    }

    memset(marks, LINK_AUTHOR, n);
    memcpy(data + n, rest->data, rest->len);

    if (rest->marks != NULL) {
        memcpy(marks + n, rest->marks, rest->len);

    } else {
        memset(marks + n, rest->mark, rest->len);
    }

    n += rest->len;

    if (at < url.len) {
        memcpy(data + n, url.data + at, url.len - at);
        memset(marks + n, LINK_AUTHOR, url.len - at);
        n += url.len - at;
    }

    text->data = data;
    text->marks = marks;
    text->len = n;
    text->mark = LINK_AUTHOR;

    return TG_OK;
}


static int
expand_plain(tg_str_t url, const tg_link_request_t *request,
    const tg_alloc_t *alloc, tgi_link_text_t *text, tg_error_t *error)
{
    int              rc;
    tgi_link_text_t  rest;

    text->data = url.data;
    text->marks = NULL;
    text->len = url.len;
    text->mark = LINK_AUTHOR;

    if (request->rest.len == 0) {
        return TG_OK;
    }

    rc = tgi_link_decode(request->rest, alloc, &rest, error);
    if (rc != TG_OK) {
        return rc;
    }

    rc = join(url, &rest, alloc, text);

    return rc == TG_OK ? rc : tgi_error(error, rc, "%s", tg_strerror(rc));
}


/* How many bytes from i on are of that set. */

static size_t
span(tg_str_t text, size_t i, uint8_t set)
{
    while (i < text.len && (tgi_link_chars[(unsigned char) text.data[i]] & set))
    {
        i++;
    }

    return i;
}


/* Whether url is http(s)://host/path of bytes that stay what they are. */

static bool
is_simple(tg_str_t url)
{
    size_t  host, i;

    if (url.len < sizeof("https://") || memcmp(url.data, "http", 4) != 0) {
        return false;
    }

    host = url.data[4] == 's' ? 5 : 4;

    if (memcmp(url.data + host, "://", 3) != 0) {
        return false;
    }

    host += 3;
    i = span(url, host, LINK_UNRESERVED);

    return i > host && (i == url.len || url.data[i] == '/')
           && span(url, i, LINK_PATH_OK) == url.len;
}


/*
 * Most links, most of the time: nothing is to be escaped, and nothing to be
 * asked.  TG_ERR_ABSENT if it is not so.
 */

static int
expand_simple(tg_str_t url, const tg_link_request_t *request,
    const tg_link_limits_t *limits, const tg_alloc_t *alloc,
    tg_str_t *location)
{
    char    *out;
    size_t   n;

    if (request->query.len > 0 || limits->schemes != schemes
        || url.len + request->rest.len >= limits->output_max
        || !is_simple(url)
        || span(request->rest, 0, LINK_PATH_OK) != request->rest.len)
    {
        return TG_ERR_ABSENT;
    }

    out = tgi_alloc(alloc, url.len + 1 + request->rest.len, 1);
    if (out == NULL) {
        return TG_ERR_ABSENT;
    }

    memcpy(out, url.data, url.len);
    n = url.len;

    if (request->rest.len > 0) {
        if (out[n - 1] != '/') {
            out[n++] = '/';
        }

        memcpy(out + n, request->rest.data, request->rest.len);
        n += request->rest.len;
    }

    location->data = out;
    location->len = n;

    return TG_OK;
}


int
tgi_link_expand(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error)
{
    int              rc;
    tgi_link_text_t  text;

    *location = (tg_str_t) TG_NULL_STR;

    if (request->rest.len > limits->output_max
        || request->query.len > limits->output_max)
    {
        return tgi_error(error, TG_LINK_OUTPUT,
                         "the request is longer than %zu bytes",
                         limits->output_max);
    }

    if (link == NULL
        && expand_simple(url, request, limits, alloc, location) == TG_OK)
    {
        return TG_OK;
    }

    if (link == NULL) {
        rc = expand_plain(url, request, alloc, &text, error);

    } else {
        rc = tgi_link_run(link, url, request, limits, alloc, &text, error);
    }

    if (rc != TG_OK) {
        return rc;
    }

    return tgi_link_url(&text, request->query,
                        link != NULL ? link->taken : NULL,
                        link != NULL ? link->ntaken : 0,
                        limits, alloc, location, error);
}


int
tg_link_expand(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error)
{
    int  rc;

    rc = tgi_link_expand(link, url, request,
                         limits != NULL ? limits : &defaults, alloc, location,
                         error);

    /* a type that does not fit is told apart at save alone */

    if (rc == TG_ERR_TYPE) {
        rc = TG_LINK_FAILED;

        if (error != NULL) {
            error->code = rc;
        }
    }

    return rc;
}
