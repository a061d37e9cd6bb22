
/*
 * Copyright (C) The Tailgate authors
 *
 * Between the files of the HTTP server: parse.c turns bytes into a message,
 * rules.c says whether it is one that we take, connection.c moves bytes and
 * hands messages to the handler, response.c writes answers, listen.c makes
 * sockets, server.c owns all of them.
 */

#ifndef TGN_HTTP_H_INCLUDED_
#define TGN_HTTP_H_INCLUDED_

#include <net/http/server.h>

#include <llhttp.h>
#include <sys/stat.h>
#include <time.h>


/* Bytes taken from a socket at a time. */

#define TGN_HTTP_READ  16384

/* Messages kept for the next requests, and bytes that each may keep. */

#define TGN_HTTP_SPARE  64
#define TGN_HTTP_KEPT   16384


typedef struct tgn_conn_s      tgn_conn_t;
typedef struct tgn_message_s   tgn_message_t;
typedef struct tgn_listener_s  tgn_listener_t;


/* A growing run of bytes with a bound. */

typedef struct {
    char    *data;
    size_t   len;
    size_t   size;
} tgn_buf_t;

/* TG_OK, TG_ERR_LIMIT past max, TG_ERR_NOMEM; buf is unchanged on error. */

int tgn_buf_add(tgn_buf_t *buf, const void *data, size_t len, size_t max);
void tgn_buf_free(tgn_buf_t *buf);


/* A field name, and what may be a field value. */

bool tgn_is_token(const char *text, size_t len);
bool tgn_is_value(const char *text, size_t len);


/*
 * One request while it is read and answered.  The parser appends to store,
 * which may move: until the head is complete, headers hold lengths alone, and
 * starts where in store a name begins, which its value is right behind.
 */

typedef struct {
    size_t  start;
    size_t  len;
} tgn_span_t;

typedef enum {
    TGN_PART_HEAD = 0,
    TGN_PART_BODY,
    TGN_PART_DONE
} tgn_part_t;

struct tgn_message_s {
    tgn_request_t             r;           /* first: a request is a message */

    tgn_conn_t               *conn;        /* NULL while spare */
    tgn_message_t            *next;        /* of the spare ones */

    const tgn_http_limits_t  *limits;
    bool                      http10_no_host;

    llhttp_t                  parser;
    tgn_part_t                part;
    size_t                    head;        /* bytes of it so far */
    size_t                    raw;         /* bytes behind it so far */
    unsigned char             last[3];     /* of the head, newest last */
    bool                      began;       /* a byte of the request line */
    bool                      lined;       /* all of it */
    unsigned                  blanks;      /* in it */
    bool                      keepalive;
    bool                      chunks;      /* the body comes in chunks */
    bool                      expect;      /* 100-continue */
    int                       error;       /* status to refuse it with */
    const char               *reason;

    tgn_buf_t                 store;
    tgn_span_t                target;
    size_t                    n;
    uint32_t                  starts[TGN_HTTP_HEADERS_MAX];
    tgn_header_t              headers[TGN_HTTP_HEADERS_MAX];
    tgn_buf_t                 body;

    /* the answer */

    tgn_buf_t                 lines;       /* header lines */
    uint64_t                  left;        /* of the length; or CHUNKED */
    bool                      begun;
    bool                      chunked;
    bool                      bad;         /* a header was refused */
    bool                      silent;      /* no body may follow */
    void                    (*abort)(void *data);
    void                     *abort_data;
};


/*
 * tgn_parse_init() makes m ready for a request; what it had allocated is kept.
 *
 * tgn_parse() takes bytes and sets *used to how many it took.  MORE: all of
 * them, and the request is not complete; HEAD: the head is complete, and a
 * body follows if it is wanted; DONE: the request is complete, the rest of the
 * bytes is not its own; ERROR: m->error is the status to answer with and
 * m->reason says why.
 */

typedef enum {
    TGN_PARSE_MORE,
    TGN_PARSE_HEAD,
    TGN_PARSE_DONE,
    TGN_PARSE_ERROR
} tgn_parse_t;

void tgn_parse_init(tgn_message_t *m, const tgn_http_limits_t *limits,
    bool http10_no_host);
tgn_parse_t tgn_parse(tgn_message_t *m, const char *data, size_t len,
    size_t *used);
void tgn_parse_free(tgn_message_t *m);

/*
 * rules.c.  Whether a request whose head is complete is one that we take;
 * tgn_refuse() keeps the first status and reason and returns HPE_USER, as
 * llhttp's callbacks do.  HPE_OK otherwise.
 */

