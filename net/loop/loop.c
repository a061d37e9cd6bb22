
/*
 * Copyright (C) The Tailgate authors
 *
 * libuv behind loop.h: a handle is freed by libuv's close callback, so that
 * it may be given up from within its own callback.
 */

#include <net/loop/loop.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>


struct tgn_loop_s {
    uv_loop_t         uv;
    size_t            works;   /* whose done() is still to come */
};

struct tgn_timer_s {
    uv_timer_t        uv;
    tgn_timer_pt      cb;
    void             *data;
};

struct tgn_signal_s {
    uv_signal_t       uv;
    tgn_signal_pt     cb;
    void             *data;
};

struct tgn_poll_s {
    uv_poll_t         uv;
    tgn_poll_pt       cb;
    void             *data;
    unsigned          events;
};

struct tgn_work_s {
    uv_work_t         uv;
    tgn_loop_t       *loop;
    tgn_work_run_pt   run;
    tgn_work_done_pt  done;
    void             *data;
};

struct tgn_wake_s {
    uv_async_t        uv;
    tgn_wake_pt       cb;
    void             *data;
};


tgn_loop_t *
tgn_loop_new(void)
{
    tgn_loop_t  *loop;

    loop = calloc(1, sizeof(tgn_loop_t));
    if (loop == NULL) {
        return NULL;
    }

    if (uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }

    return loop;
}


int
tgn_loop_run(tgn_loop_t *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);

    return TG_OK;
}


void
tgn_loop_stop(tgn_loop_t *loop)
{
    uv_stop(&loop->uv);
}


void
tgn_loop_free(tgn_loop_t **loop)
{
    if (*loop == NULL) {
        return;
    }

    while ((*loop)->works) {
        uv_run(&(*loop)->uv, UV_RUN_ONCE);
    }

    /* what was freed is in the middle of being closed */

    uv_run(&(*loop)->uv, UV_RUN_NOWAIT);

    /*
     * A loop that stays busy has a handle that its owner forgot: to leak it is
     * better than to free memory that libuv still uses.
     */

    if (uv_loop_close(&(*loop)->uv) == 0) {
        free(*loop);
    }

    *loop = NULL;
}


uint64_t
tgn_loop_now(tgn_loop_t *loop)
{
    return uv_now(&loop->uv);
}


void
tgn_loop_update(tgn_loop_t *loop)
{
    uv_update_time(&loop->uv);
}


static void
free_handle(uv_handle_t *handle)
{
    /* the handle is the first member of what it was allocated in */
    free(handle);
}


static void
on_timer(uv_timer_t *uv)
{
    tgn_timer_t  *timer = (tgn_timer_t *) (void *) uv;

    timer->cb(timer, timer->data);
}


tgn_timer_t *
tgn_timer_new(tgn_loop_t *loop, tgn_timer_pt cb, void *data)
{
    tgn_timer_t  *timer;

    timer = calloc(1, sizeof(tgn_timer_t));
    if (timer == NULL) {
        return NULL;
    }

    /* never fails */
    (void) uv_timer_init(&loop->uv, &timer->uv);

    timer->cb = cb;
    timer->data = data;

    return timer;
}


void
tgn_timer_start(tgn_timer_t *timer, uint64_t msec, uint64_t repeat)
{
    /* fails only without a callback, or while closing */
    (void) uv_timer_start(&timer->uv, on_timer, msec, repeat);
}


void
tgn_timer_stop(tgn_timer_t *timer)
{
    (void) uv_timer_stop(&timer->uv);
}


bool
tgn_timer_is_set(const tgn_timer_t *timer)
{
    return uv_is_active((const uv_handle_t *) &timer->uv);
}


void
tgn_timer_free(tgn_timer_t **timer)
{
    if (*timer == NULL) {
        return;
    }

    uv_close((uv_handle_t *) &(*timer)->uv, free_handle);

    *timer = NULL;
}


static void
on_signal(uv_signal_t *uv, int signo)
{
    tgn_signal_t  *signal = (tgn_signal_t *) (void *) uv;

    signal->cb(signo, signal->data);
}


tgn_signal_t *
tgn_signal_new(tgn_loop_t *loop, int signo, tgn_signal_pt cb, void *data)
{
    tgn_signal_t  *signal;

    signal = calloc(1, sizeof(tgn_signal_t));
    if (signal == NULL) {
        return NULL;
    }

    if (uv_signal_init(&loop->uv, &signal->uv) != 0) {
        free(signal);
        return NULL;
    }

    signal->cb = cb;
    signal->data = data;

    if (uv_signal_start(&signal->uv, on_signal, signo) != 0) {
        uv_close((uv_handle_t *) &signal->uv, free_handle);
        return NULL;
    }

    return signal;
}


void
tgn_signal_free(tgn_signal_t **signal)
{
    if (*signal == NULL) {
        return;
    }

    uv_close((uv_handle_t *) &(*signal)->uv, free_handle);

    *signal = NULL;
}


