
/*
 * Copyright (C) The Tailgate authors
 *
 * Values of authd.yaml that are lists or tables.
 */

#include "authd/config_value.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define LIST_MAX    256
#define SECRET_MAX  4096
#define HOST_MAX    262            /* 253, colon, port, a few to spare */


static bool is_address(const char *text);
static void sender_user(authd_config_load_t *load, const tgi_yaml_t *node,
    uid_t *uids);
static void sender_group(authd_config_load_t *load, const tgi_yaml_t *node,
    gid_t *gids, uid_t *uids);
static void sender_cidr(authd_config_load_t *load, const tgi_yaml_t *node,
    tg_cidr_t *cidrs);
static void service_add(authd_config_load_t *load, const tgi_yaml_t *name,
    const tgi_yaml_t *addr, tg_service_t *services);
static bool secret_read(authd_config_load_t *load, const tgi_yaml_t *node,
    tg_str_t *value);


void
authd_config_set_hosts(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    char              *text;
    size_t             i, n;
    tg_str_t          *hosts;
    authd_words_t     *words;
    const tgi_yaml_t  *item;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    hosts = authd_config_alloc(load, (node->n + 1) * sizeof(tg_str_t));
    if (hosts == NULL) {
        return;
    }

    n = 0;

    for (item = node->first; item != NULL; item = item->next) {

        if (item->text.len == 0 || item->text.len > HOST_MAX
            || strpbrk(item->text.data, " /@\\#?*") != NULL)
        {
            authd_config_fail(load, item->line,
                              "\"%s\" is no value of Host, such as"
                              " localhost:8180", item->text.data);
            continue;
        }

        text = authd_config_alloc(load, item->text.len + 1);
        if (text == NULL) {
            return;
        }

        for (i = 0; i < item->text.len; i++) {
            text[i] = (char) tolower((unsigned char) item->text.data[i]);
        }

        hosts[n].data = text;
        hosts[n].len = item->text.len;
        n++;
    }

    words = (authd_words_t *) (void *) ((char *) load->conf + key->offset);

    words->items = hosts;
    words->n = n;
}


void
authd_config_set_senders(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    uid_t             *uids;
    gid_t             *gids;
    tg_cidr_t         *cidrs;
    const tgi_yaml_t  *item;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    /* a group brings its members along */

    uids = authd_config_alloc(load, (node->n + 1) * LIST_MAX * sizeof(uid_t));
    gids = authd_config_alloc(load, (node->n + 1) * sizeof(gid_t));
    cidrs = authd_config_alloc(load, (node->n + 1) * sizeof(tg_cidr_t));

    if (uids == NULL || gids == NULL || cidrs == NULL) {
        return;
    }

    load->conf->senders.uids = uids;
    load->conf->senders.gids = gids;
    load->conf->senders.cidrs = cidrs;

    for (item = node->first; item != NULL; item = item->next) {

        if (item->text.data[0] == '@') {
            sender_group(load, item, gids, uids);

        } else if (is_address(item->text.data)) {
            sender_cidr(load, item, cidrs);

        } else {
            sender_user(load, item, uids);
        }
    }
}


void
authd_config_set_peers(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    uint32_t           trait;
    const tgi_yaml_t  *item;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {

        trait = tg_trait_parse(item->text.data, item->text.len);

        if (trait == 0) {
            authd_config_fail(load, item->line,
                              "\"%s\" is no kind of peer: write member,"
                              " tagged, shared or routed", item->text.data);
            continue;
        }

        load->conf->gate.peers |= trait;
    }
}


void
authd_config_set_tailnets(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t             n, len;
    tg_str_t          *names;
    const tgi_yaml_t  *item;

    if (!authd_config_is_list(load, key, node)) {
        return;
    }

    names = authd_config_alloc(load, (node->n + 1) * sizeof(tg_str_t));
    if (names == NULL) {
        return;
    }

    n = 0;

    for (item = node->first; item != NULL; item = item->next) {

        len = item->text.len;

        if (len != 0 && item->text.data[len - 1] == '.') {
            len--;
        }

        if (len == 0 || len > 253
            || strspn(item->text.data, "abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789.-_")
               != item->text.len)
        {
            authd_config_fail(load, item->line,
                              "\"%s\" is no tailnet's DNS name, such as"
                              " tail0123.ts.net", item->text.data);
            continue;
        }

        names[n].data = item->text.data;
        names[n].len = len;
        n++;
    }

    load->conf->gate.tailnets = names;
    load->conf->gate.ntailnets = n;
}


