
/*
 * Copyright (C) The Tailgate authors
 *
 * "/api/v1/": docs/links/openapi.yaml.  Whoever calls has been identified.
 */

#ifndef AUTHD_LINKS_API_H_INCLUDED_
#define AUTHD_LINKS_API_H_INCLUDED_

#include "authd/app/links/json.h"
#include "authd/app/links/save.h"


void authd_links_api(authd_links_call_t *call);

/* call->name is the link's of the path. */

void authd_links_api_list(authd_links_call_t *call);
void authd_links_api_get(authd_links_call_t *call);
void authd_links_api_put(authd_links_call_t *call);
void authd_links_api_delete(authd_links_call_t *call);
void authd_links_api_rename(authd_links_call_t *call);
void authd_links_api_restore(authd_links_call_t *call);
void authd_links_api_history(authd_links_call_t *call);
void authd_links_api_clicks(authd_links_call_t *call);
void authd_links_api_import(authd_links_call_t *call);
void authd_links_api_apply(authd_links_call_t *call);
void authd_links_api_give_clicks(authd_links_call_t *call);
void authd_links_api_export(authd_links_call_t *call);
void authd_links_api_resolve(authd_links_call_t *call);
void authd_links_api_suggest(authd_links_call_t *call);


#endif /* AUTHD_LINKS_API_H_INCLUDED_ */
