
/*
 * Copyright (C) The Tailgate authors
 *
 * What the forms of tailgate links share: where the links are, and one call of
 * their REST API (docs/links/openapi.yaml).
 */

#ifndef CLI_LINKS_H_INCLUDED_
#define CLI_LINKS_H_INCLUDED_

#include <tailgate/base.h>

#include <net/client/fetch.h>

#include <getopt.h>
#include <jansson.h>


/* Where links are served, without --server and TAILGATE_LINKS. */

#define CLI_LINKS_URL        "http://go"

#define CLI_LINKS_ARENA_MAX  ((size_t) 1 << 30)


typedef struct {
    tgn_fetch_t   *fetch;
    const char    *command;        /* "links list", for messages */
    const char    *url;            /* without a slash at its end */
    const char    *socket;         /* NULL: by TCP */
    const char    *cacert;         /* NULL: the system's */
    bool           json;
    tg_arena_t    *arena;
    tg_alloc_t     alloc;
} cli_links_t;


/*
 * Options that every form has; their values begin behind those of the forms'
 * own.
 */

#define CLI_LINKS_OPTIONS                                                     \
    { "server", required_argument, NULL, CLI_LINKS_OPTION_SERVER },           \
    { "socket", required_argument, NULL, CLI_LINKS_OPTION_SOCKET },           \
    { "cacert", required_argument, NULL, CLI_LINKS_OPTION_CACERT },           \
    { "json", no_argument, NULL, CLI_LINKS_OPTION_JSON },                     \
    { "help", no_argument, NULL, CLI_LINKS_OPTION_HELP },                     \
    { NULL, 0, NULL, 0 }

#define CLI_LINKS_USAGE                                                       \
    "  --server URL     where the links are (" CLI_LINKS_URL                   \
                        ", or TAILGATE_LINKS)\n"                              \
    "  --socket PATH    connect to this Unix socket; URL names the host\n"    \
    "  --cacert FILE    trust the authorities in FILE for https\n"            \
    "  --json           print JSON\n"                                         \
    "  --help           print this message\n"

enum {
    CLI_LINKS_OPTION_SERVER = 256,
    CLI_LINKS_OPTION_SOCKET,
    CLI_LINKS_OPTION_CACERT,
    CLI_LINKS_OPTION_JSON,
    CLI_LINKS_OPTION_HELP
};

/*
 * Begins a form.  False when out of memory or when TAILGATE_LINKS is no URL,
 * after a message.
 */

bool cli_links_begin(cli_links_t *self, const char *command);
void cli_links_end(cli_links_t *self);

/*
 * Takes one of the common options, as getopt_long() gave it.  False: the form
 * ends with *code; for --help that text was printed.
 */

bool cli_links_option(cli_links_t *self, int c, const char *help, int *code);


/*
 * What a call gave.  json is NULL if the answer was none; the caller gives it
 * back.
 */

typedef struct {
    int            code;           /* of HTTP */
    json_t        *json;
    tg_str_t       body;
    tg_str_t       etag;           /* empty: none */
} cli_links_answer_t;

typedef struct {
    const char    *method;
    const char    *target;         /* "/api/v1/links/wiki" */
    const char    *type;           /* of body; NULL: there is none */
    tg_str_t       body;
    const char    *if_match;       /* an ETag; NULL: none */
    bool           create;         /* only if it is not there yet */
} cli_links_ask_t;

/*
 * Makes a call and waits.  CLI_OK for an answer of 2xx; else a message was
 * printed, which names what the server refused and the fields, and the exit
 * code is returned; CLI_UNAVAILABLE for 5xx and no answer.
 */

int cli_links_call(cli_links_t *self, const cli_links_ask_t *ask,
    cli_links_answer_t *answer);

/* The same with json, which is given back, as the body. */

int cli_links_send(cli_links_t *self, const char *method, const char *target,
    json_t *json, cli_links_answer_t *answer);

/*
 * "/api/v1/links/NAME" and what follows, NAME percent-encoded.  NULL when out
 * of memory.
 */

const char *cli_links_target(cli_links_t *self, const char *name,
    const char *rest);

/*
 * PATH?NAME=VALUE&..., percent-encoded, of names and values in turn, with a
 * NULL behind them; a value that is NULL leaves its name out.  NULL when out of
 * memory.
 */

const char *cli_links_query(cli_links_t *self, const char *path,
    const char *const *pairs);

/* Words, with a NULL behind them, in one string.  NULL when out of memory. */

const char *cli_links_words(cli_links_t *self, const char *between,
    const char *const *words);

/* The server's answer as it came, for --json. */

int cli_links_print(cli_links_t *self, const cli_links_answer_t *answer);

/* A member of an object as text; empty if it is not there. */

tg_str_t cli_links_text(const json_t *object, const char *key);


int cli_links_list(int argc, char **argv);
int cli_links_get(int argc, char **argv);
int cli_links_history(int argc, char **argv);
int cli_links_resolve(int argc, char **argv);
int cli_links_set(int argc, char **argv);
int cli_links_rm(int argc, char **argv);
int cli_links_rename(int argc, char **argv);
int cli_links_restore(int argc, char **argv);
int cli_links_import(int argc, char **argv);
int cli_links_export(int argc, char **argv);
int cli_links_apply(int argc, char **argv);


#endif /* CLI_LINKS_H_INCLUDED_ */
