
/*
 * Copyright (C) The Tailgate authors
 *
 * The functions of templates.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <string.h>


static uint8_t
mark_at(const tgi_link_text_t *text, size_t i)
{
    return text->marks != NULL ? text->marks[i] : text->mark;
}


/* Whether all of it is the author's, so that it is no data. */

static bool
is_author(const tgi_link_text_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (mark_at(text, i) != LINK_AUTHOR) {
            return false;
        }
    }

    return true;
}


static void
set_int(link_value_t *value, int64_t integer, uint8_t mark)
{
    memset(value, 0, sizeof(link_value_t));

    value->kind = VALUE_INT;
    value->mark = mark;
    value->u.integer = integer;
}


static void
set_bool(link_value_t *value, bool truth)
{
    memset(value, 0, sizeof(link_value_t));

    value->kind = VALUE_BOOL;
    value->u.truth = truth;
}


static void
set_part(link_value_t *value, const tgi_link_text_t *text, size_t from,
    size_t to)
{
    tgi_link_text_t  part;

    part = *text;

    /* an empty text may have no data to point into */

    if (from > 0) {
        part.data += from;
        part.marks = part.marks != NULL ? part.marks + from : NULL;
    }

    part.len = to - from;

    memset(value, 0, sizeof(link_value_t));
    value->kind = VALUE_STRING;
    value->u.text = part;
}


/* PathEscape keeps a segment one, QueryEscape a value of a query. */

static int
escape(link_run_t *run, const tgi_link_text_t *text, bool query,
    link_value_t *value)
{
    int             rc;
    char            c, out[3];
    size_t          i, n;
    uint8_t         mark, ok;
    tgi_link_buf_t  buf;

    rc = TG_OK;
    ok = query ? LINK_UNRESERVED : LINK_SEGMENT;
    mark = is_author(text) ? LINK_AUTHOR : LINK_DONE;

    tgi_link_buf_init(run, &buf);

    for (i = 0; rc == TG_OK && i < text->len; i++) {
        c = text->data[i];
        n = 1;
        out[0] = c;

        if (c == ' ' && query) {
            out[0] = '+';

        } else if (!(tgi_link_chars[(unsigned char) c] & ok)) {
            tgi_link_put_escape(out, (unsigned char) c);
            n = 3;
        }

        rc = tgi_link_add_bytes(run, &buf, out, n, mark);
    }

    tgi_link_buf_value(&buf, value);

    return rc;
}


static int
fold(link_run_t *run, const tgi_link_text_t *text, bool upper,
    link_value_t *value)
{
    int             rc;
    char            out[4];
    size_t          i, n;
    uint32_t        c;
    tgi_link_buf_t  buf;

    rc = TG_OK;
    tgi_link_buf_init(run, &buf);

    for (i = 0; rc == TG_OK && i < text->len; i += n) {
        n = tgi_utf8_char(text->data + i, text->len - i, &c);

        if (n == 0) {
            /* cut within a character: so does Go */
            n = 1;
            c = 0xfffd;
        }

        c = upper ? tgi_link_upper(c) : tgi_link_lower(c);

        rc = tgi_link_add_bytes(run, &buf, out, tgi_link_put_utf8(out, c),
                                mark_at(text, i));
    }

    tgi_link_buf_value(&buf, value);

    return rc;
}


static void
trim(const tgi_link_text_t *text, const tgi_link_text_t *affix, bool suffix,
    link_value_t *value)
{
    size_t  from, to;

    from = 0;
    to = text->len;

    if (affix->len > 0 && affix->len <= text->len
        && memcmp(text->data + (suffix ? text->len - affix->len : 0),
                  affix->data, affix->len) == 0)
    {
        if (suffix) {
            to -= affix->len;

        } else {
            from = affix->len;
        }
    }

    set_part(value, text, from, to);
}


/* An index into a text of len bytes, len itself included. */

static int
get_index(link_run_t *run, const link_value_t *arg, size_t len, size_t *index)
{
    if (arg->kind < VALUE_INT || arg->kind > VALUE_WEEKDAY) {
        return tgi_link_fail(run, TG_ERR_TYPE, "an index is a number, not %s",
                             tgi_link_type(arg));
    }

    if (arg->u.integer < 0 || (uint64_t) arg->u.integer > len) {
        return tgi_link_fail(run, TG_LINK_FAILED,
                             "index out of range: %lld",
                             (long long) arg->u.integer);
    }

    *index = (size_t) arg->u.integer;

    return TG_OK;
}


static int
need_string(link_run_t *run, const char *name, const link_value_t *value)
{
    return value->kind == VALUE_STRING ? TG_OK
           : tgi_link_fail(run, TG_ERR_TYPE, "%s of %s", name,
                           tgi_link_type(value));
}


