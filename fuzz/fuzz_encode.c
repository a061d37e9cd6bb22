
/*
 * Copyright (C) The Tailgate authors
 *
 * Header values: whatever a name, a login or a group holds, no control
 * character comes out, and what can be decoded again is what went in.
 */

#include <tailgate/headers.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define VALUE_MAX  8192


static void
check_visible(tg_str_t value)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < value.len; i++) {
        c = (unsigned char) value.data[i];

        if (c < ' ' || c == 0x7f) {
            abort();
        }
    }
}


static int
hex(char c)
{
    const char         *p;
    static const char   digits[] = "0123456789ABCDEF";

    p = memchr(digits, c, sizeof(digits) - 1);

    if (p == NULL) {
        abort();
    }

    return (int) (p - digits);
}


/* What is between escapes is as it was. */

static void
check_escaped(tg_str_t value, tg_str_t in, char mark)
{
    char    c;
    size_t  i, n;

    for (i = 0, n = 0; i < value.len; i++, n++) {
        c = value.data[i];

        if (c == mark) {
            if (i + 2 >= value.len) {
                abort();
            }

            c = (char) (hex(value.data[i + 1]) << 4 | hex(value.data[i + 2]));
            i += 2;
        }

        if (n == in.len || in.data[n] != c) {
            abort();
        }
    }

    if (n != in.len) {
        abort();
    }
}


/* Nobody may find an encoded-word in what was sent as it is. */

static void
check_words(tg_str_t value, tg_str_t in)
{
    size_t  i, len;

    if (value.len < 2 || memcmp(value.data, "=?", 2) != 0) {
        if (value.len != in.len
            || (in.len != 0 && memcmp(value.data, in.data, in.len) != 0))
        {
            abort();
        }

        for (i = 0; i + 1 < value.len; i++) {
            if (value.data[i] == '=' && value.data[i + 1] == '?') {
                abort();
            }
        }

        return;
    }

    for (i = 0, len = 0; i < value.len; i++) {
        len = value.data[i] == ' ' ? 0 : len + 1;

        if (len > 75) {
            abort();
        }
    }
}


static void
check_encoding(tg_encoding_t encoding, tg_str_t in, const tg_alloc_t *alloc)
{
    tg_str_t  value;

    if (tg_encode(encoding, in, VALUE_MAX, alloc, &value) != TG_OK) {
        return;
    }

    if (value.len > VALUE_MAX) {
        abort();
    }

    check_visible(value);

    switch (encoding) {

    case TG_ENCODING_PERCENT:
        check_escaped(value, in, '%');
        break;

    case TG_ENCODING_QUOTED_PRINTABLE:
        check_escaped(value, in, '=');
        break;

    case TG_ENCODING_RFC2047:
        check_words(value, in);
        break;

    default:
        break;
    }
}


static void
check_profiles(tg_str_t in, const tg_alloc_t *alloc)
{
    size_t               i, j, n;
    tg_str_t             items[3], value;
    tg_identity_t        identity;
    const tg_header_t   *header;
    const tg_profile_t  *profiles;

    items[0].data = in.data;
    items[0].len = in.len / 3;
    items[1].data = in.data + items[0].len;
    items[1].len = in.len - items[0].len;
    items[2] = (tg_str_t) TG_STR("ops");

    memset(&identity, 0, sizeof(tg_identity_t));
    identity.traits = TG_TRAIT_MEMBER;
    identity.login = in;
    identity.user = items[0];
    identity.name = in;
    identity.picture = in;
    identity.groups.items = items;
    identity.groups.n = 3;
    identity.caps = in;

    profiles = tg_profile_table(&n);

    for (i = 0; i < n; i++) {
        for (j = 0; j < profiles[i].nheaders; j++) {
            header = &profiles[i].headers[j];

            if (tg_header_value(header, &identity, alloc, &value) != TG_OK) {
                continue;
            }

            if (value.len > header->max) {
                abort();
            }

            check_visible(value);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          encoding;
    tg_str_t     in;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    if (size > 4096) {
        return 0;
    }

    arena = tg_arena_new(16 * 1024 * 1024);
    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    in.data = (const char *) data;
    in.len = size;

    for (encoding = 0; encoding <= TG_ENCODING_RFC2047; encoding++) {
        check_encoding((tg_encoding_t) encoding, in, &alloc);
    }

    check_profiles(in, &alloc);

    tg_arena_free(&arena);

    return 0;
}
