
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/field.h"

#include <net/http/server.h>

#include <string.h>
#include <strings.h>


#define BOUNDARY_MAX  70           /* RFC 2046 5.1.1 */


static int field_multipart(tg_str_t type, tg_str_t body, const char *name,
    tg_str_t *value);
static bool boundary_of(tg_str_t type, tg_str_t *boundary);
static bool next_part(tg_str_t *rest, tg_str_t boundary, tg_str_t *part);
static bool is_part(tg_str_t head, const char *name);
static bool is_type(tg_str_t type, const char *name);
static const char *find(tg_str_t in, const char *what);


int
authd_links_field(tg_str_t type, tg_str_t body, const char *name,
    const tg_alloc_t *alloc, tg_str_t *value)
{
    int     rc;
    char   *buf;
    size_t  len;

    *value = (tg_str_t) TG_NULL_STR;

    if (is_type(type, "multipart/form-data")) {
        return field_multipart(type, body, name, value);
    }

    if (!is_type(type, "application/x-www-form-urlencoded")) {
        return TG_ERR_ABSENT;
    }

    buf = alloc->alloc(alloc->ctx, body.len + 1);

    if (buf == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = tgn_query_arg(body, name, 0, buf, body.len + 1, &len);

    if (rc == TG_OK) {
        value->data = buf;
        value->len = len;
    }

    return rc;
}


static int
field_multipart(tg_str_t type, tg_str_t body, const char *name,
    tg_str_t *value)
{
    const char  *end;
    tg_str_t     boundary, part, head;

    if (!boundary_of(type, &boundary)) {
        return TG_ERR_SYNTAX;
    }

    while (next_part(&body, boundary, &part)) {

        end = find(part, "\r\n\r\n");

        if (end == NULL) {
            return TG_ERR_SYNTAX;
        }

        head.data = part.data;
        head.len = (size_t) (end - part.data);

        if (!is_part(head, name)) {
            continue;
        }

        value->data = end + 4;
        value->len = part.len - head.len - 4;

        if (value->len != 0 && memchr(value->data, '\0', value->len) != NULL) {
            *value = (tg_str_t) TG_NULL_STR;
            return TG_ERR_SYNTAX;
        }

        return TG_OK;
    }

    return TG_ERR_ABSENT;
}


static bool
boundary_of(tg_str_t type, tg_str_t *boundary)
{
    const char  *p, *end;

    p = find(type, "boundary=");

    if (p == NULL) {
        return false;
    }

    p += 9;
    end = type.data + type.len;

    if (p < end && *p == '"') {
        p++;
        boundary->data = p;
        p = memchr(p, '"', (size_t) (end - p));
        boundary->len = p ? (size_t) (p - boundary->data) : 0;

    } else {
        boundary->data = p;

        while (p < end && *p != ';' && *p != ' ' && *p != '\t') {
            p++;
        }

        boundary->len = (size_t) (p - boundary->data);
    }

    return boundary->len != 0 && boundary->len <= BOUNDARY_MAX;
}


/* What is between two lines of "--" and the boundary. */

static bool
next_part(tg_str_t *rest, tg_str_t boundary, tg_str_t *part)
{
    char         line[BOUNDARY_MAX + 5];
    size_t       len;
    const char  *p, *end;

    memcpy(line, "\r\n--", 4);
    memcpy(line + 4, boundary.data, boundary.len);
    len = boundary.len + 4;

    /* the first line has nothing before it */

    if (rest->len >= len - 2 && memcmp(rest->data, line + 2, len - 2) == 0) {
        p = rest->data + len - 2;

    } else {
        return false;
    }

    end = rest->data + rest->len;

    if (end - p < 2 || p[0] != '\r' || p[1] != '\n') {
        return false;
    }

    p += 2;
    part->data = p;
    p = memmem(p, (size_t) (end - p), line, len);

    if (p == NULL) {
        return false;
    }

    part->len = (size_t) (p - part->data);
    rest->data = p + 2;
    rest->len = (size_t) (end - rest->data);

    return true;
}


/* Content-Disposition: form-data; name="NAME" */

static bool
is_part(tg_str_t head, const char *name)
{
    size_t       i, len;
    tg_str_t     line;
    const char  *p;

    len = strlen(name);

    while (head.len != 0) {
        p = find(head, "\r\n");

        line.data = head.data;
        line.len = p ? (size_t) (p - head.data) : head.len;

        head.data += line.len + (p ? 2 : 0);
        head.len -= line.len + (p ? 2 : 0);

        if (line.len < 20
            || strncasecmp(line.data, "Content-Disposition:", 20) != 0)
        {
            continue;
        }

        for (i = 20; i + len + 8 <= line.len; i++) {
            if ((line.data[i] == ' ' || line.data[i] == ';')
                && memcmp(line.data + i + 1, "name=\"", 6) == 0
                && memcmp(line.data + i + 7, name, len) == 0
                && line.data[i + 7 + len] == '"')
            {
                return true;
            }
        }
    }

    return false;
}


static bool
is_type(tg_str_t type, const char *name)
{
    size_t  len;

    len = strlen(name);

    return type.len >= len && strncasecmp(type.data, name, len) == 0
           && (type.len == len || type.data[len] == ';'
               || type.data[len] == ' ');
}


static const char *
find(tg_str_t in, const char *what)
{
    return in.len ? memmem(in.data, in.len, what, strlen(what)) : NULL;
}
