
/*
 * Copyright (C) The Tailgate authors
 *
 * Where a request comes from: by a listed proxy's word on the Unix socket and
 * on loopback, else by the connection itself.
 */

#include "authd/app/links/app.h"
#include "authd/source.h"

#include <string.h>
#include <strings.h>


static bool is_sender(const authd_links_t *app, const tgn_request_t *r);
static bool read_sender(authd_links_t *app, tgn_request_t *r,
    authd_links_from_t *from);
static bool is_own(const authd_links_t *app, const tg_addr_t *addr);
static void judge(const authd_links_t *app, authd_links_from_t *from,
    bool stated);
static tg_str_t without_port(tg_str_t host);


bool
authd_links_from(authd_links_t *app, tgn_request_t *r,
    authd_links_from_t *from)
{
    const authd_links_conf_t  *conf;

    conf = &app->authd->conf->links;

    memset(from, 0, sizeof(authd_links_from_t));

    if (!authd_links_host_listed(&conf->hosts, r->host)) {
        app->counts.misdirected++;
        authd_links_refuse(r, 421, "the Host is not one of links.hosts");
        return false;
    }

    if (is_sender(app, r)) {

        if (!read_sender(app, r, from)) {
            return false;
        }

        judge(app, from, true);

        return true;
    }

    if (r->peer->addr.family == TG_ADDR_UNIX) {
        app->counts.unlisted++;
        authd_links_refuse(r, 403, "the sender is not one of listen.senders");
        return false;
    }

    from->source = r->peer->addr;
    from->local = r->peer->local;
    from->has_local = true;

    judge(app, from, false);

    return true;
}


/* Both forms of a host are listed without a port that is its scheme's own. */

bool
authd_links_host_listed(const authd_words_t *hosts, tg_str_t host)
{
    size_t  i;

    host = without_port(host);

    for (i = 0; i < hosts->n; i++) {
        if (hosts->items[i].len == host.len
            && strncasecmp(hosts->items[i].data, host.data, host.len) == 0)
        {
            return true;
        }
    }

    return false;
}


tg_str_t
authd_links_site(const authd_links_call_t *call)
{
    const authd_words_t  *hosts;

    hosts = &call->app->authd->conf->links.hosts;

    if (hosts->n == 0) {
        return (tg_str_t) TG_NULL_STR;
    }

    return authd_links_format(&call->alloc, "%s://%.*s",
                 authd_links_host_listed(&call->app->authd->conf->links.https,
                                         hosts->items[0])
                 ? "https" : "http",
                 (int) hosts->items[0].len, hosts->items[0].data);
}


/* On a tailnet address everybody is a client, whoever is listed. */

static bool
is_sender(const authd_links_t *app, const tgn_request_t *r)
{
    return (r->peer->addr.family == TG_ADDR_UNIX
            || tg_addr_is_loopback(&r->peer->local))
           && authd_sender_listed(&app->authd->conf->senders, r->peer);
}


static bool
read_sender(authd_links_t *app, tgn_request_t *r, authd_links_from_t *from)
{
    tg_str_t     proto;
    const char  *what;

    if (authd_source_read(r, AUTHD_SOURCE_REMOTE, &from->source, &what)
        != TG_OK
        || authd_source_local(r, AUTHD_SOURCE_REMOTE, &from->local,
                              &from->has_local, &what)
           != TG_OK)
    {
        app->counts.malformed++;
        authd_links_refuse(r, 400, what);
        return false;
    }

    from->tls = authd_header_one(r, "X-Forwarded-Proto", &proto) == TG_OK
                && authd_links_equal(proto, "https");

    return true;
}


static void
judge(const authd_links_t *app, authd_links_from_t *from, bool stated)
{
    if (app->authd->conf->links.strangers) {
        from->known = true;

    } else if (tg_addr_is_tailnet(&from->source)) {
        from->known = (stated && !from->has_local)
                      || (app->own_known && is_own(app, &from->local));

    } else {
        /* what comes from loopback may be passed on by tailscaled */
        from->stranger = !tg_addr_is_loopback(&from->source);
    }
}


static bool
is_own(const authd_links_t *app, const tg_addr_t *addr)
{
    size_t                 i;
    const authd_config_t  *conf;

    for (i = 0; i < app->nown; i++) {
        if (tg_addr_equal(&app->own[i], addr)) {
            return true;
        }
    }

    conf = app->authd->conf;

    for (i = 0; i < conf->nservices; i++) {
        if (tg_addr_equal(&conf->services[i].addr, addr)) {
            return true;
        }
    }

    return false;
}


static tg_str_t
without_port(tg_str_t host)
{
    size_t  i;

    static const char *const  ports[] = { ":80", ":443" };

    for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        if (host.len > strlen(ports[i])
            && memcmp(host.data + host.len - strlen(ports[i]), ports[i],
                      strlen(ports[i]))
               == 0)
        {
            host.len -= strlen(ports[i]);
            break;
        }
    }

    return host;
}
