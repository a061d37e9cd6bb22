
/*
 * Copyright (C) The Tailgate authors
 *
 * Between lookup.c and question.c.  A lookup is what is done about one key:
 * waiting for another worker, or a question to tailscaled in its stages.
 */

#ifndef NGX_HTTP_TAILGATE_QUESTION_H_INCLUDED_
#define NGX_HTTP_TAILGATE_QUESTION_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_http_tailgate_lookup.h"


/* Which question is under way. */

typedef enum {
    NGX_HTTP_TAILGATE_ASK_FIRST = 0,
    NGX_HTTP_TAILGATE_ASK_ITSELF,            /* after a 404: about the node */
    NGX_HTTP_TAILGATE_ASK_AGAIN
} ngx_http_tailgate_stage_e;


struct ngx_http_tailgate_lookup_s {
    ngx_str_node_t                node;      /* by scope and target */
    ngx_pool_t                   *pool;
    ngx_http_tailgate_node_t     *owner;
    ngx_str_t                     target;
    ngx_queue_t                   waiters;
    ngx_http_tailgate_call_t      call;
    ngx_http_tailgate_waiter_t    self;      /* waits for the own state */
    ngx_http_tailgate_self_t     *state;     /* that the answer is read with;
                                                others may fetch another one */
    ngx_http_tailgate_stage_e     stage;
    ngx_http_tailgate_key_t       key;
    ngx_http_tailgate_lease_t     lease;
    ngx_msec_t                    since;     /* the lookup's beginning */
    ngx_msec_t                    asked;     /* the last question */
    uint64_t                      epoch;     /* ... when that stood */
    ngx_event_t                   poll;      /* another worker is asking */
    ngx_msec_t                    pause;
    ngx_uint_t                    again;     /* times it was asked anew */
    unsigned                      keyed:1;   /* the answer is kept */
    unsigned                      answered:1;
    unsigned                      refreshed:1;
};


/* question.c: asks, and ends in lookup_done() */

void ngx_http_tailgate_lookup_ask(ngx_http_tailgate_lookup_t *lookup,
    ngx_str_t *target);
ngx_int_t ngx_http_tailgate_lookup_self_wait(
    ngx_http_tailgate_lookup_t *lookup);
void ngx_http_tailgate_lookup_hold(ngx_http_tailgate_lookup_t *lookup);

/* lookup.c: there is an answer, or NULL for want of memory */

void ngx_http_tailgate_lookup_done(ngx_http_tailgate_lookup_t *lookup,
    ngx_http_tailgate_peer_t *peer);


#endif /* NGX_HTTP_TAILGATE_QUESTION_H_INCLUDED_ */