static int
slice(link_run_t *run, const link_value_t *args, size_t nargs,
    link_value_t *value)
{
    int     rc;
    size_t  i, index[2];

    rc = need_string(run, "slice", &args[0]);
    if (rc != TG_OK) {
        return rc;
    }

    if (nargs > 3) {
        return tgi_link_fail(run, TG_ERR_TYPE,
                             "slice of a string takes two numbers at most");
    }

    index[0] = 0;
    index[1] = args[0].u.text.len;

    for (i = 1; i < nargs; i++) {
        rc = get_index(run, &args[i], args[0].u.text.len, &index[i - 1]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (index[0] > index[1]) {
        return tgi_link_fail(run, TG_LINK_FAILED,
                             "invalid slice index: %zu > %zu", index[0],
                             index[1]);
    }

    set_part(value, &args[0].u.text, index[0], index[1]);

    return TG_OK;
}


static int
get_byte(link_run_t *run, const link_value_t *args, size_t nargs,
    link_value_t *value)
{
    int     rc;
    size_t  i;

    i = 0;
    *value = args[0];

    if (nargs == 1) {
        return TG_OK;
    }

    rc = need_string(run, "index", &args[0]);

    if (rc == TG_OK && nargs > 2) {
        rc = tgi_link_fail(run, TG_ERR_TYPE,
                           "index of a string takes one number");
    }

    if (rc == TG_OK) {
        rc = get_index(run, &args[1], args[0].u.text.len, &i);
    }

    if (rc != TG_OK) {
        return rc;
    }

    if (i == args[0].u.text.len) {
        return tgi_link_fail(run, TG_LINK_FAILED, "index out of range: %zu",
                             i);
    }

    set_int(value, (unsigned char) args[0].u.text.data[i],
            mark_at(&args[0].u.text, i));
    value->kind = VALUE_BYTE;

    return TG_OK;
}


static int
match(link_run_t *run, const link_node_t *node, const link_value_t *args,
    link_value_t *value)
{
    int                  rc;
    bool                 found;
    size_t               size;
    tg_str_t             pattern, text;
    tg_error_t           error;
    tgi_link_pattern_t  *made;

    found = false;

    text.data = args[1].u.text.data;
    text.len = args[1].u.text.len;

    rc = tgi_link_step(run, text.len);
    if (rc != TG_OK) {
        return rc;
    }

    if (node->regex > 0) {
        rc = tgi_link_pattern_match(run->link->patterns[node->regex - 1],
                                    text, run->limits, &found);

    } else {
        pattern.data = args[0].u.text.data;
        pattern.len = args[0].u.text.len;

        rc = tgi_link_pattern_compile(pattern, run->limits, &made, &size,
                                      &error);

        if (rc == TG_OK) {
            rc = tgi_link_pattern_match(made->code, text, run->limits,
                                        &found);
            tgi_link_pattern_free(made);

        } else if (rc != TG_ERR_NOMEM) {
            /* no pattern matches nothing, as in golink */
            rc = TG_OK;
        }
    }

    set_bool(value, found);

    return rc == TG_OK ? rc
           : tgi_link_fail(run, rc, rc == TG_LINK_REGEX
                           ? "Match takes too many steps" : "out of memory");
}


/* What the arguments print, escaped. */

static int
urlquery(link_run_t *run, const link_value_t *args, size_t nargs,
    link_value_t *value)
{
    int              rc;
    link_value_t     text;
    tgi_link_buf_t   buf;

    tgi_link_buf_init(run, &buf);

    rc = tgi_link_sprint(run, &buf, args, nargs);
    if (rc != TG_OK) {
        return rc;
    }

    tgi_link_buf_value(&buf, &text);

    return escape(run, &text.u.text, true, value);
}


static int
print(link_run_t *run, link_func_t func, const link_value_t *args,
    size_t nargs, link_value_t *value)
{
    int             rc;
    tgi_link_buf_t  buf;

    tgi_link_buf_init(run, &buf);

    rc = func == FUNC_PRINT ? tgi_link_sprint(run, &buf, args, nargs)
                            : tgi_link_sprintf(run, &buf, args, nargs);

    tgi_link_buf_value(&buf, value);

    return rc;
}


int
tgi_link_func(link_run_t *run, const link_node_t *node,
    const link_value_t *args, size_t nargs, link_value_t *value)
{
    int  rc;

    switch (node->op) {

    case FUNC_NOT:
        set_bool(value, !tgi_link_truth(&args[0]));
        return TG_OK;

    case FUNC_LEN:
        rc = need_string(run, "len", &args[0]);
        set_int(value, rc == TG_OK ? (int64_t) args[0].u.text.len : 0,
                rc == TG_OK && is_author(&args[0].u.text) ? LINK_AUTHOR
                                                          : LINK_CODED);
        return rc;

    case FUNC_INDEX:
        return get_byte(run, args, nargs, value);

    case FUNC_SLICE:
        return slice(run, args, nargs, value);

    case FUNC_PRINT:
    case FUNC_PRINTF:
        return print(run, node->op, args, nargs, value);

    case FUNC_URLQUERY:
        return urlquery(run, args, nargs, value);

    case FUNC_PATHESCAPE:
    case FUNC_QUERYESCAPE:
        return escape(run, &args[0].u.text, node->op == FUNC_QUERYESCAPE,
                      value);

    case FUNC_TRIMPREFIX:
    case FUNC_TRIMSUFFIX:
        trim(&args[0].u.text, &args[1].u.text, node->op == FUNC_TRIMSUFFIX,
             value);
        return TG_OK;

    case FUNC_TOLOWER:
    case FUNC_TOUPPER:
        return fold(run, &args[0].u.text, node->op == FUNC_TOUPPER, value);

    case FUNC_MATCH:
        return match(run, node, args, value);

    default:
        return tgi_link_compare(run, node->op, args, nargs, value);
    }
}
