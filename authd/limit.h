
/*
 * Copyright (C) The Tailgate authors
 *
 * How often one source may make us ask tailscaled: a bucket of tokens for each
 * address, in a table of one size.
 */

#ifndef AUTHD_LIMIT_H_INCLUDED_
#define AUTHD_LIMIT_H_INCLUDED_

#include <tailgate/addr.h>


/* Addresses that are remembered, and how many of one hash. */

#define AUTHD_LIMIT_SETS  256
#define AUTHD_LIMIT_WAYS  4

typedef struct {
    tg_addr_t  addr;
    uint64_t   used;           /* when, in ms; 0: never */
    uint64_t   tokens;         /* in thousandths */
} authd_limit_slot_t;

/* Zeroes, but for a seed that nobody outside can guess. */

typedef struct {
    uint64_t            seed;
    authd_limit_slot_t  slots[AUTHD_LIMIT_SETS][AUTHD_LIMIT_WAYS];
} authd_limit_t;


/*
 * Takes one of addr's tokens: rate of them come each second, up to twice as
 * many.  now is in ms, of a clock that only runs forward.  False: there is
 * none.  A new address pushes out the one of its hash that was used least
 * lately.
 */

bool authd_limit_take(authd_limit_t *limit, const tg_addr_t *addr,
    uint64_t rate, uint64_t now);


#endif /* AUTHD_LIMIT_H_INCLUDED_ */
