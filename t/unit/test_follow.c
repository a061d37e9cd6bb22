
/*
 * Copyright (C) The Tailgate authors
 *
 * The follower of the event stream against a server of ours in the same loop:
 * what it tells, and what becomes of streams that are hostile.
 */

#include <net/client/bus.h>
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


#define HEAD   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define STATE  "{\"State\":6}\n"
#define NODE(os)                                                              \
    "{\"PeersChanged\":[{\"ID\":4,\"Addresses\":[\"100.64.0.4/32\"],"         \
    "\"Name\":\"" os "\"}]}\n"


typedef struct {
    tgn_loop_t       *loop;
    tgn_http_t       *http;
    tgn_bus_t        *bus;
    tgn_timer_t      *guard;
    char              dir[64];
    char              path[128];
    const char       *answer;      /* to a request, as it is; NULL: none */
    int               fd;          /* the stream, -1: none */
    size_t            requests;
    bool              late;

    size_t            moves;
    size_t            all;         /* changes of everybody */
    size_t            some;        /* of addresses */
    const char       *watch;       /* an address */
    size_t            watched;     /* of them, with that one */
    size_t            many;        /* of them, with more than one */
    size_t            changes;     /* of both kinds */
    size_t            nonsense;
    tg_bus_state_t    state;
    tg_addr_t         addr;
    char              text[512];
} world_t;

static world_t  w;


static void
say(const char *data, size_t len)
{
    char    size[32];
    int     n;

    n = snprintf(size, sizeof(size), "%zx\r\n", len);

    assert_int_equal(send(w.fd, size, (size_t) n, MSG_NOSIGNAL), n);
    assert_int_equal(send(w.fd, data, len, MSG_NOSIGNAL), (ssize_t) len);
    assert_int_equal(send(w.fd, "\r\n", 2, MSG_NOSIGNAL), 2);
}


static void
on_request(tgn_request_t *r, void *data)
{
    (void) data;

    w.requests++;

    assert_int_equal(r->target.len, strlen(TG_BUS_TARGET));
    assert_memory_equal(r->target.data, TG_BUS_TARGET, r->target.len);
    assert_memory_equal(r->host.data, "local-tailscaled.sock", r->host.len);

    if (w.fd != -1) {
        (void) close(w.fd);
    }

    w.fd = tgn_request_hijack(r);
    assert_true(w.fd >= 0);

    if (w.answer) {
        (void) !send(w.fd, w.answer, strlen(w.answer), MSG_NOSIGNAL);

    } else {
        (void) !send(w.fd, HEAD, strlen(HEAD), MSG_NOSIGNAL);
        say(STATE, strlen(STATE));
    }

    tgn_loop_stop(w.loop);
}


static void
on_changed(const tg_bus_change_t *change, void *data)
{
    bool       many, watched;
    size_t     i;
    tg_addr_t  addr;

    assert_ptr_equal(data, &w);
    assert_true(change->all || change->naddrs > 0);
    assert_int_equal(tg_addr_parse(&addr, w.watch, strlen(w.watch)), TG_OK);

    many = watched = false;

    for (i = 0; i < change->naddrs; i++) {
        watched = watched || tg_addr_equal(&change->addrs[i], &addr);
        many = many || !tg_addr_equal(&change->addrs[i], &change->addrs[0]);
    }

    w.watched += watched;
    w.many += many;

    if (change->all) {
        w.all++;

    } else {
        w.some++;
        w.addr = change->addrs[0];
    }

    w.changes++;

    tgn_loop_stop(w.loop);
}


static void
on_moved(tg_bus_state_t state, const char *text, void *data)
{
    (void) data;

    w.moves++;
    w.state = state;
    (void) snprintf(w.text, sizeof(w.text), "%s", text);

    assert_true((state == TG_BUS_FOLLOWED) == (text[0] == '\0'));

    tgn_loop_stop(w.loop);
}


static void
on_nonsense(const char *text, void *data)
{
    (void) data;

    assert_true(text[0] != '\0');
    w.nonsense++;
}


static void
on_guard(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    w.late = true;
    tgn_loop_stop(w.loop);
}


/* Lets the loop run until *count is n, or for far too long. */

static bool
wait_for(const size_t *count, size_t n)
{
    w.late = false;
    tgn_timer_start(w.guard, 20000, 0);

    while (*count < n && !w.late) {
        (void) tgn_loop_run(w.loop);
    }

    tgn_timer_stop(w.guard);

    return *count >= n;
}


static void
listen_again(void)
{
    tg_error_t       error;
    tgn_http_conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    tgn_http_limits(&conf.limits);
    conf.handler = on_request;

    w.http = tgn_http_new(w.loop, &conf);
    assert_non_null(w.http);
    assert_int_equal(tgn_http_listen_unix(w.http, w.path, 0666, (uid_t) -1,
                                          (gid_t) -1, NULL, &error), TG_OK);
}


