
/*
 * Copyright (C) The Tailgate authors
 *
 * One answer with everything in it, and where to put what it becomes.
 */

#ifndef T_ALICE_H_INCLUDED_
#define T_ALICE_H_INCLUDED_

#include <tailgate/identity.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))


static const char  alice[] =
    "{\"Node\":{\"StableID\":\"n4\",\"Name\":\"alice-laptop.tail.example.\","
    "\"ComputedName\":\"alice-laptop\",\"Tags\":[],"
    "\"Addresses\":[\"100.64.0.4/32\",\"fd7a:115c:a1e0::4/128\"],"
    "\"AllowedIPs\":[\"100.64.0.4/32\",\"10.0.0.0/8\"],"
    "\"KeyExpiry\":\"2027-01-01T00:00:00Z\",\"MachineAuthorized\":true,"
    "\"Hostinfo\":{\"OS\":\"linux\",\"OSVersion\":\"6.1\","
    "\"IPNVersion\":\"1.102.5\"}},"
    "\"UserProfile\":{\"LoginName\":\"alice@example.com\","
    "\"DisplayName\":\"Alice\",\"ProfilePicURL\":\"https://p.example/a\","
    "\"Groups\":[\"group:eng\",\"group:ops\"]},"
    "\"CapMap\":{\"example.com/cap/web\":[{\"role\":[\"viewer\",\"Admin\"]},"
    "{\"role\":\"editor\"},{\"role\":7},\"admin\",{}],"
    "\"example.com/cap/none\":null}}";

/* The node that she visits. */

static const char  status[] =
    "{\"Version\":\"1.102.5\",\"BackendState\":\"Running\","
    "\"TailscaleIPs\":[\"100.64.0.1\"],"
    "\"Self\":{\"ID\":\"n2\",\"DNSName\":\"Web1.Tail.example.\","
    "\"TailscaleIPs\":[\"100.64.0.2\",\"fd7a:115c:a1e0::2\"]},"
    "\"CurrentTailnet\":{\"MagicDNSSuffix\":\"other.example\"},"
    "\"Health\":[\"one\\ntwo\",\"\"]}";

static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};

#define NOW  1795348800


static tg_arena_t  *arena;
static tg_alloc_t   alloc;


static inline int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(4 * 1024 * 1024);
    alloc = tg_arena_allocator(arena);

    return arena == NULL;
}


static inline int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static inline void
assert_str(tg_str_t have, const char *want)
{
    assert_int_equal(have.len, strlen(want));

    if (have.len > 0) {
        assert_memory_equal(have.data, want, have.len);
    }
}


static inline int
parse(const char *json, tg_identity_t *identity, tg_error_t *error)
{
    return tg_whois_parse(json, strlen(json), &self, NOW, &alloc, identity,
                          error);
}


/* An allocator that fails at its n-th call. */

static size_t  calls_left;


static inline void *
failing_alloc(void *ctx, size_t size)
{
    (void) ctx;

    if (calls_left == 0) {
        return NULL;
    }

    calls_left--;

    return tg_arena_alloc(arena, size);
}


#endif /* T_ALICE_H_INCLUDED_ */
