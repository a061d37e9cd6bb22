
/*
 * Copyright (C) The Tailgate authors
 *
 * What a proxy states about a request's source, and whether it is one that may.
 */

#ifndef AUTHD_SOURCE_H_INCLUDED_
#define AUTHD_SOURCE_H_INCLUDED_

#include "authd/config.h"

#include <tailgate/addr.h>

#include <net/http/server.h>


/* Which headers name the source. */

typedef enum {
    AUTHD_SOURCE_REMOTE = 0,   /* Remote-Addr and Remote-Port */
    AUTHD_SOURCE_FORWARDED     /* the last value of X-Forwarded-For: the one
                                  that the sender itself wrote */
} authd_source_kind_t;


/* Whether the configuration lists the sender of a request. */

bool authd_sender_listed(const authd_senders_t *senders,
    const tgn_peer_t *peer);

/*
 * The one header of that name.  TG_ERR_ABSENT without one, TG_ERR_REFUSED when
 * there are several: one of them may be the client's.
 */

int authd_header_one(const tgn_request_t *r, const char *name,
    tg_str_t *value);

/*
 * The source that the headers name, with a port where they do.  TG_ERR_MISSING
 * when a header is absent, TG_ERR_REFUSED when one comes twice, TG_ERR_SYNTAX
 * when it is no address or port; *what then says in a few words what is wrong.
 *
 * FORWARDED is refused beside a Remote-Addr: a request through a proxy that
 * states one must not be talked into reading a header that the client wrote.
 */

int authd_source_read(const tgn_request_t *r, authd_source_kind_t kind,
    tg_addr_t *source, const char **what);

/*
 * Tailgate-Local-Addr: *has_local is false without one.  Errors as above.  It
 * narrows who may pass, and chooses the Service whose capabilities count.
 *
 * FORWARDED is refused beside it, as beside a Remote-Addr: a proxy that does
 * not state the source passes on what its clients write.
 */

int authd_source_local(const tgn_request_t *r, authd_source_kind_t kind,
    tg_addr_t *local, bool *has_local, const char **what);

/* The same from text, for tests; port may be NULL. */

int authd_source_parse(tg_str_t addr, const tg_str_t *port,
    tg_addr_t *source, const char **what);
int authd_source_last(tg_str_t list, tg_addr_t *source, const char **what);


#endif /* AUTHD_SOURCE_H_INCLUDED_ */
