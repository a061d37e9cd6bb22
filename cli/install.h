
/*
 * Copyright (C) The Tailgate authors
 */

#ifndef CLI_INSTALL_H_INCLUDED_
#define CLI_INSTALL_H_INCLUDED_

#include <tailgate/base.h>

#include <stdio.h>
#include <sys/stat.h>


/*
 * A file that is to be replaced whole: whoever opens it gets the old bytes or
 * the new ones.  Its folder stays open, so that nobody moves it away meanwhile.
 */

typedef struct {
    const char   *path;
    const char   *base;            /* in path */
    int           dir;
    bool          exists;
    struct stat   st;              /* if it does */
    char          error[TG_ERROR_TEXT_MAX];
} cli_install_t;


/*
 * Looks at what there is.  Refused, with a sentence in error: a symbolic link
 * or what is no regular file, and a folder that others than its owner may write
 * to, who could replace the file themselves.
 *
 * cli_install_close() is to be called in either case.
 */

bool cli_install_open(cli_install_t *install, const char *path);
void cli_install_close(cli_install_t *install);

/* Its bytes, up to max, in alloc; only if it exists. */

bool cli_install_read(cli_install_t *install, size_t max,
    const tg_alloc_t *alloc, tg_str_t *bytes);

/*
 * Puts bytes in its place, with the owner and the mode of what there was, else
 * the caller's and 0644, and on the disk before this returns.
 */

bool cli_install_write(cli_install_t *install, tg_str_t bytes);

/* Takes it away, on the disk as well. */

bool cli_install_remove(cli_install_t *install);


#endif /* CLI_INSTALL_H_INCLUDED_ */
