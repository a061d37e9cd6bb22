
/*
 * Copyright (C) The Tailgate authors
 *
 * The acls and grants sections: flows of the packet filter, and application
 * capabilities.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/acl/rules.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


static const char *const  acl_fields[] = {
    "action", "src", "dst", "proto", "srcPosture", "users", "ports"
};

enum { ACTION = 0, SRC, DST, PROTO, POSTURE, USERS, PORTS };

#define NFIELDS  (sizeof(acl_fields) / sizeof(acl_fields[0]))


static int compile_acl(tg_acl_t *acl, const tg_hujson_t *rule);
static int compile_dst(tg_acl_t *acl, const tg_hujson_t *dst, int proto,
    const tgi_side_t *src, bool inert);
static int read_ports(tg_acl_t *acl, const tg_hujson_t *dst, tg_str_t ports,
    int proto, tgi_flow_t *flow);


int
tgi_rules_items(tg_acl_t *acl, const tg_hujson_t *list, tgi_items_t *items)
{
    size_t              n;
    const tg_hujson_t  *item;

    n = list == NULL ? 0 : list->n;
    items->texts = tgi_alloc(acl->alloc, n + 1, sizeof(tg_str_t));
    items->offsets = tgi_alloc(acl->alloc, n + 1, sizeof(size_t));
    items->n = 0;

    if (items->texts == NULL || items->offsets == NULL) {
        return TG_ERR_NOMEM;
    }

    for (item = n == 0 ? NULL : list->child; item != NULL; item = item->next) {
        items->texts[items->n] = tgi_go_trim(item->text);
        items->offsets[items->n++] = item->offset;
    }

    return TG_OK;
}


int
tgi_rules_check_self(tg_acl_t *acl, const tgi_items_t *src, size_t offset)
{
    size_t     i;
    tgi_sel_t  sel;

    for (i = 0; i < src->n; i++) {
        tgi_selector(&sel, src->texts[i]);

        switch (sel.kind) {

        case TGI_SEL_EMAIL:
        case TGI_SEL_GROUP:
        case TGI_SEL_DOMAIN:
        case TGI_SEL_MEMBER:
        case TGI_SEL_ROLE:
            break;

        default:
            return tgi_acl_fail(acl, offset, "autogroup:self can only be used "
                                "with users, groups, or supported autogroups");
        }
    }

    return TG_OK;
}


bool
tgi_rules_posture(const tg_acl_t *acl, const tg_hujson_t *posture)
{
    if (posture == NULL) {
        return acl->posture;
    }

    return !(posture->type == TG_HUJSON_ARRAY && posture->n == 0);
}


/* Room for n more flows; they come one by one. */

int
tgi_rules_add_flow(tg_acl_t *acl, const tgi_flow_t *flow)
{
    size_t       size;
    tgi_flow_t  *flows;

    /* full when the count is a power of two from 16 on, or 0 */
    if (acl->nflows == 0
        || (acl->nflows >= 16 && (acl->nflows & (acl->nflows - 1)) == 0))
    {
        size = acl->nflows == 0 ? 16 : acl->nflows * 2;

        flows = tgi_alloc(acl->alloc, size, sizeof(tgi_flow_t));
        if (flows == NULL) {
            return TG_ERR_NOMEM;
        }

        if (acl->nflows > 0) {
            memcpy(flows, acl->flows, acl->nflows * sizeof(tgi_flow_t));
        }

        acl->flows = flows;
    }

    acl->flows[acl->nflows++] = *flow;

    return TG_OK;
}


int
tgi_acl_compile_acls(tg_acl_t *acl, const tg_hujson_t *acls)
{
    int                 rc;
    const tg_hujson_t  *rule;

    rc = tgi_acl_objects(acl, acls, "acls");

    for (rule = acls == NULL ? NULL : acls->child; rc == TG_OK && rule != NULL;
         rule = rule->next)
    {
        rc = compile_acl(acl, rule);
    }

    return rc;
}


/* Before "src" and "dst" there were "users" and "ports"; both are read. */

static int
either(tg_acl_t *acl, const tg_hujson_t **fields, int now, int before)
{
    if (fields[before] == NULL) {
        return TG_OK;
    }

    if (fields[now] != NULL) {
        return tgi_acl_fail(acl, fields[before]->key_offset,
                            "%v besides %v: one of them",
                            &fields[before]->key, &fields[now]->key);
    }

    fields[now] = fields[before];

    return TG_OK;
}


static int
read_proto(tg_acl_t *acl, const tg_hujson_t *value, int *proto)
{
    *proto = TGI_PROTO_DEFAULT;

    if (value == NULL
        || (value->type == TG_HUJSON_STRING && value->text.len == 0))
    {
        return TG_OK;
    }

    if (value->type != TG_HUJSON_STRING) {
        return tgi_acl_fail(acl, value->offset, "proto must be a string");
    }

    *proto = tgi_proto(value->text);

    return *proto < 0 ? tgi_acl_fail(acl, value->offset, "proto=%q: unknown "
                                     "protocol", &value->text)
                      : TG_OK;
}


