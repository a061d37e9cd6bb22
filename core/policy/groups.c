
/*
 * Copyright (C) The Tailgate authors
 *
 * From a login to the groups of the file that it is in.
 */

#include "core/policy/index.h"

#include <stdlib.h>
#include <string.h>


static size_t
count_members(const tg_policy_t *policy)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < policy->ngroups; i++) {
        n += policy->groups[i].members.n;
    }

    return n;
}


/* The most groups that one login and one domain are in. */

static size_t
most_of(const tgi_table_t *table)
{
    size_t  i, most;

    most = 0;

    for (i = 0; i <= table->mask; i++) {
        if (table->slots[i].n > most) {
            most = table->slots[i].n;
        }
    }

    return most * 2;
}


int
tgi_group_index_make(tg_policy_t *policy, const tg_alloc_t *alloc)
{
    int                 rc;
    size_t              i, j, n;
    tgi_posting_t      *postings;
    const tgi_group_t  *group;
    tgi_group_index_t  *index;

    n = count_members(policy);

    if (n == 0) {
        return TG_OK;
    }

    postings = calloc(n, sizeof(tgi_posting_t));
    if (postings == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = TG_ERR_NOMEM;

    index = tgi_alloc(alloc, 1, sizeof(tgi_group_index_t));
    if (index == NULL) {
        goto out;
    }

    index->groups = policy->groups;
    index->ngroups = policy->ngroups;
    index->memberships = tgi_alloc(alloc, n, sizeof(tgi_membership_t));

    if (index->memberships == NULL) {
        goto out;
    }

    n = 0;

    for (i = 0; i < policy->ngroups; i++) {
        policy->groups[i].index = i;
        group = &policy->groups[i];

        for (j = 0; j < group->members.n; j++) {
            index->memberships[n].member = &group->members.items[j];
            index->memberships[n].group = (uint32_t) i;

            postings[n].key = tgi_key_of_user(group->members.items[j]);
            postings[n].number = (uint32_t) n;
            n++;
        }
    }

    rc = tgi_table_make(&index->table, postings, n, alloc);
    if (rc != TG_OK) {
        goto out;
    }

    index->most = most_of(&index->table);
    policy->group_index = index;

out:

    free(postings);

    return rc;
}


void
tgi_group_iter_init(tgi_group_iter_t *iter, const tgi_group_index_t *index,
    const tgi_subject_t *subject)
{
    tg_str_t  login;

    memset(iter, 0, sizeof(tgi_group_iter_t));
    iter->index = index;
    iter->subject = subject;

    login = subject->identity->login;

    if (login.len > 0) {
        iter->slots[0] = tgi_table_find(&index->table,
                                        tgi_key_of_user(login));
    }

    if (subject->domain.len > 0) {
        iter->slots[1] = tgi_table_find(&index->table,
                                        tgi_key_of_domain(subject->domain));
    }
}


bool
tgi_group_iter_next(tgi_group_iter_t *iter, size_t *group)
{
    uint32_t                 number;
    const tgi_slot_t        *slot;
    const tgi_membership_t  *membership;

    for ( /* void */ ; iter->slot < 2; iter->slot++) {
        slot = iter->slots[iter->slot];

        while (slot != NULL && iter->i < slot->n) {
            number = iter->index->table.numbers[slot->start + iter->i++];
            membership = &iter->index->memberships[number];

            if (tgi_user_match(*membership->member, iter->subject)) {
                *group = membership->group;
                return true;
            }
        }

        iter->i = 0;
    }

    return false;
}


/* Whether one of the memberships under a key is of the group: they ascend. */

static bool
is_among(const tgi_group_index_t *index, const tgi_slot_t *slot, size_t group,
    const tgi_subject_t *subject)
{
    size_t                   low, high, middle;
    const tgi_membership_t  *membership;

    low = 0;
    high = (slot != NULL) ? slot->n : 0;

    while (low < high) {
        middle = low + (high - low) / 2;
        membership = &index->memberships[
                         index->table.numbers[slot->start + middle]];

        if (membership->group < group) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    for ( /* void */ ; slot != NULL && low < slot->n; low++) {
        membership = &index->memberships[
                         index->table.numbers[slot->start + low]];

        if (membership->group != group) {
            break;
        }

        if (tgi_user_match(*membership->member, subject)) {
            return true;
        }
    }

    return false;
}


bool
tgi_group_index_find(const tgi_group_index_t *index, const tgi_group_t *group,
    const tgi_subject_t *subject, bool *member)
{
    tgi_group_iter_t  iter;

    if (group->index >= index->ngroups
        || &index->groups[group->index] != group)
    {
        return false;
    }

    tgi_group_iter_init(&iter, index, subject);

    *member = is_among(index, iter.slots[0], group->index, subject)
              || is_among(index, iter.slots[1], group->index, subject);

    return true;
}
