
/*
 * Copyright (C) The Tailgate authors
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
