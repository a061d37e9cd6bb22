
/*
 * Copyright (C) The Tailgate authors
 *
 * The packet filter, and the capabilities that it carries.
 */

#include "core/acl/acl.h"

#include "core/base/base.h"

#include <string.h>


static bool
service_has(const tgi_service_t *service, int proto, unsigned port)
{
    if (service->proto == TGI_PROTO_DEFAULT) {
        if (proto != TGI_PROTO_TCP && proto != TGI_PROTO_UDP && proto != 1
            && proto != 58)
        {
            return false;
        }

    } else if (service->proto != proto) {
        return false;
    }

    /* TCP, UDP, DCCP and SCTP have ports, nothing else has */
    if (proto != TGI_PROTO_TCP && proto != TGI_PROTO_UDP && proto != 33
        && proto != 132)
    {
        return true;
    }

    return port >= service->first && port <= service->last;
}


static bool
has_service(const tgi_flow_t *flow, int proto, unsigned port)
{
    size_t  i;

    for (i = 0; i < flow->nservices; i++) {
        if (service_has(&flow->services[i], proto, port)) {
            return true;
        }
    }

    return false;
}


/* autogroup:self: untagged, and one and the same user. */

static bool
same_user(const tg_acl_t *acl, uint32_t src, uint32_t dst)
{
    return src != TGI_NOBODY && dst != TGI_NOBODY
           && acl->netmap->owners[src] != TGI_NOBODY
           && acl->netmap->owners[src] == acl->netmap->owners[dst];
}


static bool
pair_has(const tg_acl_t *acl, const tgi_side_t *from, const tgi_side_t *to,
    uint32_t src, const tg_addr_t *saddr, uint32_t dst, const tg_addr_t *daddr)
{
    if (!tgi_side_has(acl, from, TGI_SRC, src, saddr)) {
        return false;
    }

    return (to->self && same_user(acl, src, dst))
           || tgi_side_has(acl, to, TGI_DST, dst, daddr);
}


bool
tgi_reach(const tg_acl_t *acl, const tgi_end_t *src, const tgi_end_t *dst,
    int proto, unsigned port)
{
    size_t             i, s, d;
    const tgi_flow_t  *flow;

    if (acl->allow_all) {
        return true;
    }

    for (i = 0; i < acl->nflows; i++) {
        flow = &acl->flows[i];

        if (!has_service(flow, proto, port)) {
            continue;
        }

        for (s = 0; s < src->naddrs; s++) {
            for (d = 0; d < dst->naddrs; d++) {

                if (src->addrs[s].family == dst->addrs[d].family
                    && pair_has(acl, flow->src, flow->dst, src->node,
                                &src->addrs[s], dst->node, &dst->addrs[d]))
                {
                    return true;
                }
            }
        }
    }

    return false;
}


bool
tg_acl_reach(const tg_acl_t *acl, size_t src, size_t dst, int proto,
    uint16_t port)
{
    tgi_end_t             from, to;
    const tg_acl_node_t  *node;

    node = &acl->netmap->nodes[src];
    from.node = (uint32_t) src;
    from.addrs = node->addrs;
    from.naddrs = node->naddrs;

    node = &acl->netmap->nodes[dst];
    to.node = (uint32_t) dst;
    to.addrs = node->addrs;
    to.naddrs = node->naddrs;

    return tgi_reach(acl, &from, &to, proto, port);
}


/* The first address of each of both that are of one family. */

static bool
first_pair(const tg_acl_node_t *src, const tg_acl_node_t *dst,
    const tg_addr_t **saddr, const tg_addr_t **daddr)
{
    size_t  i;

    if (src->naddrs == 0) {
        return false;
    }

    *saddr = &src->addrs[0];

    for (i = 0; i < dst->naddrs; i++) {
        if (dst->addrs[i].family == (*saddr)->family) {
            *daddr = &dst->addrs[i];
            return true;
        }
    }

    return false;
}


