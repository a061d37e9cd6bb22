
/*
 * Copyright (C) The Tailgate authors
 *
 * The HuJSON reader: one pass, values in a list as they are found.
 */

#include <tailgate/hujson.h>

#include "core/acl/hujson.h"
#include "core/base/base.h"
#include "core/base/map.h"

#include <stdlib.h>
#include <string.h>


/* Objects of up to so many keys are searched, larger ones hashed. */

#define SEARCH_MAX  8


static int read_value(tgi_hujson_reader_t *reader, tg_hujson_t *value);
static int read_object(tgi_hujson_reader_t *reader, tg_hujson_t *value);
static int read_array(tgi_hujson_reader_t *reader, tg_hujson_t *value);
static int read_member(tgi_hujson_reader_t *reader, tg_hujson_t *member);
static int read_comma(tgi_hujson_reader_t *reader, char end, bool *more);
static int skip(tgi_hujson_reader_t *reader);
static int skip_comment(tgi_hujson_reader_t *reader);
static int check_keys(tgi_hujson_reader_t *reader, const tg_hujson_t *object);


int
tg_hujson_parse(const tg_hujson_t **root, const char *text, size_t len,
    const tg_alloc_t *alloc, tg_error_t *error)
{
    int                   rc;
    tg_hujson_t          *value;
    tgi_hujson_reader_t   reader = { text, len, 0, 0, alloc, error };

    if (error != NULL) {
        memset(error, 0, sizeof(tg_error_t));
    }

    if (len > TG_HUJSON_TEXT_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "longer than %d bytes",
                         TG_HUJSON_TEXT_MAX);
    }

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return tgi_hujson_fail(&reader, 0, TG_ERR_SYNTAX,
                       "a byte order mark, expected a value");
    }

    value = tgi_alloc(alloc, 1, sizeof(tg_hujson_t));
    if (value == NULL) {
        return tgi_hujson_fail(&reader, 0, TG_ERR_NOMEM, "out of memory");
    }

    rc = skip(&reader);
    if (rc == TG_OK) {
        rc = read_value(&reader, value);
    }

    if (rc == TG_OK) {
        rc = skip(&reader);
    }

    if (rc == TG_OK && reader.pos != len) {
        rc = tgi_hujson_expected(&reader, "nothing after the value");
    }

    if (rc == TG_OK) {
        *root = value;
    }

    return rc;
}


static int
read_value(tgi_hujson_reader_t *reader, tg_hujson_t *value)
{
    int   rc;
    char  c;

    memset(value, 0, sizeof(tg_hujson_t));
    value->offset = (uint32_t) reader->pos;

    c = reader->pos < reader->len ? reader->text[reader->pos] : '\0';

    switch (c) {

    case '{':
    case '[':
        if (reader->depth == TG_HUJSON_DEPTH_MAX) {
            return tgi_hujson_fail(reader, reader->pos, TG_ERR_LIMIT,
                           "nested too deeply");
        }

        reader->depth++;
        reader->pos++;
        rc = c == '{' ? read_object(reader, value) : read_array(reader, value);
        reader->depth--;

        return rc;

    case '"':
        value->type = TG_HUJSON_STRING;
        return tgi_hujson_string(reader, &value->text);

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        return tgi_hujson_number(reader, value);

    default:
        return tgi_hujson_word(reader, value);
    }
}


static int
read_object(tgi_hujson_reader_t *reader, tg_hujson_t *value)
{
    int                  rc;
    bool                 more;
    tg_hujson_t         *member;
    const tg_hujson_t  **last;

    value->type = TG_HUJSON_OBJECT;
    last = &value->child;
    more = true;

    for ( ;; ) {
        rc = skip(reader);
        if (rc != TG_OK) {
            return rc;
        }

        if (reader->pos < reader->len && reader->text[reader->pos] == '}') {
            reader->pos++;
            return check_keys(reader, value);
        }

        if (!more) {
            return tgi_hujson_expected(reader, "\",\" or \"}\"");
        }

        member = tgi_alloc(reader->alloc, 1, sizeof(tg_hujson_t));
        if (member == NULL) {
            return tgi_hujson_fail(reader, reader->pos, TG_ERR_NOMEM,
                                   "out of memory");
        }

        rc = read_member(reader, member);
        if (rc == TG_OK) {
            rc = read_comma(reader, '}', &more);
        }

        if (rc != TG_OK) {
            return rc;
        }

        *last = member;
        last = &member->next;
        value->n++;
    }
}


static int
read_member(tgi_hujson_reader_t *reader, tg_hujson_t *member)
{
    int       rc;
    size_t    offset;
    tg_str_t  key;

    offset = reader->pos;

    if (offset == reader->len || reader->text[offset] != '"') {
        return tgi_hujson_expected(reader, "a key in quotes or \"}\"");
    }

    rc = tgi_hujson_string(reader, &key);
    if (rc == TG_OK) {
        rc = skip(reader);
    }

    if (rc != TG_OK) {
        return rc;
    }

    if (reader->pos == reader->len || reader->text[reader->pos] != ':') {
        return tgi_hujson_expected(reader, "\":\" after the key");
    }

    reader->pos++;

    rc = skip(reader);
    if (rc == TG_OK) {
        rc = read_value(reader, member);
    }

    member->key = key;
    member->key_offset = (uint32_t) offset;

    return rc;
}


