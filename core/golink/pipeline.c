
/*
 * Copyright (C) The Tailgate authors
 *
 * Templates: pipelines, commands and their operands.
 */

#include "core/golink/parse.h"

#include "core/base/base.h"
#include "core/golink/literal.h"

#include <string.h>


static bool
word_is(tg_str_t word, const char *name)
{
    return word.len == strlen(name) && memcmp(word.data, name, word.len) == 0;
}


static int
find_var(const link_parser_t *p, tg_str_t name, uint8_t *slot)
{
    size_t  i;

    for (i = p->nvars; i > 0; i--) {
        if (tgi_str_equal(p->vars[i - 1], name)) {
            *slot = p->slots[i - 1];
            return TG_OK;
        }
    }

    return TG_ERR_ABSENT;
}


static int
declare(link_parser_t *p, tg_str_t name, size_t pos, uint8_t *slot)
{
    if (p->nvars == LINK_VARS_MAX || p->tree->nvars == LINK_VARS_MAX) {
        return tgi_link_refuse(p, pos, TG_LINK_STEPS,
                               "\"%s\" is one variable too many",
                               tgi_link_name(p, name));
    }

    *slot = (uint8_t) p->tree->nvars++;

    p->vars[p->nvars] = name;
    p->slots[p->nvars++] = *slot;

    return TG_OK;
}


/* Fields, in the range of what a base has. */

static int
find_field(link_parser_t *p, tg_str_t name, bool whole, size_t pos, int *field)
{
    int  i;

    for (i = 0; i < LINK_NFIELDS; i++) {
        if (word_is(name, tgi_link_fields[i].name)) {
            break;
        }
    }

    *field = i;

    if (i < LINK_NFIELDS && (i < FIELD_FORMAT) == whole) {
        return TG_OK;
    }

    if (i < FIELD_FORMAT) {
        return tgi_link_refuse(p, pos, TG_ERR_REFUSED,
                               "\".%s\" is not to be had of a value: in a"
                               " with, write \"$.\" before it",
                               tgi_link_name(p, name));
    }

    return tgi_link_refuse(p, pos, TG_ERR_REFUSED,
                           whole ? "field \".%s\" is not accepted: there are"
                                   " .Path, .User, .Now, .Segment and .Query"
                                 : "field \".%s\" is not accepted: a time"
                                   " has Format, Year, Month, Day, Hour,"
                                   " Minute, Weekday, Unix and AddDate",
                               tgi_link_name(p, name));
}


/* One field or method of *index, or of the whole if that is 0. */

static int
apply_field(link_parser_t *p, tg_str_t name, size_t pos, uint32_t *index)
{
    int          rc, field;
    uint32_t     made;
    link_node_t  *base;

    base = *index != 0 ? &p->tree->nodes[*index] : NULL;

    rc = find_field(p, name, base == NULL, pos, &field);
    if (rc != TG_OK) {
        return rc;
    }

    /* only the last one of a chain can be given arguments */

    if (base != NULL && (base->kind == NODE_FIELD || base->kind == NODE_METHOD)
        && base->op != FIELD_NOW)
    {
        return tgi_link_refuse(p, pos, TG_ERR_TYPE,
                               "field \".%s\" is of no time",
                               tgi_link_name(p, name));
    }

    rc = tgi_link_node(p, base == NULL ? NODE_FIELD : NODE_METHOD, pos, &made);
    if (rc != TG_OK) {
        return rc;
    }

    p->tree->nodes[made].op = (uint8_t) field;
    p->tree->nodes[made].a = *index;

    if (base == NULL) {
        p->tree->flags |= field == FIELD_USER ? TG_LINK_NEEDS_USER : 0;
        p->tree->flags |= field == FIELD_NOW ? TG_LINK_NEEDS_NOW : 0;
        p->tree->flags |= field == FIELD_QUERY ? TG_LINK_NEEDS_QUERY : 0;
    }

    *index = made;

    return TG_OK;
}


static int
parse_string(link_parser_t *p, uint32_t index)
{
    int           rc;
    size_t        len;
    link_tree_t  *tree;

    tree = p->tree;

    rc = tgi_link_unquote(p->token.text, tree->text + tree->text_len, &len);
    if (rc != TG_OK) {
        return tgi_link_refuse(p, p->token.pos, rc,
                               rc == TG_ERR_SYNTAX
                               ? "%s has an escape that is none"
                               : "%s is not UTF-8",
                               tgi_link_name(p, p->token.text));
    }

    tree->nodes[index].kind = NODE_STRING;
    tgi_link_keep(p, index, tree->text + tree->text_len, len);

    return TG_OK;
}


