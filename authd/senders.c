
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/senders.h"
#include "authd/source.h"

#include <assert.h>


/* Of the connections, what those that are not listed may have in all. */

#define UNLISTED_SHARE  16


typedef enum {
    CLASS_UNIX = 0,
    CLASS_TCP,
    CLASS_UNLISTED
} sender_class_t;

static_assert(CLASS_UNLISTED < TGN_HTTP_CLASSES, "too many classes");


static size_t share(size_t connections, size_t divisor);


int
authd_sender_class(const authd_senders_t *senders, const tgn_peer_t *peer)
{
    if (!authd_sender_listed(senders, peer)) {
        return CLASS_UNLISTED;
    }

    return peer->addr.family == TG_ADDR_UNIX ? CLASS_UNIX : CLASS_TCP;
}


void
authd_sender_shares(const tgn_http_t *http, tgn_http_limits_t *limits)
{
    size_t     i;
    bool       is_unix;
    tg_addr_t  addr;

    is_unix = false;

    for (i = 0; tgn_http_listener_addr(http, i, &addr) == TG_OK; i++) {
        is_unix = is_unix || addr.family == TG_ADDR_UNIX;
    }

    limits->shares[CLASS_UNIX] = 0;
    limits->shares[CLASS_TCP] = is_unix ? share(limits->connections, 2) : 0;
    limits->shares[CLASS_UNLISTED] = share(limits->connections,
                                           UNLISTED_SHARE);
}


static size_t
share(size_t connections, size_t divisor)
{
    return connections < divisor ? 1 : connections / divisor;
}
