
/*
 * Copyright (C) The Tailgate authors
 *
 * The headers of tailscale serve: login, name and picture, a line each.
 */

#include <tailgate/identity.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define MEMORY_MAX  (1024 * 1024)


static const tg_self_t  self = {
    .running = true, .tailnet = TG_STR("tail.example")
};


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static tg_str_t
next_line(const char **p, const char *end)
{
    tg_str_t     line;
    const char  *feed;

    line.data = *p;
    line.len = (size_t) (end - *p);

    feed = line.len > 0 ? memchr(*p, '\n', line.len) : NULL;

    if (feed != NULL) {
        line.len = (size_t) (feed - *p);
    }

    *p = feed != NULL ? feed + 1 : end;

    return line;
}


static void
check_identity(const tg_identity_t *identity, const tg_alloc_t *alloc)
{
    char           *buf;
    size_t          len, size;
    tg_identity_t   copy;

    require(identity->traits == TG_TRAIT_MEMBER);
    require(identity->login.len > 0 && identity->user.len > 0);

    require(tg_identity_pack(identity, NULL, 0, &size) == TG_ERR_LIMIT);

    buf = malloc(size);
    require(buf != NULL);

    require(tg_identity_pack(identity, buf, size, &len) == TG_OK);
    require(tg_identity_unpack(buf, len, alloc, &copy) == TG_OK);

    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char     *p, *end;
    tg_str_t        login, name, picture;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_error_t      error;
    tg_identity_t   identity;

    arena = tg_arena_new(MEMORY_MAX);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    p = (const char *) data;
    end = p + size;

    login = next_line(&p, end);
    name = next_line(&p, end);
    picture = next_line(&p, end);

    if (tg_identity_from_serve(login, name, picture, &self, &alloc, &identity,
                               &error)
        == TG_OK)
    {
        check_identity(&identity, &alloc);

    } else {
        require(error.code != TG_OK && error.code != TG_ERR_NOMEM);
    }

    tg_arena_free(&arena);

    return 0;
}
