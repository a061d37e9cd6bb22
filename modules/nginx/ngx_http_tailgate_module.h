
/*
 * Copyright (C) The Tailgate authors
 */

#ifndef NGX_HTTP_TAILGATE_MODULE_H_INCLUDED_
#define NGX_HTTP_TAILGATE_MODULE_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <net/if.h>

#include <tailgate/gate.h>
#include <tailgate/headers.h>
#include <tailgate/identity.h>
#include <tailgate/policy.h>
#include <tailgate/session.h>

#include "ngx_http_tailgate_bus.h"
#include "ngx_http_tailgate_lookup.h"


/*
 * What most requests of a peer that is known do not come by: out of line, where
 * it takes no registers and no stack of the way that they do come by.
 */

#define NGX_HTTP_TAILGATE_SELDOM  __attribute__((cold, noinline))


#define NGX_HTTP_TAILGATE_OFF       0
#define NGX_HTTP_TAILGATE_ON        1
#define NGX_HTTP_TAILGATE_OPTIONAL  2


/* A request header that a location sets. */

typedef struct {
    ngx_str_t                   name;
    u_char                     *lowcase_key;  /* in mcf->names */
    ngx_uint_t                  hash;
    size_t                      offset;       /* in headers_in, or
                                                 NGX_HTTP_TAILGATE_UNKNOWN */

    /* one of these gives the value */
    const tg_header_t          *header;
    ngx_str_t                   secret;
    ngx_http_complex_value_t   *value;
    const tg_policy_header_t   *policy;

    tg_encoding_t               encoding;     /* of value */
} ngx_http_tailgate_header_t;

#define NGX_HTTP_TAILGATE_UNKNOWN  ((size_t) -1)


/* What a route of a policy file adds to requests. */

typedef struct {
    ngx_http_tailgate_header_t *headers;
    ngx_uint_t                  nheaders;
    ngx_uint_t                  column;       /* where it is counted */
} ngx_http_tailgate_route_t;


/* A policy file. */

typedef struct {
    ngx_str_t                   name;
    tg_policy_t                *policy;
    ngx_http_tailgate_route_t  *routes;       /* as in policy */
    size_t                      nroutes;
} ngx_http_tailgate_policy_t;


/* A worker's requests that it lets run. */

typedef struct {
    ngx_queue_t                 requests;     /* of
                                                 ngx_http_tailgate_record_t */
    ngx_event_t                 timer;
    ngx_msec_t                  tick;         /* 0: none is looked at */
    ngx_uint_t                  waiting;      /* for an answer */
} ngx_http_tailgate_recheck_t;


typedef struct {
    ngx_str_t                   localapi_name;
    struct sockaddr            *sockaddr;
    socklen_t                   socklen;
    ngx_msec_t                  timeout;
    ngx_uint_t                  keepalive;

    ngx_array_t                *services;     /* of tg_service_t */
    ngx_array_t                 locations;    /* of
                                               ngx_http_tailgate_loc_conf_t * */
    ngx_array_t                 policies;     /* of
                                                 ngx_http_tailgate_policy_t * */
    ngx_int_t                   request_id;   /* index of $request_id */
    u_char                     *names;        /* lower case, of all of them */
    u_char                     *names_end;

    u_char                     *key;          /* of sessions, from a file */
    ngx_shm_zone_t             *zone;         /* ... or in here */
    ngx_uint_t                  sessions;     /* unsigned  sessions:1; */
    ngx_uint_t                  policed;      /* unsigned  policed:1; */

    ngx_flag_t                  cache;        /* answers are kept */
    ngx_shm_zone_t             *cache_zone;
    ngx_msec_t                  cache_ttl;
    ngx_msec_t                  cache_negative;
    ngx_msec_t                  cache_stale;
    ngx_uint_t                  cache_misses; /* a second; 0: any */
    ngx_uint_t                  generation;   /* of this configuration */
    uint64_t                    digest;       /* ... and of its rules */
    ngx_http_tailgate_recheck_t  recheck;

    ngx_shm_zone_t             *stats_zone;   /* NULL: nothing to count */
    ngx_uint_t                 *taken;        /* of a reload; may be NULL */

    ngx_http_tailgate_node_t   *node;         /* of this worker process */
    ngx_http_tailgate_bus_t    *bus;          /* NULL: another one follows */
    ngx_http_tailgate_stats_t   stats;
} ngx_http_tailgate_main_conf_t;


