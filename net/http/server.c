
/*
 * Copyright (C) The Tailgate authors
 *
 * The server as a whole: who is connected, what each one waits for, and the
 * way to the end.  Everything that waits for the same thing waits equally
 * long, so a queue per kind is sorted by itself, and one timer serves all.
 */

#include <net/http/http.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>


#define LINGER_TIMEOUT  2000
#define ACCEPT_PAUSE     500
#define TOLD_AGAIN     60000


static void expire(tgn_timer_t *timer, void *data);
static void resume(tgn_timer_t *timer, void *data);
static void drained(tgn_timer_t *timer, void *data);


void
tgn_http_limits(tgn_http_limits_t *limits)
{
    memset(limits, 0, sizeof(tgn_http_limits_t));

    limits->target = 16384;
    limits->head = 65536;
    limits->headers = TGN_HTTP_HEADERS_MAX;
    limits->body = 65536;
    limits->requests = 10000;
    limits->connections = 16384;
    limits->backlog = 4194304;
    limits->head_timeout = 10000;
    limits->body_timeout = 10000;
    limits->idle_timeout = 75000;
    limits->write_timeout = 10000;
    limits->drain_timeout = 10000;
}


void
tgn_http_set_limits(tgn_http_t *http, const tgn_http_limits_t *limits)
{
    http->conf.limits = *limits;

    if (limits->headers > TGN_HTTP_HEADERS_MAX) {
        http->conf.limits.headers = TGN_HTTP_HEADERS_MAX;
    }

    tgn_http_listening(http, true);
}


tgn_http_t *
tgn_http_new(tgn_loop_t *loop, const tgn_http_conf_t *conf)
{
    tgn_http_t  *http;

    http = calloc(1, sizeof(tgn_http_t));
    if (http == NULL) {
        return NULL;
    }

    http->loop = loop;
    http->conf = *conf;

    http->timer = tgn_timer_new(loop, expire, http);
    http->pause = tgn_timer_new(loop, resume, http);
    http->drain = tgn_timer_new(loop, drained, http);

    if (http->timer == NULL || http->pause == NULL || http->drain == NULL) {
        tgn_http_free(&http);
        return NULL;
    }

    tgn_http_set_limits(http, &conf->limits);

    return http;
}


void
tgn_http_free(tgn_http_t **http)
{
    tgn_message_t  *m;

    if (*http == NULL) {
        return;
    }

    (*http)->done = NULL;

    tgn_http_unlisten(*http);
    tgn_http_disconnect(*http);

    while ((*http)->spare) {
        m = (*http)->spare;
        (*http)->spare = m->next;

        tgn_parse_free(m);
        free(m);
    }

    tgn_timer_free(&(*http)->timer);
    tgn_timer_free(&(*http)->pause);
    tgn_timer_free(&(*http)->drain);

    free(*http);
    *http = NULL;
}


size_t
tgn_http_connections(const tgn_http_t *http)
{
    return http->nconns;
}


void
tgn_http_say(tgn_http_t *http, tgn_http_log_t level, const tgn_peer_t *peer,
    const char *text)
{
    if (http->conf.log) {
        http->conf.log(level, peer, text, http->conf.data);
    }
}


/* The Date header's value (RFC 9110 5.6.7), made once a second. */

const char *
tgn_http_date(tgn_http_t *http)
{
    time_t     now;
    struct tm  tm;

    static const char  days[] = "SunMonTueWedThuFriSat";
    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    now = time(NULL);

    if (now != http->date_at && gmtime_r(&now, &tm) != NULL) {

        /* not by strftime(), whose names are the locale's */

        (void) snprintf(http->date, sizeof(http->date),
                        "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                        days + 3 * tm.tm_wday, tm.tm_mday,
                        months + 3 * tm.tm_mon, tm.tm_year + 1900,
                        tm.tm_hour, tm.tm_min, tm.tm_sec);
        http->date_at = now;
    }

    return http->date;
}


