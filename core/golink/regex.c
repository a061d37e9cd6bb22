
/*
 * Copyright (C) The Tailgate authors
 *
 * Match: PCRE2, bounded.
 */

#define PCRE2_CODE_UNIT_WIDTH  8

#include "core/golink/program.h"

#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>


#define REGEX_NEST_MAX  50
#define REGEX_HEAP_MAX  1024       /* KiB */


/*
 * PCRE2 copies compiled code into memory that it asks for: of malloc(), or
 * once the place that its owner has for it.  A copy that was placed remembers
 * these functions, and uses them to be freed alone, which it never is.
 */

static void *
place_alloc(size_t size, void *data)
{
    void                *place;
    tgi_link_pattern_t  *pattern;

    pattern = data;
    place = pattern->place;
    pattern->place = NULL;

    return place != NULL ? place : malloc(size);
}


static void
place_free(void *memory, void *data)
{
    (void) data;

    free(memory);
}


static int
explain(tg_error_t *error, int code, size_t offset)
{
    unsigned char  text[128];

    if (pcre2_get_error_message(code, text, sizeof(text)) < 0) {
        text[0] = '?';
        text[1] = '\0';
    }

    return tgi_error(error, TG_ERR_SYNTAX,
                     "the pattern is wrong at byte %zu: %s", offset + 1,
                     (char *) text);
}


void
tgi_link_pattern_free(tgi_link_pattern_t *pattern)
{
    if (pattern != NULL) {
        pcre2_code_free(pattern->code);
        free(pattern);
    }
}


static int
compile(tgi_link_pattern_t *made, tg_str_t pattern,
    pcre2_compile_context *context, size_t *size, tg_error_t *error)
{
    int     code;
    size_t  offset;

    (void) pcre2_set_parens_nest_limit(context, REGEX_NEST_MAX);
    (void) pcre2_set_newline(context, PCRE2_NEWLINE_LF);

    made->code = pcre2_compile((PCRE2_SPTR) (pattern.len > 0 ? pattern.data
                                                             : ""),
                               pattern.len,
                               PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C
                               | PCRE2_DOLLAR_ENDONLY,
                               &code, &offset, context);
    if (made->code == NULL) {
        return explain(error, code, offset);
    }

    return pcre2_pattern_info(made->code, PCRE2_INFO_SIZE, size) == 0
           ? TG_OK : TG_ERR_NOMEM;
}


int
tgi_link_pattern_compile(tg_str_t text, const tg_link_limits_t *limits,
    tgi_link_pattern_t **pattern, size_t *size, tg_error_t *error)
{
    int                     rc;
    tgi_link_pattern_t     *made;
    pcre2_compile_context  *context;
    pcre2_general_context  *general;

    *pattern = NULL;
    context = NULL;
    general = NULL;

    made = calloc(1, sizeof(tgi_link_pattern_t));
    if (made == NULL) {
        return TG_ERR_NOMEM;
    }

    rc = tgi_link_pattern_check(text, limits, error);
    if (rc != TG_OK) {
        goto done;
    }

    rc = TG_ERR_NOMEM;

    general = pcre2_general_context_create(place_alloc, place_free, made);
    if (general == NULL) {
        goto done;
    }

    context = pcre2_compile_context_create(general);
    if (context == NULL) {
        goto done;
    }

    rc = compile(made, text, context, size, error);

done:

    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);

    if (rc == TG_OK) {
        *pattern = made;

    } else {
        tgi_link_pattern_free(made);
    }

    return rc;
}


void *
tgi_link_pattern_place(tgi_link_pattern_t *pattern, void *place)
{
    pattern->place = place;

    return pcre2_code_copy(pattern->code);
}


int
tgi_link_pattern_match(const void *code, tg_str_t text,
    const tg_link_limits_t *limits, bool *found)
{
    int                   n, rc;
    pcre2_match_data     *data;
    pcre2_match_context  *context;

    *found = false;
    rc = TG_ERR_NOMEM;

    data = pcre2_match_data_create(1, NULL);
    context = pcre2_match_context_create(NULL);

    if (data == NULL || context == NULL) {
        goto done;
    }

    (void) pcre2_set_match_limit(context, limits->match_max);
    (void) pcre2_set_depth_limit(context, limits->match_depth);
    (void) pcre2_set_heap_limit(context, REGEX_HEAP_MAX);

    n = pcre2_match(code, (PCRE2_SPTR) (text.len > 0 ? text.data : ""),
                    text.len, 0, 0, data, context);

    /* a text that was cut within a character matches nothing */

    *found = n >= 0;
    rc = (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT
          || n == PCRE2_ERROR_HEAPLIMIT) ? TG_LINK_REGEX
         : (n == PCRE2_ERROR_NOMEMORY ? TG_ERR_NOMEM : TG_OK);

done:

    pcre2_match_context_free(context);
    pcre2_match_data_free(data);

    return rc;
}
