
/*
 * Copyright (C) The Tailgate authors
 *
 * A netmap from a document of its own, and from a node's status (fields:
 * tailscale ipn/ipnstate Status, PeerStatus).
 */

#include "core/acl/acl.h"

#include "core/base/base.h"

#include <string.h>


#define NODES_MAX  1000000


static int
nomem(tg_acl_netmap_t *netmap)
{
    return tgi_netmap_fail(netmap, TG_ERR_NOMEM, 0, "out of memory");
}


static int
make_nodes(tg_acl_netmap_t *netmap, size_t n)
{
    if (n > NODES_MAX) {
        return tgi_netmap_fail(netmap, TG_ERR_LIMIT, 0, "too many nodes");
    }

    netmap->nodes = tgi_alloc(netmap->alloc, n + 1, sizeof(tg_acl_node_t));
    netmap->owners = tgi_alloc(netmap->alloc, n + 1, sizeof(uint32_t));

    return netmap->nodes == NULL || netmap->owners == NULL ? nomem(netmap)
                                                           : TG_OK;
}


static int
make_users(tg_acl_netmap_t *netmap, size_t n)
{
    netmap->users = tgi_alloc(netmap->alloc, n + 1, sizeof(tgi_user_t));

    if (netmap->users == NULL
        || tgi_map_init(&netmap->by_login, n, netmap->alloc) != TG_OK
        || tgi_map_init(&netmap->by_user, n, netmap->alloc) != TG_OK)
    {
        return nomem(netmap);
    }

    return TG_OK;
}


/*
 * A login stands in a netmap once.  A status may have it under several numbers
 * (same): that is one person.
 */

static int
add_user(tg_acl_netmap_t *netmap, tg_str_t name, const tg_hujson_t *login,
    bool same)
{
    int          rc;
    uint32_t     number;
    tgi_user_t  *user;

    if (login == NULL || login->type != TG_HUJSON_STRING
        || login->text.len == 0)
    {
        return tgi_netmap_fail(netmap, TG_ERR_TYPE,
                               login == NULL ? 0 : login->offset,
                               "user %q has no login", &name);
    }

    number = tgi_map_get(&netmap->by_login, login->text);

    if (number != TGI_MAP_NONE && !same) {
        return tgi_netmap_fail(netmap, TG_ERR_REFUSED, login->offset,
                               "two users have the login %q", &login->text);
    }

    rc = TG_OK;

    if (number == TGI_MAP_NONE) {
        number = (uint32_t) netmap->nusers++;
        user = &netmap->users[number];
        memset(user, 0, sizeof(tgi_user_t));
        user->login = login->text;
        user->name = name;

        rc = tgi_map_add(&netmap->by_login, login->text, number);
    }

    if (rc == TG_OK) {
        rc = tgi_map_add(&netmap->by_user, name, number);
    }

    return rc == TG_OK ? TG_OK : nomem(netmap);
}


static int
read_domains(tg_acl_netmap_t *netmap, const tg_hujson_t *array)
{
    int              rc;
    size_t           n;
    tg_str_t        *all;
    const tg_str_t  *domains;

    if (array == NULL) {
        return TG_OK;
    }

    rc = tgi_netmap_strings(netmap, array, &domains, &n);
    if (rc != TG_OK || n == 0) {
        return rc;
    }

    all = tgi_alloc(netmap->alloc, n + netmap->ndomains, sizeof(tg_str_t));
    if (all == NULL) {
        return nomem(netmap);
    }

    memcpy(all, domains, n * sizeof(tg_str_t));

    if (netmap->ndomains > 0) {
        memcpy(all + n, netmap->domains, netmap->ndomains * sizeof(tg_str_t));
    }

    netmap->domains = all;
    netmap->ndomains += n;

    return TG_OK;
}


static int
read_routes(tg_acl_netmap_t *netmap, tg_acl_node_t *node,
    const tg_hujson_t *array)
{
    size_t              i;
    tg_addr_t           own;
    tg_cidr_t          *routes;
    const tg_hujson_t  *item;

    if (array == NULL || array->type != TG_HUJSON_ARRAY || array->n == 0) {
        return TG_OK;
    }

    routes = tgi_alloc(netmap->alloc, array->n, sizeof(tg_cidr_t));
    if (routes == NULL) {
        return nomem(netmap);
    }

    node->routes = routes;

    for (item = array->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_STRING
            || tg_cidr_parse(&routes[node->nroutes], item->text.data,
                             item->text.len) != TG_OK)
        {
            return tgi_netmap_fail(netmap, TG_ERR_SYNTAX, item->offset,
                                   "node %q: not a route", &node->name);
        }

        own = routes[node->nroutes].addr;

        /* AllowedIPs has the node's own addresses too */
        for (i = 0; i < node->naddrs; i++) {
            if (routes[node->nroutes].prefix >= 32
                && tg_addr_equal(&own, &node->addrs[i]))
            {
                break;
            }
        }

        if (i == node->naddrs) {
            node->nroutes++;
        }
    }

    return TG_OK;
}


