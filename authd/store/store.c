
/*
 * Copyright (C) The Tailgate authors
 *
 * The loop's side of the store: it opens, asks the thread, and tells what the
 * thread has answered.
 */

#include "authd/store/store.h"

#include "authd/store/worker.h"
#include "core/base/base.h"

#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>


#define SECRET_LEN  32


static const authd_engine_ops_t *
find_engine(const char *url, tg_error_t *error)
{
    if (strncmp(url, "postgresql://", 13) != 0
        && strncmp(url, "postgres://", 11) != 0)
    {
        return &authd_engine_sqlite;
    }

#if (TAILGATE_HAVE_PG)
    (void) error;
    return &authd_engine_postgresql;
#else
    (void) tgi_error(error, TG_ERR_REFUSED, "this program was built without "
                     "the PostgreSQL store: ./configure --with-pg");
    return NULL;
#endif
}


static void
tell(authd_store_t *store, authd_event_t *event)
{
    authd_request_t  *r, *next;

    if (event->state) {
        store->works = event->works;
        (void) snprintf(store->text, sizeof(store->text), "%s",
                        event->works ? "" : event->text);

        if (store->handler.state != NULL) {
            store->handler.state(store->handler.data, event->works,
                                 event->text);
        }
    }

    if (event->reset) {
        store->handler.reset(store->handler.data);
    }

    authd_news_tell(&event->news, &store->handler);

    for (r = event->requests; r != NULL; r = next) {
        next = r->next;
        authd_request_answer(r);
        authd_request_free(r);
    }

    free(event);
}


static void
on_wake(void *data)
{
    authd_event_t  *event, *next;
    authd_store_t  *store = data;

    (void) pthread_mutex_lock(&store->lock);

    event = store->events;
    store->events = NULL;
    store->last_event = &store->events;

    (void) pthread_mutex_unlock(&store->lock);

    for ( /* void */ ; event != NULL; event = next) {
        next = event->next;
        tell(store, event);
    }
}


int
authd_store_open(authd_store_t **opened, const char *url, tgn_loop_t *loop,
    const authd_store_handler_t *handler, tg_error_t *error)
{
    int                        rc;
    authd_store_t             *store;
    const authd_engine_ops_t  *ops;

    memset(error, 0, sizeof(tg_error_t));

    ops = find_engine(url, error);
    if (ops == NULL) {
        return TG_ERR_REFUSED;
    }

    store = calloc(1, sizeof(authd_store_t));
    if (store == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    store->handler = *handler;
    store->works = true;
    store->fine = true;
    store->last_event = &store->events;
    authd_requests_init(&store->queue);
    (void) pthread_mutex_init(&store->lock, NULL);

    store->knock = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);
    store->wake = tgn_wake_new(loop, on_wake, store);

    if (store->knock == -1 || store->wake == NULL) {
        rc = tgi_error(error, TG_ERR_NOMEM, "out of memory or descriptors");
        goto failed;
    }

    rc = ops->open(&store->engine, url, error);
    if (rc != TG_OK) {
        goto failed;
    }

    *opened = store;

    return TG_OK;

failed:

    authd_store_close(&store);

    return rc;
}


static int
on_secret(void *data, const authd_value_t *columns, size_t n)
{
    char  *hex = data;

    if (n != 1 || columns[0].text.len != 2 * SECRET_LEN) {
        return TG_ERR_TYPE;
    }

    memcpy(hex, columns[0].text.data, 2 * SECRET_LEN);
    hex[2 * SECRET_LEN] = '\0';

    return TG_OK;
}


static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


static int
parse_secret(uint8_t secret[SECRET_LEN], const char *hex)
{
    int     high, low;
    size_t  i;

    for (i = 0; i < SECRET_LEN; i++) {
        high = hex_digit(hex[2 * i]);
        low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0) {
            return TG_ERR_TYPE;
        }

        secret[i] = (uint8_t) (high << 4 | low);
    }

    return TG_OK;
}


/* Somebody else may make it at the same time: what is stored counts. */

static int
make_secret(authd_engine_t *engine, tg_str_t name)
{
    int            rc;
    char           hex[2 * SECRET_LEN + 1];
    size_t         i;
    uint8_t        secret[SECRET_LEN];
    tg_str_t       text;
    authd_value_t  values[2];

    if (RAND_bytes(secret, SECRET_LEN) != 1) {
        return TG_ERR_CRYPTO;
    }

    for (i = 0; i < SECRET_LEN; i++) {
        (void) snprintf(hex + 2 * i, 3, "%02x", secret[i]);
    }

    text.data = hex;
    text.len = 2 * SECRET_LEN;
    values[0] = authd_text(name);
    values[1] = authd_text(text);

    rc = engine->ops->send(engine, AUTHD_SQL_SECRET_ADD, values, 2, NULL,
                           NULL);
    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    explicit_bzero(hex, sizeof(hex));
    explicit_bzero(secret, sizeof(secret));

    return rc;
}


