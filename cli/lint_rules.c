
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: the rules.  Each one looks at the whole configuration.
 */

#include <cli/lint.h>

#include <string.h>


#define NELTS(table)  (sizeof(table) / sizeof(table[0]))


static bool is_block(const cli_conf_t *conf);


const cli_lint_rule_t  cli_lint_rules[] = {

    { "return-in-guarded",
      "a return is answered before anybody is asked", cli_lint_check_return },

    { "rewrite-in-guarded",
      "a rewrite runs before anybody is asked", cli_lint_check_rewrite },

    { "satisfy-any",
      "an allow lets in whom Tailgate would not", cli_lint_check_satisfy },

    { "identity-header",
      "an identity header is overwritten or forwarded",
      cli_lint_check_identity_header },

    { "loose-header-names",
      "apps may read names that nginx takes for others",
      cli_lint_check_underscores },

    { "realip-everybody",
      "anybody may name another client address", cli_lint_check_realip },

    { "pass-request-headers",
      "identity headers do not reach the app", cli_lint_check_pass_headers },

    { "shared-cache",
      "one person's answer is kept for others", cli_lint_check_cache },

    { "early-variable",
      "a variable is read before it has a value",
      cli_lint_check_early_variable },

    { "public-listen",
      "a guarded server is reached from outside of the tailnet",
      cli_lint_check_listen },

    { "unguarded-sibling",
      "a location beside guarded ones has no guard", cli_lint_check_sibling },

    { "auth-not-internal",
      "an auth_request location can be asked from outside",
      cli_lint_check_auth_request },

    { "proxy-protocol-untrusted",
      "a PROXY listener has no trusted senders", cli_lint_check_proxy_protocol }
};

const size_t  cli_lint_nrules = NELTS(cli_lint_rules);


/* From is visited, and every block of HTTP's inside of it. */

void
cli_lint_each(cli_lint_t *lint, const cli_conf_t *from, cli_lint_visit_pt visit)
{
    const cli_conf_t  *conf;

    if (from == NULL) {
        return;
    }

    visit(lint, from);

    for (conf = from->first; conf; conf = conf->next) {

        if (is_block(conf)) {
            cli_lint_each(lint, conf, visit);
        }
    }
}


const cli_conf_t *
cli_lint_http(const cli_lint_t *lint)
{
    const cli_conf_t  *http;

    http = cli_conf_own(lint->root, "http");

    return http != NULL ? http : lint->root;
}


const cli_conf_t *
cli_lint_server(const cli_conf_t *block)
{
    while (block != NULL && !cli_conf_is(block, 0, "server")) {
        block = block->parent;
    }

    return block;
}


static bool
is_block(const cli_conf_t *conf)
{
    return cli_conf_is(conf, 0, "server") || cli_conf_is(conf, 0, "location")
           || cli_conf_is(conf, 0, "if")
           || cli_conf_is(conf, 0, "limit_except");
}


bool
cli_lint_is_guarded(const cli_conf_t *block)
{
    const cli_conf_t  *conf;

    if (cli_lint_server(block) == NULL) {
        return false;
    }

    conf = cli_conf_inherited(block, "tailgate");

    return conf != NULL && !cli_conf_is(conf, 1, "off");
}


/* Whether block or one inside of it is guarded. */

bool
cli_lint_has_guarded(const cli_conf_t *block)
{
    const cli_conf_t  *conf;

    if (block == NULL) {
        return false;
    }

    if (cli_lint_is_guarded(block)) {
        return true;
    }

    for (conf = block->first; conf; conf = conf->next) {

        if (is_block(conf) && cli_lint_has_guarded(conf)) {
            return true;
        }
    }

    return false;
}


bool
cli_lint_has_variable(tg_str_t text)
{
    size_t    i;
    tg_str_t  rest;

    static const tg_str_t  prefix = TG_STR("tailgate_");
    static const tg_str_t  other = TG_STR("tailgate_auth_");

    for (i = 0; i + 1 < text.len; i++) {

        if (text.data[i] != '$') {
            continue;
        }

        rest.data = text.data + i + 1;
        rest.len = text.len - i - 1;

        if (rest.data[0] == '{') {
            rest.data++;
            rest.len--;
        }

        if (rest.len > prefix.len
            && memcmp(rest.data, prefix.data, prefix.len) == 0
            && (rest.len <= other.len
                || memcmp(rest.data, other.data, other.len) != 0))
        {
            return true;
        }
    }

    return false;
}


bool
cli_lint_has(tg_str_t text, const char *part)
{
    size_t  i, len;

    len = strlen(part);

    for (i = 0; i + len <= text.len; i++) {

        if (memcmp(text.data + i, part, len) == 0) {
            return true;
        }
    }

    return false;
}


int
cli_lint_printed(tg_str_t text)
{
    return text.len < 128 ? (int) text.len : 128;
}
