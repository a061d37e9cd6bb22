
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/job.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


static bool job_look(authd_links_job_t *job);
static void job_people(bool ok, void *data);
static void job_history(void *data, const authd_store_history_t *history);
static void job_judge(authd_links_job_t *job);
static bool job_refused(authd_links_job_t *job, bool known);
static bool job_make(authd_links_job_t *job);
static bool job_rename(authd_links_job_t *job);
static void job_restore(authd_links_job_t *job);
static void job_restored(void *data, const authd_store_history_t *history);
static bool job_circle(authd_links_job_t *job, const char *field);


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
        authd_links_job_done(job);
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
            authd_links_job_fail(job, 503, NULL, "the store does not work");
        }

        return;
    }

    authd_links_job_fail(job, 404, NULL, "there is no such link");
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

    authd_links_job_hold(job, 0, entry->record);
    authd_record_link(job->records[0], &job->before);

    return true;
}


/* Behind a wait: false if the client has gone, and the job with it. */

bool
authd_links_job_back(authd_links_job_t *job)
{
    if (job->call->r == NULL) {
        authd_links_job_end(job);
    }

    return authd_links_back(job->call);
}


void
authd_links_job_done(authd_links_job_t *job)
{
    if (job->code == 401 || job->code == 403) {
        job->call->app->counts.refused++;
        authd_links_audit(job->call, AUTHD_RESULT_DENY, job->code,
                          authd_links_job_verb(job), job->name,
                          job->wrong.text);
    }

    job->done(job);
}


static void
job_people(bool ok, void *data)
{
    authd_links_job_t  *job;

    job = data;

    if (!authd_links_job_back(job)) {
        return;
    }

    job->asked = true;
    job->lost = !ok;

    /* it may have changed in the meantime */

    if (job->op != AUTHD_STORE_RESTORE || job->existed) {
        if (!job_look(job) && job->op != AUTHD_STORE_PUT) {
            authd_links_job_fail(job, 404, NULL, "there is no such link");
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

    if (!authd_links_job_back(job)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        job->retry = history->retry;
        authd_links_job_fail(job, 503, NULL, history->text);
        return;
    }

    record = history->n == 0 ? NULL
             : history->entries[0].after ? history->entries[0].after
                                         : history->entries[0].before;

    if (record == NULL) {
        authd_links_job_fail(job, 404, NULL, "there is no such link");
        return;
    }

    authd_links_job_hold(job, 0, record);
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

    if (job_refused(job, known)) {
        authd_links_job_done(job);
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
        authd_links_job_done(job);
        return;
    }

    if ((job->must_be_new && job->existed)
        || (job->must_exist && !job->existed)
        || (job->has_version
            && (!job->existed || job->version != job->before.version)))
    {
        authd_links_job_fail(job, 412, NULL,
                             job->must_be_new ? "there is such a link"
                             : job->must_exist ? "there is no such link"
                             : "the link has another version");
        return;
    }

    if (job_make(job)) {
        authd_links_job_submit(job);
    }
}


static bool
job_refused(authd_links_job_t *job, bool known)
{
    const authd_link_t   *link;
    authd_links_wrong_t  *wrong;

    wrong = &job->wrong;
    link = known ? &job->before : NULL;

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
                              link, wrong);
        job->code = wrong->code;

        return true;
    }

    /* policy looked at the path: "ci-vic" is allowed by "ci-*", "civic" not */

    if (job->call->who.machine && known
        && (link->name.len != job->name.len
            || memcmp(link->name.data, job->name.data, link->name.len) != 0))
    {
        wrong->code = 403;
        job->code = 403;
        (void) snprintf(wrong->text, sizeof(wrong->text), "a machine has to"
                        " spell a link as it is: \"%.*s\"",
                        (int) link->name.len, link->name.data);

        return true;
    }

    return false;
}


static bool
job_make(authd_links_job_t *job)
{
    switch (job->op) {

    case AUTHD_STORE_RENAME:
        return job_rename(job);

    case AUTHD_STORE_RESTORE:
        job_restore(job);
        return false;

    case AUTHD_STORE_DELETE:
        return true;

    default:
        break;
    }

    if (!authd_links_edit_apply(&job->edit, job->existed ? &job->before : NULL,
                                &job->call->who, job->may, job->id,
                                &job->after, &job->wrong))
    {
        job->code = job->wrong.code;
        authd_links_job_done(job);
        return false;
    }

    return !job_circle(job, "url");
}


/* The link as it will be is what a circle is looked for with. */

static bool
job_rename(authd_links_job_t *job)
{
    tg_error_t  error;

    error.text[0] = '\0';

    if (tg_link_name_check(job->to, &error) != TG_OK) {
        authd_links_job_fail(job, 422, "to", error.text);
        return false;
    }

    job->after = job->before;
    job->after.name = job->to;
    job->after.id.data = job->to_id;
    job->after.id.len = tg_link_id(job->to, job->to_id);

    return !job_circle(job, "to");
}


/* What it was is in the history. */

static void
job_restore(authd_links_job_t *job)
{
    tg_str_t  id;

    id.data = job->id;
    id.len = tg_link_id(job->name, job->id);

    authd_links_wait(job->call);

    if (authd_store_history(job->call->app->store, id, job->seq + 1, 1,
                            job_restored, job)
        != TG_OK)
    {
        (void) authd_links_back(job->call);
        authd_links_job_fail(job, 503, NULL, "the store does not work");
    }
}


static void
job_restored(void *data, const authd_store_history_t *history)
{
    authd_record_t             *record;
    authd_links_job_t          *job;
    const authd_store_entry_t  *entry;

    job = data;

    if (!authd_links_job_back(job)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        job->retry = history->retry;
        authd_links_job_fail(job, 503, NULL, history->text);
        return;
    }

    /* the store says that there is no such change */

    entry = history->n != 0 && history->entries[0].seq == job->seq
            ? &history->entries[0] : NULL;
    record = entry == NULL ? NULL : entry->after ? entry->after
                                                 : entry->before;

    if (record != NULL) {
        authd_record_link(record, &job->after);

        if (job_circle(job, NULL)) {
            return;
        }
    }

    authd_links_job_submit(job);
}


static bool
job_circle(authd_links_job_t *job, const char *field)
{
    char                  text[TG_ERROR_TEXT_MAX];
    authd_links_circle_t  circle;

    memset(&circle, 0, sizeof(circle));

    circle.app = job->call->app;
    circle.alloc = &job->call->alloc;

    if (job->after.alias.len != 0
        || !authd_links_is_circle(&circle, &job->after, text))
    {
        return false;
    }

    authd_links_job_fail(job, 422, field, text);

    return true;
}


void
authd_links_job_fail(authd_links_job_t *job, int code, const char *field,
    const char *text)
{
    job->code = code;
    job->wrong.code = code;
    job->wrong.field = field;

    (void) snprintf(job->wrong.text, sizeof(job->wrong.text), "%s", text);

    authd_links_job_done(job);
}


void
authd_links_job_hold(authd_links_job_t *job, size_t n, authd_record_t *record)
{
    authd_record_t  *held;

    held = authd_record_hold(record);
    authd_record_drop(&job->records[n]);
    job->records[n] = held;
}


const char *
authd_links_job_verb(const authd_links_job_t *job)
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
