
/*
 * Copyright (C) The Tailgate authors
 *
 * The words of a template.
 */

#include "core/golink/lex.h"

#include "core/base/base.h"
#include "core/golink/program.h"

#include <string.h>


static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/* Go takes any letter of Unicode: what is not ASCII is taken for one. */

static bool
is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || (unsigned char) c >= 0x80;
}


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* The byte at pos + i, NUL behind the end. */

static char
peek(const link_lexer_t *lexer, size_t i)
{
    size_t  pos;

    pos = lexer->pos + i;

    return pos < lexer->source.len ? lexer->source.data[pos] : '\0';
}


static bool
looks_at(const link_lexer_t *lexer, size_t i, const char *word)
{
    size_t  len;

    len = strlen(word);

    return lexer->source.len >= lexer->pos + i + len
           && memcmp(lexer->source.data + lexer->pos + i, word, len) == 0;
}


static int
fail(link_lexer_t *lexer, const char *what)
{
    tgi_error(lexer->error, TG_ERR_SYNTAX, "%s", what);

    return tgi_link_at(lexer->error, lexer->source, lexer->pos, TG_ERR_SYNTAX);
}


/* The bytes of "}}" or " -}}" here, 0 if there is none. */

static size_t
right_delimiter(const link_lexer_t *lexer, bool *trim)
{
    *trim = is_space(peek(lexer, 0)) && looks_at(lexer, 1, "-}}");

    if (*trim) {
        return 4;
    }

    return looks_at(lexer, 0, "}}") ? 2 : 0;
}


/* A comment, behind "{{" and perhaps "- "; to behind its delimiter. */

static int
skip_comment(link_lexer_t *lexer)
{
    size_t       len;
    const char  *end;

    lexer->pos += 2;

    end = memmem(lexer->source.data + lexer->pos,
                 lexer->source.len - lexer->pos, "*/", 2);
    if (end == NULL) {
        return fail(lexer, "a comment is not closed");
    }

    lexer->pos = (size_t) (end - lexer->source.data) + 2;

    len = right_delimiter(lexer, &lexer->trim);
    if (len == 0) {
        return fail(lexer, "a comment has to end the action: \"*/}}\"");
    }

    lexer->pos += len;

    return TG_OK;
}


/* Up to the next action, which is then looked at. */

static int
lex_text(link_lexer_t *lexer, link_token_t *token)
{
    bool         trim;
    size_t       start, end;
    const char  *left;

    if (lexer->trim) {
        while (lexer->pos < lexer->source.len && is_space(peek(lexer, 0))) {
            lexer->pos++;
        }

        lexer->trim = false;
    }

    start = lexer->pos;
    left = NULL;

    if (start < lexer->source.len) {
        left = memmem(lexer->source.data + start, lexer->source.len - start,
                      "{{", 2);
    }

    end = left != NULL ? (size_t) (left - lexer->source.data)
                       : lexer->source.len;
    lexer->pos = end;

    if (left != NULL) {
        trim = peek(lexer, 2) == '-' && is_space(peek(lexer, 3));

        while (trim && end > start && is_space(lexer->source.data[end - 1])) {
            end--;
        }
    }

    token->type = end > start ? TOKEN_TEXT : TOKEN_EOF;
    token->pos = start;
    token->text.data = lexer->source.data + start;
    token->text.len = end - start;

    return TG_OK;
}


static int
lex_outside(link_lexer_t *lexer, link_token_t *token)
{
    int     rc;
    size_t  marker;

    for ( ;; ) {

        if (!looks_at(lexer, 0, "{{") || lexer->trim) {
            rc = lex_text(lexer, token);

            if (rc != TG_OK || token->type == TOKEN_TEXT
                || lexer->pos == lexer->source.len)
            {
                return rc;
            }
        }

        token->pos = lexer->pos;

        marker = 2;

        if (peek(lexer, 2) == '-' && is_space(peek(lexer, 3))) {
            marker = 4;
        }

        if (looks_at(lexer, marker, "/*")) {
            lexer->pos += marker;

            rc = skip_comment(lexer);
            if (rc != TG_OK) {
                return rc;
            }

            continue;
        }

        lexer->pos += marker;
        lexer->inside = true;
        lexer->parens = 0;
        token->type = TOKEN_LEFT;

        return TG_OK;
    }
}


/* What may follow a name, so that "$x+2" is no variable. */

static bool
at_terminator(const link_lexer_t *lexer)
{
    char  c;

    c = peek(lexer, 0);

    return lexer->pos == lexer->source.len || is_space(c)
           || memchr(".,|:)(", c, 6) != NULL || looks_at(lexer, 0, "}}");
}


