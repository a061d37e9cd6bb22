
/*
 * Copyright (C) The Tailgate authors
 *
 * Strings and numbers as Go's source has them.
 */

#ifndef TGI_GOLINK_LITERAL_H_INCLUDED_
#define TGI_GOLINK_LITERAL_H_INCLUDED_

#include "core/golink/golink.h"


/*
 * What a quoted string stands for, to out, which has text.len bytes.  text has
 * its quotes.  TG_OK, TG_ERR_SYNTAX, or TG_ERR_REFUSED for bytes that are not
 * UTF-8.
 */

int tgi_link_unquote(tg_str_t text, char *out, size_t *len);

/* The code point of a 'c'. */

int tgi_link_unquote_char(tg_str_t text, uint32_t *c);

/* An integer or, with *real, a number with a fraction or exponent. */

int tgi_link_number(tg_str_t text, bool *is_real, int64_t *integer,
    double *real);


#endif /* TGI_GOLINK_LITERAL_H_INCLUDED_ */
