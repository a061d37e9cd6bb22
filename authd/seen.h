
/*
 * Copyright (C) The Tailgate authors
 *
 * A bounded memory of addresses, so that a warning about a source is logged
 * once and not once a request.
 */

#ifndef AUTHD_SEEN_H_INCLUDED_
#define AUTHD_SEEN_H_INCLUDED_

#include <tailgate/addr.h>


#define AUTHD_SEEN_MAX  512        /* addresses; newer ones push older out */

typedef struct {
    tg_addr_t  addrs[AUTHD_SEEN_MAX];
    uint8_t    what[AUTHD_SEEN_MAX];
    size_t     next;
} authd_seen_t;


/* True the first time (that is remembered) for addr and what. */

bool authd_seen_first(authd_seen_t *seen, const tg_addr_t *addr,
    uint8_t what);


#endif /* AUTHD_SEEN_H_INCLUDED_ */
