
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of the PostgreSQL engine share: a connection, and waiting for
 * it with an end.
 */

#ifndef AUTHD_STORE_POSTGRES_H_INCLUDED_
#define AUTHD_STORE_POSTGRES_H_INCLUDED_

#include "authd/store/engine.h"

#include <libpq-fe.h>


/* Values of a statement at most. */

#define AUTHD_PG_VALUES  20

/* Statements that are on their way at most. */

#define AUTHD_PG_SENT  512

/* Milliseconds without a byte from the server, until it counts as lost. */

#define AUTHD_PG_PATIENCE  15000


typedef struct {
    authd_sql_t     sql;
    authd_row_pt    row;
    void           *data;
} authd_pg_sent_t;

typedef struct {
    authd_engine_t   engine;
    PGconn          *conn;         /* NULL: there is none */
    bool             news;         /* from another node, not told yet */
    bool             committing;   /* a COMMIT has no answer yet */
    int              failure;      /* of what was sent, not told yet */
    size_t           n_sent;
    authd_pg_sent_t  sent[AUTHD_PG_SENT];
    char            *url;
    char             where[176];   /* the server and the database, for texts */
} authd_pg_t;


/*
 * Sets the engine's text to why the server could not do something and returns
 * TG_ERR_REFUSED or TG_ERR_ABSENT; result may be NULL.  Nothing of it is a
 * password: what libpq says holds none but those that a wrong URL takes for
 * something else, see authd_pg_check_url().
 */

int authd_pg_fault(authd_pg_t *pg, const PGresult *result);

/* Gives the connection up, behind an error that has a text. */

void authd_pg_drop(authd_pg_t *pg);

/* The connection is gone: says so, and gives it up.  TG_ERR_ABSENT. */

int authd_pg_lost(authd_pg_t *pg);

/*
 * Waits until there is input, having sent what was to be sent.  TG_OK, or
 * TG_ERR_ABSENT: the connection is lost, and given up.
 */

int authd_pg_await(authd_pg_t *pg);

/*
 * Sends the prepared statement name, whose answer is that of sql.  TG_OK, or
 * an error as of send().
 */

int authd_pg_send(authd_pg_t *pg, const char *name, authd_sql_t sql, int n,
    const char *const *texts, const int *lengths, const int *formats,
    authd_row_pt row, void *data);

/* send_rows() of the engine. */

int authd_pg_send_rows(authd_engine_t *engine, authd_sql_t sql,
    const authd_value_t *values, size_t n, size_t count, authd_row_pt row,
    void *data);

/* Takes the notices of others, that have come with other input. */

void authd_pg_notices(authd_pg_t *pg);


/*
 * TG_OK, or TG_ERR_REFUSED for a URL that libpq could not use, or whose
 * password has characters that must be percent-encoded: the text quotes none
 * of it.
 */

int authd_pg_check_url(const char *url, tg_error_t *error);

/*
 * A connection with the session as it is to be, statements prepared and in
 * pipeline mode.  With migrate the tables are made or brought up to date,
 * otherwise they must be.  TG_OK; TG_ERR_REFUSED: the tables are of another
 * version; TG_ERR_ABSENT.  The engine's text says why.
 */

int authd_pg_connect(authd_pg_t *pg, bool migrate);


#endif /* AUTHD_STORE_POSTGRES_H_INCLUDED_ */
