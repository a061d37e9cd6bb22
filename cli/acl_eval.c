
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl eval: everything that a policy decides for a small tailnet, one
 * line of JSON a case.
 */

#include <cli/acl.h>
#include <cli/cli.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


static int evaluate(cli_acl_t *self, const char *path, FILE *out);
static bool read_case(cli_acl_t *self, const char *path, FILE *out,
    tg_str_t *text, const tg_hujson_t **root);
static bool find_policy(cli_acl_t *self, FILE *out, const tg_hujson_t *root,
    tg_str_t *text, const tg_hujson_t **policy, tg_acl_fault_t *fault);
static bool put_accepted(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const tg_hujson_t *root);
static bool put_decisions(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted, const tg_str_t *users, size_t nusers);
static void put_matrix(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted, bool tcp22);
static bool put_capmaps(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted);
static bool probe_users(cli_acl_t *self, const tg_acl_t *acl,
    const tg_hujson_t *root, const tg_str_t **users, size_t *n);
static bool fail(cli_acl_t *self, FILE *out, const char *message,
    size_t line, size_t column);


static const char  usage[] =
    "usage: tailgate acl eval CASE.json... --json\n"
    "\n"
    "Evaluates policies: each CASE has \"policy\", \"users\",\n"
    "\"tailnet_domains\", \"nodes\" and optionally \"probe_users\".  Prints\n"
    "one line of JSON a CASE.\n"
    "\n"
    "  --json           what is printed anyway\n"
    "  --domain DOMAIN  one more domain of the tailnet\n"
    "  --dialect NAME   tailscale (default) or headscale\n"
    "  --help           print this message\n"
    "\n"
    "Exit status: 0 every CASE was evaluated, 2 one could not be read.\n";


int
cli_acl_eval(int argc, char **argv)
{
    int        i, rc, code;
    char      *line;
    FILE      *out;
    size_t     len;
    cli_acl_t  self = { .name = "acl eval" };

    if (!cli_acl_options(&self, argc, argv, CLI_ACL_JSON, usage, &code)) {
        return code;
    }

    if (self.nfiles == 0) {
        tg_arena_free(&self.arena);
        return cli_usage(self.name, "no CASE was named");
    }

    code = CLI_OK;

    for (i = 0; i < self.nfiles; i++) {
        line = NULL;
        rc = CLI_UNAVAILABLE;
        out = open_memstream(&line, &len);

        if (out != NULL) {
            rc = evaluate(&self, self.files[i], out);

            if (fclose(out) != 0) {
                rc = CLI_UNAVAILABLE;
            }
        }

        if (rc == CLI_UNAVAILABLE) {
            (void) puts("{\"error\":\"out of memory\"}");

        } else {
            (void) fwrite(line, 1, len, stdout);
        }

        (void) fflush(stdout);
        code = rc == CLI_OK ? code : CLI_USAGE;
        free(line);
        tg_arena_reset(self.arena);
    }

    tg_arena_free(&self.arena);

    return code;
}


/* CLI_OK and CLI_USAGE come with a line, CLI_UNAVAILABLE with a part of one. */

static int
evaluate(cli_acl_t *self, const char *path, FILE *out)
{
    int                 rc;
    tg_str_t            text, policy_text;
    tg_acl_t           *acl;
    tg_acl_fault_t      fault;
    const tg_hujson_t  *root, *policy;

    if (!read_case(self, path, out, &text, &root)) {
        return CLI_USAGE;
    }

    if (tg_acl_netmap(&self->netmap, root, text, self->domains,
                      self->ndomains, &self->alloc, &fault) != TG_OK)
    {
        (void) fail(self, out, fault.message.data == NULL
                               ? "out of memory" : fault.message.data,
                    fault.line, fault.column);
        return CLI_USAGE;
    }

    policy_text = text;
    policy = NULL;

    if (!find_policy(self, out, root, &policy_text, &policy, &fault)) {
        return CLI_USAGE;
    }

    rc = (policy == NULL)
         ? TG_ERR_REFUSED
         : tg_acl_compile(&acl, policy, policy_text, self->netmap,
                          self->dialect, &self->alloc, &fault);

    if (rc == TG_ERR_NOMEM) {
        return CLI_UNAVAILABLE;
    }

    if (rc != TG_OK || !cli_acl_tests(acl, &fault)) {
        cli_acl_json_fault(self, out, &fault);
        return CLI_OK;
    }

    return put_accepted(self, out, acl, root) ? CLI_OK : CLI_UNAVAILABLE;
}


static bool
fail(cli_acl_t *self, FILE *out, const char *message, size_t line,
    size_t column)
{
    int       n;
    char      where[TG_ERROR_TEXT_MAX + 64];
    tg_str_t  text;

    text.data = message;
    text.len = strlen(message);

    if (line > 0) {
        n = snprintf(where, sizeof(where), "%zu:%zu: %s", line, column,
                     message);
        text.data = where;
        text.len = n < 0 || (size_t) n >= sizeof(where) ? sizeof(where) - 1
                                                        : (size_t) n;
    }

    (void) fputs("{\"error\":", out);
    cli_acl_json(self, out, text);
    (void) fputs("}\n", out);

    return false;
}


