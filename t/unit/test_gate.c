
/*
 * Copyright (C) The Tailgate authors
 *
 * The built-in rule where t/cases/identity.yaml cannot reach: what no answer
 * makes, and every combination of traits.
 */

#include <tailgate/gate.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>


#define OPENABLE                                                              \
    (TG_TRAIT_MEMBER|TG_TRAIT_TAGGED|TG_TRAIT_SHARED|TG_TRAIT_ROUTED)


static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};


static tg_identity_t
peer_with(uint32_t traits, tg_status_t status)
{
    tg_identity_t  identity;

    memset(&identity, 0, sizeof(identity));
    identity.traits = traits;
    identity.status = status;
    identity.tailnet = self.tailnet;

    return identity;
}


static tg_verdict_t
decide(uint32_t peers, const tg_identity_t *identity, const tg_self_t *own)
{
    tg_gate_rules_t  rules = { peers, NULL, 0 };

    return tg_gate_decide(&rules, identity->status, identity, own, NULL);
}


/* A peer passes only if every trait that it has is open. */

static void
test_every_combination(void **state)
{
    uint32_t       traits, peers;
    tg_identity_t  identity;
    tg_verdict_t   verdict;

    (void) state;

    for (traits = 0; traits < 0x200; traits++) {
        for (peers = 0; peers < 0x200; peers++) {

            identity = peer_with(traits, TG_STATUS_MEMBER);
            verdict = traits != 0 && (traits & ~(peers & OPENABLE)) == 0
                      ? TG_ALLOW : TG_DENY;

            if (decide(peers, &identity, &self) != verdict) {
                fail_msg("traits %x, peers %x", (unsigned) traits,
                         (unsigned) peers);
            }
        }
    }
}


static void
test_unexpected(void **state)
{
    int              status;
    const char      *reason;
    tg_identity_t    identity;
    tg_gate_rules_t  rules = { OPENABLE, NULL, 0 };

    (void) state;

    identity = peer_with(TG_TRAIT_MEMBER, TG_STATUS_MEMBER);

    /* an answer that contradicts itself, or is none */

    for (status = -1; status < 20; status++) {
        tg_verdict_t  verdict;

        verdict = TG_DENY;

        if (status == TG_STATUS_MEMBER) {
            verdict = TG_ALLOW;

        } else if (status == TG_STATUS_UNAVAILABLE) {
            verdict = TG_UNAVAILABLE;
        }

        reason = NULL;
        assert_int_equal(tg_gate_decide(&rules, (tg_status_t) status,
                                        &identity, &self, &reason),
                         verdict);
        assert_non_null(reason);

        assert_int_equal(tg_gate_decide(&rules, (tg_status_t) status, NULL,
                                        &self, &reason),
                         status == TG_STATUS_UNAVAILABLE ? TG_UNAVAILABLE
                                                         : TG_DENY);
    }

    identity.traits = 0x8000;
    assert_int_equal(decide(0xffff, &identity, &self), TG_DENY);

    identity.status = TG_STATUS_NONE;
    identity.traits = TG_TRAIT_MEMBER;
    assert_int_equal(decide(OPENABLE, &identity, &self), TG_DENY);

    identity.status = TG_STATUS_STRANGER;
    assert_int_equal(decide(OPENABLE, &identity, &self), TG_DENY);
}


/* A member of yesterday's tailnet is none of today's. */

static void
test_own_tailnet(void **state)
{
    tg_self_t      own;
    tg_identity_t  identity;

    (void) state;

    identity = peer_with(TG_TRAIT_MEMBER, TG_STATUS_MEMBER);

    own = self;
    own.tailnet = (tg_str_t) TG_STR("other.example");
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_DENY);

    own.tailnet = (tg_str_t) TG_NULL_STR;
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_DENY);
    assert_int_equal(decide(OPENABLE, &identity, NULL), TG_DENY);

    identity.tailnet = (tg_str_t) TG_NULL_STR;
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_DENY);

    own.tailnet = (tg_str_t) TG_STR(".");
    identity.tailnet = (tg_str_t) TG_STR(".");
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_DENY);

    own.tailnet = self.tailnet;
    identity.tailnet = (tg_str_t) TG_STR("tail.example.");
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_ALLOW);

    own.tailnet = (tg_str_t) TG_STR("TAIL.example.");
    identity.tailnet = (tg_str_t) TG_STR("tail.EXAMPLE");
    assert_int_equal(decide(OPENABLE, &identity, &own), TG_ALLOW);
}


/* Funnel is set by what saw the request, not by WhoIs. */

static void
test_funnel(void **state)
{
    const char       *reason;
    tg_identity_t     identity;
    tg_gate_rules_t   rules = { 0xffff, NULL, 0 };

    (void) state;

    identity = peer_with(TG_TRAIT_MEMBER|TG_TRAIT_FUNNEL, TG_STATUS_FUNNEL);

    assert_int_equal(tg_gate_decide(&rules, identity.status, &identity, &self,
                                    &reason), TG_DENY);
    assert_non_null(strstr(reason, "Funnel"));
}


/* What is wrong with the node is told before what is closed to it. */

static void
test_reasons(void **state)
{
    size_t            i;
    const char       *reason;
    tg_identity_t     identity;
    tg_gate_rules_t   rules = { 0, NULL, 0 };

    static const struct {
        uint32_t     traits;
        const char  *word;
    } cases[] = {
        { TG_TRAIT_EXPIRED|TG_TRAIT_UNSIGNED|TG_TRAIT_MEMBER, "expired" },
        { TG_TRAIT_UNAUTHORIZED|TG_TRAIT_SHARED, "approval" },
        { TG_TRAIT_UNSIGNED|TG_TRAIT_TAGGED, "signed" },
        { TG_TRAIT_SHARED|TG_TRAIT_TAGGED, "shared" },
        { TG_TRAIT_ROUTED|TG_TRAIT_TAGGED, "routed" },
        { TG_TRAIT_TAGGED, "tagged" },
        { TG_TRAIT_MEMBER, "member" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        identity = peer_with(cases[i].traits, TG_STATUS_MEMBER);

        assert_int_equal(tg_gate_decide(&rules, TG_STATUS_MEMBER, &identity,
                                        &self, &reason), TG_DENY);

        if (strstr(reason, cases[i].word) == NULL) {
            fail_msg("\"%s\" has no \"%s\"", reason, cases[i].word);
        }
    }
}


static void
test_trait_parse(void **state)
{
    (void) state;

    assert_int_equal(tg_trait_parse("member", 6), TG_TRAIT_MEMBER);
    assert_int_equal(tg_trait_parse("tagged", 6), TG_TRAIT_TAGGED);
    assert_int_equal(tg_trait_parse("shared", 6), TG_TRAIT_SHARED);
    assert_int_equal(tg_trait_parse("routed", 6), TG_TRAIT_ROUTED);

    assert_int_equal(tg_trait_parse("", 0), 0);
    assert_int_equal(tg_trait_parse("membe", 5), 0);
    assert_int_equal(tg_trait_parse("members", 7), 0);
    assert_int_equal(tg_trait_parse("Member", 6), 0);
    assert_int_equal(tg_trait_parse("expired", 7), 0);
    assert_int_equal(tg_trait_parse("funnel", 6), 0);
    assert_int_equal(tg_trait_parse("unsigned", 8), 0);
    assert_int_equal(tg_trait_parse("unauthorized", 12), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_unexpected),
        cmocka_unit_test(test_own_tailnet),
        cmocka_unit_test(test_funnel),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_trait_parse)
    };

    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
