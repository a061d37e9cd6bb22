
/*
 * Copyright (C) The Tailgate authors
 *
 * The tests that a policy file brings along.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


static void
read_name(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    if (tgi_is_text(rd, node, "\"name\"")) {
        (void) tgi_copy(rd, node->text, &((tgi_test_t *) object)->name);
    }
}


static void
read_as(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    if (tgi_is_text(rd, node, "\"as\"")) {
        (void) tgi_copy(rd, node->text, &((tgi_test_t *) object)->as);
    }
}


/* "os=iOS" */

static bool
add_word(tgi_read_t *rd, tg_str_t key, tg_str_t value, tg_list_t *list)
{
    char  *p;

    p = tgi_new(rd, key.len + value.len + 2, 1);
    if (p == NULL) {
        return false;
    }

    memcpy(p, key.data, key.len);
    p[key.len] = '=';
    memcpy(p + key.len + 1, value.data, value.len);

    list->items[list->n].data = p;
    list->items[list->n].len = key.len + 1 + value.len;
    list->n++;

    return true;
}


static void
read_from(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t             n, count;
    tgi_test_t        *test;
    const tgi_yaml_t  *key, *item;

    test = object;

    if (!tgi_is_mapping(rd, node, "\"from\"")) {
        return;
    }

    for (n = 0, key = node->first; key != NULL; key = key->next) {
        count = tgi_count(rd, key);

        if (count == 0) {
            return;
        }

        n += count;
    }

    test->from.items = tgi_new(rd, n, sizeof(tg_str_t));
    if (test->from.items == NULL) {
        return;
    }

    for (key = node->first; key != NULL; key = key->next) {
        for (item = tgi_first(key); item != NULL; item = tgi_next(key, item)) {
            if (!add_word(rd, key->key, item->text, &test->from)) {
                return;
            }
        }
    }
}


static void
read_via(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_test_t  *test;

    test = object;

    if (!tgi_is_text(rd, node, "\"via\"")) {
        return;
    }

    if (strcmp(node->text.data, "direct") == 0) {
        test->via = TG_VIA_DIRECT;

    } else if (strcmp(node->text.data, "service") == 0) {
        test->via = TG_VIA_SERVICE;

    } else if (strcmp(node->text.data, "funnel") == 0) {
        test->via = TG_VIA_FUNNEL;

    } else if (tgi_is_service(node->text)) {
        test->via = TG_VIA_SERVICE;
        (void) tgi_copy(rd, node->text, &test->service);

    } else {
        tgi_tell(rd, TGI_P_VIA, node, node->text.data, NULL, NULL);
    }
}


static void
read_at(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_test_t  *test;

    test = object;
    test->has_at = tgi_check_time(rd, node, &test->at);
}


static void
read_request(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_error_t    error;
    tgi_test_t   *test;
    tg_request_t  request;

    test = object;

    if (!tgi_is_text(rd, node, "\"request\"")
        || !tgi_copy(rd, node->text, &test->request))
    {
        return;
    }

    switch (tg_request_parse(test->request, rd->scratch, &request, &error)) {

    case TG_OK:
        break;

    case TG_ERR_NOMEM:
        rd->messages.nomem = true;
        break;

    default:
        tgi_tell(rd, TGI_P_TEST_REQUEST, node, node->text.data, error.text,
                 NULL);
        break;
    }
}


static void
read_expect(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    uint32_t     verdict;
    tgi_test_t  *test;

    static const tgi_word_t  words[] = {
        { "allow", TG_ALLOW },
        { "deny", TG_DENY },
        { "unavailable", TG_UNAVAILABLE }
    };

    test = object;
    verdict = tgi_read_word(rd, node, words, 3);

    if (verdict != UINT32_MAX) {
        test->expect = (tg_verdict_t) verdict;
    }
}


/* Whether the rule is there: its number is the place in the list. */

