
/*
 * Copyright (C) The Tailgate authors
 *
 * From an identity to the value of one header of a profile.
 */

#include "core/headers/headers.h"

#include "core/base/base.h"

#include <string.h>


static tg_str_t
text_of(const char *text)
{
    return (tg_str_t) { text, strlen(text) };
}


/* HTTP trims a value's ends, so that blanks there are not part of it. */

static tg_str_t
trim(tg_str_t text)
{
    while (text.len != 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }

    while (text.len != 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }

    return text;
}


/*
 * Whether apps tell people apart by it.  Two of these must never become one,
 * so they are sent exactly or not at all.
 */

static bool
is_identifier(const tg_header_t *header)
{
    switch (header->source) {

    case TG_ATTR_LOGIN:
    case TG_ATTR_USER:
    case TG_ATTR_PRINCIPAL:
    case TG_ATTR_NODE:
    case TG_ATTR_NODE_ID:
        return true;

    default:
        return false;
    }
}


/* A login without its domain names a person only within one tailnet. */

static bool
is_local_part(const tg_header_t *header)
{
    return header->source == TG_ATTR_USER
           || header->transform == TG_TRANSFORM_LOCAL_PART;
}


static bool
has_blank_end(tg_str_t text)
{
    size_t    i, n;
    uint32_t  c;

    c = 0;

    for (i = 0; i < text.len; i += n) {
        n = tgi_utf8_char(text.data + i, text.len - i, &c);

        if (n == 0 || (i == 0 && tgi_is_blank(c))) {
            return true;
        }
    }

    return tgi_is_blank(c);
}


static int
lower(tg_str_t *text, const tg_alloc_t *alloc)
{
    char    *p;
    size_t   i;

    if (text->len == 0) {
        return TG_OK;
    }

    p = tgi_alloc(alloc, text->len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < text->len; i++) {
        p[i] = tgi_lower(text->data[i]);
    }

    text->data = p;

    return TG_OK;
}


static int
transform(const tg_header_t *header, const tg_alloc_t *alloc, tg_str_t *text)
{
    size_t  i;
    char    c;

    switch (header->transform) {

    case TG_TRANSFORM_WHOLE:
        return TG_OK;

    case TG_TRANSFORM_LOWER:
        return lower(text, alloc);

    case TG_TRANSFORM_LOCAL_PART:
        c = '@';
        break;

    default:
        c = ' ';
        break;
    }

    for (i = text->len; i != 0 && text->data[i - 1] != c; i--) { /* void */ }

    /* without the separator the whole of it is the first part */

    if (header->transform == TG_TRANSFORM_LAST_NAME) {
        text->len = (i == 0) ? 0 : text->len - i;
        text->data += i;

    } else if (i != 0) {
        text->len = i - 1;
        *text = trim(*text);
    }

    return TG_OK;
}


static int
get_role(const tg_header_t *header, const tg_identity_t *identity,
    tg_str_t *text)
{
    int       rc;
    size_t    i;
    tg_str_t  role;

    rc = tg_identity_role(identity, header->cap, header->field, header->order,
                          header->norder, &role);

    if (rc != TG_OK || header->values == NULL) {
        *text = role;
        return rc;
    }

    for (i = 0; i < header->norder; i++) {
        if (tgi_str_equal(role, text_of(header->order[i]))) {
            *text = text_of(header->values[i]);
            return TG_OK;
        }
    }

    return TG_ERR_ABSENT;
}


/* The text before encoding; TG_ERR_ABSENT if there is none. */

static int
get_text(const tg_header_t *header, const tg_identity_t *identity,
    const tg_alloc_t *alloc, tg_str_t *text)
{
    int  rc;

    switch (header->source) {

    case TG_ATTR_GROUPS:
        return tgi_join(header, &identity->groups, alloc, text);

    case TG_ATTR_TAGS:
        return tgi_join(header, &identity->tags, alloc, text);

    case TG_ATTR_CAPABILITY_FIELD:
        return get_role(header, identity, text);

    default:
        break;
    }

    rc = tg_identity_attr(identity, header->source, alloc, text);
    if (rc != TG_OK) {
        return rc;
    }

    if (is_identifier(header)) {
        if (has_blank_end(*text)) {
            return (text->len == 0) ? TG_ERR_ABSENT : TG_ERR_REFUSED;
        }

        if (is_local_part(header) && (identity->traits & TG_TRAIT_SHARED)) {
            return TG_ERR_REFUSED;
        }

    } else {
        *text = trim(*text);
    }

    rc = transform(header, alloc, text);
    if (rc != TG_OK) {
        return rc;
    }

    if (text->len == 0) {
        return TG_ERR_ABSENT;
    }

    if (is_identifier(header) && !tgi_encode_exact(header->encoding, *text)) {
        return TG_ERR_REFUSED;
    }

    return TG_OK;
}


int
tg_header_value(const tg_header_t *header, const tg_identity_t *identity,
    const tg_alloc_t *alloc, tg_str_t *value)
{
    int          rc;
    bool         person;
    tg_str_t     text;

    person = identity->login.len != 0;

    if (header->constant != NULL) {
        if (!person) {
            return TG_ERR_ABSENT;
        }

        *value = text_of(header->constant);
        return TG_OK;
    }

    text = (tg_str_t) TG_NULL_STR;

    rc = get_text(header, identity, alloc, &text);

    if (rc == TG_ERR_ABSENT && person && header->empty != NULL) {
        *value = text_of(header->empty);
        return TG_OK;
    }

    if (rc != TG_OK) {
        return rc;
    }

    return tg_encode(header->encoding, text, header->max, alloc, value);
}