static int
read_case_node(tg_acl_netmap_t *netmap, const tg_hujson_t *value)
{
    int                 rc;
    uint32_t            owner;
    tg_acl_node_t      *node;
    const tg_hujson_t  *user, *addrs[2];

    node = &netmap->nodes[netmap->nnodes];
    memset(node, 0, sizeof(tg_acl_node_t));
    node->name = value->key;

    rc = tgi_netmap_strings(netmap, tg_hujson_get(value, "tags"), &node->tags,
                            &node->ntags);
    if (rc != TG_OK) {
        return rc;
    }

    owner = TGI_NOBODY;
    user = tg_hujson_get(value, "user");

    if (user != NULL && user->type == TG_HUJSON_STRING && node->ntags == 0) {
        owner = tgi_map_get(&netmap->by_user, user->text);

        if (owner == TGI_MAP_NONE) {
            return tgi_netmap_fail(netmap, TG_ERR_MISSING, user->offset,
                                   "node %q: no user %q in \"users\"",
                                   &node->name, &user->text);
        }

        node->login = netmap->users[owner].login;

    } else if (node->ntags == 0) {
        return tgi_netmap_fail(netmap, TG_ERR_MISSING, value->offset,
                               "node %q has neither a user nor tags",
                               &node->name);
    }

    netmap->owners[netmap->nnodes++] = owner;

    addrs[0] = tg_hujson_get(value, "ipv4");
    addrs[1] = tg_hujson_get(value, "ipv6");

    rc = tgi_netmap_addrs(netmap, node, addrs, 2);
    if (rc == TG_OK) {
        rc = read_routes(netmap, node, tg_hujson_get(value,
                                                     "approved_routes"));
    }

    user = tg_hujson_get(value, "routable_ips");
    node->advertises = node->nroutes > 0
                       || (user != NULL && user->type == TG_HUJSON_ARRAY
                           && user->n > 0);

    return rc;
}


static int
object_of(tg_acl_netmap_t *netmap, const tg_hujson_t *root, const char *name,
    const tg_hujson_t **object)
{
    *object = tg_hujson_get(root, name);

    if (*object == NULL || (*object)->type == TG_HUJSON_NULL) {
        *object = NULL;
        return TG_OK;
    }

    if ((*object)->type != TG_HUJSON_OBJECT) {
        return tgi_netmap_fail(netmap, TG_ERR_TYPE, (*object)->offset,
                               "\"%s\" must be an object", name);
    }

    return TG_OK;
}


int
tgi_netmap_case(tg_acl_netmap_t *netmap, const tg_hujson_t *root)
{
    int                 rc;
    const tg_hujson_t  *users, *nodes, *item;

    nodes = NULL;
    rc = object_of(netmap, root, "users", &users);

    if (rc == TG_OK) {
        rc = object_of(netmap, root, "nodes", &nodes);
    }

    if (rc == TG_OK) {
        rc = read_domains(netmap, tg_hujson_get(root, "tailnet_domains"));
    }

    if (rc == TG_OK) {
        rc = make_users(netmap, users == NULL ? 0 : users->n);
    }

    if (rc == TG_OK) {
        rc = make_nodes(netmap, nodes == NULL ? 0 : nodes->n);
    }

    if (rc != TG_OK) {
        return rc;
    }

    for (item = users == NULL ? NULL : users->child; item != NULL;
         item = item->next)
    {
        rc = add_user(netmap, item->key, item, false);
        if (rc != TG_OK) {
            return rc;
        }
    }

    for (item = nodes == NULL ? NULL : nodes->child; item != NULL;
         item = item->next)
    {
        rc = read_case_node(netmap, item);
        if (rc != TG_OK) {
            return rc;
        }
    }

    return TG_OK;
}


/* "bob.tail1.ts.net." is bob: its name is what comes before the tailnet's. */

