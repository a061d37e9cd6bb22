
/*
 * Copyright (C) The Tailgate authors
 *
 * What the commands of tailgate(1) share.  A command is one file with one
 * entry in the table of commands.c; it gets its own name as argv[0].
 */

#ifndef CLI_H_INCLUDED_
#define CLI_H_INCLUDED_

#include <stddef.h>


/* Exit codes, the same for all commands: tailgate(1). */

#define CLI_OK           0
#define CLI_BAD          1     /* the answer is a bad one */
#define CLI_USAGE        2     /* the command line or a file is wrong */
#define CLI_UNAVAILABLE  3     /* the identity service does not answer */


typedef struct {
    const char  *name;
    const char  *summary;      /* one line, for tailgate --help */
    int        (*run)(int argc, char **argv);
} cli_command_t;

extern const cli_command_t  cli_commands[];
extern const size_t         cli_ncommands;


/* "tailgate devnet: error: ..." on standard error, with a line end. */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void cli_error(const char *command, const char *fmt, ...);

/*
 * "... try tailgate devnet --help" behind a message about the command line.
 * Returns CLI_USAGE.
 */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int cli_usage(const char *command, const char *fmt, ...);


int cli_acl(int argc, char **argv);
int cli_devnet(int argc, char **argv);
int cli_links(int argc, char **argv);
int cli_lint(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_probe(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_whois(int argc, char **argv);


#endif /* CLI_H_INCLUDED_ */
