
/*
 * Copyright (C) The Tailgate authors
 *
 * The value of a companion cookie.
 */

#ifndef TGI_MAC_H_INCLUDED_
#define TGI_MAC_H_INCLUDED_

#include <tailgate/session.h>

#include <openssl/evp.h>


/* HMAC-SHA256 in base64url without padding (RFC 4648 5) */

#define TGI_MAC_LEN       32
#define TGI_MAC_TEXT_LEN  43

typedef struct {
    EVP_MAC        *mac;
    EVP_MAC_CTX    *ctx;
    const uint8_t  *key;
    tg_str_t        kind;      /* of principal */
    tg_str_t        principal;
} tgi_mac_t;

/*
 * Ready to authenticate cookies of one peer.  session's key and identity are
 * borrowed.  TG_OK, TG_ERR_MISSING if the peer is nobody in particular, or
 * TG_ERR_CRYPTO.  In each case, and also for a zeroed *mac, tgi_mac_cleanup()
 * gives everything back, and leaves libcrypto's error queue empty: nginx would
 * log what it finds there as its own.
 */

int tgi_mac_init(tgi_mac_t *mac, const tg_session_t *session,
    const tg_identity_t *identity);
void tgi_mac_cleanup(tgi_mac_t *mac);

/* The companion's value for one cookie: TG_OK or TG_ERR_CRYPTO. */

int tgi_mac_cookie(tgi_mac_t *mac, tg_str_t name, tg_str_t value,
    char text[TGI_MAC_TEXT_LEN]);


#endif /* TGI_MAC_H_INCLUDED_ */
