
/*
 * Copyright (C) The Tailgate authors
 *
 * A link as history has it.
 */

#include "authd/store/change.h"

#include "authd/store/record.h"
#include "core/base/base.h"

#include <string.h>


/* An entry of history that may be restored. */

typedef struct {
    uint64_t         uid;
    bool             of_id;        /* it is of the id that is asked for */
    bool             uid_taken;    /* a link of another id has the uid */
    tg_str_t         id;
    authd_record_t  *record;
} entry_t;


static int
on_entry(void *data, const authd_value_t *columns, size_t n)
{
    entry_t  *entry = data;

    if (n != 5) {
        return TG_ERR_TYPE;
    }

    entry->uid = (uint64_t) columns[0].number;
    entry->of_id = tgi_str_equal(columns[1].text, entry->id)
                   || tgi_str_equal(columns[2].text, entry->id);
    entry->record = authd_record_parse(columns[4].text);

    if (entry->record == NULL) {
        entry->record = authd_record_parse(columns[3].text);
    }

    return TG_OK;
}


static int
on_taken(void *data, const authd_value_t *columns, size_t n)
{
    entry_t  *entry = data;

    entry->uid_taken = n == 1 && !tgi_str_equal(columns[0].text, entry->id);

    return TG_OK;
}


static int
read_entry(authd_engine_t *engine, uint64_t seq, entry_t *entry)
{
    int            rc;
    authd_value_t  value;

    value = authd_number((int64_t) seq);

    rc = engine->ops->send(engine, AUTHD_SQL_HISTORY_ONE, &value, 1, on_entry,
                           entry);
    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    if (rc != TG_OK || entry->record == NULL) {
        return rc;
    }

    value = authd_number((int64_t) entry->uid);

    rc = engine->ops->send(engine, AUTHD_SQL_LINK_OF_UID, &value, 1, on_taken,
                           entry);

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}


static void
restored(const entry_t *entry, const authd_record_t *current, int64_t at,
    authd_link_t *link)
{
    authd_link_t  now;

    authd_record_link(entry->record, link);

    link->uid = entry->uid_taken ? 0 : entry->uid;
    link->edited = at;

    if (current != NULL) {
        authd_record_link(current, &now);

        link->name = now.name;
        link->uid = now.uid;
        link->created = now.created;

    } else if (!tgi_str_equal(link->id, entry->id)) {
        link->name = entry->id;
    }

    link->id = entry->id;
}


int
authd_change_restore(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current)
{
    int                          rc;
    entry_t                      entry;
    authd_link_t                 link;
    authd_found_t                again = { NULL, 0 };
    authd_write_t                w = AUTHD_WRITE(tx, r, "restore");
    authd_engine_t              *engine = tx->engine;
    const authd_store_change_t  *change;

    change = &r->ops[i].change;
    w.has_clicks = true;

    if (!authd_change_expected(change, current, &r->results[i])) {
        return TG_OK;
    }

    memset(&entry, 0, sizeof(entry_t));
    entry.id = change->id;

    rc = read_entry(engine, change->seq, &entry);
    if (rc != TG_OK) {
        goto out;
    }

    if (current != NULL) {
        authd_record_link(current, &link);
        entry.of_id = entry.of_id || link.uid == entry.uid;
    }

    if (entry.record == NULL || !entry.of_id) {
        r->results[i].status = AUTHD_STORE_ABSENT;
        goto out;
    }

    restored(&entry, current, r->at, &link);

    rc = authd_change_write(&w, current, &link, &r->results[i].record);

    r->results[i].seq = (uint64_t) tx->seq;

    /* its clicks, which were kept */

    if (rc == TG_OK) {
        rc = authd_change_flush(tx, r);
    }

    if (rc == TG_OK) {
        rc = authd_change_find(engine, change->id, &again);
    }

    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    if (rc == TG_OK) {
        tx->news.news[tx->news.n - 1].clicks = again.clicks;
    }

out:

    authd_record_drop(&again.record);
    authd_record_drop(&entry.record);

    return rc;
}