tgn_message_t *
tgn_http_message(tgn_conn_t *c)
{
    tgn_http_t     *http;
    tgn_message_t  *m;

    http = c->http;
    m = http->spare;

    if (m) {
        http->spare = m->next;
        http->nspare--;

    } else {
        m = calloc(1, sizeof(tgn_message_t));
        if (m == NULL) {
            return NULL;
        }
    }

    tgn_parse_init(m, &http->conf.limits, http->conf.http10_no_host);

    m->conn = c;
    m->r.peer = &c->peer;
    m->r.listener = c->listener;

    return m;
}


void
tgn_http_message_done(tgn_http_t *http, tgn_message_t *m)
{
    size_t  kept;

    kept = m->store.size + m->body.size + m->lines.size;

    if (http->nspare == TGN_HTTP_SPARE) {
        tgn_parse_free(m);
        free(m);
        return;
    }

    if (kept > TGN_HTTP_KEPT) {
        tgn_parse_free(m);
    }

    m->conn = NULL;
    m->next = http->spare;

    http->spare = m;
    http->nspare++;
}


static uint64_t
timeout(const tgn_http_t *http, tgn_wait_t wait)
{
    switch (wait) {

    case TGN_WAIT_IDLE:
        return http->conf.limits.idle_timeout;

    case TGN_WAIT_HEAD:
        return http->conf.limits.head_timeout;

    case TGN_WAIT_BODY:
        return http->conf.limits.body_timeout;

    case TGN_WAIT_WRITE:
        return http->conf.limits.write_timeout;

    default:
        return LINGER_TIMEOUT;
    }
}


static void
arm(tgn_http_t *http, uint64_t at)
{
    uint64_t  now;

    if (http->timer_at && http->timer_at <= at) {
        return;
    }

    now = tgn_loop_now(http->loop);

    tgn_timer_start(http->timer, at > now ? at - now : 0, 0);
    http->timer_at = at;
}


static void
unqueue(tgn_conn_t *c)
{
    tgn_conn_queue_t  *q;

    q = &c->http->queues[c->wait];

    if (c->wait_prev) {
        c->wait_prev->wait_next = c->wait_next;

    } else {
        q->first = c->wait_next;
    }

    if (c->wait_next) {
        c->wait_next->wait_prev = c->wait_prev;

    } else {
        q->last = c->wait_prev;
    }

    c->wait_prev = NULL;
    c->wait_next = NULL;
    c->wait = TGN_WAIT_NONE;
}


/* From now on c waits for this, and its time begins anew. */

void
tgn_http_wait(tgn_conn_t *c, tgn_wait_t wait)
{
    tgn_http_t        *http;
    tgn_conn_queue_t  *q;

    http = c->http;

    if (c->wait != TGN_WAIT_NONE) {
        unqueue(c);
    }

    if (wait == TGN_WAIT_NONE) {
        return;
    }

    q = &http->queues[wait];

    c->wait = wait;
    c->deadline = tgn_loop_now(http->loop) + timeout(http, wait);
    c->wait_prev = q->last;

    if (q->last) {
        q->last->wait_next = c;

    } else {
        q->first = c;
    }

    q->last = c;

    arm(http, c->deadline);
}


static void
expire(tgn_timer_t *timer, void *data)
{
    uint64_t     now, at;
    tgn_http_t  *http = data;
    tgn_wait_t   wait;
    tgn_conn_t  *c;

    (void) timer;

    http->timer_at = 0;
    now = tgn_loop_now(http->loop);

    for (wait = TGN_WAIT_IDLE; wait < TGN_WAIT_MAX; wait++) {

        while ((c = http->queues[wait].first) != NULL && c->deadline <= now) {
            tgn_conn_expired(c);
        }
    }

    at = 0;

    for (wait = TGN_WAIT_IDLE; wait < TGN_WAIT_MAX; wait++) {
        c = http->queues[wait].first;

        if (c && (at == 0 || c->deadline < at)) {
            at = c->deadline;
        }
    }

    if (at) {
        arm(http, at);
    }
}


