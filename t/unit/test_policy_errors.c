
/*
 * Copyright (C) The Tailgate authors
 *
 * Every message about a policy: its code, place and words, from
 * t/cases/policy-errors.yaml; and that each code is explained.
 */

#include <tailgate/policy.h>

#include "core/policy/messages.h"
#include "t/unit/cases.h"

#include <inttypes.h>


#define ARENA_MAX    ((size_t) 512 * 1024 * 1024)
#define MESSAGES     256
#define WORDS        16


typedef struct {
    tg_policy_message_t  items[MESSAGES];
    size_t               n;
    size_t               errors;
} messages_t;


static cases_t  table;


static void
keep(void *ctx, const tg_policy_message_t *message)
{
    messages_t  *messages;

    messages = ctx;

    assert_true(messages->n < MESSAGES);
    messages->items[messages->n++] = *message;

    if (message->severity == TG_POLICY_ERROR) {
        messages->errors++;
    }
}


/* The text of the case: libyaml knows the length of one with a NUL in it. */

static char *
policy_text(case_t *c, size_t *len)
{
    char         *text, *p;
    size_t        i, times, policy, repeat, end;
    yaml_node_t  *node;
    const char   *more, *rest;

    node = cases_field(c->cases, c->node, "policy");
    more = cases_text(c->cases, c->node, "repeat", "");
    rest = cases_text(c->cases, c->node, "end", "");
    times = (size_t) strtoumax(cases_text(c->cases, c->node, "times", "0"),
                               NULL, 10);

    policy = node->data.scalar.length;
    repeat = strlen(more);
    end = strlen(rest);

    text = malloc(policy + repeat * times + end + 1);
    assert_non_null(text);

    memcpy(text, node->data.scalar.value, policy);
    p = text + policy;

    for (i = 0; i < times; i++) {
        memcpy(p, more, repeat);
        p += repeat;
    }

    memcpy(p, rest, end);
    *len = (size_t) (p - text) + end;

    return text;
}


static void
compile_file(case_t *c, messages_t *messages)
{
    int           rc;
    char         *text;
    size_t        len;
    tg_alloc_t    alloc;
    tg_arena_t   *arena;
    tg_policy_t  *policy;

    arena = tg_arena_new(ARENA_MAX);
    assert_non_null(arena);

    alloc = tg_arena_allocator(arena);
    text = policy_text(c, &len);
    policy = NULL;

    rc = tg_policy_compile(text, len, &alloc, keep, messages, &policy);

    if (messages->errors == 0) {
        assert_int_equal(rc, TG_OK);
        assert_non_null(policy);

    } else {
        assert_int_not_equal(rc, TG_OK);
        assert_int_not_equal(rc, TG_ERR_NOMEM);
        assert_null(policy);
    }

    free(text);
    tg_arena_free(&arena);
}


static bool
is_warning(const char *code)
{
    size_t  i;

    for (i = 0; i < TGI_P_N; i++) {
        if (strcmp(tgi_codes[i].code, code) == 0) {
            return tgi_codes[i].severity == TG_POLICY_WARNING;
        }
    }

    return false;
}


/* The one text about a directive ends with its code. */

static void
parse_words(case_t *c, messages_t *messages)
{
    int                   rc;
    size_t                n, len;
    tg_str_t              words[WORDS];
    tg_str_t              id = TG_STR("tailgate_allow:t:1");
    tg_rule_t            *rule;
    tg_alloc_t            alloc;
    tg_arena_t           *arena;
    tg_error_t            error;
    const char           *text;
    yaml_node_t          *list;
    tg_policy_message_t  *message;

    arena = tg_arena_new(ARENA_MAX);
    assert_non_null(arena);

    alloc = tg_arena_allocator(arena);
    list = cases_field(c->cases, c->node, "words");
    rule = NULL;

    for (n = 0; (text = cases_scalar(cases_item(c->cases, list, n))); n++) {
        assert_true(n < WORDS);
        words[n] = (tg_str_t) { text, strlen(text) };
    }

    rc = tg_rule_parse(TG_RULE_ALLOW, words, n, id, &alloc, &rule, &error);
    assert_int_equal(rc, error.code);

    len = strlen(error.text);
    assert_true(len > 7 && error.text[len - 7] == ' ');

    message = &messages->items[messages->n++];
    memset(message, 0, sizeof(*message));
    memcpy(message->code, error.text + len - 5, 4);
    memcpy(message->text, error.text, len - 7);

    assert_int_equal(rc, is_warning(message->code) ? TG_OK : TG_ERR_REFUSED);
    assert_int_equal(rc == TG_OK, rule != NULL);

    tg_arena_free(&arena);
}


static const tg_policy_message_t *
find_message(const messages_t *messages, const char *code, const char *at)
{
    char    place[48];
    size_t  i;

    for (i = 0; i < messages->n; i++) {
        (void) snprintf(place, sizeof(place), "%zu:%zu",
                        messages->items[i].line, messages->items[i].column);

        if (strcmp(messages->items[i].code, code) == 0
            && strcmp(place, at) == 0)
        {
            return &messages->items[i];
        }
    }

    return NULL;
}


