
/*
 * Copyright (C) The Tailgate authors
 *
 * What there is to see of a running Tailgate, in the forms that people,
 * programs and Prometheus read.
 */

#ifndef TAILGATE_STATUS_H_INCLUDED_
#define TAILGATE_STATUS_H_INCLUDED_

#include <tailgate/identity.h>
#include <tailgate/metrics.h>


typedef enum {
    TG_STATUS_FORM_HTML = 0,
    TG_STATUS_FORM_JSON,
    TG_STATUS_FORM_PROMETHEUS
} tg_status_form_t;

/* Of "html", "json" and "prometheus".  TG_OK, or TG_ERR_SYNTAX. */

int tg_status_form_parse(tg_status_form_t *form, tg_str_t name);

/*
 * By an Accept header: HTML where it is named, else Prometheus' format for text
 * or OpenMetrics, JSON for that, and HTML for everything else.
 */

tg_status_form_t tg_status_form_accept(tg_str_t accept);

/* A header's value; static. */

const char *tg_status_form_type(tg_status_form_t form);


/* All of it is borrowed. */

typedef struct {
    tg_metrics_t      metrics;
    const tg_self_t  *self;        /* NULL: tailscaled has not told it yet */
    tg_str_t          socket;      /* of tailscaled */
    tg_str_t          digest;      /* of the main policy file; may be empty */
    tg_str_t          error;       /* of tailscaled, the last one; may be
                                      empty */
    int64_t           error_time;  /* seconds since the epoch, as are all */
    int64_t           now;
    size_t            workers;
} tg_status_page_t;

/*
 * Writes it as tg_metrics_write() does: with text->len more than text->size it
 * is to be done again.  Values are escaped; what is no UTF-8 or a control
 * character becomes "?".  TG_OK or TG_ERR_NOMEM.
 */

int tg_status_page(tg_metrics_text_t *text, tg_status_form_t form,
    const tg_status_page_t *page);

/*
 * The Content-Security-Policy of the HTML: nothing but its own style.  buf gets
 * it with a NUL behind.
 */

#define TG_STATUS_CSP_MAX  256

void tg_status_csp(char buf[TG_STATUS_CSP_MAX]);


#endif /* TAILGATE_STATUS_H_INCLUDED_ */
