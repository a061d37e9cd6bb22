
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: everyone on the tailnet, as the node tells, or from a file:
 * what tailscale status --json prints, or the tailnet of a devnet.
 */

#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/devnet.h>
#include <cli/policy.h>

#include "core/base/base.h"
#include "core/base/yaml.h"

#include <stdlib.h>
#include <string.h>


#define STATUS_MAX  (64 * 1024 * 1024)


/* What of a status says who is there. */

static json_t *
parse_status(cli_policy_t *self, const char *path, tg_str_t text)
{
    json_t        *root;
    json_error_t   error;

    root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);

    if (root == NULL || !json_is_object(json_object_get(root, "Self"))) {
        cli_error(self->name, "%s: this is no status of a node: %s", path,
                  root == NULL ? error.text : "it has no Self");
        json_decref(root);
        return NULL;
    }

    return root;
}


/* Without the peers, of which there may be more than a status may hold. */

static int
read_self(cli_policy_t *self, const char *path, json_t *root)
{
    int          rc;
    char        *text;
    json_t      *bare;
    tg_error_t   error;

    bare = json_copy(root);
    (void) json_object_del(bare, "Peer");
    (void) json_object_del(bare, "User");

    text = json_dumps(bare, JSON_COMPACT);
    json_decref(bare);

    if (text == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    rc = tg_status_parse(text, strlen(text), &self->alloc, &self->self,
                         &error);
    free(text);

    if (rc != TG_OK) {
        cli_error(self->name, "%s: %s", path, error.text);
        return CLI_USAGE;
    }

    return CLI_OK;
}


static json_t *
ask_status(cli_policy_t *self, int *code)
{
    int            rc;
    json_t        *root;
    cli_answer_t   answer;

    *code = CLI_UNAVAILABLE;

    if (cli_policy_self(self) != CLI_OK) {
        return NULL;
    }

    rc = cli_ask_max(self->socket, "/localapi/v0/status", STATUS_MAX,
                     &self->alloc, &answer);

    if (rc != TG_OK || answer.code != 200) {
        cli_error(self->name, "%s",
                  rc == TG_OK && answer.code == 0
                  ? answer.error
                  : "the node does not tell its status");
        return NULL;
    }

    root = parse_status(self, "the node's status", answer.body);

    if (root != NULL) {
        *code = CLI_OK;
    }

    return root;
}


static const char *
text_of(const json_t *object, const char *key)
{
    const char  *text;

    text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}


static json_t *
prefixes(const json_t *addresses)
{
    size_t       i;
    json_t      *list, *value;
    const char  *text;

    list = json_array();

    json_array_foreach(addresses, i, value) {
        text = json_string_value(value);

        if (text != NULL) {
            (void) json_array_append_new(list,
                json_sprintf("%s/%d", text,
                             strchr(text, ':') != NULL ? 128 : 32));
        }
    }

    return list;
}


static void
copy_value(json_t *to, const char *name, const json_t *from, const char *key)
{
    json_t  *value;

    value = json_object_get(from, key);

    if (value != NULL && !json_is_null(value)) {
        (void) json_object_set(to, name, value);
    }
}


/*
 * A peer of a status as WhoIs would tell of it, as far as a status knows:
 * neither versions nor capabilities.  tailscaled lists no peer that is not
 * authorized.
 */

static json_t *
whois_of(const json_t *root, const json_t *status)
{
    char     id[32];
    json_t  *whois, *node, *info, *profile;

    node = json_object();
    info = json_object();

    copy_value(info, "OS", status, "OS");
    copy_value(info, "ShareeNode", status, "ShareeNode");

    copy_value(node, "StableID", status, "ID");
    copy_value(node, "Name", status, "DNSName");
    copy_value(node, "Sharer", status, "AltSharerUserID");
    copy_value(node, "KeyExpiry", status, "KeyExpiry");
    copy_value(node, "Expired", status, "Expired");
    copy_value(node, "AllowedIPs", status, "AllowedIPs");
    copy_value(node, "Tags", status, "Tags");

    (void) json_object_set_new(node, "Addresses",
        prefixes(json_object_get(status, "TailscaleIPs")));
    (void) json_object_set_new(node, "MachineAuthorized", json_true());
    (void) json_object_set_new(node, "Hostinfo", info);

    (void) snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT,
                    json_integer_value(json_object_get(status, "UserID")));

    profile = json_object_get(json_object_get(root, "User"), id);

    whois = json_object();
    (void) json_object_set_new(whois, "Node", node);

    if (profile != NULL) {
        (void) json_object_set(whois, "UserProfile", profile);
    }

    return whois;
}


/* The strings of the answer are copied to the arena. */

