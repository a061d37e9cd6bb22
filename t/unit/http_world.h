
/*
 * Copyright (C) The Tailgate authors
 *
 * A server with a handler that does a bit of everything, and a client of it:
 * what test_http_server.c and test_http_limits.c share.
 */

#ifndef HTTP_WORLD_H_INCLUDED_
#define HTTP_WORLD_H_INCLUDED_

#include <net/http/server.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

#define H         "Host: a\r\n"
#define DEADLINE  5000


typedef struct {
    tgn_loop_t       *loop;
    tgn_http_t       *http;
    tgn_http_conf_t   conf;
    tgn_timer_t      *timer;
    tgn_request_t    *held;        /* the last one that /later keeps */
    char              dir[64];
    char              path[128];
    size_t            requests;
    size_t            aborts;
    size_t            logs;
    bool              want_body;
    int               class;
    bool              done;
    bool            (*until)(void *arg);
    void             *arg;
    uint64_t          end;
    char              seen[4096];  /* paths, each behind a blank */
    char              said[256];   /* the last log line */
} world_t;

static world_t  w;


static inline void
note(tg_str_t s)
{
    size_t  n;

    n = strlen(w.seen);

    if (n + s.len + 2 < sizeof(w.seen)) {
        w.seen[n] = ' ';
        memcpy(w.seen + n + 1, s.data, s.len);
        w.seen[n + 1 + s.len] = '\0';
    }
}


static inline bool
is_path(const tgn_request_t *r, const char *path)
{
    return r->path.len == strlen(path)
           && memcmp(r->path.data, path, r->path.len) == 0;
}


static inline void
on_abort(void *data)
{
    (void) data;

    w.aborts++;
    w.held = NULL;
}


static inline void
stream(tgn_request_t *r, uint64_t length)
{
    tg_str_t  a = TG_STR("hello "), b = TG_STR("world");

    if (tgn_response_begin(r, 200, length) == TG_OK
        && tgn_response_write(r, a) == TG_OK
        && tgn_response_write(r, b) == TG_OK)
    {
        tgn_response_end(r);
    }
}


static inline void
big(tgn_request_t *r, size_t len)
{
    char      *text;
    tg_str_t   body;

    text = malloc(len);
    assert_non_null(text);
    memset(text, 'b', len);

    body.data = text;
    body.len = len;

    tgn_response_send(r, 200, body);
    free(text);
}


static inline void
on_request(tgn_request_t *r, void *data)
{
    int       fd;
    char      text[64];
    tg_str_t  body;

    (void) data;

    w.requests++;
    note(r->path);

    if (is_path(r, "/later")) {
        w.held = r;
        tgn_request_on_abort(r, on_abort, NULL);

    } else if (is_path(r, "/stream")) {
        stream(r, TGN_LENGTH_CHUNKED);

    } else if (is_path(r, "/short")) {
        stream(r, 100);

    } else if (is_path(r, "/exact")) {
        stream(r, 11);

    } else if (is_path(r, "/big")) {
        big(r, 1000000);

    } else if (is_path(r, "/huge")) {
        big(r, 8000000);

    } else if (is_path(r, "/drop")) {
        tgn_request_abort(r);

    } else if (is_path(r, "/hijack")) {
        fd = tgn_request_hijack(r);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "mine", 4), 4);
        (void) close(fd);

    } else if (is_path(r, "/split")) {
        assert_int_equal(tgn_response_header(r, "X-Good",
                                             (tg_str_t) TG_STR("1")), TG_OK);
        assert_int_equal(
            tgn_response_header(r, "X-Bad",
                                (tg_str_t) TG_STR("a\r\nSet-Cookie: b")),
            TG_ERR_REFUSED);
        tgn_response_send(r, 200, (tg_str_t) TG_STR("secret"));

    } else if (is_path(r, "/empty")) {
        tgn_response_send(r, 204, (tg_str_t) TG_STR("not sent"));

    } else {
        body.data = text;
        body.len = (size_t) snprintf(text, sizeof(text), "%.*s body=%zu%s",
                                     (int) r->path.len, r->path.data,
                                     r->body.len, r->unread ? " unread" : "");
        (void) tgn_response_header(r, "X-Path", r->path);
        tgn_response_send(r, 200, body);
    }
}


