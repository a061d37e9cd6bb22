
/*
 * Copyright (C) The Tailgate authors
 *
 * What the service's own language does with text, where a policy or a message
 * shows it: white space, quotes, keys without case, durations.
 */

#ifndef TGI_ACL_GO_H_INCLUDED_
#define TGI_ACL_GO_H_INCLUDED_

#include <tailgate/base.h>

#include <stdarg.h>


#define TGI_GO_HOUR      (INT64_C(3600) * 1000000000)

/* "-2562047h47m16.854775808s" and a NUL fit. */

#define TGI_GO_DURATION  32


/* strings.TrimSpace: all of Unicode's white space. */

tg_str_t tgi_go_trim(tg_str_t text);

/* encoding/json's match of a key with the name of a field. */

bool tgi_go_key(tg_str_t key, const char *name);

/*
 * time.ParseDuration.  Returns TG_OK, or TG_ERR_SYNTAX with *why: the text
 * between "time: " and the quoted duration; *unit is then the unit that is not
 * known, if that is what is wrong.
 */

int tgi_go_duration(tg_str_t text, int64_t *nanoseconds, const char **why,
    tg_str_t *unit);

/* Duration.String.  Returns the length without the NUL. */

size_t tgi_go_duration_text(int64_t nanoseconds, char buf[TGI_GO_DURATION]);

/*
 * A message: %s a C string, %v a tg_str_t *, %q one as strconv.Quote writes
 * it, %t one as package time quotes it.  TG_OK or TG_ERR_NOMEM.
 */

int tgi_go_message(tg_str_t *message, const tg_alloc_t *alloc,
    const char *format, va_list args);


#endif /* TGI_ACL_GO_H_INCLUDED_ */
