
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core/identity share.
 */

#ifndef TGI_IDENTITY_H_INCLUDED_
#define TGI_IDENTITY_H_INCLUDED_

#include <tailgate/identity.h>


/* Every trait that there is. */

#define TGI_TRAITS_ALL                                                        \
    (TG_TRAIT_MEMBER|TG_TRAIT_TAGGED|TG_TRAIT_SHARED|TG_TRAIT_ROUTED          \
     |TG_TRAITS_NEVER)

/* The status of the weightiest trait; TG_STATUS_NONE if there is none. */

tg_status_t tgi_traits_status(uint32_t traits);

/* The name without one trailing dot. */

tg_str_t tgi_name_undotted(tg_str_t name);

/*
 * The name, which has no trailing dot, without its first label, in lower case
 * and in alloc; empty if that is all there is.  TG_OK or TG_ERR_NOMEM.
 */

int tgi_name_tailnet(tg_str_t name, const tg_alloc_t *alloc,
    tg_str_t *tailnet);

/*
 * Sets identity->user from identity->login, or refuses a login that could be
 * taken for somebody else's.  field is where it came from.
 */

int tgi_login_check(tg_identity_t *identity, const char *field,
    tg_error_t *error);


#endif /* TGI_IDENTITY_H_INCLUDED_ */
