
/*
 * Copyright (C) The Tailgate authors
 *
 * Links in rows and in JSON.
 */

#include "authd/store/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>


#define TEXTS    9
#define NUMBERS  6


int
authd_record_read(const authd_value_t *columns, size_t n,
    authd_record_t **record, uint64_t *clicks)
{
    size_t                i;
    authd_link_t          link;
    const authd_value_t  *number;

    *record = NULL;
    *clicks = 0;

    if (n != AUTHD_RECORD_COLUMNS) {
        return TG_ERR_TYPE;
    }

    if (!columns[0].is_number && columns[0].text.data == NULL) {
        return TG_OK;
    }

    number = columns + TEXTS;

    for (i = 0; i < n; i++) {
        if (columns[i].is_number != (i >= TEXTS)) {
            return TG_ERR_TYPE;
        }
    }

    link.id = columns[0].text;
    link.name = columns[1].text;
    link.url = columns[2].text;
    link.owner = columns[3].text;
    link.owners = columns[4].text;
    link.description = columns[5].text;
    link.tags = columns[6].text;
    link.origin = columns[7].text;
    link.alias = columns[8].text;
    link.created = number[0].number;
    link.edited = number[1].number;
    link.expires = number[2].number;
    link.uid = (uint64_t) number[3].number;
    link.version = (uint64_t) number[4].number;
    link.anyone = number[5].number != 0;

    *clicks = (uint64_t) number[NUMBERS].number;
    *record = authd_record_new(&link);

    return *record != NULL ? TG_OK : TG_ERR_NOMEM;
}


size_t
authd_record_values(const authd_link_t *link,
    authd_value_t values[AUTHD_RECORD_COLUMNS])
{
    values[0] = authd_text(link->id);
    values[1] = authd_text(link->name);
    values[2] = authd_text(link->url);
    values[3] = authd_text(link->owner);
    values[4] = authd_text(link->owners);
    values[5] = authd_text(link->description);
    values[6] = authd_text(link->tags);
    values[7] = authd_text(link->origin);
    values[8] = authd_text(link->alias);
    values[9] = authd_number(link->created);
    values[10] = authd_number(link->edited);
    values[11] = authd_number(link->expires);
    values[12] = authd_number((int64_t) link->uid);
    values[13] = authd_number((int64_t) link->version);
    values[14] = authd_number(link->anyone);

    return TEXTS + NUMBERS;
}


static json_t *
dump_text(tg_str_t text)
{
    return json_stringn(text.data ? text.data : "", text.len);
}


static json_t *
dump_list(tg_str_t list)
{
    json_t   *array;
    tg_str_t  item;

    array = json_array();

    while (array != NULL && authd_list_next(&list, &item)) {
        if (json_array_append_new(array, dump_text(item)) != 0) {
            json_decref(array);
            array = NULL;
        }
    }

    return array;
}


char *
authd_record_dump(const authd_link_t *link, size_t *len)
{
    char    *text;
    json_t  *json;

    json = json_pack("{so,so,so,so,so,sb,so,so,so,so,sI,sI,sI,sI,sI}",
                     "id", dump_text(link->id),
                     "name", dump_text(link->name),
                     "url", dump_text(link->url),
                     "owner", dump_text(link->owner),
                     "owners", dump_list(link->owners),
                     "anyone", (int) link->anyone,
                     "description", dump_text(link->description),
                     "tags", dump_list(link->tags),
                     "origin", dump_text(link->origin),
                     "alias", dump_text(link->alias),
                     "created", (json_int_t) link->created,
                     "edited", (json_int_t) link->edited,
                     "expires", (json_int_t) link->expires,
                     "uid", (json_int_t) link->uid,
                     "version", (json_int_t) link->version);
    if (json == NULL) {
        return NULL;
    }

    text = json_dumps(json, JSON_COMPACT);
    *len = text != NULL ? strlen(text) : 0;

    json_decref(json);

    return text;
}


static tg_str_t
parse_text(const json_t *json, const char *name)
{
    json_t   *value;
    tg_str_t  text = TG_NULL_STR;

    value = json_object_get(json, name);

    if (json_is_string(value)) {
        text.data = json_string_value(value);
        text.len = json_string_length(value);
    }

    return text;
}


/* Items joined by newlines, in *buf, which grows and is the caller's. */

static tg_str_t
parse_list(const json_t *json, const char *name, char **buf)
{
    char     *at;
    json_t   *array, *item;
    size_t    i, total;
    tg_str_t  list = TG_NULL_STR;

    array = json_object_get(json, name);
    total = 0;

    json_array_foreach(array, i, item) {
        total += json_string_length(item) + 1;
    }

    if (total == 0) {
        return list;
    }

    at = malloc(total);
    *buf = at;

    if (at == NULL) {
        return list;
    }

    json_array_foreach(array, i, item) {
        if (json_string_length(item)) {
            memcpy(at, json_string_value(item), json_string_length(item));
            at += json_string_length(item);
            *at++ = '\n';
        }
    }

    list.data = *buf;
    list.len = at == *buf ? 0 : (size_t) (at - *buf) - 1;

    return list;
}


static int64_t
parse_number(const json_t *json, const char *name)
{
    return (int64_t) json_integer_value(json_object_get(json, name));
}


authd_record_t *
authd_record_parse(tg_str_t text)
{
    char            *owners, *tags;
    json_t          *json;
    authd_link_t     link;
    authd_record_t  *record;

    if (text.data == NULL) {
        return NULL;
    }

    json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    record = NULL;
    owners = NULL;
    tags = NULL;

    link.id = parse_text(json, "id");
    link.name = parse_text(json, "name");
    link.url = parse_text(json, "url");
    link.owner = parse_text(json, "owner");
    link.owners = parse_list(json, "owners", &owners);
    link.description = parse_text(json, "description");
    link.tags = parse_list(json, "tags", &tags);
    link.origin = parse_text(json, "origin");
    link.alias = parse_text(json, "alias");
    link.created = parse_number(json, "created");
    link.edited = parse_number(json, "edited");
    link.expires = parse_number(json, "expires");
    link.uid = (uint64_t) parse_number(json, "uid");
    link.version = (uint64_t) parse_number(json, "version");
    link.anyone = json_is_true(json_object_get(json, "anyone"));

    if (authd_link_check(&link, NULL) == TG_OK) {
        record = authd_record_new(&link);
    }

    free(owners);
    free(tags);
    json_decref(json);

    return record;
}