static int
setup(void **state)
{
    tgn_bus_conf_t    conf;
    tgn_bus_events_t  events = { on_changed, on_moved, on_nonsense };

    (void) state;

    memset(&w, 0, sizeof(w));
    w.fd = -1;
    w.watch = "100.64.0.4";

    (void) snprintf(w.dir, sizeof(w.dir), "/tmp/tgn-XXXXXX");
    assert_non_null(mkdtemp(w.dir));
    (void) snprintf(w.path, sizeof(w.path), "%s/s", w.dir);

    w.loop = tgn_loop_new();
    assert_non_null(w.loop);
    w.guard = tgn_timer_new(w.loop, on_guard, NULL);
    assert_non_null(w.guard);

    listen_again();

    memset(&conf, 0, sizeof(conf));
    conf.socket = w.path;
    conf.timeout = 3600 * 1000;
    conf.retry = 10;
    conf.retry_max = 40;
    conf.retry_none = 20;

    w.bus = tgn_bus_new(w.loop, &conf, &events, &w);
    assert_non_null(w.bus);
    assert_int_equal(tgn_bus_state(w.bus), TG_BUS_LOST);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    tgn_bus_free(&w.bus);
    assert_null(w.bus);
    tgn_bus_free(&w.bus);

    if (w.fd != -1) {
        (void) close(w.fd);
    }

    tgn_http_free(&w.http);
    tgn_timer_free(&w.guard);
    tgn_loop_free(&w.loop);

    (void) unlink(w.path);
    assert_int_equal(rmdir(w.dir), 0);

    return 0;
}


/* Everybody is out of date before it counts as followed, and once more. */

static void
follow(void)
{
    size_t  all;

    all = w.all;

    assert_true(wait_for(&w.moves, 1));
    assert_int_equal(w.state, TG_BUS_FOLLOWED);
    assert_int_equal(tgn_bus_state(w.bus), TG_BUS_FOLLOWED);
    assert_int_equal(w.all, all + 1);
    assert_true(wait_for(&w.all, all + 2));
    assert_int_equal(w.nonsense, 0);
}


static void
test_changes(void **state)
{
    tg_addr_t  addr;

    (void) state;

    follow();

    /* nobody knows where a node was that is new */

    say(NODE("a"), strlen(NODE("a")));
    assert_true(wait_for(&w.all, 4));
    assert_int_equal(w.some, 0);

    /* in pieces, and two in one */

    say(NODE("b"), 20);
    say(NODE("b") + 20, strlen(NODE("b")) - 20);
    assert_true(wait_for(&w.some, 2));

    assert_int_equal(tg_addr_parse(&addr, "100.64.0.4", 10), TG_OK);
    assert_true(tg_addr_equal(&addr, &w.addr));

    say(NODE("b") "\n" NODE("c"), strlen(NODE("b") "\n" NODE("c")));
    assert_true(wait_for(&w.some, 4));
    assert_int_equal(w.all, 4);
    assert_int_equal(w.nonsense, 0);
    assert_int_equal(w.requests, 1);
}


static void
say_node(size_t id, size_t name)
{
    int   n;
    char  line[256];

    n = snprintf(line, sizeof(line), "{\"PeersChanged\":[{\"ID\":%zu,"
                 "\"Addresses\":[\"100.64.0.%zu/32\"],"
                 "\"Name\":\"%zu\"}]}\n", id, id, name);
    say(line, (size_t) n);
}


/*
 * Each of a steady stream of changes is told once more and no oftener, and does
 * not become one of everybody.
 */

static void
test_steady(void **state)
{
    size_t  i, name;

    (void) state;

    follow();

    /* nodes that are new change everybody, until the last echo of that */

    for (i = 4; i < 44; i++) {
        say_node(i, 0);
    }

    assert_true(wait_for(&w.all, 2 + 40));
    name = 1;

    w.watch = "100.64.0.5";

    do {
        assert_true(name < 100);
        w.all = 0;
        w.watched = 0;
        say_node(5, name++);
        assert_true(wait_for(&w.watched, 1));

        while (w.watched < 2 && w.all == 0) {
            assert_true(wait_for(&w.changes, w.changes + 1));
        }

    } while (w.all > 0);

    /* one that has its turn behind another's */

    w.watch = "100.64.0.4";
    w.watched = 0;
    w.many = 0;
    say_node(5, name++);
    say_node(4, name++);
    assert_true(wait_for(&w.watched, 1));

    while (w.many < 4) {
        say_node(5 + name % 39, name);
        name++;
        assert_true(wait_for(&w.some, w.some + 1));
    }

    assert_int_equal(w.watched, 2);
    assert_int_equal(w.all, 0);
    assert_int_equal(w.nonsense, 0);
}


/* Another time to wait counts for the attempt that is under way, too. */

