
/*
 * Copyright (C) The Tailgate authors
 *
 * A strict HTTP/1 server for requests between programs on one machine (Unix
 * sockets, inherited sockets, loopback TCP) and for peers of a tailnet.  What
 * is not plainly a well-formed request is refused: the server may stand behind
 * any proxy, and two parsers that disagree are how requests are smuggled.
 *
 * Refused with 400 and a close: no Host or more than one; Content-Length with
 * Transfer-Encoding, or twice, or anything but digits; a Transfer-Encoding
 * that is not exactly "chunked"; any target but origin-form; a control
 * character, "%00" or a fragment in the target; a folded header, a bare CR or
 * LF, NUL, a space before a colon, an empty header name; a chunk size that is
 * not plain hexadecimal; a trailer.  Over a limit: 414, 431, 413.  HTTP but
 * not 1.0 or 1.1: 505.  CONNECT: 405.  An unknown expectation: 417.  Upgrade
 * is ignored.
 *
 * Requests of one connection are handled one after the other, pipelined ones
 * included.  Nothing blocks; a handler may answer at once or later.
 */

#ifndef TGN_HTTP_SERVER_H_INCLUDED_
#define TGN_HTTP_SERVER_H_INCLUDED_

#include <tailgate/addr.h>
#include <tailgate/base.h>

#include <net/loop/loop.h>

#include <sys/types.h>


typedef struct tgn_http_s     tgn_http_t;
typedef struct tgn_request_s  tgn_request_t;


/* Classes of peers, each of which may have a share of the connections. */

#define TGN_HTTP_CLASSES  3


/* Every bound; tgn_http_limits() fills in the defaults in brackets. */

typedef struct {
    size_t    target;          /* bytes of the request target [16384] */
    size_t    head;            /* bytes of request line and headers [65536] */
    size_t    headers;         /* lines; at most TGN_HTTP_HEADERS_MAX [100] */
    size_t    body;            /* bytes [65536] */
    size_t    requests;        /* per connection, then it closes [10000] */
    size_t    connections;     /* open at once; further ones wait in the
                                  kernel's queue [16384] */
    size_t    shares[TGN_HTTP_CLASSES];
                               /* of them, that peers of a class may have;
                                  0: all [0] */
    size_t    backlog;         /* bytes of an answer that the client does not
                                  read, before it is cut off [4194304] */
    uint64_t  head_timeout;    /* ms from the first byte to the last of the
                                  head [10000] */
    uint64_t  body_timeout;    /* ms for the whole body [10000] */
    uint64_t  idle_timeout;    /* ms between requests [75000] */
    uint64_t  write_timeout;   /* ms without the client reading [10000] */
    uint64_t  drain_timeout;   /* ms for running requests at the end [10000] */
} tgn_http_limits_t;

#define TGN_HTTP_HEADERS_MAX  100

void tgn_http_limits(tgn_http_limits_t *limits);


/* Who is at the other end of a connection. */

typedef struct {
    tg_addr_t  addr;           /* TG_ADDR_UNIX on a Unix socket */
    tg_addr_t  local;
    bool       has_cred;       /* of Unix sockets: SO_PEERCRED */
    pid_t      pid;
    uid_t      uid;
    gid_t      gid;
} tgn_peer_t;


typedef struct {
    tg_str_t  name;            /* as it was sent */
    tg_str_t  value;           /* without surrounding blanks; may hold bytes
                                  above 127, never a control but HTAB */
} tgn_header_t;


/*
 * A request, readable until its answer is complete or it was aborted.  The
 * strings live as long, and none is NUL-terminated.
 */

struct tgn_request_s {
    tg_str_t             method;    /* "GET", one of llhttp's methods */
    tg_str_t             target;    /* "/a?b=c", as it was sent */
    tg_str_t             path;      /* "/a", not decoded */
    tg_str_t             query;     /* "b=c", not decoded; empty if none */
    tg_str_t             host;      /* the one Host; may be empty */
    tg_str_t             body;
    const tgn_header_t  *headers;   /* in the order of arrival */
    size_t               nheaders;
    const tgn_peer_t    *peer;
    void                *listener;  /* data of the listener it came by */
    void                *data;      /* the handler's own; NULL at first */
    uint8_t              minor;     /* HTTP/1.minor */
    bool                 head;      /* the method is HEAD */
    bool                 unread;    /* a body was announced, and not read */
};


