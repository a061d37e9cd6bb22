
/*
 * Copyright (C) The Tailgate authors
 *
 * The compiled form of a policy: what read.c, words.c and check.c make, and
 * index.c, decide.c and explain.c read.
 */

#ifndef TGI_POLICY_H_INCLUDED_
#define TGI_POLICY_H_INCLUDED_

#include "core/base/base.h"
#include "core/base/map.h"

#include <tailgate/policy.h>


/* Which kinds of condition a rule has; all that it has must hold. */

#define TGI_IF_USER            0x00001u
#define TGI_IF_GROUP           0x00002u
#define TGI_IF_TAG             0x00004u
#define TGI_IF_NODE            0x00008u
#define TGI_IF_TAILNET         0x00010u
#define TGI_IF_AUTOGROUP       0x00020u
#define TGI_IF_CAPABILITY      0x00040u
#define TGI_IF_OS              0x00080u
#define TGI_IF_OS_VERSION      0x00100u
#define TGI_IF_CLIENT_VERSION  0x00200u
#define TGI_IF_KEY_EXPIRES_IN  0x00400u
#define TGI_IF_VIA             0x00800u
#define TGI_IF_FROM            0x01000u
#define TGI_IF_UNTIL           0x02000u
#define TGI_IF_HOST            0x04000u
#define TGI_IF_PATH            0x08000u
#define TGI_IF_METHOD          0x10000u

/* Those that say who; a rule without any is about members. */

#define TGI_IF_WHO                                                            \
    (TGI_IF_USER|TGI_IF_GROUP|TGI_IF_TAG|TGI_IF_NODE|TGI_IF_TAILNET           \
     |TGI_IF_AUTOGROUP|TGI_IF_CAPABILITY)


/* "< 15.3", "2 <= x": numbers for versions, seconds for durations. */

#define TGI_VERSION_PARTS  8

typedef enum {
    TGI_OP_LT = 0,
    TGI_OP_LE,
    TGI_OP_EQ,
    TGI_OP_GE,
    TGI_OP_GT
} tgi_op_t;

typedef struct {
    uint64_t  parts[TGI_VERSION_PARTS];    /* missing ones are 0 */
} tgi_version_t;

typedef struct {
    tgi_op_t       op;
    tgi_version_t  version;                /* or parts[0]: seconds */
} tgi_bound_t;

/* ">= 15, < 16": all bounds must hold. */

typedef struct {
    tgi_bound_t  *bounds;
    size_t        n;
    tg_str_t      text;                    /* as written */
} tgi_range_t;

typedef struct {
    tgi_range_t  *items;                   /* any of */
    size_t        n;
} tgi_ranges_t;

/* The leading dotted number of text; false if it has none: not known. */

bool tgi_version_parse(tg_str_t text, tgi_version_t *version);
int tgi_version_compare(const tgi_version_t *a, const tgi_version_t *b);

/* What a comparison, which is below, equal to or above 0, has to be. */

bool tgi_op_holds(tgi_op_t op, int comparison);

bool tgi_range_match(const tgi_range_t *range, const tgi_version_t *version);
bool tgi_ranges_match(const tgi_ranges_t *ranges,
    const tgi_version_t *version);


/* What a field of a capability's value has to be. */

typedef enum {
    TGI_WHERE_EQUALS = 0,      /* text; against text, a number or a boolean */
    TGI_WHERE_TEXT,            /* quoted: against text only */
    TGI_WHERE_GLOB,            /* "*" is any number of characters */
    TGI_WHERE_NUMBER,          /* op and number */
    TGI_WHERE_PRESENT,         /* and not null */
    TGI_WHERE_ABSENT
} tgi_where_kind_t;

typedef struct {
    tgi_where_kind_t  kind;
    tg_str_t          text;
    tgi_op_t          op;
    double            number;
} tgi_where_value_t;

typedef struct {
    tg_str_t            field;
    tgi_where_value_t  *values;            /* any of */
    size_t              nvalues;
} tgi_where_t;


