
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/save.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


#define TRIES_MAX  3               /* of saves that others get ahead of */


static bool job_look(authd_links_job_t *job);
static bool job_back(authd_links_job_t *job);
static void job_done(authd_links_job_t *job);
static void job_people(bool ok, void *data);
static void job_history(void *data, const authd_store_history_t *history);
static void job_judge(authd_links_job_t *job);
static bool job_make(authd_links_job_t *job);
static void job_submit(authd_links_job_t *job);
static void job_answer(void *data, const authd_store_answer_t *answer);
static void job_ok(authd_links_job_t *job, const authd_store_result_t *result);
static void job_fail(authd_links_job_t *job, int code, const char *field,
    const char *text);
static void job_hold(authd_links_job_t *job, size_t n,
    authd_record_t *record);
static const char *job_verb(const authd_links_job_t *job);


authd_links_job_t *
authd_links_job(authd_links_call_t *call, authd_store_op_t op, tg_str_t name)
{
    authd_links_job_t  *job;

    job = call->alloc.alloc(call->alloc.ctx, sizeof(authd_links_job_t));

    if (job == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return NULL;
    }

    memset(job, 0, sizeof(authd_links_job_t));

    job->call = call;
    job->op = op;
    job->name = name;
    job->edit.name = name;

    call->data = job;

    return job;
}


void
authd_links_job_run(authd_links_job_t *job)
{
    tg_str_t        id;
    authd_links_t  *app;

    app = job->call->app;

    if (job->op == AUTHD_STORE_PUT
        && !authd_links_edit_check(&job->edit, job_look(job) ? &job->before
                                                             : NULL,
                                   &job->wrong))
    {
        job->code = job->wrong.code;
        job_done(job);
        return;
    }

    if (job_look(job) || job->op == AUTHD_STORE_PUT) {
        job_judge(job);
        return;
    }

    id.data = job->id;
    id.len = tg_link_id(job->name, job->id);

    /* a deleted link is restored by who could change it */

    if (job->op == AUTHD_STORE_RESTORE && id.len != 0) {
        authd_links_wait(job->call);

        if (authd_store_history(app->store, id, 0, 1, job_history, job)
            != TG_OK)
        {
            (void) authd_links_back(job->call);
            job_fail(job, 503, NULL, "the store does not work");
        }

        return;
    }

    job_fail(job, 404, NULL, "there is no such link");
}


void
authd_links_job_end(authd_links_job_t *job)
{
    size_t  i;

    for (i = 0; i < sizeof(job->records) / sizeof(job->records[0]); i++) {
        authd_record_drop(&job->records[i]);
    }

    json_decref(job->json);
    job->json = NULL;
}


/* The link as the index has it now. */

static bool
job_look(authd_links_job_t *job)
{
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(job->call->app->index, job->name);

    job->existed = entry != NULL;

    if (entry == NULL) {
        return false;
    }

    job_hold(job, 0, entry->record);
    authd_record_link(job->records[0], &job->before);

    return true;
}


/* Behind a wait: false if the client has gone, and the job with it. */

static bool
job_back(authd_links_job_t *job)
{
    if (job->call->r == NULL) {
        authd_links_job_end(job);
    }

    return authd_links_back(job->call);
}


static void
job_done(authd_links_job_t *job)
{
    if (job->code == 401 || job->code == 403) {
        job->call->app->counts.refused++;
        authd_links_audit(job->call, AUTHD_RESULT_DENY, job->code,
                          job_verb(job), job->name, job->wrong.text);
    }

    job->done(job);
}


static void
job_people(bool ok, void *data)
{
    authd_links_job_t  *job;

    job = data;

    if (!job_back(job)) {
        return;
    }

    job->asked = true;
    job->lost = !ok;

    /* it may have changed in the meantime */

    if (job->op != AUTHD_STORE_RESTORE || job->existed) {
        if (!job_look(job) && job->op != AUTHD_STORE_PUT) {
            job_fail(job, 404, NULL, "there is no such link");
            return;
        }
    }

    job_judge(job);
}


