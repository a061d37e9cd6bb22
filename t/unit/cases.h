
/*
 * Copyright (C) The Tailgate authors
 *
 * Tables of test cases in t/cases: YAML files that tests of every language
 * read.  Binaries run from the root of the source tree.
 */

#ifndef T_CASES_H_INCLUDED_
#define T_CASES_H_INCLUDED_

#include <tailgate/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yaml.h>


typedef struct {
    yaml_document_t   document;
    yaml_node_t      *root;
} cases_t;

/* The state of a test. */

typedef struct {
    cases_t      *cases;
    yaml_node_t  *node;
} case_t;


static inline void
cases_open(cases_t *cases, const char *path)
{
    FILE           *file;
    yaml_parser_t   parser;

    file = fopen(path, "rb");

    if (file == NULL || yaml_parser_initialize(&parser) != 1) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }

    yaml_parser_set_input_file(&parser, file);

    if (yaml_parser_load(&parser, &cases->document) != 1) {
        fprintf(stderr, "%s:%zu: %s\n", path, parser.problem_mark.line + 1,
                parser.problem);
        exit(1);
    }

    cases->root = yaml_document_get_root_node(&cases->document);

    yaml_parser_delete(&parser);
    fclose(file);
}


static inline void
cases_close(cases_t *cases)
{
    yaml_document_delete(&cases->document);
}


/* Item i of a sequence, NULL behind its end or if node is none. */

static inline yaml_node_t *
cases_item(cases_t *cases, yaml_node_t *node, size_t i)
{
    yaml_node_item_t  *item;

    if (node == NULL || node->type != YAML_SEQUENCE_NODE) {
        return NULL;
    }

    item = node->data.sequence.items.start + i;

    if (item >= node->data.sequence.items.top) {
        return NULL;
    }

    return yaml_document_get_node(&cases->document, *item);
}


/* Pair i of a mapping: its key, with the value in *value. */

static inline yaml_node_t *
cases_pair(cases_t *cases, yaml_node_t *node, size_t i, yaml_node_t **value)
{
    yaml_node_pair_t  *pair;

    if (node == NULL || node->type != YAML_MAPPING_NODE) {
        return NULL;
    }

    pair = node->data.mapping.pairs.start + i;

    if (pair >= node->data.mapping.pairs.top) {
        return NULL;
    }

    *value = yaml_document_get_node(&cases->document, pair->value);

    return yaml_document_get_node(&cases->document, pair->key);
}


/* libyaml ends every scalar with a NUL. */

static inline const char *
cases_scalar(yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE) {
        return NULL;
    }

    return (const char *) node->data.scalar.value;
}


static inline yaml_node_t *
cases_field(cases_t *cases, yaml_node_t *node, const char *name)
{
    size_t        i;
    yaml_node_t  *key, *value;

    for (i = 0; (key = cases_pair(cases, node, i, &value)) != NULL; i++) {
        if (strcmp(cases_scalar(key), name) == 0) {
            return value;
        }
    }

    return NULL;
}


/* The text of a field, or otherwise if it is not there. */

static inline const char *
cases_text(cases_t *cases, yaml_node_t *node, const char *name,
    const char *otherwise)
{
    const char  *text;

    text = cases_scalar(cases_field(cases, node, name));

    return text != NULL ? text : otherwise;
}


/* Runs test once for each item of "cases", under its name. */

static inline int
cases_run(cases_t *cases, const char *group, CMUnitTestFunction test)
{
    int                 failed;
    size_t              i, n;
    case_t             *states;
    yaml_node_t        *list;
    struct CMUnitTest  *tests;

    list = cases_field(cases, cases->root, "cases");

    for (n = 0; cases_item(cases, list, n) != NULL; n++) { /* void */ }

    states = calloc(n + 1, sizeof(case_t));
    tests = calloc(n + 1, sizeof(struct CMUnitTest));

    if (n == 0 || states == NULL || tests == NULL) {
        fprintf(stderr, "no cases for %s\n", group);
        exit(1);
    }

    for (i = 0; i < n; i++) {
        states[i].cases = cases;
        states[i].node = cases_item(cases, list, i);

        tests[i].name = cases_text(cases, states[i].node, "name", "unnamed");
        tests[i].test_func = test;
        tests[i].initial_state = &states[i];
    }

    failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);

    free(tests);
    free(states);

    return failed;
}


#endif /* T_CASES_H_INCLUDED_ */
