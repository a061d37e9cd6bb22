
/*
 * Copyright (C) The Tailgate authors
 *
 * What the indexes are made of: tables from 64-bit hashes to numbers.  Two
 * things may have one hash, so that whoever finds a number looks at the thing
 * itself: a collision costs time, and decides nothing.
 */

#ifndef TGI_TABLE_H_INCLUDED_
#define TGI_TABLE_H_INCLUDED_

#include "core/policy/policy.h"


typedef struct {
    uint64_t  key;
    uint32_t  start;           /* into the table's numbers */
    uint32_t  n;               /* 0: an empty slot */
} tgi_slot_t;

typedef struct {
    tgi_slot_t  *slots;        /* open addressing, at most half full */
    size_t       mask;
    uint32_t    *numbers;
} tgi_table_t;

/* One number under a key. */

typedef struct {
    uint64_t  key;
    uint32_t  number;
} tgi_posting_t;


/*
 * Makes a table of n postings, which it sorts; under each key the numbers
 * ascend, and each comes once.  TG_OK or TG_ERR_NOMEM.
 */

int tgi_table_make(tgi_table_t *table, tgi_posting_t *postings, size_t n,
    const tg_alloc_t *alloc);

/* NULL if nothing has the key. */

const tgi_slot_t *tgi_table_find(const tgi_table_t *table, uint64_t key);


/*
 * Hashes.  Nobody but the author of a policy chooses what is in a table, so
 * that there is nothing to protect by a secret.  nocase: texts that differ in
 * the case of letters have one hash (and a few others do).
 */

uint64_t tgi_hash(uint64_t seed, tg_str_t text);
uint64_t tgi_hash_nocase(uint64_t seed, tg_str_t text);
uint64_t tgi_hash_number(uint64_t seed, uint64_t number);


/*
 * The hashes of what a pattern can end at: of the host "a.b.c" those of "c",
 * "b.c" and "a.b.c"; of the path "/a/b/c" those of "/", "/a", "/a/b" and
 * "/a/b/c".  Of longer ones only so many count.
 */

#define TGI_LABELS_MAX    8
#define TGI_SEGMENTS_MAX  16

size_t tgi_hash_host(tg_str_t host, uint64_t hashes[TGI_LABELS_MAX]);
size_t tgi_hash_path(tg_str_t path, uint64_t hashes[TGI_SEGMENTS_MAX + 1]);

/* The hash by which a pattern is found among those. */

uint64_t tgi_hash_host_pattern(const tgi_host_t *host);
uint64_t tgi_hash_path_pattern(const tgi_path_t *path);


#endif /* TGI_TABLE_H_INCLUDED_ */
