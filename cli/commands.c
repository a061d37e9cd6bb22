
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of commands, and how they complain.
 */

#include <cli/cli.h>
#include <cli/print.h>

#include <stdarg.h>
#include <stdio.h>


#define TEXT_MAX  4096


const cli_command_t  cli_commands[] = {
    { "whois", "who is behind an address", cli_whois },
    { "status", "how this node is, what is wrong and what to do",
      cli_status },
    { "acl", "the tailnet's policy file: check, explain, compare", cli_acl },
    { "lint", "what in an nginx configuration undoes the guard", cli_lint },
    { "links", "go links: list, change, import, export, apply", cli_links },
    { "policy", "who may do what here: check, test, explain, compare",
      cli_policy },
    { "probe", "ask through the proxy, and see who it takes this machine for",
      cli_probe },
    { "devnet", "play a tailnet from a file, for a machine that has none",
      cli_devnet }
};

const size_t  cli_ncommands = sizeof(cli_commands) / sizeof(cli_commands[0]);


#if defined(__GNUC__)
__attribute__((format(printf, 2, 0)))
#endif
static void
complain(const char *command, const char *fmt, va_list args)
{
    int   len;
    char  text[TEXT_MAX];

    (void) fflush(stdout);
    (void) fprintf(stderr, "tailgate %s: error: ", command);

    len = vsnprintf(text, sizeof(text), fmt, args);

    if (len >= TEXT_MAX) {
        len = TEXT_MAX - 1;
    }

    if (len > 0) {
        cli_print(stderr, (tg_str_t) { text, (size_t) len });
    }
}


void
cli_error(const char *command, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    complain(command, fmt, args);
    va_end(args);

    (void) fputc('\n', stderr);
}


int
cli_usage(const char *command, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    complain(command, fmt, args);
    va_end(args);

    (void) fprintf(stderr, ", try tailgate %s --help\n", command);

    return CLI_USAGE;
}
