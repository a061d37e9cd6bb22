
/*
 * Copyright (C) The Tailgate authors
 *
 * A lookup is one request's wish to know who its source is; a query is a WhoIs
 * call that one or more lookups wait for.  Both may first have to wait for
 * what the node says of itself (self).
 */

#include "authd/identify.h"
#include "authd/node.h"
#include "authd/seen.h"

#include <net/client/localapi.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>


/*
 * How old self may be, in milliseconds: in general; when it makes a tailnet
 * source a stranger; and when a 404 is to mean a stranger.  A tailscaled that
 * was restarted answers 404 until it has its peers, and needs longer than the
 * last of them to come up.
 */

#define SELF_AGE         10000
#define SELF_AGE_LOCAL   1000
#define SELF_AGE_ABSENT  100

#define QUERY_ARENA_MAX  (8 * 1024 * 1024)
#define SERVICE_MAX      63

/* what of authd_seen_first() */

#define SEEN_FOREIGN_LOCAL     1
#define SEEN_UNKNOWN_LOOPBACK  2


typedef struct query_s  query_t;

typedef TAILQ_HEAD(lookups_s, authd_lookup_s)  lookups_t;
typedef TAILQ_HEAD(queries_s, query_s)         queries_t;


struct authd_lookup_s {
    TAILQ_ENTRY(authd_lookup_s)   link;
    authd_identify_t             *owner;
    query_t                      *query;   /* NULL: it waits for self */
    tg_addr_t                     source;
    tg_addr_t                     local;
    bool                          has_local;
    bool                          asked_self; /* because of local */
    uint64_t                      round;   /* of self that it waits for */
    authd_identified_pt           cb;
    void                         *data;
};

struct query_s {
    TAILQ_ENTRY(query_s)   link;
    authd_identify_t      *owner;
    lookups_t              lookups;
    tg_addr_t              addr;
    bool                   with_port;
    bool                   waits;      /* for self, and then asks again */
    bool                   repeated;
    bool                   itself;     /* tailscaled knows its own node */
    bool                   done;       /* its lookups are being told */
    uint64_t               round;      /* of self that it waits for */
    char                   service[SERVICE_MAX];
    size_t                 service_len;
    bool                   running;    /* a new self was known at its start */
    tgn_localapi_call_t   *call;
};

struct authd_identify_s {
    tgn_loop_t            *loop;
    const authd_config_t  *conf;
    const authd_log_t     *log;
    authd_metrics_t       *metrics;
    tgn_localapi_t        *api;
    lookups_t              waiting;    /* for self */
    queries_t              queries;

    authd_node_t          *node;
    uint64_t               round;      /* answers of node so far */
    authd_seen_t           seen;
};


static bool api_new(tgn_loop_t *loop, const authd_config_t *conf,
    tgn_localapi_t **api);
static bool lookup_step(authd_lookup_t *lk, const tg_self_t *self);
static bool lookup_ask(authd_lookup_t *lk, const tg_question_t *question);
static bool lookup_nobody(authd_lookup_t *lk, tg_reason_t reason);
static bool lookup_wait_self(authd_lookup_t *lk);
static bool lookup_done(authd_lookup_t *lk, tg_status_t status,
    const tg_identity_t *identity, const char *detail);
static query_t *query_find(authd_identify_t *id,
    const tg_question_t *question);
static query_t *query_new(authd_identify_t *id,
    const tg_question_t *question);
static bool query_send(query_t *q);
static void query_answer(const tgn_localapi_answer_t *answer, void *data);
static bool query_is_early(const query_t *q,
    const tgn_localapi_answer_t *answer);
static bool query_repeat(query_t *q);
static bool query_ask_itself(query_t *q);
static void query_itself(const tgn_localapi_answer_t *answer, void *data);
static void query_done(query_t *q, tg_status_t status,
    const tg_identity_t *identity, const char *detail);
static void query_free(query_t *q);
static void self_done(bool ok, const char *detail, void *data);


