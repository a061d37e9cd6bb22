
/*
 * Copyright (C) The Tailgate authors
 *
 * The HTTP server over real sockets: answers and their order, listeners.
 */

#include "http_world.h"


static void
test_pipelined(void **state)
{
    int    fd;
    char  *text, *first, *second, *third;

    (void) state;

    fd = dial();
    put(fd, "GET /a HTTP/1.1\r\n" H "\r\n"
            "POST /b HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc"
            "GET /c HTTP/1.1\r\n" H "Connection: close\r\n\r\n"
            "GET /d HTTP/1.1\r\n" H "\r\n");

    text = rest(fd, 65536);
    first = strstr(text, "/a body=0");
    second = strstr(text, "/b body=3");
    third = strstr(text, "/c body=0");

    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(third);
    assert_true(first < second && second < third);
    assert_int_equal(count(text, "HTTP/1.1 200 OK\r\n"), 3);
    assert_int_equal(count(text, "Connection: close"), 1);
    assert_string_equal(w.seen, " /a /b /c");

    free(text);
    (void) close(fd);
}


/* Requests behind one that is answered later wait, and are not lost. */

static void
test_pipelined_later(void **state)
{
    int    i, fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /later HTTP/1.1\r\n" H "\r\n"
            "GET /later HTTP/1.1\r\n" H "\r\n"
            "GET /x HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    for (i = 1; i <= 2; i++) {
        assert_true(run_until(has_held, NULL));
        assert_int_equal(w.requests, i);

        tgn_request_t  *r = w.held;

        w.held = NULL;
        tgn_response_send(r, 200, (tg_str_t) TG_STR("later"));
    }

    text = rest(fd, 65536);
    assert_int_equal(count(text, "\r\n\r\nlater"), 2);
    assert_int_equal(count(text, "/x body=0"), 1);
    assert_int_equal(w.aborts, 0);

    free(text);
    (void) close(fd);
}


static void
test_head_and_empty(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "HEAD /a HTTP/1.1\r\n" H "\r\n"
            "GET /empty HTTP/1.1\r\n" H "\r\n"
            "HEAD /stream HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    text = rest(fd, 65536);
    assert_int_equal(count(text, "Content-Length: 9\r\n"), 1);
    assert_int_equal(count(text, "body=0"), 0);
    assert_int_equal(count(text, "not sent"), 0);
    assert_int_equal(count(text, "HTTP/1.1 204 No Content\r\n"), 1);
    assert_int_equal(count(text, "Content-Length"), 1);
    assert_int_equal(count(text, "Transfer-Encoding"), 0);
    assert_int_equal(count(text, "hello"), 0);
    assert_int_equal(count(text, "Date: "), 3);

    free(text);
    (void) close(fd);
}


static void
test_stream(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\n" H "\r\n"
            "GET /exact HTTP/1.1\r\n" H "\r\n"
            "GET /short HTTP/1.1\r\n" H "\r\n"
            "GET /a HTTP/1.1\r\n" H "\r\n");

    text = rest(fd, 65536);
    assert_non_null(strstr(text, "Transfer-Encoding: chunked\r\n\r\n"
                                 "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"
                                 "HTTP/1.1 200"));
    assert_non_null(strstr(text, "Content-Length: 11\r\n\r\nhello world"
                                 "HTTP/1.1 200"));

    /* the length was not kept: the connection is of no more use */

    assert_non_null(strstr(text, "Content-Length: 100\r\n\r\nhello world"));
    assert_int_equal(count(text, "/a body"), 0);

    free(text);
    (void) close(fd);
}


static void
test_http10(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /a HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n"
            "GET /stream HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n");

    text = rest(fd, 65536);
    assert_int_equal(count(text, "HTTP/1.0 200 OK\r\n"), 2);
    assert_int_equal(count(text, "Connection: keep-alive\r\n"), 1);
    assert_int_equal(count(text, "Connection: close\r\n"), 1);
    assert_int_equal(count(text, "Transfer-Encoding"), 0);
    assert_non_null(strstr(text, "\r\n\r\nhello world"));

    free(text);
    (void) close(fd);
}


