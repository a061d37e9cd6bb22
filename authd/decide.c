
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/decide.h"


void
authd_decide(const authd_config_t *conf, const tg_peer_t *peer,
    const tg_request_t *request, tg_decision_t *decision)
{
    tg_policy_decide(conf->rules, NULL, &conf->gate, peer, request, decision);

    if (conf->policy == AUTHD_POLICY_NONE && decision->verdict == TG_ALLOW) {
        authd_decide_deny(decision,
                          "no policy is configured, so nobody may pass");
    }

    /* an allow without an identity is nothing that rules can say */

    if (decision->verdict == TG_ALLOW && peer->identity == NULL) {
        authd_decide_deny(decision, "nobody was identified");
    }
}


void
authd_decide_deny(tg_decision_t *decision, const char *text)
{
    decision->verdict = TG_DENY;
    decision->reason = TG_POLICY_REASON_BUILTIN;
    decision->text = text;
    decision->rule = (tg_str_t) TG_NULL_STR;
}


tg_str_t
authd_decide_digest(const authd_config_t *conf)
{
    return conf->rules ? tg_policy_digest(conf->rules)
                       : (tg_str_t) TG_NULL_STR;
}
