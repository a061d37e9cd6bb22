
/*
 * Copyright (C) The Tailgate authors
 *
 * The changes of a request: what can be done together is, what the database
 * refuses is found out.
 */

#include "authd/store/change.h"

#include "authd/store/record.h"
#include "core/base/base.h"

#include <string.h>


/* Links of a batch that are read at once, for a server that is far away. */

#define CHUNK  256


static tg_str_t
op_id(const authd_op_t *op)
{
    return op->put != NULL ? authd_record_id(op->put) : op->change.id;
}


/*
 * How many changes from the i-th on can be done with what is read before the
 * first of them: puts and deletes of different links.
 */

static size_t
chunk_of(const authd_request_t *r, size_t i, size_t end)
{
    size_t    n, j;
    tg_str_t  id;

    for (n = 0; i + n < end && n < CHUNK; n++) {

        if (r->ops[i + n].change.op != AUTHD_STORE_PUT
            && r->ops[i + n].change.op != AUTHD_STORE_DELETE)
        {
            return n ? n : 1;
        }

        id = op_id(&r->ops[i + n]);

        for (j = 0; j < n; j++) {
            if (tgi_str_equal(op_id(&r->ops[i + j]), id)) {
                return n;
            }
        }
    }

    return n;
}


static int
run_one(authd_tx_t *tx, authd_request_t *r, size_t i, authd_record_t *current)
{
    switch (r->ops[i].change.op) {

    case AUTHD_STORE_PUT:
        return authd_change_put(tx, r, i, current);

    case AUTHD_STORE_DELETE:
        return authd_change_drop(tx, r, i, current);

    case AUTHD_STORE_RENAME:
        return authd_change_rename(tx, r, i, current);

    default:
        return authd_change_restore(tx, r, i, current);
    }
}


/* The links of a chunk, and what was found of them, in whatever order. */

typedef struct {
    size_t           n;
    tg_str_t         ids[CHUNK];
    authd_record_t  *found[CHUNK];
} chunk_t;


static int
on_found(void *data, const authd_value_t *columns, size_t n)
{
    int              rc;
    size_t           i;
    chunk_t         *chunk = data;
    uint64_t         clicks;
    authd_record_t  *record;

    rc = authd_record_read(columns, n, &record, &clicks);
    if (rc != TG_OK || record == NULL) {
        return rc;
    }

    for (i = 0; i < chunk->n; i++) {
        if (tgi_str_equal(chunk->ids[i], authd_record_id(record))) {
            authd_record_drop(&chunk->found[i]);
            chunk->found[i] = record;
            return TG_OK;
        }
    }

    authd_record_drop(&record);

    return TG_ERR_TYPE;
}


static int
run_chunk(authd_tx_t *tx, authd_request_t *r, size_t i, size_t n)
{
    int              rc;
    size_t           j;
    chunk_t          chunk;
    authd_value_t    ids[CHUNK];
    authd_engine_t  *engine = tx->engine;

    memset(&chunk, 0, sizeof(chunk_t));
    memset(ids, 0, sizeof(ids));
    chunk.n = n;

    for (j = 0; j < n; j++) {
        chunk.ids[j] = op_id(&r->ops[i + j]);
        ids[j] = authd_text(chunk.ids[j]);
    }

    rc = engine->ops->send_rows(engine, AUTHD_SQL_LINK, ids, 1, n, on_found,
                                &chunk);
    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    for (j = 0; j < n && rc == TG_OK; j++) {
        rc = run_one(tx, r, i + j, chunk.found[j]);
    }

    if (rc == TG_OK) {
        rc = authd_change_flush(tx, r);
    }

    for (j = 0; j < n; j++) {
        authd_record_drop(&chunk.found[j]);
    }

    return rc;
}


/* The changes from first on, before end. */

static int
run_range(authd_tx_t *tx, authd_request_t *r, size_t first, size_t end)
{
    int     rc;
    size_t  n;

    rc = TG_OK;

    for ( /* void */ ; first < end && rc == TG_OK; first += n) {
        n = chunk_of(r, first, end);
        rc = run_chunk(tx, r, first, n);
    }

    if (rc == TG_OK) {
        rc = tx->engine->ops->wait(tx->engine);
    }

    return rc;
}


static int
mark(authd_tx_t *tx, authd_sql_t sql)
{
    int  rc;

    rc = tx->engine->ops->send(tx->engine, sql, NULL, 0, NULL, NULL);

    return rc == TG_OK ? tx->engine->ops->wait(tx->engine) : rc;
}


/* Back to the savepoint, in the database and here. */

static int
undo(authd_tx_t *tx, int64_t seq, size_t news)
{
    tx->seq = seq;
    authd_news_cut(&tx->news, news);
    authd_change_forget(tx);

    return mark(tx, AUTHD_SQL_UNDO);
}


/* The database took offence at one of many: each alone, to know at which. */

static int
run_each(authd_tx_t *tx, authd_request_t *r)
{
    int      rc;
    size_t   i, news;
    int64_t  seq;

    for (i = 0; i < r->n; i++) {
        seq = tx->seq;
        news = tx->news.n;

        rc = mark(tx, AUTHD_SQL_SAVEPOINT);

        if (rc == TG_OK) {
            rc = run_range(tx, r, i, i + 1);
        }

        if (rc == TG_ERR_REFUSED) {
            authd_record_drop(&r->results[i].record);
            r->results[i].status = AUTHD_STORE_REFUSED;
            (void) memcpy(r->why, tx->engine->text, sizeof(r->why));

            rc = undo(tx, seq, news);
        }

        if (rc == TG_OK) {
            rc = mark(tx, AUTHD_SQL_RELEASE);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


/* All or nothing: one that was not stored takes the others with it. */

static int
undo_whole(authd_tx_t *tx, authd_request_t *r, int64_t seq, size_t news)
{
    bool    failed;
    size_t  i;

    failed = false;

    for (i = 0; i < r->n; i++) {
        failed = failed || r->results[i].status != AUTHD_STORE_OK;
    }

    if (!failed) {
        return TG_OK;
    }

    for (i = 0; i < r->n; i++) {
        if (r->results[i].status == AUTHD_STORE_OK) {
            r->results[i].status = AUTHD_STORE_SKIPPED;
            authd_record_drop(&r->results[i].record);
        }
    }

    return undo(tx, seq, news);
}


int
authd_change_run(authd_tx_t *tx, authd_request_t *r)
{
    int      rc;
    size_t   news;
    int64_t  seq;

    seq = tx->seq;
    news = tx->news.n;

    rc = mark(tx, AUTHD_SQL_SAVEPOINT);

    if (rc == TG_OK) {
        rc = run_range(tx, r, 0, r->n);
    }

    if (rc == TG_ERR_REFUSED) {
        rc = undo(tx, seq, news);
        authd_request_reset(r);

        if (rc == TG_OK) {
            rc = run_each(tx, r);
        }
    }

    if (rc == TG_OK && r->whole) {
        rc = undo_whole(tx, r, seq, news);
    }

    if (rc == TG_OK) {
        rc = mark(tx, AUTHD_SQL_RELEASE);
    }

    return rc;
}