authd_identify_t *
authd_identify_new(tgn_loop_t *loop, const authd_config_t *conf,
    const authd_log_t *log, authd_metrics_t *metrics)
{
    authd_identify_t  *id;

    id = calloc(1, sizeof(authd_identify_t));
    if (id == NULL) {
        return NULL;
    }

    id->loop = loop;
    id->conf = conf;
    id->log = log;
    id->metrics = metrics;

    TAILQ_INIT(&id->waiting);
    TAILQ_INIT(&id->queries);

    id->node = authd_node_new(loop, log, self_done, id);

    if (id->node == NULL || !api_new(loop, conf, &id->api)) {
        authd_identify_free(&id);
        return NULL;
    }

    authd_node_connect(id->node, id->api);

    return id;
}


bool
authd_identify_configure(authd_identify_t *id, const authd_config_t *conf)
{
    query_t         *q;
    tgn_localapi_t  *api;

    if (!api_new(id->loop, conf, &api)) {
        return false;
    }

    id->conf = conf;

    /* another tailscaled may be another node: nothing of the old one stays */

    authd_node_connect(id->node, api);

    TAILQ_FOREACH(q, &id->queries, link) {
        tgn_localapi_cancel(&q->call);
    }

    tgn_localapi_free(&id->api);

    id->api = api;

    TAILQ_FOREACH(q, &id->queries, link) {
        q->waits = true;
        q->round = id->round;
        q->repeated = false;
        q->itself = false;
    }

    if ((!TAILQ_EMPTY(&id->queries) || !TAILQ_EMPTY(&id->waiting))
        && !authd_node_ask(id->node))
    {
        self_done(false, "out of memory", id);
    }

    return true;
}


void
authd_identify_free(authd_identify_t **identify)
{
    query_t           *q;
    authd_lookup_t    *lk;
    authd_identify_t  *id;

    id = *identify;

    if (id == NULL) {
        return;
    }

    while ((lk = TAILQ_FIRST(&id->waiting)) != NULL) {
        TAILQ_REMOVE(&id->waiting, lk, link);
        free(lk);
    }

    while ((q = TAILQ_FIRST(&id->queries)) != NULL) {

        while ((lk = TAILQ_FIRST(&q->lookups)) != NULL) {
            TAILQ_REMOVE(&q->lookups, lk, link);
            free(lk);
        }

        query_free(q);
    }

    authd_node_free(&id->node);
    tgn_localapi_free(&id->api);
    free(id);

    *identify = NULL;
}


authd_lookup_t *
authd_identify(authd_identify_t *id, const tg_addr_t *source,
    const tg_addr_t *local, authd_identified_pt cb, void *data)
{
    authd_lookup_t  *lk;

    lk = calloc(1, sizeof(authd_lookup_t));

    if (lk == NULL) {
        authd_identified_t  identified = {
            TG_STATUS_UNAVAILABLE, TG_UNAVAILABLE, "out of memory", "", NULL
        };

        cb(&identified, data);
        return NULL;
    }

    lk->owner = id;
    lk->source = *source;
    lk->cb = cb;
    lk->data = data;

    if (local != NULL) {
        lk->local = *local;
        lk->has_local = true;
    }

    return lookup_step(lk, authd_node_self(id->node, SELF_AGE)) ? lk : NULL;
}


void
authd_lookup_cancel(authd_lookup_t **lookup)
{
    query_t         *q;
    authd_lookup_t  *lk;

    lk = *lookup;

    if (lk == NULL) {
        return;
    }

    *lookup = NULL;

    q = lk->query;

    if (q == NULL) {
        TAILQ_REMOVE(&lk->owner->waiting, lk, link);

    } else {
        TAILQ_REMOVE(&q->lookups, lk, link);

        if (TAILQ_EMPTY(&q->lookups) && !q->done) {
            query_free(q);
        }
    }

    free(lk);
}


static bool
api_new(tgn_loop_t *loop, const authd_config_t *conf, tgn_localapi_t **api)
{
    tgn_localapi_conf_t  ac;

    memset(&ac, 0, sizeof(ac));

    ac.socket = conf->localapi;
    ac.timeout = conf->localapi_timeout;
    ac.keepalive = conf->localapi_keepalive;
    ac.connections = conf->localapi_connections;

    *api = tgn_localapi_new(loop, &ac);

    return *api != NULL;
}


