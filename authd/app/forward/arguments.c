
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/forward/arguments.h"

#include <string.h>
#include <strings.h>


static const char *argument(tg_str_t name, tg_str_t value,
    authd_arguments_t *args, bool *headers, bool *source);
static const char *headers_read(tg_str_t value, authd_arguments_t *args);
static const char *profile_add(tg_str_t name, authd_arguments_t *args);
static bool profiles_overlap(const tg_profile_t *a, const tg_profile_t *b);
static bool cut(tg_str_t *rest, char c, tg_str_t *part);
static bool is(tg_str_t s, const char *word);


const char *
authd_arguments_read(tg_str_t query, authd_arguments_t *args)
{
    bool         headers, source;
    tg_str_t     pair, name;
    const char  *error;

    headers = false;
    source = false;

    args->nprofiles = 0;

    while (cut(&query, '&', &pair)) {

        (void) cut(&pair, '=', &name);

        error = argument(name, pair, args, &headers, &source);

        if (error != NULL) {
            return error;
        }
    }

    return NULL;
}


static const char *
argument(tg_str_t name, tg_str_t value, authd_arguments_t *args,
    bool *headers, bool *source)
{
    if (is(name, "headers")) {

        if (*headers) {
            return "the argument \"headers\" comes twice";
        }

        *headers = true;

        return headers_read(value, args);
    }

    if (is(name, "source")) {

        if (*source) {
            return "the argument \"source\" comes twice";
        }

        *source = true;

        if (is(value, "remote")) {
            args->source = AUTHD_SOURCE_REMOTE;
            return NULL;
        }

        if (is(value, "forwarded")) {
            args->source = AUTHD_SOURCE_FORWARDED;
            return NULL;
        }

        return "the argument \"source\" is neither remote nor forwarded";
    }

    return "there is an argument that is neither headers nor source";
}


static const char *
headers_read(tg_str_t value, authd_arguments_t *args)
{
    tg_str_t     name;
    const char  *error;

    if (is(value, "off")) {
        return NULL;
    }

    if (value.len == 0) {
        return "the argument \"headers\" names no profile";
    }

    while (cut(&value, ',', &name)) {

        error = profile_add(name, args);

        if (error != NULL) {
            return error;
        }
    }

    return NULL;
}


static const char *
profile_add(tg_str_t name, authd_arguments_t *args)
{
    size_t               i;
    const tg_profile_t  *profile;

    profile = tg_profile_find(name.data, name.len);

    if (profile == NULL) {
        return "the argument \"headers\" names a profile that does not exist";
    }

    if (args->nprofiles == AUTHD_PROFILES_MAX) {
        return "the argument \"headers\" names too many profiles";
    }

    for (i = 0; i < args->nprofiles; i++) {
        if (profiles_overlap(args->profiles[i], profile)) {
            return "two profiles of the argument \"headers\" have one header";
        }
    }

    args->profiles[args->nprofiles++] = profile;

    return NULL;
}


static bool
profiles_overlap(const tg_profile_t *a, const tg_profile_t *b)
{
    size_t  i, j;

    for (i = 0; i < a->nheaders; i++) {
        for (j = 0; j < b->nheaders; j++) {
            if (strcasecmp(a->headers[i].name, b->headers[j].name) == 0) {
                return true;
            }
        }
    }

    return a->secret_header != NULL && b->secret_header != NULL
           && strcasecmp(a->secret_header, b->secret_header) == 0;
}


/* Takes what stands before c, or all, away from rest; false at the end. */

static bool
cut(tg_str_t *rest, char c, tg_str_t *part)
{
    const char  *p;

    if (rest->len == 0) {
        *part = *rest;
        return false;
    }

    p = memchr(rest->data, c, rest->len);

    part->data = rest->data;
    part->len = p ? (size_t) (p - rest->data) : rest->len;

    rest->data += part->len + (p != NULL);
    rest->len -= part->len + (p != NULL);

    return true;
}


static bool
is(tg_str_t s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.data, word, s.len) == 0;
}
