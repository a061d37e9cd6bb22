
/*
 * Copyright (C) The Tailgate authors
 *
 * The shared table of who is behind an address: all workers of an nginx have it
 * in one piece of memory.  It knows nothing of nginx, so that a test of threads
 * compiles this very file.
 *
 * Whoever calls holds the one lock of the memory, but for the functions that
 * say so.  A process may be killed anywhere: the next one to come finds the
 * mark that it left and lays the memory out anew, which loses answers and
 * nothing else.  There are no pointers in it, only numbers of cells.
 *
 * Times are milliseconds of one monotonic clock of the machine.
 */

#ifndef NGX_HTTP_TAILGATE_TABLE_H_INCLUDED_
#define NGX_HTTP_TAILGATE_TABLE_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/* A key: the address comes first, as an address is what a change names. */

#define NGX_HTTP_TAILGATE_TABLE_ADDR      17    /* family and 16 bytes */
#define NGX_HTTP_TAILGATE_TABLE_KEY_MAX   96

/* No table is smaller. */

#define NGX_HTTP_TAILGATE_TABLE_SIZE_MIN  (32 * 1024)


typedef struct ngx_http_tailgate_table_s  ngx_http_tailgate_table_t;

typedef struct {
    const uint8_t  *data;
    size_t          len;       /* at least NGX_HTTP_TAILGATE_TABLE_ADDR */
} ngx_http_tailgate_table_key_t;


typedef enum {
    NGX_HTTP_TAILGATE_TABLE_FOUND = 0,
    NGX_HTTP_TAILGATE_TABLE_ASK,   /* nobody knows: the caller has the lease */
    NGX_HTTP_TAILGATE_TABLE_WAIT,  /* somebody is asking: come again */
    NGX_HTTP_TAILGATE_TABLE_FULL   /* as ASK, but there is no room for it */
} ngx_http_tailgate_table_state_t;

/*
 * What get() found.  A ticket that is not 0 is a lease: the caller asks, and
 * comes back with put() or drop().  With FOUND it means that the answer is good
 * and is about to expire.
 */

typedef struct {
    ngx_http_tailgate_table_state_t  state;
    uint64_t    ticket;
    uint64_t    asked;         /* when the question was asked */
    uint64_t    expires;
    uint64_t    epoch;         /* the answer is good while it stands */
    uint32_t    status;        /* put()'s */
    size_t      len;           /* of the record */
} ngx_http_tailgate_table_found_t;

/* How get() is to judge. */

typedef struct {
    uint64_t    now;
    uint64_t    not_before;    /* an answer that was asked for earlier is none;
                                  0: any */
    uint64_t    stale;         /* how long past its end an answer is FOUND still
                                  when the caller has no better one; 0: never */
    uint64_t    lease;         /* how long the caller may ask, if it comes to
                                  that */
} ngx_http_tailgate_table_ask_t;


/* Numbers since the memory was laid out; read without the lock. */

typedef enum {
    NGX_HTTP_TAILGATE_TABLE_HITS = 0,
    NGX_HTTP_TAILGATE_TABLE_MISSES,
    NGX_HTTP_TAILGATE_TABLE_COALESCED,   /* found somebody asking */
    NGX_HTTP_TAILGATE_TABLE_REFRESHED,   /* asked before the end */
    NGX_HTTP_TAILGATE_TABLE_STALE,       /* found past the end */
    NGX_HTTP_TAILGATE_TABLE_EVICTED_CHANGE,
    NGX_HTTP_TAILGATE_TABLE_EVICTED_TTL,
    NGX_HTTP_TAILGATE_TABLE_EVICTED_LRU,
    NGX_HTTP_TAILGATE_TABLE_REJECTED,    /* answers that came too late */
    NGX_HTTP_TAILGATE_TABLE_RESET,       /* laid out anew after a death */
    NGX_HTTP_TAILGATE_TABLE_COUNTERS
} ngx_http_tailgate_table_counter_t;


/*
 * Lays size bytes out, at an address that any object may have; what was in them
 * is lost.  NULL if that is too small.
 */

ngx_http_tailgate_table_t *ngx_http_tailgate_table_init(void *memory,
    size_t size);

/* The largest record that is kept: a sixteenth of the cells, or less. */

size_t ngx_http_tailgate_table_record_max(
    const ngx_http_tailgate_table_t *table);

/*
 * Looks key up.  A record that was FOUND is copied to buf, of size bytes; where
 * that is too small, found->len says what is needed and nothing is copied.
 */

void ngx_http_tailgate_table_get(ngx_http_tailgate_table_t *table,
    const ngx_http_tailgate_table_key_t *key,
    const ngx_http_tailgate_table_ask_t *ask, void *buf, size_t size,
    ngx_http_tailgate_table_found_t *found);

/*
 * The answer to the question of a ticket.  False: it is not kept, because the
 * lease is not the caller's any more, something changed in the meantime, or it
 * is too large.  With *changed the answer itself may be out of date, and the
 * question is to be asked again.
 */

bool ngx_http_tailgate_table_put(ngx_http_tailgate_table_t *table,
    const ngx_http_tailgate_table_key_t *key, uint64_t ticket,
    uint32_t status, const void *record, size_t len, uint64_t asked,
    uint64_t ttl, bool *changed);

/* There was no answer: gives the lease back.  An answer that is there stays. */

void ngx_http_tailgate_table_drop(ngx_http_tailgate_table_t *table,
    const ngx_http_tailgate_table_key_t *key, uint64_t ticket);

/*
 * Something changed about an address (all keys that begin with it), or about
 * everybody.  Answers are gone, leases void, and the epoch moves.
 */

void ngx_http_tailgate_table_evict(ngx_http_tailgate_table_t *table,
    const uint8_t addr[NGX_HTTP_TAILGATE_TABLE_ADDR]);
void ngx_http_tailgate_table_flush(ngx_http_tailgate_table_t *table);

/* Without the lock: it moves whenever an answer may be no longer true. */

uint64_t ngx_http_tailgate_table_epoch(ngx_http_tailgate_table_t *table);
uint64_t ngx_http_tailgate_table_counter(ngx_http_tailgate_table_t *table,
    ngx_http_tailgate_table_counter_t counter);

/* Keys in it, and bytes that they take, of how many. */

void ngx_http_tailgate_table_usage(ngx_http_tailgate_table_t *table,
    size_t *entries, size_t *used, size_t *size);


#endif /* NGX_HTTP_TAILGATE_TABLE_H_INCLUDED_ */
