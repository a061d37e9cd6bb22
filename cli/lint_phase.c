
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: what is done before the peer is known, or without asking.
 */

#include <cli/lint.h>

#include <string.h>


/* "return" is done in the rewrite phase; a redirect gives nothing away. */

static void
visit_return(cli_lint_t *lint, const cli_conf_t *block)
{
    tg_str_t           code;
    const cli_conf_t  *conf;

    if (!cli_lint_is_guarded(block)) {
        return;
    }

    for (conf = block->first; conf; conf = conf->next) {

        if (!cli_conf_is(conf, 0, "return") || conf->nwords < 2) {
            continue;
        }

        code = conf->words[1];

        /* a URL alone is a redirect, too */

        if (code.len != 3 || code.data[0] < '1' || code.data[0] > '9'
            || code.data[0] == '3')
        {
            continue;
        }

        if (code.data[0] >= '4' && conf->nwords == 2) {
            continue;
        }

        cli_lint_find(lint, conf, "\"return %.*s\" is answered before the "
                      "peer is known: everybody gets it; serve a file, or "
                      "put it in a location of its own behind try_files",
                      cli_lint_printed(code), code.data);
    }
}


void
cli_lint_check_return(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_return);
}


/* As ngx_http_rewrite() tells a redirect. */

static bool
is_url(tg_str_t text)
{
    size_t  i, len;

    static const char *const  starts[] = { "http://", "https://", "$scheme" };

    for (i = 0; i < 3; i++) {
        len = strlen(starts[i]);

        if (text.len >= len && memcmp(text.data, starts[i], len) == 0) {
            return true;
        }
    }

    return false;
}


static void
visit_rewrite(cli_lint_t *lint, const cli_conf_t *block)
{
    const cli_conf_t  *conf;

    if (!cli_lint_is_guarded(block)) {
        return;
    }

    for (conf = block->first; conf; conf = conf->next) {

        if (!cli_conf_is(conf, 0, "rewrite") || conf->nwords < 3
            || cli_conf_is(conf, 3, "redirect")
            || cli_conf_is(conf, 3, "permanent")
            || is_url(conf->words[2]))
        {
            continue;
        }

        cli_lint_find(lint, conf, "\"rewrite\" runs before the peer is "
                      "known: inline rules are those of the location that "
                      "the new URI falls into, and a policy file judges the "
                      "URI that the client sent; use a redirect, or "
                      "proxy_pass with a URI");
    }
}


void
cli_lint_check_rewrite(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_rewrite);
}


static void
visit_satisfy(cli_lint_t *lint, const cli_conf_t *block)
{
    const cli_conf_t  *satisfy, *allow;

    if (!cli_lint_is_guarded(block)) {
        return;
    }

    satisfy = cli_conf_inherited(block, "satisfy");
    allow = cli_conf_inherited(block, "allow");

    if (satisfy != NULL && cli_conf_is(satisfy, 1, "any") && allow != NULL) {
        cli_lint_find(lint, satisfy, "under \"satisfy any\" the \"allow\" "
                      "in line %zu of %.*s lets addresses in without "
                      "Tailgate's consent; use \"satisfy all\"",
                      allow->line, cli_lint_printed(allow->file),
                      allow->file.data);
    }
}


void
cli_lint_check_satisfy(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_satisfy);
}


/* In the rewrite phase nobody has been identified yet. */

static void
visit_early_variable(cli_lint_t *lint, const cli_conf_t *block)
{
    size_t             i;
    const cli_conf_t  *conf;

    for (conf = block->first; conf; conf = conf->next) {

        if (cli_conf_is(conf, 0, "map")) {

            if (conf->nwords == 3 && cli_conf_own(conf, "volatile") == NULL
                && cli_lint_has_variable(conf->words[1]))
            {
                cli_lint_find(lint, conf, "a map of a $tailgate_ variable "
                              "keeps its first value, which may be from "
                              "before the peer was known: add \"volatile;\"");
            }

            continue;
        }

        if (!cli_conf_is(conf, 0, "if") && !cli_conf_is(conf, 0, "set")
            && !cli_conf_is(conf, 0, "rewrite"))
        {
            continue;
        }

        for (i = 1; i < conf->nwords; i++) {

            if (cli_lint_has_variable(conf->words[i])) {
                cli_lint_find(lint, conf, "\"%.*s\" runs before the peer is "
                              "known: the variable is always empty; use "
                              "tailgate_allow and tailgate_deny, or a policy",
                              cli_lint_printed(conf->words[0]),
                              conf->words[0].data);
            }
        }
    }
}


void
cli_lint_check_early_variable(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_early_variable);
}