static bool
read_case(cli_acl_t *self, const char *path, FILE *out, tg_str_t *text,
    const tg_hujson_t **root)
{
    tg_error_t          error;
    const tg_hujson_t  *probes, *item;

    if (!cli_acl_read(self, path, text)) {
        return fail(self, out, "the file cannot be read", 0, 0);
    }

    if (tg_hujson_parse(root, text->data, text->len, &self->alloc, &error)
        != TG_OK)
    {
        return fail(self, out, error.text, error.line, error.column);
    }

    if ((*root)->type != TG_HUJSON_OBJECT) {
        return fail(self, out, "a case must be an object", 1, 1);
    }

    if (tg_hujson_get(*root, "nodes") == NULL) {
        return fail(self, out, "\"nodes\" is missing", 0, 0);
    }

    probes = tg_hujson_get(*root, "probe_users");

    if (probes == NULL || probes->type == TG_HUJSON_NULL) {
        return true;
    }

    for (item = probes->child; item != NULL; item = item->next) {
        if (item->type != TG_HUJSON_STRING) {
            break;
        }
    }

    return (probes->type == TG_HUJSON_ARRAY && item == NULL)
           || fail(self, out, "\"probe_users\" must be a list of strings", 0,
                   0);
}


/*
 * A policy may stand in the case as text: its places are then those in that
 * text.  What is no HuJSON there is refused, as the service does.
 */

static bool
find_policy(cli_acl_t *self, FILE *out, const tg_hujson_t *root,
    tg_str_t *text, const tg_hujson_t **policy, tg_acl_fault_t *fault)
{
    char               *copy;
    tg_error_t          error;
    const tg_hujson_t  *value;

    value = tg_hujson_get(root, "policy");

    if (value == NULL) {
        return fail(self, out, "\"policy\" is missing", 0, 0);
    }

    if (value->type != TG_HUJSON_STRING) {
        *policy = value;
        return true;
    }

    *text = value->text;

    if (tg_hujson_parse(policy, text->data, text->len, &self->alloc, &error)
        == TG_OK)
    {
        return true;
    }

    copy = self->alloc.alloc(self->alloc.ctx, sizeof(error.text));
    if (copy == NULL) {
        return fail(self, out, "out of memory", 0, 0);
    }

    memcpy(copy, error.text, sizeof(error.text));

    memset(fault, 0, sizeof(tg_acl_fault_t));
    fault->stage = TG_ACL_STAGE_VALIDATION;
    fault->message.data = copy;
    fault->message.len = strlen(copy);
    fault->line = error.line;
    fault->column = error.column;

    return true;
}


static bool
put_accepted(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const tg_hujson_t *root)
{
    size_t           nusers;
    const size_t    *sorted;
    const tg_str_t  *users;

    sorted = cli_acl_sorted(self);

    if (sorted == NULL || !probe_users(self, acl, root, &users, &nusers)) {
        return false;
    }

    (void) fputs("{\"accepted\":true,\"decisions\":[", out);

    if (!put_decisions(self, out, acl, sorted, users, nusers)) {
        return false;
    }

    (void) fputs("],\"principal_match\":{", out);
    put_matrix(self, out, acl, sorted, false);

    (void) fputs("},\"capmaps\":[", out);

    if (!put_capmaps(self, out, acl, sorted)) {
        return false;
    }

    (void) fputs("],\"tcp22\":{", out);
    put_matrix(self, out, acl, sorted, true);
    (void) fputs("}}\n", out);

    return true;
}


/* One account twice is one account. */

static bool
probe_users(cli_acl_t *self, const tg_acl_t *acl, const tg_hujson_t *root,
    const tg_str_t **users, size_t *n)
{
    tg_str_t           *list;
    const tg_hujson_t  *probes, *item, *other;

    probes = tg_hujson_get(root, "probe_users");

    if (probes == NULL || probes->type == TG_HUJSON_NULL) {
        return tg_acl_accounts(acl, NULL, &self->alloc, users, n) == TG_OK;
    }

    list = self->alloc.alloc(self->alloc.ctx,
                             (probes->n + 1) * sizeof(tg_str_t));
    if (list == NULL) {
        return false;
    }

    for (*n = 0, item = probes->child; item != NULL; item = item->next) {

        for (other = probes->child; other != item; other = other->next) {
            if (other->text.len == item->text.len
                && (item->text.len == 0
                    || memcmp(other->text.data, item->text.data,
                              item->text.len) == 0))
            {
                break;
            }
        }

        if (other == item) {
            list[(*n)++] = item->text;
        }
    }

    *users = list;

    return true;
}


static void
put_name(cli_acl_t *self, FILE *out, const char *key, size_t node)
{
    (void) fprintf(out, "\"%s\":", key);
    cli_acl_json(self, out, tg_acl_node(self->netmap, node)->name);
}


/* Seconds: a period that is no whole number of them has a fraction. */

