
/*
 * Copyright (C) The Tailgate authors
 *
 * What an answer says, and whether that is what was expected.
 */

#include <cli/probe.h>

#include <core/base/base.h>

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define DEPTH_MAX  8


static int check_headers(const cli_probe_t *probe,
    const tgn_fetch_answer_t *answer, char text[CLI_PROBE_TEXT_MAX]);
static int find_login(const cli_probe_t *probe,
    const tgn_fetch_answer_t *answer, const tg_alloc_t *alloc,
    tg_str_t *login, char text[CLI_PROBE_TEXT_MAX]);
static int read_json(const char *names, tg_str_t body,
    const tg_alloc_t *alloc, tg_str_t *login, char text[CLI_PROBE_TEXT_MAX]);
static const json_t *descend(const json_t *value, const char *names);
static bool holds(tg_str_t text, tg_str_t word);
static int refuse(char text[CLI_PROBE_TEXT_MAX], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static tg_str_t str(const char *s);


int
cli_probe_check(const cli_probe_t *probe, const tgn_fetch_answer_t *answer,
    const tg_alloc_t *alloc, tg_str_t *login, char text[CLI_PROBE_TEXT_MAX])
{
    int  rc;

    *login = (tg_str_t) TG_NULL_STR;

    if (answer->code != probe->status) {
        return refuse(text, "the status is %d, not %d", answer->code,
                      probe->status);
    }

    rc = check_headers(probe, answer, text);

    if (rc != TG_OK || probe->login == NULL) {
        return rc;
    }

    rc = find_login(probe, answer, alloc, login, text);

    if (rc != TG_OK) {
        return rc;
    }

    /* most profiles send a login in lower case */

    if (!tgi_str_equal_nocase(*login, str(probe->login))) {
        return refuse(text, "the login is \"%.*s\", not \"%s\"",
                      (int) (login->len < 256 ? login->len : 256),
                      login->data ? login->data : "", probe->login);
    }

    return TG_OK;
}


static int
check_headers(const cli_probe_t *probe, const tgn_fetch_answer_t *answer,
    char text[CLI_PROBE_TEXT_MAX])
{
    size_t                          i;
    tg_str_t                        value;
    const cli_probe_expectation_t  *wanted;

    for (i = 0; i < probe->nheaders; i++) {
        wanted = &probe->headers[i];

        if (!tgn_fetch_header(answer, wanted->name, 0, &value)) {
            return refuse(text, "there is no header %s", wanted->name);
        }

        if (!tgi_str_equal(value, str(wanted->value))) {
            return refuse(text, "%s is \"%.*s\", not \"%s\"", wanted->name,
                          (int) (value.len < 256 ? value.len : 256),
                          value.data, wanted->value);
        }
    }

    return TG_OK;
}


static int
find_login(const cli_probe_t *probe, const tgn_fetch_answer_t *answer,
    const tg_alloc_t *alloc, tg_str_t *login, char text[CLI_PROBE_TEXT_MAX])
{
    if (probe->login_header == NULL) {
        return read_json(probe->login_json, answer->body, alloc, login, text);
    }

    if (!tgn_fetch_header(answer, probe->login_header, 0, login)) {
        return refuse(text, "there is no header %s with a login",
                      probe->login_header);
    }

    return TG_OK;
}


static int
read_json(const char *names, tg_str_t body, const tg_alloc_t *alloc,
    tg_str_t *login, char text[CLI_PROBE_TEXT_MAX])
{
    int            rc;
    json_t        *root;
    json_error_t   error;
    const json_t  *value;

    root = json_loadb(body.data ? body.data : "", body.len,
                      JSON_REJECT_DUPLICATES, &error);

    if (root == NULL) {
        return refuse(text, "the body is no JSON, so that it says no login: "
                      "name the header that does by --login-header");
    }

    value = descend(root, names);

    if (!json_is_string(value)) {
        rc = refuse(text, "the JSON has no string \"%s\"", names);

    } else if (tgi_str_copy(login, json_string_value(value),
                            json_string_length(value), alloc)
               != TG_OK)
    {
        rc = refuse(text, "out of memory");

    } else {
        rc = TG_OK;
    }

    json_decref(root);

    return rc;
}


/* NULL if there is no such member. */

static const json_t *
descend(const json_t *value, const char *names)
{
    char        name[256];
    size_t      len, depth;

    for (depth = 0; depth < DEPTH_MAX && value != NULL; depth++) {
        len = strcspn(names, ".");

        if (len >= sizeof(name)) {
            return NULL;
        }

        memcpy(name, names, len);
        name[len] = '\0';

        value = json_object_get(value, name);

        if (names[len] == '\0') {
            return value;
        }

        names += len + 1;
    }

    return NULL;
}


bool
cli_probe_holds(const tgn_fetch_answer_t *answer, tg_str_t word)
{
    size_t  i;

    for (i = 0; i < answer->nheaders; i++) {
        if (holds(answer->headers[i].name, word)
            || holds(answer->headers[i].value, word))
        {
            return true;
        }
    }

    return holds(answer->body, word);
}


static bool
holds(tg_str_t text, tg_str_t word)
{
    size_t  i;

    for (i = 0; i + word.len <= text.len; i++) {
        if (tgi_str_equal_nocase((tg_str_t) { text.data + i, word.len },
                                 word))
        {
            return true;
        }
    }

    return false;
}


static int
refuse(char text[CLI_PROBE_TEXT_MAX], const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, CLI_PROBE_TEXT_MAX, fmt, args);
    va_end(args);

    return TG_ERR_REFUSED;
}


static tg_str_t
str(const char *s)
{
    return (tg_str_t) { s, strlen(s) };
}
