
/*
 * Copyright (C) The Tailgate authors
 *
 * Answers to persons and decisions: t/cases/identity.yaml.
 */

#include <tailgate/gate.h>
#include <tailgate/identity.h>

#include "t/unit/cases.h"

#include <inttypes.h>
#include <jansson.h>


#define TAILNETS_MAX  4


static const char *const  traits[] = {
    "member", "tagged", "shared", "routed", "funnel", "expired",
    "unauthorized", "unsigned"
};

static const char *const  verdicts[] = {
    [TG_ALLOW] = "allow",
    [TG_DENY] = "deny",
    [TG_UNAVAILABLE] = "unavailable"
};

static const struct {
    const char  *field;
    tg_attr_t    attr;
} attributes[] = {
    { "login", TG_ATTR_LOGIN },
    { "user", TG_ATTR_USER },
    { "display", TG_ATTR_NAME },
    { "picture", TG_ATTR_PICTURE },
    { "groups", TG_ATTR_GROUPS },
    { "tags", TG_ATTR_TAGS },
    { "node", TG_ATTR_NODE },
    { "tailnet", TG_ATTR_TAILNET },
    { "caps", TG_ATTR_CAPS }
};


/* The object that holds the last part of path, which is in *key. */

static json_t *
find_parent(json_t *root, const char *path, const char **key)
{
    char         name[64];
    size_t       len;
    const char  *dot;

    while ((dot = strchr(path, '.')) != NULL) {
        len = (size_t) (dot - path);
        assert_true(len < sizeof(name));

        memcpy(name, path, len);
        name[len] = '\0';

        root = json_object_get(root, name);
        assert_non_null(root);

        path = dot + 1;
    }

    *key = path;

    return root;
}


/* The answer that a case is about, for the caller to free. */

static char *
edit_answer(case_t *item, size_t *len)
{
    char         *text;
    size_t        i;
    json_t       *root, *parent, *value;
    const char   *key, *path;
    yaml_node_t  *edits, *node, *to;

    node = cases_field(item->cases, item->cases->root, "answers");
    path = cases_text(item->cases, item->node, "answer", "none");

    text = (char *) (uintptr_t) cases_text(item->cases, node, path, "");
    root = json_loads(text, 0, NULL);
    assert_non_null(root);

    edits = cases_field(item->cases, item->node, "set");

    for (i = 0; (node = cases_pair(item->cases, edits, i, &to)) != NULL; i++) {
        value = json_loads(cases_scalar(to), JSON_DECODE_ANY, NULL);
        assert_non_null(value);

        parent = find_parent(root, cases_scalar(node), &key);
        json_object_set_new(parent, key, value);
    }

    edits = cases_field(item->cases, item->node, "remove");

    for (i = 0; (node = cases_item(item->cases, edits, i)) != NULL; i++) {
        parent = find_parent(root, cases_scalar(node), &key);
        json_object_del(parent, key);
    }

    text = json_dumps(root, JSON_INDENT(4));
    assert_non_null(text);

    *len = strlen(text);
    json_decref(root);

    return text;
}


static char *
decode_hex(const char *hex, size_t *len)
{
    char    *text, digits[3] = "";
    size_t   i;

    *len = strlen(hex) / 2;

    text = malloc(*len);
    assert_non_null(text);

    for (i = 0; i < *len; i++) {
        memcpy(digits, hex + 2 * i, 2);
        text[i] = (char) strtoumax(digits, NULL, 16);
    }

    return text;
}


static char *
read_body(case_t *item, size_t *len)
{
    char        *copy;
    const char  *text;

    text = cases_text(item->cases, item->node, "hex", NULL);

    if (text != NULL) {
        return decode_hex(text, len);
    }

    text = cases_text(item->cases, item->node, "text", NULL);

    if (text == NULL) {
        return edit_answer(item, len);
    }

    /* without its NUL, so that a sanitizer sees a step behind the end */

    *len = strlen(text);

    copy = malloc(*len > 0 ? *len : 1);
    assert_non_null(copy);
    memcpy(copy, text, *len);

    return copy;
}


static const tg_self_t *
read_self(case_t *item, const tg_alloc_t *alloc, tg_self_t *self)
{
    const char   *name, *text;
    tg_error_t    error;
    yaml_node_t  *selves;

    name = cases_text(item->cases, item->node, "self", "running");

    if (strcmp(name, "none") == 0) {
        return NULL;
    }

    selves = cases_field(item->cases, item->cases->root, "selves");
    text = cases_text(item->cases, selves, name, NULL);
    assert_non_null(text);

    assert_int_equal(tg_status_parse(text, strlen(text), alloc, self, &error),
                     TG_OK);

    return self;
}


static void
check_traits(case_t *item, uint32_t have)
{
    size_t        i, j;
    uint32_t      want;
    const char   *word;
    yaml_node_t  *list;

    list = cases_field(item->cases, item->node, "traits");

    if (list == NULL) {
        return;
    }

    for (i = 0, want = 0;
         (word = cases_scalar(cases_item(item->cases, list, i))) != NULL;
         i++)
    {
        for (j = 0; strcmp(traits[j], word) != 0; j++) {
            assert_true(j + 1 < sizeof(traits) / sizeof(traits[0]));
        }

        want |= 1u << j;
    }

    assert_int_equal(have, want);
}


