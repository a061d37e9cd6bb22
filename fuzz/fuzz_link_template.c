
/*
 * Copyright (C) The Tailgate authors
 *
 * Links as they are saved: what compiles can be run for anybody.
 */

#include <tailgate/golink.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check_location(tg_str_t location)
{
    size_t  i;

    for (i = 0; i < location.len; i++) {
        if (location.data[i] <= ' ' || location.data[i] > '~') {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 rc;
    size_t              i;
    tg_str_t            url, location;
    tg_link_t          *link;
    tg_error_t          error;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    tg_link_request_t   request;

    static const tg_str_t  rests[] = {
        TG_NULL_STR, TG_STR("a/b"), TG_STR("//x%2Fy"), TG_STR("%C3%A9%25%3F")
    };

    arena = tg_arena_new(8 * 1024 * 1024);
    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    url.data = (const char *) data;
    url.len = size;

    rc = tg_link_compile(url, NULL, &alloc, &link, &error);

    if (rc != TG_OK) {
        if (link != NULL || error.code != rc || error.text[0] == '\0') {
            abort();
        }

        goto done;
    }

    memset(&request, 0, sizeof(tg_link_request_t));
    request.query = (tg_str_t) TG_STR("q=1&r=%zz");

    for (i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        request.rest = rests[i];

        rc = tg_link_expand(link, url, &request, NULL, &alloc, &location,
                            &error);

        if ((rc == TG_OK) == (location.len == 0)) {
            abort();
        }

        check_location(location);
    }

done:

    tg_arena_free(&arena);

    return 0;
}
