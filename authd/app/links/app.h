
/*
 * Copyright (C) The Tailgate authors
 *
 * What the files of the links share: the app, and a request that asks who
 * somebody is or waits for the store.
 */

#ifndef AUTHD_LINKS_APP_H_INCLUDED_
#define AUTHD_LINKS_APP_H_INCLUDED_

#include "authd/app/links/counts.h"
#include "authd/app/links/index.h"
#include "authd/app/links/links.h"
#include "authd/app/links/nearby.h"
#include "authd/app/links/people.h"
#include "authd/authd.h"
#include "authd/exchange.h"

#include <tailgate/golink.h>

#include <jansson.h>


/* Bytes that the answer to one request may take to make. */

#define AUTHD_LINKS_ARENA_MAX  (48 * 1024 * 1024)

/* What one redirect may take: a few times the longest URL. */

#define AUTHD_LINKS_SCRATCH    (256 * 1024)

/* Links that one leads through before it is called a loop. */

#define AUTHD_LINKS_HOPS_MAX   16

#define AUTHD_LINKS_OWN_MAX    16


typedef struct authd_links_turn_s  authd_links_turn_t;

/* Who waits for a step: see turn.h. */

typedef struct {
    tgn_timer_t           *timer;
    authd_links_turn_t    *first;
    authd_links_turn_t   **last;
} authd_links_turns_t;


struct authd_links_s {
    authd_t               *authd;
    tgn_http_t            *http;
    authd_store_t         *store;
    authd_links_index_t   *index;
    authd_links_people_t  *people;
    authd_links_counts_t   counts;
    authd_links_nearby_t   nearby;
    authd_links_turns_t    turns;
    uint8_t                secret[32]; /* of form tokens */

    tgn_timer_t           *flush;      /* of clicks */
    bool                   flushing;
    authd_store_clicks_t  *flushed;    /* what the store has not answered */
    size_t                 nflushed;

    tgn_timer_t           *watch;      /* of the node's own addresses */
    tgn_localapi_t        *localapi;
    tgn_localapi_call_t   *status;
    tg_addr_t              own[AUTHD_LINKS_OWN_MAX];
    size_t                 nown;
    bool                   own_known;
    char                   fault[TG_ERROR_TEXT_MAX];   /* last told */

    size_t                 used;       /* of scratch */
    char                  *scratch;
};


/* Who sent a request, as far as its connection and a proxy tell. */

typedef struct {
    tg_addr_t  source;
    tg_addr_t  local;
    bool       has_local;
    bool       tls;            /* the browser spoke TLS */
    bool       known;          /* it came from the tailnet: no need to ask, to
                                  let it follow a link */
    bool       stranger;       /* it did not: no use to ask */
} authd_links_from_t;


/* Who somebody is.  Strings live in the call. */

typedef struct {
    tg_status_t   status;
    tg_verdict_t  verdict;     /* ALLOW: of the tailnet, may look */
    const char   *reason;
    tg_str_t      login;       /* empty: no person */
    tg_str_t      name;        /* for history: login, or the machine's */
    tg_list_t     groups;
    bool          admin;
    bool          machine;     /* no person, but policy lets it write */
} authd_links_who_t;


typedef struct authd_links_call_s  authd_links_call_t;

typedef void (*authd_links_call_pt)(authd_links_call_t *call);

struct authd_links_call_s {
    authd_links_t        *app;
    tgn_request_t        *r;       /* NULL: the client has gone */
    tg_arena_t           *arena;   /* the call lives in it */
    tg_alloc_t            alloc;
    authd_links_from_t    from;
    authd_links_who_t     who;
    bool                  api;     /* faults are JSON */
    const char           *advice;  /* on the page of a fault; may be NULL */
    tg_str_t              name;    /* what the path has behind the route */
    char                  id[AUTHD_ID_MAX];
    void                 *data;    /* the handler's */

    authd_lookup_t       *lookup;  /* the rest is call.c's */
    authd_links_call_pt   next;
    unsigned              waits;
};


/*
 * authd_links_call() makes a call of a request, or answers 503 by itself and
 * returns NULL.
 *
 * authd_links_identify() asks who it is, and calls next, perhaps before it
 * returns, if that is somebody who may look (or with any, whoever it is); else
 * it answers.
 *
 * authd_links_wait() is called before something is asked that calls back
 * whatever becomes of the client; authd_links_back() in that callback: false
 * if the client has gone, and then call is, too.
 *
 * authd_links_send() answers and ends the call; the body is copied by then.
 * authd_links_end() ends it without an answer: that was given.
 */

authd_links_call_t *authd_links_call(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);
void authd_links_identify(authd_links_call_t *call, bool any,
    authd_links_call_pt next);
void authd_links_wait(authd_links_call_t *call);
bool authd_links_back(authd_links_call_t *call);
void authd_links_send(authd_links_call_t *call, int code, const char *type,
    tg_str_t body);
