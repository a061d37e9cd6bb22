
/*
 * Copyright (C) The Tailgate authors
 *
 * Values of authd.yaml's "links".
 */

#include "authd/config_value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>


#define PATH_LEN_MAX  4095
#define URL_LEN_MAX   2048
#define NODE_PREFIX   "tailnet:"
#define UNIX_PREFIX   "unix:"


static void listen_unix(authd_config_load_t *load, const tgi_yaml_t *item,
    const char *path);
static bool listen_port(const char *text, uint16_t *port);
static bool listen_tcp(authd_config_load_t *load, const tgi_yaml_t *item,
    tg_addr_t *addr);


void
authd_config_set_links_listen(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    uint16_t            *ports;
    tg_addr_t           *tcp;
    const char          *text;
    const tgi_yaml_t    *item;
    authd_links_conf_t  *links;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    tcp = authd_config_alloc(load, (node->n + 1) * sizeof(tg_addr_t));
    ports = authd_config_alloc(load, (node->n + 1) * sizeof(uint16_t));

    if (tcp == NULL || ports == NULL) {
        return;
    }

    links = &load->conf->links;

    links->tcp = tcp;
    links->ports = ports;

    for (item = node->first; item != NULL; item = item->next) {
        text = item->text.data;

        if (strncmp(text, UNIX_PREFIX, sizeof(UNIX_PREFIX) - 1) == 0) {
            listen_unix(load, item, text + sizeof(UNIX_PREFIX) - 1);
            continue;
        }

        if (strncmp(text, NODE_PREFIX, sizeof(NODE_PREFIX) - 1) == 0) {

            if (listen_port(text + sizeof(NODE_PREFIX) - 1,
                            &ports[links->nports]))
            {
                links->nports++;
                continue;
            }

            authd_config_fail(load, item->line, "\"%s\" has no port, such as"
                              " tailnet:80", text);
            continue;
        }

        if (listen_tcp(load, item, &tcp[links->ntcp])) {
            links->ntcp++;
        }
    }
}


void
authd_config_set_links_store(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    if (strncmp(text, "postgresql://", 13) != 0
        && strncmp(text, "postgres://", 11) != 0
        && (text[0] != '/' || strlen(text) > PATH_LEN_MAX))
    {
        authd_config_fail(load, node->line, "\"%s\" is neither the absolute"
                          " path of a SQLite database nor postgresql://...",
                          text);
        return;
    }

    load->conf->links.store = text;
}


void
authd_config_set_links_fallback(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t       i, len;
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    len = strlen(text);

    for (i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] == 0x7f) {
            len = 0;
        }
    }

    if (len == 0 || len > URL_LEN_MAX
        || (strncasecmp(text, "http://", 7) != 0
            && strncasecmp(text, "https://", 8) != 0))
    {
        authd_config_fail(load, node->line, "\"%s\" is no URL to send unknown"
                          " names to, such as http://oldgo/", text);
        return;
    }

    load->conf->links.fallback = (tg_str_t) { text, len };
}


void
authd_config_set_links_admins(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t             n;
    tg_str_t          *words;
    const tgi_yaml_t  *item;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    words = authd_config_alloc(load, (node->n + 1) * sizeof(tg_str_t));

    if (words == NULL) {
        return;
    }

    n = 0;

    for (item = node->first; item != NULL; item = item->next) {
        words[n++] = item->text;
    }

    load->conf->links.admins = (authd_words_t) { words, n };
}


void
authd_config_set_links_flag(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    bool        *field;
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    field = (bool *) (void *) ((char *) load->conf + key->offset);

    if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0) {
        *field = true;

    } else if (strcmp(text, "no") != 0 && strcmp(text, "false") != 0) {
        authd_config_fail(load, node->line, "\"%s\" cannot be \"%s\": write"
                          " yes or no", key->name, text);
    }
}


static void
listen_unix(authd_config_load_t *load, const tgi_yaml_t *item,
    const char *path)
{
    if (path[0] != '/'
        || strlen(path) >= sizeof(((struct sockaddr_un *) 0)->sun_path))
    {
        authd_config_fail(load, item->line, "\"%s\" is no absolute path of at"
                          " most %zu bytes", path,
                          sizeof(((struct sockaddr_un *) 0)->sun_path) - 1);
        return;
    }

    if (load->conf->links.unix_path != NULL) {
        authd_config_fail(load, item->line, "\"%s\" is a second Unix socket:"
                          " there may be one", path);
        return;
    }

    load->conf->links.unix_path = path;
}


static bool
listen_port(const char *text, uint16_t *port)
{
    size_t    i;
    uint32_t  n;

    n = 0;

    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++) {
        n = n * 10 + (uint32_t) (text[i] - '0');
    }

    if (text[i] != '\0' || n == 0 || n > UINT16_MAX) {
        return false;
    }

    *port = (uint16_t) n;

    return true;
}


static bool
listen_tcp(authd_config_load_t *load, const tgi_yaml_t *item, tg_addr_t *addr)
{
    if (tg_addr_parse(addr, item->text.data, item->text.len) != TG_OK
        || addr->port == 0)
    {
        authd_config_fail(load, item->line, "\"%s\" is none of"
                          " unix:/PATH, tailnet:PORT and a loopback address"
                          " with a port", item->text.data);
        return false;
    }

    if (!tg_addr_is_loopback(addr)) {
        authd_config_fail(load, item->line, "\"%s\" is not a loopback"
                          " address: tailnet:%" PRIu16 " listens on the"
                          " node's own tailnet addresses", item->text.data,
                          addr->port);
        return false;
    }

    return true;
}
