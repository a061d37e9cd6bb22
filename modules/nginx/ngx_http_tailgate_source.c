
/*
 * Copyright (C) The Tailgate authors
 *
 * Where a request comes from: what the kernel says of its connection, before
 * realip rewrites it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_tailgate_module.h"


/* linux/in6.h, which cannot be included beside netinet/in.h */

#define NGX_HTTP_TAILGATE_IPV6_PKTOPTIONS  6


/* Sources that were warned about, by hash: one line an hour for each. */

#define NGX_HTTP_TAILGATE_WARNED      256
#define NGX_HTTP_TAILGATE_WARNED_AGE  3600

typedef struct {
    tg_addr_t                   addr;
    time_t                      time;
} ngx_http_tailgate_warned_t;


static void ngx_http_tailgate_source_fill(ngx_http_request_t *r,
    ngx_connection_t *c, ngx_http_tailgate_connection_t *tc)
    NGX_HTTP_TAILGATE_SELDOM;
static ngx_http_tailgate_connection_t *ngx_http_tailgate_connection(
    ngx_connection_t *c);
static ngx_http_tailgate_connection_t *ngx_http_tailgate_connection_create(
    ngx_connection_t *c) NGX_HTTP_TAILGATE_SELDOM;
static void ngx_http_tailgate_connection_cleanup(void *data);
static ngx_uint_t ngx_http_tailgate_wrong_interface(ngx_connection_t *c,
    ngx_str_t *name) NGX_HTTP_TAILGATE_SELDOM;
static ngx_uint_t ngx_http_tailgate_interface_index(ngx_connection_t *c);


static ngx_http_tailgate_warned_t
    ngx_http_tailgate_warned[NGX_HTTP_TAILGATE_WARNED];


ngx_int_t
ngx_http_tailgate_source_capture(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
{
    ngx_connection_t                *c;
    ngx_http_tailgate_srv_conf_t    *scf;
    ngx_http_tailgate_connection_t  *tc;

    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    c = ngx_http_tailgate_real_connection(r);

    tc = ngx_http_tailgate_connection(c);
    if (tc == NULL) {
        return NGX_ERROR;
    }

    record->connection = tc;
    record->sockaddr = r->connection->sockaddr;

    if (scf->interface.len && tc->interface != &scf->interface) {
        tc->interface = &scf->interface;
        tc->wrong_interface = ngx_http_tailgate_wrong_interface(c,
                                                             &scf->interface);
    }

    if (scf->interface.len && tc->wrong_interface) {
        record->wrong_interface = 1;
    }

#if (nginx_version >= 1025000 && (NGX_QUIC || NGX_COMPAT))

    if (r->connection->quic) {
        record->no_address = 1;
        return NGX_OK;
    }

#endif

    if (tc->sockaddr != c->sockaddr) {
        ngx_http_tailgate_source_fill(r, c, tc);
    }

    return NGX_OK;
}


/* What a connection tells is the same for all of its requests. */

static void
ngx_http_tailgate_source_fill(ngx_http_request_t *r, ngx_connection_t *c,
    ngx_http_tailgate_connection_t *tc)
{
    tg_source_t           *source;
    ngx_proxy_protocol_t  *pp;

    source = &tc->source;

    /* what is not understood stays TG_ADDR_NONE: a stranger */

    (void) tg_addr_from_sockaddr(&source->peer, c->sockaddr, c->socklen);

    source->proxy_listener = r->http_connection->addr_conf->proxy_protocol;
    source->proxied.family = TG_ADDR_NONE;

    pp = c->proxy_protocol;

    if (pp && tg_addr_parse(&source->proxied, (char *) pp->src_addr.data,
                            pp->src_addr.len)
              == TG_OK)
    {
        source->proxied.port = pp->src_port;
    }

    tc->sockaddr = c->sockaddr;
}


/* The same, with what realip has made of it since. */

void
ngx_http_tailgate_source_current(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, tg_source_t *source)
{
    *source = record->connection->source;
    source->wrong_interface = record->wrong_interface;

    if (r->connection->sockaddr != record->sockaddr) {

        source->rewritten = 1;

        (void) tg_addr_from_sockaddr(&source->forwarded,
                                     r->connection->sockaddr,
                                     r->connection->socklen);
    }
}


void
ngx_http_tailgate_question(ngx_http_request_t *r, ngx_http_tailgate_ctx_t *ctx,
    tg_question_t *question)
{
    tg_source_t                     source;
    tg_source_rules_t               rules;
    ngx_http_tailgate_self_t       *self;
    ngx_http_tailgate_srv_conf_t   *scf;
    ngx_http_tailgate_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_tailgate_module);
    scf = ngx_http_get_module_srv_conf(r, ngx_http_tailgate_module);

    ngx_memzero(&rules, sizeof(tg_source_rules_t));

    if (scf->trusted) {
        rules.trusted = scf->trusted->elts;
        rules.ntrusted = scf->trusted->nelts;
    }

    rules.trusted_unix = scf->trusted_unix;

    if (mcf->services) {
        rules.services = mcf->services->elts;
        rules.nservices = mcf->services->nelts;
    }

    if (ctx->self_asked && !ctx->waiter->failed) {
        self = mcf->node->self;

    } else {
        self = ngx_http_tailgate_self(mcf->node, NGX_HTTP_TAILGATE_SELF_AGE);
    }

    if (self) {
        rules.self = &self->self;
    }

    ngx_http_tailgate_source_current(r, ctx->record, &source);
    tg_source_question(&source, &rules, question);
}


