
/*
 * Copyright (C) The Tailgate authors
 *
 * Messages of the bus: whose answers are out of date behind each.
 */

#include <tailgate/bus.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define MEMORY  (64 * 1024)

/* How many fit into SMALL, but for the one in eight that stays free. */

#define SMALL   1500
#define NODES   13

#define ALICE(fields)                                                         \
    "{\"ID\":4,\"StableID\":\"n4\",\"Name\":\"laptop.tail.example.\","        \
    "\"Addresses\":[\"100.64.0.4/32\",\"fd7a:115c:a1e0::4/128\"]" fields "}"
#define BOB(fields)                                                           \
    "{\"ID\":5,\"StableID\":\"n5\",\"Addresses\":[\"100.64.0.5/32\"]" fields "}"
#define PEERS(list)   "{\"PeersChanged\":[" list "]}"


typedef struct {
    void             *memory;
    tg_bus_t         *bus;
    tg_arena_t       *arena;
    tg_alloc_t        alloc;
    tg_bus_change_t   change;
    char              text[1024];
} world_t;


static int
setup(void **state)
{
    world_t  *w;

    w = calloc(1, sizeof(world_t));
    assert_non_null(w);

    w->memory = malloc(MEMORY);
    assert_non_null(w->memory);

    w->bus = tg_bus_init(w->memory, MEMORY);
    assert_non_null(w->bus);

    w->arena = tg_arena_new(1024 * 1024);
    assert_non_null(w->arena);
    w->alloc = tg_arena_allocator(w->arena);

    *state = w;

    return 0;
}


static int
teardown(void **state)
{
    world_t  *w = *state;

    tg_arena_free(&w->arena);
    free(w->memory);
    free(w);

    return 0;
}


/* "all", or the addresses; "error" before it if there was one. */

static const char *
read_message(world_t *w, const char *json)
{
    int      rc;
    char     addr[TG_ADDR_TEXT_MAX];
    size_t   i, len;

    rc = tg_bus_read(w->bus, json, strlen(json), &w->alloc, &w->change, NULL);

    len = (size_t) snprintf(w->text, sizeof(w->text), "%s%s",
                            rc != TG_OK ? "error " : "",
                            w->change.all ? "all" : "");

    for (i = 0; !w->change.all && i < w->change.naddrs; i++) {
        (void) tg_addr_format(&w->change.addrs[i], false, addr);
        len += (size_t) snprintf(w->text + len, sizeof(w->text) - len, "%s%s",
                                 len > 0 ? " " : "", addr);
    }

    return w->text;
}


static void
learn(world_t *w)
{
    assert_string_equal(read_message(w, PEERS(ALICE("") "," BOB(""))), "all");
    assert_string_equal(read_message(w, PEERS(ALICE("") "," BOB(""))), "");
}


static void
test_of_no_account(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w, "{}"), "");
    assert_string_equal(read_message(w, "{\"Version\":\"1.102.5\"}"), "");
    assert_string_equal(read_message(w,
        PEERS(ALICE(",\"Online\":true,\"LastSeen\":\"2026-11-22T00:00:00Z\","
                    "\"Endpoints\":[\"1.2.3.4:5\"],\"HomeDERP\":3"))), "");
    assert_string_equal(read_message(w,
        PEERS("{\"Addresses\":[\"100.64.0.5/32\"],\"StableID\":\"n5\","
              "\"ID\":5}")), "");
    assert_string_equal(read_message(w,
        "{\"PeerChangedPatch\":[{\"NodeID\":4,\"Online\":false},"
        "{\"NodeID\":9,\"LastSeen\":\"x\",\"DERPRegion\":2}]}"), "");
    assert_string_equal(read_message(w,
        "{\"PeersChanged\":null,\"PeersRemoved\":[],\"UserProfiles\":null}"),
        "");
}