static void
print_messages(const messages_t *messages)
{
    size_t  i;

    for (i = 0; i < messages->n && i < 10; i++) {
        print_error("%zu:%zu: %s: %s\n", messages->items[i].line,
                    messages->items[i].column, messages->items[i].code,
                    messages->items[i].text);
    }
}


static void
test_case(void **state)
{
    case_t                     *c;
    size_t                      n;
    messages_t                 *messages;
    const char                 *code, *at, *says;
    const tg_policy_message_t  *message;

    c = *state;
    messages = calloc(1, sizeof(messages_t));
    assert_non_null(messages);

    if (cases_field(c->cases, c->node, "words") != NULL) {
        parse_words(c, messages);

    } else {
        compile_file(c, messages);
    }

    code = cases_text(c->cases, c->node, "code", "");
    at = cases_text(c->cases, c->node, "at", "");
    says = cases_text(c->cases, c->node, "says", "");
    n = (size_t) strtoumax(cases_text(c->cases, c->node, "n", "1"), NULL, 10);

    message = find_message(messages, code, at);

    if (messages->n != n || (n != 0 && message == NULL)) {
        print_messages(messages);
        fail_msg("%zu messages, and %s %s at %s", messages->n,
                 message ? "there is" : "there is no", code, at);
    }

    if (n != 0) {
        assert_string_equal(message->text, says);
    }

    free(messages);
}


/* Messages come by line, and none of them breaks out of a log's line. */

static void
test_order(void **state)
{
    int           rc;
    size_t        i;
    tg_alloc_t    alloc;
    messages_t   *messages;
    tg_arena_t   *arena;
    tg_policy_t  *policy;

    static const char  text[] =
        "version: 1\n"
        "routes:\n"
        "  - { name: b, hosts: [x], paths: [/a] }\n"
        "  - { hosts: [x], paths: [/a], allow: [{ os: \"\\e[2J\" }] }\n"
        "groups:\n"
        "  g: [\"\\u009b1\", 10.0.0.1]\n";

    (void) state;

    arena = tg_arena_new(ARENA_MAX);
    messages = calloc(1, sizeof(messages_t));

    assert_non_null(arena);
    assert_non_null(messages);

    alloc = tg_arena_allocator(arena);

    rc = tg_policy_compile(text, sizeof(text) - 1, &alloc, keep, messages,
                           &policy);
    assert_int_equal(rc, TG_ERR_REFUSED);
    assert_true(messages->n >= 5);

    for (i = 0; i < messages->n; i++) {
        assert_null(strpbrk(messages->items[i].text, "\033\n"));
        assert_null(strstr(messages->items[i].text, "\xc2\x9b"));

        if (i > 0) {
            assert_true(messages->items[i].line
                        >= messages->items[i - 1].line);
        }
    }

    free(messages);
    tg_arena_free(&arena);
}


/* A code has a case in the table, and no other code has one. */

static void
test_examples(void **state)
{
    size_t        i, j;
    yaml_node_t  *list, *item;
    const char   *code;
    bool          found[TGI_P_N] = { false };

    (void) state;

    list = cases_field(&table, table.root, "cases");

    for (i = 0; (item = cases_item(&table, list, i)) != NULL; i++) {
        code = cases_text(&table, item, "code", "");

        for (j = 0; j < TGI_P_N && strcmp(tgi_codes[j].code, code) != 0; j++) {
            /* void */
        }

        if (j == TGI_P_N) {
            fail_msg("there is no code %s", code);
        }

        found[j] = true;
    }

    for (j = 0; j < TGI_P_N; j++) {
        if (!found[j]) {
            fail_msg("%s has no case", tgi_codes[j].code);
        }
    }
}


/* Codes are in order, and each is one's own. */

static void
test_codes(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < TGI_P_N; i++) {
        assert_int_equal(strlen(tgi_codes[i].code), 4);
        assert_int_equal(tgi_codes[i].code[0], 'P');
        assert_non_null(tgi_codes[i].text);

        if (i > 0) {
            assert_true(strcmp(tgi_codes[i - 1].code, tgi_codes[i].code) < 0);
        }
    }
}


/* The page has a section for each code, in order, and for nothing else. */

static void
test_page(void **state)
{
    FILE    *file;
    char     line[256], heading[16];
    size_t   i;

    (void) state;

    file = fopen("docs/policy-errors.md", "rb");
    assert_non_null(file);

    i = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "### P", 5) != 0) {
            continue;
        }

        assert_true(i < TGI_P_N);

        (void) snprintf(heading, sizeof(heading), "### %s ",
                        tgi_codes[i].code);

        if (strncmp(line, heading, strlen(heading)) != 0) {
            fail_msg("%s is not where %s belongs", line, tgi_codes[i].code);
        }

        i++;
    }

    fclose(file);
    assert_int_equal(i, TGI_P_N);
}


int
main(void)
{
    int  failed;

    static const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_page)
    };

    cases_open(&table, "t/cases/policy-errors.yaml");

    failed = cases_run(&table, "policy errors", test_case);
    failed += cmocka_run_group_tests(tests, NULL, NULL);

    cases_close(&table);

    return failed;
}