static void
test_continue(void **state)
{
    int    fd;
    char  *text;
    got_t  got;
    char   buf[256];

    (void) state;

    memset(&got, 0, sizeof(got));

    fd = dial();
    put(fd, "POST /a HTTP/1.1\r\n" H "Expect: 100-continue\r\n"
            "Content-Length: 3\r\nConnection: close\r\n\r\n");

    got.fd = fd;
    got.text = buf;
    got.size = sizeof(buf);
    got.enough = 1;

    assert_true(run_until(get_some, &got));
    assert_string_equal(buf, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_int_equal(w.requests, 0);

    put(fd, "abc");
    text = rest(fd, 65536);
    assert_non_null(strstr(text, "/a body=3"));

    free(text);
    (void) close(fd);
}


/* Who does not want the body answers without it. */

static void
test_unwanted_body(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    w.want_body = false;

    fd = dial();
    put(fd, "POST /a HTTP/1.1\r\n" H "Content-Length: 100000000\r\n\r\nab"
            "GET /b HTTP/1.1\r\n" H "\r\n");

    text = rest(fd, 65536);
    assert_non_null(strstr(text, "/a body=0 unread"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_string_equal(w.seen, " /a");

    free(text);
    (void) close(fd);
}


static void
test_split_header(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /split HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    text = rest(fd, 65536);
    assert_int_equal(strncmp(text, "HTTP/1.1 500 ", 13), 0);
    assert_int_equal(count(text, "Set-Cookie"), 0);
    assert_int_equal(count(text, "X-Good"), 0);
    assert_int_equal(count(text, "secret"), 0);

    free(text);
    (void) close(fd);
}


static void
test_header_rules(void **state)
{
    int             fd;
    size_t          i;
    tgn_request_t  *r;

    static const struct {
        const char  *name;
        tg_str_t     value;
        int          rc;
    } table[] = {
        { "X-A", TG_STR("b"), TG_OK },
        { "X-A", TG_STR(""), TG_OK },
        { "X-A", TG_STR("a\tb \xc3\xa9"), TG_OK },
        { "X-A", TG_STR("a\rb"), TG_ERR_REFUSED },
        { "X-A", TG_STR("a\nb"), TG_ERR_REFUSED },
        { "X-A", TG_STR("a\0b"), TG_ERR_REFUSED },
        { "X-A", TG_STR("a\x1b"), TG_ERR_REFUSED },
        { "X-A", TG_STR("a\x7f"), TG_ERR_REFUSED },
        { "", TG_STR("b"), TG_ERR_REFUSED },
        { "X A", TG_STR("b"), TG_ERR_REFUSED },
        { "X:A", TG_STR("b"), TG_ERR_REFUSED },
        { "X\r\nA", TG_STR("b"), TG_ERR_REFUSED },
        { "Content-length", TG_STR("0"), TG_ERR_REFUSED },
        { "Transfer-Encoding", TG_STR("chunked"), TG_ERR_REFUSED },
        { "connection", TG_STR("close"), TG_ERR_REFUSED }
    };

    (void) state;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        w.held = NULL;

        fd = dial();
        put(fd, "GET /later HTTP/1.1\r\n" H "\r\n");
        assert_true(run_until(has_held, NULL));

        r = w.held;
        assert_int_equal(tgn_response_header(r, table[i].name,
                                             table[i].value), table[i].rc);
        tgn_response_send(r, 200, (tg_str_t) TG_NULL_STR);
        (void) close(fd);
    }
}


static void
test_drop_and_hijack(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /drop HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_string_equal(text, "");
    free(text);
    (void) close(fd);

    fd = dial();
    put(fd, "GET /hijack HTTP/1.1\r\n" H "\r\n");
    text = rest(fd, 65536);
    assert_string_equal(text, "mine");
    free(text);
    (void) close(fd);

    assert_int_equal(tgn_http_connections(w.http), 0);
    assert_int_equal(w.aborts, 0);
}


static void
test_big_answer(void **state)
{
    int    fd;
    char  *text;

    (void) state;

    fd = dial();
    put(fd, "GET /big HTTP/1.1\r\n" H "\r\n"
            "GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    text = rest(fd, 2000000);
    assert_int_equal(strspn(strstr(text, "\r\n\r\n") + 4, "b"), 1000000);
    assert_non_null(strstr(text, "/a body=0"));

    free(text);
    (void) close(fd);
}


static void
test_listen_unix(void **state)
{
    int          fd;
    char         other[256];
    mode_t       umask_before;
    tg_error_t   error;
    struct stat  st;

    (void) state;

    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    /* one that is in use */

    assert_int_equal(tgn_http_listen_unix(w.http, w.path, 0600, (uid_t) -1,
                                          (gid_t) -1, &w, &error),
                     TG_ERR_REFUSED);
    assert_non_null(strstr(error.text, "another process"));

    /* the umask does not matter */

    (void) snprintf(other, sizeof(other), "%s/other", w.dir);
    umask_before = umask(0777);
    assert_int_equal(tgn_http_listen_unix(w.http, other, 0666, (uid_t) -1,
                                          (gid_t) -1, &w, &error), TG_OK);
    (void) umask(umask_before);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0666);

    /* what is not ours any more stays */

    assert_int_equal(unlink(other), 0);
    fd = open(other, O_CREAT|O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void) close(fd);

    tgn_http_unlisten(w.http);
    assert_int_equal(stat(other, &st), 0);

    /* no socket, and it is not replaced */

    assert_int_equal(tgn_http_listen_unix(w.http, other, 0600, (uid_t) -1,
                                          (gid_t) -1, &w, &error),
                     TG_ERR_REFUSED);
    assert_non_null(strstr(error.text, "no socket"));
    assert_int_equal(unlink(other), 0);
}


/* One that a process left behind when it was killed. */

static void
test_stale_socket(void **state)
{
    int                 fd;
    char                path[256];
    tg_error_t          error;
    struct sockaddr_un  sun;

    (void) state;

    (void) snprintf(path, sizeof(path), "%s/stale", w.dir);

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    (void) snprintf(sun.sun_path, sizeof(sun.sun_path), "%.100s", path);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &sun, sizeof(sun)), 0);
    assert_int_equal(listen(fd, 1), 0);
    (void) close(fd);

    assert_int_equal(tgn_http_listen_unix(w.http, path, 0600, (uid_t) -1,
                                          (gid_t) -1, &w, &error), TG_OK);
}