static void
test_changed(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        PEERS(ALICE(",\"Tags\":[\"tag:ci\"]"))),
        "100.64.0.4 fd7a:115c:a1e0::4 100.64.0.4 fd7a:115c:a1e0::4");
    assert_string_equal(read_message(w,
        PEERS(ALICE(",\"Tags\":[\"tag:ci\"]"))), "");

    /* what is inside of Hostinfo counts, but for NetInfo */

    assert_string_equal(read_message(w,
        PEERS(BOB(",\"Hostinfo\":{\"OS\":\"iOS\"}"))), "100.64.0.5 100.64.0.5");
    assert_string_equal(read_message(w,
        PEERS(BOB(",\"Hostinfo\":{\"OS\":\"iOS\",\"NetInfo\":{\"x\":1}}"))),
        "");
    assert_string_equal(read_message(w,
        PEERS(BOB(",\"Expired\":true,\"Hostinfo\":{\"OS\":\"iOS\"}"))),
        "100.64.0.5 100.64.0.5");
}


/* An address that moves: where the node was, and where it is. */

static void
test_moved(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        PEERS("{\"ID\":5,\"StableID\":\"n5\","
              "\"Addresses\":[\"100.64.0.9/32\"]}")),
        "100.64.0.5 100.64.0.9");
}


static void
test_unknown(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        PEERS("{\"ID\":6,\"Addresses\":[\"100.64.0.6/32\"]}")), "all");
    assert_string_equal(read_message(w,
        PEERS("{\"ID\":6,\"Addresses\":[\"100.64.0.6/32\"]}")), "");

    /* nobody is called 0 */
    assert_string_equal(read_message(w, PEERS("{\"ID\":0}")), "all");
    assert_string_equal(read_message(w, PEERS("{\"ID\":0}")), "all");

    tg_bus_forget(w->bus);
    assert_string_equal(read_message(w, PEERS(ALICE(""))), "all");
}


static void
test_removed(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w, "{\"PeersRemoved\":[5]}"),
                        "100.64.0.5");
    assert_string_equal(read_message(w, "{\"PeersRemoved\":[5]}"), "all");
    assert_string_equal(read_message(w, "{\"PeersRemoved\":[\"4\"]}"), "all");
    assert_string_equal(read_message(w, "{\"PeersRemoved\":[4]}"),
                        "100.64.0.4 fd7a:115c:a1e0::4");
}


static void
test_patch(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        "{\"PeerChangedPatch\":[{\"NodeID\":5,\"KeyExpiry\":\"x\"}]}"),
        "100.64.0.5");

    /* what it is now was not told: the next one is a change */
    assert_string_equal(read_message(w, PEERS(BOB(""))), "all");

    assert_string_equal(read_message(w,
        "{\"PeerChangedPatch\":[{\"NodeID\":7,\"CapMap\":{}}]}"), "all");
}


/* A whole list may be the only sign of a removal. */

static void
test_self(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        "{\"SelfChange\":{\"ID\":1,\"Name\":\"a\"}}"), "all");
    assert_string_equal(read_message(w,
        "{\"SelfChange\":{\"ID\":1,\"Name\":\"a\",\"Online\":true}}"), "");
    assert_string_equal(read_message(w,
        "{\"SelfChange\":{\"ID\":1,\"Name\":\"b\"}}"), "all");
    assert_string_equal(read_message(w,
        "{\"SelfChange\":{\"ID\":1,\"Name\":\"b\"},"
        "\"PeersChanged\":[" ALICE("") "]}"), "all");
    assert_string_equal(read_message(w,
        "{\"UserProfiles\":{\"1\":{\"LoginName\":\"a@b\"}}}"), "all");
    assert_string_equal(read_message(w, "{\"NetMap\":{}}"), "all");
}


static void
test_state(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w, "{\"State\":6}"), "");
    assert_true(w->change.has_state && w->change.running);

    assert_string_equal(read_message(w, "{\"State\":4}"), "all");
    assert_true(w->change.has_state && !w->change.running);

    assert_string_equal(read_message(w, "{\"State\":null}"), "");
    assert_false(w->change.has_state);
}


