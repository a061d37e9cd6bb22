
/*
 * Copyright (C) The Tailgate authors
 *
 * Sets of small numbers (nodes of a netmap): a sorted list while they are few,
 * a bit each when they are many.
 */

#ifndef TGI_ACL_SET_H_INCLUDED_
#define TGI_ACL_SET_H_INCLUDED_

#include <tailgate/base.h>


typedef struct {
    const uint32_t  *list;     /* sorted; NULL if bits is not */
    const uint64_t  *bits;
    uint32_t         n;
} tgi_set_t;


bool tgi_set_has(const tgi_set_t *set, size_t number);

/*
 * The set of n numbers below size, in any order and with duplicates; members
 * is sorted.  TG_OK or TG_ERR_NOMEM.
 */

int tgi_set_make(tgi_set_t *set, uint32_t *members, size_t n, size_t size,
    const tg_alloc_t *alloc);

/*
 * What is in any of the n sets of numbers below size; borrows from them.
 * TG_OK or TG_ERR_NOMEM.
 */

int tgi_set_union(tgi_set_t *set, const tgi_set_t *sets, size_t n, size_t size,
    const tg_alloc_t *alloc);


#endif /* TGI_ACL_SET_H_INCLUDED_ */
