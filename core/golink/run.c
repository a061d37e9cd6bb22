
/*
 * Copyright (C) The Tailgate authors
 *
 * Running a template.  There are no loops: each node runs once at most.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


static int eval_pipe(link_run_t *run, uint32_t index, const link_value_t *dot,
    link_value_t *value);
static int eval_operand(link_run_t *run, const link_node_t *node,
    const link_value_t *dot, link_value_t *value);


int
tgi_link_fail(link_run_t *run, int code, const char *format, ...)
{
    int      n;
    char     text[TG_ERROR_TEXT_MAX];
    va_list  args;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    tgi_error(run->error, code, "%s", n < 0 ? "?" : text);

    return tgi_link_at(run->error, run->source, run->pos, code);
}


int
tgi_link_step(link_run_t *run, size_t n)
{
    if (n > run->steps) {
        return tgi_link_fail(run, TG_LINK_STEPS,
                             "the template takes more than %zu steps",
                             run->limits->steps_max);
    }

    run->steps -= n;

    return TG_OK;
}


bool
tgi_link_truth(const link_value_t *value)
{
    switch (value->kind) {

    case VALUE_NIL:
        return false;

    case VALUE_BOOL:
        return value->u.truth;

    case VALUE_FLOAT:
        return value->u.real < 0 || value->u.real > 0;

    case VALUE_STRING:
        return value->u.text.len > 0;

    case VALUE_TIME:
        return true;

    default:
        return value->u.integer != 0;
    }
}


/* A function, field or method with its arguments. */

static int
call(link_run_t *run, const link_node_t *node, const link_value_t *dot,
    const link_value_t *args, size_t nargs, link_value_t *value)
{
    int           rc;
    link_value_t  of;

    rc = TG_OK;

    if (node->kind == NODE_METHOD) {
        rc = eval_operand(run, &run->link->nodes[node->a], dot, &of);
        if (rc != TG_OK) {
            return rc;
        }
    }

    run->pos = node->pos;

    if (node->kind == NODE_FUNC) {
        return tgi_link_func(run, node, args, nargs, value);
    }

    if (node->kind == NODE_FIELD) {
        return tgi_link_get_field(run, node->op, args, value);
    }

    if (of.kind != VALUE_TIME) {
        return tgi_link_fail(run, TG_ERR_TYPE, ".%s is of a time, not of %s",
                             tgi_link_fields[node->op].name,
                             tgi_link_type(&of));
    }

    return tgi_link_get_method(run, node->op, of.u.time, args, value);
}


static int
eval_operand(link_run_t *run, const link_node_t *node, const link_value_t *dot,
    link_value_t *value)
{
    int  rc;

    rc = tgi_link_step(run, 1);
    if (rc != TG_OK) {
        return rc;
    }

    memset(value, 0, sizeof(link_value_t));

    switch (node->kind) {

    case NODE_STRING:
        value->kind = VALUE_STRING;
        value->u.text.data = run->link->text + node->u.text.offset;
        value->u.text.len = node->u.text.len;
        return TG_OK;

    case NODE_INT:
        value->kind = VALUE_INT;
        value->u.integer = node->u.integer;
        return TG_OK;

    case NODE_FLOAT:
        value->kind = VALUE_FLOAT;
        value->u.real = node->u.real;
        return TG_OK;

    case NODE_BOOL:
        value->kind = VALUE_BOOL;
        value->u.truth = node->u.truth;
        return TG_OK;

    case NODE_NIL:
        return TG_OK;

    case NODE_DOT:
        *value = *dot;
        return TG_OK;

    case NODE_VAR:
        *value = run->vars[node->slot];
        return TG_OK;

    case NODE_PIPE:
        return eval_pipe(run, (uint32_t) (node - run->link->nodes), dot,
                         value);

    default:
        return call(run, node, dot, NULL, 0, value);
    }
}


/* A value as an argument of that type. */

static int
check_arg(link_run_t *run, const link_node_t *node, size_t i,
    link_value_t *value)
{
    char                type;
    const link_call_t  *function;

    function = node->kind == NODE_FUNC ? &tgi_link_funcs[node->op]
                                       : &tgi_link_fields[node->op];

    type = tgi_link_arg_type(function->args, i);

    if (type == 'v' || (type == 's' && value->kind == VALUE_STRING)
        || (type == 'i' && value->kind == VALUE_INT))
    {
        return TG_OK;
    }

    return tgi_link_fail(run, TG_ERR_TYPE, "\"%s\" takes %s, not %s",
                         function->name,
                         type == 's' ? "a string" : "a whole number",
                         tgi_link_type(value));
}


/* and and or give the first value that decides, and look at no other. */

