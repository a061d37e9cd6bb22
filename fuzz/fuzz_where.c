
/*
 * Copyright (C) The Tailgate authors
 *
 * Capabilities as JSON, and behind a line feed what "where" asks of them: one
 * byte for the kind, one for the operator, a field, a line feed, and a value.
 */

#include "core/policy/decide.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static tg_str_t
next_line(tg_str_t *rest)
{
    tg_str_t     line;
    const char  *end;

    line = *rest;
    end = line.len > 0 ? memchr(line.data, '\n', line.len) : NULL;

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return line;
    }

    line.len = (size_t) (end - line.data);
    rest->data += line.len + 1;
    rest->len -= line.len + 1;

    return line;
}


static void
read_where(tg_str_t text, tgi_where_t *where, tgi_where_value_t *value)
{
    memset(where, 0, sizeof(tgi_where_t));
    memset(value, 0, sizeof(tgi_where_value_t));

    where->values = value;
    where->nvalues = 1;

    if (text.len < 2) {
        return;
    }

    value->kind = (tgi_where_kind_t) ((unsigned char) text.data[0] % 6);
    value->op = (tgi_op_t) ((unsigned char) text.data[1] % 5);
    text.data += 2;
    text.len -= 2;

    where->field = next_line(&text);
    value->text = text;
    value->number = (double) text.len;
}


/* A field is there or not, and no value is below and above another. */

static void
check_grant(const tgi_value_t *grant, tgi_where_t *where)
{
    bool                below, equal, above;
    tgi_where_value_t  *value;

    value = where->values;
    (void) tgi_where_match(where, 1, grant);

    value->kind = TGI_WHERE_PRESENT;
    below = tgi_where_match(where, 1, grant);
    value->kind = TGI_WHERE_ABSENT;
    above = tgi_where_match(where, 1, grant);
    require(grant->kind == TGI_VALUE_OBJECT ? below != above
                                            : !below && !above);

    value->kind = TGI_WHERE_NUMBER;
    value->op = TGI_OP_LT;
    below = tgi_where_match(where, 1, grant);
    value->op = TGI_OP_LE;
    require(!below || tgi_where_match(where, 1, grant));
    value->op = TGI_OP_EQ;
    equal = tgi_where_match(where, 1, grant);
    value->op = TGI_OP_GE;
    require(!equal || tgi_where_match(where, 1, grant));

    if (value->text.len < 64) {
        value->kind = TGI_WHERE_TEXT;
        equal = tgi_where_match(where, 1, grant);
        value->kind = TGI_WHERE_EQUALS;
        require(!equal || tgi_where_match(where, 1, grant));
    }
}


static void
check_caps(const tg_caps_t *caps, tgi_where_t *where)
{
    size_t              i, j;
    tg_peer_t           peer;
    tg_request_t        request;
    tgi_subject_t       subject;
    const tgi_value_t  *cap;
    tgi_where_value_t   value;

    memset(&peer, 0, sizeof(peer));
    memset(&request, 0, sizeof(request));
    peer.status = TG_STATUS_STRANGER;
    request.method = (tg_str_t) TG_STR("GET");
    request.host = (tg_str_t) TG_STR("app.corp");
    request.path = (tg_str_t) TG_STR("/api/v1");

    require(tgi_subject_init(&subject, NULL, &peer, &request));
    value = where->values[0];

    for (i = 0; i < caps->n; i++) {
        cap = &caps->items[i];
        require(tgi_caps_find(caps, cap->name) == cap);

        for (j = 0; j < cap->n; j++) {
            where->values[0] = value;
            check_grant(&cap->u.items[j], where);
            (void) tgi_grant_match(&cap->u.items[j], &subject);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_str_t            rest, json;
    tg_caps_t          *caps;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    tgi_where_t         where;
    tgi_where_value_t   value;

    rest.data = (const char *) data;
    rest.len = size;

    json = next_line(&rest);
    read_where(rest, &where, &value);

    arena = tg_arena_new((size_t) 64 * 1024 * 1024);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    if (tg_caps_parse(json, &alloc, &caps) == TG_OK) {
        check_caps(caps, &where);
    }

    tg_arena_free(&arena);

    return 0;
}
