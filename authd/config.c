
/*
 * Copyright (C) The Tailgate authors
 *
 * From a file to a configuration.
 */

#include "authd/config.h"
#include "authd/config_value.h"
#include "core/base/base.h"
#include "core/base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define CONFIG_ARENA_MAX  (8 * 1024 * 1024)


static const tgi_yaml_limits_t  config_limits = {
    .size = AUTHD_CONFIG_MAX,
    .nodes = 4096,
    .depth = 4
};


static const char *config_fixed_links(const authd_links_conf_t *a,
    const authd_links_conf_t *b);


bool
authd_config_load(const char *file, authd_config_t **config,
    authd_config_report_pt report, void *data)
{
    bool             ok;
    char            *bytes;
    size_t           len;
    authd_config_t  *conf;

    if (!authd_config_read(file, AUTHD_CONFIG_MAX, &bytes, &len, report,
                           data))
    {
        return false;
    }

    ok = authd_config_parse(file, bytes, len, &conf, report, data);

    free(bytes);

    if (!ok) {
        return false;
    }

    if (!authd_config_rules(conf, report, data)) {
        authd_config_free(&conf);
        return false;
    }

    *config = conf;

    return true;
}


bool
authd_config_parse(const char *file, const char *bytes, size_t len,
    authd_config_t **config, authd_config_report_pt report, void *data)
{
    size_t               i;
    tgi_yaml_t          *root;
    authd_config_load_t  load;
    const tgi_yaml_t    *node;

    memset(&load, 0, sizeof(load));

    load.file = file;
    load.report = report;
    load.data = data;

    load.conf = calloc(1, sizeof(authd_config_t));
    if (load.conf == NULL) {
        report(&(authd_fault_t) { .file = file, .text = "out of memory" },
               data);
        return false;
    }

    load.conf->arena = tg_arena_new(CONFIG_ARENA_MAX);
    if (load.conf->arena == NULL) {
        authd_config_fail(&load, 0, "out of memory");
        goto out;
    }

    load.alloc = tg_arena_allocator(load.conf->arena);
    tgn_http_limits(&load.conf->limits);

    if (!authd_config_tree(&load, bytes, len, &root)) {
        goto out;
    }

    authd_config_check(&load, root);

    for (i = 0; i < authd_config_nkeys; i++) {
        node = authd_config_find(root, &authd_config_keys[i]);

        load.is_default = (node == NULL);
        if (node == NULL) {
            node = authd_config_default(&load, &authd_config_keys[i]);
        }

        if (node != NULL) {
            authd_config_keys[i].set(&load, &authd_config_keys[i], node);
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

    tg_arena_free(&conf->rules_arena);
    tg_arena_free(&conf->arena);
    free(conf);

    *config = NULL;
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

    return config_fixed_links(&a->links, &b->links);
}


static const char *
config_fixed_links(const authd_links_conf_t *a, const authd_links_conf_t *b)
{
    if ((a->unix_path == NULL) != (b->unix_path == NULL)
        || (a->unix_path != NULL && strcmp(a->unix_path, b->unix_path) != 0)
        || a->ntcp != b->ntcp || a->nports != b->nports
        || memcmp(a->tcp, b->tcp, a->ntcp * sizeof(tg_addr_t)) != 0
        || memcmp(a->ports, b->ports, a->nports * sizeof(uint16_t)) != 0)
    {
        return "links.listen";
    }

    if (a->unix_mode != b->unix_mode) {
        return "links.mode";
    }

    if (a->unix_group != b->unix_group) {
        return "links.group";
    }

    return strcmp(a->store, b->store) != 0 ? "links.store" : NULL;
}


void
authd_config_fail(authd_config_load_t *load, size_t line, const char *fmt, ...)
{
    char     text[512], *p;
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    for (p = text; *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }

    load->failed = true;
    load->report(&(authd_fault_t) { .file = load->file, .line = line,
                                    .text = text },
                 load->data);
}


void
authd_fault_format(const authd_fault_t *fault, char *buf, size_t size)
{
    char      *p;
    size_t     n;
    uint32_t   c;

    if (fault->line == 0) {
        (void) snprintf(buf, size, "%s: %s", fault->file, fault->text);

    } else if (fault->column == 0) {
        (void) snprintf(buf, size, "%s:%zu: %s", fault->file, fault->line,
                        fault->text);

    } else {
        (void) snprintf(buf, size, "%s:%zu:%zu: %s", fault->file, fault->line,
                        fault->column, fault->text);
    }

    /* the cut may have left half a character */

    for (p = buf; *p != '\0'; p += n ? n : 1) {
        n = tgi_utf8_char(p, strlen(p), &c);

        if (n == 0 || tgi_is_control(c)) {
            memset(p, '?', n ? n : 1);
        }
    }
}


bool
authd_config_read(const char *file, size_t max, char **bytes, size_t *len,
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

    p = malloc(max + 1);
    if (p == NULL) {
        goto failed;
    }

    /* one byte more than may be, so that the reader sees what is too long */

    do {
        rc = read(fd, p + n, max + 1 - n);

        if (rc == -1 && errno == EINTR) {
            continue;
        }

        if (rc == -1) {
            goto failed;
        }

        n += (size_t) rc;

    } while (rc != 0 && n <= max);

    (void) close(fd);

    *bytes = p;
    *len = n;

    return true;

failed:

    (void) snprintf(text, sizeof(text), "%s%s%s", what, errno ? ": " : "",
                    errno ? strerror(errno) : "");
    report(&(authd_fault_t) { .file = file, .text = text }, data);

    free(p);

    if (fd != -1) {
        (void) close(fd);
    }

    return false;
}


bool
authd_config_tree(authd_config_load_t *load, const char *bytes, size_t len,
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


const tgi_yaml_t *
authd_config_default(authd_config_load_t *load, const authd_config_key_t *key)
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
