
/*
 * Copyright (C) The Tailgate authors
 *
 * Which cookies of a request may go on to the app, and what goes to the
 * browser beside those that the app sets.
 */

#include <tailgate/session.h>

#include "core/headers/cookie.h"
#include "core/headers/mac.h"

#include "core/base/base.h"

#include <openssl/crypto.h>

#include <string.h>


#define PREFIX_LEN  (sizeof(TG_SESSION_PREFIX) - 1)


typedef struct {
    tg_str_t             name;         /* of the cookie that it vouches for */
    tg_str_t             value;
} companion_t;

typedef struct {
    const tg_session_t  *session;
    const tg_alloc_t    *alloc;
    tgi_mac_t            mac;
    companion_t         *companions;   /* none: nothing passes */
    size_t               ncompanions;
} filter_t;

typedef struct {
    size_t               guarded;
    size_t               hiding;
    size_t               companions;
} counts_t;

typedef enum {
    COOKIE_KEEP = 0,
    COOKIE_COMPANION,
    COOKIE_GUARDED,                    /* passes if a companion vouches */
    COOKIE_HIDING                      /* may be read as a guarded one */
} cookie_kind_t;


static cookie_kind_t
kind_of(const tg_session_t *session, const tgi_cookie_t *cookie)
{
    tg_str_t  name;

    /* some runtimes take "sid" for a name without a value */

    name = cookie->name.len != 0 ? cookie->name : cookie->value;

    if (tgi_cookie_is_companion(name)) {
        return COOKIE_COMPANION;
    }

    if (tgi_cookie_is_guarded(session, name)) {
        return COOKIE_GUARDED;
    }

    return tgi_cookie_hides(session, cookie) ? COOKIE_HIDING : COOKIE_KEEP;
}


static void
count(const tg_session_t *session, tg_str_t header, counts_t *counts)
{
    tgi_cookie_t  cookie;

    while (tgi_cookie_next(&header, &cookie)) {

        switch (kind_of(session, &cookie)) {

        case COOKIE_GUARDED:
            counts->guarded++;
            break;

        case COOKIE_COMPANION:
            counts->companions++;
            break;

        case COOKIE_HIDING:
            counts->hiding++;
            break;

        default:
            break;
        }
    }
}


/*
 * Several companions may have one name, as cookies of one name may come from
 * several paths: any of them can vouch.
 */

static void
collect(filter_t *filter, tg_str_t header)
{
    companion_t   *companion;
    tgi_cookie_t   cookie;

    while (tgi_cookie_next(&header, &cookie)) {

        if (kind_of(filter->session, &cookie) != COOKIE_COMPANION
            || cookie.name.len <= PREFIX_LEN
            || cookie.value.len != TGI_MAC_TEXT_LEN)
        {
            continue;
        }

        companion = &filter->companions[filter->ncompanions++];

        companion->name.data = cookie.name.data + PREFIX_LEN;
        companion->name.len = cookie.name.len - PREFIX_LEN;
        companion->value = cookie.value;
    }
}


static int
vouch(filter_t *filter, const tgi_cookie_t *cookie, bool *passes)
{
    int           rc;
    char          expected[TGI_MAC_TEXT_LEN];
    bool          known;
    size_t        i;
    companion_t  *companion;

    known = false;
    *passes = false;

    for (i = 0; i < filter->ncompanions; i++) {
        companion = &filter->companions[i];

        if (!tgi_str_equal(companion->name, cookie->name)) {
            continue;
        }

        if (!known) {
            rc = tgi_mac_cookie(&filter->mac, cookie->name, cookie->value,
                                expected);
            if (rc != TG_OK) {
                return rc;
            }

            known = true;
        }

        if (CRYPTO_memcmp(companion->value.data, expected, TGI_MAC_TEXT_LEN)
            == 0)
        {
            *passes = true;
        }
    }

    return TG_OK;
}


/* What came before the first cookie that goes, without the last separator. */

