
/*
 * Copyright (C) The Tailgate authors
 *
 * What tailscaled has answered, kept for a while: the table that nginx has as
 * well (tailgate/table.h), ready-made answers in front of it, and the node's
 * event stream, which says what is out of date.  It asks nobody about a peer.
 */

#ifndef AUTHD_CACHE_H_INCLUDED_
#define AUTHD_CACHE_H_INCLUDED_

#include "authd/changes.h"
#include "authd/config.h"
#include "authd/log.h"
#include "authd/metrics.h"

#include <tailgate/gate.h>
#include <tailgate/identity.h>
#include <tailgate/policy.h>
#include <tailgate/table.h>

#include <net/loop/loop.h>


typedef struct authd_cache_s  authd_cache_t;


/* Whom an answer is about. */

typedef struct {
    size_t      len;
    uint8_t     data[TG_TABLE_KEY_MAX];
} authd_key_t;

/* What find() says about an answer that has to be fetched. */

typedef struct {
    tg_table_state_t   state;
    uint64_t           ticket;     /* 0: somebody else has it */
    uint64_t           asked;
} authd_lease_t;

/* An answer; whoever was given one releases it. */

typedef struct {
    size_t             refs;
    tg_arena_t        *arena;      /* it lives in it */
    tg_status_t        status;
    tg_identity_t      identity;   /* if status has one */
    const tg_caps_t   *caps;       /* parsed; NULL: none, or not wanted */
} authd_known_t;

/* Whether somebody is behind a status: MEMBER to UNSIGNED. */

bool authd_status_has_identity(tg_status_t status);


/*
 * authd_cache_new() returns NULL when out of memory, or when conf wants none:
 * *ok says which.  It begins to follow the node's event stream, and writes
 * down in *changes what that tells.
 *
 * authd_cache_configure() takes a configuration over, and returns false if
 * that takes another cache: for another tailscaled, or another size.
 *
 * authd_cache_free() sets *cache to NULL; a NULL *cache is fine.
 */

authd_cache_t *authd_cache_new(tgn_loop_t *loop, const authd_config_t *conf,
    const authd_log_t *log, authd_metrics_t *metrics,
    authd_changes_t *changes, bool *ok);
bool authd_cache_configure(authd_cache_t *cache, const authd_config_t *conf);
void authd_cache_free(authd_cache_t **cache);

/* False: the answer to question is one connection's, and never kept. */

bool authd_cache_key(const tg_question_t *question, authd_key_t *key);

/*
 * The answer that is kept, or NULL and what to do (lease->state).  A lease with
 * a ticket obliges to put() or drop(); one with an answer, too: that one is
 * about to end.
 */

authd_known_t *authd_cache_find(authd_cache_t *cache, const authd_key_t *key,
    authd_lease_t *lease);

/*
 * The answer that was asked for with lease; identity may be NULL.  True: it
 * became out of date on its way, so ask again.
 */

bool authd_cache_put(authd_cache_t *cache, const authd_key_t *key,
    const authd_lease_t *lease, tg_status_t status,
    const tg_identity_t *identity);
void authd_cache_drop(authd_cache_t *cache, const authd_key_t *key,
    const authd_lease_t *lease);

/* An answer past its end, for when tailscaled gives none, or NULL. */

authd_known_t *authd_cache_stale(authd_cache_t *cache,
    const authd_key_t *key);

/* Sets *known to NULL; a NULL *known is fine. */

void authd_known_release(authd_known_t **known);


#endif /* AUTHD_CACHE_H_INCLUDED_ */
