
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/config_value.h"
#include "authd/log.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>


#define NAME_BUFFER_MAX  (1024 * 1024)


typedef struct {
    const char  *word;
    int          value;
} word_t;

static const word_t  level_words[] = {
    { "error", AUTHD_LOG_ERROR },
    { "warn", AUTHD_LOG_WARN },
    { "info", AUTHD_LOG_INFO },
    { "debug", AUTHD_LOG_DEBUG },
    { NULL, 0 }
};

static const word_t  format_words[] = {
    { "text", AUTHD_LOG_TEXT },
    { "json", AUTHD_LOG_JSON },
    { NULL, 0 }
};


static bool value_number(const char *text, uint64_t *n, const char **end);
static int value_word(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node,
    const word_t *words, int otherwise);
static const char *value_abs_path(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node,
    const char *path, size_t max);


void
authd_config_set_path(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    const char  *text, **field;

    field = (const char **) (void *) ((char *) load->conf + key->offset);

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    *field = value_abs_path(load, key, node, text,
                        sizeof(((struct sockaddr_un *) 0)->sun_path) - 1);
}


void
authd_config_set_localapi(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    /* the form of the nginx directive is understood as well */

    if (strncmp(text, "unix:", 5) == 0) {
        text += 5;
    }

    load->conf->localapi = value_abs_path(load, key, node, text,
                        sizeof(((struct sockaddr_un *) 0)->sun_path) - 1);
}


void
authd_config_set_audit(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    if (strcmp(text, "stderr") == 0) {
        load->conf->audit = text;
        return;
    }

    load->conf->audit = value_abs_path(load, key, node, text, 4095);
}


void
authd_config_set_mode(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    char        *end;
    uintmax_t    mode;
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    mode = strtoumax(text, &end, 8);

    if (strlen(text) != 4 || text[0] != '0' || *end != '\0' || mode > 0777) {
        authd_config_fail(load, node->line,
                          "\"%s\" is no mode: write four octal digits in"
                          " quotes, such as \"0660\"", text);
        return;
    }

    *(mode_t *) (void *) ((char *) load->conf + key->offset) = (mode_t) mode;
}


void
authd_config_set_group(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    gid_t        gid;
    gid_t       *field;
    char        *buffer, **members;
    const char  *text;

    field = (gid_t *) (void *) ((char *) load->conf + key->offset);
    *field = (gid_t) -1;

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    if (!authd_config_group(text, &gid, &members, &buffer)) {
        authd_config_fail(load, node->line, "there is no group \"%s\"", text);
        return;
    }

    free(buffer);

    *field = gid;
}


void
authd_config_set_tcp(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    tg_addr_t    addr;
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    if (tg_addr_parse(&addr, text, strlen(text)) != TG_OK || addr.port == 0) {
        authd_config_fail(load, node->line,
                          "\"%s\" is no address with a port, such as"
                          " 127.0.0.1:8180", text);
        return;
    }

    if (!tg_addr_is_loopback(&addr)) {
        authd_config_fail(load, node->line,
                          "\"%s\" is not a loopback address: whoever reaches"
                          " this port could ask for anybody's identity", text);
        return;
    }

    load->conf->tcp_addr = addr;
    load->conf->has_tcp = true;
}


void
authd_config_set_msec(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    uint64_t     n, unit, *field;
    const char  *text, *end;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    unit = 0;

    if (value_number(text, &n, &end)) {
        unit = strcmp(end, "ms") == 0 ? 1
             : strcmp(end, "s") == 0 ? 1000
             : strcmp(end, "m") == 0 ? 60 * 1000
             : strcmp(end, "h") == 0 ? 3600 * 1000
             : 0;
    }

    if (unit == 0 || n > UINT32_MAX) {
        authd_config_fail(load, node->line,
                          "\"%s\" is no time: write a number and ms, s, m or"
                          " h, such as 2s", text);
        return;
    }

    n *= unit;

    if (n < key->min || n > key->max) {
        authd_config_fail(load, node->line,
                          "%s has to be from %" PRIu64 "ms to %" PRIu64 "ms",
                          key->name, key->min, key->max);
        return;
    }

    field = (uint64_t *) (void *) ((char *) load->conf + key->offset);
    *field = n;
}


void
authd_config_set_count(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t      *field;
    uint64_t     n;
    const char  *text, *end;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    if (!value_number(text, &n, &end) || *end != '\0'
        || n < key->min || n > key->max)
    {
        authd_config_fail(load, node->line,
                          "%s has to be a number from %" PRIu64 " to %" PRIu64,
                          key->name, key->min, key->max);
        return;
    }

    field = (size_t *) (void *) ((char *) load->conf + key->offset);
    *field = (size_t) n;
}


/* Bytes, with k, m or g; 0 for "off". */

void
authd_config_set_size(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    size_t       *field;
    uint64_t      n, unit;
    const char   *text, *end;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return;
    }

    field = (size_t *) (void *) ((char *) load->conf + key->offset);

    if (strcmp(text, "off") == 0) {
        *field = 0;
        return;
    }

    unit = 0;

    if (value_number(text, &n, &end)) {
        unit = strcasecmp(end, "k") == 0 ? 1024
             : strcasecmp(end, "m") == 0 ? 1024 * 1024
             : strcasecmp(end, "g") == 0 ? 1024 * 1024 * 1024
             : *end == '\0' ? 1
             : 0;
    }

    if (unit == 0 || n > key->max / unit || n * unit < key->min) {
        authd_config_fail(load, node->line,
                          "\"%s\" is no size: write off, or from %" PRIu64
                          " to %" PRIu64 " bytes, such as 4m", text, key->min,
                          key->max);
        return;
    }

    *field = (size_t) (n * unit);
}


