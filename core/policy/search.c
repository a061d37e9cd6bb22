
/*
 * Copyright (C) The Tailgate authors
 *
 * The first rule of a list that matches.
 */

#include "core/policy/index.h"


typedef struct {
    const tgi_index_t  *index;
    const tgi_rules_t  *rules;
    tgi_subject_t      *subject;
    size_t              best;              /* its number */
} search_t;


static void search_index(search_t *search);


/* Numbers ascend, and only a lower one is of interest. */

static void
try_rules(search_t *search, const uint32_t *numbers, size_t n)
{
    size_t  i;

    for (i = 0; i < n && numbers[i] < search->best; i++) {
        if (tgi_rule_match(search->rules->items[numbers[i]], search->subject))
        {
            search->best = numbers[i];
        }
    }
}


static void
try_key(void *ctx, uint64_t key)
{
    search_t           *search = ctx;
    const tgi_index_t  *index;
    const tgi_slot_t   *slot;

    index = search->index;
    slot = tgi_table_find(&index->table, key);

    if (slot == NULL) {
        return;
    }

    if (slot->n != TGI_SLOT_CHILD) {
        try_rules(search, index->table.numbers + slot->start, slot->n);
        return;
    }

    search->index = index->children[slot->start];
    search_index(search);
    search->index = index;
}


static void
search_index(search_t *search)
{
    unsigned  left;

    for (left = search->index->kinds; left != 0; left &= left - 1) {
        tgi_subject_keys(search->subject, (tgi_by_t) __builtin_ctz(left),
                         try_key, search);
    }

    try_rules(search, search->index->rest, search->index->nrest);
}


const tg_rule_t *
tgi_rules_match(const tgi_rules_t *rules, const tgi_index_t *index,
    tgi_subject_t *subject)
{
    size_t    i;
    search_t  search;

    if (index != NULL) {
        search.index = index;
        search.rules = rules;
        search.subject = subject;
        search.best = rules->n;

        search_index(&search);

        return search.best < rules->n ? rules->items[search.best] : NULL;
    }

    for (i = 0; i < rules->n; i++) {
        if (tgi_rule_match(rules->items[i], subject)) {
            return rules->items[i];
        }
    }

    return NULL;
}
