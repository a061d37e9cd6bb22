
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: locations that are open, and what an app gets and keeps.
 */

#include <cli/lint.h>

#include <string.h>


#define NELTS(table)  (sizeof(table) / sizeof(table[0]))


static const char  *const protocols[] = { "proxy", "fastcgi", "uwsgi", "scgi" };


static bool
directive_name(char buf[64], const char *protocol, const char *rest)
{
    size_t  a = strlen(protocol), b = strlen(rest);

    if (a + b + 1 > 64) {
        return false;
    }

    memcpy(buf, protocol, a);
    memcpy(buf + a, rest, b + 1);

    return true;
}


static void
visit_pass_headers(cli_lint_t *lint, const cli_conf_t *block)
{
    char               name[64];
    size_t             i;
    const cli_conf_t  *conf;

    if (!cli_lint_is_guarded(block)) {
        return;
    }

    for (i = 0; i < NELTS(protocols); i++) {

        if (!directive_name(name, protocols[i], "_pass_request_headers")) {
            continue;
        }

        conf = cli_conf_inherited(block, name);

        if (conf != NULL && cli_conf_is(conf, 1, "off")) {
            cli_lint_find(lint, conf, "with \"%s off\" the app gets no "
                          "identity header either", name);
        }
    }
}


void
cli_lint_check_pass_headers(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_pass_headers);
}


static void
visit_cache(cli_lint_t *lint, const cli_conf_t *block)
{
    char               name[64];
    size_t             i;
    const cli_conf_t  *cache, *key;

    if (!cli_lint_is_guarded(block)) {
        return;
    }

    for (i = 0; i < NELTS(protocols); i++) {

        if (!directive_name(name, protocols[i], "_cache")) {
            continue;
        }

        cache = cli_conf_inherited(block, name);

        if (cache == NULL || cli_conf_is(cache, 1, "off")
            || !directive_name(name, protocols[i], "_cache_key"))
        {
            continue;
        }

        key = cli_conf_inherited(block, name);

        if (key == NULL || key->nwords < 2
            || !cli_lint_has_variable(key->words[1]))
        {
            cli_lint_find(lint, cache, "one person's answer is kept for all: "
                          "put a variable such as $tailgate_login into %s",
                          name);
        }
    }
}


void
cli_lint_check_cache(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_cache);
}


/* Whether the location answers by itself, besides those inside of it. */

static bool
has_content(const cli_conf_t *location)
{
    size_t  i;

    static const char *const  content[] = {
        "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass",
        "memcached_pass", "root", "alias", "try_files"
    };

    for (i = 0; i < NELTS(content); i++) {
        if (cli_conf_own(location, content[i]) != NULL) {
            return true;
        }
    }

    return false;
}


/* "tailgate off" in the location itself is meant. */

static bool
is_forgotten(const cli_conf_t *location)
{
    const cli_conf_t  *answer;

    if (cli_lint_is_guarded(location)
        || (cli_lint_has_guarded(location) && !has_content(location))
        || cli_conf_own(location, "tailgate") != NULL
        || cli_conf_own(location, "internal") != NULL)
    {
        return false;
    }

    if (location->nwords > 1 && location->words[1].len > 0
        && location->words[1].data[0] == '@')
    {
        return false;
    }

    answer = cli_conf_own(location, "return");

    return answer == NULL || answer->nwords < 2 || answer->words[1].len != 3
           || answer->words[1].data[0] < '3';
}


static void
visit_sibling(cli_lint_t *lint, const cli_conf_t *block)
{
    const cli_conf_t  *conf;

    if (!cli_lint_has_guarded(block)) {
        return;
    }

    for (conf = block->first; conf; conf = conf->next) {

        if (cli_conf_is(conf, 0, "location") && is_forgotten(conf)) {
            cli_lint_find(lint, conf, "this location has no guard, though "
                          "others of its server have one: set \"tailgate on\" "
                          "for the whole server, or \"tailgate off\" in here "
                          "if it is meant");
        }
    }
}


void
cli_lint_check_sibling(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_sibling);
}


/* "= /a", and "=/a", which is the same. */

static tg_str_t
path_of(const cli_conf_t *location, bool *exact)
{
    size_t    n;
    tg_str_t  path;

    path = location->words[location->nwords - 1];
    *exact = cli_conf_is(location, 1, "=");

    if (location->nwords == 2 && path.len > 1) {
        *exact = path.data[0] == '=';
        n = *exact ? 1 : memcmp(path.data, "^~", 2) == 0 ? 2 : 0;

        path.data += n;
        path.len -= n;
    }

    return path;
}


/* The location that a URI without variables falls into, regexes aside. */

static const cli_conf_t *
location_of(const cli_conf_t *block, tg_str_t uri, size_t *longest)
{
    bool               exact;
    size_t             longer;
    tg_str_t           path;
    const cli_conf_t  *conf, *found, *inner;

    found = NULL;

    for (conf = block->first; conf; conf = conf->next) {

        if (!cli_conf_is(conf, 0, "location") || conf->nwords < 2
            || cli_conf_is(conf, 1, "~") || cli_conf_is(conf, 1, "~*"))
        {
            continue;
        }

        path = path_of(conf, &exact);

        if (path.len > uri.len || path.len < *longest
            || memcmp(path.data, uri.data, path.len) != 0)
        {
            continue;
        }

        if (exact && path.len != uri.len) {
            continue;
        }

        *longest = path.len;
        found = conf;

        longer = path.len;
        inner = location_of(conf, uri, &longer);

        if (inner != NULL) {
            *longest = longer;
            found = inner;
        }
    }

    return found;
}


static void
visit_auth_request(cli_lint_t *lint, const cli_conf_t *block)
{
    size_t             longest;
    tg_str_t           uri, *end;
    const cli_conf_t  *conf, *server, *location;

    server = cli_lint_server(block);
    conf = cli_conf_own(block, "auth_request");

    if (conf == NULL && server == block) {
        conf = cli_conf_inherited(block, "auth_request");
    }

    if (server == NULL || conf == NULL || conf->nwords != 2
        || cli_conf_is(conf, 1, "off") || cli_lint_has(conf->words[1], "$"))
    {
        return;
    }

    uri = conf->words[1];
    end = &uri;

    if (memchr(uri.data, '?', uri.len) != NULL) {
        end->len = (size_t) ((const char *) memchr(uri.data, '?', uri.len)
                             - uri.data);
    }

    longest = 0;
    location = location_of(server, uri, &longest);

    if (location != NULL && cli_conf_own(location, "internal") == NULL) {
        cli_lint_find(lint, location, "this location answers \"auth_request "
                      "%.*s\" and can be asked by anybody: add \"internal;\"",
                      cli_lint_printed(uri), uri.data);
    }
}


void
cli_lint_check_auth_request(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_auth_request);
}
