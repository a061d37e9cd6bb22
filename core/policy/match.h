
/*
 * Copyright (C) The Tailgate authors
 *
 * One rule against one peer and request.
 */

#ifndef TGI_MATCH_H_INCLUDED_
#define TGI_MATCH_H_INCLUDED_

#include "core/policy/table.h"


/* What a decision works out once about who asks for what. */

typedef struct {
    const tg_peer_t      *peer;
    const tg_identity_t  *identity;        /* NULL: nobody was identified */
    const tg_request_t   *request;
    tg_str_t              host;            /* canonical */
    tg_str_t              domain;          /* of the login, as it came */
    uint32_t              has;             /* TG_TRAIT_*, as rules see them */
    uint32_t              method_class;    /* TGI_METHOD_* */
    uint32_t              via;             /* TGI_VIA_* */

    const tgi_group_index_t *groups;       /* of the file whose rules are
                                              looked at; NULL: none */
    size_t                nhosts;          /* 0: hosts, by which an index
                                              finds, are not hashed yet */
    size_t                npaths;          /* the same */
    uint64_t              hosts[TGI_LABELS_MAX];
    uint64_t              paths[TGI_SEGMENTS_MAX + 1];

    char                  host_buf[TG_HOST_MAX];
} tgi_subject_t;


/*
 * Fills *subject for rules of file (which may be NULL).  false: the host,
 * the path or the method cannot be judged; all else is filled.
 */

bool tgi_subject_init(tgi_subject_t *subject, const tg_policy_t *file,
    const tg_peer_t *peer, const tg_request_t *request);

/* Whether all conditions hold, and an allow opens the peer's class. */

bool tgi_rule_match(const tg_rule_t *rule, const tgi_subject_t *subject);

/* The class alone, and one of TGI_IF_* alone: for who explains. */

bool tgi_rule_opens(const tg_rule_t *rule, const tgi_subject_t *subject);
bool tgi_condition_holds(const tg_rule_t *rule, const tgi_subject_t *subject,
    uint32_t condition);

/* One item of a list of logins or groups against the subject. */

bool tgi_user_match(tg_str_t user, const tgi_subject_t *subject);
bool tgi_group_match(const tgi_group_t *group, const tgi_subject_t *subject);

/* Whether user is "*@domain". */

bool tgi_is_domain(tg_str_t user, tg_str_t *domain);

/* A tailnet's group without its "group:". */

tg_str_t tgi_group_name(tg_str_t group);


#endif /* TGI_MATCH_H_INCLUDED_ */
