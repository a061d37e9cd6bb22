
/*
 * Copyright (C) The Tailgate authors
 *
 * What somebody sees who may not pass: the nginx module and authd answer by
 * this one renderer.  An answer says who the caller is, what decided as far as
 * the policy lets it ("explain_denials"), whom to ask and the request's id,
 * which the audit line has as well; nothing about anybody else.
 */

#ifndef TAILGATE_DENIAL_H_INCLUDED_
#define TAILGATE_DENIAL_H_INCLUDED_

#include <tailgate/base.h>
#include <tailgate/policy.h>


typedef enum {
    TG_DENIAL_TEXT = 0,            /* text/plain: what names no other form */
    TG_DENIAL_HTML,                /* a browser */
    TG_DENIAL_JSON,                /* application/problem+json, RFC 9457 */
    TG_DENIAL_GRPC,                /* headers alone ("Trailers-Only") */
    TG_DENIAL_WEBDAV,              /* a DAV:error, RFC 4918 16 */
    TG_DENIAL_PREFLIGHT            /* of CORS: no body, nobody reads it */
} tg_denial_form_t;


/* What of a request chooses the form.  None of it comes back in an answer. */

typedef struct {
    tg_str_t  method;
    tg_str_t  accept;              /* Accept, several joined by ","; may be
                                      empty */
    tg_str_t  content_type;        /* likewise */
    bool      origin;              /* Origin was sent */
    bool      request_method;      /* Access-Control-Request-Method was sent */
} tg_denial_request_t;

/*
 * gRPC by the Content-Type, a preflight by method and headers, WebDAV by the
 * method, the others by Accept: HTML, JSON or text, the one with the highest
 * weight that it names, the first of several; text where it names none.
 */

tg_denial_form_t tg_denial_form(const tg_denial_request_t *request);


typedef struct {
    const tg_decision_t  *decision;    /* TG_DENY or TG_UNAVAILABLE */
    const tg_peer_t      *peer;        /* who asked */
    tg_str_t              id;          /* of the request, for the log */
    tg_denial_form_t      form;
    bool                  forwarded;   /* the answer goes to a proxy that takes
                                          200 for an allow: gRPC gets 403 or
                                          503 too, which its clients know */
} tg_denial_t;


/* Bounds of an answer: bytes of its body, and of one header's value. */

#define TG_DENIAL_BODY_MAX     65536
#define TG_DENIAL_VALUE_MAX    4096
#define TG_DENIAL_HEADERS_MAX  8

typedef struct {
    tg_str_t  name;                /* lower case, as HTTP/2 has it */
    tg_str_t  value;               /* printable ASCII */
} tg_denial_header_t;

typedef struct {
    int                 status;    /* 403 or 503; 200 with gRPC */
    tg_str_t            content_type;  /* empty: there is no body */
    tg_str_t            body;
    tg_denial_header_t  headers[TG_DENIAL_HEADERS_MAX];
    size_t              nheaders;  /* besides content-type */
} tg_denial_answer_t;

/*
 * Renders.  The answer lives in alloc and in static memory and does not refer
 * to what it was made from.  What is no UTF-8 or a control character in a
 * value becomes "?", a long value is cut.
 *
 * headers has cache-control always, retry-after with an outage, grpc-status
 * and grpc-message with gRPC, content-security-policy and its kin with HTML.
 *
 * Returns TG_OK, TG_ERR_RANGE for a decision that allows, TG_ERR_NOMEM.
 */

int tg_denial_render(const tg_denial_t *denial, const tg_alloc_t *alloc,
    tg_denial_answer_t *answer);


#endif /* TAILGATE_DENIAL_H_INCLUDED_ */
