
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of tailgate probe share.
 */

#ifndef CLI_PROBE_H_INCLUDED_
#define CLI_PROBE_H_INCLUDED_

#include <tailgate/base.h>

#include <net/client/fetch.h>


/* The exit codes of monitoring plugins, and not those of the other commands. */

#define CLI_PROBE_OK        0
#define CLI_PROBE_WARNING   1
#define CLI_PROBE_CRITICAL  2
#define CLI_PROBE_UNKNOWN   3

#define CLI_PROBE_HEADERS_MAX  16
#define CLI_PROBE_TEXT_MAX     2048

/* "forged-" and 16 digits: in no answer unless it was believed. */

#define CLI_PROBE_FORGED_LEN  23


/* A header of the answer. */

typedef struct {
    const char  *name;
    const char  *value;
} cli_probe_expectation_t;

typedef struct {
    const char              *login;         /* expected; NULL: any, or none */
    const char              *login_header;  /* of the answer; NULL: its JSON */
    const char              *login_json;    /* names, joined by dots */
    cli_probe_expectation_t  headers[CLI_PROBE_HEADERS_MAX];
    size_t                   nheaders;
    int                      status;
    bool                     forge;
    uint64_t                 warning;       /* us; 0: however long it takes */
    const char              *textfile;
    const char              *name;
    tgn_fetch_t             *fetch;
    tgn_fetch_ask_t          ask;
} cli_probe_t;

typedef struct {
    int       state;                   /* CLI_PROBE_OK, ... */
    int       code;                    /* of the request as anybody makes it;
                                          0: no answer */
    uint64_t  us;                      /* it took */
    tg_str_t  login;                   /* that was seen, if one was expected */
    size_t    nforged;                 /* requests that were not believed */
    bool      believed;                /* a forged one was */
    char      text[CLI_PROBE_TEXT_MAX];  /* what is wrong */
} cli_probe_result_t;


/*
 * Whether an answer is what is expected: TG_OK, or TG_ERR_REFUSED with a
 * sentence in text; *login is the one that was seen, in alloc.
 */

int cli_probe_check(const cli_probe_t *probe,
    const tgn_fetch_answer_t *answer, const tg_alloc_t *alloc,
    tg_str_t *login, char text[CLI_PROBE_TEXT_MAX]);

/* Whether word occurs in the headers or the body, in any case of letters. */

bool cli_probe_holds(const tgn_fetch_answer_t *answer, tg_str_t word);

/*
 * The headers of one forged request, in alloc: kind counts from 0, and the
 * result is TG_ERR_ABSENT behind the last one.  what says what they are.
 */

int cli_probe_forge(size_t kind, const char *login, const tg_alloc_t *alloc,
    const char *const **headers, size_t *n, const char **what);


/* The line for people and monitoring systems. */

void cli_probe_print(const cli_probe_t *probe,
    const cli_probe_result_t *result);

/*
 * The textfile of node_exporter; false with a sentence in error, of
 * TG_ERROR_TEXT_MAX bytes, if it cannot be written.
 */

bool cli_probe_textfile(const cli_probe_t *probe,
    const cli_probe_result_t *result, char error[TG_ERROR_TEXT_MAX]);


#endif /* CLI_PROBE_H_INCLUDED_ */
