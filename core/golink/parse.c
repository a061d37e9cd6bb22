
/*
 * Copyright (C) The Tailgate authors
 *
 * Templates: blocks, pipelines and commands.  What Go finds out when it runs a
 * template, and what is not on our list, is refused here.
 */

#include "core/golink/parse.h"

#include "core/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* Behind "else": of "else if" and "else with" the word is still to come. */

typedef enum {
    STOP_EOF = 0,
    STOP_END,
    STOP_ELSE
} link_stop_t;

static int parse_list(link_parser_t *p, uint32_t *list, link_stop_t *stop);


const char *
tgi_link_name(link_parser_t *p, tg_str_t what)
{
    size_t  len;

    /* it may be anything: the start of it tells enough */

    len = what.len < sizeof(p->name) ? what.len : sizeof(p->name) - 4;

    memcpy(p->name, what.data, len);
    memcpy(p->name + len, len < what.len ? "..." : "", len < what.len ? 4 : 1);

    return p->name;
}


int
tgi_link_refuse(link_parser_t *p, size_t pos, int code, const char *format,
    ...)
{
    char     text[TG_ERROR_TEXT_MAX];
    va_list  args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    tgi_error(p->lexer.error, code, "%s", text);

    return tgi_link_at(p->lexer.error, p->lexer.source, pos, code);
}


int
tgi_link_next(link_parser_t *p)
{
    return tgi_link_lex(&p->lexer, &p->token);
}


int
tgi_link_unexpected(link_parser_t *p, const char *where)
{
    if (p->token.type == TOKEN_RIGHT || p->token.text.len == 0) {
        return tgi_link_refuse(p, p->token.pos, TG_ERR_SYNTAX,
                               "%s is missing", where);
    }

    return tgi_link_refuse(p, p->token.pos, TG_ERR_SYNTAX,
                           "\"%s\" is not expected here",
                               tgi_link_name(p, p->token.text));
}


int
tgi_link_node(link_parser_t *p, link_kind_t kind, size_t pos, uint32_t *index)
{
    link_node_t  *node;

    if (p->tree->nnodes == p->tree->nodes_max) {
        return tgi_link_refuse(p, pos, TG_LINK_STEPS,
                               "the template has too many parts");
    }

    *index = (uint32_t) p->tree->nnodes++;

    node = &p->tree->nodes[*index];

    memset(node, 0, sizeof(link_node_t));
    node->kind = (uint8_t) kind;
    node->pos = (uint32_t) pos;

    return TG_OK;
}


int
tgi_link_deeper(link_parser_t *p)
{
    if (++p->depth > p->limits->depth_max) {
        return tgi_link_refuse(p, p->token.pos, TG_LINK_DEPTH,
                               "nested deeper than %zu",
                               p->limits->depth_max);
    }

    return TG_OK;
}


/* A text constant of the program. */

void
tgi_link_keep(link_parser_t *p, uint32_t index, const char *data, size_t len)
{
    link_tree_t  *tree;

    tree = p->tree;

    memmove(tree->text + tree->text_len, data, len);

    tree->nodes[index].u.text.offset = (uint32_t) tree->text_len;
    tree->nodes[index].u.text.len = (uint32_t) len;
    tree->text_len += len;
}


static bool
is_word(const link_parser_t *p, const char *word)
{
    return p->token.type == TOKEN_WORD && p->token.text.len == strlen(word)
           && memcmp(p->token.text.data, word, p->token.text.len) == 0;
}


static int
expect_right(link_parser_t *p)
{
    if (p->token.type != TOKEN_RIGHT) {
        return tgi_link_unexpected(p, "\"}}\"");
    }

    return tgi_link_next(p);
}


static int parse_else(link_parser_t *p, uint32_t block);


/* if and with, at the word; to behind their end. */

static int
parse_block(link_parser_t *p, uint32_t *index)
{
    int           rc;
    bool          with;
    size_t        nvars;
    uint32_t      pipe, list;
    link_stop_t   stop;

    with = is_word(p, "with");
    nvars = p->nvars;

    rc = tgi_link_node(p, with ? NODE_WITH : NODE_IF, p->token.pos, index);
    if (rc != TG_OK || (rc = tgi_link_deeper(p)) != TG_OK
        || (rc = tgi_link_next(p)) != TG_OK)
    {
        return rc;
    }

    rc = tgi_link_pipeline(p, TOKEN_RIGHT, &pipe);
    if (rc != TG_OK || (rc = expect_right(p)) != TG_OK) {
        return rc;
    }

    p->tree->nodes[*index].a = pipe;
    p->withs += with ? 1 : 0;

    rc = parse_list(p, &list, &stop);
    if (rc != TG_OK) {
        return rc;
    }

    p->withs -= with ? 1 : 0;
    p->tree->nodes[*index].u.list.b = list;

    if (stop == STOP_ELSE) {
        rc = parse_else(p, *index);

    } else if (stop == STOP_EOF) {
        rc = tgi_link_refuse(p, p->tree->nodes[*index].pos, TG_ERR_SYNTAX,
                             "\"%s\" has no end",
                             with ? "with"
                                  : "if");
    }

    p->nvars = nvars;
    p->depth--;

    return rc;
}