void
tgn_signal_hold(void)
{
    sigset_t  set;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGINT);
    (void) sigaddset(&set, SIGHUP);

    (void) pthread_sigmask(SIG_BLOCK, &set, NULL);
}


static void
on_poll(uv_poll_t *uv, int status, int uv_events)
{
    unsigned     events;
    tgn_poll_t  *poll = (tgn_poll_t *) (void *) uv;

    events = 0;

    if (status < 0) {

        /*
         * libuv has stopped the handle, and what it reports is a bare
         * EPOLLERR: the next system call has the error itself
         */

        poll->events = 0;
        events = TGN_POLL_READ|TGN_POLL_WRITE;

    } else {
        if (uv_events & UV_READABLE) {
            events |= TGN_POLL_READ;
        }

        if (uv_events & UV_WRITABLE) {
            events |= TGN_POLL_WRITE;
        }

        if (uv_events & UV_DISCONNECT) {
            events |= TGN_POLL_HANGUP;
        }
    }

    if (events) {
        poll->cb(poll, events, poll->data);
    }
}


tgn_poll_t *
tgn_poll_new(tgn_loop_t *loop, int fd, tgn_poll_pt cb, void *data)
{
    tgn_poll_t  *poll;

    poll = calloc(1, sizeof(tgn_poll_t));
    if (poll == NULL) {
        return NULL;
    }

    if (uv_poll_init(&loop->uv, &poll->uv, fd) != 0) {
        free(poll);
        return NULL;
    }

    poll->cb = cb;
    poll->data = data;

    return poll;
}


int
tgn_poll_set(tgn_poll_t *poll, unsigned events)
{
    int  uv_events;

    if (events == poll->events) {
        return TG_OK;
    }

    uv_events = 0;

    if (events & TGN_POLL_READ) {
        uv_events |= UV_READABLE;
    }

    if (events & TGN_POLL_WRITE) {
        uv_events |= UV_WRITABLE;
    }

    if (events & TGN_POLL_HANGUP) {
        uv_events |= UV_DISCONNECT;
    }

    if (uv_events == 0) {
        (void) uv_poll_stop(&poll->uv);

    } else if (uv_poll_start(&poll->uv, uv_events, on_poll) != 0) {
        poll->events = 0;
        return TG_ERR_NOMEM;
    }

    poll->events = events;

    return TG_OK;
}


void
tgn_poll_free(tgn_poll_t **poll)
{
    if (*poll == NULL) {
        return;
    }

    /* from here on the descriptor may be closed: uv_close() stops at once */
    uv_close((uv_handle_t *) &(*poll)->uv, free_handle);

    *poll = NULL;
}


static void
run_work(uv_work_t *uv)
{
    tgn_work_t  *work = (tgn_work_t *) (void *) uv;

    work->run(work->data);
}


static void
after_work(uv_work_t *uv, int status)
{
    tgn_work_t  *work = (tgn_work_t *) (void *) uv;

    work->loop->works--;
    work->done(work->data, status == UV_ECANCELED);

    free(work);
}


tgn_work_t *
tgn_work_post(tgn_loop_t *loop, tgn_work_run_pt run, tgn_work_done_pt done,
    void *data)
{
    tgn_work_t  *work;

    work = calloc(1, sizeof(tgn_work_t));
    if (work == NULL) {
        return NULL;
    }

    work->loop = loop;
    work->run = run;
    work->done = done;
    work->data = data;

    if (uv_queue_work(&loop->uv, &work->uv, run_work, after_work) != 0) {
        free(work);
        return NULL;
    }

    loop->works++;

    return work;
}


bool
tgn_work_cancel(tgn_work_t *work)
{
    return uv_cancel((uv_req_t *) &work->uv) == 0;
}


static void
on_wake(uv_async_t *uv)
{
    tgn_wake_t  *wake = (tgn_wake_t *) (void *) uv;

    wake->cb(wake->data);
}


tgn_wake_t *
tgn_wake_new(tgn_loop_t *loop, tgn_wake_pt cb, void *data)
{
    tgn_wake_t  *wake;

    wake = calloc(1, sizeof(tgn_wake_t));
    if (wake == NULL) {
        return NULL;
    }

    if (uv_async_init(&loop->uv, &wake->uv, on_wake) != 0) {
        free(wake);
        return NULL;
    }

    wake->cb = cb;
    wake->data = data;

    return wake;
}


void
tgn_wake_send(tgn_wake_t *wake)
{
    /* fails never: it sets a flag, and writes to an eventfd if that is new */
    (void) uv_async_send(&wake->uv);
}


void
tgn_wake_free(tgn_wake_t **wake)
{
    if (*wake == NULL) {
        return;
    }

    uv_close((uv_handle_t *) &(*wake)->uv, free_handle);

    *wake = NULL;
}
