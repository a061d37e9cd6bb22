
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl diff: every decision that another policy changes.
 */

#include <cli/acl.h>
#include <cli/cli.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


static int diff(cli_acl_t *self);
static int load(cli_acl_t *self, tg_acl_t **acls);
static bool both_accounts(cli_acl_t *self, tg_acl_t **acls,
    const tg_str_t **users, size_t *n);
static size_t diff_ssh(cli_acl_t *self, tg_acl_t **acls, const size_t *sorted,
    const tg_str_t *users, size_t nusers);
static size_t diff_tcp22(cli_acl_t *self, tg_acl_t **acls,
    const size_t *sorted);
static size_t diff_caps(cli_acl_t *self, tg_acl_t **acls,
    const size_t *sorted);


static const char  usage[] =
    "usage: tailgate acl diff OLD NEW [--netmap N.json]\n"
    "\n"
    "Prints every decision that changes from the policy OLD to NEW: SSH\n"
    "sessions, tcp port 22, application capabilities.\n"
    "\n"
    "  --netmap N.json  who is there; default: the node's own status\n"
    "  --socket PATH    the LocalAPI socket\n"
    "  --domain DOMAIN  a domain of the tailnet, for user:*@ and localpart:*@\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 nothing changes, 1 something does, 2 the command line or\n"
    "a file is wrong, 3 the node does not answer.\n";


int
cli_acl_diff(int argc, char **argv)
{
    int        code;
    cli_acl_t  self = { .name = "acl diff" };

    if (!cli_acl_options(&self, argc, argv, CLI_ACL_NETMAP | CLI_ACL_SOCKET,
                         usage, &code))
    {
        return code;
    }

    code = self.nfiles == 2 ? diff(&self)
                            : cli_usage(self.name, "it takes OLD and NEW");

    tg_arena_free(&self.arena);

    return code;
}


static int
diff(cli_acl_t *self)
{
    int              code;
    size_t           n, nusers;
    tg_acl_t        *acls[2];
    const size_t    *sorted;
    const tg_str_t  *users;

    code = load(self, acls);
    if (code != CLI_OK) {
        return code;
    }

    sorted = cli_acl_sorted(self);

    if (sorted == NULL || !both_accounts(self, acls, &users, &nusers)) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    n = diff_ssh(self, acls, sorted, users, nusers);
    n += diff_tcp22(self, acls, sorted);
    n += diff_caps(self, acls, sorted);

    return n == 0 ? CLI_OK : CLI_BAD;
}


static int
load(cli_acl_t *self, tg_acl_t **acls)
{
    int  i, code;

    code = cli_acl_netmap(self);

    for (i = 0; code == CLI_OK && i < 2; i++) {
        code = cli_acl_policy(self, self->files[i], &acls[i]);
    }

    return code == CLI_BAD ? CLI_USAGE : code;
}


static int
compare(const void *a, const void *b)
{
    int              rc;
    size_t           n;
    const tg_str_t  *x = a, *y = b;

    n = x->len < y->len ? x->len : y->len;
    rc = n == 0 ? 0 : memcmp(x->data, y->data, n);

    return rc != 0 ? rc : (x->len > y->len) - (x->len < y->len);
}


static bool
both_accounts(cli_acl_t *self, tg_acl_t **acls, const tg_str_t **users,
    size_t *n)
{
    size_t           i, last, counts[2];
    tg_str_t        *all;
    const tg_str_t  *lists[2];

    if (tg_acl_accounts(acls[0], NULL, &self->alloc, &lists[0], &counts[0])
        != TG_OK
        || tg_acl_accounts(acls[1], NULL, &self->alloc, &lists[1], &counts[1])
           != TG_OK)
    {
        return false;
    }

    all = self->alloc.alloc(self->alloc.ctx,
                            (counts[0] + counts[1]) * sizeof(tg_str_t));
    if (all == NULL) {
        return false;
    }

    memcpy(all, lists[0], counts[0] * sizeof(tg_str_t));
    memcpy(all + counts[0], lists[1], counts[1] * sizeof(tg_str_t));
    qsort(all, counts[0] + counts[1], sizeof(tg_str_t), compare);

    for (i = 1, last = 0; i < counts[0] + counts[1]; i++) {
        if (compare(&all[i], &all[last]) != 0) {
            all[++last] = all[i];
        }
    }

    *users = all;
    *n = last + 1;

    return true;
}


static void
print_pair(cli_acl_t *self, const char *what, size_t src, size_t dst)
{
    (void) printf("%s ", what);
    cli_print(stdout, tg_acl_node(self->netmap, src)->name);
    (void) printf(" to ");
    cli_print(stdout, tg_acl_node(self->netmap, dst)->name);
}


static void
print_ssh(const tg_acl_ssh_t *decision)
{
    static const char *const  names[] = { "deny", "accept", "check" };

    (void) printf("%s", names[decision->action]);

    if (decision->action == TG_ACL_CHECK) {
        (void) printf(" %" PRId64 "s", decision->period / 1000000000);
    }
}


