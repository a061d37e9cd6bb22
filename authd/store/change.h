
/*
 * Copyright (C) The Tailgate authors
 *
 * The single changes: put and delete, and what the others are made of.
 */

#ifndef AUTHD_STORE_CHANGE_H_INCLUDED_
#define AUTHD_STORE_CHANGE_H_INCLUDED_

#include "authd/store/request.h"


/* What a query for one link has read; record is NULL if there is none. */

typedef struct {
    authd_record_t   *record;
    uint64_t          clicks;
} authd_found_t;

/* Who writes what: for the entry in history, and for the news. */

typedef struct {
    authd_tx_t       *tx;
    authd_request_t  *request;
    const char       *action;
    tg_str_t          former;      /* id, of a link that is renamed */
    bool              has_clicks;
    uint64_t          clicks;
} authd_write_t;

#define AUTHD_WRITE(tx, r, action)  { tx, r, action, TG_NULL_STR, false, 0 }


/* Sends the query; found is filled by then that the engine's wait() returns. */

int authd_change_find(authd_engine_t *engine, tg_str_t id,
    authd_found_t *found);

/*
 * Writes link, whose uid is 0 if it is new, under the next number, with its
 * history and news; *stored is what it has become, a holder for the caller.
 */

int authd_change_write(const authd_write_t *w, const authd_record_t *current,
    authd_link_t *link, authd_record_t **stored);

/* The row alone. */

int authd_change_delete(const authd_tx_t *tx, tg_str_t id);

/* False, and the result says so, if the link is not what was expected. */

bool authd_change_expected(const authd_store_change_t *change,
    authd_record_t *current, authd_store_result_t *result);

/*
 * The i-th change of r, whose link is current (NULL: there is none).  TG_OK
 * with a result, or an error of the engine.
 */

int authd_change_put(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current);
int authd_change_drop(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current);
int authd_change_rename(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current);
int authd_change_restore(authd_tx_t *tx, authd_request_t *r, size_t i,
    authd_record_t *current);


#endif /* AUTHD_STORE_CHANGE_H_INCLUDED_ */
