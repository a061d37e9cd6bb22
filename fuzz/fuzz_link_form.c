
/*
 * Copyright (C) The Tailgate authors
 *
 * Bodies of forms.  The first line is the Content-Type; what is found of a
 * field lies in the body, or is what a decoder made of it.
 */

#include "authd/app/links/field.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(int rc, tg_str_t body, tg_str_t value)
{
    switch (rc) {

    case TG_OK:
        if (value.len > body.len
            || (value.len != 0
                && memchr(value.data, '\0', value.len) != NULL))
        {
            abort();
        }

        break;

    case TG_ERR_ABSENT:
    case TG_ERR_SYNTAX:
        if (value.len != 0) {
            abort();
        }

        break;

    default:
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int             rc, again;
    size_t          i;
    tg_str_t        type, body, value, twice;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    const uint8_t  *end;

    static const char *const  names[] = {
        "short", "long", "owner", "xsrf", "description"
    };

    if (size == 0 || size > 65536) {
        return 0;
    }

    end = memchr(data, '\n', size);

    if (end == NULL) {
        return 0;
    }

    type = (tg_str_t) { (const char *) data, (size_t) (end - data) };
    body = (tg_str_t) { (const char *) end + 1, size - type.len - 1 };

    arena = tg_arena_new(4 * 1024 * 1024);
    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        rc = authd_links_field(type, body, names[i], &alloc, &value);
        check(rc, body, value);

        again = authd_links_field(type, body, names[i], &alloc, &twice);

        if (again != rc || twice.len != value.len
            || (value.len != 0
                && memcmp(twice.data, value.data, value.len) != 0))
        {
            abort();
        }
    }

    tg_arena_free(&arena);

    return 0;
}
