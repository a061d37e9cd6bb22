
/*
 * Copyright (C) The Tailgate authors
 *
 * Changes that wait, in one commit; and what others have changed before it.
 */

#include "authd/store/commit.h"

#include <string.h>


bool
authd_is_write(const authd_request_t *request)
{
    return request->kind == AUTHD_REQUEST_CHANGES
           || request->kind == AUTHD_REQUEST_ADD_CLICKS;
}


static int
send(authd_engine_t *engine, authd_sql_t sql)
{
    int  rc;

    rc = engine->ops->send(engine, sql, NULL, 0, NULL, NULL);

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}


int
authd_catch_up(authd_store_t *store, int64_t seq, authd_event_t *event)
{
    int      rc;
    size_t   n;
    int64_t  known;

    if (seq == store->seq) {
        return TG_OK;
    }

    if (seq < store->seq) {

        /* not the database that it was: an older one has taken its place */

        authd_news_cut(&event->news, 0);
        event->reset = true;

        rc = authd_read_links(store->engine, &event->news, NULL, NULL);
        if (rc == TG_OK) {
            store->seq = seq;
        }

        return rc;
    }

    n = event->news.n;
    known = store->seq;

    rc = authd_read_news(store->engine, &known, &event->news);
    if (rc != TG_OK) {
        authd_news_cut(&event->news, n);
        return rc;
    }

    /* a number without history is one that no link has */
    store->seq = known > seq ? known : seq;

    return TG_OK;
}


static int
begin(authd_store_t *store, authd_event_t *event, authd_tx_t *tx)
{
    int  rc;

    memset(tx, 0, sizeof(authd_tx_t));
    tx->engine = store->engine;

    rc = store->engine->ops->send(store->engine, AUTHD_SQL_BEGIN, NULL, 0,
                                  NULL, NULL);
    if (rc == TG_OK) {
        rc = authd_read_seq(store->engine, AUTHD_SQL_SEQ_LOCK, &tx->seq);
    }

    if (rc == TG_OK) {
        rc = authd_catch_up(store, tx->seq, event);
    }

    return rc;
}


static int
commit(authd_store_t *store, const authd_tx_t *tx)
{
    int              rc;
    authd_value_t    value;
    authd_engine_t  *engine = store->engine;

    if (tx->seq != store->seq) {
        value = authd_number(tx->seq);

        rc = engine->ops->send(engine, AUTHD_SQL_SEQ_SET, &value, 1, NULL,
                               NULL);
        if (rc == TG_OK) {
            rc = send(engine, AUTHD_SQL_NOTIFY);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return send(engine, AUTHD_SQL_COMMIT);
}


/* The news of a commit follow what was there before it. */

static int
join(authd_news_list_t *all, authd_news_list_t *news)
{
    int     rc;
    size_t  i;

    if (all->n == 0) {
        authd_news_cut(all, 0);
        *all = *news;
        memset(news, 0, sizeof(authd_news_list_t));

        return TG_OK;
    }

    rc = TG_OK;

    for (i = 0; i < news->n && rc == TG_OK; i++) {
        rc = authd_news_add(all, authd_record_hold(news->news[i].record),
                            news->news[i].has_clicks, news->news[i].clicks);
        if (rc == TG_OK) {
            all->news[all->n - 1].gone = news->news[i].gone;
        }
    }

    return rc;
}


/* The writes among the requests from first on, before end, in one commit. */

static int
write_together(authd_store_t *store, authd_event_t *event,
    authd_request_t *first, authd_request_t *end)
{
    int               rc;
    authd_tx_t        tx;
    authd_request_t  *r;

    rc = begin(store, event, &tx);

    for (r = first; r != end && rc == TG_OK; r = r->next) {

        if (r->kind == AUTHD_REQUEST_CHANGES) {
            rc = authd_change_run(&tx, r);

        } else if (r->kind == AUTHD_REQUEST_ADD_CLICKS) {
            rc = authd_clicks_run(&tx, r);
        }
    }

    if (rc == TG_OK) {
        rc = commit(store, &tx);
    }

    if (rc != TG_OK) {
        authd_engine_say(store->engine, rc);
        store->engine->ops->abandon(store->engine);

    } else if (join(&event->news, &tx.news) == TG_OK) {
        store->seq = tx.seq;
    }

    /* otherwise the next look at the database tells what the news were */

    authd_news_cut(&tx.news, 0);
    authd_change_end(&tx);

    return rc;
}


static void
fail_writes(authd_store_t *store, authd_request_t *first,
    authd_request_t *end)
{
    authd_request_t  *r;

    for (r = first; r != end; r = r->next) {
        if (authd_is_write(r)) {
            authd_request_fail(r, store->engine->text, store->engine->retry);
        }
    }
}


/*
 * A transaction that was too large for the disk takes nobody with it that
 * would have had room alone.
 */

static int
write_each(authd_store_t *store, authd_event_t *event, authd_request_t *first)
{
    int               rc, each;
    authd_request_t  *r;

    rc = TG_OK;

    for (r = first; r != NULL; r = r->next) {
        if (!authd_is_write(r)) {
            continue;
        }

        authd_request_reset(r);

        each = write_together(store, event, r, r->next);
        if (each != TG_OK) {
            fail_writes(store, r, r->next);
            rc = each;
        }
    }

    return rc;
}


int
authd_write(authd_store_t *store, authd_event_t *event,
    authd_request_t *first)
{
    int               rc;
    size_t            n;
    authd_request_t  *r;

    n = 0;

    for (r = first; r != NULL; r = r->next) {
        n += authd_is_write(r);
    }

    if (n == 0) {
        return TG_OK;
    }

    rc = write_together(store, event, first, NULL);

    if (rc != TG_OK && store->engine->smaller && n > 1) {
        return write_each(store, event, first);
    }

    if (rc != TG_OK) {
        fail_writes(store, first, NULL);
    }

    return rc;
}


int
authd_write_nothing(authd_store_t *store, authd_event_t *event)
{
    int            rc;
    authd_tx_t     tx;
    authd_value_t  value;

    rc = begin(store, event, &tx);

    if (rc == TG_OK) {
        value = authd_number(tx.seq);
        rc = store->engine->ops->send(store->engine, AUTHD_SQL_SEQ_SET, &value,
                                      1, NULL, NULL);
    }

    return rc == TG_OK ? send(store->engine, AUTHD_SQL_COMMIT) : rc;
}
