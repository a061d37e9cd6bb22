
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: identity headers that a configuration sets by itself.
 */

#include <cli/lint.h>

#include <core/base/base.h>

#include <string.h>


#define NELTS(table)  (sizeof(table) / sizeof(table[0]))


/* Directives that set a request header: the name is their first word. */

static const struct {
    const char  *directive;
    bool         cgi;          /* HTTP_X_USER stands for X-User */
} setters[] = {
    { "proxy_set_header", false },
    { "grpc_set_header", false },
    { "fastcgi_param", true },
    { "uwsgi_param", true },
    { "scgi_param", true }
};


static void learn_names(cli_lint_t *lint, const cli_conf_t *block);
static void visit(cli_lint_t *lint, const cli_conf_t *block);
static const cli_conf_t *level_of(const cli_conf_t *block,
    const char *directive);
static void judge(cli_lint_t *lint, const cli_conf_t *conf, bool cgi,
    bool guarded);
static bool forwards(const cli_lint_t *lint, tg_str_t value);


void
cli_lint_check_identity_header(cli_lint_t *lint)
{
    const cli_conf_t  *http;

    http = cli_lint_http(lint);

    if (cli_lint_has_guarded(http)) {
        learn_names(lint, http);
        cli_lint_each(lint, http, visit);
    }
}


/* What the configuration manages besides the profiles' headers. */

static void
learn_names(cli_lint_t *lint, const cli_conf_t *block)
{
    size_t             i, n;
    const cli_conf_t  *conf;

    for (conf = block->first; conf; conf = conf->next) {

        n = cli_conf_is(conf, 0, "tailgate_set_header") ? 2
            : cli_conf_is(conf, 0, "tailgate_strip") ? conf->nwords : 0;

        for (i = 1; i < n && i < conf->nwords; i++) {

            /* what nginx would refuse is nginx's to tell */

            if (tg_strip_add(lint->strip, conf->words[i].data,
                             conf->words[i].len) == TG_ERR_NOMEM)
            {
                lint->nomem = true;
            }
        }

        learn_names(lint, conf);
    }
}


static void
visit(cli_lint_t *lint, const cli_conf_t *block)
{
    bool               guarded;
    size_t             i;
    const cli_conf_t  *level, *conf;

    if (cli_lint_server(block) == NULL) {
        return;
    }

    guarded = cli_lint_is_guarded(block);

    for (i = 0; i < NELTS(setters); i++) {
        level = level_of(block, setters[i].directive);

        if (level == NULL) {
            continue;
        }

        for (conf = level->first; conf; conf = conf->next) {

            if (cli_conf_is(conf, 0, setters[i].directive)
                && conf->nwords >= 3)
            {
                judge(lint, conf, setters[i].cgi, guarded);
            }
        }
    }
}


/* One directive in a block hides all of the blocks around. */

static const cli_conf_t *
level_of(const cli_conf_t *block, const char *directive)
{
    while (block != NULL && cli_conf_own(block, directive) == NULL) {
        block = block->parent;
    }

    return block;
}


static void
judge(cli_lint_t *lint, const cli_conf_t *conf, bool cgi, bool guarded)
{
    tg_str_t  name, value;

    static const tg_str_t  prefix = TG_STR("HTTP_");

    name = conf->words[1];
    value = conf->words[2];

    if (forwards(lint, value)) {
        cli_lint_find(lint, conf, "\"%.*s\" holds what the client sent: "
                      "anybody may forge it; Tailgate sets the header by "
                      "itself, use tailgate_headers", cli_lint_printed(value),
                      value.data);
        return;
    }

    if (cgi) {

        if (name.len <= prefix.len
            || memcmp(name.data, prefix.data, prefix.len) != 0)
        {
            return;
        }

        name.data += prefix.len;
        name.len -= prefix.len;
    }

    if (guarded && tg_strip_match(lint->strip, name.data, name.len)
        && !cli_lint_has_variable(value))
    {
        cli_lint_find(lint, conf, "\"%.*s\" is an identity header: this "
                      "overwrites what Tailgate sets; use tailgate_headers "
                      "or tailgate_set_header", cli_lint_printed(name),
                      name.data);
    }
}


/* Whether a value holds $http_NAME of an identity header. */

static bool
forwards(const cli_lint_t *lint, tg_str_t value)
{
    size_t       i, len;
    const char  *name;

    static const tg_str_t  prefix = TG_STR("http_");

    for (i = 0; i < value.len; i++) {

        if (value.data[i] != '$') {
            continue;
        }

        i += (i + 1 < value.len && value.data[i + 1] == '{') ? 2 : 1;

        if (value.len - i < prefix.len
            || memcmp(value.data + i, prefix.data, prefix.len) != 0)
        {
            i--;
            continue;
        }

        name = value.data + i + prefix.len;
        len = 0;

        while (name + len < value.data + value.len
               && (name[len] == '_' || (name[len] >= '0' && name[len] <= '9')
                   || (tgi_lower(name[len]) >= 'a'
                       && tgi_lower(name[len]) <= 'z')))
        {
            len++;
        }

        if (tg_strip_match(lint->strip, name, len)) {
            return true;
        }
    }

    return false;
}
