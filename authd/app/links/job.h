
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of a job share: one judges it, the other has it stored.
 */

#ifndef AUTHD_LINKS_JOB_H_INCLUDED_
#define AUTHD_LINKS_JOB_H_INCLUDED_

#include "authd/app/links/save.h"


/* Of a change that was judged. */

void authd_links_job_submit(authd_links_job_t *job);

/* Behind a wait: false if the client has gone, and the job with it. */

bool authd_links_job_back(authd_links_job_t *job);

/* The end, with the code that the job has; or with a fault. */

void authd_links_job_done(authd_links_job_t *job);
void authd_links_job_fail(authd_links_job_t *job, int code, const char *field,
    const char *text);

/* Keeps a record for as long as the job lives, in the n-th place. */

void authd_links_job_hold(authd_links_job_t *job, size_t n,
    authd_record_t *record);

/* "create", "edit", ...: for the audit log. */

const char *authd_links_job_verb(const authd_links_job_t *job);


#endif /* AUTHD_LINKS_JOB_H_INCLUDED_ */
