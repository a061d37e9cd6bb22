
/*
 * Copyright (C) The Tailgate authors
 *
 * What is wrong with the LocalAPI, in words for the person who can mend it.
 */

#include <net/client/localapi_error.h>

#include <errno.h>
#include <stdio.h>


void
tgn_localapi_explain(tgn_localapi_status_t status,
    const tgn_localapi_conf_t *conf, const char *what,
    char text[TGN_LOCALAPI_TEXT_MAX])
{
    const char  *why;

    switch (status) {

    case TGN_LOCALAPI_OK:
        text[0] = '\0';
        return;

    case TGN_LOCALAPI_DENIED:
        why = "permission denied: this user has to be able to write to the"
              " socket and to pass the folders above it";
        break;

    case TGN_LOCALAPI_ABSENT:
        why = "there is no such socket: is tailscaled running?";
        break;

    case TGN_LOCALAPI_REFUSED:
        why = "nobody accepts connections there: is tailscaled running?";
        break;

    case TGN_LOCALAPI_TIMEOUT:
        (void) snprintf(text, TGN_LOCALAPI_TEXT_MAX,
                        "\"%s\": no answer within %ju ms: is tailscaled"
                        " overloaded or stopped?", conf->socket,
                        (uintmax_t) conf->timeout);
        return;

    case TGN_LOCALAPI_TOO_LARGE:
        why = "the answer is too large to be tailscaled's";
        break;

    default:
        why = what;
    }

    (void) snprintf(text, TGN_LOCALAPI_TEXT_MAX, "\"%s\": %s", conf->socket,
                    why);
}


tgn_localapi_status_t
tgn_localapi_errno(long error)
{
    switch (error) {

    case EACCES:
    case EPERM:
        return TGN_LOCALAPI_DENIED;

    case ENOENT:
    case ENOTDIR:
        return TGN_LOCALAPI_ABSENT;

    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return TGN_LOCALAPI_FAILED;

    default:
        /* ECONNREFUSED, and EAGAIN when its queue is full */
        return TGN_LOCALAPI_REFUSED;
    }
}
