
/*
 * Copyright (C) The Tailgate authors
 *
 * Files of links: which record comes next.
 */

#include "core/golink/record.h"

#include "core/base/base.h"

#include <string.h>


static void
advance(tg_link_reader_t *reader, size_t n)
{
    reader->rest.data += n;
    reader->rest.len -= n;
}


void
tg_link_reader_init(tg_link_reader_t *reader, tg_link_format_t format,
    tg_str_t text)
{
    reader->rest = text;
    reader->line = 1;
    reader->format = format;

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) {
        advance(reader, 3);
    }
}


/* The next line without its end. */

static tg_str_t
next_line(tg_link_reader_t *reader)
{
    tg_str_t     line;
    const char  *p;

    line = reader->rest;
    p = memchr(line.data, '\n', line.len);

    if (p != NULL) {
        line.len = (size_t) (p - line.data);
        advance(reader, line.len + 1);

    } else {
        advance(reader, line.len);
    }

    reader->line++;

    if (line.len > 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }

    return line;
}


static bool
is_blank(tg_str_t line)
{
    size_t  i;

    for (i = 0; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t') {
            return false;
        }
    }

    return true;
}


/* What is true of a link whatever file it comes from. */

static int
check_record(const tg_link_record_t *record, const tg_link_limits_t *limits,
    tg_error_t *error)
{
    int  rc;

    rc = tg_link_name_check(record->name, error);
    if (rc != TG_OK) {
        return rc;
    }

    if (record->url.len == 0) {
        return tgi_error(error, TG_ERR_MISSING, "the link has no URL");
    }

    if (record->url.len > limits->url_max) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "a URL may have %zu bytes, this one has %zu",
                         limits->url_max, record->url.len);
    }

    if (record->owner.len > LINK_OWNER_MAX) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "an owner may have %d bytes, this one has %zu",
                         LINK_OWNER_MAX, record->owner.len);
    }

    if (tgi_text_check(record->owner.data, record->owner.len) != TG_OK) {
        return tgi_error(error, TG_ERR_SYNTAX,
                         "the owner has a control character, or is not UTF-8");
    }

    return TG_OK;
}


static int
read_jsonl(tg_link_reader_t *reader, const tg_alloc_t *alloc,
    tg_link_record_t *record, size_t *line, tg_error_t *error)
{
    tg_str_t  text;

    do {
        if (reader->rest.len == 0) {
            return TG_ERR_ABSENT;
        }

        *line = reader->line;
        text = next_line(reader);

    } while (is_blank(text));

    if (text.len > LINK_LINE_MAX) {
        return tgi_error(error, TG_ERR_LIMIT,
                         "a line may have %d bytes, this one has %zu",
                         LINK_LINE_MAX, text.len);
    }

    return tgi_link_read_json(text, alloc, record, error);
}


static int
read_csv(tg_link_reader_t *reader, const tg_alloc_t *alloc,
    tg_link_record_t *record, size_t *line, tg_error_t *error)
{
    int     rc;
    bool    head;
    size_t  n, lines;

    for ( ;; ) {
        if (reader->rest.len == 0) {
            return TG_ERR_ABSENT;
        }

        *line = reader->line;

        rc = tgi_link_read_row(reader->rest, &n, &lines, alloc, record, &head,
                               error);

        advance(reader, n);
        reader->line += lines;

        /* an empty line, or the names of the columns at the beginning */

        if (rc != TG_ERR_ABSENT && !(rc == TG_OK && head && *line == 1)) {
            return rc;
        }
    }
}


int
tg_link_read(tg_link_reader_t *reader, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_link_record_t *record, tg_error_t *error)
{
    int         rc;
    size_t      line;
    tg_error_t  unused;

    if (error == NULL) {
        error = &unused;
    }

    if (limits == NULL) {
        limits = tg_link_limits_default();
    }

    memset(error, 0, sizeof(tg_error_t));
    memset(record, 0, sizeof(tg_link_record_t));

    record->created = TG_LINK_NO_TIME;
    record->edited = TG_LINK_NO_TIME;
    line = reader->line;

    rc = reader->format == TG_LINK_CSV
         ? read_csv(reader, alloc, record, &line, error)
         : read_jsonl(reader, alloc, record, &line, error);

    if (rc == TG_OK) {
        rc = check_record(record, limits, error);
    }

    reader->record = line;

    if (rc != TG_OK) {
        error->code = rc;
        error->line = line;
        memset(record, 0, sizeof(tg_link_record_t));
    }

    return rc;
}


tg_str_t
tg_link_csv_head(void)
{
    return (tg_str_t) TG_STR("name,url\n");
}


int
tg_link_write(tg_link_format_t format, const tg_link_record_t *record,
    const tg_alloc_t *alloc, tg_str_t *line)
{
    *line = (tg_str_t) TG_NULL_STR;

    return format == TG_LINK_CSV ? tgi_link_write_row(record, alloc, line)
                                 : tgi_link_write_json(record, alloc, line);
}
