
/*
 * Copyright (C) The Tailgate authors
 *
 * CapMap, from JSON to a tree.
 */

#include "core/policy/caps.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>


static int convert(json_t *json, const tg_alloc_t *alloc, size_t depth,
    tgi_value_t *value);


static int
copy_text(tg_str_t *text, const char *data, size_t len,
    const tg_alloc_t *alloc)
{
    static const char  empty[] = "";

    if (len == 0) {
        text->data = empty;
        text->len = 0;
        return TG_OK;
    }

    return tgi_str_copy(text, data, len, alloc);
}


static int
convert_array(json_t *json, const tg_alloc_t *alloc, size_t depth,
    tgi_value_t *value)
{
    int     rc;
    size_t  i;

    value->kind = TGI_VALUE_ARRAY;
    value->n = json_array_size(json);

    if (value->n == 0) {
        return TG_OK;
    }

    value->u.items = tgi_alloc(alloc, value->n, sizeof(tgi_value_t));
    if (value->u.items == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < value->n; i++) {
        rc = convert(json_array_get(json, i), alloc, depth,
                     &value->u.items[i]);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


static int
convert_object(json_t *json, const tg_alloc_t *alloc, size_t depth,
    tgi_value_t *value)
{
    int          rc;
    void        *iter;
    const char  *key;
    tgi_value_t *field;

    value->kind = TGI_VALUE_OBJECT;
    value->n = json_object_size(json);

    if (value->n == 0) {
        return TG_OK;
    }

    value->u.items = tgi_alloc(alloc, value->n, sizeof(tgi_value_t));
    if (value->u.items == NULL) {
        return TG_ERR_NOMEM;
    }

    field = value->u.items;

    for (iter = json_object_iter(json);
         iter != NULL;
         iter = json_object_iter_next(json, iter))
    {
        rc = convert(json_object_iter_value(iter), alloc, depth, field);
        if (rc != TG_OK) {
            return rc;
        }

        key = json_object_iter_key(iter);

        rc = copy_text(&field->name, key, strlen(key), alloc);
        if (rc != TG_OK) {
            return rc;
        }

        field++;
    }

    return TG_OK;
}


static int
convert(json_t *json, const tg_alloc_t *alloc, size_t depth,
    tgi_value_t *value)
{
    memset(value, 0, sizeof(tgi_value_t));

    if (depth == 0) {
        return TG_ERR_LIMIT;
    }

    switch (json_typeof(json)) {

    case JSON_OBJECT:
        return convert_object(json, alloc, depth - 1, value);

    case JSON_ARRAY:
        return convert_array(json, alloc, depth - 1, value);

    case JSON_STRING:
        value->kind = TGI_VALUE_TEXT;
        return copy_text(&value->u.text, json_string_value(json),
                         json_string_length(json), alloc);

    case JSON_INTEGER:
        value->kind = TGI_VALUE_INTEGER;
        value->u.integer = json_integer_value(json);
        return TG_OK;

    case JSON_REAL:
        value->kind = TGI_VALUE_REAL;
        value->u.real = json_real_value(json);
        return TG_OK;

    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = TGI_VALUE_BOOL;
        value->u.boolean = json_is_true(json);
        return TG_OK;

    default:
        return TG_OK;
    }
}


static int
compare(tg_str_t a, tg_str_t b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }

    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}


static int
compare_names(const void *a, const void *b)
{
    const tgi_value_t  *one = a, *two = b;

    return compare(one->name, two->name);
}


/*
 * Go writes the values of a capability that is granted without any as null or
 * as an empty array, see tailcfg.PeerCapMap: both are the same.
 */

static void
keep_arrays(tg_caps_t *caps)
{
    size_t        i, n;
    tgi_value_t  *value;

    n = 0;

    for (i = 0; i < caps->n; i++) {

        value = &caps->items[i];

        if (value->kind == TGI_VALUE_NULL) {
            value->kind = TGI_VALUE_ARRAY;
            value->u.items = NULL;
            value->n = 0;
        }

        if (value->kind == TGI_VALUE_ARRAY) {
            caps->items[n++] = *value;
        }
    }

    caps->n = n;

    if (n > 1) {
        qsort(caps->items, n, sizeof(tgi_value_t), compare_names);
    }
}


int
tg_caps_parse(tg_str_t json, const tg_alloc_t *alloc, tg_caps_t **caps)
{
    int           rc;
    json_t       *root;
    tg_caps_t    *result;
    tgi_value_t   value;

    root = NULL;
    *caps = NULL;

    if (json.len > TG_CAPS_MAX) {
        rc = TG_ERR_LIMIT;
        goto out;
    }

    root = json_loadb(json.len ? json.data : "{}", json.len ? json.len : 2,
                      JSON_REJECT_DUPLICATES, NULL);

    if (root == NULL || !json_is_object(root)) {
        rc = TG_ERR_SYNTAX;
        goto out;
    }

    rc = convert(root, alloc, TGI_CAPS_DEPTH_MAX, &value);
    if (rc != TG_OK) {
        goto out;
    }

    result = tgi_alloc(alloc, 1, sizeof(tg_caps_t));
    if (result == NULL) {
        rc = TG_ERR_NOMEM;
        goto out;
    }

    result->items = value.u.items;
    result->n = value.n;
    keep_arrays(result);

    *caps = result;

out:

    json_decref(root);

    return rc;
}


const tgi_value_t *
tgi_caps_find(const tg_caps_t *caps, tg_str_t name)
{
    int     order;
    size_t  low, high, middle;

    if (caps == NULL) {
        return NULL;
    }

    low = 0;
    high = caps->n;

    while (low < high) {
        middle = low + (high - low) / 2;
        order = compare(name, caps->items[middle].name);

        if (order == 0) {
            return &caps->items[middle];
        }

        if (order < 0) {
            high = middle;

        } else {
            low = middle + 1;
        }
    }

    return NULL;
}


const tgi_value_t *
tgi_value_field(const tgi_value_t *object, tg_str_t name)
{
    size_t  i;

    if (object->kind != TGI_VALUE_OBJECT) {
        return NULL;
    }

    for (i = 0; i < object->n; i++) {
        if (tgi_str_equal(object->u.items[i].name, name)) {
            return &object->u.items[i];
        }
    }

    return NULL;
}
