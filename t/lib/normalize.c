
/*
 * Copyright (C) The Tailgate authors
 *
 * Reads raw paths, one a line as hexadecimal digits, and prints for each what
 * tg_path_normalize() makes of it, in hexadecimal digits too, or the error.
 */

#include <tailgate/policy.h>

#include <stdio.h>
#include <string.h>


#define LINE_MAX_LEN  (3 * TG_PATH_MAX)


static int
digit(char c)
{
    return (c >= 'a') ? c - 'a' + 10 : c - '0';
}


static void
print_path(tg_str_t path)
{
    size_t  i;

    printf("/");

    for (i = 0; i < path.len; i++) {
        printf("%02x", (unsigned) (unsigned char) path.data[i]);
    }

    printf("\n");
}


int
main(void)
{
    int          rc;
    char         line[LINE_MAX_LEN], raw[LINE_MAX_LEN / 2];
    size_t       i;
    tg_str_t     path;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    arena = tg_arena_new((size_t) 1 << 30);

    if (arena == NULL) {
        return 1;
    }

    alloc = tg_arena_allocator(arena);

    while (fgets(line, sizeof(line), stdin) != NULL) {

        for (i = 0; line[2 * i] != '\n'; i++) {
            raw[i] = (char) (digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
        }

        rc = tg_path_normalize((tg_str_t) { raw, i }, &alloc, &path);

        if (rc != TG_OK) {
            printf("%s\n", tg_strerror(rc));

        } else {
            print_path(path);
        }

        tg_arena_reset(arena);
    }

    tg_arena_free(&arena);

    return 0;
}