typedef struct {
    ngx_array_t                *trusted;      /* of tg_cidr_t */
    ngx_flag_t                  trusted_unix;
    ngx_flag_t                  trusted_serve;
    ngx_str_t                   interface;

    ngx_array_t                *strip;        /* of ngx_str_t: directives */
    ngx_array_t                 managed;      /* of ngx_str_t: set headers */
    ngx_array_t                 policies;     /* of
                                                 ngx_http_tailgate_policy_t *:
                                                 those in force */
    tg_strip_t                 *strip_set;    /* NULL: all locations are off */
    tg_shapes_t                *shapes;       /* of request headers that are
                                                 looked at any closer */
    ngx_uint_t                  enabled;      /* unsigned  enabled:1; */
    ngx_uint_t                  policed;      /* unsigned  policed:1; */
} ngx_http_tailgate_srv_conf_t;


typedef struct ngx_http_tailgate_loc_conf_s  ngx_http_tailgate_loc_conf_t;

struct ngx_http_tailgate_loc_conf_s {
    ngx_uint_t                  enable;

    ngx_uint_t                  peers;        /* TG_TRAIT_* */
    ngx_array_t                *tailnets;     /* of tg_str_t */

    ngx_http_tailgate_policy_t *policy;       /* NULL: off */
    ngx_array_t                *allows;       /* of tg_rule_t * */
    ngx_array_t                *denies;
    ngx_array_t                *requires;
    ngx_uint_t                  raw_path;     /* 1: allow */

    ngx_array_t                *profiles;     /* of
                                                 ngx_http_tailgate_profile_t */
    ngx_array_t                *set_headers;  /* of
                                                 ngx_http_tailgate_header_t */
    ngx_array_t                *cookies;      /* of tg_str_t; none: off */
    ngx_msec_t                  recheck;      /* 0: off */
    uint64_t                    digest;       /* of the rules in force */

    /* where the first rule of the level's own stands */
    ngx_str_t                   own_file;
    ngx_uint_t                  own_line;     /* 0: there is none */

    /* compiled */
    tg_gate_rules_t             gate;
    tg_inline_t                *rules;        /* NULL: there are none */
    uint32_t                    depends;      /* decisions do: TG_DEPENDS_* */
    ngx_array_t                 headers;      /* of
                                                 ngx_http_tailgate_header_t */
    ngx_array_t                 session_cookies;  /* of tg_str_t */

    ngx_http_tailgate_loc_conf_t  *parent;
    unsigned                    compiled:1;   /* rules are */
    unsigned                    fixed:1;      /* headers have the values of a
                                                 peer, whatever it asks for */
    unsigned                    guards:1;     /* "tailgate" is on somewhere */
    unsigned                    status_page:1;
    unsigned                    status_open:1; /* others guard that page */
};


typedef struct {
    const tg_profile_t         *profile;
    ngx_str_t                   secret;
} ngx_http_tailgate_profile_t;


/* What is kept with a connection, on HTTP/2 with the one that carries all. */

typedef struct {
    struct sockaddr            *sockaddr;     /* that source is of */
    tg_source_t                 source;       /* before realip */
    ngx_http_tailgate_peer_t   *peer;         /* of a loopback connection */

    /* whom it was last asked about, and what that was concluded from */
    ngx_http_tailgate_srv_conf_t  *scf;       /* NULL: not yet */
    ngx_uint_t                  self_serial;
    tg_question_t               question;
    ngx_http_tailgate_key_t     key;
    ngx_http_tailgate_hint_t    hint;         /* where its answer was */

    ngx_str_t                  *interface;    /* that was compared */
    unsigned                    wrong_interface:1;
} ngx_http_tailgate_connection_t;


typedef struct ngx_http_tailgate_ctx_s  ngx_http_tailgate_ctx_t;

typedef struct ngx_http_tailgate_subrequest_s  ngx_http_tailgate_subrequest_t;

struct ngx_http_tailgate_subrequest_s {
    ngx_http_request_t              *request;
    tg_str_t                         method;
    tg_str_t                         raw_path;
    tg_str_t                         path;
    ngx_http_tailgate_subrequest_t  *next;
};


