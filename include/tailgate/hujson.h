
/*
 * Copyright (C) The Tailgate authors
 *
 * HuJSON: JSON (RFC 8259) with comments and trailing commas, as the tailnet's
 * policy file is written (github.com/tailscale/hujson).  Every value and every
 * key knows its place in the text, so that a later message can point at it.
 */

#ifndef TAILGATE_HUJSON_H_INCLUDED_
#define TAILGATE_HUJSON_H_INCLUDED_

#include <tailgate/base.h>


#define TG_HUJSON_TEXT_MAX   (64 * 1024 * 1024)
#define TG_HUJSON_DEPTH_MAX  64


typedef enum {
    TG_HUJSON_NULL = 0,
    TG_HUJSON_FALSE,
    TG_HUJSON_TRUE,
    TG_HUJSON_NUMBER,
    TG_HUJSON_STRING,
    TG_HUJSON_ARRAY,
    TG_HUJSON_OBJECT
} tg_hujson_type_t;


/*
 * One value.  Items of an array and members of an object are a list in the
 * order of the text, which begins at child and goes on by next; n counts them.
 */

typedef struct tg_hujson_s  tg_hujson_t;

struct tg_hujson_s {
    const tg_hujson_t  *next;
    const tg_hujson_t  *child;
    tg_str_t            key;         /* of a member, decoded */
    tg_str_t            text;        /* string: decoded; number: as written */
    uint32_t            key_offset;  /* in bytes, of a member's key */
    uint32_t            offset;      /* in bytes, of the value */
    uint32_t            n;
    uint8_t             type;        /* tg_hujson_type_t */
};


/*
 * Reads len bytes at text, which must outlive *root: strings without escapes
 * point into it.  Everything else comes from alloc.
 *
 * Returns TG_OK; TG_ERR_SYNTAX: not HuJSON, invalid UTF-8, a byte order mark,
 * or half of a surrogate pair; TG_ERR_REFUSED: an object has a key twice;
 * TG_ERR_LIMIT: longer than TG_HUJSON_TEXT_MAX or deeper than
 * TG_HUJSON_DEPTH_MAX; TG_ERR_NOMEM.  *error, which may be NULL, then has the
 * line and column, what stands there and what was expected.
 */

int tg_hujson_parse(const tg_hujson_t **root, const char *text, size_t len,
    const tg_alloc_t *alloc, tg_error_t *error);

/*
 * The member of object that has this very key, or NULL.  object may be NULL
 * or no object.
 */

const tg_hujson_t *tg_hujson_get(const tg_hujson_t *object, const char *key);

/*
 * Line and column of a byte, both counted from 1; columns count characters.
 */

void tg_hujson_position(const char *text, size_t len, size_t offset,
    size_t *line, size_t *column);

/*
 * value as JSON without blanks, keys in their order, numbers as they were
 * written.  TG_OK or TG_ERR_NOMEM.
 */

int tg_hujson_write(const tg_hujson_t *value, const tg_alloc_t *alloc,
    tg_str_t *json);

/* A JSON string, with its quotes; invalid UTF-8 becomes U+FFFD. */

int tg_hujson_quote(tg_str_t text, const tg_alloc_t *alloc, tg_str_t *json);


#endif /* TAILGATE_HUJSON_H_INCLUDED_ */