/* All of these return whether lk is still under way. */

static bool
lookup_step(authd_lookup_t *lk, const tg_self_t *self)
{
    tg_source_t         source;
    tg_question_t       question;
    authd_identify_t   *id;
    tg_source_rules_t   rules;

    id = lk->owner;

    memset(&source, 0, sizeof(source));
    memset(&rules, 0, sizeof(rules));

    source.peer = lk->source;
    source.local = lk->local;

    rules.services = id->conf->services;
    rules.nservices = id->conf->nservices;
    rules.self = self;
    rules.no_local_rule = !lk->has_local;

    tg_source_question(&source, &rules, &question);

    switch (question.ask) {

    case TG_ASK_WHOIS:

        /* the answer is judged by which tailnet is ours */

        return rules.self ? lookup_ask(lk, &question) : lookup_wait_self(lk);

    case TG_ASK_SELF:

        if (rules.self == NULL) {
            return lookup_wait_self(lk);
        }

        authd_node_fault(id->node, "tailscaled does not tell"
                         " the node's own addresses");

        return lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                           "the node's own addresses are not known");

    case TG_ASK_NOBODY:
        break;
    }

    if (question.reason == TG_REASON_FOREIGN_LOCAL_ADDR && !lk->asked_self
        && authd_node_self(id->node, SELF_AGE_LOCAL) == NULL)
    {
        lk->asked_self = true;
        return lookup_wait_self(lk);
    }

    return lookup_nobody(lk, question.reason);
}


static bool
lookup_ask(authd_lookup_t *lk, const tg_question_t *question)
{
    query_t           *q;
    authd_identify_t  *id;

    id = lk->owner;

    /* an answer for address and port is that connection's alone */

    q = question->with_port ? NULL : query_find(id, question);

    if (q != NULL) {
        id->metrics->lookups_joined++;

    } else {
        q = query_new(id, question);

        if (q == NULL || !query_send(q)) {
            query_free(q);
            return lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                               "out of memory");
        }
    }

    lk->query = q;
    TAILQ_INSERT_TAIL(&q->lookups, lk, link);

    return true;
}


static bool
lookup_nobody(authd_lookup_t *lk, tg_reason_t reason)
{
    char               text[TG_ADDR_TEXT_MAX], local[TG_ADDR_TEXT_MAX];
    authd_identify_t  *id;

    id = lk->owner;

    if (reason == TG_REASON_FOREIGN_LOCAL_ADDR
        && authd_seen_first(&id->seen, &lk->source, SEEN_FOREIGN_LOCAL))
    {
        (void) tg_addr_format(&lk->source, false, text);
        (void) tg_addr_format(&lk->local, false, local);

        authd_log(id->log, AUTHD_LOG_WARN,
                  "source %s came to %s: %s", text, local,
                  tg_reason_text(reason));
    }

    return lookup_done(lk, TG_STATUS_STRANGER, NULL, tg_reason_text(reason));
}


static bool
lookup_wait_self(authd_lookup_t *lk)
{
    authd_identify_t  *id;

    id = lk->owner;

    if (!authd_node_ask(id->node)) {
        return lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
    }

    lk->query = NULL;
    lk->round = id->round;
    TAILQ_INSERT_TAIL(&id->waiting, lk, link);

    return true;
}


/* lk is in no queue. */

static bool
lookup_done(authd_lookup_t *lk, tg_status_t status,
    const tg_identity_t *identity, const char *detail)
{
    authd_identify_t    *id;
    authd_identified_t   identified;

    id = lk->owner;

    identified.status = status;
    identified.identity = identity;
    identified.detail = detail;
    identified.verdict = tg_gate_decide(&id->conf->gate, status, identity,
                                        authd_node_self(id->node,
                                                        AUTHD_NODE_ANY_AGE),
                                        &identified.reason);

    if (id->conf->policy == AUTHD_POLICY_NONE
        && identified.verdict == TG_ALLOW)
    {
        identified.verdict = TG_DENY;
        identified.reason = "no policy is configured, so nobody may pass";
    }

    lk->cb(&identified, lk->data);

    free(lk);

    return false;
}


