
/*
 * Copyright (C) The Tailgate authors
 *
 * Who a peer is: what tailscaled's WhoIs and status answers mean.
 * Field names in the comments are tailcfg's and ipnstate's.
 */

#ifndef TAILGATE_IDENTITY_H_INCLUDED_
#define TAILGATE_IDENTITY_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>


/* Bounds on what a LocalAPI answer may hold; past them it is nonsense. */

#define TG_WHOIS_BODY_MAX      (1024 * 1024)
#define TG_LOGIN_MAX           320      /* 64 "@" 255, RFC 5321 4.5.3.1 */
#define TG_NAME_MAX            1024
#define TG_URL_MAX             2048
#define TG_LIST_MAX            256      /* groups, tags, addresses */
#define TG_LIST_ITEM_MAX       256
#define TG_CAPS_MAX            65536    /* compact JSON text */


/*
 * What kind of peer it is: a set, because a node can be tagged and a subnet
 * router at once.  A peer passes only if every trait that it has is open.
 */

#define TG_TRAIT_MEMBER        0x0001u  /* a person of this tailnet */
#define TG_TRAIT_TAGGED        0x0002u  /* Node.Tags is not empty: no person */
#define TG_TRAIT_SHARED        0x0004u  /* Node.Sharer, Hostinfo.ShareeNode, or
                                           a node of another tailnet */
#define TG_TRAIT_ROUTED        0x0008u  /* Node.AllowedIPs holds a route: many
                                           machines may be behind it */
#define TG_TRAIT_FUNNEL        0x0010u  /* came in from the Internet */
#define TG_TRAIT_EXPIRED       0x0020u  /* Node.Expired, or past KeyExpiry */
#define TG_TRAIT_UNAUTHORIZED  0x0040u  /* Node.MachineAuthorized is not true */
#define TG_TRAIT_UNSIGNED      0x0080u  /* Node.UnsignedPeerAPIOnly */

/* What no directive opens. */

#define TG_TRAITS_NEVER                                                       \
    (TG_TRAIT_FUNNEL|TG_TRAIT_EXPIRED|TG_TRAIT_UNAUTHORIZED|TG_TRAIT_UNSIGNED)


/* What became of an identification: one word for a log and a variable. */

typedef enum {
    TG_STATUS_NONE = 0,        /* not identified (yet): "-" */
    TG_STATUS_MEMBER,          /* "member" */
    TG_STATUS_TAGGED,          /* "tagged" */
    TG_STATUS_SHARED,          /* "shared" */
    TG_STATUS_ROUTED,          /* "routed" */
    TG_STATUS_FUNNEL,          /* "funnel" */
    TG_STATUS_EXPIRED,         /* "expired" */
    TG_STATUS_UNAUTHORIZED,    /* "unauthorized" */
    TG_STATUS_UNSIGNED,        /* "unsigned" */
    TG_STATUS_STRANGER,        /* "stranger": nobody on this tailnet */
    TG_STATUS_UNAVAILABLE      /* "unavailable": the identity service is
                                  down or answered nonsense */
} tg_status_t;

const char *tg_status_name(tg_status_t status);


typedef struct {
    tg_str_t  *items;
    size_t     n;
} tg_list_t;


/*
 * One peer.  Every string is valid UTF-8 without control characters; all of
 * them and the lists live where the identity was made or unpacked.
 */

