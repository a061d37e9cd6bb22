
/*
 * Copyright (C) The Tailgate authors
 *
 * Tables from hashes to numbers, and the hashes.
 */

#include "core/policy/table.h"

#include <stdlib.h>
#include <string.h>


#define SLOTS_MIN  4

#define FOLD       UINT64_C(0x2020202020202020)
#define MULTIPLY   UINT64_C(0x9e3779b97f4a7c15)


static uint64_t
mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * MULTIPLY;

    return hash ^ (hash >> 32);
}


/* Up to seven bytes as a word; some of them twice, which is no harm. */

static uint64_t
load_few(const char *p, size_t len)
{
    uint32_t  first, last;

    if (len >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + len - 4, 4);

        return (uint64_t) first << 32 | last;
    }

    return (uint64_t) (unsigned char) p[0] << 16
           | (uint64_t) (unsigned char) p[len / 2] << 8
           | (unsigned char) p[len - 1];
}


static inline uint64_t
hash_words(uint64_t hash, tg_str_t text, uint64_t fold)
{
    size_t       left;
    uint64_t     word;
    const char  *p;

    hash = mix(hash, text.len);

    if (text.len < 8) {
        return text.len == 0 ? hash
                             : mix(hash, load_few(text.data, text.len) | fold);
    }

    p = text.data;

    for (left = text.len; left > 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash = mix(hash, word | fold);
    }

    memcpy(&word, text.data + text.len - 8, 8);

    return mix(hash, word | fold);
}


uint64_t
tgi_hash(uint64_t seed, tg_str_t text)
{
    return hash_words(seed, text, 0);
}


uint64_t
tgi_hash_nocase(uint64_t seed, tg_str_t text)
{
    return hash_words(seed, text, FOLD);
}


uint64_t
tgi_hash_number(uint64_t seed, uint64_t number)
{
    return mix(seed, number + 1);
}


size_t
tgi_hash_host(tg_str_t host, uint64_t hashes[TGI_LABELS_MAX])
{
    size_t      n;
    uint64_t    hash;
    tg_str_t    label;
    const char  *dot;

    hash = 0;

    for (n = 0; n < TGI_LABELS_MAX; host.len -= label.len + 1) {
        dot = host.len > 0 ? memrchr(host.data, '.', host.len) : NULL;

        label.data = (dot != NULL) ? dot + 1 : host.data;
        label.len = host.len - (size_t) (label.data - host.data);

        hash = tgi_hash(hash, label);
        hashes[n++] = hash;

        if (dot == NULL) {
            break;
        }
    }

    return n;
}


/*
 * The segments of path that a slash ends, and the last one as well if it is
 * whole.
 */

static size_t
hash_segments(tg_str_t path, bool whole,
    uint64_t hashes[TGI_SEGMENTS_MAX + 1])
{
    size_t       n;
    uint64_t     hash;
    tg_str_t     segment;
    const char  *end, *slash;

    n = 0;
    hash = 0;
    hashes[n++] = hash;

    segment.data = path.data + 1;
    end = path.data + path.len;

    while (n <= TGI_SEGMENTS_MAX && segment.data < end) {
        slash = memchr(segment.data, '/', (size_t) (end - segment.data));

        if (slash == NULL && !whole) {
            break;
        }

        segment.len = (size_t) ((slash != NULL ? slash : end) - segment.data);
        hash = tgi_hash(hash, segment);
        hashes[n++] = hash;

        if (slash == NULL) {
            break;
        }

        segment.data = slash + 1;
    }

    return n;
}


size_t
tgi_hash_path(tg_str_t path, uint64_t hashes[TGI_SEGMENTS_MAX + 1])
{
    return hash_segments(path, true, hashes);
}


uint64_t
tgi_hash_host_pattern(const tgi_host_t *host)
{
    uint64_t  hashes[TGI_LABELS_MAX];
    tg_str_t  text;

    text = host->text;

    if (host->kind == TGI_HOST_WILDCARD) {
        text.data++;
        text.len--;
    }

    return hashes[tgi_hash_host(text, hashes) - 1];
}


uint64_t
tgi_hash_path_pattern(const tgi_path_t *path)
{
    uint64_t  hashes[TGI_SEGMENTS_MAX + 1];
    tg_str_t  text;

    text = path->text;
    text.len = path->literal;

    return hashes[hash_segments(text, path->kind != TGI_PATH_GLOB, hashes)
                  - 1];
}


static int
compare_postings(const void *a, const void *b)
{
    const tgi_posting_t  *one = a, *two = b;

    if (one->key != two->key) {
        return one->key < two->key ? -1 : 1;
    }

    return (one->number > two->number) - (one->number < two->number);
}


static tgi_slot_t *
probe(const tgi_table_t *table, uint64_t key)
{
    size_t       i;
    tgi_slot_t  *slot;

    for (i = key & table->mask; /* void */ ; i = (i + 1) & table->mask) {
        slot = &table->slots[i];

        if (slot->n == 0 || slot->key == key) {
            return slot;
        }
    }
}


static size_t
sort_postings(tgi_posting_t *postings, size_t n, size_t *keys)
{
    size_t  i, kept;

    qsort(postings, n, sizeof(tgi_posting_t), compare_postings);

    kept = 0;
    *keys = 0;

    for (i = 0; i < n; i++) {
        if (kept > 0 && compare_postings(&postings[kept - 1], &postings[i])
                        == 0)
        {
            continue;
        }

        if (kept == 0 || postings[kept - 1].key != postings[i].key) {
            (*keys)++;
        }

        postings[kept++] = postings[i];
    }

    return kept;
}


int
tgi_table_make(tgi_table_t *table, tgi_posting_t *postings, size_t n,
    const tg_alloc_t *alloc)
{
    size_t       i, keys, size;
    tgi_slot_t  *slot;

    n = sort_postings(postings, n, &keys);

    for (size = SLOTS_MIN; size < keys * 2; size *= 2) { /* void */ }

    table->mask = size - 1;
    table->slots = tgi_alloc(alloc, size, sizeof(tgi_slot_t));
    table->numbers = tgi_alloc(alloc, n + 1, sizeof(uint32_t));

    if (table->slots == NULL || table->numbers == NULL) {
        return TG_ERR_NOMEM;
    }

    memset(table->slots, 0, size * sizeof(tgi_slot_t));

    for (i = 0; i < n; i++) {
        table->numbers[i] = postings[i].number;

        slot = probe(table, postings[i].key);

        if (slot->n == 0) {
            slot->key = postings[i].key;
            slot->start = (uint32_t) i;
        }

        slot->n++;
    }

    return TG_OK;
}


const tgi_slot_t *
tgi_table_find(const tgi_table_t *table, uint64_t key)
{
    const tgi_slot_t  *slot;

    slot = probe(table, key);

    return slot->n == 0 ? NULL : slot;
}
