
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of core share and nobody else sees.
 */

#ifndef TGI_BASE_H_INCLUDED_
#define TGI_BASE_H_INCLUDED_

#include <tailgate/base.h>


/*
 * Sets *error, which may be NULL, and returns code.  What is no valid UTF-8
 * or a control character in the result becomes "?", what does not fit is cut
 * between characters: the values come from outside.
 */

int tgi_error(tg_error_t *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));


/* Allocates without an overflow of n * size; NULL when out of memory. */

void *tgi_alloc(const tg_alloc_t *alloc, size_t n, size_t size);

/* A copy of len bytes at data.  TG_OK or TG_ERR_NOMEM. */

int tgi_str_copy(tg_str_t *copy, const char *data, size_t len,
    const tg_alloc_t *alloc);

/* Equal; equal but for the case of ASCII letters. */

bool tgi_str_equal(tg_str_t a, tg_str_t b);
bool tgi_str_equal_nocase(tg_str_t a, tg_str_t b);

/* ASCII letters to lower case, whatever the locale is. */

char tgi_lower(char c);


/*
 * The length of the well-formed character (RFC 3629) at data, 0 if there is
 * none; *c is its code point.  len is not 0.
 */

size_t tgi_utf8_char(const char *data, size_t len, uint32_t *c);

/* C0, DEL and C1. */

bool tgi_is_control(uint32_t c);

/* TG_OK, TG_ERR_SYNTAX: invalid UTF-8, TG_ERR_REFUSED: a control character. */

int tgi_text_check(const char *data, size_t len);


/*
 * RFC 3339 to seconds since the epoch; a fraction is dropped.  Years 1 to
 * 9999.  TG_OK, TG_ERR_SYNTAX, or TG_ERR_RANGE for a day that does not exist.
 */

int tgi_time_parse(int64_t *seconds, const char *text, size_t len);


/*
 * Of a function that every request calls, and that sees no secrets: registers
 * are not wiped behind it (-fzero-call-used-regs).
 */

#ifdef __has_attribute
#if __has_attribute(zero_call_used_regs)
#define TGI_NO_SECRETS  __attribute__((zero_call_used_regs("skip")))
#endif
#endif

#ifndef TGI_NO_SECRETS
#define TGI_NO_SECRETS
#endif


#endif /* TGI_BASE_H_INCLUDED_ */
