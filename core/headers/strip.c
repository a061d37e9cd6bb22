
/*
 * Copyright (C) The Tailgate authors
 *
 * The names that a client may not send, compared as the most careless runtime
 * behind us would compare them.
 */

#include "core/headers/headers.h"

#include "core/base/base.h"

#include <string.h>


#define STRIP_BUCKETS     512   /* a power of two; four times the names */


typedef struct strip_name_s  strip_name_t;

struct strip_name_s {
    strip_name_t  *next;
    size_t         len;
    char           name[TG_HEADER_NAME_MAX];
};

struct tg_strip_s {
    tg_alloc_t     alloc;
    tg_shapes_t    shapes;
    strip_name_t  *buckets[STRIP_BUCKETS];
};


/*
 * Families that are removed whatever comes behind.  Tailscale-* and Tailgate-*
 * are Tailscale's and ours to say: tailscale serve
 * (Tailscale-User-Login, Tailscale-App-Capabilities, Tailscale-Headers-Info,
 * Tailscale-Funnel-Request), nginx-auth (Tailscale-User), authd's own
 * (Tailgate-Local-Addr), and what later versions will add.
 */

static const tg_str_t  prefixes[] = {
    TG_STR("tailgate-"),
    TG_STR("tailscale-"),
    TG_STR("x-remote-")
};


/*
 * What nobody here sends, but apps that read a profile's other headers take
 * from oauth2-proxy in the same breath.
 */

static const tg_str_t  others[] = {
    TG_STR("X-Forwarded-Access-Token"),
    TG_STR("X-Auth-Request-Access-Token")
};


/* Without these a request is no request, or is another one. */

static const tg_str_t  needed[] = {
    TG_STR("connection"),
    TG_STR("content-length"),
    TG_STR("cookie"),
    TG_STR("expect"),
    TG_STR("host"),
    TG_STR("range"),
    TG_STR("te"),
    TG_STR("transfer-encoding"),
    TG_STR("upgrade")
};


#define N(table)  (sizeof(table) / sizeof(table[0]))


/* Indexed by any byte, so that folding has no branches. */

static const char  fold_table[256 + 1] =
    "--------------------------------" "----------------0123456789------"
    "-abcdefghijklmnopqrstuvwxyz-----" "-abcdefghijklmnopqrstuvwxyz-----"
    "--------------------------------" "--------------------------------"
    "--------------------------------" "--------------------------------";


void
tg_header_fold(const char *name, size_t len, char *out)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        out[i] = fold_table[(unsigned char) name[i]];
    }
}


/* FNV-1a */

static size_t
bucket_of(const char *name, size_t len)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < len; i++) {
        hash ^= (unsigned char) name[i];
        hash *= 16777619u;
    }

    return (hash ^ (hash >> 16)) & (STRIP_BUCKETS - 1);
}


static uint64_t
shape_of(size_t len)
{
    return (uint64_t) 1 << (len & 63);
}


static void
add_lengths(uint64_t lengths[256], char folded, uint64_t shape)
{
    size_t  byte;

    for (byte = 0; byte < 256; byte++) {
        if (fold_table[byte] == folded) {
            lengths[byte] |= shape;
        }
    }
}


void
tg_shapes_add(tg_shapes_t *shapes, const char *name, size_t len)
{
    uint64_t  shape;

    shape = shape_of(len);

    add_lengths(shapes->first, fold_table[(unsigned char) name[0]], shape);
    add_lengths(shapes->last, fold_table[(unsigned char) name[len - 1]],
                shape);
}


TGI_NO_SECRETS bool
tg_shapes_end(const tg_shapes_t *shapes, const char *name, size_t len)
{
    uint64_t  lengths;

    lengths = shapes->last[(unsigned char) name[len - 1]]
              | shapes->any_end[(unsigned char) name[0]];

    return (lengths & shape_of(len)) != 0;
}


void
tg_shapes_of(const tg_strip_t *set, tg_shapes_t *shapes)
{
    *shapes = set->shapes;
}


