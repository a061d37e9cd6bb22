
/*
 * Copyright (C) The Tailgate authors
 *
 * "where": what the value of a capability has to be.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <string.h>


/* So many digits are exact in a double, whatever the locale. */

#define DIGITS_MAX  15


/* "-12.5"; no exponent, as nobody writes one in a policy. */

static bool
parse_number(const char *text, double *number)
{
    int     digits;
    bool    minus, point;
    double  value, scale;

    minus = (*text == '-');
    text += minus;

    value = 0;
    scale = 1;
    point = false;

    for (digits = 0; *text != '\0'; text++) {

        if (*text == '.' && !point && digits > 0) {
            point = true;
            continue;
        }

        if (*text < '0' || *text > '9' || ++digits > DIGITS_MAX) {
            return false;
        }

        value = value * 10 + (*text - '0');
        scale *= point ? 10 : 1;
    }

    *number = (minus ? -value : value) / scale;

    return digits > 0 && text[-1] != '.';
}


/* ">= 3"; false if it is none. */

static bool
parse_comparison(const char *text, tgi_where_value_t *value)
{
    size_t  len;

    len = tgi_op_parse(text, &value->op);

    if (len == 0) {
        return false;
    }

    text += len;
    text += strspn(text, " ");

    if (!parse_number(text, &value->number)) {
        return false;
    }

    value->kind = TGI_WHERE_NUMBER;

    return true;
}


static bool
read_scalar(tgi_read_t *rd, const tgi_yaml_t *item, tgi_where_value_t *value)
{
    tgi_op_t  op;

    if (!tgi_is_text(rd, item, "a value of \"where\"")) {
        return false;
    }

    if (parse_comparison(item->text.data, value)) {
        return tgi_copy(rd, item->text, &value->text);
    }

    if (tgi_op_parse(item->text.data, &op) != 0) {
        tgi_tell(rd, TGI_P_WHERE, item, item->text.data,
                 "write a number behind the sign, or { equals: ... }", NULL);
        return false;
    }

    if (strchr(item->text.data, '*') != NULL) {
        value->kind = TGI_WHERE_GLOB;

    } else {
        value->kind = item->plain ? TGI_WHERE_EQUALS : TGI_WHERE_TEXT;
    }

    return tgi_copy(rd, item->text, &value->text);
}


static void
read_equals(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_where_value_t  *value;

    value = object;

    if (tgi_is_text(rd, node, "\"equals\"")) {
        value->kind = node->plain ? TGI_WHERE_EQUALS : TGI_WHERE_TEXT;
        (void) tgi_copy(rd, node->text, &value->text);
    }
}


static void
read_glob(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_where_value_t  *value;

    value = object;

    if (tgi_is_text(rd, node, "\"glob\"")) {
        value->kind = TGI_WHERE_GLOB;
        (void) tgi_copy(rd, node->text, &value->text);
    }
}


static void
read_present(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    uint32_t            kind;
    tgi_where_value_t  *value;

    static const tgi_word_t  words[] = {
        { "true", TGI_WHERE_PRESENT },
        { "false", TGI_WHERE_ABSENT }
    };

    value = object;
    kind = tgi_read_word(rd, node, words, 2);

    if (kind != UINT32_MAX) {
        value->kind = (tgi_where_kind_t) kind;
    }
}


static const tgi_key_t  where_keys[] = {
    { "equals", NULL, read_equals, false },
    { "glob", NULL, read_glob, false },
    { "present", NULL, read_present, false }
};

const tgi_keys_t  tgi_where_keys = {
    "a comparison", where_keys, sizeof(where_keys) / sizeof(where_keys[0])
};


static bool
read_value(tgi_read_t *rd, const tgi_yaml_t *item, tgi_where_value_t *value)
{
    size_t  errors;

    if (item->kind != TGI_YAML_MAPPING) {
        return read_scalar(rd, item, value);
    }

    if (item->n != 1) {
        tgi_tell(rd, TGI_P_WHERE, item, item->n ? item->first->key.data : "{}",
                 "write one of equals, glob and present", NULL);
        return false;
    }

    errors = rd->messages.errors;

    tgi_read_keys(rd, item, "a comparison", &tgi_where_keys, value);

    return errors == rd->messages.errors;
}


static void
read_field(tgi_read_t *rd, const tgi_yaml_t *node, tgi_where_t *where)
{
    size_t             n;
    const tgi_yaml_t  *item;

    n = node->kind == TGI_YAML_SEQUENCE ? node->n : 1;

    if (n == 0) {
        tgi_tell(rd, TGI_P_EMPTY, node, "a field of \"where\"", NULL, NULL);
        return;
    }

    where->values = tgi_new(rd, n, sizeof(tgi_where_value_t));

    if (where->values == NULL || !tgi_copy(rd, node->key, &where->field)) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {
        if (read_value(rd, item, &where->values[where->nvalues])) {
            where->nvalues++;
        }
    }
}


void
tgi_read_where(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t         *rule;
    const tgi_yaml_t  *item;

    rule = object;

    if (!tgi_is_mapping(rd, node, "\"where\"")) {
        return;
    }

    if (node->n == 0) {
        tgi_tell(rd, TGI_P_EMPTY, node, "\"where\"", NULL, NULL);
        return;
    }

    if (!(rule->conditions & TGI_IF_CAPABILITY)) {
        tgi_messages_add(&rd->messages, TGI_P_WHERE_ALONE, tgi_place(node),
                         NULL, NULL, NULL);
    }

    rule->where = tgi_new(rd, node->n, sizeof(tgi_where_t));
    if (rule->where == NULL) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {
        read_field(rd, item, &rule->where[rule->nwhere++]);
    }
}