typedef struct {
    uint32_t    traits;        /* TG_TRAIT_* */
    tg_status_t status;        /* the weightiest trait */

    tg_str_t    login;         /* UserProfile.LoginName; empty if tagged */
    tg_str_t    user;          /* login before its "@"; whole without one */
    tg_str_t    name;          /* UserProfile.DisplayName; empty if tagged */
    tg_str_t    picture;       /* UserProfile.ProfilePicURL; empty if tagged */
    tg_list_t   groups;        /* UserProfile.Groups */

    tg_str_t    node;          /* Node.Name without the trailing dot */
    tg_str_t    computed_name; /* Node.ComputedName */
    tg_str_t    node_id;       /* Node.StableID */
    tg_addr_t   node_addr;     /* first of Node.Addresses */
    tg_str_t    tailnet;       /* node without its first label, lower case */
    tg_list_t   tags;          /* Node.Tags */
    tg_str_t    os;            /* Hostinfo.OS */
    tg_str_t    os_version;    /* Hostinfo.OSVersion */
    tg_str_t    client_version; /* Hostinfo.IPNVersion */
    int64_t     key_expiry;    /* seconds since the epoch, 0 = never */

    tg_str_t    caps;          /* CapMap as compact JSON; "{}" if null */
} tg_identity_t;


/* This node, as LocalAPI status tells. */

typedef struct {
    bool        running;       /* BackendState is "Running" */
    tg_str_t    state;         /* BackendState */
    tg_str_t    version;       /* Version */
    tg_str_t    node;          /* Self.DNSName without the trailing dot */
    tg_str_t    node_id;       /* Self.ID */
    tg_str_t    tailnet;       /* Self.DNSName without its first label; else
                                  CurrentTailnet.MagicDNSSuffix; lower case */
    tg_addr_t  *addrs;         /* Self.TailscaleIPs (TailscaleIPs) */
    size_t      naddrs;
    tg_list_t   health;        /* Health, for people */
} tg_self_t;


/*
 * The request target that asks for addr, NUL-terminated, and its length:
 *     /localapi/v0/whois?addr=100.64.0.4
 *     /localapi/v0/whois?addr=127.0.0.1%3A4242&proto=tcp      with_port
 *     ...&svc_name=svc%3Awiki      a Service was hit (service is not empty)
 *     ...&dst_ip=100.100.1.1       another address was hit (dst is not NULL)
 * Returns TG_OK, TG_ERR_RANGE when addr is neither V4 nor V6 or with_port is
 * asked of a port 0, or TG_ERR_LIMIT when service is over 63 bytes or holds
 * anything but letters, digits, ":" and "-".
 *
 * Source: tailscale ipn/localapi serveWhoIs.  The Host header must be
 * TG_LOCALAPI_HOST, Origin and Referer must be absent.
 */

#define TG_LOCALAPI_HOST         "local-tailscaled.sock"
#define TG_LOCALAPI_SOCKET       "/var/run/tailscale/tailscaled.sock"
#define TG_LOCALAPI_STATUS       "/localapi/v0/status?peers=false"
#define TG_LOCALAPI_TARGET_MAX   256

int tg_whois_target(const tg_addr_t *addr, bool with_port, tg_str_t service,
    const tg_addr_t *dst, char buf[TG_LOCALAPI_TARGET_MAX], size_t *len);

/*
 * The body of a 200 answer to WhoIs.  self gives the own tailnet (NULL or an
 * empty one: none is known, so nobody is a member), now is in seconds since
 * the epoch and judges KeyExpiry.  On success *identity is filled, living in
 * alloc.
 *
 * Errors, with a text in *error (may be NULL): TG_ERR_LIMIT, TG_ERR_SYNTAX
 * (truncated, duplicate key, NUL, invalid UTF-8), TG_ERR_TYPE, TG_ERR_MISSING
 * (no Node, no StableID, no profile), TG_ERR_REFUSED (a control character in
 * anything that becomes an attribute; a login with more than one "@", nothing
 * before it, blanks at its ends, over TG_LOGIN_MAX, or "tagged-devices" on an
 * untagged node), TG_ERR_NOMEM.  All of them mean "nonsense": 503.
 */

int tg_whois_parse(const char *json, size_t len, const tg_self_t *self,
    int64_t now, const tg_alloc_t *alloc, tg_identity_t *identity,
    tg_error_t *error);

/* The body of a 200 answer to status; errors as for tg_whois_parse(). */

