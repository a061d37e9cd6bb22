
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of keys: each with its kind, default and meaning.  What a value may
 * be is config_value.c's and config_list.c's.
 */

#include "authd/config_value.h"

#include <tailgate/table.h>

#include <string.h>


#define FIELD(name)  offsetof(authd_config_t, name)


const authd_config_key_t  authd_config_keys[] = {

    { NULL, "policy", authd_config_set_policy, 0, 0, 0,
      "none", false,
      "Who may pass. \"member\": the members of this tailnet, and what\n"
      "\"peers\" and \"tailnets\" open besides. A path, such as\n"
      "/etc/tailgate/policy.yaml: whom the rules of that file allow.\n"
      "\"none\": nobody, every request is answered 403." },

    { NULL, "peers", authd_config_set_peers, 0, 0, 0,
      "[member]", false,
      "Which kinds of peer pass with \"policy: member\": member, tagged\n"
      "(machines), shared (nodes of other tailnets), routed (subnet routers,\n"
      "many machines behind one address). A peer of several kinds needs each\n"
      "of them." },

    { NULL, "tailnets", authd_config_set_tailnets, 0, 0, 0,
      "[]", false,
      "Tailnets that count as ours with \"policy: member\", by their DNS name\n"
      "(\"tail0123.ts.net\"). Empty: the node's own." },

    { NULL, "services", authd_config_set_services, 0, 0, 0,
      "{}", false,
      "Tailscale Services that this node hosts, with their addresses:\n"
      "{ svc:wiki: [100.100.1.1, \"fd7a:115c:a1e0::1\"] }. Used where the\n"
      "proxy sends Tailgate-Local-Addr." },

    { NULL, "secrets", authd_config_set_secrets, 0, 0, 0,
      "{}", false,
      "For header profiles that carry a static secret: a file for each, which\n"
      "nobody but its owner and group may read:\n"
      "{ pgadmin: /etc/tailgate/s }." },

    { NULL, "localapi", authd_config_set_localapi, 0, 0, 0,
      "/var/run/tailscale/tailscaled.sock", false,
      "The socket of the node's tailscaled." },

    { NULL, "localapi_timeout", authd_config_set_msec,
      FIELD(localapi_timeout), 10, 60 * 1000,
      "2s", false,
      "How long a lookup may take. Past it the answer is 503." },

    { NULL, "localapi_keepalive", authd_config_set_count,
      FIELD(localapi_keepalive), 1, 256,
      "4", false,
      "Idle connections to tailscaled that are kept open." },

    { NULL, "localapi_connections", authd_config_set_count,
      FIELD(localapi_connections), 1, 1024,
      "64", false,
      "Connections to tailscaled at once. Further lookups wait." },

    { "cache", "size", authd_config_set_size, FIELD(cache_size),
      TG_TABLE_SIZE_MIN, 1024 * 1024 * 1024,
      "4m", false,
      "Memory for what tailscaled has answered, about 600 bytes a peer; the\n"
      "longest unused goes first. \"off\": tailscaled is asked for each\n"
      "request. \"cache: off\" says the same." },

    { "cache", "ttl", authd_config_set_msec, FIELD(cache_ttl), 0, 3600 * 1000,
      "30s", false,
      "How long an answer is good. A change of the peer ends it at once, but\n"
      "for one of its capabilities and grants, of which tailscaled tells\n"
      "nothing." },

    { "cache", "negative", authd_config_set_msec, FIELD(cache_negative),
      0, 3600 * 1000,
      "2s", false,
      "How long nobody is asked again about a stranger." },

    { "cache", "stale", authd_config_set_msec, FIELD(cache_stale),
      0, 3600 * 1000,
      "0s", false,
      "How long past its end an answer may serve while tailscaled gives none.\n"
      "0s: such a request is answered 503." },

    { "cache", "misses", authd_config_set_count, FIELD(cache_misses),
      0, 1000000,
      "250", false,
      "Questions to tailscaled a second that one source may make for, twice\n"
      "as many at once; further requests are answered 503. 0: any number.\n"
      "What tailscaled can answer is about 25,000." },

    { "listen", "unix", authd_config_set_path, FIELD(unix_path), 0, 0,
      "/run/tailgate/authd.sock", true,
      "Path of the Unix socket, or none. Not made when systemd passes\n"
      "sockets." },

    { "listen", "mode", authd_config_set_mode, FIELD(unix_mode), 0, 0,
      "\"0660\"", true,
      "Its mode, in quotes." },

    { "listen", "group", authd_config_set_group, FIELD(unix_group), 0, 0,
      "none", true,
      "Its group, or none for the daemon's own." },

    { "listen", "tcp", authd_config_set_tcp, 0, 0, 0,
      "none", true,
      "A loopback address and port for proxies that cannot speak to a Unix\n"
      "socket (\"127.0.0.1:8180\"), or none." },

    { "listen", "hosts", authd_config_set_hosts, FIELD(tcp_hosts), 0, 0,
      "[]", false,
      "The values of Host that the TCP listener answers to. Empty: its\n"
      "address, with its port." },

    { "listen", "senders", authd_config_set_senders, 0, 0, 0,
      "[root, www-data]", false,
      "Proxies that are believed when they name a client: users or uids and\n"
      "@groups on the Unix socket, addresses or networks on TCP. Everybody\n"
      "else gets 403. Whoever is listed here can name anybody." },

    { NULL, "audit", authd_config_set_audit, 0, 0, 0,
      "stderr", false,
      "Where the line per decision goes: stderr, none, or a file that is\n"
      "opened again on SIGHUP." },

    { "log", "level", authd_config_set_log_level, 0, 0, 0,
      "info", false,
      "error, warn, info or debug." },

    { "log", "format", authd_config_set_log_format, 0, 0, 0,
      "text", false,
      "text or json, of log and audit." },

    { "limits", "connections", authd_config_set_count,
      FIELD(limits.connections), 1, 1000000,
      "4096", false,
      "Connections from proxies at once. Further ones wait." },

    { "limits", "requests", authd_config_set_count,
      FIELD(limits.requests), 1, 1000000000,
      "100000", false,
      "Requests of one connection before it is closed." },

    { "limits", "head", authd_config_set_count,
      FIELD(limits.head), 1024, 1024 * 1024,
      "65536", false,
      "Bytes of a request line and its headers. Proxies may pass on the\n"
      "client's own headers." },

    { "limits", "headers", authd_config_set_count,
      FIELD(limits.headers), 8, TGN_HTTP_HEADERS_MAX,
      "100", false,
      "Header lines of a request." },

    { "limits", "head_timeout", authd_config_set_msec,
      FIELD(limits.head_timeout), 100, 600 * 1000,
      "10s", false,
      "From the first byte of a request to the end of its headers." },

    { "limits", "idle_timeout", authd_config_set_msec,
      FIELD(limits.idle_timeout), 100, 24 * 3600 * 1000,
      "75s", false,
      "How long a connection may be idle." },

    { "limits", "drain_timeout", authd_config_set_msec,
      FIELD(limits.drain_timeout), 0, 600 * 1000,
      "10s", false,
      "How long requests may run on after SIGTERM." },

    { "links", "listen", authd_config_set_links_listen, 0, 0, 0,
      "[]", true,
      "Where go links are served. \"unix:/run/tailgate/links.sock\": to a\n"
      "proxy of listen.senders. \"tailnet:80\": on the node's own tailnet\n"
      "addresses. \"127.0.0.1:8181\": on loopback. Empty: they are not." },

    { "links", "mode", authd_config_set_mode, FIELD(links.unix_mode), 0, 0,
      "\"0660\"", true,
      "The mode of its Unix socket, in quotes." },

    { "links", "group", authd_config_set_group, FIELD(links.unix_group), 0, 0,
      "none", true,
      "The group of that socket, or none for the daemon's own." },

    { "links", "hosts", authd_config_set_hosts, FIELD(links.hosts), 0, 0,
      "[go]", false,
      "The values of Host that are answered: short name and full name, with\n"
      "the port unless it is 80 or 443. The first is shown to people." },

    { "links", "https", authd_config_set_hosts, FIELD(links.https), 0, 0,
      "[]", false,
      "Those of them that a proxy in front serves by TLS: plain requests for\n"
      "them are sent there." },

    { "links", "store", authd_config_set_links_store, 0, 0, 0,
      "/var/lib/tailgate/links.db", true,
      "The SQLite database, or postgresql://... of several nodes." },

    { "links", "fallback", authd_config_set_links_fallback, 0, 0, 0,
      "none", false,
      "A URL that unknown names are sent to, such as http://oldgo/, or none." },

    { "links", "readonly", authd_config_set_links_flag, FIELD(links.readonly),
      0, 0,
      "no", false,
      "Whether nothing may be changed." },

    { "links", "strangers", authd_config_set_links_flag,
      FIELD(links.strangers), 0, 0,
      "no", false,
      "Whether who is nobody of the tailnet may follow links, but no more." },

    { "links", "admins", authd_config_set_links_admins, 0, 0, 0,
      "[]", false,
      "Logins and groups (\"group:eng\") that may edit every link, besides\n"
      "those with the capability tailscale.com/cap/golink or\n"
      "tailgate.dev/cap/links and {\"admin\": true}." }
};

