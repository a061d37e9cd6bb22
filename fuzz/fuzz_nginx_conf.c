
/*
 * Copyright (C) The Tailgate authors
 *
 * The reader of nginx configurations and dumps, and every rule of the lint.
 */

#include <cli/lint.h>

#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (64 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Includes are the input itself, so that they nest. */

static int
find(void *ctx, tg_str_t pattern, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n, tg_error_t *error)
{
    (void) alloc;
    (void) error;

    *files = ctx;
    *n = pattern.len % 2;

    return TG_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            i, n;
    tg_str_t          where, text;
    cli_conf_t       *root;
    tg_alloc_t        alloc;
    tg_arena_t       *arena;
    tg_error_t        error = { 0 };
    cli_lint_t        lint = { 0 };
    cli_conf_file_t   file, *files;

    /* each level of includes reads it all again */

    if (size == 0 || size > 1024) {
        return 0;
    }

    arena = tg_arena_new(ARENA_MAX);

    if (arena == NULL) {
        return 0;
    }

    alloc = tg_arena_allocator(arena);

    text.data = (const char *) data;
    text.len = size;

    file.name.data = "nginx.conf";
    file.name.len = strlen(file.name.data);
    file.text = text;
    files = &file;

    if (cli_conf_is_dump(text)
        && cli_conf_dump(text, &alloc, &files, &n) != TG_OK)
    {
        goto out;
    }

    if (cli_conf_read(files, find, files, &alloc, &root, &where, &error)
        != TG_OK)
    {
        if (where.len == 0) {
            abort();
        }

        goto out;
    }

    lint.alloc = &alloc;
    lint.root = root;
    lint.strip = tg_strip_new(&alloc);

    for (i = 0; i < cli_lint_nrules && lint.strip != NULL; i++) {
        cli_lint_run(&lint, &cli_lint_rules[i]);
    }

out:

    tg_arena_free(&arena);

    return 0;
}
