
/*
 * Copyright (C) The Tailgate authors
 *
 * Between the files of core/status.
 */

#ifndef TGI_STATUS_H_INCLUDED_
#define TGI_STATUS_H_INCLUDED_

#include <tailgate/status.h>


void tgi_status_html(tg_metrics_text_t *text, const tg_status_page_t *page);

/* TG_OK or TG_ERR_NOMEM. */

int tgi_status_json(tg_metrics_text_t *text, const tg_status_page_t *page);


/* The counts that are shown, and what they are called. */

typedef struct {
    tg_count_t   count;
    const char  *key;
    const char  *label;
} tgi_status_count_t;

extern const tgi_status_count_t  tgi_status_counts[];
extern const size_t              tgi_status_ncounts;


#endif /* TGI_STATUS_H_INCLUDED_ */
