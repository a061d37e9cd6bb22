
/*
 * Copyright (C) The Tailgate authors
 *
 * What all of this is for: a name, and where it leads.  Nothing here waits,
 * unless the link asks who follows it; nothing is written but a count.
 */

#include "authd/app/links/app.h"
#include "authd/app/links/page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


static authd_links_entry_t *walk_find(authd_links_t *app,
    authd_links_walk_t *walk, tg_str_t path, tg_link_path_t *parts, int *rc);
static int walk_expand(authd_links_walk_t *walk, authd_links_entry_t *entry,
    const tg_link_path_t *parts, tg_str_t query, const tg_alloc_t *alloc);
static int walk_fragment(authd_links_walk_t *walk, tg_str_t fragment,
    const tg_alloc_t *alloc);
static bool is_relative(tg_str_t location);
static void redirect_done(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from, authd_links_walk_t *walk, int rc);
static void redirect_known(authd_links_call_t *call);
static void unknown(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from, const authd_links_walk_t *walk);
static void *scratch_alloc(void *ctx, size_t size);


void
authd_links_redirect(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from)
{
    int                  rc;
    tg_alloc_t           alloc = { scratch_alloc, app };
    authd_links_call_t  *call;
    authd_links_walk_t   walk;

    if (from->stranger) {
        authd_links_refuse(r, 403, "this is for the tailnet");
        return;
    }

    if (from->known) {
        app->used = 0;

        walk.path = r->path;
        walk.query = r->query;
        walk.user = NULL;
        walk.whole = false;

        rc = authd_links_walk(app, &walk, &alloc);

        if (rc != TG_LINK_NO_USER) {
            redirect_done(app, r, from, &walk, rc);
            return;
        }
    }

    call = authd_links_call(app, r, from);

    if (call != NULL) {
        authd_links_identify(call, app->authd->conf->links.strangers,
                             redirect_known);
    }
}


int
authd_links_walk(authd_links_t *app, authd_links_walk_t *walk,
    const tg_alloc_t *alloc)
{
    int                        rc;
    size_t                     hops;
    tg_str_t                   path, query, fragment = TG_NULL_STR;
    tg_link_hop_t              hop;
    tg_link_path_t             parts;
    const authd_words_t       *hosts;
    authd_links_entry_t       *entry;

    hosts = &app->authd->conf->links.hosts;
    path = walk->path;
    query = walk->query;

    walk->nthrough = 0;
    walk->details = false;
    walk->text[0] = '\0';
    walk->location = (tg_str_t) TG_NULL_STR;
    walk->unknown = (tg_str_t) TG_NULL_STR;

    for (hops = 0; hops < AUTHD_LINKS_HOPS_MAX; hops++) {

        entry = walk_find(app, walk, path, &parts, &rc);

        /* what is no link of ours any more is left to the browser */

        if (hops != 0 && (rc != TG_OK || walk->details)) {
            walk->details = false;
            return walk_fragment(walk, fragment, alloc);
        }

        if (rc != TG_OK || walk->details) {
            return rc;
        }

        rc = walk_expand(walk, entry, &parts, query, alloc);

        if (rc != TG_OK) {
            return rc;
        }

        walk->through[walk->nthrough++] = entry;

        if ((!walk->whole && is_relative(walk->location))
            || tg_link_hop(walk->location, hosts->items, hosts->n, &hop)
               != TG_OK)
        {
            return walk_fragment(walk, fragment, alloc);
        }

        path = hop.path;
        query = hop.query;

        if (hop.fragment.len != 0) {
            fragment = hop.fragment;
        }
    }

    (void) snprintf(walk->text, sizeof(walk->text), "the link leads through"
                    " more than %d links: it may be a circle",
                    AUTHD_LINKS_HOPS_MAX);

    return TG_ERR_LIMIT;
}


