
/*
 * Copyright (C) The Tailgate authors
 *
 * One connection: what comes in is parsed and handed to the handler, what the
 * socket does not take is kept.  While a handler has a request nothing more is
 * read, so a client can not make us hold more than one request and one read.
 */

#include <net/http/http.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>


/* Input that is thrown away behind the last answer, before we hang up. */

#define LINGER_MAX  (1024 * 1024)

/* Pieces of answers that are put together into one write. */

#define GATHER_MAX  16384


static int
watch(tgn_conn_t *c)
{
    unsigned  events;

    events = 0;

    switch (c->state) {

    case TGN_CONN_READING:
    case TGN_CONN_LINGERING:
        events = TGN_POLL_READ;
        break;

    case TGN_CONN_HANDLING:
        events = TGN_POLL_HANGUP;
        break;

    case TGN_CONN_WRITING:
        break;
    }

    if (c->out.len > c->sent) {
        events |= TGN_POLL_WRITE;
    }

    return tgn_poll_set(c->poll, events);
}


static void
rearm(tgn_conn_t *c)
{
    if (watch(c) != TG_OK) {
        tgn_http_say(c->http, TGN_HTTP_LOG_ERROR, &c->peer,
                     "a connection could not be watched, it is closed");
        tgn_conn_close(c, true);
    }
}


void
tgn_conn_close(tgn_conn_t *c, bool abort)
{
    tgn_http_t      *http;
    tgn_message_t   *m;

    http = c->http;

    if (!c->dead) {
        c->dead = true;

        tgn_http_wait(c, TGN_WAIT_NONE);
        tgn_poll_free(&c->poll);

        if (c->fd != -1) {
            (void) close(c->fd);
        }

        if (c->prev) {
            c->prev->next = c->next;

        } else {
            http->conns = c->next;
        }

        if (c->next) {
            c->next->prev = c->prev;
        }

        m = c->m;
        c->m = NULL;

        if (m) {
            if (abort && c->state == TGN_CONN_HANDLING && m->abort) {
                m->abort(m->abort_data);
            }

            tgn_http_message_done(http, m);
        }

        tgn_buf_free(&c->in);
        tgn_buf_free(&c->out);

        http->nconns--;
        http->nclass[c->class]--;
    }

    if (!c->busy) {
        free(c);
        tgn_http_closed(http);
    }
}


/* Everything of the last answer is sent. */

static void
hang_up(tgn_conn_t *c)
{
    if (!c->linger || shutdown(c->fd, SHUT_WR) == -1) {
        tgn_conn_close(c, false);
        return;
    }

    tgn_buf_free(&c->in);
    tgn_buf_free(&c->out);

    c->sent = 0;
    c->state = TGN_CONN_LINGERING;

    tgn_http_wait(c, TGN_WAIT_LINGER);
    rearm(c);
}


static void
linger(tgn_conn_t *c)
{
    ssize_t  n;

    n = recv(c->fd, c->http->read, sizeof(c->http->read), 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n > 0) {
        c->sent += (size_t) n;
    }

    if (n <= 0 || c->sent > LINGER_MAX) {
        tgn_conn_close(c, false);
    }
}


/* Goes on with what is kept; false if the connection is gone. */

static bool
flush(tgn_conn_t *c)
{
    ssize_t  n;

    while (c->sent < c->out.len) {
        n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
                 MSG_NOSIGNAL);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            if (errno == EAGAIN) {
                if (c->wait != TGN_WAIT_WRITE) {
                    tgn_http_wait(c, TGN_WAIT_WRITE);
                }

                return true;
            }

            tgn_conn_close(c, true);
            return false;
        }

        c->sent += (size_t) n;

        if (c->wait == TGN_WAIT_WRITE) {
            /* it does read: its time begins anew */
            tgn_http_wait(c, TGN_WAIT_WRITE);
        }
    }

    tgn_buf_free(&c->out);
    c->sent = 0;

    if (c->wait == TGN_WAIT_WRITE) {
        tgn_http_wait(c, c->state == TGN_CONN_READING ? TGN_WAIT_BODY
                                                      : TGN_WAIT_NONE);
    }

    return true;
}