static void
job_history(void *data, const authd_store_history_t *history)
{
    authd_record_t     *record;
    authd_links_job_t  *job;

    job = data;

    if (!job_back(job)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        job->retry = history->retry;
        job_fail(job, 503, NULL, history->text);
        return;
    }

    record = history->n == 0 ? NULL
             : history->entries[0].after ? history->entries[0].after
                                         : history->entries[0].before;

    if (record == NULL) {
        job_fail(job, 404, NULL, "there is no such link");
        return;
    }

    job_hold(job, 0, record);
    authd_record_link(job->records[0], &job->before);

    job_judge(job);
}


/* Whether it may be done, and by what it becomes whether that may be. */

static void
job_judge(authd_links_job_t *job)
{
    bool                 known;
    tg_str_t             owner = TG_NULL_STR;
    authd_links_t       *app;
    const authd_link_t  *link;

    app = job->call->app;
    known = job->existed || job->op == AUTHD_STORE_RESTORE;
    link = known ? &job->before : NULL;

    job->may = authd_links_may(&job->call->who, link,
                               app->authd->conf->links.readonly,
                               job->asked ? app->people : NULL, job->lost);

    if (job->op == AUTHD_STORE_PUT) {
        owner = authd_links_edit_owner(&job->edit, link, &job->call->who);
    }

    if (job->may == AUTHD_LINKS_MAY_ASK
        || (authd_links_may_change(job->may) && owner.len != 0 && !job->asked))
    {
        authd_links_wait(job->call);
        authd_links_people_ask(app->people, job_people, job);
        return;
    }

    if (!authd_links_may_change(job->may)
        || (job->may == AUTHD_LINKS_MAY_EDIT && job->op != AUTHD_STORE_PUT))
    {
        /*
         * Who may edit what is another's could own it by deleting it and
         * making it anew, or by bringing back an owner of old.
         */

        authd_links_may_wrong(job->may,
                              job->op == AUTHD_STORE_DELETE ? "delete"
                                                            : "update",
                              link, &job->wrong);
        job->code = job->wrong.code;
        job_done(job);
        return;
    }

    if (job->check != NULL && !job->checked) {

        if (!job->check(job)) {
            return;
        }

        job->checked = true;
    }

    if (owner.len != 0
        && (job->lost || !authd_links_people_has(app->people, owner)))
    {
        job->wrong.field = "owner";
        job->wrong.code = 422;
        job->code = 422;
        (void) snprintf(job->wrong.text, sizeof(job->wrong.text), "new owner"
                        " not a valid user: %.*s", (int) owner.len,
                        owner.data);
        job_done(job);
        return;
    }

    if ((job->must_be_new && job->existed)
        || (job->has_version
            && (!job->existed || job->version != job->before.version)))
    {
        job_fail(job, 412, NULL, job->must_be_new
                                 ? "there is such a link"
                                 : "the link has another version");
        return;
    }

    if (job_make(job)) {
        job_submit(job);
    }
}


static bool
job_make(authd_links_job_t *job)
{
    tg_error_t  error;

    if (job->op == AUTHD_STORE_RENAME) {
        error.text[0] = '\0';

        if (tg_link_name_check(job->to, &error) != TG_OK) {
            job_fail(job, 422, "to", error.text);
            return false;
        }

        return true;
    }

    if (job->op != AUTHD_STORE_PUT) {
        return true;
    }

    if (!authd_links_edit_apply(&job->edit, job->existed ? &job->before : NULL,
                                &job->call->who, job->may, job->id,
                                &job->after, &job->wrong))
    {
        job->code = job->wrong.code;
        job_done(job);
        return false;
    }

    if (authd_links_is_circle(job->call->app, &job->after, &job->call->alloc,
                              job->wrong.text))
    {
        job->wrong.field = "url";
        job->wrong.code = 422;
        job->code = 422;
        job_done(job);
        return false;
    }

    return true;
}


/* What was judged is what is changed: its version has to be the one seen. */

