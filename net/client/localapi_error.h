
/*
 * Copyright (C) The Tailgate authors
 *
 * Why a LocalAPI does not answer, and how to say so.
 */

#ifndef TGN_LOCALAPI_ERROR_H_INCLUDED_
#define TGN_LOCALAPI_ERROR_H_INCLUDED_

#include <net/client/localapi.h>


#define TGN_LOCALAPI_TEXT_MAX  512

/*
 * A sentence that names the socket, the cause and what to do, NUL-terminated;
 * empty if status is OK.  what is libcurl's word, for causes that have no
 * sentence of their own.
 */

void tgn_localapi_explain(tgn_localapi_status_t status,
    const tgn_localapi_conf_t *conf, const char *what,
    char text[TGN_LOCALAPI_TEXT_MAX]);

/* What connect() to the socket failed with. */

tgn_localapi_status_t tgn_localapi_errno(long error);


#endif /* TGN_LOCALAPI_ERROR_H_INCLUDED_ */