static int
eval_logic(link_run_t *run, const link_node_t *node, const link_value_t *dot,
    const link_value_t *final, link_value_t *value)
{
    int       rc;
    uint32_t  i;

    for (i = node->next; i != 0; i = run->link->nodes[i].next) {
        rc = eval_operand(run, &run->link->nodes[i], dot, value);

        if (rc != TG_OK || tgi_link_truth(value) == (node->op == FUNC_OR)) {
            return rc;
        }
    }

    if (final != NULL) {
        *value = *final;
    }

    return TG_OK;
}


static int
eval_command(link_run_t *run, const link_node_t *command,
    const link_value_t *dot, const link_value_t *final, link_value_t *value)
{
    int                 rc;
    size_t              n;
    uint32_t            i;
    link_value_t        args[LINK_ARGS_MAX];
    const link_node_t  *node, *arg;

    node = &run->link->nodes[command->a];
    run->pos = node->pos;

    if (node->kind != NODE_FUNC && node->kind != NODE_FIELD
        && node->kind != NODE_METHOD)
    {
        return eval_operand(run, node, dot, value);
    }

    rc = tgi_link_step(run, 1);
    if (rc != TG_OK) {
        return rc;
    }

    if (node->kind == NODE_FUNC
        && (node->op == FUNC_AND || node->op == FUNC_OR))
    {
        return eval_logic(run, node, dot, final, value);
    }

    n = 0;

    for (i = node->next; i != 0; i = arg->next) {
        arg = &run->link->nodes[i];

        rc = eval_operand(run, arg, dot, &args[n]);
        if (rc != TG_OK) {
            return rc;
        }

        run->pos = arg->pos;

        /* a number with a fraction of nothing is a whole one */

        if (arg->kind == NODE_FLOAT && node->kind != NODE_FUNC) {
            args[n].kind = VALUE_INT;
            args[n].u.integer = (int64_t) arg->u.real;
        }

        rc = check_arg(run, node, n, &args[n]);
        if (rc != TG_OK) {
            return rc;
        }

        n++;
    }

    if (final != NULL) {
        args[n] = *final;

        rc = check_arg(run, node, n, &args[n]);
        if (rc != TG_OK) {
            return rc;
        }

        n++;
    }

    return call(run, node, dot, args, n, value);
}


static int
eval_pipe(link_run_t *run, uint32_t index, const link_value_t *dot,
    link_value_t *value)
{
    int                 rc;
    uint32_t            i;
    link_value_t        final;
    const link_node_t  *pipe, *command;

    pipe = &run->link->nodes[index];

    for (i = pipe->a; i != 0; i = command->next) {
        command = &run->link->nodes[i];

        rc = eval_command(run, command, dot, i == pipe->a ? NULL : &final,
                          value);
        if (rc != TG_OK) {
            return rc;
        }

        final = *value;
    }

    if (pipe->op != 0) {
        run->vars[pipe->slot] = *value;
    }

    return TG_OK;
}


static int
run_list(link_run_t *run, uint32_t index, const link_value_t *dot)
{
    int                 rc;
    link_value_t        value;
    tgi_link_text_t     text;
    const link_node_t  *node;

    for ( /* void */ ; index != 0; index = node->next) {
        node = &run->link->nodes[index];
        run->pos = node->pos;

        rc = tgi_link_step(run, 1);
        if (rc != TG_OK) {
            return rc;
        }

        if (node->kind == NODE_TEXT) {
            text.data = run->link->text + node->u.text.offset;
            text.marks = NULL;
            text.len = node->u.text.len;
            text.mark = LINK_AUTHOR;

            rc = tgi_link_add(run, &run->out, &text);
            if (rc != TG_OK) {
                return rc;
            }

            continue;
        }

        rc = eval_pipe(run, node->a, dot, &value);
        if (rc != TG_OK) {
            return rc;
        }

        if (node->kind != NODE_ACTION) {
            rc = tgi_link_truth(&value)
                 ? run_list(run, node->u.list.b,
                            node->kind == NODE_WITH ? &value : dot)
                 : run_list(run, node->u.list.c, dot);

        } else if (run->link->nodes[node->a].op == 0) {
            rc = tgi_link_print(run, &run->out, &value);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


int
tgi_link_run(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tgi_link_text_t *out, tg_error_t *error)
{
    int           rc;
    link_run_t    run;
    link_value_t  none;

    memset(&run, 0, offsetof(link_run_t, vars));
    memset(&none, 0, sizeof(link_value_t));

    run.link = link;
    run.source = url;
    run.request = request;
    run.limits = limits;
    run.alloc = alloc;
    run.error = error;
    run.steps = limits->steps_max;
    run.budget = limits->output_max * 16;

    memset(run.vars, 0, link->nvars * sizeof(link_value_t));
    tgi_link_buf_init(&run, &run.out);

    rc = run_list(&run, link->root, &none);

    out->data = run.out.data;
    out->marks = run.out.marks;
    out->len = run.out.len;
    out->mark = LINK_AUTHOR;

    return rc;
}