/* Behind the word else: "if ...", "with ...", or a list of its own. */

static int
parse_else(link_parser_t *p, uint32_t block)
{
    int          rc;
    bool         with;
    uint32_t     list;
    link_stop_t  stop;

    with = p->tree->nodes[block].kind == NODE_WITH;

    if (is_word(p, "if") || is_word(p, "with")) {
        if (is_word(p, "with") != with) {
            return tgi_link_unexpected(p, "\"}}\"");
        }

        rc = parse_block(p, &list);

    } else {
        rc = expect_right(p);
        if (rc != TG_OK) {
            return rc;
        }

        rc = parse_list(p, &list, &stop);

        if (rc == TG_OK && stop != STOP_END) {
            return tgi_link_refuse(p, p->tree->nodes[block].pos,
                                   TG_ERR_SYNTAX, "\"%s\" has no end",
                                   "else");
        }
    }

    if (rc == TG_OK) {
        p->tree->nodes[block].u.list.c = list;
    }

    return rc;
}


static int
parse_action(link_parser_t *p, uint32_t *index, link_stop_t *stop)
{
    int       rc;
    size_t    pos;
    uint32_t  pipe;

    *index = 0;
    pos = p->token.pos;

    if (is_word(p, "if") || is_word(p, "with")) {
        return parse_block(p, index);
    }

    if (is_word(p, "end")) {
        *stop = STOP_END;

        rc = tgi_link_next(p);
        return rc != TG_OK ? rc : expect_right(p);
    }

    if (is_word(p, "else")) {
        *stop = STOP_ELSE;

        return tgi_link_next(p);
    }

    rc = tgi_link_node(p, NODE_ACTION, pos, index);
    if (rc != TG_OK
        || (rc = tgi_link_pipeline(p, TOKEN_RIGHT, &pipe)) != TG_OK)
    {
        return rc;
    }

    p->tree->nodes[*index].a = pipe;

    return expect_right(p);
}


/* Texts and actions up to an end, an else, or the end of the template. */

static int
parse_list(link_parser_t *p, uint32_t *list, link_stop_t *stop)
{
    int        rc;
    uint32_t   index, last;

    last = 0;
    *list = 0;
    *stop = STOP_EOF;

    while (p->token.type != TOKEN_EOF) {

        if (p->token.type == TOKEN_TEXT) {
            rc = tgi_link_node(p, NODE_TEXT, p->token.pos, &index);
            if (rc != TG_OK) {
                return rc;
            }

            tgi_link_keep(p, index, p->token.text.data, p->token.text.len);

            rc = tgi_link_next(p);

        } else {
            rc = tgi_link_next(p);

            if (rc == TG_OK) {
                p->action = p->token.pos;
                rc = parse_action(p, &index, stop);
            }
        }

        if (rc != TG_OK || *stop != STOP_EOF) {
            return rc;
        }

        if (last == 0) {
            *list = index;

        } else {
            p->tree->nodes[last].next = index;
        }

        last = index;
    }

    return TG_OK;
}


int
tgi_link_parse(tg_str_t source, const tg_link_limits_t *limits,
    link_tree_t *tree, tg_error_t *error)
{
    int             rc;
    link_stop_t     stop;
    link_parser_t   p;

    memset(&p, 0, sizeof(link_parser_t));

    p.lexer.source = source;
    p.lexer.error = error;
    p.tree = tree;
    p.limits = limits;

    tree->nnodes = 1;

    rc = tgi_link_next(&p);
    if (rc != TG_OK) {
        return rc;
    }

    rc = parse_list(&p, &tree->root, &stop);
    if (rc != TG_OK) {
        return rc;
    }

    if (stop != STOP_EOF) {
        return tgi_link_refuse(&p, p.action, TG_ERR_SYNTAX,
                               "\"%s\" belongs to no block",
                               stop == STOP_END ? "end"
                                                : "else");
    }

    return TG_OK;
}
