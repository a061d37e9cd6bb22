
/*
 * Copyright (C) The Tailgate authors
 *
 * Whose answers a message of the bus makes out of date.  Whatever is not known
 * to be of no account counts.
 */

#include "core/identity/json.h"

#include "core/base/base.h"

#include <tailgate/bus.h>

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>


#define DIGEST_LEN  16

/* ipn.State: Running. */

#define RUNNING     6


typedef struct {
    int64_t    id;             /* Node.ID; 0: free */
    uint8_t    digest[DIGEST_LEN];
    uint8_t    addrs[TG_BUS_ADDRS_MAX][17];
    uint8_t    naddrs;
} node_t;

struct tg_bus_s {
    size_t     room;
    size_t     n;
    uint8_t    self[DIGEST_LEN];
    bool       has_self;
    node_t     nodes[];        /* by id: open addressing */
};

/* One message that is being read. */

typedef struct {
    tg_bus_t         *bus;
    tgi_reader_t      reader;
    tg_bus_change_t  *change;
    tg_addr_t        *addrs;   /* change->addrs */
    size_t            room;
} message_t;


static void read_message(message_t *m, json_t *root);
static void read_state(message_t *m, json_t *root);
static void read_self(message_t *m, json_t *root);
static void read_peers(message_t *m, json_t *root);
static void read_peer(message_t *m, json_t *peer);
static void read_patches(message_t *m, json_t *root);
static void read_removed(message_t *m, json_t *root);
static bool is_of_account(json_t *patch);
static void read_addrs(message_t *m, json_t *peer, node_t *node);
static void gone(message_t *m, int64_t id);
static void evict(message_t *m, const node_t *node);
static bool digest_of(message_t *m, json_t *node, uint8_t digest[DIGEST_LEN]);
static node_t *find(tg_bus_t *bus, int64_t id);
static node_t *find_known(tg_bus_t *bus, int64_t id);
static void remember(tg_bus_t *bus, const node_t *node);
static void forget(tg_bus_t *bus, node_t *node);


/*
 * What changes about a node all the time, and is in no answer: tailcfg.Node,
 * tailcfg.PeerChange, and NetInfo in Hostinfo.
 */

static const char  *const of_no_account[] = {
    "Online", "LastSeen", "Endpoints", "DERP", "HomeDERP", "DERPRegion",
    "DiscoKey", "LegacyDERPString", "NodeID"
};


tg_bus_t *
tg_bus_init(void *memory, size_t size)
{
    tg_bus_t  *bus;

    if (size < sizeof(tg_bus_t) + 2 * sizeof(node_t)) {
        return NULL;
    }

    bus = memory;
    bus->room = (size - sizeof(tg_bus_t)) / sizeof(node_t);

    tg_bus_forget(bus);

    return bus;
}


void
tg_bus_forget(tg_bus_t *bus)
{
    bus->n = 0;
    bus->has_self = false;
    memset(bus->nodes, 0, bus->room * sizeof(node_t));
}


int
tg_bus_read(tg_bus_t *bus, const char *json, size_t len,
    const tg_alloc_t *alloc, tg_bus_change_t *change, tg_error_t *error)
{
    json_t     *root;
    message_t   m = { 0 };

    memset(change, 0, sizeof(tg_bus_change_t));

    m.bus = bus;
    m.change = change;
    m.reader.alloc = alloc;
    m.reader.error = error;

    if (len > TG_BUS_MESSAGE_MAX) {
        tgi_json_fail(&m.reader, TG_ERR_LIMIT, "longer than %d bytes",
                      TG_BUS_MESSAGE_MAX);
        change->all = true;
        tg_bus_forget(bus);
        return m.reader.rc;
    }

    root = tgi_json_load(&m.reader, json, len);

    if (root != NULL) {
        read_message(&m, root);
        json_decref(root);
    }

    if (m.reader.rc != TG_OK) {
        change->all = true;
        change->has_state = false;
    }

    /* nobody may be remembered as they were before a message was lost */

    if (m.reader.rc != TG_OK) {
        tg_bus_forget(bus);
    }

    change->addrs = m.addrs;

    return m.reader.rc;
}


static void
read_message(message_t *m, json_t *root)
{
    read_state(m, root);
    read_self(m, root);
    read_peers(m, root);
    read_patches(m, root);
    read_removed(m, root);

    /* names and groups of people, on any of their nodes */

    if (json_object_size(json_object_get(root, "UserProfiles")) > 0
        || json_array_size(json_object_get(root, "UserProfiles")) > 0
        || json_is_object(json_object_get(root, "NetMap")))
    {
        m->change->all = true;
    }
}


