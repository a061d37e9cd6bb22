
/*
 * Copyright (C) The Tailgate authors
 *
 * golink's database, from anybody: the file is read as an import reads it.
 */

#include "authd/store/golink_db.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define SIZE_LIMIT  (256 * 1024)


typedef struct {
    size_t    size;            /* of the file */
    uint64_t  rows;
    uint64_t  bytes;
    bool      clicks;
} seen_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* A row takes its place in the file, and a text its bytes. */

static int
seen(seen_t *self, size_t bytes)
{
    self->rows++;
    self->bytes += bytes;

    if (self->rows > self->size || self->bytes > 32 * (uint64_t) self->size) {
        abort();
    }

    return TG_OK;
}


static int
on_link(void *data, const authd_golink_link_t *link)
{
    seen_t  *self = data;

    if (self->clicks || link->name.data == NULL || link->url.data == NULL
        || link->owner.data == NULL)
    {
        abort();
    }

    return seen(self, link->name.len + link->url.len + link->owner.len);
}


static int
on_clicks(void *data, const authd_golink_clicks_t *clicks)
{
    seen_t  *self = data;

    self->clicks = true;

    if (clicks->day < 0 || clicks->n == 0 || clicks->n > INT64_MAX) {
        abort();
    }

    return seen(self, clicks->id.len);
}


static void
name(char path[64], const char *suffix)
{
    (void) snprintf(path, 64, "/tmp/tggolink-fuzz.%ld%s", (long) getpid(),
                    suffix);
}


/* The file, and what SQLite puts beside one that says it is in WAL mode. */

static void
clean(void)
{
    char    path[64];
    size_t  i;

    static const char *const  suffixes[] = { "", "-wal", "-shm", "-journal" };

    for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        name(path, suffixes[i]);
        (void) unlink(path);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                     rc;
    char                    path[64];
    FILE                   *file;
    seen_t                  self;
    tg_error_t              error;
    static bool             begun;
    authd_golink_reader_t   reader;

    if (size > SIZE_LIMIT) {
        return 0;
    }

    if (!begun) {
        begun = atexit(clean) == 0;
    }

    clean();
    name(path, "");

    file = fopen(path, "wb");

    if (file == NULL || fwrite(data, 1, size, file) != size
        || fclose(file) != 0)
    {
        abort();
    }

    memset(&self, 0, sizeof(seen_t));
    self.size = size;

    reader = (authd_golink_reader_t) { on_link, on_clicks, &self };

    memset(&error, 0, sizeof(tg_error_t));
    rc = authd_golink_read(path, &reader, &error);

    if (rc != TG_OK && error.text[0] == '\0') {
        abort();
    }

    if (rc == TG_OK
        && !authd_golink_is_sqlite((const char *) data, size))
    {
        abort();
    }

    return 0;
}
