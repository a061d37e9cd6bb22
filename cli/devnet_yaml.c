
/*
 * Copyright (C) The Tailgate authors
 *
 * One YAML document to a tree that remembers where everything was written.
 */

#include <cli/devnet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>


static int parse_node(yaml_parser_t *parser, yaml_event_t *event,
    size_t depth, tg_arena_t *arena, cli_yaml_t **node, tg_error_t *error);


static int
fault(tg_error_t *error, int code, yaml_mark_t mark, const char *text)
{
    error->code = code;
    error->line = mark.line + 1;
    error->column = mark.column + 1;

    (void) snprintf(error->text, sizeof(error->text), "%s", text);

    return code;
}


static int
next_event(yaml_parser_t *parser, yaml_event_t *event, tg_error_t *error)
{
    if (yaml_parser_parse(parser, event)) {
        return TG_OK;
    }

    if (parser->error == YAML_READER_ERROR) {
        /* it has an offset instead of a mark */
        return fault(error, TG_ERR_SYNTAX, parser->mark,
                     "this is not UTF-8 text");
    }

    return fault(error, parser->error == YAML_MEMORY_ERROR ? TG_ERR_NOMEM
                                                           : TG_ERR_SYNTAX,
                 parser->problem_mark,
                 parser->problem ? parser->problem : "malformed YAML");
}


static char *
copy(tg_arena_t *arena, const yaml_char_t *text, size_t len)
{
    char  *p;

    p = tg_arena_alloc(arena, len + 1);

    if (p) {
        memcpy(p, text, len);
        p[len] = '\0';
    }

    return p;
}


static int
parse_scalar(const yaml_event_t *event, tg_arena_t *arena, cli_yaml_t *node,
    tg_error_t *error)
{
    node->type = CLI_YAML_SCALAR;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->len = event->data.scalar.length;
    node->text = copy(arena, event->data.scalar.value, node->len);

    if (node->text == NULL) {
        return fault(error, TG_ERR_NOMEM, event->start_mark,
                     "this is too much for a tailnet's file");
    }

    return TG_OK;
}


static int
parse_list(yaml_parser_t *parser, size_t depth, tg_arena_t *arena,
    cli_yaml_t *node, tg_error_t *error)
{
    int            rc;
    cli_yaml_t   **last;
    yaml_event_t   event;

    node->type = CLI_YAML_LIST;
    last = &node->first;

    for ( ;; ) {
        rc = next_event(parser, &event, error);
        if (rc != TG_OK) {
            return rc;
        }

        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return TG_OK;
        }

        rc = parse_node(parser, &event, depth + 1, arena, last, error);
        yaml_event_delete(&event);

        if (rc != TG_OK) {
            return rc;
        }

        last = &(*last)->next;
    }
}


static int
parse_key(const yaml_event_t *event, const cli_yaml_t *map, tg_arena_t *arena,
    const char **key, tg_error_t *error)
{
    char              *text;
    const cli_yaml_t  *child;

    if (event->type != YAML_SCALAR_EVENT
        || memchr(event->data.scalar.value, '\0', event->data.scalar.length))
    {
        return fault(error, TG_ERR_TYPE, event->start_mark,
                     "a key has to be text");
    }

    text = copy(arena, event->data.scalar.value, event->data.scalar.length);

    if (text == NULL) {
        return fault(error, TG_ERR_NOMEM, event->start_mark,
                     "this is too much for a tailnet's file");
    }

    for (child = map->first; child; child = child->next) {

        if (strcmp(child->key, text) == 0) {
            return fault(error, TG_ERR_SYNTAX, event->start_mark,
                         "this key is there twice");
        }
    }

    *key = text;

    return TG_OK;
}


static int
parse_map(yaml_parser_t *parser, size_t depth, tg_arena_t *arena,
    cli_yaml_t *node, tg_error_t *error)
{
    int            rc;
    bool           end;
    const char    *key;
    yaml_mark_t    mark;
    cli_yaml_t   **last;
    yaml_event_t   event;

    node->type = CLI_YAML_MAP;
    last = &node->first;

    for ( ;; ) {
        rc = next_event(parser, &event, error);
        if (rc != TG_OK) {
            return rc;
        }

        end = event.type == YAML_MAPPING_END_EVENT;
        mark = event.start_mark;

        if (!end) {
            rc = parse_key(&event, node, arena, &key, error);
        }

        yaml_event_delete(&event);

        if (end || rc != TG_OK) {
            return rc;
        }

        rc = next_event(parser, &event, error);
        if (rc != TG_OK) {
            return rc;
        }

        rc = parse_node(parser, &event, depth + 1, arena, last, error);
        yaml_event_delete(&event);

        if (rc != TG_OK) {
            return rc;
        }

        (*last)->key = key;
        (*last)->key_line = mark.line + 1;
        (*last)->key_column = mark.column + 1;
        last = &(*last)->next;
    }
}


