
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


/*
 * Writes are kept until there are enough of them for one statement, or until
 * authd_change_flush(): an entry in history, and with a record the link.
 */

#define AUTHD_ROWS_MAX  256

typedef struct authd_row_s  authd_row_t;

struct authd_row_s {
    authd_record_t   *put;         /* NULL: history alone */
    authd_record_t   *old;         /* NULL: there was none */
    char             *old_text;
    char             *new_text;
    size_t            old_len;
    size_t            new_len;
    tg_str_t          former;
    const char       *action;
    uint64_t          uid;
    int64_t           seq;
};

int authd_change_flush(authd_tx_t *tx, const authd_request_t *r);

/* Forgets what was not sent. */

void authd_change_forget(authd_tx_t *tx);


/* Sends the query; found is filled by then that the engine's wait() returns. */

int authd_change_find(authd_engine_t *engine, tg_str_t id,
    authd_found_t *found);

/*
 * Writes link, whose uid is 0 if it is new, under the next number, with its
 * history and news; *stored is what it has become, a holder for the caller.
 */

int authd_change_write(const authd_write_t *w, authd_record_t *current,
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
