
/*
 * Copyright (C) The Tailgate authors
 *
 * Who is there: users, nodes and tags, indexed.
 */

#include "core/acl/acl.h"

#include "core/acl/go.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* Family and bytes of an address, as a key. */

#define ADDR_KEY  17


static int index_nodes(tg_acl_netmap_t *netmap);
static int index_node(tg_acl_netmap_t *netmap, uint32_t number);
static int index_sets(tg_acl_netmap_t *netmap);
static int collect(tg_acl_netmap_t *netmap, uint32_t *scratch);
static int collect_kinds(tg_acl_netmap_t *netmap, uint32_t *scratch);


int
tgi_netmap_fail(tg_acl_netmap_t *netmap, int code, size_t offset,
    const char *format, ...)
{
    va_list  args;

    if (netmap->fault == NULL) {
        return code;
    }

    va_start(args, format);
    (void) tgi_go_message(&netmap->fault->message, netmap->alloc, format,
                          args);
    va_end(args);

    netmap->fault->stage = TG_ACL_STAGE_SYNTAX;
    tg_hujson_position(netmap->text.data, netmap->text.len, offset,
                       &netmap->fault->line, &netmap->fault->column);

    return code;
}


tg_str_t
tgi_login_domain(tg_str_t login)
{
    size_t    i;
    tg_str_t  domain = TG_NULL_STR;

    for (i = login.len; i > 0; i--) {
        if (login.data[i - 1] == '@') {
            domain.data = login.data + i;
            domain.len = login.len - i;
            break;
        }
    }

    return domain;
}


tg_str_t
tgi_login_local(tg_str_t login)
{
    size_t  i;

    for (i = login.len; i > 0; i--) {
        if (login.data[i - 1] == '@') {
            login.len = i - 1;
            break;
        }
    }

    return login;
}


int
tgi_netmap_strings(tg_acl_netmap_t *netmap, const tg_hujson_t *array,
    const tg_str_t **strings, size_t *n)
{
    size_t              i;
    tg_str_t           *list;
    const tg_hujson_t  *item;

    *n = 0;

    if (array == NULL || array->type == TG_HUJSON_NULL) {
        return TG_OK;
    }

    if (array->type != TG_HUJSON_ARRAY) {
        return tgi_netmap_fail(netmap, TG_ERR_TYPE, array->offset,
                               "%q must be a list of strings", &array->key);
    }

    list = tgi_alloc(netmap->alloc, array->n + 1, sizeof(tg_str_t));
    if (list == NULL) {
        return tgi_netmap_fail(netmap, TG_ERR_NOMEM, 0, "out of memory");
    }

    for (i = 0, item = array->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_STRING) {
            return tgi_netmap_fail(netmap, TG_ERR_TYPE, item->offset,
                                   "%q must be a list of strings",
                                   &array->key);
        }

        list[i++] = item->text;
    }

    *strings = list;
    *n = i;

    return TG_OK;
}


int
tgi_netmap_addrs(tg_acl_netmap_t *netmap, tg_acl_node_t *node,
    const tg_hujson_t *const *values, size_t n)
{
    size_t      i;
    tg_addr_t  *addrs;

    addrs = tgi_alloc(netmap->alloc, n + 1, sizeof(tg_addr_t));
    if (addrs == NULL) {
        return tgi_netmap_fail(netmap, TG_ERR_NOMEM, 0, "out of memory");
    }

    node->addrs = addrs;
    node->naddrs = 0;

    for (i = 0; i < n; i++) {
        if (values[i] == NULL || values[i]->type == TG_HUJSON_NULL) {
            continue;
        }

        if (values[i]->type != TG_HUJSON_STRING
            || tg_addr_parse(&addrs[node->naddrs], values[i]->text.data,
                             values[i]->text.len) != TG_OK
            || addrs[node->naddrs].port != 0)
        {
            return tgi_netmap_fail(netmap, TG_ERR_SYNTAX, values[i]->offset,
                                   "node %q: not an address", &node->name);
        }

        node->naddrs++;
    }

    return TG_OK;
}


