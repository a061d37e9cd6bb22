
/*
 * Copyright (C) The Tailgate authors
 *
 * Attributes of an identity by name.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"

#include <jansson.h>
#include <string.h>


#define LIST_SEPARATOR  ','


static bool
can_be_joined(tg_str_t item)
{
    return item.len > 0 && memchr(item.data, LIST_SEPARATOR, item.len) == NULL;
}


static int
join(const tg_list_t *list, const tg_alloc_t *alloc, tg_str_t *value)
{
    char    *p;
    size_t   i, len;

    for (i = 0, len = 0; i < list->n; i++) {
        if (can_be_joined(list->items[i])) {
            len += list->items[i].len + 1;
        }
    }

    if (len == 0) {
        return TG_ERR_ABSENT;
    }

    p = tgi_alloc(alloc, len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    value->data = p;
    value->len = len - 1;

    for (i = 0; i < list->n; i++) {

        if (!can_be_joined(list->items[i])) {
            continue;
        }

        if (p != value->data) {
            *p++ = LIST_SEPARATOR;
        }

        memcpy(p, list->items[i].data, list->items[i].len);
        p += list->items[i].len;
    }

    return TG_OK;
}


static int
format_addr(const tg_addr_t *addr, const tg_alloc_t *alloc, tg_str_t *value)
{
    char  buf[TG_ADDR_TEXT_MAX];

    if (addr->family != TG_ADDR_V4 && addr->family != TG_ADDR_V6) {
        return TG_ERR_ABSENT;
    }

    return tgi_str_copy(value, buf, tg_addr_format(addr, false, buf), alloc);
}


int
tg_identity_attr(const tg_identity_t *identity, tg_attr_t attr,
    const tg_alloc_t *alloc, tg_str_t *value)
{
    *value = (tg_str_t) TG_NULL_STR;

    switch (attr) {

    case TG_ATTR_LOGIN:
        *value = identity->login;
        break;

    case TG_ATTR_USER:
        *value = identity->user;
        break;

    case TG_ATTR_NAME:
        *value = identity->name;
        break;

    case TG_ATTR_PICTURE:
        *value = identity->picture;
        break;

    case TG_ATTR_GROUPS:
        return join(&identity->groups, alloc, value);

    case TG_ATTR_TAGS:
        return join(&identity->tags, alloc, value);

    case TG_ATTR_NODE:
        *value = identity->node;
        break;

    case TG_ATTR_NODE_ID:
        *value = identity->node_id;
        break;

    case TG_ATTR_NODE_ADDR:
        return format_addr(&identity->node_addr, alloc, value);

    case TG_ATTR_TAILNET:
        *value = identity->tailnet;
        break;

    case TG_ATTR_OS:
        *value = identity->os;
        break;

    case TG_ATTR_OS_VERSION:
        *value = identity->os_version;
        break;

    case TG_ATTR_CAPS:
        *value = identity->caps;
        break;

    case TG_ATTR_PRINCIPAL:
        *value = (identity->traits & TG_TRAIT_TAGGED) ? identity->node
                                                      : identity->login;
        break;

    case TG_ATTR_CAPABILITY_FIELD:
    case TG_ATTR_MAX:
        break;
    }

    return value->len > 0 ? TG_OK : TG_ERR_ABSENT;
}


/* The place of role in order, counted from 1; 0 if it is not known. */

static size_t
role_rank(const json_t *role, const char *const *order, size_t norder)
{
    size_t    i;
    tg_str_t  have, want;

    if (!json_is_string(role)) {
        return 0;
    }

    have.data = json_string_value(role);
    have.len = json_string_length(role);

    for (i = norder; i > 0; i--) {
        want.data = order[i - 1];
        want.len = strlen(want.data);

        if (tgi_str_equal_nocase(have, want)) {
            return i;
        }
    }

    return 0;
}


static size_t
highest_rank(const json_t *roles, const char *const *order, size_t norder)
{
    size_t   i, rank, best;
    json_t  *role;

    if (!json_is_array(roles)) {
        return role_rank(roles, order, norder);
    }

    best = 0;

    json_array_foreach(roles, i, role) {
        rank = role_rank(role, order, norder);
        best = rank > best ? rank : best;
    }

    return best;
}


int
tg_identity_role(const tg_identity_t *identity, const char *cap,
    const char *field, const char *const *order, size_t norder,
    tg_str_t *value)
{
    size_t   i, rank, best;
    json_t  *caps, *grant;

    *value = (tg_str_t) TG_NULL_STR;

    if (identity->caps.len == 0) {
        return TG_ERR_ABSENT;
    }

    /* what cannot be read grants nothing */

    caps = json_loadb(identity->caps.data, identity->caps.len,
                      JSON_REJECT_DUPLICATES, NULL);
    best = 0;

    json_array_foreach(json_object_get(caps, cap), i, grant) {
        rank = highest_rank(json_object_get(grant, field), order, norder);
        best = rank > best ? rank : best;
    }

    json_decref(caps);

    if (best == 0) {
        return TG_ERR_ABSENT;
    }

    value->data = order[best - 1];
    value->len = strlen(value->data);

    return TG_OK;
}