static void
job_submit(authd_links_job_t *job)
{
    int                    rc;
    tg_error_t             error;
    authd_links_call_t    *call;
    authd_store_change_t   change;

    call = job->call;

    memset(&change, 0, sizeof(change));
    error.text[0] = '\0';

    change.op = job->op;
    change.expect = job->existed ? AUTHD_STORE_VERSION : AUTHD_STORE_NEW;
    change.version = job->before.version;
    change.id.data = job->id;
    change.id.len = tg_link_id(job->name, job->id);
    change.link = &job->after;
    change.seq = job->seq;
    change.keep_alias = job->keep_alias;
    change.keep_times = job->edit.created != 0;

    if (job->op == AUTHD_STORE_RENAME) {
        change.to.data = job->to_id;
        change.to.len = tg_link_id(job->to, job->to_id);
        change.name = job->to;
    }

    authd_links_wait(call);

    rc = authd_store_submit(call->app->store, &change, 1, false,
                            call->who.name, (int64_t) time(NULL), job_answer,
                            job, &error);

    if (rc == TG_OK) {
        return;
    }

    (void) authd_links_back(call);

    if (rc == TG_ERR_NOMEM || rc == TG_ERR_LIMIT) {
        job->retry = 5;
        job_fail(job, 503, NULL, "too much is to be saved at the moment");
        return;
    }

    job_fail(job, 422, NULL, error.text);
}


static void
job_answer(void *data, const authd_store_answer_t *answer)
{
    authd_links_job_t     *job;
    authd_store_status_t   status;

    job = data;

    if (!job_back(job)) {
        return;
    }

    status = answer->n != 0 ? answer->results[0].status
                            : AUTHD_STORE_UNAVAILABLE;

    switch (status) {

    case AUTHD_STORE_OK:
        job_ok(job, &answer->results[0]);
        return;

    case AUTHD_STORE_ABSENT:
        job_fail(job, 404, NULL, job->op == AUTHD_STORE_RESTORE
                                 ? "there is no such change"
                                 : "there is no such link");
        return;

    case AUTHD_STORE_CONFLICT:

        if (job->op == AUTHD_STORE_RENAME
            && authd_links_index_named(job->call->app->index, job->to) != NULL)
        {
            job_fail(job, 409, "to", "there is a link of that name");

        } else if (job->has_version || job->must_be_new
                   || job->tries++ == TRIES_MAX)
        {
            job_fail(job, 412, NULL, "the link has another version");

        } else {
            authd_links_job_run(job);
        }

        return;

    case AUTHD_STORE_REFUSED:
        job_fail(job, 422, NULL, answer->text);
        return;

    default:
        job->retry = answer->retry;
        job_fail(job, 503, NULL, answer->text);
    }
}


static void
job_ok(authd_links_job_t *job, const authd_store_result_t *result)
{
    authd_links_t  *app;

    app = job->call->app;

    job->done_seq = result->seq;
    job->code = job->existed || job->op != AUTHD_STORE_PUT ? 200 : 201;

    if (result->record != NULL) {
        job_hold(job, 1, result->record);
        authd_record_link(job->records[1], &job->after);
        app->counts.saved++;

    } else {
        job->code = 204;
        app->counts.deleted++;
    }

    authd_links_audit(job->call, AUTHD_RESULT_ALLOW, job->code, job_verb(job),
                      job->name, NULL);

    job_done(job);
}


static void
job_fail(authd_links_job_t *job, int code, const char *field, const char *text)
{
    job->code = code;
    job->wrong.code = code;
    job->wrong.field = field;

    (void) snprintf(job->wrong.text, sizeof(job->wrong.text), "%s", text);

    job_done(job);
}


static void
job_hold(authd_links_job_t *job, size_t n, authd_record_t *record)
{
    authd_record_t  *held;

    held = authd_record_hold(record);
    authd_record_drop(&job->records[n]);
    job->records[n] = held;
}


static const char *
job_verb(const authd_links_job_t *job)
{
    switch (job->op) {

    case AUTHD_STORE_DELETE:
        return "delete";

    case AUTHD_STORE_RENAME:
        return "rename";

    case AUTHD_STORE_RESTORE:
        return "restore";

    default:
        return job->existed ? "edit" : "create";
    }
}
