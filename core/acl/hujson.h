
/*
 * Copyright (C) The Tailgate authors
 *
 * The HuJSON reader, between its files.
 */

#ifndef TGI_ACL_HUJSON_H_INCLUDED_
#define TGI_ACL_HUJSON_H_INCLUDED_

#include <tailgate/hujson.h>


typedef struct {
    const char        *text;
    size_t             len;
    size_t             pos;
    unsigned           depth;
    const tg_alloc_t  *alloc;
    tg_error_t        *error;
} tgi_hujson_reader_t;


/* At pos: a string with its quotes, a number, null, true or false. */

int tgi_hujson_string(tgi_hujson_reader_t *reader, tg_str_t *string);
int tgi_hujson_number(tgi_hujson_reader_t *reader, tg_hujson_t *value);
int tgi_hujson_word(tgi_hujson_reader_t *reader, tg_hujson_t *value);

/* The byte at pos, NUL at the end. */

char tgi_hujson_peek(const tgi_hujson_reader_t *reader);

/* TG_ERR_SYNTAX: what stands at pos, and what should. */

int tgi_hujson_expected(tgi_hujson_reader_t *reader, const char *what);

/* Returns code. */

int tgi_hujson_fail(tgi_hujson_reader_t *reader, size_t offset, int code,
    const char *message);


#endif /* TGI_ACL_HUJSON_H_INCLUDED_ */
