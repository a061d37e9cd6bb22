
/*
 * Copyright (C) The Tailgate authors
 *
 * The configuration in force: the first one, and those that follow.
 */

#ifndef AUTHD_RELOAD_H_INCLUDED_
#define AUTHD_RELOAD_H_INCLUDED_

#include "authd/authd.h"


/*
 * Loads the configuration and opens the audit file; false with a line in the
 * log.
 */

bool authd_begin(authd_t *authd);

/* Closes the audit file and frees the configuration. */

void authd_end(authd_t *authd);

/*
 * Loads it again.  With any fault of it or of the policy file what was in force
 * stays, whole.
 */

void authd_reload(authd_t *authd);

/* The limits of the configuration, for the listeners that there are. */

void authd_limits(authd_t *authd);

/* One line about the policy file in force. */

void authd_tell_policy(const authd_t *authd);


#endif /* AUTHD_RELOAD_H_INCLUDED_ */
