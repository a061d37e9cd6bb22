
/*
 * Copyright (C) The Tailgate authors
 *
 * A request that wants to know who somebody is, from its arrival to its answer
 * and its audit line.  The apps fill in what lies between.
 */

#ifndef AUTHD_EXCHANGE_H_INCLUDED_
#define AUTHD_EXCHANGE_H_INCLUDED_

#include "authd/audit.h"
#include "authd/authd.h"

#include <tailgate/denial.h>
#include <tailgate/policy.h>


/* Bytes that the answer to one request may take to make. */

#define AUTHD_EXCHANGE_ARENA_MAX  (1024 * 1024)

#define AUTHD_ID_MAX              17

typedef struct authd_exchange_s  authd_exchange_t;

/* Must end the exchange, now. */

typedef void (*authd_exchange_pt)(authd_exchange_t *ex,
    const authd_identified_t *identified);

struct authd_exchange_s {
    authd_t            *authd;
    tgn_request_t      *r;
    tg_arena_t         *arena;     /* the exchange's own memory */
    tg_alloc_t          alloc;     /* the same */
    authd_audit_t       audit;
    tgn_peer_t          peer;      /* who states all this */
    tg_addr_t           source;
    tg_addr_t           local;
    bool                has_local;
    tg_request_t        request;   /* to judge: method, host, path */
    tg_decision_t       decision;
    char                id[AUTHD_ID_MAX];
    void               *data;      /* the app's */

    uint64_t            start;     /* ns; the rest is exchange.c's */
    authd_lookup_t     *lookup;
    authd_exchange_pt   identified;
};


/*
 * Begins an exchange, or answers by itself and returns NULL: to a sender that
 * is not listed, for a Host that the TCP listener does not answer to, or when
 * out of memory.
 */

authd_exchange_t *authd_exchange_begin(authd_t *authd, tgn_request_t *r,
    authd_endpoint_t endpoint);

/*
 * Identifies ex->source (and ex->local), and calls cb, perhaps before this
 * returns.  A proxy that goes away ends the exchange without a call.
 */

void authd_exchange_identify(authd_exchange_t *ex, authd_exchange_pt cb);

/*
 * The original request, as it was stated; the strings are borrowed, path is
 * "/path" as it was sent.  False when out of memory: ex is gone, answered.
 */

bool authd_exchange_request(authd_exchange_t *ex, tg_str_t method,
    tg_str_t host, tg_str_t path);

/* Decides about it into ex->decision, for the audit line as well. */

void authd_exchange_decide(authd_exchange_t *ex,
    const authd_identified_t *identified);

/* One header of the answer. */

void authd_exchange_header(authd_exchange_t *ex, const char *name,
    tg_str_t value);

/*
 * Answers, writes the audit line, counts, and frees ex.  identified may be
 * NULL; reason is what the audit line says, by default what decided.  type is
 * the body's media type; an empty body has none.
 */

void authd_exchange_end(authd_exchange_t *ex, authd_result_t result,
    int code, const authd_identified_t *identified, const char *reason,
    const char *type, tg_str_t body);

/* The same, with the headers of the answer all set. */

void authd_exchange_finish(authd_exchange_t *ex, authd_result_t result,
    int code, const authd_identified_t *identified, const char *reason,
    tg_str_t body);

/*
 * The same with a short text for a person: what happened, reason, and the id
 * that the audit line has.
 */

void authd_exchange_refuse(authd_exchange_t *ex, authd_result_t result,
    int code, const authd_identified_t *identified, const char *reason);

/*
 * The same by ex->decision, which is no allow: in the form that the client of
 * the original request understands by its headers, which the proxy has passed
 * on, if body says that the answer reaches that client, else as text.  code is
 * the HTTP status, or 0 for the one of the decision.
 */

void authd_exchange_deny(authd_exchange_t *ex,
    const authd_identified_t *identified, bool body, int code);

/*
 * Counts and audits a request that could not be read, and was answered with
 * status: there is no exchange.
 */

void authd_exchange_malformed(authd_t *authd, const tgn_peer_t *peer,
    int status, const char *reason);

/* Whether a TCP listener answers to the request's Host. */

bool authd_host_allowed(const authd_t *authd, const tgn_request_t *r);

/* Whether a proxy passes a request of its client's on. */

bool authd_is_forwarded(const tgn_request_t *r);

/*
 * Whether a request for what is the administrator's alone comes from one of
 * listen.senders, for itself.  Else it is answered, and r is gone.
 */

bool authd_admin_allowed(const authd_t *authd, tgn_request_t *r);

/* A short answer in text outside of an exchange. */

void authd_answer_text(tgn_request_t *r, int code, const char *text);


#endif /* AUTHD_EXCHANGE_H_INCLUDED_ */