#define NKEYS  (sizeof(authd_config_keys) / sizeof(authd_config_keys[0]))

const size_t  authd_config_nkeys = NKEYS;


static void config_check_section(authd_config_load_t *load,
    const tgi_yaml_t *node);
static bool config_is_off(const tgi_yaml_t *node);
static bool config_section(const char *name);
static void config_unknown(authd_config_load_t *load,
    const tgi_yaml_t *node, const char *section);
static size_t config_distance(const char *a, const char *b);


void
authd_config_check(authd_config_load_t *load, const tgi_yaml_t *root)
{
    size_t             i;
    const tgi_yaml_t  *node;

    for (node = root->first; node != NULL; node = node->next) {

        if (config_section(node->key.data)) {
            config_check_section(load, node);
            continue;
        }

        for (i = 0; i < NKEYS; i++) {
            if (authd_config_keys[i].section == NULL
                && strcmp(authd_config_keys[i].name, node->key.data) == 0)
            {
                break;
            }
        }

        if (i == NKEYS) {
            config_unknown(load, node, NULL);
        }
    }
}


const tgi_yaml_t *
authd_config_find(const tgi_yaml_t *root, const authd_config_key_t *key)
{
    const tgi_yaml_t  *node;

    if (key->section != NULL) {
        for (node = root->first; node != NULL; node = node->next) {
            if (strcmp(node->key.data, key->section) == 0) {
                break;
            }
        }

        if (node != NULL && config_is_off(node)
            && strcmp(key->name, "size") == 0)
        {
            return node;
        }

        if (node == NULL || node->kind != TGI_YAML_MAPPING) {
            return NULL;
        }

        root = node;
    }

    for (node = root->first; node != NULL; node = node->next) {
        if (strcmp(node->key.data, key->name) == 0) {
            return node;
        }
    }

    return NULL;
}


