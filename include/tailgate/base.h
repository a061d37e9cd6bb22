
/*
 * Copyright (C) The Tailgate authors
 *
 * What every other header of libtailgate builds on: borrowed strings, the
 * caller's allocator, the one error space.  libtailgate is pure computation:
 * it opens nothing, keeps no state between calls, and takes the time as an
 * argument.
 */

#ifndef TAILGATE_BASE_H_INCLUDED_
#define TAILGATE_BASE_H_INCLUDED_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/*
 * A string that somebody else owns.  It is not NUL-terminated and may hold
 * any byte; data may be NULL only if len is 0.
 */

typedef struct {
    const char  *data;
    size_t       len;
} tg_str_t;

#define TG_STR(literal)  { literal, sizeof(literal) - 1 }
#define TG_NULL_STR      { NULL, 0 }


/*
 * Where results live.  alloc() returns size bytes aligned for any type, or
 * NULL; libtailgate never frees what it got, the owner of ctx does so at once
 * (an nginx pool, a tg_arena_t).
 */

typedef struct {
    void  *(*alloc)(void *ctx, size_t size);
    void    *ctx;
} tg_alloc_t;


/* One flat space of errors: 0 is success, everything else is negative. */

typedef enum {
    TG_OK = 0,
    TG_ERR_NOMEM = -1,         /* the allocator returned NULL */
    TG_ERR_LIMIT = -2,         /* longer, deeper or more than the bound */
    TG_ERR_SYNTAX = -3,        /* not well-formed */
    TG_ERR_TYPE = -4,          /* well-formed, but of the wrong type */
    TG_ERR_MISSING = -5,       /* a required field is absent or empty */
    TG_ERR_RANGE = -6,         /* a value outside of what is allowed */
    TG_ERR_ABSENT = -7,        /* nothing to give: not a fault */
    TG_ERR_REFUSED = -8,       /* understood, and not accepted by a rule */
    TG_ERR_CRYPTO = -9         /* libcrypto failed */
} tg_err_t;

/* A static, lower-case text for err without a full stop; never NULL. */

const char *tg_strerror(int err);


/* The version of Tailgate that this is, such as "1.2.3". */

const char *tg_version(void);


/*
 * What went wrong and where, for a message to a person.  text is always
 * NUL-terminated, printable ASCII or valid UTF-8 without control characters.
 * line and column count from 1 and are 0 where there are none.
 */

#define TG_ERROR_TEXT_MAX  256

typedef struct {
    int     code;
    size_t  line;
    size_t  column;
    char    text[TG_ERROR_TEXT_MAX];
} tg_error_t;


/*
 * A bounded arena for callers without nginx pools.
 *
 * tg_arena_new() returns an empty arena that will hand out at most max bytes
 * in all, or NULL when out of memory.  tg_arena_free() releases everything
 * that was allocated from *arena and sets *arena to NULL; a NULL *arena is
 * fine.  tg_arena_reset() releases everything but keeps the arena.
 * tg_arena_alloc() returns zeroed memory, or NULL past max or out of memory.
 * tg_arena_used() is how many bytes it has handed out.
 * tg_arena_allocator() is the arena as a tg_alloc_t; it borrows the arena.
 */

typedef struct tg_arena_s  tg_arena_t;

tg_arena_t *tg_arena_new(size_t max);
void tg_arena_free(tg_arena_t **arena);
void tg_arena_reset(tg_arena_t *arena);
void *tg_arena_alloc(tg_arena_t *arena, size_t size);
size_t tg_arena_used(const tg_arena_t *arena);
tg_alloc_t tg_arena_allocator(tg_arena_t *arena);


#endif /* TAILGATE_BASE_H_INCLUDED_ */
