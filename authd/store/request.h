
/*
 * Copyright (C) The Tailgate authors
 *
 * What travels between the loop and the store's thread.
 */

#ifndef AUTHD_STORE_REQUEST_H_INCLUDED_
#define AUTHD_STORE_REQUEST_H_INCLUDED_

#include "authd/store/engine.h"
#include "authd/store/store.h"


typedef enum {
    AUTHD_REQUEST_CHANGES = 0,
    AUTHD_REQUEST_ADD_CLICKS,
    AUTHD_REQUEST_HISTORY,
    AUTHD_REQUEST_CLICKS
} authd_request_kind_t;


/* The strings of change lie in the request's text, but those of the link. */

typedef struct {
    authd_store_change_t  change;
    authd_record_t       *put;
} authd_op_t;


typedef struct authd_request_s  authd_request_t;

struct authd_request_s {
    authd_request_t       *next;
    authd_request_kind_t   kind;
    size_t                 weight;     /* bytes, about */
    void                  *data;       /* of the callback */
    char                  *text;       /* what strings below point into */

    /* the question */

    tg_str_t               id;         /* or who */
    int64_t                at;
    authd_op_t            *ops;
    size_t                 n;
    authd_store_clicks_t  *clicks;     /* n of them */
    uint64_t               before;     /* or uid */
    size_t                 limit;
    int32_t                from;
    int32_t                to;
    bool                   whole;      /* or at_least, or totals */

    /* the answer, of which one callback is told */

    authd_store_status_t   status;     /* UNAVAILABLE, REFUSED, or OK */
    authd_store_result_t  *results;    /* n of them */
    authd_store_entry_t   *entries;
    authd_store_clicks_t  *counts;
    size_t                 answered;   /* entries, counts */
    unsigned               retry;
    char                   why[AUTHD_ENGINE_TEXT_MAX];

    authd_store_done_pt    done;
    authd_store_history_pt history_done;
    authd_store_counts_pt  counts_done;
};


/* Frees what belongs to it, too; NULL is fine. */

void authd_request_free(authd_request_t *request);

/* Forgets an answer, so that the request can be done again. */

void authd_request_reset(authd_request_t *request);

/* Calls the callback. */

void authd_request_answer(const authd_request_t *request);


/* What a commit, or a look at the database, has brought. */

typedef struct {
    authd_record_t  *record;       /* of a link that is gone, the id alone */
    uint64_t         clicks;
    bool             gone;
    bool             has_clicks;
} authd_news_t;

typedef struct {
    authd_news_t  *news;
    size_t         n;
    size_t         max;
} authd_news_list_t;

/*
 * authd_news_add() takes the holder of record over, also when it fails with
 * TG_ERR_NOMEM.  authd_news_gone() tells that there is no link id any more.
 * authd_news_cut() drops all from the n-th on; the list of 0 has no memory.
 */

int authd_news_add(authd_news_list_t *list, authd_record_t *record,
    bool has_clicks, uint64_t clicks);
int authd_news_gone(authd_news_list_t *list, tg_str_t id);
void authd_news_cut(authd_news_list_t *list, size_t n);

/* Tells handler, and empties the list. */

void authd_news_tell(authd_news_list_t *list,
    const authd_store_handler_t *handler);


/* A step of the store's thread, told in the loop. */

typedef struct authd_event_s  authd_event_t;

struct authd_event_s {
    authd_event_t      *next;
    authd_request_t    *requests;
    authd_news_list_t   news;
    bool                reset;         /* before the news */
    bool                state;         /* works and text are new */
    bool                works;
    char                text[AUTHD_ENGINE_TEXT_MAX];
};


/* A transaction that is under way. */

typedef struct {
    authd_engine_t     *engine;
    int64_t             seq;           /* the last one that was given */
    authd_news_list_t   news;
    struct authd_row_s *rows;          /* not sent yet, see change.h */
    size_t              n_rows;
} authd_tx_t;


/*
 * In a transaction: does the request, fills its results.  TG_OK, or the
 * engine's error, behind which the transaction's caller has to undo.
 * authd_change_end() frees what the transaction has in memory, but the news.
 */

int authd_change_run(authd_tx_t *tx, authd_request_t *request);
void authd_change_end(authd_tx_t *tx);
int authd_clicks_run(authd_tx_t *tx, authd_request_t *request);

/* Outside of one: fills the answer. */

int authd_history_run(authd_engine_t *engine, authd_request_t *request);
int authd_counts_run(authd_engine_t *engine, authd_request_t *request);

/*
 * Reads all links into list, or with deliver passes each thousand on and
 * empties the list.
 */

typedef void (*authd_deliver_pt)(void *data, authd_news_list_t *list);

int authd_read_links(authd_engine_t *engine, authd_news_list_t *list,
    authd_deliver_pt deliver, void *data);

/* What changed since *seq, which moves to the last that was read. */

int authd_read_news(authd_engine_t *engine, int64_t *seq,
    authd_news_list_t *list);

/* The number that sql (AUTHD_SQL_SEQ, AUTHD_SQL_SEQ_LOCK) reads. */

int authd_read_seq(authd_engine_t *engine, authd_sql_t sql, int64_t *seq);


#endif /* AUTHD_STORE_REQUEST_H_INCLUDED_ */
