
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate acl: what all its forms read.
 */

#include <cli/acl.h>
#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/read.h>

#include <getopt.h>
#include <string.h>


#define ARENA_MAX  ((size_t) 1 << 30)


static bool take_option(cli_acl_t *self, int c, int takes);


bool
cli_acl_options(cli_acl_t *self, int argc, char **argv, int takes,
    const char *usage, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, CLI_ACL_JSON },
        { "netmap", required_argument, NULL, CLI_ACL_NETMAP },
        { "socket", required_argument, NULL, CLI_ACL_SOCKET },
        { "policy", required_argument, NULL, CLI_ACL_POLICY },
        { "src", required_argument, NULL, CLI_ACL_SRC },
        { "dst", required_argument, NULL, CLI_ACL_DST },
        { "user", required_argument, NULL, CLI_ACL_USER },
        { "domain", required_argument, NULL, 'd' },
        { "dialect", required_argument, NULL, 'D' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    *code = CLI_USAGE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'h') {
            fputs(usage, stdout);
            *code = CLI_OK;
            return false;
        }

        if (!take_option(self, c, takes)) {
            cli_usage(self->name, "the command line was not understood");
            return false;
        }
    }

    self->files = argv + optind;
    self->nfiles = argc - optind;

    self->arena = tg_arena_new(ARENA_MAX);

    if (self->arena == NULL) {
        cli_error(self->name, "out of memory");
        return false;
    }

    self->alloc = tg_arena_allocator(self->arena);

    return true;
}


static bool
take_option(cli_acl_t *self, int c, int takes)
{
    tg_str_t  domain;

    if (c == 'd') {
        domain.data = optarg;
        domain.len = strlen(optarg);

        if (self->ndomains == CLI_ACL_DOMAINS_MAX) {
            return false;
        }

        self->domains[self->ndomains++] = domain;
        return true;
    }

    if (c == 'D') {
        self->dialect = strcmp(optarg, "headscale") == 0 ? TG_ACL_HEADSCALE
                                                         : TG_ACL_TAILSCALE;
        return self->dialect == TG_ACL_HEADSCALE
               || strcmp(optarg, "tailscale") == 0;
    }

    if (c == '?' || (takes & c) == 0) {
        return false;
    }

    switch (c) {

    case CLI_ACL_JSON:
        self->json = true;
        break;

    case CLI_ACL_NETMAP:
        self->netmap_path = optarg;
        break;

    case CLI_ACL_SOCKET:
        self->socket = optarg;
        break;

    case CLI_ACL_POLICY:
        self->policy = optarg;
        break;

    case CLI_ACL_SRC:
        self->src = optarg;
        break;

    case CLI_ACL_DST:
        self->dst = optarg;
        break;

    default:
        self->user = optarg;
        break;
    }

    return true;
}


bool
cli_acl_read(cli_acl_t *self, const char *path, tg_str_t *text)
{
    int  error;

    error = cli_read(path, TG_HUJSON_TEXT_MAX, &self->alloc, text);

    if (error != 0) {
        cli_error(self->name, "%s: %s", path, strerror(error));
    }

    return error == 0;
}


static int
parse(cli_acl_t *self, const char *path, tg_str_t text,
    const tg_hujson_t **root)
{
    tg_error_t  error;

    if (tg_hujson_parse(root, text.data, text.len, &self->alloc, &error)
        == TG_OK)
    {
        return CLI_OK;
    }

    cli_error(self->name, "%s:%zu:%zu: %s", path, error.line, error.column,
              error.text);

    return CLI_USAGE;
}


