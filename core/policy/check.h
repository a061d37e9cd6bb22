
/*
 * Copyright (C) The Tailgate authors
 *
 * What is well-formed and still not meant.
 */

#ifndef TGI_POLICY_CHECK_H_INCLUDED_
#define TGI_POLICY_CHECK_H_INCLUDED_

#include "core/policy/read.h"


/* check_route.c: routes that are told apart by nothing, or never chosen. */

void tgi_check_routes(tgi_read_t *rd);

/*
 * check_never.c: why no request can match the rule, NULL if one may.  route is
 * NULL for a rule of "always".  Comparisons of places are counted in *work:
 * past a bound they are left out.
 */

const char *tgi_rule_never(const tg_rule_t *rule, const tgi_route_t *route,
    size_t *work);


#endif /* TGI_POLICY_CHECK_H_INCLUDED_ */
