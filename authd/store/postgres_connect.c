
/*
 * Copyright (C) The Tailgate authors
 *
 * Connections to PostgreSQL: how a session is set up, and the tables.
 */

#include "authd/store/postgres.h"

#include "core/base/base.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define CONNECT_TIMEOUT  5000

/* Any number that is ours: who makes the tables makes others wait. */

#define TABLES_LOCK  "7434529"


/*
 * A commit that the server answers is on its disk: a database whose default
 * is otherwise is overruled, one that asks for more (remote_apply) is not.
 * Nobody waits for ever for a node that hangs in a transaction.
 */

static const char  session[] =
    "SET search_path = tailgate;"
    "SET client_min_messages = error;"
    "SET lock_timeout = '5s';"
    "SET idle_in_transaction_session_timeout = '30s';"
    "SET default_transaction_isolation = 'read committed';"
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'";


static int
refuse_url(tg_error_t *error, const char *why)
{
    return tgi_error(error, TG_ERR_REFUSED, "the store's postgresql:// URL is "
                     "not valid: %s; it is not shown here, it may hold a "
                     "password", why);
}


int
authd_pg_check_url(const char *url, tg_error_t *error)
{
    int                rc;
    PQconninfoOption  *options, *option;

    options = PQconninfoParse(url, NULL);
    if (options == NULL) {
        return refuse_url(error, "libpq cannot parse it");
    }

    rc = TG_OK;

    for (option = options; option->keyword != NULL; option++) {

        if (option->val == NULL) {
            continue;
        }

        /* what a password with "@", "/" or ":" looks like to libpq */

        if (strcmp(option->keyword, "port") == 0
            && strspn(option->val, "0123456789,") != strlen(option->val))
        {
            rc = refuse_url(error, "the port is no number, or the password has "
                                   "characters to be percent-encoded");
            break;
        }

        if ((strcmp(option->keyword, "host") == 0
             || strcmp(option->keyword, "dbname") == 0)
            && strchr(option->val, '@') != NULL)
        {
            rc = refuse_url(error, "there is more than one \"@\": that of a "
                                   "password is written \"%%40\"");
            break;
        }
    }

    PQconninfoFree(options);

    return rc;
}


static int64_t
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
name_server(authd_pg_t *pg)
{
    const char  *host, *db, *port;

    host = PQhost(pg->conn);
    port = PQport(pg->conn);
    db = PQdb(pg->conn);

    (void) snprintf(pg->where, sizeof(pg->where),
                    "PostgreSQL %.80s:%.8s/%.60s", host ? host : "",
                    port ? port : "", db ? db : "");
}


/* As PQconnectdb(), with an end. */

static int
dial(authd_pg_t *pg)
{
    int64_t                   end, left;
    struct pollfd             fd;
    PostgresPollingStatusType status;

    /* what comes before the URL is a default, what comes behind it is not */

    static const char *const  keywords[] = {
        "fallback_application_name", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding",
        NULL
    };

    const char  *values[] = {
        "tailgate-authd", "10", "5", "3", "15000", pg->url, "UTF8", NULL
    };

    pg->conn = PQconnectStartParams(keywords, values, 1);
    if (pg->conn == NULL) {
        return authd_pg_fault(pg, NULL);
    }

    name_server(pg);

    end = now() + CONNECT_TIMEOUT;
    status = PQstatus(pg->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                  : PGRES_POLLING_WRITING;

    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING)
    {
        left = end - now();

        fd.fd = PQsocket(pg->conn);
        fd.events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (left <= 0 || (poll(&fd, 1, (int) left) <= 0 && errno != EINTR)) {
            (void) authd_pg_lost(pg);
            (void) snprintf(pg->engine.text, sizeof(pg->engine.text),
                            "%s: no answer within %d seconds", pg->where,
                            CONNECT_TIMEOUT / 1000);
            return TG_ERR_ABSENT;
        }

        status = PQconnectPoll(pg->conn);
    }

    if (status != PGRES_POLLING_OK) {
        (void) authd_pg_fault(pg, NULL);
        authd_pg_drop(pg);
        return TG_ERR_ABSENT;
    }

    name_server(pg);

    return PQsetnonblocking(pg->conn, 1) == 0 ? TG_OK : authd_pg_lost(pg);
}


/*
 * Statements outside of the pipeline; *number, which may be NULL, gets the
 * last value, and stays as it is if that is NULL or there is none.
 */

static int
query(authd_pg_t *pg, const char *sql, int64_t *number)
{
    int        rc, n;
    PGresult  *result;

    if (PQsendQuery(pg->conn, sql) != 1) {
        return authd_pg_lost(pg);
    }

    rc = TG_OK;

    for ( ;; ) {
        if (authd_pg_await(pg) != TG_OK) {
            return TG_ERR_ABSENT;
        }

        result = PQgetResult(pg->conn);
        if (result == NULL) {
            break;
        }

        n = PQntuples(result);

        if (PQresultStatus(result) == PGRES_TUPLES_OK) {
            if (number != NULL && n > 0 && !PQgetisnull(result, n - 1, 0)) {
                *number = strtoimax(PQgetvalue(result, n - 1, 0), NULL, 10);
            }

        } else if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            rc = authd_pg_fault(pg, result);
        }

        PQclear(result);
    }

    return rc;
}