static query_t *
query_find(authd_identify_t *id, const tg_question_t *question)
{
    query_t  *q;

    TAILQ_FOREACH(q, &id->queries, link) {
        if (!q->with_port
            && tg_addr_equal(&q->addr, &question->addr)
            && q->service_len == question->service.len
            && (q->service_len == 0
                || memcmp(q->service, question->service.data, q->service_len)
                   == 0))
        {
            return q;
        }
    }

    return NULL;
}


static query_t *
query_new(authd_identify_t *id, const tg_question_t *question)
{
    query_t  *q;

    if (question->service.len > SERVICE_MAX) {
        return NULL;
    }

    q = calloc(1, sizeof(query_t));
    if (q == NULL) {
        return NULL;
    }

    q->owner = id;
    q->addr = question->addr;
    q->with_port = question->with_port;
    q->service_len = question->service.len;

    if (q->service_len != 0) {
        memcpy(q->service, question->service.data, q->service_len);
    }

    TAILQ_INIT(&q->lookups);
    TAILQ_INSERT_TAIL(&id->queries, q, link);

    return q;
}


static bool
query_send(query_t *q)
{
    tg_str_t           service;
    authd_identify_t  *id;

    id = q->owner;

    service.data = q->service;
    service.len = q->service_len;

    q->waits = false;
    q->running = authd_node_self(id->node, SELF_AGE_ABSENT) != NULL;

    q->call = tgn_localapi_whois(id->api, &q->addr, q->with_port, service,
                                 NULL, query_answer, q);
    id->metrics->lookups++;

    return q->call != NULL;
}


static void
query_answer(const tgn_localapi_answer_t *answer, void *data)
{
    query_t           *q;
    tg_error_t         error;
    tg_alloc_t         alloc;
    tg_arena_t        *arena;
    tg_status_t        status;
    tg_identity_t      identity;
    const char        *detail;
    authd_identify_t  *id;

    q = data;
    id = q->owner;
    q->call = NULL;

    if (query_is_early(q, answer)) {
        if (!query_repeat(q)) {
            query_done(q, TG_STATUS_UNAVAILABLE, NULL,
                       "this node's tailscaled has only just begun to run");
        }

        return;
    }

    if (answer->status == TGN_LOCALAPI_OK && answer->code == 404
        && ((!q->running && query_repeat(q)) || query_ask_itself(q)))
    {
        return;
    }

    memset(&identity, 0, sizeof(identity));
    memset(&error, 0, sizeof(error));

    arena = tg_arena_new(QUERY_ARENA_MAX);

    if (arena == NULL) {
        query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        return;
    }

    alloc = tg_arena_allocator(arena);

    status = tg_whois_status(answer->code, answer->body, answer->len,
                             authd_node_self(id->node, AUTHD_NODE_ANY_AGE),
                             (int64_t) time(NULL), &alloc, &identity, &error);

    detail = answer->status == TGN_LOCALAPI_OK ? error.text : answer->error;

    if (status == TG_STATUS_UNAVAILABLE) {
        id->metrics->lookups_failed++;
        authd_node_fault(id->node, detail);

    } else {
        authd_node_works(id->node);
    }

    query_done(q, status,
               status >= TG_STATUS_MEMBER && status <= TG_STATUS_UNSIGNED
                   ? &identity : NULL,
               detail);

    tg_arena_free(&arena);
}


/*
 * An answer about a peer that came before the node knew of its own tailnet:
 * nobody could be a member of it.
 */

static bool
query_is_early(const query_t *q, const tgn_localapi_answer_t *answer)
{
    const tg_self_t  *self;

    self = authd_node_self(q->owner->node, AUTHD_NODE_ANY_AGE);

    return answer->status == TGN_LOCALAPI_OK && answer->code == 200
           && (self == NULL || (!self->running && self->tailnet.len == 0));
}


/*
 * A 404 is a stranger if the node was running when it was asked: if that is
 * not known, it is found out, and the question asked again, once.
 */

