
/*
 * Copyright (C) The Tailgate authors
 *
 * The loop: handles may be freed from within their callbacks, work is always
 * reported, and nothing is left behind.
 */

#include <net/loop/loop.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>


typedef struct {
    tgn_loop_t   *loop;
    tgn_timer_t  *timer;
    tgn_poll_t   *poll;
    unsigned      events;
    int           calls;
    int           fds[2];
} world_t;


static int
setup(void **state)
{
    world_t  *w;

    w = calloc(1, sizeof(world_t));
    assert_non_null(w);

    w->loop = tgn_loop_new();
    assert_non_null(w->loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w->fds), 0);

    *state = w;

    return 0;
}


static int
teardown(void **state)
{
    world_t  *w = *state;

    tgn_timer_free(&w->timer);
    tgn_poll_free(&w->poll);
    tgn_loop_free(&w->loop);

    (void) close(w->fds[0]);
    (void) close(w->fds[1]);
    free(w);

    return 0;
}


static void
on_tick(tgn_timer_t *timer, void *data)
{
    world_t  *w = data;

    assert_ptr_equal(timer, w->timer);

    if (++w->calls == 3) {
        tgn_timer_free(&w->timer);
    }
}


static void
test_timer(void **state)
{
    uint64_t  before;
    world_t  *w = *state;

    before = tgn_loop_now(w->loop);

    w->timer = tgn_timer_new(w->loop, on_tick, w);
    assert_false(tgn_timer_is_set(w->timer));
    tgn_timer_start(w->timer, 20, 10);
    assert_true(tgn_timer_is_set(w->timer));

    /* it ends when the timer is gone */

    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(w->calls, 3);
    assert_true(tgn_loop_now(w->loop) >= before + 40);
    assert_null(w->timer);
}


static void
test_timer_stopped(void **state)
{
    world_t  *w = *state;

    w->timer = tgn_timer_new(w->loop, on_tick, w);
    tgn_timer_start(w->timer, 1, 0);
    tgn_timer_stop(w->timer);

    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(w->calls, 0);
}


static void
on_stop(tgn_timer_t *timer, void *data)
{
    world_t  *w = data;

    (void) timer;

    w->calls++;
    tgn_loop_stop(w->loop);
}


static void
test_stop_and_run_again(void **state)
{
    world_t  *w = *state;

    w->timer = tgn_timer_new(w->loop, on_stop, w);
    tgn_timer_start(w->timer, 0, 1);

    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(w->calls, 1);
    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(w->calls, 2);
}


static void
on_ready(tgn_poll_t *poll, unsigned events, void *data)
{
    world_t  *w = data;

    assert_ptr_equal(poll, w->poll);

    w->calls++;
    w->events = events;

    tgn_poll_free(&w->poll);
}


static void
watch(world_t *w, unsigned events)
{
    tgn_poll_free(&w->poll);

    w->poll = tgn_poll_new(w->loop, w->fds[0], on_ready, w);
    assert_non_null(w->poll);
    assert_int_equal(tgn_poll_set(w->poll, events), TG_OK);

    w->events = 0;
    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
}


static void
test_poll(void **state)
{
    world_t  *w = *state;

    watch(w, TGN_POLL_WRITE);
    assert_int_equal(w->events, TGN_POLL_WRITE);

    assert_int_equal(write(w->fds[1], "a", 1), 1);
    watch(w, TGN_POLL_READ);
    assert_int_equal(w->events, TGN_POLL_READ);

    /* nothing is asked for, so nothing keeps the loop */

    watch(w, 0);
    assert_int_equal(w->events, 0);

    /* the other side's end, unread data notwithstanding */

    assert_int_equal(shutdown(w->fds[1], SHUT_WR), 0);
    watch(w, TGN_POLL_HANGUP);
    assert_int_equal(w->events, TGN_POLL_HANGUP);
    assert_int_equal(w->calls, 3);
}


static void
test_poll_of_no_descriptor(void **state)
{
    world_t  *w = *state;

    assert_null(tgn_poll_new(w->loop, 9999, on_ready, w));
}


static void
on_usr1(int signo, void *data)
{
    world_t  *w = data;

    assert_int_equal(signo, SIGUSR1);

    w->calls++;
    tgn_loop_stop(w->loop);
}


static void
test_signal(void **state)
{
    world_t       *w = *state;
    tgn_signal_t  *s;

    s = tgn_signal_new(w->loop, SIGUSR1, on_usr1, w);
    assert_non_null(s);

    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(w->calls, 1);

    tgn_signal_free(&s);
    assert_null(s);

    assert_null(tgn_signal_new(w->loop, SIGKILL, on_usr1, w));
}


#define WORKS  64

static atomic_int  running;
static int         done, cancelled;


static void
run(void *data)
{
    (void) data;

    (void) usleep(2000);
    atomic_fetch_add(&running, 1);
}


static void
on_done(void *data, bool was_cancelled)
{
    (void) data;

    done++;
    cancelled += was_cancelled;
}


