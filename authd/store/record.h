
/*
 * Copyright (C) The Tailgate authors
 *
 * Links to and from rows and to and from the JSON that history keeps.
 */

#ifndef AUTHD_STORE_RECORD_H_INCLUDED_
#define AUTHD_STORE_RECORD_H_INCLUDED_

#include "authd/store/engine.h"
#include "authd/store/link.h"


/* Columns of a link in a row, its clicks being the last of them. */

#define AUTHD_RECORD_COLUMNS  16

/*
 * The link in columns, and its clicks; *record is NULL if there is none (the
 * outer side of a join).  TG_OK, TG_ERR_NOMEM, TG_ERR_TYPE: not such columns.
 */

int authd_record_read(const authd_value_t *columns, size_t n,
    authd_record_t **record, uint64_t *clicks);

/* The values of AUTHD_SQL_LINK_PUT, which borrow from link; their number. */

size_t authd_record_values(const authd_link_t *link,
    authd_value_t values[AUTHD_RECORD_COLUMNS]);


/*
 * authd_record_dump() returns a text to free() with its length, NULL when out
 * of memory.  authd_record_parse() returns NULL for NULL, when out of memory,
 * and for what is no link.
 */

char *authd_record_dump(const authd_link_t *link, size_t *len);
authd_record_t *authd_record_parse(tg_str_t json);


#endif /* AUTHD_STORE_RECORD_H_INCLUDED_ */
