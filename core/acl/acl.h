
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core/acl share.  A policy is compiled once for a netmap:
 * selectors become sets of nodes, rules refer to sets.
 */

#ifndef TGI_ACL_H_INCLUDED_
#define TGI_ACL_H_INCLUDED_

#include <tailgate/acl.h>

#include "core/base/map.h"
#include "core/acl/set.h"


#define TGI_NOBODY  UINT32_MAX


/* netmap.c, status.c */

typedef struct {
    tg_str_t   login;
    tg_str_t   name;           /* in the netmap, may be empty */
    tgi_set_t  nodes;
} tgi_user_t;

struct tg_acl_netmap_s {
    tg_acl_node_t     *nodes;
    uint32_t          *owners; /* an index of users, or TGI_NOBODY */
    size_t             nnodes;
    tgi_user_t        *users;
    size_t             nusers;
    tgi_set_t         *tags;   /* by the numbers of by_tag */
    size_t             ntags;

    tgi_map_t          by_name;
    tgi_map_t          by_addr;
    tgi_map_t          by_login;
    tgi_map_t          by_user;     /* the netmap's names of users */
    tgi_map_t          by_tag;

    tgi_set_t          members;     /* untagged, not shared */
    tgi_set_t          tagged;
    tgi_set_t          shared;

    tg_str_t          *domains;
    size_t             ndomains;

    tg_str_t           text;
    const tg_alloc_t  *alloc;
    tg_acl_fault_t    *fault;
};

int tgi_netmap_case(tg_acl_netmap_t *netmap, const tg_hujson_t *root);
int tgi_netmap_status(tg_acl_netmap_t *netmap, const tg_hujson_t *root);

/* Both readers: say why, and index what was read. */

int tgi_netmap_fail(tg_acl_netmap_t *netmap, int code, size_t offset,
    const char *format, ...);
int tgi_netmap_addrs(tg_acl_netmap_t *netmap, tg_acl_node_t *node,
    const tg_hujson_t *const *values, size_t n);
int tgi_netmap_strings(tg_acl_netmap_t *netmap, const tg_hujson_t *array,
    const tg_str_t **strings, size_t *n);
tg_str_t tgi_login_domain(tg_str_t login);
tg_str_t tgi_login_local(tg_str_t login);


/* selector.c */

typedef enum {
    TGI_SEL_STAR = 0,
    TGI_SEL_EMAIL,
    TGI_SEL_GROUP,
    TGI_SEL_TAG,
    TGI_SEL_DOMAIN,            /* user:*@domain */
    TGI_SEL_MEMBER,
    TGI_SEL_TAGGED,
    TGI_SEL_SHARED,
    TGI_SEL_SELF,
    TGI_SEL_INTERNET,
    TGI_SEL_ANYBODY,           /* autogroup:danger-all */
    TGI_SEL_NONROOT,
    TGI_SEL_ROLE,              /* autogroup:admin and the like */
    TGI_SEL_AUTOGROUP,         /* one that nobody knows */
    TGI_SEL_IPSET,
    TGI_SEL_SERVICE,
    TGI_SEL_ADDRESS,
    TGI_SEL_PREFIX,
    TGI_SEL_BAD_PREFIX,
    TGI_SEL_NAME               /* a host, or nothing */
} tgi_sel_kind_t;

typedef struct {
    tgi_sel_kind_t   kind;
    tg_str_t         text;     /* all of it */
    tg_str_t         domain;
    tg_cidr_t        cidr;
} tgi_sel_t;

void tgi_selector(tgi_sel_t *sel, tg_str_t text);


/* policy.c */

typedef struct {
    tg_str_t   name;
    tgi_set_t  nodes;
} tgi_group_t;

typedef struct {
    tg_cidr_t  cidr;
    bool       prefix;         /* written with "/" */
} tgi_host_t;

/* Nodes and addresses that one side of a rule stands for. */

typedef struct {
    tgi_set_t         nodes;
    const tg_cidr_t  *prefixes;
    size_t            nprefixes;
    bool              star;
    bool              anybody;
    bool              self;
} tgi_side_t;

typedef struct {
    int       proto;           /* TGI_PROTO_DEFAULT, or a number */
    uint16_t  first;
    uint16_t  last;
} tgi_service_t;

#define TGI_PROTO_DEFAULT  -1  /* TCP, UDP, ICMP, ICMPv6 */
#define TGI_PROTO_TCP       6
#define TGI_PROTO_UDP      17

typedef struct {
    const tgi_side_t     *src;
    const tgi_side_t     *dst;
    const tgi_service_t  *services;
    size_t                nservices;
} tgi_flow_t;

typedef struct {
    const tgi_side_t   *src;
    const tgi_side_t   *dst;
    const tg_hujson_t  *app;
} tgi_capgrant_t;

