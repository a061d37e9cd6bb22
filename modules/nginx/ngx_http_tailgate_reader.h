
/*
 * Copyright (C) The Tailgate authors
 *
 * Reads one HTTP/1 response from a LocalAPI as its bytes come in.  It knows
 * nothing of nginx, owns no memory, and is bounded in everything: what it
 * does not expect of tailscaled it refuses, since an answer that can be read
 * in two ways is no credential.
 */

#ifndef NGX_HTTP_TAILGATE_READER_H_INCLUDED_
#define NGX_HTTP_TAILGATE_READER_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


#define NGX_HTTP_TAILGATE_READER_LINE_MAX  1024
#define NGX_HTTP_TAILGATE_READER_HEAD_MAX  16384


typedef enum {
    NGX_HTTP_TAILGATE_READER_MORE = 0, /* all bytes were taken, more needed */
    NGX_HTTP_TAILGATE_READER_BODY,     /* a part of the body; call again */
    NGX_HTTP_TAILGATE_READER_DONE,     /* the response is whole */
    NGX_HTTP_TAILGATE_READER_ERROR     /* reader->error says why */
} ngx_http_tailgate_reader_rc_t;


typedef struct {
    int          code;         /* of HTTP, once the head is whole */
    bool         keepalive;    /* on DONE: the connection may be used again */
    const char  *error;        /* static; on ERROR */

    /* private */
    unsigned     state;
    bool         chunked;
    bool         has_length;
    bool         close;
    size_t       body_max;
    size_t       body_len;     /* given out so far */
    size_t       left;         /* of the body or of the chunk */
    size_t       head_len;     /* lines of head and trailer so far */
    size_t       line_len;
    char         line[NGX_HTTP_TAILGATE_READER_LINE_MAX];
} ngx_http_tailgate_reader_t;


/* A body over body_max bytes is an error. */

void ngx_http_tailgate_reader_init(ngx_http_tailgate_reader_t *reader,
    size_t body_max);

/*
 * Takes bytes from *pos, which is moved, up to last.  On BODY *body and *len
 * are a part of what was given, to be kept by the caller.  After DONE *pos may
 * be before last: then the other side sent what nobody asked for, and
 * keepalive is of no worth.  After ERROR and DONE only reader_init() is left.
 */

ngx_http_tailgate_reader_rc_t ngx_http_tailgate_reader_feed(
    ngx_http_tailgate_reader_t *reader, const char **pos, const char *last,
    const char **body, size_t *len);


#endif /* NGX_HTTP_TAILGATE_READER_H_INCLUDED_ */