static int
keep_rest(tgn_conn_t *c, tg_str_t *parts, size_t done)
{
    int     rc;
    size_t  i, n, max;

    if (c->sent) {
        memmove(c->out.data, c->out.data + c->sent, c->out.len - c->sent);
        c->out.len -= c->sent;
        c->sent = 0;
    }

    max = c->http->conf.limits.backlog;

    for (i = 0; i < 2; i++) {
        n = done < parts[i].len ? done : parts[i].len;
        done -= n;

        rc = tgn_buf_add(&c->out, parts[i].data + n, parts[i].len - n, max);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


bool
tgn_conn_send(tgn_conn_t *c, tg_str_t head, tg_str_t body, int *error)
{
    size_t         done;
    ssize_t        n;
    tg_str_t       parts[2];
    struct iovec   iov[2];
    struct msghdr  msg;

    *error = TG_OK;

    parts[0] = head;
    parts[1] = body;
    done = 0;

    if (c->busy && head.len + body.len + c->out.len <= GATHER_MAX) {
        /* sent together when the handler has returned */
        *error = keep_rest(c, parts, 0);
        return *error == TG_OK;
    }

    if (c->out.len == c->sent) {
        iov[0].iov_base = (void *) (uintptr_t) head.data;
        iov[0].iov_len = head.len;
        iov[1].iov_base = (void *) (uintptr_t) body.data;
        iov[1].iov_len = body.len;

        memset(&msg, 0, sizeof(struct msghdr));
        msg.msg_iov = iov;
        msg.msg_iovlen = 2;

        do {
            n = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
        } while (n == -1 && errno == EINTR);

        if (n == -1 && errno != EAGAIN) {
            return false;
        }

        done = n == -1 ? 0 : (size_t) n;
    }

    if (done == head.len + body.len) {
        return true;
    }

    *error = keep_rest(c, parts, done);

    if (*error == TG_OK && !c->busy) {
        if (c->wait != TGN_WAIT_WRITE) {
            tgn_http_wait(c, TGN_WAIT_WRITE);
        }

        *error = watch(c);
    }

    return *error == TG_OK;
}


/* The handler's answer is complete, if perhaps not yet sent. */

void
tgn_conn_answered(tgn_conn_t *c)
{
    tgn_http_message_done(c->http, c->m);

    c->m = NULL;
    c->state = TGN_CONN_WRITING;

    if (!c->busy) {
        tgn_conn_run(c, NULL, 0);
    }
}


static void
refused(tgn_conn_t *c)
{
    tgn_http_t  *http;

    http = c->http;

    if (http->conf.refused) {
        http->conf.refused(&c->peer, c->m->error, c->m->reason,
                           http->conf.data);

    } else {
        tgn_http_say(http, TGN_HTTP_LOG_INFO, &c->peer, c->m->reason);
    }

    c->close = true;
    c->linger = true;
    c->state = TGN_CONN_HANDLING;

    tgn_response_error(c->m);
}


static void
handle(tgn_conn_t *c)
{
    tgn_http_t  *http;

    http = c->http;

    c->requests++;
    c->state = TGN_CONN_HANDLING;

    if (!c->m->keepalive) {
        c->close = true;
    }

    if (c->m->r.unread || http->stopping
        || c->requests >= http->conf.limits.requests)
    {
        c->close = true;
        c->linger = true;
    }

    tgn_http_wait(c, TGN_WAIT_NONE);

    http->conf.handler(&c->m->r, http->conf.data);
}


/* The head is complete, and a body is announced. */

static void
announced(tgn_conn_t *c)
{
    int             error;
    tg_str_t        interim = TG_STR("HTTP/1.1 100 Continue\r\n\r\n");
    tgn_http_t     *http;
    tgn_message_t  *m;

    http = c->http;
    m = c->m;

    if (http->conf.want_body
        && !http->conf.want_body(&m->r, http->conf.data))
    {
        m->r.unread = true;
        handle(c);
        return;
    }

    if (m->error) {
        refused(c);
        return;
    }

    tgn_http_wait(c, TGN_WAIT_BODY);

    if (m->expect
        && !tgn_conn_send(c, interim, (tg_str_t) TG_NULL_STR, &error))
    {
        tgn_conn_close(c, false);
    }
}


/* Takes bytes; returns how many, fewer only if the state is not READING. */

static size_t
take(tgn_conn_t *c, const char *data, size_t len)
{
    size_t  pos, used;

    pos = 0;

    while (pos < len && !c->dead && c->state == TGN_CONN_READING) {

        if (c->m == NULL) {
            c->m = tgn_http_message(c);

            if (c->m == NULL) {
                tgn_http_say(c->http, TGN_HTTP_LOG_ERROR, &c->peer,
                             "no memory for a request");
                tgn_conn_close(c, false);
                break;
            }

            tgn_http_wait(c, TGN_WAIT_HEAD);
        }

        switch (tgn_parse(c->m, data + pos, len - pos, &used)) {

        case TGN_PARSE_MORE:
            break;

        case TGN_PARSE_HEAD:
            announced(c);
            break;

        case TGN_PARSE_DONE:
            handle(c);
            break;

        case TGN_PARSE_ERROR:
            refused(c);
            break;
        }

        pos += used;
    }

    return pos;
}


/* An answer is complete: on with the next request, if there may be one. */

static void
next_request(tgn_conn_t *c)
{
    if (!flush(c) || c->out.len > c->sent) {
        return;
    }

    if (c->close || c->http->stopping) {
        c->close = true;
        hang_up(c);
        return;
    }

    c->state = TGN_CONN_READING;
    tgn_http_wait(c, TGN_WAIT_IDLE);
}


/*
 * Runs until the connection has to wait for somebody.  data is what was just
 * read; what is not taken of it is kept in c->in, which is empty while a
 * request is being read.
 */

void
tgn_conn_run(tgn_conn_t *c, const char *data, size_t len)
{
    size_t     used;
    tgn_buf_t  in;

    c->busy = true;

    used = take(c, data, len);

    if (!c->dead && used < len
        && tgn_buf_add(&c->in, data + used, len - used, TGN_HTTP_READ)
           != TG_OK)
    {
        tgn_conn_close(c, true);
    }

    while (!c->dead && c->state == TGN_CONN_WRITING) {

        next_request(c);

        if (c->dead || c->state != TGN_CONN_READING) {
            break;
        }

        if (c->in.len) {
            in = c->in;
            memset(&c->in, 0, sizeof(tgn_buf_t));

            used = take(c, in.data, in.len);

            if (!c->dead && used < in.len) {
                memmove(in.data, in.data + used, in.len - used);
                in.len -= used;
                c->in = in;

            } else {
                tgn_buf_free(&in);
            }
        }
    }

    if (!c->dead && flush(c)) {
        rearm(c);
    }

    c->busy = false;

    if (c->dead) {
        tgn_conn_close(c, false);
    }
}


static void
read_more(tgn_conn_t *c)
{
    ssize_t  n;

    n = recv(c->fd, c->http->read, sizeof(c->http->read), 0);

    if (n > 0) {
        tgn_conn_run(c, c->http->read, (size_t) n);
        return;
    }

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    tgn_conn_close(c, false);
}


void
tgn_conn_event(tgn_poll_t *poll, unsigned events, void *data)
{
    tgn_conn_t  *c = data;

    (void) poll;

    if ((events & TGN_POLL_WRITE) && c->out.len > c->sent) {

        if (!flush(c)) {
            return;
        }

        if (c->state == TGN_CONN_WRITING && c->out.len == 0) {
            tgn_conn_run(c, NULL, 0);
            return;
        }

        rearm(c);
        return;
    }

    switch (c->state) {

    case TGN_CONN_READING:
        read_more(c);
        break;

    case TGN_CONN_LINGERING:
        linger(c);
        break;

    case TGN_CONN_HANDLING:
    case TGN_CONN_WRITING:
        /* gone, and nobody is left to read the answer */
        tgn_conn_close(c, true);
        break;
    }
}


void
tgn_conn_expired(tgn_conn_t *c)
{
    switch (c->wait) {

    case TGN_WAIT_HEAD:
    case TGN_WAIT_BODY:
        c->m->error = 408;
        c->m->reason = c->wait == TGN_WAIT_HEAD
                       ? "the headers did not arrive in time"
                       : "the body did not arrive in time";

        c->busy = true;
        refused(c);
        c->busy = false;

        if (c->dead) {
            tgn_conn_close(c, false);

        } else {
            tgn_conn_run(c, NULL, 0);
        }

        break;

    case TGN_WAIT_WRITE:
        tgn_http_say(c->http, TGN_HTTP_LOG_INFO, &c->peer,
                     "the client does not read the answer");
        tgn_conn_close(c, true);
        break;

    default:
        tgn_conn_close(c, false);
        break;
    }
}
