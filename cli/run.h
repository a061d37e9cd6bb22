
/*
 * Copyright (C) The Tailgate authors
 */

#ifndef CLI_RUN_H_INCLUDED_
#define CLI_RUN_H_INCLUDED_

#include <stddef.h>


#define CLI_RUN_OUTPUT_MAX  65536

typedef struct {
    int     status;                /* its exit status; 128 and the signal's
                                      number if one ended it */
    size_t  len;
    char    output[CLI_RUN_OUTPUT_MAX + 1];    /* what it wrote to standard
                                      output and error, with a NUL */
} cli_run_t;

/*
 * Runs a program, found by PATH, with nothing to read, and waits for its end.
 * What it writes past CLI_RUN_OUTPUT_MAX is dropped.  Returns 0, or errno if
 * it could not be run.
 */

int cli_run(char *const *argv, cli_run_t *run);


#endif /* CLI_RUN_H_INCLUDED_ */
