
/*
 * Copyright (C) The Tailgate authors
 *
 * Fields of a form: of application/x-www-form-urlencoded, or of
 * multipart/form-data (RFC 7578).
 */

#ifndef AUTHD_LINKS_FIELD_H_INCLUDED_
#define AUTHD_LINKS_FIELD_H_INCLUDED_

#include <tailgate/base.h>


/*
 * The first field of that name in a body whose Content-Type is type.  *value
 * lives in alloc or in the body.  TG_OK; TG_ERR_ABSENT: there is none, or the
 * body is no form; TG_ERR_SYNTAX: broken escapes, or a NUL; TG_ERR_NOMEM.
 */

int authd_links_field(tg_str_t type, tg_str_t body, const char *name,
    const tg_alloc_t *alloc, tg_str_t *value);


#endif /* AUTHD_LINKS_FIELD_H_INCLUDED_ */