typedef struct {
    tg_acl_cap_t  *caps;
    size_t         n;
    bool           fill;       /* else values are counted only */
} caps_t;


static tg_acl_cap_t *
cap_of(caps_t *caps, tg_str_t name)
{
    size_t  i;

    for (i = 0; i < caps->n; i++) {
        if (tgi_str_equal(caps->caps[i].name, name)) {
            return &caps->caps[i];
        }
    }

    memset(&caps->caps[caps->n], 0, sizeof(tg_acl_cap_t));
    caps->caps[caps->n].name = name;

    return &caps->caps[caps->n++];
}


static void
add_app(caps_t *caps, const tg_hujson_t *app)
{
    tg_acl_cap_t       *cap;
    const tg_hujson_t  *name, *value;

    for (name = app->child; name != NULL; name = name->next) {
        cap = cap_of(caps, name->key);

        for (value = name->child; value != NULL; value = value->next) {
            if (caps->fill) {
                cap->values[cap->nvalues] = value;
            }

            cap->nvalues++;
        }
    }
}


/*
 * Who may mount a drive is known to its owner, who may use a relay to the
 * relay: the other direction has a capability without values.
 */

static void
add_companions(caps_t *caps, const tg_hujson_t *app)
{
    size_t  i;

    static const char *const  companions[][2] = {
        { "tailscale.com/cap/drive", "tailscale.com/cap/drive-sharer" },
        { "tailscale.com/cap/relay", "tailscale.com/cap/relay-target" }
    };

    for (i = 0; i < 2; i++) {
        if (tg_hujson_get(app, companions[i][0]) != NULL) {
            tg_str_t  name = { companions[i][1], strlen(companions[i][1]) };

            (void) cap_of(caps, name);
        }
    }
}


static void
walk(const tg_acl_t *acl, uint32_t src, uint32_t dst, const tg_addr_t *saddr,
    const tg_addr_t *daddr, caps_t *caps)
{
    size_t                 i;
    const tgi_capgrant_t  *grant;

    for (i = 0; i < acl->ncapgrants; i++) {
        grant = &acl->capgrants[i];

        if (pair_has(acl, grant->src, grant->dst, src, saddr, dst, daddr)) {
            add_app(caps, grant->app);
        }

        if (pair_has(acl, grant->src, grant->dst, dst, daddr, src, saddr)) {
            add_companions(caps, grant->app);
        }
    }
}


int
tg_acl_caps(const tg_acl_t *acl, size_t src, size_t dst,
    const tg_alloc_t *alloc, const tg_acl_cap_t **result, size_t *n)
{
    size_t            i, names;
    caps_t            caps;
    const tg_addr_t  *saddr, *daddr;

    *result = NULL;
    *n = 0;

    if (!first_pair(&acl->netmap->nodes[src], &acl->netmap->nodes[dst], &saddr,
                    &daddr))
    {
        return TG_OK;
    }

    for (i = 0, names = 0; i < acl->ncapgrants; i++) {
        names += acl->capgrants[i].app->n + 2;
    }

    if (names == 0) {
        return TG_OK;
    }

    caps.n = 0;
    caps.fill = false;
    caps.caps = tgi_alloc(alloc, names, sizeof(tg_acl_cap_t));

    if (caps.caps == NULL) {
        return TG_ERR_NOMEM;
    }

    walk(acl, (uint32_t) src, (uint32_t) dst, saddr, daddr, &caps);

    for (i = 0; i < caps.n; i++) {
        caps.caps[i].values = tgi_alloc(alloc, caps.caps[i].nvalues + 1,
                                        sizeof(tg_hujson_t *));
        if (caps.caps[i].values == NULL) {
            return TG_ERR_NOMEM;
        }

        caps.caps[i].nvalues = 0;
    }

    caps.fill = true;
    walk(acl, (uint32_t) src, (uint32_t) dst, saddr, daddr, &caps);

    *result = caps.caps;
    *n = caps.n;

    return TG_OK;
}
