
/*
 * Copyright (C) The Tailgate authors
 *
 * The policy's own tests.
 */

#include "core/policy/policy.h"

#include <stdio.h>
#include <string.h>


#define WHY_MAX  512


static const char *const  verdicts[] = {
    [TG_ALLOW] = "allow",
    [TG_DENY] = "deny",
    [TG_UNAVAILABLE] = "unavailable"
};


size_t
tg_policy_ntests(const tg_policy_t *policy)
{
    return policy->ntests;
}


static const char *
verdict_name(tg_verdict_t verdict)
{
    return (size_t) verdict < sizeof(verdicts) / sizeof(verdicts[0])
           ? verdicts[verdict] : "nothing known";
}


/* Why it failed: what came instead, of whom, and why. */

static int
tell(tg_policy_test_t *result, const tg_alloc_t *alloc)
{
    int                   n;
    char                  text[WHY_MAX], rule[WHY_MAX / 2];
    const tg_decision_t  *decision;

    decision = &result->decision;

    if (decision->rule.len != 0) {
        (void) snprintf(rule, sizeof(rule), "the rule %.*s",
                        (int) decision->rule.len, decision->rule.data);

    } else {
        (void) snprintf(rule, sizeof(rule), "no rule");
    }

    if (decision->verdict != result->expected) {
        n = snprintf(text, sizeof(text), "expected %s, got %s by %s: %s",
                     verdict_name(result->expected),
                     verdict_name(decision->verdict), rule, decision->text);

    } else {
        n = snprintf(text, sizeof(text), "expected %s by the rule %.*s,"
                     " which came by %s: %s",
                     verdict_name(result->expected),
                     (int) result->expected_rule.len,
                     result->expected_rule.data, rule, decision->text);
    }

    if (n < 0) {
        return TG_ERR_NOMEM;
    }

    return tgi_str_copy(&result->why, text,
                        (size_t) n < sizeof(text) ? (size_t) n
                                                  : sizeof(text) - 1, alloc);
}


int
tg_policy_test(const tg_policy_t *policy, size_t i, int64_t now,
    const tg_alloc_t *alloc, tg_policy_test_t *result)
{
    int                rc;
    tg_peer_t          peer;
    tg_error_t         error;
    tg_request_t       request;
    const tgi_test_t  *test;

    memset(result, 0, sizeof(*result));

    test = &policy->tests[i];
    now = test->has_at ? test->at : now;

    result->name = test->name;
    result->line = test->line;
    result->expected = test->expect;
    result->expected_rule = test->rule;

    /* both were found well-formed when the policy was read */

    rc = tg_request_parse(test->request, alloc, &request, &error);
    if (rc != TG_OK) {
        return TG_ERR_NOMEM;
    }

    rc = tg_persona(policy, test->as, test->from.items, test->from.n, now,
                    alloc, &peer, &error);
    if (rc != TG_OK) {
        return TG_ERR_NOMEM;
    }

    request.via = test->via;
    request.service = test->service;
    request.now = now;

    tg_policy_decide(policy, NULL, NULL, &peer, &request, &result->decision);

    result->passed = result->decision.verdict == test->expect
                     && (test->rule.len == 0
                         || tgi_str_equal(test->rule, result->decision.rule));

    return result->passed ? TG_OK : tell(result, alloc);
}
