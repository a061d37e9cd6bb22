
/*
 * Copyright (C) The Tailgate authors
 *
 * What a template can ask of the visitor and of a time.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <string.h>


static void
set_string(link_value_t *value, const char *data, size_t len, uint8_t mark)
{
    memset(value, 0, sizeof(link_value_t));

    value->kind = VALUE_STRING;
    value->u.text.data = data;
    value->u.text.len = len;
    value->u.text.mark = mark;
}


static int
get_path(link_run_t *run, link_value_t *value)
{
    int  rc;

    if (!run->have_path) {
        rc = tgi_link_decode(run->request->rest, run->alloc, &run->path,
                             run->error);
        if (rc != TG_OK) {
            return rc;
        }

        run->have_path = true;
    }

    set_string(value, NULL, 0, LINK_SENT);
    value->u.text = run->path;

    return TG_OK;
}


/* Segments are split at slashes as they were sent, and counted from 1. */

static int
get_segment(link_run_t *run, int64_t number, link_value_t *value)
{
    size_t        i;
    tg_str_t      rest;
    const char   *p;

    if (number < 1) {
        return tgi_link_fail(run, TG_LINK_FAILED,
                             "segments are counted from 1");
    }

    rest = run->request->rest;

    for ( ;; ) {
        p = rest.len > 0 ? memchr(rest.data, '/', rest.len) : NULL;
        i = p != NULL ? (size_t) (p - rest.data) : rest.len;

        if (--number == 0) {
            rest.len = i;
            break;
        }

        if (p == NULL) {
            rest.len = 0;
            break;
        }

        rest.data += i + 1;
        rest.len -= i + 1;
    }

    set_string(value, NULL, 0, LINK_SENT);

    return tgi_link_decode(rest, run->alloc, &value->u.text, run->error);
}


int
tgi_link_get_field(link_run_t *run, link_field_t field,
    const link_value_t *args, link_value_t *value)
{
    tg_str_t  name;

    switch (field) {

    case FIELD_PATH:
        return get_path(run, value);

    case FIELD_USER:
        if (run->request->user.len == 0) {
            return tgi_link_fail(run, TG_LINK_NO_USER,
                                 "link requires a valid user");
        }

        set_string(value, run->request->user.data, run->request->user.len,
                   LINK_USER);

        return TG_OK;

    case FIELD_NOW:
        memset(value, 0, sizeof(link_value_t));
        value->kind = VALUE_TIME;
        value->u.time.seconds = run->request->now;
        value->u.time.nanoseconds = run->request->now_nsec % 1000000000;
        return TG_OK;

    case FIELD_SEGMENT:
        return get_segment(run, args[0].u.integer, value);

    default:
        name.data = args[0].u.text.data;
        name.len = args[0].u.text.len;

        set_string(value, NULL, 0, LINK_CODED);

        return tgi_link_query_get(run->request->query, name, run->alloc,
                                  &value->u.text, run->error);
    }
}


int
tgi_link_get_method(link_run_t *run, link_field_t method,
    link_time_t time, const link_value_t *args, link_value_t *value)
{
    int             rc;
    link_date_t     date;
    tgi_link_buf_t  buf;

    memset(value, 0, sizeof(link_value_t));
    value->kind = VALUE_INT;

    rc = tgi_link_date(time, &date);

    if (rc == TG_OK && method == FIELD_ADDDATE) {
        value->kind = VALUE_TIME;
        rc = tgi_link_add_date(time, args[0].u.integer, args[1].u.integer,
                               args[2].u.integer, &value->u.time);
    }

    if (rc != TG_OK) {
        return tgi_link_fail(run, TG_LINK_FAILED,
                             "a time is not in the years 1 to 9999");
    }

    switch (method) {

    case FIELD_FORMAT:
        tgi_link_buf_init(run, &buf);
        rc = tgi_link_format_time(run, &buf, time, &args[0].u.text);
        tgi_link_buf_value(&buf, value);
        break;

    case FIELD_YEAR:
        value->u.integer = date.year;
        break;

    case FIELD_MONTH:
        value->kind = VALUE_MONTH;
        value->u.integer = date.month;
        break;

    case FIELD_DAY:
        value->u.integer = date.day;
        break;

    case FIELD_HOUR:
        value->u.integer = date.hour;
        break;

    case FIELD_MINUTE:
        value->u.integer = date.minute;
        break;

    case FIELD_WEEKDAY:
        value->kind = VALUE_WEEKDAY;
        value->u.integer = date.weekday;
        break;

    case FIELD_UNIX:
        value->kind = VALUE_INT64;
        value->u.integer = time.seconds;
        break;

    default:
        break;
    }

    return rc;
}
