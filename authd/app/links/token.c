
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


#define VALID      86400           /* seconds */
#define AHEAD      60              /* of another node's clock */
#define MAC_LEN    32
#define MAC_TEXT   43              /* base64url without padding */


static bool mac(const uint8_t secret[32], tg_str_t login, const char *path,
    tg_str_t object, int64_t now, char text[MAC_TEXT + 2]);


size_t
authd_links_token(const uint8_t secret[32], tg_str_t login, const char *path,
    tg_str_t object, int64_t now, char token[AUTHD_LINKS_TOKEN_MAX])
{
    int   n;
    char  text[MAC_TEXT + 2];

    token[0] = '\0';

    if (now < 0 || !mac(secret, login, path, object, now, text)) {
        return 0;
    }

    n = snprintf(token, AUTHD_LINKS_TOKEN_MAX, "%.*s:%" PRIi64, MAC_TEXT,
                 text, now);

    return n > 0 && n < AUTHD_LINKS_TOKEN_MAX ? (size_t) n : 0;
}


bool
authd_links_token_check(const uint8_t secret[32], tg_str_t login,
    const char *path, tg_str_t object, int64_t now, tg_str_t token)
{
    char     text[MAC_TEXT + 2];
    size_t   i;
    int64_t  made;

    if (token.len < MAC_TEXT + 2 || token.len > MAC_TEXT + 1 + 18
        || token.data[MAC_TEXT] != ':')
    {
        return false;
    }

    made = 0;

    for (i = MAC_TEXT + 1; i < token.len; i++) {

        if (token.data[i] < '0' || token.data[i] > '9') {
            return false;
        }

        made = made * 10 + (token.data[i] - '0');
    }

    if (made > now + AHEAD || now - made > VALID) {
        return false;
    }

    return mac(secret, login, path, object, made, text)
           && CRYPTO_memcmp(text, token.data, MAC_TEXT) == 0;
}


/*
 * Of the digests of the parts, which have one length: no two lists of parts are
 * one text.
 */

static bool
mac(const uint8_t secret[32], tg_str_t login, const char *path,
    tg_str_t object, int64_t now, char text[MAC_TEXT + 2])
{
    int            n;
    size_t         i;
    unsigned       len;
    tg_str_t       parts[3];
    unsigned char  hash[EVP_MAX_MD_SIZE], in[4 * MAC_LEN];

    parts[0] = login;
    parts[1] = (tg_str_t) { path, strlen(path) };
    parts[2] = object;

    memset(in, 0, sizeof(in));

    n = snprintf((char *) in, MAC_LEN, "links form %" PRIi64, now);

    if (n <= 0 || n >= MAC_LEN) {
        return false;
    }

    for (i = 0; i < 3; i++) {
        if (EVP_Digest(parts[i].len ? parts[i].data : "", parts[i].len,
                       in + (i + 1) * MAC_LEN, NULL, EVP_sha256(), NULL)
            != 1)
        {
            return false;
        }
    }

    if (HMAC(EVP_sha256(), secret, 32, in, sizeof(in), hash, &len) == NULL) {
        return false;
    }

    n = EVP_EncodeBlock((unsigned char *) text, hash, MAC_LEN);

    for (i = 0; i < MAC_TEXT; i++) {
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    }

    return n == MAC_TEXT + 1;
}