static int
peer_of_json(cli_policy_t *self, json_t *whois, cli_peer_t *peer)
{
    int        code;
    char      *text;
    tg_str_t   body;

    text = whois != NULL ? json_dumps(whois, JSON_COMPACT) : NULL;
    json_decref(whois);

    if (text == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    body = (tg_str_t) { text, strlen(text) };
    code = cli_policy_peer(self, 200, body, peer);
    free(text);

    return code;
}


static int
set_address(cli_policy_t *self, const char *text, cli_peer_t *peer)
{
    if (tgi_str_copy(&peer->address, text, strlen(text), &self->alloc)
        == TG_OK)
    {
        return CLI_OK;
    }

    cli_error(self->name, "out of memory");

    return CLI_USAGE;
}


/* One peer of a status, by the node if it is there. */

static int
take(cli_policy_t *self, const json_t *root, const json_t *status,
    cli_peer_t *peer)
{
    int          code;
    bool         with_port;
    tg_addr_t    addr;
    const char  *text;

    memset(peer, 0, sizeof(cli_peer_t));

    text = json_string_value(json_array_get(json_object_get(status,
                                                            "TailscaleIPs"),
                                            0));
    peer->offline = json_is_false(json_object_get(status, "Online"));

    if (self->peers_path != NULL) {
        code = set_address(self, text != NULL ? text : "", peer);

        return code == CLI_OK ? peer_of_json(self, whois_of(root, status),
                                             peer)
                              : code;
    }

    if (text == NULL || tg_addr_parse(&addr, text, strlen(text)) != TG_OK) {
        peer->peer.status = TG_STATUS_UNAVAILABLE;
        peer->why = "the node's status gives it no address";
        return CLI_OK;
    }

    with_port = tg_addr_is_loopback(&addr);
    addr.port = with_port;

    return cli_policy_ask(self, &addr, with_port, peer);
}


/* Funnel's relays and exit nodes of others are no peers of this tailnet. */

static bool
is_somebody(const json_t *status)
{
    return *text_of(status, "ID") != '\0' && *text_of(status, "DNSName");
}


static int
take_all(cli_policy_t *self, json_t *root, cli_peers_t *peers)
{
    int          code;
    size_t       n;
    json_t      *all, *status;
    const char  *key;

    all = json_object_get(root, "Peer");
    n = json_object_size(all) + 1;

    peers->items = tgi_alloc(&self->alloc, n, sizeof(cli_peer_t));

    if (peers->items == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    code = take(self, root, json_object_get(root, "Self"), &peers->items[0]);
    peers->n = 1;

    json_object_foreach(all, key, status) {

        if (code != CLI_OK) {
            break;
        }

        if (is_somebody(status)) {
            code = take(self, root, status, &peers->items[peers->n]);
            peers->n++;
        }
    }

    return code;
}


static int
take_world(cli_policy_t *self, cli_world_t *world, cli_peers_t *peers)
{
    int          code;
    char         text[TG_ADDR_TEXT_MAX];
    size_t       n;
    json_t      *root;
    cli_node_t  *node;

    root = cli_json_status(world, false);
    code = root != NULL ? read_self(self, self->peers_path, root) : CLI_USAGE;
    json_decref(root);

    if (code != CLI_OK) {
        return code;
    }

    for (n = 1, node = world->nodes; node != NULL; node = node->next) {
        n++;
    }

    peers->items = tgi_alloc(&self->alloc, n, sizeof(cli_peer_t));

    if (peers->items == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    memset(peers->items, 0, n * sizeof(cli_peer_t));

    node = world->self;

    while (node != NULL && code == CLI_OK) {
        (void) tg_addr_format(&node->addrs[0], false, text);
        code = set_address(self, text, &peers->items[peers->n]);

        if (code == CLI_OK) {
            code = peer_of_json(self, cli_json_whois(world, node, node->caps),
                                &peers->items[peers->n]);
        }

        peers->items[peers->n++].offline = node->offline;
        node = node == world->self ? world->nodes : node->next;
    }

    return code;
}


static int
take_devnet(cli_policy_t *self, tg_str_t text, cli_peers_t *peers)
{
    int           rc, code;
    tgi_yaml_t   *root;
    tg_error_t    error = { 0 };
    cli_world_t  *world;

    world = cli_world_new();

    if (world == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    rc = tgi_yaml_read(text.data, text.len, &cli_yaml_limits, &self->alloc,
                       &root, &error);

    if (rc == TG_OK) {
        rc = cli_load_world(root, world, &error);
    }

    if (rc == TG_OK) {
        code = take_world(self, world, peers);

    } else {
        cli_error(self->name, "%s:%zu:%zu: %s", self->peers_path, error.line,
                  error.column, error.text);
        code = CLI_USAGE;
    }

    cli_world_free(&world);

    return code;
}


static int
take_file(cli_policy_t *self, cli_peers_t *peers)
{
    int        code;
    size_t     i;
    json_t    *root;
    tg_str_t   text;

    code = cli_policy_read(self, self->peers_path, STATUS_MAX, &text);
    if (code != CLI_OK) {
        return code;
    }

    i = strspn(text.data, " \t\r\n");

    if (text.data[i] != '{') {
        return take_devnet(self, text, peers);
    }

    root = parse_status(self, self->peers_path, text);
    if (root == NULL) {
        return CLI_USAGE;
    }

    peers->partial = true;
    code = read_self(self, self->peers_path, root);

    if (code == CLI_OK) {
        code = take_all(self, root, peers);
    }

    json_decref(root);

    return code;
}


static int
by_name(const void *a, const void *b)
{
    int       rc;
    size_t    n;
    tg_str_t  x, y;

    x = ((const cli_peer_t *) a)->identity.node;
    y = ((const cli_peer_t *) b)->identity.node;
    n = x.len < y.len ? x.len : y.len;
    rc = n == 0 ? 0 : memcmp(x.data, y.data, n);

    return rc != 0 ? rc : (x.len > y.len) - (x.len < y.len);
}


int
cli_policy_peers(cli_policy_t *self, cli_peers_t *peers)
{
    int      code;
    size_t   i;
    json_t  *root;

    memset(peers, 0, sizeof(cli_peers_t));

    if (self->peers_path != NULL) {
        code = take_file(self, peers);

    } else {
        root = ask_status(self, &code);

        if (code == CLI_OK) {
            code = take_all(self, root, peers);
        }

        json_decref(root);
    }

    if (code != CLI_OK) {
        return code;
    }

    if (peers->n > 0) {
        qsort(peers->items, peers->n, sizeof(cli_peer_t), by_name);
    }

    /* they were moved */

    for (i = 0; i < peers->n; i++) {
        if (peers->items[i].peer.identity != NULL) {
            peers->items[i].peer.identity = &peers->items[i].identity;
        }
    }

    return CLI_OK;
}


/* "laptop", "laptop.example.ts.net" with or without a dot, a StableID. */

static bool
is_called(tg_str_t node, tg_str_t node_id, tg_str_t name)
{
    size_t  label;

    if (node.len > 0 && node.data[node.len - 1] == '.') {
        node.len--;
    }

    if (name.len > 0 && name.data[name.len - 1] == '.') {
        name.len--;
    }

    for (label = 0; label < node.len && node.data[label] != '.'; label++) {
        /* void */
    }

    return name.len > 0
           && (tgi_str_equal_nocase(node, name)
               || tgi_str_equal(node_id, name)
               || tgi_str_equal_nocase((tg_str_t) { node.data, label },
                                       name));
}


static bool
is_status_of(const json_t *status, tg_str_t name)
{
    const char  *node, *id;

    node = text_of(status, "DNSName");
    id = text_of(status, "ID");

    return is_called((tg_str_t) { node, strlen(node) },
                     (tg_str_t) { id, strlen(id) }, name);
}


static int
node_of_file(cli_policy_t *self, tg_str_t name, cli_peer_t *peer)
{
    int          code;
    size_t       i;
    cli_peers_t  peers;

    code = cli_policy_peers(self, &peers);
    if (code != CLI_OK) {
        return code;
    }

    for (i = 0; i < peers.n; i++) {
        if (is_called(peers.items[i].identity.node,
                      peers.items[i].identity.node_id, name))
        {
            *peer = peers.items[i];

            if (peer->peer.identity != NULL) {
                peer->peer.identity = &peer->identity;
            }

            return CLI_OK;
        }
    }

    cli_error(self->name, "%s has no node \"%s\"", self->peers_path,
              name.data);

    return CLI_USAGE;
}


int
cli_policy_node(cli_policy_t *self, const char *name, cli_peer_t *peer)
{
    int          code;
    json_t      *root, *status, *found;
    tg_str_t     wanted;
    const char  *key;

    wanted = (tg_str_t) { name, strlen(name) };

    if (self->peers_path != NULL) {
        return node_of_file(self, wanted, peer);
    }

    root = ask_status(self, &code);
    if (root == NULL) {
        return code;
    }

    found = json_object_get(root, "Self");

    if (!is_status_of(found, wanted)) {
        found = NULL;
    }

    json_object_foreach(json_object_get(root, "Peer"), key, status) {
        if (found == NULL && is_status_of(status, wanted)) {
            found = status;
        }
    }

    if (found != NULL) {
        code = take(self, root, found, peer);

    } else {
        cli_error(self->name, "the tailnet has no node \"%s\"", name);
        code = CLI_USAGE;
    }

    json_decref(root);

    return code;
}
