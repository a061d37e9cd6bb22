
/*
 * Copyright (C) The Tailgate authors
 *
 * A request as a person writes it: "DELETE https://grafana/api/x".
 */

#include "core/policy/policy.h"

#include <string.h>


static bool
has_prefix(tg_str_t text, tg_str_t prefix)
{
    return text.len >= prefix.len
           && memcmp(text.data, prefix.data, prefix.len) == 0;
}


static tg_str_t
behind(tg_str_t text, size_t n)
{
    return (tg_str_t) { text.data + n, text.len - n };
}


/* Up to the first of two characters; the whole if it has neither. */

static tg_str_t
before(tg_str_t text, char one, char other)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == one || text.data[i] == other) {
            break;
        }
    }

    return (tg_str_t) { text.data, i };
}


/* RFC 9110 5.6.2 */

static bool
is_token(tg_str_t text)
{
    char    c;
    size_t  i;

    for (i = 0; i < text.len; i++) {
        c = tgi_lower(text.data[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')
            && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
        {
            return false;
        }
    }

    return text.len != 0;
}


/* The method is left out if there is but one word. */

static int
take_method(tg_str_t *text, tg_str_t *method, tg_error_t *error)
{
    static const tg_str_t  get = TG_STR("GET");

    *method = before(*text, ' ', ' ');

    if (method->len == text->len) {
        *method = get;
        return TG_OK;
    }

    *text = behind(*text, method->len);

    while (text->len != 0 && text->data[0] == ' ') {
        *text = behind(*text, 1);
    }

    if (!is_token(*method)) {
        return tgi_error(error, TG_ERR_SYNTAX, "\"%.*s\" is no method",
                         (int) method->len, method->data);
    }

    return TG_OK;
}


static int
take_host(tg_str_t *text, tg_str_t *host, tg_error_t *error)
{
    char      buf[TG_HOST_MAX];
    tg_str_t  canonical;

    static const tg_str_t  http = TG_STR("http://");
    static const tg_str_t  https = TG_STR("https://");

    if (has_prefix(*text, http)) {
        *text = behind(*text, http.len);

    } else if (has_prefix(*text, https)) {
        *text = behind(*text, https.len);

    } else {
        return tgi_error(error, TG_ERR_SYNTAX,
                         "write a method and a URL, such as"
                         " \"GET https://grafana/api/x\"");
    }

    *host = before(*text, '/', '?');
    *text = behind(*text, host->len);

    if (!tgi_host_canonical(*host, buf, &canonical)) {
        return tgi_error(error, TG_ERR_SYNTAX, "\"%.*s\" is no host",
                         (int) host->len, host->data);
    }

    return TG_OK;
}


int
tg_request_parse(tg_str_t text, const tg_alloc_t *alloc,
    tg_request_t *request, tg_error_t *error)
{
    int       rc;
    tg_str_t  copy;

    static const tg_str_t  root = TG_STR("/");

    memset(request, 0, sizeof(*request));

    if (text.len > TG_PATH_MAX + 2 * TG_HOST_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "the request is too long");
    }

    if (tgi_text_check(text.data, text.len) != TG_OK) {
        return tgi_error(error, TG_ERR_SYNTAX, "the request is no text");
    }

    rc = tgi_str_copy(&copy, text.data, text.len, alloc);
    if (rc != TG_OK) {
        return tgi_error(error, rc, "out of memory");
    }

    rc = take_method(&copy, &request->method, error);
    if (rc != TG_OK) {
        return rc;
    }

    rc = take_host(&copy, &request->host, error);
    if (rc != TG_OK) {
        return rc;
    }

    request->raw_path = before(copy, '?', '?');

    if (request->raw_path.len == 0) {
        request->raw_path = root;
    }

    rc = tg_path_normalize(request->raw_path, alloc, &request->path);

    switch (rc) {

    case TG_OK:
        return TG_OK;

    case TG_ERR_NOMEM:
        return tgi_error(error, rc, "out of memory");

    default:
        return tgi_error(error, rc, "no server takes the path \"%.*s\"",
                         (int) request->raw_path.len, request->raw_path.data);
    }
}