void
authd_config_set_services(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t             n;
    tg_service_t      *services;
    const tgi_yaml_t  *item, *addr;

    if (node->kind != TGI_YAML_MAPPING) {
        authd_config_fail(load, node->line,
                          "\"%s\" has to hold lines of a Service and its"
                          " addresses", key->name);
        return;
    }

    n = 0;

    for (item = node->first; item != NULL; item = item->next) {
        n += item->kind == TGI_YAML_SCALAR ? 1 : item->n;
    }

    services = authd_config_alloc(load, (n + 1) * sizeof(tg_service_t));
    if (services == NULL) {
        return;
    }

    load->conf->services = services;

    for (item = node->first; item != NULL; item = item->next) {

        if (strncmp(item->key.data, "svc:", 4) != 0 || item->key.len > 63
            || item->key.len == 4
            || strspn(item->key.data + 4, "abcdefghijklmnopqrstuvwxyz"
                                          "0123456789-")
               != item->key.len - 4)
        {
            authd_config_fail(load, item->line,
                              "\"%s\" is no Service, such as svc:wiki",
                              item->key.data);
            continue;
        }

        if (item->kind == TGI_YAML_SCALAR) {
            service_add(load, item, item, services);
            continue;
        }

        for (addr = item->first; addr != NULL; addr = addr->next) {
            service_add(load, item, addr, services);
        }
    }
}


void
authd_config_set_secrets(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    authd_secret_t      *secrets;
    const tg_profile_t  *profile;
    const tgi_yaml_t    *item;

    if (node->kind != TGI_YAML_MAPPING) {
        authd_config_fail(load, node->line,
                          "\"%s\" has to hold lines of a profile and a file",
                          key->name);
        return;
    }

    secrets = authd_config_alloc(load, (node->n + 1) * sizeof(authd_secret_t));
    if (secrets == NULL) {
        return;
    }

    load->conf->secrets = secrets;

    for (item = node->first; item != NULL; item = item->next) {

        profile = tg_profile_find(item->key.data, item->key.len);

        if (profile == NULL || profile->secret_header == NULL) {
            authd_config_fail(load, item->line,
                              "the profile \"%s\" %s", item->key.data,
                              profile ? "carries no secret"
                                      : "does not exist");
            continue;
        }

        if (item->kind != TGI_YAML_SCALAR || item->text.data[0] != '/') {
            authd_config_fail(load, item->line,
                              "the secret of \"%s\" has to be in a file with"
                              " an absolute path", item->key.data);
            continue;
        }

        secrets[load->conf->nsecrets].profile = profile;

        if (secret_read(load, item,
                        &secrets[load->conf->nsecrets].value))
        {
            load->conf->nsecrets++;
        }
    }
}


bool
authd_config_is_list(authd_config_load_t *load, const authd_config_key_t *key,
    const tgi_yaml_t *node)
{
    const tgi_yaml_t  *item;

    if (node->kind != TGI_YAML_SEQUENCE || node->n > LIST_MAX) {
        authd_config_fail(load, node->line,
                          "\"%s\" has to be a list of at most %d, such as"
                          " [one, two]", key->name, LIST_MAX);
        return false;
    }

    for (item = node->first; item != NULL; item = item->next) {
        if (item->kind != TGI_YAML_SCALAR || item->text.len == 0) {
            authd_config_fail(load, item->line,
                              "\"%s\" has to be a list of words", key->name);
            return false;
        }
    }

    return true;
}


/* A user name has neither a colon nor a slash, and a uid no dot. */

static bool
is_address(const char *text)
{
    tg_addr_t  addr;

    return strpbrk(text, ":/") != NULL
           || tg_addr_parse(&addr, text, strlen(text)) == TG_OK;
}


static void
sender_user(authd_config_load_t *load, const tgi_yaml_t *node, uid_t *uids)
{
    uid_t  uid;

    if (authd_config_user(node->text.data, &uid)) {
        uids[load->conf->senders.nuids++] = uid;
        return;
    }

    /* the default names an account that not every system has */

    if (!load->is_default) {
        authd_config_fail(load, node->line, "there is no user \"%s\"",
                          node->text.data);
    }
}


/*
 * The kernel tells a peer's effective group alone, so the group's members are
 * taken by their uids.
 */

