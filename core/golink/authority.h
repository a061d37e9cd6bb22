
/*
 * Copyright (C) The Tailgate authors
 *
 * Scheme and host: the author's alone.
 */

#ifndef TGI_GOLINK_AUTHORITY_H_INCLUDED_
#define TGI_GOLINK_AUTHORITY_H_INCLUDED_

#include "core/golink/golink.h"


/* Places in a text; what is empty is not there. */

typedef struct {
    size_t  scheme;            /* its length, without ":" */
    bool    opaque;            /* what follows the scheme is no path */
    bool    slashes;           /* "//" */
    bool    escaped;           /* "//" of which the request has the second */
    size_t  user;              /* where the authority begins */
    size_t  host;              /* behind "@" */
    size_t  port;              /* at ":", or where the path begins */
    size_t  path;
} link_authority_t;

/*
 * Looks at text up to end.  TG_OK, TG_LINK_BAD_URL, TG_LINK_SCHEME,
 * TG_LINK_HOST.
 */

int tgi_link_head(const tgi_link_text_t *text, size_t end,
    const tg_link_limits_t *limits, link_authority_t *head,
    tg_error_t *error);

/* Writes it to out, which has 3 bytes for each of text; how many. */

size_t tgi_link_put_head(const tgi_link_text_t *text,
    const link_authority_t *head, char *out);


#endif /* TGI_GOLINK_AUTHORITY_H_INCLUDED_ */
