
/*
 * Copyright (C) The Tailgate authors
 *
 * What a value of the file may be, before its meaning.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


/* Longer texts are no login, path or contact. */

#define TEXT_MAX  TGI_PATTERN_MAX

#define KEY_MAX   64


tgi_place_t
tgi_place(const tgi_yaml_t *node)
{
    return (tgi_place_t) { node->line, node->column };
}


tgi_place_t
tgi_value_place(const tgi_yaml_t *node)
{
    return (tgi_place_t) { node->value_line, node->value_column };
}


void
tgi_tell(tgi_read_t *rd, tgi_code_t code, const tgi_yaml_t *node,
    const char *a, const char *b, const char *c)
{
    tgi_messages_add(&rd->messages, code, tgi_value_place(node), a, b, c);
}


void *
tgi_new(tgi_read_t *rd, size_t n, size_t size)
{
    void  *p;

    p = tgi_alloc(rd->alloc, n, size);

    if (p == NULL) {
        rd->messages.nomem = true;
        return NULL;
    }

    memset(p, 0, n * size);

    return p;
}


bool
tgi_copy(tgi_read_t *rd, tg_str_t text, tg_str_t *out)
{
    char  *p;

    *out = (tg_str_t) TG_NULL_STR;

    /* a NUL behind it, as some of them become names of headers */

    p = tgi_new(rd, text.len + 1, 1);
    if (p == NULL) {
        return false;
    }

    if (text.len != 0) {
        memcpy(p, text.data, text.len);
    }

    out->data = p;
    out->len = text.len;

    return true;
}


bool
tgi_copy_lower(tgi_read_t *rd, tg_str_t text, tg_str_t *out)
{
    char    *p;
    size_t   i;

    *out = (tg_str_t) TG_NULL_STR;

    p = tgi_new(rd, text.len + 1, 1);
    if (p == NULL) {
        return false;
    }

    for (i = 0; i < text.len; i++) {
        p[i] = tgi_lower(text.data[i]);
    }

    out->data = p;
    out->len = text.len;

    return true;
}


static const char *
kind_name(const tgi_yaml_t *node)
{
    switch (node->kind) {

    case TGI_YAML_SEQUENCE:
        return "a list";

    case TGI_YAML_MAPPING:
        return "a mapping";

    default:
        return node->text.len == 0 ? "empty" : "a text";
    }
}


bool
tgi_is_mapping(tgi_read_t *rd, const tgi_yaml_t *node, const char *name)
{
    if (node->kind == TGI_YAML_MAPPING) {
        return true;
    }

    tgi_tell(rd, TGI_P_NOT_MAPPING, node, name, kind_name(node), NULL);

    return false;
}


bool
tgi_is_list(tgi_read_t *rd, const tgi_yaml_t *node, const char *name)
{
    if (node->kind == TGI_YAML_SEQUENCE) {
        return true;
    }

    tgi_tell(rd, TGI_P_NOT_LIST, node, name, kind_name(node), NULL);

    return false;
}


/* What a value is in a message: an item of a list has no key of its own. */

static const char *
item_name(const tgi_yaml_t *node, char name[KEY_MAX + 16])
{
    if (node->key.data == NULL) {
        return "an item";
    }

    (void) snprintf(name, KEY_MAX + 16, "\"%.*s\"", KEY_MAX, node->key.data);

    return name;
}


bool
tgi_is_text(tgi_read_t *rd, const tgi_yaml_t *node, const char *name)
{
    char  max[24], buf[KEY_MAX + 16];

    if (name == NULL) {
        name = item_name(node, buf);
    }

    if (node->kind != TGI_YAML_SCALAR) {
        tgi_tell(rd, TGI_P_NOT_TEXT, node, name, kind_name(node), NULL);
        return false;
    }

    if (node->text.len == 0) {
        tgi_tell(rd, TGI_P_EMPTY, node, name, NULL, NULL);
        return false;
    }

    if (node->text.len > TEXT_MAX
        || tgi_text_check(node->text.data, node->text.len) != TG_OK)
    {
        (void) snprintf(max, sizeof(max), "%d", TEXT_MAX);
        tgi_tell(rd, TGI_P_CONTROL, node, name, node->text.data, max);
        return false;
    }

    return true;
}


size_t
tgi_count(tgi_read_t *rd, const tgi_yaml_t *node)
{
    bool               ok;
    char               name[KEY_MAX + 16], item_of[KEY_MAX + 32];
    const char        *list;
    const tgi_yaml_t  *item;

    list = item_name(node, name);

    if (node->kind != TGI_YAML_SEQUENCE) {
        return tgi_is_text(rd, node, list) ? 1 : 0;
    }

    if (node->n == 0) {
        tgi_messages_add(&rd->messages, TGI_P_EMPTY, tgi_place(node), list,
                         NULL, NULL);
        return 0;
    }

    (void) snprintf(item_of, sizeof(item_of), "an item of %s", list);

    ok = true;

    for (item = node->first; item != NULL; item = item->next) {
        ok &= tgi_is_text(rd, item, item_of);
    }

    return ok ? node->n : 0;
}


const tgi_yaml_t *
tgi_first(const tgi_yaml_t *node)
{
    return node->kind == TGI_YAML_SEQUENCE ? node->first : node;
}


