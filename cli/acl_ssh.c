
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl ssh: one decision, the rule that made it, and why the others
 * did not.
 */

#include <cli/acl.h>
#include <cli/cli.h>

#include <inttypes.h>
#include <string.h>


static int run(cli_acl_t *self);
static void explain(cli_acl_t *self, const tg_acl_t *acl, size_t src,
    size_t dst, const tg_acl_ssh_t *decision);
static void print_decision(cli_acl_t *self, const tg_acl_t *acl, size_t src,
    size_t dst, const tg_acl_ssh_t *decision);
static void print_others(cli_acl_t *self, const tg_acl_t *acl, size_t src,
    size_t dst, const tg_acl_ssh_t *decision);
static void print_change(cli_acl_t *self, const tg_acl_t *acl, size_t src,
    size_t dst, const tg_acl_ssh_t *decision);
static void print_network(cli_acl_t *self, const tg_acl_t *acl, size_t src,
    size_t dst);


static const char  usage[] =
    "usage: tailgate acl ssh --policy FILE [--netmap N.json]\n"
    "           --src NODE|LOGIN|ADDR --dst NODE --user ACCOUNT\n"
    "\n"
    "Says what the policy decides for an SSH session, by which rule, why the\n"
    "rules before it did not match, and what a change would need.\n"
    "\n"
    "  --policy FILE    the policy\n"
    "  --netmap N.json  who is there; default: the node's own status\n"
    "  --src WHO        from: a node, an address, or all nodes of a login\n"
    "  --dst NODE       to\n"
    "  --user ACCOUNT   as\n"
    "  --socket PATH    the LocalAPI socket\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 accept or check, 1 deny (from any of the nodes), 2 the\n"
    "command line or a file is wrong, 3 the node does not answer.\n";


int
cli_acl_ssh(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl ssh" };

    if (!cli_acl_options(&self, argc, argv,
                         CLI_ACL_NETMAP | CLI_ACL_SOCKET | CLI_ACL_POLICY
                         | CLI_ACL_SRC | CLI_ACL_DST | CLI_ACL_USER, usage,
                         &code))
    {
        return code;
    }

    if (self.nfiles > 0) {
        code = cli_usage(self.name, "\"%s\" is one argument too many",
                         self.files[0]);

    } else if (self.src == NULL || self.dst == NULL || self.user == NULL) {
        code = cli_usage(self.name, "--src, --dst and --user are needed");

    } else {
        code = run(&self);
    }

    tg_arena_free(&self.arena);

    return code;
}


static int
run(cli_acl_t *self)
{
    int            code;
    size_t         i, nsrc, ndst;
    tg_str_t       user;
    tg_acl_t      *acl;
    tg_acl_ssh_t   decision;
    const size_t  *src, *dst;

    code = cli_acl_load(self, &acl);
    if (code != CLI_OK) {
        return code == CLI_BAD ? CLI_USAGE : code;
    }

    if (cli_acl_nodes(self, self->src, &src, &nsrc) != CLI_OK
        || cli_acl_nodes(self, self->dst, &dst, &ndst) != CLI_OK)
    {
        return CLI_USAGE;
    }

    if (ndst != 1) {
        return cli_usage(self->name, "--dst \"%s\" has %zu nodes, name one",
                         self->dst, ndst);
    }

    user.data = self->user;
    user.len = strlen(self->user);

    for (i = 0; i < nsrc; i++) {
        tg_acl_ssh(acl, src[i], dst[0], user, &decision);

        if (i > 0) {
            (void) putchar('\n');
        }

        explain(self, acl, src[i], dst[0], &decision);

        if (decision.action == TG_ACL_DENY) {
            code = CLI_BAD;
        }
    }

    return code;
}


static void
explain(cli_acl_t *self, const tg_acl_t *acl, size_t src, size_t dst,
    const tg_acl_ssh_t *decision)
{
    print_decision(self, acl, src, dst, decision);
    print_others(self, acl, src, dst, decision);
    print_change(self, acl, src, dst, decision);
    print_network(self, acl, src, dst);
}


static void
print_period(int64_t period)
{
    if (period == 0) {
        (void) printf(" (each time)");
        return;
    }

    (void) printf(" (every %" PRId64, period / 1000000000);

    if (period % 1000000000 != 0) {
        (void) printf(".%09" PRId64, period % 1000000000);
    }

    (void) printf(" s)");
}


static void
print_rule(cli_acl_t *self, const tg_acl_t *acl, size_t number)
{
    tg_acl_rule_t  rule;

    tg_acl_rule(acl, number, &rule);

    (void) printf("%s:%zu:%zu: ssh[%zu] %s", self->policy, rule.line,
                  rule.column, rule.index,
                  rule.action == TG_ACL_CHECK ? "check" : "accept");
}


