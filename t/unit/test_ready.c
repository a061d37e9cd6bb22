
/*
 * Copyright (C) The Tailgate authors
 *
 * Ready-made answers: how much of them is kept.  The event stream is one that
 * is always followed, and says nothing.
 */

#include "authd/cache.h"

#include <net/client/bus.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define READY_BYTES  (8 * 1024 * 1024)
#define ANSWERS      200
#define CAPS         TG_CAPS_MAX


struct tgn_bus_s {
    int  unused;
};


static tgn_bus_t         bus;
static tgn_loop_t       *loop;
static authd_cache_t    *cache;
static authd_config_t    conf;
static authd_changes_t   changes;
static authd_metrics_t   metrics;


tgn_bus_t *
tgn_bus_new(tgn_loop_t *l, const tgn_bus_conf_t *bc,
    const tgn_bus_events_t *events, void *data)
{
    (void) l;
    (void) bc;
    (void) events;
    (void) data;

    return &bus;
}


void
tgn_bus_free(tgn_bus_t **busp)
{
    *busp = NULL;
}


void
tgn_bus_timeout(tgn_bus_t *b, uint64_t timeout)
{
    (void) b;
    (void) timeout;
}


tg_bus_state_t
tgn_bus_state(const tgn_bus_t *b)
{
    (void) b;

    return TG_BUS_FOLLOWED;
}


static int
setup(void **state)
{
    bool         ok;
    static char  localapi[] = "/nonexistent";

    (void) state;

    conf.cache_size = 256 * 1024 * 1024;
    conf.cache_ttl = 3600 * 1000;
    conf.localapi = localapi;
    conf.localapi_timeout = 1000;

    loop = tgn_loop_new();
    assert_non_null(loop);

    cache = authd_cache_new(loop, &conf, NULL, &metrics, &changes, &ok);
    assert_non_null(cache);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    authd_cache_free(&cache);
    tgn_loop_free(&loop);

    return 0;
}


static void
key_of(size_t i, authd_key_t *key)
{
    tg_question_t  question;

    memset(&question, 0, sizeof(question));

    question.addr.family = TG_ADDR_V4;
    question.addr.bytes[0] = (uint8_t) i;

    assert_true(authd_cache_key(&question, key));
}


static authd_known_t *
find(size_t i)
{
    authd_key_t     key;
    authd_known_t  *known;
    authd_lease_t   lease;

    key_of(i, &key);

    known = authd_cache_find(cache, &key, &lease);
    assert_non_null(known);

    return known;
}


static void
keep(size_t i, const char *caps)
{
    authd_key_t    key;
    authd_lease_t  lease;
    tg_identity_t  identity;

    memset(&identity, 0, sizeof(identity));

    identity.caps.data = caps;
    identity.caps.len = CAPS;

    key_of(i, &key);

    assert_null(authd_cache_find(cache, &key, &lease));
    assert_int_not_equal(lease.ticket, 0);
    assert_false(authd_cache_put(cache, &key, &lease, TG_STATUS_MEMBER,
                                 &identity));
}


/* An answer is ready-made if it is the very same one that was given before. */

static void
test_bytes(void **state)
{
    char           *caps;
    size_t          i, ready, bytes;
    authd_known_t  *known[ANSWERS], *again;

    (void) state;

    caps = malloc(CAPS);
    assert_non_null(caps);
    memset(caps, 'x', CAPS);

    for (i = 0; i < ANSWERS; i++) {
        keep(i, caps);
        known[i] = find(i);
    }

    ready = 0;
    bytes = 0;

    /* one that is not ready puts the last ones out, which are counted first */

    for (i = ANSWERS; i-- > 0; /* void */ ) {
        again = find(i);

        if (again == known[i]) {
            ready++;
            bytes += tg_arena_used(again->arena);
        }

        authd_known_release(&again);
    }

    assert_true(bytes <= READY_BYTES);
    assert_true(bytes > READY_BYTES / 2);
    assert_true(ready < ANSWERS);

    for (i = 0; i < ANSWERS; i++) {
        authd_known_release(&known[i]);
    }

    free(caps);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown)
    };

    return cmocka_run_group_tests_name("ready", tests, NULL, NULL);
}
