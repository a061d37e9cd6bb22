
/*
 * Copyright (C) The Tailgate authors
 *
 * What the daemon's parts share.
 */

#ifndef AUTHD_AUTHD_H_INCLUDED_
#define AUTHD_AUTHD_H_INCLUDED_

#include "authd/config.h"
#include "authd/identify.h"
#include "authd/log.h"
#include "authd/metrics.h"
#include "authd/seen.h"

#include <net/http/server.h>
#include <net/loop/loop.h>


#define AUTHD_ERROR_MAX  1024


typedef struct {
    tgn_loop_t        *loop;
    tgn_http_t        *http;
    const char        *file;       /* of the configuration */
    authd_config_t    *conf;
    authd_identify_t  *identify;
    authd_log_t        log;
    authd_log_t        audit;      /* fd is -1: none */
    bool               audit_fault; /* the last line could not be written */
    authd_metrics_t    metrics;
    authd_seen_t       seen;       /* what was warned of */
    char               reload_error[AUTHD_ERROR_MAX]; /* why the last reload
                                      was refused; empty: it was not */
    int64_t            reload_error_time;
    bool               reload_policy;  /* it was the policy file's fault */
    struct authd_links_s  *links;  /* NULL: they are not served */
    uint64_t           id_base;    /* of request ids */
    uint64_t           id_next;
} authd_t;


/* What an app answers.  A path that ends in "/" stands for all below it. */

typedef struct {
    const char  *path;
    void       (*handle)(authd_t *authd, tgn_request_t *r);
} authd_route_t;


#endif /* AUTHD_AUTHD_H_INCLUDED_ */