int
cli_acl_netmap(cli_acl_t *self)
{
    int                 rc;
    tg_str_t            text;
    const char         *path;
    cli_answer_t        answer;
    tg_acl_fault_t      fault;
    const tg_hujson_t  *root;

    path = self->netmap_path;

    if (path != NULL) {
        if (!cli_acl_read(self, path, &text)) {
            return CLI_USAGE;
        }

    } else {
        path = "the node's status";
        rc = cli_ask_max(self->socket, "/localapi/v0/status",
                         TG_HUJSON_TEXT_MAX, &self->alloc, &answer);

        if (rc != TG_OK || answer.code != 200) {
            cli_error(self->name, "%s", rc == TG_OK && answer.error != NULL
                                        ? answer.error
                                        : "the node does not tell its status;"
                                          " use --netmap FILE");
            return CLI_UNAVAILABLE;
        }

        text = answer.body;
    }

    rc = parse(self, path, text, &root);
    if (rc != CLI_OK) {
        return rc;
    }

    if (tg_acl_netmap(&self->netmap, root, text, self->domains,
                      self->ndomains, &self->alloc, &fault) != TG_OK)
    {
        cli_error(self->name, "%s:%zu:%zu: %.*s", path, fault.line,
                  fault.column, (int) fault.message.len, fault.message.data);
        return CLI_USAGE;
    }

    return CLI_OK;
}


int
cli_acl_compile(cli_acl_t *self, const char *path, tg_acl_t **acl,
    tg_acl_fault_t *fault)
{
    char               *copy;
    size_t              len;
    tg_str_t            text;
    tg_error_t          error;
    const tg_hujson_t  *root;

    memset(fault, 0, sizeof(tg_acl_fault_t));

    if (!cli_acl_read(self, path, &text)) {
        return CLI_USAGE;
    }

    if (tg_hujson_parse(&root, text.data, text.len, &self->alloc, &error)
        != TG_OK)
    {
        fault->stage = TG_ACL_STAGE_VALIDATION;
        fault->line = error.line;
        fault->column = error.column;

        len = strlen(error.text);
        copy = self->alloc.alloc(self->alloc.ctx, len + 1);

        if (copy != NULL) {
            memcpy(copy, error.text, len);
            fault->message.data = copy;
            fault->message.len = len;
        }

        return CLI_BAD;
    }

    return tg_acl_compile(acl, root, text, self->netmap, self->dialect,
                          &self->alloc, fault) == TG_OK ? CLI_OK : CLI_BAD;
}


int
cli_acl_policy(cli_acl_t *self, const char *path, tg_acl_t **acl)
{
    int             rc;
    tg_acl_fault_t  fault;

    rc = cli_acl_compile(self, path, acl, &fault);

    if (rc == CLI_BAD) {
        (void) fprintf(stderr, "%s:%zu:%zu: ", path, fault.line,
                       fault.column);
        cli_print(stderr, fault.message);
        (void) fputc('\n', stderr);
    }

    return rc;
}


int
cli_acl_load(cli_acl_t *self, tg_acl_t **acl)
{
    int  rc;

    if (self->policy == NULL) {
        return cli_usage(self->name, "--policy FILE is missing");
    }

    rc = cli_acl_netmap(self);

    return rc == CLI_OK ? cli_acl_policy(self, self->policy, acl) : rc;
}


int
cli_acl_nodes(cli_acl_t *self, const char *text, const size_t **nodes,
    size_t *n)
{
    size_t                i, *list;
    tg_str_t              name;
    const tg_acl_node_t  *node;

    name.data = text;
    name.len = strlen(text);

    list = self->alloc.alloc(self->alloc.ctx,
                             (tg_acl_nodes(self->netmap) + 1)
                             * sizeof(size_t));
    if (list == NULL) {
        cli_error(self->name, "out of memory");
        return CLI_USAGE;
    }

    *nodes = list;
    *n = 0;

    if (tg_acl_node_find(self->netmap, name, &list[0]) == TG_OK) {
        *n = 1;
        return CLI_OK;
    }

    for (i = 0; i < tg_acl_nodes(self->netmap); i++) {
        node = tg_acl_node(self->netmap, i);

        if (node->login.len == name.len && name.len > 0
            && memcmp(node->login.data, name.data, name.len) == 0)
        {
            list[(*n)++] = i;
        }
    }

    if (*n == 0) {
        cli_error(self->name, "\"%s\" is no node, no address of one, and no "
                  "login with a node", text);
        return CLI_USAGE;
    }

    return CLI_OK;
}
