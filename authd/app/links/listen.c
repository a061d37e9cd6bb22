
/*
 * Copyright (C) The Tailgate authors
 *
 * Where links are served: a Unix socket, loopback, and the node's own tailnet
 * addresses, which tailscaled is asked for every few seconds, as they come and
 * go with the tailnet that the node is in.
 */

#include "authd/app/links/app.h"

#include <stdio.h>
#include <string.h>


#define WATCH_MSEC   5000          /* between two looks at the addresses */
#define WATCH_FIRST  250           /* while they are not known */


static bool listen_fixed(authd_links_t *app);
static void on_watch(tgn_timer_t *timer, void *data);
static void on_status(const tgn_localapi_answer_t *answer, void *data);
static void own_set(authd_links_t *app, const tg_self_t *self);
static void own_listen(authd_links_t *app, const tg_addr_t *addr);
static void own_unlisten(authd_links_t *app, const tg_addr_t *addr);
static bool has(const tg_addr_t *addrs, size_t n, const tg_addr_t *addr);
static void tell(authd_links_t *app, const char *text);


bool
authd_links_listen(authd_links_t *app)
{
    tgn_localapi_conf_t    ac;
    const authd_config_t  *conf;

    conf = app->authd->conf;

    if (!listen_fixed(app)) {
        return false;
    }

    memset(&ac, 0, sizeof(ac));

    ac.socket = conf->localapi;
    ac.timeout = conf->localapi_timeout;
    ac.connections = 1;
    ac.keepalive = 1;

    app->localapi = tgn_localapi_new(app->authd->loop, &ac);
    app->watch = tgn_timer_new(app->authd->loop, on_watch, app);

    if (app->localapi == NULL || app->watch == NULL) {
        authd_log(&app->authd->log, AUTHD_LOG_ERROR, "out of memory");
        return false;
    }

    on_watch(app->watch, app);

    return true;
}


void
authd_links_unwatch(authd_links_t *app)
{
    tgn_localapi_cancel(&app->status);
    tgn_localapi_free(&app->localapi);
    tgn_timer_free(&app->watch);
}


static bool
listen_fixed(authd_links_t *app)
{
    size_t                     i;
    tg_error_t                 error;
    const authd_links_conf_t  *conf;

    conf = &app->authd->conf->links;

    if (conf->unix_path != NULL
        && tgn_http_listen_unix(app->http, conf->unix_path, conf->unix_mode,
                                (uid_t) -1, conf->unix_group, NULL, &error)
           != TG_OK)
    {
        goto failed;
    }

    for (i = 0; i < conf->ntcp; i++) {
        if (tgn_http_listen_tcp(app->http, &conf->tcp[i], NULL, &error)
            != TG_OK)
        {
            goto failed;
        }
    }

    return true;

failed:

    authd_log(&app->authd->log, AUTHD_LOG_ERROR, "links: %s", error.text);

    return false;
}


static void
on_watch(tgn_timer_t *timer, void *data)
{
    authd_links_t  *app;

    app = data;

    if (app->status == NULL) {
        app->status = tgn_localapi_status(app->localapi, on_status, app);
    }

    tgn_timer_start(timer, app->own_known ? WATCH_MSEC : WATCH_FIRST, 0);
}


/* What a node that does not answer had before, it still has. */

static void
on_status(const tgn_localapi_answer_t *answer, void *data)
{
    tg_self_t       self;
    tg_alloc_t      alloc;
    tg_error_t      error;
    tg_arena_t     *arena;
    authd_links_t  *app;

    app = data;
    app->status = NULL;

    arena = tg_arena_new(TG_WHOIS_BODY_MAX);

    if (arena == NULL) {
        return;
    }

    alloc = tg_arena_allocator(arena);
    memset(&self, 0, sizeof(self));

    if (answer->status != TGN_LOCALAPI_OK) {
        tell(app, answer->error);

    } else if (answer->code != 200
               || tg_status_parse(answer->body, answer->len, &alloc, &self,
                                  &error)
                  != TG_OK)
    {
        tell(app, "tailscaled does not tell its addresses");

    } else if (self.naddrs != 0) {
        own_set(app, &self);
    }

    tg_arena_free(&arena);
}


static void
own_set(authd_links_t *app, const tg_self_t *self)
{
    size_t     i, n;
    tg_addr_t  own[AUTHD_LINKS_OWN_MAX];

    n = self->naddrs < AUTHD_LINKS_OWN_MAX ? self->naddrs
                                           : AUTHD_LINKS_OWN_MAX;
    memcpy(own, self->addrs, n * sizeof(tg_addr_t));

    for (i = 0; i < app->nown; i++) {
        if (!has(own, n, &app->own[i])) {
            own_unlisten(app, &app->own[i]);
        }
    }

    memcpy(app->own, own, n * sizeof(tg_addr_t));

    app->nown = n;
    app->own_known = true;

    for (i = 0; i < n; i++) {
        own_listen(app, &own[i]);
    }
}


/* One that is not the machine's (yet) is tried again at the next look. */

static void
own_listen(authd_links_t *app, const tg_addr_t *addr)
{
    char                       text[TG_ADDR_TEXT_MAX];
    size_t                     i, k;
    bool                       open;
    tg_addr_t                  want, is;
    tg_error_t                 error;
    const authd_links_conf_t  *conf;

    conf = &app->authd->conf->links;

    for (i = 0; i < conf->nports; i++) {
        want = *addr;
        want.port = conf->ports[i];
        open = false;

        for (k = 0; tgn_http_listener_addr(app->http, k, &is) == TG_OK; k++) {
            open = open || (tg_addr_equal(&is, &want) && is.port == want.port);
        }

        if (open) {
            continue;
        }

        if (tgn_http_listen_tailnet(app->http, &want, NULL, &error) != TG_OK) {
            tell(app, error.text);
            continue;
        }

        (void) tg_addr_format(&want, true, text);
        authd_log(&app->authd->log, AUTHD_LOG_INFO, "links: listening on %s",
                  text);
    }
}


static void
own_unlisten(authd_links_t *app, const tg_addr_t *addr)
{
    char                       text[TG_ADDR_TEXT_MAX];
    size_t                     i;
    tg_addr_t                  is;
    const authd_links_conf_t  *conf;

    conf = &app->authd->conf->links;

    for (i = 0; i < conf->nports; i++) {
        is = *addr;
        is.port = conf->ports[i];

        tgn_http_unlisten_addr(app->http, &is);

        (void) tg_addr_format(&is, true, text);
        authd_log(&app->authd->log, AUTHD_LOG_INFO, "links: %s is no address"
                  " of this node any more", text);
    }
}


static bool
has(const tg_addr_t *addrs, size_t n, const tg_addr_t *addr)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (tg_addr_equal(&addrs[i], addr)) {
            return true;
        }
    }

    return false;
}


/* One line about a fault, not one a look. */

static void
tell(authd_links_t *app, const char *text)
{
    if (app->authd->conf->links.nports == 0
        || strncmp(app->fault, text, sizeof(app->fault) - 1) == 0)
    {
        return;
    }

    (void) snprintf(app->fault, sizeof(app->fault), "%s", text);

    authd_log(&app->authd->log, AUTHD_LOG_WARN, "links: %s", text);
}