static int
compile_acl(tg_acl_t *acl, const tg_hujson_t *rule)
{
    int                 rc, proto;
    tg_str_t            action = TG_NULL_STR;
    tgi_side_t         *src;
    tgi_items_t         items;
    const tg_hujson_t  *dst, *fields[NFIELDS];

    rc = tgi_acl_fields(acl, rule, acl_fields, NFIELDS, fields);
    if (rc != TG_OK) {
        return rc;
    }

    if (fields[ACTION] != NULL && fields[ACTION]->type == TG_HUJSON_STRING) {
        action = fields[ACTION]->text;
    }

    if (action.len != 6 || memcmp(action.data, "accept", 6) != 0) {
        return tgi_acl_fail(acl, fields[ACTION] == NULL
                                 ? rule->offset : fields[ACTION]->offset,
                            "action=%q is not supported", &action);
    }

    src = tgi_alloc(acl->alloc, 1, sizeof(tgi_side_t));
    if (src == NULL) {
        return TG_ERR_NOMEM;
    }

    if ((rc = either(acl, fields, SRC, USERS)) != TG_OK
        || (rc = either(acl, fields, DST, PORTS)) != TG_OK
        || (rc = tgi_acl_strings(acl, fields[SRC], "src")) != TG_OK
        || (rc = tgi_acl_strings(acl, fields[DST], "dst")) != TG_OK
        || (rc = read_proto(acl, fields[PROTO], &proto)) != TG_OK
        || (rc = tgi_rules_items(acl, fields[SRC], &items)) != TG_OK
        || (rc = tgi_side(acl, "acls", TGI_SRC, items.texts, items.offsets,
                          items.n, src)) != TG_OK)
    {
        return rc;
    }

    for (dst = fields[DST] == NULL ? NULL : fields[DST]->child; dst != NULL;
         dst = dst->next)
    {
        rc = compile_dst(acl, dst, proto, src,
                         tgi_rules_posture(acl, fields[POSTURE]));

        if (rc == TG_OK && acl->nflows > 0
            && acl->flows[acl->nflows - 1].dst->self
            && acl->flows[acl->nflows - 1].src == src)
        {
            rc = tgi_rules_check_self(acl, &items, dst->offset);
        }

        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


bool
tgi_rules_split(tg_str_t text, tg_str_t *host, tg_str_t *ports)
{
    size_t  i;

    for (i = text.len; i > 0; i--) {
        if (text.data[i - 1] == ':') {
            break;
        }
    }

    if (i == 0) {
        return false;
    }

    host->data = text.data;
    host->len = i - 1;
    ports->data = text.data + i;
    ports->len = text.len - i;

    if (host->len > 2 && host->data[0] == '['
        && host->data[host->len - 1] == ']')
    {
        host->data++;
        host->len -= 2;
    }

    return true;
}


static int
compile_dst(tg_acl_t *acl, const tg_hujson_t *dst, int proto,
    const tgi_side_t *src, bool inert)
{
    int          rc;
    size_t       offset;
    tg_str_t     text, host, ports;
    tgi_flow_t   flow;
    tgi_side_t  *side;

    text = tgi_go_trim(dst->text);
    offset = dst->offset;

    if (!tgi_rules_split(text, &host, &ports)) {
        return tgi_acl_fail(acl, offset, "dst=%q: hostport must contain a "
                            "colon (\":\")", &text);
    }

    side = tgi_alloc(acl->alloc, 1, sizeof(tgi_side_t));
    if (side == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = read_ports(acl, dst, ports, proto, &flow);
    if (rc == TG_OK) {
        rc = tgi_side(acl, "acls", TGI_DST, &host, &offset, 1, side);
    }

    if (rc != TG_OK) {
        return rc;
    }

    flow.src = src;
    flow.dst = side;

    /* what asks for a posture reaches nothing, but is checked all the same */
    if (inert) {
        flow.nservices = 0;
    }

    return tgi_rules_add_flow(acl, &flow);
}


static int
read_ports(tg_acl_t *acl, const tg_hujson_t *dst, tg_str_t ports, int proto,
    tgi_flow_t *flow)
{
    size_t          i, n, start;
    tg_str_t        text, range;
    const char     *why;
    tgi_service_t  *services;

    text = tgi_go_trim(dst->text);

    for (i = 0, n = 1; i < ports.len; i++) {
        n += ports.data[i] == ',';
    }

    services = tgi_alloc(acl->alloc, n, sizeof(tgi_service_t));
    if (services == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, n = 0, start = 0; i <= ports.len; i++) {

        if (i < ports.len && ports.data[i] != ',') {
            continue;
        }

        range.data = ports.data + start;
        range.len = i - start;
        start = i + 1;

        services[n].proto = proto;

        if (tgi_port_range(range, &services[n].first, &services[n].last, &why)
            != TG_OK)
        {
            return tgi_acl_fail(acl, dst->offset,
                                "dst=%q: port range %q: %s", &text, &range,
                                why);
        }

        n++;
    }

    flow->services = services;
    flow->nservices = n;

    return TG_OK;
}