/* What is known of a client's request: one for it and all its subrequests. */

typedef struct {
    ngx_http_tailgate_connection_t  *connection;
    struct sockaddr            *sockaddr;     /* c->sockaddr, before realip */
    struct sockaddr            *identified;   /* c->sockaddr, when peer was
                                                 asked for */
    ngx_http_tailgate_peer_t   *peer;         /* NULL: not identified */
    ngx_http_tailgate_peer_t   *stranger;     /* one that nobody asked about */
    ngx_http_tailgate_peer_t   *lender;       /* of header values; held */

    tg_request_t                request;      /* as the client sent it */
    ngx_http_tailgate_subrequest_t  *subrequests;
    ngx_http_tailgate_ctx_t    *decided;      /* the pass that decided */

    /* that may run for long */
    ngx_queue_t                 queue;
    ngx_http_request_t         *running;      /* NULL: not in the queue */
    ngx_http_tailgate_ctx_t    *passes;       /* that our rules let in */
    ngx_http_tailgate_peer_t   *known;        /* a newer answer than peer;
                                                 strings of that are in use */
    ngx_http_tailgate_peer_t   *known_for;    /* the peer that it is about */
    ngx_http_tailgate_waiter_t  *waiter;
    ngx_msec_t                  recheck;
    ngx_msec_t                  checked;
    ngx_msec_t                  confirmed;    /* peer was right then */
    const char                 *cache;        /* where peer came from */

    ngx_str_t                   serve_login;  /* tailgate_trusted_serve */
    ngx_str_t                   serve_name;
    ngx_str_t                   serve_picture;

    ngx_array_t                *cookies;      /* of ngx_table_elt_t: as sent */
    ngx_http_tailgate_loc_conf_t  *guard;     /* let the peer in, and guards
                                                 cookies */

    ngx_str_t                   error;        /* why it was not let in */
    ngx_table_elt_t            *retry_after;  /* that the response was given */

    unsigned                    stripped:1;   /* of what nobody may send */
    unsigned                    plain:1;      /* request.raw_path is */
    unsigned                    normalized:1; /* request.path is there */
    unsigned                    refused:1;    /* by decided */
    unsigned                    waiting:1;    /* waiter is */
    unsigned                    self_asked:1; /* ... for the own state */
    unsigned                    no_address:1; /* QUIC: it may move */
    unsigned                    wrong_interface:1;
    unsigned                    serve_bad:1;
    unsigned                    funnel:1;
} ngx_http_tailgate_record_t;


/* A pass of a request, or of a subrequest, through the phases. */

struct ngx_http_tailgate_ctx_s {
    ngx_http_tailgate_record_t  *record;
    ngx_http_tailgate_waiter_t  *waiter;
    ngx_http_tailgate_subrequest_t  *subrequest;  /* NULL: the client's own */
    ngx_http_tailgate_loc_conf_t  *lcf;       /* that let it in */
    ngx_http_tailgate_ctx_t    *next;         /* of record->passes */

    ngx_http_tailgate_policy_t  *policy;      /* that decided; may be NULL */
    ngx_http_tailgate_memo_t    *memo;        /* of the peer; may be NULL */

    unsigned                    own_list:1;   /* of request headers */
    unsigned                    waiting:1;
    unsigned                    asked:1;      /* ... for a peer */
    unsigned                    self_asked:1; /* ... for the own state */
    unsigned                    connection:1; /* the peer is the connection's */
    unsigned                    decided:1;
    unsigned                    judged:1;     /* decided by rules */
    unsigned                    allowed:1;
    unsigned                    refused:1;
    unsigned                    sessions:1;   /* cookies were looked at */

    tg_decision_t               decision;     /* if judged; else there is
                                                 nothing in it, not even 0 */
};


/* config.c */

void *ngx_http_tailgate_create_main_conf(ngx_conf_t *cf);
char *ngx_http_tailgate_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_http_tailgate_create_srv_conf(ngx_conf_t *cf);
char *ngx_http_tailgate_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
void *ngx_http_tailgate_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_tailgate_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);

/* policy.c: policy files, and the rules of nginx.conf itself */

