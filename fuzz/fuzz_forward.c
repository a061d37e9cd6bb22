
/*
 * Copyright (C) The Tailgate authors
 *
 * A whole question of a proxy: a request of lines ("target", then "name:
 * value") through each dialect.  What passes names one source, one host and
 * one path, and holds no header twice that counts.
 */

#include "authd/app/forward/arguments.h"
#include "authd/app/forward/forward.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define ARENA_MAX  (256 * 1024)
#define ENVOY      "/v1/auth/envoy/"


static const authd_dialect_t *const  dialects[] = {
    &authd_dialect_nginx, &authd_dialect_traefik, &authd_dialect_caddy,
    &authd_dialect_envoy, &authd_dialect_haproxy
};


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static tg_str_t
line_next(tg_str_t *rest)
{
    tg_str_t     line;
    const char  *end;

    end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;

    line.data = rest->data;
    line.len = end ? (size_t) (end - rest->data) : rest->len;

    rest->data += line.len + (end != NULL);
    rest->len -= line.len + (end != NULL);

    return line;
}


/* A server lets nothing but a target that begins with a slash through. */

static bool
request_read(tgn_request_t *r, tgn_header_t *headers, tg_str_t in)
{
    tg_str_t     line;
    const char  *colon, *query;

    r->target = line_next(&in);
    r->headers = headers;

    if (r->target.len == 0 || r->target.data[0] != '/') {
        return false;
    }

    query = memchr(r->target.data, '?', r->target.len);

    r->path = r->target;

    if (query != NULL) {
        r->path.len = (size_t) (query - r->target.data);
        r->query.data = query + 1;
        r->query.len = r->target.len - r->path.len - 1;
    }

    while (in.len != 0 && r->nheaders < TGN_HTTP_HEADERS_MAX) {

        line = line_next(&in);
        colon = line.len ? memchr(line.data, ':', line.len) : NULL;

        if (colon == NULL) {
            continue;
        }

        headers[r->nheaders].name.data = line.data;
        headers[r->nheaders].name.len = (size_t) (colon - line.data);
        headers[r->nheaders].value.data = colon + 1;
        headers[r->nheaders].value.len = line.len
                                         - (size_t) (colon - line.data) - 1;
        r->nheaders++;
    }

    (void) tgn_request_header(r, "Host", 0, &r->host);

    return true;
}


static void
check(authd_exchange_t *ex, const authd_dialect_t *dialect)
{
    bool                has_local;
    tg_str_t            text, arguments;
    tg_addr_t           source, local;
    const char         *what;
    authd_arguments_t   args;
    authd_statement_t   st;

    memset(&st, 0, sizeof(st));
    args.source = dialect->source;

    if (dialect->read(ex, &st, &arguments) != NULL
        || authd_arguments_read(arguments, &args) != NULL
        || authd_source_read(ex->r, args.source, &source, &what) != TG_OK
        || authd_source_local(ex->r, args.source, &local, &has_local, &what)
           != TG_OK)
    {
        return;
    }

    require(st.method.len != 0 && st.host.len != 0 && st.path.len != 0);
    require(source.family == TG_ADDR_V4 || source.family == TG_ADDR_V6);
    require(args.nprofiles <= AUTHD_PROFILES_MAX);

    require(!tgn_request_header(ex->r, "Remote-Addr", 1, &text));
    require(!tgn_request_header(ex->r, "Tailgate-Local-Addr", 1, &text));

    if (args.source == AUTHD_SOURCE_FORWARDED) {
        require(!tgn_request_header(ex->r, "Remote-Addr", 0, &text));
        require(source.port == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            i;
    tg_arena_t       *arena;
    tgn_header_t      headers[TGN_HTTP_HEADERS_MAX];
    tgn_request_t     r;
    authd_exchange_t  ex;

    memset(&r, 0, sizeof(r));
    memset(&ex, 0, sizeof(ex));

    r.method = (tg_str_t) TG_STR("GET");

    if (!request_read(&r, headers,
                      (tg_str_t) { (const char *) data, size }))
    {
        return 0;
    }

    arena = tg_arena_new(ARENA_MAX);
    require(arena != NULL);

    ex.r = &r;
    ex.alloc = tg_arena_allocator(arena);

    for (i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {

        /* the route of Envoy's has matched before it is called */

        if (dialects[i] == &authd_dialect_envoy
            && (r.target.len < sizeof(ENVOY) - 1
                || memcmp(r.target.data, ENVOY, sizeof(ENVOY) - 1) != 0))
        {
            continue;
        }

        check(&ex, dialects[i]);
    }

    tg_arena_free(&arena);

    return 0;
}
