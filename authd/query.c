
/*
 * Copyright (C) The Tailgate authors
 *
 * A question to tailscaled about an address, and what its answer is worth.
 */

#include "authd/query.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>


/*
 * How old self may be, in milliseconds, when a 404 is to mean a stranger.  A
 * tailscaled that was restarted answers 404 until it has its peers, and needs
 * longer than this to come up.
 */

#define SELF_AGE_ABSENT  100

#define QUERY_ARENA_MAX  (8 * 1024 * 1024)

/*
 * How often a question is asked again because something changed meanwhile.
 * What changes faster than that is taken as it comes, but by nobody who began
 * behind the change.
 */

#define QUERY_AGAIN_MAX  3


static authd_bucket_t *query_bucket(authd_identify_t *id,
    const tg_addr_t *addr, const char *service, size_t len);
static void query_unlink(authd_query_t *q);
static void query_answer(const tgn_localapi_answer_t *answer, void *data);
static void query_settle(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity, const char *detail);
static bool query_changed(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity);
static void query_wait(authd_query_t *q);
static void query_hold(authd_query_t *q);
static bool query_again(authd_query_t *q);
static const char *query_caps(authd_query_t *q, const tg_alloc_t *alloc,
    const tg_identity_t *identity);
static bool query_is_early(const authd_query_t *q,
    const tgn_localapi_answer_t *answer);
static bool query_repeat(authd_query_t *q);
static bool query_ask_itself(authd_query_t *q);
static void query_itself(const tgn_localapi_answer_t *answer, void *data);
static void query_drop(authd_query_t *q);
static bool query_is_older(const authd_query_t *q, const authd_lookup_t *lk);