static void
put_period(FILE *out, const tg_acl_ssh_t *decision)
{
    if (decision->zero) {
        (void) fputs(",\"check_period_s\":null", out);
        return;
    }

    (void) fprintf(out, ",\"check_period_s\":%" PRId64,
                   decision->period / 1000000000);

    if (decision->period % 1000000000 != 0) {
        (void) fprintf(out, ".%09" PRId64, decision->period % 1000000000);
    }
}


static bool
put_decision(cli_acl_t *self, FILE *out, size_t src, size_t dst,
    tg_str_t user, const tg_acl_ssh_t *decision)
{
    tg_str_t  json;

    (void) fputc('{', out);
    put_name(self, out, "src", src);
    (void) fputc(',', out);
    put_name(self, out, "dst", dst);

    (void) fputs(",\"user\":", out);
    cli_acl_json(self, out, user);
    (void) fprintf(out, ",\"action\":\"%s\",\"local_user\":",
                   decision->action == TG_ACL_CHECK ? "check" : "accept");
    cli_acl_json(self, out, user);

    if (decision->action == TG_ACL_CHECK) {
        put_period(out, decision);
    }

    if (decision->accept_env != NULL) {
        if (tg_hujson_write(decision->accept_env, &self->alloc, &json)
            != TG_OK)
        {
            return false;
        }

        (void) fputs(",\"accept_env\":", out);
        (void) fwrite(json.data, 1, json.len, out);
    }

    (void) fputc('}', out);

    return true;
}


static bool
put_decisions(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted, const tg_str_t *users, size_t nusers)
{
    bool           first;
    size_t         d, s, u, n;
    tg_acl_ssh_t   decision;

    n = tg_acl_nodes(self->netmap);
    first = true;

    for (d = 0; d < n; d++) {
        for (s = 0; s < n; s++) {
            for (u = 0; u < nusers; u++) {
                tg_acl_ssh(acl, sorted[s], sorted[d], users[u], &decision);

                if (decision.action == TG_ACL_DENY) {
                    continue;
                }

                if (!first) {
                    (void) fputc(',', out);
                }

                first = false;

                if (!put_decision(self, out, sorted[s], sorted[d], users[u],
                                  &decision))
                {
                    return false;
                }
            }
        }
    }

    return true;
}


static bool
is_pair(const tg_acl_t *acl, size_t src, size_t dst, bool tcp22)
{
    tg_acl_ssh_t  decision;

    static const tg_str_t  nobody = TG_STR("");

    if (tcp22) {
        return src != dst && tg_acl_reach(acl, src, dst, 6, 22);
    }

    /* no rule ends at an account without a name: all are looked at */
    tg_acl_ssh(acl, src, dst, nobody, &decision);

    return decision.principal;
}


static void
put_matrix(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted, bool tcp22)
{
    bool    first, any;
    size_t  d, s, n;

    n = tg_acl_nodes(self->netmap);
    any = false;

    for (d = 0; d < n; d++) {
        first = true;

        for (s = 0; s < n; s++) {

            if (!is_pair(acl, sorted[s], sorted[d], tcp22)) {
                continue;
            }

            if (first) {
                (void) fputs(any ? ",": "", out);
                cli_acl_json(self, out,
                             tg_acl_node(self->netmap, sorted[d])->name);
                (void) fputs(":[", out);

            } else {
                (void) fputc(',', out);
            }

            cli_acl_json(self, out,
                         tg_acl_node(self->netmap, sorted[s])->name);
            first = false;
            any = true;
        }

        (void) fputs(first ? "" : "]", out);
    }
}


static bool
put_caps(cli_acl_t *self, FILE *out, const tg_acl_cap_t *caps, size_t n)
{
    size_t    i, k;
    tg_str_t  json;

    for (i = 0; i < n; i++) {
        (void) fputs(i > 0 ? "," : "", out);
        cli_acl_json(self, out, caps[i].name);
        (void) fputs(":[", out);

        for (k = 0; k < caps[i].nvalues; k++) {
            if (tg_hujson_write(caps[i].values[k], &self->alloc, &json)
                != TG_OK)
            {
                return false;
            }

            (void) fputs(k > 0 ? "," : "", out);
            (void) fwrite(json.data, 1, json.len, out);
        }

        (void) fputc(']', out);
    }

    return true;
}


static bool
put_capmaps(cli_acl_t *self, FILE *out, const tg_acl_t *acl,
    const size_t *sorted)
{
    bool                 first;
    size_t               d, s, n, ncaps;
    const tg_acl_cap_t  *caps;

    n = tg_acl_nodes(self->netmap);
    first = true;

    for (d = 0; d < n; d++) {
        for (s = 0; s < n; s++) {

            if (tg_acl_caps(acl, sorted[s], sorted[d], &self->alloc, &caps,
                            &ncaps) != TG_OK)
            {
                return false;
            }

            if (ncaps == 0) {
                continue;
            }

            (void) fputs(first ? "{" : ",{", out);
            first = false;

            put_name(self, out, "src", sorted[s]);
            (void) fputc(',', out);
            put_name(self, out, "dst", sorted[d]);
            (void) fputs(",\"caps\":{", out);

            if (!put_caps(self, out, caps, ncaps)) {
                return false;
            }

            (void) fputs("}}", out);
        }
    }

    return true;
}
