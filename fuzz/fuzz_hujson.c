
/*
 * Copyright (C) The Tailgate authors
 *
 * HuJSON.  What is read is written as JSON, and read again as the same; every
 * place is inside the text, every fault has a place.
 */

#include <tailgate/hujson.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (64 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static void
check_places(const tg_hujson_t *value, size_t len)
{
    size_t              n;
    const tg_hujson_t  *item;

    require(value->offset < len);

    for (n = 0, item = value->child; item != NULL; item = item->next) {
        require(item->offset > value->offset);
        check_places(item, len);
        n++;
    }

    require(n == value->n);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                 rc;
    tg_str_t            json, again;
    tg_error_t          error;
    tg_alloc_t          alloc;
    tg_arena_t         *arena;
    const tg_hujson_t  *root, *second;

    arena = tg_arena_new(ARENA_MAX);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    rc = tg_hujson_parse(&root, (const char *) data, size, &alloc, &error);

    if (rc == TG_OK) {
        check_places(root, size);

        require(tg_hujson_write(root, &alloc, &json) == TG_OK);
        require(tg_hujson_parse(&second, json.data, json.len, &alloc, NULL)
                == TG_OK);
        require(tg_hujson_write(second, &alloc, &again) == TG_OK);
        require(json.len == again.len
                && memcmp(json.data, again.data, json.len) == 0);

    } else {
        require(error.code == rc && error.text[0] != '\0');
        require(error.line > 0 && error.column > 0);
    }

    tg_arena_free(&arena);

    return 0;
}
