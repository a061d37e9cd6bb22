
/*
 * Copyright (C) The Tailgate authors
 *
 * The ssh section, between its reader and its decisions.
 */

#ifndef TGI_ACL_SSH_H_INCLUDED_
#define TGI_ACL_SSH_H_INCLUDED_

#include "core/acl/acl.h"


/* "localpart:*@domain" with a domain. */

bool tgi_ssh_localpart(tg_str_t user, tg_str_t *domain);

/* Once all rules are there: which of them a destination has to look at. */

int tgi_ssh_index(tg_acl_t *acl);


#endif /* TGI_ACL_SSH_H_INCLUDED_ */
