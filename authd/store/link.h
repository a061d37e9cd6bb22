
/*
 * Copyright (C) The Tailgate authors
 *
 * A go link.  authd_link_t is a plain struct that borrows its strings: what is
 * put into the store, and what is looked at.  authd_record_t is the same in
 * one compact allocation, immutable and counted: what an index of a million
 * links holds.
 */

#ifndef AUTHD_STORE_LINK_H_INCLUDED_
#define AUTHD_STORE_LINK_H_INCLUDED_

#include <tailgate/base.h>


/*
 * Bytes of an id and of a name (PostgreSQL indexes no more than 2.6 KB), and
 * of all strings of a link together.
 */

#define AUTHD_LINK_NAME_MAX  1024
#define AUTHD_LINK_MAX       65536


/*
 * Strings are UTF-8 without NUL.  owners and tags are lists: items parted by
 * a newline, none empty, see authd_list_next().  Times are Unix seconds.
 *
 * What the store gives to a link, and a put ignores: uid, version, and unless
 * the put says otherwise created and edited.
 */

typedef struct {
    tg_str_t  id;              /* the folded name: the key */
    tg_str_t  name;            /* as somebody spelled it */
    tg_str_t  url;             /* as typed: may be a template */
    tg_str_t  owner;           /* a login; empty: nobody */
    tg_str_t  owners;          /* list: more logins, "group:NAME" */
    tg_str_t  description;
    tg_str_t  tags;            /* list */
    tg_str_t  origin;          /* empty: by hand; "git": declared */
    tg_str_t  alias;           /* id that this former name leads to; empty:
                                  this is no alias */
    int64_t   created;
    int64_t   edited;
    int64_t   expires;         /* 0: never */
    uint64_t  uid;             /* of the link through all its names: clicks and
                                  history hang on it; never used again */
    uint64_t  version;         /* sequence number of its last change, unique in
                                  the store: the ETag */
    bool      anyone;          /* anyone on the tailnet may edit */
} authd_link_t;


typedef struct authd_record_s  authd_record_t;


/*
 * TG_OK, or why link cannot be stored: TG_ERR_MISSING (no id, no name, no url
 * although it is no alias), TG_ERR_LIMIT, TG_ERR_SYNTAX (no UTF-8, a NUL, an
 * empty item of a list).  error, which may be NULL, names the field.
 */

int authd_link_check(const authd_link_t *link, tg_error_t *error);


/*
 * authd_record_new() copies link; NULL when out of memory or when link is
 * longer than AUTHD_LINK_MAX.  It has one holder.
 *
 * authd_record_hold() adds a holder and returns record.  authd_record_drop()
 * takes one away, frees behind the last, and sets *record to NULL; a NULL
 * *record is fine.  Both may be called from any thread.
 *
 * authd_record_link() fills *link with strings that live as long as record.
 * authd_record_id() is link.id without the rest, for a hash table;
 * authd_record_name() link.name and authd_record_edited() link.edited, for an
 * order.
 */

authd_record_t *authd_record_new(const authd_link_t *link);
authd_record_t *authd_record_hold(authd_record_t *record);
void authd_record_drop(authd_record_t **record);
void authd_record_link(const authd_record_t *record, authd_link_t *link);
tg_str_t authd_record_id(const authd_record_t *record);
tg_str_t authd_record_name(const authd_record_t *record);
int64_t authd_record_edited(const authd_record_t *record);

/* Bytes of the allocation, for what a metric tells of memory. */

size_t authd_record_size(const authd_record_t *record);


/*
 * The next item of a list: true and *item, which borrows from *list; *list
 * is moved behind it.  False at the end.
 */

bool authd_list_next(tg_str_t *list, tg_str_t *item);

/* Whether a list has item, byte for byte. */

bool authd_list_has(tg_str_t list, tg_str_t item);


#endif /* AUTHD_STORE_LINK_H_INCLUDED_ */
