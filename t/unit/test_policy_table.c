
/*
 * Copyright (C) The Tailgate authors
 *
 * The decision table, t/policy/<name>.yaml, by the library itself.  The other
 * three ways are in t/policy; t/policy/table.py describes a case.
 */

#include <tailgate/policy.h>

#include "t/unit/cases.h"

#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <time.h>


#define RULES_MAX  32
#define WORDS_MAX  32
#define TEXT_MAX   16384


/* What a case becomes. */

typedef struct {
    tg_policy_t            *file;
    tg_inline_t            *inline_rules;
    const tg_gate_rules_t  *gate;
    tg_self_t               self;
    tg_identity_t           identity;
    tg_caps_t              *caps;
    tg_peer_t               peer;
    tg_request_t            request;
} question_t;


static cases_t      peers;         /* t/cases/peers.yaml */
static tg_arena_t  *arena;
static tg_alloc_t   alloc;
static json_t      *answer;        /* the case's, here to be freed by the next
                                      one if it fails */
static time_t       started;       /* the time of all cases */

static const char *const  verdicts[] = {
    [TG_ALLOW] = "allow",
    [TG_DENY] = "deny",
    [TG_UNAVAILABLE] = "unavailable"
};


static tg_str_t
str(const char *text)
{
    tg_str_t  s = { text, strlen(text) };

    return s;
}


static char *
copy_part(const char *text, size_t len)
{
    char  *copy;

    copy = tg_arena_alloc(arena, len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len);

    return copy;
}


/* "now-1h": writes a time as RFC 3339 has it; the unit is one of "smhd". */

static size_t
write_time(const char *word, char *buf, size_t size)
{
    char       *unit;
    time_t      when;
    intmax_t    n;
    struct tm   tm;

    assert_int_equal(strncmp(word, "now", 3), 0);

    n = strtoimax(word + 3, &unit, 10);
    assert_true(*unit == 's' || *unit == 'm' || *unit == 'h' || *unit == 'd');

    n *= *unit == 's' ? 1 : *unit == 'm' ? 60 : *unit == 'h' ? 3600 : 86400;
    when = started + (time_t) n;

    return strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &tm));
}


static const char *
find_time(const char *text)
{
    for ( ;; ) {
        text = strstr(text, "@now");

        if (text == NULL || text[4] == '+' || text[4] == '-') {
            return text;
        }

        text++;
    }
}


/* text with each @now-1h@ in it made a time. */

static const char *
expand(const char *text)
{
    char         buf[TEXT_MAX];
    size_t       len;
    const char  *at;

    for (len = 0; (at = find_time(text)) != NULL; ) {
        assert_true((size_t) (at - text) < sizeof(buf) - len - 32);

        memcpy(buf + len, text, (size_t) (at - text));
        len += (size_t) (at - text);
        len += write_time(at + 1, buf + len, sizeof(buf) - len);

        text = strchr(at + 1, '@');
        assert_non_null(text);
        text++;
    }

    assert_true(strlen(text) < sizeof(buf) - len);
    memcpy(buf + len, text, strlen(text));

    return copy_part(buf, len + strlen(text));
}


/* The object that holds the last part of path, which is in *key. */

static json_t *
find_parent(json_t *object, const char *path, const char **key)
{
    const char  *dot;

    while ((dot = strchr(path, '.')) != NULL) {
        object = json_object_get(object,
                                 copy_part(path, (size_t) (dot - path)));
        assert_non_null(object);
        path = dot + 1;
    }

    *key = path;

    return object;
}


/* What "set" and "remove" of a peer or a case change in the answer. */

