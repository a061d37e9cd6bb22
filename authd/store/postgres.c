
/*
 * Copyright (C) The Tailgate authors
 *
 * PostgreSQL as the engine: statements go out in a pipeline, so that a batch
 * costs a few round trips and not one for each link.
 */

#include "authd/store/postgres.h"

#include "core/base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define NUMBER_MAX    24

#define OID_INT8      20
#define OID_INT4      23


static int
deliver(const PGresult *result, int row, const authd_pg_sent_t *sent)
{
    int            i, n;
    Oid            type;
    authd_value_t  columns[AUTHD_PG_VALUES];

    n = PQnfields(result);

    for (i = 0; i < n && i < AUTHD_PG_VALUES; i++) {
        columns[i] = authd_null();

        if (PQgetisnull(result, row, i)) {
            continue;
        }

        type = PQftype(result, i);

        if (type == OID_INT8 || type == OID_INT4) {
            columns[i] = authd_number(strtoimax(PQgetvalue(result, row, i),
                                                NULL, 10));
            continue;
        }

        columns[i].text.data = PQgetvalue(result, row, i);
        columns[i].text.len = (size_t) PQgetlength(result, row, i);
    }

    return sent->row(sent->data, columns, (size_t) i);
}


/* What one statement has answered, or a part of it. */

static void
on_result(authd_pg_t *pg, const PGresult *result, const authd_pg_sent_t *sent)
{
    int  i, n;

    switch (PQresultStatus(result)) {

    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:

        n = sent->row != NULL ? PQntuples(result) : 0;

        for (i = 0; i < n && pg->failure == TG_OK; i++) {
            pg->failure = deliver(result, i, sent);
        }

        break;

    case PGRES_COMMAND_OK:
    case PGRES_PIPELINE_ABORTED:
        break;

    default:
        if (pg->failure == TG_OK) {
            pg->failure = authd_pg_fault(pg, result);
        }

        break;
    }
}


/*
 * Whether to take the rows of a statement one by one: there may be so many
 * that libpq should not hold all of them.
 */

static bool
is_large(authd_sql_t sql)
{
    return sql == AUTHD_SQL_LINKS || sql == AUTHD_SQL_TOTALS
           || sql == AUTHD_SQL_CLICKS_ALL;
}


/* Everything that was sent is answered behind this, or the connection lost. */

static void
drain(authd_pg_t *pg)
{
    bool       asked;
    size_t     i;
    PGresult  *result;

    if (pg->n_sent == 0) {
        return;
    }

    if (PQpipelineSync(pg->conn) != 1) {
        pg->failure = authd_pg_lost(pg);
        return;
    }

    asked = false;

    for (i = 0; i <= pg->n_sent; /* void */ ) {

        if (!asked && i < pg->n_sent && is_large(pg->sent[i].sql)) {
            (void) PQsetSingleRowMode(pg->conn);
        }

        asked = true;

        if (authd_pg_await(pg) != TG_OK) {
            pg->failure = TG_ERR_ABSENT;
            return;
        }

        result = PQgetResult(pg->conn);

        if (result == NULL) {

            /* the end of one statement */

            i++;
            asked = false;
            continue;
        }

        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            break;
        }

        if (i < pg->n_sent) {
            on_result(pg, result, &pg->sent[i]);
        }

        PQclear(result);
    }

    pg->n_sent = 0;
    pg->committing = false;

    authd_pg_notices(pg);

    if (PQstatus(pg->conn) != CONNECTION_OK) {
        pg->failure = authd_pg_lost(pg);
    }
}


/* An error is told once. */

static int
told(authd_pg_t *pg)
{
    int  rc;

    rc = pg->failure;
    pg->failure = TG_OK;

    return rc;
}


int
authd_pg_send(authd_pg_t *pg, const char *name, authd_sql_t sql, int n,
    const char *const *texts, const int *lengths, const int *formats,
    authd_row_pt row, void *data)
{
    if (pg->n_sent == AUTHD_PG_SENT) {
        drain(pg);
    }

    if (pg->failure != TG_OK) {
        return told(pg);
    }

    if (pg->conn == NULL) {
        return TG_ERR_ABSENT;
    }

    if (PQsendQueryPrepared(pg->conn, name, n, texts, lengths, formats, 0)
        != 1)
    {
        return authd_pg_lost(pg);
    }

    pg->committing = pg->committing || sql == AUTHD_SQL_COMMIT;
    pg->sent[pg->n_sent].sql = sql;
    pg->sent[pg->n_sent].row = row;
    pg->sent[pg->n_sent].data = data;
    pg->n_sent++;

    return TG_OK;
}


