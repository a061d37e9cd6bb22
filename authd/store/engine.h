
/*
 * Copyright (C) The Tailgate authors
 *
 * What store.c and its fellows want of a database: statements from one list,
 * sent with values, whose rows come back by callback.  Two engines do it.  Both
 * are used by one thread at a time.
 */

#ifndef AUTHD_STORE_ENGINE_H_INCLUDED_
#define AUTHD_STORE_ENGINE_H_INCLUDED_

#include <tailgate_config.h>
#include <tailgate/base.h>


typedef enum {
    AUTHD_SQL_BEGIN = 0,
    AUTHD_SQL_COMMIT,
    AUTHD_SQL_SAVEPOINT,
    AUTHD_SQL_RELEASE,
    AUTHD_SQL_UNDO,            /* to the savepoint, which stays */
    AUTHD_SQL_SEQ,             /* the last sequence number */
    AUTHD_SQL_SEQ_LOCK,        /* the same; others wait for our COMMIT */
    AUTHD_SQL_SEQ_SET,
    AUTHD_SQL_NOTIFY,
    AUTHD_SQL_LINKS,
    AUTHD_SQL_LINK,
    AUTHD_SQL_LINK_PUT,
    AUTHD_SQL_LINK_DELETE,
    AUTHD_SQL_LINK_OF_UID,
    AUTHD_SQL_ALIASES,
    AUTHD_SQL_HISTORY_ADD,
    AUTHD_SQL_HISTORY,
    AUTHD_SQL_HISTORY_ONE,
    AUTHD_SQL_NEWS,            /* what changed since a sequence number */
    AUTHD_SQL_CLICKS_ADD,
    AUTHD_SQL_CLICKS_LEAST,
    AUTHD_SQL_TOTAL_ADD,
    AUTHD_SQL_TOTAL_SUM,
    AUTHD_SQL_CLICKS,
    AUTHD_SQL_CLICKS_ALL,
    AUTHD_SQL_TOTALS,
    AUTHD_SQL_SECRET_ADD,
    AUTHD_SQL_SECRET,
    AUTHD_SQL_MAX
} authd_sql_t;

/*
 * Parameters are $1, $2 ... in the order in which they first occur, so that
 * the text means the same to both.  sqlite or postgresql is the text for that
 * engine where they differ; NULL in all three is nothing to do.  many is for
 * PostgreSQL, too: the same for arrays, one for each parameter.
 */

typedef struct {
    const char  *text;
    const char  *sqlite;
    const char  *postgresql;
    const char  *many;
} authd_statement_t;

extern const authd_statement_t  authd_statements[AUTHD_SQL_MAX];


/*
 * The version of the tables that this program works with, and what leads from
 * one to the next: authd_migrations_NAME[i] makes version i + 1.
 */

#define AUTHD_STORE_SCHEMA  1

extern const char *const  authd_migrations_sqlite[AUTHD_STORE_SCHEMA];
extern const char *const  authd_migrations_postgresql[AUTHD_STORE_SCHEMA];


/* NULL is a text whose data is NULL. */

typedef struct {
    bool      is_number;
    int64_t   number;
    tg_str_t  text;
} authd_value_t;

/* Columns are lent.  TG_OK, or an error that send() or wait() return. */

typedef int (*authd_row_pt)(void *data, const authd_value_t *columns,
    size_t n);


#define AUTHD_ENGINE_TEXT_MAX  512

typedef struct authd_engine_s  authd_engine_t;

/*
 * open() makes or migrates the tables.  readonly is set if the database can
 * only be read.  Errors as of authd_store_open().
 *
 * send() gives a statement to the engine.  Its rows are delivered in send() or
 * in a later send() or wait().  wait() returns when everything sent is done.
 * Both return TG_OK; TG_ERR_REFUSED: the database works and does not take the
 * values; TG_ERR_ABSENT or TG_ERR_NOMEM: it does not work, engine->text says
 * why.  After an error nothing but AUTHD_SQL_UNDO (if REFUSED) or abandon()
 * makes sense.
 *
 * send_rows() is send() for each of count rows of n values, which may be one
 * statement: rows of an answer come in any order, and one row that is refused
 * takes all with it.  For statements that have a text for many.
 *
 * abandon() ends a transaction that failed, in whatever state it is.
 *
 * The rest is for a server, NULL in the table of SQLite.  connect() makes
 * sure of a connection: TG_OK, or TG_ERR_ABSENT.  socket() is what to poll()
 * for input, -1 without a connection.  listen() reads what came: *news is true
 * if another node has changed something.
 */

typedef struct {
    const char  *name;
    int        (*open)(authd_engine_t **engine, const char *url,
        tg_error_t *error);
    void       (*close)(authd_engine_t **engine);
    int        (*send)(authd_engine_t *engine, authd_sql_t sql,
        const authd_value_t *values, size_t n, authd_row_pt row, void *data);
    int        (*send_rows)(authd_engine_t *engine, authd_sql_t sql,
        const authd_value_t *values, size_t n, size_t count, authd_row_pt row,
        void *data);
    int        (*wait)(authd_engine_t *engine);
    void       (*abandon)(authd_engine_t *engine);
    int        (*connect)(authd_engine_t *engine);
    int        (*socket)(authd_engine_t *engine);
    int        (*listen)(authd_engine_t *engine, bool *news);
} authd_engine_ops_t;

struct authd_engine_s {
    const authd_engine_ops_t  *ops;
    unsigned                   retry;    /* seconds, behind an error */
    bool                       smaller;  /* the error may be due to the size of
                                            the transaction */
    char                       text[AUTHD_ENGINE_TEXT_MAX];
};

extern const authd_engine_ops_t  authd_engine_sqlite;

#if (TAILGATE_HAVE_PG)
extern const authd_engine_ops_t  authd_engine_postgresql;
#endif


/* Values for send(). */

static inline authd_value_t
authd_text(tg_str_t text)
{
    authd_value_t  value = { false, 0, text };

    if (text.data == NULL) {
        value.text.data = "";
    }

    return value;
}


static inline authd_value_t
authd_number(int64_t number)
{
    authd_value_t  value = { true, number, TG_NULL_STR };

    return value;
}


static inline authd_value_t
authd_null(void)
{
    authd_value_t  value = { false, 0, TG_NULL_STR };

    return value;
}


#endif /* AUTHD_STORE_ENGINE_H_INCLUDED_ */
