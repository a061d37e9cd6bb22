
/*
 * Copyright (C) The Tailgate authors
 *
 * Roles: from the grants of a capability to a header and a variable.
 */

#include "core/policy/decide.h"

#include <stdlib.h>
#include <string.h>


#define VALUE_MAX  4096        /* bytes of a header without a bound */


/* Where roles come from: every text that a grant has in the field. */

typedef struct {
    const tgi_value_t    *grants;
    tg_str_t              field;
    const tgi_subject_t  *subject;         /* of grants that act as rules:
                                              only those that match */
} source_t;

typedef void (*role_pt)(void *ctx, tg_str_t role);


static void
each_role(const source_t *source, role_pt found, void *ctx)
{
    size_t              i, j;
    const tgi_value_t  *grant, *field;

    for (i = 0; source->grants != NULL && i < source->grants->n; i++) {
        grant = &source->grants->u.items[i];

        if (source->subject != NULL
            && tgi_grant_match(grant, source->subject) != TGI_GRANT_YES)
        {
            continue;
        }

        field = tgi_value_field(grant, source->field);

        if (field == NULL) {
            continue;
        }

        if (field->kind == TGI_VALUE_TEXT) {
            found(ctx, field->u.text);
        }

        for (j = 0; field->kind == TGI_VALUE_ARRAY && j < field->n; j++) {
            if (field->u.items[j].kind == TGI_VALUE_TEXT) {
                found(ctx, field->u.items[j].u.text);
            }
        }
    }
}


typedef struct {
    const tg_list_t  *order;
    size_t            next;    /* behind the highest known role; 0: none */
} highest_t;


static void
take_highest(void *ctx, tg_str_t role)
{
    size_t      i;
    highest_t  *highest = ctx;

    for (i = highest->order->n; i > highest->next; i--) {
        if (tgi_str_equal_nocase(highest->order->items[i - 1], role)) {
            highest->next = i;
            return;
        }
    }
}


typedef struct {
    tg_str_t  *items;          /* NULL: count */
    size_t     n;
} collection_t;


/*
 * A separator within a role would make two of it; a line's end would make two
 * headers, as a variable is set without an encoding that refuses it.
 */

static void
collect(void *ctx, tg_str_t role)
{
    collection_t  *all = ctx;

    if (role.len == 0 || memchr(role.data, ',', role.len) != NULL
        || tgi_text_check(role.data, role.len) != TG_OK)
    {
        return;
    }

    if (all->items != NULL) {
        all->items[all->n] = role;
    }

    all->n++;
}


static int
compare_texts(const void *a, const void *b)
{
    int              order;
    const tg_str_t  *one = a, *two = b;

    order = memcmp(one->data, two->data,
                   one->len < two->len ? one->len : two->len);

    return order != 0 ? order : (one->len > two->len) - (one->len < two->len);
}


/* Sorts them, and joins what is left without those that come twice. */

static int
join(collection_t *all, const tg_alloc_t *alloc, tg_str_t *value)
{
    char    *p;
    size_t   i, n, len;

    qsort(all->items, all->n, sizeof(tg_str_t), compare_texts);

    n = 0;
    len = 0;

    for (i = 0; i < all->n; i++) {
        if (n == 0 || !tgi_str_equal(all->items[n - 1], all->items[i])) {
            all->items[n++] = all->items[i];
            len += all->items[i].len + 1;
        }
    }

    p = tgi_alloc(alloc, len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    value->data = p;
    value->len = len - 1;

    for (i = 0; i < n; i++) {
        memcpy(p, all->items[i].data, all->items[i].len);
        p += all->items[i].len;
        *p++ = ',';
    }

    return TG_OK;
}


static int
join_all(const source_t *source, const tg_alloc_t *alloc, tg_str_t *value)
{
    collection_t  all = { NULL, 0 };

    each_role(source, collect, &all);

    if (all.n == 0) {
        return TG_ERR_ABSENT;
    }

    all.items = tgi_alloc(alloc, all.n, sizeof(tg_str_t));
    if (all.items == NULL) {
        return TG_ERR_NOMEM;
    }

    all.n = 0;
    each_role(source, collect, &all);

    return join(&all, alloc, value);
}


static int
role_of(const tgi_role_t *role, const source_t *source,
    const tg_alloc_t *alloc, tg_str_t *value)
{
    int        rc;
    highest_t  highest = { &role->order, 0 };

    if (role->order.n == 0) {
        rc = join_all(source, alloc, value);

        if (rc != TG_ERR_ABSENT) {
            return rc;
        }

    } else {
        each_role(source, take_highest, &highest);

        if (highest.next > 0) {
            *value = role->order.items[highest.next - 1];
            return TG_OK;
        }
    }

    *value = role->fallback;

    return role->fallback.len > 0 ? TG_OK : TG_ERR_ABSENT;
}


static int
granted_role(const tg_policy_t *policy, const tg_policy_header_t *header,
    const tg_peer_t *peer, const tg_request_t *request,
    const tg_alloc_t *alloc, tg_str_t *value)
{
    source_t       source;
    tgi_subject_t  subject;

    static const tg_str_t  field = TG_STR("role");

    source.grants = NULL;
    source.field = field;
    source.subject = &subject;

    if (tgi_subject_init(&subject, policy, peer, request)
        && policy->grants.len > 0 && tgi_grants_open(&subject))
    {
        source.grants = tgi_caps_find(peer->caps, policy->grants);
    }

    return role_of(&header->role, &source, alloc, value);
}


int
tg_policy_header_value(const tg_policy_t *policy,
    const tg_policy_header_t *header, const tg_peer_t *peer,
    const tg_request_t *request, const tg_alloc_t *alloc, tg_str_t *value)
{
    int       rc;
    size_t    max;
    source_t  source;
    tg_str_t  text;

    *value = (tg_str_t) TG_NULL_STR;

    if (peer->identity == NULL) {
        return TG_ERR_ABSENT;
    }

    text = (tg_str_t) TG_NULL_STR;

    switch (header->kind) {

    case TGI_HEADER_ROLE:
        source.grants = tgi_caps_find(peer->caps, header->role.capability);
        source.field = header->role.field;
        source.subject = NULL;
        rc = role_of(&header->role, &source, alloc, &text);
        break;

    case TGI_HEADER_GRANTED:
        rc = granted_role(policy, header, peer, request, alloc, &text);
        break;

    default:
        return tg_header_value(&header->header, peer->identity, alloc, value);
    }

    if (rc != TG_OK) {
        return rc;
    }

    max = header->header.max > 0 ? header->header.max : VALUE_MAX;

    return tg_encode(header->header.encoding, text, max, alloc, value);
}


int
tg_policy_capability(const tg_policy_t *policy, tg_str_t name,
    const tg_peer_t *peer, const tg_alloc_t *alloc, tg_str_t *value)
{
    size_t             i;
    source_t           source;
    const tgi_role_t  *role;

    *value = (tg_str_t) TG_NULL_STR;

    if (peer->identity == NULL) {
        return TG_ERR_ABSENT;
    }

    for (i = 0; i < policy->nroles; i++) {
        role = &policy->roles[i];

        if (tgi_str_equal(role->name, name)) {
            source.grants = tgi_caps_find(peer->caps, role->capability);
            source.field = role->field;
            source.subject = NULL;

            return role_of(role, &source, alloc, value);
        }
    }

    return TG_ERR_ABSENT;
}
