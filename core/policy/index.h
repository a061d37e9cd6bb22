
/*
 * Copyright (C) The Tailgate authors
 *
 * Indexes: which rules can match at all, and which routes.  A rule is found
 * by one of its conditions, the one that fewest others share; what is found is
 * then looked at as a whole.
 */

#ifndef TGI_INDEX_H_INCLUDED_
#define TGI_INDEX_H_INCLUDED_

#include "core/policy/decide.h"
#include "core/policy/table.h"


/* So few rules or routes are looked at one by one. */

#define TGI_INDEX_MIN  5


/* What a rule can be found by. */

typedef enum {
    TGI_BY_USER = 0,
    TGI_BY_NODE,
    TGI_BY_TAG,
    TGI_BY_GROUP,
    TGI_BY_CAPABILITY,
    TGI_BY_TAILNET,
    TGI_BY_HOST,
    TGI_BY_PATH,
    TGI_BY_METHOD,
    TGI_BY_OS,
    TGI_BY_MAX
} tgi_by_t;

/* A slot with this many numbers has them in a further index. */

#define TGI_SLOT_CHILD  UINT32_MAX

struct tgi_index_s {
    tgi_table_t    table;
    uint32_t       kinds;      /* 1 << TGI_BY_*: what the table has */
    uint32_t      *rest;       /* rules that nothing is known of */
    size_t         nrest;
    tgi_index_t  **children;
};


/*
 * The keys of a rule by one kind of condition: how many there are, 0 if it has
 * no such condition; with keys not NULL they are written there.
 */

size_t tgi_rule_hashes(const tg_rule_t *rule, tgi_by_t by, uint64_t *keys);

/* Calls found with every key of that kind that the subject has. */

typedef void (*tgi_key_pt)(void *ctx, uint64_t key);

void tgi_subject_keys(tgi_subject_t *subject, tgi_by_t by, tgi_key_pt found,
    void *ctx);


/* The key of a login or "*@domain", and of the domain of a login. */

uint64_t tgi_key_of_user(tg_str_t user);
uint64_t tgi_key_of_domain(tg_str_t domain);


/* Logins and domains to the groups of the file that list them. */

typedef struct {
    const tg_str_t  *member;
    uint32_t         group;
} tgi_membership_t;

struct tgi_group_index_s {
    tgi_table_t         table;
    const tgi_group_t  *groups;
    size_t              ngroups;
    tgi_membership_t   *memberships;       /* by group */
    size_t              most;              /* groups of any one login */
};

typedef struct {
    const tgi_group_index_t  *index;
    const tgi_subject_t      *subject;
    const tgi_slot_t         *slots[2];    /* of the login, of its domain */
    size_t                    slot;
    size_t                    i;
} tgi_group_iter_t;

int tgi_group_index_make(tg_policy_t *policy, const tg_alloc_t *alloc);

/* The numbers of the groups that the subject is in; one may come twice. */

void tgi_group_iter_init(tgi_group_iter_t *iter,
    const tgi_group_index_t *index, const tgi_subject_t *subject);
bool tgi_group_iter_next(tgi_group_iter_t *iter, size_t *group);

/* Whether the index knows the group, and so *member. */

bool tgi_group_index_find(const tgi_group_index_t *index,
    const tgi_group_t *group, const tgi_subject_t *subject, bool *member);


int tgi_route_index_make(tg_policy_t *policy, const tg_alloc_t *alloc);

/* As tgi_route_find(), which uses it where there is one. */

const tgi_route_t *tgi_route_index_find(const tg_policy_t *policy,
    tgi_subject_t *subject);

/* The hosts and paths of the subject, hashed once. */

void tgi_subject_hash_host(tgi_subject_t *subject);
void tgi_subject_hash_path(tgi_subject_t *subject);


#endif /* TGI_INDEX_H_INCLUDED_ */
