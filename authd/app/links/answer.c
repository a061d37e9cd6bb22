
/*
 * Copyright (C) The Tailgate authors
 *
 * Answers: headers that every one has, faults in the form that the client
 * understands.
 */

#include "authd/app/links/app.h"
#include "authd/app/links/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>


#define TEXT_MAX  1024

#define CSP                                                                   \
    "default-src 'none'; style-src 'self'; script-src 'self';"                \
    " img-src 'self'; connect-src 'self'; form-action 'self';"                \
    " base-uri 'none'; frame-ancestors 'none'"


static void fault_problem(authd_links_call_t *call, int code,
    const char *field, const char *text);
static bool accepts(const tgn_request_t *r, const char *type);
static void page_headers(tgn_request_t *r, bool tls);
static void when(int64_t seconds, struct tm *tm);
static tg_str_t encode(const tg_alloc_t *alloc, tg_str_t s,
    const char *marks);
static void header(tgn_request_t *r, const char *name, const char *value);


tg_str_t
authd_links_str(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}


tg_str_t
authd_links_format(const tg_alloc_t *alloc, const char *fmt, ...)
{
    int       n;
    char     *p;
    va_list   args, again;
    tg_str_t  s = TG_NULL_STR;

    va_start(args, fmt);
    va_copy(again, args);

    n = vsnprintf(NULL, 0, fmt, args);
    p = n > 0 ? alloc->alloc(alloc->ctx, (size_t) n + 1) : NULL;

    if (p != NULL) {
        (void) vsnprintf(p, (size_t) n + 1, fmt, again);
        s.data = p;
        s.len = (size_t) n;
    }

    va_end(again);
    va_end(args);

    return s;
}


bool
authd_links_equal(tg_str_t a, const char *b)
{
    size_t  len;

    len = strlen(b);

    return a.len == len && (len == 0 || memcmp(a.data, b, len) == 0);
}


bool
authd_links_wants_html(const tgn_request_t *r)
{
    return accepts(r, "text/html");
}


bool
authd_links_wants_any(const tgn_request_t *r)
{
    tg_str_t  accept;

    return !tgn_request_header(r, "Accept", 0, &accept) || accepts(r, "*/*");
}


static bool
accepts(const tgn_request_t *r, const char *type)
{
    size_t    i, n, len;
    tg_str_t  accept;

    len = strlen(type);

    for (n = 0; tgn_request_header(r, "Accept", n, &accept); n++) {
        for (i = 0; i + len <= accept.len; i++) {
            if (strncasecmp(accept.data + i, type, len) == 0) {
                return true;
            }
        }
    }

    return false;
}


void
authd_links_fault(authd_links_call_t *call, int code, const char *text)
{
    authd_links_fault_field(call, code, NULL, text);
}


void
authd_links_fault_field(authd_links_call_t *call, int code, const char *field,
    const char *text)
{
    tg_str_t  body;

    if (call->api) {
        fault_problem(call, code, field, text);
        return;
    }

    header(call->r, "Vary", "Accept");

    if (authd_links_wants_html(call->r)) {
        authd_links_send_page(call, code,
                              authd_links_fault_page(call, code, text));
        return;
    }

    header(call->r, "X-Content-Type-Options", "nosniff");
    header(call->r, "Cache-Control", "no-store");

    body = authd_links_format(&call->alloc, "%s\n", text);

    authd_links_send(call, code, "text/plain; charset=utf-8", body);
}


void
authd_links_unavailable(authd_links_call_t *call, unsigned retry,
    const char *text)
{
    char  seconds[16];

    call->app->counts.unavailable++;

    if (retry != 0) {
        (void) snprintf(seconds, sizeof(seconds), "%u", retry);
        header(call->r, "Retry-After", seconds);
    }

    authd_links_fault(call, 503, text[0] ? text : "the store does not work");
}


void
authd_links_refuse(tgn_request_t *r, int code, const char *text)
{
    int       n;
    char      buf[TEXT_MAX];
    tg_str_t  body;

    n = snprintf(buf, sizeof(buf), "%s\n", text);

    body.data = buf;
    body.len = n < TEXT_MAX ? (size_t) n : TEXT_MAX - 1;

    header(r, "Content-Type", "text/plain; charset=utf-8");
    header(r, "X-Content-Type-Options", "nosniff");
    header(r, "Cache-Control", "no-store");

    tgn_response_send(r, code, body);
}


void
authd_links_send_json(authd_links_call_t *call, int code, json_t *json)
{
    char      *text;
    tg_str_t   body;

    text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);

    if (text == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    body = authd_links_format(&call->alloc, "%s\n", text);
    free(text);

    header(call->r, "X-Content-Type-Options", "nosniff");
    header(call->r, "Cache-Control", "no-store");

    authd_links_send(call, code, "application/json", body);
}


void
authd_links_send_page(authd_links_call_t *call, int code, tg_str_t page)
{
    if (page.len == 0) {
        authd_links_refuse(call->r, 503, "out of memory");
        authd_links_end(call);
        return;
    }

    page_headers(call->r, call->from.tls);

    authd_links_send(call, code, "text/html; charset=utf-8", page);
}


