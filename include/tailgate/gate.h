
/*
 * Copyright (C) The Tailgate authors
 *
 * From a connection to a question, and from an answer to a decision.  The
 * nginx module, authd and the command line all go through here, so that they
 * agree.
 */

#ifndef TAILGATE_GATE_H_INCLUDED_
#define TAILGATE_GATE_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>
#include <tailgate/identity.h>


/*
 * What is known of the connection that a request came by.  peer and local are
 * what the kernel reported for the socket, before anybody rewrote them.
 */

typedef struct {
    tg_addr_t  peer;           /* with its port */
    tg_addr_t  local;
    bool       proxy_listener; /* the listener speaks PROXY protocol */
    tg_addr_t  proxied;        /* its source address; NONE if it named none */
    bool       rewritten;      /* a header named another client (realip) */
    tg_addr_t  forwarded;      /* that client */
    bool       wrong_interface; /* tailgate_interface is set and the
                                   connection came in by another one */
} tg_source_t;


/* A Tailscale Service that this node hosts. */

typedef struct {
    tg_str_t   name;           /* "svc:wiki" */
    tg_addr_t  addr;
} tg_service_t;


typedef struct {
    const tg_cidr_t     *trusted;       /* who may forward for others */
    size_t               ntrusted;
    bool                 trusted_unix;  /* AF_UNIX peers may */
    const tg_service_t  *services;
    size_t               nservices;
    const tg_self_t     *self;          /* NULL: not known yet */
    bool                 no_local_rule; /* forward-auth: the local address
                                           cannot be known; the proxy vouches */
} tg_source_rules_t;


typedef enum {
    TG_ASK_WHOIS,              /* ask for addr */
    TG_ASK_SELF,               /* the own addresses are needed first */
    TG_ASK_NOBODY              /* a stranger: reason tells why */
} tg_ask_t;


/* Why a source is a stranger without anybody having been asked. */

typedef enum {
    TG_REASON_NONE = 0,
    TG_REASON_UNIX_LISTENER,       /* an AF_UNIX peer has no address */
    TG_REASON_UNTRUSTED_FORWARDER, /* an unlisted sender forwards */
    TG_REASON_NO_FORWARDED_ADDR,   /* a listed sender names nobody */
    TG_REASON_FOREIGN_LOCAL_ADDR,  /* tailnet source, local address not ours */
    TG_REASON_WRONG_INTERFACE,
    TG_REASON_NOT_TAILNET,         /* neither tailnet nor loopback */
    TG_REASON_NO_PORT,             /* loopback without a port */
    TG_REASON_BAD_ADDRESS          /* zone id, unknown family */
} tg_reason_t;

/* A sentence for a log: what is wrong and what to do.  Static, never NULL. */

const char *tg_reason_text(tg_reason_t reason);


typedef struct {
    tg_ask_t     ask;
    tg_reason_t  reason;
    tg_addr_t    addr;         /* whom to ask about */
    bool         with_port;    /* by address and port, proto=tcp: the answer
                                  is this connection's alone */
    tg_str_t     service;      /* the Service that was hit; borrowed */
} tg_question_t;


/*
 * Whom to ask about.  Never fails: what is not understood is NOBODY.
 *
 * An unlisted sender that forwards for somebody is a stranger, never itself.
 * A listed sender's request is the PROXY source's if the listener has
 * proxy_protocol, else the one that realip named, else its own.  For what a
 * listed sender names the local address says nothing, and is not looked at.
 * A source in the tailnet ranges, be it such a sender, counts only if the
 * local address is one of self's or of a Service (design: a spoofed packet on
 * eth0 is a stranger).
 *
 * A self that is not running and has no addresses is as good as none: a node
 * that starts up does not know them yet.  TG_ASK_SELF again with a self that
 * has just been read therefore means that the identity service is not
 * available (503), and must not be asked for in a loop.
 */

void tg_source_question(const tg_source_t *source,
    const tg_source_rules_t *rules, tg_question_t *question);


/* What opens the built-in rule "a member of this tailnet". */

typedef struct {
    uint32_t         peers;    /* TG_TRAIT_* that may pass: MEMBER by default */
    const tg_str_t  *tailnets; /* none: members are of the node's own tailnet,
                                  shared-in peers of any.  Else every peer must
                                  be of one of these, and a peer of one of them
                                  is a member though it is shared in; not so
                                  for the node's own tailnet, under which a
                                  shared-in node stays shared */
    size_t           ntailnets;
} tg_gate_rules_t;


typedef enum {
    TG_ALLOW = 0,
    TG_DENY,                   /* 403 */
    TG_UNAVAILABLE             /* 503 */
} tg_verdict_t;


/*
 * The built-in rule.  identity is NULL unless status is MEMBER to UNSIGNED;
 * self may be NULL, then only tailnets names tailnets.  *reason, if not NULL,
 * is a static text for a log and the person who asks: never NULL.
 * Anything unexpected is TG_DENY.
 */

tg_verdict_t tg_gate_decide(const tg_gate_rules_t *rules, tg_status_t status,
    const tg_identity_t *identity, const tg_self_t *self,
    const char **reason);

/*
 * "member", "tagged", "shared" or "routed" as a trait that tailgate_peers
 * opens; 0 for any other word.
 */

uint32_t tg_trait_parse(const char *word, size_t len);


#endif /* TAILGATE_GATE_H_INCLUDED_ */
