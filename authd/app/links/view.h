
/*
 * Copyright (C) The Tailgate authors
 *
 * The pages of the links: what each shows, and the function that writes it,
 * which auto/pages makes from pages/NAME.html.  Nothing here decides: whoever
 * calls has looked everything up.
 *
 * Strings are borrowed, hold any bytes, and are escaped when they are written.
 * An href is a path of ours, percent-encoded by whoever calls.
 *
 * The pages have no script or style of their own: the policy that they need is
 * "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';
 * connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors
 * 'none'", and a referrer policy of "same-origin": under "no-referrer" a
 * browser sends "Origin: null" with a form.
 */

#ifndef AUTHD_LINKS_VIEW_H_INCLUDED_
#define AUTHD_LINKS_VIEW_H_INCLUDED_

#include <tailgate/base.h>


/*
 * A page as it grows in memory of alloc, a larger piece each time that it is
 * full.  Out of memory it stays as it is, and authd_links_out_done() says so.
 */

typedef struct {
    tg_alloc_t  alloc;
    char       *data;
    size_t      len;
    size_t      size;
    bool        failed;
} authd_links_out_t;

void authd_links_out_init(authd_links_out_t *out, const tg_alloc_t *alloc);
void authd_links_out_raw(authd_links_out_t *out, tg_str_t s);
void authd_links_out_text(authd_links_out_t *out, tg_str_t s);
void authd_links_out_number(authd_links_out_t *out, uint64_t n);

/* The page; empty when out of memory. */

tg_str_t authd_links_out_done(const authd_links_out_t *out);


/* Of an input that error is said of: its aria-invalid. */

tg_str_t authd_links_invalid(tg_str_t error);


/* What is around every page. */

typedef struct {
    tg_str_t  title;
    tg_str_t  host;            /* "go": how links are written, "go/wiki" */
    tg_str_t  login;           /* empty: nobody with a person */
    tg_str_t  query;           /* in the search field */
    bool      readonly;
    bool      known;           /* who it is was asked, and is let in */
} authd_links_frame_t;


/* A link in a list. */

typedef struct {
    tg_str_t         name;     /* as it was typed: "Wiki" */
    tg_str_t         href;     /* "/Wiki" */
    tg_str_t         detail;   /* "/.detail/Wiki" */
    tg_str_t         url;      /* may be a template */
    tg_str_t         owner;    /* empty: nobody */
    tg_str_t         description;
    const tg_str_t  *tags;
    size_t           ntags;
    tg_str_t         edited;   /* "2026-11-22" */
    uint64_t         clicks;
} authd_links_row_t;

typedef struct {
    const authd_links_row_t  *rows;
    size_t              nrows;
} authd_links_rows_t;


/*
 * The form that makes or changes a link: what was typed, and what is wrong with
 * it, field by field.  An empty error is none.
 */

typedef struct {
    tg_str_t  token;           /* the form's, see token.h */
    tg_str_t  name;
    tg_str_t  url;
    tg_str_t  owner;
    tg_str_t  owners;          /* separated by commas, as are tags */
    tg_str_t  description;
    tg_str_t  tags;
    tg_str_t  expires;         /* "2026-11-22", or empty */
    bool      anyone;
    bool      exists;          /* it changes a link */
    tg_str_t  name_error;
    tg_str_t  url_error;
    tg_str_t  owner_error;
    tg_str_t  owners_error;
    tg_str_t  description_error;
    tg_str_t  tags_error;
    tg_str_t  expires_error;
} authd_links_form_t;


/* "/": a form, what is popular, what was changed. */

typedef struct {
    authd_links_frame_t  frame;
    authd_links_form_t   form;
    bool           may_create;
    authd_links_rows_t   popular;
    authd_links_rows_t   recent;
    uint64_t       total;
    bool           wrong;      /* the form alone, with what is wrong in it */
    tg_str_t       alert;      /* what is wrong with all of it; or empty */
} authd_links_home_t;

/* 404 for a name that is no link. */

typedef struct {
    authd_links_frame_t  frame;
    authd_links_form_t   form;       /* with the name filled in */
    bool           may_create;
    authd_links_rows_t   nearest;
    tg_str_t       history;    /* href: it may have been deleted; or empty */
} authd_links_unknown_t;

/* The same for who names no kind of answer: nobody is asked who it is. */

typedef struct {
    tg_str_t  host;
    tg_str_t  name;
    bool      may_create;
} authd_links_bare_t;

/* A list: found, all, mine, popular, recent. */

