
/*
 * Copyright (C) The Tailgate authors
 *
 * One line per decision: who asked for what, and what became of it.
 */

#ifndef AUTHD_AUDIT_H_INCLUDED_
#define AUTHD_AUDIT_H_INCLUDED_

#include "authd/identify.h"
#include "authd/log.h"
#include "authd/metrics.h"

#include <tailgate/addr.h>
#include <tailgate/identity.h>
#include <tailgate/policy.h>

#include <net/http/server.h>


typedef struct {
    const char           *id;          /* of the request */
    authd_endpoint_t      endpoint;    /* MAX: none, it was no request */
    authd_result_t        result;
    int                   code;        /* HTTP status of the answer */
    tg_status_t           status;
    const tg_decision_t  *decision;    /* NULL: none was made */
    tg_str_t              policy;      /* digest of the policy file */
    authd_answer_t        answer;      /* where that comes from */
    const char           *why;         /* in words */
    const char           *detail;      /* "" or NULL: nothing to add */
    const tg_identity_t  *identity;    /* may be NULL */
    const tg_addr_t      *source;      /* as stated; may be NULL */
    const tg_addr_t      *local;       /* likewise */
    const tgn_peer_t     *sender;
    tg_str_t              method;      /* of the original request */
    tg_str_t              host;
    tg_str_t              path;        /* without its query: it may hold what
                                          is nobody's business */
    uint64_t              usec;        /* from the request to the answer */
} authd_audit_t;


/* Returns false, with errno, when the line could not be written whole. */

bool authd_audit(const authd_log_t *log, const authd_audit_t *audit);


#endif /* AUTHD_AUDIT_H_INCLUDED_ */