authd_query_t *
authd_query_find(authd_identify_t *id, const tg_question_t *question)
{
    authd_query_t   *q;
    authd_bucket_t  *bucket;

    bucket = query_bucket(id, &question->addr, question->service.data,
                          question->service.len);

    LIST_FOREACH(q, bucket, found) {
        if (tg_addr_equal(&q->addr, &question->addr)
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


authd_query_t *
authd_query_new(authd_identify_t *id, const tg_question_t *question)
{
    authd_query_t  *q;

    if (question->service.len > AUTHD_SERVICE_MAX) {
        return NULL;
    }

    q = calloc(1, sizeof(authd_query_t));
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

    if (!q->with_port) {
        LIST_INSERT_HEAD(query_bucket(id, &q->addr, q->service,
                                      q->service_len), q, found);
    }

    return q;
}


/* FNV-1a from a seed, so that nobody can choose who shares a bucket. */

static authd_bucket_t *
query_bucket(authd_identify_t *id, const tg_addr_t *addr, const char *service,
    size_t len)
{
    size_t    i;
    uint64_t  hash;

    hash = 14695981039346656037u ^ id->limit.seed;

    for (i = 0; i < sizeof(addr->bytes); i++) {
        hash = (hash ^ addr->bytes[i]) * 1099511628211u;
    }

    for (i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char) service[i]) * 1099511628211u;
    }

    return &id->buckets[(hash ^ hash >> 32) % AUTHD_QUERY_BUCKETS];
}


/* Nobody finds it from here on. */

static void
query_unlink(authd_query_t *q)
{
    TAILQ_REMOVE(&q->owner->queries, q, link);

    if (!q->with_port) {
        LIST_REMOVE(q, found);
    }

    if (q->waits) {
        TAILQ_REMOVE(&q->owner->held, q, held);
        q->waits = false;
    }
}


bool
authd_query_lease(authd_query_t *q, const authd_key_t *key,
    const authd_lease_t *lease)
{
    if (q->call != NULL && q->lease.ticket != 0) {

        /*
         * Something changed since it was asked, which settles itself when the
         * answer is there.  Who would begin anew for each change would never
         * come to an end if tailscaled is slower than they come.
         */

        authd_cache_drop(q->owner->cache, key, lease);
        return true;
    }

    q->keyed = true;
    q->key = *key;
    q->lease = *lease;

    if (q->waits) {
        return true;
    }

    tgn_localapi_cancel(&q->call);

    q->repeated = false;
    q->itself = false;

    return authd_query_send(q);
}


bool
authd_query_send(authd_query_t *q)
{
    tg_str_t           service;
    authd_identify_t  *id;

    id = q->owner;

    service.data = q->service;
    service.len = q->service_len;

    if (q->waits) {
        TAILQ_REMOVE(&id->held, q, held);
        q->waits = false;
    }

    q->changes = id->changes.n;
    q->running = authd_node_self(id->node, SELF_AGE_ABSENT) != NULL;

    q->call = tgn_localapi_whois(id->api, &q->addr, q->with_port, service,
                                 NULL, query_answer, q);
    q->started = authd_metrics_clock();
    id->metrics->counts[TG_COUNT_LOOKUPS]++;

    return q->call != NULL;
}


static void
query_answer(const tgn_localapi_answer_t *answer, void *data)
{
    tg_error_t         error;
    tg_alloc_t         alloc;
    tg_arena_t        *arena;
    const char        *detail;
    tg_status_t        status;
    authd_query_t     *q;
    tg_identity_t      identity;
    authd_identify_t  *id;

    q = data;
    id = q->owner;
    q->call = NULL;

    authd_metrics_call(id->metrics, answer->status,
                       authd_metrics_clock() - q->started);

    q->overtaken = authd_node_outdated(id->node);

    if (q->overtaken && q->again < QUERY_AGAIN_MAX) {
        query_wait(q);
        return;
    }

    if (query_is_early(q, answer)) {
        if (!query_repeat(q)) {
            authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL,
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
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        return;
    }

    alloc = tg_arena_allocator(arena);

    status = tg_whois_status(answer->code, answer->body, answer->len,
                             authd_node_self(id->node, AUTHD_NODE_ANY_AGE),
                             (int64_t) time(NULL), &alloc, &identity, &error);

    detail = answer->status == TGN_LOCALAPI_OK ? error.text : answer->error;

    if (authd_status_has_identity(status)) {
        detail = query_caps(q, &alloc, &identity);

        if (detail == NULL) {
            status = TG_STATUS_UNAVAILABLE;
            detail = "out of memory";
        }
    }

    if (status == TG_STATUS_UNAVAILABLE) {
        if (answer->status == TGN_LOCALAPI_OK) {
            authd_metrics_nonsense(id->metrics, answer->code);
        }

        authd_node_fault(id->node, detail);

    } else {
        authd_node_works(id->node);
    }

    query_settle(q, status,
                 authd_status_has_identity(status) ? &identity : NULL, detail);

    tg_arena_free(&arena);
}


/*
 * An answer that would be judged by what the node said of itself before all
 * that was known of it went: ask the node, and then again.
 */

static void
query_wait(authd_query_t *q)
{
    authd_identify_t  *id;

    id = q->owner;

    q->again++;

    if (!authd_node_ask(id->node)) {
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        return;
    }

    query_hold(q);
}


static void
query_hold(authd_query_t *q)
{
    authd_identify_t  *id;

    id = q->owner;

    q->waits = true;
    q->round = id->round;
    TAILQ_INSERT_TAIL(&id->held, q, held);
}


/* Keeps the answer, unless it became out of date on its way. */

static void
query_settle(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity, const char *detail)
{
    if (status == TG_STATUS_UNAVAILABLE) {
        authd_query_done(q, status, identity, detail);
        return;
    }

    if (q->overtaken) {

        /* judged by what the node said before the flush: not to be kept */

        query_drop(q);

    } else if (query_changed(q, status, identity)) {

        if (q->again < QUERY_AGAIN_MAX) {
            q->again++;

            if (!query_again(q)) {
                authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL,
                                 "out of memory");
            }

            return;
        }

        q->overtaken = true;
    }

    authd_query_done(q, status, identity, detail);
}


/*
 * The table knows for whoever has a lease.  Others are asked by what was told
 * of the address in question, and of the node that is behind a port.
 */

static bool
query_changed(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity)
{
    authd_lease_t           lease;
    const authd_changes_t  *changes;

    if (q->keyed && q->lease.ticket != 0) {
        lease = q->lease;
        q->lease.ticket = 0;

        return authd_cache_put(q->owner->cache, &q->key, &lease, status,
                               identity);
    }

    changes = &q->owner->changes;

    return authd_changes_since(changes, q->changes, &q->addr)
           || (identity != NULL
               && authd_changes_since(changes, q->changes,
                                      &identity->node_addr));
}


/* Whatever has been kept since then is for those who ask from here on. */

static bool
query_again(authd_query_t *q)
{
    authd_lease_t   lease;
    authd_known_t  *known;

    q->caps = NULL;

    if (!q->keyed) {
        q->repeated = false;
        q->itself = false;

        return authd_query_send(q);
    }

    known = authd_cache_find(q->owner->cache, &q->key, &lease);

    authd_known_release(&known);

    return authd_query_lease(q, &q->key, &lease);
}


/*
 * Parsed once for everybody who waits.  Capabilities that make no sense are
 * none: the text says so.  NULL when out of memory.
 */

static const char *
query_caps(authd_query_t *q, const tg_alloc_t *alloc,
    const tg_identity_t *identity)
{
    int         rc;
    tg_caps_t  *caps;

    if (q->owner->conf->rules == NULL) {
        return "";
    }

    rc = tg_caps_parse(identity->caps, alloc, &caps);

    if (rc == TG_ERR_NOMEM) {
        return NULL;
    }

    if (rc != TG_OK) {
        return "its capabilities could not be read, so it has none";
    }

    q->caps = caps;

    return "";
}


/*
 * An answer about a peer that came before the node knew of its own tailnet:
 * nobody could be a member of it.
 */

static bool
query_is_early(const authd_query_t *q, const tgn_localapi_answer_t *answer)
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
query_repeat(authd_query_t *q)
{
    authd_identify_t  *id;

    id = q->owner;

    if (q->repeated) {
        return false;
    }

    if (!authd_node_ask(id->node)) {
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        return true;
    }

    q->repeated = true;
    query_hold(q);

    return true;
}


/*
 * A tailscaled that starts from a map on disk without peers says that it is
 * running and answers 404 for everybody, for itself too (seen in 1.102.5).  So
 * the 404 of one that knows itself is the one that counts.
 */

static bool
query_ask_itself(authd_query_t *q)
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
    q->started = authd_metrics_clock();
    id->metrics->counts[TG_COUNT_LOOKUPS]++;

    if (q->call == NULL) {
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
    }

    return true;
}


