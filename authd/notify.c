
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>


static bool env_number(const char *name, uintmax_t max, uintmax_t *n);


bool
authd_notify(const char *state)
{
    int                  fd;
    bool                 ok;
    size_t               len;
    ssize_t              rc;
    socklen_t            size;
    const char          *path;
    struct sockaddr_un   sun;

    path = getenv("NOTIFY_SOCKET");

    if (path == NULL || (path[0] != '/' && path[0] != '@')) {
        return false;
    }

    len = strlen(path);

    if (len < 2 || len >= sizeof(sun.sun_path)) {
        return false;
    }

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    memcpy(sun.sun_path, path, len);

    /* "@" stands for the NUL of an abstract socket, unix(7) */

    if (path[0] == '@') {
        sun.sun_path[0] = '\0';
    }

    size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len);

    fd = socket(AF_UNIX, SOCK_DGRAM|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return false;
    }

    len = strlen(state);

    do {
        rc = sendto(fd, state, len, MSG_NOSIGNAL,
                    (const struct sockaddr *) &sun, size);
    } while (rc == -1 && errno == EINTR);

    ok = (rc == (ssize_t) len);

    (void) close(fd);

    return ok;
}


bool
authd_notify_ready(const char *status)
{
    char  state[512];

    (void) snprintf(state, sizeof(state), "READY=1\nSTATUS=%s\n", status);

    return authd_notify(state);
}


bool
authd_notify_reloading(void)
{
    char             state[128];
    uint64_t         usec;
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    usec = (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;

    (void) snprintf(state, sizeof(state),
                    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", usec);

    return authd_notify(state);
}


uint64_t
authd_notify_watchdog(void)
{
    uintmax_t  pid, usec;

    if (getenv("WATCHDOG_PID") != NULL
        && (!env_number("WATCHDOG_PID", INT32_MAX, &pid)
            || (pid_t) pid != getpid()))
    {
        return 0;
    }

    if (!env_number("WATCHDOG_USEC", UINT64_MAX, &usec)) {
        return 0;
    }

    /* twice as often as asked for, as sd_watchdog_enabled(3) advises */

    return usec / 2000;
}


int
authd_listen_fds(void)
{
    int        fd, flags, n;
    uintmax_t  pid, count;

    n = 0;

    if (getenv("LISTEN_PID") == NULL || getenv("LISTEN_FDS") == NULL) {
        goto out;
    }

    if (!env_number("LISTEN_PID", INT32_MAX, &pid)
        || !env_number("LISTEN_FDS", AUTHD_LISTEN_FDS_MAX, &count))
    {
        n = -1;
        goto out;
    }

    if ((pid_t) pid != getpid()) {
        goto out;
    }

    for (n = 0; n < (int) count; n++) {
        fd = AUTHD_LISTEN_FDS_START + n;

        flags = fcntl(fd, F_GETFD);

        if (flags == -1 || fcntl(fd, F_SETFD, flags|FD_CLOEXEC) == -1) {
            n = -1;
            goto out;
        }
    }

out:

    (void) unsetenv("LISTEN_PID");
    (void) unsetenv("LISTEN_FDS");
    (void) unsetenv("LISTEN_FDNAMES");

    return n;
}


static bool
env_number(const char *name, uintmax_t max, uintmax_t *n)
{
    char        *end;
    const char  *text;

    text = getenv(name);

    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return false;
    }

    errno = 0;
    *n = strtoumax(text, &end, 10);

    return errno == 0 && *end == '\0' && *n <= max;
}