int tgn_check_request(tgn_message_t *m);
int tgn_refuse(tgn_message_t *m, int status, const char *reason);


/* What a connection waits for; each has one timeout. */

typedef enum {
    TGN_WAIT_NONE = 0,
    TGN_WAIT_IDLE,
    TGN_WAIT_HEAD,
    TGN_WAIT_BODY,
    TGN_WAIT_WRITE,
    TGN_WAIT_LINGER,
    TGN_WAIT_MAX
} tgn_wait_t;

typedef enum {
    TGN_CONN_READING = 0,      /* a request, or idle */
    TGN_CONN_HANDLING,         /* the handler has it */
    TGN_CONN_WRITING,          /* the rest of a complete answer */
    TGN_CONN_LINGERING         /* everything is sent: what still comes in is
                                  read, or a reset could overtake the answer */
} tgn_conn_state_t;

struct tgn_conn_s {
    tgn_http_t        *http;
    tgn_conn_t        *prev;       /* of all */
    tgn_conn_t        *next;
    tgn_conn_t        *wait_prev;  /* of those that wait for the same */
    tgn_conn_t        *wait_next;
    uint64_t           deadline;
    tgn_poll_t        *poll;
    tgn_message_t     *m;          /* NULL while idle */
    void              *listener;
    tgn_buf_t          in;         /* what came in behind the request */
    tgn_buf_t          out;        /* what the socket did not take */
    size_t             sent;       /* of out */
    size_t             requests;
    tgn_peer_t         peer;
    int                fd;
    int                class;
    tgn_conn_state_t   state;
    tgn_wait_t         wait;
    bool               close;      /* behind this answer */
    bool               linger;
    bool               busy;       /* in tgn_conn_run(): do not free */
    bool               dead;
};

typedef struct {
    tgn_conn_t        *first;
    tgn_conn_t        *last;
} tgn_conn_queue_t;

struct tgn_listener_s {
    tgn_listener_t    *next;
    tgn_http_t        *http;
    tgn_poll_t        *poll;
    void              *data;
    char              *path;       /* to remove; NULL if it is not ours */
    dev_t              dev;
    ino_t              ino;
    tg_addr_t          addr;
    int                fd;
};

struct tgn_http_s {
    tgn_loop_t        *loop;
    tgn_http_conf_t    conf;
    tgn_listener_t    *listeners;
    tgn_conn_t        *conns;
    size_t             nconns;
    size_t             nclass[TGN_HTTP_CLASSES];
    uint64_t           told_at[TGN_HTTP_CLASSES];  /* that one was full */
    tgn_conn_queue_t   queues[TGN_WAIT_MAX];
    tgn_timer_t       *timer;      /* of the queues */
    uint64_t           timer_at;
    tgn_timer_t       *pause;      /* accept() failed: try again later */
    tgn_timer_t       *drain;
    void             (*done)(void *data);
    void              *done_data;
    bool               stopping;
    tgn_message_t     *spare;
    size_t             nspare;
    time_t             date_at;
    char               date[80];
    char               read[TGN_HTTP_READ];
};


/* server.c */

void tgn_http_say(tgn_http_t *http, tgn_http_log_t level,
    const tgn_peer_t *peer, const char *text);
void tgn_http_wait(tgn_conn_t *c, tgn_wait_t wait);
void tgn_http_accept(tgn_listener_t *l, int fd);
void tgn_http_closed(tgn_http_t *http);
void tgn_http_exhausted(tgn_http_t *http);
void tgn_http_listening(tgn_http_t *http, bool on);
const char *tgn_http_date(tgn_http_t *http);
tgn_message_t *tgn_http_message(tgn_conn_t *c);
void tgn_http_message_done(tgn_http_t *http, tgn_message_t *m);

/* listen.c */

void tgn_listener_close(tgn_listener_t *l);
bool tgn_listener_on(tgn_listener_t *l, bool on);

/*
 * connection.c.  tgn_conn_send() sends both pieces, or keeps what the socket
 * does not take; false: the connection broke, or too much is kept (*error).
 */

void tgn_conn_run(tgn_conn_t *c, const char *data, size_t len);
void tgn_conn_close(tgn_conn_t *c, bool abort);
bool tgn_conn_send(tgn_conn_t *c, tg_str_t head, tg_str_t body, int *error);
void tgn_conn_answered(tgn_conn_t *c);
void tgn_conn_event(tgn_poll_t *poll, unsigned events, void *data);
void tgn_conn_expired(tgn_conn_t *c);

/* response.c */

void tgn_response_error(tgn_message_t *m);


#endif /* TGN_HTTP_H_INCLUDED_ */
