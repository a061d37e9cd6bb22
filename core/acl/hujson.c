
/*
 * Copyright (C) The Tailgate authors
 *
 * The HuJSON reader: one pass, values in a list as they are found.
 */

#include <tailgate/hujson.h>

#include "core/acl/map.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* Objects of up to so many keys are searched, larger ones hashed. */

#define SEARCH_MAX  8


typedef struct {
    const char        *text;
    size_t             len;
    size_t             pos;
    unsigned           depth;
    const tg_alloc_t  *alloc;
    tg_error_t        *error;
} reader_t;


static int read_value(reader_t *reader, tg_hujson_t *value);
static int read_object(reader_t *reader, tg_hujson_t *value);
static int read_array(reader_t *reader, tg_hujson_t *value);
static int read_member(reader_t *reader, tg_hujson_t *member);
static int read_comma(reader_t *reader, char end, bool *more);
static int read_string(reader_t *reader, tg_str_t *string);
static int read_escaped(reader_t *reader, size_t start, tg_str_t *string);
static int read_escape(reader_t *reader, char *p, size_t *n);
static int read_hex(reader_t *reader, uint32_t *c);
static int read_number(reader_t *reader, tg_hujson_t *value);
static int read_word(reader_t *reader, tg_hujson_t *value);
static int skip(reader_t *reader);
static int skip_comment(reader_t *reader);
static int check_keys(reader_t *reader, const tg_hujson_t *object);
static int expected(reader_t *reader, const char *what);
static int fail_at(reader_t *reader, size_t offset, int code,
    const char *message);


int
tg_hujson_parse(const tg_hujson_t **root, const char *text, size_t len,
    const tg_alloc_t *alloc, tg_error_t *error)
{
    int           rc;
    reader_t      reader = { text, len, 0, 0, alloc, error };
    tg_hujson_t  *value;

    if (error != NULL) {
        memset(error, 0, sizeof(tg_error_t));
    }

    if (len > TG_HUJSON_TEXT_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "longer than %d bytes",
                         TG_HUJSON_TEXT_MAX);
    }

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        return fail_at(&reader, 0, TG_ERR_SYNTAX,
                       "a byte order mark, expected a value");
    }

    value = tgi_alloc(alloc, 1, sizeof(tg_hujson_t));
    if (value == NULL) {
        return fail_at(&reader, 0, TG_ERR_NOMEM, "out of memory");
    }

    rc = skip(&reader);
    if (rc == TG_OK) {
        rc = read_value(&reader, value);
    }

    if (rc == TG_OK) {
        rc = skip(&reader);
    }

    if (rc == TG_OK && reader.pos != len) {
        rc = expected(&reader, "nothing after the value");
    }

    if (rc == TG_OK) {
        *root = value;
    }

    return rc;
}


static int
read_value(reader_t *reader, tg_hujson_t *value)
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
            return fail_at(reader, reader->pos, TG_ERR_LIMIT,
                           "nested too deeply");
        }

        reader->depth++;
        reader->pos++;
        rc = c == '{' ? read_object(reader, value) : read_array(reader, value);
        reader->depth--;

        return rc;

    case '"':
        value->type = TG_HUJSON_STRING;
        return read_string(reader, &value->text);

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        return read_number(reader, value);

    default:
        return read_word(reader, value);
    }
}


