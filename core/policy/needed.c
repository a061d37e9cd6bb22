
/*
 * Copyright (C) The Tailgate authors
 *
 * What would have to be true for an allow: first what refuses now, then the
 * allow rules, the one that lacks least before the others.
 */

#include "core/policy/explain.h"

#include <stdlib.h>
#include <string.h>


#define ALLOWS_MAX  8          /* more would help nobody */


typedef struct {
    tgi_explainer_t  *explainer;
    tg_str_t         *items;
    size_t            n;
} needed_t;


static int
need(needed_t *needed, tgi_text_t *text)
{
    return tgi_text_copy(text, needed->explainer->alloc,
                         &needed->items[needed->n++]);
}


static int
need_text(needed_t *needed, const char *before, const char *what)
{
    tgi_text_t  text;

    tgi_text_init(&text);
    tgi_text_add(&text, "%s%s", before, what);

    return need(needed, &text);
}


/* The conditions that hold, or do not, each with its reason. */

static void
add_conditions(tgi_text_t *text, const tg_explained_rule_t *row, bool holding,
    const char *separator)
{
    size_t                           i, n;
    const tg_explained_condition_t  *condition;

    n = 0;

    for (i = 0; i < row->nconditions; i++) {
        condition = &row->conditions[i];

        if (condition->holds != holding) {
            continue;
        }

        tgi_text_add(text, "%s", n++ > 0 ? separator : "");
        tgi_text_str(text, condition->condition);
        tgi_text_add(text, " (");
        tgi_text_str(text, condition->why);
        tgi_text_add(text, ")");
    }
}


static int
need_deny(needed_t *needed, const tg_explained_rule_t *row)
{
    tgi_text_t  text;

    tgi_text_init(&text);
    tgi_text_str(&text, row->rule);

    if (row->nconditions == 0) {
        tgi_text_add(&text, " denies everything");

    } else {
        tgi_text_add(&text, " must not match: ");
        add_conditions(&text, row, true, ", or ");
    }

    return need(needed, &text);
}


static int
need_require(needed_t *needed, const tg_explained_rule_t *row)
{
    tgi_text_t  text;

    tgi_text_init(&text);
    tgi_text_str(&text, row->rule);
    tgi_text_add(&text, " must match: ");
    add_conditions(&text, row, false, ", and ");

    return need(needed, &text);
}


static int
need_allow(needed_t *needed, const tg_explained_rule_t *row)
{
    tgi_text_t  text;

    tgi_text_init(&text);
    tgi_text_str(&text, row->rule);
    tgi_text_add(&text, " would allow it: ");
    add_conditions(&text, row, false, ", and ");

    return need(needed, &text);
}


static size_t
count_lacking(const tg_explained_rule_t *row)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < row->nconditions; i++) {
        n += !row->conditions[i].holds;
    }

    return n;
}


static int
compare_lacking(const void *a, const void *b)
{
    size_t                      lacks_a, lacks_b;
    const tg_explained_rule_t  *one = *(const tg_explained_rule_t *const *) a;
    const tg_explained_rule_t  *two = *(const tg_explained_rule_t *const *) b;

    lacks_a = count_lacking(one);
    lacks_b = count_lacking(two);

    if (lacks_a != lacks_b) {
        return lacks_a < lacks_b ? -1 : 1;
    }

    return (one > two) - (one < two);
}


/* Whether the row is one of the file, and not an inline rule. */

static bool
is_of_file(const tgi_explainer_t *explainer, size_t row)
{
    size_t              i;
    const tg_rule_t    *rule;
    const tgi_rules_t  *rules;

    rule = explainer->sources[row];

    if (rule == NULL || explainer->rules == NULL) {
        return true;
    }

    rules = &explainer->rules->allow;

    for (i = 0; i < rules->n; i++) {
        if (rules->items[i] == rule) {
            return false;
        }
    }

    return true;
}


/* The allows of the file, or the inline ones, unless one matches. */

