
/*
 * Copyright (C) The Tailgate authors
 *
 * The shared table of peers: what it tells whom, beside a naive one.
 */

#include <tailgate/table.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>


#define SIZE      TG_TABLE_SIZE_MIN
#define TTL       1000
#define LEASE     100
#define ADDR      TG_TABLE_ADDR

#define FOUND     TG_TABLE_FOUND
#define ASK       TG_TABLE_ASK
#define WAIT      TG_TABLE_WAIT
#define FULL      TG_TABLE_FULL


typedef tg_table_t        table_t;
typedef tg_table_found_t  found_t;
typedef tg_table_key_t    table_key_t;
typedef tg_table_ask_t    ask_t;


static uint8_t  key_buf[TG_TABLE_KEY_MAX];
static char     got[SIZE];


/* Number n as an address, and a class behind it. */

static table_key_t
key_of(uint32_t n, uint8_t class)
{
    table_key_t  key;

    memset(key_buf, 0, sizeof(key_buf));
    key_buf[0] = 4;
    memcpy(key_buf + 1, &n, sizeof(n));
    key_buf[ADDR] = class;

    key.data = key_buf;
    key.len = ADDR + 1;

    return key;
}


static found_t
get(table_t *t, uint32_t n, uint64_t now)
{
    ask_t        ask = { .now = now, .lease = LEASE };
    found_t      found;
    table_key_t  key = key_of(n, 0);

    memset(got, 0, sizeof(got));
    tg_table_get(t, &key, &ask, got, sizeof(got), &found);

    return found;
}


static bool
put(table_t *t, uint32_t n, uint64_t ticket, const char *record,
    uint64_t asked)
{
    bool         changed;
    table_key_t  key = key_of(n, 0);

    return tg_table_put(t, &key, ticket, 7, record, strlen(record), asked, TTL,
                        &changed);
}


static void
evict(table_t *t, uint32_t n)
{
    table_key_t  key = key_of(n, 0);

    tg_table_evict(t, key.data);
}


static int
setup(void **state)
{
    void  *memory;

    memory = malloc(SIZE);
    assert_non_null(memory);

    *state = tg_table_init(memory, SIZE);
    assert_ptr_equal(*state, memory);

    return 0;
}


static int
teardown(void **state)
{
    free(*state);

    return 0;
}


static void
test_size(void **state)
{
    size_t  entries, used, size;

    assert_null(tg_table_init(*state, SIZE - 1));

    tg_table_usage(*state, &entries, &used, &size);
    assert_int_equal(entries, 0);
    assert_int_equal(used, 0);
    assert_true(size > SIZE * 9 / 10);
}


/* One asks, the others wait, all find the answer until it ends. */

static void
test_lease(void **state)
{
    found_t   found;
    uint64_t  ticket;

    found = get(*state, 1, 10);
    assert_int_equal(found.state, ASK);
    assert_true(found.ticket != 0);
    ticket = found.ticket;

    found = get(*state, 1, 20);
    assert_int_equal(found.state, WAIT);
    assert_true(found.ticket == 0);

    assert_true(put(*state, 1, ticket, "alice", 10));

    found = get(*state, 1, 30);
    assert_int_equal(found.state, FOUND);
    assert_int_equal(found.status, 7);
    assert_int_equal(found.len, 5);
    assert_true(found.asked == 10 && found.expires == 10 + TTL);
    assert_string_equal(got, "alice");
    assert_true(found.ticket == 0);

    found = get(*state, 1, 10 + TTL);
    assert_int_equal(found.state, ASK);
}


/* Somebody who died while asking holds nobody up for longer than the lease. */

static void
test_lease_ends(void **state)
{
    found_t   found;
    uint64_t  first;

    first = get(*state, 1, 10).ticket;

    assert_int_equal(get(*state, 1, 9 + LEASE).state, WAIT);

    found = get(*state, 1, 10 + LEASE);
    assert_int_equal(found.state, ASK);
    assert_true(found.ticket != first);

    /* and comes too late */
    assert_false(put(*state, 1, first, "alice", 10));
    assert_int_equal(get(*state, 1, 11 + LEASE).state, WAIT);
    assert_true(put(*state, 1, found.ticket, "bob", 10 + LEASE));
    assert_int_equal(get(*state, 1, 12 + LEASE).state, FOUND);
    assert_string_equal(got, "bob");
}