static inline bool
want_body(const tgn_request_t *r, void *data)
{
    (void) r;
    (void) data;

    return w.want_body;
}


static inline int
classify(const tgn_peer_t *peer, void *listener, void *data)
{
    (void) data;

    if (peer->addr.family == TG_ADDR_UNIX) {
        assert_true(peer->has_cred);
        assert_int_equal(peer->pid, getpid());
        assert_int_equal(peer->uid, geteuid());
    }

    assert_ptr_equal(listener, &w);

    return w.class;
}


static inline void
on_log(tgn_http_log_t level, const tgn_peer_t *peer, const char *text,
    void *data)
{
    (void) level;
    (void) peer;
    (void) data;

    w.logs++;
    (void) snprintf(w.said, sizeof(w.said), "%s", text);
}


static inline void
on_tick(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    if (w.until(w.arg) || tgn_loop_now(w.loop) > w.end) {
        tgn_loop_stop(w.loop);
    }
}


/* Runs the loop until it holds; false if it did not in time. */

static inline bool
run_until(bool (*until)(void *arg), void *arg)
{
    w.until = until;
    w.arg = arg;

    tgn_loop_update(w.loop);
    w.end = tgn_loop_now(w.loop) + DEADLINE;

    tgn_timer_start(w.timer, 0, 1);
    (void) tgn_loop_run(w.loop);
    tgn_timer_stop(w.timer);

    return until(arg);
}


static inline int
setup(void **state)
{
    tg_error_t  error;

    (void) state;

    memset(&w, 0, sizeof(w));

    (void) snprintf(w.dir, sizeof(w.dir), "/tmp/tgn-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    (void) snprintf(w.path, sizeof(w.path), "%s/s", w.dir);

    w.want_body = true;
    w.class = 0;

    tgn_http_limits(&w.conf.limits);
    w.conf.handler = on_request;
    w.conf.want_body = want_body;
    w.conf.classify = classify;
    w.conf.log = on_log;

    w.loop = tgn_loop_new();
    assert_non_null(w.loop);
    w.http = tgn_http_new(w.loop, &w.conf);
    assert_non_null(w.http);
    w.timer = tgn_timer_new(w.loop, on_tick, NULL);
    assert_non_null(w.timer);

    assert_int_equal(tgn_http_listen_unix(w.http, w.path, 0600, (uid_t) -1,
                                          (gid_t) -1, &w, &error), TG_OK);

    return 0;
}


static inline int
teardown(void **state)
{
    (void) state;

    tgn_http_free(&w.http);
    tgn_timer_free(&w.timer);
    tgn_loop_free(&w.loop);

    /* the listener removed its socket */
    assert_int_equal(rmdir(w.dir), 0);

    return 0;
}


static inline int
dial(void)
{
    int                 fd;
    struct sockaddr_un  sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    memcpy(sun.sun_path, w.path, strlen(w.path));

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &sun, sizeof(sun)), 0);

    return fd;
}


static inline void
put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
                     strlen(text));
}


typedef struct {
    int      fd;
    char    *text;
    size_t   len;
    size_t   size;
    size_t   enough;       /* bytes */
    bool     closed;
} got_t;


static inline bool
get_some(void *arg)
{
    got_t    *got = arg;
    ssize_t   n;

    while (got->len < got->size - 1) {
        n = recv(got->fd, got->text + got->len, got->size - 1 - got->len, 0);

        if (n <= 0) {
            got->closed = n == 0 || errno != EAGAIN;
            break;
        }

        got->len += (size_t) n;
        got->text[got->len] = '\0';
    }

    return got->closed || got->len >= got->enough;
}


/* What comes until the server closes; to be freed. */

static inline char *
rest(int fd, size_t size)
{
    got_t  got;

    memset(&got, 0, sizeof(got));

    got.fd = fd;
    got.size = size;
    got.enough = size;
    got.text = calloc(1, size);
    assert_non_null(got.text);

    (void) run_until(get_some, &got);
    assert_true(got.closed);

    return got.text;
}


static inline size_t
count(const char *text, const char *what)
{
    size_t  n;

    for (n = 0; (text = strstr(text, what)) != NULL; n++) {
        text += strlen(what);
    }

    return n;
}


static inline bool
has_held(void *arg)
{
    (void) arg;

    return w.held != NULL;
}


#endif /* HTTP_WORLD_H_INCLUDED_ */