/* What is not understood may be about anybody, and what was known is not. */

static void
test_nonsense(void **state)
{
    char        *large;
    size_t       i;
    world_t     *w = *state;

    static const char  *const messages[] = {
        "", "[]", "{", "{\"State\":\"6\"}", "{\"SelfChange\":[]}",
        "{\"PeersChanged\":{}}", "{\"PeersChanged\":[1]}",
        "{\"PeersChanged\":[{\"ID\":\"4\"}]}",
        "{\"PeersChanged\":[{\"ID\":4,\"Addresses\":[\"x\"]}]}",
        "{\"PeersChanged\":[{\"ID\":4,\"Addresses\":[7]}]}",
        "{\"PeersChanged\":[{\"ID\":4,\"Addresses\":{}}]}",
        "{\"PeerChangedPatch\":[7]}", "{\"PeerChangedPatch\":7}",
        "{\"PeersRemoved\":7}", "{\"a\":1,\"a\":1}", "{\"a\":\"\\u0000\"}"
    };

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        learn(w);
        assert_string_equal(read_message(w, messages[i]), "error all");
        assert_string_equal(read_message(w, PEERS(BOB(""))), "all");
        tg_bus_forget(w->bus);
    }

    large = malloc(TG_BUS_MESSAGE_MAX + 2);
    assert_non_null(large);
    memset(large, ' ', TG_BUS_MESSAGE_MAX + 1);
    memcpy(large, "{}", 2);
    large[TG_BUS_MESSAGE_MAX + 1] = '\0';

    learn(w);
    assert_string_equal(read_message(w, large), "error all");

    large[TG_BUS_MESSAGE_MAX] = '\0';
    assert_string_equal(read_message(w, large), "");

    free(large);
}


/* Without room nobody is remembered, and everything else is as before. */

static void
test_small(void **state)
{
    int        n;
    char       message[256];
    size_t     known;
    world_t   *w = *state;

    assert_null(tg_bus_init(w->memory, 16));

    w->bus = tg_bus_init(w->memory, SMALL);
    assert_non_null(w->bus);

    for (n = 1; n <= 200; n++) {
        (void) snprintf(message, sizeof(message),
                        PEERS("{\"ID\":%d,\"Addresses\":[\"100.64.1.%d/32\"]}"),
                        n, n);
        assert_string_equal(read_message(w, message), "all");
    }

    /* the first ones are, each until it is removed, in whatever order */

    for (n = 1, known = 0; n <= 210; n++) {
        (void) snprintf(message, sizeof(message),
                        "{\"PeersRemoved\":[%d]}", (n * 7) % 211);
        known += strcmp(read_message(w, message), "all") != 0;
    }

    assert_int_equal(known, NODES);

    /* those that were taken out left nothing behind */
    learn(w);
}


#define WITH_WORLD(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)


/* What is remembered of a node is all of its addresses, or nothing. */

static void
test_many_addresses(void **state)
{
    world_t  *w = *state;

    learn(w);

    assert_string_equal(read_message(w,
        PEERS("{\"ID\":6,\"StableID\":\"n6\",\"Addresses\":["
              "\"100.64.0.11/32\",\"100.64.0.12/32\",\"100.64.0.13/32\","
              "\"100.64.0.14/32\",\"100.64.0.15/32\"]}")), "all");
    assert_string_equal(read_message(w, "{\"PeersRemoved\":[6]}"), "all");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        WITH_WORLD(test_of_no_account),
        WITH_WORLD(test_changed),
        WITH_WORLD(test_moved),
        WITH_WORLD(test_unknown),
        WITH_WORLD(test_removed),
        WITH_WORLD(test_many_addresses),
        WITH_WORLD(test_patch),
        WITH_WORLD(test_self),
        WITH_WORLD(test_state),
        WITH_WORLD(test_nonsense),
        WITH_WORLD(test_small)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
