
/*
 * Copyright (C) The Tailgate authors
 *
 * Links as JSON, as docs/links/openapi.yaml has them.
 */

#ifndef AUTHD_LINKS_JSON_H_INCLUDED_
#define AUTHD_LINKS_JSON_H_INCLUDED_

#include "authd/app/links/edit.h"

#include <jansson.h>


/* NULL when out of memory. */

json_t *authd_links_json(const authd_link_t *link, uint64_t clicks);

json_t *authd_links_json_time(int64_t seconds);

/* The same as a line, in alloc; empty when out of memory. */

tg_str_t authd_links_json_line(const authd_link_t *link, uint64_t clicks,
    const tg_alloc_t *alloc);

/*
 * What a change asks for.  Strings live in json or alloc.  With lines it is a
 * line of a full export, whose other fields are read (created, edited) or
 * ignored; else a field that is not known is refused.  False with *wrong.
 */

bool authd_links_json_edit(const json_t *json, bool lines,
    const tg_alloc_t *alloc, authd_links_edit_t *edit,
    authd_links_wrong_t *wrong);


#endif /* AUTHD_LINKS_JSON_H_INCLUDED_ */
