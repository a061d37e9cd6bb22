
/*
 * Copyright (C) The Tailgate authors
 *
 * Cookie and Set-Cookie.  The first line of the input is a Set-Cookie, the
 * rest are Cookie headers.
 */

#include <tailgate/session.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define HEADERS_MAX  8


static const uint8_t   key[TG_SESSION_KEY_LEN] = { 1, 2, 3 };
static const tg_str_t  cookies[] = { TG_STR("sid"), TG_STR("hub-*") };

static const tg_session_t   session = { key, cookies, 2 };
static const tg_identity_t  alice = { .login = TG_STR("alice@example.com") };
static const tg_identity_t  bob = { .login = TG_STR("bob@example.com") };


/* The plainest of readers: split at ";", trim blanks, look for "sid=". */

static bool
has_sid(tg_str_t header)
{
    size_t  i;
    bool    start;

    start = true;

    for (i = 0; i < header.len; i++) {
        if (header.data[i] == ';') {
            start = true;

        } else if (start && header.data[i] != ' ' && header.data[i] != '\t') {
            if (header.len - i >= 4
                && memcmp(header.data + i, "sid=", 4) == 0)
            {
                return true;
            }

            start = false;
        }
    }

    return false;
}


static void
check_filter(const tg_str_t *headers, size_t n, const tg_alloc_t *alloc)
{
    size_t    i, removed, again;
    tg_str_t  out[HEADERS_MAX], second[HEADERS_MAX];

    if (tg_session_filter(&session, &alice, headers, n, alloc, out, &removed)
        == TG_OK && removed > TG_SESSION_COOKIES_MAX * 64)
    {
        abort();
    }

    if (tg_session_filter(&session, NULL, headers, n, alloc, out, &removed)
        != TG_OK)
    {
        return;
    }

    for (i = 0; i < n; i++) {
        if (has_sid(out[i])) {
            abort();
        }
    }

    /* what is left needs no second look */

    if (tg_session_filter(&session, NULL, out, n, alloc, second, &again)
        != TG_OK)
    {
        return;
    }

    for (i = 0; i < n; i++) {
        if (again != 0 || second[i].data != out[i].data
            || second[i].len != out[i].len)
        {
            abort();
        }
    }
}


static size_t
until(tg_str_t text, char c)
{
    size_t  i;

    for (i = 0; i < text.len && text.data[i] != c; i++) { /* void */ }

    return i;
}


/* What alice's browser got, it can send back; bob's cannot. */

static void
check_companion(tg_str_t set_cookie, const tg_alloc_t *alloc)
{
    size_t    removed;
    tg_str_t  headers[2], out[2], companion;

    if (tg_session_companion(&session, &alice, set_cookie, alloc, &companion)
        != TG_OK)
    {
        return;
    }

    headers[0].data = set_cookie.data;
    headers[0].len = until(set_cookie, ';');
    headers[1].data = companion.data;
    headers[1].len = until(companion, ';');

    if (set_cookie.len - headers[0].len != companion.len - headers[1].len) {
        abort();
    }

    if (tg_session_filter(&session, &alice, headers, 2, alloc, out, &removed)
        != TG_OK)
    {
        return;
    }

    if (removed != 0 || out[0].data != headers[0].data
        || out[0].len != headers[0].len || out[1].len != 0)
    {
        abort();
    }

    if (tg_session_filter(&session, &bob, headers, 2, alloc, out, &removed)
        == TG_OK && (removed != 1 || out[0].len != 0 || out[1].len != 0))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       n;
    tg_str_t     rest, line, headers[HEADERS_MAX];
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    if (size > 16384) {
        return 0;
    }

    arena = tg_arena_new(16 * 1024 * 1024);
    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    rest.data = (const char *) data;
    rest.len = size;

    line = rest;
    line.len = until(rest, '\n');

    check_companion(line, &alloc);

    for (n = 0; n < HEADERS_MAX && line.len < rest.len; n++) {
        rest.data += line.len + 1;
        rest.len -= line.len + 1;

        line = rest;
        line.len = until(rest, '\n');
        headers[n] = line;
    }

    check_filter(headers, n, &alloc);

    tg_arena_free(&arena);

    return 0;
}
