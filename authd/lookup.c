
/*
 * Copyright (C) The Tailgate authors
 *
 * From a question about a source to its answer: one that is kept, one that
 * somebody waits for already, or tailscaled's.
 */

#include "authd/query.h"

#include <stdlib.h>
#include <string.h>


static bool lookup_ask(authd_lookup_t *lk, const tg_question_t *question,
    const authd_key_t *key, const authd_lease_t *lease);
static void lookup_refresh(authd_identify_t *id,
    const tg_question_t *question, const authd_key_t *key,
    const authd_lease_t *lease);
static bool lookup_limited(authd_lookup_t *lk);
static bool lookup_known(authd_lookup_t *lk, authd_known_t *known,
    authd_answer_t answer);


void
authd_lookup_question(const authd_lookup_t *lk, const tg_self_t *self,
    tg_question_t *question)
{
    tg_source_t              source;
    tg_source_rules_t        rules;
    const authd_identify_t  *id;

    id = lk->owner;

    memset(&source, 0, sizeof(source));
    memset(&rules, 0, sizeof(rules));

    source.peer = lk->source;
    source.local = lk->local;

    rules.services = id->conf->services;
    rules.nservices = id->conf->nservices;
    rules.self = self;
    rules.no_local_rule = !lk->has_local;

    tg_source_question(&source, &rules, question);
}


/* Among what is kept, else at tailscaled. */

bool
authd_lookup_find(authd_lookup_t *lk, const tg_question_t *question)
{
    authd_key_t        key;
    authd_lease_t      lease;
    authd_known_t     *known;
    authd_identify_t  *id;

    id = lk->owner;

    if (id->cache == NULL || !authd_cache_key(question, &key)) {
        return lookup_ask(lk, question, NULL, NULL);
    }

    known = authd_cache_find(id->cache, &key, &lease);

    if (known == NULL) {
        return lookup_ask(lk, question, &key, &lease);
    }

    if (lease.ticket != 0) {
        lookup_refresh(id, question, &key, &lease);
    }

    id->metrics->counts[TG_COUNT_HITS]++;
    id->metrics->counts[TG_COUNT_NEGATIVE] +=
        known->status == TG_STATUS_STRANGER;

    return lookup_known(lk, known, AUTHD_ANSWER_HIT);
}


/* key is NULL if the answer is not to be kept. */

static bool
lookup_ask(authd_lookup_t *lk, const tg_question_t *question,
    const authd_key_t *key, const authd_lease_t *lease)
{
    bool               sent;
    authd_query_t     *q;
    authd_identify_t  *id;

    id = lk->owner;

    /* an answer for address and port is that connection's alone */

    q = question->with_port ? NULL : authd_query_find(id, question);

    if (q != NULL) {
        id->metrics->counts[TG_COUNT_COALESCED]++;

    } else if (!lookup_limited(lk)) {
        q = authd_query_new(id, question);

    } else {

        if (key != NULL && lease->ticket != 0) {
            authd_cache_drop(id->cache, key, lease);
        }

        return authd_lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                                 "this source makes for more questions to"
                                 " tailscaled than cache.misses");
    }

    if (q == NULL) {
        sent = false;

    } else if (key != NULL && lease->ticket != 0) {
        sent = authd_query_lease(q, key, lease);

    } else {
        sent = q->call != NULL || q->waits || authd_query_send(q);
    }

    if (q == NULL) {

        if (key != NULL && lease->ticket != 0) {
            authd_cache_drop(id->cache, key, lease);
        }

        return authd_lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL,
                                 "out of memory");
    }

    /* in its queue, as whoever is told of a failure may cancel any lookup */

    lk->query = q;
    lk->answer = AUTHD_ANSWER_MISS;
    id->metrics->counts[TG_COUNT_MISSES]++;
    TAILQ_INSERT_TAIL(&q->lookups, lk, link);

    if (!sent) {
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
    }

    return sent;
}


/* Nobody waits for it: an answer that is about to end is asked for anew. */

static void
lookup_refresh(authd_identify_t *id, const tg_question_t *question,
    const authd_key_t *key, const authd_lease_t *lease)
{
    authd_query_t  *q;

    q = authd_query_find(id, question);

    if (q == NULL) {
        q = authd_query_new(id, question);
    }

    if (q == NULL) {
        authd_cache_drop(id->cache, key, lease);
        return;
    }

    q->refresh = true;

    if (!authd_query_lease(q, key, lease)) {
        authd_query_done(q, TG_STATUS_UNAVAILABLE, NULL, "out of memory");
    }
}


static bool
lookup_limited(authd_lookup_t *lk)
{
    char               text[TG_ADDR_TEXT_MAX];
    authd_identify_t  *id;

    id = lk->owner;

    if (id->conf->cache_misses == 0 || tg_addr_is_loopback(&lk->source)
        || authd_limit_take(&id->limit, &lk->source, id->conf->cache_misses,
                            tgn_loop_now(id->loop)))
    {
        return false;
    }

    id->metrics->counts[TG_COUNT_LIMITED]++;

    if (authd_seen_first(&id->seen, &lk->source, AUTHD_SEEN_LIMITED)) {
        (void) tg_addr_format(&lk->source, false, text);

        authd_log(id->log, AUTHD_LOG_WARN, "source %s makes for more than %zu"
                  " questions to tailscaled a second (cache.misses): the"
                  " others are answered 503", text, id->conf->cache_misses);
    }

    return true;
}


/* Takes known over. */

static bool
lookup_known(authd_lookup_t *lk, authd_known_t *known, authd_answer_t answer)
{
    lk->caps = known->caps;
    lk->answer = answer;

    (void) authd_lookup_done(lk, known->status,
                             authd_status_has_identity(known->status)
                                 ? &known->identity : NULL,
                             "");

    authd_known_release(&known);

    return false;
}


/* The node does not answer: an old answer may have to do. */

bool
authd_lookup_unavailable(authd_lookup_t *lk, const char *detail)
{
    authd_key_t        key;
    authd_known_t     *known;
    tg_question_t      question;
    const tg_self_t   *self;
    authd_identify_t  *id;

    id = lk->owner;
    known = NULL;
    self = authd_node_self(id->node, AUTHD_NODE_ANY_AGE);

    if (id->cache != NULL && self != NULL) {
        authd_lookup_question(lk, self, &question);

        if (question.ask == TG_ASK_WHOIS && authd_cache_key(&question, &key)) {
            known = authd_query_stale(id, &key, &lk->source);
        }
    }

    if (known != NULL) {
        return lookup_known(lk, known, AUTHD_ANSWER_STALE);
    }

    return authd_lookup_done(lk, TG_STATUS_UNAVAILABLE, NULL, detail);
}


/* lk is in no queue. */

bool
authd_lookup_done(authd_lookup_t *lk, tg_status_t status,
    const tg_identity_t *identity, const char *detail)
{
    authd_identify_t    *id;
    authd_identified_t   identified;

    id = lk->owner;

    if (lk->answer == AUTHD_ANSWER_STALE) {
        id->metrics->counts[TG_COUNT_STALE]++;
    }

    identified.peer.status = status;
    identified.peer.identity = identity;
    identified.peer.self = authd_node_self(id->node, AUTHD_NODE_ANY_AGE);
    identified.peer.caps = lk->caps;
    identified.detail = detail;
    identified.answer = lk->answer;

    lk->cb(&identified, lk->data);

    free(lk);

    return false;
}
