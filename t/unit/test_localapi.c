
/*
 * Copyright (C) The Tailgate authors
 *
 * The LocalAPI client against a server of ours in the same loop: what becomes
 * of each way in which a tailscaled can fail.
 */

#include <net/client/localapi.h>
#include <net/http/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>


typedef struct {
    tgn_loop_t             *loop;
    tgn_http_t             *http;
    tgn_localapi_t         *api;
    tgn_localapi_conf_t     conf;
    tgn_timer_t            *guard;
    char                    dir[64];
    char                    path[128];

    size_t                  requests;
    size_t                  accepted;
    size_t                  held;
    char                    seen[512];

    size_t                  answers;
    size_t                  awaited;
    tgn_localapi_status_t   status;
    int                     code;
    size_t                  len;
    char                    body[256];
    char                    error[512];
} world_t;

static world_t  w;


static bool
is_target(const tgn_request_t *r, const char *target)
{
    return r->target.len == strlen(target)
           && memcmp(r->target.data, target, r->target.len) == 0;
}


static void
raw(tgn_request_t *r, const char *text)
{
    int  fd;

    fd = tgn_request_hijack(r);
    assert_true(fd >= 0);
    (void) !send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void) close(fd);
}


static void
big(tgn_request_t *r, size_t len, bool chunked)
{
    char      *text;
    tg_str_t   body;

    text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);

    body.data = text;
    body.len = len;

    if (!chunked) {
        tgn_response_send(r, 200, body);

    } else if (tgn_response_begin(r, 200, TGN_LENGTH_CHUNKED) == TG_OK
               && tgn_response_write(r, body) == TG_OK)
    {
        tgn_response_end(r);
    }

    free(text);
}


static void
on_held_gone(void *data)
{
    (void) data;

    w.held--;
}