/*
 * What is kept with a connection; made with its first guarded request, so that
 * the kernel is asked once.
 */

static ngx_http_tailgate_connection_t *
ngx_http_tailgate_connection(ngx_connection_t *c)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = c->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_tailgate_connection_cleanup) {
            return cln->data;
        }
    }

    return ngx_http_tailgate_connection_create(c);
}


static ngx_http_tailgate_connection_t *
ngx_http_tailgate_connection_create(ngx_connection_t *c)
{
    ngx_pool_cleanup_t              *cln;
    ngx_http_tailgate_connection_t  *tc;

    if (ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool,
                               sizeof(ngx_http_tailgate_connection_t));
    if (cln == NULL) {
        return NULL;
    }

    tc = cln->data;
    ngx_memzero(tc, sizeof(ngx_http_tailgate_connection_t));

    (void) tg_addr_from_sockaddr(&tc->source.local, c->local_sockaddr,
                                 c->local_socklen);

    cln->handler = ngx_http_tailgate_connection_cleanup;

    return tc;
}


static void
ngx_http_tailgate_connection_cleanup(void *data)
{
    ngx_http_tailgate_connection_t  *tc = data;

    if (tc->peer) {
        ngx_http_tailgate_peer_release(tc->peer);
    }
}


/*
 * The interface is looked up by name for each connection: a tunnel's may come
 * and go.  One that is not there is the wrong one.
 */

static ngx_uint_t
ngx_http_tailgate_wrong_interface(ngx_connection_t *c, ngx_str_t *name)
{
    ngx_uint_t  index;

    if (c->sockaddr->sa_family == AF_UNIX) {
        return 0;
    }

    index = ngx_http_tailgate_interface_index(c);

    return index == 0 || index != if_nametoindex((char *) name->data);
}


/*
 * The interface by which the handshake came in, 0 if it cannot be told.  The
 * kernel keeps it with the connection and tells it as a control message.
 */

static ngx_uint_t
ngx_http_tailgate_interface_index(ngx_connection_t *c)
{
    int                   on, level, info, type;
    u_char                buf[512];
    socklen_t             len;
    struct msghdr         msg;
    struct cmsghdr       *cmsg;
    struct in_pktinfo     v4;
    struct in6_pktinfo    v6;

    if (c->local_sockaddr->sa_family == AF_INET6) {
        level = IPPROTO_IPV6;
        info = IPV6_RECVPKTINFO;
        type = NGX_HTTP_TAILGATE_IPV6_PKTOPTIONS;

    } else {
        level = IPPROTO_IP;
        info = IP_PKTINFO;
        type = IP_PKTOPTIONS;
    }

    on = 1;
    len = sizeof(buf);

    if (setsockopt(c->fd, level, info, &on, sizeof(int)) == -1
        || getsockopt(c->fd, level, type, buf, &len) == -1)
    {
        ngx_log_error(NGX_LOG_ERR, c->log, ngx_socket_errno,
                      "tailgate_interface: the kernel does not tell the "
                      "interface of a connection");
        return 0;
    }

    ngx_memzero(&msg, sizeof(struct msghdr));
    msg.msg_control = buf;
    msg.msg_controllen = len;

    for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {

        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO
            && cmsg->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo)))
        {
            ngx_memcpy(&v4, CMSG_DATA(cmsg), sizeof(struct in_pktinfo));
            return v4.ipi_ifindex;
        }

        if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO
            && cmsg->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo)))
        {
            ngx_memcpy(&v6, CMSG_DATA(cmsg), sizeof(struct in6_pktinfo));
            return v6.ipi6_ifindex;
        }
    }

    return 0;
}


/* One line an hour for each source. */

void
ngx_http_tailgate_source_warn(ngx_http_request_t *r, const tg_source_t *source)
{
    char                         peer[TG_ADDR_TEXT_MAX];
    char                         local[TG_ADDR_TEXT_MAX];
    ngx_uint_t                   hash;
    ngx_http_tailgate_warned_t  *warned;

    hash = ngx_crc32_short((u_char *) source->peer.bytes,
                           sizeof(source->peer.bytes));
    warned = &ngx_http_tailgate_warned[hash % NGX_HTTP_TAILGATE_WARNED];

    if (tg_addr_equal(&warned->addr, &source->peer)
        && ngx_time() - warned->time < NGX_HTTP_TAILGATE_WARNED_AGE)
    {
        return;
    }

    warned->addr = source->peer;
    warned->time = ngx_time();

    (void) tg_addr_format(&source->peer, 0, peer);
    (void) tg_addr_format(&source->local, 0, local);

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "tailgate: the source %s is in the tailnet ranges, but came "
                  "to %s, which is no tailnet address of this node: a "
                  "stranger, and a forger if it did not come by a Tailscale "
                  "Service (see tailgate_service)", peer, local);
}
