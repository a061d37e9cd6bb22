
/*
 * Copyright (C) The Tailgate authors
 *
 * The one thread that talks to the database.  It takes everything that waits,
 * has the changes among it committed together, and hands the answers to the
 * loop.
 * Between requests it looks at the database from time to time: for what other
 * nodes have changed, and whether it works again.
 */

#include "authd/store/commit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


/* Milliseconds between two looks at a database that works, or does not. */

#define LOOK       5000
#define PAUSE_MIN  100
#define PAUSE_MAX  5000


static int64_t
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
authd_requests_init(authd_requests_t *list)
{
    list->first = NULL;
    list->last = &list->first;
}


void
authd_requests_add(authd_requests_t *list, authd_request_t *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}


void
authd_engine_say(authd_engine_t *engine, int rc)
{
    if (rc == TG_ERR_NOMEM) {
        (void) snprintf(engine->text, sizeof(engine->text), "out of memory");
        engine->retry = 5;

    } else if (rc == TG_ERR_TYPE) {
        (void) snprintf(engine->text, sizeof(engine->text),
                        "the database's tables are not what they should be");
        engine->retry = 60;
    }
}


void
authd_request_fail(authd_request_t *request, const char *why, unsigned retry)
{
    size_t  i;

    authd_request_reset(request);

    request->status = AUTHD_STORE_UNAVAILABLE;
    request->retry = retry;
    (void) snprintf(request->why, sizeof(request->why), "%s", why);

    for (i = 0; request->results != NULL && i < request->n; i++) {
        request->results[i].status = AUTHD_STORE_UNAVAILABLE;
    }
}


static void
do_reads(authd_store_t *store, authd_request_t *first)
{
    int               rc;
    authd_request_t  *r;

    for (r = first; r != NULL; r = r->next) {

        if (r->kind == AUTHD_REQUEST_HISTORY) {
            rc = authd_history_run(store->engine, r);

        } else if (r->kind == AUTHD_REQUEST_CLICKS) {
            rc = authd_counts_run(store->engine, r);

        } else {
            continue;
        }

        if (rc != TG_OK) {
            authd_engine_say(store->engine, rc);
            store->engine->ops->abandon(store->engine);
            authd_request_fail(r, store->engine->text, store->engine->retry);
        }
    }
}


/*
 * Sees to a connection, if the engine has such a thing: after a failure not
 * before some time has gone by.
 */

static int
connect(authd_store_t *store)
{
    if (store->engine->ops->connect == NULL) {
        return TG_OK;
    }

    if (!store->fine && store->engine->ops->socket(store->engine) == -1
        && now() < store->next_look)
    {
        return TG_ERR_ABSENT;
    }

    return store->engine->ops->connect(store->engine);
}


/* Remembers how a use went, for the loop and for the next look. */

static void
went(authd_store_t *store, authd_event_t *event, int rc)
{
    bool  fine = rc == TG_OK;

    if (fine) {
        store->pause = PAUSE_MIN;
        store->next_look = now() + LOOK;

    } else if (now() >= store->next_look || store->fine) {
        store->next_look = now() + store->pause;
        store->pause = store->pause * 2 < PAUSE_MAX ? store->pause * 2
                                                    : PAUSE_MAX;
    }

    if (fine != store->fine) {
        event->state = true;
        event->works = fine;
        (void) snprintf(event->text, sizeof(event->text), "%s",
                        fine ? "the store works again" : store->engine->text);
    }

    store->fine = fine;
}


/* Takes event over. */

static void
post(authd_store_t *store, authd_event_t *event)
{
    if (event->requests == NULL && event->news.n == 0 && !event->reset
        && !event->state)
    {
        free(event);
        return;
    }

    (void) pthread_mutex_lock(&store->lock);

    *store->last_event = event;
    store->last_event = &event->next;

    (void) pthread_mutex_unlock(&store->lock);

    tgn_wake_send(store->wake);
}


/*
 * Looks for news.  A database that failed has to take a write before it counts
 * as working: one that is full can be read.
 */

