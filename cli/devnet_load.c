
/*
 * Copyright (C) The Tailgate authors
 *
 * What the file says to what the world is.  The keys of each kind of map are
 * one table; a key that is not in it is an error that says where it is.
 */

#include <cli/devnet_value.h>

#include <stdlib.h>
#include <string.h>


static int
load_owner(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    cli_node_t  *node = loading->object;

    (void) offset;

    node->user = value->kind == TGI_YAML_SCALAR
                 ? cli_world_user(loading->world, value->text.data) : NULL;

    if (node->user == NULL) {
        return cli_fault(loading->error, TG_ERR_ABSENT, value,
                         "no user has this login: list it under \"users\"");
    }

    return TG_OK;
}


int
cli_load_capabilities(const tgi_yaml_t *map, json_t **caps, tg_error_t *error)
{
    json_t            *json;
    const tgi_yaml_t  *child;

    if (map->kind != TGI_YAML_MAPPING) {
        return cli_fault(error, TG_ERR_TYPE, map,
                         "capabilities have to be a map of names");
    }

    for (child = map->first; child; child = child->next) {

        if (child->kind != TGI_YAML_SEQUENCE) {
            return cli_fault(error, TG_ERR_TYPE, child,
                             "a capability is a list of what was granted");
        }
    }

    json = cli_yaml_json(map);
    if (json == NULL) {
        return cli_fault_memory(error, map);
    }

    json_decref(*caps);
    *caps = json;

    return TG_OK;
}


static int
load_caps(cli_loading_t *loading, const tgi_yaml_t *value, size_t offset)
{
    return cli_load_capabilities(value, cli_load_member(loading, offset),
                                 loading->error);
}


static int
load_service_caps(cli_loading_t *loading, const tgi_yaml_t *value,
    size_t offset)
{
    int                rc;
    json_t            *caps, **member;
    const tgi_yaml_t  *child;

    if (value->kind != TGI_YAML_MAPPING) {
        return cli_fault(loading->error, TG_ERR_TYPE, value,
                         "\"%.64s\" has to be a map of Services",
                         value->key.data);
    }

    member = cli_load_member(loading, offset);

    for (child = value->first; child; child = child->next) {

        if (cli_world_service(loading->world, child->key.data) == NULL) {
            return cli_fault(loading->error, TG_ERR_ABSENT, child,
                             "no Service has this name: list it under"
                             " \"services\"");
        }

        caps = NULL;

        rc = cli_load_capabilities(child, &caps, loading->error);
        if (rc != TG_OK) {
            return rc;
        }

        if (json_object_set_new(*member, child->key.data, caps) != 0) {
            return cli_fault_memory(loading->error, child);
        }
    }

    return TG_OK;
}


int
cli_load_user(const tgi_yaml_t *map, cli_world_t *world, tg_error_t *error)
{
    int            rc;
    cli_loading_t  loading;
    cli_user_t    *user;

    static const cli_field_t  fields[] = {
        { "login", cli_load_text, offsetof(cli_user_t, login) },
        { "name", cli_load_text, offsetof(cli_user_t, name) },
        { "picture", cli_load_text, offsetof(cli_user_t, picture) },
        { "groups", cli_load_texts, offsetof(cli_user_t, groups) }
    };

    user = cli_user_new();
    if (user == NULL) {
        return cli_fault_memory(error, map);
    }

    loading.world = world;
    loading.object = user;
    loading.error = error;

    rc = cli_load_map(&loading, map, fields, sizeof(fields) / sizeof(fields[0]),
                      "a user");
    if (rc != TG_OK) {
        goto failed;
    }

    if (user->login == NULL) {
        rc = cli_fault(error, TG_ERR_MISSING, map,
                       "this user has no \"login\"");
        goto failed;
    }

    if (user->name == NULL) {
        user->name = json_incref(user->login);
    }

    rc = cli_world_add_user(world, user, error);
    if (rc != TG_OK) {
        error->line = map->line;
        error->column = map->column;
        goto failed;
    }

    return TG_OK;

failed:

    cli_user_free(user);

    return rc;
}


static int
check_node(const cli_node_t *node, const tgi_yaml_t *map, bool self,
    tg_error_t *error)
{
    if (node->name == NULL || json_string_length(node->name) == 0) {
        return cli_fault(error, TG_ERR_MISSING, map,
                         "this node has no \"name\"");
    }

    if (node->user == NULL && json_array_size(node->tags) == 0) {
        return cli_fault(error, TG_ERR_MISSING, map,
                         "this node has neither a \"user\" nor \"tags\"");
    }

    if (self && node->nloopback) {
        return cli_fault(error, TG_ERR_REFUSED, map,
                         "this node itself has no loopback address: give it one"
                         " of a tailnet, or none");
    }

    return TG_OK;
}


