
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: from nginx -T, a dump of it, or files to a configuration.
 */

#include <cli/cli.h>
#include <cli/lint.h>

#include <core/base/base.h>

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>


#define READ_SIZE  (64 * 1024)


/* Where "include" looks: in a dump, or on the disk if there are no files. */

typedef struct {
    tg_str_t                dir;       /* of the main file, with its "/" */
    const cli_conf_file_t  *files;
    size_t                  n;
} place_t;


static int load(const char *name, tg_str_t text, const tg_alloc_t *alloc,
    cli_conf_t **root);
static int find_in_dump(void *ctx, tg_str_t pattern, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n, tg_error_t *error);
static int find_on_disk(void *ctx, tg_str_t pattern, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n, tg_error_t *error);
static int read_file(const char *name, const tg_alloc_t *alloc,
    tg_str_t *text);
static int read_all(int fd, const tg_alloc_t *alloc, tg_str_t *text);
static int run_nginx(const char *nginx, const tg_alloc_t *alloc,
    tg_str_t *text);
static char *full_name(const place_t *place, tg_str_t pattern,
    const tg_alloc_t *alloc);


extern char  **environ;


int
cli_lint_load(const char *path, const char *nginx, const tg_alloc_t *alloc,
    cli_conf_t **root)
{
    int       rc;
    tg_str_t  text;

    if (path == NULL) {
        rc = run_nginx(nginx, alloc, &text);

        return rc == CLI_OK ? load("nginx -T", text, alloc, root) : rc;
    }

    rc = strcmp(path, "-") == 0 ? read_all(STDIN_FILENO, alloc, &text)
                                : read_file(path, alloc, &text);

    if (rc == TG_ERR_LIMIT) {
        cli_error("lint", "%s: over %d MiB", path,
                  CLI_CONF_SIZE_MAX / (1024 * 1024));
        return CLI_USAGE;
    }

    if (rc != TG_OK) {
        cli_error("lint", "%s: %s", path, strerror(errno));
        return CLI_USAGE;
    }

    return load(path, text, alloc, root);
}


static int
load(const char *name, tg_str_t text, const tg_alloc_t *alloc,
    cli_conf_t **root)
{
    int               rc;
    size_t            i;
    tg_str_t          where;
    place_t           place = { 0 };
    tg_error_t        error = { 0 };
    cli_conf_file_t   file, *files;

    file.name.data = name;
    file.name.len = strlen(name);
    file.text = text;

    if (cli_conf_is_dump(text)) {
        rc = cli_conf_dump(text, alloc, &files, &place.n);

        if (rc != TG_OK) {
            cli_error("lint", "%s: %s", name, tg_strerror(rc));
            return CLI_USAGE;
        }

        place.files = files;
        file = files[0];
    }

    for (i = file.name.len; i > 0 && file.name.data[i - 1] != '/'; i--) {
        /* void */
    }

    place.dir.data = file.name.data;
    place.dir.len = i;

    rc = cli_conf_read(&file, place.files ? find_in_dump : find_on_disk,
                       &place, alloc, root, &where, &error);

    if (rc == TG_OK) {
        return CLI_OK;
    }

    (void) fflush(stdout);
    (void) fprintf(stderr, "%.*s:%zu: error: %s\n", (int) where.len,
                   where.data, error.line, error.text);

    return CLI_USAGE;
}


