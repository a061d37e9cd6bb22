
/*
 * Copyright (C) The Tailgate authors
 *
 * The tailnet's own policy file, evaluated as the service evaluates it: who
 * may open an SSH session as whom, who reaches which port, which application
 * capabilities a node gets from another.  docs/acl.md says where the rules
 * come from, and which reading is taken where nobody has seen the service's.
 */

#ifndef TAILGATE_ACL_H_INCLUDED_
#define TAILGATE_ACL_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>
#include <tailgate/hujson.h>


typedef struct tg_acl_s         tg_acl_t;
typedef struct tg_acl_netmap_s  tg_acl_netmap_t;

typedef enum {
    TG_ACL_TAILSCALE = 0,
    TG_ACL_HEADSCALE           /* accepts user@, and more destinations */
} tg_acl_dialect_t;


/*
 * Why something was refused.  message has the service's own words where they
 * are known, without file or line; it lives in the allocator that the call was
 * given.  line and column count from 1, 0 where there are none.
 */

typedef enum {
    TG_ACL_STAGE_SYNTAX = 0,   /* not even HuJSON, or out of memory */
    TG_ACL_STAGE_VALIDATION,
    TG_ACL_STAGE_TESTS
} tg_acl_stage_t;

typedef struct {
    tg_acl_stage_t   stage;
    tg_str_t         message;
    size_t           line;
    size_t           column;
} tg_acl_fault_t;


/*
 * Who is there.  A node has a user or tags.  Nodes are named by their index
 * below; tg_acl_node() is valid for index < tg_acl_nodes().
 */

typedef struct {
    tg_str_t          name;
    tg_str_t          login;         /* empty: tagged, or nobody's */
    const tg_str_t   *tags;
    size_t            ntags;
    const tg_addr_t  *addrs;         /* the node's own */
    size_t            naddrs;
    const tg_cidr_t  *routes;        /* approved, beyond its addresses */
    size_t            nroutes;
    bool              advertises;    /* routes, approved or not */
    bool              self;          /* the node that was asked for status */
    bool              shared;        /* of another tailnet, or nobody's: no
                                        member here */
} tg_acl_node_t;

/*
 * Reads a netmap: {"users": {NAME: LOGIN}, "tailnet_domains": [D], "nodes":
 * {NAME: {user or tags, ipv4, ipv6, approved_routes}}}, or the status that the
 * LocalAPI and "tailscale status --json" print ({"Self", "Peer", "User"}),
 * which names no domains.  domains are added to the tailnet's own.  text is
 * what root was parsed from; both and domains must outlive *netmap.
 *
 * Returns TG_OK; TG_ERR_TYPE, TG_ERR_MISSING, TG_ERR_SYNTAX, TG_ERR_REFUSED
 * (a node, a login or an address twice), TG_ERR_LIMIT, TG_ERR_NOMEM, *fault
 * then says where and why.
 */

int tg_acl_netmap(tg_acl_netmap_t **netmap, const tg_hujson_t *root,
    tg_str_t text, const tg_str_t *domains, size_t ndomains,
    const tg_alloc_t *alloc, tg_acl_fault_t *fault);

size_t tg_acl_nodes(const tg_acl_netmap_t *netmap);
const tg_acl_node_t *tg_acl_node(const tg_acl_netmap_t *netmap, size_t index);

/*
 * The node of this name or with this address.  Returns TG_OK or TG_ERR_ABSENT.
 */

int tg_acl_node_find(const tg_acl_netmap_t *netmap, tg_str_t text,
    size_t *index);


/*
 * Compiles a policy for a netmap.  policy was parsed from text; both and
 * *netmap must outlive *acl.  Without a netmap (NULL) everything is checked
 * that needs no nodes and no domains.  The policy's own tests are not run.
 *
 * Returns TG_OK; TG_ERR_REFUSED: the service refuses this policy, or it says
 * something whose meaning is not known; TG_ERR_NOMEM.  *fault says which.
 */

int tg_acl_compile(tg_acl_t **acl, const tg_hujson_t *policy, tg_str_t text,
    const tg_acl_netmap_t *netmap, tg_acl_dialect_t dialect,
    const tg_alloc_t *alloc, tg_acl_fault_t *fault);


/*
 * May src log in on dst as user?  The network's own rules are not asked: see
 * tg_acl_reach().  user is compared byte for byte; every user but root is
 * taken to have a uid other than 0.
 */

typedef enum {
    TG_ACL_DENY = 0,
    TG_ACL_ACCEPT,
    TG_ACL_CHECK
} tg_acl_action_t;

#define TG_ACL_PERIOD_DEFAULT  43200

