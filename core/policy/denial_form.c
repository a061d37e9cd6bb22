
/*
 * Copyright (C) The Tailgate authors
 *
 * In which form the client of a request understands a denial.
 */

#include "core/policy/denial.h"
#include "core/base/base.h"

#include <string.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define WEIGHT_MAX  1000           /* "q=1" */


static bool is_grpc(tg_str_t type);
static bool is_webdav(tg_str_t method);
static tg_denial_form_t form_accept(tg_str_t accept);
static bool form_range(tg_str_t range, tg_denial_form_t *form);
static int range_weight(tg_str_t range);
static int weight_parse(tg_str_t text);
static bool cut(tg_str_t *rest, char c, tg_str_t *part);
static tg_str_t trim(tg_str_t text);
static bool is_word(tg_str_t text, const char *word);


/* The methods of RFC 3253, 3648, 3744, 4437, 4791, 4918, 5323 and 5842. */

static const char *const  webdav_methods[] = {
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
    "REPORT", "SEARCH", "ACL", "MKCALENDAR", "ORDERPATCH", "BIND", "UNBIND",
    "REBIND", "MKREDIRECTREF", "UPDATEREDIRECTREF", "VERSION-CONTROL",
    "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL",
    "MERGE", "BASELINE-CONTROL", "MKACTIVITY"
};


tg_denial_form_t
tg_denial_form(const tg_denial_request_t *request)
{
    if (is_grpc(request->content_type)) {
        return TG_DENIAL_GRPC;
    }

    if (request->origin && request->request_method
        && is_word(request->method, "OPTIONS"))
    {
        return TG_DENIAL_PREFLIGHT;
    }

    if (is_webdav(request->method)) {
        return TG_DENIAL_WEBDAV;
    }

    return form_accept(request->accept);
}


/* "application/grpc", "application/grpc+proto", with parameters or without. */

static bool
is_grpc(tg_str_t type)
{
    tg_str_t  name = TG_STR("application/grpc"), head;

    if (type.len < name.len) {
        return false;
    }

    head.data = type.data;
    head.len = name.len;

    return tgi_str_equal_nocase(head, name)
           && (type.len == name.len || type.data[name.len] == '+'
               || type.data[name.len] == ';' || type.data[name.len] == ' ');
}


static bool
is_webdav(tg_str_t method)
{
    size_t  i;

    for (i = 0; i < NELTS(webdav_methods); i++) {
        if (is_word(method, webdav_methods[i])) {
            return true;
        }
    }

    return false;
}


/*
 * RFC 9110 12.5.1, of the three that there are.  A comma within a quoted
 * parameter is taken for the end of a range: no more comes of it than another
 * form.
 */

static tg_denial_form_t
form_accept(tg_str_t accept)
{
    int               weight, best;
    tg_str_t          range;
    tg_denial_form_t  form, chosen;

    best = 0;
    chosen = TG_DENIAL_TEXT;

    while (cut(&accept, ',', &range)) {

        if (!form_range(range, &form)) {
            continue;
        }

        weight = range_weight(range);

        if (weight > best) {
            best = weight;
            chosen = form;
        }
    }

    return chosen;
}


static bool
form_range(tg_str_t range, tg_denial_form_t *form)
{
    size_t    i;
    tg_str_t  type;

    static const struct {
        const char        *type;
        tg_denial_form_t   form;
    } types[] = {
        { "text/html", TG_DENIAL_HTML },
        { "application/xhtml+xml", TG_DENIAL_HTML },
        { "application/json", TG_DENIAL_JSON },
        { "text/json", TG_DENIAL_JSON },
        { "text/plain", TG_DENIAL_TEXT }
    };

    (void) cut(&range, ';', &type);
    type = trim(type);

    for (i = 0; i < NELTS(types); i++) {
        if (type.len == strlen(types[i].type)
            && tgi_str_equal_nocase(type, (tg_str_t) { types[i].type,
                                                       type.len }))
        {
            *form = types[i].form;
            return true;
        }
    }

    /* application/problem+json and the many of APIs */

    if (type.len > 5
        && tgi_str_equal_nocase((tg_str_t) { type.data + type.len - 5, 5 },
                                (tg_str_t) TG_STR("+json")))
    {
        *form = TG_DENIAL_JSON;
        return true;
    }

    return false;
}


static int
range_weight(tg_str_t range)
{
    tg_str_t  part;

    /* the type itself */

    (void) cut(&range, ';', &part);

    while (cut(&range, ';', &part)) {
        part = trim(part);

        if (part.len >= 2 && tgi_lower(part.data[0]) == 'q'
            && part.data[1] == '=')
        {
            part.data += 2;
            part.len -= 2;

            return weight_parse(part);
        }
    }

    return WEIGHT_MAX;
}


/* "0.8" in thousandths; what is no weight counts for none. */

static int
weight_parse(tg_str_t text)
{
    int     weight, unit;
    size_t  i;

    if (text.len == 0 || text.len > 5
        || (text.data[0] != '0' && text.data[0] != '1')
        || (text.len > 1 && text.data[1] != '.'))
    {
        return 0;
    }

    weight = (text.data[0] - '0') * WEIGHT_MAX;
    unit = WEIGHT_MAX / 10;

    for (i = 2; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }

        weight += (text.data[i] - '0') * unit;
        unit /= 10;
    }

    return weight > WEIGHT_MAX ? 0 : weight;
}


/* Takes what stands before c, or all, away from rest; false at the end. */

static bool
cut(tg_str_t *rest, char c, tg_str_t *part)
{
    const char  *p;

    *part = *rest;

    if (rest->len == 0) {
        return false;
    }

    p = memchr(rest->data, c, rest->len);

    if (p == NULL) {
        *rest = (tg_str_t) TG_NULL_STR;
        return true;
    }

    part->len = (size_t) (p - rest->data);

    rest->data += part->len + 1;
    rest->len -= part->len + 1;

    return true;
}


static tg_str_t
trim(tg_str_t text)
{
    while (text.len != 0
           && (text.data[0] == ' ' || text.data[0] == '\t'))
    {
        text.data++;
        text.len--;
    }

    while (text.len != 0 && (text.data[text.len - 1] == ' '
                             || text.data[text.len - 1] == '\t'))
    {
        text.len--;
    }

    return text;
}


static bool
is_word(tg_str_t text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}
