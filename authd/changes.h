
/*
 * Copyright (C) The Tailgate authors
 *
 * What the event stream has told lately, for answers that no table keeps: one
 * that was on its way meanwhile may be older than what was told.
 */

#ifndef AUTHD_CHANGES_H_INCLUDED_
#define AUTHD_CHANGES_H_INCLUDED_

#include <tailgate/addr.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


#define AUTHD_CHANGES_MAX    256


/* All zeroes: nothing was told. */

typedef struct {
    uint64_t    n;             /* told so far */
    uint64_t    flushes;       /* of them, of everything */
    uint64_t    flushed;       /* n behind the last of these */
    tg_addr_t   addrs[AUTHD_CHANGES_MAX]; /* the last ones, round and round */
} authd_changes_t;


/* Everything changed, or what is about an address. */

void authd_changes_all(authd_changes_t *changes);
void authd_changes_add(authd_changes_t *changes, const tg_addr_t *addr);

/*
 * Whether addr, or everything, has changed since n was what it is in since;
 * also if that cannot be said any more.
 */

bool authd_changes_since(const authd_changes_t *changes, uint64_t since,
    const tg_addr_t *addr);


#endif /* AUTHD_CHANGES_H_INCLUDED_ */
