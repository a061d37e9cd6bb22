
/*
 * Copyright (C) The Tailgate authors
 *
 * What this node's tailscaled says of itself (its addresses, its tailnet,
 * whether it runs), asked for again when it has become old, and one line in
 * the log when tailscaled fails and when it is back.
 */

#ifndef AUTHD_NODE_H_INCLUDED_
#define AUTHD_NODE_H_INCLUDED_

#include "authd/log.h"
#include "authd/metrics.h"

#include <tailgate/identity.h>

#include <net/client/localapi.h>
#include <net/loop/loop.h>


typedef struct authd_node_s  authd_node_t;

/* A question has been answered; detail says why not, if ok is false. */

typedef void (*authd_node_pt)(bool ok, const char *detail, void *data);


/*
 * authd_node_new() returns NULL when out of memory; cb is told of the end of
 * each question.  *flushes moves when what the node said may be no longer true.
 *
 * authd_node_connect() names the tailscaled to ask, and forgets what another
 * one said; api is borrowed.  A question that is under way is dropped.
 *
 * authd_node_free() sets *node to NULL; a NULL *node is fine.
 */

authd_node_t *authd_node_new(tgn_loop_t *loop, const authd_log_t *log,
    authd_metrics_t *metrics, const uint64_t *flushes, authd_node_pt cb,
    void *data);
void authd_node_connect(authd_node_t *node, tgn_localapi_t *api);
void authd_node_free(authd_node_t **node);

/*
 * Asks, unless that is under way; false when out of memory.  A question that
 * each flush began anew would never be answered if tailscaled is slower than
 * they come: whoever began behind the flush asks once more.
 */

bool authd_node_ask(authd_node_t *node);

/*
 * What the node said, if that was asked for at most age milliseconds ago,
 * behind the last flush, and it was running, else NULL; with AUTHD_NODE_ANY_AGE
 * whatever it said last.  Valid until the loop runs on.
 */

const tg_self_t *authd_node_self(const authd_node_t *node, uint64_t age);

#define AUTHD_NODE_ANY_AGE  UINT64_MAX

/* What it said was asked for before the last flush: nobody is judged by it. */

bool authd_node_outdated(const authd_node_t *node);

/* How many flushes there had been when it was asked for what it said last. */

uint64_t authd_node_flushes(const authd_node_t *node);

/* tailscaled failed, or did not. */

void authd_node_fault(authd_node_t *node, const char *text);
void authd_node_works(authd_node_t *node);


#endif /* AUTHD_NODE_H_INCLUDED_ */