static void
sender_group(authd_config_load_t *load, const tgi_yaml_t *node, gid_t *gids,
    uid_t *uids)
{
    gid_t   gid;
    uid_t   uid;
    char   *buffer, **members;
    size_t  i;

    if (!authd_config_group(node->text.data + 1, &gid, &members, &buffer)) {
        authd_config_fail(load, node->line, "there is no group \"%s\"",
                          node->text.data + 1);
        return;
    }

    gids[load->conf->senders.ngids++] = gid;

    for (i = 0; members != NULL && members[i] != NULL; i++) {

        if (i == LIST_MAX - 1) {
            authd_config_fail(load, node->line,
                              "the group \"%s\" has more than %d members",
                              node->text.data + 1, LIST_MAX - 1);
            break;
        }

        if (authd_config_user(members[i], &uid)) {
            uids[load->conf->senders.nuids++] = uid;
        }
    }

    free(buffer);
}


static void
sender_cidr(authd_config_load_t *load, const tgi_yaml_t *node,
    tg_cidr_t *cidrs)
{
    int         rc;
    tg_cidr_t  *cidr;

    cidr = &cidrs[load->conf->senders.ncidrs];

    rc = tg_cidr_parse(cidr, node->text.data, node->text.len);

    if (rc == TG_ERR_RANGE) {
        authd_config_fail(load, node->line,
                          "\"%s\" has bits set behind its prefix length",
                          node->text.data);
        return;
    }

    if (rc != TG_OK) {
        authd_config_fail(load, node->line,
                          "\"%s\" is no user, @group, address or network",
                          node->text.data);
        return;
    }

    load->conf->senders.ncidrs++;
}


static void
service_add(authd_config_load_t *load, const tgi_yaml_t *name,
    const tgi_yaml_t *addr, tg_service_t *services)
{
    size_t         i;
    tg_service_t  *service;

    service = &services[load->conf->nservices];

    if (addr->kind != TGI_YAML_SCALAR
        || tg_addr_parse(&service->addr, addr->text.data, addr->text.len)
           != TG_OK
        || service->addr.port != 0)
    {
        authd_config_fail(load, addr->line,
                          "\"%s\" is no address of the Service \"%s\"",
                          addr->text.data ? addr->text.data : "",
                          name->key.data);
        return;
    }

    /* with any other, a forged source on that interface would count */

    if (!tg_addr_is_tailnet(&service->addr)) {
        authd_config_fail(load, addr->line,
                          "\"%s\" is no address of a Service: they are in"
                          " 100.64.0.0/10 and fd7a:115c:a1e0::/48",
                          addr->text.data);
        return;
    }

    for (i = 0; i < load->conf->nservices; i++) {
        if (tg_addr_equal(&services[i].addr, &service->addr)) {
            authd_config_fail(load, addr->line,
                              "\"%s\" is an address of \"%s\" already",
                              addr->text.data, services[i].name.data);
            return;
        }
    }

    service->name = name->key;
    load->conf->nservices++;
}


static bool
secret_read(authd_config_load_t *load, const tgi_yaml_t *node,
    tg_str_t *value)
{
    int      fd;
    bool     ok;
    char     buf[SECRET_MAX + 2], *p;
    size_t   i, len;
    ssize_t  n;
    struct   stat   st;

    ok = false;

    fd = open(node->text.data, O_RDONLY|O_CLOEXEC|O_NONBLOCK|O_NOCTTY);

    if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        authd_config_fail(load, node->line, "\"%s\" cannot be opened: %s",
                          node->text.data,
                          fd == -1 ? strerror(errno) : "no regular file");
        goto out;
    }

    if (st.st_mode & (S_IWGRP|S_IROTH|S_IWOTH)) {
        authd_config_fail(load, node->line,
                          "\"%s\" is open to others: chmod 0640 it",
                          node->text.data);
        goto out;
    }

    n = read(fd, buf, SECRET_MAX + 2);
    len = n > 0 ? (size_t) n : 0;

    if (len != 0 && buf[len - 1] == '\n') {
        len--;
    }

    if (len == 0 || len > SECRET_MAX) {
        authd_config_fail(load, node->line,
                          "\"%s\" has to hold one line of 1 to %d bytes",
                          node->text.data, SECRET_MAX);
        goto out;
    }

    for (i = 0; i < len; i++) {
        if (buf[i] < 0x21 || buf[i] == 0x7f) {
            authd_config_fail(load, node->line,
                              "\"%s\" holds a blank, a control character or a"
                              " byte that is not ASCII", node->text.data);
            goto out;
        }
    }

    p = authd_config_alloc(load, len);
    if (p == NULL) {
        goto out;
    }

    memcpy(p, buf, len);

    value->data = p;
    value->len = len;
    ok = true;

out:

    explicit_bzero(buf, sizeof(buf));

    if (fd != -1) {
        (void) close(fd);
    }

    return ok;
}