static void
test_listen_tcp(void **state)
{
    tg_addr_t   addr;
    tg_error_t  error;

    (void) state;

    assert_int_equal(tg_addr_parse(&addr, "0.0.0.0", 7), TG_OK);
    assert_int_equal(tgn_http_listen_tcp(w.http, &addr, &w, &error),
                     TG_ERR_REFUSED);
    assert_non_null(strstr(error.text, "loopback"));

    assert_int_equal(tg_addr_parse(&addr, "127.0.0.1", 9), TG_OK);
    assert_int_equal(tgn_http_listen_tcp(w.http, &addr, &w, &error), TG_OK);
    assert_int_equal(tgn_http_listener_addr(w.http, 1, &addr), TG_OK);
    assert_int_not_equal(addr.port, 0);
    assert_int_equal(tgn_http_listener_addr(w.http, 2, &addr), TG_ERR_ABSENT);

    assert_int_equal(tgn_http_listener_addr(w.http, 1, &addr), TG_OK);
    assert_int_equal(tgn_http_listen_tcp(w.http, &addr, &w, &error),
                     TG_ERR_REFUSED);
}


static void
test_listen_fd(void **state)
{
    int         pair[2], fd;
    char       *text;
    socklen_t   len;
    tg_error_t  error;

    struct sockaddr_un  sun;

    (void) state;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(tgn_http_listen_fd(w.http, pair[0], &w, &error),
                     TG_ERR_TYPE);
    (void) close(pair[0]);
    (void) close(pair[1]);

    assert_int_equal(tgn_http_listen_fd(w.http, 9999, &w, &error),
                     TG_ERR_TYPE);

    /* an abstract one, as no file is left behind */

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    len = (socklen_t) (offsetof(struct sockaddr_un, sun_path)
          + (size_t) snprintf(sun.sun_path + 1, 64, "tgn-%d", getpid()) + 1);

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &sun, len), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(tgn_http_listen_fd(w.http, fd, &w, &error), TG_OK);

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &sun, len), 0);
    put(fd, "GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n");

    text = rest(fd, 65536);
    assert_non_null(strstr(text, "/a body=0"));

    free(text);
    (void) close(fd);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_pipelined),
        TEST(test_pipelined_later),
        TEST(test_head_and_empty),
        TEST(test_stream),
        TEST(test_http10),
        TEST(test_continue),
        TEST(test_unwanted_body),
        TEST(test_split_header),
        TEST(test_header_rules),
        TEST(test_drop_and_hijack),
        TEST(test_big_answer),
        TEST(test_listen_unix),
        TEST(test_stale_socket),
        TEST(test_listen_tcp),
        TEST(test_listen_fd)
    };

    return cmocka_run_group_tests_name("http server", tests, NULL, NULL);
}
