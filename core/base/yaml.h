
/*
 * Copyright (C) The Tailgate authors
 *
 * A YAML document as a tree that remembers where everything was written.  It
 * knows nothing of keys: whoever reads the tree does.
 */

#ifndef TGI_YAML_H_INCLUDED_
#define TGI_YAML_H_INCLUDED_

#include <tailgate/base.h>


/* Past these a document is refused. */

typedef struct {
    size_t             size;       /* bytes of text */
    size_t             nodes;      /* values of any kind */
    size_t             depth;      /* levels, at most TGI_YAML_DEPTH_MAX */
} tgi_yaml_limits_t;

#define TGI_YAML_DEPTH_MAX  32


typedef enum {
    TGI_YAML_SCALAR = 0,
    TGI_YAML_SEQUENCE,
    TGI_YAML_MAPPING
} tgi_yaml_kind_t;

typedef struct tgi_yaml_s  tgi_yaml_t;

struct tgi_yaml_s {
    tgi_yaml_kind_t    kind;
    size_t             line;       /* from 1; of the key, if it has one */
    size_t             column;
    size_t             value_line; /* of the value itself */
    size_t             value_column;
    tg_str_t           key;        /* in a mapping; NUL-terminated */
    tg_str_t           text;       /* of a scalar; NUL-terminated */
    bool               plain;      /* a scalar without quotes */
    tgi_yaml_t        *first;      /* items, or values by key */
    tgi_yaml_t        *next;
    size_t             n;          /* number of items */
};


/* Why a document was refused, for those who tell more about it. */

typedef enum {
    TGI_YAML_FINE = 0,
    TGI_YAML_SYNTAX,           /* no YAML */
    TGI_YAML_BYTES,            /* NUL, or no UTF-8 */
    TGI_YAML_LIMITS,           /* too long, too deep, too many values */
    TGI_YAML_DUPLICATE,        /* a key comes twice */
    TGI_YAML_ANCHOR,           /* an anchor or an alias */
    TGI_YAML_TAG,
    TGI_YAML_DOCUMENTS,        /* a second one */
    TGI_YAML_KEY,              /* a list or a mapping as a key */
    TGI_YAML_MEMORY
} tgi_yaml_fault_t;


/*
 * Reads len bytes of UTF-8.  The tree lives in alloc; an empty document is an
 * empty mapping.  Refused, with a text, line and column in *error: what is no
 * YAML, a second document, an anchor or alias, a tag, a key that is no scalar
 * or comes twice in its mapping, and anything past the bounds.  Returns TG_OK,
 * TG_ERR_SYNTAX, TG_ERR_LIMIT, TG_ERR_REFUSED or TG_ERR_NOMEM.
 */

int tgi_yaml_read(const char *data, size_t len,
    const tgi_yaml_limits_t *limits, const tg_alloc_t *alloc,
    tgi_yaml_t **root, tg_error_t *error);

/* The same, with the reason in *fault. */

int tgi_yaml_read_fault(const char *data, size_t len,
    const tgi_yaml_limits_t *limits, const tg_alloc_t *alloc,
    tgi_yaml_t **root, tgi_yaml_fault_t *fault, tg_error_t *error);


#endif /* TGI_YAML_H_INCLUDED_ */