void
authd_config_set_policy(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    const char  *text;

    text = authd_config_scalar(load, key, node);

    if (text == NULL || strcmp(text, "none") == 0) {
        return;
    }

    if (strcmp(text, "member") == 0) {
        load->conf->policy = AUTHD_POLICY_MEMBER;
        return;
    }

    if (text[0] != '/') {
        authd_config_fail(load, node->line,
                          "\"%s\" is none of none, member and the absolute"
                          " path of a policy file", text);
        return;
    }

    load->conf->policy = AUTHD_POLICY_FILE;
    load->conf->policy_file = value_abs_path(load, key, node, text, 4095);
}


void
authd_config_set_log_level(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    load->conf->log_level = value_word(load, key, node, level_words,
                                       AUTHD_LOG_INFO);
}


void
authd_config_set_log_format(authd_config_load_t *load,
    const authd_config_key_t *key, const tgi_yaml_t *node)
{
    load->conf->log_format = value_word(load, key, node, format_words,
                                        AUTHD_LOG_TEXT);
}


const char *
authd_config_scalar(authd_config_load_t *load, const authd_config_key_t *key,
    const tgi_yaml_t *node)
{
    if (node->kind != TGI_YAML_SCALAR || node->text.len == 0) {
        authd_config_fail(load, node->line, "\"%s\" has to have one value",
                          key->name);
        return NULL;
    }

    return node->text.data;
}


static bool
value_number(const char *text, uint64_t *n, const char **end)
{
    char      *p;
    uintmax_t  value;

    if (!isdigit((unsigned char) text[0])) {
        return false;
    }

    errno = 0;
    value = strtoumax(text, &p, 10);

    if (errno != 0 || value > UINT64_MAX / 2) {
        return false;
    }

    *n = value;
    *end = p;

    return true;
}


static int
value_word(authd_config_load_t *load, const authd_config_key_t *key,
    const tgi_yaml_t *node, const word_t *words, int otherwise)
{
    char           known[128];
    size_t         len;
    const char    *text;
    const word_t  *w;

    text = authd_config_scalar(load, key, node);

    if (text == NULL) {
        return otherwise;
    }

    len = 0;
    known[0] = '\0';

    for (w = words; w->word != NULL; w++) {
        if (strcmp(w->word, text) == 0) {
            return w->value;
        }

        len += (size_t) snprintf(known + len, sizeof(known) - len, "%s%s",
                                 len ? ", " : "", w->word);
    }

    authd_config_fail(load, node->line, "\"%s\" cannot be \"%s\": write one"
                      " of %s", key->name, text, known);

    return otherwise;
}


void *
authd_config_alloc(authd_config_load_t *load, size_t size)
{
    void  *p;

    p = load->alloc.alloc(load->alloc.ctx, size);
    if (p == NULL) {
        authd_config_fail(load, 0, "out of memory");
    }

    return p;
}


static const char *
value_abs_path(authd_config_load_t *load, const authd_config_key_t *key,
    const tgi_yaml_t *node, const char *path, size_t max)
{
    if (path[0] != '/') {
        authd_config_fail(load, node->line,
                          "\"%s\" has to be an absolute path, not \"%s\"",
                          key->name, path);
        return NULL;
    }

    if (strlen(path) > max) {
        authd_config_fail(load, node->line,
                          "the path of \"%s\" is longer than %zu bytes",
                          key->name, max);
        return NULL;
    }

    return path;
}


bool
authd_config_group(const char *name, gid_t *gid, char ***members, char **buffer)
{
    char        *buf, *p;
    size_t       size;
    uint64_t     n;
    const char  *end;
    struct       group   gr, *found;

    *members = NULL;
    *buffer = NULL;

    if (value_number(name, &n, &end) && *end == '\0' && n < UINT32_MAX) {
        *gid = (gid_t) n;
        return true;
    }

    buf = NULL;

    for (size = 4096; size <= NAME_BUFFER_MAX; size *= 2) {

        p = realloc(buf, size);
        if (p == NULL) {
            break;
        }

        buf = p;

        if (getgrnam_r(name, &gr, buf, size, &found) == ERANGE) {
            continue;
        }

        if (found == NULL) {
            break;
        }

        *gid = gr.gr_gid;
        *members = gr.gr_mem;
        *buffer = buf;

        return true;
    }

    free(buf);

    return false;
}


bool
authd_config_user(const char *name, uid_t *uid)
{
    char        *buf, *p;
    bool         ok;
    size_t       size;
    uint64_t     n;
    const char  *end;
    struct       passwd   pw, *found;

    if (value_number(name, &n, &end) && *end == '\0' && n < UINT32_MAX) {
        *uid = (uid_t) n;
        return true;
    }

    ok = false;
    buf = NULL;

    for (size = 4096; size <= NAME_BUFFER_MAX; size *= 2) {

        p = realloc(buf, size);
        if (p == NULL) {
            break;
        }

        buf = p;

        if (getpwnam_r(name, &pw, buf, size, &found) == ERANGE) {
            continue;
        }

        if (found != NULL) {
            *uid = pw.pw_uid;
            ok = true;
        }

        break;
    }

    free(buf);

    return ok;
}
