
/*
 * Copyright (C) The Tailgate authors
 *
 * Between identify.c and query.c.  A lookup is one request's wish to know who
 * its source is; a query is a WhoIs call that one or more lookups wait for.
 * Both may first have to wait for what the node says of itself (self).
 */

#ifndef AUTHD_QUERY_H_INCLUDED_
#define AUTHD_QUERY_H_INCLUDED_

#include "authd/cache.h"
#include "authd/changes.h"
#include "authd/identify.h"
#include "authd/limit.h"
#include "authd/node.h"
#include "authd/seen.h"

#include <net/client/localapi.h>

#include <sys/queue.h>


#define AUTHD_SERVICE_MAX    63
#define AUTHD_QUERY_BUCKETS  1024

/* what of authd_seen_first() */

#define AUTHD_SEEN_FOREIGN_LOCAL     1
#define AUTHD_SEEN_UNKNOWN_LOOPBACK  2
#define AUTHD_SEEN_LIMITED           3
#define AUTHD_SEEN_STALE             4


typedef struct authd_query_s  authd_query_t;

typedef TAILQ_HEAD(authd_lookups_s, authd_lookup_s)  authd_lookups_t;
typedef TAILQ_HEAD(authd_queries_s, authd_query_s)   authd_queries_t;
typedef LIST_HEAD(authd_bucket_s, authd_query_s)     authd_bucket_t;


struct authd_lookup_s {
    TAILQ_ENTRY(authd_lookup_s)   link;
    authd_identify_t             *owner;
    authd_query_t                *query;   /* NULL: it waits for self */
    tg_addr_t                     source;
    tg_addr_t                     local;
    bool                          has_local;
    bool                          asked_self; /* because of local */
    authd_answer_t                answer;
    const tg_caps_t              *caps;    /* of the answer; NULL: none */
    uint64_t                      round;   /* of self that it waits for */
    uint64_t                      changes; /* told when it began */
    uint64_t                      flushes; /* of them, of everything */
    authd_identified_pt           cb;
    void                         *data;
};

struct authd_query_s {
    TAILQ_ENTRY(authd_query_s)  link;
    TAILQ_ENTRY(authd_query_s)  held;  /* if it waits */
    LIST_ENTRY(authd_query_s)   found; /* unless with_port */
    authd_identify_t      *owner;
    authd_lookups_t        lookups;
    tg_addr_t              addr;
    bool                   with_port;
    bool                   waits;      /* for self, and then asks again */
    bool                   repeated;
    bool                   itself;     /* tailscaled knows its own node */
    bool                   done;       /* its lookups are being told */
    bool                   refresh;    /* nobody has to wait for it */
    bool                   keyed;      /* its answer may be kept */
    unsigned               again;      /* asked, as something changed */
    bool                   overtaken;  /* its answer, by a change */
    authd_key_t            key;
    authd_lease_t          lease;      /* if keyed; its ticket may be 0 */
    uint64_t               changes;    /* told when it was sent */
    uint64_t               round;      /* of self that it waits for */
    char                   service[AUTHD_SERVICE_MAX];
    size_t                 service_len;
    bool                   running;    /* a new self was known at its start */
    const tg_caps_t       *caps;       /* of the peer, parsed; NULL: none */
    tgn_localapi_call_t   *call;
    uint64_t               started;    /* authd_metrics_clock() of call */
};

struct authd_identify_s {
    tgn_loop_t            *loop;
    const authd_config_t  *conf;
    const authd_log_t     *log;
    authd_metrics_t       *metrics;
    tgn_localapi_t        *api;
    authd_cache_t         *cache;      /* NULL: nothing is kept */
    authd_lookups_t        waiting;    /* for self */
    authd_queries_t        queries;
    authd_queries_t        held;       /* of them, who wait for self */
    authd_bucket_t         buckets[AUTHD_QUERY_BUCKETS];

    authd_node_t          *node;
    authd_changes_t        changes;    /* told to the cache */
    uint64_t               round;      /* answers of node so far */
    authd_seen_t           seen;
    authd_limit_t          limit;
};


/* One that is under way and asks the same; NULL if there is none. */

authd_query_t *authd_query_find(authd_identify_t *id,
    const tg_question_t *question);

/* In the list of id, and not sent; NULL when out of memory. */

authd_query_t *authd_query_new(authd_identify_t *id,
    const tg_question_t *question);

/*
 * Has the answer kept, by a lease on it.  A query that is under way already
 * was sent before something changed, and is sent again: at once if nobody has
 * a lease on it, else behind its answer.
 */

bool authd_query_lease(authd_query_t *q, const authd_key_t *key,
    const authd_lease_t *lease);

/* Asks, or asks again; false when out of memory. */

bool authd_query_send(authd_query_t *q);

/*
 * An answer past its end, for when there is none, or NULL: logged, and
 * counted.
 */

authd_known_t *authd_query_stale(authd_identify_t *id, const authd_key_t *key,
    const tg_addr_t *addr);

/*
 * Tells everybody who waits for it, and frees it.  Who would be told that the
 * answer is unavailable may be told an old one.
 */

void authd_query_done(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity, const char *detail);

/* Frees it without telling; NULL is fine. */

void authd_query_free(authd_query_t *q);

/* Whom to ask about. */

void authd_lookup_question(const authd_lookup_t *lk, const tg_self_t *self,
    tg_question_t *question);

/*
 * All of these return whether lk, which is in no queue, is still under way.
 * Among what is kept, else at tailscaled; begins anew when the node has said
 * what it is from here on; the node does not answer, and an old answer may have
 * to do; tells the caller.
 */

bool authd_lookup_find(authd_lookup_t *lk, const tg_question_t *question);
bool authd_lookup_wait(authd_lookup_t *lk);
bool authd_lookup_unavailable(authd_lookup_t *lk, const char *detail);

bool authd_lookup_done(authd_lookup_t *lk, tg_status_t status,
    const tg_identity_t *identity, const char *detail);


#endif /* AUTHD_QUERY_H_INCLUDED_ */
