
/*
 * Copyright (C) The Tailgate authors
 *
 * What a golink has: its database, or one that runs.
 */

#ifndef CLI_LINKS_GOLINK_H_INCLUDED_
#define CLI_LINKS_GOLINK_H_INCLUDED_

#include "cli/links.h"


/* Bytes of a file, or of an export. */

#define CLI_LINKS_FILE_MAX  ((size_t) 512 * 1024 * 1024)


/* Texts live in the alloc of links. */

typedef struct {
    tg_str_t  lines;               /* as golink exports them */
    tg_str_t  clicks;              /* id,seconds,clicks; one line for each link
                                      and day, empty: none are known */
} cli_links_golink_t;


/*
 * CLI_OK; else the exit code, after a message.  A golink that runs without
 * telling clicks has none.
 */

int cli_links_golink_file(cli_links_t *links, const char *file,
    cli_links_golink_t *golink);
int cli_links_golink_url(cli_links_t *links, const char *url,
    cli_links_golink_t *golink);


#endif /* CLI_LINKS_GOLINK_H_INCLUDED_ */
