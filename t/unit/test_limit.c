
/*
 * Copyright (C) The Tailgate authors
 *
 * How often one source may ask (misses= of the cache).
 */

#include "authd/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define RATE  5


static authd_limit_t  limit;


static tg_addr_t
source(unsigned number)
{
    int        n;
    char       text[64];
    tg_addr_t  addr;

    n = snprintf(text, sizeof(text), "fd7a:115c:a1e0::%x", number);
    assert_int_equal(tg_addr_parse(&addr, text, (size_t) n), TG_OK);

    return addr;
}


/* How many of count questions at one time are let through. */

static size_t
take(const tg_addr_t *addr, size_t count, uint64_t now)
{
    size_t  n;

    for (n = 0; count > 0; count--) {
        n += authd_limit_take(&limit, addr, RATE, now);
    }

    return n;
}


static int
setup(void **state)
{
    (void) state;

    memset(&limit, 0, sizeof(limit));
    limit.seed = 42;

    return 0;
}


/* Two seconds' worth at once, then so many a second, by the millisecond. */

static void
test_rate(void **state)
{
    uint64_t   now;
    tg_addr_t  addr;

    (void) state;

    addr = source(1);

    /* a loop's clock may begin at 0 */

    assert_int_equal(take(&addr, 100, 0), 2 * RATE);
    assert_int_equal(take(&addr, 100, 1), 0);

    /* from 1 on, as 0 means never */

    assert_int_equal(take(&addr, 100, 1 + 199), 0);
    assert_int_equal(take(&addr, 100, 1 + 200), 1);
    assert_int_equal(take(&addr, 100, 1 + 399), 0);
    assert_int_equal(take(&addr, 100, 1 + 400), 1);

    /* asking in vain costs nothing, and gains nothing */

    for (now = 402; now <= 401 + 10000; now++) {
        (void) take(&addr, 3, now);
    }

    assert_int_equal(take(&addr, 100, 10401 + 199), 0);
    assert_int_equal(take(&addr, 100, 10401 + 1000), RATE);
}


/* No more is saved up, however long it takes. */

static void
test_burst(void **state)
{
    tg_addr_t  addr;

    (void) state;

    addr = source(1);

    assert_int_equal(take(&addr, 3, 1000), 3);
    assert_int_equal(take(&addr, 100, 1000 + 3600 * 1000), 2 * RATE);

    /* a multiple of it is 4 in 64 bits */

    assert_int_equal(take(&addr, 100, 1000 + 3600 * 1000
                          + (UINT64_MAX / RATE + 1)), 2 * RATE);
    assert_int_equal(take(&addr, 100, UINT64_MAX), 2 * RATE);

    /* a clock that goes back gives nothing, and breaks nothing */

    assert_int_equal(take(&addr, 100, 5), 0);
    assert_int_equal(take(&addr, 100, 1005), RATE);
}


/* One that asks too much is nobody else's trouble. */

static void
test_others(void **state)
{
    size_t     i, n, last;
    tg_addr_t  addr, other;

    (void) state;

    addr = source(1);
    assert_int_equal(take(&addr, 100, 1000), 2 * RATE);

    for (i = 2; i < 100; i++) {
        other = source((unsigned) i);
        assert_int_equal(take(&other, 100, 1000), 2 * RATE);
    }

    assert_int_equal(take(&addr, 100, 1000), 0);

    /* more than there is room for: who asks all the time is still known */

    last = 20 * AUTHD_LIMIT_SETS * AUTHD_LIMIT_WAYS;

    for (i = n = 0; i < last; i++) {
        other = source((unsigned) (i + 1000));
        assert_true(authd_limit_take(&limit, &other, RATE, 1000 + i));
        n += authd_limit_take(&limit, &addr, RATE, 1000 + i);
    }

    assert_true(n <= last * RATE / 1000);
}


/* Which addresses share a slot is different in each process. */

static void
test_seed(void **state)
{
    size_t     i, j, k, moved;
    tg_addr_t  addr;

    static authd_limit_t  before;

    (void) state;

    for (i = 0; i < 64; i++) {
        addr = source((unsigned) i);
        assert_int_equal(take(&addr, 1, 1), 1);
    }

    before = limit;
    memset(&limit, 0, sizeof(limit));
    limit.seed = 43;

    for (i = 0; i < 64; i++) {
        addr = source((unsigned) i);
        assert_int_equal(take(&addr, 1, 1), 1);
    }

    moved = 0;

    for (j = 0; j < AUTHD_LIMIT_SETS; j++) {
        for (k = 0; k < AUTHD_LIMIT_WAYS; k++) {
            moved += before.slots[j][k].used != limit.slots[j][k].used;
        }
    }

    assert_true(moved > 32);
}


#define OF_NONE(test)  cmocka_unit_test_setup(test, setup)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        OF_NONE(test_rate),
        OF_NONE(test_burst),
        OF_NONE(test_others),
        OF_NONE(test_seed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
