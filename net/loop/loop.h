
/*
 * Copyright (C) The Tailgate authors
 *
 * One event loop for authd and the command line: descriptors, timers, signals
 * and blocking work.  It hides libuv, and knows nothing of HTTP.
 *
 * Everything here runs in the thread that called tgn_loop_run(), except the
 * run() of a work, and must be called from that thread, except
 * tgn_wake_send().  A handle's callback may free its own handle.
 */

#ifndef TGN_LOOP_H_INCLUDED_
#define TGN_LOOP_H_INCLUDED_

#include <tailgate/base.h>


typedef struct tgn_loop_s    tgn_loop_t;
typedef struct tgn_timer_s   tgn_timer_t;
typedef struct tgn_signal_s  tgn_signal_t;
typedef struct tgn_poll_s    tgn_poll_t;
typedef struct tgn_work_s    tgn_work_t;
typedef struct tgn_wake_s    tgn_wake_t;


/*
 * tgn_loop_new() returns a loop, or NULL when out of memory or descriptors.
 *
 * tgn_loop_run() runs until tgn_loop_stop(), or until nothing is left that
 * could call back (timers, signals and descriptors count while they are
 * started).  It may be called again.
 *
 * tgn_loop_stop() ends tgn_loop_run() behind the current callback.
 *
 * tgn_loop_free() frees the loop and sets *loop to NULL; a NULL *loop is fine.
 * Every handle must have been freed before.  Work that was posted is waited
 * for, its done() is called.
 */

tgn_loop_t *tgn_loop_new(void);
int tgn_loop_run(tgn_loop_t *loop);
void tgn_loop_stop(tgn_loop_t *loop);
void tgn_loop_free(tgn_loop_t **loop);

/*
 * Milliseconds of the monotonic clock as of this turn of the loop;
 * tgn_loop_update() reads the clock anew after long computation.
 */

uint64_t tgn_loop_now(tgn_loop_t *loop);
void tgn_loop_update(tgn_loop_t *loop);


/*
 * Timers.  tgn_timer_start() (re)arms: cb runs msec from now, then every
 * repeat milliseconds if that is not 0.  tgn_timer_new() returns NULL when out
 * of memory.  tgn_timer_free() stops, frees and sets *timer to NULL; NULL is
 * fine, as for all handles.
 */

typedef void (*tgn_timer_pt)(tgn_timer_t *timer, void *data);

tgn_timer_t *tgn_timer_new(tgn_loop_t *loop, tgn_timer_pt cb, void *data);
void tgn_timer_start(tgn_timer_t *timer, uint64_t msec, uint64_t repeat);
void tgn_timer_stop(tgn_timer_t *timer);
bool tgn_timer_is_set(const tgn_timer_t *timer);
void tgn_timer_free(tgn_timer_t **timer);


/*
 * Signals.  cb runs in the loop, not in the signal handler, from now on.
 * NULL when out of memory, or when signo cannot be caught.
 */

typedef void (*tgn_signal_pt)(int signo, void *data);

tgn_signal_t *tgn_signal_new(tgn_loop_t *loop, int signo, tgn_signal_pt cb,
    void *data);
void tgn_signal_free(tgn_signal_t **signal);

/*
 * Holds SIGTERM, SIGINT and SIGHUP back until the process is gone: for a
 * program that is about to end, before it frees its signals.  Freed, they have
 * their default action again, and whoever signals twice would turn a clean end
 * into a death.
 */

void tgn_signal_hold(void);


/*
 * Readiness of a descriptor, level-triggered.  fd stays the caller's, is set
 * to non-blocking, and must stay open until tgn_poll_free() or
 * tgn_poll_set(poll, 0).  There may be one poll per descriptor.
 *
 * tgn_poll_set() chooses what cb is called for; 0 is nothing.  HANGUP is the
 * other side's shutdown or close, also while READ is not asked for.  An error
 * on fd is reported as READ and WRITE, so that the next call on fd tells which
 * it is.  Both return TG_OK, or TG_ERR_NOMEM when the kernel has no room.
 */

#define TGN_POLL_READ    0x1u
#define TGN_POLL_WRITE   0x2u
#define TGN_POLL_HANGUP  0x4u

typedef void (*tgn_poll_pt)(tgn_poll_t *poll, unsigned events, void *data);

tgn_poll_t *tgn_poll_new(tgn_loop_t *loop, int fd, tgn_poll_pt cb,
    void *data);
int tgn_poll_set(tgn_poll_t *poll, unsigned events);
void tgn_poll_free(tgn_poll_t **poll);


/*
 * Blocking work.  run(data) is called in a thread of a small pool, then
 * done(data, cancelled) in the loop, always and once.  cancelled is true if
 * run() was never called.  tgn_work_cancel() gives work up that has not begun
 * and returns whether it could; done() follows in either case, and *work is
 * freed behind it.  NULL when out of memory: then done() is not called.
 */

typedef void (*tgn_work_run_pt)(void *data);
typedef void (*tgn_work_done_pt)(void *data, bool cancelled);

tgn_work_t *tgn_work_post(tgn_loop_t *loop, tgn_work_run_pt run,
    tgn_work_done_pt done, void *data);
bool tgn_work_cancel(tgn_work_t *work);


/*
 * A knock from another thread.  tgn_wake_send() may be called from any thread
 * and from a signal handler, and never blocks: cb runs in the loop soon after,
 * once for any number of knocks.  What the knock is about is handed over by
 * other means, under a lock, before it.
 *
 * A wake keeps tgn_loop_run() running.  tgn_wake_free() must not be called
 * while another thread may still knock.  tgn_wake_new() returns NULL when out
 * of memory or descriptors.
 */

typedef void (*tgn_wake_pt)(void *data);

tgn_wake_t *tgn_wake_new(tgn_loop_t *loop, tgn_wake_pt cb, void *data);
void tgn_wake_send(tgn_wake_t *wake);
void tgn_wake_free(tgn_wake_t **wake);


#endif /* TGN_LOOP_H_INCLUDED_ */
