
/*
 * Copyright (C) The Tailgate authors
 *
 * Changes to links, within a transaction that others wait for: what is read
 * here cannot change before COMMIT.
 */

#include "authd/store/change.h"

#include "authd/store/record.h"

#include <stdlib.h>
#include <string.h>


#define LINK_VALUES     15
#define HISTORY_VALUES  9


static int
on_found(void *data, const authd_value_t *columns, size_t n)
{
    authd_found_t  *found = data;

    authd_record_drop(&found->record);

    return authd_record_read(columns, n, &found->record, &found->clicks);
}


int
authd_change_find(authd_engine_t *engine, tg_str_t id, authd_found_t *found)
{
    authd_value_t  value;

    value = authd_text(id);

    return engine->ops->send(engine, AUTHD_SQL_LINK, &value, 1, on_found,
                             found);
}


void
authd_change_forget(authd_tx_t *tx)
{
    authd_row_t  *row;

    while (tx->n_rows) {
        row = &tx->rows[--tx->n_rows];

        authd_record_drop(&row->put);
        authd_record_drop(&row->old);
        free(row->old_text);
        free(row->new_text);
    }
}


void
authd_change_end(authd_tx_t *tx)
{
    authd_change_forget(tx);
    free(tx->rows);
    tx->rows = NULL;
}


static authd_value_t
text_or_null(const char *text, size_t len)
{
    tg_str_t  value = { text, len };

    return text != NULL ? authd_text(value) : authd_null();
}


static void
history_values(const authd_row_t *row, const authd_request_t *r,
    authd_value_t *values)
{
    tg_str_t  action;

    action.data = row->action;
    action.len = strlen(row->action);

    values[0] = authd_number(row->seq);
    values[1] = authd_number((int64_t) row->uid);
    values[2] = authd_text(authd_record_id(row->put ? row->put : row->old));
    values[3] = authd_text(row->former);
    values[4] = authd_number(r->at);
    values[5] = authd_text(r->id);
    values[6] = authd_text(action);
    values[7] = text_or_null(row->old_text, row->old_len);
    values[8] = text_or_null(row->new_text, row->new_len);
}