static void
read_state(message_t *m, json_t *root)
{
    json_t  *state;

    state = json_object_get(root, "State");

    if (state == NULL || json_is_null(state)) {
        return;
    }

    m->change->has_state = true;
    m->change->running = tgi_json_int(&m->reader, root, "State") == RUNNING;

    if (!m->change->running) {
        m->change->all = true;
    }
}


/* A whole list may be the only sign of a removal; it comes with SelfChange. */

static void
read_self(message_t *m, json_t *root)
{
    json_t   *self;
    uint8_t   digest[DIGEST_LEN];

    self = tgi_json_object(&m->reader, root, "SelfChange");

    if (self == NULL || !digest_of(m, self, digest)) {
        return;
    }

    if (!m->bus->has_self || memcmp(digest, m->bus->self, DIGEST_LEN) != 0
        || json_array_size(json_object_get(root, "PeersChanged")) > 0)
    {
        m->change->all = true;
    }

    memcpy(m->bus->self, digest, DIGEST_LEN);
    m->bus->has_self = true;
}


static void
read_peers(message_t *m, json_t *root)
{
    size_t   i;
    json_t  *list;

    list = tgi_json_array(&m->reader, root, "PeersChanged");

    for (i = 0; i < json_array_size(list) && m->reader.rc == TG_OK; i++) {
        read_peer(m, json_array_get(list, i));
    }
}


static void
read_peer(message_t *m, json_t *peer)
{
    node_t   new = { 0 };
    node_t  *known;

    if (!json_is_object(peer)) {
        tgi_json_fail(&m->reader, TG_ERR_TYPE, "PeersChanged: not an object");
        return;
    }

    new.id = tgi_json_int(&m->reader, peer, "ID");

    if (!digest_of(m, peer, new.digest)) {
        return;
    }

    read_addrs(m, peer, &new);

    if (m->reader.rc != TG_OK) {
        return;
    }

    known = find_known(m->bus, new.id);

    if (known != NULL) {

        if (memcmp(known->digest, new.digest, DIGEST_LEN) == 0) {
            return;
        }

        evict(m, known);
        evict(m, &new);
        forget(m->bus, known);

    } else {

        /* who knows which addresses it had before */
        m->change->all = true;
    }

    /* one with more addresses than fit is named by everything */

    if (json_array_size(json_object_get(peer, "Addresses"))
        <= TG_BUS_ADDRS_MAX)
    {
        remember(m->bus, &new);
    }
}


static void
read_patches(message_t *m, json_t *root)
{
    size_t   i;
    json_t  *list, *patch;

    list = tgi_json_array(&m->reader, root, "PeerChangedPatch");

    for (i = 0; i < json_array_size(list) && m->reader.rc == TG_OK; i++) {
        patch = json_array_get(list, i);

        if (!json_is_object(patch)) {
            tgi_json_fail(&m->reader, TG_ERR_TYPE,
                          "PeerChangedPatch: not an object");
            return;
        }

        if (!is_of_account(patch)) {
            continue;
        }

        gone(m, tgi_json_int(&m->reader, patch, "NodeID"));
    }
}


static bool
is_of_account(json_t *patch)
{
    size_t       i;
    json_t      *value;
    const char  *key;

    json_object_foreach(patch, key, value) {

        for (i = 0; i < sizeof(of_no_account) / sizeof(char *); i++) {
            if (strcmp(key, of_no_account[i]) == 0) {
                break;
            }
        }

        if (i == sizeof(of_no_account) / sizeof(char *)
            && !json_is_null(value))
        {
            return true;
        }
    }

    return false;
}


static void
read_removed(message_t *m, json_t *root)
{
    size_t    i;
    int64_t   id;
    json_t   *list, *number;

    list = tgi_json_array(&m->reader, root, "PeersRemoved");

    for (i = 0; i < json_array_size(list); i++) {
        number = json_array_get(list, i);
        id = json_is_integer(number) ? (int64_t) json_integer_value(number)
                                     : 0;
        gone(m, id);
    }
}


/* What was known of a node is so no more; nobody knows what an unknown had. */

static void
gone(message_t *m, int64_t id)
{
    node_t  *node;

    node = find_known(m->bus, id);

    if (node == NULL) {
        m->change->all = true;
        return;
    }

    evict(m, node);
    forget(m->bus, node);
}


/* Node.Addresses: "100.64.0.4/32" */

