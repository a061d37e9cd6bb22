
/*
 * Copyright (C) The Tailgate authors
 *
 * golink's JSON: one link an object, as Go's encoding/json has it.
 */

#include "core/golink/record.h"

#include "core/base/base.h"
#include "core/golink/value.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>


#define JSON_TIME_MAX  80         /* a field of a time, and more */


typedef enum {
    KEY_SHORT = 0,
    KEY_LONG,
    KEY_OWNER,
    KEY_CREATED,
    KEY_EDITED,
    KEY_UNKNOWN
} link_key_t;

static const char *const  keys[] = {
    "Short", "Long", "Owner", "Created", "LastEdit"
};


static link_key_t
find_key(const char *name, size_t len)
{
    int       i;
    tg_str_t  key, own;

    key.data = name;
    key.len = len;

    for (i = 0; i < KEY_UNKNOWN; i++) {
        own.data = keys[i];
        own.len = strlen(keys[i]);

        if (tgi_str_equal_nocase(key, own)) {
            break;
        }
    }

    return (link_key_t) i;
}


static int
set_time(int64_t *seconds, json_t *value, const char *name, tg_error_t *error)
{
    int  rc;

    rc = tgi_time_parse(seconds, json_string_value(value),
                        json_string_length(value));

    return rc == TG_OK ? rc
           : tgi_error(error, rc, "%s is no time like 2006-01-02T15:04:05Z",
                       name);
}


static int
set_field(tg_link_record_t *record, link_key_t key, json_t *value,
    const tg_alloc_t *alloc, tg_error_t *error)
{
    int        rc;
    tg_str_t  *field;

    /* Go leaves a field as it was */

    if (json_is_null(value)) {
        return TG_OK;
    }

    if (!json_is_string(value)) {
        return tgi_error(error, TG_ERR_TYPE, "%s is no string", keys[key]);
    }

    switch (key) {

    case KEY_CREATED:
        return set_time(&record->created, value, keys[key], error);

    case KEY_EDITED:
        return set_time(&record->edited, value, keys[key], error);

    case KEY_SHORT:
        field = &record->name;
        break;

    case KEY_LONG:
        field = &record->url;
        break;

    default:
        field = &record->owner;
    }

    rc = tgi_str_copy(field, json_string_value(value),
                      json_string_length(value), alloc);

    return rc == TG_OK ? rc : tgi_error(error, rc, "%s", tg_strerror(rc));
}


static int
set_record(json_t *root, const tg_alloc_t *alloc, tg_link_record_t *record,
    tg_error_t *error)
{
    int          rc;
    bool         seen[KEY_UNKNOWN] = { false };
    json_t      *value;
    link_key_t   key;
    const char  *name;

    json_object_foreach(root, name, value) {
        key = find_key(name, strlen(name));

        if (key == KEY_UNKNOWN) {
            continue;
        }

        if (seen[key]) {
            return tgi_error(error, TG_ERR_REFUSED, "%s is given twice",
                             keys[key]);
        }

        seen[key] = true;

        rc = set_field(record, key, value, alloc, error);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


int
tgi_link_read_json(tg_str_t line, const tg_alloc_t *alloc,
    tg_link_record_t *record, tg_error_t *error)
{
    int           rc;
    json_t       *root;
    json_error_t  fault;

    root = json_loadb(line.data, line.len,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);

    if (root == NULL) {
        switch (json_error_code(&fault)) {

        case json_error_out_of_memory:
            return tgi_error(error, TG_ERR_NOMEM, "%s",
                             tg_strerror(TG_ERR_NOMEM));

        case json_error_duplicate_key:
            return tgi_error(error, TG_ERR_REFUSED, "a field is given twice");

        default:
            return tgi_error(error, TG_ERR_SYNTAX, "this is no JSON: %s",
                             fault.text);
        }
    }

    rc = json_is_object(root) ? set_record(root, alloc, record, error)
         : tgi_error(error, TG_ERR_TYPE, "this is no JSON object");

    json_decref(root);

    return rc;
}


/* A character of a string; its length at out, which has 12 bytes. */

static size_t
json_char(uint32_t c, char *out)
{
    const char  *p;

    static const char  controls[] = "\b\f\n\r\t\"\\";
    static const char  letters[] = "bfnrt\"\\";

    p = c != 0 && c < 0x80 ? strchr(controls, (int) c) : NULL;

    if (p != NULL) {
        out[0] = '\\';
        out[1] = letters[p - controls];
        return 2;
    }

    /* so that it can be put into HTML and into JavaScript */

    if (c < ' ' || c == '&' || c == '<' || c == '>' || c == 0x2028
        || c == 0x2029)
    {
        return (size_t) snprintf(out, 12, "\\u%04x", c);
    }

    return tgi_link_put_utf8(out, c);
}


static size_t
put_string(char *out, const char *key, tg_str_t text)
{
    char     *p;
    size_t    i, n;
    uint32_t  c;

    p = out;
    *p++ = '"';
    memcpy(p, key, strlen(key));
    p += strlen(key);
    memcpy(p, "\":\"", 3);
    p += 3;

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (n == 0) {
            n = 1;
            memcpy(p, "\\ufffd", 6);
            p += 6;
            continue;
        }

        p += json_char(c, p);
    }

    *p++ = '"';

    return (size_t) (p - out);
}


static int
put_time(char *out, const char *key, int64_t seconds, size_t *len)
{
    int          n;
    link_date_t  d;
    link_time_t  time;

    time.seconds = seconds;
    time.nanoseconds = 0;

    if (tgi_link_date(time, &d) != TG_OK) {
        return TG_ERR_RANGE;
    }

    n = snprintf(out, JSON_TIME_MAX,
                 "\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", key,
                 (int) d.year, d.month, d.day, d.hour, d.minute, d.second);
    *len = (size_t) n;

    return TG_OK;
}


int
tgi_link_write_json(const tg_link_record_t *record, const tg_alloc_t *alloc,
    tg_str_t *line)
{
    int      rc;
    char    *p, *start;
    size_t   n;

    /* six bytes for each byte, and the names of the fields */

    n = record->name.len + record->url.len + record->owner.len;

    start = tgi_alloc(alloc, n + 64, 6);
    if (start == NULL) {
        return TG_ERR_NOMEM;
    }

    p = start;

    *p++ = '{';
    p += put_string(p, "Short", record->name);
    *p++ = ',';
    p += put_string(p, "Long", record->url);
    *p++ = ',';

    rc = put_time(p, "Created", record->created, &n);
    if (rc != TG_OK) {
        return rc;
    }

    p += n;
    *p++ = ',';

    rc = put_time(p, "LastEdit", record->edited, &n);
    if (rc != TG_OK) {
        return rc;
    }

    p += n;
    *p++ = ',';
    p += put_string(p, "Owner", record->owner);
    *p++ = '}';
    *p++ = '\n';

    line->data = start;
    line->len = (size_t) (p - start);

    return TG_OK;
}