typedef enum {
    TGI_PATH_PREFIX = 0,       /* on a segment border */
    TGI_PATH_EXACT,
    TGI_PATH_GLOB              /* "*" within a segment, "**" across */
} tgi_path_kind_t;

typedef struct {
    tgi_path_kind_t  kind;
    tg_str_t         text;     /* without the "=" */
    size_t           literal;  /* bytes before the first "*" */
} tgi_path_t;

/* Bytes in a pattern of paths: a longer one is refused when it is read. */

#define TGI_PATTERN_MAX  1024

/*
 * "/api", "= /api", "/u/ *" (without the blank): false for what does not begin
 * with a slash or is too long.  The result borrows text.
 */

bool tgi_path_parse(tg_str_t text, tgi_path_t *path);

/* Time is linear in the length of path, whatever it is. */

bool tgi_path_match(const tgi_path_t *pattern, tg_str_t path);

/* A whole text; "*" is any number of any bytes. */

bool tgi_glob_match(tg_str_t pattern, tg_str_t text);


typedef enum {
    TGI_HOST_EXACT = 0,
    TGI_HOST_WILDCARD,         /* text is ".corp" for "*.corp" */
    TGI_HOST_ANY
} tgi_host_kind_t;

typedef struct {
    tgi_host_kind_t  kind;
    tg_str_t         text;     /* lower case */
} tgi_host_t;

/*
 * Lower case, without port and trailing dot, in buf; false for what is no
 * host.
 */

bool tgi_host_canonical(tg_str_t host, char buf[TG_HOST_MAX],
    tg_str_t *canonical);

bool tgi_host_match(const tgi_host_t *pattern, tg_str_t canonical);

/*
 * "grafana.corp", "*.corp", in either case; false for what is none.  The
 * result's text is in buf.
 */

bool tgi_host_parse(tg_str_t text, char buf[TG_HOST_MAX], tgi_host_t *host);


/* A group of the file: logins in lower case, "*@domain" among them. */

typedef struct {
    tg_str_t   name;
    tg_list_t  members;
    size_t     line;
    size_t     column;
    size_t     index;          /* in the file */
    bool       used;
} tgi_group_t;

#define TGI_VIA_DIRECT   0x1u
#define TGI_VIA_SERVICE  0x2u
#define TGI_VIA_FUNNEL   0x4u

#define TGI_METHOD_READ   0x1u   /* GET, HEAD, OPTIONS */
#define TGI_METHOD_WRITE  0x2u   /* any other */

uint32_t tgi_method_class(tg_str_t method);


struct tg_rule_s {
    tg_rule_kind_t       kind;
    tg_str_t             id;
    size_t               line;
    size_t               column;

    uint32_t             conditions;   /* TGI_IF_* */
    uint32_t             opens;        /* TG_TRAIT_* that it names, so that an
                                          allow may match such a peer; MEMBER
                                          always */

    tg_list_t            users;        /* lower case; "*@domain" */
    tg_list_t            group_names;  /* of the file, as written */
    const tgi_group_t  **groups;       /* the same, resolved */
    size_t               ngroups;
    tg_list_t            tailnet_groups;  /* as in UserProfile.Groups */
    tg_list_t            tags;         /* "tag:ci" */
    tg_list_t            nodes;        /* name, first label of it, StableID */
    tg_list_t            tailnets;     /* lower case */
    uint32_t             autogroups;   /* TG_TRAIT_* */
    tg_list_t            capabilities;
    tgi_where_t         *where;        /* one grant value must satisfy all */
    size_t               nwhere;

    tg_list_t            os;
    tgi_ranges_t         os_versions;
    tgi_ranges_t         client_versions;
    tgi_ranges_t         key_expires_in;
    uint32_t             via;          /* TGI_VIA_* */
    tg_list_t            services;     /* "svc:wiki" among via */
    int64_t              from;
    int64_t              until;

    tgi_host_t          *hosts;
    size_t               nhosts;
    tgi_path_t          *paths;
    size_t               npaths;
    tg_list_t            methods;
    uint32_t             method_classes;  /* TGI_METHOD_* */
};


