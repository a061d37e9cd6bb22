
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/server.h"
#include "authd/app/forward/forward.h"
#include "authd/app/links/links.h"
#include "authd/app/metrics/metrics_app.h"
#include "authd/app/status/status.h"
#include "authd/app/whoami/whoami.h"
#include "authd/exchange.h"
#include "authd/notify.h"
#include "authd/reload.h"
#include "authd/senders.h"
#include "tailgate_config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


typedef struct {
    authd_t        authd;
    tgn_signal_t  *signals[3];
    tgn_timer_t   *watchdog;
    bool           stopping;
} server_t;


static bool server_init(server_t *server, const char *file);
static bool server_http(authd_t *authd);
static bool server_listen(authd_t *authd);
static bool server_tcp(authd_t *authd);
static bool server_activated(authd_t *authd, int n);
static bool server_signals(server_t *server);
static void server_greet(const authd_t *authd);
static void server_free(server_t *server);
static void server_stop(server_t *server);
static void server_stopped(void *data);
static void server_ended(void *data);
static void on_signal(int signo, void *data);
static void on_watchdog(tgn_timer_t *timer, void *data);
static void on_request(tgn_request_t *r, void *data);
static bool on_body(const tgn_request_t *r, void *data);
static int on_connection(const tgn_peer_t *peer, void *listener, void *data);
static void on_refused(const tgn_peer_t *peer, int status, const char *reason,
    void *data);
static void on_log(tgn_http_log_t level, const tgn_peer_t *peer,
    const char *text, void *data);
static const authd_route_t *route_find(tg_str_t path);
static bool route_match(const authd_route_t *route, tg_str_t path);


int
authd_server_run(const char *file)
{
    int        rc;
    server_t  *server;

    rc = EXIT_FAILURE;

    server = calloc(1, sizeof(server_t));

    if (server == NULL || !server_init(server, file)) {
        goto out;
    }

    server_greet(&server->authd);
    (void) authd_notify_ready("answering");

    if (tgn_loop_run(server->authd.loop) == TG_OK) {
        rc = EXIT_SUCCESS;
    }

    tgn_signal_hold();

out:

    server_free(server);

    return rc;
}


static bool
server_init(server_t *server, const char *file)
{
    authd_t  *authd;

    authd = &server->authd;
    authd->file = file;
    authd->audit.fd = -1;

    authd_log_init(&authd->log);

    if (!authd_begin(authd)) {
        return false;
    }

    if (getrandom(&authd->id_base, sizeof(authd->id_base), 0)
        != sizeof(authd->id_base))
    {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "no random bytes: %s",
                  strerror(errno));
        return false;
    }

    (void) signal(SIGPIPE, SIG_IGN);

    authd->loop = tgn_loop_new();

    if (authd->loop != NULL) {
        authd->identify = authd_identify_new(authd->loop, authd->conf,
                                             &authd->log, &authd->metrics);
    }

    if (authd->identify == NULL) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "out of memory or"
                  " descriptors");
        return false;
    }

    /* who sees it listen may send a signal at once */

    if (!server_http(authd) || !server_signals(server)
        || !server_listen(authd) || !authd_links_start(authd, &authd->links))
    {
        return false;
    }

    authd_limits(authd);

    return true;
}


static bool
server_http(authd_t *authd)
{
    tgn_http_conf_t  conf;

    memset(&conf, 0, sizeof(conf));

    conf.limits = authd->conf->limits;
    conf.handler = on_request;
    conf.want_body = on_body;
    conf.classify = on_connection;
    conf.refused = on_refused;
    conf.log = on_log;
    conf.data = authd;

    authd->http = tgn_http_new(authd->loop, &conf);

    if (authd->http == NULL) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "out of memory");
        return false;
    }

    return true;
}


static bool
server_listen(authd_t *authd)
{
    int                    n;
    tg_error_t             error;
    const authd_config_t  *conf;

    conf = authd->conf;

    n = authd_listen_fds();

    if (n != 0) {
        return server_activated(authd, n);
    }

    if (conf->unix_path == NULL && !conf->has_tcp) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "there is nothing to listen"
                  " on: set listen.unix or listen.tcp in %s", authd->file);
        return false;
    }

    if (conf->unix_path != NULL
        && tgn_http_listen_unix(authd->http, conf->unix_path,
                                conf->unix_mode, (uid_t) -1,
                                conf->unix_group, NULL, &error)
           != TG_OK)
    {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "%s", error.text);
        return false;
    }

    return server_tcp(authd);
}


