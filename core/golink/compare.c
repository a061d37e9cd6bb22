
/*
 * Copyright (C) The Tailgate authors
 *
 * eq, ne, lt, le, gt and ge: values of one basic kind, and whole numbers of
 * any type.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <string.h>


typedef enum {
    BASIC_NONE = 0,
    BASIC_BOOL,
    BASIC_INT,
    BASIC_FLOAT,
    BASIC_STRING
} link_basic_t;


static link_basic_t
basic(const link_value_t *value)
{
    switch (value->kind) {

    case VALUE_BOOL:
        return BASIC_BOOL;

    case VALUE_FLOAT:
        return BASIC_FLOAT;

    case VALUE_STRING:
        return BASIC_STRING;

    case VALUE_NIL:
    case VALUE_TIME:
        return BASIC_NONE;

    default:
        return BASIC_INT;
    }
}


static int
mismatch(link_run_t *run, const link_value_t *a, const link_value_t *b)
{
    return tgi_link_fail(run, TG_ERR_TYPE, "%s is not compared with %s",
                         tgi_link_type(a), tgi_link_type(b));
}


static int
compare_text(const tgi_link_text_t *a, const tgi_link_text_t *b)
{
    int     order;
    size_t  len;

    len = a->len < b->len ? a->len : b->len;
    order = len > 0 ? memcmp(a->data, b->data, len) : 0;

    if (order != 0) {
        return order;
    }

    return a->len < b->len ? -1 : a->len > b->len;
}


/* Less than, equal to, or more than 0. */

static int
order_of(const link_value_t *a, const link_value_t *b)
{
    switch (basic(a)) {

    case BASIC_BOOL:
        return (int) a->u.truth - (int) b->u.truth;

    case BASIC_INT:
        return (a->u.integer > b->u.integer) - (a->u.integer < b->u.integer);

    case BASIC_FLOAT:
        return (a->u.real > b->u.real) - (a->u.real < b->u.real);

    case BASIC_STRING:
        return compare_text(&a->u.text, &b->u.text);

    default:
        break;
    }

    if (a->kind == VALUE_NIL || b->kind == VALUE_NIL) {
        return a->kind != b->kind;
    }

    return a->u.time.seconds != b->u.time.seconds
           || a->u.time.nanoseconds != b->u.time.nanoseconds;
}


static int
equal(link_run_t *run, const link_value_t *args, size_t nargs, bool *truth)
{
    size_t  i;

    *truth = false;

    for (i = 1; i < nargs && !*truth; i++) {

        if (basic(&args[0]) != basic(&args[i])) {
            if (args[0].kind != VALUE_NIL && args[i].kind != VALUE_NIL) {
                return mismatch(run, &args[0], &args[i]);
            }

            continue;
        }

        *truth = order_of(&args[0], &args[i]) == 0;
    }

    return TG_OK;
}


int
tgi_link_compare(link_run_t *run, link_func_t func, const link_value_t *args,
    size_t nargs, link_value_t *value)
{
    int           rc, order;
    bool          truth;
    link_basic_t  kind;

    memset(value, 0, sizeof(link_value_t));
    value->kind = VALUE_BOOL;

    if (func == FUNC_EQ || func == FUNC_NE) {
        rc = equal(run, args, nargs, &truth);
        value->u.truth = truth == (func == FUNC_EQ);

        return rc;
    }

    kind = basic(&args[0]);

    if (kind != basic(&args[1]) || kind < BASIC_INT) {
        return mismatch(run, &args[0], &args[1]);
    }

    order = order_of(&args[0], &args[1]);

    switch (func) {

    case FUNC_LT:
        value->u.truth = order < 0;
        break;

    case FUNC_LE:
        value->u.truth = order <= 0;
        break;

    case FUNC_GT:
        value->u.truth = order > 0;
        break;

    default:
        value->u.truth = order >= 0;
    }

    return TG_OK;
}
