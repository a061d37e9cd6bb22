
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


/* One history entry: old or new is NULL where there is no link. */

static int
add_history(const authd_write_t *w, tg_str_t id, uint64_t uid,
    const authd_link_t *old, const authd_link_t *new)
{
    int              rc;
    char            *old_text, *new_text;
    tg_str_t         action, before, after;
    authd_value_t    values[9];
    authd_engine_t  *engine = w->tx->engine;

    rc = TG_ERR_NOMEM;

    before.data = old_text = old ? authd_record_dump(old, &before.len) : NULL;
    after.data = new_text = new ? authd_record_dump(new, &after.len) : NULL;
    action.data = w->action;
    action.len = strlen(w->action);

    if ((old != NULL && old_text == NULL) || (new != NULL && new_text == NULL))
    {
        goto out;
    }

    values[0] = authd_number(w->tx->seq);
    values[1] = authd_number((int64_t) uid);
    values[2] = authd_text(id);
    values[3] = authd_text(w->former);
    values[4] = authd_number(w->request->at);
    values[5] = authd_text(w->request->id);
    values[6] = authd_text(action);
    values[7] = old ? authd_text(before) : authd_null();
    values[8] = new ? authd_text(after) : authd_null();

    rc = engine->ops->send(engine, AUTHD_SQL_HISTORY_ADD, values, 9, NULL,
                           NULL);

out:

    free(old_text);
    free(new_text);

    return rc;
}


/*
 * Writes link, whose uid is 0 if it is new, under the next number; *stored is
 * what it has become.
 */

int
authd_change_write(const authd_write_t *w, const authd_record_t *current,
    authd_link_t *link, authd_record_t **stored)
{
    int              rc;
    size_t           n;
    authd_link_t     old;
    authd_value_t    values[AUTHD_RECORD_COLUMNS];
    authd_engine_t  *engine = w->tx->engine;

    w->tx->seq++;

    link->version = (uint64_t) w->tx->seq;

    if (link->uid == 0) {
        link->uid = link->version;
    }

    n = authd_record_values(link, values);

    rc = engine->ops->send(engine, AUTHD_SQL_LINK_PUT, values, n, NULL, NULL);
    if (rc != TG_OK) {
        return rc;
    }

    if (current != NULL) {
        authd_record_link(current, &old);
    }

    rc = add_history(w, link->id, link->uid, current ? &old : NULL, link);
    if (rc != TG_OK) {
        return rc;
    }

    *stored = authd_record_new(link);
    if (*stored == NULL) {
        return TG_ERR_NOMEM;
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
        rc = add_history(&w, old.id, old.uid, &old, NULL);
    }

    if (rc == TG_OK) {
        rc = authd_news_gone(&tx->news, old.id);
    }

    return rc;
}
