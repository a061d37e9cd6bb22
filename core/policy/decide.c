
/*
 * Copyright (C) The Tailgate authors
 *
 * The decision.
 */

#include "core/policy/decide.h"

#include "core/policy/gate.h"

#include <string.h>


typedef struct {
    const tg_policy_t      *file;          /* NULL: none */
    const tg_inline_t      *rules;         /* NULL: none that say anything */
    const tg_gate_rules_t  *gate;
    const tgi_route_t      *route;
    tgi_subject_t           subject;
    tg_decision_t          *decision;
} judge_t;


const tg_rule_t *
tgi_rules_miss(const tgi_rules_t *rules, const tgi_subject_t *subject)
{
    size_t  i;

    for (i = 0; i < rules->n; i++) {
        if (!tgi_rule_match(rules->items[i], subject)) {
            return rules->items[i];
        }
    }

    return NULL;
}


/* Always true: the decision has been taken. */

static bool
refuse(judge_t *judge, tg_policy_reason_t reason, const tg_rule_t *rule)
{
    judge->decision->verdict = TG_DENY;
    judge->decision->reason = reason;
    judge->decision->text = tg_policy_reason_text(reason);

    if (rule != NULL) {
        judge->decision->rule = rule->id;
    }

    return true;
}


static bool
refuse_raw_path(judge_t *judge)
{
    const char  *text;

    text = tg_path_ambiguity(judge->subject.request->raw_path);

    if (text == NULL) {
        return false;
    }

    (void) refuse(judge, TG_POLICY_REASON_RAW_PATH, NULL);
    judge->decision->text = text;

    return true;
}


/* What refuses, of one list of denies and one of requires. */

static bool
refuse_by_rules(judge_t *judge, const tgi_rules_t *deny,
    const tgi_index_t *index, const tgi_rules_t *require)
{
    const tg_rule_t  *rule;

    if (deny->n > 0) {
        rule = tgi_rules_match(deny, index, &judge->subject);

        if (rule != NULL) {
            return refuse(judge, TG_POLICY_REASON_DENIED, rule);
        }
    }

    if (require->n == 0) {
        return false;
    }

    rule = tgi_rules_miss(require, &judge->subject);

    return rule != NULL && refuse(judge, TG_POLICY_REASON_REQUIRED, rule);
}


/* Whose groups the rules mean that are looked at next. */

static void
use_groups(judge_t *judge, const tg_policy_t *file)
{
    judge->subject.groups = (file != NULL) ? file->group_index : NULL;
}


static bool
refuse_by_route(judge_t *judge)
{
    const tgi_route_t  *route;

    route = judge->route;

    if (route == NULL) {

        /* what only grants can allow has no route that could say otherwise */

        return judge->file->grants.len != 0 && refuse_raw_path(judge);
    }

    if (!route->raw_path && refuse_raw_path(judge)) {
        return true;
    }

    if (route->refuse_override && judge->subject.request->method_override) {
        return refuse(judge, TG_POLICY_REASON_METHOD_OVERRIDE, NULL);
    }

    return refuse_by_rules(judge, &route->deny, route->deny_index,
                           &route->require);
}


static bool
refuse_by_file(judge_t *judge)
{
    const tg_policy_t  *file;

    file = judge->file;

    if (refuse_by_rules(judge, &file->always_deny, file->always_deny_index,
                        &file->always_require))
    {
        return true;
    }

    return file->has_routes && refuse_by_route(judge);
}


static bool
refuse_by_inline(judge_t *judge)
{
    const tg_inline_t  *rules;

    rules = judge->rules;
    use_groups(judge, rules->file);

    return (!rules->raw_path && refuse_raw_path(judge))
           || refuse_by_rules(judge, &rules->deny, rules->deny_index,
                              &rules->require);
}


/* Peers that no rule lets in. */

static bool
refuse_peer(judge_t *judge)
{
    uint32_t              has;
    const char           *text;
    const tgi_subject_t  *subject;

    subject = &judge->subject;

    if (subject->identity == NULL) {
        return refuse(judge, TG_POLICY_REASON_STRANGER, NULL);
    }

    has = subject->has;

    if (subject->via == TGI_VIA_FUNNEL) {
        has |= TG_TRAIT_FUNNEL;
    }

    text = tgi_gate_never(has);

    if (text == NULL) {
        return false;
    }

    (void) refuse(judge, TG_POLICY_REASON_PEER, NULL);
    judge->decision->text = text;

    return true;
}


static void
allow(judge_t *judge, tg_str_t rule)
{
    judge->decision->verdict = TG_ALLOW;
    judge->decision->reason = TG_POLICY_REASON_ALLOWED;
    judge->decision->text = tg_policy_reason_text(TG_POLICY_REASON_ALLOWED);

    if (judge->decision->rule.len == 0) {
        judge->decision->rule = rule;
    }
}


