
/*
 * Copyright (C) The Tailgate authors
 *
 * Rules of nginx directives.  Their words become the tree that a file would
 * have, so that one reader knows what they mean.
 */

#include "core/policy/check.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


/* Tree and messages of one directive. */

#define SCRATCH_MAX  ((size_t) 16 * 1024 * 1024)

#define WORDS_MAX    1024


static tgi_yaml_t *
new_node(const tg_alloc_t *alloc, tgi_yaml_kind_t kind, tg_str_t text)
{
    char        *p;
    tgi_yaml_t  *node;

    node = tgi_alloc(alloc, 1, sizeof(tgi_yaml_t));
    p = tgi_alloc(alloc, text.len + 1, 1);

    if (node == NULL || p == NULL) {
        return NULL;
    }

    memset(node, 0, sizeof(*node));

    if (text.len != 0) {
        memcpy(p, text.data, text.len);
    }

    p[text.len] = '\0';

    node->kind = kind;
    node->text.data = p;
    node->text.len = text.len;
    node->plain = true;

    return node;
}


static void
append(tgi_yaml_t *parent, tgi_yaml_t *child)
{
    tgi_yaml_t  **last;

    for (last = &parent->first; *last != NULL; last = &(*last)->next) {
        /* void */
    }

    *last = child;
    parent->n++;
}


/* The list by that key, which is made if there is none yet. */

static tgi_yaml_t *
find_list(const tg_alloc_t *alloc, tgi_yaml_t *parent, tg_str_t key,
    tgi_yaml_kind_t kind)
{
    tgi_yaml_t  *node;

    for (node = parent->first; node != NULL; node = node->next) {
        if (tgi_str_equal(node->key, key)) {
            return node;
        }
    }

    node = new_node(alloc, kind, key);
    if (node == NULL) {
        return NULL;
    }

    node->key = node->text;
    append(parent, node);

    return node;
}


/* Splits at the first c; false if there is nothing before it, or no c. */

static bool
split(tg_str_t text, char c, tg_str_t *key, tg_str_t *value)
{
    const char  *p;

    p = text.len != 0 ? memchr(text.data, c, text.len) : NULL;

    if (p == NULL || p == text.data) {
        return false;
    }

    key->data = text.data;
    key->len = (size_t) (p - text.data);
    value->data = p + 1;
    value->len = text.len - key->len - 1;

    return true;
}


static void
bad_word(tgi_read_t *rd, tg_str_t word)
{
    char         text[128];
    tgi_place_t  nowhere = { 0, 0 };

    (void) snprintf(text, sizeof(text), "%.*s",
                    (int) (word.len < sizeof(text) ? word.len : sizeof(text)),
                    word.data != NULL ? word.data : "");

    tgi_messages_add(&rd->messages, TGI_P_INLINE_WORD, nowhere, text, NULL,
                     NULL);
}


/* "os=iOS"; "where=role:admin" is a field and what it has to be. */

static bool
add_word(tgi_read_t *rd, tgi_yaml_t *root, tg_str_t word)
{
    tg_str_t     key, value, field;
    tgi_yaml_t  *list, *item;

    static const tg_str_t  where = TG_STR("where");

    if ((word.len != 0 && memchr(word.data, '\0', word.len) != NULL)
        || !split(word, '=', &key, &value))
    {
        bad_word(rd, word);
        return true;
    }

    list = find_list(rd->scratch, root, key,
                     tgi_str_equal(key, where) ? TGI_YAML_MAPPING
                                               : TGI_YAML_SEQUENCE);
    if (list == NULL) {
        return false;
    }

    if (list->kind == TGI_YAML_MAPPING) {
        if (!split(value, ':', &field, &value)) {
            bad_word(rd, word);
            return true;
        }

        list = find_list(rd->scratch, list, field, TGI_YAML_SEQUENCE);
        if (list == NULL) {
            return false;
        }
    }

    item = new_node(rd->scratch, TGI_YAML_SCALAR, value);
    if (item == NULL) {
        return false;
    }

    append(list, item);

    return true;
}


/* What is there once is that value, as "until" takes no list. */

static void
unlist(tgi_yaml_t *root)
{
    tgi_yaml_t  *node;

    for (node = root->first; node != NULL; node = node->next) {
        if (node->kind == TGI_YAML_SEQUENCE && node->n == 1) {
            node->kind = TGI_YAML_SCALAR;
            node->text = node->first->text;
            node->first = NULL;
            node->n = 0;
        }
    }
}


/* The first error, or the first warning where there is none. */

static void
keep_first(void *ctx, const tg_policy_message_t *message)
{
    int          code;
    tg_error_t  *error;

    error = ctx;
    code = message->severity == TG_POLICY_ERROR ? TG_ERR_REFUSED : TG_OK;

    if (error == NULL
        || (error->text[0] != '\0'
            && (error->code != TG_OK || code == TG_OK)))
    {
        return;
    }

    (void) tgi_error(error, code, "%.*s (%s)", (int) sizeof(error->text) - 8,
                     message->text, message->code);
}