static void
check_attributes(case_t *item, const tg_alloc_t *alloc,
    const tg_identity_t *identity)
{
    int          rc;
    size_t       i;
    tg_str_t     value;
    const char  *want;

    for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {

        want = cases_text(item->cases, item->node, attributes[i].field, NULL);

        if (want == NULL) {
            continue;
        }

        rc = tg_identity_attr(identity, attributes[i].attr, alloc, &value);

        assert_int_equal(rc, want[0] != '\0' ? TG_OK : TG_ERR_ABSENT);
        assert_int_equal(value.len, strlen(want));

        if (value.len > 0) {
            assert_memory_equal(value.data, want, value.len);
        }
    }

    want = cases_text(item->cases, item->node, "expiry", NULL);

    if (want != NULL) {
        assert_int_equal(identity->key_expiry, strtoimax(want, NULL, 10));
    }
}


/* rule: { peers: [...], tailnets: [...], verdict: ... } */

static void
check_rule(case_t *item, yaml_node_t *rule, tg_status_t status,
    const tg_identity_t *identity, const tg_self_t *self)
{
    size_t           i;
    uint32_t         trait;
    tg_str_t         tailnets[TAILNETS_MAX];
    const char      *word, *reason;
    tg_verdict_t     verdict;
    yaml_node_t     *list;
    tg_gate_rules_t  rules = { 0, tailnets, 0 };

    list = cases_field(item->cases, rule, "peers");

    for (i = 0;
         (word = cases_scalar(cases_item(item->cases, list, i))) != NULL;
         i++)
    {
        trait = tg_trait_parse(word, strlen(word));
        assert_int_not_equal(trait, 0);
        rules.peers |= trait;
    }

    list = cases_field(item->cases, rule, "tailnets");

    for (i = 0;
         (word = cases_scalar(cases_item(item->cases, list, i))) != NULL;
         i++)
    {
        assert_true(i < TAILNETS_MAX);
        tailnets[i].data = word;
        tailnets[i].len = strlen(word);
        rules.ntailnets = i + 1;
    }

    /* a case itself has the default */

    if (rule == item->node) {
        rules.peers = TG_TRAIT_MEMBER;
    }

    verdict = tg_gate_decide(&rules, status, identity, self, &reason);

    assert_string_equal(verdicts[verdict],
                        cases_text(item->cases, rule, "verdict", NULL));
    assert_true(strlen(reason) > 10);
}


static void
check_case(case_t *item, const tg_alloc_t *alloc, const char *answer,
    size_t len)
{
    int                   code;
    size_t                i;
    int64_t               now;
    tg_self_t             status_self;
    tg_error_t            error;
    const char           *want;
    tg_status_t           status;
    yaml_node_t          *rules, *rule;
    tg_identity_t         identity;
    const tg_self_t      *self;
    const tg_identity_t  *known;

    self = read_self(item, alloc, &status_self);
    now = strtoimax(cases_text(item->cases, item->cases->root, "now", ""),
                    NULL, 10);
    code = (int) strtoimax(cases_text(item->cases, item->node, "code", "200"),
                           NULL, 10);

    status = tg_whois_status(code, answer, len, self, now, alloc, &identity,
                             &error);

    want = cases_text(item->cases, item->node, "error", "");

    if (strstr(error.text, want) == NULL || (want[0] == '\0' && error.code)) {
        fail_msg("error \"%s\", not \"%s\"", error.text, want);
    }

    assert_string_equal(tg_status_name(status),
                        cases_text(item->cases, item->node, "status", NULL));

    known = NULL;

    if (status >= TG_STATUS_MEMBER && status <= TG_STATUS_UNSIGNED) {
        known = &identity;
        assert_int_equal(identity.status, status);
        check_traits(item, identity.traits);
        check_attributes(item, alloc, known);
    }

    check_rule(item, item->node, status, known, self);

    rules = cases_field(item->cases, item->node, "rules");

    for (i = 0; (rule = cases_item(item->cases, rules, i)) != NULL; i++) {
        check_rule(item, rule, status, known, self);
    }
}


/* Here, so that a case that fails does not leak them. */

static char        *body;
static tg_arena_t  *arena;


static void
test_case(void **state)
{
    size_t      len;
    tg_alloc_t  alloc;

    free(body);
    tg_arena_reset(arena);

    alloc = tg_arena_allocator(arena);
    body = read_body(*state, &len);
    check_case(*state, &alloc, body, len);
}


int
main(void)
{
    int      failed;
    cases_t  cases;

    arena = tg_arena_new(1024 * 1024);

    if (arena == NULL) {
        return 1;
    }

    cases_open(&cases, "t/cases/identity.yaml");
    failed = cases_run(&cases, "identity cases", test_case);
    cases_close(&cases);

    free(body);
    tg_arena_free(&arena);

    return failed != 0;
}
