
/*
 * Copyright (C) The Tailgate authors
 *
 * How ids are hashed: as a polynomial modulo 2^61 - 1 at a secret place.  Who
 * makes links cannot know which ids collide, and the hash of an id with an edit
 * in it can be reckoned from what is before and behind the edit.
 */

#ifndef AUTHD_LINKS_HASH_H_INCLUDED_
#define AUTHD_LINKS_HASH_H_INCLUDED_

#include <tailgate/base.h>


#define AUTHD_LINKS_PRIME  ((UINT64_C(1) << 61) - 1)


static inline uint64_t
authd_links_hash_mul(uint64_t a, uint64_t b)
{
    uint64_t           r;
    unsigned __int128  p;

    p = (unsigned __int128) a * b;
    r = (uint64_t) (p & AUTHD_LINKS_PRIME) + (uint64_t) (p >> 61);

    return r >= AUTHD_LINKS_PRIME ? r - AUTHD_LINKS_PRIME : r;
}


static inline uint64_t
authd_links_hash_add(uint64_t a, uint64_t b)
{
    uint64_t  r;

    r = a + b;

    return r >= AUTHD_LINKS_PRIME ? r - AUTHD_LINKS_PRIME : r;
}


/* The hash of what h is the hash of with c behind it; of nothing it is 1. */

static inline uint64_t
authd_links_hash_step(uint64_t h, uint64_t base, char c)
{
    return authd_links_hash_add(authd_links_hash_mul(h, base),
                                (unsigned char) c);
}


static inline uint64_t
authd_links_hash(uint64_t base, tg_str_t id)
{
    size_t    i;
    uint64_t  h;

    h = 1;

    for (i = 0; i < id.len; i++) {
        h = authd_links_hash_step(h, base, id.data[i]);
    }

    return h;
}


#endif /* AUTHD_LINKS_HASH_H_INCLUDED_ */
