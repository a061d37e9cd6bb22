
/*
 * Copyright (C) The Tailgate authors
 *
 * What was told while a question was under way.
 */

#include "authd/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


static authd_changes_t  changes;


static tg_addr_t
address(unsigned number)
{
    int        n;
    char       text[64];
    tg_addr_t  addr;

    n = snprintf(text, sizeof(text), "fd7a:115c:a1e0::%x", number);
    assert_int_equal(tg_addr_parse(&addr, text, (size_t) n), TG_OK);

    return addr;
}


static bool
since(uint64_t n, unsigned number)
{
    tg_addr_t  addr;

    addr = address(number);

    return authd_changes_since(&changes, n, &addr);
}


static void
add(unsigned number)
{
    tg_addr_t  addr;

    addr = address(number);

    authd_changes_add(&changes, &addr);
}


static int
setup(void **state)
{
    (void) state;

    memset(&changes, 0, sizeof(changes));

    return 0;
}


static void
test_address(void **state)
{
    (void) state;

    assert_false(since(0, 1));

    add(1);

    assert_true(since(0, 1));
    assert_false(since(1, 1));
    assert_false(since(0, 2));

    add(2);

    assert_true(since(0, 1));
    assert_false(since(1, 1));
    assert_true(since(1, 2));
}


static void
test_all(void **state)
{
    (void) state;

    authd_changes_all(&changes);

    assert_int_equal(changes.flushes, 1);
    assert_true(since(0, 1));
    assert_false(since(1, 1));

    add(2);

    assert_true(since(0, 1));
    assert_false(since(1, 1));
}


/* What is no longer there may have been anybody. */

static void
test_overrun(void **state)
{
    unsigned  i;

    (void) state;

    for (i = 0; i < AUTHD_CHANGES_MAX; i++) {
        add(2);
    }

    assert_false(since(0, 1));

    add(2);

    assert_true(since(0, 1));
    assert_false(since(1, 1));
    assert_true(since(1, 2));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_address, setup),
        cmocka_unit_test_setup(test_all, setup),
        cmocka_unit_test_setup(test_overrun, setup)
    };

    return cmocka_run_group_tests_name("changes", tests, NULL, NULL);
}
