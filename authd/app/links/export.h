
/*
 * Copyright (C) The Tailgate authors
 *
 * All links, a line each.
 */

#ifndef AUTHD_LINKS_EXPORT_H_INCLUDED_
#define AUTHD_LINKS_EXPORT_H_INCLUDED_

#include "authd/app/links/page.h"


typedef enum {
    AUTHD_LINKS_LINES_GOLINK = 0,
    AUTHD_LINKS_LINES_FULL
} authd_links_lines_t;

/* Answers and ends the call. */

void authd_links_export_lines(authd_links_call_t *call,
    authd_links_lines_t lines, const char *type);


#endif /* AUTHD_LINKS_EXPORT_H_INCLUDED_ */
