
/*
 * Copyright (C) The Tailgate authors
 *
 * A change that was judged: to the store, and what comes back.
 */

#include "authd/app/links/job.h"

#include <string.h>
#include <time.h>


#define TRIES_MAX  3               /* of saves that others get ahead of */


static void job_answer(void *data, const authd_store_answer_t *answer);
static void job_ok(authd_links_job_t *job, const authd_store_result_t *result);


/* What was judged is what is changed: its version has to be the one seen. */

void
authd_links_job_submit(authd_links_job_t *job)
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
        authd_links_job_fail(job, 503, NULL,
                             "too much is to be saved at the moment");
        return;
    }

    authd_links_job_fail(job, 422, NULL, error.text);
}


static void
job_answer(void *data, const authd_store_answer_t *answer)
{
    authd_links_job_t     *job;
    authd_store_status_t   status;

    job = data;

    if (!authd_links_job_back(job)) {
        return;
    }

    status = answer->n != 0 ? answer->results[0].status
                            : AUTHD_STORE_UNAVAILABLE;

    switch (status) {

    case AUTHD_STORE_OK:
        job_ok(job, &answer->results[0]);
        return;

    case AUTHD_STORE_ABSENT:
        authd_links_job_fail(job, 404, NULL,
                             job->op == AUTHD_STORE_RESTORE
                             ? "there is no such change"
                             : "there is no such link");
        return;

    case AUTHD_STORE_CONFLICT:

        if (job->op == AUTHD_STORE_RENAME
            && authd_links_index_named(job->call->app->index, job->to) != NULL)
        {
            authd_links_job_fail(job, 409, "to",
                                 "there is a link of that name");

        } else if (job->has_version || job->must_be_new
                   || job->tries++ == TRIES_MAX)
        {
            authd_links_job_fail(job, 412, NULL,
                                 "the link has another version");

        } else {
            authd_links_job_run(job);
        }

        return;

    case AUTHD_STORE_REFUSED:
        authd_links_job_fail(job, 422, NULL, answer->text);
        return;

    default:
        job->retry = answer->retry;
        authd_links_job_fail(job, 503, NULL, answer->text);
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
        authd_links_job_hold(job, 1, result->record);
        authd_record_link(job->records[1], &job->after);
        app->counts.saved++;

    } else {
        job->code = 204;
        app->counts.deleted++;
    }

    authd_links_audit(job->call, AUTHD_RESULT_ALLOW, job->code,
                      authd_links_job_verb(job), job->name, NULL);

    authd_links_job_done(job);
}
