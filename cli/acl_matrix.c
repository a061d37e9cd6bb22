
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl who, tailgate acl what: the matrix, for one destination or for
 * one person.
 */

#include <cli/acl.h>
#include <cli/cli.h>

#include <string.h>


static int who(cli_acl_t *self);
static int what(cli_acl_t *self);
static void print_row(cli_acl_t *self, const tg_acl_t *acl,
    tg_str_t first, tg_str_t second, const tg_acl_ssh_t *decision);


static const char  who_usage[] =
    "usage: tailgate acl who --policy FILE --dst NODE --user ACCOUNT\n"
    "           [--netmap N.json]\n"
    "\n"
    "Lists every node that may open an SSH session on NODE as ACCOUNT: what\n"
    "is decided, from where, whose it is, and by which rule.\n"
    "\n"
    "  --policy FILE    the policy\n"
    "  --netmap N.json  who is there; default: the node's own status\n"
    "  --dst NODE       the destination\n"
    "  --user ACCOUNT   the account on it\n"
    "  --socket PATH    the LocalAPI socket\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 somebody may, 1 nobody, 2 the command line or a file is\n"
    "wrong, 3 the node does not answer.\n";

static const char  what_usage[] =
    "usage: tailgate acl what --policy FILE --src LOGIN [--netmap N.json]\n"
    "\n"
    "Lists where the nodes of LOGIN may open an SSH session, as which\n"
    "account, and by which rule.\n"
    "\n"
    "  --policy FILE    the policy\n"
    "  --netmap N.json  who is there; default: the node's own status\n"
    "  --src LOGIN      a login, a node or an address\n"
    "  --user ACCOUNT   one account; default: all that the policy names, and\n"
    "                   the one called as LOGIN is before its @\n"
    "  --socket PATH    the LocalAPI socket\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 there is such a place, 1 there is none, 2 the command\n"
    "line or a file is wrong, 3 the node does not answer.\n";


int
cli_acl_who(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl who" };

    if (!cli_acl_options(&self, argc, argv,
                         CLI_ACL_NETMAP | CLI_ACL_SOCKET | CLI_ACL_POLICY
                         | CLI_ACL_DST | CLI_ACL_USER, who_usage, &code))
    {
        return code;
    }

    code = self.nfiles > 0 || self.dst == NULL || self.user == NULL
           ? cli_usage(self.name, "--dst and --user are needed, and no more")
           : who(&self);

    tg_arena_free(&self.arena);

    return code;
}


int
cli_acl_what(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl what" };

    if (!cli_acl_options(&self, argc, argv,
                         CLI_ACL_NETMAP | CLI_ACL_SOCKET | CLI_ACL_POLICY
                         | CLI_ACL_SRC | CLI_ACL_USER, what_usage, &code))
    {
        return code;
    }

    code = self.nfiles > 0 || self.src == NULL
           ? cli_usage(self.name, "--src is needed, and no argument")
           : what(&self);

    tg_arena_free(&self.arena);

    return code;
}


static int
who(cli_acl_t *self)
{
    int                   code;
    size_t                i, ndst;
    tg_str_t              user;
    tg_acl_t             *acl;
    tg_acl_ssh_t          decision;
    const size_t         *dst, *sorted;
    const tg_acl_node_t  *node;

    code = cli_acl_load(self, &acl);
    if (code != CLI_OK) {
        return code == CLI_BAD ? CLI_USAGE : code;
    }

    if (cli_acl_nodes(self, self->dst, &dst, &ndst) != CLI_OK) {
        return CLI_USAGE;
    }

    if (ndst != 1) {
        return cli_usage(self->name, "--dst \"%s\" has %zu nodes, name one",
                         self->dst, ndst);
    }

    sorted = cli_acl_sorted(self);
    if (sorted == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    user.data = self->user;
    user.len = strlen(self->user);
    code = CLI_BAD;

    for (i = 0; i < tg_acl_nodes(self->netmap); i++) {
        tg_acl_ssh(acl, sorted[i], dst[0], user, &decision);

        if (decision.action != TG_ACL_DENY) {
            node = tg_acl_node(self->netmap, sorted[i]);
            print_row(self, acl, node->name,
                      node->login.len > 0 ? node->login
                      : node->ntags > 0 ? node->tags[0] : node->name,
                      &decision);
            code = CLI_OK;
        }
    }

    return code;
}


/* From any node of the source: a row for each destination and account. */

static bool
strongest(const tg_acl_t *acl, const size_t *src, size_t nsrc, size_t dst,
    tg_str_t user, tg_acl_ssh_t *best)
{
    size_t         i;
    tg_acl_ssh_t   decision;

    memset(best, 0, sizeof(tg_acl_ssh_t));

    for (i = 0; i < nsrc; i++) {
        tg_acl_ssh(acl, src[i], dst, user, &decision);

        if (decision.action != TG_ACL_DENY
            && (best->action == TG_ACL_DENY
                || decision.action == TG_ACL_ACCEPT))
        {
            *best = decision;
        }
    }

    return best->action != TG_ACL_DENY;
}


static int
what(cli_acl_t *self)
{
    int              code;
    size_t           i, u, nsrc, nusers;
    tg_str_t         one, login;
    tg_acl_t        *acl;
    tg_acl_ssh_t     decision;
    const size_t    *src, *sorted;
    const tg_str_t  *users;

    code = cli_acl_load(self, &acl);
    if (code != CLI_OK) {
        return code == CLI_BAD ? CLI_USAGE : code;
    }

    if (cli_acl_nodes(self, self->src, &src, &nsrc) != CLI_OK) {
        return CLI_USAGE;
    }

    sorted = cli_acl_sorted(self);

    /* other people's accounts say nothing about this one */

    login = (nsrc > 0) ? tg_acl_node(self->netmap, src[0])->login
                       : (tg_str_t) TG_NULL_STR;

    if (self->user != NULL) {
        one.data = self->user;
        one.len = strlen(self->user);
        users = &one;
        nusers = 1;
    }

    if (sorted == NULL
        || (self->user == NULL
            && tg_acl_accounts(acl, &login, &self->alloc, &users, &nusers)
               != TG_OK))
    {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    code = CLI_BAD;

    for (i = 0; i < tg_acl_nodes(self->netmap); i++) {
        for (u = 0; u < nusers; u++) {
            if (strongest(acl, src, nsrc, sorted[i], users[u], &decision)) {
                print_row(self, acl,
                          tg_acl_node(self->netmap, sorted[i])->name,
                          users[u], &decision);
                code = CLI_OK;
            }
        }
    }

    return code;
}


static void
print_row(cli_acl_t *self, const tg_acl_t *acl, tg_str_t first,
    tg_str_t second, const tg_acl_ssh_t *decision)
{
    tg_acl_rule_t  rule;

    tg_acl_rule(acl, decision->rule, &rule);

    (void) printf("%-7s", decision->action == TG_ACL_CHECK ? "check"
                                                           : "accept");
    cli_print(stdout, first);
    (void) putchar(' ');
    cli_print(stdout, second);
    (void) printf("  %s:%zu:%zu\n", self->policy, rule.line, rule.column);
}