static void
on_request(tgn_request_t *r, void *data)
{
    size_t    i;
    tg_str_t  value;

    static const struct {
        const char  *target;
        const char  *text;
    } bytes[] = {
        { "/not-http", "SSH-2.0-x\r\n" },
        { "/http09", "hello" },
        { "/half", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" },
        { "/half-chunk",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf" },
        { "/bad-chunk",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf" },
        { "/redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
          "Content-Length: 0\r\n\r\n" }
    };

    (void) data;

    w.requests++;

    (void) snprintf(w.seen, sizeof(w.seen), "%.*s %.*s %.*s",
                    (int) r->method.len, r->method.data,
                    (int) r->target.len, r->target.data,
                    (int) r->host.len, r->host.data);

    assert_false(tgn_request_header(r, "Origin", 0, &value));
    assert_false(tgn_request_header(r, "Referer", 0, &value));

    for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
        if (is_target(r, bytes[i].target)) {
            raw(r, bytes[i].text);
            return;
        }
    }

    if (is_target(r, "/hold")) {
        w.held++;
        tgn_request_on_abort(r, on_held_gone, NULL);

    } else if (is_target(r, "/drop")) {
        tgn_request_abort(r);

    } else if (is_target(r, "/close")) {
        tgn_response_close(r);
        tgn_response_send(r, 200, (tg_str_t) TG_STR("bye"));

    } else if (is_target(r, "/max")) {
        big(r, 1000, false);

    } else if (is_target(r, "/over")) {
        big(r, 1001, false);

    } else if (is_target(r, "/over-chunked")) {
        big(r, 1001, true);

    } else if (is_target(r, "/empty")) {
        tgn_response_send(r, 200, (tg_str_t) TG_NULL_STR);

    } else if (is_target(r, "/404")) {
        tgn_response_send(r, 404, (tg_str_t) TG_STR("no match\n"));

    } else {
        tgn_response_send(r, 200, (tg_str_t) TG_STR("{\"a\":1}"));
    }
}


static int
classify(const tgn_peer_t *peer, void *listener, void *data)
{
    (void) peer;
    (void) listener;
    (void) data;

    w.accepted++;

    return 0;
}


static void
too_long(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    tgn_loop_stop(w.loop);
}


static void
serve(void)
{
    tg_error_t       error;
    tgn_http_conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    tgn_http_limits(&conf.limits);
    conf.handler = on_request;
    conf.classify = classify;

    w.http = tgn_http_new(w.loop, &conf);
    assert_non_null(w.http);
    assert_int_equal(tgn_http_listen_unix(w.http, w.path, 0666, (uid_t) -1,
                                          (gid_t) -1, NULL, &error), TG_OK);
}


static int
setup(void **state)
{
    (void) state;

    memset(&w, 0, sizeof(w));

    (void) snprintf(w.dir, sizeof(w.dir), "/tmp/tgn-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    (void) snprintf(w.path, sizeof(w.path), "%s/s", w.dir);

    w.loop = tgn_loop_new();
    assert_non_null(w.loop);
    w.guard = tgn_timer_new(w.loop, too_long, NULL);
    assert_non_null(w.guard);

    w.conf.socket = w.path;
    w.conf.timeout = 1000;
    w.conf.body_max = 1000;
    w.conf.connections = 4;
    w.conf.keepalive = 2;

    serve();

    w.api = tgn_localapi_new(w.loop, &w.conf);
    assert_non_null(w.api);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    tgn_localapi_free(&w.api);
    tgn_http_free(&w.http);
    tgn_timer_free(&w.guard);
    tgn_loop_free(&w.loop);

    assert_int_equal(rmdir(w.dir), 0);

    return 0;
}


static void
on_answer(const tgn_localapi_answer_t *answer, void *data)
{
    assert_ptr_equal(data, &w);

    w.answers++;
    w.status = answer->status;
    w.code = answer->code;
    w.len = answer->len;

    assert_int_equal(answer->body[answer->len], '\0');
    (void) snprintf(w.body, sizeof(w.body), "%s", answer->body);
    (void) snprintf(w.error, sizeof(w.error), "%s", answer->error);

    if (w.answers == w.awaited) {
        tgn_loop_stop(w.loop);
    }
}


/* Until n answers came in all; false if they did not. */

static bool
wait_for(size_t n)
{
    w.awaited = n;

    if (w.answers < n) {
        tgn_timer_start(w.guard, 5000, 0);
        (void) tgn_loop_run(w.loop);
        tgn_timer_stop(w.guard);
    }

    return w.answers == n;
}


static void
ask(const char *target)
{
    size_t  n;

    n = w.answers + 1;

    assert_non_null(tgn_localapi_get(w.api, target, on_answer, &w));
    assert_int_equal(w.answers, n - 1);
    assert_true(wait_for(n));
}


static void
test_answers(void **state)
{
    tg_addr_t  addr;

    (void) state;

    ask("/a?b=c");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.code, 200);
    assert_string_equal(w.body, "{\"a\":1}");
    assert_string_equal(w.error, "");
    assert_string_equal(w.seen, "GET /a?b=c local-tailscaled.sock");

    ask("/404");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.code, 404);
    assert_string_equal(w.body, "no match\n");

    ask("/empty");
    assert_int_equal(w.code, 200);
    assert_int_equal(w.len, 0);

    ask("/redirect");
    assert_int_equal(w.code, 302);

    ask("/a/../b//c");
    assert_string_equal(w.seen, "GET /a/../b//c local-tailscaled.sock");

    assert_int_equal(tg_addr_parse(&addr, "127.0.0.1:42", 12), TG_OK);
    assert_non_null(tgn_localapi_whois(w.api, &addr, true,
                                       (tg_str_t) TG_STR("svc:wiki"), NULL,
                                       on_answer, &w));
    assert_true(wait_for(w.answers + 1));
    assert_string_equal(w.seen, "GET /localapi/v0/whois?addr=127.0.0.1%3A42"
                                "&proto=tcp&svc_name=svc%3Awiki"
                                " local-tailscaled.sock");

    assert_non_null(tgn_localapi_status(w.api, on_answer, &w));
    assert_true(wait_for(w.answers + 1));
    assert_string_equal(w.seen, "GET /localapi/v0/status?peers=false"
                                " local-tailscaled.sock");

    memset(&addr, 0, sizeof(addr));
    assert_null(tgn_localapi_whois(w.api, &addr, false,
                                   (tg_str_t) TG_NULL_STR, NULL, on_answer,
                                   &w));
    assert_null(tgn_localapi_get(w.api, "no-slash", on_answer, &w));
}


static void
test_bounds(void **state)
{
    (void) state;

    ask("/max");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.len, 1000);

    ask("/over");
    assert_int_equal(w.status, TGN_LOCALAPI_TOO_LARGE);
    assert_int_equal(w.code, 0);
    assert_int_equal(w.len, 0);

    ask("/over-chunked");
    assert_int_equal(w.status, TGN_LOCALAPI_TOO_LARGE);

    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
}


static void
test_broken(void **state)
{
    size_t  i;

    static const char *const  targets[] = {
        "/drop", "/not-http", "/http09", "/half", "/half-chunk", "/bad-chunk"
    };

    (void) state;

    for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        ask(targets[i]);
        assert_int_equal(w.status, TGN_LOCALAPI_BROKEN);
        assert_int_equal(w.code, 0);
        assert_int_equal(w.len, 0);
        assert_non_null(strstr(w.error, w.path));
    }

    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
}


