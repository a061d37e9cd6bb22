
/*
 * Copyright (C) The Tailgate authors
 *
 * A link under another id, and what leads to it.
 */

#include "authd/store/change.h"

#include "authd/store/record.h"
#include "core/base/base.h"

#include <string.h>


/* The link moves to the id; its former id is free. */

static int
move(const authd_write_t *w, const authd_store_change_t *change,
    authd_record_t *current, authd_record_t **stored)
{
    int           rc;
    authd_link_t  link;

    authd_record_link(current, &link);

    link.name = change->name;
    link.edited = w->request->at;

    if (tgi_str_equal(link.id, change->to)) {
        return authd_change_write(w, current, &link, stored);
    }

    link.id = change->to;

    rc = authd_change_delete(w->tx, change->to);

    if (rc == TG_OK) {
        rc = authd_change_delete(w->tx, change->id);
    }

    if (rc == TG_OK) {
        rc = authd_news_gone(&w->tx->news, change->id);
    }

    if (rc == TG_OK) {
        rc = authd_change_write(w, current, &link, stored);
    }

    return rc;
}


/* What led to the former id, and the former id itself, leads to the new one. */

static int
lead(authd_tx_t *tx, authd_request_t *r, const authd_store_change_t *change,
    authd_record_t *former, authd_news_list_t *aliases)
{
    int              rc;
    size_t           i;
    authd_link_t     link, old;
    authd_write_t    w = AUTHD_WRITE(tx, r, "alias");
    authd_record_t  *stored;

    rc = TG_OK;

    for (i = 0; i < aliases->n && rc == TG_OK; i++) {
        authd_record_link(aliases->news[i].record, &link);

        if (tgi_str_equal(link.id, change->to)) {
            continue;
        }

        link.alias = change->to;
        stored = NULL;

        rc = authd_change_write(&w, aliases->news[i].record, &link, &stored);
        authd_record_drop(&stored);
    }

    if (rc != TG_OK || !change->keep_alias) {
        return rc;
    }

    authd_record_link(former, &old);

    memset(&link, 0, sizeof(authd_link_t));
    link.id = old.id;
    link.name = old.name;
    link.owner = old.owner;
    link.alias = change->to;
    link.created = r->at;
    link.edited = r->at;
    stored = NULL;

    rc = authd_change_write(&w, NULL, &link, &stored);
    authd_record_drop(&stored);

    return rc;
}


static int
on_alias(void *data, const authd_value_t *columns, size_t n)
{
    int              rc;
    uint64_t         clicks;
    authd_record_t  *record;

    rc = authd_record_read(columns, n, &record, &clicks);

    return rc == TG_OK ? authd_news_add(data, record, false, 0) : rc;
}


/* Whether the id to is free, or an alias of the very link. */

static bool
may_move(const authd_store_change_t *change, authd_record_t *taken,
    authd_store_result_t *result)
{
    authd_link_t  link;

    if (taken == NULL || tgi_str_equal(change->id, change->to)) {
        return true;
    }

    authd_record_link(taken, &link);

    if (tgi_str_equal(link.alias, change->id)) {
        return true;
    }

    result->status = AUTHD_STORE_CONFLICT;
    result->record = authd_record_hold(taken);

    return false;
}


int
authd_change_rename(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current)
{
    int                          rc;
    bool                         moves;
    authd_found_t                taken = { NULL, 0 };
    authd_write_t                w = AUTHD_WRITE(tx, r, "rename");
    authd_value_t                value;
    authd_engine_t              *engine = tx->engine;
    authd_news_list_t            aliases = { NULL, 0, 0 };
    const authd_store_change_t  *change;

    change = &r->ops[i].change;

    if (!authd_change_expected(change, current, &r->results[i])) {
        return TG_OK;
    }

    if (current == NULL) {
        r->results[i].status = AUTHD_STORE_ABSENT;
        return TG_OK;
    }

    moves = !tgi_str_equal(change->id, change->to);
    value = authd_text(change->id);

    rc = authd_change_find(engine, change->to, &taken);

    if (rc == TG_OK && moves) {
        rc = engine->ops->send(engine, AUTHD_SQL_ALIASES, &value, 1, on_alias,
                               &aliases);
    }

    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    if (rc != TG_OK || !may_move(change, taken.record, &r->results[i])) {
        goto out;
    }

    if (moves) {
        w.former = change->id;
    }

    rc = move(&w, change, current, &r->results[i].record);

    r->results[i].seq = (uint64_t) tx->seq;

    if (rc == TG_OK && moves) {
        rc = lead(tx, r, change, current, &aliases);
    }

out:

    authd_news_cut(&aliases, 0);
    authd_record_drop(&taken.record);

    return rc;
}
