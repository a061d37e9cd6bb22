
/*
 * Copyright (C) The Tailgate authors
 *
 * Long work in steps: whatever else the loop has to do is done between them.
 */

#include "authd/app/links/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>


#define TURNS  3
#define STEPS  20

typedef struct {
    authd_links_turn_t  turn;
    authd_links_call_t  call;
    tgn_request_t       r;
    size_t              steps;
    size_t              done;
    size_t              gone;
} work_t;


static authd_t        authd;
static authd_links_t  app;
static tgn_wake_t    *wake;
static size_t         asked;
static size_t         served;
static work_t         works[TURNS];


static void
on_wake(void *data)
{
    (void) data;

    served = asked;
}


static void
check_end(void)
{
    size_t  i;

    for (i = 0; i < TURNS; i++) {
        if (works[i].done == 0 && works[i].gone == 0) {
            return;
        }
    }

    tgn_wake_free(&wake);
}


static bool
step(authd_links_turn_t *turn)
{
    size_t   i;
    work_t  *work;

    work = (work_t *) turn;

    /*
     * What was asked before the last step of any was served by now, but for
     * the first step: where the machine is slow, the second is due before
     * anything is served.
     */

    assert_true(served == asked || (served == 0 && asked <= 1));

    asked++;
    tgn_wake_send(wake);

    /* and they take turns, but for the step that the first has at once */

    work->steps++;

    for (i = 0; i < TURNS; i++) {
        assert_true(works[i].gone || works[i].call.r == NULL
                    || works[i].steps + 2 >= work->steps);
    }

    return work->steps < STEPS;
}


static void
done(authd_links_turn_t *turn)
{
    ((work_t *) turn)->done++;
    check_end();
}


static void
gone(authd_links_turn_t *turn)
{
    ((work_t *) turn)->gone++;

    /* the call's memory is the test's */

    turn->call->waits++;
    check_end();
}


static void
begin(void)
{
    size_t  i;

    memset(works, 0, sizeof(works));
    memset(&app, 0, sizeof(app));

    asked = 0;
    served = 0;

    authd.loop = tgn_loop_new();
    app.authd = &authd;
    wake = tgn_wake_new(authd.loop, on_wake, NULL);

    assert_non_null(wake);
    assert_true(authd_links_turns_start(&app));

    for (i = 0; i < TURNS; i++) {
        works[i].call.app = &app;
        works[i].call.r = &works[i].r;
        works[i].turn.call = &works[i].call;
        works[i].turn.step = step;
        works[i].turn.done = done;
        works[i].turn.gone = gone;
    }
}


static void
test_steps(void **state)
{
    size_t  i;

    (void) state;

    begin();

    for (i = 0; i < TURNS; i++) {
        authd_links_turn(&works[i].turn);
    }

    /* who comes second waits for a turn */

    assert_int_equal(works[0].steps, 1);
    assert_int_equal(works[1].steps, 0);

tgn_loop_run(authd.loop);

    for (i = 0; i < TURNS; i++) {
        assert_int_equal(works[i].steps, STEPS);
        assert_int_equal(works[i].done, 1);
        assert_int_equal(works[i].call.waits, 0);
    }

    assert_int_equal(app.counts.steps, TURNS * STEPS - 1);

    authd_links_turns_stop(&app);
    tgn_loop_free(&authd.loop);
}


static void
test_gone(void **state)
{
    size_t  i;

    (void) state;

    begin();

    for (i = 0; i < TURNS; i++) {
        authd_links_turn(&works[i].turn);
    }

    works[0].call.r = NULL;

tgn_loop_run(authd.loop);

    assert_int_equal(works[0].steps, 1);
    assert_int_equal(works[0].gone, 1);
    assert_int_equal(works[0].done, 0);
    assert_int_equal(works[1].done, 1);
    assert_int_equal(works[2].done, 1);

    authd_links_turns_stop(&app);
    tgn_loop_free(&authd.loop);
}


/* At the end of the daemon all are gone. */

static void
test_stop(void **state)
{
    size_t  i;

    (void) state;

    begin();

    for (i = 0; i < TURNS; i++) {
        authd_links_turn(&works[i].turn);
    }

    authd_links_turns_stop(&app);

    for (i = 0; i < TURNS; i++) {
        assert_int_equal(works[i].gone, 1);
        assert_int_equal(works[i].done, 0);
    }

    tgn_loop_free(&authd.loop);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_stop)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
