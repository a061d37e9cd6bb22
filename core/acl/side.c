
/*
 * Copyright (C) The Tailgate authors
 *
 * One side of an acl or a grant: which nodes and which addresses.
 */

#include "core/acl/acl.h"

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


typedef struct {
    tg_acl_t     *acl;
    const char   *section;     /* "acls", "grants" */
    const char   *name;        /* "src", "dst" */
    tgi_which_t   which;
    size_t        offset;
} place_t;


/* What may stand on a side, and what it means. */

static int
check_nodes(const place_t *place, const tgi_sel_t *sel)
{
    tg_acl_t  *acl;

    acl = place->acl;

    if (sel->kind == TGI_SEL_TAG
        && tgi_map_get(&acl->by_tag, sel->text) == TGI_MAP_NONE)
    {
        return tgi_acl_fail(acl, place->offset, "%s=tag not found: %q",
                            place->name, &sel->text);
    }

    if (sel->kind == TGI_SEL_GROUP
        && tgi_map_get(&acl->by_group, sel->text) == TGI_MAP_NONE)
    {
        return tgi_acl_fail(acl, place->offset, "%s=group not found: %q",
                            place->name, &sel->text);
    }

    if (sel->kind == TGI_SEL_DOMAIN && !tgi_acl_domain(acl, sel->domain)) {
        return tgi_acl_fail(acl, place->offset, "[%s] %v is not associated "
                            "with this Tailnet and cannot be used in "
                            "user:*@<domain> expressions", place->section,
                            &sel->domain);
    }

    return TG_OK;
}


static int
add_prefix(tgi_side_t *side, tg_cidr_t *prefixes, const tg_cidr_t *cidr)
{
    prefixes[side->nprefixes++] = *cidr;

    return TG_OK;
}


static int
add_item(const place_t *place, const tgi_sel_t *sel, tgi_side_t *side,
    tg_cidr_t *prefixes)
{
    uint32_t   host;
    tg_acl_t  *acl;

    acl = place->acl;

    switch (sel->kind) {

    case TGI_SEL_STAR:
        side->star = true;
        return TG_OK;

    case TGI_SEL_ADDRESS:
    case TGI_SEL_PREFIX:
        return add_prefix(side, prefixes, &sel->cidr);

    case TGI_SEL_NAME:
        host = tgi_map_get(&acl->by_host, sel->text);

        return host == TGI_MAP_NONE
               ? tgi_acl_fail(acl, place->offset, "invalid %s %q",
                              place->name, &sel->text)
               : add_prefix(side, prefixes, &acl->hosts[host].cidr);

    case TGI_SEL_SELF:
        if (place->which == TGI_SRC) {
            return tgi_acl_fail(acl, place->offset, "%q not valid on the src "
                                "side of a rule", &sel->text);
        }

        side->self = true;
        return TG_OK;

    case TGI_SEL_INTERNET:
    case TGI_SEL_SERVICE:
        /* addresses that no node has */
        return place->which == TGI_DST ? TG_OK
               : tgi_acl_fail(acl, place->offset, "%q not valid on the src "
                              "side of a rule", &sel->text);

    case TGI_SEL_ANYBODY:
        if (place->which == TGI_DST) {
            return tgi_acl_fail(acl, place->offset, "invalid dst %q",
                                &sel->text);
        }

        side->anybody = true;
        return TG_OK;

    case TGI_SEL_ROLE:
    case TGI_SEL_IPSET:
        /* who has a role, and what is in an IP set, is not known here */
        return TG_OK;

    case TGI_SEL_NONROOT:
    case TGI_SEL_AUTOGROUP:
    case TGI_SEL_BAD_PREFIX:
        return tgi_acl_fail(acl, place->offset, "invalid %s %q", place->name,
                            &sel->text);

    default:
        return check_nodes(place, sel);
    }
}


int
tgi_side(tg_acl_t *acl, const char *section, tgi_which_t which,
    const tg_str_t *items, const size_t *offsets, size_t n, tgi_side_t *side)
{
    int         rc;
    size_t      i;
    place_t     place = { acl, section, which == TGI_SRC ? "src" : "dst",
                          which, 0 };
    tgi_sel_t   sel;
    tgi_set_t  *sets;
    tg_cidr_t  *prefixes;

    memset(side, 0, sizeof(tgi_side_t));

    prefixes = tgi_alloc(acl->alloc, n + 1, sizeof(tg_cidr_t));
    sets = malloc((n + 1) * sizeof(tgi_set_t));

    rc = prefixes == NULL || sets == NULL ? TG_ERR_NOMEM : TG_OK;

    for (i = 0; rc == TG_OK && i < n; i++) {
        tgi_selector(&sel, items[i]);
        place.offset = offsets[i];
        rc = add_item(&place, &sel, side, prefixes);

        if (rc == TG_OK) {
            tgi_acl_nodes_of(acl, &sel, &sets[i]);
        }
    }

    if (rc == TG_OK && acl->netmap != NULL) {
        rc = tgi_set_union(&side->nodes, sets, n, acl->netmap->nnodes,
                           acl->alloc);
    }

    side->prefixes = prefixes;
    free(sets);

    return rc;
}


/*
 * As a source "*" is the tailnet: 100.64.0.0/10 without 100.115.92.0/23 (which
 * ChromeOS has), fd7a:115c:a1e0::/48, and the approved subnet routes.
 */

static bool
star_has(const tg_acl_t *acl, const tg_addr_t *addr)
{
    size_t  i;

    if (addr->family == TG_ADDR_V4 && addr->bytes[0] == 100
        && addr->bytes[1] == 115
        && (addr->bytes[2] == 92 || addr->bytes[2] == 93))
    {
        return false;
    }

    if (tg_addr_is_tailnet(addr)) {
        return true;
    }

    for (i = 0; i < acl->nroutes; i++) {
        if (tg_cidr_match(&acl->routes[i], addr)) {
            return true;
        }
    }

    return false;
}


bool
tgi_side_has(const tg_acl_t *acl, const tgi_side_t *side, tgi_which_t which,
    uint32_t node, const tg_addr_t *addr)
{
    size_t  i;

    if (side->anybody || (side->star && (which == TGI_DST
                                         || star_has(acl, addr))))
    {
        return true;
    }

    if (node != TGI_NOBODY && tgi_set_has(&side->nodes, node)) {
        return true;
    }

    for (i = 0; i < side->nprefixes; i++) {
        if (tg_cidr_match(&side->prefixes[i], addr)) {
            return true;
        }
    }

    return false;
}