/* false: the decision is to deny. */

static bool
allow_by_file(judge_t *judge)
{
    const tg_rule_t  *rule;

    static const tg_str_t  grants = TG_STR("grants");

    use_groups(judge, judge->file);

    if (judge->route != NULL) {
        rule = tgi_rules_match(&judge->route->allow,
                               judge->route->allow_index, &judge->subject);
        if (rule != NULL) {
            allow(judge, rule->id);
            return true;
        }
    }

    if (tgi_grants_match(judge->file, &judge->subject,
                         &judge->decision->bad_grants))
    {
        allow(judge, grants);
        return true;
    }

    (void) refuse(judge, judge->route != NULL ? TG_POLICY_REASON_NO_ALLOW
                                              : TG_POLICY_REASON_NO_ROUTE,
                  NULL);
    return false;
}


static void
decide_by_gate(judge_t *judge)
{
    tg_decision_t    *decision;
    const tg_peer_t  *peer;

    decision = judge->decision;
    peer = judge->subject.peer;

    decision->verdict = TG_DENY;
    decision->reason = TG_POLICY_REASON_BUILTIN;

    if (judge->gate == NULL) {
        decision->reason = TG_POLICY_REASON_NO_ALLOW;
        decision->text = tg_policy_reason_text(decision->reason);
        return;
    }

    decision->verdict = tg_gate_decide(judge->gate, peer->status,
                                       peer->identity, peer->self,
                                       &decision->text);

    if (decision->verdict == TG_UNAVAILABLE) {
        decision->reason = TG_POLICY_REASON_UNAVAILABLE;

    } else if (peer->status == TG_STATUS_STRANGER) {
        decision->reason = TG_POLICY_REASON_STRANGER;
    }
}


static void
decide_by_rules(judge_t *judge)
{
    const tg_rule_t  *rule;

    if ((judge->file != NULL && refuse_by_file(judge))
        || (judge->rules != NULL && refuse_by_inline(judge))
        || refuse_peer(judge))
    {
        return;
    }

    if (judge->file != NULL && judge->file->has_routes) {
        if (!allow_by_file(judge) || judge->rules == NULL
            || judge->rules->allow.n == 0)
        {
            return;
        }

    } else if (judge->rules == NULL) {
        (void) refuse(judge, TG_POLICY_REASON_NO_ROUTE, NULL);
        return;

    } else if (judge->file == NULL && judge->rules->allow.n == 0) {
        decide_by_gate(judge);
        return;
    }

    use_groups(judge, judge->rules->file);

    rule = tgi_rules_match(&judge->rules->allow, judge->rules->allow_index,
                           &judge->subject);

    if (rule != NULL) {
        allow(judge, rule->id);
        return;
    }

    judge->decision->rule = (tg_str_t) TG_NULL_STR;
    (void) refuse(judge, TG_POLICY_REASON_NO_ALLOW, NULL);
}


static void
find_route(judge_t *judge)
{
    tg_decision_t      *decision;
    const tgi_route_t  *route;

    decision = judge->decision;

    if (!judge->file->has_routes) {
        return;
    }

    route = tgi_route_find(judge->file, &judge->subject);
    if (route == NULL) {
        return;
    }

    judge->route = route;
    decision->route = route->name;
    decision->route_index = route->index;
    decision->explain = route->explain;
    decision->contact = route->contact;
}


void
tg_policy_decide(const tg_policy_t *file, const tg_inline_t *inline_rules,
    const tg_gate_rules_t *gate, const tg_peer_t *peer,
    const tg_request_t *request, tg_decision_t *decision)
{
    judge_t  judge;

    memset(decision, 0, sizeof(tg_decision_t));
    decision->route_index = SIZE_MAX;
    decision->verdict = TG_DENY;
    decision->text = tg_policy_reason_text(TG_POLICY_REASON_NONE);

    judge.file = file;
    judge.rules = tgi_inline_has_rules(inline_rules) ? inline_rules : NULL;
    judge.gate = gate;
    judge.route = NULL;
    judge.decision = decision;
    judge.subject.peer = peer;

    decision->rules = file != NULL || judge.rules != NULL;

    if (peer->status == TG_STATUS_UNAVAILABLE) {
        decision->verdict = TG_UNAVAILABLE;
        decision->reason = TG_POLICY_REASON_UNAVAILABLE;
        decision->text = tg_policy_reason_text(decision->reason);
        return;
    }

    if (!decision->rules) {
        decide_by_gate(&judge);
        return;
    }

    if (file != NULL) {
        decision->explain = file->explain;
        decision->contact = file->contact;
    }

    if (!tgi_subject_init(&judge.subject, file, peer, request)) {
        (void) refuse(&judge, TG_POLICY_REASON_BAD_REQUEST, NULL);
        return;
    }

    if (file != NULL) {
        find_route(&judge);
    }

    decide_by_rules(&judge);
}