static void
test_work(void **state)
{
    int      i;
    world_t  *w = *state;

    atomic_store(&running, 0);
    done = 0;
    cancelled = 0;

    for (i = 0; i < WORKS; i++) {
        assert_non_null(tgn_work_post(w->loop, run, on_done, w));
    }

    assert_int_equal(done, 0);
    assert_int_equal(tgn_loop_run(w->loop), TG_OK);
    assert_int_equal(done, WORKS);
    assert_int_equal(atomic_load(&running), WORKS);
    assert_int_equal(cancelled, 0);
}


static void
test_work_cancelled(void **state)
{
    int          i, gave_up;
    world_t     *w = *state;
    tgn_work_t  *works[WORKS];

    atomic_store(&running, 0);
    done = 0;
    cancelled = 0;
    gave_up = 0;

    for (i = 0; i < WORKS; i++) {
        works[i] = tgn_work_post(w->loop, run, on_done, w);
        assert_non_null(works[i]);
    }

    for (i = WORKS - 1; i >= 0; i--) {
        gave_up += tgn_work_cancel(works[i]);
    }

    assert_true(gave_up > 0);

    /* the loop waits for what runs, and reports all of it */

    tgn_loop_free(&w->loop);
    assert_int_equal(done, WORKS);
    assert_int_equal(cancelled, gave_up);
    assert_int_equal(atomic_load(&running), WORKS - gave_up);
}


#define KNOCKERS  4
#define KNOCKS    1000


static tgn_wake_t   *wake;
static atomic_int    given;
static int           taken;
static int           woken;


static void
on_wake(void *data)
{
    world_t  *w = data;

    woken++;
    taken += atomic_exchange(&given, 0);

    if (taken == KNOCKERS * KNOCKS) {
        tgn_loop_stop(w->loop);
    }
}


static void *
knock(void *data)
{
    int  i;

    (void) data;

    for (i = 0; i < KNOCKS; i++) {
        (void) atomic_fetch_add(&given, 1);

        if (i == KNOCKS - 1 || i % 10 == 0) {
            tgn_wake_send(wake);
        }
    }

    return NULL;
}


static void
on_stuck(tgn_timer_t *timer, void *data)
{
    (void) timer;
    (void) data;

    fail_msg("a knock was lost");
}


/* What was handed over before a knock is seen behind it: none is lost. */

static void
test_wake(void **state)
{
    int        i;
    world_t   *w = *state;
    pthread_t  threads[KNOCKERS];

    atomic_init(&given, 0);
    taken = 0;
    woken = 0;

    wake = tgn_wake_new(w->loop, on_wake, w);
    assert_non_null(wake);

    for (i = 0; i < KNOCKERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, knock, NULL), 0);
    }

    for (i = 0; i < KNOCKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }

    w->timer = tgn_timer_new(w->loop, on_stuck, NULL);
    assert_non_null(w->timer);
    tgn_timer_start(w->timer, 60000, 0);

    tgn_loop_run(w->loop);
    assert_int_equal(taken, KNOCKERS * KNOCKS);
    assert_true(woken >= 1 && woken < KNOCKERS * KNOCKS);

    /* ends, because what was freed does not keep it */

    tgn_wake_free(&wake);
    tgn_timer_free(&w->timer);
    tgn_loop_run(w->loop);
}


/* A loop that sleeps is woken by another thread. */

static void *
knock_late(void *data)
{
    (void) data;

    (void) usleep(10000);
    (void) atomic_fetch_add(&given, KNOCKERS * KNOCKS);
    tgn_wake_send(wake);

    return NULL;
}


static void
test_wake_sleeping(void **state)
{
    world_t   *w = *state;
    pthread_t  thread;

    atomic_init(&given, 0);
    taken = 0;

    wake = tgn_wake_new(w->loop, on_wake, w);
    assert_non_null(wake);

    w->timer = tgn_timer_new(w->loop, on_stuck, NULL);
    assert_non_null(w->timer);
    tgn_timer_start(w->timer, 60000, 0);

    assert_int_equal(pthread_create(&thread, NULL, knock_late, NULL), 0);

    tgn_loop_run(w->loop);
    assert_int_equal(taken, KNOCKERS * KNOCKS);
    assert_int_equal(pthread_join(thread, NULL), 0);
    tgn_wake_free(&wake);
}


static void
test_free_null(void **state)
{
    tgn_loop_t    *loop = NULL;
    tgn_poll_t    *poll = NULL;
    tgn_wake_t    *none = NULL;
    tgn_timer_t   *timer = NULL;
    tgn_signal_t  *sig = NULL;

    (void) state;

    tgn_timer_free(&timer);
    tgn_signal_free(&sig);
    tgn_poll_free(&poll);
    tgn_wake_free(&none);
    tgn_loop_free(&loop);
}


#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_timer),
        TEST(test_timer_stopped),
        TEST(test_stop_and_run_again),
        TEST(test_poll),
        TEST(test_poll_of_no_descriptor),
        TEST(test_signal),
        TEST(test_work),
        TEST(test_work_cancelled),
        TEST(test_wake),
        TEST(test_wake_sleeping),
        TEST(test_free_null)
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
