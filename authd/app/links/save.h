
/*
 * Copyright (C) The Tailgate authors
 *
 * One change of one link, for forms and API alike: whether it may be made, what
 * it makes, and the store's answer.
 */

#ifndef AUTHD_LINKS_SAVE_H_INCLUDED_
#define AUTHD_LINKS_SAVE_H_INCLUDED_

#include "authd/app/links/edit.h"
#include "core/base/map.h"


typedef struct authd_links_job_s  authd_links_job_t;

struct authd_links_job_s {
    authd_links_call_t    *call;
    authd_store_op_t       op;
    authd_links_edit_t     edit;       /* PUT */
    tg_str_t               name;       /* of the link, in any spelling */
    tg_str_t               to;         /* RENAME: the new name */
    uint64_t               seq;        /* RESTORE */
    bool                   keep_alias;
    bool                   has_version;
    bool                   must_be_new;
    bool                   must_exist;
    uint64_t               version;

    /*
     * Called once it is known that the change may be made, if not NULL; false:
     * it has answered, and the job is no more.
     */

    bool                 (*check)(authd_links_job_t *job);

    /*
     * Called at the end.  code is 200, 201, 204, or what is wrong; with 503
     * retry may say when to come again.
     */

    void                 (*done)(authd_links_job_t *job);

    int                    code;
    unsigned               retry;
    authd_links_wrong_t    wrong;
    authd_links_may_t      may;
    bool                   existed;
    authd_link_t           before;     /* of the index; or of the history */
    authd_link_t           after;      /* with code 200 and 201 */
    uint64_t               done_seq;   /* of the history entry */

    json_t                *json;       /* what strings of the job live in;
                                          the job's; may be NULL */

    authd_record_t        *records[2]; /* the rest is save.c's */
    char                   id[TG_LINK_NAME_MAX];
    char                   to_id[TG_LINK_NAME_MAX];
    bool                   asked;
    bool                   lost;
    bool                   checked;
    unsigned               tries;
};


/* NULL when out of memory: then it was answered. */

authd_links_job_t *authd_links_job(authd_links_call_t *call,
    authd_store_op_t op, tg_str_t name);

void authd_links_job_run(authd_links_job_t *job);

/* Lets go of what the job holds: before the call is answered. */

void authd_links_job_end(authd_links_job_t *job);

/*
 * Whether links would lead in a circle if after were one of them; text then
 * says so.  pending are changes that are to come before it: their numbers by
 * the ids of their links, or NULL.
 */

typedef struct {
    authd_links_t               *app;
    const tg_alloc_t            *alloc;
    const tgi_map_t             *pending;
    const authd_store_change_t  *changes;
} authd_links_circle_t;

bool authd_links_is_circle(const authd_links_circle_t *circle,
    const authd_link_t *after, char text[TG_ERROR_TEXT_MAX]);


#endif /* AUTHD_LINKS_SAVE_H_INCLUDED_ */
