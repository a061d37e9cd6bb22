
/*
 * Copyright (C) The Tailgate authors
 *
 * What the forms of "tailgate acl" share: a policy, a netmap, options.
 */

#ifndef CLI_ACL_H_INCLUDED_
#define CLI_ACL_H_INCLUDED_

#include <cli/print.h>
#include <tailgate/acl.h>

#include <stdio.h>


#define CLI_ACL_DOMAINS_MAX  32


typedef struct {
    const char         *name;       /* "acl check": for messages */

    /* the command line */
    const char         *policy;
    const char         *netmap_path;
    const char         *socket;
    const char         *src;
    const char         *dst;
    const char         *user;
    bool                json;
    tg_acl_dialect_t    dialect;
    tg_str_t            domains[CLI_ACL_DOMAINS_MAX];
    size_t              ndomains;
    char              **files;
    int                 nfiles;

    /* what was loaded */
    tg_arena_t         *arena;
    tg_alloc_t          alloc;
    tg_acl_netmap_t    *netmap;
} cli_acl_t;

/* Which options a form takes besides --dialect, --domain and --help. */

#define CLI_ACL_JSON    0x01
#define CLI_ACL_NETMAP  0x02
#define CLI_ACL_SOCKET  0x04
#define CLI_ACL_POLICY  0x08
#define CLI_ACL_SRC     0x10
#define CLI_ACL_DST     0x20
#define CLI_ACL_USER    0x40


/*
 * Reads the options and makes the arena.  Returns true to go on; else *code is
 * what to exit with, and usage was printed if it was asked for.
 */

bool cli_acl_options(cli_acl_t *self, int argc, char **argv, int takes,
    const char *usage, int *code);

/* All of a file ("-": standard input) in the arena.  False after a message. */

bool cli_acl_read(cli_acl_t *self, const char *path, tg_str_t *text);

/*
 * The netmap of --netmap, else the node's status from the LocalAPI.  Returns
 * CLI_OK, or an exit code after a message.
 */

int cli_acl_netmap(cli_acl_t *self);

/*
 * The policy in path for self->netmap.  Returns CLI_OK, CLI_BAD: refused, with
 * *fault, CLI_USAGE after a message.  cli_acl_policy() prints the fault too.
 */

int cli_acl_compile(cli_acl_t *self, const char *path, tg_acl_t **acl,
    tg_acl_fault_t *fault);
int cli_acl_policy(cli_acl_t *self, const char *path, tg_acl_t **acl);

/* Both, for the forms that explain. */

int cli_acl_load(cli_acl_t *self, tg_acl_t **acl);

/* The nodes of a name, an address or a login, CLI_USAGE after a message. */

int cli_acl_nodes(cli_acl_t *self, const char *text, const size_t **nodes,
    size_t *n);

/* A JSON string; a fault as the JSON of "refused". */

void cli_acl_json(cli_acl_t *self, FILE *out, tg_str_t text);
void cli_acl_json_fault(cli_acl_t *self, FILE *out,
    const tg_acl_fault_t *fault);

/* The first failing assertion as a fault, with the service's message. */

bool cli_acl_tests(const tg_acl_t *acl, tg_acl_fault_t *fault);

/* Indexes of all nodes, by name.  NULL: out of memory. */

const size_t *cli_acl_sorted(cli_acl_t *self);


int cli_acl_check(int argc, char **argv);
int cli_acl_eval(int argc, char **argv);
int cli_acl_ssh(int argc, char **argv);
int cli_acl_who(int argc, char **argv);
int cli_acl_what(int argc, char **argv);
int cli_acl_diff(int argc, char **argv);
int cli_acl_test(int argc, char **argv);


#endif /* CLI_ACL_H_INCLUDED_ */
