
/*
 * Copyright (C) The Tailgate authors
 *
 * HuJSON values: finding a member, a place, and writing them as JSON.
 */

#include <tailgate/hujson.h>

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* Written twice: first to count, then into what was allocated. */

typedef struct {
    char    *data;             /* NULL while counting */
    size_t   len;
} writer_t;


const tg_hujson_t *
tg_hujson_get(const tg_hujson_t *object, const char *key)
{
    size_t              len;
    const tg_hujson_t  *member;

    if (object == NULL || object->type != TG_HUJSON_OBJECT) {
        return NULL;
    }

    len = strlen(key);

    for (member = object->child; member != NULL; member = member->next) {
        if (member->key.len == len
            && (len == 0 || memcmp(member->key.data, key, len) == 0))
        {
            return member;
        }
    }

    return NULL;
}


void
tg_hujson_position(const char *text, size_t len, size_t offset, size_t *line,
    size_t *column)
{
    size_t  i;

    *line = 1;
    *column = 1;

    for (i = 0; i < offset && i < len; i++) {

        if (text[i] == '\n') {
            (*line)++;
            *column = 1;

        } else if (((unsigned char) text[i] & 0xc0) != 0x80) {
            (*column)++;
        }
    }
}


static void
put(writer_t *writer, const char *data, size_t len)
{
    if (writer->data != NULL && len > 0) {
        memcpy(writer->data + writer->len, data, len);
    }

    writer->len += len;
}


static void
put_control(writer_t *writer, unsigned char c)
{
    char  escape[6] = { '\\', 'u', '0', '0', '0', '0' };

    static const char  hex[] = "0123456789abcdef";

    escape[4] = hex[c >> 4];
    escape[5] = hex[c & 0x0f];

    put(writer, escape, sizeof(escape));
}


static void
put_string(writer_t *writer, tg_str_t text)
{
    size_t    i, n;
    uint32_t  c;

    put(writer, "\"", 1);

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (n == 0) {
            put(writer, "\xef\xbf\xbd", 3);
            n = 1;

        } else if (c == '"' || c == '\\') {
            put(writer, "\\", 1);
            put(writer, text.data + i, n);

        } else if (c < 0x20 || c == 0x7f) {
            put_control(writer, (unsigned char) c);

        } else {
            put(writer, text.data + i, n);
        }
    }

    put(writer, "\"", 1);
}


static void
put_value(writer_t *writer, const tg_hujson_t *value)
{
    const tg_hujson_t  *item;

    switch (value->type) {

    case TG_HUJSON_NULL:
        put(writer, "null", 4);
        break;

    case TG_HUJSON_FALSE:
        put(writer, "false", 5);
        break;

    case TG_HUJSON_TRUE:
        put(writer, "true", 4);
        break;

    case TG_HUJSON_NUMBER:
        put(writer, value->text.data, value->text.len);
        break;

    case TG_HUJSON_STRING:
        put_string(writer, value->text);
        break;

    default:
        put(writer, value->type == TG_HUJSON_ARRAY ? "[" : "{", 1);

        for (item = value->child; item != NULL; item = item->next) {
            if (item != value->child) {
                put(writer, ",", 1);
            }

            if (value->type == TG_HUJSON_OBJECT) {
                put_string(writer, item->key);
                put(writer, ":", 1);
            }

            put_value(writer, item);
        }

        put(writer, value->type == TG_HUJSON_ARRAY ? "]" : "}", 1);
    }
}


static int
take(writer_t *writer, const tg_alloc_t *alloc)
{
    writer->data = tgi_alloc(alloc, writer->len, 1);
    writer->len = 0;

    return writer->data == NULL ? TG_ERR_NOMEM : TG_OK;
}


int
tg_hujson_write(const tg_hujson_t *value, const tg_alloc_t *alloc,
    tg_str_t *json)
{
    writer_t  writer = { NULL, 0 };

    put_value(&writer, value);

    if (take(&writer, alloc) != TG_OK) {
        return TG_ERR_NOMEM;
    }

    put_value(&writer, value);

    json->data = writer.data;
    json->len = writer.len;

    return TG_OK;
}


int
tg_hujson_quote(tg_str_t text, const tg_alloc_t *alloc, tg_str_t *json)
{
    writer_t  writer = { NULL, 0 };

    put_string(&writer, text);

    if (take(&writer, alloc) != TG_OK) {
        return TG_ERR_NOMEM;
    }

    put_string(&writer, text);

    json->data = writer.data;
    json->len = writer.len;

    return TG_OK;
}
