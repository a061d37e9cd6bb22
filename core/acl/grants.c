
/*
 * Copyright (C) The Tailgate authors
 *
 * The grants section: ip opens ports, app gives capabilities, both add only.
 */

#include "core/acl/rules.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <string.h>


static const char *const  grant_fields[] = {
    "src", "dst", "ip", "app", "via", "srcPosture"
};

enum { SRC = 0, DST, IP, APP, VIA, POSTURE };

#define NFIELDS  (sizeof(grant_fields) / sizeof(grant_fields[0]))

typedef struct {
    tgi_items_t   src;
    tgi_items_t   dst;
    tgi_side_t   *from;
    tgi_side_t   *to;
} sides_t;


static int compile_grant(tg_acl_t *acl, const tg_hujson_t *rule);
static int read_sides(tg_acl_t *acl, const tg_hujson_t **fields,
    sides_t *sides);
static int check_dst(tg_acl_t *acl, const sides_t *sides, bool app);
static int read_services(tg_acl_t *acl, const tg_hujson_t *ip,
    tgi_flow_t *flow);
static int check_app(tg_acl_t *acl, const tg_hujson_t *app);
static int narrow(tg_acl_t *acl, const tg_hujson_t *via, tgi_side_t **side);


int
tgi_acl_compile_grants(tg_acl_t *acl, const tg_hujson_t *grants)
{
    int                 rc;
    const tg_hujson_t  *rule;

    rc = tgi_acl_objects(acl, grants, "grants");
    if (rc != TG_OK || grants == NULL) {
        return rc;
    }

    acl->capgrants = tgi_alloc(acl->alloc, grants->n + 1,
                               sizeof(tgi_capgrant_t));
    if (acl->capgrants == NULL) {
        return TG_ERR_NOMEM;
    }

    for (rule = grants->child; rc == TG_OK && rule != NULL; rule = rule->next) {
        rc = compile_grant(acl, rule);
    }

    return rc;
}


static int
compile_grant(tg_acl_t *acl, const tg_hujson_t *rule)
{
    int                 rc;
    bool                via;
    sides_t             sides;
    tgi_flow_t          flow;
    tgi_capgrant_t     *grant;
    const tg_hujson_t  *fields[NFIELDS];

    rc = tgi_acl_fields(acl, rule, grant_fields, NFIELDS, fields);

    if (rc != TG_OK
        || (rc = tgi_acl_strings(acl, fields[IP], "ip")) != TG_OK
        || (rc = tgi_acl_strings(acl, fields[VIA], "via")) != TG_OK
        || (rc = check_app(acl, fields[APP])) != TG_OK)
    {
        return rc;
    }

    if ((fields[IP] == NULL || fields[IP]->n == 0)
        && (fields[APP] == NULL || fields[APP]->n == 0))
    {
        return tgi_acl_fail(acl, rule->offset,
                            "ip and app can not both be empty");
    }

    if ((rc = read_services(acl, fields[IP], &flow)) != TG_OK
        || (rc = read_sides(acl, fields, &sides)) != TG_OK
        || (rc = check_dst(acl, &sides,
                           fields[APP] != NULL && fields[APP]->n > 0))
           != TG_OK)
    {
        return rc;
    }

    via = fields[VIA] != NULL && fields[VIA]->n > 0;

    if (via) {
        rc = narrow(acl, fields[VIA], &sides.to);
    }

    if (rc != TG_OK || tgi_rules_posture(acl, fields[POSTURE])) {
        return rc;
    }

    flow.src = sides.from;
    flow.dst = sides.to;

    if (flow.nservices > 0) {
        rc = tgi_rules_add_flow(acl, &flow);
    }

    /* with via an app is accepted, and has no effect */
    if (rc == TG_OK && fields[APP] != NULL && !via) {
        grant = &acl->capgrants[acl->ncapgrants++];
        grant->src = sides.from;
        grant->dst = sides.to;
        grant->app = fields[APP];
    }

    return rc;
}


