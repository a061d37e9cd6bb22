
/*
 * Copyright (C) The Tailgate authors
 *
 * Between the files that write a denial.
 */

#ifndef TGI_DENIAL_H_INCLUDED_
#define TGI_DENIAL_H_INCLUDED_

#include <tailgate/denial.h>


/* Bytes of one value that are shown; the rest is cut. */

#define TGI_DENIAL_TEXT_MAX  512
#define TGI_DENIAL_ROWS_MAX  8
#define TGI_DENIAL_LIST_MAX  16    /* items of a list that are shown */


/*
 * A buffer that grows by being written twice: first without data, for its
 * length alone.
 */

typedef struct {
    char    *data;
    size_t   len;
    size_t   size;
} tgi_out_t;

void tgi_out_add(tgi_out_t *out, const char *data, size_t len);
void tgi_out_str(tgi_out_t *out, const char *text);

/*
 * Text from outside, without what could be taken for markup: in an element or
 * an attribute of HTML and XML, in a JSON string, in a line.  At most
 * TGI_DENIAL_TEXT_MAX bytes of it.
 */

void tgi_out_markup(tgi_out_t *out, tg_str_t text);
void tgi_out_json(tgi_out_t *out, tg_str_t text);
void tgi_out_line(tgi_out_t *out, tg_str_t text);

/* The same in the percent-encoding of grpc-message. */

void tgi_out_percent(tgi_out_t *out, tg_str_t text);


/* What there is to say, in whatever form. */

typedef struct {
    const char      *name;         /* of a JSON member */
    const char      *label;        /* for people */
    const tg_str_t  *items;
    size_t           n;
    bool             list;         /* an array in JSON */
} tgi_denial_row_t;

typedef struct {
    int                status;
    const char        *title;
    const char        *detail;     /* what happened, without a full stop */
    const char        *advice;     /* a sentence: what to do */
    tgi_denial_row_t   rows[TGI_DENIAL_ROWS_MAX];
    size_t             nrows;
    tg_str_t           contact;
    tg_str_t           id;
} tgi_denial_facts_t;


/* The bodies; of gRPC, which has none, grpc-message. */

void tgi_denial_text(tgi_out_t *out, const tgi_denial_facts_t *facts);
void tgi_denial_json(tgi_out_t *out, const tgi_denial_facts_t *facts);
void tgi_denial_webdav(tgi_out_t *out, const tgi_denial_facts_t *facts);
void tgi_denial_grpc(tgi_out_t *out, const tgi_denial_facts_t *facts);
void tgi_denial_page(tgi_out_t *out, const tgi_denial_facts_t *facts);

/* The content security policy that lets the page have its own style alone. */

int tgi_denial_csp(const tg_alloc_t *alloc, tg_str_t *csp);


#endif /* TGI_DENIAL_H_INCLUDED_ */
