
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of the parser share.
 */

#ifndef TGI_GOLINK_PARSE_H_INCLUDED_
#define TGI_GOLINK_PARSE_H_INCLUDED_

#include "core/golink/lex.h"
#include "core/golink/program.h"


typedef struct {
    link_lexer_t             lexer;
    link_token_t             token;        /* the one that comes next */
    link_tree_t             *tree;
    const tg_link_limits_t  *limits;
    size_t                   depth;
    size_t                   withs;        /* where . is a value */
    size_t                   action;       /* where this action begins */
    tg_str_t                 vars[LINK_VARS_MAX];     /* seen from here */
    uint8_t                  slots[LINK_VARS_MAX];
    size_t                   nvars;
    char                     name[48];         /* for an error */
} link_parser_t;


int tgi_link_next(link_parser_t *p);

/* Errors; a word of the template for them, cut to what tells enough. */

int tgi_link_refuse(link_parser_t *p, size_t pos, int code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
const char *tgi_link_name(link_parser_t *p, tg_str_t what);
int tgi_link_unexpected(link_parser_t *p, const char *where);

int tgi_link_node(link_parser_t *p, link_kind_t kind, size_t pos,
    uint32_t *index);
int tgi_link_deeper(link_parser_t *p);
void tgi_link_keep(link_parser_t *p, uint32_t index, const char *data,
    size_t len);

/* A pipeline up to end (TOKEN_RIGHT, TOKEN_CLOSE), which is left. */

int tgi_link_pipeline(link_parser_t *p, link_token_type_t end,
    uint32_t *index);

/* Whether a command calls what it begins with as that can be called. */

int tgi_link_check_command(link_parser_t *p, uint32_t command, bool piped);


#endif /* TGI_GOLINK_PARSE_H_INCLUDED_ */
