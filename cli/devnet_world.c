
/*
 * Copyright (C) The Tailgate authors
 *
 * Who is on the tailnet, and who sits at which address.
 */

#include <cli/devnet.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


cli_user_t *
cli_user_new(void)
{
    return calloc(1, sizeof(cli_user_t));
}


void
cli_user_free(cli_user_t *user)
{
    if (user == NULL) {
        return;
    }

    json_decref(user->login);
    json_decref(user->name);
    json_decref(user->picture);
    json_decref(user->groups);

    free(user);
}


cli_node_t *
cli_node_new(void)
{
    cli_node_t  *node;

    node = calloc(1, sizeof(cli_node_t));
    if (node == NULL) {
        return NULL;
    }

    node->tags = json_array();
    node->routes = json_array();
    node->caps = json_object();
    node->service_caps = json_object();

    if (node->tags == NULL || node->routes == NULL || node->caps == NULL
        || node->service_caps == NULL)
    {
        cli_node_free(node);
        return NULL;
    }

    return node;
}


void
cli_node_free(cli_node_t *node)
{
    if (node == NULL) {
        return;
    }

    json_decref(node->name);
    json_decref(node->hostname);
    json_decref(node->tags);
    json_decref(node->routes);
    json_decref(node->os);
    json_decref(node->os_version);
    json_decref(node->caps);
    json_decref(node->service_caps);
    json_decref(node->key_expiry);

    free(node->whois);
    free(node);
}


cli_world_t *
cli_world_new(void)
{
    cli_world_t  *world;

    world = calloc(1, sizeof(cli_world_t));
    if (world == NULL) {
        return NULL;
    }

    world->state = json_string("Running");

    if (world->state == NULL) {
        cli_world_free(&world);
    }

    return world;
}


void
cli_world_free(cli_world_t **worldp)
{
    cli_node_t     *node;
    cli_user_t     *user;
    cli_world_t    *world;
    cli_service_t  *service;

    world = *worldp;
    *worldp = NULL;

    if (world == NULL) {
        return;
    }

    while (world->nodes) {
        node = world->nodes;
        world->nodes = node->next;
        cli_node_free(node);
    }

    while (world->users) {
        user = world->users;
        world->users = user->next;
        cli_user_free(user);
    }

    while (world->services) {
        service = world->services;
        world->services = service->next;
        json_decref(service->name);
        free(service);
    }

    cli_node_free(world->self);

    json_decref(world->tailnet);
    json_decref(world->version);
    json_decref(world->state);
    json_decref(world->health);

    free(world->places);
    free(world);
}


static int
refuse(tg_error_t *error, const char *what, const char *name, const char *why)
{
    error->code = TG_ERR_REFUSED;
    (void) snprintf(error->text, sizeof(error->text), "%s \"%.100s\" %s",
                    what, name, why);

    return TG_ERR_REFUSED;
}


static int
no_memory(tg_error_t *error)
{
    error->code = TG_ERR_NOMEM;
    (void) snprintf(error->text, sizeof(error->text), "out of memory");

    return TG_ERR_NOMEM;
}


/* The key is made of what does not change, so that a test can rely on it. */

static int
make_key(cli_node_t *node)
{
    char           text[64];
    size_t         i;
    unsigned       len;
    unsigned char  digest[EVP_MAX_MD_SIZE];

    (void) snprintf(text, sizeof(text), "devnet node key %jd",
                    (intmax_t) node->id);

    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
    {
        return TG_ERR_CRYPTO;
    }

    for (i = 0; i < 32; i++) {
        (void) snprintf(node->key + 2 * i, 3, "%02x", digest[i]);
    }

    return TG_OK;
}


static bool
has_family(const cli_node_t *node, uint8_t family)
{
    size_t  i;

    for (i = 0; i < node->naddrs; i++) {
        if (node->addrs[i].family == family) {
            return true;
        }
    }

    return false;
}


/* The n-th address of a range that a control server would hand out. */

