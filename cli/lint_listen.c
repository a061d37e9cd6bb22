
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: from where a guarded server is reached, and what it believes.
 */

#include <cli/lint.h>

#include <tailgate/addr.h>

#include <string.h>


#define NELTS(table)  (sizeof(table) / sizeof(table[0]))


static void
visit_underscores(cli_lint_t *lint, const cli_conf_t *block)
{
    size_t             i;
    const cli_conf_t  *conf;

    static const struct {
        const char  *name;
        const char  *value;
    } loose[] = {
        { "underscores_in_headers", "on" },
        { "ignore_invalid_headers", "off" }
    };

    if (!cli_conf_is(block, 0, "server") || !cli_lint_has_guarded(block)) {
        return;
    }

    for (i = 0; i < NELTS(loose); i++) {
        conf = cli_conf_inherited(block, loose[i].name);

        if (conf != NULL && cli_conf_is(conf, 1, loose[i].value)) {
            cli_lint_find(lint, conf, "with \"%s %s\" headers reach the app "
                          "whose names it may take for others (X_User for "
                          "X-User); Tailgate strips identity headers so "
                          "spelled, nobody strips the app's own",
                          loose[i].name, loose[i].value);
        }
    }
}


void
cli_lint_check_underscores(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_underscores);
}


static void
visit_realip(cli_lint_t *lint, const cli_conf_t *block)
{
    const cli_conf_t  *conf;

    for (conf = block->first; conf; conf = conf->next) {

        if (cli_conf_is(conf, 0, "set_real_ip_from") && conf->nwords == 2
            && cli_lint_has(conf->words[1], "/0")
            && conf->words[1].data[conf->words[1].len - 2] == '/')
        {
            cli_lint_find(lint, conf, "everybody may name another client "
                          "address: name the proxies that may, and list them "
                          "in tailgate_trusted_proxy");
        }
    }
}


void
cli_lint_check_realip(cli_lint_t *lint)
{
    if (cli_lint_has_guarded(cli_lint_http(lint))) {
        cli_lint_each(lint, cli_lint_http(lint), visit_realip);
    }
}


/* A host name is taken for an address from outside, as nobody looks it up. */

static bool
is_inside(tg_str_t listen)
{
    tg_addr_t  addr;

    static const tg_str_t  local = TG_STR("localhost");

    if (listen.len >= 5 && memcmp(listen.data, "unix:", 5) == 0) {
        return true;
    }

    if (listen.len >= local.len
        && memcmp(listen.data, local.data, local.len) == 0
        && (listen.len == local.len || listen.data[local.len] == ':'))
    {
        return true;
    }

    return tg_addr_parse(&addr, listen.data, listen.len) == TG_OK
           && (tg_addr_is_loopback(&addr) || tg_addr_is_tailnet(&addr));
}


static void
visit_listen(cli_lint_t *lint, const cli_conf_t *block)
{
    bool               listens;
    const cli_conf_t  *conf;

    if (!cli_conf_is(block, 0, "server") || !cli_lint_has_guarded(block)) {
        return;
    }

    listens = false;

    for (conf = block->first; conf; conf = conf->next) {

        if (!cli_conf_is(conf, 0, "listen") || conf->nwords < 2) {
            continue;
        }

        listens = true;

        if (!is_inside(conf->words[1])) {
            cli_lint_find(lint, conf, "\"listen %.*s\" takes connections "
                          "from outside of the tailnet, whose senders are all "
                          "strangers: listen on the node's tailnet address",
                          cli_lint_printed(conf->words[1]),
                          conf->words[1].data);
        }
    }

    if (!listens) {
        cli_lint_find(lint, block, "without \"listen\" a server takes "
                      "connections from everywhere: listen on the node's "
                      "tailnet address");
    }
}


void
cli_lint_check_listen(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_listen);
}


static void
visit_proxy_protocol(cli_lint_t *lint, const cli_conf_t *block)
{
    size_t             i;
    const cli_conf_t  *conf;

    if (!cli_conf_is(block, 0, "server") || !cli_lint_has_guarded(block)
        || cli_conf_inherited(block, "tailgate_trusted_proxy") != NULL)
    {
        return;
    }

    for (conf = block->first; conf; conf = conf->next) {

        for (i = 2; i < conf->nwords; i++) {

            if (cli_conf_is(conf, 0, "listen")
                && cli_conf_is(conf, i, "proxy_protocol"))
            {
                cli_lint_find(lint, conf, "nobody is trusted to send PROXY "
                              "headers here, so that all are strangers: list "
                              "the sender in tailgate_trusted_proxy");
            }
        }
    }
}


void
cli_lint_check_proxy_protocol(cli_lint_t *lint)
{
    cli_lint_each(lint, cli_lint_http(lint), visit_proxy_protocol);
}
