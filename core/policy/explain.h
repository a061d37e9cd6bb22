
/*
 * Copyright (C) The Tailgate authors
 *
 * What the parts of an explanation share.
 */

#ifndef TGI_EXPLAIN_H_INCLUDED_
#define TGI_EXPLAIN_H_INCLUDED_

#include "core/policy/decide.h"
#include "core/policy/describe.h"


typedef struct {
    const tg_policy_t    *file;            /* NULL: none */
    const tg_inline_t    *rules;           /* NULL: none that say anything */
    const tgi_route_t    *route;
    const tg_alloc_t     *alloc;
    const tg_decision_t  *decision;
    tgi_subject_t         subject;
    tg_explained_rule_t  *rows;
    const tg_rule_t     **sources;         /* of each row; NULL: grants */
    size_t                nrows;
} tgi_explainer_t;


/* Fills in what would have to be true for an allow.  TG_OK, TG_ERR_NOMEM. */

int tgi_explain_needed(tgi_explainer_t *explainer,
    tg_explanation_t *explanation);


#endif /* TGI_EXPLAIN_H_INCLUDED_ */