static int
read_sides(tg_acl_t *acl, const tg_hujson_t **fields, sides_t *sides)
{
    int  rc;

    sides->from = tgi_alloc(acl->alloc, 1, sizeof(tgi_side_t));
    sides->to = tgi_alloc(acl->alloc, 1, sizeof(tgi_side_t));

    if (sides->from == NULL || sides->to == NULL) {
        return TG_ERR_NOMEM;
    }

    if ((rc = tgi_acl_strings(acl, fields[SRC], "src")) != TG_OK
        || (rc = tgi_acl_strings(acl, fields[DST], "dst")) != TG_OK
        || (rc = tgi_rules_items(acl, fields[SRC], &sides->src)) != TG_OK
        || (rc = tgi_rules_items(acl, fields[DST], &sides->dst)) != TG_OK
        || (rc = tgi_side(acl, "grants", TGI_SRC, sides->src.texts,
                          sides->src.offsets, sides->src.n, sides->from))
           != TG_OK)
    {
        return rc;
    }

    return tgi_side(acl, "grants", TGI_DST, sides->dst.texts,
                    sides->dst.offsets, sides->dst.n, sides->to);
}


static int
check_dst(tg_acl_t *acl, const sides_t *sides, bool app)
{
    size_t       i;
    uint32_t     host;
    tgi_sel_t    sel;

    for (i = 0; i < sides->dst.n; i++) {
        tgi_selector(&sel, sides->dst.texts[i]);

        if (sel.kind == TGI_SEL_NAME) {
            host = tgi_map_get(&acl->by_host, sel.text);
            sel.cidr = acl->hosts[host].cidr;
            sel.kind = TGI_SEL_PREFIX;
        }

        if (sel.kind == TGI_SEL_PREFIX && sel.cidr.prefix == 0) {
            return tgi_acl_fail(acl, sides->dst.offsets[i],
                                "dst %q: to allow all IP addresses, use \"*\" "
                                "or \"autogroup:internet\"", &sel.text);
        }

        if (sel.kind == TGI_SEL_INTERNET && app) {
            return tgi_acl_fail(acl, sides->dst.offsets[i], "cannot use app "
                                "grants with autogroup:internet");
        }

        if (sel.kind == TGI_SEL_SELF) {
            int  rc;

            rc = tgi_rules_check_self(acl, &sides->src,
                                      sides->dst.offsets[i]);
            if (rc != TG_OK) {
                return rc;
            }
        }
    }

    return TG_OK;
}


/* "*", "80", "80-90", "tcp:*", "udp:53": tailcfg.ProtoPortRange. */

static int
read_services(tg_acl_t *acl, const tg_hujson_t *ip, tgi_flow_t *flow)
{
    size_t              n;
    tg_str_t            text, proto, ports;
    const char         *why;
    tgi_service_t      *services;
    const tg_hujson_t  *item;

    flow->services = NULL;
    flow->nservices = 0;

    if (ip == NULL || ip->n == 0) {
        return TG_OK;
    }

    services = tgi_alloc(acl->alloc, ip->n, sizeof(tgi_service_t));
    if (services == NULL) {
        return TG_ERR_NOMEM;
    }

    for (n = 0, item = ip->child; item != NULL; item = item->next, n++) {
        text = tgi_go_trim(item->text);
        services[n].proto = TGI_PROTO_DEFAULT;

        if (!tgi_rules_split(text, &proto, &ports)) {
            ports = text;

        } else if (proto.len != 1 || proto.data[0] != '*') {
            services[n].proto = tgi_proto(proto);

            if (services[n].proto < 0) {
                return tgi_acl_fail(acl, item->offset,
                                    "ip=%q: unknown protocol %q", &text,
                                    &proto);
            }
        }

        if (tgi_port_range(ports, &services[n].first, &services[n].last, &why)
            != TG_OK)
        {
            return tgi_acl_fail(acl, item->offset, "ip=%q: port range %q: %s",
                                &text, &ports, why);
        }
    }

    flow->services = services;
    flow->nservices = n;

    return TG_OK;
}


/*
 * Capabilities of tailscale.com that a policy may give away: the service's
 * own, and those that the documentation of Tailscale's programs (golink,
 * proxy-to-grafana, setec, tsidp) says to grant.  The last two are unknown to
 * Headscale, which refuses them.
 */

static bool
is_granted(const tg_acl_t *acl, tg_str_t path)
{
    size_t  i, n;

    static const char *const  names[] = {
        "cap/drive", "cap/relay", "cap/kubernetes", "cap/webui",
        "cap/tsidp", "cap/secrets", "cap/golink", "cap/proxy-to-grafana"
    };

    n = sizeof(names) / sizeof(names[0]);

    if (acl->dialect == TG_ACL_HEADSCALE) {
        n -= 2;
    }

    for (i = 0; i < n; i++) {
        if (path.len == strlen(names[i])
            && memcmp(path.data, names[i], path.len) == 0)
        {
            return true;
        }
    }

    return false;
}