static tg_addr_t
nth_addr(uint8_t family, int64_t n)
{
    tg_addr_t  addr;

    static const uint8_t  v6[] = { 0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0 };

    memset(&addr, 0, sizeof(tg_addr_t));
    addr.family = family;

    if (family == TG_ADDR_V4) {
        addr.bytes[0] = 100;
        addr.bytes[1] = (uint8_t) (64 + ((n >> 16) & 0x3f));
        addr.bytes[2] = (uint8_t) (n >> 8);
        addr.bytes[3] = (uint8_t) n;

        return addr;
    }

    memcpy(addr.bytes, v6, sizeof(v6));
    addr.bytes[13] = (uint8_t) (n >> 16);
    addr.bytes[14] = (uint8_t) (n >> 8);
    addr.bytes[15] = (uint8_t) n;

    return addr;
}


static size_t
place_of(const cli_world_t *world, const tg_addr_t *addr)
{
    size_t    i;
    uint64_t  h;

    /* FNV-1a; addresses come from a file, not from an adversary */

    h = UINT64_C(14695981039346656037);

    for (i = 0; i < sizeof(addr->bytes); i++) {
        h = (h ^ addr->bytes[i]) * UINT64_C(1099511628211);
    }

    h = (h ^ addr->family) * UINT64_C(1099511628211);
    h ^= h >> 32;

    i = (size_t) h & (world->nplaces - 1);

    while (world->places[i].node
           && !tg_addr_equal(&world->places[i].addr, addr))
    {
        i = (i + 1) & (world->nplaces - 1);
    }

    return i;
}


/* Enters its addresses from the first-th on; a table that is half full is
   made anew when it is needed. */

static void
place(cli_world_t *world, cli_node_t *node, size_t first)
{
    size_t            i, p;
    const tg_addr_t  *addr;

    if (world->places == NULL) {
        return;
    }

    world->nplaced += node->naddrs + node->nloopback;

    if (world->nplaced > world->nplaces / 2) {
        free(world->places);
        world->places = NULL;
        return;
    }

    for (i = first; i < node->naddrs + node->nloopback; i++) {
        addr = i < node->naddrs ? &node->addrs[i]
                                : &node->loopback[i - node->naddrs];

        p = place_of(world, addr);

        world->places[p].addr = *addr;
        world->places[p].node = node;
    }
}


static bool
index_places(cli_world_t *world)
{
    size_t       n;
    cli_node_t  *node;

    n = CLI_NODE_ADDRS * 2;

    for (node = world->nodes; node; node = node->next) {
        n += node->naddrs + node->nloopback;
    }

    for (world->nplaces = 64; world->nplaces < 4 * n; world->nplaces *= 2) {
        /* void */
    }

    world->nplaced = 0;

    world->places = calloc(world->nplaces, sizeof(cli_place_t));
    if (world->places == NULL) {
        return false;
    }

    for (node = world->nodes; node; node = node->next) {
        place(world, node, 0);
    }

    if (world->self) {
        place(world, world->self, 0);
    }

    return true;
}


static int
check_addrs(cli_world_t *world, const cli_node_t *node, tg_error_t *error)
{
    char              text[TG_ADDR_TEXT_MAX];
    size_t            i;
    const tg_addr_t  *addr;

    for (i = 0; i < node->naddrs + node->nloopback; i++) {
        addr = i < node->naddrs ? &node->addrs[i]
                                : &node->loopback[i - node->naddrs];

        if (cli_world_at(world, addr)) {
            (void) tg_addr_format(addr, false, text);
            return refuse(error, "address", text, "is another node's");
        }
    }

    return TG_OK;
}


int
cli_world_add(cli_world_t *world, cli_node_t *node, bool self,
    tg_error_t *error)
{
    int  rc;

    rc = check_addrs(world, node, error);
    if (rc != TG_OK) {
        return rc;
    }

    node->id = world->last_node + 1;

    if (node->hostname == NULL) {
        node->hostname = json_incref(node->name);
    }

    if (make_key(node) != TG_OK) {
        return no_memory(error);
    }

    world->last_node++;
    place(world, node, 0);

    if (self) {
        world->self = node;
        return TG_OK;
    }

    if (world->tail) {
        world->tail->next = node;

    } else {
        world->nodes = node;
    }

    world->tail = node;

    return TG_OK;
}


