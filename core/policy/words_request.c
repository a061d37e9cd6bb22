
/*
 * Copyright (C) The Tailgate authors
 *
 * Conditions on what is asked for: hosts, paths, methods.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <ctype.h>
#include <string.h>


/* "host:80"; an IPv6 address has its colons in brackets. */

static bool
has_port(const char *text)
{
    if (text[0] == '[') {
        text = strchr(text, ']');
    }

    return text != NULL && strchr(text, ':') != NULL;
}


static bool
parse_host(tgi_read_t *rd, const tgi_yaml_t *item, tgi_host_t *host)
{
    char      buf[TG_HOST_MAX];
    tg_str_t  text;

    text = item->text;

    if (memchr(text.data, '/', text.len) != NULL) {
        tgi_tell(rd, TGI_P_HOST_SCHEME, item, text.data, NULL, NULL);
        return false;
    }

    if (has_port(text.data)) {
        tgi_tell(rd, TGI_P_HOST_PORT, item, text.data, NULL, NULL);
        return false;
    }

    if (!tgi_host_parse(text, buf, host)) {
        tgi_tell(rd, TGI_P_HOST, item, text.data, NULL, NULL);
        return false;
    }

    return tgi_copy(rd, host->text, &host->text);
}


void
tgi_read_hosts(tgi_read_t *rd, const tgi_yaml_t *node, tgi_host_t **hosts,
    size_t *n)
{
    size_t             count;
    const tgi_yaml_t  *item;

    *n = 0;

    count = tgi_count(rd, node);
    if (count == 0) {
        return;
    }

    *hosts = tgi_new(rd, count, sizeof(tgi_host_t));
    if (*hosts == NULL) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {
        if (parse_host(rd, item, &(*hosts)[*n])) {
            (*n)++;
        }
    }
}


/* Why no normalised path can be like this, or NULL. */

static const char *
path_fault(const char *path, bool glob)
{
    const char  *p;

    for (p = path; *p != '\0'; p++) {

        if (*p == '?' || *p == '#') {
            return "what follows \"?\" or \"#\" is no part of a path";
        }

        if (*p == '%' && isxdigit((unsigned char) p[1])
            && isxdigit((unsigned char) p[2]))
        {
            return "paths are compared decoded, write the character itself";
        }

        if (*p != '/') {
            continue;
        }

        if (p[1] == '/') {
            return "slashes are merged before paths are compared";
        }

        if (p[1] == '.'
            && (p[2] == '/' || p[2] == '\0'
                || (p[2] == '.' && (p[3] == '/' || p[3] == '\0'))))
        {
            return "dot segments are resolved before paths are compared";
        }
    }

    if (glob && strstr(path, "***") != NULL) {
        return "\"*\" is any part of a segment, \"**\" any number of them";
    }

    return NULL;
}


static bool
parse_path(tgi_read_t *rd, const tgi_yaml_t *item, tgi_path_t *path)
{
    const char  *why;

    if (!tgi_path_parse(item->text, path)) {
        tgi_tell(rd, TGI_P_PATH_START, item, item->text.data, NULL, NULL);
        return false;
    }

    why = path_fault(path->text.data, path->kind == TGI_PATH_GLOB);

    if (why != NULL) {
        tgi_tell(rd, TGI_P_PATH, item, item->text.data, why, NULL);
        return false;
    }

    return tgi_copy(rd, path->text, &path->text);
}


void
tgi_read_paths(tgi_read_t *rd, const tgi_yaml_t *node, tgi_path_t **paths,
    size_t *n)
{
    size_t             count;
    const tgi_yaml_t  *item;

    *n = 0;

    count = tgi_count(rd, node);
    if (count == 0) {
        return;
    }

    *paths = tgi_new(rd, count, sizeof(tgi_path_t));
    if (*paths == NULL) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {
        if (parse_path(rd, item, &(*paths)[*n])) {
            (*n)++;
        }
    }
}


void
tgi_read_host(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_HOST;

    tgi_read_hosts(rd, node, &rule->hosts, &rule->nhosts);
}


void
tgi_read_path(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_PATH;

    tgi_read_paths(rd, node, &rule->paths, &rule->npaths);
}


/* RFC 9110 5.6.2 */

static bool
is_token(const char *text)
{
    const char  *p;

    for (p = text; *p != '\0'; p++) {
        if (!isalnum((unsigned char) *p)
            && strchr("!#$%&'*+-.^_`|~", *p) == NULL)
        {
            return false;
        }
    }

    return p != text;
}


static bool
check_method(tgi_read_t *rd, const tgi_yaml_t *item)
{
    char    upper[64];
    bool    lower;
    size_t  i;

    if (!is_token(item->text.data) || item->text.len >= sizeof(upper)
        || strchr(item->text.data, '*') != NULL)
    {
        tgi_tell(rd, TGI_P_METHOD, item, item->text.data, NULL, NULL);
        return false;
    }

    lower = false;

    for (i = 0; i <= item->text.len; i++) {
        upper[i] = item->text.data[i];

        if (upper[i] >= 'a' && upper[i] <= 'z') {
            upper[i] = (char) (upper[i] - 'a' + 'A');
            lower = true;
        }
    }

    /* a deny of the method WRITE would deny nothing */

    if (strcmp(upper, "READ") == 0 || strcmp(upper, "WRITE") == 0) {
        tgi_tell(rd, TGI_P_METHOD, item, item->text.data, NULL, NULL);
        return false;
    }

    if (lower) {
        tgi_tell(rd, TGI_P_METHOD_CASE, item, item->text.data, upper, NULL);
        return false;
    }

    return true;
}


void
tgi_read_method(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t             n;
    tg_rule_t         *rule;
    const tgi_yaml_t  *item;

    rule = object;
    rule->conditions |= TGI_IF_METHOD;

    n = tgi_count(rd, node);
    if (n == 0) {
        return;
    }

    rule->methods.items = tgi_new(rd, n, sizeof(tg_str_t));
    if (rule->methods.items == NULL) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {

        if (strcmp(item->text.data, "read") == 0) {
            rule->method_classes |= TGI_METHOD_READ;

        } else if (strcmp(item->text.data, "write") == 0) {
            rule->method_classes |= TGI_METHOD_WRITE;

        } else if (check_method(rd, item)
                   && tgi_copy(rd, item->text,
                               &rule->methods.items[rule->methods.n]))
        {
            rule->methods.n++;
        }
    }
}
