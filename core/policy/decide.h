
/*
 * Copyright (C) The Tailgate authors
 *
 * The steps of a decision, for what decides and what explains it.
 */

#ifndef TGI_DECIDE_H_INCLUDED_
#define TGI_DECIDE_H_INCLUDED_

#include "core/policy/caps.h"
#include "core/policy/match.h"


/*
 * The route of a host and path, NULL for none.  Hosts: exact, the longer
 * wildcard, any; then paths: the longer literal part, exact before glob before
 * prefix, the longer pattern, the one that is first by its bytes.
 */

const tgi_route_t *tgi_route_find(const tg_policy_t *policy,
    tgi_subject_t *subject);

/* Below 0 if a is better than b: both fit the same host, the same path. */

int tgi_host_compare(const tgi_host_t *a, const tgi_host_t *b);
int tgi_path_compare(const tgi_path_t *a, const tgi_path_t *b);


/* What a grant of the tailnet came to. */

typedef enum {
    TGI_GRANT_NO = 0,
    TGI_GRANT_YES,
    TGI_GRANT_BAD              /* it cannot be read, and allows nothing */
} tgi_grant_t;

tgi_grant_t tgi_grant_match(const tgi_value_t *grant,
    const tgi_subject_t *subject);

/* All of them; *bad becomes the number of those that cannot be read. */

bool tgi_grants_match(const tg_policy_t *policy, const tgi_subject_t *subject,
    size_t *bad);

/* The class of peers that a grant opens is a capability's. */

bool tgi_grants_open(const tgi_subject_t *subject);


/* The first rule that matches, and the first that does not; NULL for none. */

const tg_rule_t *tgi_rules_match(const tgi_rules_t *rules,
    const tgi_index_t *index, tgi_subject_t *subject);
const tg_rule_t *tgi_rules_miss(const tgi_rules_t *rules,
    const tgi_subject_t *subject);


#define tgi_inline_has_rules(rules)                                           \
    ((rules) != NULL                                                          \
     && ((rules)->allow.n + (rules)->deny.n + (rules)->require.n) != 0)


#endif /* TGI_DECIDE_H_INCLUDED_ */