static void
print_decision(cli_acl_t *self, const tg_acl_t *acl, size_t src, size_t dst,
    const tg_acl_ssh_t *decision)
{
    tg_str_t  user = { self->user, strlen(self->user) };

    static const char *const  names[] = { "deny", "accept", "check" };

    (void) printf("%s", names[decision->action]);

    if (decision->action == TG_ACL_CHECK) {
        print_period(decision->period);
    }

    (void) printf(": ");
    cli_print(stdout, tg_acl_node(self->netmap, src)->name);

    if (tg_acl_node(self->netmap, src)->login.len > 0) {
        (void) printf(" (");
        cli_print(stdout, tg_acl_node(self->netmap, src)->login);
        (void) printf(")");
    }

    (void) printf(" to ");
    cli_print(stdout, tg_acl_node(self->netmap, dst)->name);
    (void) printf(" as ");
    cli_print(stdout, user);
    (void) putchar('\n');

    if (decision->action != TG_ACL_DENY) {
        (void) printf("  by ");
        print_rule(self, acl, decision->rule);
        (void) putchar('\n');
        return;
    }

    (void) printf("  no rule lets it in: %s\n",
                  decision->principal
                  ? "rules name this source, none this account"
                  : "no rule names this source for this destination");
}


static const char *
why(tg_acl_try_t result)
{
    switch (result) {

    case TG_ACL_TRY_DST:
        return "is not for this destination";

    case TG_ACL_TRY_SRC:
        return "does not name this source";

    case TG_ACL_TRY_SELF:
        return "is for a user's own nodes: these belong to two";

    case TG_ACL_TRY_USER:
        return "does not name this account";

    case TG_ACL_TRY_POSTURE:
        return "asks for a device posture, which is not known here";

    case TG_ACL_TRY_RECORDER:
        return "enforces a recorder, which there is none of here";

    default:
        return "matches too, but comes later";
    }
}


/* All rules that were tried before; of the later ones nobody asked. */

static void
print_others(cli_acl_t *self, const tg_acl_t *acl, size_t src, size_t dst,
    const tg_acl_ssh_t *decision)
{
    size_t    i, n;
    tg_str_t  user = { self->user, strlen(self->user) };

    n = decision->action == TG_ACL_DENY ? tg_acl_rules(acl) : decision->rule;

    for (i = 0; i < n; i++) {
        (void) printf("  not by ");
        print_rule(self, acl, i);
        (void) printf(": it %s\n",
                      why(tg_acl_rule_try(acl, i, src, dst, user)));
    }
}


/* The rule that came closest, and what it lacks. */

static void
print_change(cli_acl_t *self, const tg_acl_t *acl, size_t src, size_t dst,
    const tg_acl_ssh_t *decision)
{
    size_t                i, best;
    tg_str_t              who;
    tg_str_t              user = { self->user, strlen(self->user) };
    tg_acl_try_t          result, closest;
    const tg_acl_node_t  *node;

    if (decision->action != TG_ACL_DENY) {
        return;
    }

    node = tg_acl_node(self->netmap, src);
    who = node->login.len > 0 ? node->login
          : node->ntags > 0 ? node->tags[0] : node->name;

    for (i = 0, best = 0, closest = TG_ACL_TRY_MATCH; i < tg_acl_rules(acl);
         i++)
    {
        result = tg_acl_rule_try(acl, i, src, dst, user);

        if ((result == TG_ACL_TRY_USER || result == TG_ACL_TRY_SRC)
            && result > closest)
        {
            closest = result;
            best = i;
        }
    }

    (void) printf("  to allow it: ");

    if (closest == TG_ACL_TRY_USER) {
        (void) printf("add \"");
        cli_print(stdout, user);
        (void) printf("\" to users of ");
        print_rule(self, acl, best);

    } else if (closest == TG_ACL_TRY_SRC) {
        (void) printf("add \"");
        cli_print(stdout, who);
        (void) printf("\", or a group of it, to src of ");
        print_rule(self, acl, best);

    } else {
        (void) printf("an ssh rule with this destination is needed");
    }

    (void) putchar('\n');
}


static void
print_network(cli_acl_t *self, const tg_acl_t *acl, size_t src, size_t dst)
{
    (void) self;

    if (src != dst && !tg_acl_reach(acl, src, dst, 6, 22)) {
        (void) printf("  but acls and grants do not let the source reach tcp "
                      "port 22: the ssh section opens no port\n");
    }
}
