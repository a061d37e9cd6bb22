
/*
 * Copyright (C) The Tailgate authors
 *
 * What is shown: who asks has been identified, and each of these answers.
 */

#ifndef AUTHD_LINKS_PAGE_H_INCLUDED_
#define AUTHD_LINKS_PAGE_H_INCLUDED_

#include "authd/app/links/save.h"
#include "authd/app/links/view.h"


/* page.c */

void authd_links_home_page(authd_links_call_t *call);
void authd_links_help_page(authd_links_call_t *call);

/* A name that is no link; it is copied. Asks who it is first. */

void authd_links_unknown_page(authd_links_call_t *call, tg_str_t name);

/* For a program: golink's page, in short, and without a wait. */

void authd_links_unknown_bare(authd_links_t *app, tgn_request_t *r, bool tls,
    tg_str_t name, const tg_alloc_t *alloc);

/* Behind a form: what was done. */

void authd_links_saved_page(authd_links_job_t *job);

/* A page of its own for a fault; not yet sent. */

tg_str_t authd_links_fault_page(authd_links_call_t *call, int code,
    const char *text);

/*
 * wrong.c.  The form again, with what job->wrong says.  fresh: it is one that
 * makes links; expires as it was typed.
 */

void authd_links_wrong_page(authd_links_job_t *job, bool fresh,
    tg_str_t expires);

/* What is wrong with a field, beside it. */

tg_str_t authd_links_labelled(const tg_alloc_t *alloc, const char *label,
    const char *text);

/* list.c */

void authd_links_all_page(authd_links_call_t *call);
void authd_links_popular_page(authd_links_call_t *call);
void authd_links_recent_page(authd_links_call_t *call);
void authd_links_mine_page(authd_links_call_t *call);
void authd_links_search_page(authd_links_call_t *call);

/* detail.c, history.c */

void authd_links_detail_page(authd_links_call_t *call);

/* The page of call->name, whose new name is wrong; both are the call's. */

void authd_links_rename_wrong(authd_links_call_t *call, int code,
    const char *text, tg_str_t to, bool keep_alias);
void authd_links_history_page(authd_links_call_t *call);

/* export.c, static.c, metrics.c */

void authd_links_export(authd_links_call_t *call);
void authd_links_export_stats(authd_links_call_t *call);
void authd_links_opensearch(authd_links_call_t *call);
void authd_links_static(authd_links_call_t *call);
void authd_links_metrics(authd_links_call_t *call);


/* Parts of pages. */

void authd_links_frame(authd_links_call_t *call, const char *title,
    authd_links_frame_t *frame);
void authd_links_row(authd_links_call_t *call,
    const authd_links_entry_t *entry, authd_links_row_t *row);
void authd_links_row_of(authd_links_call_t *call, const authd_link_t *link,
    uint64_t clicks, authd_links_row_t *row);
authd_links_rows_t authd_links_rows(authd_links_call_t *call,
    authd_links_entry_t *const *entries, size_t n);
void authd_links_form_of(authd_links_call_t *call, const authd_link_t *link,
    authd_links_form_t *form);
tg_str_t authd_links_page_token(authd_links_call_t *call, const char *path,
    tg_str_t object);

/* A list with ", " between its items. */

tg_str_t authd_links_joined(const tg_alloc_t *alloc, tg_str_t list);

/* A link as golink writes it: a line of JSON. */

tg_str_t authd_links_golink_line(const authd_link_t *link,
    const tg_alloc_t *alloc);


#endif /* AUTHD_LINKS_PAGE_H_INCLUDED_ */
