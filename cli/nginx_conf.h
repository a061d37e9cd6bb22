
/*
 * Copyright (C) The Tailgate authors
 *
 * An nginx configuration as a tree of directives, each with the file and line
 * that it was written in.  Words are taken apart as nginx does it
 * (ngx_conf_read_token()); what they mean is the reader's.
 */

#ifndef CLI_NGINX_CONF_H_INCLUDED_
#define CLI_NGINX_CONF_H_INCLUDED_

#include <tailgate/base.h>


/* Past these a configuration is refused. */

#define CLI_CONF_SIZE_MAX    (16 * 1024 * 1024)
#define CLI_CONF_DEPTH_MAX   64             /* of blocks and includes */
#define CLI_CONF_COUNT_MAX   (512 * 1024)   /* directives */
#define CLI_CONF_WORDS_MAX   1024           /* of one directive */


typedef struct cli_conf_s  cli_conf_t;

struct cli_conf_s {
    tg_str_t     *words;       /* the first one is the name; unquoted */
    size_t        nwords;
    tg_str_t      file;
    size_t        line;        /* from 1 */
    cli_conf_t   *parent;      /* NULL: the root, which has no words */
    cli_conf_t   *first;       /* of its block */
    cli_conf_t   *last;
    cli_conf_t   *next;
};

typedef struct {
    tg_str_t      name;
    tg_str_t      text;
} cli_conf_file_t;

/*
 * The files that a pattern of "include" stands for, in nginx's order, living in
 * alloc; *n may be 0.  TG_OK, TG_ERR_NOMEM, or an error with a text in *error
 * where a file that is named without a pattern cannot be read.
 */

typedef int (*cli_conf_find_pt)(void *ctx, tg_str_t pattern,
    const tg_alloc_t *alloc, cli_conf_file_t **files, size_t *n,
    tg_error_t *error);


/*
 * Reads file and what it includes.  The tree lives in alloc, its words where
 * the texts are or in alloc.  On an error *error has the line and *where the
 * file: TG_ERR_SYNTAX, TG_ERR_LIMIT, TG_ERR_NOMEM, or what find() returned.
 */

int cli_conf_read(const cli_conf_file_t *file, cli_conf_find_pt find,
    void *ctx, const tg_alloc_t *alloc, cli_conf_t **root, tg_str_t *where,
    tg_error_t *error);


/*
 * The files of what "nginx -T" printed, in its order; the first one is the
 * main one.  TG_OK, TG_ERR_SYNTAX (there is none), TG_ERR_NOMEM.
 */

int cli_conf_dump(tg_str_t text, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n);

/* Whether text is such a dump. */

bool cli_conf_is_dump(tg_str_t text);


/* Whether word i is text; false if there is no such word. */

bool cli_conf_is(const cli_conf_t *conf, size_t i, const char *text);

/* The last directive of that name in a block; NULL: none. */

cli_conf_t *cli_conf_own(const cli_conf_t *block, const char *name);

/* The same, here or in the nearest block around. */

cli_conf_t *cli_conf_inherited(const cli_conf_t *block, const char *name);


#endif /* CLI_NGINX_CONF_H_INCLUDED_ */
