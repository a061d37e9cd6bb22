
/*
 * Copyright (C) The Tailgate authors
 *
 * Links are nobody's business but the tailnet's, and the file holds the key
 * of the forms: it is not for other accounts of the machine.
 */

#include "authd/store/sqlite_file.h"

#include "core/base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define MODE      0640
#define OTHERS    (S_IROTH|S_IWOTH)

#define SCHEME    "sqlite:"


static int
check_folder(int folder, const char *name, tg_error_t *error)
{
    struct stat  st;

    if (fstat(folder, &st) != 0) {
        return tgi_error(error, TG_ERR_ABSENT, "%s: %s", name,
                         strerror(errno));
    }

    if (st.st_mode & S_IWOTH) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s: other accounts may write into this folder, and "
                         "so replace the database: chmod o-w %s", name, name);
    }

    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s: the folder belongs to user %u, neither to root "
                         "nor to this process (%u): chown it", name,
                         (unsigned) st.st_uid, (unsigned) geteuid());
    }

    return TG_OK;
}


static int
check_file(int fd, const char *path, tg_error_t *error)
{
    struct stat  st;

    if (fstat(fd, &st) != 0) {
        return tgi_error(error, TG_ERR_ABSENT, "%s: %s", path,
                         strerror(errno));
    }

    if (!S_ISREG(st.st_mode)) {
        return tgi_error(error, TG_ERR_REFUSED, "%s: is no regular file",
                         path);
    }

    if (st.st_mode & OTHERS) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s: has mode %04o, other accounts may %s it: "
                         "chmod 0640 %s", path,
                         (unsigned) (st.st_mode & 07777),
                         st.st_mode & S_IWOTH ? "write" : "read", path);
    }

    return TG_OK;
}


/*
 * The descriptor of a file that was made is closed before SQLite opens the
 * path: a process that closes any descriptor of a file loses its locks on it.
 */

static int
open_file(int folder, const char *name, const char *path, tg_error_t *error)
{
    int  fd;

    fd = openat(folder, name, O_RDONLY|O_CLOEXEC|O_NOCTTY|O_NONBLOCK);
    if (fd != -1) {
        return fd;
    }

    if (errno == ENOENT) {
        fd = openat(folder, name, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, MODE);

        /* whatever the umask is; and the name is to survive a power cut */

        if (fd != -1 && fchmod(fd, MODE) == 0 && fsync(folder) == 0) {
            return fd;
        }
    }

    (void) tgi_error(error, TG_ERR_ABSENT, "%s: %s", path, strerror(errno));

    if (fd != -1) {
        (void) close(fd);
    }

    return -1;
}


int
authd_sqlite_file(char path[AUTHD_SQLITE_PATH_MAX], const char *url,
    tg_error_t *error)
{
    int          fd, folder, n, rc;
    char         dir[AUTHD_SQLITE_PATH_MAX];
    const char  *name;

    if (strncmp(url, SCHEME, sizeof(SCHEME) - 1) == 0) {
        url += sizeof(SCHEME) - 1;
    }

    if (url[0] != '/' || url[strlen(url) - 1] == '/') {
        return tgi_error(error, TG_ERR_REFUSED,
                         "\"%s\": the path of the database must be absolute, "
                         "or the store a postgresql:// URL", url);
    }

    n = snprintf(path, AUTHD_SQLITE_PATH_MAX, "%s", url);
    if (n >= AUTHD_SQLITE_PATH_MAX - (int) sizeof("-journal")) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "the path of the database is longer than %d bytes",
                         AUTHD_SQLITE_PATH_MAX - (int) sizeof("-journal"));
    }

    name = strrchr(path, '/') + 1;
    n = (int) (name - path);
    (void) snprintf(dir, sizeof(dir), "%.*s", n > 1 ? n - 1 : 1, path);

    rc = TG_ERR_ABSENT;
    fd = -1;

    folder = open(dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (folder == -1) {
        rc = tgi_error(error, TG_ERR_ABSENT, "%s: %s", dir, strerror(errno));
        goto out;
    }

    rc = check_folder(folder, dir, error);
    if (rc != TG_OK) {
        goto out;
    }

    fd = open_file(folder, name, path, error);
    if (fd == -1) {
        rc = TG_ERR_ABSENT;
        goto out;
    }

    rc = check_file(fd, path, error);

out:

    if (fd != -1) {
        (void) close(fd);
    }

    if (folder != -1) {
        (void) close(folder);
    }

    return rc;
}
