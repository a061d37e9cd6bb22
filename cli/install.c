
/*
 * Copyright (C) The Tailgate authors
 *
 * A file replaced as one.
 */

#include <cli/install.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>


#define NEW_MODE  0644


static bool fail(cli_install_t *install, const char *what, int error);
static bool look(cli_install_t *install);
static bool write_all(int fd, tg_str_t bytes);
static bool own(const cli_install_t *install, int fd);


bool
cli_install_open(cli_install_t *install, const char *path)
{
    char         folder[PATH_MAX];
    size_t       len;
    struct stat  st;
    const char  *slash;

    memset(install, 0, sizeof(cli_install_t));

    install->path = path;
    install->dir = -1;

    slash = strrchr(path, '/');
    install->base = slash ? slash + 1 : path;
    len = slash == NULL ? 0 : slash == path ? 1 : (size_t) (slash - path);

    if (len >= sizeof(folder) || install->base[0] == '\0') {
        return fail(install, "is no path of a file", 0);
    }

    memcpy(folder, path, len);
    folder[len] = '\0';

    install->dir = open(len ? folder : ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (install->dir == -1 || fstat(install->dir, &st) == -1) {
        return fail(install, "its folder cannot be opened", errno);
    }

    if (st.st_mode & (S_IWGRP|S_IWOTH)) {
        return fail(install, "others than the owner of its folder may write to"
                    " that, and so replace the file: chmod go-w it", 0);
    }

    return look(install);
}


void
cli_install_close(cli_install_t *install)
{
    if (install->dir != -1) {
        (void) close(install->dir);
        install->dir = -1;
    }
}


bool
cli_install_read(cli_install_t *install, size_t max, const tg_alloc_t *alloc,
    tg_str_t *bytes)
{
    int      fd;
    char    *data;
    size_t   len;
    ssize_t  n;

    fd = openat(install->dir, install->base,
                O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);
    data = alloc->alloc(alloc->ctx, max + 1);

    if (fd == -1 || data == NULL) {
        (void) fail(install, "cannot be read", fd == -1 ? errno : ENOMEM);
        goto out;
    }

    len = 0;

    do {
        n = read(fd, data + len, max + 1 - len);
        len += n > 0 ? (size_t) n : 0;

    } while ((n > 0 && len <= max) || (n == -1 && errno == EINTR));

    if (n == -1 || len > max) {
        (void) fail(install, "cannot be read", n == -1 ? errno : EFBIG);
        data = NULL;
        goto out;
    }

    bytes->data = data;
    bytes->len = len;

out:

    if (fd != -1) {
        (void) close(fd);
        return data != NULL;
    }

    return false;
}


bool
cli_install_write(cli_install_t *install, tg_str_t bytes)
{
    int       fd;
    char      name[NAME_MAX + 1];
    uint64_t  random;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
        return fail(install, "no random bytes", errno);
    }

    if ((size_t) snprintf(name, sizeof(name), ".%s.%016" PRIx64,
                          install->base, random)
        >= sizeof(name))
    {
        return fail(install, "its name is too long", 0);
    }

    fd = openat(install->dir, name,
                O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600);

    if (fd == -1) {
        return fail(install, "its folder cannot be written to", errno);
    }

    /* all of it is on the disk before its name is */

    if (!write_all(fd, bytes) || !own(install, fd) || fsync(fd) == -1
        || renameat(install->dir, name, install->dir, install->base) == -1)
    {
        (void) fail(install, "cannot be written", errno);
        (void) unlinkat(install->dir, name, 0);
        (void) close(fd);
        return false;
    }

    (void) close(fd);

    if (fsync(install->dir) == -1) {
        return fail(install, "its folder cannot be written to", errno);
    }

    return true;
}


bool
cli_install_remove(cli_install_t *install)
{
    if (unlinkat(install->dir, install->base, 0) == -1
        || fsync(install->dir) == -1)
    {
        return fail(install, "cannot be removed", errno);
    }

    return true;
}


static bool
fail(cli_install_t *install, const char *what, int error)
{
    (void) snprintf(install->error, sizeof(install->error), "%s%s%s", what,
                    error ? ": " : "", error ? strerror(error) : "");

    return false;
}


static bool
look(cli_install_t *install)
{
    if (fstatat(install->dir, install->base, &install->st,
                AT_SYMLINK_NOFOLLOW)
        == -1)
    {
        return errno == ENOENT || fail(install, "cannot be looked at", errno);
    }

    install->exists = true;

    if (S_ISLNK(install->st.st_mode)) {
        return fail(install, "is a symbolic link: name what it points to", 0);
    }

    if (!S_ISREG(install->st.st_mode)) {
        return fail(install, "is no regular file", 0);
    }

    return true;
}


static bool
write_all(int fd, tg_str_t bytes)
{
    ssize_t  n;

    while (bytes.len != 0) {
        n = write(fd, bytes.data, bytes.len);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return false;
        }

        bytes.data += n;
        bytes.len -= (size_t) n;
    }

    return true;
}


/* The owner first: a change of it may take bits of the mode away. */

static bool
own(const cli_install_t *install, int fd)
{
    if (!install->exists) {
        return fchmod(fd, NEW_MODE) == 0;
    }

    if ((install->st.st_uid != geteuid() || install->st.st_gid != getegid())
        && fchown(fd, install->st.st_uid, install->st.st_gid) == -1)
    {
        return false;
    }

    return fchmod(fd, install->st.st_mode & 07777) == 0;
}
