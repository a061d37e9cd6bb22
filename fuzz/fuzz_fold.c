
/*
 * Copyright (C) The Tailgate authors
 *
 * Header names: the strip set against a plain list of the same names.
 */

#include <tailgate/headers.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define NAME_MAX_LEN  256


static tg_strip_t  *set;
static tg_arena_t  *arena;


static void
fold(const char *name, size_t len, char *out)
{
    char    c;
    size_t  i;

    for (i = 0; i < len; i++) {
        c = name[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char) (c - 'A' + 'a');
        }

        out[i] = ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) ? c : '-';
    }
}


static bool
same(const char *name, size_t len, const char *other)
{
    char  a[NAME_MAX_LEN], b[NAME_MAX_LEN];

    if (other == NULL || len != strlen(other)) {
        return false;
    }

    fold(name, len, a);
    fold(other, len, b);

    return memcmp(a, b, len) == 0;
}


static bool
begins(const char *name, size_t len, const char *prefix)
{
    return len >= strlen(prefix) && same(name, strlen(prefix), prefix);
}


static bool
is_managed(const char *name, size_t len)
{
    size_t               i, j, n;
    const tg_profile_t  *profiles;

    profiles = tg_profile_table(&n);

    for (i = 0; i < n; i++) {
        if (same(name, len, profiles[i].secret_header)) {
            return true;
        }

        for (j = 0; j < profiles[i].nheaders; j++) {
            if (same(name, len, profiles[i].headers[j].name)) {
                return true;
            }
        }
    }

    return begins(name, len, "tailgate-") || begins(name, len, "tailscale-")
           || begins(name, len, "x-remote-")
           || same(name, len, "x-forwarded-access-token")
           || same(name, len, "x-auth-request-access-token");
}


static void
check_added(const char *name, size_t len)
{
    int          rc;
    char         folded[NAME_MAX_LEN];
    tg_alloc_t   alloc;
    tg_strip_t  *own;
    tg_arena_t  *small;

    small = tg_arena_new(1024 * 1024);
    if (small == NULL) {
        return;
    }

    alloc = tg_arena_allocator(small);
    own = tg_strip_new(&alloc);

    if (own != NULL) {
        rc = tg_strip_add(own, name, len);
        tg_header_fold(name, len, folded);

        if (rc == TG_OK && (!tg_strip_match(own, name, len)
                            || !tg_strip_match(own, folded, len)))
        {
            abort();
        }
    }

    tg_arena_free(&small);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         name[NAME_MAX_LEN], once[NAME_MAX_LEN], twice[NAME_MAX_LEN];
    bool         found;
    tg_alloc_t   alloc;

    if (set == NULL) {
        arena = tg_arena_new(1024 * 1024);
        alloc = tg_arena_allocator(arena);
        set = tg_strip_new(&alloc);
    }

    if (set == NULL || size > NAME_MAX_LEN) {
        return 0;
    }

    memcpy(name, data, size);

    tg_header_fold(name, size, once);
    tg_header_fold(once, size, twice);

    if (memcmp(once, twice, size) != 0) {
        abort();
    }

    found = tg_strip_match(set, name, size);

    if (found != is_managed(name, size)
        || found != tg_strip_match(set, once, size))
    {
        abort();
    }

    check_added(name, size);

    return 0;
}
