
/*
 * Copyright (C) The Tailgate authors
 *
 * What is in force, as a file that can be read again.
 */

#include "authd/config_value.h"

#include <stdlib.h>
#include <string.h>


static void config_dump_key(FILE *out, const authd_config_key_t *key,
    const tgi_yaml_t *node);
static void config_dump_node(FILE *out, const tgi_yaml_t *node);
static void config_dump_text(FILE *out, const tg_str_t *text, bool plain);


bool
authd_config_dump(const char *file, FILE *out, authd_config_report_pt report,
    void *data)
{
    char                *bytes;
    size_t               i, len;
    const char          *section;
    tgi_yaml_t          *root;
    authd_config_t      *conf;
    authd_config_load_t  load;
    const tgi_yaml_t    *node;

    bytes = NULL;
    conf = NULL;

    if (!authd_config_read(file, AUTHD_CONFIG_MAX, &bytes, &len, report, data)
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

    if (!authd_config_tree(&load, bytes, len, &root)) {
        goto out;
    }

    for (i = 0; i < authd_config_nkeys; i++) {
        node = authd_config_find(root, &authd_config_keys[i]);
        if (node == NULL) {
            node = authd_config_default(&load, &authd_config_keys[i]);
        }

        if (node == NULL) {
            goto out;
        }

        if (authd_config_keys[i].section != NULL
            && (section == NULL
                || strcmp(section, authd_config_keys[i].section) != 0))
        {
            fprintf(out, "%s%s:\n", i ? "\n" : "",
                    authd_config_keys[i].section);

        } else if (i != 0) {
            fputc('\n', out);
        }

        section = authd_config_keys[i].section;
        config_dump_key(out, &authd_config_keys[i], node);
    }

out:

    authd_config_free(&conf);
    free(bytes);

    return !load.failed && fflush(out) == 0;
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
