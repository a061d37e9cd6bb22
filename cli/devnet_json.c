
/*
 * Copyright (C) The Tailgate authors
 *
 * What tailscaled would write.  Which fields there are, in which order, and
 * what is left out, null or empty is taken from the Go types: omitempty and
 * omitzero are different things, and a consumer sees the difference.
 */

#include <cli/devnet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define CREATED      "2026-01-01T00:00:00Z"
#define GO_ZERO_TIME "0001-01-01T00:00:00Z"
#define LONG_AGO     "2026-01-01T00:00:00Z"
#define CAP_VERSION  142


static json_t *
addr_text(const tg_addr_t *addr, bool prefix)
{
    char    text[TG_ADDR_TEXT_MAX + 8];
    size_t  len;

    len = tg_addr_format(addr, false, text);

    if (prefix) {
        (void) snprintf(text + len, sizeof(text) - len, "/%d",
                        addr->family == TG_ADDR_V4 ? 32 : 128);
    }

    return json_string(text);
}


static void
append_addrs(json_t *list, const tg_addr_t *addrs, size_t n, bool prefix)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        (void) json_array_append_new(list, addr_text(&addrs[i], prefix));
    }
}


static json_t *
addr_list(const cli_node_t *node, bool prefix)
{
    json_t  *list;

    list = json_array();
    append_addrs(list, node->addrs, node->naddrs, prefix);

    return list;
}


/* The node itself hosts all Services. */

static json_t *
allowed_ips(const cli_world_t *world, const cli_node_t *node)
{
    json_t               *list;
    const cli_service_t  *service;

    list = addr_list(node, true);

    if (list == NULL) {
        return NULL;
    }

    (void) json_array_extend(list, node->routes);

    if (node != world->self) {
        return list;
    }

    for (service = world->services; service; service = service->next) {
        append_addrs(list, service->addrs, service->naddrs, true);
    }

    return list;
}


static bool
is_tagged(const cli_node_t *node)
{
    return json_array_size(node->tags) != 0;
}


static int64_t
owner_id(const cli_node_t *node)
{
    return is_tagged(node) ? CLI_TAGGED_ID : node->user->id;
}


/* A name with a dot is one of another tailnet, and whole. */

static bool
is_foreign(const cli_node_t *node)
{
    return strchr(json_string_value(node->name), '.') != NULL;
}


static json_t *
fqdn(const cli_world_t *world, const cli_node_t *node)
{
    return is_foreign(node)
           ? json_sprintf("%s.", json_string_value(node->name))
           : json_sprintf("%s.%s.", json_string_value(node->name),
                          json_string_value(world->tailnet));
}


static json_t *
name_with_host(const cli_node_t *node)
{
    const char  *name, *host;

    name = json_string_value(node->name);
    host = json_string_value(node->hostname);

    return strcmp(name, host) == 0
           ? json_incref(node->name)
           : json_sprintf("%s (%s)", name, host);
}


static json_t *
stable_id(const cli_node_t *node)
{
    return json_sprintf("n%05" JSON_INTEGER_FORMAT "DEVNET",
                        (json_int_t) node->id);
}


static json_t *
hex_key(const cli_node_t *node, const char *kind, char first)
{
    char  hex[65];

    /* one key of each kind, told apart by its first digit */

    memcpy(hex, node->key, sizeof(hex));

    if (first) {
        hex[0] = first;
    }

    return json_sprintf("%s:%s", kind, hex);
}


static json_t *
expiry(const cli_node_t *node)
{
    if (node->key_expiry) {
        return json_incref(node->key_expiry);
    }

    return node->expired ? json_string(LONG_AGO) : NULL;
}


/* Sets key unless value is NULL, which is how Go leaves a field out. */

static void
set(json_t *object, const char *key, json_t *value)
{
    if (value) {
        (void) json_object_set_new(object, key, value);
    }
}


static json_t *
text_or(json_t *text, const char *otherwise)
{
    return text ? json_incref(text) : json_string(otherwise);
}


