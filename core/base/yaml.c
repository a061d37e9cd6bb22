
/*
 * Copyright (C) The Tailgate authors
 */

#include "core/base/yaml.h"

#include "core/base/base.h"
#include "core/base/map.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>


/* Mappings of up to so many keys are searched, larger ones hashed. */

#define SEARCH_MAX  16

/* The byte order mark, in UTF-8. */

#define BOM_LEN  3


typedef struct {
    yaml_parser_t             parser;
    const tg_alloc_t         *alloc;
    const tgi_yaml_limits_t  *limits;
    tg_error_t               *error;
    tgi_yaml_t               *open[TGI_YAML_DEPTH_MAX];
    tgi_yaml_t               *last[TGI_YAML_DEPTH_MAX];
    tgi_map_t                 keys[TGI_YAML_DEPTH_MAX];  /* to lines */
    tgi_yaml_t               *root;
    tg_str_t                  key;   /* read, and its value is not yet */
    size_t                    key_line;
    size_t                    key_column;
    bool                      has_key;
    size_t                    depth;
    size_t                    nodes;
    size_t                    documents;
    tgi_yaml_fault_t          fault;
} reader_t;


static int reader_event(reader_t *rd, const yaml_event_t *ev);
static int reader_scalar(reader_t *rd, const yaml_event_t *ev);
static int reader_key(reader_t *rd, const yaml_event_t *ev);
static size_t reader_seen(reader_t *rd);
static int reader_open(reader_t *rd, const yaml_event_t *ev,
    tgi_yaml_kind_t kind);
static int reader_add(reader_t *rd, const yaml_event_t *ev,
    tgi_yaml_t **node);
