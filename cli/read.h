
/*
 * Copyright (C) The Tailgate authors
 */

#ifndef CLI_READ_H_INCLUDED_
#define CLI_READ_H_INCLUDED_

#include <tailgate/base.h>


/*
 * All of a file ("-": standard input) of up to max bytes, in alloc, with a NUL
 * behind it that text->len does not count.  Returns 0, or errno: EFBIG for a
 * larger one.
 */

int cli_read(const char *path, size_t max, const tg_alloc_t *alloc,
    tg_str_t *text);


#endif /* CLI_READ_H_INCLUDED_ */