static int
read_array(tgi_hujson_reader_t *reader, tg_hujson_t *value)
{
    int                  rc;
    bool                 more;
    tg_hujson_t         *item;
    const tg_hujson_t  **last;

    value->type = TG_HUJSON_ARRAY;
    last = &value->child;
    more = true;

    for ( ;; ) {
        rc = skip(reader);
        if (rc != TG_OK) {
            return rc;
        }

        if (reader->pos < reader->len && reader->text[reader->pos] == ']') {
            reader->pos++;
            return TG_OK;
        }

        if (!more) {
            return tgi_hujson_expected(reader, "\",\" or \"]\"");
        }

        item = tgi_alloc(reader->alloc, 1, sizeof(tg_hujson_t));
        if (item == NULL) {
            return tgi_hujson_fail(reader, reader->pos, TG_ERR_NOMEM,
                                   "out of memory");
        }

        rc = read_value(reader, item);
        if (rc == TG_OK) {
            rc = read_comma(reader, ']', &more);
        }

        if (rc != TG_OK) {
            return rc;
        }

        *last = item;
        last = &item->next;
        value->n++;
    }
}


/* A comma may follow the last one too; without one the end has to come. */

static int
read_comma(tgi_hujson_reader_t *reader, char end, bool *more)
{
    int  rc;

    rc = skip(reader);
    if (rc != TG_OK) {
        return rc;
    }

    *more = reader->pos < reader->len && reader->text[reader->pos] == ',';

    if (*more) {
        reader->pos++;
        return TG_OK;
    }

    if (reader->pos < reader->len && reader->text[reader->pos] == end) {
        return TG_OK;
    }

    return tgi_hujson_expected(reader, end == '}' ? "\",\" or \"}\""
                                                  : "\",\" or \"]\"");
}


static int
skip(tgi_hujson_reader_t *reader)
{
    int  rc;

    while (reader->pos < reader->len) {

        switch (reader->text[reader->pos]) {

        case ' ':
        case '\t':
        case '\n':
        case '\r':
            reader->pos++;
            break;

        case '/':
            rc = skip_comment(reader);
            if (rc != TG_OK) {
                return rc;
            }

            break;

        default:
            return TG_OK;
        }
    }

    return TG_OK;
}


static int
skip_comment(tgi_hujson_reader_t *reader)
{
    bool      block;
    size_t    n, start;
    uint32_t  c;

    start = reader->pos++;

    if (tgi_hujson_peek(reader) != '/' && tgi_hujson_peek(reader) != '*') {
        return tgi_hujson_expected(reader, "\"//\" or \"/*\" of a comment");
    }

    block = tgi_hujson_peek(reader) == '*';
    reader->pos++;

    while (reader->pos < reader->len) {
        n = tgi_utf8_char(reader->text + reader->pos,
                          reader->len - reader->pos, &c);
        if (n == 0) {
            return tgi_hujson_expected(reader, "UTF-8 in a comment");
        }

        reader->pos += n;

        if (!block && c == '\n') {
            return TG_OK;
        }

        if (block && c == '*' && tgi_hujson_peek(reader) == '/') {
            reader->pos++;
            return TG_OK;
        }
    }

    return block ? tgi_hujson_fail(reader, start, TG_ERR_SYNTAX,
                           "a comment without its end, expected \"*/\"")
                 : TG_OK;
}


static int
duplicate(tgi_hujson_reader_t *reader, const tg_hujson_t *member)
{
    size_t  line, column;

    tg_hujson_position(reader->text, reader->len, member->key_offset, &line,
                       &column);

    (void) tgi_error(reader->error, TG_ERR_REFUSED,
                     "the key \"%.*s\" stands here a second time",
                     (int) (member->key.len > 100 ? 100 : member->key.len),
                     member->key.data);

    if (reader->error != NULL) {
        reader->error->line = line;
        reader->error->column = column;
    }

    return TG_ERR_REFUSED;
}


static int
check_keys(tgi_hujson_reader_t *reader, const tg_hujson_t *object)
{
    int                 rc;
    tgi_map_t           map;
    const tg_hujson_t  *member, *other;

    if (object->n <= SEARCH_MAX) {

        for (member = object->child; member != NULL; member = member->next) {
            for (other = object->child; other != member; other = other->next) {
                if (tgi_str_equal(member->key, other->key)) {
                    return duplicate(reader, member);
                }
            }
        }

        return TG_OK;
    }

    rc = tgi_map_init(&map, object->n, NULL);
    if (rc != TG_OK) {
        return tgi_hujson_fail(reader, object->offset, rc, "out of memory");
    }

    for (member = object->child; member != NULL; member = member->next) {
        if (tgi_map_add(&map, member->key, 0) != TG_OK) {
            rc = duplicate(reader, member);
            break;
        }
    }

    tgi_map_done(&map);

    return rc;
}
