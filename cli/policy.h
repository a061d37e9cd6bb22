
/*
 * Copyright (C) The Tailgate authors
 *
 * What the forms of "tailgate policy" share: options, a policy, peers.
 */

#ifndef CLI_POLICY_H_INCLUDED_
#define CLI_POLICY_H_INCLUDED_

#include <cli/print.h>
#include <tailgate/policy.h>

#include <jansson.h>
#include <stdio.h>


#define CLI_POLICY_FILE        "/etc/tailgate/policy.yaml"
#define CLI_POLICY_WORDS_MAX   64
#define CLI_POLICY_INLINE_MAX  256


typedef struct {
    const char             *name;       /* "policy check": for messages */

    /* the command line */
    const char             *policy;
    bool                    no_policy;
    const char             *as;
    const char             *node;
    const char             *addr;
    const char             *whois;
    const char             *self_path;
    const char             *request_text;
    const char             *via_text;
    const char             *at_text;
    const char             *peers_path;
    bool                    no_peers;
    const char             *log_path;
    const char             *junit;
    const char             *socket;
    bool                    method_override;
    bool                    json;
    tg_str_t                from[CLI_POLICY_WORDS_MAX];
    size_t                  nfrom;
    const char             *inlines[CLI_POLICY_INLINE_MAX];
    size_t                  ninlines;
    char                  **files;
    int                     nfiles;

    /* what was loaded */
    tg_arena_t             *arena;
    tg_alloc_t              alloc;
    int64_t                 now;
    tg_policy_t            *file;       /* NULL with --no-policy */
    tg_inline_t            *inline_rules;
    tg_gate_rules_t         gate;
    tg_request_t            request;
    tg_self_t               self;
} cli_policy_t;

/* Which options a form takes besides --help. */

#define CLI_POLICY_JSON      0x0001
#define CLI_POLICY_POLICY    0x0002    /* and --no-policy, --inline */
#define CLI_POLICY_SUBJECT   0x0004    /* --as, --node, --addr, --whois,
                                          --self, --from, --socket */
#define CLI_POLICY_REQUEST   0x0008    /* --request, --via,
                                          --method-override */
#define CLI_POLICY_AT        0x0010
#define CLI_POLICY_PEERS     0x0020    /* --peers, --socket */
#define CLI_POLICY_LOG       0x0040    /* --log, --no-peers */
#define CLI_POLICY_JUNIT     0x0080
#define CLI_POLICY_VIA       0x0100


/*
 * policy_options.c.  Reads the options and makes the arena.  Returns true to
 * go on; else *code is what to exit with, and usage was printed if it was
 * asked for.
 */

bool cli_policy_options(cli_policy_t *self, int argc, char **argv, int takes,
    const char *usage, int *code);


/*
 * policy_load.c.  All return CLI_OK, or an exit code after a message.
 *
 * cli_policy_read() gives all of a file ("-": standard input), with a NUL
 * behind it.
 */

int cli_policy_read(cli_policy_t *self, const char *path, size_t max,
    tg_str_t *text);

/*
 * The policy in path.  Every message is printed on standard error, if quiet is
 * false, and appended to messages, if that is not NULL.  CLI_BAD: it is
 * refused.
 */

int cli_policy_compile(cli_policy_t *self, const char *path, bool quiet,
    json_t *messages, tg_policy_t **policy);

/* The policy, the inline rules and the time that the options name. */

int cli_policy_rules(cli_policy_t *self);

/* The request of --request. */

int cli_policy_request(cli_policy_t *self);

/* The time and the way in of --at and --via. */

int cli_policy_at(cli_policy_t *self);
int cli_policy_via(cli_policy_t *self, tg_request_t *request);


/* policy_inline.c: the nginx directives of --inline. */

int cli_policy_inline(cli_policy_t *self);


/* policy_peer.c */

typedef struct {
    tg_identity_t   identity;
    tg_peer_t       peer;
    tg_str_t        address;    /* empty: not known */
    bool            offline;
    const char     *why;        /* why it is no peer; NULL if it is one */
} cli_peer_t;

/* The one that --as, --node, --addr or --whois names, changed by --from. */

int cli_policy_subject(cli_policy_t *self, cli_peer_t *peer);

/* What a WhoIs answer says. */

int cli_policy_peer(cli_policy_t *self, int code, tg_str_t body,
    cli_peer_t *peer);

/* Asks the node about an address, and the Service of --via. */

int cli_policy_ask(cli_policy_t *self, const tg_addr_t *addr, bool with_port,
    cli_peer_t *peer);

/* "alice@example.com", "tag:ci", or the node's name. */

tg_str_t cli_peer_who(const cli_peer_t *peer);

/* The node's name without the tailnet if that is the own one. */

tg_str_t cli_peer_node(const cli_policy_t *self, const cli_peer_t *peer);

/* As JSON: a new reference, or NULL when out of memory. */

json_t *cli_peer_json(const cli_peer_t *peer);


/* policy_peers.c */

typedef struct {
    cli_peer_t     *items;
    size_t          n;
    bool            partial;    /* --peers: neither versions nor capabilities
                                   are known */
} cli_peers_t;

/* Everyone on the tailnet, from --peers or from the node, by name. */

int cli_policy_peers(cli_policy_t *self, cli_peers_t *peers);

/* Says on standard error what peers of a status lack. */

void cli_note_partial(const cli_policy_t *self);

/* The status of --self, else of the node, to self->self. */

int cli_policy_self(cli_policy_t *self);

/* The WhoIs answer for the peer of that name or StableID in the status. */

int cli_policy_node(cli_policy_t *self, const char *name, cli_peer_t *peer);


/* policy_print.c */

const char *cli_verdict_name(tg_verdict_t verdict);

/* A text of JSON; the file and the digest of a policy, null for none. */

json_t *cli_policy_text(tg_str_t text);

json_t *cli_policy_json(const tg_policy_t *policy, const char *path);
json_t *cli_request_json(const tg_request_t *request);

/* Adds what a decision is to object: verdict, reason, text, route, rule. */

void cli_decision_json(json_t *object, const tg_decision_t *decision);

/* Prints json, which may be NULL, and releases it; code, or CLI_USAGE. */

int cli_policy_put(const cli_policy_t *self, json_t *json, int code);

/*
 * Those of methods (tg_policy_methods()) that has says: "GET HEAD", "any",
 * "any but DELETE"; a list of names, "*" for those that nobody names.
 */

tg_str_t cli_methods_text(const tg_alloc_t *alloc, const tg_list_t *methods,
    const bool *has);
json_t *cli_methods_json(const tg_list_t *methods, const bool *has);

/*
 * Rows for people: columns as wide as their widest value, but the last.
 * cells has n rows of columns values each.
 */

void cli_policy_table(const char *const *names, const tg_str_t *cells,
    size_t columns, size_t n);


int cli_policy_apply(int argc, char **argv);
int cli_policy_check(int argc, char **argv);
int cli_policy_test(int argc, char **argv);
int cli_policy_explain(int argc, char **argv);
int cli_policy_who(int argc, char **argv);
int cli_policy_what(int argc, char **argv);
int cli_policy_diff(int argc, char **argv);


#endif /* CLI_POLICY_H_INCLUDED_ */
