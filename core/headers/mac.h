
/*
 * Copyright (C) The Tailgate authors
 *
 * The value of a companion cookie.
 */

#ifndef TGI_MAC_H_INCLUDED_
#define TGI_MAC_H_INCLUDED_

#include <tailgate/session.h>


/* HMAC-SHA256 in base64url without padding (RFC 4648 5) */

#define TGI_MAC_LEN       32
#define TGI_MAC_TEXT_LEN  43

typedef struct tgi_mac_s  tgi_mac_t;

/*
 * Ready to authenticate cookies of one peer.  identity is borrowed.  TG_OK,
 * TG_ERR_MISSING if the peer is nobody in particular, TG_ERR_NOMEM or
 * TG_ERR_CRYPTO.  tgi_mac_free() takes NULL as well, and leaves libcrypto's
 * error queue empty: nginx would log what it finds there as its own.
 */

int tgi_mac_new(const tg_session_t *session, const tg_identity_t *identity,
    tgi_mac_t **mac);
void tgi_mac_free(tgi_mac_t **mac);

/* The companion's value for one cookie: TG_OK or TG_ERR_CRYPTO. */

int tgi_mac_cookie(tgi_mac_t *mac, tg_str_t name, tg_str_t value,
    char text[TGI_MAC_TEXT_LEN]);


#endif /* TGI_MAC_H_INCLUDED_ */
