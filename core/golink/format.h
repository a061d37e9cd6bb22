
/*
 * Copyright (C) The Tailgate authors
 *
 * Formats of printf.
 */

#ifndef TGI_GOLINK_FORMAT_H_INCLUDED_
#define TGI_GOLINK_FORMAT_H_INCLUDED_

#include "core/golink/golink.h"


/* Widths and precisions are bounded: nobody needs a longer one in a URL. */

#define LINK_WIDTH_MAX  1000

typedef struct {
    char    verb;              /* 's', 'd', 'v', 'q', or '%' for itself */
    bool    minus;
    bool    plus;
    bool    space;
    bool    zero;
    int     width;             /* -1: none */
    int     precision;
} link_verb_t;

/*
 * The verb at format.data[*i], a "%"; *i is then behind it.  TG_OK,
 * TG_ERR_SYNTAX, TG_ERR_REFUSED, TG_ERR_LIMIT.
 */

int tgi_link_format_verb(tg_str_t format, size_t *i, link_verb_t *verb,
    tg_error_t *error);

/* Whether a format is accepted and takes n values. */

int tgi_link_format_check(tg_str_t format, size_t n, tg_error_t *error);


#endif /* TGI_GOLINK_FORMAT_H_INCLUDED_ */
