
/*
 * Copyright (C) The Tailgate authors
 *
 * Which of the things a path is.  As golink has it: what begins with "/." once
 * it is decoded is the app's own, the rest are links; "/api/v1/" is the app's,
 * too.
 */

#include "authd/app/links/api.h"
#include "authd/app/links/app.h"
#include "authd/app/links/form.h"
#include "authd/app/links/page.h"

#include <string.h>


#define ALLOW_GET   0x1u
#define ALLOW_POST  0x2u           /* and PUT and PATCH, as golink's forms */

/* Bytes of a body, but of an import. */

#define BODY_MAX    (256 * 1024)
#define IMPORT_MAX  (8 * 1024 * 1024)

#define HSTS        "max-age=31536000"


typedef struct {
    const char           *path;    /* what ends in "/" has a name behind it */
    unsigned              allow;
    bool                  open;    /* nobody needs to be somebody */
    authd_links_call_pt   handle;
} route_t;

static const route_t  routes[] = {
    { "/", ALLOW_GET, false, authd_links_home_page },
    { "/.all", ALLOW_GET, false, authd_links_all_page },
    { "/.popular", ALLOW_GET, false, authd_links_popular_page },
    { "/.recent", ALLOW_GET, false, authd_links_recent_page },
    { "/.mine", ALLOW_GET, false, authd_links_mine_page },
    { "/.search", ALLOW_GET, false, authd_links_search_page },
    { "/.help", ALLOW_GET, false, authd_links_help_page },
    { "/.detail/", ALLOW_GET, false, authd_links_detail_page },
    { "/.history/", ALLOW_GET, false, authd_links_history_page },
    { "/.export", ALLOW_GET, false, authd_links_export },
    { "/.export-stats", ALLOW_GET, false, authd_links_export_stats },
    { "/.opensearch", ALLOW_GET, true, authd_links_opensearch },
    { "/.metrics", ALLOW_GET, false, authd_links_metrics },
    { "/.static/", ALLOW_GET, true, authd_links_static },
    { "/.delete/", ALLOW_GET|ALLOW_POST, false, authd_links_delete_form },
    { "/.rename/", ALLOW_POST, false, authd_links_rename_form },
    { "/.restore/", ALLOW_POST, false, authd_links_restore_form }
};


static void serve_own(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);
static void serve_home(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);
static void serve_api(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);
static void serve_tls(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);
static const route_t *route_find(tg_str_t path, tg_str_t *name);
static bool is_own(tg_str_t path);
static bool is_method(const tgn_request_t *r, const char *name);
static tg_str_t decode(const tg_alloc_t *alloc, tg_str_t path);
static tg_str_t clean(const tg_alloc_t *alloc, tg_str_t path);


void
authd_links_request(tgn_request_t *r, void *data)
{
    authd_links_t       *app;
    authd_links_from_t   from;

    app = data;

    if (!authd_links_from(app, r, &from)) {
        return;
    }

    if (from.tls) {
        if (memchr(r->host.data, '.', r->host.len) != NULL) {
            (void) tgn_response_header(r, "Strict-Transport-Security",
                                       authd_links_str(HSTS));
        }

    } else if (authd_links_host_listed(&app->authd->conf->links.https,
                                       r->host))
    {
        serve_tls(app, r, &from);
        return;
    }

    if (r->path.len == 1) {
        serve_home(app, r, &from);

    } else if (is_own(r->path)) {
        serve_own(app, r, &from);

    } else if (r->path.len >= 8 && memcmp(r->path.data, "/api/v1/", 8) == 0) {
        serve_api(app, r, &from);

    } else {
        authd_links_redirect(app, r, &from);
    }
}


bool
authd_links_want_body(const tgn_request_t *r, void *data)
{
    size_t     i, n, max;
    tg_str_t   value;

    (void) data;

    max = BODY_MAX;

    if (authd_links_equal(r->path, "/api/v1/import")
        || authd_links_equal(r->path, "/api/v1/apply")
        || authd_links_equal(r->path, "/api/v1/clicks"))
    {
        max = IMPORT_MAX;

    } else if (r->path.len != 1 && !is_own(r->path)
               && (r->path.len < 8
                   || memcmp(r->path.data, "/api/v1/", 8) != 0))
    {
        return false;
    }

    /* of no known length it may be as long as the longest */

    if (!tgn_request_header(r, "Content-Length", 0, &value)) {
        return max == IMPORT_MAX;
    }

    n = 0;

    for (i = 0; i < value.len && n <= max; i++) {
        n = n * 10 + (size_t) (value.data[i] - '0');
    }

    return n <= max;
}


static void
serve_home(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from)
{
    authd_links_call_t  *call;

    if (!is_method(r, "POST")) {
        serve_own(app, r, from);
        return;
    }

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    if (r->unread) {
        authd_links_fault(call, 413, "the form is too long");
        return;
    }

    authd_links_identify(call, false, authd_links_save_form);
}


