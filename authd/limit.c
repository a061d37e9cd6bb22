
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/limit.h"

#include <string.h>


#define TOKEN  1000
#define BURST  2                   /* seconds of tokens that a bucket holds */


static authd_limit_slot_t *limit_slot(authd_limit_t *limit,
    const tg_addr_t *addr);


bool
authd_limit_take(authd_limit_t *limit, const tg_addr_t *addr, uint64_t rate,
    uint64_t now)
{
    uint64_t             full, passed;
    authd_limit_slot_t  *slot;

    full = rate * TOKEN * BURST;
    slot = limit_slot(limit, addr);

    if (slot->used == 0 || !tg_addr_equal(&slot->addr, addr)) {
        slot->addr = *addr;
        slot->tokens = full;

    } else {
        passed = now > slot->used ? now - slot->used : 0;

        /* a thousandth for each ms and unit of rate; it cannot overflow */

        if (passed > BURST * 1000) {
            passed = BURST * 1000;
        }

        slot->tokens += passed * rate;

        if (slot->tokens > full) {
            slot->tokens = full;
        }
    }

    /* a loop's clock may stand at 0 */
    slot->used = now ? now : 1;

    if (slot->tokens < TOKEN) {
        return false;
    }

    slot->tokens -= TOKEN;

    return true;
}


/*
 * FNV-1a from a seed.  It hardly carries the last byte to the bits in the
 * middle, so that neighbours would be in one set: they are mixed once more, as
 * MurmurHash3 does at its end.
 */

static authd_limit_slot_t *
limit_slot(authd_limit_t *limit, const tg_addr_t *addr)
{
    size_t               i;
    uint64_t             hash;
    authd_limit_slot_t  *set, *oldest;

    hash = 14695981039346656037u ^ limit->seed;

    for (i = 0; i < sizeof(addr->bytes); i++) {
        hash = (hash ^ addr->bytes[i]) * 1099511628211u;
    }

    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdu;
    hash ^= hash >> 33;

    set = limit->slots[hash % AUTHD_LIMIT_SETS];
    oldest = &set[0];

    for (i = 0; i < AUTHD_LIMIT_WAYS; i++) {

        if (set[i].used != 0 && tg_addr_equal(&set[i].addr, addr)) {
            return &set[i];
        }

        if (set[i].used < oldest->used) {
            oldest = &set[i];
        }
    }

    return oldest;
}
