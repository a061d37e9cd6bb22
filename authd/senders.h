
/*
 * Copyright (C) The Tailgate authors
 *
 * How many of the connections each kind of sender may have, so that nobody
 * keeps a proxy out who has no business here.
 *
 * Who is not listed gets an answer all the same (/healthz, or a 403 that says
 * why), but few connections.  On TCP everybody with an account on this machine
 * comes from the address that is listed: where a proxy uses the Unix socket, on
 * which the kernel tells them apart, TCP leaves half of the connections to it.
 */

#ifndef AUTHD_SENDERS_H_INCLUDED_
#define AUTHD_SENDERS_H_INCLUDED_

#include "authd/config.h"

#include <net/http/server.h>


/* For tgn_http_classify_pt. */

int authd_sender_class(const authd_senders_t *senders, const tgn_peer_t *peer);

/* Sets limits->shares, for the listeners that http has. */

void authd_sender_shares(const tgn_http_t *http, tgn_http_limits_t *limits);


#endif /* AUTHD_SENDERS_H_INCLUDED_ */