static void
test_drop(void **state)
{
    found_t      found;
    table_key_t  key;

    found = get(*state, 1, 10);
    key = key_of(1, 0);
    tg_table_drop(*state, &key, found.ticket + 1);
    assert_int_equal(get(*state, 1, 10).state, WAIT);

    key = key_of(1, 0);
    tg_table_drop(*state, &key, found.ticket);
    found = get(*state, 1, 10);
    assert_int_equal(found.state, ASK);

    /* an answer that is there stays when its refresh fails */
    assert_true(put(*state, 1, found.ticket, "alice", 10));
    found = get(*state, 1, TTL);
    assert_int_equal(found.state, FOUND);
    assert_true(found.ticket != 0);
    key = key_of(1, 0);
    tg_table_drop(*state, &key, found.ticket);
    assert_int_equal(get(*state, 1, TTL + 1).state, FOUND);
}


/* One asks again before the end, and nobody waits for that. */

static void
test_refresh(void **state)
{
    found_t  found;

    assert_true(put(*state, 1, get(*state, 1, 0).ticket, "alice", 0));

    found = get(*state, 1, TTL * 3 / 4 - 1);
    assert_int_equal(found.state, FOUND);
    assert_true(found.ticket == 0);

    found = get(*state, 1, TTL * 3 / 4);
    assert_int_equal(found.state, FOUND);
    assert_true(found.ticket != 0);

    assert_int_equal(get(*state, 1, TTL * 3 / 4).state, FOUND);
    assert_true(get(*state, 1, TTL * 3 / 4).ticket == 0);

    assert_true(put(*state, 1, found.ticket, "alice again", TTL * 3 / 4));
    found = get(*state, 1, TTL + 1);
    assert_int_equal(found.state, FOUND);
    assert_string_equal(got, "alice again");
}


/* Without news from the node an answer is good for those who asked before. */

static void
test_not_before(void **state)
{
    ask_t        ask = { .now = 50, .not_before = 40, .lease = LEASE };
    found_t      found;
    table_key_t  key;

    assert_true(put(*state, 1, get(*state, 1, 30).ticket, "alice", 30));

    key = key_of(1, 0);
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, ASK);

    assert_true(put(*state, 1, found.ticket, "bob", 40));
    key = key_of(1, 0);
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, FOUND);
}


static void
test_stale(void **state)
{
    ask_t        ask = { .now = TTL + 10, .stale = 50, .lease = LEASE };
    found_t      found;
    table_key_t  key;

    assert_true(put(*state, 1, get(*state, 1, 0).ticket, "alice", 0));

    key = key_of(1, 0);
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, FOUND);
    assert_true(found.ticket != 0);

    ask.now = TTL + 50;
    key = key_of(1, 0);
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, WAIT);
}


/* A change: gone for all keys of the address, and for who is asking. */

static void
test_evict(void **state)
{
    bool         changed;
    ask_t        ask = { .now = 10, .lease = LEASE };
    found_t      found;
    uint64_t     ticket, epoch;
    table_key_t  key;

    assert_true(put(*state, 1, get(*state, 1, 10).ticket, "alice", 10));
    assert_true(put(*state, 2, get(*state, 2, 10).ticket, "bob", 10));

    key = key_of(1, 5);
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    ticket = found.ticket;

    epoch = tg_table_epoch(*state);
    evict(*state, 1);
    assert_true(tg_table_epoch(*state) > epoch);

    assert_int_equal(get(*state, 1, 20).state, ASK);
    assert_int_equal(get(*state, 2, 20).state, FOUND);

    key = key_of(1, 5);
    assert_false(tg_table_put(*state, &key, ticket, 0, "old", 3, 10, TTL,
                              &changed));
    assert_true(changed);
}


static void
test_flush(void **state)
{
    bool         changed;
    uint64_t     ticket, epoch;
    table_key_t  key;

    assert_true(put(*state, 1, get(*state, 1, 10).ticket, "alice", 10));
    ticket = get(*state, 2, 10).ticket;

    epoch = tg_table_epoch(*state);
    tg_table_flush(*state);
    assert_true(tg_table_epoch(*state) > epoch);

    assert_int_equal(get(*state, 1, 20).state, ASK);

    key = key_of(2, 0);
    assert_false(tg_table_put(*state, &key, ticket, 0, "x", 1, 10, TTL,
                              &changed));
    assert_true(changed);
}


/* Room: the longest unused goes, and its answer is not wrong for that. */