void authd_links_end(authd_links_call_t *call);

/* One line of the audit log about a change, or a refusal of one. */

void authd_links_audit(const authd_links_call_t *call, authd_result_t result,
    int code, const char *action, tg_str_t name, const char *why);


/* serve.c */

void authd_links_request(tgn_request_t *r, void *data);
bool authd_links_want_body(const tgn_request_t *r, void *data);

/* from.c: false if the request was answered. */

bool authd_links_from(authd_links_t *app, tgn_request_t *r,
    authd_links_from_t *from);
bool authd_links_host_listed(const authd_words_t *hosts, tg_str_t host);

/* The scheme and host that a person sees, "http://go". */

tg_str_t authd_links_site(const authd_links_call_t *call);

/* redirect.c */

void authd_links_redirect(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from);

/*
 * Where a path and query lead.  *through are the links on the way, at most
 * AUTHD_LINKS_HOPS_MAX.  TG_OK; TG_ERR_ABSENT: unknown, with *unknown the name;
 * TG_ERR_RANGE: expired; TG_LINK_NO_USER: it needs a person, and user is NULL
 * or empty; or what tg_link_split() and tg_link_expand() say.
 */

typedef struct {
    tg_str_t              path;
    tg_str_t              query;
    const tg_str_t       *user;        /* NULL: not asked for yet */
    bool                  whole;       /* to the end, also where a link leads
                                          to a path: a browser goes there */
    tg_str_t              location;
    tg_str_t              unknown;
    bool                  details;     /* "+": location is the page's */
    authd_links_entry_t  *through[AUTHD_LINKS_HOPS_MAX];
    size_t                nthrough;
    char                  name[TG_LINK_NAME_MAX + 1];
    char                  text[TG_ERROR_TEXT_MAX];
} authd_links_walk_t;

int authd_links_walk(authd_links_t *app, authd_links_walk_t *walk,
    const tg_alloc_t *alloc);

/*
 * edit.c.  Whether the list owners, or one word of it, names somebody: a login,
 * or a group of theirs.
 */

bool authd_links_is_named(const authd_links_who_t *who, tg_str_t word);

/* click.c: gives clicks to the store, and again in a while. */

bool authd_links_flush_start(authd_links_t *app);
void authd_links_flush(authd_links_t *app);

/* turn.c */

bool authd_links_turns_start(authd_links_t *app);
void authd_links_turns_stop(authd_links_t *app);

/* listen.c */

bool authd_links_listen(authd_links_t *app);
void authd_links_unwatch(authd_links_t *app);


/* answer.c */

tg_str_t authd_links_str(const char *s);
tg_str_t authd_links_format(const tg_alloc_t *alloc, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool authd_links_equal(tg_str_t a, const char *b);

/* Whether the client's Accept names text/html. */

bool authd_links_wants_html(const tgn_request_t *r);

/* Whether anything will do: it has no Accept, or one of any type. */

bool authd_links_wants_any(const tgn_request_t *r);

/* A fault as the client understands it: JSON, a page, or text. */

void authd_links_fault(authd_links_call_t *call, int code, const char *text);

/* The same with the field that is wrong. */

void authd_links_fault_field(authd_links_call_t *call, int code,
    const char *field, const char *text);

/* The store did not do it. */

void authd_links_unavailable(authd_links_call_t *call, unsigned retry,
    const char *text);

/* Before there is a call. */

void authd_links_refuse(tgn_request_t *r, int code, const char *text);
void authd_links_answer_page(tgn_request_t *r, bool tls, int code,
    tg_str_t page);

void authd_links_send_json(authd_links_call_t *call, int code, json_t *json);
void authd_links_send_page(authd_links_call_t *call, int code,
    tg_str_t page);
void authd_links_see(authd_links_call_t *call, int code, tg_str_t location);

/* An argument of the query, decoded; absent, too long or broken is empty. */

tg_str_t authd_links_arg(const authd_links_call_t *call, const char *name);

/*
 * Percent-encoded as a segment of a path; what a segment may hold (RFC 3986:
 * pchar) as it is; as a path with slashes.
 */

tg_str_t authd_links_segment(const tg_alloc_t *alloc, tg_str_t s);
tg_str_t authd_links_pchars(const tg_alloc_t *alloc, tg_str_t s);
tg_str_t authd_links_path(const tg_alloc_t *alloc, tg_str_t s);

/* "2026-11-22", empty if it is not known; "2026-11-22 21:07 UTC". */

tg_str_t authd_links_day(const tg_alloc_t *alloc, int64_t seconds);
tg_str_t authd_links_moment(const tg_alloc_t *alloc, int64_t seconds);


#endif /* AUTHD_LINKS_APP_H_INCLUDED_ */
