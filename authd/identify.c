
/*
 * Copyright (C) The Tailgate authors
 *
 * Who the source of a request is: lookups, and what they wait for.
 */

#include "authd/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>


/*
 * How old self may be, in milliseconds: in general, and when it makes a
 * tailnet source a stranger.
 */

#define SELF_AGE        10000
#define SELF_AGE_LOCAL  1000

/* Older than this it is asked for while it still serves. */

#define SELF_AGE_AHEAD  5000


static bool api_new(tgn_loop_t *loop, const authd_config_t *conf,
    tgn_localapi_t **api);
static bool lookup_step(authd_lookup_t *lk, const tg_self_t *self);
static bool lookup_nobody(authd_lookup_t *lk, tg_reason_t reason);
static void self_done(bool ok, const char *detail, void *data);


const char *
authd_answer_name(authd_answer_t answer)
{
    static const char *const  names[] = { NULL, "hit", "miss", "stale" };

    return names[answer];
}


authd_identify_t *
authd_identify_new(tgn_loop_t *loop, const authd_config_t *conf,
    const authd_log_t *log, authd_metrics_t *metrics)
{
    bool               ok;
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
    TAILQ_INIT(&id->held);

    id->node = authd_node_new(loop, log, metrics, &id->changes.flushes,
                              self_done, id);

    if (id->node == NULL || !api_new(loop, conf, &id->api)) {
        authd_identify_free(&id);
        return NULL;
    }

    if (getrandom(&id->limit.seed, sizeof(id->limit.seed), 0)
        != sizeof(id->limit.seed))
    {
        authd_identify_free(&id);
        return NULL;
    }

    id->cache = authd_cache_new(loop, conf, log, metrics, &id->changes, &ok);

    if (!ok) {
        authd_identify_free(&id);
        return NULL;
    }

    authd_node_connect(id->node, id->api);

    return id;
}


bool
authd_identify_configure(authd_identify_t *id, const authd_config_t *conf)
{
    bool             ok, other;
    authd_cache_t   *cache;
    authd_query_t   *q;
    authd_lookup_t  *lk;
    tgn_localapi_t  *api;

    if (!api_new(id->loop, conf, &api)) {
        return false;
    }

    cache = NULL;
    other = id->cache == NULL || !authd_cache_configure(id->cache, conf);

    if (other) {
        cache = authd_cache_new(id->loop, conf, id->log, id->metrics,
                                &id->changes, &ok);

        if (!ok) {
            tgn_localapi_free(&api);
            return false;
        }
    }

    id->conf = conf;

    /*
     * Another tailscaled may be another node: nothing of the old one stays.
     * Whoever waits begins anew, so that one configuration alone decides.
     */

    authd_node_connect(id->node, api);

    while ((q = TAILQ_FIRST(&id->queries)) != NULL) {

        while ((lk = TAILQ_FIRST(&q->lookups)) != NULL) {
            TAILQ_REMOVE(&q->lookups, lk, link);
            lk->query = NULL;
            lk->round = id->round;
            lk->asked_self = false;
            TAILQ_INSERT_TAIL(&id->waiting, lk, link);
        }

        authd_query_free(q);
    }

    tgn_localapi_free(&id->api);

    id->api = api;

    if (other) {
        authd_cache_free(&id->cache);
        id->cache = cache;
        id->metrics->cached = cache != NULL;

        if (cache == NULL) {
            id->metrics->entries = 0;
            id->metrics->bytes = 0;
            id->metrics->capacity = 0;
        }
    }

    if (!TAILQ_EMPTY(&id->waiting) && !authd_node_ask(id->node)) {
        self_done(false, "out of memory", id);
    }

    return true;
}


void
authd_identify_free(authd_identify_t **identify)
{
    authd_query_t     *q;
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

        authd_query_free(q);
    }

    authd_node_free(&id->node);
    authd_cache_free(&id->cache);
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
            .peer.status = TG_STATUS_UNAVAILABLE, .detail = "out of memory"
        };

        cb(&identified, data);
        return NULL;
    }

    lk->owner = id;
    lk->source = *source;
    lk->changes = id->changes.n;
    lk->flushes = id->changes.flushes;
    lk->cb = cb;
    lk->data = data;

    if (local != NULL) {
        lk->local = *local;
        lk->has_local = true;
    }

    /* who comes when it is too old would have to wait for it */

    if (authd_node_self(id->node, SELF_AGE_AHEAD) == NULL) {
        (void) authd_node_ask(id->node);
    }

    return lookup_step(lk, authd_node_self(id->node, SELF_AGE)) ? lk : NULL;
}


