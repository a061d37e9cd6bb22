
/*
 * Copyright (C) The Tailgate authors
 *
 * What the links count, told at /.metrics.  Names that nobody has made are
 * counted each for itself up to so many: whoever asks for ever new ones fills
 * no memory.
 */

#ifndef AUTHD_LINKS_COUNTS_H_INCLUDED_
#define AUTHD_LINKS_COUNTS_H_INCLUDED_

#include <tailgate/base.h>


#define AUTHD_LINKS_UNKNOWN_MAX   128
#define AUTHD_LINKS_UNKNOWN_NAME  64

typedef struct {
    char      name[AUTHD_LINKS_UNKNOWN_NAME];
    size_t    len;
    uint64_t  n;
} authd_links_unknown_count_t;

typedef struct {
    uint64_t                     redirects;
    uint64_t                     unknown;      /* all of them */
    uint64_t                     failed;       /* links that led nowhere */
    uint64_t                     saved;
    uint64_t                     deleted;
    uint64_t                     refused;      /* changes */
    uint64_t                     unavailable;
    uint64_t                     misdirected;  /* by Host */
    uint64_t                     unlisted;
    uint64_t                     malformed;
    uint64_t                     steps;        /* of work on all links, but
                                                  the first of each */
    authd_links_unknown_count_t  names[AUTHD_LINKS_UNKNOWN_MAX];
    size_t                       nnames;
} authd_links_counts_t;


void authd_links_count_unknown(authd_links_counts_t *counts, tg_str_t name);


#endif /* AUTHD_LINKS_COUNTS_H_INCLUDED_ */