static json_t *
hostinfo(const cli_world_t *world, const cli_node_t *node)
{
    json_t  *info;

    info = json_object();

    set(info, "IPNVersion", json_incref(world->version));
    set(info, "OS", text_or(node->os, "linux"));

    if (node->os_version == NULL || json_string_length(node->os_version)) {
        set(info, "OSVersion", text_or(node->os_version, "6.1.0"));
    }

    set(info, "Container", json_false());
    set(info, "Desktop", json_false());
    set(info, "Hostname", json_incref(node->hostname));
    set(info, "ShareeNode", node->shared ? json_true() : NULL);
    set(info, "Machine", json_string("x86_64"));
    set(info, "GoArch", json_string("amd64"));
    set(info, "GoArchVar", json_string("v1"));
    set(info, "GoVersion", json_string("go1.26.8"));
    set(info, "RoutableIPs", json_array_size(node->routes)
                             ? json_deep_copy(node->routes) : NULL);
    set(info, "Services",
        json_pack("[{s:s, s:i}, {s:s, s:i}, {s:s, s:i}]",
                  "Proto", "peerapi4", "Port", 41641,
                  "Proto", "peerapi6", "Port", 41641,
                  "Proto", "peerapi-dns-proxy", "Port", 1));
    set(info, "NetInfo",
        json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:{s:f}, s:s}",
                  "WorkingIPv6", 0, "OSHasIPv6", 1, "WorkingUDP", 1,
                  "WorkingICMPv4", 0, "UPnP", 0, "PMP", 0, "PCP", 0,
                  "PreferredDERP", 900, "DERPLatency", "900-v4", 0.0005,
                  "FirewallMode", "ipt-default"));
    set(info, "Userspace", json_boolean(node->nloopback));
    set(info, "UserspaceRouter", json_boolean(node->nloopback));
    set(info, "AppConnector", json_false());
    set(info, "StateEncrypted", json_false());

    return info;
}


static int
by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}


/* Go writes maps sorted by key, and what they hold as it came. */

static json_t *
sorted(json_t *object)
{
    size_t       i, n;
    json_t      *json, *value;
    const char  *key, **keys;

    n = json_object_size(object);

    keys = calloc(n + 1, sizeof(keys[0]));
    json = json_object();

    if (keys == NULL || json == NULL) {
        free(keys);
        json_decref(json);
        return NULL;
    }

    i = 0;

    json_object_foreach(object, key, value) {
        keys[i++] = key;
    }

    qsort(keys, n, sizeof(keys[0]), by_key);

    for (i = 0; i < n; i++) {
        (void) json_object_set(json, keys[i], json_object_get(object,
                                                              keys[i]));
    }

    free(keys);

    return json;
}


/* tailcfg.ServiceIPMappings */

static json_t *
hosted_services(const cli_world_t *world)
{
    json_t               *hosted, *ips, *inorder;
    const cli_service_t  *service;

    hosted = json_object();

    for (service = world->services; service; service = service->next) {
        ips = json_array();
        append_addrs(ips, service->addrs, service->naddrs, false);
        set(hosted, json_string_value(service->name), ips);
    }

    inorder = sorted(hosted);
    json_decref(hosted);

    return inorder;
}


/* tailscaled knows capabilities of its own node only. */

static json_t *
own_capabilities(const cli_world_t *world)
{
    json_t  *caps;

    caps = json_pack("{s:[b], s:[], s:[], s:[]}",
                     "default-auto-update", 0,
                     "https://tailscale.com/cap/file-sharing",
                     "https://tailscale.com/cap/is-admin",
                     "https://tailscale.com/cap/ssh");

    if (caps && world->services) {
        set(caps, "service-host", json_pack("[o]", hosted_services(world)));
    }

    return caps;
}


/* The older form of the same, which begins with a warning. */