static int
pg_send(authd_engine_t *engine, authd_sql_t sql, const authd_value_t *values,
    size_t n, authd_row_pt row, void *data)
{
    int                       lengths[AUTHD_PG_VALUES];
    int                       formats[AUTHD_PG_VALUES];
    char                      name[16], numbers[AUTHD_PG_VALUES][NUMBER_MAX];
    size_t                    i;
    authd_pg_t               *pg = (authd_pg_t *) (void *) engine;
    const char               *texts[AUTHD_PG_VALUES];
    const authd_statement_t  *statement;

    statement = &authd_statements[sql];

    if (statement->text == NULL && statement->postgresql == NULL) {
        return TG_OK;
    }

    for (i = 0; i < n; i++) {
        formats[i] = 1;
        texts[i] = values[i].text.data;
        lengths[i] = (int) values[i].text.len;

        if (values[i].is_number) {
            (void) snprintf(numbers[i], NUMBER_MAX, "%" PRId64,
                            values[i].number);
            texts[i] = numbers[i];
            formats[i] = 0;
        }
    }

    (void) snprintf(name, sizeof(name), "s%d", (int) sql);

    return authd_pg_send(pg, name, sql, (int) n, texts, lengths, formats, row,
                         data);
}


static int
pg_wait(authd_engine_t *engine)
{
    authd_pg_t  *pg = (authd_pg_t *) (void *) engine;

    if (pg->failure == TG_OK && pg->conn == NULL) {
        return TG_ERR_ABSENT;
    }

    drain(pg);

    return told(pg);
}


static void
pg_abandon(authd_engine_t *engine)
{
    char         text[AUTHD_ENGINE_TEXT_MAX];
    unsigned     retry;
    authd_pg_t  *pg = (authd_pg_t *) (void *) engine;

    if (pg->conn == NULL) {
        return;
    }

    /* the text of the error that led here stays */

    (void) memcpy(text, engine->text, sizeof(text));
    retry = engine->retry;

    drain(pg);

    if (pg->conn != NULL && PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {

        if (PQsendQueryParams(pg->conn, "ROLLBACK", 0, NULL, NULL, NULL, NULL,
                              0)
            == 1)
        {
            pg->sent[0].sql = AUTHD_SQL_MAX;
            pg->sent[0].row = NULL;
            pg->n_sent = 1;
            drain(pg);
        }

        if (pg->conn != NULL
            && PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
        {
            authd_pg_drop(pg);
        }
    }

    pg->failure = TG_OK;

    (void) memcpy(engine->text, text, sizeof(text));
    engine->retry = retry;
}


static int
pg_connect(authd_engine_t *engine)
{
    int          rc;
    authd_pg_t  *pg = (authd_pg_t *) (void *) engine;

    if (pg->conn != NULL && PQstatus(pg->conn) == CONNECTION_OK) {
        return TG_OK;
    }

    rc = authd_pg_connect(pg, false);

    return rc == TG_OK ? TG_OK : TG_ERR_ABSENT;
}


static int
pg_socket(authd_engine_t *engine)
{
    authd_pg_t  *pg = (authd_pg_t *) (void *) engine;

    return pg->conn != NULL ? PQsocket(pg->conn) : -1;
}


static int
pg_listen(authd_engine_t *engine, bool *news)
{
    authd_pg_t  *pg = (authd_pg_t *) (void *) engine;

    if (pg->conn != NULL && PQconsumeInput(pg->conn) != 1) {
        return authd_pg_lost(pg);
    }

    if (pg->conn != NULL) {
        authd_pg_notices(pg);
    }

    *news = pg->news;
    pg->news = false;

    return TG_OK;
}


static void
pg_close(authd_engine_t **engine)
{
    authd_pg_t  *pg;

    if (*engine == NULL) {
        return;
    }

    pg = (authd_pg_t *) (void *) *engine;

    authd_pg_drop(pg);

    if (pg->url != NULL) {
        explicit_bzero(pg->url, strlen(pg->url));
        free(pg->url);
    }

    free(pg);

    *engine = NULL;
}


static int
pg_open(authd_engine_t **engine, const char *url, tg_error_t *error)
{
    int              rc;
    authd_pg_t      *pg;
    authd_engine_t  *opened;

    rc = authd_pg_check_url(url, error);
    if (rc != TG_OK) {
        return rc;
    }

    pg = calloc(1, sizeof(authd_pg_t));
    if (pg == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    pg->engine.ops = &authd_engine_postgresql;
    opened = &pg->engine;

    pg->url = strdup(url);
    if (pg->url == NULL) {
        pg_close(&opened);
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    rc = authd_pg_connect(pg, true);
    if (rc != TG_OK) {
        (void) tgi_error(error, rc, "%s", pg->engine.text);
        pg_close(&opened);
        return rc;
    }

    *engine = opened;

    return TG_OK;
}


const authd_engine_ops_t  authd_engine_postgresql = {
    "postgresql",
    pg_open,
    pg_close,
    pg_send,
    authd_pg_send_rows,
    pg_wait,
    pg_abandon,
    pg_connect,
    pg_socket,
    pg_listen
};