static void
read_addrs(message_t *m, json_t *peer, node_t *node)
{
    size_t      i, n;
    json_t     *list;
    tg_cidr_t   cidr;
    tg_str_t    text;

    list = tgi_json_array(&m->reader, peer, "Addresses");
    n = json_array_size(list);

    if (n > TG_BUS_ADDRS_MAX) {
        m->change->all = true;
        n = TG_BUS_ADDRS_MAX;
    }

    for (i = 0; i < n && m->reader.rc == TG_OK; i++) {
        text = tgi_json_item(&m->reader, list, i, "Addresses");

        if (m->reader.rc == TG_OK
            && tg_cidr_parse(&cidr, text.data, text.len) != TG_OK)
        {
            tgi_json_fail(&m->reader, TG_ERR_SYNTAX, "Addresses: no address");
            return;
        }

        node->addrs[i][0] = cidr.addr.family;
        memcpy(&node->addrs[i][1], cidr.addr.bytes, 16);
        node->naddrs++;
    }
}


static void
evict(message_t *m, const node_t *node)
{
    size_t      i;
    tg_addr_t  *bigger;

    if (m->change->naddrs + node->naddrs > m->room) {
        m->room = 2 * m->room + TG_BUS_ADDRS_MAX;
        bigger = tgi_alloc(m->reader.alloc, m->room, sizeof(tg_addr_t));

        if (bigger == NULL) {
            tgi_json_fail(&m->reader, TG_ERR_NOMEM, "out of memory");
            m->room = m->change->naddrs;
            return;
        }

        if (m->change->naddrs > 0) {
            memcpy(bigger, m->addrs, m->change->naddrs * sizeof(tg_addr_t));
        }

        m->addrs = bigger;
    }

    for (i = 0; i < node->naddrs; i++) {
        bigger = &m->addrs[m->change->naddrs++];

        memset(bigger, 0, sizeof(tg_addr_t));
        bigger->family = node->addrs[i][0];
        memcpy(bigger->bytes, &node->addrs[i][1], 16);
    }
}


/* Of a node without what is of no account, whatever the order of its fields. */

static bool
digest_of(message_t *m, json_t *node, uint8_t digest[DIGEST_LEN])
{
    bool      ok;
    char     *text;
    size_t    i;
    uint8_t   sha[EVP_MAX_MD_SIZE];

    for (i = 0; i < sizeof(of_no_account) / sizeof(char *); i++) {
        (void) json_object_del(node, of_no_account[i]);
    }

    (void) json_object_del(json_object_get(node, "Hostinfo"), "NetInfo");

    text = json_dumps(node, JSON_COMPACT | JSON_SORT_KEYS);

    ok = text != NULL
         && EVP_Digest(text, strlen(text), sha, NULL, EVP_sha256(), NULL) == 1;

    if (ok) {
        memcpy(digest, sha, DIGEST_LEN);

    } else {
        tgi_json_fail(&m->reader, TG_ERR_NOMEM, "out of memory");
    }

    free(text);

    return ok;
}


/* The node, or where it would be; NULL: it is not there, and cannot be. */

static node_t *
find(tg_bus_t *bus, int64_t id)
{
    size_t    i, n;
    node_t   *node;

    i = (size_t) ((uint64_t) id * UINT64_C(0x9e3779b97f4a7c15) >> 16)
        % bus->room;

    for (n = 0; n < bus->room; n++) {
        node = &bus->nodes[(i + n) % bus->room];

        if (node->id == id || node->id == 0) {
            return node;
        }
    }

    return NULL;
}


/* The node, if it is remembered; nobody is called 0. */

static node_t *
find_known(tg_bus_t *bus, int64_t id)
{
    node_t  *node;

    node = id != 0 ? find(bus, id) : NULL;

    return node != NULL && node->id == id ? node : NULL;
}


/* One slot in eight stays free, so that looking for nobody ends soon. */

static void
remember(tg_bus_t *bus, const node_t *node)
{
    node_t  *place;

    if (node->id == 0 || bus->n + 1 > bus->room - (bus->room + 7) / 8) {
        return;
    }

    place = find(bus, node->id);

    if (place != NULL) {
        *place = *node;
        bus->n++;
    }
}


/* Moves those behind it that it stood in the way of. */

static void
forget(tg_bus_t *bus, node_t *node)
{
    size_t   i, n;
    node_t   moved;

    memset(node, 0, sizeof(node_t));
    bus->n--;

    i = (size_t) (node - bus->nodes);

    for (n = 1; n < bus->room; n++) {
        node = &bus->nodes[(i + n) % bus->room];

        if (node->id == 0) {
            return;
        }

        moved = *node;
        memset(node, 0, sizeof(node_t));
        *find(bus, moved.id) = moved;
    }
}
