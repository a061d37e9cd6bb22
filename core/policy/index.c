
/*
 * Copyright (C) The Tailgate authors
 *
 * The index of a list of rules.  Each rule stands under the keys of one kind
 * of its conditions; where many stand under one key, they have an index of
 * their own by other kinds.
 */

#include "core/policy/index.h"

#include <stdlib.h>
#include <string.h>


/* As many as this under one key are as good as one. */

#define FEW  6

/* Indexes in indexes: user, then path, then method. */

#define DEPTH_MAX  4

/* What is worth being looked for by: more keys than this would only be many. */

#define KEYS_MAX  1024


typedef struct {
    const tgi_rules_t        *rules;
    const tgi_group_index_t  *groups;      /* NULL: rules name none */
    const tg_alloc_t         *alloc;
    size_t                    budget;      /* numbers that may be stored yet */
} builder_t;


/* How many rules of a list have a key: open addressing, at most half full. */

typedef struct {
    struct {
        uint64_t  key;
        uint32_t  n;
    }            *slots;
    size_t        mask;
} counter_t;


static int build(builder_t *builder, const uint32_t *numbers, size_t n,
    uint32_t kinds, size_t depth, tgi_index_t **index);


static int
counter_init(counter_t *counter, size_t keys)
{
    size_t  size;

    for (size = 16; size < keys * 2; size *= 2) { /* void */ }

    counter->mask = size - 1;
    counter->slots = calloc(size, sizeof(counter->slots[0]));

    return counter->slots == NULL ? TG_ERR_NOMEM : TG_OK;
}


static uint32_t *
count_of(counter_t *counter, uint64_t key)
{
    size_t  i;

    for (i = key & counter->mask; /* void */ ; i = (i + 1) & counter->mask) {
        if (counter->slots[i].n == 0 || counter->slots[i].key == key) {
            counter->slots[i].key = key;
            return &counter->slots[i].n;
        }
    }
}


/* The keys of a rule in a kind that it can be found by; 0 for none. */

static size_t
useful_keys(const builder_t *builder, const tg_rule_t *rule, uint32_t kinds,
    tgi_by_t by, uint64_t keys[KEYS_MAX])
{
    size_t  n;

    if (!(kinds & (UINT32_C(1) << by))) {
        return 0;
    }

    /* without an index of its groups nobody is known to be in one */

    if (by == TGI_BY_GROUP && rule->ngroups > 0 && builder->groups == NULL) {
        return 0;
    }

    n = tgi_rule_hashes(rule, by, NULL);

    if (n == 0 || n > KEYS_MAX) {
        return 0;
    }

    return tgi_rule_hashes(rule, by, keys);
}


static int
count_keys(const builder_t *builder, const uint32_t *numbers, size_t n,
    uint32_t kinds, counter_t *counter)
{
    int       rc;
    size_t    i, j, by, total, nkeys;
    uint64_t  keys[KEYS_MAX];

    total = 0;

    for (i = 0; i < n; i++) {
        for (by = 0; by < TGI_BY_MAX; by++) {
            total += useful_keys(builder, builder->rules->items[numbers[i]],
                                 kinds, (tgi_by_t) by, keys);
        }
    }

    rc = counter_init(counter, total);
    if (rc != TG_OK) {
        return rc;
    }

    for (i = 0; i < n; i++) {
        for (by = 0; by < TGI_BY_MAX; by++) {
            nkeys = useful_keys(builder, builder->rules->items[numbers[i]],
                                kinds, (tgi_by_t) by, keys);

            for (j = 0; j < nkeys; j++) {
                (*count_of(counter, keys[j]))++;
            }
        }
    }

    return TG_OK;
}


/*
 * What it costs to find a rule by these keys: the rules that are looked at
 * with it.  Who is in many groups finds the rules of all of them.
 */

static size_t
cost_of(const builder_t *builder, counter_t *counter, tgi_by_t by,
    const uint64_t *keys, size_t n)
{
    size_t  i, cost;

    cost = 0;

    for (i = 0; i < n; i++) {
        if (*count_of(counter, keys[i]) > cost) {
            cost = *count_of(counter, keys[i]);
        }
    }

    if (by == TGI_BY_GROUP && builder->groups != NULL) {
        cost *= builder->groups->most;
    }

    return cost <= FEW ? 1 : cost;
}


/* The best kind; TGI_BY_MAX if the rule can be found by none. */

static tgi_by_t
choose(const builder_t *builder, counter_t *counter, const tg_rule_t *rule,
    uint32_t kinds)
{
    size_t    by, n, cost, lowest;
    tgi_by_t  best;
    uint64_t  keys[KEYS_MAX];

    best = TGI_BY_MAX;
    lowest = SIZE_MAX;

    for (by = 0; by < TGI_BY_MAX; by++) {
        n = useful_keys(builder, rule, kinds, (tgi_by_t) by, keys);

        if (n == 0) {
            continue;
        }

        cost = cost_of(builder, counter, (tgi_by_t) by, keys, n);

        if (cost < lowest) {
            best = (tgi_by_t) by;
            lowest = cost;
        }
    }

    return best;
}


/* Chooses a kind for each rule: postings, or the rest.  *n is of postings. */

