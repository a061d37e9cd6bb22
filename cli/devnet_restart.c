
/*
 * Copyright (C) The Tailgate authors
 *
 * A restart of tailscaled as its clients see it: connections are reset, the
 * socket is gone, then it is there and knows nobody, then everybody.
 */

#include <cli/devnet.h>


#define PHASE_UP       0u
#define PHASE_DOWN     1u
#define PHASE_NOSTATE  2u

/* Between attempts to listen again. */

#define RETRY  100


static void
set_state(cli_devnet_t *devnet, const char *state)
{
    json_t  *json;

    json = json_string(state);

    if (json) {
        json_decref(devnet->world->state);
        devnet->world->state = json;
    }
}


static void
next_phase(tgn_timer_t *timer, void *data)
{
    tg_error_t     error;
    cli_devnet_t  *devnet = data;

    if (devnet->phase == PHASE_DOWN) {

        if (cli_devnet_listen(devnet, &error) != TG_OK) {
            tgn_timer_start(timer, RETRY, 0);
            return;
        }

        devnet->phase = PHASE_NOSTATE;

        if (devnet->nostate) {
            tgn_timer_start(timer, devnet->nostate, 0);
            return;
        }
    }

    devnet->phase = PHASE_UP;

    /* the order that was seen: Starting, everybody, Running */

    set_state(devnet, "Starting");
    cli_bus_state(devnet);
    cli_bus_whole(devnet);

    set_state(devnet, "Running");
    cli_bus_state(devnet);
}


int
cli_restart(cli_devnet_t *devnet, uint64_t down, uint64_t nostate)
{
    if (devnet->timer == NULL) {
        devnet->timer = tgn_timer_new(devnet->loop, next_phase, devnet);
    }

    if (devnet->timer == NULL) {
        return TG_ERR_NOMEM;
    }

    tgn_http_unlisten(devnet->http);
    tgn_http_disconnect(devnet->http);

    set_state(devnet, "NoState");

    devnet->phase = PHASE_DOWN;
    devnet->nostate = nostate;

    tgn_timer_start(devnet->timer, down, 0);

    return TG_OK;
}
