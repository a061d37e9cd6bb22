
/*
 * Copyright (C) The Tailgate authors
 *
 * Calls in a template: as many arguments as are taken, of the types that are
 * taken as far as they are written out, and formats and patterns that are
 * written out.
 */

#include "core/golink/parse.h"

#include "core/base/base.h"
#include "core/golink/format.h"

#include <string.h>


static tg_str_t
text_of(const link_parser_t *p, const link_node_t *node)
{
    tg_str_t  text;

    text.data = p->tree->text + node->u.text.offset;
    text.len = node->u.text.len;

    return text;
}


static const link_call_t *
call_of(const link_node_t *node)
{
    switch (node->kind) {

    case NODE_FUNC:
        return &tgi_link_funcs[node->op];

    case NODE_FIELD:
    case NODE_METHOD:
        return &tgi_link_fields[node->op];

    default:
        return NULL;
    }
}


/* The number that args takes: *max is SIZE_MAX for any number. */

static size_t
count_args(const char *args, size_t *max)
{
    size_t  len;

    len = strlen(args);
    *max = len;

    if (len > 0 && args[len - 1] == '*') {
        *max = SIZE_MAX;
        return len - 2;
    }

    return len;
}


char
tgi_link_arg_type(const char *args, size_t i)
{
    size_t  len;

    len = strlen(args);

    if (len > 0 && args[len - 1] == '*' && i >= len - 2) {
        return args[len - 2];
    }

    return i < len ? args[i] : '\0';
}


static int
check_count(link_parser_t *p, const link_node_t *node, size_t n)
{
    size_t              least, max;
    const link_call_t  *call;

    call = call_of(node);

    least = call != NULL ? count_args(call->args, &max) : (max = 0);

    if (n >= least && n <= max && n <= LINK_ARGS_MAX) {
        return TG_OK;
    }

    if (call == NULL) {
        return tgi_link_refuse(p, node->pos, TG_ERR_TYPE,
                               "a value that is no function is given"
                               " arguments");
    }

    if (n >= least && n <= max) {
        return tgi_link_refuse(p, node->pos, TG_ERR_LIMIT,
                               "\"%s\" takes at most %d arguments, not %zu",
                               call->name, LINK_ARGS_MAX, n);
    }

    return tgi_link_refuse(p, node->pos, TG_ERR_TYPE,
                           "\"%s\" takes %s%zu argument%s, not %zu",
                           call->name, least == max ? "" : "at least ", least,
                           least == 1 ? "" : "s", n);
}


static int
check_type(link_parser_t *p, const link_node_t *arg, char type)
{
    switch (arg->kind) {

    case NODE_INT:
        if (type != 's') {
            return TG_OK;
        }
        break;

    case NODE_FLOAT:
        if (type == 'v'
            || (type == 'i' && arg->u.real > -1e9 && arg->u.real < 1e9
                && (double) (int64_t) arg->u.real == arg->u.real))
        {
            return TG_OK;
        }
        break;

    case NODE_STRING:
        if (type != 'i') {
            return TG_OK;
        }
        break;

    case NODE_BOOL:
    case NODE_NIL:
        if (type == 'v') {
            return TG_OK;
        }
        break;

    case NODE_FUNC:
    case NODE_FIELD:
    case NODE_METHOD:
        return check_count(p, arg, 0);

    default:
        return TG_OK;
    }

    return tgi_link_refuse(p, arg->pos, TG_ERR_TYPE,
                           "this argument has to be %s",
                           type == 's' ? "a string"
                                       : "a whole number");
}


static int
check_pattern(link_parser_t *p, link_node_t *node, uint32_t arg)
{
    int           rc;
    link_tree_t  *tree;

    tree = p->tree;

    if (tree->npatterns == LINK_PATTERNS_MAX) {
        return tgi_link_refuse(p, node->pos, TG_ERR_LIMIT,
                               "this %s is one too many",
                               "Match");
    }

    rc = tgi_link_pattern_check(text_of(p, &tree->nodes[arg]), p->limits,
                                p->lexer.error);
    if (rc != TG_OK) {
        return tgi_link_at(p->lexer.error, p->lexer.source,
                           tree->nodes[arg].pos, rc);
    }

    tree->patterns[tree->npatterns++] = arg;
    node->regex = (uint8_t) tree->npatterns;

    return TG_OK;
}


static int
check_call(link_parser_t *p, link_node_t *node, size_t n)
{
    int           rc;
    link_node_t  *arg;
    link_tree_t  *tree;

    tree = p->tree;
    arg = node->next != 0 ? &tree->nodes[node->next] : NULL;

    if (arg == NULL || arg->kind != NODE_STRING) {
        return TG_OK;
    }

    if (node->kind == NODE_FUNC && node->op == FUNC_MATCH) {
        return check_pattern(p, node, node->next);
    }

    if (node->kind == NODE_FUNC && node->op == FUNC_PRINTF) {
        rc = tgi_link_format_check(text_of(p, arg), n - 1, p->lexer.error);

        return rc == TG_OK ? rc : tgi_link_at(p->lexer.error, p->lexer.source,
                                              arg->pos, rc);
    }

    if (node->kind == NODE_FIELD && node->op == FIELD_QUERY
        && tree->ntaken < LINK_TAKEN_MAX)
    {
        tree->taken[tree->ntaken++] = node->next;
    }

    return TG_OK;
}


int
tgi_link_check_command(link_parser_t *p, uint32_t command, bool piped)
{
    int                 rc;
    size_t              n;
    uint32_t            i;
    link_node_t        *node;
    const link_call_t  *call;

    node = &p->tree->nodes[p->tree->nodes[command].a];
    call = call_of(node);

    if (node->kind == NODE_NIL) {
        return tgi_link_refuse(p, node->pos, TG_ERR_TYPE,
                               "\"%s\" is no value to begin with",
                               "nil");
    }

    n = 0;

    for (i = node->next; i != 0; i = p->tree->nodes[i].next) {
        if (call != NULL) {
            rc = check_type(p, &p->tree->nodes[i],
                            tgi_link_arg_type(call->args, n));
            if (rc != TG_OK) {
                return rc;
            }
        }

        n++;
    }

    n += piped ? 1 : 0;

    rc = check_count(p, node, n);

    return rc == TG_OK ? check_call(p, node, n) : rc;
}
