
/*
 * Copyright (C) The Tailgate authors
 *
 * Rows of name,url as RFC 4180 has them: a field within quotes may hold
 * commas, line feeds, and quotes that are doubled.
 */

#include "core/golink/record.h"

#include "core/base/base.h"

#include <string.h>


typedef struct {
    tg_str_t           text;
    size_t             i;
    size_t             lines;
    const tg_alloc_t  *alloc;
    tg_error_t        *error;
} link_row_t;


static char
at(const link_row_t *row)
{
    return row->i < row->text.len ? row->text.data[row->i] : '\n';
}


/* Moves behind the end of the line, whatever is left of it. */

static void
skip_line(link_row_t *row)
{
    while (row->i < row->text.len && row->text.data[row->i] != '\n') {
        row->i++;
    }

    if (row->i < row->text.len) {
        row->i++;
    }

    row->lines++;
}


static bool
at_end(const link_row_t *row)
{
    return at(row) == '\n'
           || (at(row) == '\r' && (row->i + 1 == row->text.len
                                   || row->text.data[row->i + 1] == '\n'));
}


static int
read_quoted(link_row_t *row, tg_str_t *field)
{
    char    *data;
    size_t   n, start, lines;

    start = ++row->i;
    n = 0;
    lines = row->lines;

    /* how long it is */

    for ( /* void */ ; row->i < row->text.len; row->i++) {
        if (row->text.data[row->i] == '\n') {
            row->lines++;
        }

        if (row->text.data[row->i] == '"') {
            if (row->i + 1 == row->text.len
                || row->text.data[row->i + 1] != '"')
            {
                break;
            }

            row->i++;
        }

        n++;
    }

    if (row->i == row->text.len) {
        /* the fault is here, and what follows may be sound */
        row->i = start;
        row->lines = lines;

        return tgi_error(row->error, TG_ERR_SYNTAX,
                         "a field begins with a quote and does not end in"
                         " one");
    }

    data = tgi_alloc(row->alloc, n + 1, 1);
    if (data == NULL) {
        return tgi_error(row->error, TG_ERR_NOMEM, "%s",
                         tg_strerror(TG_ERR_NOMEM));
    }

    field->data = data;
    field->len = n;

    for (n = start; n < row->i; n++) {
        *data++ = row->text.data[n];
        n += row->text.data[n] == '"' ? 1 : 0;
    }

    row->i++;

    if (at(row) != ',' && !at_end(row)) {
        return tgi_error(row->error, TG_ERR_SYNTAX,
                         "behind the quote that ends a field comes neither a"
                         " comma nor the end of the line");
    }

    return TG_OK;
}


static int
read_field(link_row_t *row, tg_str_t *field)
{
    if (at(row) == '"') {
        return read_quoted(row, field);
    }

    field->data = row->text.data + row->i;
    field->len = 0;

    while (row->i < row->text.len && at(row) != ',' && !at_end(row)) {
        if (at(row) == '"') {
            return tgi_error(row->error, TG_ERR_SYNTAX,
                             "a quote is within a field that does not begin"
                             " with one");
        }

        row->i++;
        field->len++;
    }

    return TG_OK;
}


static int
read_fields(link_row_t *row, tg_link_record_t *record)
{
    int  rc;

    rc = read_field(row, &record->name);
    if (rc != TG_OK) {
        return rc;
    }

    if (at(row) != ',') {
        return tgi_error(row->error, TG_ERR_MISSING,
                         "a row is name,url: this one has one field");
    }

    row->i++;

    rc = read_field(row, &record->url);
    if (rc != TG_OK) {
        return rc;
    }

    if (at(row) == ',') {
        return tgi_error(row->error, TG_ERR_SYNTAX,
                         "a row is name,url: a comma in the URL needs quotes"
                         " around it");
    }

    return TG_OK;
}


static bool
is_head(const tg_link_record_t *record)
{
    return (tgi_str_equal_nocase(record->name, (tg_str_t) TG_STR("name"))
            && tgi_str_equal_nocase(record->url, (tg_str_t) TG_STR("url")))
           || (tgi_str_equal_nocase(record->name, (tg_str_t) TG_STR("short"))
               && tgi_str_equal_nocase(record->url,
                                       (tg_str_t) TG_STR("long")));
}


int
tgi_link_read_row(tg_str_t text, size_t *n, size_t *lines,
    const tg_alloc_t *alloc, tg_link_record_t *record, bool *head,
    tg_error_t *error)
{
    int         rc;
    link_row_t  row;

    memset(&row, 0, sizeof(link_row_t));

    row.text = text;
    row.alloc = alloc;
    row.error = error;

    rc = at_end(&row) ? TG_ERR_ABSENT : read_fields(&row, record);

    if (rc == TG_OK && row.i > LINK_LINE_MAX) {
        rc = tgi_error(error, TG_ERR_LIMIT,
                       "a row may have %d bytes, this one has %zu",
                       LINK_LINE_MAX, row.i);
    }

    skip_line(&row);

    *n = row.i;
    *lines = row.lines;
    *head = rc == TG_OK && is_head(record);

    return rc;
}


/* A field as it is, or within quotes; at most two bytes a byte and two. */

static size_t
put_field(char *out, tg_str_t text)
{
    size_t  i, n;
    bool    quoted;

    quoted = false;
    n = 0;

    for (i = 0; i < text.len; i++) {
        if (memchr(",\"\r\n", text.data[i], 4) != NULL) {
            quoted = true;
        }
    }

    if (quoted) {
        out[n++] = '"';
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '"') {
            out[n++] = '"';
        }

        out[n++] = text.data[i];
    }

    if (quoted) {
        out[n++] = '"';
    }

    return n;
}


int
tgi_link_write_row(const tg_link_record_t *record, const tg_alloc_t *alloc,
    tg_str_t *line)
{
    char    *out;
    size_t   n;

    out = tgi_alloc(alloc, record->name.len + record->url.len + 4, 2);
    if (out == NULL) {
        return TG_ERR_NOMEM;
    }

    n = put_field(out, record->name);
    out[n++] = ',';
    n += put_field(out + n, record->url);
    out[n++] = '\n';

    line->data = out;
    line->len = n;

    return TG_OK;
}