static json_t *
capability_names(json_t *caps)
{
    json_t      *list, *value;
    const char  *key;

    list = json_pack("[s]", "HTTPS://TAILSCALE.COM/s/DEPRECATED-NODE-CAPS"
                     "#see-https://github.com/tailscale/tailscale/issues/"
                     "11508");

    json_object_foreach(caps, key, value) {
        (void) json_array_append_new(list, json_string(key));
    }

    return list;
}


json_t *
cli_json_node(const cli_world_t *world, const cli_node_t *node)
{
    json_t  *json;

    json = json_object();
    if (json == NULL) {
        return NULL;
    }

    set(json, "ID", json_integer(node->id));
    set(json, "StableID", stable_id(node));
    set(json, "Name", fqdn(world, node));
    set(json, "User", json_integer(owner_id(node)));
    set(json, "Sharer", node->shared ? json_integer(owner_id(node)) : NULL);
    set(json, "Key", hex_key(node, "nodekey", '\0'));
    set(json, "KeyExpiry", expiry(node));
    set(json, "Machine", hex_key(node, "mkey", 'a'));
    set(json, "DiscoKey", hex_key(node, "discokey", 'd'));
    set(json, "Addresses", addr_list(node, true));
    set(json, "AllowedIPs", allowed_ips(world, node));

    /* tailscaled clears both of a peer that expired */

    if (!node->expired) {
        set(json, "Endpoints", json_pack("[s]", "192.0.2.1:41641"));
        set(json, "HomeDERP", json_integer(900));
    }

    set(json, "Hostinfo", hostinfo(world, node));
    set(json, "Created", json_string(CREATED));
    set(json, "Cap", json_integer(CAP_VERSION));
    set(json, "Tags", is_tagged(node) ? json_deep_copy(node->tags) : NULL);
    set(json, "PrimaryRoutes", json_array_size(node->routes)
                               ? json_deep_copy(node->routes) : NULL);
    set(json, "LastSeen", node->offline ? json_string(LONG_AGO) : NULL);
    set(json, "Online", json_boolean(!node->offline));

    /* an expired node is not authorized either (seen with headscale) */

    set(json, "MachineAuthorized",
        node->unauthorized || node->expired ? NULL : json_true());
    set(json, "CapMap", node == world->self ? own_capabilities(world) : NULL);
    set(json, "UnsignedPeerAPIOnly", node->unsigned_ ? json_true() : NULL);
    set(json, "ComputedName", json_incref(node->name));
    set(json, "ComputedNameWithHost", name_with_host(node));
    set(json, "Expired", node->expired ? json_true() : NULL);

    return json;
}


static json_t *
profile(const cli_user_t *user)
{
    json_t  *json;

    json = json_object();

    set(json, "ID", json_integer(user->id));
    set(json, "LoginName", json_incref(user->login));
    set(json, "DisplayName", json_incref(user->name));

    if (user->picture && json_string_length(user->picture)) {
        set(json, "ProfilePicURL", json_incref(user->picture));
    }

    if (user->groups && json_array_size(user->groups)) {
        set(json, "Groups", json_deep_copy(user->groups));
    }

    return json;
}


static json_t *
tagged_profile(void)
{
    return json_pack("{s:I, s:s, s:s}", "ID", (json_int_t) CLI_TAGGED_ID,
                     "LoginName", "tagged-devices",
                     "DisplayName", "Tagged Devices");
}


json_t *
cli_json_whois(const cli_world_t *world, const cli_node_t *node, json_t *caps)
{
    json_t  *json;

    json = json_object();

    set(json, "Node", cli_json_node(world, node));
    set(json, "UserProfile", is_tagged(node) ? tagged_profile()
                                             : profile(node->user));
    set(json, "CapMap", caps && json_object_size(caps) ? sorted(caps)
                                                       : json_null());

    return json;
}


static void
set_user(json_t *users, const cli_user_t *user)
{
    char  id[32];

    (void) snprintf(id, sizeof(id), "%jd", (intmax_t) user->id);
    set(users, id, profile(user));
}