char *ngx_http_tailgate_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tailgate_rule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tailgate_merge_rules(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *prev, ngx_http_tailgate_loc_conf_t *conf);
ngx_int_t ngx_http_tailgate_check_rules(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);

/* compile.c */

ngx_int_t ngx_http_tailgate_compile_headers(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);
ngx_int_t ngx_http_tailgate_compile_cookies(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *lcf);
ngx_int_t ngx_http_tailgate_init_servers(ngx_conf_t *cf);

/* directives.c */

ngx_int_t ngx_http_tailgate_socket(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf, ngx_str_t *name);
ngx_int_t ngx_http_tailgate_push_str(ngx_array_t *array, ngx_str_t *value);
ngx_uint_t ngx_http_tailgate_same_name(ngx_str_t *a, ngx_str_t *b);

char *ngx_http_tailgate_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tailgate_localapi(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tailgate_recheck_time(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_service(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_trusted_proxy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_interface(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_peers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_tailgate_tailnet(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_set_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_strip_names(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_session_cookies(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tailgate_session_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* secret.c: what is read from files, and the key that workers share */

char *ngx_http_tailgate_secret_line(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *secret);
char *ngx_http_tailgate_secret_key(ngx_conf_t *cf, ngx_str_t *file,
    u_char **key);
ngx_int_t ngx_http_tailgate_secret_zone(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);
const uint8_t *ngx_http_tailgate_secret(ngx_http_tailgate_main_conf_t *mcf);

/* request.c: what is kept of a request */

ngx_http_tailgate_ctx_t *ngx_http_tailgate_ctx_create(ngx_http_request_t *r);
ngx_http_tailgate_record_t *ngx_http_tailgate_record(ngx_http_request_t *r);
ngx_connection_t *ngx_http_tailgate_real_connection(ngx_http_request_t *r);

/* source.c: where a request comes from */

ngx_int_t ngx_http_tailgate_source_capture(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
void ngx_http_tailgate_source_current(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record, tg_source_t *source);
void ngx_http_tailgate_source_warn(ngx_http_request_t *r,
    const tg_source_t *source);

/*
 * identify.c: who the client is.  NGX_OK: record->peer is there; NGX_AGAIN:
 * the request is suspended, and its phases will be run again.
 */

ngx_int_t ngx_http_tailgate_identify(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
void ngx_http_tailgate_question(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, tg_question_t *question);
ngx_uint_t ngx_http_tailgate_is_connection(
    ngx_http_tailgate_record_t *record, const tg_question_t *question);

/*
 * limit.c: whether a source has made for too many questions; else another is
 * counted.
 */

ngx_uint_t ngx_http_tailgate_limited(ngx_http_tailgate_main_conf_t *mcf,
    const tg_addr_t *addr, ngx_log_t *log);

/* decide.c: what the rules in force say */

void ngx_http_tailgate_request_capture(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record);
ngx_int_t ngx_http_tailgate_subrequest_capture(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
void ngx_http_tailgate_request(ngx_http_tailgate_ctx_t *ctx,
    tg_request_t *request);
ngx_int_t ngx_http_tailgate_judge(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
void ngx_http_tailgate_who(ngx_http_tailgate_record_t *record,
    tg_peer_t *who);
void ngx_http_tailgate_peer_who(ngx_http_tailgate_peer_t *peer,
    tg_peer_t *who);
ngx_http_tailgate_ctx_t *ngx_http_tailgate_decided(ngx_http_request_t *r);

/*
 * recheck.c: requests that run for long.  join() is told of each pass that our
 * rules let in; leave() when the request ends.
 */

void ngx_http_tailgate_recheck_init(ngx_cycle_t *cycle,
    ngx_http_tailgate_main_conf_t *mcf);
void ngx_http_tailgate_recheck_exit(ngx_http_tailgate_main_conf_t *mcf);
void ngx_http_tailgate_recheck_join(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
void ngx_http_tailgate_recheck_leave(ngx_http_tailgate_record_t *record);

/* digest.c: one number for the rules in force */

uint64_t ngx_http_tailgate_digest(uint64_t digest, const void *data,
    size_t len);
uint64_t ngx_http_tailgate_digest_words(uint64_t digest, ngx_array_t *words);
void ngx_http_tailgate_digest_location(ngx_conf_t *cf,
    ngx_http_tailgate_loc_conf_t *prev, ngx_http_tailgate_loc_conf_t *conf);
void ngx_http_tailgate_digest_init(ngx_conf_t *cf,
    ngx_http_tailgate_main_conf_t *mcf);

/* memo.c: what is known of a peer at a location */

ngx_http_tailgate_memo_t *ngx_http_tailgate_memo(
    ngx_http_tailgate_peer_t *peer, ngx_http_tailgate_loc_conf_t *lcf);
ngx_uint_t ngx_http_tailgate_memo_find(ngx_http_tailgate_ctx_t *ctx);
void ngx_http_tailgate_memo_keep(ngx_http_tailgate_memo_t *memo,
    const tg_request_t *request, const tg_decision_t *decision);
ngx_int_t ngx_http_tailgate_memo_push(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);
ngx_int_t ngx_http_tailgate_memo_headers(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx);

/* denial.c */

ngx_int_t ngx_http_tailgate_denial(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, ngx_int_t status);

/* headers.c: the list of request headers, which is never edited in place */

ngx_int_t ngx_http_tailgate_headers_strip(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
ngx_int_t ngx_http_tailgate_headers_take_back(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
ngx_int_t ngx_http_tailgate_headers_set(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
int ngx_http_tailgate_header_fixed(ngx_http_tailgate_header_t *header,
    ngx_http_tailgate_peer_t *peer, const tg_alloc_t *alloc,
    ngx_str_t *value);
ngx_int_t ngx_http_tailgate_headers_cookies(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx, const tg_str_t *values, size_t n);

/* session.c */

ngx_int_t ngx_http_tailgate_session_request(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
ngx_int_t ngx_http_tailgate_session_response(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
    NGX_HTTP_TAILGATE_SELDOM;
ngx_int_t ngx_http_tailgate_session_redirect(ngx_http_request_t *r,
    ngx_http_tailgate_record_t *record)
    NGX_HTTP_TAILGATE_SELDOM;

/* status.c */

char *ngx_http_tailgate_status_page(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* variables.c */

ngx_int_t ngx_http_tailgate_add_variables(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_tailgate_access_module;
extern ngx_module_t  ngx_http_tailgate_filter_module;
extern ngx_module_t  ngx_http_tailgate_module;


/*
 * The context of this pass of r, made if there is none; NULL without memory.
 */

static ngx_inline ngx_http_tailgate_ctx_t *
ngx_http_tailgate_ctx(ngx_http_request_t *r)
{
    ngx_http_tailgate_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tailgate_module);

    return ctx ? ctx : ngx_http_tailgate_ctx_create(r);
}


/* Whether nothing has to be asked; realip may have found another client. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_is_identified(ngx_http_request_t *r,
    ngx_http_tailgate_ctx_t *ctx)
{
    return !ctx->waiting && ctx->record->peer
           && ctx->record->identified == r->connection->sockaddr;
}


/* The route that allowed the request, if it sets headers. */

static ngx_inline ngx_http_tailgate_route_t *
ngx_http_tailgate_route(ngx_http_tailgate_ctx_t *ctx)
{
    ngx_http_tailgate_route_t  *route;

    if (ctx->policy == NULL
        || ctx->decision.route_index >= ctx->policy->nroutes)
    {
        return NULL;
    }

    route = &ctx->policy->routes[ctx->decision.route_index];

    return route->nheaders ? route : NULL;
}


/* Whether the location guards any session cookies. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_sessions(ngx_http_request_t *r)
{
    ngx_http_tailgate_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_tailgate_module);

    return lcf->session_cookies.nelts != 0;
}


/* Whether identity says who a peer is. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_has_identity(const ngx_http_tailgate_peer_t *peer)
{
    return peer->status >= TG_STATUS_MEMBER
           && peer->status <= TG_STATUS_UNSIGNED;
}


/* A key may expire during a connection. */

static ngx_inline ngx_uint_t
ngx_http_tailgate_expired(const ngx_http_tailgate_peer_t *peer)
{
    return ngx_http_tailgate_has_identity(peer)
           && peer->identity.key_expiry
           && peer->identity.key_expiry <= ngx_time();
}


#endif /* NGX_HTTP_TAILGATE_MODULE_H_INCLUDED_ */
