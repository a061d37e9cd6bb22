
/*
 * Copyright (C) The Tailgate authors
 *
 * One record of a file of links.
 */

#ifndef TGI_GOLINK_RECORD_H_INCLUDED_
#define TGI_GOLINK_RECORD_H_INCLUDED_

#include "core/golink/golink.h"


#define LINK_LINE_MAX   65536      /* bytes of a line of JSON, or of a row */
#define LINK_OWNER_MAX  320        /* 64, "@" and 255: RFC 5321 */


/* An object; what is not in it stays as it was. */

int tgi_link_read_json(tg_str_t line, const tg_alloc_t *alloc,
    tg_link_record_t *record, tg_error_t *error);

/*
 * The row that text begins with, of *n bytes and *lines lines; *head if it
 * names the columns.  TG_ERR_ABSENT for an empty line.
 */

int tgi_link_read_row(tg_str_t text, size_t *n, size_t *lines,
    const tg_alloc_t *alloc, tg_link_record_t *record, bool *head,
    tg_error_t *error);

int tgi_link_write_json(const tg_link_record_t *record,
    const tg_alloc_t *alloc, tg_str_t *line);
int tgi_link_write_row(const tg_link_record_t *record,
    const tg_alloc_t *alloc, tg_str_t *line);


#endif /* TGI_GOLINK_RECORD_H_INCLUDED_ */
