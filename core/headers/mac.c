
/*
 * Copyright (C) The Tailgate authors
 *
 * HMAC-SHA256 over the peer and a cookie.  Each field goes in behind its
 * length, so that no two sets of fields give the same bytes.
 */

#include "core/headers/mac.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <string.h>


#define MAC_VERSION  "tailgate-session-1"


/*
 * A person is the same one on every device; a machine is its stable id, as
 * its name can be given to another one.
 */

static int
set_principal(tgi_mac_t *mac, const tg_identity_t *identity)
{
    if (identity->login.len != 0) {
        mac->kind = (tg_str_t) TG_STR("login");
        mac->principal = identity->login;
        return TG_OK;
    }

    if (identity->node_id.len != 0) {
        mac->kind = (tg_str_t) TG_STR("node");
        mac->principal = identity->node_id;
        return TG_OK;
    }

    return TG_ERR_MISSING;
}


int
tgi_mac_init(tgi_mac_t *mac, const tg_session_t *session,
    const tg_identity_t *identity)
{
    int  rc;

    memset(mac, 0, sizeof(tgi_mac_t));

    mac->key = session->key;

    rc = set_principal(mac, identity);
    if (rc != TG_OK) {
        return rc;
    }

    mac->mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (mac->mac == NULL) {
        return TG_ERR_CRYPTO;
    }

    mac->ctx = EVP_MAC_CTX_new(mac->mac);

    return mac->ctx != NULL ? TG_OK : TG_ERR_CRYPTO;
}


void
tgi_mac_cleanup(tgi_mac_t *mac)
{
    EVP_MAC_CTX_free(mac->ctx);
    EVP_MAC_free(mac->mac);
    ERR_clear_error();

    memset(mac, 0, sizeof(tgi_mac_t));
}


static bool
update(tgi_mac_t *mac, tg_str_t field)
{
    size_t   i;
    uint8_t  len[8];

    for (i = 0; i < sizeof(len); i++) {
        len[i] = (uint8_t) ((uint64_t) field.len >> (56 - 8 * i));
    }

    return EVP_MAC_update(mac->ctx, len, sizeof(len)) == 1
           && (field.len == 0
               || EVP_MAC_update(mac->ctx, (const unsigned char *) field.data,
                                 field.len) == 1);
}


/* 32 bytes are 43 characters: ten groups of three bytes and one of two. */

static void
base64url(const uint8_t in[TGI_MAC_LEN], char out[TGI_MAC_TEXT_LEN])
{
    size_t             i, n;
    uint32_t           bits;
    static const char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_";

    bits = 0;

    for (i = 0, n = 0; n < TGI_MAC_TEXT_LEN; n++) {
        if (n % 4 == 0) {
            bits = (uint32_t) in[i] << 16 | (uint32_t) in[i + 1] << 8;
            bits |= (i + 2 < TGI_MAC_LEN) ? in[i + 2] : 0;
            i += 3;
        }

        out[n] = alphabet[bits >> 18 & 0x3f];
        bits <<= 6;
    }
}


int
tgi_mac_cookie(tgi_mac_t *mac, tg_str_t name, tg_str_t value,
    char text[TGI_MAC_TEXT_LEN])
{
    size_t      len;
    uint8_t     out[TGI_MAC_LEN];
    OSSL_PARAM  params[2];
    char        digest[] = "SHA256";

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                 digest, 0);
    params[1] = OSSL_PARAM_construct_end();

    if (EVP_MAC_init(mac->ctx, mac->key, TG_SESSION_KEY_LEN, params) != 1
        || !update(mac, (tg_str_t) TG_STR(MAC_VERSION))
        || !update(mac, mac->kind)
        || !update(mac, mac->principal)
        || !update(mac, name)
        || !update(mac, value)
        || EVP_MAC_final(mac->ctx, out, &len, sizeof(out)) != 1
        || len != TGI_MAC_LEN)
    {
        return TG_ERR_CRYPTO;
    }

    base64url(out, text);

    return TG_OK;
}
