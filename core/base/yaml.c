
/*
 * Copyright (C) The Tailgate authors
 */

#include "core/base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>


typedef struct {
    yaml_parser_t             parser;
    const tg_alloc_t         *alloc;
    const tgi_yaml_limits_t  *limits;
    tg_error_t               *error;
    tgi_yaml_t               *open[TGI_YAML_DEPTH_MAX];
    tgi_yaml_t               *last[TGI_YAML_DEPTH_MAX];
    tgi_yaml_t               *root;
    tg_str_t                  key;   /* read, and its value is not yet */
    size_t                    key_line;
    size_t                    key_column;
    bool                      has_key;
    size_t                    depth;
    size_t                    nodes;
    size_t                    documents;
} reader_t;


static int reader_event(reader_t *rd, const yaml_event_t *ev);
static int reader_scalar(reader_t *rd, const yaml_event_t *ev);
static int reader_key(reader_t *rd, const yaml_event_t *ev);
static int reader_open(reader_t *rd, const yaml_event_t *ev,
    tgi_yaml_kind_t kind);
static int reader_add(reader_t *rd, const yaml_event_t *ev,
    tgi_yaml_t **node);
static int reader_copy(reader_t *rd, const yaml_event_t *ev, tg_str_t *out);
static int reader_fail(reader_t *rd, int code, const yaml_mark_t *mark,
    const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int reader_syntax(reader_t *rd);


int
tgi_yaml_read(const char *data, size_t len,
    const tgi_yaml_limits_t *limits, const tg_alloc_t *alloc,
    tgi_yaml_t **root, tg_error_t *error)
{
    int           rc;
    bool          done;
    reader_t      rd;
    yaml_event_t  ev;

    memset(&rd, 0, sizeof(rd));
    memset(error, 0, sizeof(*error));

    rd.alloc = alloc;
    rd.limits = limits;
    rd.error = error;

    if (len > limits->size) {
        return reader_fail(&rd, TG_ERR_LIMIT, NULL,
                           "the file is longer than %zu bytes",
                           limits->size);
    }

    if (memchr(data, '\0', len) != NULL) {
        return reader_fail(&rd, TG_ERR_SYNTAX, NULL,
                           "the file holds a NUL byte");
    }

    if (!yaml_parser_initialize(&rd.parser)) {
        return reader_fail(&rd, TG_ERR_NOMEM, NULL, "out of memory");
    }

    yaml_parser_set_input_string(&rd.parser, (const unsigned char *) data,
                                 len);
    yaml_parser_set_encoding(&rd.parser, YAML_UTF8_ENCODING);

    do {
        if (!yaml_parser_parse(&rd.parser, &ev)) {
            rc = reader_syntax(&rd);
            goto done;
        }

        rc = reader_event(&rd, &ev);
        done = (ev.type == YAML_STREAM_END_EVENT);

        yaml_event_delete(&ev);

        if (rc != TG_OK) {
            goto done;
        }

    } while (!done);

    if (rd.root == NULL) {
        rd.root = alloc->alloc(alloc->ctx, sizeof(tgi_yaml_t));
        if (rd.root == NULL) {
            rc = reader_fail(&rd, TG_ERR_NOMEM, NULL, "out of memory");
            goto done;
        }

        memset(rd.root, 0, sizeof(tgi_yaml_t));
        rd.root->kind = TGI_YAML_MAPPING;
        rd.root->line = 1;
        rd.root->column = 1;
        rd.root->value_line = 1;
        rd.root->value_column = 1;
    }

    *root = rd.root;

done:

    yaml_parser_delete(&rd.parser);

    return rc;
}


static int
reader_event(reader_t *rd, const yaml_event_t *ev)
{
    switch (ev->type) {

    case YAML_DOCUMENT_START_EVENT:
        if (rd->documents++ != 0) {
            return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                               "a second document in the file");
        }
        return TG_OK;

    case YAML_ALIAS_EVENT:
        return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                           "aliases are not used here: write the value");

    case YAML_SCALAR_EVENT:
        return reader_scalar(rd, ev);

    case YAML_SEQUENCE_START_EVENT:
        return reader_open(rd, ev, TGI_YAML_SEQUENCE);

    case YAML_MAPPING_START_EVENT:
        return reader_open(rd, ev, TGI_YAML_MAPPING);

    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        rd->depth--;
        return TG_OK;

    default:
        return TG_OK;
    }
}


static int
reader_scalar(reader_t *rd, const yaml_event_t *ev)
{
    int          rc;
    tgi_yaml_t  *node;

    if (ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL) {
        return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                           "anchors and tags are not used here");
    }

    if (rd->depth > 0
        && rd->open[rd->depth - 1]->kind == TGI_YAML_MAPPING
        && !rd->has_key)
    {
        return reader_key(rd, ev);
    }

    /* an empty document of comments alone, or one that says null */

    if (rd->depth == 0 && ev->data.scalar.length == 0) {
        return TG_OK;
    }

    rc = reader_add(rd, ev, &node);
    if (rc != TG_OK) {
        return rc;
    }

    node->kind = TGI_YAML_SCALAR;
    node->plain = (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);

    return reader_copy(rd, ev, &node->text);
}


