
/*
 * Copyright (C) The Tailgate authors
 *
 * The HTTP server over real sockets: limits, timers, clients that misbehave or
 * leave, the end.
 */

#include "http_world.h"

#include <sys/resource.h>


static bool
has_aborted(void *arg)
{
    (void) arg;

    return w.aborts != 0;
}


static bool
is_done(void *arg)
{
    (void) arg;

    return w.done;
}


static void
on_done(void *data)
{
    (void) data;

    assert_false(w.done);
    w.done = true;
}


static void
test_client_leaves(void **state)
{
    int  fd;

    (void) state;

    fd = dial();
    put(fd, "GET /later HTTP/1.1\r\n" H "\r\n");
    assert_true(run_until(has_held, NULL));

    (void) close(fd);
    assert_true(run_until(has_aborted, NULL));
    assert_int_equal(w.aborts, 1);
    assert_int_equal(tgn_http_connections(w.http), 0);
}


static bool
is_empty(void *arg)
{
    (void) arg;

    return tgn_http_connections(w.http) == 0;
}


static bool
has_logged(void *arg)
{
    (void) arg;

    return strstr(w.said, "does not read") != NULL;
}


static void
test_client_does_not_read(void **state)
{
    int  fd;

    (void) state;

    /* more than may be kept for a client */

    fd = dial();
    put(fd, "GET /huge HTTP/1.1\r\n" H "\r\n");
    assert_true(run_until(has_logged, NULL));
    assert_true(run_until(is_empty, NULL));
    (void) close(fd);

    /* less, but for too long */

    w.conf.limits.write_timeout = 50;
    tgn_http_set_limits(w.http, &w.conf.limits);
    w.said[0] = '\0';

    fd = dial();
    put(fd, "GET /big HTTP/1.1\r\n" H "\r\n");
    assert_true(run_until(has_logged, NULL));
    assert_true(run_until(is_empty, NULL));
    (void) close(fd);
}


