
/*
 * Copyright (C) The Tailgate authors
 *
 * A bit per hash: what it does not have is in no slot, which is told without a
 * look at the slots.  Eight bits a slot, so that few are set by chance, and
 * those of some ten thousand links stay in the processor's first cache.
 */

#ifndef AUTHD_LINKS_FILTER_H_INCLUDED_
#define AUTHD_LINKS_FILTER_H_INCLUDED_

#include <tailgate/base.h>


typedef struct {
    uint8_t  *bits;            /* a byte per slot */
    uint64_t  mask;            /* of their numbers */
} authd_links_filter_t;


static inline bool
authd_links_filter_has(const authd_links_filter_t *filter, uint64_t hash)
{
    uint64_t  n;

    n = hash & filter->mask;

    return filter->bits[n >> 3] & (1u << (n & 7));
}


static inline void
authd_links_filter_add(authd_links_filter_t *filter, uint64_t hash)
{
    uint64_t  n;

    n = hash & filter->mask;
    filter->bits[n >> 3] = (uint8_t) (filter->bits[n >> 3] | 1u << (n & 7));
}


#endif /* AUTHD_LINKS_FILTER_H_INCLUDED_ */
