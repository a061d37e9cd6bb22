
/*
 * Copyright (C) The Tailgate authors
 *
 * "where": what the value of a capability has to be.
 */

#include "core/policy/caps.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>


#define NUMBER_MAX  63         /* characters of a number that is compared */


static bool
equals_bool(tg_str_t text, bool value)
{
    static const tg_str_t  yes = TG_STR("true"), no = TG_STR("false");

    return tgi_str_equal(text, value ? yes : no);
}


/* JSON's spelling of numbers, which strtod() goes far beyond. */

static bool
looks_like_number(tg_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (memchr("0123456789+-.eE", text.data[i], 15) == NULL) {
            return false;
        }
    }

    return text.len > 0 && text.len <= NUMBER_MAX && text.data[0] != '+'
           && text.data[0] != '.';
}


static bool
is_integer(const char *text, int64_t *value)
{
    char      *end;
    intmax_t   number;

    errno = 0;
    number = strtoimax(text, &end, 10);

    if (errno != 0 || *end != '\0' || number < INT64_MIN
        || number > INT64_MAX)
    {
        return false;
    }

    *value = (int64_t) number;

    return true;
}


/* 3 equals 3.0; integers are compared as such, however large they are. */

static bool
equals_number(tg_str_t text, const tgi_value_t *value)
{
    char     buf[NUMBER_MAX + 1], *end;
    double   number;
    int64_t  integer;

    if (!looks_like_number(text)) {
        return false;
    }

    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';

    if (value->kind == TGI_VALUE_INTEGER && is_integer(buf, &integer)) {
        return integer == value->u.integer;
    }

    number = strtod(buf, &end);

    if (*end != '\0' || !isfinite(number)) {
        return false;
    }

    if (value->kind == TGI_VALUE_REAL) {
        return !islessgreater(number, value->u.real);
    }

    /* a large integer as a double may be another one */

    return number >= -0x1p63 && number < 0x1p63
           && (int64_t) number == value->u.integer
           && !islessgreater(number, (double) value->u.integer);
}


static bool
compare_number(const tgi_where_value_t *wanted, const tgi_value_t *value)
{
    double  number;

    if (value->kind == TGI_VALUE_INTEGER) {
        number = (double) value->u.integer;

    } else if (value->kind == TGI_VALUE_REAL) {
        number = value->u.real;

    } else {
        return false;
    }

    if (isnan(number) || isnan(wanted->number)) {
        return false;
    }

    return tgi_op_holds(wanted->op, number < wanted->number ? -1
                                    : number > wanted->number);
}


static bool
equals_text(tg_str_t text, const tgi_value_t *value)
{
    return value->kind == TGI_VALUE_TEXT
           && tgi_str_equal(text, value->u.text);
}


/* A value that is neither an array nor an object. */

static bool
match_scalar(const tgi_where_value_t *wanted, const tgi_value_t *value)
{
    switch (wanted->kind) {

    case TGI_WHERE_EQUALS:
        if (value->kind == TGI_VALUE_BOOL) {
            return equals_bool(wanted->text, value->u.boolean);
        }

        if (value->kind == TGI_VALUE_INTEGER || value->kind == TGI_VALUE_REAL)
        {
            return equals_number(wanted->text, value);
        }

        return equals_text(wanted->text, value);

    case TGI_WHERE_TEXT:
        return equals_text(wanted->text, value);

    case TGI_WHERE_GLOB:
        return value->kind == TGI_VALUE_TEXT
               && tgi_glob_match(wanted->text, value->u.text);

    case TGI_WHERE_NUMBER:
        return compare_number(wanted, value);

    default:
        return false;
    }
}


static bool
match_value(const tgi_where_value_t *wanted, const tgi_value_t *value)
{
    bool    present;
    size_t  i;

    present = value != NULL && value->kind != TGI_VALUE_NULL;

    if (wanted->kind == TGI_WHERE_PRESENT || wanted->kind == TGI_WHERE_ABSENT)
    {
        return present == (wanted->kind == TGI_WHERE_PRESENT);
    }

    if (!present) {
        return false;
    }

    if (value->kind != TGI_VALUE_ARRAY) {
        return match_scalar(wanted, value);
    }

    for (i = 0; i < value->n; i++) {
        if (match_scalar(wanted, &value->u.items[i])) {
            return true;
        }
    }

    return false;
}


bool
tgi_where_field_match(const tgi_where_t *where, const tgi_value_t *grant)
{
    size_t              i;
    const tgi_value_t  *value;

    if (grant->kind != TGI_VALUE_OBJECT) {
        return false;
    }

    value = tgi_value_field(grant, where->field);

    for (i = 0; i < where->nvalues; i++) {
        if (match_value(&where->values[i], value)) {
            return true;
        }
    }

    return false;
}


bool
tgi_where_match(const tgi_where_t *where, size_t n, const tgi_value_t *grant)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (!tgi_where_field_match(&where[i], grant)) {
            return false;
        }
    }

    return true;
}