int
cli_load_node(const tgi_yaml_t *map, cli_world_t *world, bool self,
    cli_node_t **nodep, tg_error_t *error)
{
    int            rc;
    cli_loading_t  loading;
    cli_node_t    *node;

    static const cli_field_t  fields[] = {
        { "name", cli_load_text, offsetof(cli_node_t, name) },
        { "hostname", cli_load_text, offsetof(cli_node_t, hostname) },
        { "address", cli_load_addr, 0 },
        { "addresses", cli_load_addrs, 0 },
        { "user", load_owner, 0 },
        { "tags", cli_load_texts, offsetof(cli_node_t, tags) },
        { "routes", cli_load_routes, offsetof(cli_node_t, routes) },
        { "os", cli_load_text, offsetof(cli_node_t, os) },
        { "os_version", cli_load_text, offsetof(cli_node_t, os_version) },
        { "capabilities", load_caps, offsetof(cli_node_t, caps) },
        { "service_capabilities", load_service_caps,
          offsetof(cli_node_t, service_caps) },
        { "key_expiry", cli_load_text, offsetof(cli_node_t, key_expiry) },
        { "expired", cli_load_flag, offsetof(cli_node_t, expired) },
        { "authorized", cli_load_not_flag, offsetof(cli_node_t, unauthorized) },
        { "signed", cli_load_not_flag, offsetof(cli_node_t, unsigned_) },
        { "online", cli_load_not_flag, offsetof(cli_node_t, offline) },
        { "shared", cli_load_flag, offsetof(cli_node_t, shared) }
    };

    node = cli_node_new();
    if (node == NULL) {
        return cli_fault_memory(error, map);
    }

    loading.world = world;
    loading.object = node;
    loading.error = error;

    rc = cli_load_map(&loading, map, fields, sizeof(fields) / sizeof(fields[0]),
                      "a node");

    if (rc == TG_OK) {
        rc = check_node(node, map, self, error);
    }

    if (rc != TG_OK) {
        cli_node_free(node);
        return rc;
    }

    rc = cli_world_add(world, node, self, error);

    if (rc != TG_OK) {
        cli_node_free(node);
        error->line = map->line;
        error->column = map->column;
        return rc;
    }

    *nodep = node;

    return TG_OK;
}


static int
load_service(const tgi_yaml_t *map, cli_world_t *world, tg_error_t *error)
{
    int             rc;
    cli_loading_t   loading;
    cli_node_t     *node;
    cli_service_t  *service;

    /* it is named and has addresses as a node, and nothing else */

    static const cli_field_t  fields[] = {
        { "name", cli_load_text, offsetof(cli_node_t, name) },
        { "address", cli_load_addr, 0 },
        { "addresses", cli_load_addrs, 0 }
    };

    node = cli_node_new();
    service = calloc(1, sizeof(cli_service_t));

    if (node == NULL || service == NULL) {
        rc = cli_fault_memory(error, map);
        goto failed;
    }

    loading.world = world;
    loading.object = node;
    loading.error = error;

    rc = cli_load_map(&loading, map, fields, sizeof(fields) / sizeof(fields[0]),
                      "a Service");
    if (rc != TG_OK) {
        goto failed;
    }

    if (node->name == NULL || node->naddrs == 0
        || strncmp(json_string_value(node->name), "svc:", 4) != 0)
    {
        rc = cli_fault(error, TG_ERR_MISSING, map,
                       "a Service has a \"name\" that begins with \"svc:\", and"
                       " \"addresses\"");
        goto failed;
    }

    service->name = json_incref(node->name);
    service->naddrs = node->naddrs;
    memcpy(service->addrs, node->addrs, sizeof(service->addrs));

    service->next = world->services;
    world->services = service;

    cli_node_free(node);

    return TG_OK;

failed:

    cli_node_free(node);
    free(service);

    return rc;
}


static int
by_name(const void *a, const void *b)
{
    int                rc;
    const tgi_yaml_t  *x, *y;

    x = *(const tgi_yaml_t *const *) a;
    y = *(const tgi_yaml_t *const *) b;

    rc = strcmp(x->text.data, y->text.data);

    return rc ? rc : (x->line > y->line) - (x->line < y->line);
}


/* No two nodes have one name. */

static int
check_names(const tgi_yaml_t *list, tg_error_t *error)
{
    int                rc;
    size_t             i, n;
    const tgi_yaml_t  *node, *child, **names;

    n = 0;

    for (node = list->first; node; node = node->next) {
        n++;
    }

    names = calloc(n + 1, sizeof(names[0]));
    if (names == NULL) {
        return cli_fault_memory(error, list);
    }

    n = 0;

    for (node = list->first; node; node = node->next) {
        for (child = node->first; child; child = child->next) {

            if (child->key.data && strcmp(child->key.data, "name") == 0
                && child->kind == TGI_YAML_SCALAR)
            {
                names[n++] = child;
            }
        }
    }

    qsort(names, n, sizeof(names[0]), by_name);

    rc = TG_OK;

    for (i = 1; i < n && rc == TG_OK; i++) {
        if (strcmp(names[i - 1]->text.data, names[i]->text.data) == 0) {
            rc = cli_fault(error, TG_ERR_REFUSED, names[i],
                           "the node of line %zu has this name already",
                           names[i - 1]->line);
        }
    }

    free(names);

    return rc;
}