static bool
same_env(cli_acl_t *self, const tg_hujson_t *a, const tg_hujson_t *b)
{
    tg_str_t  x, y;

    if (a == NULL || b == NULL) {
        return a == b;
    }

    return tg_hujson_write(a, &self->alloc, &x) == TG_OK
           && tg_hujson_write(b, &self->alloc, &y) == TG_OK
           && compare(&x, &y) == 0;
}


static size_t
diff_ssh(cli_acl_t *self, tg_acl_t **acls, const size_t *sorted,
    const tg_str_t *users, size_t nusers)
{
    size_t         d, s, u, n, changed;
    tg_acl_ssh_t   old, new;

    n = tg_acl_nodes(self->netmap);
    changed = 0;

    for (d = 0; d < n; d++) {
        for (s = 0; s < n; s++) {
            for (u = 0; u < nusers; u++) {
                bool  env;

                tg_acl_ssh(acls[0], sorted[s], sorted[d], users[u], &old);
                tg_acl_ssh(acls[1], sorted[s], sorted[d], users[u], &new);

                env = !same_env(self, old.accept_env, new.accept_env);

                if (old.action == new.action && old.period == new.period
                    && !env)
                {
                    continue;
                }

                print_pair(self, "ssh", sorted[s], sorted[d]);
                (void) printf(" as ");
                cli_print(stdout, users[u]);
                (void) printf(": ");
                print_ssh(&old);
                (void) printf(" -> ");
                print_ssh(&new);
                (void) printf("%s\n", env ? " (acceptEnv changes)" : "");
                changed++;
            }
        }
    }

    return changed;
}


static size_t
diff_tcp22(cli_acl_t *self, tg_acl_t **acls, const size_t *sorted)
{
    bool    old, new;
    size_t  d, s, n, changed;

    n = tg_acl_nodes(self->netmap);
    changed = 0;

    for (d = 0; d < n; d++) {
        for (s = 0; s < n; s++) {

            if (s == d) {
                continue;
            }

            old = tg_acl_reach(acls[0], sorted[s], sorted[d], 6, 22);
            new = tg_acl_reach(acls[1], sorted[s], sorted[d], 6, 22);

            if (old != new) {
                print_pair(self, "tcp22", sorted[s], sorted[d]);
                (void) printf(": %s\n", new ? "closed -> open"
                                            : "open -> closed");
                changed++;
            }
        }
    }

    return changed;
}


static const tg_acl_cap_t *
cap_of(const tg_acl_cap_t *caps, size_t n, tg_str_t name)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (compare(&caps[i].name, &name) == 0) {
            return &caps[i];
        }
    }

    return NULL;
}


static bool
same_values(cli_acl_t *self, const tg_acl_cap_t *a, const tg_acl_cap_t *b)
{
    size_t    i;
    tg_str_t  x, y;

    if (a->nvalues != b->nvalues) {
        return false;
    }

    for (i = 0; i < a->nvalues; i++) {
        if (tg_hujson_write(a->values[i], &self->alloc, &x) != TG_OK
            || tg_hujson_write(b->values[i], &self->alloc, &y) != TG_OK
            || compare(&x, &y) != 0)
        {
            return false;
        }
    }

    return true;
}


/* What the first has that the second lacks, or has otherwise. */

static size_t
diff_pair(cli_acl_t *self, size_t src, size_t dst, const tg_acl_cap_t *caps,
    size_t n, const tg_acl_cap_t *others, size_t nothers, bool removed)
{
    size_t               i, changed;
    const tg_acl_cap_t  *other;

    for (i = 0, changed = 0; i < n; i++) {
        other = cap_of(others, nothers, caps[i].name);

        /* what both have is compared once */
        if (other != NULL
            && (!removed || same_values(self, &caps[i], other)))
        {
            continue;
        }

        print_pair(self, "app", src, dst);
        (void) printf(": ");
        cli_print(stdout, caps[i].name);
        (void) printf(" %s\n", other != NULL ? "has other values"
                               : removed ? "removed" : "added");
        changed++;
    }

    return changed;
}


static size_t
diff_caps(cli_acl_t *self, tg_acl_t **acls, const size_t *sorted)
{
    size_t               d, s, n, nold, nnew, changed;
    const tg_acl_cap_t  *old, *new;

    n = tg_acl_nodes(self->netmap);
    changed = 0;

    for (d = 0; d < n; d++) {
        for (s = 0; s < n; s++) {

            if (tg_acl_caps(acls[0], sorted[s], sorted[d], &self->alloc, &old,
                            &nold) != TG_OK
                || tg_acl_caps(acls[1], sorted[s], sorted[d], &self->alloc,
                               &new, &nnew) != TG_OK)
            {
                cli_error(self->name, "out of memory");
                return changed + 1;
            }

            changed += diff_pair(self, sorted[s], sorted[d], old, nold, new,
                                 nnew, true);
            changed += diff_pair(self, sorted[s], sorted[d], new, nnew, old,
                                 nold, false);
        }
    }

    return changed;
}
