
/*
 * Copyright (C) The Tailgate authors
 *
 * A template, parsed: nodes that refer to each other by index, the texts they
 * use, and compiled patterns, all in one block.
 */

#ifndef TGI_GOLINK_PROGRAM_H_INCLUDED_
#define TGI_GOLINK_PROGRAM_H_INCLUDED_

#include "core/golink/golink.h"


typedef enum {
    NODE_TEXT = 1,             /* text */
    NODE_ACTION,               /* a: pipeline */
    NODE_IF,                   /* a: pipeline, b: list, c: list of else */
    NODE_WITH,
    NODE_PIPE,                 /* a: first command; op: 1 declares, 2 sets;
                                  slot: the variable */
    NODE_COMMAND,              /* a: first word, its arguments behind it */
    NODE_STRING,
    NODE_INT,
    NODE_FLOAT,
    NODE_BOOL,
    NODE_NIL,
    NODE_DOT,
    NODE_VAR,                  /* slot */
    NODE_FIELD,                /* op: link_field_t, of the whole */
    NODE_METHOD,               /* a: of what, op: link_field_t */
    NODE_FUNC                  /* op: link_func_t; regex: index + 1 */
} link_kind_t;

typedef enum {
    FIELD_PATH = 0,
    FIELD_USER,
    FIELD_NOW,
    FIELD_SEGMENT,
    FIELD_QUERY,

    FIELD_FORMAT,              /* from here on of a time */
    FIELD_YEAR,
    FIELD_MONTH,
    FIELD_DAY,
    FIELD_HOUR,
    FIELD_MINUTE,
    FIELD_WEEKDAY,
    FIELD_UNIX,
    FIELD_ADDDATE
} link_field_t;

typedef enum {
    FUNC_AND = 0,
    FUNC_OR,
    FUNC_NOT,
    FUNC_EQ,
    FUNC_NE,
    FUNC_LT,
    FUNC_LE,
    FUNC_GT,
    FUNC_GE,
    FUNC_LEN,
    FUNC_INDEX,
    FUNC_SLICE,
    FUNC_PRINT,
    FUNC_PRINTF,
    FUNC_URLQUERY,
    FUNC_PATHESCAPE,
    FUNC_QUERYESCAPE,
    FUNC_TRIMPREFIX,
    FUNC_TRIMSUFFIX,
    FUNC_TOLOWER,
    FUNC_TOUPPER,
    FUNC_MATCH
} link_func_t;

#define LINK_ARGS_MAX  16      /* of one call */
#define LINK_VARS_MAX  64      /* of one template */

typedef struct {
    uint8_t   kind;
    uint8_t   op;
    uint8_t   slot;
    uint8_t   regex;           /* of a NODE_FUNC that is Match, from 1 */
    uint32_t  pos;             /* in the source */
    uint32_t  next;            /* 0: the last of its list */
    uint32_t  a;
    union {
        int64_t       integer;
        double        real;
        bool          truth;
        struct {
            uint32_t  offset;
            uint32_t  len;
        } text;
        struct {
            uint32_t  b;
            uint32_t  c;
        } list;
    } u;
} link_node_t;

/* Parameters of a function or method: 's' string, 'i' int, 'v' any value, a
 * final '*' for any number of more of the last. */

typedef struct {
    const char  *name;
    const char  *args;
} link_call_t;

extern const link_call_t  tgi_link_funcs[];
extern const link_call_t  tgi_link_fields[];

/* The type of argument i, of a call that takes it. */

char tgi_link_arg_type(const char *args, size_t i);

#define LINK_NFUNCS   (FUNC_MATCH + 1)
#define LINK_NFIELDS  (FIELD_ADDDATE + 1)

#define LINK_PATTERNS_MAX  16  /* of one template, written out */
#define LINK_TAKEN_MAX     16  /* names of .Query, written out */

/* What the parser builds; nodes[0] is not used. */

typedef struct {
    link_node_t  *nodes;
    size_t        nnodes;
    size_t        nodes_max;
    char         *text;
    size_t        text_len;
    uint32_t      root;
    unsigned      flags;
    unsigned      nvars;
    uint32_t      patterns[LINK_PATTERNS_MAX];    /* nodes of strings */
    size_t        npatterns;
    uint32_t      taken[LINK_TAKEN_MAX];
    size_t        ntaken;
} link_tree_t;

int tgi_link_parse(tg_str_t source, const tg_link_limits_t *limits,
    link_tree_t *tree, tg_error_t *error);

/* Sets the line and column of error from a place in source. */

int tgi_link_at(tg_error_t *error, tg_str_t source, size_t pos, int code);


struct tg_link_s {
    size_t              size;
    unsigned            flags;
    unsigned            nvars;
    uint32_t            root;
    const link_node_t  *nodes;
    const char         *text;
    const tg_str_t     *taken;
    size_t              ntaken;
    void              **patterns;      /* pcre2_code */
};

/* As tg_link_expand(), with limits, and TG_ERR_TYPE for a value that does not
 * fit where it is used. */

int tgi_link_expand(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tg_str_t *location, tg_error_t *error);

/* Runs a template: what it prints, with marks. */

int tgi_link_run(const tg_link_t *link, tg_str_t url,
    const tg_link_request_t *request, const tg_link_limits_t *limits,
    const tg_alloc_t *alloc, tgi_link_text_t *out, tg_error_t *error);


/* Patterns of Match. */

/*
 * Whether Go's regexp would take it: *error says what is wrong.  TG_OK,
 * TG_ERR_SYNTAX, TG_ERR_REFUSED, TG_ERR_LIMIT.
 */

int tgi_link_pattern_check(tg_str_t pattern, const tg_link_limits_t *limits,
    tg_error_t *error);

/* A pattern that is compiled; code is a pcre2_code. */

typedef struct {
    void  *code;
    void  *place;
} tgi_link_pattern_t;

/*
 * Checks and compiles a pattern, which is the caller's to free; *size is what
 * tgi_link_pattern_place() needs, which copies the code to a place of its
 * owner's, to be freed with that.
 */

int tgi_link_pattern_compile(tg_str_t text, const tg_link_limits_t *limits,
    tgi_link_pattern_t **pattern, size_t *size, tg_error_t *error);
void *tgi_link_pattern_place(tgi_link_pattern_t *pattern, void *place);
void tgi_link_pattern_free(tgi_link_pattern_t *pattern);

/* TG_OK, TG_LINK_REGEX or TG_ERR_NOMEM. */

int tgi_link_pattern_match(const void *code, tg_str_t text,
    const tg_link_limits_t *limits, bool *found);


#endif /* TGI_GOLINK_PROGRAM_H_INCLUDED_ */