static bool
is_rule(const tgi_rules_t *rules, size_t i, tg_str_t id)
{
    return i < rules->n && tgi_str_equal(rules->items[i]->id, id);
}


static bool
has_rule(const tgi_read_t *rd, tg_str_t id)
{
    size_t              i, number;
    uint32_t            index;
    tg_str_t            name;
    const tg_policy_t  *policy;
    const tgi_route_t  *route;

    static const tg_str_t  grants = TG_STR("grants");

    policy = rd->policy;

    if (tgi_str_equal(id, grants)) {
        return true;
    }

    /* "grafana.allow[1]" */

    for (i = id.len; i > 0 && id.data[i - 1] != '['; i--) { /* void */ }

    for (number = 0; i < id.len && number <= TG_POLICY_RULES_MAX; i++) {
        if (id.data[i] >= '0' && id.data[i] <= '9') {
            number = number * 10 + (size_t) (id.data[i] - '0');
        }
    }

    if (is_rule(&policy->always_deny, number, id)
        || is_rule(&policy->always_require, number, id))
    {
        return true;
    }

    name = id;

    while (name.len > 0 && name.data[--name.len] != '.') { /* void */ }

    index = tgi_map_get(&rd->routes, name);

    if (index == TGI_MAP_NONE) {
        return false;
    }

    route = &policy->routes[index];

    return is_rule(&route->allow, number, id)
           || is_rule(&route->deny, number, id)
           || is_rule(&route->require, number, id);
}


static void
read_rule(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_test_t  *test;

    test = object;

    if (tgi_is_text(rd, node, "\"rule\"")
        && tgi_copy(rd, node->text, &test->rule)
        && !has_rule(rd, test->rule))
    {
        tgi_tell(rd, TGI_P_TEST_RULE, node, node->text.data, NULL, NULL);
    }
}


static const tgi_key_t  test_keys[] = {
    { "name", NULL, read_name, false },
    { "as", NULL, read_as, true },
    { "from", NULL, read_from, false },
    { "via", NULL, read_via, false },
    { "at", NULL, read_at, false },
    { "request", NULL, read_request, true },
    { "expect", NULL, read_expect, true },
    { "rule", NULL, read_rule, false }
};

const tgi_keys_t  tgi_test_keys = {
    "a test", test_keys, sizeof(test_keys) / sizeof(test_keys[0])
};


/* Whether there is such a person; now has no part in it. */

static void
check_persona(tgi_read_t *rd, const tgi_yaml_t *node, const tgi_test_t *test)
{
    tg_peer_t   peer;
    tg_error_t  error;

    if (test->as.len == 0) {
        return;
    }

    switch (tg_persona(rd->policy, test->as, test->from.items, test->from.n,
                       0, rd->scratch, &peer, &error))
    {

    case TG_OK:
        break;

    case TG_ERR_NOMEM:
        rd->messages.nomem = true;
        break;

    default:
        tgi_tell(rd, TGI_P_TEST_PEER, node, error.text, NULL, NULL);
        break;
    }
}


void
tgi_read_tests(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    int                n;
    char               name[32];
    tg_str_t           text;
    tgi_test_t        *test;
    tg_policy_t       *policy;
    const tgi_yaml_t  *item;

    policy = object;

    if (!tgi_is_list(rd, node, "\"tests\"") || node->n == 0) {
        return;
    }

    policy->tests = tgi_new(rd, node->n, sizeof(tgi_test_t));
    if (policy->tests == NULL) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {

        n = snprintf(name, sizeof(name), "tests[%zu]", policy->ntests);
        text.data = name;
        text.len = (size_t) n;

        test = &policy->tests[policy->ntests++];
        test->line = item->value_line;
        test->column = item->value_column;

        if (!tgi_copy(rd, text, &test->name)) {
            return;
        }

        tgi_read_keys(rd, item, name, &tgi_test_keys, test);
        check_persona(rd, item, test);
    }
}