static int
lex_name(link_lexer_t *lexer, link_token_t *token, link_token_type_t type)
{
    token->type = type;

    while (is_name(peek(lexer, 0))) {
        lexer->pos++;
    }

    if (!at_terminator(lexer)) {
        return fail(lexer, "a name ends in a character that it cannot have");
    }

    return TG_OK;
}


static int
lex_quoted(link_lexer_t *lexer, link_token_t *token, char quote)
{
    char  c;

    token->type = quote == '"' ? TOKEN_STRING
                               : (quote == '`' ? TOKEN_RAW : TOKEN_CHAR);

    while (lexer->pos < lexer->source.len) {
        c = peek(lexer, 0);
        lexer->pos++;

        if (c == quote) {
            return TG_OK;
        }

        if (quote == '`') {
            continue;
        }

        if (c == '\n' || (c == '\\' && peek(lexer, 0) == '\n')) {
            break;
        }

        if (c == '\\') {
            lexer->pos++;
        }
    }

    lexer->pos = token->pos;

    return fail(lexer, "a quotation is not closed");
}


/* All that could be a number; the parser reads it. */

static int
lex_number(link_lexer_t *lexer, link_token_t *token)
{
    char  c, last;

    token->type = TOKEN_NUMBER;
    last = '\0';

    for ( ;; ) {
        c = peek(lexer, 0);

        if (is_digit(c) || is_name(c) || c == '.'
            || ((c == '+' || c == '-')
                && (lexer->pos == token->pos
                    || memchr("eEpP", last, 4) != NULL)))
        {
            last = c;
            lexer->pos++;
            continue;
        }

        break;
    }

    if (c == '+' || c == '-') {
        return fail(lexer, "complex numbers are not accepted");
    }

    return TG_OK;
}


static int
lex_sign(link_lexer_t *lexer, link_token_t *token, char c)
{
    switch (c) {

    case '=':
        token->type = TOKEN_ASSIGN;
        return TG_OK;

    case ':':
        if (peek(lexer, 0) != '=') {
            return fail(lexer, "\":\" is not followed by \"=\"");
        }

        lexer->pos++;
        token->type = TOKEN_DECLARE;
        return TG_OK;

    case '|':
        token->type = TOKEN_PIPE;
        return TG_OK;

    case ',':
        token->type = TOKEN_COMMA;
        return TG_OK;

    case '(':
        lexer->parens++;
        token->type = TOKEN_OPEN;
        return TG_OK;

    case ')':
        if (lexer->parens == 0) {
            lexer->pos--;
            return fail(lexer, "\")\" closes nothing");
        }

        lexer->parens--;
        token->type = TOKEN_CLOSE;
        return TG_OK;
    }

    lexer->pos--;

    return fail(lexer, "there is a character that means nothing here");
}


static int
lex_word(link_lexer_t *lexer, link_token_t *token)
{
    char  c;

    c = peek(lexer, 0);

    if (c == '"' || c == '`' || c == '\'') {
        lexer->pos++;
        return lex_quoted(lexer, token, c);
    }

    if (c == '.' && !is_digit(peek(lexer, 1))) {
        lexer->pos++;

        if (at_terminator(lexer)) {
            token->type = TOKEN_DOT;
            return TG_OK;
        }

        return lex_name(lexer, token, TOKEN_FIELD);
    }

    if (c == '$') {
        lexer->pos++;
        return lex_name(lexer, token, TOKEN_VAR);
    }

    if (is_digit(c) || c == '.' || c == '+' || c == '-') {
        return lex_number(lexer, token);
    }

    if (is_name(c)) {
        return lex_name(lexer, token, TOKEN_WORD);
    }

    lexer->pos++;

    return lex_sign(lexer, token, c);
}


int
tgi_link_lex(link_lexer_t *lexer, link_token_t *token)
{
    int     rc;
    bool    trim;
    size_t  len;

    memset(token, 0, sizeof(link_token_t));

    if (!lexer->inside) {
        return lex_outside(lexer, token);
    }

    for ( ;; ) {
        len = right_delimiter(lexer, &trim);

        if (len != 0) {
            if (lexer->parens != 0) {
                return fail(lexer, "\"(\" is not closed");
            }

            token->pos = lexer->pos;
            token->type = TOKEN_RIGHT;
            lexer->pos += len;
            lexer->inside = false;
            lexer->trim = trim;

            return TG_OK;
        }

        if (lexer->pos == lexer->source.len) {
            return fail(lexer, "an action is not closed: \"}}\" is missing");
        }

        if (!is_space(peek(lexer, 0))) {
            break;
        }

        token->space = true;
        lexer->pos++;
    }

    token->pos = lexer->pos;

    rc = lex_word(lexer, token);

    token->text.data = lexer->source.data + token->pos;
    token->text.len = lexer->pos - token->pos;

    return rc;
}