static int
post(builder_t *builder, const uint32_t *numbers, size_t nrules,
    uint32_t kinds, tgi_index_t *index, tgi_posting_t **postings, size_t *n)
{
    int               rc;
    size_t            i, j, size, nkeys;
    uint64_t          keys[KEYS_MAX];
    tgi_by_t          by;
    counter_t         counter;
    tgi_posting_t    *larger;
    const tg_rule_t  *rule;

    rc = count_keys(builder, numbers, nrules, kinds, &counter);
    if (rc != TG_OK) {
        return rc;
    }

    rc = TG_ERR_NOMEM;
    size = 0;

    for (i = 0; i < nrules; i++) {
        rule = builder->rules->items[numbers[i]];
        by = choose(builder, &counter, rule, kinds);

        if (by == TGI_BY_MAX) {
            index->rest[index->nrest++] = numbers[i];
            continue;
        }

        nkeys = tgi_rule_hashes(rule, by, keys);
        index->kinds |= UINT32_C(1) << by;

        if (*n + nkeys > size) {
            size = (size + nkeys) * 2;

            larger = realloc(*postings, size * sizeof(tgi_posting_t));
            if (larger == NULL) {
                goto out;
            }

            *postings = larger;
        }

        for (j = 0; j < nkeys; j++) {
            (*postings)[*n].key = keys[j];
            (*postings)[*n].number = numbers[i];
            (*n)++;
        }
    }

    rc = TG_OK;

out:

    free(counter.slots);

    return rc;
}


/* What stands in great number under one key gets an index of its own. */

static int
add_children(builder_t *builder, tgi_index_t *index, uint32_t kinds,
    size_t depth)
{
    int           rc;
    size_t        i, n;
    tgi_slot_t   *slot;
    tgi_index_t  *child;

    n = 0;

    for (i = 0; i <= index->table.mask; i++) {
        n += index->table.slots[i].n > FEW;
    }

    if (n == 0 || depth == DEPTH_MAX) {
        return TG_OK;
    }

    index->children = tgi_alloc(builder->alloc, n, sizeof(tgi_index_t *));
    if (index->children == NULL) {
        return TG_ERR_NOMEM;
    }

    n = 0;

    for (i = 0; i <= index->table.mask; i++) {
        slot = &index->table.slots[i];

        if (slot->n <= FEW) {
            continue;
        }

        rc = build(builder, index->table.numbers + slot->start, slot->n,
                   kinds, depth + 1, &child);
        if (rc != TG_OK) {
            return rc;
        }

        if (child != NULL) {
            index->children[n] = child;
            slot->start = (uint32_t) n++;
            slot->n = TGI_SLOT_CHILD;
        }
    }

    return TG_OK;
}


/*
 * *index is NULL if an index would be of no use: then all of them are looked
 * at.  kinds are those that may be used.
 */

static int
build(builder_t *builder, const uint32_t *numbers, size_t n, uint32_t kinds,
    size_t depth, tgi_index_t **index)
{
    int             rc;
    size_t          nkeys;
    tgi_index_t    *result;
    tgi_posting_t  *postings;

    *index = NULL;
    nkeys = 0;
    postings = NULL;

    if (n < TGI_INDEX_MIN || n > builder->budget) {
        return TG_OK;
    }

    rc = TG_ERR_NOMEM;

    result = tgi_alloc(builder->alloc, 1, sizeof(tgi_index_t));
    if (result == NULL) {
        goto out;
    }

    memset(result, 0, sizeof(tgi_index_t));

    result->rest = tgi_alloc(builder->alloc, n, sizeof(uint32_t));
    if (result->rest == NULL) {
        goto out;
    }

    rc = post(builder, numbers, n, kinds, result, &postings, &nkeys);

    if (rc != TG_OK || result->nrest == n || nkeys > builder->budget) {
        goto out;
    }

    rc = tgi_table_make(&result->table, postings, nkeys, builder->alloc);
    if (rc != TG_OK) {
        goto out;
    }

    builder->budget -= nkeys;

    rc = add_children(builder, result, kinds & ~result->kinds, depth);
    if (rc != TG_OK) {
        goto out;
    }

    *index = result;

out:

    free(postings);

    return rc;
}


static int
index_rules(const tgi_rules_t *rules, const tgi_group_index_t *groups,
    const tg_alloc_t *alloc, tgi_index_t **index)
{
    int         rc;
    size_t      i;
    uint32_t   *numbers;
    builder_t   builder;

    *index = NULL;

    if (rules->n < TGI_INDEX_MIN) {
        return TG_OK;
    }

    numbers = calloc(rules->n, sizeof(uint32_t));
    if (numbers == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < rules->n; i++) {
        numbers[i] = (uint32_t) i;
    }

    builder.rules = rules;
    builder.groups = groups;
    builder.alloc = alloc;
    builder.budget = rules->n * 8 + KEYS_MAX;

    rc = build(&builder, numbers, rules->n, UINT32_MAX, 0, index);

    free(numbers);

    return rc;
}


int
tgi_policy_index(tg_policy_t *policy, const tg_alloc_t *alloc)
{
    int           rc;
    size_t        i;
    tgi_route_t  *route;

    rc = tgi_group_index_make(policy, alloc);
    if (rc != TG_OK) {
        return rc;
    }

    rc = index_rules(&policy->always_deny, policy->group_index, alloc,
                     &policy->always_deny_index);
    if (rc != TG_OK) {
        return rc;
    }

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        rc = index_rules(&route->allow, policy->group_index, alloc,
                         &route->allow_index);
        if (rc != TG_OK) {
            return rc;
        }

        rc = index_rules(&route->deny, policy->group_index, alloc,
                         &route->deny_index);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return tgi_route_index_make(policy, alloc);
}


int
tgi_inline_index(tg_inline_t *inline_rules, const tg_alloc_t *alloc)
{
    int                       rc;
    const tgi_group_index_t  *groups;

    groups = inline_rules->file != NULL ? inline_rules->file->group_index
                                        : NULL;

    rc = index_rules(&inline_rules->allow, groups, alloc,
                     &inline_rules->allow_index);
    if (rc != TG_OK) {
        return rc;
    }

    return index_rules(&inline_rules->deny, groups, alloc,
                       &inline_rules->deny_index);
}
