
/*
 * Copyright (C) The Tailgate authors
 *
 * Many links at a time: an import, by the rules of a save for each line; and
 * the list of a file that is kept in git, for those who may edit everything.
 */

#include "authd/app/links/api.h"
#include "authd/app/links/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>


#define RESULTS_MAX  1000          /* that are told */


static const char *const  status_names[AUTHD_LINKS_ITEM_MAX] = {
    "created", "updated", "unchanged", "deleted", "failed"
};

static void batch_people(bool ok, void *data);
static void batch_store(authd_links_batch_t *batch);
static void batch_stored(void *data, const authd_store_answer_t *answer);
static void batch_answer(authd_links_batch_t *batch);
static json_t *item_name(const authd_links_item_t *item);
static void batch_free(authd_links_batch_t *batch);
static bool read_flag(const authd_links_call_t *call, const char *name,
    bool *flag);
static bool is_type(tg_str_t type, const char *name);


void
authd_links_api_import(authd_links_call_t *call)
{
    tg_str_t              type = TG_NULL_STR;
    authd_links_batch_t  *batch;

    (void) tgn_request_header(call->r, "Content-Type", 0, &type);

    if (!is_type(type, "application/x-ndjson") && !is_type(type, "text/csv")) {
        authd_links_fault(call, 415, "the body has to be"
                          " application/x-ndjson or text/csv");
        return;
    }

    batch = call->alloc.alloc(call->alloc.ctx, sizeof(authd_links_batch_t));

    if (batch == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    memset(batch, 0, sizeof(authd_links_batch_t));

    batch->call = call;
    batch->csv = is_type(type, "text/csv");

    if (!read_flag(call, "dry_run", &batch->dry_run)
        || !read_flag(call, "upsert", &batch->upsert))
    {
        authd_links_fault(call, 400, "dry_run and upsert are 0 or 1");
        return;
    }

    authd_links_wait(call);
    authd_links_people_ask(call->app->people, batch_people, batch);
}


void
authd_links_api_apply(authd_links_call_t *call)
{
    json_t               *json;
    tg_str_t              type = TG_NULL_STR;
    json_error_t          error;
    authd_links_batch_t  *batch;

    (void) tgn_request_header(call->r, "Content-Type", 0, &type);

    if (!is_type(type, "application/json")) {
        authd_links_fault(call, 415, "the body has to be application/json");
        return;
    }

    json = json_loadb(call->r->body.data, call->r->body.len,
                      JSON_REJECT_DUPLICATES, &error);
    batch = call->alloc.alloc(call->alloc.ctx, sizeof(authd_links_batch_t));

    if (batch == NULL
        || !json_is_array(json_object_get(json, "links")))
    {
        json_decref(json);
        authd_links_fault(call, 400, "the body has to be {\"links\": [...],"
                          " \"prune\": true or false}");
        return;
    }

    memset(batch, 0, sizeof(authd_links_batch_t));

    batch->call = call;
    batch->json = json;
    batch->apply = true;
    batch->upsert = true;
    batch->dry_run = json_is_true(json_object_get(json, "dry_run"));

    authd_links_wait(call);
    authd_links_people_ask(call->app->people, batch_people, batch);
}


static void
batch_people(bool ok, void *data)
{
    authd_links_batch_t    *batch;
    authd_links_may_t      may;
    authd_links_call_t    *call;
    authd_links_wrong_t    wrong;

    batch = data;
    call = batch->call;
    batch->lost = !ok;

    if (call->r == NULL) {
        batch_free(batch);
    }

    if (!authd_links_back(call)) {
        return;
    }

    may = authd_links_may(&call->who, NULL,
                          call->app->authd->conf->links.readonly,
                          call->app->people, batch->lost);

    if (may == AUTHD_LINKS_MAY_OWN && batch->apply && !call->who.admin
        && !call->who.machine)
    {
        may = AUTHD_LINKS_IS_GIT;
    }

    if (may != AUTHD_LINKS_MAY_OWN) {
        authd_links_may_wrong(may, "apply", NULL, &wrong);

        if (may == AUTHD_LINKS_IS_GIT) {
            (void) snprintf(wrong.text, sizeof(wrong.text), "only an admin may"
                            " apply a file");
        }

        call->app->counts.refused++;
        authd_links_audit(call, AUTHD_RESULT_DENY, wrong.code,
                          batch->apply ? "apply" : "import",
                          (tg_str_t) TG_NULL_STR, wrong.text);
        batch_free(batch);
        authd_links_fault(call, wrong.code, wrong.text);
        return;
    }

    authd_links_batch_read(batch);

    if (batch->dry_run || batch->nchanges == 0) {
        batch_answer(batch);
        return;
    }

    batch_store(batch);
}


static void
batch_store(authd_links_batch_t *batch)
{
    int                  rc;
    tg_error_t           error;
    authd_links_call_t  *call;

    call = batch->call;
    error.text[0] = '\0';

    authd_links_wait(call);

    rc = authd_store_submit(call->app->store, batch->changes, batch->nchanges,
                            false, call->who.name, (int64_t) time(NULL),
                            batch_stored, batch, &error);

    if (rc == TG_OK) {
        return;
    }

    (void) authd_links_back(call);
    batch_free(batch);

    authd_links_unavailable(call, 5, error.text[0] ? error.text
                            : "too much is to be saved at the moment");
}


static void
batch_stored(void *data, const authd_store_answer_t *answer)
{
    size_t                i;
    authd_links_item_t    *item;
    authd_links_batch_t   *batch;
    authd_links_call_t   *call;
    authd_store_status_t  status;

    batch = data;
    call = batch->call;

    if (call->r == NULL) {
        batch_free(batch);
    }

    if (!authd_links_back(call)) {
        return;
    }

    if (answer->n == 0
        || answer->results[0].status == AUTHD_STORE_UNAVAILABLE)
    {
        batch_free(batch);
        authd_links_unavailable(call, answer->retry, answer->text);
        return;
    }

    for (i = 0; i < batch->nitems; i++) {
        item = &batch->items[i];

        if (item->change == SIZE_MAX) {
            continue;
        }

        status = answer->results[item->change].status;

        if (status != AUTHD_STORE_OK) {
            item->status = AUTHD_LINKS_ITEM_FAILED;
            item->error = status == AUTHD_STORE_CONFLICT
                          || status == AUTHD_STORE_ABSENT
                          ? "somebody else changed it in the meantime, or it"
                            " is listed twice"
                          : "the store does not take it";
        }
    }

    authd_links_audit(call, AUTHD_RESULT_ALLOW, 200,
                      batch->apply ? "apply" : "import",
                      (tg_str_t) TG_NULL_STR, NULL);
    batch_answer(batch);
}


static void
batch_answer(authd_links_batch_t *batch)
{
    bool                       all;
    size_t                     i, counts[AUTHD_LINKS_ITEM_MAX];
    json_t                    *json, *results, *result;
    authd_links_call_t        *call;
    const authd_links_item_t  *item;

    call = batch->call;
    all = batch->nitems <= RESULTS_MAX;
    results = json_array();

    memset(counts, 0, sizeof(counts));

    for (i = 0; i < batch->nitems; i++) {
        item = &batch->items[i];
        counts[item->status]++;

        if ((!all && item->status != AUTHD_LINKS_ITEM_FAILED)
            || json_array_size(results) == RESULTS_MAX)
        {
            continue;
        }

        result = json_pack("{s:I, s:o, s:s}", "line", (json_int_t) item->line,
                           "name", item_name(item),
                           "status", status_names[item->status]);

        if (result != NULL && item->error != NULL) {
            (void) json_object_set_new(result, "error",
                                       json_string(item->error));
        }

        (void) json_array_append_new(results, result);
    }

    json = json_object();

    for (i = 0; i < AUTHD_LINKS_ITEM_MAX; i++) {
        (void) json_object_set_new(json, status_names[i],
                                   json_integer((json_int_t) counts[i]));
    }

    (void) json_object_set_new(json, "results", results);

    batch_free(batch);
    authd_links_send_json(call, 200, json);
}


/* Of a line that is no UTF-8 there is none to tell. */

static json_t *
item_name(const authd_links_item_t *item)
{
    json_t  *json;

    json = item->name.len ? json_stringn(item->name.data, item->name.len)
                          : NULL;

    return json ? json : json_string("");
}


static void
batch_free(authd_links_batch_t *batch)
{
    size_t  i;

    for (i = 0; i < batch->nlines; i++) {
        json_decref(batch->lines[i]);
    }

    for (i = 0; i < batch->nrecords; i++) {
        authd_record_drop(&batch->records[i]);
    }

    free(batch->items);
    free(batch->changes);
    free(batch->lines);
    free(batch->records);
    json_decref(batch->json);
}


static bool
read_flag(const authd_links_call_t *call, const char *name, bool *flag)
{
    tg_str_t  value;

    value = authd_links_arg(call, name);
    *flag = authd_links_equal(value, "1");

    return *flag || value.len == 0 || authd_links_equal(value, "0");
}


static bool
is_type(tg_str_t type, const char *name)
{
    size_t  len;

    len = strlen(name);

    return type.len >= len && strncasecmp(type.data, name, len) == 0;
}
