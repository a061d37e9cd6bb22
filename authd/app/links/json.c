
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/json.h"
#include "core/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static json_t *text(tg_str_t s);
static json_t *list(tg_str_t items);
static bool read_text(const json_t *value, const char *field, tg_str_t *to,
    authd_links_wrong_t *wrong);
static bool read_list(const json_t *value, const char *field,
    const tg_alloc_t *alloc, tg_str_t *to, authd_links_wrong_t *wrong);
static bool read_time(const json_t *value, const char *field, int64_t *to,
    authd_links_wrong_t *wrong);
static bool read_known(const json_t *json, authd_links_wrong_t *wrong);
static bool wrong_type(authd_links_wrong_t *wrong, const char *field,
    const char *what);


json_t *
authd_links_json(const authd_link_t *link, uint64_t clicks)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o,"
                     " s:o, s:I, s:I}",
                     "name", text(link->name), "url", text(link->url),
                     "owner", text(link->owner), "owners", list(link->owners),
                     "anyone", (int) link->anyone,
                     "description", text(link->description),
                     "tags", list(link->tags),
                     "created", authd_links_json_time(link->created),
                     "edited", authd_links_json_time(link->edited),
                     "expires", link->expires
                                ? authd_links_json_time(link->expires)
                                              : json_null(),
                     "origin", text(link->origin), "alias", text(link->alias),
                     "version", (json_int_t) link->version,
                     "clicks", (json_int_t) clicks);
}


tg_str_t
authd_links_json_line(const authd_link_t *link, uint64_t clicks,
    const tg_alloc_t *alloc)
{
    char      *dump;
    json_t    *json;
    tg_str_t   line = TG_NULL_STR;

    json = authd_links_json(link, clicks);
    dump = json ? json_dumps(json, JSON_COMPACT) : NULL;

    if (dump != NULL) {
        line = authd_links_format(alloc, "%s\n", dump);
    }

    free(dump);
    json_decref(json);

    return line;
}


bool
authd_links_json_edit(const json_t *json, bool lines, const tg_alloc_t *alloc,
    authd_links_edit_t *edit, authd_links_wrong_t *wrong)
{
    size_t         i;
    const json_t  *value;

    const struct {
        const char  *field;
        tg_str_t    *to;
        bool        *has;
        bool         list;
    } fields[] = {
        { "name", &edit->name, NULL, false },
        { "url", &edit->url, &edit->has_url, false },
        { "owner", &edit->owner, NULL, false },
        { "owners", &edit->owners, &edit->has_owners, true },
        { "description", &edit->description, &edit->has_description, false },
        { "tags", &edit->tags, &edit->has_tags, true }
    };

    memset(wrong, 0, sizeof(authd_links_wrong_t));

    if (!json_is_object(json)) {
        return wrong_type(wrong, NULL, "this has to be an object");
    }

    if (!lines && !read_known(json, wrong)) {
        return false;
    }

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        value = json_object_get(json, fields[i].field);

        if (value == NULL) {
            continue;
        }

        if (fields[i].list
            ? !read_list(value, fields[i].field, alloc, fields[i].to, wrong)
            : !read_text(value, fields[i].field, fields[i].to, wrong))
        {
            return false;
        }

        if (fields[i].has != NULL) {
            *fields[i].has = true;
        }
    }

    value = json_object_get(json, "anyone");

    if (value != NULL) {

        if (!json_is_boolean(value)) {
            return wrong_type(wrong, "anyone", "this has to be true or"
                              " false");
        }

        edit->anyone = json_is_true(value);
        edit->has_anyone = true;
    }

    value = json_object_get(json, "expires");

    if (value != NULL) {

        if (!read_time(value, "expires", &edit->expires, wrong)) {
            return false;
        }

        edit->has_expires = true;
    }

    return !lines
           || (read_time(json_object_get(json, "created"), "created",
                         &edit->created, wrong)
               && read_time(json_object_get(json, "edited"), "edited",
                            &edit->edited, wrong));
}


static json_t *
text(tg_str_t s)
{
    return json_stringn(s.data ? s.data : "", s.len);
}


static json_t *
list(tg_str_t items)
{
    json_t    *array;
    tg_str_t   item;

    array = json_array();

    while (authd_list_next(&items, &item)) {
        (void) json_array_append_new(array, text(item));
    }

    return array;
}


json_t *
authd_links_json_time(int64_t seconds)
{
    time_t     t;
    struct tm  tm;

    t = (time_t) seconds;
    memset(&tm, 0, sizeof(tm));

    (void) gmtime_r(&t, &tm);

    return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                        tm.tm_sec);
}


static bool
read_text(const json_t *value, const char *field, tg_str_t *to,
    authd_links_wrong_t *wrong)
{
    if (!json_is_string(value)) {
        return wrong_type(wrong, field, "this has to be a string");
    }

    to->data = json_string_value(value);
    to->len = json_string_length(value);

    return true;
}


static bool
read_list(const json_t *value, const char *field, const tg_alloc_t *alloc,
    tg_str_t *to, authd_links_wrong_t *wrong)
{
    char     *p;
    size_t    i, n, len;
    json_t   *item;

    if (!json_is_array(value)) {
        return wrong_type(wrong, field, "this has to be a list of strings");
    }

    len = 0;

    json_array_foreach((json_t *) (uintptr_t) value, i, item) {

        if (!json_is_string(item) || json_string_length(item) == 0
            || strchr(json_string_value(item), '\n') != NULL)
        {
            return wrong_type(wrong, field, "this has to be a list of strings"
                              " that are not empty");
        }

        len += json_string_length(item) + 1;
    }

    p = alloc->alloc(alloc->ctx, len + 1);

    if (p == NULL) {
        return wrong_type(wrong, field, "out of memory");
    }

    n = 0;

    json_array_foreach((json_t *) (uintptr_t) value, i, item) {

        if (n != 0) {
            p[n++] = '\n';
        }

        memcpy(p + n, json_string_value(item), json_string_length(item));
        n += json_string_length(item);
    }

    to->data = p;
    to->len = n;

    return true;
}


/* Absent or null is 0. */

static bool
read_time(const json_t *value, const char *field, int64_t *to,
    authd_links_wrong_t *wrong)
{
    *to = 0;

    if (value == NULL || json_is_null(value)) {
        return true;
    }

    if (!json_is_string(value)
        || tgi_time_parse(to, json_string_value(value),
                          json_string_length(value))
           != TG_OK)
    {
        return wrong_type(wrong, field, "this has to be a time, such as"
                          " 2026-12-31T00:00:00Z");
    }

    return true;
}


static bool
read_known(const json_t *json, authd_links_wrong_t *wrong)
{
    size_t       i;
    json_t      *value;
    const char  *key;

    static const char *const  known[] = {
        "name", "url", "owner", "owners", "description", "tags", "anyone",
        "expires"
    };

    json_object_foreach((json_t *) (uintptr_t) json, key, value) {

        for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            if (strcmp(key, known[i]) == 0) {
                break;
            }
        }

        if (i == sizeof(known) / sizeof(known[0])) {
            (void) snprintf(wrong->text, sizeof(wrong->text), "there is no"
                            " field \"%.64s\"", key);
            wrong->code = 422;
            return false;
        }
    }

    return true;
}


static bool
wrong_type(authd_links_wrong_t *wrong, const char *field, const char *what)
{
    wrong->code = 422;
    wrong->field = field;

    (void) snprintf(wrong->text, sizeof(wrong->text), "%s", what);

    return false;
}