static void
serve_own(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from)
{
    bool                 get, post;
    tg_str_t             path, name, cleaned;
    const route_t       *route;
    authd_links_call_t  *call;

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    path = decode(&call->alloc, r->path);

    if (path.len == 0) {
        authd_links_fault(call, 400, "the path is not well-formed");
        return;
    }

    cleaned = clean(&call->alloc, path);

    if (cleaned.len != 0) {
        authd_links_see(call, 307, cleaned);
        return;
    }

    route = route_find(path, &name);

    if (route == NULL) {
        authd_links_fault(call, 404, "404 page not found");
        return;
    }

    get = is_method(r, "GET") || r->head;
    post = is_method(r, "POST") || is_method(r, "PUT")
           || is_method(r, "PATCH");

    if (!(get && (route->allow & ALLOW_GET))
        && !(post && (route->allow & ALLOW_POST)))
    {
        (void) tgn_response_header(r, "Allow",
                 authd_links_str(route->path[1] == '\0' ? "GET, HEAD, POST"
                                 : route->allow & ALLOW_GET ? "GET, HEAD"
                                                            : "POST"));
        authd_links_fault(call, 405, "the method is not one of this path");
        return;
    }

    if (r->unread) {
        authd_links_fault(call, 413, "the form is too long");
        return;
    }

    call->name = name;

    if (route->open && from->known) {
        route->handle(call);
        return;
    }

    authd_links_identify(call, false, route->handle);
}


static void
serve_api(authd_links_t *app, tgn_request_t *r, const authd_links_from_t *from)
{
    authd_links_call_t  *call;

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    call->api = true;

    authd_links_identify(call, false, authd_links_api);
}


static void
serve_tls(authd_links_t *app, tgn_request_t *r, const authd_links_from_t *from)
{
    tg_str_t             host;
    authd_links_call_t  *call;

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    host = r->host;

    if (host.len > 3 && memcmp(host.data + host.len - 3, ":80", 3) == 0) {
        host.len -= 3;
    }

    authd_links_see(call, is_method(r, "GET") || r->head ? 302 : 307,
                    authd_links_format(&call->alloc, "https://%.*s%.*s",
                                       (int) host.len, host.data,
                                       (int) r->target.len, r->target.data));
}


static const route_t *
route_find(tg_str_t path, tg_str_t *name)
{
    size_t  i, len;

    for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        len = strlen(routes[i].path);

        if (path.len < len || memcmp(path.data, routes[i].path, len) != 0) {
            continue;
        }

        if (path.len == len || (len > 1 && routes[i].path[len - 1] == '/')) {
            name->data = path.data + len;
            name->len = path.len - len;
            return &routes[i];
        }
    }

    return NULL;
}


static bool
is_own(tg_str_t path)
{
    return path.len > 1
           && (path.data[1] == '.'
               || (path.len > 3 && path.data[1] == '%' && path.data[2] == '2'
                   && (path.data[3] == 'e' || path.data[3] == 'E')));
}


static bool
is_method(const tgn_request_t *r, const char *name)
{
    return authd_links_equal(r->method, name);
}


/* Empty for what is broken. */

static tg_str_t
decode(const tg_alloc_t *alloc, tg_str_t path)
{
    char      *p;
    size_t     i, n, k, digit;
    tg_str_t   out = TG_NULL_STR;

    p = alloc->alloc(alloc->ctx, path.len + 1);

    if (p == NULL) {
        return out;
    }

    for (i = 0, n = 0; i < path.len; i++) {
        p[n] = path.data[i];

        if (path.data[i] == '%') {

            if (path.len - i < 3) {
                return out;
            }

            for (k = 1, p[n] = 0; k < 3; k++) {
                digit = (size_t) path.data[i + k];
                digit = digit >= '0' && digit <= '9' ? digit - '0'
                        : (digit | 0x20) >= 'a' && (digit | 0x20) <= 'f'
                          ? (digit | 0x20) - 'a' + 10 : 16;

                if (digit == 16) {
                    return out;
                }

                p[n] = (char) ((size_t) (unsigned char) p[n] << 4 | digit);
            }

            i += 2;
        }

        if ((unsigned char) p[n] < 0x20 || p[n] == 0x7f) {
            return out;
        }

        n++;
    }

    out.data = p;
    out.len = n;

    return out;
}


/*
 * As Go's ServeMux: a path with ".", ".." or empty segments is sent to the one
 * without, and a path that lacks its final slash to the one with it.  Empty if
 * it is clean.
 */

static tg_str_t
clean(const tg_alloc_t *alloc, tg_str_t path)
{
    char      *p;
    bool       changed;
    size_t     i, n, len;
    tg_str_t   part, out = TG_NULL_STR;

    p = alloc->alloc(alloc->ctx, path.len + 2);

    if (p == NULL) {
        return out;
    }

    n = 0;
    changed = false;

    for (i = 1; i <= path.len; i += len + 1) {
        for (len = 0; i + len < path.len && path.data[i + len] != '/'; len++) {
            /* void */
        }

        part = (tg_str_t) { path.data + i, len };

        if (authd_links_equal(part, ".")
            || (len == 0 && i + len < path.len))
        {
            changed = true;
            continue;
        }

        if (authd_links_equal(part, "..")) {
            for (changed = true; n > 0 && p[--n] != '/'; ) { /* void */ }
            continue;
        }

        p[n++] = '/';
        memcpy(p + n, part.data, len);
        n += len;
    }

    if (n == 0) {
        p[n++] = '/';
    }

    out = (tg_str_t) { p, n };

    if (authd_links_equal(out, "/.detail")
        || authd_links_equal(out, "/.delete"))
    {
        p[n++] = '/';
        changed = true;
    }

    if (!changed || n == path.len + 2) {
        return (tg_str_t) TG_NULL_STR;
    }

    return authd_links_path(alloc, (tg_str_t) { p, n });
}