static void
edit_answer(cases_t *cases, yaml_node_t *node)
{
    size_t        i;
    json_t       *parent, *value;
    const char   *key;
    yaml_node_t  *edits, *path, *to;

    edits = cases_field(cases, node, "set");

    for (i = 0; (path = cases_pair(cases, edits, i, &to)) != NULL; i++) {
        value = json_loads(expand(cases_scalar(to)), JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        parent = find_parent(answer, cases_scalar(path), &key);
        json_object_set_new(parent, key, value);
    }

    edits = cases_field(cases, node, "remove");

    for (i = 0; (path = cases_item(cases, edits, i)) != NULL; i++) {
        parent = find_parent(answer, cases_scalar(path), &key);
        json_object_del(parent, key);
    }
}


/* The body of the answer about the peer of a case; NULL without one. */

static const char *
make_answer(case_t *item, yaml_node_t **peer)
{
    char         *text;
    const char   *name;
    yaml_node_t  *node;

    json_decref(answer);
    answer = NULL;

    name = cases_text(item->cases, item->node, "peer", "none");
    node = cases_field(&peers, cases_field(&peers, peers.root, "peers"), name);
    assert_non_null(node);
    *peer = node;

    name = cases_text(&peers, node, "answer", NULL);

    if (name == NULL) {
        return NULL;
    }

    answer = json_loads(cases_text(&peers, cases_field(&peers, peers.root,
                                                       "answers"), name, ""),
                        0, NULL);
    assert_non_null(answer);

    edit_answer(&peers, node);
    edit_answer(item->cases, item->node);

    text = json_dumps(answer, 0);
    assert_non_null(text);
    name = copy_part(text, strlen(text));
    free(text);

    return name;
}


static void
make_peer(case_t *item, question_t *q)
{
    int           code;
    const char   *body, *text;
    tg_error_t    error;
    yaml_node_t  *node;

    text = cases_text(&peers, peers.root, "self", "");
    assert_int_equal(tg_status_parse(text, strlen(text), &alloc, &q->self,
                                     &error),
                     TG_OK);

    body = make_answer(item, &node);
    text = cases_text(&peers, node, "code", "200");
    code = (int) strtoumax(text, NULL, 10);

    q->peer.self = &q->self;
    q->peer.status = tg_whois_status(code, body, body ? strlen(body) : 0,
                                     &q->self, started, &alloc, &q->identity,
                                     &error);

    if (q->peer.status >= TG_STATUS_MEMBER
        && q->peer.status <= TG_STATUS_UNSIGNED)
    {
        assert_int_equal(tg_caps_parse(q->identity.caps, &alloc, &q->caps),
                         TG_OK);
        q->peer.identity = &q->identity;
        q->peer.caps = q->caps;
    }
}


static void
take_message(void *ctx, const tg_policy_message_t *message)
{
    size_t  *errors = ctx;

    if (message->severity == TG_POLICY_ERROR) {
        (*errors)++;
        print_error("%zu:%zu: %s: %s\n", message->line, message->column,
                    message->code, message->text);
    }
}


static void
make_file(case_t *item, question_t *q)
{
    size_t        errors;
    const char   *name, *text;
    yaml_node_t  *list;

    name = cases_text(item->cases, item->node, "policy", NULL);

    if (name == NULL) {
        return;
    }

    list = cases_field(item->cases, item->cases->root, "policies");
    text = cases_text(item->cases, list, name, NULL);
    assert_non_null(text);

    text = expand(text);
    errors = 0;

    assert_int_equal(tg_policy_compile(text, strlen(text), &alloc,
                                       take_message, &errors, &q->file),
                     TG_OK);
    assert_int_equal(errors, 0);
}


/* The words of a line; "..." holds blanks. */

static size_t
split_words(const char *line, tg_str_t words[WORDS_MAX])
{
    size_t       n;
    const char  *end;

    for (n = 0; *line != '\0'; line = *end == '\0' ? end : end + 1) {
        assert_true(n < WORDS_MAX);

        if (*line == '"') {
            end = strchr(++line, '"');
            assert_non_null(end);

        } else {
            end = line + strcspn(line, " ");
        }

        if (end > line) {
            words[n++] = str(copy_part(line, (size_t) (end - line)));
        }
    }

    return n;
}


static tg_rule_t *
make_rule(const char *line, size_t counts[3])
{
    char         id[64];
    size_t       n;
    tg_str_t     words[WORDS_MAX];
    tg_rule_t   *rule;
    tg_error_t   error;

    static const char *const  kinds[] = {
        [TG_RULE_ALLOW] = "allow",
        [TG_RULE_DENY] = "deny",
        [TG_RULE_REQUIRE] = "require"
    };
    tg_rule_kind_t  kind;

    n = split_words(expand(line), words);
    assert_true(n >= 2);

    for (kind = TG_RULE_ALLOW; strcmp(words[0].data, kinds[kind]) != 0; ) {
        assert_int_not_equal(kind, TG_RULE_REQUIRE);
        kind++;
    }

    snprintf(id, sizeof(id), "inline.%s[%zu]", kinds[kind], counts[kind]++);

    if (tg_rule_parse(kind, words + 1, n - 1, str(id), &alloc, &rule, &error)
        != TG_OK)
    {
        fail_msg("%s: %s", line, error.text);
    }

    return rule;
}


static void
make_inline(case_t *item, question_t *q)
{
    bool              raw_path;
    size_t            i, n, counts[3] = { 0, 0, 0 };
    const char       *name, *line;
    tg_error_t        error;
    yaml_node_t      *list, *node;
    const tg_rule_t  *rules[RULES_MAX];

    name = cases_text(item->cases, item->node, "inline", NULL);

    if (name == NULL) {
        return;
    }

    list = cases_field(item->cases, item->cases->root, "inline");
    list = cases_field(item->cases, list, name);
    assert_non_null(list);

    raw_path = false;
    n = 0;

    for (i = 0; (node = cases_item(item->cases, list, i)) != NULL; i++) {
        line = cases_scalar(node);

        if (strcmp(line, "raw_path allow") == 0) {
            raw_path = true;
            continue;
        }

        assert_true(n < RULES_MAX);
        rules[n++] = make_rule(line, counts);
    }

    if (tg_inline_compile(rules, n, raw_path, q->file, &alloc,
                          &q->inline_rules, &error)
        != TG_OK)
    {
        fail_msg("%s: %s", name, error.text);
    }
}


/* "GET https://wiki/x?y", or "GET /x" for a request without a host. */

static void
make_request(case_t *item, question_t *q)
{
    size_t        i;
    const char   *text, *end;
    yaml_node_t  *headers, *name, *value;

    text = cases_text(item->cases, item->node, "request", "");
    end = strchr(text, ' ');
    assert_non_null(end);

    q->request.method = str(copy_part(text, (size_t) (end - text)));
    q->request.now = started;
    text = end + 1;

    if (*text != '/') {
        text = strstr(text, "://");
        assert_non_null(text);
        text += strlen("://");
        end = strchr(text, '/');
        assert_non_null(end);

        q->request.host = str(copy_part(text, (size_t) (end - text)));
        text = end;
    }

    q->request.raw_path = str(copy_part(text, strcspn(text, "?")));

    /* one that nginx refuses has no path */

    if (tg_path_normalize(q->request.raw_path, &alloc, &q->request.path)
        != TG_OK)
    {
        q->request.path = str("");
    }

    text = cases_text(item->cases, item->node, "via", NULL);

    if (text != NULL) {
        q->request.via = TG_VIA_SERVICE;
        q->request.service = str(text);
    }

    headers = cases_field(item->cases, item->node, "headers");

    for (i = 0; (name = cases_pair(item->cases, headers, i, &value)) != NULL;
         i++)
    {
        text = cases_scalar(name);
        q->request.method_override |= tg_is_method_override(text,
                                                            strlen(text));
    }
}


static void
assert_text(const char *what, tg_str_t given, const char *expected)
{
    if (given.len != strlen(expected)
        || (given.len > 0 && memcmp(given.data, expected, given.len) != 0))
    {
        fail_msg("%s is \"%.*s\", not \"%s\"", what, (int) given.len,
                 given.data, expected);
    }
}


static void
judge(case_t *item, const tg_decision_t *decision)
{
    const char  *text;

    assert_text("the decision", str(verdicts[decision->verdict]),
                cases_text(item->cases, item->node, "expect", "?"));

    text = cases_text(item->cases, item->node, "rule", NULL);

    if (text != NULL) {
        assert_text("the rule", decision->rule, text);
    }

    text = cases_text(item->cases, item->node, "reason", NULL);

    if (text != NULL) {
        assert_text("the reason", str(tg_policy_reason_name(decision->reason)),
                    text);
    }

    assert_non_null(decision->text);
}


/* The value of a header of the route that decided; empty for none. */

static tg_str_t
header_value(const question_t *q, const tg_decision_t *decision,
    const char *name)
{
    size_t                     i;
    tg_str_t                   value, given;
    const tg_policy_header_t  *header;

    if (decision->route_index == SIZE_MAX) {
        return str("");
    }

    for (i = 0; i < tg_policy_nheaders(q->file, decision->route_index); i++) {
        header = tg_policy_header(q->file, decision->route_index, i);
        given = tg_policy_header_name(header);

        if (given.len == strlen(name)
            && memcmp(given.data, name, given.len) == 0
            && tg_policy_header_value(q->file, header, &q->peer, &q->request,
                                      &alloc, &value) == TG_OK)
        {
            return value;
        }
    }

    return str("");
}


static void
judge_headers(case_t *item, const question_t *q,
    const tg_decision_t *decision)
{
    size_t        i;
    const char   *text;
    yaml_node_t  *gives, *name, *value;

    gives = cases_field(item->cases, item->node, "gives");

    for (i = 0; (name = cases_pair(item->cases, gives, i, &value)) != NULL;
         i++)
    {
        text = cases_scalar(name);
        assert_text(text, header_value(q, decision, text),
                    cases_scalar(value));
    }
}


/* The rule that decides is among those explained, and is the only one. */

static void
judge_explained(const tg_explanation_t *explanation)
{
    size_t    i, n;
    tg_str_t  rule, decided;

    decided = explanation->decision.rule;

    for (i = n = 0; i < explanation->nrules; i++) {
        rule = explanation->rules[i].rule;

        if (explanation->rules[i].decides) {
            n++;
            assert_int_equal(rule.len, decided.len);
            assert_memory_equal(rule.data, decided.data, rule.len);
        }
    }

    assert_true(n <= 1);
    assert_true(n == 1 || decided.len == 0 || memcmp(decided.data, "grants",
                                                     decided.len) == 0);
}


static void
test_case(void **state)
{
    case_t            *item = *state;
    question_t         q;
    tg_decision_t      decision;
    tg_explanation_t   explanation;

    static const tg_gate_rules_t  gate = { .peers = TG_TRAIT_MEMBER };

    tg_arena_reset(arena);
    memset(&q, 0, sizeof(q));

    q.gate = &gate;
    make_peer(item, &q);
    make_file(item, &q);
    make_inline(item, &q);
    make_request(item, &q);

    tg_policy_decide(q.file, q.inline_rules, q.gate, &q.peer, &q.request,
                     &decision);
    judge(item, &decision);
    judge_headers(item, &q, &decision);

    assert_int_equal(tg_policy_explain(q.file, q.inline_rules, q.gate,
                                       &q.peer, &q.request, &alloc,
                                       &explanation),
                     TG_OK);
    judge(item, &explanation.decision);
    judge_explained(&explanation);
}


int
main(void)
{
    int      failed;
    glob_t   paths;
    size_t   i;
    cases_t  cases;

    started = time(NULL);
    arena = tg_arena_new(16 * 1024 * 1024);

    if (arena == NULL || glob("t/policy/*.yaml", 0, NULL, &paths) != 0) {
        return 1;
    }

    alloc = tg_arena_allocator(arena);
    cases_open(&peers, "t/cases/peers.yaml");

    for (i = 0, failed = 0; i < paths.gl_pathc; i++) {
        cases_open(&cases, paths.gl_pathv[i]);
        failed += cases_run(&cases, paths.gl_pathv[i], test_case);
        cases_close(&cases);
    }

    cases_close(&peers);
    globfree(&paths);
    json_decref(answer);
    tg_arena_free(&arena);

    return failed != 0;
}
