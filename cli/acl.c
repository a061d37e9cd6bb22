
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl: the tailnet's policy file, checked, explained and compared.
 */

#include <cli/acl.h>
#include <cli/cli.h>

#include <string.h>


static const struct {
    const char  *name;
    int        (*run)(int argc, char **argv);
} forms[] = {
    { "check", cli_acl_check },
    { "eval", cli_acl_eval },
    { "ssh", cli_acl_ssh },
    { "who", cli_acl_who },
    { "what", cli_acl_what },
    { "diff", cli_acl_diff },
    { "test", cli_acl_test }
};

static const char  usage[] =
    "usage: tailgate acl check FILE [--netmap N.json] [--json]\n"
    "       tailgate acl eval CASE.json... --json\n"
    "       tailgate acl ssh --policy FILE --src NODE|LOGIN|ADDR --dst NODE\n"
    "           --user ACCOUNT [--netmap N.json]\n"
    "       tailgate acl who --policy FILE --dst NODE --user ACCOUNT\n"
    "           [--netmap N.json]\n"
    "       tailgate acl what --policy FILE --src LOGIN [--netmap N.json]\n"
    "       tailgate acl diff OLD NEW [--netmap N.json]\n"
    "       tailgate acl test FILE [--netmap N.json]\n"
    "\n"
    "Reads the tailnet's policy file as the service reads it.  Each form has\n"
    "its own --help.\n";


int
cli_acl(int argc, char **argv)
{
    size_t  i;

    if (argc < 2) {
        return cli_usage("acl", "no form was named");
    }

    if (strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return CLI_OK;
    }

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(argv[1], forms[i].name) == 0) {
            return forms[i].run(argc - 1, argv + 1);
        }
    }

    return cli_usage("acl", "\"%s\" is none of its forms", argv[1]);
}
