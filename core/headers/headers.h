
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core/headers share and nobody else sees.
 */

#ifndef TGI_HEADERS_H_INCLUDED_
#define TGI_HEADERS_H_INCLUDED_

#include <tailgate/headers.h>


/* A letter, a digit, or one of the marks of RFC 9110 5.6.2. */

bool tgi_is_token(unsigned char c);

bool tgi_is_alnum(unsigned char c);

/* What an app trims, if it thinks of Unicode: blanks and what has no width. */

bool tgi_is_blank(uint32_t c);

/*
 * Whether text comes back from the encoding as it went in: no character was
 * transliterated.  Invalid UTF-8 does not.
 */

bool tgi_encode_exact(tg_encoding_t encoding, tg_str_t text);

/*
 * The ASCII text for a character that an encoding cannot hold: "" for what has
 * no shape of its own, "?" for what is not known.  Static.
 */

tg_str_t tgi_transliterate(uint32_t c);

/* The one character for base and the combining mark behind it; 0: none. */

uint32_t tgi_compose(uint32_t base, uint32_t mark);

/* U+0300 to U+036F: a mark upon the character before it. */

bool tgi_is_mark(uint32_t c);

/*
 * A list as one text, before encoding.  TG_OK, TG_ERR_ABSENT when nothing is
 * left of it, TG_ERR_NOMEM.
 */

int tgi_join(const tg_header_t *header, const tg_list_t *list,
    const tg_alloc_t *alloc, tg_str_t *text);


#endif /* TGI_HEADERS_H_INCLUDED_ */
