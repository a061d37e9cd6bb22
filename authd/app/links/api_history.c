
/*
 * Copyright (C) The Tailgate authors
 *
 * What a link was.
 */

#include "authd/app/links/api.h"


#define HISTORY_MAX  1000


static void history_done(void *data, const authd_store_history_t *history);
static json_t *history_entry(const authd_store_entry_t *entry);
static json_t *record_json(authd_record_t *record);


void
authd_links_api_history(authd_links_call_t *call)
{
    char      buf[TG_LINK_NAME_MAX];
    tg_str_t  id;

    id.data = buf;
    id.len = tg_link_id(call->name, buf);

    if (id.len == 0) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    authd_links_wait(call);

    if (authd_store_history(call->app->store, id, 0, HISTORY_MAX,
                            history_done, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


static void
history_done(void *data, const authd_store_history_t *history)
{
    size_t               i;
    json_t              *entries;
    authd_links_call_t  *call;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, history->retry, history->text);
        return;
    }

    if (history->n == 0) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    entries = json_array();

    for (i = 0; i < history->n; i++) {
        (void) json_array_append_new(entries,
                                     history_entry(&history->entries[i]));
    }

    authd_links_send_json(call, 200, json_pack("{s:o}", "history", entries));
}


static json_t *
history_entry(const authd_store_entry_t *entry)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}",
                     "seq", (json_int_t) entry->seq,
                     "time", authd_links_json_time(entry->at),
                     "who", json_stringn(entry->who.data ? entry->who.data
                                                         : "", entry->who.len),
                     "action", json_stringn(entry->action.data,
                                            entry->action.len),
                     "before", record_json(entry->before),
                     "after", record_json(entry->after));
}


static json_t *
record_json(authd_record_t *record)
{
    json_t        *json;
    authd_link_t   link;

    if (record == NULL) {
        return json_null();
    }

    authd_record_link(record, &link);

    json = authd_links_json(&link, 0);
    (void) json_object_del(json, "clicks");

    return json;
}
