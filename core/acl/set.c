
/*
 * Copyright (C) The Tailgate authors
 *
 * Sets of small numbers.
 */

#include "core/acl/set.h"

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


#define WORDS(size)  (((size) + 63) / 64)


bool
tgi_set_has(const tgi_set_t *set, size_t number)
{
    uint32_t  low, high, middle;

    if (set->bits != NULL) {
        return (set->bits[number / 64] >> (number % 64)) & 1;
    }

    low = 0;
    high = set->n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (set->list[middle] < number) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low < set->n && set->list[low] == number;
}


static int
compare(const void *a, const void *b)
{
    uint32_t  x, y;

    x = *(const uint32_t *) a;
    y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}


static void
add(uint64_t *bits, const tgi_set_t *set, size_t words)
{
    size_t  i;

    for (i = 0; set->bits != NULL && i < words; i++) {
        bits[i] |= set->bits[i];
    }

    for (i = 0; set->bits == NULL && i < set->n; i++) {
        bits[set->list[i] / 64] |= UINT64_C(1) << (set->list[i] % 64);
    }
}


static int
make_bits(tgi_set_t *set, const tgi_set_t *sets, size_t n, size_t size,
    const tg_alloc_t *alloc)
{
    size_t     i, words;
    uint64_t  *bits;

    words = WORDS(size);

    bits = tgi_alloc(alloc, words, sizeof(uint64_t));
    if (bits == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(bits, 0, words * sizeof(uint64_t));

    for (i = 0; i < n; i++) {
        add(bits, &sets[i], words);
    }

    set->list = NULL;
    set->bits = bits;
    set->n = 0;

    for (i = 0; i < words; i++) {
        set->n += (uint32_t) __builtin_popcountll(bits[i]);
    }

    return TG_OK;
}


int
tgi_set_make(tgi_set_t *set, uint32_t *members, size_t n, size_t size,
    const tg_alloc_t *alloc)
{
    size_t      i, last;
    uint32_t   *list;
    tgi_set_t   few = { members, NULL, (uint32_t) n };

    memset(set, 0, sizeof(tgi_set_t));

    if (n == 0) {
        return TG_OK;
    }

    if (n > WORDS(size) * 2) {
        return make_bits(set, &few, 1, size, alloc);
    }

    qsort(members, n, sizeof(uint32_t), compare);

    for (i = 1, last = 0; i < n; i++) {
        if (members[i] != members[last]) {
            members[++last] = members[i];
        }
    }

    list = tgi_alloc(alloc, last + 1, sizeof(uint32_t));
    if (list == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(list, members, (last + 1) * sizeof(uint32_t));

    set->list = list;
    set->n = (uint32_t) last + 1;

    return TG_OK;
}


int
tgi_set_union(tgi_set_t *set, const tgi_set_t *sets, size_t n, size_t size,
    const tg_alloc_t *alloc)
{
    int        rc;
    size_t     i, total;
    uint32_t  *members;

    memset(set, 0, sizeof(tgi_set_t));

    if (n == 1) {
        *set = sets[0];
        return TG_OK;
    }

    for (i = 0, total = 0; i < n; i++) {
        total += sets[i].n;
    }

    if (total == 0) {
        return TG_OK;
    }

    if (total > WORDS(size) * 2) {
        return make_bits(set, sets, n, size, alloc);
    }

    members = malloc(total * sizeof(uint32_t));
    if (members == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, total = 0; i < n; i++) {
        uint32_t  word;

        if (sets[i].list != NULL) {
            memcpy(members + total, sets[i].list,
                   sets[i].n * sizeof(uint32_t));
            total += sets[i].n;
            continue;
        }

        for (word = 0; sets[i].bits != NULL && word < size; word++) {
            if (tgi_set_has(&sets[i], word)) {
                members[total++] = word;
            }
        }
    }

    rc = tgi_set_make(set, members, total, size, alloc);
    free(members);

    return rc;
}