static int
check_name(tg_acl_t *acl, const tg_hujson_t *cap)
{
    tg_str_t     domain, path;
    const char  *slash;

    static const char  own[] = "tailscale.com";

    slash = cap->key.len == 0 ? NULL : memchr(cap->key.data, '/', cap->key.len);

    domain = cap->key;
    path = (tg_str_t) TG_NULL_STR;

    if (slash != NULL) {
        domain.len = (size_t) (slash - cap->key.data);
        path.data = slash + 1;
        path.len = cap->key.len - domain.len - 1;
    }

    if (domain.len == 0 || path.len == 0
        || memchr(domain.data, ':', domain.len) != NULL)
    {
        return tgi_acl_fail(acl, cap->key_offset, "capability name must have "
                            "the form {domain}/{path}");
    }

    if (domain.len == sizeof(own) - 1
        && memcmp(domain.data, own, domain.len) == 0
        && !is_granted(acl, path))
    {
        return tgi_acl_fail(acl, cap->key_offset, "capability name must not "
                            "be in the tailscale.com domain");
    }

    return TG_OK;
}


static int
check_app(tg_acl_t *acl, const tg_hujson_t *app)
{
    int                 rc;
    const tg_hujson_t  *cap;

    if (app == NULL) {
        return TG_OK;
    }

    if (app->type != TG_HUJSON_OBJECT) {
        return tgi_acl_fail(acl, app->offset, "app must be an object");
    }

    for (cap = app->child; cap != NULL; cap = cap->next) {
        rc = check_name(acl, cap);
        if (rc != TG_OK) {
            return rc;
        }

        if (cap->type != TG_HUJSON_ARRAY && cap->type != TG_HUJSON_NULL) {
            return tgi_acl_fail(acl, cap->offset, "app[%q]: must be a list",
                                &cap->key);
        }
    }

    return TG_OK;
}


static bool
covers(const tg_cidr_t *wide, const tg_cidr_t *narrow)
{
    return wide->prefix <= narrow->prefix
           && tg_cidr_match(wide, &narrow->addr);
}


/*
 * With via only networks are reached, by the approved routes of nodes with one
 * of its tags.
 */

static int
narrow(tg_acl_t *acl, const tg_hujson_t *via, tgi_side_t **side)
{
    size_t                i, k, n, p;
    tg_str_t              tag;
    tgi_side_t           *made;
    tg_cidr_t            *prefixes;
    const tg_hujson_t    *item;
    const tg_acl_node_t  *node;

    for (item = via->child; item != NULL; item = item->next) {
        tag = tgi_go_trim(item->text);

        if (tgi_map_get(&acl->by_tag, tag) == TGI_MAP_NONE) {
            return tgi_acl_fail(acl, item->offset, "via=tag not found: %q",
                                &tag);
        }
    }

    made = tgi_alloc(acl->alloc, 1, sizeof(tgi_side_t));
    prefixes = tgi_alloc(acl->alloc,
                         (acl->nroutes + 1) * ((*side)->nprefixes + 1),
                         sizeof(tg_cidr_t));
    if (made == NULL || prefixes == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(made, 0, sizeof(tgi_side_t));
    made->prefixes = prefixes;
    n = acl->netmap == NULL ? 0 : acl->netmap->nnodes;

    for (i = 0; i < n; i++) {
        node = &acl->netmap->nodes[i];

        for (item = via->child; item != NULL; item = item->next) {
            tag = tgi_go_trim(item->text);
            k = tgi_map_get(&acl->netmap->by_tag, tag);

            if (k != TGI_MAP_NONE && tgi_set_has(&acl->netmap->tags[k], i)) {
                break;
            }
        }

        for (k = 0; item != NULL && k < node->nroutes; k++) {

            for (p = 0; p < (*side)->nprefixes; p++) {
                const tg_cidr_t  *wanted = &(*side)->prefixes[p];

                if (node->routes[k].prefix == 0) {
                    continue;
                }

                if (covers(&node->routes[k], wanted)) {
                    prefixes[made->nprefixes++] = *wanted;

                } else if (covers(wanted, &node->routes[k])) {
                    prefixes[made->nprefixes++] = node->routes[k];
                }
            }
        }
    }

    *side = made;

    return TG_OK;
}