static void
test_timeout(void **state)
{
    (void) state;

    w.answer = "";
    assert_true(wait_for(&w.requests, 1));
    assert_int_equal(w.moves, 0);

    tgn_bus_timeout(w.bus, 20);
    assert_true(wait_for(&w.moves, 1));
    assert_int_equal(w.state, TG_BUS_LOST);
    assert_non_null(strstr(w.text, "no message came in time"));

    w.answer = NULL;
    tgn_bus_timeout(w.bus, 0);
    w.moves = 0;
    follow();
    assert_int_equal(w.requests, 2);
}


/* The stream ends, the socket goes, and all of it comes back. */

static void
test_lost(void **state)
{
    (void) state;

    follow();

    (void) close(w.fd);
    w.fd = -1;
    assert_true(wait_for(&w.moves, 2));
    assert_int_equal(w.state, TG_BUS_LOST);
    assert_int_equal(tgn_bus_state(w.bus), TG_BUS_LOST);
    assert_non_null(strstr(w.text, w.path));

    assert_true(wait_for(&w.moves, 3));
    assert_int_equal(w.state, TG_BUS_FOLLOWED);
    assert_int_equal(w.requests, 2);

    tgn_http_free(&w.http);
    (void) close(w.fd);
    w.fd = -1;
    assert_true(wait_for(&w.moves, 6));
    assert_int_equal(w.state, TG_BUS_LOST);

    listen_again();
    assert_true(wait_for(&w.requests, 3));
    w.moves = 0;
    w.all = 0;
    follow();
}


/* A message that is too long is not read, and says that all have changed. */

static void
test_too_long(void **state)
{
    char    *data;
    size_t   i;

    (void) state;

    follow();

    data = malloc(4096);
    assert_non_null(data);
    memset(data, ' ', 4096);

    for (i = 0; i < TG_BUS_MESSAGE_MAX / 4096; i++) {
        say(data, 4096);
    }

    say(data, 1);
    assert_true(wait_for(&w.all, 3));

    say("\n" NODE("a"), strlen("\n" NODE("a")));
    assert_true(wait_for(&w.all, 4));
    assert_int_equal(w.nonsense, 0);
    assert_int_equal(w.state, TG_BUS_FOLLOWED);

    free(data);
}


static void
test_nonsense(void **state)
{
    size_t  i, n;

    static const char *const  lines[] = {
        "hello\n", "[]\n", "{\"State\":\n", "{\"PeersChanged\":[1]}\n",
        "{\"State\":6,\"State\":6}\n", "\xff\xfe\n", "{} {}\n"
    };

    (void) state;

    follow();

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        n = w.all;
        say(lines[i], strlen(lines[i]));
        assert_true(wait_for(&w.all, n + 1));
    }

    assert_true(w.nonsense >= sizeof(lines) / sizeof(lines[0]));
    assert_int_equal(w.state, TG_BUS_FOLLOWED);
    assert_int_equal(w.requests, 1);
}


/* What is no stream is none, and is tried again, for ever. */

static void
test_hostile(void **state)
{
    size_t  i;

    static const struct {
        const char      *answer;
        tg_bus_state_t   state;
    } answers[] = {
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
          TG_BUS_NONE },
        { "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", TG_BUS_NONE },
        { "HTTP/1.1 403 No\r\nContent-Length: 12\r\n\r\n{\"State\":6}\n",
          TG_BUS_LOST },
        { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
          "Content-Length: 0\r\n\r\n", TG_BUS_LOST },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", TG_BUS_LOST },
        { "SSH-2.0-x\r\n", TG_BUS_LOST },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          TG_BUS_LOST },
        /* it says nothing at all, and then not enough */
        { "", TG_BUS_LOST },
        { HEAD, TG_BUS_LOST }
    };

    (void) state;

    tgn_bus_timeout(w.bus, 300);

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        w.answer = answers[i].answer;

        assert_true(wait_for(&w.requests, w.requests + 1));
        assert_true(wait_for(&w.moves, w.moves + 1));
        assert_int_equal(w.state, answers[i].state);
        assert_int_equal(tgn_bus_state(w.bus), answers[i].state);
        assert_int_equal(w.all, 0);
    }

    w.answer = NULL;
    w.moves = 0;
    follow();
}


/* Whoever did not run cannot have read what came. */

static void
test_stall(void **state)
{
    (void) state;

    follow();

    (void) usleep(800 * 1000);
    tgn_loop_update(w.loop);
    assert_int_equal(tgn_bus_state(w.bus), TG_BUS_LOST);

    assert_true(wait_for(&w.all, 3));
    assert_int_equal(tgn_bus_state(w.bus), TG_BUS_FOLLOWED);
    assert_int_equal(w.moves, 1);
}


#define IN_WORLD(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        IN_WORLD(test_changes),
        IN_WORLD(test_steady),
        IN_WORLD(test_timeout),
        IN_WORLD(test_lost),
        IN_WORLD(test_too_long),
        IN_WORLD(test_nonsense),
        IN_WORLD(test_hostile),
        IN_WORLD(test_stall)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