static authd_links_entry_t *
walk_find(authd_links_t *app, authd_links_walk_t *walk, tg_str_t path,
    tg_link_path_t *parts, int *rc)
{
    int                   hops;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    *rc = tg_link_split(path, walk->name, parts);

    if (*rc == TG_ERR_LIMIT) {
        *rc = TG_ERR_ABSENT;
        return NULL;
    }

    if (*rc != TG_OK) {
        return NULL;
    }

    if (parts->details) {
        walk->details = true;
        walk->unknown = parts->name;
        return NULL;
    }

    entry = authd_links_index_named(app->index, parts->name);

    if (entry == NULL && parts->trimmed.len < parts->name.len) {
        entry = authd_links_index_named(app->index, parts->trimmed);
    }

    /* a former name leads to a link, never to another former name */

    for (hops = 0; entry != NULL && hops < 2; hops++) {
        authd_record_link(entry->record, &link);

        if (link.alias.len == 0) {
            break;
        }

        entry = authd_links_index_get(app->index, link.alias);
    }

    walk->unknown = parts->trimmed;
    *rc = TG_OK;

    if (entry == NULL || hops == 2) {
        *rc = TG_ERR_ABSENT;

    } else if (link.expires != 0 && link.expires <= (int64_t) time(NULL)) {
        *rc = TG_ERR_RANGE;
    }

    return entry;
}


static int
walk_expand(authd_links_walk_t *walk, authd_links_entry_t *entry,
    const tg_link_path_t *parts, tg_str_t query, const tg_alloc_t *alloc)
{
    int                rc;
    unsigned           flags;
    tg_link_t         *program;
    tg_error_t         error;
    authd_link_t       link;
    struct timespec    ts;
    tg_link_request_t  request;

    authd_record_link(entry->record, &link);

    flags = tg_link_flags(entry->program);

    if ((flags & TG_LINK_NEEDS_USER) && walk->user == NULL) {
        return TG_LINK_NO_USER;
    }

    request.rest = parts->rest;
    request.query = query;
    request.user = walk->user ? *walk->user : (tg_str_t) TG_NULL_STR;
    request.now = 0;
    request.now_nsec = 0;

    if (flags & TG_LINK_NEEDS_NOW) {
        (void) clock_gettime(CLOCK_REALTIME, &ts);

        request.now = (int64_t) ts.tv_sec;
        request.now_nsec = (uint32_t) ts.tv_nsec;
    }

    /* of a template that could not be compiled, tell why */

    if (entry->program == NULL
        && memmem(link.url.data, link.url.len, "{{", 2) != NULL)
    {
        rc = tg_link_compile(link.url, NULL, NULL, &program, &error);
        rc = rc == TG_OK ? TG_ERR_NOMEM : rc;

    } else {
        rc = tg_link_expand(entry->program, link.url, &request, NULL, alloc,
                            &walk->location, &error);
    }

    if (rc != TG_OK) {
        (void) snprintf(walk->text, sizeof(walk->text), "%s", error.text);
    }

    return rc;
}


/* A browser adds the fragment of the first link to what the last one gives. */

static int
walk_fragment(authd_links_walk_t *walk, tg_str_t fragment,
    const tg_alloc_t *alloc)
{
    char      *p;
    tg_str_t   location;

    location = walk->location;

    if (fragment.len == 0
        || memchr(location.data, '#', location.len) != NULL)
    {
        return TG_OK;
    }

    p = alloc->alloc(alloc->ctx, location.len + 1 + fragment.len);

    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(p, location.data, location.len);
    p[location.len] = '#';
    memcpy(p + location.len + 1, fragment.data, fragment.len);

    walk->location.data = p;
    walk->location.len = location.len + 1 + fragment.len;

    return TG_OK;
}


/* golink's clients read a Location as it was typed where that is a path. */

static bool
is_relative(tg_str_t location)
{
    return location.len != 0 && location.data[0] == '/'
           && (location.len == 1 || location.data[1] != '/');
}


/* Without a call: of a request that has waited for nothing. */

