
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: a set of methods, the last of which stands for all that no
 * rule names.
 */

#include <cli/policy.h>

#include "core/base/base.h"

#include <string.h>


static size_t
count(const tg_list_t *methods, const bool *has, bool which)
{
    size_t  i, n;

    for (i = 0, n = 0; i < methods->n; i++) {
        n += has[i] == which;
    }

    return n;
}


tg_str_t
cli_methods_text(const tg_alloc_t *alloc, const tg_list_t *methods,
    const bool *has)
{
    bool       others;
    char      *p;
    size_t     i, len;
    tg_str_t   text;

    static const char      but[] = "any but";
    static const tg_str_t  any = TG_STR("any");
    static const tg_str_t  none = TG_STR("none");
    static const tg_str_t  failed = TG_STR("?");

    if (count(methods, has, false) == 0) {
        return any;
    }

    if (count(methods, has, true) == 0) {
        return none;
    }

    others = has[methods->n - 1];
    len = sizeof(but);

    for (i = 0; i < methods->n; i++) {
        len += methods->items[i].len + 1;
    }

    p = tgi_alloc(alloc, len, 1);
    if (p == NULL) {
        return failed;
    }

    text = (tg_str_t) { p, 0 };

    if (others) {
        memcpy(p, but, sizeof(but) - 1);
        text.len = sizeof(but) - 1;
    }

    for (i = 0; i + 1 < methods->n; i++) {

        if (has[i] == others) {
            continue;
        }

        if (text.len > 0) {
            p[text.len++] = ' ';
        }

        memcpy(p + text.len, methods->items[i].data, methods->items[i].len);
        text.len += methods->items[i].len;
    }

    return text;
}


json_t *
cli_methods_json(const tg_list_t *methods, const bool *has)
{
    size_t   i;
    json_t  *list;

    list = json_array();

    for (i = 0; i < methods->n; i++) {
        if (has[i]) {
            (void) json_array_append_new(list,
                i + 1 < methods->n ? cli_policy_text(methods->items[i])
                                   : json_string("*"));
        }
    }

    return list;
}
