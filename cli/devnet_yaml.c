
/*
 * Copyright (C) The Tailgate authors
 *
 * YAML values as JSON ones.
 */

#include <cli/devnet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


/* A large tailnet, and not a bomb. */

const tgi_yaml_limits_t  cli_yaml_limits = {
    .size = CLI_YAML_FILE_MAX,
    .nodes = 4 * 1024 * 1024,
    .depth = TGI_YAML_DEPTH_MAX
};


/* YAML 1.2's core schema, as far as JSON has such values. */

static json_t *
scalar_json(const tgi_yaml_t *node)
{
    char      *end;
    double     real;
    json_t    *json;
    intmax_t   number;

    if (!node->plain) {
        return json_stringn(node->text.data, node->text.len);
    }

    if (node->text.len == 0 || strcmp(node->text.data, "null") == 0
        || strcmp(node->text.data, "~") == 0)
    {
        return json_null();
    }

    if (strcmp(node->text.data, "true") == 0) {
        return json_true();
    }

    if (strcmp(node->text.data, "false") == 0) {
        return json_false();
    }

    if (strchr("+-.0123456789", node->text.data[0]) == NULL) {
        return json_stringn(node->text.data, node->text.len);
    }

    errno = 0;
    number = strtoimax(node->text.data, &end, 10);

    if (*end == '\0' && errno == 0) {
        return json_integer(number);
    }

    real = strtod(node->text.data, &end);

    /* NULL for an infinity */
    json = *end == '\0' ? json_real(real) : NULL;

    return json ? json : json_stringn(node->text.data, node->text.len);
}


json_t *
cli_yaml_json(const tgi_yaml_t *node)
{
    int                rc;
    json_t            *json, *value;
    const tgi_yaml_t  *child;

    if (node->kind == TGI_YAML_SCALAR) {
        return scalar_json(node);
    }

    json = node->kind == TGI_YAML_SEQUENCE ? json_array() : json_object();
    if (json == NULL) {
        return NULL;
    }

    for (child = node->first; child; child = child->next) {
        value = cli_yaml_json(child);

        rc = node->kind == TGI_YAML_SEQUENCE
             ? json_array_append_new(json, value)
             : json_object_set_new(json, child->key.data, value);

        if (rc != 0) {
            json_decref(json);
            return NULL;
        }
    }

    return json;
}
