
/*
 * Copyright (C) The Tailgate authors
 *
 * What an answer that lets a request pass says to the app.
 */

#include "authd/app/forward/forward.h"

#include <string.h>
#include <strings.h>


typedef struct {
    authd_exchange_t           *ex;
    const authd_dialect_t      *dialect;
    const authd_arguments_t    *arguments;
    const authd_identified_t   *identified;
    const tg_policy_t          *rules;     /* NULL: no policy file */
    size_t                      nheaders;  /* of the route */
} answer_t;


static void answer_profile(const answer_t *answer,
    const tg_profile_t *profile);
static void answer_header(const answer_t *answer, const tg_header_t *header);
static void answer_secret(const answer_t *answer, const tg_profile_t *profile);
static void answer_route(const answer_t *answer);
static void answer_rest(const answer_t *answer);
static void answer_value(const answer_t *answer, const char *name, int rc,
    tg_str_t value);
static void answer_names(const answer_t *answer);
static void name_add(char *text, size_t *len, const char *name, size_t n);
static bool in_route(const answer_t *answer, const char *name, size_t len);
static bool in_profiles(const answer_t *answer, tg_str_t name);
static const tg_str_t *secret_find(const authd_config_t *conf,
    const tg_profile_t *profile);
static const char *name_copy(const answer_t *answer, tg_str_t name);


void
authd_forward_headers(authd_exchange_t *ex, const authd_dialect_t *dialect,
    const authd_arguments_t *arguments, const authd_identified_t *identified)
{
    size_t    i;
    answer_t  answer = {
        ex, dialect, arguments, identified, ex->authd->conf->rules, 0
    };

    if (answer.rules != NULL && ex->decision.route_index != SIZE_MAX) {
        answer.nheaders = tg_policy_nheaders(answer.rules,
                                             ex->decision.route_index);
    }

    for (i = 0; i < arguments->nprofiles; i++) {
        answer_profile(&answer, arguments->profiles[i]);
    }

    answer_route(&answer);

    if (answer.rules != NULL && dialect->send_empty) {
        answer_rest(&answer);
    }

    if (dialect->list_names) {
        answer_names(&answer);
    }
}


static void
answer_profile(const answer_t *answer, const tg_profile_t *profile)
{
    size_t       i;
    const char  *name;

    for (i = 0; i < profile->nheaders; i++) {
        name = profile->headers[i].name;

        if (!in_route(answer, name, strlen(name))) {
            answer_header(answer, &profile->headers[i]);
        }
    }

    if (profile->secret_header != NULL) {
        answer_secret(answer, profile);
    }
}


static void
answer_header(const answer_t *answer, const tg_header_t *header)
{
    int       rc;
    tg_str_t  value;

    rc = tg_header_value(header, answer->identified->peer.identity,
                         &answer->ex->alloc, &value);

    answer_value(answer, header->name, rc, value);
}


static void
answer_secret(const answer_t *answer, const tg_profile_t *profile)
{
    const tg_str_t  *secret;

    secret = secret_find(answer->ex->authd->conf, profile);

    if (secret != NULL) {
        authd_exchange_header(answer->ex, profile->secret_header, *secret);

    } else if (answer->dialect->send_empty) {
        authd_exchange_header(answer->ex, profile->secret_header,
                              (tg_str_t) TG_NULL_STR);
    }
}


static void
answer_route(const answer_t *answer)
{
    int                        rc;
    size_t                     i;
    tg_str_t                   value;
    const char                *name;
    authd_exchange_t          *ex;
    const tg_policy_header_t  *header;

    ex = answer->ex;

    for (i = 0; i < answer->nheaders; i++) {
        header = tg_policy_header(answer->rules, ex->decision.route_index, i);
        name = name_copy(answer, tg_policy_header_name(header));

        if (name == NULL) {
            return;
        }

        rc = tg_policy_header_value(answer->rules, header,
                                    &answer->identified->peer, &ex->request,
                                    &ex->alloc, &value);

        answer_value(answer, name, rc, value);
    }
}


/*
 * What other routes set: an app that reads it there must not get the client's
 * own here.
 */

static void
answer_rest(const answer_t *answer)
{
    size_t            i;
    const char       *name;
    const tg_list_t  *names;

    names = tg_policy_header_names(answer->rules);

    for (i = 0; i < names->n; i++) {

        if (in_route(answer, names->items[i].data, names->items[i].len)
            || in_profiles(answer, names->items[i]))
        {
            continue;
        }

        name = name_copy(answer, names->items[i]);

        if (name == NULL) {
            return;
        }

        authd_exchange_header(answer->ex, name, (tg_str_t) TG_NULL_STR);
    }
}


