
/*
 * Copyright (C) The Tailgate authors
 *
 * The words of a directive, one in a line: a rule or an error that says why.
 * A rule decides and explains the same.
 */

#include <tailgate/policy.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  ((size_t) 64 * 1024 * 1024)
#define WORDS_MAX  64
#define NOW        INT64_C(1800000000)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static size_t
split(const uint8_t *data, size_t size, tg_str_t *words)
{
    size_t      n;
    tg_str_t    rest;
    const char  *end;

    rest = (tg_str_t) { (const char *) data, size };

    for (n = 0; n < WORDS_MAX && rest.len != 0; n++) {
        end = memchr(rest.data, '\n', rest.len);

        words[n] = rest;

        if (end == NULL) {
            return n + 1;
        }

        words[n].len = (size_t) (end - rest.data);
        rest.data = end + 1;
        rest.len -= words[n].len + 1;
    }

    return n;
}


static void
decide(const tg_rule_t *rule, const tg_alloc_t *alloc)
{
    int                rc;
    tg_str_t           as = TG_STR("alice@example.com");
    tg_str_t           url = TG_STR("https://wiki.corp/api/x");
    tg_peer_t          peer;
    tg_error_t         error;
    tg_inline_t       *rules;
    tg_request_t       request;
    tg_decision_t      decision;
    tg_gate_rules_t    gate = { TG_TRAIT_MEMBER, NULL, 0 };
    tg_explanation_t   explanation;

    rc = tg_inline_compile(&rule, 1, false, NULL, alloc, &rules, &error);

    if (rc != TG_OK) {
        require(rc == TG_ERR_REFUSED && error.text[0] != '\0');
        return;
    }

    require(tg_persona(NULL, as, NULL, 0, NOW, alloc, &peer, &error) == TG_OK);
    require(tg_request_parse(url, alloc, &request, &error) == TG_OK);
    request.now = NOW;

    tg_policy_decide(NULL, rules, &gate, &peer, &request, &decision);

    require(tg_policy_explain(NULL, rules, &gate, &peer, &request, alloc,
                              &explanation) == TG_OK);
    require(decision.verdict == explanation.decision.verdict
            && decision.reason == explanation.decision.reason);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    size_t           n;
    tg_str_t         id = TG_STR("tailgate_allow:fuzz:1");
    tg_str_t         words[WORDS_MAX];
    tg_rule_t       *rule;
    tg_alloc_t       alloc;
    tg_arena_t      *arena;
    tg_error_t       error;
    tg_rule_kind_t   kind;

    arena = tg_arena_new(ARENA_MAX);
    require(arena != NULL);

    alloc = tg_arena_allocator(arena);
    rule = NULL;
    kind = TG_RULE_ALLOW;

    if (size > 0) {
        kind = (tg_rule_kind_t) (data[size - 1] % 3);
    }

    n = split(data, size, words);

    rc = tg_rule_parse(kind, words, n, id, &alloc, &rule, &error);

    require(rc == TG_OK || rc == TG_ERR_REFUSED || rc == TG_ERR_LIMIT);
    require((rc == TG_OK) == (rule != NULL));
    require(rc == error.code && (rc == TG_OK || error.text[0] != '\0'));

    if (rc == TG_OK) {
        decide(rule, &alloc);
    }

    tg_arena_free(&arena);

    return 0;
}
