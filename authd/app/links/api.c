
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/api.h"
#include "authd/app/links/origin.h"

#include <string.h>


#define PREFIX  "/api/v1/"
#define LINKS   "/api/v1/links/"


typedef struct {
    const char           *path;    /* behind PREFIX, or behind a link's name */
    const char           *method;
    authd_links_call_pt   handle;
} operation_t;

static const operation_t  tops[] = {
    { "links", "GET", authd_links_api_list },
    { "import", "POST", authd_links_api_import },
    { "apply", "POST", authd_links_api_apply },
    { "clicks", "POST", authd_links_api_give_clicks },
    { "export", "GET", authd_links_api_export },
    { "resolve", "GET", authd_links_api_resolve },
    { "suggest", "GET", authd_links_api_suggest }
};

static const operation_t  operations[] = {
    { "", "GET", authd_links_api_get },
    { "", "PUT", authd_links_api_put },
    { "", "DELETE", authd_links_api_delete },
    { "history", "GET", authd_links_api_history },
    { "clicks", "GET", authd_links_api_clicks },
    { "rename", "POST", authd_links_api_rename },
    { "restore", "POST", authd_links_api_restore }
};


static void api_run(authd_links_call_t *call, const operation_t *list,
    size_t n, tg_str_t path);
static bool api_allowed(authd_links_call_t *call);
static bool is_method(const authd_links_call_t *call, const char *method);
static tg_str_t api_name(authd_links_call_t *call, tg_str_t raw);


void
authd_links_api(authd_links_call_t *call)
{
    tg_str_t     path, rest = TG_NULL_STR;
    const char  *slash;

    path = call->r->path;

    if (path.len <= sizeof(LINKS) - 1
        || memcmp(path.data, LINKS, sizeof(LINKS) - 1) != 0)
    {
        path.data += sizeof(PREFIX) - 1;
        path.len -= sizeof(PREFIX) - 1;

        api_run(call, tops, sizeof(tops) / sizeof(tops[0]), path);
        return;
    }

    path.data += sizeof(LINKS) - 1;
    path.len -= sizeof(LINKS) - 1;

    slash = memchr(path.data, '/', path.len);

    if (slash != NULL) {
        rest.data = slash + 1;
        rest.len = (size_t) (path.data + path.len - rest.data);
        path.len = (size_t) (slash - path.data);

        if (rest.len == 0) {
            authd_links_fault(call, 404, "there is no such endpoint");
            return;
        }
    }

    call->name = api_name(call, path);

    api_run(call, operations, sizeof(operations) / sizeof(operations[0]),
            rest);
}


static void
api_run(authd_links_call_t *call, const operation_t *list, size_t n,
    tg_str_t path)
{
    bool      known;
    size_t    i;
    tg_str_t  allow = TG_NULL_STR;

    known = false;

    for (i = 0; i < n; i++) {

        if (!authd_links_equal(path, list[i].path)) {
            continue;
        }

        known = true;
        allow = authd_links_format(&call->alloc, "%.*s%s%s", (int) allow.len,
                                   allow.len ? allow.data : "",
                                   allow.len ? ", " : "", list[i].method);

        if (!is_method(call, list[i].method)) {
            continue;
        }

        if (strcmp(list[i].method, "GET") == 0 || api_allowed(call)) {
            list[i].handle(call);
        }

        return;
    }

    if (!known) {
        authd_links_fault(call, 404, "there is no such endpoint");
        return;
    }

    (void) tgn_response_header(call->r, "Allow", allow);
    authd_links_fault(call, 405, "the method is not one of this endpoint");
}


/* What every change has to pass before it is looked at. */

static bool
api_allowed(authd_links_call_t *call)
{
    const char  *why;

    why = authd_links_origin(call->r, &call->app->authd->conf->links,
                             call->from.tls);

    if (why != NULL) {
        call->app->counts.refused++;
        authd_links_audit(call, AUTHD_RESULT_DENY, 403, "api", call->name,
                          why);
        authd_links_fault(call, 403, why);
        return false;
    }

    if (call->r->unread) {
        authd_links_fault(call, 413, "the body is too long");
        return false;
    }

    return true;
}


static bool
is_method(const authd_links_call_t *call, const char *method)
{
    return authd_links_equal(call->r->method, method)
           || (call->r->head && strcmp(method, "GET") == 0);
}


/* What is no name finds no link. */

static tg_str_t
api_name(authd_links_call_t *call, tg_str_t raw)
{
    char      *buf;
    size_t     len;
    tg_str_t   query, name = TG_NULL_STR;

    /* an argument is decoded so, but for a "+", which no name has */

    query = authd_links_format(&call->alloc, "n=%.*s", (int) raw.len,
                               raw.data);
    buf = call->alloc.alloc(call->alloc.ctx, raw.len + 1);

    if (buf != NULL
        && memchr(raw.data, '&', raw.len) == NULL
        && tgn_query_arg(query, "n", 0, buf, raw.len + 1, &len) == TG_OK)
    {
        name.data = buf;
        name.len = len;
    }

    return name;
}
