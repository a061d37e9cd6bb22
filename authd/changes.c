
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/changes.h"


void
authd_changes_all(authd_changes_t *changes)
{
    changes->flushes++;
    changes->flushed = ++changes->n;
}


void
authd_changes_add(authd_changes_t *changes, const tg_addr_t *addr)
{
    changes->addrs[changes->n++ % AUTHD_CHANGES_MAX] = *addr;
}


bool
authd_changes_since(const authd_changes_t *changes, uint64_t since,
    const tg_addr_t *addr)
{
    uint64_t  i;

    if (changes->flushed > since || changes->n - since > AUTHD_CHANGES_MAX) {
        return true;
    }

    /* no flush is among them, whose place holds an address of before */

    for (i = since; i < changes->n; i++) {
        if (tg_addr_equal(&changes->addrs[i % AUTHD_CHANGES_MAX], addr)) {
            return true;
        }
    }

    return false;
}