void
authd_lookup_cancel(authd_lookup_t **lookup)
{
    authd_query_t   *q;
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

        if (TAILQ_EMPTY(&q->lookups) && !q->done && !q->refresh) {
            authd_query_free(q);
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
    tg_question_t      question;
    authd_identify_t  *id;

    id = lk->owner;

    authd_lookup_question(lk, self, &question);

    switch (question.ask) {

    case TG_ASK_WHOIS:

        /* the answer is judged by which tailnet is ours */

        return self ? authd_lookup_find(lk, &question) : authd_lookup_wait(lk);

    case TG_ASK_SELF:

        if (self == NULL) {
            return authd_lookup_wait(lk);
        }

        authd_node_fault(id->node, "tailscaled does not tell"
                         " the node's own addresses");

        return authd_lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                           "the node's own addresses are not known");

    case TG_ASK_NOBODY:
        break;
    }

    if (question.reason == TG_REASON_FOREIGN_LOCAL_ADDR && !lk->asked_self
        && authd_node_self(id->node, SELF_AGE_LOCAL) == NULL)
    {
        lk->asked_self = true;
        return authd_lookup_wait(lk);
    }

    return lookup_nobody(lk, question.reason);
}


/*
 * A node of the tailnet that has many addresses asked for, or one while the
 * event stream is lost, must not keep tailscaled busy.  Behind a loopback
 * source there is everybody.
 */

static bool
lookup_nobody(authd_lookup_t *lk, tg_reason_t reason)
{
    char               text[TG_ADDR_TEXT_MAX], local[TG_ADDR_TEXT_MAX];
    authd_identify_t  *id;

    id = lk->owner;

    if (reason == TG_REASON_FOREIGN_LOCAL_ADDR
        && authd_seen_first(&id->seen, &lk->source, AUTHD_SEEN_FOREIGN_LOCAL))
    {
        (void) tg_addr_format(&lk->source, false, text);
        (void) tg_addr_format(&lk->local, false, local);

        authd_log(id->log, AUTHD_LOG_WARN,
                  "source %s came to %s: %s", text, local,
                  tg_reason_text(reason));
    }

    return authd_lookup_done(lk, TG_STATUS_STRANGER, NULL,
                             tg_reason_text(reason));
}


/* For what the node says of itself from here on. */

bool
authd_lookup_wait(authd_lookup_t *lk)
{
    authd_identify_t  *id;

    id = lk->owner;

    if (!authd_node_ask(id->node)) {
        return authd_lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                                 "out of memory");
    }

    lk->query = NULL;
    lk->round = id->round;
    TAILQ_INSERT_TAIL(&id->waiting, lk, link);

    return true;
}


/* Everybody who waited for self goes on, or fails. */

static void
self_done(bool ok, const char *detail, void *data)
{
    uint64_t           round;
    authd_query_t     *q;
    authd_lookup_t    *lk;
    authd_identify_t  *id;

    id = data;

    /* what comes to wait from here on waits for the next one */

    round = id->round++;

    while ((lk = TAILQ_FIRST(&id->waiting)) != NULL && lk->round <= round) {
        TAILQ_REMOVE(&id->waiting, lk, link);

        if (!ok) {
            (void) authd_lookup_unavailable(lk, detail);

        } else if (lk->flushes > authd_node_flushes(id->node)) {

            /* it was asked for before the flush, and this one began behind */

            (void) authd_lookup_wait(lk);

        } else {
            (void) lookup_step(lk, authd_node_self(id->node,
                                                   AUTHD_NODE_ANY_AGE));
        }
    }

    /* none stays, and a callback may take any of the others away */

    while ((q = TAILQ_FIRST(&id->held)) != NULL && q->round <= round) {

        if (!ok) {
            authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, detail);

        } else if (!authd_query_send(q)) {
            authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
        }
    }
}
