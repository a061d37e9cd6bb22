
/*
 * Copyright (C) The Tailgate authors
 *
 * A disk that loses its memory: an SQLite VFS over the default one that keeps
 * what every write has overwritten until the file is synchronised.  A power
 * cut is a copy of the files from which all that is taken back.
 */

#ifndef T_LOSSY_VFS_H_INCLUDED_
#define T_LOSSY_VFS_H_INCLUDED_

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include <cmocka.h>


typedef struct undo_s  undo_t;

struct undo_s {
    undo_t         *next;          /* the newest is first */
    char            name[256];
    int64_t         offset;
    int64_t         size;          /* of the file, before */
    size_t          n;             /* bytes of old */
    unsigned char   old[];
};

typedef struct {
    sqlite3_file    base;
    char            name[256];
} lossy_t;


static sqlite3_vfs        lossy_vfs;
static sqlite3_vfs       *real_vfs;
static pthread_mutex_t    lossy_lock = PTHREAD_MUTEX_INITIALIZER;
static undo_t            *undos;
static size_t             syncs;


static inline sqlite3_file *
real(sqlite3_file *file)
{
    return (sqlite3_file *) (void *) ((lossy_t *) (void *) file + 1);
}


/* Remembers the n bytes at offset, and how long the file is. */

static inline void
remember(sqlite3_file *file, int64_t offset, int64_t n)
{
    undo_t         *undo;
    sqlite3_int64   size = 0;

    (void) real(file)->pMethods->xFileSize(real(file), &size);

    if (offset >= size) {
        n = 0;

    } else if (offset + n > size) {
        n = size - offset;
    }

    undo = calloc(1, sizeof(undo_t) + (size_t) n);
    assert_non_null(undo);

    (void) snprintf(undo->name, sizeof(undo->name), "%s",
                    ((lossy_t *) (void *) file)->name);
    undo->offset = offset;
    undo->size = size;
    undo->n = (size_t) n;

    if (n) {
        assert_int_equal(real(file)->pMethods->xRead(real(file), undo->old,
                                                     (int) n, offset),
                         SQLITE_OK);
    }

    undo->next = undos;
    undos = undo;
}


static inline void
settle(const char *name)
{
    undo_t  **at, *undo;

    at = &undos;

    while (*at != NULL) {
        undo = *at;

        if (strcmp(undo->name, name) == 0) {
            *at = undo->next;
            free(undo);

        } else {
            at = &undo->next;
        }
    }
}


static inline int
lossy_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}


static inline int
lossy_read(sqlite3_file *file, void *buf, int n, sqlite3_int64 offset)
{
    return real(file)->pMethods->xRead(real(file), buf, n, offset);
}


static inline int
lossy_write(sqlite3_file *file, const void *buf, int n, sqlite3_int64 offset)
{
    int  rc;

    (void) pthread_mutex_lock(&lossy_lock);
    remember(file, offset, n);
    rc = real(file)->pMethods->xWrite(real(file), buf, n, offset);
    (void) pthread_mutex_unlock(&lossy_lock);

    return rc;
}


static inline int
lossy_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int  rc;

    (void) pthread_mutex_lock(&lossy_lock);
    remember(file, size, INT32_MAX);
    rc = real(file)->pMethods->xTruncate(real(file), size);
    (void) pthread_mutex_unlock(&lossy_lock);

    return rc;
}


static inline int
lossy_sync(sqlite3_file *file, int flags)
{
    int  rc;

    (void) pthread_mutex_lock(&lossy_lock);
    rc = real(file)->pMethods->xSync(real(file), flags);
    settle(((lossy_t *) (void *) file)->name);
    syncs++;
    (void) pthread_mutex_unlock(&lossy_lock);

    return rc;
}


static inline int
lossy_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real(file)->pMethods->xFileSize(real(file), size);
}


static inline int
lossy_take(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}


static inline int
lossy_give(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}


static inline int
lossy_reserved(sqlite3_file *file, int *is)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), is);
}


static inline int
lossy_control(sqlite3_file *file, int op, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), op, arg);
}


static inline int
lossy_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}


static inline int
lossy_device(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}


static inline int
lossy_shm_map(sqlite3_file *file, int page, int size, int extend,
    void volatile **at)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}


static inline int
lossy_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}


static inline void
lossy_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}


static inline int
lossy_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}


static const sqlite3_io_methods  lossy_methods = {
    2, lossy_close, lossy_read, lossy_write, lossy_truncate, lossy_sync,
    lossy_size, lossy_take, lossy_give, lossy_reserved, lossy_control,
    lossy_sector, lossy_device, lossy_shm_map, lossy_shm_lock,
    lossy_shm_barrier, lossy_shm_unmap, NULL, NULL
};


static inline int
lossy_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file,
    int flags, int *out)
{
    int       rc;
    lossy_t  *lossy = (lossy_t *) (void *) file;

    (void) vfs;

    rc = real_vfs->xOpen(real_vfs, name, real(file), flags, out);

    if (rc == SQLITE_OK) {
        lossy->base.pMethods = &lossy_methods;
        (void) snprintf(lossy->name, sizeof(lossy->name), "%s",
                        name ? name : "");
    }

    return rc;
}


/* The disk of all that is opened from now on. */

static inline void
lossy_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    assert_non_null(real_vfs);

    lossy_vfs = *real_vfs;
    lossy_vfs.zName = "lossy";
    lossy_vfs.szOsFile = real_vfs->szOsFile + (int) sizeof(lossy_t);
    lossy_vfs.xOpen = lossy_open;

    assert_int_equal(sqlite3_vfs_register(&lossy_vfs, 1), SQLITE_OK);
}


static inline void
lossy_remove(void)
{
    undo_t  *undo;

    assert_int_equal(sqlite3_vfs_unregister(&lossy_vfs), SQLITE_OK);

    while (undos != NULL) {
        undo = undos;
        undos = undo->next;
        free(undo);
    }
}


static inline void
lossy_copy(const char *from, const char *to)
{
    int      in, out;
    char     buf[65536];
    ssize_t  n;

    in = open(from, O_RDONLY);
    if (in == -1) {
        return;
    }

    out = open(to, O_RDWR|O_CREAT|O_TRUNC, 0640);
    assert_true(out != -1);

    for ( ;; ) {
        n = read(in, buf, sizeof(buf));
        assert_true(n >= 0);

        if (n == 0) {
            break;
        }

        assert_int_equal(write(out, buf, (size_t) n), n);
    }

    (void) close(in);
    (void) close(out);
}


/*
 * What is on the disk of the file from, at this moment, becomes the file to:
 * whatever was not synchronised is not.
 */

static inline void
lossy_cut(const char *from, const char *to)
{
    int      fd;
    undo_t  *undo;

    (void) unlink(to);
    lossy_copy(from, to);

    fd = open(to, O_RDWR);
    if (fd == -1) {
        return;
    }

    for (undo = undos; undo != NULL; undo = undo->next) {
        if (strcmp(undo->name, from) != 0) {
            continue;
        }

        if (undo->n) {
            assert_int_equal(pwrite(fd, undo->old, undo->n, undo->offset),
                             (ssize_t) undo->n);
        }

        assert_int_equal(ftruncate(fd, undo->size), 0);
    }

    (void) close(fd);
}


#endif /* T_LOSSY_VFS_H_INCLUDED_ */