/* What a role is looked up by: in "headers" and "capabilities". */

typedef struct {
    tg_str_t   name;           /* of an entry of "capabilities" */
    tg_str_t   capability;
    tg_str_t   field;
    tg_list_t  order;          /* lowest role first; none: no order */
    tg_str_t   fallback;       /* "default": without a known role; may be
                                  empty: none */
} tgi_role_t;

typedef enum {
    TGI_HEADER_ATTRIBUTE = 0,  /* header */
    TGI_HEADER_ROLE,           /* of a capability */
    TGI_HEADER_GRANTED         /* "from: role": of the grants that match */
} tgi_header_kind_t;

struct tg_policy_header_s {
    tg_str_t            name;
    tgi_header_kind_t   kind;
    tg_header_t         header;        /* source, encoding, ... */
    tgi_role_t          role;
};


typedef struct {
    tg_rule_t  **items;
    size_t       n;
} tgi_rules_t;

typedef struct tgi_index_s        tgi_index_t;        /* of rules */
typedef struct tgi_route_index_s  tgi_route_index_t;
typedef struct tgi_group_index_s  tgi_group_index_t;

typedef struct {
    tg_str_t             name;
    size_t               line;
    size_t               column;
    size_t               index;

    tgi_host_t          *hosts;        /* one ANY if the file has none */
    size_t               nhosts;
    tgi_path_t          *paths;        /* "/" if the file has none */
    size_t               npaths;

    tgi_rules_t          allow;
    tgi_rules_t          deny;
    tgi_rules_t          require;

    tg_policy_header_t  *headers;
    size_t               nheaders;

    bool                 raw_path;         /* allow */
    bool                 refuse_override;  /* method_override: refuse */
    bool                 explain;          /* its own, else the file's */
    tg_str_t             contact;          /* the same */

    tgi_index_t         *allow_index;  /* index.c */
    tgi_index_t         *deny_index;
} tgi_route_t;


typedef struct {
    tg_str_t       name;
    size_t         line;
    size_t         column;
    tg_str_t       as;
    tg_list_t      from;       /* "os=iOS" */
    tg_str_t       request;
    bool           has_at;
    int64_t        at;
    tg_via_t       via;
    tg_str_t       service;
    tg_verdict_t   expect;
    tg_str_t       rule;
} tgi_test_t;


struct tg_policy_s {
    char                digest[TG_POLICY_DIGEST_LEN + 1];
    tg_list_t           tailnets;      /* none: the node's own */

    tgi_group_t        *groups;
    size_t              ngroups;
    tgi_map_t           group_map;     /* name to index */
    tgi_role_t         *roles;         /* "capabilities" */
    size_t              nroles;

    tgi_rules_t         always_deny;
    tgi_rules_t         always_require;
    bool                has_routes;    /* the file says "routes:" or
                                          "grants:"; else inline rules make the
                                          routes */
    tgi_route_t        *routes;
    size_t              nroutes;
    tg_str_t            grants;        /* capability; empty: no grants mode */

    bool                explain;
    tg_str_t            contact;

    tgi_test_t         *tests;
    size_t              ntests;
    tg_list_t           header_names;

    tgi_index_t        *always_deny_index;
    tgi_group_index_t  *group_index;   /* login to the groups that have it */
    tgi_route_index_t  *route_index;
};

struct tg_inline_s {
    tgi_rules_t         allow;
    tgi_rules_t         deny;
    tgi_rules_t         require;
    bool                raw_path;
    const tg_policy_t  *file;
    tgi_index_t        *allow_index;
    tgi_index_t        *deny_index;
};


/* index.c: made once all rules are known.  TG_OK or TG_ERR_NOMEM. */

int tgi_policy_index(tg_policy_t *policy, const tg_alloc_t *alloc);
int tgi_inline_index(tg_inline_t *inline_rules, const tg_alloc_t *alloc);


#endif /* TGI_POLICY_H_INCLUDED_ */