static int
reader_key(reader_t *rd, const yaml_event_t *ev)
{
    int          rc;
    tgi_yaml_t  *node;

    rc = reader_copy(rd, ev, &rd->key);
    if (rc != TG_OK) {
        return rc;
    }

    for (node = rd->open[rd->depth - 1]->first; node; node = node->next) {
        if (node->key.len == rd->key.len
            && memcmp(node->key.data, rd->key.data, rd->key.len) == 0)
        {
            return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                               "the key \"%s\" is there twice, first in line"
                               " %zu", rd->key.data, node->line);
        }
    }

    rd->has_key = true;
    rd->key_line = ev->start_mark.line + 1;
    rd->key_column = ev->start_mark.column + 1;

    return TG_OK;
}


static int
reader_open(reader_t *rd, const yaml_event_t *ev, tgi_yaml_kind_t kind)
{
    int                 rc;
    tgi_yaml_t         *node;
    const yaml_char_t  *anchor, *tag;

    if (kind == TGI_YAML_SEQUENCE) {
        anchor = ev->data.sequence_start.anchor;
        tag = ev->data.sequence_start.tag;

    } else {
        anchor = ev->data.mapping_start.anchor;
        tag = ev->data.mapping_start.tag;
    }

    if (anchor != NULL || tag != NULL) {
        return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                           "anchors and tags are not used here");
    }

    if (rd->depth > 0
        && rd->open[rd->depth - 1]->kind == TGI_YAML_MAPPING
        && !rd->has_key)
    {
        return reader_fail(rd, TG_ERR_REFUSED, &ev->start_mark,
                           "a key has to be a word");
    }

    if (rd->depth == rd->limits->depth || rd->depth == TGI_YAML_DEPTH_MAX) {
        return reader_fail(rd, TG_ERR_LIMIT, &ev->start_mark,
                           "nested deeper than %zu levels", rd->depth);
    }

    rc = reader_add(rd, ev, &node);
    if (rc != TG_OK) {
        return rc;
    }

    node->kind = kind;
    rd->open[rd->depth] = node;
    rd->last[rd->depth] = NULL;
    rd->depth++;

    return TG_OK;
}


static int
reader_add(reader_t *rd, const yaml_event_t *ev, tgi_yaml_t **out)
{
    tgi_yaml_t  *node, *parent;

    if (rd->nodes++ == rd->limits->nodes) {
        return reader_fail(rd, TG_ERR_LIMIT, &ev->start_mark,
                           "more than %zu values", rd->limits->nodes);
    }

    node = rd->alloc->alloc(rd->alloc->ctx, sizeof(tgi_yaml_t));
    if (node == NULL) {
        return reader_fail(rd, TG_ERR_NOMEM, NULL, "out of memory");
    }

    memset(node, 0, sizeof(tgi_yaml_t));

    node->line = ev->start_mark.line + 1;
    node->column = ev->start_mark.column + 1;
    node->value_line = node->line;
    node->value_column = node->column;

    if (rd->has_key) {
        node->key = rd->key;
        node->line = rd->key_line;
        node->column = rd->key_column;
        rd->has_key = false;
    }

    if (rd->depth == 0) {
        rd->root = node;

    } else {
        parent = rd->open[rd->depth - 1];

        if (rd->last[rd->depth - 1] == NULL) {
            parent->first = node;

        } else {
            rd->last[rd->depth - 1]->next = node;
        }

        rd->last[rd->depth - 1] = node;
        parent->n++;
    }

    *out = node;

    return TG_OK;
}


static int
reader_copy(reader_t *rd, const yaml_event_t *ev, tg_str_t *out)
{
    char    *p;
    size_t   len;

    len = ev->data.scalar.length;

    if (memchr(ev->data.scalar.value, '\0', len) != NULL) {
        return reader_fail(rd, TG_ERR_SYNTAX, &ev->start_mark,
                           "a value holds a NUL byte");
    }

    p = rd->alloc->alloc(rd->alloc->ctx, len + 1);
    if (p == NULL) {
        return reader_fail(rd, TG_ERR_NOMEM, NULL, "out of memory");
    }

    memcpy(p, ev->data.scalar.value, len);
    p[len] = '\0';

    out->data = p;
    out->len = len;

    return TG_OK;
}


static int
reader_fail(reader_t *rd, int code, const yaml_mark_t *mark,
    const char *fmt, ...)
{
    char     *p;
    va_list   args;

    rd->error->code = code;

    if (mark != NULL) {
        rd->error->line = mark->line + 1;
        rd->error->column = mark->column + 1;
    }

    va_start(args, fmt);
    (void) vsnprintf(rd->error->text, sizeof(rd->error->text), fmt, args);
    va_end(args);

    for (p = rd->error->text; *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || (unsigned char) *p > 0x7e) {
            *p = '?';
        }
    }

    return code;
}


static int
reader_syntax(reader_t *rd)
{
    const char   *problem;
    yaml_mark_t   mark;

    problem = rd->parser.problem ? rd->parser.problem : "unreadable";
    mark = rd->parser.problem_mark;

    if (rd->parser.error == YAML_READER_ERROR) {

        /* the reader knows the byte, not the line */

        mark = rd->parser.mark;
    }

    if (rd->parser.error == YAML_MEMORY_ERROR) {
        return reader_fail(rd, TG_ERR_NOMEM, NULL, "out of memory");
    }

    return reader_fail(rd, TG_ERR_SYNTAX, &mark, "no valid YAML: %s", problem);
}
