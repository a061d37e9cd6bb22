
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of "tailgate lint" share: a configuration, and what was found
 * in it.
 */

#ifndef CLI_LINT_H_INCLUDED_
#define CLI_LINT_H_INCLUDED_

#include <cli/nginx_conf.h>

#include <tailgate/headers.h>


#define CLI_LINT_TEXT_MAX  512


typedef struct cli_lint_s  cli_lint_t;

/* One check.  docs/lint.md explains each by its name. */

typedef struct {
    const char  *name;         /* "return-in-guarded" */
    const char  *summary;      /* one line, for --help */
    void       (*check)(cli_lint_t *lint);
} cli_lint_rule_t;

extern const cli_lint_rule_t  cli_lint_rules[];
extern const size_t           cli_lint_nrules;


typedef struct {
    const cli_lint_rule_t  *rule;
    const cli_conf_t       *conf;  /* its file and line are told */
    const char             *text;  /* what is wrong and what to do; UTF-8 */
} cli_lint_finding_t;

struct cli_lint_s {
    const tg_alloc_t       *alloc;
    const cli_conf_t       *root;
    tg_strip_t             *strip;     /* names of identity headers */
    const cli_lint_rule_t  *rule;      /* the one that is being checked */

    cli_lint_finding_t     *findings;  /* in the order of the rules */
    size_t                  nfindings;
    size_t                  room;
    bool                    nomem;
};


/* Runs rule; lint->nomem is set when out of memory. */

void cli_lint_run(cli_lint_t *lint, const cli_lint_rule_t *rule);

/*
 * A finding at conf of the rule that is being checked; one that is there is
 * not told twice.  The text is kept up to CLI_LINT_TEXT_MAX bytes.
 */

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void cli_lint_find(cli_lint_t *lint, const cli_conf_t *conf, const char *fmt,
    ...);

/* lint_rules.c: looking at a configuration */

typedef void (*cli_lint_visit_pt)(cli_lint_t *lint, const cli_conf_t *block);

/* "http", or the root where there is none: a file of conf.d alone. */

const cli_conf_t *cli_lint_http(const cli_lint_t *lint);

/* The server around a block, or the block itself; NULL: there is none. */

const cli_conf_t *cli_lint_server(const cli_conf_t *block);

/* Visits from, and every server, location, if and limit_except inside of it. */

void cli_lint_each(cli_lint_t *lint, const cli_conf_t *from,
    cli_lint_visit_pt visit);

/* Whether "tailgate" is on or optional in a block; in it or inside of it. */

bool cli_lint_is_guarded(const cli_conf_t *block);
bool cli_lint_has_guarded(const cli_conf_t *block);

/*
 * Whether text has a variable of the module in it.  $tailgate_auth_ is what the
 * shipped snippet for auth_request calls its own.
 */

bool cli_lint_has_variable(tg_str_t text);

/* Whether part is in text. */

bool cli_lint_has(tg_str_t text, const char *part);

/* For "%.*s": the length of text, or what a message has room for. */

int cli_lint_printed(tg_str_t text);


/* The rules: lint_phase.c */

void cli_lint_check_return(cli_lint_t *lint);
void cli_lint_check_rewrite(cli_lint_t *lint);
void cli_lint_check_satisfy(cli_lint_t *lint);
void cli_lint_check_early_variable(cli_lint_t *lint);

/* lint_listen.c */

void cli_lint_check_underscores(cli_lint_t *lint);
void cli_lint_check_realip(cli_lint_t *lint);
void cli_lint_check_listen(cli_lint_t *lint);
void cli_lint_check_proxy_protocol(cli_lint_t *lint);

/* lint_location.c */

void cli_lint_check_pass_headers(cli_lint_t *lint);
void cli_lint_check_cache(cli_lint_t *lint);
void cli_lint_check_sibling(cli_lint_t *lint);
void cli_lint_check_auth_request(cli_lint_t *lint);

/* lint_headers.c */

void cli_lint_check_identity_header(cli_lint_t *lint);


/*
 * The configuration, from a file, a dump ("-" is standard input) or from what
 * "NGINX -T" prints if path is NULL.  Returns CLI_OK or, after a message, what
 * to exit with.
 */

int cli_lint_load(const char *path, const char *nginx,
    const tg_alloc_t *alloc, cli_conf_t **root);


#endif /* CLI_LINT_H_INCLUDED_ */