static void
test_lru(void **state)
{
    bool         changed;
    char         record[1000];
    size_t       entries, used, size;
    found_t      found;
    uint32_t     n;
    uint64_t     ticket;
    table_key_t  key;

    memset(record, 'x', sizeof(record) - 1);
    record[sizeof(record) - 1] = '\0';

    ticket = get(*state, 1000, 0).ticket;

    for (n = 0; n < 100; n++) {
        found = get(*state, n, n);
        assert_int_equal(found.state, ASK);
        assert_true(put(*state, n, found.ticket, record, n));

        /* this one is in use */
        assert_int_equal(get(*state, 0, n).state, FOUND);
    }

    assert_int_equal(get(*state, 0, 100).state, FOUND);
    assert_int_equal(get(*state, 99, 100).state, FOUND);
    assert_string_equal(got, record);
    assert_int_equal(get(*state, 1, 100).state, ASK);

    key = key_of(1000, 0);
    assert_false(tg_table_put(*state, &key, ticket, 0, "x", 1, 0, TTL,
                              &changed));
    assert_false(changed);

    tg_table_usage(*state, &entries, &used, &size);
    assert_true(entries > 20 && entries < 35);
    assert_true(used <= size);
    assert_true(tg_table_counter(*state, TG_TABLE_EVICTED_LRU) > 60);
}


/* What is too large is not kept, and not cut. */

static void
test_large(void **state)
{
    char    *record;
    size_t   max;

    max = tg_table_record_max(*state);

    record = malloc(max + 2);
    assert_non_null(record);
    memset(record, 'y', max + 1);
    record[max + 1] = '\0';

    assert_false(put(*state, 1, get(*state, 1, 0).ticket, record, 0));
    assert_int_equal(get(*state, 1, 0).state, ASK);

    record[max] = '\0';
    assert_true(put(*state, 2, get(*state, 2, 0).ticket, record, 0));
    assert_int_equal(get(*state, 2, 1).len, max);
    assert_string_equal(got, record);

    free(record);
}


static void
test_bad_key(void **state)
{
    ask_t        ask = { .now = 1, .lease = LEASE };
    found_t      found;
    uint8_t      data[TG_TABLE_KEY_MAX + 1] = { 0 };
    table_key_t  key = { data, sizeof(data) };

    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, FULL);

    key.len = TG_TABLE_KEY_MAX;
    tg_table_get(*state, &key, &ask, got, sizeof(got), &found);
    assert_int_equal(found.state, ASK);
}


/*
 * Beside a naive table of the answers that were put: what is found is the last
 * one, never one from before an eviction, and the room is all there at the end.
 */

#define KEYS  64

static void
test_random(void **state)
{
    char       record[2048];
    size_t     entries, used, size;
    found_t    found;
    unsigned   step, n, what, seed;
    struct {
        uint64_t  ticket;
        unsigned  version;
        unsigned  last;        /* that was put; 0: none may be found */
    } keys[KEYS] = { 0 };

    seed = 20261122;

    for (step = 0; step < 200000; step++) {
        seed = seed * 1103515245u + 12345u;
        n = (seed >> 16) % KEYS;
        what = (seed >> 8) % 16;

        if (what == 0) {
            evict(*state, n);
            keys[n].last = 0;
            continue;
        }

        if (step % 20011 == 0) {
            tg_table_flush(*state);

            for (n = 0; n < KEYS; n++) {
                keys[n].last = 0;
            }

            continue;
        }

        found = get(*state, n, step);

        if (found.state == FOUND) {
            unsigned  version = 0;

            assert_true(keys[n].last != 0);
            memcpy(&version, got, sizeof(version));
            assert_int_equal(version, keys[n].last);
        }

        if (found.ticket != 0) {
            keys[n].ticket = found.ticket;
        }

        if (keys[n].ticket != 0 && what < 8) {
            bool         changed;
            size_t       len = sizeof(unsigned) + (seed >> 4) % 1500;
            table_key_t  key;

            keys[n].version++;
            memset(record, (int) n, sizeof(record));
            memcpy(record, &keys[n].version, sizeof(unsigned));

            key = key_of(n, 0);

            if (tg_table_put(*state, &key, keys[n].ticket, 0, record, len,
                             step, TTL, &changed))
            {
                keys[n].last = keys[n].version;
            }

            keys[n].ticket = 0;
        }
    }

    for (n = 0; n < KEYS; n++) {
        evict(*state, n);
    }

    tg_table_usage(*state, &entries, &used, &size);
    assert_int_equal(entries, 0);
    assert_int_equal(used, 0);
}