static bool
server_tcp(authd_t *authd)
{
    tg_error_t             error;
    const authd_config_t  *conf;

    conf = authd->conf;

    if (conf->has_tcp
        && tgn_http_listen_tcp(authd->http, &conf->tcp_addr, NULL, &error)
           != TG_OK)
    {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "%s", error.text);
        return false;
    }

    return true;
}


/*
 * systemd's sockets stand for listen.unix, and one of TCP for listen.tcp.  The
 * shipped unit passes a Unix socket alone, which says nothing about TCP.
 */

static bool
server_activated(authd_t *authd, int n)
{
    int         i;
    bool        tcp;
    tg_addr_t   addr;
    tg_error_t  error;

    if (n < 0) {
        authd_log(&authd->log, AUTHD_LOG_ERROR, "LISTEN_PID and LISTEN_FDS"
                  " make no sense");
        return false;
    }

    for (i = 0; i < n; i++) {
        if (tgn_http_listen_fd(authd->http, AUTHD_LISTEN_FDS_START + i, NULL,
                               &error)
            != TG_OK)
        {
            authd_log(&authd->log, AUTHD_LOG_ERROR, "inherited socket %d: %s",
                      AUTHD_LISTEN_FDS_START + i, error.text);
            return false;
        }
    }

    tcp = false;

    for (i = 0;
         tgn_http_listener_addr(authd->http, (size_t) i, &addr) == TG_OK; i++)
    {
        tcp = tcp || addr.family != TG_ADDR_UNIX;
    }

    return tcp || server_tcp(authd);
}


static bool
server_signals(server_t *server)
{
    size_t    i;
    uint64_t  msec;

    static const int  numbers[] = { SIGTERM, SIGINT, SIGHUP };

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        server->signals[i] = tgn_signal_new(server->authd.loop, numbers[i],
                                            on_signal, server);
        if (server->signals[i] == NULL) {
            goto failed;
        }
    }

    msec = authd_notify_watchdog();

    if (msec != 0) {
        server->watchdog = tgn_timer_new(server->authd.loop, on_watchdog,
                                         server);
        if (server->watchdog == NULL) {
            goto failed;
        }

        tgn_timer_start(server->watchdog, msec, msec);
    }

    return true;

failed:

    authd_log(&server->authd.log, AUTHD_LOG_ERROR, "out of memory");

    return false;
}


static void
server_greet(const authd_t *authd)
{
    char                   text[TG_ADDR_TEXT_MAX];
    size_t                 i;
    tg_addr_t              addr;
    const authd_config_t  *conf;

    conf = authd->conf;

    authd_log(&authd->log, AUTHD_LOG_INFO, "tailgate-authd %s, tailscaled at"
              " %s", TAILGATE_VERSION, conf->localapi);

    for (i = 0; tgn_http_listener_addr(authd->http, i, &addr) == TG_OK; i++) {

        if (addr.family == TG_ADDR_UNIX) {
            authd_log(&authd->log, AUTHD_LOG_INFO, "listening on %s",
                      conf->unix_path ? conf->unix_path : "a Unix socket");
            continue;
        }

        (void) tg_addr_format(&addr, true, text);
        authd_log(&authd->log, AUTHD_LOG_INFO, "listening on %s", text);
    }

    if (conf->policy == AUTHD_POLICY_NONE) {
        authd_log(&authd->log, AUTHD_LOG_WARN, "every request will be denied:"
                  " %s has no policy; \"policy: member\" lets the members of"
                  " the tailnet pass", authd->file);
    }

    authd_tell_policy(authd);

    if (conf->senders.nuids + conf->senders.ngids + conf->senders.ncidrs
        == 0)
    {
        authd_log(&authd->log, AUTHD_LOG_WARN, "every request will be"
                  " refused: listen.senders lists nobody");
    }
}


static void
server_free(server_t *server)
{
    size_t    i;
    authd_t  *authd;

    if (server == NULL) {
        return;
    }

    authd = &server->authd;

    tgn_http_free(&authd->http);
    authd_links_free(&authd->links);
    authd_identify_free(&authd->identify);

    for (i = 0; i < sizeof(server->signals) / sizeof(server->signals[0]); i++)
    {
        tgn_signal_free(&server->signals[i]);
    }

    tgn_timer_free(&server->watchdog);
    tgn_loop_free(&authd->loop);

    authd_end(authd);

    free(server);
}