/* event begins the node, and stays the caller's; *node is set on success. */

static int
parse_node(yaml_parser_t *parser, yaml_event_t *event, size_t depth,
    tg_arena_t *arena, cli_yaml_t **node, tg_error_t *error)
{
    int          rc;
    cli_yaml_t  *n;

    if (depth > CLI_YAML_DEPTH_MAX) {
        return fault(error, TG_ERR_LIMIT, event->start_mark,
                     "this is nested too deeply");
    }

    n = tg_arena_alloc(arena, sizeof(cli_yaml_t));

    if (n == NULL) {
        return fault(error, TG_ERR_NOMEM, event->start_mark,
                     "this is too much for a tailnet's file");
    }

    n->line = event->start_mark.line + 1;
    n->column = event->start_mark.column + 1;

    switch (event->type) {

    case YAML_SCALAR_EVENT:
        rc = parse_scalar(event, arena, n, error);
        break;

    case YAML_SEQUENCE_START_EVENT:
        rc = parse_list(parser, depth, arena, n, error);
        break;

    case YAML_MAPPING_START_EVENT:
        rc = parse_map(parser, depth, arena, n, error);
        break;

    default:
        return fault(error, TG_ERR_SYNTAX, event->start_mark,
                     "aliases (*name) are not understood here");
    }

    if (rc == TG_OK) {
        *node = n;
    }

    return rc;
}


static int
parse_document(yaml_parser_t *parser, tg_arena_t *arena, cli_yaml_t **root,
    tg_error_t *error)
{
    int           rc;
    bool          again;
    yaml_event_t  event;

    *root = NULL;

    for ( ;; ) {
        rc = next_event(parser, &event, error);
        if (rc != TG_OK) {
            return rc;
        }

        again = true;

        switch (event.type) {

        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;

        case YAML_DOCUMENT_START_EVENT:
            if (*root) {
                rc = fault(error, TG_ERR_SYNTAX, event.start_mark,
                           "a second document begins here");
            }

            break;

        case YAML_STREAM_END_EVENT:
            again = false;
            break;

        default:
            rc = parse_node(parser, &event, 0, arena, root, error);
        }

        yaml_event_delete(&event);

        if (rc != TG_OK || !again) {
            return rc;
        }
    }
}


int
cli_yaml_parse(const char *text, size_t len, tg_arena_t *arena,
    cli_yaml_t **root, tg_error_t *error)
{
    int            rc;
    yaml_parser_t  parser;

    if (!yaml_parser_initialize(&parser)) {
        error->code = TG_ERR_NOMEM;
        (void) snprintf(error->text, sizeof(error->text), "out of memory");
        return TG_ERR_NOMEM;
    }

    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *) text, len);

    rc = parse_document(&parser, arena, root, error);

    yaml_parser_delete(&parser);

    return rc;
}


/* YAML 1.2's core schema, as far as JSON has such values. */

static json_t *
scalar_json(const cli_yaml_t *node)
{
    char      *end;
    double     real;
    json_t    *json;
    intmax_t   number;

    if (!node->plain) {
        return json_stringn(node->text, node->len);
    }

    if (node->len == 0 || strcmp(node->text, "null") == 0
        || strcmp(node->text, "~") == 0)
    {
        return json_null();
    }

    if (strcmp(node->text, "true") == 0) {
        return json_true();
    }

    if (strcmp(node->text, "false") == 0) {
        return json_false();
    }

    if (strchr("+-.0123456789", node->text[0]) == NULL) {
        return json_stringn(node->text, node->len);
    }

    errno = 0;
    number = strtoimax(node->text, &end, 10);

    if (*end == '\0' && errno == 0) {
        return json_integer(number);
    }

    real = strtod(node->text, &end);

    /* NULL for an infinity */
    json = *end == '\0' ? json_real(real) : NULL;

    return json ? json : json_stringn(node->text, node->len);
}


json_t *
cli_yaml_json(const cli_yaml_t *node)
{
    int                rc;
    json_t            *json, *value;
    const cli_yaml_t  *child;

    if (node->type == CLI_YAML_SCALAR) {
        return scalar_json(node);
    }

    json = node->type == CLI_YAML_LIST ? json_array() : json_object();
    if (json == NULL) {
        return NULL;
    }

    for (child = node->first; child; child = child->next) {
        value = cli_yaml_json(child);

        rc = node->type == CLI_YAML_LIST
             ? json_array_append_new(json, value)
             : json_object_set_new(json, child->key, value);

        if (rc != 0) {
            json_decref(json);
            return NULL;
        }
    }

    return json;
}
