
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of keys, and what reads, prints and compares by it.  What a value
 * may be is config_value.c's.
 */

#include "authd/config.h"
#include "authd/config_value.h"
#include "core/base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define CONFIG_ARENA_MAX  (8 * 1024 * 1024)
#define CONFIG_SIZE_MAX   (256 * 1024)

#define FIELD(name)  offsetof(authd_config_t, name)


static const tgi_yaml_limits_t  config_limits = {
    .size = CONFIG_SIZE_MAX,
    .nodes = 4096,
    .depth = 4
};


static const authd_config_key_t  config_keys[] = {

    { NULL, "policy", authd_config_set_policy, 0, 0, 0,
      "none", false,
      "Who may pass. \"member\": the members of this tailnet, and what\n"
      "\"peers\" and \"tailnets\" open besides. \"none\": nobody, every\n"
      "request is answered 403." },

    { NULL, "peers", authd_config_set_peers, 0, 0, 0,
      "[member]", false,
      "Which kinds of peer pass: member, tagged (machines), shared (nodes of\n"
      "other tailnets), routed (subnet routers, many machines behind one\n"
      "address). A peer of several kinds needs each of them." },

    { NULL, "tailnets", authd_config_set_tailnets, 0, 0, 0,
      "[]", false,
      "Tailnets that count as ours, by their DNS name\n"
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

    { "listen", "unix", authd_config_set_path, FIELD(unix_path), 0, 0,
      "/run/tailgate/authd.sock", true,
      "Path of the Unix socket, or none. Not made when systemd passes\n"
      "sockets." },

    { "listen", "mode", authd_config_set_mode, 0, 0, 0,
      "\"0660\"", true,
      "Its mode, in quotes." },

    { "listen", "group", authd_config_set_group, 0, 0, 0,
      "none", true,
      "Its group, or none for the daemon's own." },

    { "listen", "tcp", authd_config_set_tcp, 0, 0, 0,
      "none", true,
      "A loopback address and port for proxies that cannot speak to a Unix\n"
      "socket (\"127.0.0.1:8180\"), or none." },

    { "listen", "hosts", authd_config_set_hosts, 0, 0, 0,
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
      "How long requests may run on after SIGTERM." }
};

#define NKEYS  (sizeof(config_keys) / sizeof(config_keys[0]))


static bool config_read(const char *file, char **bytes, size_t *len,
    authd_config_report_pt report, void *data);
static bool config_tree(authd_config_load_t *load, const char *bytes,
    size_t len, tgi_yaml_t **root);
static void config_check_keys(authd_config_load_t *load,
    const tgi_yaml_t *root);
static void config_check_section(authd_config_load_t *load,
    const tgi_yaml_t *node);
static bool config_section(const char *name);
static void config_unknown(authd_config_load_t *load,
    const tgi_yaml_t *node, const char *section);
static size_t config_distance(const char *a, const char *b);
static const tgi_yaml_t *config_find(const tgi_yaml_t *root,
    const authd_config_key_t *key);
static const tgi_yaml_t *config_default(authd_config_load_t *load,
    const authd_config_key_t *key);
static void config_dump_key(FILE *out, const authd_config_key_t *key,
    const tgi_yaml_t *node);
static void config_dump_node(FILE *out, const tgi_yaml_t *node);
static void config_dump_text(FILE *out, const tg_str_t *text, bool plain);


bool
authd_config_load(const char *file, authd_config_t **config,
    authd_config_report_pt report, void *data)
{
    bool     ok;
    char    *bytes;
    size_t   len;

    if (!config_read(file, &bytes, &len, report, data)) {
        return false;
    }

    ok = authd_config_parse(file, bytes, len, config, report, data);

    free(bytes);

    return ok;
}


bool
authd_config_parse(const char *file, const char *bytes, size_t len,
    authd_config_t **config, authd_config_report_pt report, void *data)
{
    size_t                i;
    tgi_yaml_t         *root;
    authd_config_load_t   load;
    const tgi_yaml_t   *node;

    memset(&load, 0, sizeof(load));

    load.file = file;
    load.report = report;
    load.data = data;

    load.conf = calloc(1, sizeof(authd_config_t));
    if (load.conf == NULL) {
        report(file, 0, "out of memory", data);
        return false;
    }

    load.conf->arena = tg_arena_new(CONFIG_ARENA_MAX);
    if (load.conf->arena == NULL) {
        authd_config_fail(&load, 0, "out of memory");
        goto out;
    }

    load.alloc = tg_arena_allocator(load.conf->arena);
    tgn_http_limits(&load.conf->limits);

    if (!config_tree(&load, bytes, len, &root)) {
        goto out;
    }

    config_check_keys(&load, root);

    for (i = 0; i < NKEYS; i++) {
        node = config_find(root, &config_keys[i]);

        load.is_default = (node == NULL);
        if (node == NULL) {
            node = config_default(&load, &config_keys[i]);
        }

        if (node != NULL) {
            config_keys[i].set(&load, &config_keys[i], node);
        }
    }

out:

    if (load.failed) {
        authd_config_free(&load.conf);
        return false;
    }

    *config = load.conf;

    return true;
}


void
authd_config_free(authd_config_t **config)
{
    size_t           i;
    authd_config_t  *conf;

    conf = *config;

    if (conf == NULL) {
        return;
    }

    for (i = 0; i < conf->nsecrets; i++) {
        explicit_bzero((void *) (uintptr_t) conf->secrets[i].value.data,
                       conf->secrets[i].value.len);
    }

    tg_arena_free(&conf->arena);
    free(conf);

    *config = NULL;
}


bool
authd_config_dump(const char *file, FILE *out, authd_config_report_pt report,
    void *data)
{
    char                 *bytes;
    size_t                i, len;
    const char           *section;
    tgi_yaml_t         *root;
    authd_config_t       *conf;
    authd_config_load_t   load;
    const tgi_yaml_t   *node;

    bytes = NULL;
    conf = NULL;

    if (!config_read(file, &bytes, &len, report, data)
        || !authd_config_parse(file, bytes, len, &conf, report, data))
    {
        free(bytes);
        return false;
    }

    memset(&load, 0, sizeof(load));

    load.alloc = tg_arena_allocator(conf->arena);
    load.file = file;
    load.report = report;
    load.data = data;

    section = NULL;

    if (!config_tree(&load, bytes, len, &root)) {
        goto out;
    }

    for (i = 0; i < NKEYS; i++) {
        node = config_find(root, &config_keys[i]);
        if (node == NULL) {
            node = config_default(&load, &config_keys[i]);
        }

        if (node == NULL) {
            goto out;
        }

        if (config_keys[i].section != NULL
            && (section == NULL
                || strcmp(section, config_keys[i].section) != 0))
        {
            fprintf(out, "%s%s:\n", i ? "\n" : "", config_keys[i].section);

        } else if (i != 0) {
            fputc('\n', out);
        }

        section = config_keys[i].section;
        config_dump_key(out, &config_keys[i], node);
    }

out:

    authd_config_free(&conf);
    free(bytes);

    return !load.failed && fflush(out) == 0;
}


const char *
authd_config_fixed(const authd_config_t *a, const authd_config_t *b)
{
    if ((a->unix_path == NULL) != (b->unix_path == NULL)
        || (a->unix_path != NULL && strcmp(a->unix_path, b->unix_path) != 0))
    {
        return "listen.unix";
    }

    if (a->unix_mode != b->unix_mode) {
        return "listen.mode";
    }

    if (a->unix_group != b->unix_group) {
        return "listen.group";
    }

    if (a->has_tcp != b->has_tcp
        || (a->has_tcp && (!tg_addr_equal(&a->tcp_addr, &b->tcp_addr)
                           || a->tcp_addr.port != b->tcp_addr.port)))
    {
        return "listen.tcp";
    }

    return NULL;
}


void
authd_config_fail(authd_config_load_t *load, size_t line, const char *fmt, ...)
{
    char      text[512], *p;
    va_list   args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    for (p = text; *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }

    load->failed = true;
    load->report(load->file, line, text, load->data);
}


static bool
config_read(const char *file, char **bytes, size_t *len,
    authd_config_report_pt report, void *data)
{
    int          fd;
    char        *p, text[128];
    size_t       n;
    ssize_t      rc;
    const char  *what;
    struct stat  st;

    p = NULL;
    n = 0;
    what = "cannot be opened";

    fd = open(file, O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOCTTY);
    if (fd == -1 || fstat(fd, &st) == -1) {
        goto failed;
    }

    what = "is no regular file";
    errno = 0;

    if (!S_ISREG(st.st_mode)) {
        goto failed;
    }

    what = "cannot be read";

    p = malloc(CONFIG_SIZE_MAX + 1);
    if (p == NULL) {
        goto failed;
    }

    /* one byte more than may be, so that the reader sees what is too long */

    do {
        rc = read(fd, p + n, CONFIG_SIZE_MAX + 1 - n);

        if (rc == -1 && errno == EINTR) {
            continue;
        }

        if (rc == -1) {
            goto failed;
        }

        n += (size_t) rc;

    } while (rc != 0 && n <= CONFIG_SIZE_MAX);

    (void) close(fd);

    *bytes = p;
    *len = n;

    return true;

failed:

    (void) snprintf(text, sizeof(text), "%s%s%s", what, errno ? ": " : "",
                    errno ? strerror(errno) : "");
    report(file, 0, text, data);

    free(p);

    if (fd != -1) {
        (void) close(fd);
    }

    return false;
}


static bool
config_tree(authd_config_load_t *load, const char *bytes, size_t len,
    tgi_yaml_t **root)
{
    tg_error_t  error;

    if (tgi_yaml_read(bytes, len, &config_limits, &load->alloc, root, &error)
        != TG_OK)
    {
        authd_config_fail(load, error.line, "%s", error.text);
        return false;
    }

    if ((*root)->kind != TGI_YAML_MAPPING) {
        authd_config_fail(load, (*root)->line,
                          "the file has to be a list of \"key: value\"");
        return false;
    }

    return true;
}


static void
config_check_keys(authd_config_load_t *load, const tgi_yaml_t *root)
{
    size_t               i;
    const tgi_yaml_t  *node;

    for (node = root->first; node != NULL; node = node->next) {

        if (config_section(node->key.data)) {
            config_check_section(load, node);
            continue;
        }

        for (i = 0; i < NKEYS; i++) {
            if (config_keys[i].section == NULL
                && strcmp(config_keys[i].name, node->key.data) == 0)
            {
                break;
            }
        }

        if (i == NKEYS) {
            config_unknown(load, node, NULL);
        }
    }
}


static void
config_check_section(authd_config_load_t *load, const tgi_yaml_t *node)
{
    size_t               i;
    const tgi_yaml_t  *child;

    if (node->kind == TGI_YAML_SCALAR && node->text.len == 0) {
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
            if (config_keys[i].section != NULL
                && strcmp(config_keys[i].section, node->key.data) == 0
                && strcmp(config_keys[i].name, child->key.data) == 0)
            {
                break;
            }
        }

        if (i == NKEYS) {
            config_unknown(load, child, node->key.data);
        }
    }
}


