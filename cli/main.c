
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate(1): finds the command and runs it.
 */

#include <cli/cli.h>
#include <tailgate_config.h>

#include <stdio.h>
#include <string.h>


static void
help(void)
{
    size_t  i;

    printf("Usage: tailgate COMMAND [ARGUMENT ...]\n"
           "       tailgate --help | --version\n\n");

    for (i = 0; i < cli_ncommands; i++) {
        printf("  %-10s %s\n", cli_commands[i].name, cli_commands[i].summary);
    }

    printf("\ntailgate COMMAND --help explains a command.\n\n"
           "Exit status: 0 a good answer, 1 a bad one, 2 the command line or a"
           " file\nis wrong, 3 the identity service does not answer.\n");
}


int
main(int argc, char **argv)
{
    size_t  i;

    if (argc < 2) {
        (void) fprintf(stderr, "tailgate: error: no command,"
                               " try tailgate --help\n");
        return CLI_USAGE;
    }

    if (strcmp(argv[1], "--help") == 0) {
        help();
        return CLI_OK;
    }

    if (strcmp(argv[1], "--version") == 0) {
        printf("tailgate %s\n", TAILGATE_VERSION);
        return CLI_OK;
    }

    for (i = 0; i < cli_ncommands; i++) {

        if (strcmp(argv[1], cli_commands[i].name) == 0) {
            return cli_commands[i].run(argc - 1, argv + 1);
        }
    }

    (void) fprintf(stderr, "tailgate: error: \"%s\" is no command,"
                           " try tailgate --help\n", argv[1]);

    return CLI_USAGE;
}