const tgi_yaml_t *
tgi_next(const tgi_yaml_t *node, const tgi_yaml_t *item)
{
    return node->kind == TGI_YAML_SEQUENCE ? item->next : NULL;
}


void
tgi_read_list(tgi_read_t *rd, const tgi_yaml_t *node,
    bool (*check)(tgi_read_t *rd, const tgi_yaml_t *item), tg_list_t *list)
{
    size_t             n;
    const tgi_yaml_t  *item;

    list->n = 0;

    n = tgi_count(rd, node);
    if (n == 0) {
        return;
    }

    list->items = tgi_new(rd, n, sizeof(tg_str_t));
    if (list->items == NULL) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {

        if (check != NULL && !check(rd, item)) {
            continue;
        }

        if (!tgi_copy(rd, item->text, &list->items[list->n])) {
            return;
        }

        list->n++;
    }
}


uint32_t
tgi_read_word(tgi_read_t *rd, const tgi_yaml_t *node,
    const tgi_word_t *words, size_t n)
{
    char    all[128];
    size_t  i, len;

    if (!tgi_is_text(rd, node, NULL)) {
        return UINT32_MAX;
    }

    len = 0;
    all[0] = '\0';

    for (i = 0; i < n; i++) {
        if (strcmp(words[i].name, node->text.data) == 0) {
            return words[i].value;
        }

        len += (size_t) snprintf(all + len, sizeof(all) - len, "%s%s",
                                 i == 0 ? "" : i + 1 == n ? " or " : ", ",
                                 words[i].name);
    }

    tgi_tell(rd, TGI_P_WORD, node, node->text.data, node->key.data, all);

    return UINT32_MAX;
}


/* Levenshtein's, of short words. */

static size_t
distance(const char *a, const char *b)
{
    size_t  i, j, n, m, above, left, best, row[KEY_MAX + 1];

    n = strlen(a);
    m = strlen(b);

    if (n > KEY_MAX || m > KEY_MAX) {
        return SIZE_MAX;
    }

    for (j = 0; j <= m; j++) {
        row[j] = j;
    }

    for (i = 1; i <= n; i++) {
        above = row[0];
        row[0] = i;

        for (j = 1; j <= m; j++) {
            left = row[j - 1];
            best = above + (tgi_lower(a[i - 1]) != tgi_lower(b[j - 1]));
            above = row[j];

            best = best < left + 1 ? best : left + 1;
            row[j] = best < above + 1 ? best : above + 1;
        }
    }

    return row[m];
}


void
tgi_nearest(char *out, size_t size, const char *word,
    const char *const *words, size_t n)
{
    int          len;
    size_t       i, d, best, used;
    const char  *nearest;

    best = SIZE_MAX;
    nearest = NULL;

    for (i = 0; i < n; i++) {
        d = distance(word, words[i]);

        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }

    /* a third of it may be wrong */

    if (nearest != NULL && best <= strlen(nearest) / 3 + 1
        && best < strlen(nearest))
    {
        (void) snprintf(out, size, "did you mean \"%s\"?", nearest);
        return;
    }

    used = (size_t) snprintf(out, size, "there are %s", n ? "" : "none");

    for (i = 0; i < n && used < size; i++) {
        len = snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                       words[i]);
        used += len > 0 ? (size_t) len : 0;
    }
}


static void
unknown_key(tgi_read_t *rd, const tgi_yaml_t *node, const tgi_keys_t *keys)
{
    char         hint[256];
    size_t       i;
    const char  *names[32];

    for (i = 0; i < keys->n; i++) {
        names[i] = keys->keys[i].name;
    }

    tgi_nearest(hint, sizeof(hint), node->key.data, names, keys->n);

    tgi_messages_add(&rd->messages, TGI_P_UNKNOWN_KEY, tgi_place(node),
                     node->key.data, keys->what, hint);
}


static bool
is_key(const tgi_key_t *key, tg_str_t name)
{
    return strcmp(key->name, name.data) == 0
           || (key->other != NULL && strcmp(key->other, name.data) == 0);
}


void
tgi_read_keys(tgi_read_t *rd, const tgi_yaml_t *node, const char *name,
    const tgi_keys_t *keys, void *object)
{
    size_t             i;
    const tgi_key_t   *key;
    const tgi_yaml_t  *item, *found[32];

    if (!tgi_is_mapping(rd, node, name)) {
        return;
    }

    memset(found, 0, sizeof(found));

    for (item = node->first; item != NULL; item = item->next) {

        for (i = 0; i < keys->n && !is_key(&keys->keys[i], item->key); i++) {
            /* void */
        }

        if (i == keys->n) {
            unknown_key(rd, item, keys);

        } else if (found[i] != NULL) {
            tgi_messages_add(&rd->messages, TGI_P_KEY_TWICE, tgi_place(item),
                             found[i]->key.data, item->key.data, NULL);

        } else {
            found[i] = item;
        }
    }

    for (i = 0; i < keys->n; i++) {
        key = &keys->keys[i];

        if (found[i] != NULL) {
            key->read(rd, object, found[i]);

        } else if (key->required) {
            tgi_messages_add(&rd->messages, TGI_P_MISSING, tgi_place(node),
                             name, key->name, NULL);
        }
    }
}
