
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy diff: between the comparison and what it is fed with.
 */

#ifndef CLI_POLICY_DIFF_H_INCLUDED_
#define CLI_POLICY_DIFF_H_INCLUDED_

#include <cli/policy.h>

#include "core/base/map.h"


/* One decision that changes, for one or more methods. */

typedef struct {
    const cli_peer_t  *peer;
    tg_str_t           host;
    tg_str_t           path;
    tg_str_t           method;     /* of a logged request; else empty */
    bool              *methods;    /* of cli_diff_t.methods */
    size_t             n;          /* how many decisions, or logged lines */
    tg_decision_t      old;
    tg_decision_t      new;
} cli_change_t;

typedef struct {
    cli_policy_t      *self;
    const char        *paths[2];
    tg_policy_t       *policies[2];
    tg_list_t          methods;    /* of both */
    cli_peers_t        peers;

    cli_change_t      *changes;
    size_t             nchanges;
    size_t             max;
    size_t             opened;     /* decisions */
    size_t             closed;
    size_t             asked;

    size_t             lines;      /* of the log: all, and those that are no
                                      request of somebody */
    size_t             skipped;
} cli_diff_t;


/*
 * Decides by both policies.  False if it comes to the same verdict; else the
 * two decisions.
 */

bool cli_diff_ask(cli_diff_t *diff, const cli_peer_t *peer,
    const tg_request_t *request, tg_decision_t *old, tg_decision_t *new);

/* A new change, zeroed; NULL after a message when out of memory. */

cli_change_t *cli_diff_add(cli_diff_t *diff);


/* One more decision of this kind. */

void cli_diff_count(cli_diff_t *diff, cli_change_t *change);


/* policy_diff_print.c: all of it; what to exit with. */

int cli_diff_print(cli_diff_t *diff);


/*
 * policy_log.c: the requests in an audit log, authd's or nginx's.  Changes
 * are added behind those that are there.
 */

int cli_diff_log(cli_diff_t *diff, const char *path);


#endif /* CLI_POLICY_DIFF_H_INCLUDED_ */