static const strip_name_t *
find(const tg_strip_t *set, const char *folded, size_t len)
{
    const strip_name_t  *entry;

    entry = set->buckets[bucket_of(folded, len)];

    while (entry != NULL) {
        if (entry->len == len && memcmp(entry->name, folded, len) == 0) {
            return entry;
        }

        entry = entry->next;
    }

    return NULL;
}


static bool
is_needed(const char *folded, size_t len)
{
    size_t    i;
    tg_str_t  name;

    name.data = folded;
    name.len = len;

    for (i = 0; i < N(needed); i++) {
        if (tgi_str_equal(name, needed[i])) {
            return true;
        }
    }

    return len >= 3 && memcmp(folded, "if-", 3) == 0;
}


int
tg_strip_add(tg_strip_t *set, const char *name, size_t len)
{
    char           folded[TG_HEADER_NAME_MAX];
    size_t         i, bucket;
    strip_name_t  *entry;

    if (len == 0) {
        return TG_ERR_SYNTAX;
    }

    if (len > TG_HEADER_NAME_MAX) {
        return TG_ERR_LIMIT;
    }

    for (i = 0; i < len; i++) {
        if (!tgi_is_token((unsigned char) name[i])) {
            return TG_ERR_SYNTAX;
        }
    }

    tg_header_fold(name, len, folded);

    if (is_needed(folded, len)) {
        return TG_ERR_REFUSED;
    }

    if (find(set, folded, len) != NULL) {
        return TG_OK;
    }

    entry = tgi_alloc(&set->alloc, 1, sizeof(strip_name_t));
    if (entry == NULL) {
        return TG_ERR_NOMEM;
    }

    bucket = bucket_of(folded, len);

    memcpy(entry->name, folded, len);
    entry->len = len;
    entry->next = set->buckets[bucket];

    set->buckets[bucket] = entry;
    tg_shapes_add(&set->shapes, folded, len);

    return TG_OK;
}


static int
add_text(tg_strip_t *set, const char *name)
{
    return tg_strip_add(set, name, strlen(name));
}


static int
add_profile(tg_strip_t *set, const tg_profile_t *profile)
{
    int     rc;
    size_t  i;

    for (i = 0; i < profile->nheaders; i++) {
        rc = add_text(set, profile->headers[i].name);
        if (rc != TG_OK) {
            return rc;
        }
    }

    if (profile->secret_header == NULL) {
        return TG_OK;
    }

    return add_text(set, profile->secret_header);
}


tg_strip_t *
tg_strip_new(const tg_alloc_t *alloc)
{
    size_t               i, n;
    tg_strip_t          *set;
    const tg_profile_t  *profiles;

    set = tgi_alloc(alloc, 1, sizeof(tg_strip_t));
    if (set == NULL) {
        return NULL;
    }

    memset(set, 0, sizeof(tg_strip_t));
    set->alloc = *alloc;

    profiles = tg_profile_table(&n);

    for (i = 0; i < n; i++) {
        if (add_profile(set, &profiles[i]) != TG_OK) {
            return NULL;
        }
    }

    for (i = 0; i < N(others); i++) {
        if (tg_strip_add(set, others[i].data, others[i].len)
            != TG_OK)
        {
            return NULL;
        }
    }

    for (i = 0; i < N(prefixes); i++) {
        add_lengths(set->shapes.first, prefixes[i].data[0], UINT64_MAX);
        add_lengths(set->shapes.any_end, prefixes[i].data[0], UINT64_MAX);
    }

    return set;
}


bool
tg_strip_match(const tg_strip_t *set, const char *name, size_t len)
{
    char    folded[TG_HEADER_NAME_MAX];
    size_t  i, n;

    if (len == 0 || !tg_shapes_have(&set->shapes, name, len)) {
        return false;
    }

    n = len < TG_HEADER_NAME_MAX ? len : TG_HEADER_NAME_MAX;

    tg_header_fold(name, n, folded);

    for (i = 0; i < N(prefixes); i++) {
        if (n >= prefixes[i].len
            && memcmp(folded, prefixes[i].data, prefixes[i].len) == 0)
        {
            return true;
        }
    }

    return n == len && find(set, folded, len) != NULL;
}
