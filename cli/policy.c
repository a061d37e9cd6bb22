
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: who may do what on this node's routes, checked, explained
 * and compared.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <string.h>


static const struct {
    const char  *name;
    int        (*run)(int argc, char **argv);
} forms[] = {
    { "check", cli_policy_check },
    { "test", cli_policy_test },
    { "explain", cli_policy_explain },
    { "who", cli_policy_who },
    { "what", cli_policy_what },
    { "diff", cli_policy_diff },
    { "apply", cli_policy_apply }
};

static const char  usage[] =
    "usage: tailgate policy check FILE [--json]\n"
    "       tailgate policy test FILE [--junit OUT] [--json]\n"
    "       tailgate policy explain [FILE] --as LOGIN --request REQUEST\n"
    "       tailgate policy who [FILE] --request REQUEST\n"
    "       tailgate policy what [FILE] --as LOGIN\n"
    "       tailgate policy diff OLD NEW [--log AUDIT]\n"
    "       tailgate policy apply FILE [--dry-run]\n"
    "\n"
    "Reads a policy as the nginx module and tailgate-authd read it, and\n"
    "decides as they do.  Each form has its own --help.\n";


int
cli_policy(int argc, char **argv)
{
    size_t  i;

    if (argc < 2) {
        return cli_usage("policy", "no form was named");
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

    return cli_usage("policy", "\"%s\" is none of its forms", argv[1]);
}
