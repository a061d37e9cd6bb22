
/*
 * Copyright (C) The Tailgate authors
 *
 * Links in one allocation each: numbers, the ends of the strings, the strings.
 */

#include "authd/store/link.h"

#include "core/base/base.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>


#define LINK_STRINGS  9


struct authd_record_s {
    int64_t      created;
    int64_t      edited;
    int64_t      expires;
    uint64_t     uid;
    uint64_t     version;
    atomic_uint  holders;
    uint32_t     ends[LINK_STRINGS];
    bool         anyone;
    char         data[];
};


typedef struct {
    const char  *name;
    size_t       offset;
    size_t       max;
    bool         required;
    bool         list;
} field_t;

#define FIELD(name)  #name, offsetof(authd_link_t, name)

static const field_t  fields[LINK_STRINGS] = {
    { FIELD(id), AUTHD_LINK_NAME_MAX, true, false },
    { FIELD(name), AUTHD_LINK_NAME_MAX, true, false },
    { FIELD(url), AUTHD_LINK_MAX, false, false },
    { FIELD(owner), AUTHD_LINK_NAME_MAX, false, false },
    { FIELD(owners), AUTHD_LINK_MAX, false, true },
    { FIELD(description), AUTHD_LINK_MAX, false, false },
    { FIELD(tags), AUTHD_LINK_MAX, false, true },
    { FIELD(origin), AUTHD_LINK_NAME_MAX, false, false },
    { FIELD(alias), AUTHD_LINK_NAME_MAX, false, false }
};


static tg_str_t
field_get(const authd_link_t *link, size_t i)
{
    tg_str_t  value;

    memcpy(&value, (const char *) link + fields[i].offset, sizeof(tg_str_t));

    return value;
}


static int
check_utf8(tg_str_t value)
{
    size_t    i, n;
    uint32_t  c;

    for (i = 0; i < value.len; i += n) {
        n = tgi_utf8_char(value.data + i, value.len - i, &c);

        if (n == 0 || c == 0) {
            return TG_ERR_SYNTAX;
        }
    }

    return TG_OK;
}


static int
check_list(tg_str_t list)
{
    size_t  i;

    for (i = 0; i < list.len; i++) {
        if (list.data[i] == '\n'
            && (i == 0 || i + 1 == list.len || list.data[i - 1] == '\n'))
        {
            return TG_ERR_SYNTAX;
        }
    }

    return TG_OK;
}


int
authd_link_check(const authd_link_t *link, tg_error_t *error)
{
    size_t    i, total;
    tg_str_t  value;

    total = 0;

    for (i = 0; i < LINK_STRINGS; i++) {
        value = field_get(link, i);

        if (value.len == 0 && fields[i].required) {
            return tgi_error(error, TG_ERR_MISSING, "%s: is empty",
                             fields[i].name);
        }

        if (value.len > fields[i].max) {
            return tgi_error(error, TG_ERR_LIMIT,
                             "%s: is longer than %zu bytes", fields[i].name,
                             fields[i].max);
        }

        if (check_utf8(value) != TG_OK) {
            return tgi_error(error, TG_ERR_SYNTAX,
                             "%s: is no UTF-8 text", fields[i].name);
        }

        if (fields[i].list && check_list(value) != TG_OK) {
            return tgi_error(error, TG_ERR_SYNTAX, "%s: has an empty item",
                             fields[i].name);
        }

        total += value.len;
    }

    if (link->url.len == 0 && link->alias.len == 0) {
        return tgi_error(error, TG_ERR_MISSING, "url: is empty");
    }

    if (total > AUTHD_LINK_MAX) {
        return tgi_error(error, TG_ERR_LIMIT, "is longer than %d bytes in all",
                         AUTHD_LINK_MAX);
    }

    return TG_OK;
}


authd_record_t *
authd_record_new(const authd_link_t *link)
{
    size_t           i, total;
    tg_str_t         value;
    authd_record_t  *record;

    total = 0;

    for (i = 0; i < LINK_STRINGS; i++) {
        value = field_get(link, i);

        if (value.len > AUTHD_LINK_MAX - total) {
            return NULL;
        }

        total += value.len;
    }

    record = malloc(sizeof(authd_record_t) + total);
    if (record == NULL) {
        return NULL;
    }

    record->created = link->created;
    record->edited = link->edited;
    record->expires = link->expires;
    record->uid = link->uid;
    record->version = link->version;
    record->anyone = link->anyone;
    atomic_init(&record->holders, 1);

    total = 0;

    for (i = 0; i < LINK_STRINGS; i++) {
        value = field_get(link, i);

        if (value.len) {
            memcpy(record->data + total, value.data, value.len);
        }

        total += value.len;
        record->ends[i] = (uint32_t) total;
    }

    return record;
}


authd_record_t *
authd_record_hold(authd_record_t *record)
{
    (void) atomic_fetch_add_explicit(&record->holders, 1,
                                     memory_order_relaxed);

    return record;
}


void
authd_record_drop(authd_record_t **record)
{
    if (*record != NULL
        && atomic_fetch_sub_explicit(&(*record)->holders, 1,
                                     memory_order_acq_rel)
           == 1)
    {
        free(*record);
    }

    *record = NULL;
}


void
authd_record_link(const authd_record_t *record, authd_link_t *link)
{
    size_t    i, start;
    tg_str_t  value;

    memset(link, 0, sizeof(authd_link_t));

    start = 0;

    for (i = 0; i < LINK_STRINGS; i++) {
        value.data = record->data + start;
        value.len = record->ends[i] - start;
        start = record->ends[i];

        memcpy((char *) link + fields[i].offset, &value, sizeof(tg_str_t));
    }

    link->created = record->created;
    link->edited = record->edited;
    link->expires = record->expires;
    link->uid = record->uid;
    link->version = record->version;
    link->anyone = record->anyone;
}


tg_str_t
authd_record_id(const authd_record_t *record)
{
    tg_str_t  id;

    id.data = record->data;
    id.len = record->ends[0];

    return id;
}


tg_str_t
authd_record_name(const authd_record_t *record)
{
    tg_str_t  name;

    name.data = record->data + record->ends[0];
    name.len = record->ends[1] - record->ends[0];

    return name;
}


int64_t
authd_record_edited(const authd_record_t *record)
{
    return record->edited;
}


size_t
authd_record_size(const authd_record_t *record)
{
    return sizeof(authd_record_t) + record->ends[LINK_STRINGS - 1];
}


bool
authd_list_next(tg_str_t *list, tg_str_t *item)
{
    const char  *end;

    if (list->len == 0) {
        return false;
    }

    item->data = list->data;

    end = memchr(list->data, '\n', list->len);
    if (end == NULL) {
        item->len = list->len;
        list->len = 0;

        return true;
    }

    item->len = (size_t) (end - list->data);
    list->data = end + 1;
    list->len -= item->len + 1;

    return true;
}


bool
authd_list_has(tg_str_t list, tg_str_t item)
{
    tg_str_t  each;

    while (authd_list_next(&list, &each)) {
        if (tgi_str_equal(each, item)) {
            return true;
        }
    }

    return false;
}