int
authd_change_flush(authd_tx_t *tx, const authd_request_t *r)
{
    int              rc;
    size_t           i, n;
    authd_link_t     link;
    authd_value_t   *values;
    authd_engine_t  *engine = tx->engine;

    if (tx->n_rows == 0) {
        return TG_OK;
    }

    values = calloc(tx->n_rows * AUTHD_RECORD_COLUMNS, sizeof(authd_value_t));
    if (values == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = TG_OK;
    n = 0;

    for (i = 0; i < tx->n_rows; i++) {
        if (tx->rows[i].put != NULL) {
            authd_record_link(tx->rows[i].put, &link);
            n += authd_record_values(&link, values + n);
        }
    }

    if (n) {
        rc = engine->ops->send_rows(engine, AUTHD_SQL_LINK_PUT, values,
                                    LINK_VALUES, n / LINK_VALUES, NULL, NULL);
    }

    for (i = 0; i < tx->n_rows; i++) {
        history_values(&tx->rows[i], r, values + i * HISTORY_VALUES);
    }

    if (rc == TG_OK) {
        rc = engine->ops->send_rows(engine, AUTHD_SQL_HISTORY_ADD, values,
                                    HISTORY_VALUES, tx->n_rows, NULL, NULL);
    }

    free(values);
    authd_change_forget(tx);

    return rc;
}


/* One history entry: old or new is NULL where there is no link. */

static int
add_row(const authd_write_t *w, authd_record_t *old, authd_record_t *new)
{
    int           rc;
    authd_tx_t   *tx = w->tx;
    authd_row_t  *row;
    authd_link_t  link;

    if (tx->rows == NULL) {
        tx->rows = calloc(AUTHD_ROWS_MAX, sizeof(authd_row_t));
        if (tx->rows == NULL) {
            return TG_ERR_NOMEM;
        }
    }

    if (tx->n_rows == AUTHD_ROWS_MAX) {
        rc = authd_change_flush(tx, w->request);
        if (rc != TG_OK) {
            return rc;
        }
    }

    row = &tx->rows[tx->n_rows++];
    memset(row, 0, sizeof(authd_row_t));

    row->former = w->former;
    row->action = w->action;
    row->seq = tx->seq;

    if (old != NULL) {
        authd_record_link(old, &link);
        row->old = authd_record_hold(old);
        row->old_text = authd_record_dump(&link, &row->old_len);
        row->uid = link.uid;
    }

    if (new != NULL) {
        authd_record_link(new, &link);
        row->put = authd_record_hold(new);
        row->new_text = authd_record_dump(&link, &row->new_len);
        row->uid = link.uid;
    }

    if ((old != NULL && row->old_text == NULL)
        || (new != NULL && row->new_text == NULL))
    {
        return TG_ERR_NOMEM;
    }

    return TG_OK;
}


int
authd_change_write(const authd_write_t *w, authd_record_t *current,
    authd_link_t *link, authd_record_t **stored)
{
    int  rc;

    w->tx->seq++;

    link->version = (uint64_t) w->tx->seq;

    if (link->uid == 0) {
        link->uid = link->version;
    }

    *stored = authd_record_new(link);
    if (*stored == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = add_row(w, current, *stored);
    if (rc != TG_OK) {
        return rc;
    }

    return authd_news_add(&w->tx->news, authd_record_hold(*stored),
                          w->has_clicks, w->clicks);
}


int
authd_change_delete(const authd_tx_t *tx, tg_str_t id)
{
    authd_value_t  value;

    value = authd_text(id);

    return tx->engine->ops->send(tx->engine, AUTHD_SQL_LINK_DELETE, &value, 1,
                                 NULL, NULL);
}


/* False, and the result says so, if the link is not what was expected. */

bool
authd_change_expected(const authd_store_change_t *change,
    authd_record_t *current, authd_store_result_t *result)
{
    bool          ok;
    authd_link_t  link;

    switch (change->expect) {

    case AUTHD_STORE_NEW:
        ok = current == NULL;
        break;

    case AUTHD_STORE_VERSION:
        ok = false;

        if (current != NULL) {
            authd_record_link(current, &link);
            ok = link.version == change->version;
        }

        break;

    default:
        ok = true;
        break;
    }

    if (!ok) {
        result->status = AUTHD_STORE_CONFLICT;
        result->record = current ? authd_record_hold(current) : NULL;
    }

    return ok;
}


int
authd_change_put(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current)
{
    int            rc;
    bool           created, edited;
    authd_op_t    *op;
    authd_link_t   link, old;
    authd_write_t  w = AUTHD_WRITE(tx, r, "create");

    op = &r->ops[i];

    if (!authd_change_expected(&op->change, current, &r->results[i])) {
        return TG_OK;
    }

    authd_record_link(op->put, &link);

    created = op->change.keep_times && link.created != 0;
    edited = op->change.keep_times && link.edited != 0;

    link.uid = 0;
    link.edited = edited ? link.edited : r->at;
    link.created = created ? link.created : r->at;

    if (current != NULL) {
        authd_record_link(current, &old);

        w.action = "edit";
        link.uid = old.uid;
        link.created = created ? link.created : old.created;
    }

    rc = authd_change_write(&w, current, &link, &r->results[i].record);

    r->results[i].seq = (uint64_t) tx->seq;

    return rc;
}


int
authd_change_drop(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current)
{
    int            rc;
    authd_op_t    *op;
    authd_link_t   old;
    authd_write_t  w = AUTHD_WRITE(tx, r, "delete");

    op = &r->ops[i];

    if (current == NULL && op->change.expect != AUTHD_STORE_VERSION) {
        r->results[i].status = AUTHD_STORE_ABSENT;
        return TG_OK;
    }

    if (!authd_change_expected(&op->change, current, &r->results[i])) {
        return TG_OK;
    }

    authd_record_link(current, &old);

    tx->seq++;
    r->results[i].seq = (uint64_t) tx->seq;

    rc = authd_change_delete(tx, old.id);

    if (rc == TG_OK) {
        rc = add_row(&w, current, NULL);
    }

    if (rc == TG_OK) {
        rc = authd_news_gone(&tx->news, old.id);
    }

    return rc;
}
