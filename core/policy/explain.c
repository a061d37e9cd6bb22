
/*
 * Copyright (C) The Tailgate authors
 *
 * What every rule came to.  The decision itself is tg_policy_decide()'s; here
 * the rules are looked at one by one, the index left aside.
 */

#include "core/policy/explain.h"

#include <stdlib.h>
#include <string.h>


static size_t
count_conditions(const tg_rule_t *rule)
{
    size_t    n;
    uint32_t  left;

    n = 0;

    for (left = rule->conditions; left != 0; left &= left - 1) {
        n++;
    }

    return n;
}


static int
copy_pair(tg_explained_condition_t *condition, bool holds, tgi_text_t *name,
    tgi_text_t *why, const tg_alloc_t *alloc)
{
    condition->holds = holds;

    if (tgi_text_copy(name, alloc, &condition->condition) != TG_OK
        || tgi_text_copy(why, alloc, &condition->why) != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    return TG_OK;
}


/* What an allow opens, as a condition like any other. */

static int
explain_class(const tg_rule_t *rule, const tgi_subject_t *subject,
    const tg_alloc_t *alloc, tg_explained_condition_t *condition)
{
    bool        opens;
    tgi_text_t  name, why;

    opens = tgi_rule_opens(rule, subject);

    tgi_text_init(&name);
    tgi_text_init(&why);

    tgi_text_add(&name, "peers: members%s%s%s",
                 rule->opens & TG_TRAIT_TAGGED ? ", tagged" : "",
                 rule->opens & TG_TRAIT_SHARED ? ", shared" : "",
                 rule->opens & TG_TRAIT_ROUTED ? ", routed" : "");

    tgi_describe_class(&why, subject);

    return copy_pair(condition, opens, &name, &why, alloc);
}


static int
explain_rule(tgi_explainer_t *explainer, const tg_rule_t *rule,
    tg_explained_rule_t *explained)
{
    bool                       holds;
    size_t                     n;
    uint32_t                   left, bit;
    tgi_text_t                 name, why;
    const tgi_subject_t       *subject;
    tg_explained_condition_t  *conditions;

    subject = &explainer->subject;

    conditions = tgi_alloc(explainer->alloc, count_conditions(rule) + 1,
                           sizeof(tg_explained_condition_t));
    if (conditions == NULL) {
        return TG_ERR_NOMEM;
    }

    n = 0;

    if (rule->kind == TG_RULE_ALLOW) {
        if (explain_class(rule, subject, explainer->alloc, &conditions[n++])
            != TG_OK)
        {
            return TG_ERR_NOMEM;
        }
    }

    for (left = rule->conditions; left != 0; left &= left - 1) {
        bit = left & (~left + 1);
        holds = tgi_condition_holds(rule, subject, bit);

        tgi_text_init(&name);
        tgi_text_init(&why);
        tgi_describe(&name, rule, bit);
        tgi_describe_why(&why, rule, subject, bit);

        if (copy_pair(&conditions[n++], holds, &name, &why, explainer->alloc)
            != TG_OK)
        {
            return TG_ERR_NOMEM;
        }
    }

    memset(explained, 0, sizeof(tg_explained_rule_t));
    explained->rule = rule->id;
    explained->kind = rule->kind;
    explained->line = rule->line;
    explained->matches = tgi_rule_match(rule, subject);
    explained->conditions = conditions;
    explained->nconditions = n;

    return TG_OK;
}


/* One row for all grants; a condition is one of them. */

static int
explain_grants(tgi_explainer_t *explainer, tg_explained_rule_t *explained)
{
    size_t                     i, n;
    tgi_text_t                 name, why;
    tgi_grant_t                grant;
    const tgi_value_t         *grants;
    const tg_policy_t         *file;
    tg_explained_condition_t  *conditions;

    static const tg_str_t    id = TG_STR("grants");
    static const char *const reasons[] = {
        [TGI_GRANT_NO] = "its hosts, paths or methods do not fit",
        [TGI_GRANT_YES] = "it fits the request",
        [TGI_GRANT_BAD] = "it cannot be read, and allows nothing"
    };

    file = explainer->file;
    grants = tgi_caps_find(explainer->subject.peer->caps, file->grants);
    n = (grants != NULL) ? grants->n : 0;

    conditions = tgi_alloc(explainer->alloc, n + 1,
                           sizeof(tg_explained_condition_t));
    if (conditions == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(explained, 0, sizeof(tg_explained_rule_t));
    explained->rule = id;
    explained->kind = TG_RULE_ALLOW;
    explained->conditions = conditions;
    explained->nconditions = n + 1;

    tgi_text_init(&name);
    tgi_text_init(&why);
    tgi_text_add(&name, "capability: ");
    tgi_text_str(&name, file->grants);

    if (grants == NULL) {
        tgi_text_add(&why, "the peer has no such capability");

    } else {
        tgi_describe_class(&why, &explainer->subject);
    }

    if (copy_pair(&conditions[0],
                  grants != NULL && tgi_grants_open(&explainer->subject),
                  &name, &why, explainer->alloc)
        != TG_OK)
    {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < n; i++) {
        grant = tgi_grant_match(&grants->u.items[i], &explainer->subject);

        if (grant == TGI_GRANT_YES && conditions[0].holds) {
            explained->matches = true;
        }

        tgi_text_init(&name);
        tgi_text_init(&why);
        tgi_text_add(&name, "grant %zu", i);
        tgi_text_add(&why, "%s", reasons[grant]);

        if (copy_pair(&conditions[i + 1], grant == TGI_GRANT_YES, &name, &why,
                      explainer->alloc)
            != TG_OK)
        {
            return TG_ERR_NOMEM;
        }
    }

    return TG_OK;
}


static int
explain_list(tgi_explainer_t *explainer, const tgi_rules_t *rules)
{
    int     rc;
    size_t  i;

    for (i = 0; i < rules->n; i++) {
        rc = explain_rule(explainer, rules->items[i],
                          &explainer->rows[explainer->nrows]);
        if (rc != TG_OK) {
            return rc;
        }

        explainer->sources[explainer->nrows++] = rules->items[i];
    }

    return TG_OK;
}


static size_t
list_rules(const tgi_explainer_t *explainer, const tgi_rules_t *lists[8])
{
    size_t  n;

    n = 0;

    if (explainer->file != NULL) {
        lists[n++] = &explainer->file->always_deny;
        lists[n++] = &explainer->file->always_require;
    }

    if (explainer->route != NULL) {
        lists[n++] = &explainer->route->deny;
        lists[n++] = &explainer->route->require;
        lists[n++] = &explainer->route->allow;
    }

    if (explainer->rules != NULL) {
        lists[n++] = &explainer->rules->deny;
        lists[n++] = &explainer->rules->require;
        lists[n++] = &explainer->rules->allow;
    }

    return n;
}


static bool
has_grants(const tgi_explainer_t *explainer)
{
    return explainer->file != NULL && explainer->file->grants.len > 0;
}


static int
explain_rules(tgi_explainer_t *explainer)
{
    int                 rc;
    size_t              i, n, nlists;
    const tgi_rules_t  *lists[8];

    nlists = list_rules(explainer, lists);
    n = 1;

    for (i = 0; i < nlists; i++) {
        n += lists[i]->n;
    }

    explainer->rows = tgi_alloc(explainer->alloc, n,
                                sizeof(tg_explained_rule_t));
    explainer->sources = tgi_alloc(explainer->alloc, n,
                                   sizeof(tg_rule_t *));

    if (explainer->rows == NULL || explainer->sources == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < nlists; i++) {
        rc = explain_list(explainer, lists[i]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (has_grants(explainer)) {
        explainer->sources[explainer->nrows] = NULL;

        return explain_grants(explainer, &explainer->rows[explainer->nrows++]);
    }

    return TG_OK;
}


/* A name may come twice among inline rules: the first one decided. */

static void
mark_deciding(tgi_explainer_t *explainer)
{
    size_t                i;
    tg_explained_rule_t  *row;
    const tg_decision_t  *decision;

    decision = explainer->decision;

    for (i = 0; i < explainer->nrows && decision->rule.len > 0; i++) {
        row = &explainer->rows[i];

        if (tgi_str_equal(row->rule, decision->rule)
            && row->matches == (row->kind != TG_RULE_REQUIRE))
        {
            row->decides = true;
            return;
        }
    }
}


int
tg_policy_explain(const tg_policy_t *file, const tg_inline_t *inline_rules,
    const tg_gate_rules_t *gate, const tg_peer_t *peer,
    const tg_request_t *request, const tg_alloc_t *alloc,
    tg_explanation_t *explanation)
{
    int              rc;
    tgi_explainer_t  explainer;

    memset(explanation, 0, sizeof(tg_explanation_t));
    tg_policy_decide(file, inline_rules, gate, peer, request,
                     &explanation->decision);

    memset(&explainer, 0, sizeof(tgi_explainer_t));
    explainer.file = file;
    explainer.rules = tgi_inline_has_rules(inline_rules) ? inline_rules : NULL;
    explainer.alloc = alloc;
    explainer.decision = &explanation->decision;

    if (explanation->decision.route_index != SIZE_MAX) {
        explainer.route = &file->routes[explanation->decision.route_index];
    }

    /* where nothing was judged there is nothing to tell of rules */

    if (explanation->decision.rules
        && explanation->decision.verdict != TG_UNAVAILABLE
        && tgi_subject_init(&explainer.subject, file, peer, request))
    {
        rc = explain_rules(&explainer);
        if (rc != TG_OK) {
            return rc;
        }

        mark_deciding(&explainer);
        explanation->rules = explainer.rows;
        explanation->nrules = explainer.nrows;
    }

    return tgi_explain_needed(&explainer, explanation);
}
