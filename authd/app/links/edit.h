
/*
 * Copyright (C) The Tailgate authors
 *
 * Who may do what to a link, and what a save makes of it.  Nothing here asks or
 * stores anything.
 */

#ifndef AUTHD_LINKS_EDIT_H_INCLUDED_
#define AUTHD_LINKS_EDIT_H_INCLUDED_

#include "authd/app/links/app.h"


/* The origin of links that are kept in a file, and their owner. */

#define AUTHD_LINKS_GIT  "git"

#define AUTHD_LINKS_DESCRIPTION_MAX  1000
#define AUTHD_LINKS_WORD_MAX         320   /* an owner: a login is no longer */
#define AUTHD_LINKS_TAG_MAX          64
#define AUTHD_LINKS_WORDS_MAX        64    /* owners, or tags */


typedef enum {
    AUTHD_LINKS_MAY_OWN = 0,       /* all of it may be changed */
    AUTHD_LINKS_MAY_TAKE,          /* and whoever does owns it: its owners have
                                      left the tailnet, or it has none */
    AUTHD_LINKS_MAY_EDIT,          /* what it says; not who owns it, its name,
                                      or whether there is one */
    AUTHD_LINKS_MAY_ASK,           /* it depends on who is on the tailnet */
    AUTHD_LINKS_READONLY,
    AUTHD_LINKS_NO_PERSON,
    AUTHD_LINKS_NOT_YOURS,
    AUTHD_LINKS_IS_GIT
} authd_links_may_t;

/*
 * link is NULL if there is none.  people is NULL if they were not asked for
 * yet (MAY_ASK); with lost they could not be, and nobody has left.
 */

authd_links_may_t authd_links_may(const authd_links_who_t *who,
    const authd_link_t *link, bool readonly,
    const authd_links_people_t *people, bool lost);

/* Whether it is one of the first three. */

bool authd_links_may_change(authd_links_may_t may);


/* What is to be changed: fields that are not given stay. */

typedef struct {
    tg_str_t  name;            /* always given */
    tg_str_t  url;
    tg_str_t  owner;           /* empty: not given */
    tg_str_t  owners;          /* lists, as in a link */
    tg_str_t  description;
    tg_str_t  tags;
    int64_t   expires;         /* 0: never */
    int64_t   created;         /* of imports; 0: not known */
    int64_t   edited;
    bool      anyone;
    bool      has_url;
    bool      has_owners;
    bool      has_description;
    bool      has_tags;
    bool      has_expires;
    bool      has_anyone;
    bool      nobody;          /* without owner it is nobody's, as in golink:
                                  of imports */
    bool      git;             /* it belongs to the file from now on */
} authd_links_edit_t;


/* What is wrong with a change; field is NULL if it is no field's fault. */

typedef struct {
    const char  *field;        /* "name", "url", "owner", ... */
    int          code;         /* of the HTTP answer, as the API has it */
    bool         template;     /* the URL is a template that is none */
    bool         missing;      /* a name, a URL, or both */
    char         text[TG_ERROR_TEXT_MAX];
} authd_links_wrong_t;

/* In words, for who may not. */

void authd_links_may_wrong(authd_links_may_t may, const char *verb,
    const authd_link_t *link, authd_links_wrong_t *wrong);

/* Whether the fields are well-formed, whoever may change them. */

bool authd_links_edit_check(const authd_links_edit_t *edit,
    const authd_link_t *before, authd_links_wrong_t *wrong);

/*
 * The link as it will be; id is where its folded name is written, and its
 * strings are borrowed.  Who may not change what the edit changes is told so.
 */

bool authd_links_edit_apply(const authd_links_edit_t *edit,
    const authd_link_t *before, const authd_links_who_t *who,
    authd_links_may_t may, char id[TG_LINK_NAME_MAX], authd_link_t *after,
    authd_links_wrong_t *wrong);

/* The new owner who has to be on the tailnet; empty if nobody has to. */

tg_str_t authd_links_edit_owner(const authd_links_edit_t *edit,
    const authd_link_t *before, const authd_links_who_t *who);

/* Whether two links differ in what somebody can change. */

bool authd_links_edit_same(const authd_link_t *a, const authd_link_t *b);


#endif /* AUTHD_LINKS_EDIT_H_INCLUDED_ */
