
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of who is behind an address.  All workers of an nginx have one in
 * one piece of shared memory, and authd has its own.
 *
 * Whoever calls holds the one lock of the memory, but for the functions that
 * say so.  A process may be killed anywhere: the next one to come finds the
 * mark that it left and lays the memory out anew, which loses answers and
 * nothing else.  There are no pointers in it, only numbers of cells.
 *
 * Times are milliseconds of one monotonic clock of the machine.
 */

#ifndef TAILGATE_TABLE_H_INCLUDED_
#define TAILGATE_TABLE_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/* A key: the address comes first, as an address is what a change names. */

#define TG_TABLE_ADDR      17  /* family and 16 bytes */
#define TG_TABLE_KEY_MAX   96

/* No table is smaller. */

#define TG_TABLE_SIZE_MIN  (32 * 1024)


typedef struct tg_table_s  tg_table_t;

typedef struct {
    const uint8_t  *data;
    size_t          len;       /* at least TG_TABLE_ADDR */
} tg_table_key_t;


typedef enum {
    TG_TABLE_FOUND = 0,
    TG_TABLE_ASK,              /* nobody knows: the caller has the lease */
    TG_TABLE_WAIT,             /* somebody is asking: come again */
    TG_TABLE_FULL              /* as ASK, but there is no room for it */
} tg_table_state_t;

/*
 * What get() found.  A ticket that is not 0 is a lease: the caller asks, and
 * comes back with put() or drop().  With FOUND it means that the answer is good
 * and is about to expire.
 */

typedef struct {
    tg_table_state_t  state;
    uint64_t    ticket;
    uint64_t    asked;         /* when the question was asked */
    uint64_t    expires;
    uint64_t    epoch;         /* the answer is good while it stands */
    uint32_t    status;        /* put()'s */
    size_t      len;           /* of the record */
} tg_table_found_t;

/* How get() is to judge. */

typedef struct {
    uint64_t    now;
    uint64_t    not_before;    /* an answer that was asked for earlier is none;
                                  0: any */
    uint64_t    stale;         /* how long past its end an answer is FOUND still
                                  when the caller has no better one; 0: never */
    uint64_t    lease;         /* how long the caller may ask, if it comes to
                                  that */
} tg_table_ask_t;


/* Numbers since the memory was laid out; read without the lock. */

typedef enum {
    TG_TABLE_HITS = 0,
    TG_TABLE_MISSES,
    TG_TABLE_COALESCED,        /* found somebody asking */
    TG_TABLE_REFRESHED,        /* asked before the end */
    TG_TABLE_STALE,            /* found past the end */
    TG_TABLE_EVICTED_CHANGE,   /* each answer counts in one of these, once */
    TG_TABLE_EVICTED_TTL,
    TG_TABLE_EVICTED_LRU,
    TG_TABLE_REJECTED,         /* answers that came too late */
    TG_TABLE_RESET,            /* laid out anew after a death */
    TG_TABLE_COUNTERS
} tg_table_counter_t;


/*
 * Lays size bytes out, at an address that any object may have; what was in them
 * is lost.  NULL if that is too small.
 */

tg_table_t *tg_table_init(void *memory, size_t size);

/* The largest record that is kept: a sixteenth of the cells, or less. */

size_t tg_table_record_max(const tg_table_t *table);

/*
 * Looks key up.  A record that was FOUND is copied to buf, of size bytes; where
 * that is too small, found->len says what is needed and nothing is copied.
 */

void tg_table_get(tg_table_t *table, const tg_table_key_t *key,
    const tg_table_ask_t *ask, void *buf, size_t size, tg_table_found_t *found);

/*
 * The answer to the question of a ticket.  False: it is not kept, because the
 * lease is not the caller's any more, something changed in the meantime, or it
 * is too large.  With *changed the answer itself may be out of date, and the
 * question is to be asked again.
 */

bool tg_table_put(tg_table_t *table, const tg_table_key_t *key, uint64_t ticket,
    uint32_t status, const void *record, size_t len, uint64_t asked,
    uint64_t ttl, bool *changed);

/* There was no answer: gives the lease back.  An answer that is there stays. */

void tg_table_drop(tg_table_t *table, const tg_table_key_t *key,
    uint64_t ticket);

/*
 * Something changed about an address (all keys that begin with it), or about
 * everybody.  Answers are gone, leases void, and the epoch moves.
 */

void tg_table_evict(tg_table_t *table, const uint8_t addr[TG_TABLE_ADDR]);
void tg_table_flush(tg_table_t *table);

/* Without the lock: it moves whenever an answer may be no longer true. */

uint64_t tg_table_epoch(tg_table_t *table);
uint64_t tg_table_counter(tg_table_t *table, tg_table_counter_t counter);

/* Keys in it, and bytes that they take, of how many. */

void tg_table_usage(tg_table_t *table, size_t *entries, size_t *used,
    size_t *size);


#endif /* TAILGATE_TABLE_H_INCLUDED_ */
