
/*
 * Copyright (C) The Tailgate authors
 *
 * What whois and status share: one question to the LocalAPI, and rows of a
 * table for people and members of JSON for programs.
 */

#ifndef CLI_ASK_H_INCLUDED_
#define CLI_ASK_H_INCLUDED_

#include <tailgate/base.h>
#include <tailgate/identity.h>

#include <net/client/localapi.h>

#include <jansson.h>


/*
 * An answer that was kept.  code is 0 if there was none, and error then names
 * the socket, the cause and what to do.  The strings live in the arena that
 * cli_ask() was given.
 */

typedef struct {
    tgn_localapi_status_t   status;
    int                     code;
    tg_str_t                body;
    const char             *error;
} cli_answer_t;

/*
 * Asks for target at socket (NULL: the platform's) and waits.  TG_ERR_NOMEM
 * is the only error.
 */

int cli_ask(const char *socket, const char *target, const tg_alloc_t *alloc,
    cli_answer_t *answer);

/* The same, for an answer of up to max bytes. */

int cli_ask_max(const char *socket, const char *target, size_t max,
    const tg_alloc_t *alloc, cli_answer_t *answer);

/*
 * Asks for the node's status and reads it.  Returns TG_OK with *self filled,
 * or an error after having filled *answer: answer->error is then always a
 * sentence that says why.
 */

int cli_ask_self(const char *socket, const tg_alloc_t *alloc, tg_self_t *self,
    cli_answer_t *answer);

/* One row of the table; nothing is printed for an empty value. */

void cli_row(const char *name, tg_str_t value);

/* A member of a JSON object; none for an empty value. */

void cli_set_text(json_t *object, const char *key, tg_str_t value);


#endif /* CLI_ASK_H_INCLUDED_ */
