
/*
 * Copyright (C) The Tailgate authors
 *
 * One HTTP request that waits for its answer, for the command line.  It takes
 * http and https alone, follows no redirect, knows no proxy of the
 * environment and keeps no cookies: what comes back is what was asked.
 */

#ifndef TGN_FETCH_H_INCLUDED_
#define TGN_FETCH_H_INCLUDED_

#include <tailgate/base.h>


/* Kept connections, for several requests to one server. */

typedef struct tgn_fetch_s  tgn_fetch_t;


typedef struct {
    const char         *url;
    const char         *method;    /* NULL: GET */
    const char *const  *headers;   /* "Name: value" */
    size_t              nheaders;
    tg_str_t            body;      /* data is NULL: none */
    const char         *socket;    /* Unix socket to connect to; NULL: none */
    const char         *connect;   /* "HOST:PORT" to connect to, whatever url
                                      names; NULL: what url names */
    const char         *source;    /* our own address; NULL: any */
    const char         *cacert;    /* file of authorities; NULL: the system's */
    uint64_t            timeout;   /* ms for all of it; 0: 30000 */
    size_t              body_max;  /* of the answer; 0: 64 MB */
} tgn_fetch_ask_t;


typedef struct {
    tg_str_t  name;
    tg_str_t  value;
} tgn_fetch_header_t;

/*
 * Everything lives in the memory that was given.  There is an answer if code is
 * not 0; else error is a sentence that names the address and the cause.
 */

typedef struct {
    int                        code;
    const tgn_fetch_header_t  *headers;    /* in their order */
    size_t                     nheaders;
    tg_str_t                   body;       /* with a NUL that len does not
                                              count */
    uint64_t                   usec;       /* from the begin to the end */
    bool                       unusable;   /* url, cacert or source is: nobody
                                              was asked */
    const char                *error;      /* "" if there is an answer */
} tgn_fetch_answer_t;


/*
 * tgn_fetch_new() returns NULL when out of memory.  tgn_fetch_free() closes
 * what is open and sets *fetch to NULL; a NULL *fetch is fine.
 */

tgn_fetch_t *tgn_fetch_new(void);
void tgn_fetch_free(tgn_fetch_t **fetch);

/*
 * Asks and waits.  TG_OK with *answer filled, also if there is none, or
 * TG_ERR_NOMEM.
 */

int tgn_fetch(tgn_fetch_t *fetch, const tgn_fetch_ask_t *ask,
    const tg_alloc_t *alloc, tgn_fetch_answer_t *answer);

/* The n-th header of that name in any case; false if there are not so many. */

bool tgn_fetch_header(const tgn_fetch_answer_t *answer, const char *name,
    size_t n, tg_str_t *value);


#endif /* TGN_FETCH_H_INCLUDED_ */
