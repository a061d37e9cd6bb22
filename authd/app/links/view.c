
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/view.h"

#include <stdio.h>
#include <string.h>


/* Most pages fit. */

#define OUT_FIRST  8192


static char *out_room(authd_links_out_t *out, size_t len);


void
authd_links_out_init(authd_links_out_t *out, const tg_alloc_t *alloc)
{
    memset(out, 0, sizeof(authd_links_out_t));

    out->alloc = *alloc;
}


void
authd_links_out_raw(authd_links_out_t *out, tg_str_t s)
{
    char  *room;

    room = out_room(out, s.len);

    if (room != NULL && s.len > 0) {
        memcpy(room, s.data, s.len);
        out->len += s.len;
    }
}


void
authd_links_out_text(authd_links_out_t *out, tg_str_t s)
{
    size_t    i, begin;
    tg_str_t  entity;

    begin = 0;

    for (i = 0; i < s.len; i++) {

        switch (s.data[i]) {

        case '&':
            entity = (tg_str_t) TG_STR("&amp;");
            break;

        case '<':
            entity = (tg_str_t) TG_STR("&lt;");
            break;

        case '>':
            entity = (tg_str_t) TG_STR("&gt;");
            break;

        case '"':
            entity = (tg_str_t) TG_STR("&#34;");
            break;

        case '\'':
            entity = (tg_str_t) TG_STR("&#39;");
            break;

        default:
            continue;
        }

        authd_links_out_raw(out, (tg_str_t) { s.data + begin, i - begin });
        authd_links_out_raw(out, entity);
        begin = i + 1;
    }

    if (begin < s.len) {
        authd_links_out_raw(out, (tg_str_t) { s.data + begin, s.len - begin });
    }
}


void
authd_links_out_number(authd_links_out_t *out, uint64_t n)
{
    int   len;
    char  text[24];

    len = snprintf(text, sizeof(text), "%llu", (unsigned long long) n);

    authd_links_out_raw(out, (tg_str_t) { text, (size_t) len });
}


tg_str_t
authd_links_out_done(const authd_links_out_t *out)
{
    if (out->failed) {
        return (tg_str_t) TG_NULL_STR;
    }

    return (tg_str_t) { out->data, out->len };
}


tg_str_t
authd_links_invalid(tg_str_t error)
{
    return error.len > 0 ? (tg_str_t) TG_STR("true")
                         : (tg_str_t) TG_STR("false");
}


static char *
out_room(authd_links_out_t *out, size_t len)
{
    char    *data;
    size_t   size;

    if (out->failed) {
        return NULL;
    }

    if (len <= out->size - out->len) {
        return out->data + out->len;
    }

    size = out->size == 0 ? OUT_FIRST : out->size * 2;

    while (size - out->len < len) {
        size *= 2;
    }

    data = out->alloc.alloc(out->alloc.ctx, size);

    if (data == NULL) {
        out->failed = true;
        return NULL;
    }

    if (out->len > 0) {
        memcpy(data, out->data, out->len);
    }

    out->data = data;
    out->size = size;

    return out->data + out->len;
}
