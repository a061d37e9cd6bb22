
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/turn.h"

#include <string.h>


/* Milliseconds until the next step: in a turn of its own. */

#define PAUSE  1


static void on_turn(tgn_timer_t *timer, void *data);
static void turn_end(authd_links_turn_t *turn);


bool
authd_links_turns_start(authd_links_t *app)
{
    app->turns.last = &app->turns.first;
    app->turns.timer = tgn_timer_new(app->authd->loop, on_turn, app);

    return app->turns.timer != NULL;
}


/* Their clients are gone by now. */

void
authd_links_turns_stop(authd_links_t *app)
{
    authd_links_turn_t  *turn;

    tgn_timer_free(&app->turns.timer);

    while (app->turns.first != NULL) {
        turn = app->turns.first;
        app->turns.first = turn->next;
        turn->call->r = NULL;
        turn_end(turn);
    }
}


void
authd_links_turn(authd_links_turn_t *turn)
{
    authd_links_t  *app;

    app = turn->call->app;

    authd_links_wait(turn->call);

    if (app->turns.first == NULL && !turn->step(turn)) {
        turn_end(turn);
        return;
    }

    turn->next = NULL;
    *app->turns.last = turn;
    app->turns.last = &turn->next;

    if (!tgn_timer_is_set(app->turns.timer)) {
        tgn_timer_start(app->turns.timer, PAUSE, 0);
    }
}


static void
on_turn(tgn_timer_t *timer, void *data)
{
    authd_links_t       *app;
    authd_links_turn_t  *turn;

    app = data;
    turn = app->turns.first;

    app->turns.first = turn->next;

    if (turn->next == NULL) {
        app->turns.last = &app->turns.first;
    }

    app->counts.steps++;

    if (turn->call->r != NULL && turn->step(turn)) {
        turn->next = NULL;
        *app->turns.last = turn;
        app->turns.last = &turn->next;

    } else {
        turn_end(turn);
    }

    if (app->turns.first != NULL) {
        tgn_timer_start(timer, PAUSE, 0);
    }
}


static void
turn_end(authd_links_turn_t *turn)
{
    authd_links_call_t  *call;

    call = turn->call;

    if (call->r == NULL) {
        turn->gone(turn);
        (void) authd_links_back(call);
        return;
    }

    (void) authd_links_back(call);
    turn->done(turn);
}