typedef struct {
    tg_acl_action_t     action;
    int64_t             period;      /* check: nanoseconds, 0: each time */
    bool                zero;        /* period was written as 0s */
    bool                principal;   /* some rule names src, whatever user */
    size_t              rule;        /* an index for tg_acl_rule(), if any */
    const tg_hujson_t  *accept_env;  /* the rule's list, NULL: none */
} tg_acl_ssh_t;

void tg_acl_ssh(const tg_acl_t *acl, size_t src, size_t dst, tg_str_t user,
    tg_acl_ssh_t *decision);

/*
 * The ssh rules in the order in which they are tried: checks, then accepts,
 * each in the order of the file.  tg_acl_rule_try() says why rule alone does
 * or does not answer.
 */

typedef enum {
    TG_ACL_TRY_MATCH = 0,
    TG_ACL_TRY_DST,            /* dst is no destination of it */
    TG_ACL_TRY_SRC,            /* src is no source of it */
    TG_ACL_TRY_SELF,           /* autogroup:self, but two users */
    TG_ACL_TRY_USER,           /* not for this account */
    TG_ACL_TRY_POSTURE,        /* asks for a device posture: unknown here */
    TG_ACL_TRY_RECORDER        /* enforces a recorder: none here */
} tg_acl_try_t;

typedef struct {
    tg_acl_action_t     action;
    size_t              index;       /* in the file's ssh section, from 0 */
    size_t              line;
    size_t              column;
    const tg_hujson_t  *rule;        /* as it was written */
} tg_acl_rule_t;

size_t tg_acl_rules(const tg_acl_t *acl);
void tg_acl_rule(const tg_acl_t *acl, size_t rule, tg_acl_rule_t *info);
tg_acl_try_t tg_acl_rule_try(const tg_acl_t *acl, size_t rule, size_t src,
    size_t dst, tg_str_t user);

/*
 * The accounts to ask for where nobody said which: root, ubuntu, nobody, those
 * that ssh rules and sshTests name, and the local part of login, or of every
 * login if that is NULL.  No account is listed twice.  TG_OK or TG_ERR_NOMEM.
 */

int tg_acl_accounts(const tg_acl_t *acl, const tg_str_t *login,
    const tg_alloc_t *alloc,
    const tg_str_t **accounts, size_t *n);


/*
 * Does the packet filter let src open port of dst by the IP protocol proto (6
 * is TCP, 17 is UDP; port is not looked at for protocols without ports)?  One
 * pair of addresses of the same family is enough.
 */

bool tg_acl_reach(const tg_acl_t *acl, size_t src, size_t dst, int proto,
    uint16_t port);


/*
 * The CapMap that WhoIs of src answers on dst, by the first address of dst and
 * src's of that family: names in the order of their first grant, values in the
 * order of the grants, duplicates kept.  TG_OK or TG_ERR_NOMEM.
 */

typedef struct {
    tg_str_t                    name;
    const tg_hujson_t         **values;
    size_t                      nvalues;
} tg_acl_cap_t;

int tg_acl_caps(const tg_acl_t *acl, size_t src, size_t dst,
    const tg_alloc_t *alloc, const tg_acl_cap_t **caps, size_t *n);


/*
 * Runs the policy's tests and sshTests.  fail, which may be NULL, is called
 * for each assertion that does not hold, with its place and a reason.  Returns
 * how many failed; needs a netmap (without one, nothing fails).
 */

typedef struct {
    const char  *section;      /* "tests", "sshTests" */
    size_t       index;        /* in the section, from 0 */
    size_t       line;
    size_t       column;
    tg_str_t     src;
    const char  *assertion;    /* "accept", "deny", "check", "src", "dst" */
    tg_str_t     item;         /* a destination, or an account */
    tg_str_t     dst;          /* sshTests: the destination's node, or empty */
    const char  *reason;
} tg_acl_failure_t;

typedef void (*tg_acl_fail_pt)(void *ctx, const tg_acl_failure_t *failure);

size_t tg_acl_test(const tg_acl_t *acl, tg_acl_fail_pt fail, void *ctx);

/*
 * How many tests and sshTests there are.
 */

size_t tg_acl_ntests(const tg_acl_t *acl);


/*
 * What the service accepts and a person should know: a destination of somebody
 * else that is a user's own node, or that advertises routes, since whoever
 * runs code there is that user; rules that cannot match here.
 */

typedef void (*tg_acl_warn_pt)(void *ctx, size_t line, size_t column,
    const char *message);

void tg_acl_warn(const tg_acl_t *acl, tg_acl_warn_pt warn, void *ctx);


#endif /* TAILGATE_ACL_H_INCLUDED_ */