int
tg_acl_netmap(tg_acl_netmap_t **netmap, const tg_hujson_t *root, tg_str_t text,
    const tg_str_t *domains, size_t ndomains, const tg_alloc_t *alloc,
    tg_acl_fault_t *fault)
{
    int               rc;
    tg_acl_netmap_t  *made;

    if (fault != NULL) {
        memset(fault, 0, sizeof(tg_acl_fault_t));
    }

    made = tgi_alloc(alloc, 1, sizeof(tg_acl_netmap_t));
    if (made == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(made, 0, sizeof(tg_acl_netmap_t));
    made->alloc = alloc;
    made->fault = fault;
    made->text = text;

    made->domains = tgi_alloc(alloc, ndomains + 1, sizeof(tg_str_t));
    if (made->domains == NULL) {
        return TG_ERR_NOMEM;
    }

    if (ndomains > 0) {
        memcpy(made->domains, domains, ndomains * sizeof(tg_str_t));
    }

    made->ndomains = ndomains;

    if (tg_hujson_get(root, "nodes") != NULL) {
        rc = tgi_netmap_case(made, root);

    } else if (tg_hujson_get(root, "Self") != NULL) {
        rc = tgi_netmap_status(made, root);

    } else {
        rc = tgi_netmap_fail(made, TG_ERR_MISSING, root->offset,
                             "neither \"nodes\" of a netmap nor \"Self\" of a "
                             "node's status");
    }

    if (rc == TG_OK) {
        rc = index_nodes(made);
    }

    if (rc == TG_OK) {
        made->fault = NULL;
        *netmap = made;
    }

    return rc;
}


static int
index_nodes(tg_acl_netmap_t *netmap)
{
    int       rc;
    size_t    i;

    if (tgi_map_init(&netmap->by_name, netmap->nnodes, netmap->alloc) != TG_OK
        || tgi_map_init(&netmap->by_addr, netmap->nnodes * 2, netmap->alloc)
           != TG_OK
        || tgi_map_init(&netmap->by_tag, 64, netmap->alloc) != TG_OK)
    {
        return tgi_netmap_fail(netmap, TG_ERR_NOMEM, 0, "out of memory");
    }

    for (i = 0; i < netmap->nnodes; i++) {
        rc = index_node(netmap, (uint32_t) i);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return index_sets(netmap);
}


static int
index_node(tg_acl_netmap_t *netmap, uint32_t number)
{
    int             rc;
    size_t          i;
    tg_str_t        key;
    tg_acl_node_t  *node;

    node = &netmap->nodes[number];

    rc = tgi_map_add(&netmap->by_name, node->name, number);

    if (rc == TG_ERR_REFUSED) {
        return tgi_netmap_fail(netmap, rc, 0, "two nodes are named %q",
                               &node->name);
    }

    for (i = 0; rc == TG_OK && i < node->naddrs; i++) {
        key.data = (const char *) &node->addrs[i];
        key.len = ADDR_KEY;

        rc = tgi_map_add(&netmap->by_addr, key, number);
        if (rc == TG_ERR_REFUSED) {
            return tgi_netmap_fail(netmap, rc, 0, "node %q has an address of "
                                   "another node", &node->name);
        }
    }

    for (i = 0; rc == TG_OK && i < node->ntags; i++) {
        rc = tgi_map_add(&netmap->by_tag, node->tags[i],
                         (uint32_t) netmap->ntags);
        if (rc == TG_OK) {
            netmap->ntags++;

        } else if (rc == TG_ERR_REFUSED) {
            rc = TG_OK;
        }
    }

    return rc == TG_OK ? TG_OK
                       : tgi_netmap_fail(netmap, rc, 0, "out of memory");
}


static int
index_sets(tg_acl_netmap_t *netmap)
{
    int        rc;
    size_t     i, n;
    uint32_t  *scratch;

    for (i = 0, n = netmap->nnodes; i < netmap->nnodes; i++) {
        n += netmap->nodes[i].ntags;
    }

    netmap->tags = tgi_alloc(netmap->alloc, netmap->ntags + 1,
                             sizeof(tgi_set_t));
    scratch = malloc((n + 1) * sizeof(uint32_t));

    rc = TG_ERR_NOMEM;

    if (netmap->tags != NULL && scratch != NULL) {
        rc = collect(netmap, scratch);
    }

    if (rc == TG_OK) {
        rc = collect_kinds(netmap, scratch);
    }

    free(scratch);

    return rc == TG_OK ? TG_OK
                       : tgi_netmap_fail(netmap, rc, 0, "out of memory");
}


/*
 * Sets by a counting sort: starts[k] is where the nodes of k go in scratch.
 */

static int
collect_by(tg_acl_netmap_t *netmap, uint32_t *scratch, bool tags, size_t n)
{
    int              rc;
    size_t           i, k, t, *starts;
    tgi_set_t       *set;
    tg_acl_node_t   *node;

    starts = calloc(n + 2, sizeof(size_t));
    if (starts == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < netmap->nnodes; i++) {
        node = &netmap->nodes[i];

        for (t = 0; tags && t < node->ntags; t++) {
            starts[tgi_map_get(&netmap->by_tag, node->tags[t]) + 2]++;
        }

        if (!tags && netmap->owners[i] != TGI_NOBODY) {
            starts[netmap->owners[i] + 2]++;
        }
    }

    for (k = 2; k < n + 2; k++) {
        starts[k] += starts[k - 1];
    }

    for (i = 0; i < netmap->nnodes; i++) {
        node = &netmap->nodes[i];

        for (t = 0; tags && t < node->ntags; t++) {
            k = tgi_map_get(&netmap->by_tag, node->tags[t]);
            scratch[starts[k + 1]++] = (uint32_t) i;
        }

        if (!tags && netmap->owners[i] != TGI_NOBODY) {
            scratch[starts[netmap->owners[i] + 1]++] = (uint32_t) i;
        }
    }

    for (k = 0, rc = TG_OK; rc == TG_OK && k < n; k++) {
        set = tags ? &netmap->tags[k] : &netmap->users[k].nodes;
        rc = tgi_set_make(set, scratch + starts[k], starts[k + 1] - starts[k],
                          netmap->nnodes, netmap->alloc);
    }

    free(starts);

    return rc;
}


static int
collect(tg_acl_netmap_t *netmap, uint32_t *scratch)
{
    int  rc;

    rc = collect_by(netmap, scratch, true, netmap->ntags);

    return rc == TG_OK ? collect_by(netmap, scratch, false, netmap->nusers)
                       : rc;
}


static int
collect_kinds(tg_acl_netmap_t *netmap, uint32_t *scratch)
{
    int             rc;
    size_t          i, n, kind;
    tgi_set_t      *sets[3];
    tg_acl_node_t  *node;

    sets[0] = &netmap->members;
    sets[1] = &netmap->tagged;
    sets[2] = &netmap->shared;

    for (kind = 0, rc = TG_OK; rc == TG_OK && kind < 3; kind++) {

        for (i = 0, n = 0; i < netmap->nnodes; i++) {
            node = &netmap->nodes[i];

            if ((size_t) (node->shared ? 2 : node->ntags > 0) == kind) {
                scratch[n++] = (uint32_t) i;
            }
        }

        rc = tgi_set_make(sets[kind], scratch, n, netmap->nnodes,
                          netmap->alloc);
    }

    return rc;
}


size_t
tg_acl_nodes(const tg_acl_netmap_t *netmap)
{
    return netmap->nnodes;
}


const tg_acl_node_t *
tg_acl_node(const tg_acl_netmap_t *netmap, size_t index)
{
    return &netmap->nodes[index];
}


int
tg_acl_node_find(const tg_acl_netmap_t *netmap, tg_str_t text, size_t *index)
{
    uint32_t   found;
    tg_str_t   key;
    tg_addr_t  addr;

    found = tgi_map_get(&netmap->by_name, text);

    if (found == TGI_MAP_NONE
        && tg_addr_parse(&addr, text.data, text.len) == TG_OK)
    {
        addr.port = 0;
        key.data = (const char *) &addr;
        key.len = ADDR_KEY;
        found = tgi_map_get(&netmap->by_addr, key);
    }

    if (found == TGI_MAP_NONE) {
        return TG_ERR_ABSENT;
    }

    *index = found;

    return TG_OK;
}
