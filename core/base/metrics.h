
/*
 * Copyright (C) The Tailgate authors
 *
 * For what writes into the same kind of text.
 */

#ifndef TGI_METRICS_H_INCLUDED_
#define TGI_METRICS_H_INCLUDED_

#include <tailgate/metrics.h>


void tgi_text_add(tg_metrics_text_t *text, const char *data, size_t len);
void tgi_text_str(tg_metrics_text_t *text, const char *string);

/* At most 255 bytes: nothing longer is written. */

void tgi_text_format(tg_metrics_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* TGI_METRICS_H_INCLUDED_ */