typedef struct {
    const tg_hujson_t  *rule;
    const tg_hujson_t  *users;
    const tg_hujson_t  *env;
    uint32_t            index;
    size_t              line;
    size_t              column;
    tg_acl_action_t     action;
    int64_t             period;
    bool                zero;

    bool                posture;
    bool                recorder;
    bool                self;       /* dst has autogroup:self */
    bool                people;     /* dst has users' own nodes by name */
    bool                nonroot;
    tg_str_t           *literals;
    size_t              nliterals;
    tg_str_t           *domains;    /* of localpart:*@ */
    size_t              ndomains;
    tgi_set_t           src;
    tgi_set_t           dst;
} tgi_ssh_t;

/* Numbers of rules that name a destination, by the destination's text. */

typedef struct {
    const uint32_t  *rules;
    size_t           n;
} tgi_rules_t;

struct tg_acl_s {
    const tg_acl_netmap_t  *netmap;     /* NULL: none */
    tg_acl_dialect_t        dialect;
    const tg_alloc_t       *alloc;
    tg_acl_fault_t         *fault;      /* while compiling */
    tg_str_t                text;

    const tg_hujson_t      *sections[8];

    tgi_group_t            *groups;
    tgi_map_t               by_group;
    tgi_map_t               by_tag;     /* tagOwners */
    tgi_host_t             *hosts;
    tgi_map_t               by_host;

    bool                    posture;    /* there is a defaultSrcPosture */
    bool                    allow_all;  /* neither acls nor grants */

    tgi_flow_t             *flows;
    size_t                  nflows;
    tgi_capgrant_t         *capgrants;
    size_t                  ncapgrants;

    tgi_ssh_t              *ssh;
    size_t                  nssh;
    tgi_rules_t            *by_rules;
    tgi_map_t               by_dst;

    const tg_cidr_t        *routes;     /* approved, of all nodes */
    size_t                  nroutes;
};

enum {
    TGI_GROUPS = 0,
    TGI_TAG_OWNERS,
    TGI_HOSTS,
    TGI_ACLS,
    TGI_GRANTS,
    TGI_SSH,
    TGI_TESTS,
    TGI_SSH_TESTS
};

/* %s, %v, %q, %t as in go.h.  Returns TG_ERR_REFUSED, or TG_ERR_NOMEM. */

int tgi_acl_fail(tg_acl_t *acl, size_t offset, const char *format, ...);

/* What must be a list of strings, or null.  text is for the message. */

int tgi_acl_strings(tg_acl_t *acl, const tg_hujson_t *value, const char *name);

/* The same of a list of objects. */

int tgi_acl_objects(tg_acl_t *acl, const tg_hujson_t *value, const char *name);

/*
 * The fields of an object by their names, without regard to case.  One that
 * has no name here is refused, so is one that stands there twice; null is as
 * good as absent.
 */

int tgi_acl_fields(tg_acl_t *acl, const tg_hujson_t *object,
    const char *const *names, size_t n, const tg_hujson_t **fields);

/* The nodes that a selector of people or tags stands for. */

void tgi_acl_nodes_of(const tg_acl_t *acl, const tgi_sel_t *sel,
    tgi_set_t *nodes);

/* The user that an email (or headscale's "user@") names, or TGI_NOBODY. */

uint32_t tgi_acl_user(const tg_acl_t *acl, tg_str_t text);

/* May somebody write user:*@domain? */

bool tgi_acl_domain(const tg_acl_t *acl, tg_str_t domain);

int tgi_acl_compile_acls(tg_acl_t *acl, const tg_hujson_t *acls);
int tgi_acl_compile_grants(tg_acl_t *acl, const tg_hujson_t *grants);
int tgi_acl_compile_ssh(tg_acl_t *acl, const tg_hujson_t *rules);
int tgi_acl_check_tests(tg_acl_t *acl, const tg_hujson_t *tests);
int tgi_acl_check_ssh_tests(tg_acl_t *acl, const tg_hujson_t *tests);


/* side.c: one side of an acl or a grant */

typedef enum {
    TGI_SRC = 0,
    TGI_DST
} tgi_which_t;

/* section: "acls", "grants"; items are strings, offset is for messages. */

int tgi_side(tg_acl_t *acl, const char *section, tgi_which_t which,
    const tg_str_t *items, const size_t *offsets, size_t n, tgi_side_t *side);
bool tgi_side_has(const tg_acl_t *acl, const tgi_side_t *side,
    tgi_which_t which, uint32_t node, const tg_addr_t *addr);

/* ports.c */

int tgi_port_range(tg_str_t text, uint16_t *first, uint16_t *last,
    const char **why);
int tgi_proto(tg_str_t text);      /* a number, or -2 */
bool tgi_number(tg_str_t text, unsigned max, unsigned *number);

/* reach.c: node may be TGI_NOBODY when only an address is known */

typedef struct {
    uint32_t          node;
    const tg_addr_t  *addrs;
    size_t            naddrs;
} tgi_end_t;

bool tgi_reach(const tg_acl_t *acl, const tgi_end_t *src,
    const tgi_end_t *dst, int proto, unsigned port);


#endif /* TGI_ACL_H_INCLUDED_ */
