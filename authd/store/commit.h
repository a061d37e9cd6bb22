
/*
 * Copyright (C) The Tailgate authors
 *
 * The transactions of the store's thread.
 */

#ifndef AUTHD_STORE_COMMIT_H_INCLUDED_
#define AUTHD_STORE_COMMIT_H_INCLUDED_

#include "authd/store/worker.h"


/* Whether it changes something. */

bool authd_is_write(const authd_request_t *request);

/*
 * Adds to event what other nodes have changed, given the number that the
 * database is at.
 */

int authd_catch_up(authd_store_t *store, int64_t seq, authd_event_t *event);

/*
 * Does the writes of the list that begins with first in one commit, or each in
 * its own where that is too large.  Their answers are in them, whatever is
 * returned: TG_OK or how the last use of the database failed.
 */

int authd_write(authd_store_t *store, authd_event_t *event,
    authd_request_t *first);

/* A commit that changes nothing, to see whether there can be one. */

int authd_write_nothing(authd_store_t *store, authd_event_t *event);


#endif /* AUTHD_STORE_COMMIT_H_INCLUDED_ */
