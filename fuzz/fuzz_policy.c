
/*
 * Copyright (C) The Tailgate authors
 *
 * policy.yaml: whatever the bytes, there is a policy or an error that says why,
 * and no message breaks out of its line.  What was read decides and explains
 * the same, and its own tests can be run.
 */

#include <tailgate/policy.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  ((size_t) 64 * 1024 * 1024)
#define NOW        INT64_C(1800000000)


typedef struct {
    size_t  line;
    size_t  n;
    size_t  errors;
} told_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static void
report(void *ctx, const tg_policy_message_t *message)
{
    told_t               *told;
    const unsigned char  *p;

    told = ctx;

    for (p = (const unsigned char *) message->text; *p != '\0'; p++) {
        require(*p >= 0x20 && *p != 0x7f);
    }

    require(p != (const unsigned char *) message->text);
    require(strlen(message->code) == 4);

    /* by line, what has none last */

    require(told->n == 0 || message->line == 0
            || (told->line != 0 && message->line >= told->line));

    told->line = message->line;
    told->n++;
    told->errors += message->severity == TG_POLICY_ERROR;
}


static bool
is_same(tg_str_t a, tg_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


static void
ask(const tg_policy_t *policy, const char *as, const char *url,
    const tg_alloc_t *alloc)
{
    tg_str_t           who, text;
    tg_peer_t          peer;
    tg_error_t         error;
    tg_request_t       request;
    tg_decision_t      decision;
    tg_explanation_t   explanation;

    static const tg_str_t  from[] = {
        TG_STR("os=macOS"),
        TG_STR("os_version=15.1"),
        TG_STR("key_expires_in=3d"),
        TG_STR("capability=example.com/cap/wiki:"
               "{\"role\":[\"editor\"],\"n\":3}")
    };

    who = (tg_str_t) { as, strlen(as) };
    text = (tg_str_t) { url, strlen(url) };

    require(tg_persona(policy, who, from, 4, NOW, alloc, &peer, &error)
            == TG_OK);
    require(tg_request_parse(text, alloc, &request, &error) == TG_OK);
    request.now = NOW;

    tg_policy_decide(policy, NULL, NULL, &peer, &request, &decision);

    require(tg_policy_explain(policy, NULL, NULL, &peer, &request, alloc,
                              &explanation) == TG_OK);

    require(decision.verdict == explanation.decision.verdict
            && decision.reason == explanation.decision.reason
            && is_same(decision.rule, explanation.decision.rule)
            && is_same(decision.route, explanation.decision.route));
}


static void
ask_all(const tg_policy_t *policy, const tg_alloc_t *alloc)
{
    size_t            i;
    tg_policy_test_t  result;

    ask(policy, "alice@example.com", "DELETE https://wiki.corp/api/x", alloc);
    ask(policy, "tag:ci", "https://x/a/..;/b", alloc);

    for (i = 0; i < tg_policy_ntests(policy) && i < 4; i++) {
        require(tg_policy_test(policy, i, NOW, alloc, &result) == TG_OK);
        require(result.passed == (result.why.len == 0));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           rc;
    told_t        told = { 0, 0, 0 };
    tg_alloc_t    alloc;
    tg_arena_t   *arena;
    tg_policy_t  *policy;

    arena = tg_arena_new(ARENA_MAX);
    require(arena != NULL);

    alloc = tg_arena_allocator(arena);
    policy = NULL;

    rc = tg_policy_compile((const char *) data, size, &alloc, report, &told,
                           &policy);

    require(rc != TG_ERR_NOMEM);
    require((rc == TG_OK) == (told.errors == 0));
    require((rc == TG_OK) == (policy != NULL));

    if (rc == TG_OK) {
        ask_all(policy, &alloc);
    }

    tg_arena_free(&arena);

    return 0;
}