/*
 * Called for each request.  It must answer, now or later, or call
 * tgn_request_abort().
 */

typedef void (*tgn_http_handler_pt)(tgn_request_t *r, void *data);

/*
 * Called once the headers are in if a body was announced: whether to read it.
 * If not, the handler is called at once with r->unread set, and the connection
 * closes behind the answer.
 */

typedef bool (*tgn_http_want_body_pt)(const tgn_request_t *r, void *data);

/*
 * Called for a new connection: the class that it counts in, from 0 to
 * TGN_HTTP_CLASSES - 1, or -1 to close it at once.  One beyond the share of its
 * class is closed, too.
 */

typedef int (*tgn_http_classify_pt)(const tgn_peer_t *peer, void *listener,
    void *data);

/*
 * Called for a request that is answered without the handler: malformed, past a
 * limit, too slow.  reason has no control characters.
 */

typedef void (*tgn_http_refused_pt)(const tgn_peer_t *peer, int status,
    const char *reason, void *data);

/*
 * Something to log: a connection that was refused, a limit or a timeout that
 * was hit, an error of accept(); without a callback for them also refused
 * requests.  text has no control characters.  peer is NULL if it is not about
 * a connection.
 */

typedef enum {
    TGN_HTTP_LOG_INFO,         /* the client's fault */
    TGN_HTTP_LOG_ERROR         /* ours or the system's */
} tgn_http_log_t;

typedef void (*tgn_http_log_pt)(tgn_http_log_t level, const tgn_peer_t *peer,
    const char *text, void *data);


typedef struct {
    tgn_http_limits_t      limits;
    tgn_http_handler_pt    handler;
    tgn_http_want_body_pt  want_body;      /* NULL: always */
    tgn_http_classify_pt   classify;       /* NULL: all are of class 0 */
    tgn_http_refused_pt    refused;        /* NULL: log gets them */
    tgn_http_log_pt        log;            /* NULL: nobody wants to know */
    void                  *data;           /* for all of them */
    bool                   http10_no_host; /* HTTP/1.0 needs no Host */
} tgn_http_conf_t;


/*
 * tgn_http_new() returns a server without listeners; conf is copied.  NULL
 * when out of memory.
 *
 * tgn_http_stop() begins the end: listeners close, idle connections close,
 * the others after their current answer or drain_timeout; then done(data) is
 * called, once, perhaps before it returns.
 *
 * tgn_http_free() closes what is open without ado (aborting requests), frees
 * the server and sets *http to NULL; a NULL *http is fine.
 */

tgn_http_t *tgn_http_new(tgn_loop_t *loop, const tgn_http_conf_t *conf);
void tgn_http_stop(tgn_http_t *http, void (*done)(void *data), void *data);
void tgn_http_free(tgn_http_t **http);

/* Connections that are open now. */

size_t tgn_http_connections(const tgn_http_t *http);

/* Other limits from now on, for new connections and requests (reload). */

void tgn_http_set_limits(tgn_http_t *http, const tgn_http_limits_t *limits);


/*
 * Listeners.  All return TG_OK, or an error with a text in *error that names
 * the socket and says what to do; listener is what r->listener will be.
 *
 * tgn_http_listen_unix() makes the socket with exactly this mode before
 * anybody can connect; owner and group are (uid_t) -1 and (gid_t) -1 to leave
 * them.  A socket that nobody listens on any more is replaced, one that
 * somebody does, or a file that is no socket, is TG_ERR_REFUSED.  The file is
 * removed when the listener closes, if it is still the same.
 *
 * tgn_http_listen_tcp() takes a loopback address with a port (TG_ERR_REFUSED
 * for any other address; port 0 takes a free one, see
 * tgn_http_listener_addr()).
 *
 * tgn_http_listen_tailnet() takes an address in the tailnet ranges with a
 * port, likewise; tgn_http_unlisten_addr() closes the listeners of an address
 * and port again, and keeps their connections.
 *
 * tgn_http_listen_fd() takes over a listening stream socket (systemd socket
 * activation): AF_UNIX, or AF_INET and AF_INET6 on loopback, else
 * TG_ERR_REFUSED.  The descriptor is the server's only on TG_OK, and its file
 * stays.
 */

int tgn_http_listen_unix(tgn_http_t *http, const char *path, mode_t mode,
    uid_t owner, gid_t group, void *listener, tg_error_t *error);
int tgn_http_listen_tcp(tgn_http_t *http, const tg_addr_t *addr,
    void *listener, tg_error_t *error);
