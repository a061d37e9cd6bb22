
/*
 * Copyright (C) The Tailgate authors
 *
 * The node's event stream (LocalAPI watch-ipn-bus): whose answers a message
 * makes out of date.  Field names are ipn.Notify's and tailcfg.Node's.
 *
 * What the bus does not tell is a change of capabilities or grants alone.
 */

#ifndef TAILGATE_BUS_H_INCLUDED_
#define TAILGATE_BUS_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>


/*
 * What to watch: NotifyInitialState (1<<1), NotifyPeerChanges (1<<12),
 * NotifyPeerPatches (1<<15).  One JSON object a line.
 */

#define TG_BUS_TARGET  "/localapi/v0/watch-ipn-bus?mask=36866"

/* A longer message is not read: everything is out of date then. */

#define TG_BUS_MESSAGE_MAX  (64 * 1024)

/* Addresses of a node that are remembered; one with more is not. */

#define TG_BUS_ADDRS_MAX  4


/*
 * What is remembered of the nodes, so that one that merely went online changes
 * nothing, and one that was removed is known by its number.  It lives in size
 * bytes at memory, which the caller owns, about 128 a node; a node for which
 * there is no room costs more evictions, and no fault.  NULL if there is not
 * even room for one.
 *
 * A node that is seen for the first time makes everything out of date: nobody
 * knows where it was before.
 *
 * Forget everything when the stream has ended: a new one begins with nothing
 * known.
 */

typedef struct tg_bus_s  tg_bus_t;

tg_bus_t *tg_bus_init(void *memory, size_t size);
void tg_bus_forget(tg_bus_t *bus);


typedef struct {
    bool              all;     /* everybody's answers */
    const tg_addr_t  *addrs;   /* else those of these addresses */
    size_t            naddrs;
    bool              has_state;
    bool              running; /* State is Running (6), if has_state */
} tg_bus_change_t;

/*
 * Reads one message.  Lists live in alloc, of which the message itself takes
 * none.  On an error (TG_ERR_LIMIT, TG_ERR_SYNTAX, TG_ERR_TYPE, TG_ERR_NOMEM,
 * with a text in *error, which may be NULL) change->all is set: what was not
 * understood may have been about anybody.
 */

int tg_bus_read(tg_bus_t *bus, const char *json, size_t len,
    const tg_alloc_t *alloc, tg_bus_change_t *change, tg_error_t *error);


#endif /* TAILGATE_BUS_H_INCLUDED_ */