int
authd_store_secret(authd_store_t *store, const char *name,
    uint8_t secret[SECRET_LEN], tg_error_t *error)
{
    int              rc, tries;
    char             hex[2 * SECRET_LEN + 1];
    tg_str_t         text;
    authd_value_t    value;
    authd_engine_t  *engine = store->engine;

    hex[0] = '\0';
    text.data = name;
    text.len = strlen(name);
    value = authd_text(text);

    for (tries = 0; tries < 2; tries++) {
        rc = engine->ops->send(engine, AUTHD_SQL_SECRET, &value, 1, on_secret,
                               hex);
        if (rc == TG_OK) {
            rc = engine->ops->wait(engine);
        }

        if (rc != TG_OK || hex[0] != '\0') {
            break;
        }

        rc = make_secret(engine, text);
        if (rc != TG_OK) {
            break;
        }
    }

    if (rc == TG_OK) {
        rc = parse_secret(secret, hex);
    }

    explicit_bzero(hex, sizeof(hex));

    if (rc == TG_ERR_CRYPTO) {
        return tgi_error(error, rc, "no random bytes");
    }

    if (rc != TG_OK) {
        authd_engine_say(engine, rc);
        engine->ops->abandon(engine);
        return tgi_error(error, rc, "%s", engine->text);
    }

    return TG_OK;
}


static void
on_links(void *data, authd_news_list_t *list)
{
    authd_news_tell(list, data);
}


/* Signals are for the loop's thread. */

static int
start_thread(authd_store_t *store)
{
    int       rc;
    sigset_t  all, old;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    rc = pthread_create(&store->thread, NULL, authd_worker, store);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    return rc == 0 ? TG_OK : TG_ERR_NOMEM;
}


int
authd_store_start(authd_store_t *store, tg_error_t *error)
{
    int                rc;
    authd_engine_t    *engine = store->engine;
    authd_news_list_t  list = { NULL, 0, 0 };

    /* first the number: what changes behind it is told once more */

    rc = authd_read_seq(engine, AUTHD_SQL_SEQ, &store->seq);

    if (rc == TG_OK) {
        rc = authd_read_links(engine, &list, on_links, &store->handler);
    }

    if (rc == TG_OK) {
        rc = start_thread(store);
    }

    if (rc != TG_OK) {
        authd_engine_say(engine, rc);
        engine->ops->abandon(engine);
        authd_news_cut(&list, 0);

        return tgi_error(error, rc, "%s", engine->text);
    }

    store->started = true;

    return TG_OK;
}


static void
knock(authd_store_t *store)
{
    uint64_t  one = 1;

    /* EAGAIN: so many knocks are unheard that one more is no news */

    if (write(store->knock, &one, sizeof(one)) != sizeof(one)) {
        return;
    }
}


int
authd_store_queue(authd_store_t *store, authd_request_t *request)
{
    int  rc;

    rc = TG_OK;

    (void) pthread_mutex_lock(&store->lock);

    if (store->closing || store->queued >= AUTHD_QUEUE_MAX
        || store->weight > AUTHD_QUEUE_BYTES)
    {
        rc = TG_ERR_LIMIT;

    } else {
        authd_requests_add(&store->queue, request);
        store->queued++;
        store->weight += request->weight;
    }

    (void) pthread_mutex_unlock(&store->lock);

    if (rc != TG_OK) {
        authd_request_free(request);
        return rc;
    }

    knock(store);

    return TG_OK;
}


void
authd_store_close(authd_store_t **closed)
{
    authd_store_t    *store = *closed;
    authd_request_t  *r, *next;

    if (store == NULL) {
        return;
    }

    (void) pthread_mutex_lock(&store->lock);
    store->closing = true;
    (void) pthread_mutex_unlock(&store->lock);

    if (store->started) {
        knock(store);
        (void) pthread_join(store->thread, NULL);
        on_wake(store);
    }

    for (r = store->queue.first; r != NULL; r = next) {
        next = r->next;
        authd_request_fail(r, "the store is being closed", 5);
        authd_request_answer(r);
        authd_request_free(r);
    }

    tgn_wake_free(&store->wake);

    if (store->engine != NULL) {
        store->engine->ops->close(&store->engine);
    }

    if (store->knock != -1) {
        (void) close(store->knock);
    }

    (void) pthread_mutex_destroy(&store->lock);
    free(store);

    *closed = NULL;
}


bool
authd_store_works(const authd_store_t *store, const char **text)
{
    if (text != NULL) {
        *text = store->text;
    }

    return store->works;
}


const char *
authd_store_engine(const authd_store_t *store)
{
    return store->engine->ops->name;
}
