
/*
 * Copyright (C) The Tailgate authors
 */

#include "core/identity/json.h"

#include "core/base/base.h"

#include <string.h>


/*
 * jansson recurses up to 2048 levels deep, here and when it frees; a look at
 * the brackets keeps what runs in a worker's stack far below that.
 */

static bool
is_too_deep(const char *json, size_t len)
{
    bool    quoted;
    size_t  i, depth;

    quoted = false;
    depth = 0;

    for (i = 0; i < len; i++) {

        switch (json[i]) {

        case '"':
            quoted = !quoted;
            break;

        case '\\':
            i += quoted;
            break;

        case '[':
        case '{':
            if (!quoted && ++depth > TGI_JSON_DEPTH_MAX) {
                return true;
            }

            break;

        case ']':
        case '}':
            if (!quoted && depth > 0) {
                depth--;
            }

            break;
        }
    }

    return false;
}


static void
fail_load(tgi_reader_t *reader, const json_error_t *error)
{
    /* jansson says nothing when it is out of memory */

    if (error->text[0] == '\0') {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return;
    }

    tgi_json_fail(reader, TG_ERR_SYNTAX, "not JSON: %s", error->text);

    if (reader->error != NULL) {
        reader->error->line = error->line > 0 ? (size_t) error->line : 0;
        reader->error->column = error->column > 0 ? (size_t) error->column : 0;
    }
}


json_t *
tgi_json_load(tgi_reader_t *reader, const char *json, size_t len)
{
    json_t       *root;
    json_error_t  error;

    if (len > TG_WHOIS_BODY_MAX) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "longer than %d bytes",
                      TG_WHOIS_BODY_MAX);
        return NULL;
    }

    if (len == 0) {
        tgi_json_fail(reader, TG_ERR_SYNTAX, "empty");
        return NULL;
    }

    if (is_too_deep(json, len)) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "nested over %d levels deep",
                      TGI_JSON_DEPTH_MAX);
        return NULL;
    }

    root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        fail_load(reader, &error);
        return NULL;
    }

    if (!json_is_object(root)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "not a JSON object");
        json_decref(root);
        return NULL;
    }

    return root;
}


/* The field that path ends in; NULL if there is none or it is null. */

static json_t *
find_field(const tgi_reader_t *reader, json_t *object, const char *path)
{
    json_t      *value;
    const char  *dot;

    if (reader->rc != TG_OK || object == NULL) {
        return NULL;
    }

    dot = strrchr(path, '.');
    value = json_object_get(object, dot != NULL ? dot + 1 : path);

    return json_is_null(value) ? NULL : value;
}


json_t *
tgi_json_object(tgi_reader_t *reader, json_t *object, const char *path)
{
    json_t  *value;

    value = find_field(reader, object, path);

    if (value != NULL && !json_is_object(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s is not an object", path);
        return NULL;
    }

    return value;
}


json_t *
tgi_json_array(tgi_reader_t *reader, json_t *object, const char *path)
{
    json_t  *value;

    value = find_field(reader, object, path);

    if (value != NULL && !json_is_array(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s is not an array", path);
        return NULL;
    }

    return value;
}


bool
tgi_json_bool(tgi_reader_t *reader, json_t *object, const char *path)
{
    json_t  *value;

    value = find_field(reader, object, path);

    if (value != NULL && !json_is_boolean(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s is not true or false", path);
        return false;
    }

    return json_is_true(value);
}


int64_t
tgi_json_int(tgi_reader_t *reader, json_t *object, const char *path)
{
    json_t  *value;

    value = find_field(reader, object, path);

    if (value != NULL && !json_is_integer(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s is not an integer", path);
        return 0;
    }

    return json_integer_value(value);
}


/* Checks and copies a string that becomes an attribute. */

static tg_str_t
copy_strict(tgi_reader_t *reader, tg_str_t in, const char *path, size_t max)
{
    tg_str_t  copy = TG_NULL_STR;

    if (in.len > max) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "%s is over %zu bytes", path, max);
        return copy;
    }

    switch (tgi_text_check(in.data, in.len)) {

    case TG_ERR_SYNTAX:
        tgi_json_fail(reader, TG_ERR_SYNTAX, "%s is not UTF-8", path);
        return copy;

    case TG_ERR_REFUSED:
        tgi_json_fail(reader, TG_ERR_REFUSED, "%s holds a control character",
                      path);
        return copy;
    }

    if (tgi_str_copy(&copy, in.data, in.len, reader->alloc) != TG_OK) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
    }

    return copy;
}


/* jansson gives valid UTF-8 only, so that a cut can step back to a lead. */

static tg_str_t
copy_lenient(tgi_reader_t *reader, tg_str_t in, size_t max)
{
    char      *p;
    size_t     i, n, len;
    uint32_t   c;
    tg_str_t   copy = TG_NULL_STR;

    p = tgi_alloc(reader->alloc, in.len < max ? in.len + 1 : max, 1);
    if (p == NULL) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return copy;
    }

    for (i = 0, len = 0; i < in.len; i += n) {
        n = tgi_utf8_char(in.data + i, in.len - i, &c);

        if (n == 0 || len + n > max) {
            break;
        }

        if (tgi_is_control(c)) {
            p[len++] = ' ';
            continue;
        }

        memcpy(p + len, in.data + i, n);
        len += n;
    }

    copy.data = p;
    copy.len = len;

    return copy;
}


tg_str_t
tgi_json_string(tgi_reader_t *reader, json_t *object, const char *path,
    size_t max)
{
    json_t    *value;
    tg_str_t   in = TG_NULL_STR;

    value = find_field(reader, object, path);

    if (value == NULL) {
        return in;
    }

    if (!json_is_string(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s is not a string", path);
        return in;
    }

    in.data = json_string_value(value);
    in.len = json_string_length(value);

    return copy_strict(reader, in, path, max);
}


tg_str_t
tgi_json_item(tgi_reader_t *reader, json_t *array, size_t i, const char *path)
{
    json_t    *value;
    tg_str_t   item = TG_NULL_STR;

    value = json_array_get(array, i);

    if (!json_is_string(value)) {
        tgi_json_fail(reader, TG_ERR_TYPE, "%s[%zu] is not a string", path, i);
        return item;
    }

    item.data = json_string_value(value);
    item.len = json_string_length(value);

    return item;
}


tg_list_t
tgi_json_list(tgi_reader_t *reader, json_t *object, const char *path,
    size_t max, tgi_text_t text)
{
    size_t      i, n;
    json_t     *array;
    tg_str_t    item;
    tg_list_t   list = { NULL, 0 };

    array = tgi_json_array(reader, object, path);
    n = json_array_size(array);

    if (n > TG_LIST_MAX && text == TGI_TEXT_STRICT) {
        tgi_json_fail(reader, TG_ERR_LIMIT, "%s has over %d items", path,
                      TG_LIST_MAX);
        return list;
    }

    if (n == 0) {
        return list;
    }

    n = n < TG_LIST_MAX ? n : TG_LIST_MAX;

    list.items = tgi_alloc(reader->alloc, n, sizeof(tg_str_t));
    if (list.items == NULL) {
        tgi_json_fail(reader, TG_ERR_NOMEM, "out of memory");
        return list;
    }

    for (i = 0; i < n && reader->rc == TG_OK; i++) {
        item = tgi_json_item(reader, array, i, path);

        if (reader->rc == TG_OK) {
            list.items[i] = text == TGI_TEXT_STRICT
                            ? copy_strict(reader, item, path, max)
                            : copy_lenient(reader, item, max);
        }
    }

    list.n = i;

    return list;
}
