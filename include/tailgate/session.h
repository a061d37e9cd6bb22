
/*
 * Copyright (C) The Tailgate authors
 *
 * Binding an app's session cookies to the peer that they were issued to.
 *
 * Apps keep a person logged in by cookie after the person behind the address
 * has changed.  So each Set-Cookie of a guarded app cookie NAME is followed by
 * a companion "tailgate-NAME" with the same attributes, whose value is an HMAC
 * over the peer and the cookie's name and value.  On a request an app cookie
 * passes only if a companion vouches for it; the app then logs the new person
 * in.  The companions themselves never reach the app.
 */

#ifndef TAILGATE_SESSION_H_INCLUDED_
#define TAILGATE_SESSION_H_INCLUDED_

#include <tailgate/base.h>
#include <tailgate/identity.h>


#define TG_SESSION_KEY_LEN      32
#define TG_SESSION_PREFIX       "tailgate-"
#define TG_SESSION_COOKIES_MAX  128      /* in one request; more: all go */

typedef struct {
    const uint8_t    *key;               /* TG_SESSION_KEY_LEN bytes */
    const tg_str_t   *cookies;           /* names; a trailing "*" is any rest */
    size_t            ncookies;
} tg_session_t;

/*
 * A person is known by login, on every device; a tagged node by its stable id.
 * A peer with neither, and identity NULL, is nobody: no guarded cookie passes.
 *
 * What a cookie is called is judged as the most careless runtime would: case
 * folded, percent-decoded, marks as "-", and also behind a comma, a quote or a
 * blank within another cookie's value.  That it passes is decided on its exact
 * bytes.  A companion's name begins with neither "__Host-" nor "__Secure-", so
 * browsers accept it with any attributes.
 */

/*
 * The Cookie header for the app.  Several Cookie headers are filtered one
 * after the other, with companions looked for in all: pass them all in
 * headers; out has as many entries, empty ones are to be left out.  *removed
 * counts guarded cookies that were taken away.  Untouched headers come back as
 * they were, byte for byte and not copied; others live in alloc.
 *
 * Returns TG_OK, TG_ERR_NOMEM or TG_ERR_CRYPTO; after an error out is empty and
 * no Cookie header may be sent on.
 */

int tg_session_filter(const tg_session_t *session,
    const tg_identity_t *identity, const tg_str_t *headers, size_t nheaders,
    const tg_alloc_t *alloc, tg_str_t *out, size_t *removed);

/*
 * The Set-Cookie value to add behind one that the app sent, for the peer whose
 * request it answers; all attributes are the app's.
 *
 * TG_ERR_ABSENT when that cookie is not guarded or the peer is nobody,
 * TG_ERR_REFUSED when the app itself sets a name that begins with
 * TG_SESSION_PREFIX (drop it), TG_ERR_SYNTAX (no name, or a control character),
 * TG_ERR_NOMEM, TG_ERR_CRYPTO.  Without a companion the app's cookie may go to
 * the browser: it does not come back to the app.
 */

int tg_session_companion(const tg_session_t *session,
    const tg_identity_t *identity, tg_str_t set_cookie,
    const tg_alloc_t *alloc, tg_str_t *out);


#endif /* TAILGATE_SESSION_H_INCLUDED_ */
