
/*
 * Copyright (C) The Tailgate authors
 *
 * The links that are followed most and those that were changed last, looked up
 * again when links have changed, and not more often than a look at all of them
 * may cost.
 */

#ifndef AUTHD_LINKS_TOP_H_INCLUDED_
#define AUTHD_LINKS_TOP_H_INCLUDED_

#include "authd/app/links/index.h"


#define AUTHD_LINKS_TOP_MAX  200

typedef struct {
    authd_links_entry_t  *popular[AUTHD_LINKS_TOP_MAX];
    size_t                npopular;
    authd_links_entry_t  *recent[AUTHD_LINKS_TOP_MAX];
    size_t                nrecent;
    uint64_t              generation;
    uint64_t              time;
    bool                  known;
} authd_links_top_t;


/* now is the loop's.  Valid until the index changes. */

void authd_links_top(authd_links_top_t *top, const authd_links_index_t *index,
    uint64_t now);


#endif /* AUTHD_LINKS_TOP_H_INCLUDED_ */