static int
parse_number(link_parser_t *p, uint32_t index)
{
    int           rc;
    bool          real;
    uint32_t      c;
    link_node_t  *node;

    node = &p->tree->nodes[index];
    node->kind = NODE_INT;

    if (p->token.type == TOKEN_CHAR) {
        rc = tgi_link_unquote_char(p->token.text, &c);
        node->u.integer = c;

    } else {
        double   fraction;
        int64_t  integer;

        rc = tgi_link_number(p->token.text, &real, &integer, &fraction);

        if (rc == TG_OK && real) {
            node->kind = NODE_FLOAT;
            node->u.real = fraction;

        } else if (rc == TG_OK) {
            node->u.integer = integer;
        }
    }

    if (rc != TG_OK) {
        return tgi_link_refuse(p, p->token.pos, TG_ERR_SYNTAX,
                               "%s is no number that is accepted",
                               tgi_link_name(p, p->token.text));
    }

    return TG_OK;
}


/* A function, or one of the words that mean a value. */

static int
parse_word(link_parser_t *p, uint32_t index)
{
    int           i;
    size_t        n;
    link_node_t  *node;

    static const char  *const  actions[] = {
        "range", "define", "template", "block", "break", "continue"
    };

    node = &p->tree->nodes[index];

    if (word_is(p->token.text, "true") || word_is(p->token.text, "false")) {
        node->kind = NODE_BOOL;
        node->u.truth = word_is(p->token.text, "true");
        return TG_OK;
    }

    if (word_is(p->token.text, "nil")) {
        node->kind = NODE_NIL;
        return TG_OK;
    }

    for (i = 0; i < LINK_NFUNCS; i++) {
        if (word_is(p->token.text, tgi_link_funcs[i].name)) {
            node->kind = NODE_FUNC;
            node->op = (uint8_t) i;
            return TG_OK;
        }
    }

    for (n = 0; n < sizeof(actions) / sizeof(actions[0]); n++) {
        if (word_is(p->token.text, actions[n])) {
            return tgi_link_refuse(p, p->token.pos, TG_ERR_REFUSED,
                                   "action \"%s\" is not accepted: there"
                                   " are if, with, else and end",
                                   tgi_link_name(p, p->token.text));
        }
    }

    if (word_is(p->token.text, "if") || word_is(p->token.text, "with")
        || word_is(p->token.text, "else") || word_is(p->token.text, "end"))
    {
        return tgi_link_unexpected(p, "a value");
    }

    return tgi_link_refuse(p, p->token.pos, TG_ERR_REFUSED,
                           "function \"%s\" is not accepted: there are"
                           " PathEscape, QueryEscape, TrimPrefix, TrimSuffix,"
                           " ToLower, ToUpper, Match and some of Go's",
                           tgi_link_name(p, p->token.text));
}


static int
parse_var(link_parser_t *p, uint32_t *index)
{
    int       rc;
    uint8_t   slot;
    tg_str_t  name;

    name = p->token.text;

    if (name.len == 1) {
        *index = 0;
        return TG_OK;
    }

    if (find_var(p, name, &slot) != TG_OK) {
        return tgi_link_refuse(p, p->token.pos, TG_ERR_SYNTAX,
                               "variable \"%s\" is not defined",
                               tgi_link_name(p, name));
    }

    rc = tgi_link_node(p, NODE_VAR, p->token.pos, index);
    if (rc == TG_OK) {
        p->tree->nodes[*index].slot = slot;
    }

    return rc;
}


static int
parse_parens(link_parser_t *p, uint32_t *index)
{
    int  rc;

    rc = tgi_link_deeper(p);
    if (rc != TG_OK || (rc = tgi_link_next(p)) != TG_OK
        || (rc = tgi_link_pipeline(p, TOKEN_CLOSE, index)) != TG_OK)
    {
        return rc;
    }

    p->depth--;

    return TG_OK;
}


/* The operand without the fields behind it; *index 0 stands for the whole. */

static int
parse_term(link_parser_t *p, uint32_t *index)
{
    int       rc;
    tg_str_t  name;

    *index = 0;

    switch (p->token.type) {

    case TOKEN_FIELD:
        if (p->withs > 0) {
            rc = tgi_link_node(p, NODE_DOT, p->token.pos, index);
            if (rc != TG_OK) {
                return rc;
            }
        }

        name.data = p->token.text.data + 1;
        name.len = p->token.text.len - 1;

        return apply_field(p, name, p->token.pos, index);

    case TOKEN_VAR:
        return parse_var(p, index);

    case TOKEN_DOT:
        return p->withs == 0 ? TG_OK
               : tgi_link_node(p, NODE_DOT, p->token.pos, index);

    case TOKEN_OPEN:
        return parse_parens(p, index);

    default:
        break;
    }

    rc = tgi_link_node(p, NODE_NIL, p->token.pos, index);
    if (rc != TG_OK) {
        return rc;
    }

    switch (p->token.type) {

    case TOKEN_STRING:
    case TOKEN_RAW:
        return parse_string(p, *index);

    case TOKEN_CHAR:
    case TOKEN_NUMBER:
        return parse_number(p, *index);

    case TOKEN_WORD:
        return parse_word(p, *index);

    default:
        return tgi_link_unexpected(p, "a value");
    }
}