static int
find_in_dump(void *ctx, tg_str_t pattern, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n, tg_error_t *error)
{
    char            *wanted, *name;
    size_t           i;
    const place_t   *place = ctx;

    *n = 0;
    *files = tgi_alloc(alloc, place->n, sizeof(cli_conf_file_t));
    wanted = full_name(place, pattern, alloc);

    if (*files == NULL || wanted == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    for (i = 0; i < place->n; i++) {
        static const place_t  none = { 0 };

        name = full_name(&none, place->files[i].name, alloc);

        if (name == NULL) {
            return tgi_error(error, TG_ERR_NOMEM, "out of memory");
        }

        if (fnmatch(wanted, name, FNM_PATHNAME | FNM_PERIOD) == 0) {
            (*files)[(*n)++] = place->files[i];
        }
    }

    return TG_OK;
}


static int
find_on_disk(void *ctx, tg_str_t pattern, const tg_alloc_t *alloc,
    cli_conf_file_t **files, size_t *n, tg_error_t *error)
{
    int      rc;
    char    *wanted;
    size_t   i;
    glob_t   found;

    *n = 0;
    wanted = full_name(ctx, pattern, alloc);

    if (wanted == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    memset(&found, 0, sizeof(glob_t));

    rc = glob(wanted, strpbrk(wanted, "*?[") ? 0 : GLOB_NOCHECK, NULL,
              &found);

    if (rc == GLOB_NOMATCH) {
        globfree(&found);
        return TG_OK;
    }

    rc = rc == 0 ? TG_OK
                 : tgi_error(error, TG_ERR_MISSING, "cannot look for %s",
                             wanted);

    *files = tgi_alloc(alloc, found.gl_pathc + 1, sizeof(cli_conf_file_t));

    if (*files == NULL) {
        rc = tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    for (i = 0; rc == TG_OK && i < found.gl_pathc; i++) {
        cli_conf_file_t  *file = &(*files)[*n];

        rc = tgi_str_copy(&file->name, found.gl_pathv[i],
                          strlen(found.gl_pathv[i]), alloc);

        if (rc == TG_OK) {
            rc = read_file(found.gl_pathv[i], alloc, &file->text);
        }

        if (rc != TG_OK) {
            (void) tgi_error(error, rc, "%s: %s", found.gl_pathv[i],
                             rc == TG_ERR_MISSING ? strerror(errno)
                                                  : tg_strerror(rc));
            break;
        }

        (*n)++;
    }

    globfree(&found);

    return rc;
}


/* NUL-terminated; relative names are beside the main file. */

static char *
full_name(const place_t *place, tg_str_t pattern, const tg_alloc_t *alloc)
{
    char    *name;
    size_t   dir;

    dir = pattern.len > 0 && pattern.data[0] == '/' ? 0 : place->dir.len;
    name = tgi_alloc(alloc, dir + pattern.len + 1, 1);

    if (name == NULL) {
        return NULL;
    }

    if (dir > 0) {
        memcpy(name, place->dir.data, dir);
    }

    if (pattern.len > 0) {
        memcpy(name + dir, pattern.data, pattern.len);
    }

    name[dir + pattern.len] = '\0';

    return name;
}


/* TG_ERR_MISSING: errno tells why. */

static int
read_file(const char *name, const tg_alloc_t *alloc, tg_str_t *text)
{
    int  fd, rc, err;

    fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd == -1) {
        return TG_ERR_MISSING;
    }

    rc = read_all(fd, alloc, text);

    err = errno;
    (void) close(fd);
    errno = err;

    return rc;
}


static int
read_all(int fd, const tg_alloc_t *alloc, tg_str_t *text)
{
    char     *data, *bigger;
    size_t    len, size;
    ssize_t   n;

    len = 0;
    size = READ_SIZE;
    data = tgi_alloc(alloc, size, 1);

    while (data != NULL) {
        n = read(fd, data + len, size - len);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n == -1) {
            return TG_ERR_MISSING;
        }

        if (n == 0) {
            text->data = data;
            text->len = len;
            return TG_OK;
        }

        len += (size_t) n;

        if (len > CLI_CONF_SIZE_MAX) {
            return TG_ERR_LIMIT;
        }

        if (len == size) {
            bigger = tgi_alloc(alloc, 2 * size, 1);

            if (bigger != NULL) {
                memcpy(bigger, data, len);
            }

            data = bigger;
            size = 2 * size;
        }
    }

    errno = ENOMEM;

    return TG_ERR_MISSING;
}


/* nginx complains on standard error by itself. */

static int
run_nginx(const char *nginx, const tg_alloc_t *alloc, tg_str_t *text)
{
    int                          rc, status, fds[2];
    pid_t                        pid;
    char                        *argv[] = { (char *) (uintptr_t) nginx,
                                            (char []) { "-qT" }, NULL };
    posix_spawn_file_actions_t   actions;

    if (pipe2(fds, O_CLOEXEC) == -1) {
        cli_error("lint", "pipe: %s", strerror(errno));
        return CLI_UNAVAILABLE;
    }

    rc = posix_spawn_file_actions_init(&actions);

    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(&actions, fds[1],
                                              STDOUT_FILENO);

        if (rc == 0) {
            rc = posix_spawnp(&pid, nginx, &actions, NULL, argv, environ);
        }

        (void) posix_spawn_file_actions_destroy(&actions);
    }

    (void) close(fds[1]);

    if (rc != 0) {
        (void) close(fds[0]);
        cli_error("lint", "%s: %s; name a configuration file, or where nginx "
                  "is by --nginx", nginx, strerror(rc));
        return CLI_USAGE;
    }

    rc = read_all(fds[0], alloc, text);
    (void) close(fds[0]);

    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {
        /* void */
    }

    if (rc != TG_OK) {
        cli_error("lint", "%s -T: %s", nginx, tg_strerror(rc));
        return CLI_USAGE;
    }

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        cli_error("lint", "%s -T failed: its configuration is not valid, or "
                  "cannot be read by you", nginx);
        return CLI_USAGE;
    }

    return CLI_OK;
}