static int
read_object(reader_t *reader, tg_hujson_t *value)
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
            return expected(reader, "\",\" or \"}\"");
        }

        member = tgi_alloc(reader->alloc, 1, sizeof(tg_hujson_t));
        if (member == NULL) {
            return fail_at(reader, reader->pos, TG_ERR_NOMEM, "out of memory");
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
read_member(reader_t *reader, tg_hujson_t *member)
{
    int       rc;
    size_t    offset;
    tg_str_t  key;

    offset = reader->pos;

    if (offset == reader->len || reader->text[offset] != '"') {
        return expected(reader, "a key in quotes or \"}\"");
    }

    rc = read_string(reader, &key);
    if (rc == TG_OK) {
        rc = skip(reader);
    }

    if (rc != TG_OK) {
        return rc;
    }

    if (reader->pos == reader->len || reader->text[reader->pos] != ':') {
        return expected(reader, "\":\" after the key");
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
read_array(reader_t *reader, tg_hujson_t *value)
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
            return expected(reader, "\",\" or \"]\"");
        }

        item = tgi_alloc(reader->alloc, 1, sizeof(tg_hujson_t));
        if (item == NULL) {
            return fail_at(reader, reader->pos, TG_ERR_NOMEM, "out of memory");
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
read_comma(reader_t *reader, char end, bool *more)
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

    return expected(reader, end == '}' ? "\",\" or \"}\"" : "\",\" or \"]\"");
}


static int
read_string(reader_t *reader, tg_str_t *string)
{
    size_t    n, start;
    uint32_t  c;

    start = ++reader->pos;

    while (reader->pos < reader->len) {

        switch (reader->text[reader->pos]) {

        case '"':
            string->data = reader->text + start;
            string->len = reader->pos++ - start;
            return TG_OK;

        case '\\':
            return read_escaped(reader, start, string);

        default:
            n = tgi_utf8_char(reader->text + reader->pos,
                              reader->len - reader->pos, &c);
            if (n == 0 || c < 0x20) {
                return expected(reader, "a character of a string");
            }

            reader->pos += n;
        }
    }

    return expected(reader, "\"\"\" at the end of the string");
}


/* A string with escapes is never longer decoded than written. */

static int
read_escaped(reader_t *reader, size_t start, tg_str_t *string)
{
    int        rc;
    char      *data;
    size_t     n, end, len;
    uint32_t   c;

    for (end = reader->pos; end < reader->len; end++) {
        if (reader->text[end] == '"') {
            break;
        }

        if (reader->text[end] == '\\') {
            end++;
        }
    }

    if (end >= reader->len) {
        reader->pos = reader->len;
        return expected(reader, "\"\"\" at the end of the string");
    }

    data = tgi_alloc(reader->alloc, end - start, 1);
    if (data == NULL) {
        return fail_at(reader, start, TG_ERR_NOMEM, "out of memory");
    }

    n = 0;
    len = reader->pos - start;
    memcpy(data, reader->text + start, len);

    while (reader->pos < end) {
        if (reader->text[reader->pos] == '\\') {
            rc = read_escape(reader, data + len, &n);
            if (rc != TG_OK) {
                return rc;
            }

            len += n;
            continue;
        }

        n = tgi_utf8_char(reader->text + reader->pos,
                          reader->len - reader->pos, &c);
        if (n == 0 || c < 0x20) {
            return expected(reader, "a character of a string");
        }

        memcpy(data + len, reader->text + reader->pos, n);
        reader->pos += n;
        len += n;
    }

    reader->pos++;
    string->data = data;
    string->len = len;

    return TG_OK;
}


static size_t
encode(uint32_t c, char *p)
{
    if (c < 0x80) {
        p[0] = (char) c;
        return 1;
    }

    if (c < 0x800) {
        p[0] = (char) (0xc0 | (c >> 6));
        p[1] = (char) (0x80 | (c & 0x3f));
        return 2;
    }

    if (c < 0x10000) {
        p[0] = (char) (0xe0 | (c >> 12));
        p[1] = (char) (0x80 | ((c >> 6) & 0x3f));
        p[2] = (char) (0x80 | (c & 0x3f));
        return 3;
    }

    p[0] = (char) (0xf0 | (c >> 18));
    p[1] = (char) (0x80 | ((c >> 12) & 0x3f));
    p[2] = (char) (0x80 | ((c >> 6) & 0x3f));
    p[3] = (char) (0x80 | (c & 0x3f));

    return 4;
}


static int
read_escape(reader_t *reader, char *p, size_t *n)
{
    int          rc;
    size_t       start;
    uint32_t     c, low;
    const char  *found;

    static const char  names[] = "\"\\/bfnrt";
    static const char  meant[] = "\"\\/\b\f\n\r\t";

    start = reader->pos++;
    found = memchr(names, reader->text[reader->pos], sizeof(names) - 1);

    if (found != NULL) {
        *p = meant[found - names];
        *n = 1;
        reader->pos++;
        return TG_OK;
    }

    if (reader->text[reader->pos] != 'u') {
        return expected(reader, "one of \"\\/bfnrtu after \"\\\"");
    }

    rc = read_hex(reader, &c);
    if (rc != TG_OK) {
        return rc;
    }

    if (c >= 0xd800 && c < 0xe000) {

        if (c >= 0xdc00 || reader->len - reader->pos < 6
            || reader->text[reader->pos] != '\\'
            || reader->text[reader->pos + 1] != 'u')
        {
            return fail_at(reader, start, TG_ERR_SYNTAX,
                           "half of a surrogate pair");
        }

        reader->pos++;
        rc = read_hex(reader, &low);
        if (rc != TG_OK) {
            return rc;
        }

        if (low < 0xdc00 || low >= 0xe000) {
            return fail_at(reader, start, TG_ERR_SYNTAX,
                           "half of a surrogate pair");
        }

        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }

    *n = encode(c, p);

    return TG_OK;
}


/* "uXXXX"; pos is at the "u". */

static int
read_hex(reader_t *reader, uint32_t *c)
{
    char      digit;
    unsigned  i;

    reader->pos++;
    *c = 0;

    for (i = 0; i < 4; i++, reader->pos++) {
        digit = reader->pos < reader->len
                ? tgi_lower(reader->text[reader->pos]) : '\0';

        if (digit >= '0' && digit <= '9') {
            *c = (*c << 4) | (uint32_t) (digit - '0');

        } else if (digit >= 'a' && digit <= 'f') {
            *c = (*c << 4) | (uint32_t) (digit - 'a' + 10);

        } else {
            return expected(reader, "four hexadecimal digits after \"\\u\"");
        }
    }

    return TG_OK;
}


static bool
digits(reader_t *reader)
{
    size_t  start;

    start = reader->pos;

    while (reader->pos < reader->len && reader->text[reader->pos] >= '0'
           && reader->text[reader->pos] <= '9')
    {
        reader->pos++;
    }

    return reader->pos != start;
}


static char
peek(const reader_t *reader)
{
    return reader->pos < reader->len ? reader->text[reader->pos] : '\0';
}


static int
read_number(reader_t *reader, tg_hujson_t *value)
{
    size_t  start;

    start = reader->pos;

    if (peek(reader) == '-') {
        reader->pos++;
    }

    if (peek(reader) == '0') {
        reader->pos++;

    } else if (!digits(reader)) {
        return expected(reader, "a digit");
    }

    if (peek(reader) == '.') {
        reader->pos++;

        if (!digits(reader)) {
            return expected(reader, "a digit after \".\"");
        }
    }

    if (tgi_lower(peek(reader)) == 'e') {
        reader->pos++;

        if (peek(reader) == '+' || peek(reader) == '-') {
            reader->pos++;
        }

        if (!digits(reader)) {
            return expected(reader, "a digit of the exponent");
        }
    }

    value->type = TG_HUJSON_NUMBER;
    value->text.data = reader->text + start;
    value->text.len = reader->pos - start;

    return TG_OK;
}


static int
read_word(reader_t *reader, tg_hujson_t *value)
{
    size_t  i, n;

    static const struct {
        const char        *word;
        tg_hujson_type_t   type;
    } words[] = {
        { "null", TG_HUJSON_NULL },
        { "false", TG_HUJSON_FALSE },
        { "true", TG_HUJSON_TRUE }
    };

    for (i = 0; i < 3; i++) {
        n = strlen(words[i].word);

        if (reader->len - reader->pos >= n
            && memcmp(reader->text + reader->pos, words[i].word, n) == 0)
        {
            value->type = (uint8_t) words[i].type;
            reader->pos += n;
            return TG_OK;
        }
    }

    return expected(reader, "a value");
}


static int
skip(reader_t *reader)
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
skip_comment(reader_t *reader)
{
    bool      block;
    size_t    n, start;
    uint32_t  c;

    start = reader->pos++;

    if (peek(reader) != '/' && peek(reader) != '*') {
        return expected(reader, "\"//\" or \"/*\" of a comment");
    }

    block = peek(reader) == '*';
    reader->pos++;

    while (reader->pos < reader->len) {
        n = tgi_utf8_char(reader->text + reader->pos,
                          reader->len - reader->pos, &c);
        if (n == 0) {
            return expected(reader, "UTF-8 in a comment");
        }

        reader->pos += n;

        if (!block && c == '\n') {
            return TG_OK;
        }

        if (block && c == '*' && peek(reader) == '/') {
            reader->pos++;
            return TG_OK;
        }
    }

    return block ? fail_at(reader, start, TG_ERR_SYNTAX,
                           "a comment without its end, expected \"*/\"")
                 : TG_OK;
}


static int
duplicate(reader_t *reader, const tg_hujson_t *member)
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
check_keys(reader_t *reader, const tg_hujson_t *object)
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
        return fail_at(reader, object->offset, rc, "out of memory");
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


/* What stands at pos, in words, and what should. */

static int
expected(reader_t *reader, const char *what)
{
    size_t       n, len;
    uint32_t     c;
    const char  *found;

    found = reader->text + reader->pos;
    len = reader->len - reader->pos;

    if (len == 0) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the end of the text, expected %s", what);

    } else if ((n = tgi_utf8_char(found, len, &c)) == 0) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the byte 0x%02x is not UTF-8, expected %s",
                         (unsigned) (unsigned char) *found, what);

    } else if (tgi_is_control(c)) {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "the control character U+%04X, expected %s",
                         (unsigned) c, what);

    } else {
        (void) tgi_error(reader->error, TG_ERR_SYNTAX,
                         "\"%.*s\", expected %s", (int) n, found, what);
    }

    if (reader->error != NULL) {
        tg_hujson_position(reader->text, reader->len, reader->pos,
                           &reader->error->line, &reader->error->column);
    }

    return TG_ERR_SYNTAX;
}


static int
fail_at(reader_t *reader, size_t offset, int code, const char *message)
{
    (void) tgi_error(reader->error, code, "%s", message);

    if (reader->error != NULL) {
        tg_hujson_position(reader->text, reader->len, offset,
                           &reader->error->line, &reader->error->column);
    }

    return code;
}