static bool
query_repeat(query_t *q)
{
    authd_identify_t  *id;

    id = q->owner;

    if (q->repeated) {
        return false;
    }

    if (!authd_node_ask(id->node)) {
        query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        return true;
    }

    q->repeated = true;
    q->waits = true;
    q->round = id->round;

    return true;
}


/*
 * A tailscaled that starts from a map on disk without peers says that it is
 * running and answers 404 for everybody, for itself too (seen in 1.102.5).  So
 * the 404 of one that knows itself is the one that counts.
 */

static bool
query_ask_itself(query_t *q)
{
    tg_str_t           service;
    const tg_self_t   *self;
    authd_identify_t  *id;

    id = q->owner;
    self = authd_node_self(id->node, AUTHD_NODE_ANY_AGE);

    if (q->itself || self == NULL || !self->running || self->naddrs == 0) {
        return false;
    }

    memset(&service, 0, sizeof(service));

    q->call = tgn_localapi_whois(id->api, &self->addrs[0], false, service,
                                 NULL, query_itself, q);

    if (q->call == NULL) {
        query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
    }

    return true;
}


static void
query_itself(const tgn_localapi_answer_t *answer, void *data)
{
    query_t           *q;
    const char        *detail;
    authd_identify_t  *id;

    q = data;
    id = q->owner;
    q->call = NULL;

    if (answer->status == TGN_LOCALAPI_OK && answer->code == 200) {
        q->itself = true;

        if (!query_send(q)) {
            query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        }

        return;
    }

    detail = answer->status == TGN_LOCALAPI_OK
             ? "tailscaled is running, but has no map of its peers yet"
             : answer->error;

    id->metrics->lookups_failed++;
    authd_node_fault(id->node, detail);

    query_done(q, TG_STATUS_UNAVAILABLE, NULL, detail);
}


static void
query_done(query_t *q, tg_status_t status, const tg_identity_t *identity,
    const char *detail)
{
    authd_lookup_t    *lk;
    authd_identify_t  *id;

    id = q->owner;

    if (status == TG_STATUS_STRANGER && tg_addr_is_loopback(&q->addr)
        && authd_seen_first(&id->seen, &q->addr, SEEN_UNKNOWN_LOOPBACK))
    {
        authd_log(id->log, AUTHD_LOG_WARN,
                  "tailscaled knows nobody behind a loopback source: a local"
                  " program, or tailscale serve in front of the proxy, which"
                  " hides who is behind it");
    }

    /* nobody may join it any more, and no cancel may free it */

    TAILQ_REMOVE(&id->queries, q, link);
    q->done = true;

    while ((lk = TAILQ_FIRST(&q->lookups)) != NULL) {
        TAILQ_REMOVE(&q->lookups, lk, link);
        (void) lookup_done(lk, status, identity, detail);
    }

    free(q);
}


static void
query_free(query_t *q)
{
    if (q == NULL) {
        return;
    }

    tgn_localapi_cancel(&q->call);

    TAILQ_REMOVE(&q->owner->queries, q, link);

    free(q);
}


/* Everybody who waited for self goes on, or fails. */

static void
self_done(bool ok, const char *detail, void *data)
{
    query_t           *q;
    uint64_t           round;
    authd_lookup_t    *lk;
    authd_identify_t  *id;

    id = data;

    /* what comes to wait from here on waits for the next one */

    round = id->round++;

    while ((lk = TAILQ_FIRST(&id->waiting)) != NULL && lk->round <= round) {
        TAILQ_REMOVE(&id->waiting, lk, link);

        if (ok) {
            (void) lookup_step(lk, authd_node_self(id->node,
                                                   AUTHD_NODE_ANY_AGE));

        } else {
            (void) lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL, detail);
        }
    }

    /* a callback may take any query away: begin anew behind each */

    for ( ;; ) {

        TAILQ_FOREACH(q, &id->queries, link) {
            if (q->waits && q->round <= round) {
                break;
            }
        }

        if (q == NULL) {
            break;
        }

        if (!ok) {
            query_done(q, TG_STATUS_UNAVAILABLE, NULL, detail);

        } else if (!query_send(q)) {
            query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        }
    }
}