static int
wrong_version(authd_pg_t *pg, int64_t version)
{
    (void) snprintf(pg->engine.text, sizeof(pg->engine.text),
                    "%s: its tables are of version %" PRId64 ", this program "
                    "knows version %d: %s", pg->where, version,
                    AUTHD_STORE_SCHEMA,
                    version > AUTHD_STORE_SCHEMA
                    ? "it is older than the one that wrote them"
                    : "restart it, to bring them up to date");
    pg->engine.retry = 60;

    return TG_ERR_REFUSED;
}


static int
read_version(authd_pg_t *pg, int64_t *version)
{
    int  rc;

    *version = 0;

    rc = query(pg, "SELECT 1 WHERE to_regclass('tailgate.store') IS NOT NULL",
               version);

    if (rc == TG_OK && *version == 1) {
        rc = query(pg, "SELECT schema FROM tailgate.store", version);
    }

    return rc;
}


static int
make_tables(authd_pg_t *pg, int64_t version)
{
    int      rc;
    char     set[64];
    int64_t  schema;

    schema = 0;

    rc = query(pg, "SELECT 1 FROM pg_namespace WHERE nspname = 'tailgate'",
               &schema);

    /* who is given a schema need not have the right to make one */

    if (rc == TG_OK && schema == 0) {
        rc = query(pg, "CREATE SCHEMA tailgate", NULL);
    }

    for ( /* void */ ; rc == TG_OK && version < AUTHD_STORE_SCHEMA; version++)
    {
        rc = query(pg, authd_migrations_postgresql[version], NULL);
    }

    if (rc == TG_OK) {
        (void) snprintf(set, sizeof(set), "UPDATE store SET schema = %d",
                        AUTHD_STORE_SCHEMA);
        rc = query(pg, set, NULL);
    }

    return rc;
}


static int
bring_up_to_date(authd_pg_t *pg)
{
    int      rc;
    int64_t  version;

    rc = query(pg, "BEGIN; SELECT pg_advisory_xact_lock(" TABLES_LOCK ")",
               NULL);

    if (rc == TG_OK) {
        rc = read_version(pg, &version);
    }

    if (rc == TG_OK && version > AUTHD_STORE_SCHEMA) {
        return wrong_version(pg, version);
    }

    if (rc == TG_OK && version < AUTHD_STORE_SCHEMA) {
        rc = make_tables(pg, version);
    }

    return rc == TG_OK ? query(pg, "COMMIT", NULL) : rc;
}


static int
check_version(authd_pg_t *pg)
{
    int      rc;
    int64_t  version;

    rc = read_version(pg, &version);

    if (rc == TG_OK && version != AUTHD_STORE_SCHEMA) {
        rc = wrong_version(pg, version);
    }

    return rc;
}


static int
prepare_one(authd_pg_t *pg, const char *prefix, size_t i, const char *text)
{
    int        rc;
    char       name[16];
    PGresult  *result;

    (void) snprintf(name, sizeof(name), "%s%zu", prefix, i);

    if (PQsendPrepare(pg->conn, name, text, 0, NULL) != 1) {
        return authd_pg_lost(pg);
    }

    rc = TG_OK;

    for ( ;; ) {
        if (authd_pg_await(pg) != TG_OK) {
            return TG_ERR_ABSENT;
        }

        result = PQgetResult(pg->conn);
        if (result == NULL) {
            break;
        }

        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            rc = authd_pg_fault(pg, result);
        }

        PQclear(result);
    }

    return rc;
}


static int
prepare(authd_pg_t *pg)
{
    int                       rc;
    size_t                    i;
    const char               *text;
    const authd_statement_t  *statement;

    rc = TG_OK;

    for (i = 0; i < AUTHD_SQL_MAX && rc == TG_OK; i++) {
        statement = &authd_statements[i];
        text = statement->postgresql ? statement->postgresql
                                     : statement->text;

        rc = prepare_one(pg, "s", i, text);

        if (rc == TG_OK && statement->many != NULL) {
            rc = prepare_one(pg, "m", i, statement->many);
        }
    }

    return rc;
}


/* A standby can be read, and tells of nothing: then looking has to do. */

static int
listen(authd_pg_t *pg)
{
    int64_t  standby;

    standby = 0;

    if (query(pg, "SELECT 1 WHERE pg_is_in_recovery()", &standby) != TG_OK) {
        return TG_ERR_ABSENT;
    }

    return standby ? TG_OK : query(pg, "LISTEN tailgate_links", NULL);
}


int
authd_pg_connect(authd_pg_t *pg, bool migrate)
{
    int  rc;

    authd_pg_drop(pg);

    pg->failure = TG_OK;

    rc = dial(pg);

    if (rc == TG_OK) {
        rc = query(pg, session, NULL);
    }

    if (rc == TG_OK) {
        rc = migrate ? bring_up_to_date(pg) : check_version(pg);
    }

    if (rc == TG_OK) {
        rc = prepare(pg);
    }

    if (rc == TG_OK) {
        rc = listen(pg);
    }

    if (rc == TG_OK && PQenterPipelineMode(pg->conn) != 1) {
        rc = authd_pg_lost(pg);
    }

    if (rc != TG_OK) {

        /* REFUSED is for a wrong version alone, when a store is opened */

        if (rc == TG_ERR_REFUSED && !migrate) {
            rc = TG_ERR_ABSENT;
        }

        authd_pg_drop(pg);
    }

    return rc;
}
