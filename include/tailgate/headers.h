
/*
 * Copyright (C) The Tailgate authors
 *
 * Identity headers: which ones an app wants, how their values are made, and
 * which names a client may never send.
 */

#ifndef TAILGATE_HEADERS_H_INCLUDED_
#define TAILGATE_HEADERS_H_INCLUDED_

#include <tailgate/base.h>
#include <tailgate/identity.h>


/*
 * How text becomes header bytes.  There is no safe common choice: it is a
 * property of the app's runtime.
 */

typedef enum {
    TG_ENCODING_UTF8 = 0,          /* as it is: Go */
    TG_ENCODING_LATIN1,            /* ISO 8859-1, transliterated, else "?":
                                      WSGI, Tornado, Node, Tomcat */
    TG_ENCODING_ASCII,             /* transliterated, else "?" */
    TG_ENCODING_PERCENT,           /* RFC 3986, unreserved bytes stay */
    TG_ENCODING_QUOTED_PRINTABLE,  /* RFC 2045 6.7, never wrapped: Grafana */
    TG_ENCODING_RFC2047            /* "=?utf-8?q?...?=" when it is not ASCII:
                                      what tailscale serve sends */
} tg_encoding_t;

/* "utf8", "latin1", ...; TG_ERR_RANGE for any other word. */

int tg_encoding_parse(const char *word, size_t len, tg_encoding_t *encoding);

/*
 * Encodes in, living in alloc.  CR, LF, NUL and other control characters never
 * come out: TG_ERR_REFUSED.  Invalid UTF-8 is TG_ERR_SYNTAX, a result over max
 * bytes TG_ERR_LIMIT (never cut: half a name may be another name).
 */

int tg_encode(tg_encoding_t encoding, tg_str_t in, size_t max,
    const tg_alloc_t *alloc, tg_str_t *out);


typedef enum {
    TG_TRANSFORM_WHOLE = 0,
    TG_TRANSFORM_LOWER,            /* ASCII letters only */
    TG_TRANSFORM_LOCAL_PART,       /* before the last "@" */
    TG_TRANSFORM_FIRST_NAME,       /* before the last blank */
    TG_TRANSFORM_LAST_NAME         /* behind the last blank */
} tg_transform_t;

typedef enum {
    TG_JOIN_SEPARATOR = 0,         /* items joined; one that holds the
                                      separator is left out */
    TG_JOIN_JSON,                  /* always a JSON array */
    TG_JOIN_SEPARATOR_OR_JSON      /* JSON when an item has a blank, a quote or
                                      the separator */
} tg_join_t;


/* One header of a profile. */

typedef struct {
    const char         *name;      /* as it is sent */
    tg_attr_t           source;
    tg_transform_t      transform;
    tg_encoding_t       encoding;
    tg_join_t           join;      /* of a list source */
    char                separator;
    size_t              max;       /* bytes; past it the header is left out and
                                      the fault is the caller's to log */
    const char         *empty;     /* what to send for a person without a
                                      value; NULL: no header */
    const char         *constant;  /* if set: the value for every person,
                                      source is not used */

    /* TG_ATTR_CAPABILITY_FIELD */
    const char         *cap;
    const char         *field;
    const char *const  *order;     /* lowest role first */
    size_t              norder;
    const char *const  *values;    /* what the app calls order[i]; NULL: the
                                      same */
} tg_header_t;


/* What one kind of app wants. */

typedef struct {
    const char          *name;     /* "netbox" */
    const char          *summary;  /* one line for people */
    const tg_header_t   *headers;
    size_t               nheaders;
    const char          *secret_header; /* a static secret from a file goes
                                           here; NULL: there is none */
    const char *const   *cookies;  /* the app's session cookies; a trailing
                                      "*" matches any rest */
    size_t               ncookies;
} tg_profile_t;

/* The profile of that name, or NULL. */

const tg_profile_t *tg_profile_find(const char *name, size_t len);