int tg_status_parse(const char *json, size_t len, const tg_alloc_t *alloc,
    tg_self_t *self, tg_error_t *error);

/*
 * What a LocalAPI answer means.  code is the HTTP status, 0 when there was no
 * answer.  A 404 is a stranger only while the node is running: after a restart
 * tailscaled answers 404 for peers that it knows.  Fills *identity on MEMBER
 * to UNSIGNED.  reason is a static or error-held text for a log; *error may
 * not be NULL.  Never fails: what cannot be understood is UNAVAILABLE.
 */

tg_status_t tg_whois_status(int code, const char *body, size_t len,
    const tg_self_t *self, int64_t now, const tg_alloc_t *alloc,
    tg_identity_t *identity, tg_error_t *error);

/*
 * An identity that tailscale serve vouches for (tailgate_trusted_serve): only
 * a login, a name and a picture, values as serve sent them, RFC 2047 decoded
 * here.  Errors as for tg_whois_parse().
 *
 * serve sends the same headers for people of other tailnets that the node is
 * shared with, and tells of no key that expired: whoever it names is a MEMBER
 * of self's tailnet.
 */

int tg_identity_from_serve(tg_str_t login, tg_str_t name, tg_str_t picture,
    const tg_self_t *self, const tg_alloc_t *alloc, tg_identity_t *identity,
    tg_error_t *error);


/*
 * The flat record: an identity as one block of bytes without pointers, to be
 * kept in a cache or handed to another process of the same build.
 *
 * tg_identity_pack() writes at most size bytes and sets *len to the length
 * needed; TG_ERR_LIMIT when size is too small (buf may be NULL with size 0 to
 * ask).  tg_identity_unpack() fills *identity with pointers into buf, and
 * allocates only the two list arrays; buf must outlive it and be aligned as
 * malloc() does.  A record that is not whole is TG_ERR_SYNTAX.
 */

int tg_identity_pack(const tg_identity_t *identity, void *buf, size_t size,
    size_t *len);
int tg_identity_unpack(const void *buf, size_t len, const tg_alloc_t *alloc,
    tg_identity_t *identity);


/* What can be asked of an identity by name (variables, headers, policy). */

typedef enum {
    TG_ATTR_LOGIN = 0,
    TG_ATTR_USER,
    TG_ATTR_NAME,
    TG_ATTR_PICTURE,
    TG_ATTR_GROUPS,            /* list */
    TG_ATTR_TAGS,              /* list */
    TG_ATTR_NODE,
    TG_ATTR_NODE_ID,
    TG_ATTR_NODE_ADDR,
    TG_ATTR_TAILNET,
    TG_ATTR_OS,
    TG_ATTR_OS_VERSION,
    TG_ATTR_CAPS,              /* JSON text */
    TG_ATTR_PRINCIPAL,         /* login, or the node's name if tagged */
    TG_ATTR_CAPABILITY_FIELD,  /* a field of a capability: see headers.h */
    TG_ATTR_MAX
} tg_attr_t;

/*
 * One attribute as text; lists are joined with ",", and an item that itself
 * holds the separator is left out.  Returns TG_OK, TG_ERR_ABSENT when there is
 * no such thing about this peer, TG_ERR_NOMEM.  TG_ATTR_CAPABILITY_FIELD is
 * TG_ERR_ABSENT here.
 */

int tg_identity_attr(const tg_identity_t *identity, tg_attr_t attr,
    const tg_alloc_t *alloc, tg_str_t *value);

/*
 * The highest of the roles that any grant of capability cap names in field
 * (a string or an array of strings).  order lists the known roles from lowest
 * to highest and is compared without case; the spelling returned is order's.
 * A role that order does not list counts for nothing.  TG_ERR_ABSENT when no
 * grant names a known role.
 */

int tg_identity_role(const tg_identity_t *identity, const char *cap,
    const char *field, const char *const *order, size_t norder,
    tg_str_t *value);


#endif /* TAILGATE_IDENTITY_H_INCLUDED_ */
