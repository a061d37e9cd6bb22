
/*
 * Copyright (C) The Tailgate authors
 *
 * Conditions of rules in words.
 */

#ifndef TGI_DESCRIBE_H_INCLUDED_
#define TGI_DESCRIBE_H_INCLUDED_

#include "core/policy/match.h"


/* Text that is bounded; what does not fit is cut, and ends in "...". */

#define TGI_TEXT_MAX  1024

typedef struct {
    char    buf[TGI_TEXT_MAX];
    size_t  len;
    bool    full;
} tgi_text_t;

#define tgi_text_init(text)  ((text)->len = 0, (text)->full = false)

void tgi_text_add(tgi_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tgi_text_str(tgi_text_t *text, tg_str_t str);

/*
 * A copy in alloc, as UTF-8 without control characters, whatever was added:
 * what is neither becomes "?".
 */

int tgi_text_copy(tgi_text_t *text, const tg_alloc_t *alloc, tg_str_t *copy);


/* One of TGI_IF_* of the rule, as it is written: "os_version: < 15.3". */

void tgi_describe(tgi_text_t *text, const tg_rule_t *rule, uint32_t condition);

/* Why it holds, or does not: "15.1 is below 15.3". */

void tgi_describe_why(tgi_text_t *text, const tg_rule_t *rule,
    const tgi_subject_t *subject, uint32_t condition);

/* What kind of peer it is. */

void tgi_describe_class(tgi_text_t *text, const tgi_subject_t *subject);


#endif /* TGI_DESCRIBE_H_INCLUDED_ */