static int
read_words(tgi_read_t *rd, tg_rule_kind_t kind, const tg_str_t *words,
    size_t nwords, tg_str_t id, tg_rule_t **rule)
{
    size_t       i, work;
    tg_str_t     copy;
    const char  *why;
    tgi_yaml_t  *root;
    tgi_place_t  nowhere = { 0, 0 };

    static const tg_str_t  none = TG_NULL_STR;

    root = new_node(rd->scratch, TGI_YAML_MAPPING, none);

    if (root == NULL || !tgi_copy(rd, id, &copy)) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < nwords; i++) {
        if (!add_word(rd, root, words[i])) {
            return TG_ERR_NOMEM;
        }
    }

    unlist(root);

    *rule = tgi_read_rule(rd, root, kind, copy);

    if (*rule == NULL || rd->messages.nomem) {
        return TG_ERR_NOMEM;
    }

    work = 0;
    why = tgi_rule_never(*rule, NULL, &work);

    if (why != NULL) {
        tgi_messages_add(&rd->messages, TGI_P_NEVER, nowhere, copy.data, why,
                         NULL);
    }

    return TG_OK;
}


int
tg_rule_parse(tg_rule_kind_t kind, const tg_str_t *words, size_t nwords,
    tg_str_t id, const tg_alloc_t *alloc, tg_rule_t **rule,
    tg_error_t *error)
{
    int          rc;
    tg_alloc_t   scratch;
    tg_rule_t   *result;
    tg_arena_t  *arena;
    tgi_read_t   rd;

    if (error != NULL) {
        memset(error, 0, sizeof(*error));
    }

    if (nwords > WORDS_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "more than %d words in a rule",
                         WORDS_MAX);
    }

    arena = tg_arena_new(SCRATCH_MAX);
    if (arena == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    scratch = tg_arena_allocator(arena);

    memset(&rd, 0, sizeof(rd));
    rd.alloc = alloc;
    rd.scratch = &scratch;
    rd.messages.alloc = &scratch;

    rc = read_words(&rd, kind, words, nwords, id, &result);

    if (rc == TG_OK) {
        rc = tgi_messages_report(&rd.messages, keep_first, error);
    }

    if (rc == TG_ERR_NOMEM) {
        (void) tgi_error(error, rc, "out of memory");

    } else if (rd.messages.errors != 0) {
        rc = TG_ERR_REFUSED;

    } else {
        *rule = result;
    }

    tg_arena_free(&arena);

    return rc;
}


/* A rule is borrowed, and may be in force under several files. */

static int
resolve(const tg_rule_t *rule, const tg_policy_t *file,
    const tg_alloc_t *alloc, tg_rule_t **resolved, tg_error_t *error)
{
    int         rc;
    size_t      missing;
    tg_rule_t  *copy;
    tg_str_t    name;

    copy = tgi_alloc(alloc, 1, sizeof(tg_rule_t));
    if (copy == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    *copy = *rule;

    missing = 0;

    rc = tgi_resolve_groups(copy, file, alloc, &missing);

    if (rc == TG_ERR_NOMEM) {
        return tgi_error(error, rc, "out of memory");
    }

    if (rc != TG_OK) {
        name = copy->group_names.items[missing];

        return tgi_error(error, rc, "there is no group \"%.*s\" in %s (%s)",
                         (int) name.len, name.data,
                         file != NULL ? "the policy file"
                                      : "any file: groups are those of the"
                                        " policy file, and none is set here",
                         tgi_codes[TGI_P_NO_GROUP].code);
    }

    *resolved = copy;

    return TG_OK;
}


int
tg_inline_compile(const tg_rule_t *const *rules, size_t n, bool raw_path,
    const tg_policy_t *file, const tg_alloc_t *alloc,
    tg_inline_t **inline_rules, tg_error_t *error)
{
    int           rc;
    size_t        i;
    tg_rule_t    *rule;
    tg_inline_t  *result;
    tgi_rules_t  *lists[3];

    result = tgi_alloc(alloc, 1, sizeof(tg_inline_t));
    if (result == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    memset(result, 0, sizeof(*result));
    result->raw_path = raw_path;
    result->file = file;

    lists[TG_RULE_ALLOW] = &result->allow;
    lists[TG_RULE_DENY] = &result->deny;
    lists[TG_RULE_REQUIRE] = &result->require;

    for (i = 0; i < 3 && n > 0; i++) {
        lists[i]->items = tgi_alloc(alloc, n, sizeof(tg_rule_t *));
        if (lists[i]->items == NULL) {
            return tgi_error(error, TG_ERR_NOMEM, "out of memory");
        }
    }

    rule = NULL;

    for (i = 0; i < n; i++) {
        rc = resolve(rules[i], file, alloc, &rule, error);
        if (rc != TG_OK) {
            return rc;
        }

        lists[rule->kind]->items[lists[rule->kind]->n++] = rule;
    }

    if (tgi_inline_index(result, alloc) != TG_OK) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    *inline_rules = result;

    return TG_OK;
}