static void
query_itself(const tgn_localapi_answer_t *answer, void *data)
{
    const char        *detail;
    authd_query_t     *q;
    authd_identify_t  *id;

    q = data;
    id = q->owner;
    q->call = NULL;

    authd_metrics_call(id->metrics, answer->status,
                       authd_metrics_clock() - q->started);

    if (answer->status == TGN_LOCALAPI_OK && answer->code == 200) {
        q->itself = true;

        if (!authd_query_send(q)) {
            authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        }

        return;
    }

    detail = answer->status == TGN_LOCALAPI_OK
             ? "tailscaled is running, but has no map of its peers yet"
             : answer->error;

    if (answer->status == TGN_LOCALAPI_OK) {
        authd_metrics_nonsense(id->metrics, answer->code);
    }

    authd_node_fault(id->node, detail);

    authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, detail);
}


void
authd_query_done(authd_query_t *q, tg_status_t status,
    const tg_identity_t *identity, const char *detail)
{
    authd_known_t     *known;
    authd_lookup_t    *lk;
    authd_answer_t     answer;
    authd_identify_t  *id;

    id = q->owner;
    known = NULL;
    answer = AUTHD_ANSWER_MISS;

    if (status == TG_STATUS_UNAVAILABLE) {
        q->overtaken = false;
    }

    if (status == TG_STATUS_UNAVAILABLE && q->keyed) {
        query_drop(q);

        /* a refresh that failed is nobody's answer */

        if (!TAILQ_EMPTY(&q->lookups)) {
            known = authd_query_stale(id, &q->key, &q->addr);
        }
    }

    if (known != NULL) {
        answer = AUTHD_ANSWER_STALE;
        status = known->status;
        identity = authd_status_has_identity(status) ? &known->identity
                                                     : NULL;
        q->caps = known->caps;
    }

    if (status == TG_STATUS_STRANGER && tg_addr_is_loopback(&q->addr)
        && authd_seen_first(&id->seen, &q->addr, AUTHD_SEEN_UNKNOWN_LOOPBACK))
    {
        authd_log(id->log, AUTHD_LOG_WARN,
                  "tailscaled knows nobody behind a loopback source: a local"
                  " program, or tailscale serve in front of the proxy, which"
                  " hides who is behind it");
    }

    /* nobody may join it any more, and no cancel may free it */

    query_unlink(q);
    q->done = true;

    while ((lk = TAILQ_FIRST(&q->lookups)) != NULL) {
        TAILQ_REMOVE(&q->lookups, lk, link);

        if (q->overtaken && query_is_older(q, lk)) {
            (void) authd_lookup_wait(lk);
            continue;
        }

        lk->caps = q->caps;
        lk->answer = answer;
        (void) authd_lookup_done(lk, status, identity, detail);
    }

    authd_known_release(&known);
    free(q);
}


/* Than a change that was told before the lookup began. */

static bool
query_is_older(const authd_query_t *q, const authd_lookup_t *lk)
{
    return lk->changes > q->changes
           || lk->flushes > authd_node_flushes(q->owner->node);
}


authd_known_t *
authd_query_stale(authd_identify_t *id, const authd_key_t *key,
    const tg_addr_t *addr)
{
    char            text[TG_ADDR_TEXT_MAX];
    authd_known_t  *known;

    known = authd_cache_stale(id->cache, key);

    if (known == NULL) {
        return NULL;
    }

    if (authd_seen_first(&id->seen, addr, AUTHD_SEEN_STALE)) {
        (void) tg_addr_format(addr, false, text);

        authd_log(id->log, AUTHD_LOG_WARN, "a stale answer is used for source"
                  " %s", text);
    }

    return known;
}


/* Gives the lease back, if there is one. */

static void
query_drop(authd_query_t *q)
{
    if (q->keyed && q->lease.ticket != 0) {
        authd_cache_drop(q->owner->cache, &q->key, &q->lease);
        q->lease.ticket = 0;
    }
}


void
authd_query_free(authd_query_t *q)
{
    if (q == NULL) {
        return;
    }

    tgn_localapi_cancel(&q->call);
    query_drop(q);

    query_unlink(q);

    free(q);
}