static int reader_copy(reader_t *rd, const yaml_event_t *ev, tg_str_t *out);
static int reader_fail(reader_t *rd, tgi_yaml_fault_t fault,
    const yaml_mark_t *mark, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int reader_syntax(reader_t *rd);


int
tgi_yaml_read(const char *data, size_t len,
    const tgi_yaml_limits_t *limits, const tg_alloc_t *alloc,
    tgi_yaml_t **root, tg_error_t *error)
{
    tgi_yaml_fault_t  fault;

    return tgi_yaml_read_fault(data, len, limits, alloc, root, &fault, error);
}


int
tgi_yaml_read_fault(const char *data, size_t len,
    const tgi_yaml_limits_t *limits, const tg_alloc_t *alloc,
    tgi_yaml_t **root, tgi_yaml_fault_t *fault, tg_error_t *error)
{
    int           rc;
    size_t        i;
    bool          done;
    reader_t      rd;
    yaml_event_t  ev;

    memset(&rd, 0, sizeof(rd));
    memset(error, 0, sizeof(*error));

    rd.alloc = alloc;
    rd.limits = limits;
    rd.error = error;

    rc = TG_OK;

    if (len > limits->size) {
        rc = reader_fail(&rd, TGI_YAML_LIMITS, NULL,
                         "the file is longer than %zu bytes", limits->size);

    } else if (memchr(data, '\0', len) != NULL) {
        rc = reader_fail(&rd, TGI_YAML_BYTES, NULL,
                         "the file holds a NUL byte");

    } else if (!yaml_parser_initialize(&rd.parser)) {
        rc = reader_fail(&rd, TGI_YAML_MEMORY, NULL, "out of memory");
    }

    if (rc != TG_OK) {
        *fault = rd.fault;
        return rc;
    }

    /* libyaml skips the mark only where it has to find out the encoding */

    if (len >= BOM_LEN && memcmp(data, "\xef\xbb\xbf", BOM_LEN) == 0) {
        data += BOM_LEN;
        len -= BOM_LEN;
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
            rc = reader_fail(&rd, TGI_YAML_MEMORY, NULL, "out of memory");
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

    for (i = 0; i < TGI_YAML_DEPTH_MAX; i++) {
        tgi_map_done(&rd.keys[i]);
    }

    yaml_parser_delete(&rd.parser);
    *fault = rd.fault;

    return rc;
}


static int
reader_event(reader_t *rd, const yaml_event_t *ev)
{
    switch (ev->type) {

    case YAML_DOCUMENT_START_EVENT:
        if (rd->documents++ != 0) {
            return reader_fail(rd, TGI_YAML_DOCUMENTS, &ev->start_mark,
                               "a second document in the file");
        }
        return TG_OK;

    case YAML_ALIAS_EVENT:
        return reader_fail(rd, TGI_YAML_ANCHOR, &ev->start_mark,
                           "aliases are not used here: write the value");

    case YAML_SCALAR_EVENT:
        return reader_scalar(rd, ev);

    case YAML_SEQUENCE_START_EVENT:
        return reader_open(rd, ev, TGI_YAML_SEQUENCE);

    case YAML_MAPPING_START_EVENT:
        return reader_open(rd, ev, TGI_YAML_MAPPING);

    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        tgi_map_done(&rd->keys[--rd->depth]);
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
        return reader_fail(rd, ev->data.scalar.anchor != NULL
                               ? TGI_YAML_ANCHOR : TGI_YAML_TAG,
                           &ev->start_mark,
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
    int     rc;
    size_t  line;

    rc = reader_copy(rd, ev, &rd->key);
    if (rc != TG_OK) {
        return rc;
    }

    rd->key_line = ev->start_mark.line + 1;
    rd->key_column = ev->start_mark.column + 1;

    line = reader_seen(rd);

    if (line == SIZE_MAX) {
        return reader_fail(rd, TGI_YAML_MEMORY, NULL, "out of memory");
    }

    if (line != 0) {
        return reader_fail(rd, TGI_YAML_DUPLICATE, &ev->start_mark,
                           "the key \"%s\" is there twice, first in line"
                           " %zu", rd->key.data, line);
    }

    rd->has_key = true;

    return TG_OK;
}


/*
 * The line where the key was seen before in its mapping, 0 if it was not,
 * SIZE_MAX when out of memory.
 */

static size_t
reader_seen(reader_t *rd)
{
    tgi_map_t   *keys;
    tgi_yaml_t  *node, *parent;

    parent = rd->open[rd->depth - 1];
    keys = &rd->keys[rd->depth - 1];

    if (parent->n < SEARCH_MAX) {
        for (node = parent->first; node != NULL; node = node->next) {
            if (tgi_str_equal(node->key, rd->key)) {
                return node->line;
            }
        }

        return 0;
    }

    if (keys->slots == NULL) {
        if (tgi_map_init(keys, 4 * SEARCH_MAX, NULL) != TG_OK) {
            return SIZE_MAX;
        }

        for (node = parent->first; node != NULL; node = node->next) {
            if (tgi_map_add(keys, node->key, (uint32_t) node->line)
                != TG_OK)
            {
                return SIZE_MAX;
            }
        }
    }

    switch (tgi_map_add(keys, rd->key, (uint32_t) rd->key_line)) {

    case TG_OK:
        return 0;

    case TG_ERR_REFUSED:
        return tgi_map_get(keys, rd->key);

    default:
        return SIZE_MAX;
    }
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
        return reader_fail(rd, anchor != NULL ? TGI_YAML_ANCHOR
                                              : TGI_YAML_TAG,
                           &ev->start_mark,
                           "anchors and tags are not used here");
    }

    if (rd->depth > 0
        && rd->open[rd->depth - 1]->kind == TGI_YAML_MAPPING
        && !rd->has_key)
    {
        return reader_fail(rd, TGI_YAML_KEY, &ev->start_mark,
                           "a key has to be a word");
    }

    if (rd->depth == rd->limits->depth || rd->depth == TGI_YAML_DEPTH_MAX) {
        return reader_fail(rd, TGI_YAML_LIMITS, &ev->start_mark,
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
        return reader_fail(rd, TGI_YAML_LIMITS, &ev->start_mark,
                           "more than %zu values", rd->limits->nodes);
    }

    node = rd->alloc->alloc(rd->alloc->ctx, sizeof(tgi_yaml_t));
    if (node == NULL) {
        return reader_fail(rd, TGI_YAML_MEMORY, NULL, "out of memory");
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
        return reader_fail(rd, TGI_YAML_BYTES, &ev->start_mark,
                           "a value holds a NUL byte");
    }

    p = rd->alloc->alloc(rd->alloc->ctx, len + 1);
    if (p == NULL) {
        return reader_fail(rd, TGI_YAML_MEMORY, NULL, "out of memory");
    }

    memcpy(p, ev->data.scalar.value, len);
    p[len] = '\0';

    out->data = p;
    out->len = len;

    return TG_OK;
}


static int
reader_fail(reader_t *rd, tgi_yaml_fault_t fault, const yaml_mark_t *mark,
    const char *fmt, ...)
{
    char     *p;
    va_list   args;

    static const int  codes[] = {
        [TGI_YAML_FINE] = TG_OK,
        [TGI_YAML_SYNTAX] = TG_ERR_SYNTAX,
        [TGI_YAML_BYTES] = TG_ERR_SYNTAX,
        [TGI_YAML_LIMITS] = TG_ERR_LIMIT,
        [TGI_YAML_DUPLICATE] = TG_ERR_REFUSED,
        [TGI_YAML_ANCHOR] = TG_ERR_REFUSED,
        [TGI_YAML_TAG] = TG_ERR_REFUSED,
        [TGI_YAML_DOCUMENTS] = TG_ERR_REFUSED,
        [TGI_YAML_KEY] = TG_ERR_REFUSED,
        [TGI_YAML_MEMORY] = TG_ERR_NOMEM
    };

    rd->fault = fault;
    rd->error->code = codes[fault];

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

    return codes[fault];
}


static int
reader_syntax(reader_t *rd)
{
    const char        *problem;
    yaml_mark_t        mark;
    tgi_yaml_fault_t   fault;

    fault = TGI_YAML_SYNTAX;
    problem = rd->parser.problem ? rd->parser.problem : "unreadable";
    mark = rd->parser.problem_mark;

    if (rd->parser.error == YAML_READER_ERROR) {

        /* the reader knows the byte, not the line */

        fault = TGI_YAML_BYTES;
        mark = rd->parser.mark;
    }

    if (rd->parser.error == YAML_MEMORY_ERROR) {
        return reader_fail(rd, TGI_YAML_MEMORY, NULL, "out of memory");
    }

    return reader_fail(rd, fault, &mark, "no valid YAML: %s", problem);
}