typedef struct {
    authd_links_frame_t  frame;
    tg_str_t       about;      /* a sentence: "Links owned by alice@..." */
    authd_links_rows_t   rows;
    uint64_t       total;
    tg_str_t       previous;   /* href of the page before; empty: none */
    tg_str_t       next;
} authd_links_list_t;

/* A day of clicks; height is of 100, in proportion to the largest. */

typedef struct {
    tg_str_t  day;             /* "2026-11-22" */
    uint64_t  clicks;
    uint64_t  height;
} authd_links_day_t;

/* "/.detail/NAME". */

typedef struct {
    authd_links_frame_t      frame;
    authd_links_row_t        link;
    authd_links_form_t       form;
    tg_str_t           created;
    tg_str_t           expires;
    tg_str_t           owners;         /* as text; empty: none */
    tg_str_t           other_names;    /* that lead here; empty: none */
    tg_str_t           history;        /* href */
    tg_str_t           csv;            /* href of clicks as CSV */
    tg_str_t           rename_action;  /* hrefs of the forms */
    tg_str_t           delete_action;
    tg_str_t           rename_token;
    tg_str_t           delete_token;
    tg_str_t           note;           /* above it all: why somebody came
                                          here; empty: none */
    tg_str_t           not_editable;   /* why; empty if it is editable */
    tg_str_t           rename_to;      /* as it was typed, and what is */
    tg_str_t           rename_error;   /* wrong with it; or empty */
    bool               rename_keep;    /* the old name is to lead here, too */
    bool               anyone;
    bool               git;            /* kept by a file: see "links apply" */
    bool               expired;
    bool               owned;          /* may be renamed and deleted */
    bool               takeover;       /* its owner left: who saves owns it */
    const authd_links_day_t *days;
    size_t             ndays;
} authd_links_detail_t;

/* What was changed by somebody at a time. */

typedef struct {
    tg_str_t  field;           /* "url" */
    tg_str_t  before;
    tg_str_t  after;
} authd_links_change_t;

typedef struct {
    uint64_t               seq;
    tg_str_t               when;       /* "2026-11-22 21:07 UTC" */
    tg_str_t               who;
    tg_str_t               action;     /* "created", "changed", "deleted" */
    const authd_links_change_t  *changes;
    size_t                 nchanges;
    bool                   restorable; /* to how it was before */
} authd_links_entry_view_t;

/* "/.history/NAME". */

typedef struct {
    authd_links_frame_t         frame;
    tg_str_t              name;
    tg_str_t              detail;      /* href; empty: the link is gone */
    tg_str_t              token;
    tg_str_t              restore_action;
    const authd_links_entry_view_t  *entries;
    size_t                nentries;
} authd_links_history_t;

/* Something was done: saved, deleted, restored, renamed. */

typedef struct {
    authd_links_frame_t  frame;
    tg_str_t       text;       /* "go/wiki is saved." */
    authd_links_row_t    link;       /* without a name: it is gone */
    tg_str_t       token;      /* for an undo */
    tg_str_t       undo_action;    /* empty: there is nothing to undo */
    uint64_t       undo_seq;
} authd_links_done_t;

/* Anything that did not work. */

typedef struct {
    authd_links_frame_t  frame;
    tg_str_t       text;       /* what happened */
    tg_str_t       advice;     /* what to do; may be empty */
} authd_links_fault_t;

/* "/.help". */

typedef struct {
    authd_links_frame_t  frame;
} authd_links_help_t;


void authd_links_page_head(authd_links_out_t *out,
    const authd_links_frame_t *page);
void authd_links_page_foot(authd_links_out_t *out,
    const authd_links_frame_t *page);
void authd_links_page_rows(authd_links_out_t *out,
    const authd_links_rows_t *page);
void authd_links_page_form(authd_links_out_t *out,
    const authd_links_form_t *page);

void authd_links_page_home(authd_links_out_t *out,
    const authd_links_home_t *page);
void authd_links_page_unknown(authd_links_out_t *out,
    const authd_links_unknown_t *page);
void authd_links_page_bare(authd_links_out_t *out,
    const authd_links_bare_t *page);
void authd_links_page_list(authd_links_out_t *out,
    const authd_links_list_t *page);
void authd_links_page_detail(authd_links_out_t *out,
    const authd_links_detail_t *page);
void authd_links_page_history(authd_links_out_t *out,
    const authd_links_history_t *page);
void authd_links_page_done(authd_links_out_t *out,
    const authd_links_done_t *page);
void authd_links_page_fault(authd_links_out_t *out,
    const authd_links_fault_t *page);
void authd_links_page_help(authd_links_out_t *out,
    const authd_links_help_t *page);


#endif /* AUTHD_LINKS_VIEW_H_INCLUDED_ */
