
/*
 * Copyright (C) The Tailgate authors
 *
 * Whom to ask about: t/cases/source.yaml.
 */

#include <tailgate/gate.h>

#include "t/unit/cases.h"


#define LIST_MAX  8


typedef struct {
    tg_source_t        source;
    tg_source_rules_t  rules;
    tg_self_t          self;
    tg_addr_t          addrs[LIST_MAX];
    tg_cidr_t          trusted[LIST_MAX];
    tg_service_t       services[LIST_MAX];
} input_t;


static const char *const  asks[] = {
    [TG_ASK_WHOIS] = "whois",
    [TG_ASK_SELF] = "self",
    [TG_ASK_NOBODY] = "nobody"
};

static const char *const  reasons[] = {
    [TG_REASON_NONE] = "",
    [TG_REASON_UNIX_LISTENER] = "unix_listener",
    [TG_REASON_UNTRUSTED_FORWARDER] = "untrusted_forwarder",
    [TG_REASON_NO_FORWARDED_ADDR] = "no_forwarded_addr",
    [TG_REASON_FOREIGN_LOCAL_ADDR] = "foreign_local_addr",
    [TG_REASON_WRONG_INTERFACE] = "wrong_interface",
    [TG_REASON_NOT_TAILNET] = "not_tailnet",
    [TG_REASON_NO_PORT] = "no_port",
    [TG_REASON_BAD_ADDRESS] = "bad_address"
};


/* What cannot be read is not known, as callers do it. */

static tg_addr_t
read_addr(const char *text)
{
    tg_addr_t  addr;

    memset(&addr, 0, sizeof(tg_addr_t));

    if (text != NULL && strcmp(text, "unix:") == 0) {
        addr.family = TG_ADDR_UNIX;

    } else if (text != NULL) {
        (void) tg_addr_parse(&addr, text, strlen(text));
    }

    return addr;
}


static void
read_trusted(cases_t *cases, yaml_node_t *node, input_t *input)
{
    size_t       i;
    const char  *text;

    node = cases_field(cases, node, "trusted");

    for (i = 0; (text = cases_scalar(cases_item(cases, node, i))) != NULL; i++)
    {
        if (strcmp(text, "unix:") == 0) {
            input->rules.trusted_unix = true;
            continue;
        }

        assert_true(input->rules.ntrusted < LIST_MAX);
        assert_int_equal(tg_cidr_parse(&input->trusted[input->rules.ntrusted],
                                       text, strlen(text)),
                         TG_OK);
        input->rules.ntrusted++;
    }

    input->rules.trusted = input->trusted;
}


static void
read_services(cases_t *cases, yaml_node_t *node, input_t *input)
{
    size_t         i;
    yaml_node_t   *key, *value;
    tg_service_t  *service;

    node = cases_field(cases, node, "services");

    for (i = 0; (key = cases_pair(cases, node, i, &value)) != NULL; i++) {
        assert_true(i < LIST_MAX);
        service = &input->services[i];
        service->name.data = cases_scalar(key);
        service->name.len = strlen(service->name.data);
        service->addr = read_addr(cases_scalar(value));
    }

    input->rules.services = input->services;
    input->rules.nservices = i;
}


static void
read_self(cases_t *cases, yaml_node_t *node, input_t *input)
{
    size_t        i;
    const char   *state, *text;
    yaml_node_t  *addrs;

    state = cases_text(cases, node, "self", "running");

    if (strcmp(state, "unknown") == 0) {
        return;
    }

    input->rules.self = &input->self;
    input->self.running = strcmp(state, "running") == 0;

    if (strcmp(state, "starting") == 0) {
        return;
    }

    addrs = cases_field(cases, cases->root, "self");

    for (i = 0; (text = cases_scalar(cases_item(cases, addrs, i))) != NULL;
         i++)
    {
        assert_true(i < LIST_MAX);
        input->addrs[i] = read_addr(text);
    }

    assert_int_not_equal(i, 0);

    input->self.addrs = input->addrs;
    input->self.naddrs = i;
}


static void
read_input(cases_t *cases, yaml_node_t *node, input_t *input)
{
    const char  *forwarded;

    memset(input, 0, sizeof(input_t));

    forwarded = cases_text(cases, node, "forwarded", NULL);

    input->source.peer = read_addr(cases_text(cases, node, "peer", NULL));
    input->source.local = read_addr(cases_text(cases, node, "local", NULL));
    input->source.proxied = read_addr(cases_text(cases, node, "proxied",
                                                 NULL));
    input->source.forwarded = read_addr(forwarded);
    input->source.rewritten = forwarded != NULL;
    input->source.proxy_listener =
                   cases_text(cases, node, "proxy_listener", NULL) != NULL;
    input->source.wrong_interface =
                   cases_text(cases, node, "interface", NULL) != NULL;
    input->rules.no_local_rule =
                   cases_text(cases, node, "local_rule", NULL) != NULL;

    read_trusted(cases, node, input);
    read_services(cases, node, input);
    read_self(cases, node, input);
}


static void
check_question(cases_t *cases, yaml_node_t *node, const input_t *input)
{
    char           text[TG_ADDR_TEXT_MAX];
    char           service[64];
    const char    *with_port;
    tg_question_t  question;

    tg_source_question(&input->source, &input->rules, &question);

    with_port = cases_text(cases, node, "with_port", "false");

    assert_string_equal(asks[question.ask],
                        cases_text(cases, node, "ask", NULL));
    assert_string_equal(reasons[question.reason],
                        cases_text(cases, node, "reason", ""));

    if (question.ask != TG_ASK_WHOIS) {
        return;
    }

    assert_string_equal(question.with_port ? "true" : "false", with_port);

    (void) tg_addr_format(&question.addr, question.with_port, text);
    assert_string_equal(text, cases_text(cases, node, "addr", NULL));

    snprintf(service, sizeof(service), "%.*s", (int) question.service.len,
             question.service.len > 0 ? question.service.data : "");
    assert_string_equal(service, cases_text(cases, node, "service", ""));
}


static void
test_case(void **state)
{
    case_t   *item;
    input_t   input;

    item = *state;

    read_input(item->cases, item->node, &input);
    check_question(item->cases, item->node, &input);
}


/* Every reason is one sentence of its own. */

static void
test_reason_texts(void **state)
{
    int  i, j;

    (void) state;

    for (i = TG_REASON_NONE; i <= TG_REASON_BAD_ADDRESS; i++) {
        for (j = TG_REASON_NONE; j < i; j++) {
            assert_string_not_equal(tg_reason_text((tg_reason_t) i),
                                    tg_reason_text((tg_reason_t) j));
        }
    }

    assert_string_equal(tg_reason_text((tg_reason_t) 99),
                        tg_reason_text(TG_REASON_NONE));
}


/* A family that nobody has heard of. */

static void
test_unknown_family(void **state)
{
    input_t        input;
    tg_question_t  question;

    (void) state;

    memset(&input, 0, sizeof(input));
    input.source.peer.family = 77;
    input.rules.no_local_rule = true;

    tg_source_question(&input.source, &input.rules, &question);

    assert_int_equal(question.ask, TG_ASK_NOBODY);
    assert_int_equal(question.reason, TG_REASON_BAD_ADDRESS);
}


int
main(void)
{
    int      failed;
    cases_t  cases;

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_reason_texts),
        cmocka_unit_test(test_unknown_family)
    };

    cases_open(&cases, "t/cases/source.yaml");

    failed = cases_run(&cases, "source cases", test_case);
    failed += cmocka_run_group_tests_name("source", tests, NULL, NULL);

    cases_close(&cases);

    return failed != 0;
}
