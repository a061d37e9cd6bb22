
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/seen.h"


bool
authd_seen_first(authd_seen_t *seen, const tg_addr_t *addr, uint8_t what)
{
    size_t  i;

    for (i = 0; i < AUTHD_SEEN_MAX; i++) {
        if (seen->what[i] == what && tg_addr_equal(&seen->addrs[i], addr)) {
            return false;
        }
    }

    seen->addrs[seen->next] = *addr;
    seen->what[seen->next] = what;
    seen->next = (seen->next + 1) % AUTHD_SEEN_MAX;

    return true;
}
