
/*
 * Copyright (C) The Tailgate authors
 *
 * The words of a template, as text/template/parse tells them apart.
 */

#ifndef TGI_GOLINK_LEX_H_INCLUDED_
#define TGI_GOLINK_LEX_H_INCLUDED_

#include "core/golink/golink.h"


typedef enum {
    TOKEN_EOF = 0,
    TOKEN_TEXT,                /* between actions, trimmed */
    TOKEN_LEFT,                /* {{ */
    TOKEN_RIGHT,               /* }} */
    TOKEN_WORD,                /* a function or a keyword */
    TOKEN_FIELD,               /* .Name */
    TOKEN_VAR,                 /* $ or $name */
    TOKEN_DOT,
    TOKEN_STRING,              /* with its quotes */
    TOKEN_RAW,
    TOKEN_CHAR,
    TOKEN_NUMBER,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_DECLARE,             /* := */
    TOKEN_ASSIGN,              /* = */
    TOKEN_COMMA
} link_token_type_t;

typedef struct {
    link_token_type_t  type;
    bool               space;      /* there is space before it */
    size_t             pos;
    tg_str_t           text;
} link_token_t;

typedef struct {
    tg_str_t     source;
    size_t       pos;
    size_t       parens;
    bool         inside;
    bool         trim;             /* the action before ended in "-}}" */
    tg_error_t  *error;
} link_lexer_t;

/* The next token.  TG_OK, TG_ERR_SYNTAX or TG_ERR_REFUSED. */

int tgi_link_lex(link_lexer_t *lexer, link_token_t *token);


#endif /* TGI_GOLINK_LEX_H_INCLUDED_ */