static bool
config_section(const char *name)
{
    size_t  i;

    for (i = 0; i < NKEYS; i++) {
        if (config_keys[i].section != NULL
            && strcmp(config_keys[i].section, name) == 0)
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
        key = &config_keys[i];

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


static const tgi_yaml_t *
config_find(const tgi_yaml_t *root, const authd_config_key_t *key)
{
    const tgi_yaml_t  *node;

    if (key->section != NULL) {
        for (node = root->first; node != NULL; node = node->next) {
            if (strcmp(node->key.data, key->section) == 0) {
                break;
            }
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


static const tgi_yaml_t *
config_default(authd_config_load_t *load, const authd_config_key_t *key)
{
    tg_error_t   error;
    tgi_yaml_t  *root;

    if (tgi_yaml_read(key->value, strlen(key->value), &config_limits,
                      &load->alloc, &root, &error)
        != TG_OK)
    {
        authd_config_fail(load, 0, "default of \"%s\": %s", key->name,
                          error.text);
        return NULL;
    }

    return root;
}


static void
config_dump_key(FILE *out, const authd_config_key_t *key,
    const tgi_yaml_t *node)
{
    const char  *p, *indent;

    indent = key->section ? "  " : "";

    for (p = key->doc; *p != '\0'; p += strcspn(p, "\n"), p += (*p == '\n')) {
        fprintf(out, "%s# %.*s\n", indent, (int) strcspn(p, "\n"), p);
    }

    if (key->fixed) {
        fprintf(out, "%s# A change needs a restart.\n", indent);
    }

    fprintf(out, "%s%s: ", indent, key->name);
    config_dump_node(out, node);
    fputc('\n', out);
}


static void
config_dump_node(FILE *out, const tgi_yaml_t *node)
{
    const tgi_yaml_t  *child;

    if (node->kind == TGI_YAML_SCALAR) {
        config_dump_text(out, &node->text, node->plain);
        return;
    }

    fputs(node->kind == TGI_YAML_SEQUENCE ? "[" : "{", out);

    for (child = node->first; child != NULL; child = child->next) {
        if (node->kind == TGI_YAML_MAPPING) {
            config_dump_text(out, &child->key, false);
            fputs(": ", out);
        }

        config_dump_node(out, child);
        fputs(child->next != NULL ? ", " : "", out);
    }

    fputs(node->kind == TGI_YAML_SEQUENCE ? "]" : "}", out);
}


/* As a double-quoted scalar, unless it is a plain word. */

static void
config_dump_text(FILE *out, const tg_str_t *text, bool plain)
{
    size_t         i;
    unsigned char  c;

    if (plain && text->len != 0
        && strspn(text->data, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-")
           == text->len
        && text->data[0] != '-')
    {
        fputs(text->data, out);
        return;
    }

    fputc('"', out);

    for (i = 0; i < text->len; i++) {
        c = (unsigned char) text->data[i];

        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);

        } else if (c < 0x20 || c == 0x7f) {
            fprintf(out, "\\x%02x", c);

        } else {
            fputc(c, out);
        }
    }

    fputc('"', out);
}
