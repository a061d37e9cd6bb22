
/*
 * Copyright (C) The Tailgate authors
 *
 * Follows tailscaled's event stream (watch-ipn-bus) over its Unix socket, and
 * tells whose answers are out of date.  What a message means is
 * tailgate/bus.h's; who keeps answers is somebody else.
 */

#ifndef TGN_BUS_H_INCLUDED_
#define TGN_BUS_H_INCLUDED_

#include <tailgate/bus.h>
#include <tailgate/metrics.h>

#include <net/loop/loop.h>


typedef struct tgn_bus_s  tgn_bus_t;


/* Times are in ms; 0 is the default. */

typedef struct {
    const char  *socket;       /* path; NULL: TG_LOCALAPI_SOCKET */
    uint64_t     timeout;      /* from connecting to the first message; 2000 */
    uint64_t     retry;        /* until it connects anew; doubles each time, up
                                  to retry_max; 100 */
    uint64_t     retry_max;    /* 2000 */
    uint64_t     retry_none;   /* for a tailscaled that has no stream; 5000 */
} tgn_bus_conf_t;


/*
 * changed: these answers are to be forgotten.  It is called once more about the
 * same, 200 to 400 ms later, as an answer that was on its way to us when the
 * message came may be from before it; and about everybody before a stream
 * counts as followed, since nobody knows what was missed.
 *
 * moved: the stream is in another state; text says why one is LOST or NONE,
 * else it is "".
 *
 * nonsense: a message was not understood, which has been told as a change of
 * everything; text says why.
 *
 * None of them may free the bus.
 */

typedef struct {
    void  (*changed)(const tg_bus_change_t *change, void *data);
    void  (*moved)(tg_bus_state_t state, const char *text, void *data);
    void  (*nonsense)(const char *text, void *data);
} tgn_bus_events_t;


/*
 * tgn_bus_new() returns NULL when out of memory; conf and events are copied.
 * It connects from the loop, for ever: until then the state is LOST, which is
 * not told.  A running bus keeps tgn_loop_run() running.
 *
 * tgn_bus_free() sets *bus to NULL; a NULL *bus is fine.
 */

tgn_bus_t *tgn_bus_new(tgn_loop_t *loop, const tgn_bus_conf_t *conf,
    const tgn_bus_events_t *events, void *data);
void tgn_bus_free(tgn_bus_t **bus);

/* Another timeout of tgn_bus_conf_t, for attempts under way as well. */

void tgn_bus_timeout(tgn_bus_t *bus, uint64_t timeout);

/*
 * The state now: also LOST while this process has not run for so long that it
 * cannot have read what came, which is not told by moved.
 */

tg_bus_state_t tgn_bus_state(const tgn_bus_t *bus);


#endif /* TGN_BUS_H_INCLUDED_ */