void
cli_world_fill(cli_world_t *world, cli_node_t *node)
{
    size_t     i, first;
    int64_t    n;
    tg_addr_t  addr;

    static const uint8_t  families[] = { TG_ADDR_V4, TG_ADDR_V6 };

    first = node->naddrs;

    for (i = 0; i < 2; i++) {

        if (has_family(node, families[i]) || node->naddrs == CLI_NODE_ADDRS) {
            continue;
        }

        n = node->id;

        do {
            addr = nth_addr(families[i], n++);
        } while (cli_world_at(world, &addr) && n < node->id + (1 << 20));

        node->addrs[node->naddrs++] = addr;
    }

    place(world, node, first);
}


int
cli_world_add_user(cli_world_t *world, cli_user_t *user, tg_error_t *error)
{
    cli_user_t  **last;

    if (cli_world_user(world, json_string_value(user->login))) {
        return refuse(error, "user", json_string_value(user->login),
                      "is there already");
    }

    user->id = ++world->last_user;

    for (last = &world->users; *last; last = &(*last)->next) { /* void */ }

    *last = user;

    return TG_OK;
}


void
cli_world_remove(cli_world_t *world, cli_node_t *node)
{
    cli_node_t  **last, *before;

    before = NULL;

    for (last = &world->nodes; *last != node; last = &(*last)->next) {
        before = *last;
    }

    *last = node->next;

    if (world->tail == node) {
        world->tail = before;
    }

    cli_world_changed(world, NULL);
    cli_node_free(node);
}


void
cli_world_changed(cli_world_t *world, cli_node_t *node)
{
    cli_node_t  *n;

    if (node) {
        free(node->whois);
        node->whois = NULL;
        return;
    }

    free(world->places);
    world->places = NULL;

    for (n = world->nodes; n; n = n->next) {
        cli_world_changed(world, n);
    }

    if (world->self) {
        cli_world_changed(world, world->self);
    }
}


static bool
is_named(const cli_world_t *world, const cli_node_t *node, const char *name)
{
    size_t       len;
    const char  *own, *tailnet;

    own = json_string_value(node->name);
    tailnet = json_string_value(world->tailnet);
    len = strlen(own);

    if (strncmp(own, name, len) != 0) {
        return false;
    }

    return name[len] == '\0'
           || (name[len] == '.' && tailnet
               && strcmp(name + len + 1, tailnet) == 0);
}


cli_node_t *
cli_world_node(const cli_world_t *world, const char *name)
{
    cli_node_t  *node;

    if (world->self && is_named(world, world->self, name)) {
        return world->self;
    }

    for (node = world->nodes; node; node = node->next) {
        if (is_named(world, node, name)) {
            return node;
        }
    }

    return NULL;
}


cli_user_t *
cli_world_user(const cli_world_t *world, const char *login)
{
    cli_user_t  *user;

    for (user = world->users; user; user = user->next) {
        if (strcmp(json_string_value(user->login), login) == 0) {
            return user;
        }
    }

    return NULL;
}


cli_service_t *
cli_world_service(const cli_world_t *world, const char *name)
{
    cli_service_t  *service;

    for (service = world->services; service; service = service->next) {
        if (strcmp(json_string_value(service->name), name) == 0) {
            return service;
        }
    }

    return NULL;
}


cli_node_t *
cli_world_key(const cli_world_t *world, const char *hex)
{
    cli_node_t  *node;

    if (world->self && strcmp(world->self->key, hex) == 0) {
        return world->self;
    }

    for (node = world->nodes; node; node = node->next) {
        if (strcmp(node->key, hex) == 0) {
            return node;
        }
    }

    return NULL;
}


cli_node_t *
cli_world_at(cli_world_t *world, const tg_addr_t *addr)
{
    if (world->places == NULL && !index_places(world)) {
        return NULL;
    }

    return world->places[place_of(world, addr)].node;
}
