
/*
 * Copyright (C) The Tailgate authors
 *
 * The original request, as a proxy states it, read strictly: what two parsers
 * could read in two ways is refused.
 */

#ifndef AUTHD_FORWARD_STATEMENT_H_INCLUDED_
#define AUTHD_FORWARD_STATEMENT_H_INCLUDED_

#include <tailgate/base.h>


#define AUTHD_METHOD_MAX  32
#define AUTHD_HOST_MAX    253
#define AUTHD_URI_MAX     16384

typedef struct {
    tg_str_t  method;
    tg_str_t  host;            /* lower case, without port and last dot */
    tg_str_t  path;            /* not decoded, without the query */
    const char  *odd;          /* what is refused where no policy file judges
                                  the path; NULL: nothing */
    char      host_text[AUTHD_HOST_MAX + 1];
} authd_statement_t;


/*
 * Each fills its part of *st, which borrows from what it read (the host is
 * copied), and returns NULL, or a few words about what is wrong.
 *
 * A method is a token of at most AUTHD_METHOD_MAX bytes (RFC 9110 9.1).
 *
 * A host is a name of letters, digits, "-" and "_", an IPv4 address or an IPv6
 * address in brackets, with a port or without one.  A user part, an empty
 * label and bytes above 127 are refused.
 *
 * A URI is "/path" or "/path?query", or "*" with OPTIONS.  Controls and blanks
 * are refused.  Bytes above 127, "#", a "%" that two hexadecimal digits do not
 * follow, "%00", and in the path a backslash, are odd: a policy file has a say
 * about those in the path, and none about the query.  The path ends before the
 * first "?".  The method goes first.
 *
 * A URL is "http://host/path" or "https://host/path": host and URI in one.
 */

const char *authd_statement_method(authd_statement_t *st, tg_str_t in);
const char *authd_statement_host(authd_statement_t *st, tg_str_t in);
const char *authd_statement_uri(authd_statement_t *st, tg_str_t in);
const char *authd_statement_url(authd_statement_t *st, tg_str_t in);


#endif /* AUTHD_FORWARD_STATEMENT_H_INCLUDED_ */
