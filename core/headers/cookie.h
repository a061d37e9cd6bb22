
/*
 * Copyright (C) The Tailgate authors
 *
 * Cookie and Set-Cookie (RFC 6265), read as the most careless runtime would.
 */

#ifndef TGI_COOKIE_H_INCLUDED_
#define TGI_COOKIE_H_INCLUDED_

#include <tailgate/session.h>


/* One cookie of a Cookie header, or the first part of a Set-Cookie. */

typedef struct {
    tg_str_t  text;            /* between the semicolons, as it came */
    tg_str_t  name;            /* trimmed; empty if there is no "=" */
    tg_str_t  value;           /* trimmed; all of it if there is no "=" */
} tgi_cookie_t;

/*
 * The next cookie of *rest, which then is what is left.  Empty ones ("; ;")
 * are passed over.  False at the end.
 */

bool tgi_cookie_next(tg_str_t *rest, tgi_cookie_t *cookie);

/*
 * A Set-Cookie: the cookie, and its attributes from the first ";" on.
 * TG_OK, or TG_ERR_SYNTAX if there is no name, or a control character, for
 * which browsers drop the whole of it.
 */

int tgi_set_cookie_parse(tg_str_t set_cookie, tgi_cookie_t *cookie,
    tg_str_t *attributes);

/* Whether some runtime would take name for one of ours, or of the session's. */

bool tgi_cookie_is_companion(tg_str_t name);
bool tgi_cookie_is_guarded(const tg_session_t *session, tg_str_t name);

/*
 * Whether some runtime would find a guarded cookie within this one: those that
 * split at commas or blanks, those that know no quotes, those that pass over an
 * empty name or "$Path" (RFC 2109).
 */

bool tgi_cookie_hides(const tg_session_t *session, const tgi_cookie_t *cookie);


#endif /* TGI_COOKIE_H_INCLUDED_ */
