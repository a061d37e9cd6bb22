
/*
 * Copyright (C) The Tailgate authors
 *
 * Changes by forms: golink's own ("/", "/.delete/NAME"), and those of our pages
 * ("/.rename/NAME", "/.restore/NAME").  Whoever sends one has been identified.
 */

#ifndef AUTHD_LINKS_FORM_H_INCLUDED_
#define AUTHD_LINKS_FORM_H_INCLUDED_

#include "authd/app/links/save.h"


void authd_links_save_form(authd_links_call_t *call);
void authd_links_delete_form(authd_links_call_t *call);
void authd_links_rename_form(authd_links_call_t *call);
void authd_links_restore_form(authd_links_call_t *call);


#endif /* AUTHD_LINKS_FORM_H_INCLUDED_ */
