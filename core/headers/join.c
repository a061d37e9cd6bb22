
/*
 * Copyright (C) The Tailgate authors
 *
 * Lists in one header.  An item that the app would read as another item, or
 * as two, is left out: to lose a group is a fault, to gain one is a breach.
 */

#include "core/headers/headers.h"

#include "core/base/base.h"

#include <string.h>


typedef struct {
    char    *data;             /* NULL while counting */
    size_t   len;
    bool     ascii;            /* escape what is not */
} writer_t;


static void
put(writer_t *writer, const char *data, size_t len)
{
    if (writer->data != NULL) {
        memcpy(writer->data + writer->len, data, len);
    }

    writer->len += len;
}


/* JSON's escape, in UTF-16 as RFC 8259 7 says. */

static void
put_escape(writer_t *writer, uint32_t c)
{
    char                buf[6];
    size_t              i;
    static const char   hex[] = "0123456789abcdef";

    if (c > 0xffff) {
        c -= 0x10000;
        put_escape(writer, 0xd800 + (c >> 10));
        put_escape(writer, 0xdc00 + (c & 0x3ff));
        return;
    }

    buf[0] = '\\';
    buf[1] = 'u';

    for (i = 0; i < 4; i++) {
        buf[2 + i] = hex[(c >> (12 - 4 * i)) & 0xf];
    }

    put(writer, buf, 6);
}


static void
put_json(writer_t *writer, tg_str_t item)
{
    size_t    i, n;
    uint32_t  c;

    put(writer, "\"", 1);

    for (i = 0; i < item.len; i += n) {
        n = tgi_utf8_char(item.data + i, item.len - i, &c);

        if (c == '"' || c == '\\') {
            put(writer, "\\", 1);
        }

        if (c > 0x7e && writer->ascii) {
            put_escape(writer, c);

        } else {
            put(writer, item.data + i, n);
        }
    }

    put(writer, "\"", 1);
}


/* An item that is empty, has a blank at an end, or is no text at all. */

static bool
is_unfit(tg_str_t item)
{
    size_t    i, n;
    uint32_t  c;

    c = ' ';

    for (i = 0; i < item.len; i += n) {
        n = tgi_utf8_char(item.data + i, item.len - i, &c);

        if (n == 0 || tgi_is_control(c) || (i == 0 && tgi_is_blank(c))) {
            return true;
        }
    }

    return tgi_is_blank(c);
}


static bool
has_separator(const tg_header_t *header, tg_str_t item)
{
    return memchr(item.data, header->separator, item.len) != NULL;
}


/*
 * Grafana splits at blanks too, takes quotes for its own, and what begins with
 * a bracket for JSON (util.SplitString).
 */

static bool
wants_json(const tg_header_t *header, const tg_list_t *list)
{
    size_t    i;
    tg_str_t  item;

    if (header->join != TG_JOIN_SEPARATOR_OR_JSON) {
        return header->join == TG_JOIN_JSON;
    }

    for (i = 0; i < list->n; i++) {
        item = list->items[i];

        if (is_unfit(item)) {
            continue;
        }

        if (has_separator(header, item)
            || memchr(item.data, ' ', item.len) != NULL
            || memchr(item.data, '"', item.len) != NULL
            || item.data[0] == '['
            || !tgi_encode_exact(header->encoding, item))
        {
            return true;
        }
    }

    return false;
}


static void
write_list(writer_t *writer, const tg_header_t *header, const tg_list_t *list,
    bool json)
{
    size_t    i, n;
    tg_str_t  item;

    n = 0;

    for (i = 0; i < list->n; i++) {
        item = list->items[i];

        if (is_unfit(item)) {
            continue;
        }

        if (json) {
            put(writer, n++ ? "," : "[", 1);
            put_json(writer, item);
            continue;
        }

        if (has_separator(header, item)
            || !tgi_encode_exact(header->encoding, item))
        {
            continue;
        }

        if (n++) {
            put(writer, &header->separator, 1);
        }

        put(writer, item.data, item.len);
    }

    if (json && n) {
        put(writer, "]", 1);
    }
}


int
tgi_join(const tg_header_t *header, const tg_list_t *list,
    const tg_alloc_t *alloc, tg_str_t *text)
{
    bool      json;
    writer_t  writer;

    json = wants_json(header, list);

    writer.data = NULL;
    writer.len = 0;
    writer.ascii = header->encoding == TG_ENCODING_LATIN1
                   || header->encoding == TG_ENCODING_ASCII;

    write_list(&writer, header, list, json);

    if (writer.len == 0) {
        return TG_ERR_ABSENT;
    }

    writer.data = tgi_alloc(alloc, writer.len, 1);
    if (writer.data == NULL) {
        return TG_ERR_NOMEM;
    }

    text->data = writer.data;
    text->len = writer.len;
    writer.len = 0;

    write_list(&writer, header, list, json);

    return TG_OK;
}