static void
set_tagged(json_t *users)
{
    char  id[32];

    (void) snprintf(id, sizeof(id), "%jd", (intmax_t) CLI_TAGGED_ID);
    set(users, id, tagged_profile());
}


json_t *
cli_json_users(const cli_world_t *world, const cli_user_t *only)
{
    json_t            *users;
    const cli_user_t  *user;

    users = json_object();

    if (only) {
        set_user(users, only);
        return users;
    }

    for (user = world->users; user; user = user->next) {
        set_user(users, user);
    }

    set_tagged(users);

    return users;
}


/* ipnstate.PeerStatus; running is false while there is no netmap. */

static json_t *
peer_status(const cli_world_t *world, const cli_node_t *node)
{
    bool     self;
    json_t  *json, *caps;

    self = node == world->self;
    json = json_object();

    set(json, "ID", stable_id(node));
    set(json, "NodeID", json_integer(node->id));
    set(json, "PublicKey", hex_key(node, "nodekey", '\0'));
    set(json, "HostName", json_incref(node->hostname));
    set(json, "DNSName", fqdn(world, node));
    set(json, "OS", text_or(node->os, "linux"));
    set(json, "UserID", json_integer(owner_id(node)));
    set(json, "AltSharerUserID",
        node->shared ? json_integer(owner_id(node)) : NULL);
    set(json, "TailscaleIPs", addr_list(node, false));
    set(json, "AllowedIPs", allowed_ips(world, node));
    set(json, "Tags", is_tagged(node) ? json_deep_copy(node->tags) : NULL);
    set(json, "PrimaryRoutes", json_array_size(node->routes)
                               ? json_deep_copy(node->routes) : NULL);
    set(json, "Addrs", self ? json_pack("[s]", "192.0.2.1:41641")
                            : json_null());
    set(json, "CurAddr", json_string(""));
    set(json, "Relay", json_string("devnet"));
    set(json, "PeerRelay", json_string(""));
    set(json, "RxBytes", json_integer(0));
    set(json, "TxBytes", json_integer(0));
    set(json, "Created", json_string(CREATED));
    set(json, "LastWrite", json_string(GO_ZERO_TIME));
    set(json, "LastSeen", json_string(node->offline ? LONG_AGO
                                                    : GO_ZERO_TIME));
    set(json, "LastHandshake", json_string(GO_ZERO_TIME));
    set(json, "Online", json_boolean(!node->offline));
    set(json, "ExitNode", json_false());
    set(json, "ExitNodeOption", json_false());
    set(json, "Active", json_false());
    set(json, "PeerAPIURL", json_array());
    set(json, "TaildropTarget", json_integer(0));
    set(json, "NoFileSharingReason", json_string(""));

    if (self) {
        caps = own_capabilities(world);
        set(json, "Capabilities", capability_names(caps));
        set(json, "CapMap", caps);
    }

    set(json, "ShareeNode", node->shared ? json_true() : NULL);
    set(json, "InNetworkMap", json_true());
    set(json, "InMagicSock", json_boolean(!self));
    set(json, "InEngine", json_boolean(!self));
    set(json, "Expired", node->expired ? json_true() : NULL);
    set(json, "KeyExpiry", expiry(node));

    return json;
}


/* Self before there is a netmap. */

static json_t *
bare_self(const cli_world_t *world)
{
    json_t  *json;

    json = peer_status(world, world->self);

    set(json, "ID", json_string(""));
    set(json, "NodeID", json_integer(0));
    set(json, "PublicKey",
        json_string("nodekey:00000000000000000000000000000000"
                    "00000000000000000000000000000000"));
    set(json, "DNSName", json_string(""));
    set(json, "UserID", json_integer(0));
    set(json, "TailscaleIPs", json_null());
    set(json, "Addrs", json_array());
    set(json, "Relay", json_string(""));
    set(json, "Created", json_string(GO_ZERO_TIME));
    set(json, "Online", json_false());
    set(json, "PeerAPIURL", json_null());
    set(json, "InNetworkMap", json_false());

    (void) json_object_del(json, "AllowedIPs");
    (void) json_object_del(json, "Tags");
    (void) json_object_del(json, "Capabilities");
    (void) json_object_del(json, "CapMap");

    return json;
}