int tgn_http_listen_tailnet(tgn_http_t *http, const tg_addr_t *addr,
    void *listener, tg_error_t *error);
int tgn_http_listen_fd(tgn_http_t *http, int fd, void *listener,
    tg_error_t *error);
void tgn_http_unlisten_addr(tgn_http_t *http, const tg_addr_t *addr);

/*
 * The socket of tgn_http_listen_unix() alone, without a server: *fd is the
 * caller's, non-blocking, and the caller removes the file.
 */

int tgn_listen_unix(const char *path, mode_t mode, uid_t owner, gid_t group,
    int *fd, tg_error_t *error);

/* The address of the n-th listener; TG_ERR_ABSENT if there are not so many. */

int tgn_http_listener_addr(const tgn_http_t *http, size_t n, tg_addr_t *addr);

/* Closes all listeners and keeps the connections. */

void tgn_http_unlisten(tgn_http_t *http);

/* Closes all connections at once, aborting their requests. */

void tgn_http_disconnect(tgn_http_t *http);


/*
 * The n-th header of that name, n from 0, compared without case; false when
 * there are not so many.
 */

bool tgn_request_header(const tgn_request_t *r, const char *name, size_t n,
    tg_str_t *value);

/*
 * The n-th argument of that name in a query, decoded ("+" is a blank) into
 * buf, which gets a NUL behind it.  TG_OK, TG_ERR_ABSENT, TG_ERR_LIMIT when
 * it does not fit, TG_ERR_SYNTAX for a broken escape or a NUL.
 */

int tgn_query_arg(tg_str_t query, const char *name, size_t n, char *buf,
    size_t size, size_t *len);

/*
 * Calls abort(data) if the client closes the connection or its side of it, or
 * the server is stopped hard, before the answer was complete; r is gone then,
 * and abort() must not answer.
 * It also ends r->data: nothing else is called.  NULL unsets.
 */

void tgn_request_on_abort(tgn_request_t *r, void (*abort)(void *data),
    void *data);

/* Closes the connection instead of (the rest of) an answer; no abort(). */

void tgn_request_abort(tgn_request_t *r);

/*
 * Takes the connection away from the server: returns its descriptor, which is
 * the caller's and non-blocking, with nothing written to it, or -1.  r is
 * gone, without abort().  Not after tgn_response_begin().
 */

int tgn_request_hijack(tgn_request_t *r);


/*
 * The answer.  Headers first, then either tgn_response_send(), or
 * tgn_response_begin(), tgn_response_write() any number of times, and
 * tgn_response_end().  Date, Content-Length, Transfer-Encoding and Connection
 * are set by the server and refused here.
 *
 * tgn_response_header() adds one line.  TG_ERR_REFUSED: the name is no token,
 * the value holds CR, LF, NUL or another control character but HTAB.  After
 * any error the answer will be a bare 500, as half an answer may be a wrong
 * one; so its return value need not be looked at.
 *
 * tgn_response_send() sends body with a Content-Length (a HEAD request gets
 * the length alone; 1xx, 204 and 304 get neither) and ends r.
 *
 * tgn_response_begin() sends the headers.  length is what will be written in
 * all, or TGN_LENGTH_CHUNKED: chunked on HTTP/1.1, up to the close on 1.0.
 * tgn_response_write() sends data as one chunk, at once.  TG_ERR_LIMIT when
 * the client does not read: r is gone, and abort() was not called.
 * tgn_response_end() ends r; with less written than length it closes the
 * connection.
 *
 * Other errors of begin and write are TG_ERR_NOMEM; r is gone then as well.
 * A connection that broke is reported by abort(), never here.
 */

#define TGN_LENGTH_CHUNKED  ((uint64_t) -1)

int tgn_response_header(tgn_request_t *r, const char *name, tg_str_t value);
void tgn_response_send(tgn_request_t *r, int status, tg_str_t body);
int tgn_response_begin(tgn_request_t *r, int status, uint64_t length);
int tgn_response_write(tgn_request_t *r, tg_str_t data);
void tgn_response_end(tgn_request_t *r);

/* Close the connection behind this answer. */

void tgn_response_close(tgn_request_t *r);

/* "Not Found"; "Unknown" for a status without a text.  Never NULL. */

const char *tgn_status_text(int status);


#endif /* TGN_HTTP_SERVER_H_INCLUDED_ */
