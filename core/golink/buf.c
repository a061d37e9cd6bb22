
/*
 * Copyright (C) The Tailgate authors
 *
 * Buffers of marked text, with a bound.
 */

#include "core/golink/value.h"

#include "core/base/base.h"

#include <string.h>


#define BUF_FIRST  256


static int
grow(tgi_link_buf_t *buf, size_t len)
{
    char    *data;
    size_t   size;

    if (len > buf->max - buf->len) {
        return TG_LINK_OUTPUT;
    }

    if (len <= buf->size - buf->len) {
        return TG_OK;
    }

    size = buf->size == 0 ? BUF_FIRST : buf->size * 2;

    while (size - buf->len < len) {
        size *= 2;
    }

    if (size > buf->budget / 2) {
        return TG_LINK_OUTPUT;
    }

    buf->budget -= size * 2;

    data = tgi_alloc(buf->alloc, size, 2);
    if (data == NULL) {
        return TG_ERR_NOMEM;
    }

    if (buf->len > 0) {
        memcpy(data, buf->data, buf->len);
        memcpy(data + size, buf->marks, buf->len);
    }

    buf->data = data;
    buf->marks = (uint8_t *) data + size;
    buf->size = size;

    return TG_OK;
}


int
tgi_link_buf_bytes(tgi_link_buf_t *buf, const char *data, size_t len,
    uint8_t mark)
{
    int  rc;

    if (len == 0) {
        return TG_OK;
    }

    rc = grow(buf, len);
    if (rc != TG_OK) {
        return rc;
    }

    memcpy(buf->data + buf->len, data, len);
    memset(buf->marks + buf->len, mark, len);
    buf->len += len;

    return TG_OK;
}


int
tgi_link_buf_add(tgi_link_buf_t *buf, const tgi_link_text_t *text)
{
    int  rc;

    rc = tgi_link_buf_bytes(buf, text->data, text->len, text->mark);

    if (rc == TG_OK && text->len > 0 && text->marks != NULL) {
        memcpy(buf->marks + buf->len - text->len, text->marks, text->len);
    }

    return rc;
}


void
tgi_link_buf_init(link_run_t *run, tgi_link_buf_t *buf)
{
    memset(buf, 0, sizeof(tgi_link_buf_t));

    buf->max = run->limits->output_max;
    buf->alloc = run->alloc;
}


static int
explain(link_run_t *run, int rc)
{
    if (rc == TG_LINK_OUTPUT) {
        return tgi_link_fail(run, rc, "a text is longer than %zu bytes",
                             run->limits->output_max);
    }

    return rc == TG_OK ? rc : tgi_link_fail(run, rc, "%s", tg_strerror(rc));
}


/* What one buffer takes, all others have less. */

int
tgi_link_add(link_run_t *run, tgi_link_buf_t *buf, const tgi_link_text_t *text)
{
    int  rc;

    rc = tgi_link_step(run, text->len / 64);
    if (rc != TG_OK) {
        return rc;
    }

    buf->budget = run->budget;
    rc = tgi_link_buf_add(buf, text);
    run->budget = buf->budget;

    return explain(run, rc);
}


int
tgi_link_add_bytes(link_run_t *run, tgi_link_buf_t *buf, const char *data,
    size_t len, uint8_t mark)
{
    tgi_link_text_t  text;

    text.data = data;
    text.marks = NULL;
    text.len = len;
    text.mark = mark;

    return tgi_link_add(run, buf, &text);
}


void
tgi_link_buf_value(const tgi_link_buf_t *buf, link_value_t *value)
{
    memset(value, 0, sizeof(link_value_t));

    value->kind = VALUE_STRING;
    value->u.text.data = buf->data;
    value->u.text.marks = buf->marks;
    value->u.text.len = buf->len;
}
