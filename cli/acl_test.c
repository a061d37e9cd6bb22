
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl test: the policy's own tests, each failing assertion by name.
 */

#include <cli/acl.h>
#include <cli/cli.h>


static int test(cli_acl_t *self);
static void print_failure(void *ctx, const tg_acl_failure_t *failure);


static const char  usage[] =
    "usage: tailgate acl test FILE [--netmap N.json]\n"
    "\n"
    "Runs tests and sshTests of the policy in FILE and names each assertion\n"
    "that does not hold.\n"
    "\n"
    "  --policy FILE    the same as FILE\n"
    "  --netmap N.json  who is there; default: the node's own status\n"
    "  --socket PATH    the LocalAPI socket\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 all hold, 1 some do not or the policy is refused, 2 the\n"
    "command line or a file is wrong, 3 the node does not answer.\n";


int
cli_acl_test(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl test" };

    if (!cli_acl_options(&self, argc, argv,
                         CLI_ACL_NETMAP | CLI_ACL_SOCKET | CLI_ACL_POLICY,
                         usage, &code))
    {
        return code;
    }

    if (self.nfiles == 1 && self.policy == NULL) {
        self.policy = self.files[0];
        self.nfiles = 0;
    }

    code = self.nfiles == 0 && self.policy != NULL
           ? test(&self)
           : cli_usage(self.name, "one FILE is tested at a time");

    tg_arena_free(&self.arena);

    return code;
}


static int
test(cli_acl_t *self)
{
    int        code;
    size_t     n;
    tg_acl_t  *acl;

    code = cli_acl_load(self, &acl);
    if (code != CLI_OK) {
        return code;
    }

    n = tg_acl_test(acl, print_failure, self);

    if (n > 0) {
        (void) printf("%zu assertion%s of %zu test%s failed\n", n,
                      n == 1 ? "" : "s", tg_acl_ntests(acl),
                      tg_acl_ntests(acl) == 1 ? "" : "s");
        return CLI_BAD;
    }

    (void) printf("%zu test%s passed\n", tg_acl_ntests(acl),
                  tg_acl_ntests(acl) == 1 ? "" : "s");

    return CLI_OK;
}


static void
print_failure(void *ctx, const tg_acl_failure_t *failure)
{
    cli_acl_t  *self = ctx;

    (void) printf("%s:%zu:%zu: %s[%zu] from ", self->policy, failure->line,
                  failure->column, failure->section, failure->index);
    cli_print(stdout, failure->src);

    if (failure->dst.len > 0) {
        (void) printf(" to ");
        cli_print(stdout, failure->dst);
    }

    (void) printf(": %s", failure->assertion);

    if (failure->item.len > 0) {
        (void) printf(" \"");
        cli_print(stdout, failure->item);
        (void) printf("\"");
    }

    (void) printf(": %s\n", failure->reason);
}