static int
need_one_allow(needed_t *needed, bool of_file)
{
    int                          rc;
    size_t                       i, n;
    tgi_explainer_t             *explainer;
    const tg_explained_rule_t  **allows, *row;

    explainer = needed->explainer;

    allows = tgi_alloc(explainer->alloc, explainer->nrows + 1,
                       sizeof(tg_explained_rule_t *));
    if (allows == NULL) {
        return TG_ERR_NOMEM;
    }

    n = 0;

    for (i = 0; i < explainer->nrows; i++) {
        row = &explainer->rows[i];

        if (row->kind != TG_RULE_ALLOW || is_of_file(explainer, i) != of_file)
        {
            continue;
        }

        if (row->matches) {
            return TG_OK;
        }

        allows[n++] = row;
    }

    qsort(allows, n, sizeof(allows[0]), compare_lacking);

    for (i = 0; i < n && i < ALLOWS_MAX; i++) {
        rc = need_allow(needed, allows[i]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


/* A file that governs routes has to allow, and inline rules that allow. */

static int
need_allows(needed_t *needed)
{
    int               rc;
    tgi_text_t        text;
    tgi_explainer_t  *explainer;

    explainer = needed->explainer;

    if (explainer->file != NULL
        && (explainer->file->has_routes || explainer->rules == NULL))
    {
        if (explainer->route == NULL) {
            tgi_text_init(&text);
            tgi_text_add(&text, "a route of the policy would have to have "
                         "the host ");
            tgi_text_str(&text, explainer->subject.host);
            tgi_text_add(&text, " and the path ");
            tgi_text_str(&text, explainer->subject.request->path);

            rc = need(needed, &text);
            if (rc != TG_OK) {
                return rc;
            }

        } else if (explainer->route->allow.n == 0
                   && explainer->file->grants.len == 0)
        {
            rc = need_text(needed, "the route has no rule that allows "
                           "anything", "");
            if (rc != TG_OK) {
                return rc;
            }
        }

        rc = need_one_allow(needed, true);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (explainer->rules == NULL) {
        return TG_OK;
    }

    if (explainer->rules->allow.n == 0 && explainer->file != NULL
        && !explainer->file->has_routes)
    {
        return need_text(needed, "there would have to be an inline rule that "
                         "allows it", "");
    }

    return need_one_allow(needed, false);
}


/* What refuses whatever is allowed, be it the first that does or not. */

static int
need_no_refusal(needed_t *needed)
{
    int                   rc;
    size_t                i;
    tgi_explainer_t      *explainer;
    tg_explained_rule_t  *row;
    const tg_decision_t  *decision;

    explainer = needed->explainer;
    decision = explainer->decision;

    for (i = 0; i < explainer->nrows; i++) {
        row = &explainer->rows[i];
        rc = TG_OK;

        if (row->kind == TG_RULE_DENY && row->matches) {
            rc = need_deny(needed, row);

        } else if (row->kind == TG_RULE_REQUIRE && !row->matches) {
            rc = need_require(needed, row);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    switch (decision->reason) {

    case TG_POLICY_REASON_RAW_PATH:
    case TG_POLICY_REASON_METHOD_OVERRIDE:
    case TG_POLICY_REASON_BAD_REQUEST:
    case TG_POLICY_REASON_BUILTIN:
    case TG_POLICY_REASON_PEER:
    case TG_POLICY_REASON_STRANGER:
    case TG_POLICY_REASON_UNAVAILABLE:
        return need_text(needed, "this must not be so: ", decision->text);

    default:
        return TG_OK;
    }
}


int
tgi_explain_needed(tgi_explainer_t *explainer, tg_explanation_t *explanation)
{
    int       rc;
    needed_t  needed;

    if (explanation->decision.verdict == TG_ALLOW) {
        return TG_OK;
    }

    needed.explainer = explainer;
    needed.n = 0;
    needed.items = tgi_alloc(explainer->alloc, explainer->nrows + 4,
                             sizeof(tg_str_t));
    if (needed.items == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = need_no_refusal(&needed);

    if (rc == TG_OK && explainer->rows != NULL) {
        rc = need_allows(&needed);
    }

    explanation->needed = needed.items;
    explanation->nneeded = needed.n;

    return rc;
}
