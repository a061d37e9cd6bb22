
/*
 * Copyright (C) The Tailgate authors
 *
 * A bounded arena: blocks in a list, all of them freed at once.
 */

#include <tailgate/base.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>


#define ARENA_BLOCK  4096
#define ARENA_ALIGN  alignof(max_align_t)


typedef struct arena_block_s  arena_block_t;

struct arena_block_s {
    arena_block_t         *next;
    size_t                 size;
    size_t                 used;
    alignas(max_align_t)
    unsigned char          data[];
};

struct tg_arena_s {
    arena_block_t  *blocks;    /* the one that is being filled comes first */
    size_t          left;
    size_t          max;
};


tg_arena_t *
tg_arena_new(size_t max)
{
    tg_arena_t  *arena;

    arena = calloc(1, sizeof(tg_arena_t));
    if (arena == NULL) {
        return NULL;
    }

    arena->max = max;
    arena->left = max;

    return arena;
}


void
tg_arena_reset(tg_arena_t *arena)
{
    arena_block_t  *block;

    while (arena->blocks != NULL) {
        block = arena->blocks;
        arena->blocks = block->next;

        /* logins and pictures are nobody else's business */
        explicit_bzero(block->data, block->used);
        free(block);
    }

    arena->left = arena->max;
}


void
tg_arena_free(tg_arena_t **arena)
{
    if (*arena == NULL) {
        return;
    }

    tg_arena_reset(*arena);
    free(*arena);
    *arena = NULL;
}


static arena_block_t *
add_block(tg_arena_t *arena, size_t size)
{
    arena_block_t  *block;

    if (size < ARENA_BLOCK) {
        size = ARENA_BLOCK;
    }

    block = calloc(1, sizeof(arena_block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;

    return block;
}


void *
tg_arena_alloc(tg_arena_t *arena, size_t size)
{
    void           *p;
    arena_block_t  *block;

    /* the second bound keeps the rounding below from an overflow */

    if (size > arena->left || size > SIZE_MAX / 2) {
        return NULL;
    }

    if (size == 0) {
        size = 1;
    }

    size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;

    block = arena->blocks;

    if (block == NULL || size > block->size - block->used) {
        block = add_block(arena, size);
        if (block == NULL) {
            return NULL;
        }
    }

    p = block->data + block->used;
    block->used += size;
    arena->left -= size < arena->left ? size : arena->left;

    return p;
}


size_t
tg_arena_used(const tg_arena_t *arena)
{
    return arena->max - arena->left;
}


static void *
alloc_from_arena(void *ctx, size_t size)
{
    return tg_arena_alloc(ctx, size);
}


tg_alloc_t
tg_arena_allocator(tg_arena_t *arena)
{
    return (tg_alloc_t) { alloc_from_arena, arena };
}