static void
redirect_done(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from, authd_links_walk_t *walk, int rc)
{
    size_t               i;
    tg_str_t             segment;
    authd_links_call_t  *call;

    if (rc == TG_OK && !walk->details) {

        for (i = 0; i < walk->nthrough; i++) {
            authd_links_index_click(app->index, walk->through[i]);
        }

        app->counts.redirects++;

        (void) tgn_response_header(r, "Location", walk->location);
        tgn_response_send(r, 302, (tg_str_t) TG_NULL_STR);

        return;
    }

    if (rc == TG_ERR_ABSENT) {
        unknown(app, r, from, walk);
        return;
    }

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    if (walk->details) {
        segment = authd_links_pchars(&call->alloc, walk->unknown);
        authd_links_see(call, 302,
                        authd_links_format(&call->alloc, "/.detail/%.*s",
                            (int) segment.len, segment.data));
        return;
    }

    app->counts.failed++;

    switch (rc) {

    case TG_ERR_SYNTAX:
    case TG_LINK_BYTES:
        authd_links_fault(call, 400, "the path is not well-formed");
        break;

    case TG_LINK_HOST:
    case TG_LINK_SCHEME:
        authd_links_fault(call, 400, walk->text);
        break;

    case TG_LINK_NO_USER:
        call->advice = "This link needs to know which person follows it, and"
                       " the machine that you came from is nobody's.";
        authd_links_fault(call, 401, "link requires a valid user");
        break;

    case TG_ERR_RANGE:
        authd_links_fault(call, 410, "the link has expired");
        break;

    default:
        authd_links_fault(call, 500, walk->text[0] ? walk->text
                                                   : tg_strerror(rc));
    }
}


/* Who it is was asked for: the call ends, and its request goes on. */

static void
redirect_known(authd_links_call_t *call)
{
    int                  rc;
    authd_links_walk_t   walk;

    walk.path = call->r->path;
    walk.query = call->r->query;
    walk.user = &call->who.login;
    walk.whole = false;

    rc = authd_links_walk(call->app, &walk, &call->alloc);


    if (rc == TG_LINK_NO_USER
        && call->who.verdict == TG_UNAVAILABLE)
    {
        authd_links_unavailable(call, 5, call->who.reason);
        return;
    }

    tgn_request_on_abort(call->r, NULL, NULL);
    redirect_done(call->app, call->r, &call->from, &walk, rc);
    authd_links_end(call);
}


static void
unknown(authd_links_t *app, tgn_request_t *r, const authd_links_from_t *from,
    const authd_links_walk_t *walk)
{
    tg_str_t             fallback;
    tg_alloc_t           alloc = { scratch_alloc, app };
    authd_links_call_t  *call;

    authd_links_count_unknown(&app->counts, walk->unknown);

    fallback = app->authd->conf->links.fallback;

    /* a program has no use for what is near, nor for a form of its own */

    if (fallback.len == 0 && !authd_links_wants_html(r)) {
        (void) tgn_response_header(r, "Vary", authd_links_str("Accept"));

        if (authd_links_wants_any(r)) {
            app->used = 0;
            authd_links_unknown_bare(app, r, from->tls, walk->unknown, &alloc);
            return;
        }

        authd_links_refuse(r, 404, "there is no such link");
        return;
    }

    call = authd_links_call(app, r, from);

    if (call == NULL) {
        return;
    }

    if (fallback.len != 0) {
        authd_links_see(call, 302,
                        authd_links_format(&call->alloc, "%.*s%.*s",
                            (int) fallback.len
                            - (fallback.data[fallback.len - 1] == '/'),
                            fallback.data, (int) r->target.len,
                            r->target.data));
        return;
    }

    authd_links_unknown_page(call, walk->unknown);
}


/* Of the one redirect that is under way. */

static void *
scratch_alloc(void *ctx, size_t size)
{
    void           *p;
    authd_links_t  *app;

    app = ctx;
    size = (size + 15) & ~(size_t) 15;

    if (size > AUTHD_LINKS_SCRATCH - app->used) {
        return NULL;
    }

    p = app->scratch + app->used;
    app->used += size;

    return p;
}
