
/*
 * Copyright (C) The Tailgate authors
 *
 * The life of the links: the store, the index that follows it, the server.
 */

#include "authd/app/links/app.h"

#include <stdlib.h>
#include <string.h>


/* Bytes of a body: of most requests, and of an import. */

#define BODY_MAX  (8 * 1024 * 1024)


static bool links_open(authd_links_t *app);
static bool links_http(authd_links_t *app);
static void links_limits(authd_links_t *app);
static void on_changed(void *data, const authd_store_news_t *news, size_t n);
static void on_reset(void *data);
static void on_state(void *data, bool works, const char *text);
static void on_refused(const tgn_peer_t *peer, int status, const char *reason,
    void *data);
static void on_log(tgn_http_log_t level, const tgn_peer_t *peer,
    const char *text, void *data);


bool
authd_links_start(authd_t *authd, authd_links_t **links)
{
    authd_links_t             *app;
    const authd_links_conf_t  *conf;

    *links = NULL;
    conf = &authd->conf->links;

    if (conf->unix_path == NULL && conf->ntcp == 0 && conf->nports == 0) {
        return true;
    }

    app = calloc(1, sizeof(authd_links_t));

    if (app == NULL) {
        goto failed;
    }

    app->authd = authd;
    app->index = authd_links_index_new();
    app->people = authd_links_people_new(authd->loop, authd->conf);
    app->scratch = malloc(AUTHD_LINKS_SCRATCH);

    if (app->index == NULL || app->people == NULL || app->scratch == NULL) {
        goto failed;
    }

    if (!links_open(app) || !links_http(app) || !authd_links_flush_start(app)
        || !authd_links_turns_start(app) || !authd_links_listen(app))
    {
        authd_links_free(&app);
        return false;
    }

    links_limits(app);

    authd_log(&authd->log, AUTHD_LOG_INFO, "links: %zu of them in %s",
              authd_links_index_n(app->index),
              authd_store_engine(app->store));

    *links = app;

    return true;

failed:

    authd_log(&authd->log, AUTHD_LOG_ERROR, "links: out of memory");
    authd_links_free(&app);

    return false;
}


void
authd_links_configured(authd_links_t *app)
{
    if (app == NULL) {
        return;
    }

    links_limits(app);

    if (!authd_links_people_configure(app->people, app->authd->conf)) {
        authd_log(&app->authd->log, AUTHD_LOG_ERROR, "links: out of memory");
    }
}


void
authd_links_stop(authd_links_t *app, void (*done)(void *data), void *data)
{
    if (app == NULL) {
        done(data);
        return;
    }

    authd_links_unwatch(app);
    tgn_http_stop(app->http, done, data);
}


/* The store answers what is queued in authd_store_close(). */

void
authd_links_free(authd_links_t **links)
{
    authd_links_t  *app;

    app = *links;

    if (app == NULL) {
        return;
    }

    *links = NULL;

    authd_links_unwatch(app);
    tgn_http_free(&app->http);
    authd_links_turns_stop(app);
    tgn_timer_free(&app->flush);
    authd_links_people_free(&app->people);

    if (app->store != NULL && app->flushed != NULL) {
        authd_links_flush(app);
    }

    authd_store_close(&app->store);
    authd_links_index_free(&app->index);

    explicit_bzero(app->secret, sizeof(app->secret));
    free(app->flushed);
    free(app->scratch);
    free(app);
}


static bool
links_open(authd_links_t *app)
{
    tg_error_t             error;
    authd_store_handler_t  handler;

    handler.changed = on_changed;
    handler.reset = on_reset;
    handler.state = on_state;
    handler.data = app;

    error.text[0] = '\0';

    if (authd_store_open(&app->store, app->authd->conf->links.store,
                         app->authd->loop, &handler, &error)
        == TG_OK
        && authd_store_secret(app->store, "form-token", app->secret, &error)
           == TG_OK
        && authd_store_start(app->store, &error) == TG_OK)
    {
        return true;
    }

    authd_log(&app->authd->log, AUTHD_LOG_ERROR, "links: %s", error.text);

    return false;
}


static bool
links_http(authd_links_t *app)
{
    tgn_http_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    conf.limits = app->authd->conf->limits;
    conf.limits.body = BODY_MAX;
    conf.limits.backlog = 64 * BODY_MAX;
    conf.handler = authd_links_request;
    conf.want_body = authd_links_want_body;
    conf.refused = on_refused;
    conf.log = on_log;
    conf.data = app;

    app->http = tgn_http_new(app->authd->loop, &conf);

    if (app->http == NULL) {
        authd_log(&app->authd->log, AUTHD_LOG_ERROR, "links: out of memory");
        return false;
    }

    return true;
}


static void
links_limits(authd_links_t *app)
{
    tgn_http_limits_t  limits;

    limits = app->authd->conf->limits;
    limits.body = BODY_MAX;
    limits.backlog = 64 * BODY_MAX;

    tgn_http_set_limits(app->http, &limits);
}


static void
on_changed(void *data, const authd_store_news_t *news, size_t n)
{
    size_t          i;
    authd_links_t  *app;

    app = data;

    for (i = 0; i < n; i++) {
        if (!authd_links_index_news(app->index, &news[i])) {
            authd_log(&app->authd->log, AUTHD_LOG_ERROR, "links: no memory for"
                      " \"%.*s\": it is not served as it is stored",
                      (int) news[i].id.len, news[i].id.data);
        }
    }
}


static void
on_reset(void *data)
{
    authd_links_t  *app;

    app = data;

    authd_links_index_clear(app->index);
}


static void
on_state(void *data, bool works, const char *text)
{
    authd_links_t  *app;

    app = data;

    authd_log(&app->authd->log, works ? AUTHD_LOG_INFO : AUTHD_LOG_ERROR,
              "links: %s%s", works ? "the store works again"
                                   : "nothing can be changed: ",
              works ? "" : text);
}


static void
on_refused(const tgn_peer_t *peer, int status, const char *reason, void *data)
{
    authd_links_t  *app;

    (void) status;

    app = data;
    app->counts.malformed++;

    on_log(TGN_HTTP_LOG_INFO, peer, reason, data);
}


static void
on_log(tgn_http_log_t level, const tgn_peer_t *peer, const char *text,
    void *data)
{
    char            addr[TG_ADDR_TEXT_MAX] = "-";
    authd_links_t  *app;

    app = data;

    if (peer != NULL) {
        (void) tg_addr_format(&peer->addr, true, addr);
    }

    authd_log(&app->authd->log, level == TGN_HTTP_LOG_ERROR ? AUTHD_LOG_ERROR
                                                            : AUTHD_LOG_DEBUG,
              "links: %s: %s", addr, text);
}
