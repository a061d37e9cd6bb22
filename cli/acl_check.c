
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl check: would the service take this policy?
 */

#include <cli/acl.h>
#include <cli/cli.h>


static int check(cli_acl_t *self);


static const char  usage[] =
    "usage: tailgate acl check FILE [--netmap N.json] [--json]\n"
    "\n"
    "Says whether the service would take the policy in FILE.  Its tests need\n"
    "to know who is there: a netmap, or what tailscale status --json prints.\n"
    "\n"
    "  --netmap N.json  who is there\n"
    "  --json           print one JSON object\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 accepted, 1 refused, 2 the command line or a file is\n"
    "wrong.\n";


int
cli_acl_check(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl check" };

    if (!cli_acl_options(&self, argc, argv, CLI_ACL_JSON | CLI_ACL_NETMAP,
                         usage, &code))
    {
        return code;
    }

    code = self.nfiles == 1
           ? check(&self)
           : cli_usage(self.name, "one FILE is checked at a time");

    tg_arena_free(&self.arena);

    return code;
}


static void
print_warning(void *ctx, size_t line, size_t column, const char *message)
{
    tg_str_t    text;
    cli_acl_t  *self = ctx;

    for (text.data = message, text.len = 0; message[text.len] != '\0';
         text.len++)
    {
        /* void */
    }

    (void) fputs(self->files[0], stderr);

    if (line > 0) {
        (void) fprintf(stderr, ":%zu:%zu", line, column);
    }

    (void) fputs(": warning: ", stderr);
    cli_print(stderr, text);
    (void) fputc('\n', stderr);
}


static void
print_fault(cli_acl_t *self, const tg_acl_fault_t *fault)
{
    (void) fprintf(stderr, "%s:%zu:%zu: ", self->files[0], fault->line,
                   fault->column);
    cli_print(stderr, fault->message);
    (void) fputc('\n', stderr);

    if (self->json) {
        cli_acl_json_fault(self, stdout, fault);
    }
}


static int
check(cli_acl_t *self)
{
    int              code;
    tg_acl_t        *acl;
    tg_acl_fault_t   fault;

    if (self->netmap_path != NULL) {
        code = cli_acl_netmap(self);
        if (code != CLI_OK) {
            return code;
        }
    }

    code = cli_acl_compile(self, self->files[0], &acl, &fault);

    if (code == CLI_OK && !cli_acl_tests(acl, &fault)) {
        code = CLI_BAD;
    }

    if (code == CLI_BAD) {
        print_fault(self, &fault);
    }

    if (code != CLI_OK) {
        return code;
    }

    tg_acl_warn(acl, print_warning, self);

    if (self->netmap == NULL) {
        (void) fputs("tests not run: no netmap\n", stderr);
    }

    if (self->json) {
        (void) fputs("{\"accepted\":true}\n", stdout);
    }

    return CLI_OK;
}