static void
config_check_section(authd_config_load_t *load, const tgi_yaml_t *node)
{
    size_t             i;
    const tgi_yaml_t  *child;

    if (node->kind == TGI_YAML_SCALAR
        && (node->text.len == 0 || config_is_off(node)))
    {
        return;
    }

    if (node->kind != TGI_YAML_MAPPING) {
        authd_config_fail(load, node->line,
                          "\"%s\" has to hold \"key: value\" lines",
                          node->key.data);
        return;
    }

    for (child = node->first; child != NULL; child = child->next) {

        for (i = 0; i < NKEYS; i++) {
            if (authd_config_keys[i].section != NULL
                && strcmp(authd_config_keys[i].section, node->key.data) == 0
                && strcmp(authd_config_keys[i].name, child->key.data) == 0)
            {
                break;
            }
        }

        if (i == NKEYS) {
            config_unknown(load, child, node->key.data);
        }
    }
}


/* "cache: off" stands for "cache: { size: off }". */

static bool
config_is_off(const tgi_yaml_t *node)
{
    return node->kind == TGI_YAML_SCALAR && node->key.len == 5
           && memcmp(node->key.data, "cache", 5) == 0
           && node->text.len == 3 && memcmp(node->text.data, "off", 3) == 0;
}


static bool
config_section(const char *name)
{
    size_t  i;

    for (i = 0; i < NKEYS; i++) {
        if (authd_config_keys[i].section != NULL
            && strcmp(authd_config_keys[i].section, name) == 0)
        {
            return true;
        }
    }

    return false;
}


static void
config_unknown(authd_config_load_t *load, const tgi_yaml_t *node,
    const char *section)
{
    size_t                     i, d, best;
    const authd_config_key_t  *key, *near;

    near = NULL;
    best = 4;

    for (i = 0; i < NKEYS; i++) {
        key = &authd_config_keys[i];

        /* the same name elsewhere is the likeliest slip */

        d = config_distance(key->name, node->key.data);

        if (d != 0 && (section == NULL) != (key->section == NULL)) {
            continue;
        }

        if (d < best) {
            best = d;
            near = key;
        }
    }

    if (near == NULL) {
        authd_config_fail(load, node->line,
                          "unknown key \"%s\"%s%s%s: see"
                          " tailgate-authd.yaml(5)", node->key.data,
                          section ? " in \"" : "", section ? section : "",
                          section ? "\"" : "");
        return;
    }

    authd_config_fail(load, node->line,
                      "unknown key \"%s\"%s%s%s; is \"%s%s%s\" meant?",
                      node->key.data, section ? " in \"" : "",
                      section ? section : "", section ? "\"" : "",
                      near->section ? near->section : "",
                      near->section ? ": " : "", near->name);
}


/* Levenshtein's, of short words; 99 for long ones. */

static size_t
config_distance(const char *a, const char *b)
{
    size_t  i, j, la, lb, diagonal, above, row[33];

    la = strlen(a);
    lb = strlen(b);

    if (la > 32 || lb > 32) {
        return 99;
    }

    for (j = 0; j <= lb; j++) {
        row[j] = j;
    }

    for (i = 1; i <= la; i++) {
        diagonal = row[0];
        row[0] = i;

        for (j = 1; j <= lb; j++) {
            above = row[j];
            row[j] = diagonal + (a[i - 1] != b[j - 1]);

            if (above + 1 < row[j]) {
                row[j] = above + 1;
            }

            if (row[j - 1] + 1 < row[j]) {
                row[j] = row[j - 1] + 1;
            }

            diagonal = above;
        }
    }

    return row[lb];
}