/*
 * A process that is killed in the middle leaves a table that goes on: empty,
 * with another epoch, and with no ticket of before.
 */

static void
test_killed(void **state)
{
    int        status;
    pid_t      pid;
    table_t   *t;
    found_t    found;
    uint32_t   n, round;
    uint64_t   ticket, resets;

    (void) state;

    t = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
             -1, 0);
    assert_true(t != MAP_FAILED);
    assert_non_null(tg_table_init(t, SIZE));

    for (round = 0, resets = 0; round < 200 && resets < 3; round++) {
        found = get(t, 1, round);
        ticket = found.ticket;

        pid = fork();
        assert_true(pid != -1);

        if (pid == 0) {
            for (n = 0; ; n++) {
                found = get(t, n, n);

                if (found.ticket != 0) {
                    (void) put(t, n, found.ticket, "nobody", n);
                }
            }
        }

        /* it has to be at work before it dies */

        while (tg_table_counter(t, TG_TABLE_MISSES)
               < 1000 * (uint64_t) (round + 1))
        {
            (void) usleep(100);
        }

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);

        n = (uint32_t) tg_table_counter(t, TG_TABLE_RESET);
        found = get(t, 5000000 + round, 0);
        assert_int_equal(found.state, ASK);
        assert_true(put(t, 5000000 + round, found.ticket, "alice", 0));
        assert_int_equal(get(t, 5000000 + round, 1).state, FOUND);
        assert_string_equal(got, "alice");

        if (tg_table_counter(t, TG_TABLE_RESET) > n) {
            resets++;

            if (ticket != 0) {
                assert_false(put(t, 1, ticket, "late", 0));
            }
        }
    }

    assert_true(resets > 0);
    assert_int_equal(munmap(t, SIZE), 0);
}


static void
counted(table_t *t, uint64_t change, uint64_t ttl, uint64_t lru)
{
    assert_int_equal(tg_table_counter(t, TG_TABLE_EVICTED_CHANGE), change);
    assert_int_equal(tg_table_counter(t, TG_TABLE_EVICTED_TTL), ttl);
    assert_int_equal(tg_table_counter(t, TG_TABLE_EVICTED_LRU), lru);
}


/* Each answer that goes is one, and what was no answer yet is none. */

static void
test_evicted_once(void **state)
{
    found_t      found;
    uint32_t     n;
    table_key_t  key;

    /* past its end it is asked for in vain, and then something changes */

    found = get(*state, 1, 0);
    assert_true(put(*state, 1, found.ticket, "one", 0));
    counted(*state, 0, 0, 0);

    for (n = 0; n < 2; n++) {
        found = get(*state, 1, TTL + n);
        assert_int_equal(found.state, ASK);
        key = key_of(1, 0);
        tg_table_drop(*state, &key, found.ticket);
        counted(*state, 0, 1, 0);
    }

    evict(*state, 1);
    counted(*state, 0, 1, 0);

    /* one of two that are there is an answer */

    found = get(*state, 2, 0);
    assert_true(put(*state, 2, found.ticket, "two", 0));
    (void) get(*state, 3, 0);
    evict(*state, 3);
    counted(*state, 0, 1, 0);
    (void) get(*state, 3, 0);
    tg_table_flush(*state);
    counted(*state, 1, 1, 0);

    /* an answer that took the place of one that had ended is another */

    found = get(*state, 2, 0);
    assert_true(put(*state, 2, found.ticket, "two", 0));
    found = get(*state, 2, TTL);
    assert_true(put(*state, 2, found.ticket, "two", TTL));
    evict(*state, 2);
    counted(*state, 2, 2, 0);

    /* questions that nobody answers take the place of each other */

    for (n = 10; n < 1000; n++) {
        (void) get(*state, n, 0);
    }

    counted(*state, 2, 2, 0);
}


#define WITH_TABLE(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        WITH_TABLE(test_size),
        WITH_TABLE(test_lease),
        WITH_TABLE(test_lease_ends),
        WITH_TABLE(test_drop),
        WITH_TABLE(test_refresh),
        WITH_TABLE(test_not_before),
        WITH_TABLE(test_stale),
        WITH_TABLE(test_evict),
        WITH_TABLE(test_flush),
        WITH_TABLE(test_lru),
        WITH_TABLE(test_large),
        WITH_TABLE(test_bad_key),
        WITH_TABLE(test_random),
        WITH_TABLE(test_evicted_once),
        cmocka_unit_test(test_killed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
