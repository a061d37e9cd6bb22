
/*
 * Copyright (C) The Tailgate authors
 *
 * A YAML document as a small tree with line numbers, for the configuration.
 * Knows nothing of keys: config.c does.
 */

#ifndef AUTHD_YAML_H_INCLUDED_
#define AUTHD_YAML_H_INCLUDED_

#include <tailgate/base.h>


/* Bounds; past them a document is refused. */

#define AUTHD_YAML_SIZE_MAX   (256 * 1024)
#define AUTHD_YAML_NODES_MAX  4096
#define AUTHD_YAML_DEPTH_MAX  4


typedef enum {
    AUTHD_YAML_SCALAR = 0,
    AUTHD_YAML_SEQUENCE,
    AUTHD_YAML_MAPPING
} authd_yaml_kind_t;

typedef struct authd_yaml_s  authd_yaml_t;

struct authd_yaml_s {
    authd_yaml_kind_t  kind;
    size_t             line;       /* from 1 */
    size_t             column;
    tg_str_t           key;        /* in a mapping; NUL-terminated */
    tg_str_t           text;       /* of a scalar; NUL-terminated */
    bool               plain;      /* a scalar without quotes */
    authd_yaml_t      *first;      /* items, or values by key */
    authd_yaml_t      *next;
    size_t             n;          /* number of items */
};


/*
 * Reads len bytes.  The tree lives in alloc; an empty document is an empty
 * mapping.  Refused, with a text, line and column in *error: what is no YAML,
 * a second document, an anchor or alias, a tag, a key that is no scalar or
 * comes twice in its mapping, and anything past the bounds.  Returns TG_OK,
 * TG_ERR_SYNTAX, TG_ERR_LIMIT, TG_ERR_REFUSED or TG_ERR_NOMEM.
 */

int authd_yaml_read(const char *data, size_t len, const tg_alloc_t *alloc,
    authd_yaml_t **root, tg_error_t *error);


#endif /* AUTHD_YAML_H_INCLUDED_ */