static bool
takes_fields(const link_parser_t *p, uint32_t index)
{
    switch (p->tree->nodes[index].kind) {

    case NODE_PIPE:
    case NODE_VAR:
    case NODE_FIELD:
    case NODE_METHOD:
        return true;

    default:
        return index == 0;
    }
}


static int
parse_operand(link_parser_t *p, uint32_t *index)
{
    int       rc;
    bool      whole;
    size_t    pos;
    tg_str_t  name;

    pos = p->token.pos;
    whole = p->token.type == TOKEN_VAR;

    rc = parse_term(p, index);
    if (rc != TG_OK || (rc = tgi_link_next(p)) != TG_OK) {
        return rc;
    }

    while (p->token.type == TOKEN_FIELD && !p->token.space) {

        if (!takes_fields(p, *index) || (*index == 0 && !whole)) {
            return tgi_link_unexpected(p, "a value");
        }

        name.data = p->token.text.data + 1;
        name.len = p->token.text.len - 1;

        rc = apply_field(p, name, p->token.pos, index);
        if (rc != TG_OK || (rc = tgi_link_next(p)) != TG_OK) {
            return rc;
        }
    }

    if (*index == 0) {
        return tgi_link_refuse(p, pos, TG_ERR_REFUSED,
                               "\"%s\" is all that is known of the visitor:"
                               " name a field of it, such as .Path",
                               whole ? "$"
                                     : ".");
    }

    return TG_OK;
}


static int
parse_command(link_parser_t *p, bool piped, uint32_t *index)
{
    int       rc;
    uint32_t  operand, last;

    rc = tgi_link_node(p, NODE_COMMAND, p->token.pos, index);
    if (rc != TG_OK) {
        return rc;
    }

    last = 0;

    for ( ;; ) {
        rc = parse_operand(p, &operand);
        if (rc != TG_OK) {
            return rc;
        }

        if (last == 0) {
            p->tree->nodes[*index].a = operand;

        } else {
            p->tree->nodes[last].next = operand;
        }

        last = operand;

        if (p->token.type == TOKEN_RIGHT || p->token.type == TOKEN_CLOSE
            || p->token.type == TOKEN_PIPE)
        {
            return tgi_link_check_command(p, *index, piped);
        }

        if (!p->token.space) {
            return tgi_link_unexpected(p, "a space");
        }
    }
}


/* "$x :=" or "$x =", if that is what comes. */

static int
parse_target(link_parser_t *p, uint32_t index, tg_str_t *name)
{
    int           rc;
    link_lexer_t  lexer;
    link_token_t  var, token;

    *name = (tg_str_t) TG_NULL_STR;

    if (p->token.type != TOKEN_VAR || p->token.text.len == 1) {
        return TG_OK;
    }

    lexer = p->lexer;
    var = p->token;

    rc = tgi_link_lex(&lexer, &token);
    if (rc != TG_OK
        || (token.type != TOKEN_DECLARE && token.type != TOKEN_ASSIGN))
    {
        return rc;
    }

    p->lexer = lexer;
    p->tree->nodes[index].op = token.type == TOKEN_DECLARE ? 1 : 2;
    *name = var.text;

    if (token.type == TOKEN_ASSIGN
        && find_var(p, var.text, &p->tree->nodes[index].slot) != TG_OK)
    {
        return tgi_link_refuse(p, var.pos, TG_ERR_SYNTAX,
                               "variable \"%s\" is not defined",
                               tgi_link_name(p, var.text));
    }

    return tgi_link_next(p);
}


int
tgi_link_pipeline(link_parser_t *p, link_token_type_t end, uint32_t *index)
{
    int       rc;
    size_t    pos;
    tg_str_t  name;
    uint32_t  command, last;

    pos = p->token.pos;

    rc = tgi_link_node(p, NODE_PIPE, pos, index);
    if (rc != TG_OK || (rc = parse_target(p, *index, &name)) != TG_OK) {
        return rc;
    }

    last = 0;

    for ( ;; ) {
        rc = parse_command(p, last != 0, &command);
        if (rc != TG_OK) {
            return rc;
        }

        if (last == 0) {
            p->tree->nodes[*index].a = command;

        } else {
            p->tree->nodes[last].next = command;
        }

        last = command;

        if (p->token.type != TOKEN_PIPE) {
            break;
        }

        rc = tgi_link_next(p);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (p->token.type != end) {
        return tgi_link_unexpected(p, end == TOKEN_RIGHT ? "\"}}\""
                                                         : "\")\"");
    }

    /* it is seen behind its own value, not within */

    if (p->tree->nodes[*index].op == 1) {
        rc = declare(p, name, pos, &p->tree->nodes[*index].slot);
    }

    return rc;
}