static void
answer_value(const answer_t *answer, const char *name, int rc, tg_str_t value)
{
    authd_exchange_t     *ex;
    const tg_identity_t  *identity;

    ex = answer->ex;
    identity = answer->identified->peer.identity;

    if (rc == TG_OK) {
        authd_exchange_header(ex, name, value);
        return;
    }

    if (rc != TG_ERR_ABSENT) {
        authd_log(&ex->authd->log, AUTHD_LOG_WARN,
                  "request %s: no header %s for %.*s: %s", ex->id, name,
                  (int) identity->login.len,
                  identity->login.data ? identity->login.data : "",
                  tg_strerror(rc));
    }

    if (answer->dialect->send_empty) {
        authd_exchange_header(ex, name, (tg_str_t) TG_NULL_STR);
    }
}


/* All that there may be, whether it has a value or not. */

static void
answer_names(const answer_t *answer)
{
    char                *text;
    size_t               i, j, len, size;
    const tg_list_t     *names;
    const tg_profile_t  *profile;

    static const tg_list_t  none = { NULL, 0 };

    names = answer->rules ? tg_policy_header_names(answer->rules) : &none;
    size = names->n + 1;

    for (i = 0; i < answer->arguments->nprofiles; i++) {
        size += answer->arguments->profiles[i]->nheaders + 1;
    }

    text = answer->ex->alloc.alloc(answer->ex->alloc.ctx,
                                   size * (TG_HEADER_NAME_MAX + 1));
    len = 0;

    /* a proxy that is not told what to strip must not pass the request on */

    if (text == NULL) {
        authd_exchange_header(answer->ex, "Tailgate-Headers",
                              (tg_str_t) TG_STR("\n"));
        return;
    }

    for (i = 0; i < answer->arguments->nprofiles; i++) {
        profile = answer->arguments->profiles[i];

        for (j = 0; j < profile->nheaders; j++) {
            name_add(text, &len, profile->headers[j].name,
                     strlen(profile->headers[j].name));
        }

        if (profile->secret_header != NULL) {
            name_add(text, &len, profile->secret_header,
                     strlen(profile->secret_header));
        }
    }

    for (i = 0; i < names->n; i++) {
        if (!in_profiles(answer, names->items[i])) {
            name_add(text, &len, names->items[i].data, names->items[i].len);
        }
    }

    authd_exchange_header(answer->ex, "Tailgate-Headers",
                          (tg_str_t) { text, len });
}


/* There is room for TG_HEADER_NAME_MAX and a comma. */

static void
name_add(char *text, size_t *len, const char *name, size_t n)
{
    if (n > TG_HEADER_NAME_MAX) {
        return;
    }

    if (*len != 0) {
        text[(*len)++] = ',';
    }

    memcpy(text + *len, name, n);
    *len += n;
}


static bool
in_route(const answer_t *answer, const char *name, size_t len)
{
    size_t    i;
    tg_str_t  other;

    for (i = 0; i < answer->nheaders; i++) {
        other = tg_policy_header_name(
                    tg_policy_header(answer->rules,
                                     answer->ex->decision.route_index, i));

        if (other.len == len && strncasecmp(other.data, name, len) == 0) {
            return true;
        }
    }

    return false;
}


static bool
in_profiles(const answer_t *answer, tg_str_t name)
{
    size_t               i, j;
    const char          *other;
    const tg_profile_t  *profile;

    for (i = 0; i < answer->arguments->nprofiles; i++) {
        profile = answer->arguments->profiles[i];

        for (j = 0; j <= profile->nheaders; j++) {
            other = j < profile->nheaders ? profile->headers[j].name
                                          : profile->secret_header;

            if (other != NULL && strlen(other) == name.len
                && strncasecmp(other, name.data, name.len) == 0)
            {
                return true;
            }
        }
    }

    return false;
}


static const tg_str_t *
secret_find(const authd_config_t *conf, const tg_profile_t *profile)
{
    size_t  i;

    for (i = 0; i < conf->nsecrets; i++) {
        if (conf->secrets[i].profile == profile) {
            return &conf->secrets[i].value;
        }
    }

    return NULL;
}


/*
 * With a NUL.  Without memory the answer has to fail, as half of the headers
 * may be a wrong answer: a name that is no token makes a 500 of it.
 */

static const char *
name_copy(const answer_t *answer, tg_str_t name)
{
    char  *copy;

    copy = answer->ex->alloc.alloc(answer->ex->alloc.ctx, name.len + 1);

    if (copy == NULL) {
        authd_exchange_header(answer->ex, "", (tg_str_t) TG_NULL_STR);
        return NULL;
    }

    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';

    return copy;
}
