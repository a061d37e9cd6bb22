
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ARENA_MAX     (1024 * 1024)
#define FAULT_REPEAT  10000        /* ms between two lines about one fault */


struct authd_node_s {
    tgn_loop_t           *loop;
    const authd_log_t    *log;
    authd_metrics_t      *metrics;
    authd_node_pt         cb;
    void                 *data;
    const uint64_t       *flushes;
    tgn_localapi_t       *api;
    tgn_localapi_call_t  *call;
    uint64_t              sent;    /* when the call was */
    uint64_t              sent_flushes;
    uint64_t              started; /* ... by authd_metrics_clock() */
    tg_arena_t           *arena;
    tg_self_t             self;
    bool                  known;   /* self is */
    bool                  failed;  /* it did not tell the last time */
    uint64_t              time;    /* when self was asked for */
    uint64_t              time_flushes;
    uint64_t              fault_time;
    char                  fault[TG_ERROR_TEXT_MAX];
};


static void node_answer(const tgn_localapi_answer_t *answer, void *data);
static bool node_parse(authd_node_t *node,
    const tgn_localapi_answer_t *answer, tg_error_t *error);


authd_node_t *
authd_node_new(tgn_loop_t *loop, const authd_log_t *log,
    authd_metrics_t *metrics, const uint64_t *flushes, authd_node_pt cb,
    void *data)
{
    authd_node_t  *node;

    node = calloc(1, sizeof(authd_node_t));

    if (node == NULL) {
        return NULL;
    }

    node->loop = loop;
    node->log = log;
    node->metrics = metrics;
    node->flushes = flushes;
    node->cb = cb;
    node->data = data;

    node->arena = tg_arena_new(ARENA_MAX);

    if (node->arena == NULL) {
        authd_node_free(&node);
    }

    return node;
}


void
authd_node_connect(authd_node_t *node, tgn_localapi_t *api)
{
    tgn_localapi_cancel(&node->call);

    node->api = api;
    node->known = false;
    node->failed = false;
}


void
authd_node_free(authd_node_t **node)
{
    if (*node == NULL) {
        return;
    }

    tgn_localapi_cancel(&(*node)->call);
    tg_arena_free(&(*node)->arena);
    free(*node);

    *node = NULL;
}


bool
authd_node_ask(authd_node_t *node)
{
    if (node->call != NULL) {
        return true;
    }

    node->sent = tgn_loop_now(node->loop);
    node->sent_flushes = *node->flushes;
    node->started = authd_metrics_clock();
    node->call = tgn_localapi_status(node->api, node_answer, node);

    return node->call != NULL;
}


const tg_self_t *
authd_node_self(const authd_node_t *node, uint64_t age)
{
    if (!node->known) {
        return NULL;
    }

    if (age == AUTHD_NODE_ANY_AGE) {
        return &node->self;
    }

    /* a node that starts up knows more in a moment */

    if (node->failed || !node->self.running || authd_node_outdated(node)
        || tgn_loop_now(node->loop) - node->time > age)
    {
        return NULL;
    }

    return &node->self;
}


bool
authd_node_outdated(const authd_node_t *node)
{
    return node->known && node->time_flushes != *node->flushes;
}


uint64_t
authd_node_flushes(const authd_node_t *node)
{
    return node->time_flushes;
}


/* One line about an outage, not one a request. */

void
authd_node_fault(authd_node_t *node, const char *text)
{
    uint64_t  now;

    now = tgn_loop_now(node->loop);

    if (strncmp(node->fault, text, sizeof(node->fault) - 1) == 0
        && now - node->fault_time < FAULT_REPEAT)
    {
        return;
    }

    (void) snprintf(node->fault, sizeof(node->fault), "%s", text);
    node->fault_time = now;

    authd_log(node->log, AUTHD_LOG_ERROR, "nobody can be identified: %s",
              text);
}


void
authd_node_works(authd_node_t *node)
{
    if (node->fault[0] == '\0') {
        return;
    }

    node->fault[0] = '\0';

    authd_log(node->log, AUTHD_LOG_INFO, "tailscaled answers again");
}


static void
node_answer(const tgn_localapi_answer_t *answer, void *data)
{
    tg_error_t     error;
    authd_node_t  *node;

    node = data;
    node->call = NULL;

    authd_metrics_call(node->metrics, answer->status,
                       authd_metrics_clock() - node->started);

    memset(&error, 0, sizeof(error));

    node->failed = !node_parse(node, answer, &error);
    node->time = node->sent;
    node->time_flushes = node->sent_flushes;

    if (!node->failed) {
        authd_node_works(node);

    } else {
        if (answer->status == TGN_LOCALAPI_OK) {
            authd_metrics_nonsense(node->metrics, answer->code);
        }

        authd_node_fault(node, error.text);
    }

    node->cb(!node->failed, error.text, node->data);
}


static bool
node_parse(authd_node_t *node, const tgn_localapi_answer_t *answer,
    tg_error_t *error)
{
    tg_alloc_t  alloc;

    /* what it said before goes when it says something else */

    if (answer->status != TGN_LOCALAPI_OK) {
        (void) snprintf(error->text, sizeof(error->text), "%s",
                        answer->error);
        return false;
    }

    if (answer->code != 200) {
        (void) snprintf(error->text, sizeof(error->text),
                        "tailscaled answered %d when asked for its status",
                        answer->code);
        return false;
    }

    node->known = false;

    tg_arena_reset(node->arena);
    alloc = tg_arena_allocator(node->arena);

    memset(&node->self, 0, sizeof(node->self));

    node->known = tg_status_parse(answer->body, answer->len, &alloc,
                                  &node->self, error)
                  == TG_OK;

    return node->known;
}
