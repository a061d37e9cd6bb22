
/*
 * Copyright (C) The Tailgate authors
 *
 * Go links: http://go/wiki for everybody on the tailnet.
 */

#ifndef AUTHD_LINKS_H_INCLUDED_
#define AUTHD_LINKS_H_INCLUDED_

#include "authd/authd.h"


typedef struct authd_links_s  authd_links_t;


/*
 * authd_links_start() opens the store, reads all links and listens, if the
 * configuration has links at all; it blocks for as long as that takes.  False
 * with a line in the log if it cannot.
 *
 * authd_links_configured() follows a configuration that was loaded anew.
 *
 * authd_links_stop() begins the end: requests that are under way are answered,
 * clicks are stored, then done(data) is called, once, perhaps before it
 * returns.  authd_links_free() ends it; a NULL *links is fine, as for all.
 */

bool authd_links_start(authd_t *authd, authd_links_t **links);
void authd_links_configured(authd_links_t *links);
void authd_links_stop(authd_links_t *links, void (*done)(void *data),
    void *data);
void authd_links_free(authd_links_t **links);


#endif /* AUTHD_LINKS_H_INCLUDED_ */
