
/*
 * Copyright (C) The Tailgate authors
 *
 * Messages of the bus, one a line, to one follower that remembers few nodes.
 */

#include <tailgate/bus.h>

#include <stdlib.h>
#include <string.h>


#define MEMORY  2048


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    size_t           len;
    tg_bus_t        *bus;
    uint64_t         memory[MEMORY / sizeof(uint64_t)];
    tg_alloc_t       alloc;
    tg_arena_t      *arena;
    tg_error_t       error;
    const uint8_t   *end;
    tg_bus_change_t  change;

    arena = tg_arena_new(1024 * 1024);
    bus = tg_bus_init(memory, sizeof(memory));

    if (arena == NULL || bus == NULL) {
        abort();
    }

    alloc = tg_arena_allocator(arena);

    for ( /* void */ ; size > 0; data += len, size -= len) {
        end = memchr(data, '\n', size);
        len = end != NULL ? (size_t) (end - data) + 1 : size;

        rc = tg_bus_read(bus, (const char *) data, len, &alloc, &change,
                         &error);

        if (rc != TG_OK && !change.all) {
            abort();
        }

        tg_arena_reset(arena);
    }

    tg_arena_free(&arena);

    return 0;
}
