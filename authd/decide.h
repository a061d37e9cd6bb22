
/*
 * Copyright (C) The Tailgate authors
 *
 * Whether a request may pass, by the configuration in force.
 */

#ifndef AUTHD_DECIDE_H_INCLUDED_
#define AUTHD_DECIDE_H_INCLUDED_

#include "authd/config.h"

#include <tailgate/policy.h>


/* By the policy file, the built-in rule, or nobody: as "policy" says. */

void authd_decide(const authd_config_t *conf, const tg_peer_t *peer,
    const tg_request_t *request, tg_decision_t *decision);

/*
 * A denial by something that is no rule of the policy; text is static, and
 * told to the person.
 */

void authd_decide_deny(tg_decision_t *decision, const char *text);

/* Of the policy file in force; empty without one. */

tg_str_t authd_decide_digest(const authd_config_t *conf);


#endif /* AUTHD_DECIDE_H_INCLUDED_ */