static void
test_keepalive(void **state)
{
    int  i;

    (void) state;

    for (i = 0; i < 20; i++) {
        ask("/a");
    }

    assert_int_equal(w.accepted, 1);

    /* one that the other side closed meanwhile is replaced */

    tgn_http_disconnect(w.http);
    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.accepted, 2);

    ask("/close");
    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.accepted, 3);
}


static void
test_restart(void **state)
{
    (void) state;

    ask("/a");
    tgn_http_free(&w.http);

    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_ABSENT);
    assert_non_null(strstr(w.error, "is tailscaled running"));

    serve();
    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
}


/* More than connections: the others wait, and all are answered. */

static void
test_many(void **state)
{
    int  i;

    (void) state;

    for (i = 0; i < 200; i++) {
        assert_non_null(tgn_localapi_get(w.api, "/a", on_answer, &w));
    }

    assert_true(wait_for(200));
    assert_int_equal(w.requests, 200);
    assert_int_equal(w.accepted, 4);
}


/* The wait for a connection counts. */

static void
test_timeout(void **state)
{
    int       i;
    uint64_t  began;

    (void) state;

    began = tgn_loop_now(w.loop);

    for (i = 0; i < 8; i++) {
        assert_non_null(tgn_localapi_get(w.api, "/hold", on_answer, &w));
    }

    assert_true(wait_for(8));
    assert_int_equal(w.status, TGN_LOCALAPI_TIMEOUT);
    assert_non_null(strstr(w.error, "1000 ms"));
    assert_in_range(tgn_loop_now(w.loop) - began, 990, 3000);

    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
    assert_int_equal(w.held, 0);
}


static void
never(const tgn_localapi_answer_t *answer, void *data)
{
    (void) answer;
    (void) data;

    fail();
}


static void
test_cancel_makes_room(void **state)
{
    int                   i;
    tgn_localapi_call_t  *calls[8];

    (void) state;

    for (i = 0; i < 8; i++) {
        calls[i] = tgn_localapi_get(w.api, "/hold", never, NULL);
        assert_non_null(calls[i]);
    }

    for (i = 0; i < 8; i++) {
        tgn_localapi_cancel(&calls[i]);
        assert_null(calls[i]);
        tgn_localapi_cancel(&calls[i]);
    }

    ask("/a");
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
}


/* Asking anew from a callback. */

static void
again(const tgn_localapi_answer_t *answer, void *data)
{
    on_answer(answer, data);

    if (w.answers < 5) {
        assert_non_null(tgn_localapi_get(w.api, "/a", again, &w));
    }
}


static void
test_ask_from_callback(void **state)
{
    (void) state;

    assert_non_null(tgn_localapi_get(w.api, "/a", again, &w));
    assert_true(wait_for(5));
    assert_int_equal(w.status, TGN_LOCALAPI_OK);
}


static void
test_free_under_way(void **state)
{
    int  i;

    (void) state;

    ask("/a");

    for (i = 0; i < 8; i++) {
        assert_non_null(tgn_localapi_get(w.api, i % 2 ? "/hold" : "/a", never,
                                         NULL));
    }

    tgn_localapi_free(&w.api);
    assert_null(w.api);
}


static void
test_wait(void **state)
{
    tgn_localapi_conf_t  conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));
    conf.socket = "/nonexistent/tailscaled.sock";

    assert_int_equal(tgn_localapi_get_wait(&conf, "/a", on_answer, &w), TG_OK);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.status, TGN_LOCALAPI_ABSENT);

    assert_int_equal(tgn_localapi_get_wait(&conf, "a", on_answer, &w),
                     TG_ERR_NOMEM);
    assert_int_equal(w.answers, 1);
}


/* Nobody is refused by mode who is root, so this is for everybody else. */

static void
test_denied(void **state)
{
    (void) state;

    if (geteuid() == 0 && seteuid(65534) != 0) {
        skip();
    }

    /* to pass its folder is what is forbidden, or the socket itself */

    ask("/a");

    if (geteuid() == 65534) {
        assert_int_equal(seteuid(0), 0);
        assert_int_equal(w.status, TGN_LOCALAPI_DENIED);
        assert_non_null(strstr(w.error, "permission denied"));
    }
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_answers),
        TEST(test_bounds),
        TEST(test_broken),
        TEST(test_keepalive),
        TEST(test_restart),
        TEST(test_many),
        TEST(test_timeout),
        TEST(test_cancel_makes_room),
        TEST(test_ask_from_callback),
        TEST(test_free_under_way),
        TEST(test_wait),
        TEST(test_denied)
    };

    return cmocka_run_group_tests_name("localapi", tests, NULL, NULL);
}