static int
look(authd_store_t *store, authd_event_t *event)
{
    int      rc;
    int64_t  seq;

    rc = connect(store);
    if (rc != TG_OK) {
        return rc;
    }

    if (store->fine) {
        rc = authd_read_seq(store->engine, AUTHD_SQL_SEQ, &seq);

        if (rc == TG_OK) {
            rc = authd_catch_up(store, seq, event);
        }

    } else {
        rc = authd_write_nothing(store, event);
    }

    if (rc != TG_OK) {
        authd_engine_say(store->engine, rc);
        store->engine->ops->abandon(store->engine);
    }

    return rc;
}


static void
do_look(authd_store_t *store)
{
    authd_event_t  *event;

    event = calloc(1, sizeof(authd_event_t));
    if (event == NULL) {
        store->next_look = now() + LOOK;
        return;
    }

    went(store, event, look(store, event));
    post(store, event);
}


/* event is there already: an answer must not depend on memory. */

static void
do_requests(authd_store_t *store, authd_event_t *event,
    authd_request_t *first)
{
    int               rc;
    authd_request_t  *r;

    event->requests = first;

    rc = connect(store);

    if (rc != TG_OK) {
        for (r = first; r != NULL; r = r->next) {
            authd_request_fail(r, store->engine->text, store->engine->retry);
        }

        went(store, event, rc);

    } else {
        rc = authd_write(store, event, first);
        do_reads(store, first);

        for (r = first; r != NULL && !authd_is_write(r); r = r->next) {
            /* void */
        }

        /* that it can be read does not tell that it can be written */

        if (r != NULL) {
            went(store, event, rc);
        }
    }

    post(store, event);
}


/* Takes what waits; false if the thread is to end. */

static bool
take(authd_store_t *store, authd_request_t **first, authd_event_t **event)
{
    bool  more;

    if (*event == NULL) {
        *event = calloc(1, sizeof(authd_event_t));
    }

    (void) pthread_mutex_lock(&store->lock);

    *first = NULL;

    if (*event != NULL) {
        *first = store->queue.first;
        authd_requests_init(&store->queue);
        store->queued = 0;
        store->weight = 0;
    }

    /* without memory, what is queued is answered by authd_store_close() */
    more = !store->closing || *first != NULL;

    (void) pthread_mutex_unlock(&store->lock);

    return more;
}


/* Input that came with other input wakes nobody: it is asked for. */

static void
hear(authd_store_t *store)
{
    bool  news;

    if (store->engine->ops->listen == NULL) {
        return;
    }

    news = false;

    /* a connection that is lost is to be made anew, which looking does */

    if (store->engine->ops->listen(store->engine, &news) != TG_OK || news) {
        store->next_look = now();
    }
}


static void
rest(authd_store_t *store)
{
    int            timeout;
    int64_t        left;
    uint64_t       knocks;
    struct pollfd  fds[2];

    hear(store);

    left = store->next_look - now();
    timeout = left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int) left;

    fds[0].fd = store->knock;
    fds[0].events = POLLIN;
    fds[0].revents = 0;
    fds[1].fd = -1;
    fds[1].events = POLLIN;
    fds[1].revents = 0;

    if (store->engine->ops->socket != NULL) {
        fds[1].fd = store->engine->ops->socket(store->engine);
    }

    if (poll(fds, 2, timeout) < 0) {
        return;
    }

    if (fds[0].revents
        && read(store->knock, &knocks, sizeof(knocks)) != sizeof(knocks))
    {
        return;
    }

    if (fds[1].revents) {
        hear(store);
    }
}


void *
authd_worker(void *data)
{
    authd_event_t    *event;
    authd_store_t    *store = data;
    authd_request_t  *first;

    event = NULL;

    while (take(store, &first, &event)) {

        if (first != NULL) {
            do_requests(store, event, first);
            event = NULL;
            continue;
        }

        if (now() >= store->next_look) {
            do_look(store);
        }

        rest(store);
    }

    free(event);

    return NULL;
}
