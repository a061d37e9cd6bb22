
/*
 * Copyright (C) The Tailgate authors
 *
 * The token of a form: that a page of ours gave this form to this person, for
 * this path and this object, less than a day ago.  It is reckoned from a secret
 * of the store, so that a restart or another node of the same store takes it.
 */

#ifndef AUTHD_LINKS_TOKEN_H_INCLUDED_
#define AUTHD_LINKS_TOKEN_H_INCLUDED_

#include <tailgate/base.h>


#define AUTHD_LINKS_TOKEN_MAX  72

/* What a form that makes a link has for its object. */

#define AUTHD_LINKS_TOKEN_NEW  ".new"


/* The token, NUL-terminated, and its length; 0 if libcrypto fails. */

size_t authd_links_token(const uint8_t secret[32], tg_str_t login,
    const char *path, tg_str_t object, int64_t now,
    char token[AUTHD_LINKS_TOKEN_MAX]);

bool authd_links_token_check(const uint8_t secret[32], tg_str_t login,
    const char *path, tg_str_t object, int64_t now, tg_str_t token);


#endif /* AUTHD_LINKS_TOKEN_H_INCLUDED_ */