/* Whether listeners accept, if there is room and no pause. */

void
tgn_http_listening(tgn_http_t *http, bool on)
{
    tgn_listener_t  *l;

    if (on && (http->nconns >= http->conf.limits.connections
               || tgn_timer_is_set(http->pause)))
    {
        on = false;
    }

    for (l = http->listeners; l; l = l->next) {

        if (!tgn_listener_on(l, on)) {
            tgn_http_say(http, TGN_HTTP_LOG_ERROR, NULL,
                         "a listener could not be watched, trying again");
            tgn_timer_start(http->pause, ACCEPT_PAUSE, 0);
        }
    }
}


static void
resume(tgn_timer_t *timer, void *data)
{
    tgn_timer_stop(timer);
    tgn_http_listening(data, true);
}


static bool
who(tgn_peer_t *peer, int fd, const struct sockaddr_storage *ss,
    socklen_t len)
{
    socklen_t                size;
    struct ucred             cred;
    struct sockaddr_storage  local;

    memset(peer, 0, sizeof(tgn_peer_t));

    if (tg_addr_from_sockaddr(&peer->addr, (const struct sockaddr *) ss, len)
        != TG_OK)
    {
        return false;
    }

    size = sizeof(local);

    if (getsockname(fd, (struct sockaddr *) &local, &size) == -1
        || tg_addr_from_sockaddr(&peer->local, (struct sockaddr *) &local,
                                 size)
           != TG_OK)
    {
        return false;
    }

    if (ss->ss_family != AF_UNIX) {
        return true;
    }

    size = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) == -1) {
        return false;
    }

    peer->has_cred = true;
    peer->pid = cred.pid;
    peer->uid = cred.uid;
    peer->gid = cred.gid;

    return true;
}


/*
 * The class that a connection counts in, -1 if it is not wanted.  One that is
 * full is told of at times: whoever fills it could else fill the log as well.
 */

static int
classify(const tgn_listener_t *l, const tgn_peer_t *peer)
{
    int          class;
    size_t       share;
    uint64_t     now;
    tgn_http_t  *http;

    http = l->http;
    class = 0;

    if (http->conf.classify) {
        class = http->conf.classify(peer, l->data, http->conf.data);
    }

    if (class < 0 || class >= TGN_HTTP_CLASSES) {
        tgn_http_say(http, TGN_HTTP_LOG_INFO, peer,
                     "a connection is refused: its peer is not on the list");
        return -1;
    }

    share = http->conf.limits.shares[class];

    if (share == 0 || http->nclass[class] < share) {
        return class;
    }

    now = tgn_loop_now(http->loop);

    if (http->told_at[class] == 0
        || now - http->told_at[class] >= TOLD_AGAIN)
    {
        http->told_at[class] = now ? now : 1;
        tgn_http_say(http, TGN_HTTP_LOG_ERROR, peer,
                     "connections are refused: peers of this kind have all "
                     "that they may have");
    }

    return -1;
}


static void
connected(tgn_listener_t *l, int fd, const tgn_peer_t *peer, int class)
{
    int          one;
    tgn_conn_t  *c;
    tgn_http_t  *http;

    http = l->http;

    c = calloc(1, sizeof(tgn_conn_t));
    if (c == NULL) {
        goto failed;
    }

    c->poll = tgn_poll_new(http->loop, fd, tgn_conn_event, c);
    if (c->poll == NULL) {
        goto failed;
    }

    if (tgn_poll_set(c->poll, TGN_POLL_READ) != TG_OK) {
        tgn_poll_free(&c->poll);
        goto failed;
    }

    if (peer->addr.family != TG_ADDR_UNIX) {
        one = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }

    c->http = http;
    c->listener = l->data;
    c->peer = *peer;
    c->fd = fd;
    c->class = class;
    c->next = http->conns;

    if (c->next) {
        c->next->prev = c;
    }

    http->conns = c;
    http->nconns++;
    http->nclass[class]++;

    tgn_http_wait(c, TGN_WAIT_IDLE);

    return;

failed:

    free(c);
    (void) close(fd);

    tgn_http_say(http, TGN_HTTP_LOG_ERROR, peer, "no memory for a connection");
}


