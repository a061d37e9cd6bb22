
/*
 * Copyright (C) The Tailgate authors
 *
 * What a source or a destination is, by its form alone.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <string.h>


static const struct {
    const char      *name;
    tgi_sel_kind_t   kind;
} autogroups[] = {
    { "autogroup:member", TGI_SEL_MEMBER },
    { "autogroup:members", TGI_SEL_MEMBER },
    { "autogroup:tagged", TGI_SEL_TAGGED },
    { "autogroup:shared", TGI_SEL_SHARED },
    { "autogroup:self", TGI_SEL_SELF },
    { "autogroup:internet", TGI_SEL_INTERNET },
    { "autogroup:danger-all", TGI_SEL_ANYBODY },
    { "autogroup:nonroot", TGI_SEL_NONROOT },
    { "autogroup:owner", TGI_SEL_ROLE },
    { "autogroup:admin", TGI_SEL_ROLE },
    { "autogroup:it-admin", TGI_SEL_ROLE },
    { "autogroup:network-admin", TGI_SEL_ROLE },
    { "autogroup:billing-admin", TGI_SEL_ROLE },
    { "autogroup:auditor", TGI_SEL_ROLE }
};


static bool
starts(tg_str_t text, const char *prefix)
{
    size_t  n;

    n = strlen(prefix);

    return text.len >= n && memcmp(text.data, prefix, n) == 0;
}


static tgi_sel_kind_t
autogroup(tg_str_t text)
{
    size_t  i;

    for (i = 0; i < sizeof(autogroups) / sizeof(autogroups[0]); i++) {
        if (text.len == strlen(autogroups[i].name)
            && starts(text, autogroups[i].name))
        {
            return autogroups[i].kind;
        }
    }

    return TGI_SEL_AUTOGROUP;
}


/* An address or a network; nothing else has this form. */

static bool
network(tgi_sel_t *sel)
{
    int        rc;
    bool       slash;
    tg_addr_t  addr;

    slash = sel->text.len > 0
            && memchr(sel->text.data, '/', sel->text.len) != NULL;

    if (!slash) {
        /* ports and brackets are no part of an address here */
        if (sel->text.len > 0 && sel->text.data[0] != '['
            && tg_addr_parse(&addr, sel->text.data, sel->text.len) == TG_OK
            && addr.port == 0
            && tg_cidr_parse(&sel->cidr, sel->text.data, sel->text.len)
               == TG_OK)
        {
            sel->kind = TGI_SEL_ADDRESS;
            return true;
        }

        return false;
    }

    rc = tg_cidr_parse(&sel->cidr, sel->text.data, sel->text.len);
    sel->kind = rc == TG_OK ? TGI_SEL_PREFIX : TGI_SEL_BAD_PREFIX;

    return true;
}


void
tgi_selector(tgi_sel_t *sel, tg_str_t text)
{
    memset(sel, 0, sizeof(tgi_sel_t));
    sel->text = text;

    if (text.len == 1 && text.data[0] == '*') {
        sel->kind = TGI_SEL_STAR;

    } else if (starts(text, "tag:")) {
        sel->kind = TGI_SEL_TAG;

    } else if (starts(text, "group:")) {
        sel->kind = TGI_SEL_GROUP;

    } else if (starts(text, "autogroup:")) {
        sel->kind = autogroup(text);

    } else if (starts(text, "user:*@")) {
        sel->kind = TGI_SEL_DOMAIN;
        sel->domain.data = text.data + sizeof("user:*@") - 1;
        sel->domain.len = text.len - (sizeof("user:*@") - 1);

    } else if (starts(text, "ipset:")) {
        sel->kind = TGI_SEL_IPSET;

    } else if (starts(text, "svc:")) {
        sel->kind = TGI_SEL_SERVICE;

    } else if (text.len > 0 && memchr(text.data, '@', text.len) != NULL) {
        sel->kind = TGI_SEL_EMAIL;

    } else if (!network(sel)) {
        sel->kind = TGI_SEL_NAME;
    }
}


/*
 * Emails are compared byte for byte.  Headscale writes "alice@" for a user
 * who has no email: the name of a user of the netmap, or a whole login.
 */

uint32_t
tgi_acl_user(const tg_acl_t *acl, tg_str_t text)
{
    uint32_t  user;

    user = tgi_map_get(&acl->netmap->by_login, text);

    if (user == TGI_MAP_NONE && acl->dialect == TG_ACL_HEADSCALE
        && text.len > 1 && text.data[text.len - 1] == '@')
    {
        text.len--;
        user = tgi_map_get(&acl->netmap->by_login, text);

        if (user == TGI_MAP_NONE) {
            user = tgi_map_get(&acl->netmap->by_user, text);
        }
    }

    return user;
}


bool
tgi_acl_domain(const tg_acl_t *acl, tg_str_t domain)
{
    size_t  i;

    if (acl->netmap == NULL) {
        return true;
    }

    for (i = 0; i < acl->netmap->ndomains; i++) {
        if (tgi_str_equal(acl->netmap->domains[i], domain)) {
            return true;
        }
    }

    return false;
}


/* People of a domain are many selectors' worth: found node by node. */

static void
nodes_of_domain(const tg_acl_t *acl, tg_str_t domain, tgi_set_t *nodes)
{
    size_t                   i, n;
    uint32_t                *scratch;
    const tg_acl_netmap_t   *netmap;

    netmap = acl->netmap;

    scratch = tgi_alloc(acl->alloc, netmap->nnodes + 1, sizeof(uint32_t));
    if (scratch == NULL) {
        return;
    }

    for (i = 0, n = 0; i < netmap->nnodes; i++) {
        if (netmap->owners[i] != TGI_NOBODY && !netmap->nodes[i].shared
            && tgi_str_equal(tgi_login_domain(netmap->nodes[i].login), domain))
        {
            scratch[n++] = (uint32_t) i;
        }
    }

    (void) tgi_set_make(nodes, scratch, n, netmap->nnodes, acl->alloc);
}


void
tgi_acl_nodes_of(const tg_acl_t *acl, const tgi_sel_t *sel, tgi_set_t *nodes)
{
    uint32_t  n;

    memset(nodes, 0, sizeof(tgi_set_t));

    if (acl->netmap == NULL) {
        return;
    }

    switch (sel->kind) {

    case TGI_SEL_EMAIL:
        n = tgi_acl_user(acl, sel->text);

        if (n != TGI_MAP_NONE) {
            *nodes = acl->netmap->users[n].nodes;
        }

        break;

    case TGI_SEL_GROUP:
        n = tgi_map_get(&acl->by_group, sel->text);

        if (n != TGI_MAP_NONE) {
            *nodes = acl->groups[n].nodes;
        }

        break;

    case TGI_SEL_TAG:
        n = tgi_map_get(&acl->netmap->by_tag, sel->text);

        if (n != TGI_MAP_NONE) {
            *nodes = acl->netmap->tags[n];
        }

        break;

    case TGI_SEL_DOMAIN:
        nodes_of_domain(acl, sel->domain, nodes);
        break;

    case TGI_SEL_MEMBER:
        *nodes = acl->netmap->members;
        break;

    case TGI_SEL_TAGGED:
        *nodes = acl->netmap->tagged;
        break;

    case TGI_SEL_SHARED:
        *nodes = acl->netmap->shared;
        break;

    default:
        break;
    }
}