static const char *const  states[] = {
    "NoState", "InUseOtherUser", "NeedsLogin", "NeedsMachineAuth", "Stopped",
    "Starting", "Running"
};


int
cli_json_state(const cli_world_t *world)
{
    size_t  i;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(json_string_value(world->state), states[i]) == 0) {
            return (int) i;
        }
    }

    return -1;
}


static json_t *
own_user(const cli_world_t *world)
{
    json_t  *users;

    if (!is_tagged(world->self)) {
        return cli_json_users(world, world->self->user);
    }

    users = json_object();
    set_tagged(users);

    return users;
}


static void
set_peers(json_t *json, const cli_world_t *world)
{
    char               key[80];
    json_t            *peers;
    const cli_node_t  *node;

    peers = json_object();

    for (node = world->nodes; node; node = node->next) {
        (void) snprintf(key, sizeof(key), "nodekey:%s", node->key);
        set(peers, key, peer_status(world, node));
    }

    set(json, "Peer", peers);
    set(json, "User", cli_json_users(world, NULL));
}


json_t *
cli_json_status(const cli_world_t *world, bool peers)
{
    bool     netmap;
    json_t  *json;

    netmap = cli_json_state(world) != 0;
    json = json_object();

    set(json, "Version", json_incref(world->version));
    set(json, "TUN", json_true());
    set(json, "BackendState", json_incref(world->state));
    set(json, "HaveNodeKey", json_true());
    set(json, "AuthURL", json_string(""));
    set(json, "TailscaleIPs", netmap ? addr_list(world->self, false)
                                     : json_null());
    set(json, "Self", netmap ? peer_status(world, world->self)
                             : bare_self(world));
    set(json, "Health", world->health ? json_deep_copy(world->health)
                                      : json_array());
    set(json, "MagicDNSSuffix", netmap ? json_incref(world->tailnet)
                                       : json_string(""));
    set(json, "CurrentTailnet",
        netmap ? json_pack("{s:O, s:O, s:b}", "Name", world->tailnet,
                           "MagicDNSSuffix", world->tailnet,
                           "MagicDNSEnabled", 1)
               : json_null());
    set(json, "CertDomains", json_null());
    set(json, "ExtraRecords", json_null());

    if (peers && netmap) {
        set_peers(json, world);

    } else {
        set(json, "Peer", json_null());
        set(json, "User", netmap ? own_user(world) : json_null());
    }

    set(json, "ClientVersion", json_null());

    return json;
}


/*
 * Go escapes what could end a script element; such characters are only ever
 * inside of strings.  Line by line, jansson's indentation of one blank becomes
 * one of tabs.
 */

static char *
as_go(const char *text, size_t len, bool indent, size_t *outlen)
{
    bool    start;
    char   *out, *p;
    size_t  i;

    out = malloc(6 * len + 1);
    if (out == NULL) {
        return NULL;
    }

    p = out;
    start = indent;

    for (i = 0; i < len; i++) {

        switch (text[i]) {

        case '<':
        case '>':
        case '&':
            p += snprintf(p, 7, "\\u%04x", (unsigned) text[i]);
            break;

        case ' ':
            *p++ = start ? '\t' : ' ';
            continue;

        default:
            *p++ = text[i];
        }

        start = indent && text[i] == '\n';
    }

    *p = '\0';
    *outlen = (size_t) (p - out);

    return out;
}


char *
cli_json_text(const json_t *json, bool indent, size_t *len)
{
    char  *text, *out;

    text = json_dumps(json, (indent ? JSON_INDENT(1) : JSON_COMPACT)
                            |JSON_ENCODE_ANY|JSON_REAL_PRECISION(12));
    if (text == NULL) {
        return NULL;
    }

    out = as_go(text, strlen(text), indent, len);
    free(text);

    return out;
}
