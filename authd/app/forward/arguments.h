
/*
 * Copyright (C) The Tailgate authors
 *
 * What an administrator writes behind an endpoint: "headers=grafana&
 * source=remote".  Never anything that a client could have written.
 */

#ifndef AUTHD_FORWARD_ARGUMENTS_H_INCLUDED_
#define AUTHD_FORWARD_ARGUMENTS_H_INCLUDED_

#include "authd/source.h"

#include <tailgate/headers.h>


#define AUTHD_PROFILES_MAX  4

typedef struct {
    const tg_profile_t   *profiles[AUTHD_PROFILES_MAX];
    size_t                nprofiles;
    authd_source_kind_t   source;
} authd_arguments_t;


/*
 * Reads the arguments; args->source is the dialect's default before.  Returns
 * NULL, or a few words about what is wrong: an unknown argument or profile, one
 * that comes twice, two profiles with one header.
 */

const char *authd_arguments_read(tg_str_t query, authd_arguments_t *args);


#endif /* AUTHD_FORWARD_ARGUMENTS_H_INCLUDED_ */