void
authd_links_answer_page(tgn_request_t *r, bool tls, int code, tg_str_t page)
{
    if (page.len == 0) {
        authd_links_refuse(r, 503, "out of memory");
        return;
    }

    page_headers(r, tls);
    header(r, "Content-Type", "text/html; charset=utf-8");

    tgn_response_send(r, code, page);
}


/* "no-referrer" would make a browser send "Origin: null" with a form. */

static void
page_headers(tgn_request_t *r, bool tls)
{
    header(r, "Content-Security-Policy", CSP);
    header(r, "X-Content-Type-Options", "nosniff");
    header(r, "X-Frame-Options", "DENY");
    header(r, "Referrer-Policy", "same-origin");
    header(r, "Cross-Origin-Resource-Policy", "same-origin");
    header(r, "Cache-Control", "no-store");

    /* without TLS a browser ignores it, and complains */

    if (tls) {
        header(r, "Cross-Origin-Opener-Policy", "same-origin");
    }
}


void
authd_links_see(authd_links_call_t *call, int code, tg_str_t location)
{
    (void) tgn_response_header(call->r, "Location", location);
    header(call->r, "Cache-Control", "no-store");

    authd_links_send(call, code, NULL, (tg_str_t) TG_NULL_STR);
}


tg_str_t
authd_links_arg(const authd_links_call_t *call, const char *name)
{
    char      *buf;
    size_t     len, size;
    tg_str_t   arg = TG_NULL_STR;

    size = call->r->query.len + 1;
    buf = call->alloc.alloc(call->alloc.ctx, size);

    if (buf != NULL
        && tgn_query_arg(call->r->query, name, 0, buf, size, &len) == TG_OK)
    {
        arg.data = buf;
        arg.len = len;
    }

    return arg;
}


tg_str_t
authd_links_segment(const tg_alloc_t *alloc, tg_str_t s)
{
    return encode(alloc, s, "-._~");
}


tg_str_t
authd_links_pchars(const tg_alloc_t *alloc, tg_str_t s)
{
    return encode(alloc, s, "-._~!$&'()*+,;=:@");
}


tg_str_t
authd_links_path(const tg_alloc_t *alloc, tg_str_t s)
{
    return encode(alloc, s, "-._~/");
}


tg_str_t
authd_links_day(const tg_alloc_t *alloc, int64_t seconds)
{
    struct tm  tm;

    if (seconds == 0 || seconds == TG_LINK_NO_TIME) {
        return (tg_str_t) TG_NULL_STR;
    }

    when(seconds, &tm);

    return authd_links_format(alloc, "%04d-%02d-%02d", tm.tm_year + 1900,
                              tm.tm_mon + 1, tm.tm_mday);
}


tg_str_t
authd_links_moment(const tg_alloc_t *alloc, int64_t seconds)
{
    struct tm  tm;

    when(seconds, &tm);

    return authd_links_format(alloc, "%04d-%02d-%02d %02d:%02d UTC",
                              tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                              tm.tm_hour, tm.tm_min);
}


/* RFC 9457 */

static void
fault_problem(authd_links_call_t *call, int code, const char *field,
    const char *text)
{
    char      *dump;
    json_t    *json;
    tg_str_t   body;

    json = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                     tgn_status_text(code), "status", code, "detail", text);

    if (json != NULL && field != NULL) {
        (void) json_object_set_new(json, "errors",
                                   json_pack("[{s:s, s:s}]", "field", field,
                                             "message", text));
    }

    dump = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);

    body = authd_links_format(&call->alloc, "%s\n", dump ? dump : "{}");
    free(dump);

    header(call->r, "X-Content-Type-Options", "nosniff");
    header(call->r, "Cache-Control", "no-store");

    authd_links_send(call, code, "application/problem+json", body);
}


/* A time that no calendar has is the first one. */

static void
when(int64_t seconds, struct tm *tm)
{
    time_t  t;

    t = (time_t) seconds;
    memset(tm, 0, sizeof(struct tm));

    (void) gmtime_r(&t, tm);
}


static tg_str_t
encode(const tg_alloc_t *alloc, tg_str_t s, const char *marks)
{
    char           *p;
    size_t          i, n;
    tg_str_t        out = TG_NULL_STR;
    unsigned char   c;

    static const char  hex[] = "0123456789ABCDEF";

    p = alloc->alloc(alloc->ctx, s.len * 3 + 1);

    if (p == NULL) {
        return out;
    }

    n = 0;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || (c != '\0' && strchr(marks, c) != NULL))
        {
            p[n++] = (char) c;
            continue;
        }

        p[n++] = '%';
        p[n++] = hex[c >> 4];
        p[n++] = hex[c & 15];
    }

    out.data = p;
    out.len = n;

    return out;
}


static void
header(tgn_request_t *r, const char *name, const char *value)
{
    (void) tgn_response_header(r, name, authd_links_str(value));
}
