
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core/golink share.
 */

#ifndef TGI_GOLINK_H_INCLUDED_
#define TGI_GOLINK_H_INCLUDED_

#include <tailgate/golink.h>


/* The value of a hexadecimal digit, or -1. */

int tgi_link_hex(char c);

/* The byte that the "%" at i and two digits stand for, or -1. */

int tgi_link_escape(tg_str_t text, size_t i);


/*
 * Where a byte of a text comes from.  Only the author's can be punctuation of
 * the URL; what a visitor sent is data, and escaped for its place.
 */

typedef enum {
    LINK_AUTHOR = 0,           /* of the link itself */
    LINK_SENT,                 /* of the request, where it was not encoded */
    LINK_CODED,                /* of the request, where it was "%XX" */
    LINK_USER,                 /* of the login */
    LINK_DONE                  /* of the request, escaped by a function */
} tgi_link_mark_t;

/* A text with its marks: one for all of it if marks is NULL. */

typedef struct {
    const char     *data;
    const uint8_t  *marks;
    size_t          len;
    uint8_t         mark;
} tgi_link_text_t;


/* A buffer of text and marks in the memory of a caller. */

typedef struct {
    char              *data;
    uint8_t           *marks;
    size_t             len;
    size_t             size;
    size_t             max;
    size_t             budget;     /* bytes that may still be allocated */
    const tg_alloc_t  *alloc;
} tgi_link_buf_t;

/* TG_OK, TG_ERR_NOMEM, or TG_LINK_OUTPUT: longer than max. */

int tgi_link_buf_add(tgi_link_buf_t *buf, const tgi_link_text_t *text);
int tgi_link_buf_bytes(tgi_link_buf_t *buf, const char *data, size_t len,
    uint8_t mark);


/*
 * The decoded rest of a request's path.  TG_OK, TG_LINK_BYTES, TG_ERR_NOMEM.
 */

int tgi_link_decode(tg_str_t rest, const tg_alloc_t *alloc,
    tgi_link_text_t *text, tg_error_t *error);

/*
 * The value of the first pair of that name, which is empty if there is none.
 * TG_OK, TG_LINK_BYTES, TG_ERR_NOMEM.
 */

int tgi_link_query_get(tg_str_t query, tg_str_t name, const tg_alloc_t *alloc,
    tgi_link_text_t *text, tg_error_t *error);

/* Whether the name of a pair, as sent, is name when decoded. */

bool tgi_link_query_is(tg_str_t pair, tg_str_t name);


/*
 * The value of Location from text.  query is appended without the pairs whose
 * names are among taken.
 */

int tgi_link_url(const tgi_link_text_t *text, tg_str_t query,
    const tg_str_t *taken, size_t ntaken, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error);

/* Sets of bytes in URLs; a bit of tgi_link_chars for each. */

#define LINK_PATH       0x01   /* Go writes it as it is in a path */
#define LINK_PATH_OK    0x02   /* Go leaves it where it is written so */
#define LINK_FRAG       0x04   /* the same two for fragments */
#define LINK_FRAG_OK    0x08
#define LINK_HOST       0x10   /* of a host name */
#define LINK_USERINFO   0x20
#define LINK_UNRESERVED 0x40   /* letters, digits, "-", ".", "_", "~" */
#define LINK_SEGMENT    0x80   /* left by PathEscape */

extern const uint8_t  tgi_link_chars[256];

/* The hexadecimal escape of a byte, three bytes at p. */

void tgi_link_put_escape(char *p, unsigned char c);


/* Lower and upper case of a code point, as Unicode maps single ones. */

uint32_t tgi_link_lower(uint32_t c);
uint32_t tgi_link_upper(uint32_t c);

/* UTF-8 of c at p, which has four bytes; how many it is. */

size_t tgi_link_put_utf8(char *p, uint32_t c);


#endif /* TGI_GOLINK_H_INCLUDED_ */