static void
test_timeouts(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    w.conf.limits.head_timeout = 50;
    w.conf.limits.body_timeout = 60;
    w.conf.limits.idle_timeout = 70;
    tgn_http_set_limits(w.http, &w.conf.limits);

    fd = dial();
    put(fd, "GET / HTTP/1.1\r\nHo");
    text = rest(fd, 65536);
    assert_int_equal(strncmp(text, "HTTP/1.1 408 ", 13), 0);
    assert_non_null(strstr(text, "Connection: close"));
    assert_non_null(strstr(w.said, "headers"));
    free(text);
    (void) close(fd);

    fd = dial();
    put(fd, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabc");
    text = rest(fd, 65536);
    assert_int_equal(strncmp(text, "HTTP/1.1 408 ", 13), 0);
    assert_non_null(strstr(w.said, "body"));
    free(text);
    (void) close(fd);

    fd = dial();
    text = rest(fd, 65536);
    assert_string_equal(text, "");
    free(text);
    (void) close(fd);

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_int_equal(count(text, "HTTP/1.1 200"), 1);
    assert_int_equal(count(text, "408"), 0);
    free(text);
    (void) close(fd);

    /* a handler's own time is not the client's */

    fd = dial();
    put(fd, "GET /later HTTP/1.1\r\n" H "\r\n");
    w.said[0] = '\0';
    assert_true(run_until(has_held, NULL));
    w.conf.limits.drain_timeout = 200;
    tgn_http_set_limits(w.http, &w.conf.limits);
    tgn_http_stop(w.http, on_done, NULL);
    assert_true(run_until(is_done, NULL));
    assert_non_null(strstr(w.said, "did not end in time"));
    assert_int_equal(w.aborts, 1);
    (void) close(fd);
}


/* A head that trickles in is no reason to wait longer. */

static bool
trickle(void *arg)
{
    got_t  *got = arg;

    (void) send(got->fd, "a", 1, MSG_NOSIGNAL);

    return get_some(arg);
}


static void
test_slow_head(void **state)
{
    int    fd;
    char   buf[1024];
    got_t  got;

    (void) state;

    w.conf.limits.head_timeout = 100;
    tgn_http_set_limits(w.http, &w.conf.limits);

    memset(&got, 0, sizeof(got));

    fd = dial();
    put(fd, "GET / HTTP/1.1\r\nX-A: ");

    got.fd = fd;
    got.text = buf;
    got.size = sizeof(buf);
    got.enough = 13;

    assert_true(run_until(trickle, &got));
    assert_int_equal(strncmp(buf, "HTTP/1.1 408 ", 13), 0);

    (void) close(fd);
}


static void
test_requests_per_connection(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    w.conf.limits.requests = 2;
    tgn_http_set_limits(w.http, &w.conf.limits);

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "\r\n" "GET /b HTTP/1.1\r\n" H "\r\n"
            "GET /c HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_int_equal(count(text, "HTTP/1.1 200"), 2);
    assert_int_equal(count(text, "Connection: close"), 1);
    assert_string_equal(w.seen, " /a /b");

    free(text);
    (void) close(fd);
}


static bool
has_two(void *arg)
{
    (void) arg;

    return tgn_http_connections(w.http) == 2;
}


static bool
has_one(void *arg)
{
    (void) arg;

    return tgn_http_connections(w.http) == 1;
}


static void
test_connection_cap(void **state)
{
    int    a, b, c;
    char  *text;

    (void) state;

    w.conf.limits.connections = 2;
    tgn_http_set_limits(w.http, &w.conf.limits);

    a = dial();
    b = dial();
    c = dial();

    put(c, "GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    assert_true(run_until(has_two, NULL));
    assert_int_equal(w.requests, 0);

    /* room for the one that waits */

    (void) close(a);
    text = rest(c, 65536);
    assert_non_null(strstr(text, "/a body=0"));

    free(text);
    (void) close(b);
    (void) close(c);
}


/* A class that has its share does not keep out another. */

static void
test_share(void **state)
{
    int    a, b, c, d;
    char  *text;

    (void) state;

    w.conf.limits.shares[1] = 2;
    tgn_http_set_limits(w.http, &w.conf.limits);

    w.class = 1;
    a = dial();
    b = dial();
    assert_true(run_until(has_two, NULL));

    c = dial();
    text = rest(c, 65536);
    assert_string_equal(text, "");
    assert_non_null(strstr(w.said, "all that they may have"));
    free(text);
    (void) close(c);

    w.class = 2;
    c = dial();
    put(c, "GET /c HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    text = rest(c, 65536);
    assert_non_null(strstr(text, "/c body=0"));
    free(text);
    (void) close(c);

    /* one that has gone leaves room for the next */

    (void) close(a);
    assert_true(run_until(has_one, NULL));

    w.class = 1;
    d = dial();
    put(d, "GET /d HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    text = rest(d, 65536);
    assert_non_null(strstr(text, "/d body=0"));
    free(text);

    (void) close(b);
    (void) close(d);
}


static bool
has_no_descriptor(void *arg)
{
    (void) arg;

    return strstr(w.said, "no descriptor left") != NULL;
}


/* Without descriptors connections wait, and are served once there are some. */

static void
test_no_descriptors(void **state)
{
    int            fd, n, full[256];
    char          *text;
    struct rlimit  before, limit;

    (void) state;

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);

    limit = before;
    limit.rlim_cur = 128;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);

    for (n = 0; n < 256; n++) {
        full[n] = dup(fd);

        if (full[n] == -1) {
            break;
        }
    }

    assert_true(run_until(has_no_descriptor, NULL));
    assert_int_equal(w.requests, 0);

    /* said once, not in each turn of the loop */
    assert_int_equal(w.logs, 1);

    while (n > 0) {
        (void) close(full[--n]);
    }

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    text = rest(fd, 65536);
    assert_non_null(strstr(text, "/a body=0"));

    free(text);
    (void) close(fd);
}


static void
test_refused_peer(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    w.class = -1;

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_string_equal(text, "");
    assert_int_equal(w.requests, 0);
    assert_non_null(strstr(w.said, "not on the list"));

    free(text);
    (void) close(fd);
}


static void
test_malformed(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "\r\n" "GET / HTTP/1.1\r\n\r\n"
            "GET /b HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_int_equal(count(text, "HTTP/1.1 200"), 1);
    assert_int_equal(count(text, "HTTP/1.1 400 Bad Request"), 1);
    assert_string_equal(w.seen, " /a");
    assert_non_null(strstr(w.said, "no Host"));

    free(text);
    (void) close(fd);
}


static void
test_stop(void **state)
{
    int             idle, busy;
    char           *text;
    struct stat     st;
    tgn_request_t  *r;

    (void) state;

    idle = dial();
    busy = dial();
    put(busy, "GET /later HTTP/1.1\r\n" H "\r\n");
    assert_true(run_until(has_held, NULL));

    tgn_http_stop(w.http, on_done, NULL);
    assert_false(w.done);
    assert_int_equal(stat(w.path, &st), -1);

    text = rest(idle, 1024);
    assert_string_equal(text, "");
    free(text);

    r = w.held;
    tgn_response_send(r, 200, (tg_str_t) TG_STR("last"));

    text = rest(busy, 65536);
    assert_non_null(strstr(text, "Connection: close"));
    assert_non_null(strstr(text, "last"));

    (void) close(busy);
    assert_true(run_until(is_done, NULL));

    free(text);
    (void) close(idle);
}


/* Everything is closed hard while requests run and answers are unsent. */

static void
test_free_while_busy(void **state)
{
    int  i, fds[4];

    (void) state;

    for (i = 0; i < 4; i++) {
        fds[i] = dial();
    }

    put(fds[0], "GET /later HTTP/1.1\r\n" H "\r\n");
    put(fds[1], "GET /big HTTP/1.1\r\n" H "\r\nGET /b");
    put(fds[2], "POST / HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nab");
    put(fds[3], "GET / HT");

    assert_true(run_until(has_held, NULL));

    tgn_http_free(&w.http);
    assert_int_equal(w.aborts, 1);

    for (i = 0; i < 4; i++) {
        (void) close(fds[i]);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_client_leaves),
        TEST(test_client_does_not_read),
        TEST(test_timeouts),
        TEST(test_slow_head),
        TEST(test_requests_per_connection),
        TEST(test_connection_cap),
        TEST(test_share),
        TEST(test_no_descriptors),
        TEST(test_refused_peer),
        TEST(test_malformed),
        TEST(test_stop),
        TEST(test_free_while_busy)
    };

    return cmocka_run_group_tests_name("http limits", tests, NULL, NULL);
}
