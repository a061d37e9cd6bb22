
/*
 * Copyright (C) The Tailgate authors
 *
 * A whole file, whose size is not known before: it may be a pipe.
 */

#include <cli/read.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define READ_SIZE  65536


/* malloc()ed; NULL with errno set. */

static char *
read_all(FILE *file, size_t max, size_t *len)
{
    char    *data, *larger;
    size_t   size;

    size = READ_SIZE;
    *len = 0;

    data = malloc(size);

    while (data != NULL) {
        *len += fread(data + *len, 1, size - *len, file);

        if (*len > max) {
            errno = EFBIG;
            free(data);
            return NULL;
        }

        if (*len < size) {
            break;
        }

        size *= 2;
        larger = realloc(data, size);

        if (larger == NULL) {
            free(data);
        }

        data = larger;
    }

    if (data != NULL && ferror(file)) {
        free(data);
        return NULL;
    }

    return data;
}


int
cli_read(const char *path, size_t max, const tg_alloc_t *alloc,
    tg_str_t *text)
{
    int      error;
    char    *data, *copy;
    FILE    *file;
    size_t   len;

    len = 0;
    data = NULL;
    copy = NULL;
    errno = 0;

    file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file != NULL) {
        data = read_all(file, max, &len);
    }

    error = errno != 0 ? errno : EIO;

    if (data != NULL) {
        copy = alloc->alloc(alloc->ctx, len + 1);
        error = ENOMEM;
    }

    if (copy != NULL) {
        memcpy(copy, data, len);
        copy[len] = '\0';
        *text = (tg_str_t) { copy, len };
        error = 0;
    }

    free(data);

    if (file != NULL && file != stdin) {
        (void) fclose(file);
    }

    return error;
}