/* A connection came in by this listener. */

void
tgn_http_accept(tgn_listener_t *l, int fd)
{
    int                      class;
    tgn_peer_t               peer;
    socklen_t                len;
    tgn_http_t              *http;
    struct sockaddr_storage  ss;

    http = l->http;

    memset(&ss, 0, sizeof(ss));
    len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *) &ss, &len) == -1) {
        /* it is gone again */
        (void) close(fd);
        return;
    }

    if (!who(&peer, fd, &ss, len)) {
        (void) close(fd);
        tgn_http_say(http, TGN_HTTP_LOG_ERROR, NULL,
                     "a connection's peer cannot be told, it is closed");
        return;
    }

    class = classify(l, &peer);

    if (class == -1) {
        (void) close(fd);
        return;
    }

    connected(l, fd, &peer, class);

    if (http->nconns >= http->conf.limits.connections) {
        tgn_http_say(http, TGN_HTTP_LOG_ERROR, NULL,
                     "all connections are in use, further ones wait");
        tgn_http_listening(http, false);
    }
}


/* accept() failed for want of something: the queue is left alone for a while,
   as a loop that polls it would only spin. */

void
tgn_http_exhausted(tgn_http_t *http)
{
    if (!tgn_timer_is_set(http->pause)) {
        tgn_timer_start(http->pause, ACCEPT_PAUSE, 0);
        tgn_http_listening(http, false);
    }
}


static void
finish(tgn_http_t *http)
{
    void  (*done)(void *data);

    done = http->done;
    http->done = NULL;

    tgn_timer_stop(http->drain);

    if (done) {
        done(http->done_data);
    }
}


/* A connection was closed and freed. */

void
tgn_http_closed(tgn_http_t *http)
{
    if (http->stopping) {
        if (http->nconns == 0) {
            finish(http);
        }

        return;
    }

    if (http->nconns + 1 == http->conf.limits.connections) {
        tgn_http_listening(http, true);
    }
}


void
tgn_http_unlisten(tgn_http_t *http)
{
    tgn_listener_t  *l;

    while (http->listeners) {
        l = http->listeners;
        http->listeners = l->next;

        tgn_listener_close(l);
    }

    tgn_timer_stop(http->pause);
}


void
tgn_http_disconnect(tgn_http_t *http)
{
    size_t       n;
    tgn_conn_t  *c, *next;

    /* one that is busy is freed by itself, and may be the caller */

    n = http->nconns;

    for (c = http->conns; c && n; c = next, n--) {
        next = c->next;
        tgn_conn_close(c, true);
    }
}


static void
drained(tgn_timer_t *timer, void *data)
{
    tgn_http_t  *http = data;

    (void) timer;

    tgn_http_say(http, TGN_HTTP_LOG_ERROR, NULL,
                 "requests did not end in time, their connections are closed");
    tgn_http_disconnect(http);
}


void
tgn_http_stop(tgn_http_t *http, void (*done)(void *data), void *data)
{
    tgn_conn_t  *c, *next;

    http->done = done;
    http->done_data = data;

    tgn_http_unlisten(http);

    for (c = http->conns; c; c = next) {
        next = c->next;

        if (c->state == TGN_CONN_READING && c->m == NULL) {
            tgn_conn_close(c, false);
            continue;
        }

        c->close = true;
        c->linger = true;
    }

    http->stopping = true;

    if (http->nconns == 0) {
        finish(http);
        return;
    }

    tgn_timer_start(http->drain, http->conf.limits.drain_timeout, 0);
}
