
/*
 * Copyright (C) The Tailgate authors
 *
 * The store, and its thread.
 */

#ifndef AUTHD_STORE_WORKER_H_INCLUDED_
#define AUTHD_STORE_WORKER_H_INCLUDED_

#include "authd/store/request.h"

#include <pthread.h>


/* More than this waits in vain: requests, and bytes. */

#define AUTHD_QUEUE_MAX    10000
#define AUTHD_QUEUE_BYTES  (256u << 20)


typedef struct {
    authd_request_t  *first;
    authd_request_t **last;
} authd_requests_t;


struct authd_store_s {
    authd_engine_t         *engine;    /* the thread's, once that runs */
    authd_store_handler_t   handler;
    tgn_wake_t             *wake;
    pthread_t               thread;
    bool                    started;

    /* under the lock */

    pthread_mutex_t         lock;
    int                     knock;     /* an eventfd, for the thread */
    bool                    closing;
    authd_requests_t        queue;
    size_t                  queued;
    size_t                  weight;
    authd_event_t          *events;
    authd_event_t         **last_event;

    /* the thread's */

    int64_t                 seq;       /* what the loop knows */
    bool                    fine;      /* the last use went well */
    int64_t                 next_look; /* monotonic milliseconds */
    int64_t                 pause;     /* between looks while it is not fine */

    /* the loop's */

    bool                    works;
    char                    text[AUTHD_ENGINE_TEXT_MAX];
};


/* The thread's main function; data is the store. */

void *authd_worker(void *data);

void authd_requests_init(authd_requests_t *list);
void authd_requests_add(authd_requests_t *list, authd_request_t *request);

/*
 * Hands request to the thread; one that cannot be queued (TG_ERR_LIMIT) is
 * freed without an answer.
 */

int authd_store_queue(authd_store_t *store, authd_request_t *request);

/* What to say of an engine's error, and for how long to wait. */

void authd_request_fail(authd_request_t *request, const char *why,
    unsigned retry);

/* A text for rc where the engine has none of its own. */

void authd_engine_say(authd_engine_t *engine, int rc);


#endif /* AUTHD_STORE_WORKER_H_INCLUDED_ */