/* All of them, in the order of the documentation. */

const tg_profile_t *tg_profile_table(size_t *n);

/*
 * The value of one header for this peer, encoded; *value may be empty, where
 * the profile says so, and lives in alloc or in the profile.
 *
 * What an app tells people apart by is sent exactly or not at all: a login
 * that the encoding cannot hold, or that begins or ends with a blank, is
 * TG_ERR_REFUSED, and so is a login without its domain when the peer is shared
 * in from another tailnet (their "alice" is not ours).  An item of a list that
 * the encoding cannot hold, or that has a blank at an end, is left out.  Only
 * names for people to read are transliterated.
 *
 * A peer without a login (a tagged node) gets no constant and no empty.
 *
 * Returns TG_OK, TG_ERR_ABSENT (send no header), TG_ERR_LIMIT, TG_ERR_REFUSED,
 * TG_ERR_SYNTAX (invalid UTF-8) or TG_ERR_NOMEM; in every case but TG_OK no
 * header may be sent.
 */

int tg_header_value(const tg_header_t *header, const tg_identity_t *identity,
    const tg_alloc_t *alloc, tg_str_t *value);


/*
 * Names a client may not send.  Two names are the same if they are equal after
 * folding: letters to lower case, anything but a letter or a digit to "-".
 * (WSGI, PHP, CGI and Rack fold so: X_Webauth.User is X-Webauth-User.)
 */

#define TG_HEADER_NAME_MAX  128

/* Folds len bytes from name to out, which may be name. */

void tg_header_fold(const char *name, size_t len, char *out);

typedef struct tg_strip_s  tg_strip_t;

/*
 * A set with every header of every profile in it, their secret headers, and
 * all that begins with "Tailgate-", "Tailscale-" or "X-Remote-"; it lives in
 * alloc, which later additions use as well.  NULL when out of memory.
 */

tg_strip_t *tg_strip_new(const tg_alloc_t *alloc);

/*
 * One name more.  Returns TG_OK (also if it was there), TG_ERR_LIMIT past
 * TG_HEADER_NAME_MAX, TG_ERR_SYNTAX for what is no field name (RFC 9110 5.1),
 * TG_ERR_REFUSED for a name that HTTP itself needs (Host, Connection,
 * Content-Length, Transfer-Encoding, Upgrade, TE, Expect, Cookie, Range,
 * If-*), TG_ERR_NOMEM.
 */

int tg_strip_add(tg_strip_t *set, const char *name, size_t len);

/*
 * Whether a header that a client sent is to be removed.  name is as it came
 * (any bytes).
 */

bool tg_strip_match(const tg_strip_t *set, const char *name, size_t len);


/*
 * What the names of a set look like before they are folded: for each first
 * byte, and for each last one, the lengths that names have which begin or end
 * so; bit n for n bytes, or n and a multiple of 64.  Most headers of most
 * requests are told apart by that, at the cost of a look-up or two.
 */

typedef struct {
    uint64_t  first[256];
    uint64_t  last[256];
    uint64_t  any_end[256];    /* by the first byte: what is removed whatever
                                  it ends in */
} tg_shapes_t;

/* Those of the set, to begin with, and of a name more (a field name). */

void tg_shapes_of(const tg_strip_t *set, tg_shapes_t *shapes);
void tg_shapes_add(tg_shapes_t *shapes, const char *name, size_t len);

/*
 * false: no name that was added, or that the set removes, is this one.  len is
 * not 0; the arguments are evaluated more than once.
 */

#define tg_shapes_have(shapes, name, len)                                     \
    (((shapes)->first[(unsigned char) (name)[0]] >> ((len) & 63) & 1)         \
     && tg_shapes_end(shapes, (const char *) (name), len))

/* The second look, at the few names that begin like one of them. */

bool tg_shapes_end(const tg_shapes_t *shapes, const char *name, size_t len);


#endif /* TAILGATE_HEADERS_H_INCLUDED_ */
