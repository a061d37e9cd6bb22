
/*
 * Copyright (C) The Tailgate authors
 *
 * libcurl says which sockets and which time it waits for; the loop tells it
 * when they are there.
 */

#include <net/client/multi.h>

#include <stdlib.h>


typedef struct socket_s  socket_t;

struct socket_s {
    socket_t              *prev;
    socket_t              *next;
    tgn_multi_t           *multi;
    tgn_poll_t            *poll;
    curl_socket_t          fd;
};

struct tgn_multi_s {
    tgn_loop_t            *loop;
    CURLM                 *curl;
    socket_t              *sockets;
    tgn_timer_t           *timer;
    tgn_multi_done_pt      done;
    tgn_multi_settled_pt   settled;
    void                  *data;
};


static void
collect(tgn_multi_t *multi)
{
    int       left;
    CURLMsg  *msg;

    while ((msg = curl_multi_info_read(multi->curl, &left)) != NULL) {

        if (msg->msg == CURLMSG_DONE) {
            multi->done(msg->easy_handle, msg->data.result, multi->data);
        }
    }

    multi->settled(multi->data);
}


static void
free_socket(socket_t *s)
{
    if (s->prev) {
        s->prev->next = s->next;

    } else {
        s->multi->sockets = s->next;
    }

    if (s->next) {
        s->next->prev = s->prev;
    }

    tgn_poll_free(&s->poll);
    free(s);
}


static void
on_ready(tgn_poll_t *poll, unsigned events, void *data)
{
    int              flags, running;
    socket_t        *s = data;
    tgn_multi_t     *multi;

    (void) poll;

    multi = s->multi;
    flags = 0;

    if (events & TGN_POLL_READ) {
        flags |= CURL_CSELECT_IN;
    }

    if (events & TGN_POLL_WRITE) {
        flags |= CURL_CSELECT_OUT;
    }

    (void) curl_multi_socket_action(multi->curl, s->fd, flags, &running);
    collect(multi);
}


static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    unsigned         events;
    socket_t        *s = assigned;
    tgn_multi_t     *multi = data;

    (void) easy;

    if (what == CURL_POLL_REMOVE) {
        if (s) {
            (void) curl_multi_assign(multi->curl, fd, NULL);
            free_socket(s);
        }

        return 0;
    }

    if (s == NULL) {
        s = calloc(1, sizeof(socket_t));
        if (s == NULL) {
            return -1;
        }

        s->multi = multi;
        s->fd = fd;
        s->poll = tgn_poll_new(multi->loop, fd, on_ready, s);

        if (s->poll == NULL) {
            free(s);
            return -1;
        }

        s->next = multi->sockets;

        if (s->next) {
            s->next->prev = s;
        }

        multi->sockets = s;

        (void) curl_multi_assign(multi->curl, fd, s);
    }

    events = 0;

    if (what & CURL_POLL_IN) {
        events |= TGN_POLL_READ;
    }

    if (what & CURL_POLL_OUT) {
        events |= TGN_POLL_WRITE;
    }

    return tgn_poll_set(s->poll, events) == TG_OK ? 0 : -1;
}


static int
on_want_timer(CURLM *curl, long msec, void *data)
{
    tgn_multi_t     *multi = data;

    (void) curl;

    if (msec < 0) {
        tgn_timer_stop(multi->timer);

    } else {
        tgn_timer_start(multi->timer, (uint64_t) msec, 0);
    }

    return 0;
}


static void
on_timer(tgn_timer_t *timer, void *data)
{
    int              running;
    tgn_multi_t     *multi = data;

    (void) timer;

    (void) curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0,
                                    &running);
    collect(multi);
}


tgn_multi_t *
tgn_multi_new(tgn_loop_t *loop, tgn_multi_done_pt done,
    tgn_multi_settled_pt settled, void *data)
{
    tgn_multi_t  *multi;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }

    multi = calloc(1, sizeof(tgn_multi_t));
    if (multi == NULL) {
        curl_global_cleanup();
        return NULL;
    }

    multi->loop = loop;
    multi->done = done;
    multi->settled = settled;
    multi->data = data;

    multi->curl = curl_multi_init();
    multi->timer = tgn_timer_new(loop, on_timer, multi);

    if (multi->curl == NULL || multi->timer == NULL) {
        tgn_multi_free(&multi);
        return NULL;
    }

    /* setting these cannot fail: they are known, and only kept */

    (void) curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void) curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    (void) curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION,
                             on_want_timer);
    (void) curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);

    return multi;
}


void
tgn_multi_free(tgn_multi_t **multip)
{
    tgn_multi_t  *multi;

    multi = *multip;
    *multip = NULL;

    if (multi == NULL) {
        return;
    }

    /* closes what is kept alive, and may still speak of sockets */

    if (multi->curl) {
        (void) curl_multi_cleanup(multi->curl);
    }

    while (multi->sockets) {
        free_socket(multi->sockets);
    }

    tgn_timer_free(&multi->timer);
    free(multi);

    curl_global_cleanup();
}


void
tgn_multi_set_open(tgn_multi_t *multi, size_t n)
{
    (void) curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, (long) n);
}


int
tgn_multi_add(tgn_multi_t *multi, CURL *easy)
{
    return curl_multi_add_handle(multi->curl, easy) == CURLM_OK ? TG_OK
                                                                : TG_ERR_NOMEM;
}


void
tgn_multi_remove(tgn_multi_t *multi, CURL *easy)
{
    (void) curl_multi_remove_handle(multi->curl, easy);
}
