
/*
 * Copyright (C) The Tailgate authors
 *
 * Why a decision is what it is: a word for programs, a sentence for people.
 */

#include <tailgate/policy.h>


const char *
tg_policy_reason_name(tg_policy_reason_t reason)
{
    static const char *const  names[] = {
        [TG_POLICY_REASON_NONE] = "-",
        [TG_POLICY_REASON_ALLOWED] = "allowed",
        [TG_POLICY_REASON_BUILTIN] = "builtin",
        [TG_POLICY_REASON_DENIED] = "denied",
        [TG_POLICY_REASON_REQUIRED] = "required",
        [TG_POLICY_REASON_RAW_PATH] = "raw-path",
        [TG_POLICY_REASON_METHOD_OVERRIDE] = "method-override",
        [TG_POLICY_REASON_BAD_REQUEST] = "bad-request",
        [TG_POLICY_REASON_NO_ROUTE] = "no-route",
        [TG_POLICY_REASON_NO_ALLOW] = "no-allow",
        [TG_POLICY_REASON_PEER] = "peer",
        [TG_POLICY_REASON_STRANGER] = "stranger",
        [TG_POLICY_REASON_UNAVAILABLE] = "unavailable"
    };

    if ((size_t) reason >= sizeof(names) / sizeof(names[0])) {
        return names[TG_POLICY_REASON_NONE];
    }

    return names[reason];
}


const char *
tg_policy_reason_text(tg_policy_reason_t reason)
{
    static const char *const  texts[] = {
        [TG_POLICY_REASON_NONE] = "nothing was decided",
        [TG_POLICY_REASON_ALLOWED] = "a rule allows it",
        [TG_POLICY_REASON_BUILTIN] =
            "the built-in rule for peers of the tailnet decided",
        [TG_POLICY_REASON_DENIED] = "a rule denies it",
        [TG_POLICY_REASON_REQUIRED] = "what a rule requires does not hold",
        [TG_POLICY_REASON_RAW_PATH] =
            "the path can be read in more than one way",
        [TG_POLICY_REASON_METHOD_OVERRIDE] =
            "the request has a header that overrides its method",
        [TG_POLICY_REASON_BAD_REQUEST] =
            "the host, the path or the method of the request cannot be judged",
        [TG_POLICY_REASON_NO_ROUTE] =
            "no route of the policy has this host and path",
        [TG_POLICY_REASON_NO_ALLOW] = "no rule allows it",
        [TG_POLICY_REASON_PEER] = "no rule lets in such a peer",
        [TG_POLICY_REASON_STRANGER] =
            "this address belongs to nobody on the tailnet",
        [TG_POLICY_REASON_UNAVAILABLE] =
            "the identity service of this server is not available"
    };

    if ((size_t) reason >= sizeof(texts) / sizeof(texts[0])) {
        return texts[TG_POLICY_REASON_NONE];
    }

    return texts[reason];
}