static void
server_stop(server_t *server)
{
    authd_t  *authd;

    authd = &server->authd;

    if (server->stopping) {
        authd_log(&authd->log, AUTHD_LOG_WARN, "stopping at once");
        tgn_loop_stop(authd->loop);
        return;
    }

    server->stopping = true;

    (void) authd_notify("STOPPING=1");
    authd_log(&authd->log, AUTHD_LOG_INFO, "stopping");

    tgn_http_stop(authd->http, server_stopped, server);
}


static void
server_stopped(void *data)
{
    server_t  *server;

    server = data;

    authd_links_stop(server->authd.links, server_ended, server);
}


static void
server_ended(void *data)
{
    server_t  *server;

    server = data;

    tgn_loop_stop(server->authd.loop);
}


static void
on_signal(int signo, void *data)
{
    server_t  *server;

    server = data;

    if (signo != SIGHUP) {
        server_stop(server);

    } else if (!server->stopping) {
        authd_reload(&server->authd);
        authd_links_configured(server->authd.links);
    }
}


static void
on_watchdog(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    (void) authd_notify("WATCHDOG=1");
}


static void
on_request(tgn_request_t *r, void *data)
{
    authd_t              *authd;
    tg_str_t              value;
    const authd_route_t  *route;

    authd = data;
    route = route_find(r->path);

    if (route != NULL) {
        route->handle(authd, r);
        return;
    }

    /*
     * nginx-auth answers at every path, and the path of a configuration that
     * was written for it is its location's.
     */

    if ((r->path.len < 4 || memcmp(r->path.data, "/v1/", 4) != 0)
        && tgn_request_header(r, "Remote-Addr", 0, &value))
    {
        authd_nginx_auth(authd, r);
        return;
    }

    authd_answer_text(r, 404, "there is no such endpoint, see"
                      " tailgate-authd(8)");
}


/*
 * nginx passes on the Content-Length of a body that it does not send: whoever
 * waited for it would wait until the timeout.
 */

static bool
on_body(const tgn_request_t *r, void *data)
{
    (void) r;
    (void) data;

    return false;
}


static int
on_connection(const tgn_peer_t *peer, void *listener, void *data)
{
    authd_t  *authd;

    (void) listener;

    authd = data;

    return authd_sender_class(&authd->conf->senders, peer);
}


static void
on_refused(const tgn_peer_t *peer, int status, const char *reason, void *data)
{
    authd_t  *authd;

    authd = data;

    authd_exchange_malformed(authd, peer, status, reason);

    if (authd->audit.fd == -1) {
        on_log(TGN_HTTP_LOG_INFO, peer, reason, authd);
    }
}


static void
on_log(tgn_http_log_t level, const tgn_peer_t *peer, const char *text,
    void *data)
{
    char      addr[TG_ADDR_TEXT_MAX];
    authd_t  *authd;

    authd = data;

    if (peer == NULL) {
        authd_log(&authd->log, level == TGN_HTTP_LOG_ERROR ? AUTHD_LOG_ERROR
                                                           : AUTHD_LOG_INFO,
                  "%s", text);
        return;
    }

    (void) tg_addr_format(&peer->addr, true, addr);

    authd_log(&authd->log, level == TGN_HTTP_LOG_ERROR ? AUTHD_LOG_ERROR
                                                       : AUTHD_LOG_INFO,
              "sender %s, uid %d: %s", addr,
              peer->has_cred ? (int) peer->uid : -1, text);
}


static const authd_route_t *
route_find(tg_str_t path)
{
    size_t                i, j, n;
    const authd_route_t  *routes;

    static const authd_route_t *(*const apps[])(size_t *n) = {
        authd_forward_routes,
        authd_whoami_routes,
        authd_metrics_endpoints,
        authd_status_routes
    };

    for (i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {

        routes = apps[i](&n);

        for (j = 0; j < n; j++) {
            if (route_match(&routes[j], path)) {
                return &routes[j];
            }
        }
    }

    return NULL;
}


static bool
route_match(const authd_route_t *route, tg_str_t path)
{
    size_t  len;

    len = strlen(route->path);

    if (path.len < len || memcmp(path.data, route->path, len) != 0) {
        return false;
    }

    return path.len == len || route->path[len - 1] == '/';
}
