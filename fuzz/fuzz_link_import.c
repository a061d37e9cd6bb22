
/*
 * Copyright (C) The Tailgate authors
 *
 * Files of links.  The first byte tells the format; what was read is written
 * and read once more, and is the same.
 */

#include <tailgate/golink.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static bool
same(tg_str_t a, tg_str_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


static void
check_record(const tg_link_record_t *record, tg_link_format_t format,
    const tg_alloc_t *alloc)
{
    int               rc;
    tg_str_t          line;
    tg_link_record_t  again;
    tg_link_reader_t  reader;

    rc = tg_link_write(format, record, alloc, &line);
    if (rc != TG_OK) {
        if (rc != TG_ERR_NOMEM) {
            abort();
        }

        return;
    }

    tg_link_reader_init(&reader, format, line);

    /* what a row's head says is a name, too, but not in the first row */

    reader.line = 2;

    rc = tg_link_read(&reader, NULL, alloc, &again, NULL);

    if (rc == TG_ERR_NOMEM || rc == TG_ERR_LIMIT) {
        return;
    }

    if (rc != TG_OK || !same(again.name, record->name)
        || !same(again.url, record->url) || reader.rest.len != 0)
    {
        abort();
    }

    if (format == TG_LINK_JSONL
        && (!same(again.owner, record->owner)
            || again.created != record->created
            || again.edited != record->edited))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    size_t            left;
    tg_str_t          text;
    tg_alloc_t        alloc;
    tg_arena_t       *arena;
    tg_error_t        error;
    tg_link_record_t  record;
    tg_link_reader_t  reader;

    if (size == 0 || size > 65536) {
        return 0;
    }

    text.data = (const char *) data + 1;
    text.len = size - 1;

    arena = tg_arena_new(16 * 1024 * 1024);
    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    tg_link_reader_init(&reader,
                        data[0] == 'c' ? TG_LINK_CSV : TG_LINK_JSONL, text);

    for ( ;; ) {
        left = reader.rest.len;
        rc = tg_link_read(&reader, NULL, &alloc, &record, &error);

        if (rc == TG_ERR_ABSENT) {
            break;
        }

        if (reader.rest.len >= left
            || (rc != TG_OK && (error.line == 0 || error.text[0] == '\0')))
        {
            abort();
        }

        if (rc == TG_OK) {
            check_record(&record, reader.format, &alloc);
        }
    }

    tg_arena_free(&arena);

    return 0;
}