static const tgi_yaml_t *
find(const tgi_yaml_t *map, const char *key)
{
    const tgi_yaml_t  *child;

    for (child = map->first; child; child = child->next) {
        if (strcmp(child->key.data, key) == 0) {
            return child;
        }
    }

    return NULL;
}


static int
check_root(const tgi_yaml_t *root, tg_error_t *error)
{
    size_t             i;
    const tgi_yaml_t  *child;

    static const char *const  keys[] = {
        "tailnet", "version", "health", "self", "users", "nodes", "services"
    };

    if (root->kind != TGI_YAML_MAPPING) {
        return cli_fault(error, TG_ERR_TYPE, root,
                         "a tailnet's file is a map of keys and values");
    }

    for (child = root->first; child; child = child->next) {

        for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            if (strcmp(keys[i], child->key.data) == 0) {
                break;
            }
        }

        if (i == sizeof(keys) / sizeof(keys[0])) {
            return cli_fault_key(error, child, "a tailnet");
        }

        if (i >= 4 && child->kind != TGI_YAML_SEQUENCE) {
            return cli_fault(error, TG_ERR_TYPE, child,
                             "\"%s\" has to be a list", child->key.data);
        }
    }

    child = find(root, "tailnet");

    if (child == NULL || child->kind != TGI_YAML_SCALAR
        || child->text.len == 0)
    {
        return cli_fault(error, TG_ERR_MISSING, child ? child : root,
                         "\"tailnet\" has to be a name as \"example.ts.net\"");
    }

    return TG_OK;
}


static int
load_names(const tgi_yaml_t *root, cli_world_t *world, tg_error_t *error)
{
    int                rc;
    size_t             i;
    cli_loading_t      loading;
    const tgi_yaml_t  *value;

    static const cli_field_t  fields[] = {
        { "tailnet", cli_load_text, offsetof(cli_world_t, tailnet) },
        { "version", cli_load_text, offsetof(cli_world_t, version) },
        { "health", cli_load_texts, offsetof(cli_world_t, health) }
    };

    loading.world = world;
    loading.object = world;
    loading.error = error;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        value = find(root, fields[i].key);

        if (value) {
            rc = fields[i].load(&loading, value, fields[i].offset);
            if (rc != TG_OK) {
                return rc;
            }
        }
    }

    if (world->version == NULL) {
        world->version = json_string("1.102.5-devnet");
    }

    return world->version ? TG_OK : cli_fault_memory(error, root);
}


/* The node that the LocalAPI belongs to; the file need not speak of it. */

static int
load_self(const tgi_yaml_t *root, cli_world_t *world, tg_error_t *error)
{
    cli_node_t        *node;
    const tgi_yaml_t  *self;

    self = find(root, "self");

    if (self) {
        return cli_load_node(self, world, true, &node, error);
    }

    node = cli_node_new();

    if (node == NULL || (node->name = json_string("devnet")) == NULL
        || json_array_append_new(node->tags, json_string("tag:devnet")) != 0)
    {
        cli_node_free(node);
        return cli_fault_memory(error, root);
    }

    return cli_world_add(world, node, true, error);
}


int
cli_load_world(const tgi_yaml_t *root, cli_world_t *world, tg_error_t *error)
{
    int                rc;
    cli_node_t        *node;
    const tgi_yaml_t  *list, *child;

    rc = check_root(root, error);
    if (rc != TG_OK) {
        return rc;
    }

    rc = load_names(root, world, error);

    list = find(root, "services");

    for (child = list ? list->first : NULL; child && rc == TG_OK;
         child = child->next)
    {
        rc = load_service(child, world, error);
    }

    list = find(root, "users");

    for (child = list ? list->first : NULL; child && rc == TG_OK;
         child = child->next)
    {
        rc = cli_load_user(child, world, error);
    }

    if (rc == TG_OK) {
        rc = load_self(root, world, error);
    }

    list = find(root, "nodes");

    if (list && rc == TG_OK) {
        rc = check_names(list, error);
    }

    for (child = list ? list->first : NULL; child && rc == TG_OK;
         child = child->next)
    {
        rc = cli_load_node(child, world, false, &node, error);
    }

    if (rc != TG_OK) {
        return rc;
    }

    cli_world_fill(world, world->self);

    for (node = world->nodes; node; node = node->next) {
        cli_world_fill(world, node);
    }

    return TG_OK;
}