static int
begin(const filter_t *filter, tg_str_t header, const tgi_cookie_t *cookie,
    char **buf, size_t *len)
{
    size_t  n;

    n = (size_t) (cookie->text.data - header.data);

    while (n != 0 && (header.data[n - 1] == ' ' || header.data[n - 1] == '\t'
                      || header.data[n - 1] == ';'))
    {
        n--;
    }

    /* ";" may become "; " */

    *buf = tgi_alloc(filter->alloc, header.len, 2);
    if (*buf == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(*buf, header.data, n);
    *len = n;

    return TG_OK;
}


static void
append(const tgi_cookie_t *cookie, char *buf, size_t *len)
{
    if (*len != 0) {
        buf[(*len)++] = ';';
        buf[(*len)++] = ' ';
    }

    memcpy(buf + *len, cookie->text.data, cookie->text.len);
    *len += cookie->text.len;
}


static int
rewrite(filter_t *filter, tg_str_t header, tg_str_t *out, size_t *removed)
{
    int            rc;
    bool           passes;
    char          *buf;
    size_t         len;
    tg_str_t       rest;
    tgi_cookie_t   cookie;
    cookie_kind_t  kind;

    len = 0;
    buf = NULL;
    rest = header;

    while (tgi_cookie_next(&rest, &cookie)) {
        kind = kind_of(filter->session, &cookie);
        passes = kind == COOKIE_KEEP;

        if (kind == COOKIE_GUARDED) {
            rc = vouch(filter, &cookie, &passes);
            if (rc != TG_OK) {
                return rc;
            }
        }

        if (passes) {
            if (buf != NULL) {
                append(&cookie, buf, &len);
            }

            continue;
        }

        if (buf == NULL) {
            rc = begin(filter, header, &cookie, &buf, &len);
            if (rc != TG_OK) {
                return rc;
            }
        }

        if (kind != COOKIE_COMPANION) {
            (*removed)++;
        }
    }

    if (buf != NULL) {
        out->data = buf;
        out->len = len;

    } else {
        *out = header;
    }

    return TG_OK;
}


static int
prepare(filter_t *filter, const tg_identity_t *identity,
    const tg_str_t *headers, size_t nheaders, const counts_t *counts)
{
    int     rc;
    size_t  i;

    if (identity == NULL || counts->guarded == 0 || counts->companions == 0
        || counts->guarded + counts->companions > TG_SESSION_COOKIES_MAX)
    {
        return TG_OK;
    }

    rc = tgi_mac_init(&filter->mac, filter->session, identity);

    if (rc != TG_OK) {
        /* who is nobody in particular has no cookies */
        return rc == TG_ERR_MISSING ? TG_OK : rc;
    }

    filter->companions = tgi_alloc(filter->alloc, counts->companions,
                                   sizeof(companion_t));
    if (filter->companions == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < nheaders; i++) {
        collect(filter, headers[i]);
    }

    return TG_OK;
}


int
tg_session_filter(const tg_session_t *session, const tg_identity_t *identity,
    const tg_str_t *headers, size_t nheaders, const tg_alloc_t *alloc,
    tg_str_t *out, size_t *removed)
{
    int       rc;
    size_t    i;
    counts_t  counts;
    filter_t  filter;

    memset(&counts, 0, sizeof(counts_t));
    memset(&filter, 0, sizeof(filter_t));

    filter.session = session;
    filter.alloc = alloc;

    *removed = 0;

    for (i = 0; i < nheaders; i++) {
        count(session, headers[i], &counts);
        out[i] = headers[i];
    }

    if (counts.guarded + counts.companions + counts.hiding == 0) {
        return TG_OK;
    }

    rc = prepare(&filter, identity, headers, nheaders, &counts);

    for (i = 0; rc == TG_OK && i < nheaders; i++) {
        rc = rewrite(&filter, headers[i], &out[i], removed);
    }

    tgi_mac_cleanup(&filter.mac);

    if (rc != TG_OK) {
        for (i = 0; i < nheaders; i++) {
            out[i] = (tg_str_t) TG_NULL_STR;
        }
    }

    return rc;
}


static int
compose(const tgi_cookie_t *cookie, tg_str_t attributes,
    const char text[TGI_MAC_TEXT_LEN], const tg_alloc_t *alloc, tg_str_t *out)
{
    char  *p;

    out->len = PREFIX_LEN + cookie->name.len + 1 + TGI_MAC_TEXT_LEN
               + attributes.len;

    p = tgi_alloc(alloc, out->len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    out->data = p;

    memcpy(p, TG_SESSION_PREFIX, PREFIX_LEN);
    p += PREFIX_LEN;

    memcpy(p, cookie->name.data, cookie->name.len);
    p += cookie->name.len;

    *p++ = '=';

    memcpy(p, text, TGI_MAC_TEXT_LEN);
    p += TGI_MAC_TEXT_LEN;

    if (attributes.len != 0) {
        memcpy(p, attributes.data, attributes.len);
    }

    return TG_OK;
}


int
tg_session_companion(const tg_session_t *session,
    const tg_identity_t *identity, tg_str_t set_cookie,
    const tg_alloc_t *alloc, tg_str_t *out)
{
    int           rc;
    char          text[TGI_MAC_TEXT_LEN];
    tg_str_t      attributes;
    tgi_mac_t     mac;
    tgi_cookie_t  cookie;

    rc = tgi_set_cookie_parse(set_cookie, &cookie, &attributes);
    if (rc != TG_OK) {
        return rc;
    }

    if (tgi_cookie_is_companion(cookie.name)) {
        return TG_ERR_REFUSED;
    }

    if (identity == NULL || !tgi_cookie_is_guarded(session, cookie.name)) {
        return TG_ERR_ABSENT;
    }

    rc = tgi_mac_init(&mac, session, identity);

    if (rc == TG_OK) {
        rc = tgi_mac_cookie(&mac, cookie.name, cookie.value, text);
    }

    tgi_mac_cleanup(&mac);

    if (rc != TG_OK) {
        return rc == TG_ERR_MISSING ? TG_ERR_ABSENT : rc;
    }

    return compose(&cookie, attributes, text, alloc, out);
}