static tg_str_t
status_name(const tg_hujson_t *peer, tg_str_t suffix, bool *shared)
{
    tg_str_t            name = TG_NULL_STR;
    const tg_hujson_t  *value;

    *shared = false;
    value = tg_hujson_get(peer, "DNSName");

    if (value != NULL && value->type == TG_HUJSON_STRING
        && value->text.len > 0)
    {
        name = value->text;

        if (name.data[name.len - 1] == '.') {
            name.len--;
        }

        if (suffix.len == 0) {
            return name;
        }

        if (name.len > suffix.len + 1
            && name.data[name.len - suffix.len - 1] == '.'
            && memcmp(name.data + name.len - suffix.len, suffix.data,
                      suffix.len) == 0)
        {
            name.len -= suffix.len + 1;
            return name;
        }

        /* a node that another tailnet shares keeps its whole name */
        *shared = true;
        return name;
    }

    value = tg_hujson_get(peer, "HostName");

    return value != NULL && value->type == TG_HUJSON_STRING ? value->text
                                                            : name;
}


static void
read_status_owner(tg_acl_netmap_t *netmap, const tg_hujson_t *peer,
    tg_acl_node_t *node)
{
    uint32_t            owner;
    const tg_hujson_t  *id;

    owner = TGI_NOBODY;

    /* tags of another tailnet are not ours, whatever they are called */
    if (node->shared && node->ntags > 0) {
        node->ntags = 0;

    } else if (node->ntags == 0) {
        id = tg_hujson_get(peer, "UserID");

        if (id != NULL && id->type == TG_HUJSON_NUMBER) {
            owner = tgi_map_get(&netmap->by_user, id->text);
        }

        /* nobody knows whose it is: then it is nobody's, and no member */
        if (owner == TGI_NOBODY) {
            node->shared = true;

        } else {
            node->login = netmap->users[owner].login;
        }
    }

    netmap->owners[netmap->nnodes] = owner;
}


static int
read_status_node(tg_acl_netmap_t *netmap, const tg_hujson_t *peer,
    tg_str_t suffix, bool self)
{
    int                 rc;
    size_t              n;
    tg_acl_node_t      *node;
    const tg_hujson_t  *list, *item, *addrs[8];

    node = &netmap->nodes[netmap->nnodes];
    memset(node, 0, sizeof(tg_acl_node_t));
    node->self = self;
    node->name = status_name(peer, suffix, &node->shared);

    item = tg_hujson_get(peer, "ShareeNode");

    /* somebody who only sees what is shared with him is no node here */
    if (item != NULL && item->type == TG_HUJSON_TRUE) {
        return TG_OK;
    }

    list = tg_hujson_get(peer, "TailscaleIPs");
    item = list != NULL && list->type == TG_HUJSON_ARRAY ? list->child : NULL;

    for (n = 0; item != NULL && n < sizeof(addrs) / sizeof(addrs[0]);
         item = item->next)
    {
        addrs[n++] = item;
    }

    rc = tgi_netmap_addrs(netmap, node, addrs, n);

    if (rc == TG_OK) {
        rc = tgi_netmap_strings(netmap, tg_hujson_get(peer, "Tags"),
                                &node->tags, &node->ntags);
    }

    if (rc == TG_OK) {
        read_status_owner(netmap, peer, node);
        rc = read_routes(netmap, node, tg_hujson_get(peer, "AllowedIPs"));
    }

    node->advertises = node->nroutes > 0;
    netmap->nnodes++;

    return rc;
}


int
tgi_netmap_status(tg_acl_netmap_t *netmap, const tg_hujson_t *root)
{
    int                 rc;
    tg_str_t            suffix = TG_NULL_STR;
    const tg_hujson_t  *users, *peers, *self, *item;

    peers = NULL;
    self = NULL;
    rc = object_of(netmap, root, "User", &users);

    if (rc == TG_OK) {
        rc = object_of(netmap, root, "Peer", &peers);
    }

    if (rc == TG_OK) {
        rc = object_of(netmap, root, "Self", &self);
    }

    if (rc == TG_OK) {
        rc = make_users(netmap, users == NULL ? 0 : users->n);
    }

    if (rc == TG_OK) {
        rc = make_nodes(netmap, peers == NULL ? 1 : (size_t) peers->n + 1);
    }

    item = tg_hujson_get(root, "MagicDNSSuffix");

    if (item != NULL && item->type == TG_HUJSON_STRING) {
        suffix = item->text;
    }

    for (item = users == NULL ? NULL : users->child;
         rc == TG_OK && item != NULL; item = item->next)
    {
        rc = add_user(netmap, item->key, tg_hujson_get(item, "LoginName"),
                      true);
    }

    if (rc == TG_OK && self != NULL) {
        rc = read_status_node(netmap, self, suffix, true);
    }

    for (item = peers == NULL ? NULL : peers->child;
         rc == TG_OK && item != NULL; item = item->next)
    {
        rc = read_status_node(netmap, item, suffix, false);
    }

    return rc;
}
