
/*
 * Copyright (C) The Tailgate authors
 *
 * Flat records.  What unpacks packs to the very same bytes.  The head, which
 * no mutation would hit, is put in front of the input.
 */

#include <tailgate/identity.h>

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define HEAD_LEN    8
#define MEMORY_MAX  (1024 * 1024)


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static void
check_record(const char *record, size_t size, const tg_alloc_t *alloc)
{
    char           *again;
    size_t          len;
    tg_identity_t   identity;

    if (tg_identity_unpack(record, size, alloc, &identity) != TG_OK) {
        require(identity.status == TG_STATUS_NONE);
        return;
    }

    again = malloc(size);
    require(again != NULL);

    require(tg_identity_pack(&identity, again, size, &len) == TG_OK);
    require(len == size && memcmp(again, record, size) == 0);

    free(again);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           *record, head[512];
    size_t          len;
    uint32_t        total;
    tg_alloc_t      alloc;
    tg_arena_t     *arena;
    tg_identity_t   empty;

    arena = tg_arena_new(MEMORY_MAX);
    record = malloc(HEAD_LEN + size);
    require(arena != NULL && record != NULL);
    alloc = tg_arena_allocator(arena);

    /* as it is */

    if (size > 0) {
        memcpy(record, data, size);
        check_record(record, size, &alloc);
    }

    /* behind the magic of an empty record and the right length */

    memset(&empty, 0, sizeof(empty));
    require(tg_identity_pack(&empty, head, sizeof(head), &len) == TG_OK);

    total = (uint32_t) (HEAD_LEN + size);
    memcpy(record, head, HEAD_LEN);
    memcpy(record + HEAD_LEN / 2, &total, sizeof(total));

    if (size > 0) {
        memcpy(record + HEAD_LEN, data, size);
    }

    check_record(record, HEAD_LEN + size, &alloc);

    free(record);
    tg_arena_free(&arena);

    return 0;
}
