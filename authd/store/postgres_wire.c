
/*
 * Copyright (C) The Tailgate authors
 *
 * Waiting for a server, and what to say when it fails.
 */

#include "authd/store/postgres.h"

#include "core/base/base.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>


/* SQLSTATE, or its class if that is two characters. */

typedef struct {
    const char  *state;
    const char  *text;         /* NULL: what the server says */
    unsigned     retry;
    int          code;
    bool         smaller;
} fault_t;

static const fault_t  faults[] = {
    { "22", NULL, 0, TG_ERR_REFUSED, false },      /* data */
    { "23", NULL, 0, TG_ERR_REFUSED, false },      /* a constraint */
    { "54", NULL, 0, TG_ERR_REFUSED, false },      /* too large */
    { "25006", "the database is read-only", 30, TG_ERR_ABSENT, false },
    { "53100", "the server's disk is full", 30, TG_ERR_ABSENT, true },
    { "53", NULL, 10, TG_ERR_ABSENT, true },       /* resources */
    { "55P03", "another process has locked the database", 2, TG_ERR_ABSENT,
      false },
    { "", NULL, 5, TG_ERR_ABSENT, false }
};


static void
say(authd_pg_t *pg, const char *text)
{
    tg_error_t  error;

    /* one line of printable text, whatever the server says */

    (void) tgi_error(&error, TG_ERR_ABSENT, "%s", text);
    (void) snprintf(pg->engine.text, sizeof(pg->engine.text), "%s: %s",
                    pg->where, error.text);
}


int
authd_pg_fault(authd_pg_t *pg, const PGresult *result)
{
    const char     *state, *text;
    const fault_t  *fault;

    state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;

    if (state == NULL) {

        /* libpq's own: the connection, or no memory */

        say(pg, pg->conn ? PQerrorMessage(pg->conn) : "out of memory");
        pg->engine.retry = 2;
        pg->engine.smaller = false;

        return TG_ERR_ABSENT;
    }

    for (fault = faults;
         strncmp(fault->state, state, strlen(fault->state)) != 0;
         fault++)
    {
        /* void */
    }

    say(pg, fault->text ? fault->text : text ? text : state);
    pg->engine.retry = fault->retry;
    pg->engine.smaller = fault->smaller;

    return fault->code;
}


void
authd_pg_drop(authd_pg_t *pg)
{
    if (pg->conn != NULL) {
        PQfinish(pg->conn);
        pg->conn = NULL;
    }

    pg->n_sent = 0;
    pg->committing = false;
}


int
authd_pg_lost(authd_pg_t *pg)
{
    if (pg->committing) {
        say(pg, "the server was lost while it committed: the change may be "
                "stored, or not");

    } else {
        say(pg, "the server was lost");
    }

    pg->engine.retry = 2;
    pg->engine.smaller = false;

    authd_pg_drop(pg);

    return TG_ERR_ABSENT;
}


int
authd_pg_await(authd_pg_t *pg)
{
    int            flushed, n;
    struct pollfd  fd;

    for ( ;; ) {
        flushed = PQflush(pg->conn);

        if (flushed == -1) {
            return authd_pg_lost(pg);
        }

        if (flushed == 0 && !PQisBusy(pg->conn)) {
            return TG_OK;
        }

        fd.fd = PQsocket(pg->conn);
        fd.events = POLLIN;
        fd.revents = 0;

        if (flushed == 1) {
            fd.events |= POLLOUT;
        }

        n = poll(&fd, 1, AUTHD_PG_PATIENCE);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return authd_pg_lost(pg);
        }

        /*
         * The server's last words, if it had any, are still to be read: then
         * PQgetResult() has them
         */

        if (PQconsumeInput(pg->conn) != 1 && PQisBusy(pg->conn)) {
            return authd_pg_lost(pg);
        }
    }
}


void
authd_pg_notices(authd_pg_t *pg)
{
    PGnotify  *notify;

    for ( ;; ) {
        notify = PQnotifies(pg->conn);
        if (notify == NULL) {
            break;
        }

        /* our own come back, too */

        if (notify->be_pid != PQbackendPID(pg->conn)) {
            pg->news = true;
        }

        PQfreemem(notify);
    }
}
