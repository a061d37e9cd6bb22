
/*
 * Copyright (C) The Tailgate authors
 *
 * Requests that claim to be somebody else's.
 */

#include <cli/probe.h>

#include <tailgate/headers.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>


#define HEADERS_MAX  256
#define LINE_MAX     512


/* How a name is spelled that a careless runtime takes for the same. */

static const struct {
    char         blank;                /* in the place of each "-" */
    const char  *what;
} spellings[] = {
    { '-', "X-Webauth-User and the like" },
    { '_', "X_Webauth_User and the like" },
    { '.', "X.Webauth.User and the like" }
};

#define NSPELLINGS  (sizeof(spellings) / sizeof(spellings[0]))

/* 192.0.2.0/24 is nobody's, RFC 5737. */

static const char *const  sources[] = {
    "X-Forwarded-For: 192.0.2.1",
    "X-Real-IP: 192.0.2.1",
    "Forwarded: for=192.0.2.1",
    "True-Client-IP: 192.0.2.1",
    "CF-Connecting-IP: 192.0.2.1",
    "Remote-Addr: 192.0.2.1",
    "Tailgate-Local-Addr: 192.0.2.1"
};


typedef struct {
    const char        **lines;
    size_t              n;
    char                blank;
    const char         *login;
    const tg_alloc_t   *alloc;
} forgery_t;


static int add(forgery_t *forgery, const char *name);


int
cli_probe_forge(size_t kind, const char *login, const tg_alloc_t *alloc,
    const char *const **headers, size_t *n, const char **what)
{
    size_t               i, j, nprofiles;
    forgery_t            forgery;
    const tg_profile_t  *profiles;

    if (kind == NSPELLINGS) {
        *headers = sources;
        *n = sizeof(sources) / sizeof(sources[0]);
        *what = "X-Forwarded-For and the like";
        return TG_OK;
    }

    if (kind > NSPELLINGS) {
        return TG_ERR_ABSENT;
    }

    forgery.n = 0;
    forgery.login = login;
    forgery.alloc = alloc;
    forgery.blank = spellings[kind].blank;
    forgery.lines = alloc->alloc(alloc->ctx, HEADERS_MAX * sizeof(char *));

    if (forgery.lines == NULL) {
        return TG_ERR_NOMEM;
    }

    profiles = tg_profile_table(&nprofiles);

    for (i = 0; i < nprofiles; i++) {
        for (j = 0; j < profiles[i].nheaders; j++) {
            if (add(&forgery, profiles[i].headers[j].name) != TG_OK) {
                return TG_ERR_NOMEM;
            }
        }
    }

    *headers = forgery.lines;
    *n = forgery.n;
    *what = spellings[kind].what;

    return TG_OK;
}


static int
add(forgery_t *forgery, const char *name)
{
    char    line[LINE_MAX], *copy;
    size_t  i, len;

    len = strlen(name);
    (void) snprintf(line, sizeof(line), "%s: %s@tailgate.invalid", name,
                    forgery->login);

    for (i = 0; i < len; i++) {
        if (line[i] == '-') {
            line[i] = forgery->blank;
        }
    }

    /* apps share names */

    for (i = 0; i < forgery->n; i++) {
        if (strcasecmp(forgery->lines[i], line) == 0) {
            return TG_OK;
        }
    }

    len = strlen(line) + 1;
    copy = forgery->alloc->alloc(forgery->alloc->ctx, len);

    if (copy == NULL || forgery->n == HEADERS_MAX) {
        return TG_ERR_NOMEM;
    }

    memcpy(copy, line, len);
    forgery->lines[forgery->n++] = copy;

    return TG_OK;
}
