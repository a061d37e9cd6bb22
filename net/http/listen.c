
/*
 * Copyright (C) The Tailgate authors
 *
 * Listening sockets: made with exactly the rights that were asked for, or
 * inherited, and nothing that the network could reach.
 */

#include <net/http/http.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <netinet/in.h>


#define BACKLOG       511
#define ACCEPT_BATCH  64


#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static int
fault(tg_error_t *error, int code, const char *fmt, ...)
{
    va_list  args;

    error->code = code;
    error->line = 0;
    error->column = 0;

    va_start(args, fmt);
    (void) vsnprintf(error->text, sizeof(error->text), fmt, args);
    va_end(args);

    return code;
}


static void
on_listener(tgn_poll_t *poll, unsigned events, void *data)
{
    int              fd, i;
    tgn_http_t      *http;
    tgn_listener_t  *l = data;

    (void) poll;
    (void) events;

    http = l->http;

    /* callbacks and the limits may close the listener in between */

    for (i = 0; i < ACCEPT_BATCH; i++) {

        fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);

        if (fd == -1) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }

            if (errno != EAGAIN) {
                tgn_http_say(http, TGN_HTTP_LOG_ERROR, NULL,
                             errno == EMFILE || errno == ENFILE
                             ? "there is no descriptor left for a connection:"
                               " raise the limit of open files"
                             : "a connection could not be accepted");
                tgn_http_exhausted(http);
            }

            return;
        }

        tgn_http_accept(l, fd);

        if (http->listeners == NULL
            || http->nconns >= http->conf.limits.connections)
        {
            return;
        }
    }
}


bool
tgn_listener_on(tgn_listener_t *l, bool on)
{
    return tgn_poll_set(l->poll, on ? TGN_POLL_READ : 0) == TG_OK;
}


void
tgn_listener_close(tgn_listener_t *l)
{
    struct stat  st;

    tgn_poll_free(&l->poll);

    /* somebody may have put another one in its place */

    if (l->path && lstat(l->path, &st) == 0 && st.st_dev == l->dev
        && st.st_ino == l->ino)
    {
        (void) unlink(l->path);
    }

    if (l->fd != -1) {
        (void) close(l->fd);
    }

    free(l->path);
    free(l);
}


/* Takes fd and path over, on success only. */

static int
add(tgn_http_t *http, int fd, char *path, const struct stat *st,
    void *data, tg_error_t *error)
{
    socklen_t                len;
    tgn_listener_t          *l, **last;
    struct sockaddr_storage  ss;

    l = calloc(1, sizeof(tgn_listener_t));
    if (l == NULL) {
        return fault(error, TG_ERR_NOMEM, "no memory for a listener");
    }

    l->http = http;
    l->fd = fd;
    l->data = data;

    len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *) &ss, &len) == 0) {
        (void) tg_addr_from_sockaddr(&l->addr, (struct sockaddr *) &ss, len);
    }

    l->poll = tgn_poll_new(http->loop, fd, on_listener, l);

    if (l->poll == NULL || !tgn_listener_on(l, true)) {
        tgn_poll_free(&l->poll);
        free(l);
        return fault(error, TG_ERR_NOMEM, "a listener could not be watched");
    }

    if (path) {
        l->path = path;
        l->dev = st->st_dev;
        l->ino = st->st_ino;
    }

    for (last = &http->listeners; *last; last = &(*last)->next) { /* void */ }

    *last = l;

    return TG_OK;
}


/*
 * Whether path may be bound: nothing is there, or a socket that nobody
 * listens on any more, which is then removed.
 */

static int
make_room(const char *path, const struct sockaddr_un *sun, tg_error_t *error)
{
    int          fd, rc;
    struct stat  st;

    if (lstat(path, &st) == -1) {
        return errno == ENOENT
               ? TG_OK
               : fault(error, TG_ERR_REFUSED, "\"%s\": %s", path,
                       strerror(errno));
    }

    if (!S_ISSOCK(st.st_mode)) {
        return fault(error, TG_ERR_REFUSED,
                     "\"%s\" exists and is no socket: remove it, or choose"
                     " another path", path);
    }

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return fault(error, TG_ERR_REFUSED, "socket() failed: %s",
                     strerror(errno));
    }

    rc = connect(fd, (const struct sockaddr *) sun, sizeof(*sun));

    if (rc == 0 || errno != ECONNREFUSED) {
        (void) close(fd);
        return fault(error, TG_ERR_REFUSED,
                     "\"%s\": another process listens there: stop it, or"
                     " choose another path", path);
    }

    (void) close(fd);

    if (unlink(path) == -1) {
        return fault(error, TG_ERR_REFUSED,
                     "\"%s\": a stale socket could not be removed: %s", path,
                     strerror(errno));
    }

    return TG_OK;
}


int
tgn_listen_unix(const char *path, mode_t mode, uid_t owner, gid_t group,
    int *fdp, tg_error_t *error)
{
    int                 fd, rc;
    struct sockaddr_un  sun;

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;

    if (path[0] == '\0' || strlen(path) >= sizeof(sun.sun_path)) {
        return fault(error, TG_ERR_LIMIT,
                     "\"%.100s\": a socket's path has 1 to %zu bytes", path,
                     sizeof(sun.sun_path) - 1);
    }

    memcpy(sun.sun_path, path, strlen(path));

    rc = make_room(path, &sun, error);
    if (rc != TG_OK) {
        return rc;
    }

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return fault(error, TG_ERR_NOMEM, "\"%s\": %s", path,
                     strerror(errno));
    }

    /*
     * Nobody can connect before listen(), so the rights are right from the
     * first moment on.  The umask would be everybody's, so it stays.
     */

    if (bind(fd, (struct sockaddr *) &sun, sizeof(sun)) == -1) {
        rc = fault(error, TG_ERR_REFUSED, "\"%s\": bind() failed: %s%s", path,
                   strerror(errno),
                   errno == ENOENT ? ": its folder has to exist" : "");
        goto failed;
    }

    if (((owner != (uid_t) -1 || group != (gid_t) -1)
         && lchown(path, owner, group) == -1)
        || chmod(path, mode) == -1 || listen(fd, BACKLOG) == -1)
    {
        rc = fault(error, TG_ERR_REFUSED,
                   "\"%s\": its owner, group or mode could not be set: %s",
                   path, strerror(errno));
        (void) unlink(path);
        goto failed;
    }

    *fdp = fd;

    return TG_OK;

failed:

    (void) close(fd);

    return rc;
}


int
tgn_http_listen_unix(tgn_http_t *http, const char *path, mode_t mode,
    uid_t owner, gid_t group, void *listener, tg_error_t *error)
{
    int          fd, rc;
    char        *copy;
    struct stat  st;

    rc = tgn_listen_unix(path, mode, owner, group, &fd, error);
    if (rc != TG_OK) {
        return rc;
    }

    copy = strdup(path);

    if (copy == NULL || lstat(path, &st) == -1) {
        rc = fault(error, TG_ERR_NOMEM, "\"%s\": no memory", path);
        goto failed;
    }

    rc = add(http, fd, copy, &st, listener, error);

    if (rc == TG_OK) {
        return TG_OK;
    }

failed:

    (void) unlink(path);
    (void) close(fd);
    free(copy);

    return rc;
}


static socklen_t
to_sockaddr(const tg_addr_t *addr, struct sockaddr_storage *ss)
{
    struct sockaddr_in   *sin = (struct sockaddr_in *) ss;
    struct sockaddr_in6  *sin6 = (struct sockaddr_in6 *) ss;

    memset(ss, 0, sizeof(*ss));

    if (addr->family == TG_ADDR_V4) {
        sin->sin_family = AF_INET;
        sin->sin_port = htons(addr->port);
        memcpy(&sin->sin_addr, addr->bytes, 4);

        return sizeof(*sin);
    }

    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons(addr->port);
    memcpy(&sin6->sin6_addr, addr->bytes, 16);

    return sizeof(*sin6);
}


/* Of an address that was found to be one that may be listened on. */

static int
listen_tcp(tgn_http_t *http, const tg_addr_t *addr, const char *text,
    void *listener, tg_error_t *error)
{
    int                      fd, rc, one;
    socklen_t                len;
    struct sockaddr_storage  ss;

    len = to_sockaddr(addr, &ss);

    fd = socket(ss.ss_family, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return fault(error, TG_ERR_REFUSED, "%s: socket() failed: %s", text,
                     strerror(errno));
    }

    one = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1
        || bind(fd, (struct sockaddr *) &ss, len) == -1
        || listen(fd, BACKLOG) == -1)
    {
        rc = fault(error, TG_ERR_REFUSED, "%s: %s%s", text, strerror(errno),
                   errno == EADDRINUSE ? ": another process listens there"
                                       : "");
        goto failed;
    }

    rc = add(http, fd, NULL, NULL, listener, error);

    if (rc == TG_OK) {
        return TG_OK;
    }

failed:

    (void) close(fd);

    return rc;
}


int
tgn_http_listen_tcp(tgn_http_t *http, const tg_addr_t *addr, void *listener,
    tg_error_t *error)
{
    char  text[TG_ADDR_TEXT_MAX];

    (void) tg_addr_format(addr, true, text);

    if (!tg_addr_is_loopback(addr)) {
        return fault(error, TG_ERR_REFUSED,
                     "%s is no loopback address: listen on 127.0.0.1 or ::1,"
                     " or on a Unix socket", text);
    }

    return listen_tcp(http, addr, text, listener, error);
}


int
tgn_http_listen_tailnet(tgn_http_t *http, const tg_addr_t *addr,
    void *listener, tg_error_t *error)
{
    char  text[TG_ADDR_TEXT_MAX];

    (void) tg_addr_format(addr, true, text);

    if (!tg_addr_is_tailnet(addr)) {
        return fault(error, TG_ERR_REFUSED,
                     "%s is no address of a tailnet: they are in"
                     " 100.64.0.0/10 and fd7a:115c:a1e0::/48", text);
    }

    return listen_tcp(http, addr, text, listener, error);
}


void
tgn_http_unlisten_addr(tgn_http_t *http, const tg_addr_t *addr)
{
    tgn_listener_t  *l, **next;

    for (next = &http->listeners; *next != NULL; /* void */ ) {
        l = *next;

        if (!tg_addr_equal(&l->addr, addr) || l->addr.port != addr->port) {
            next = &l->next;
            continue;
        }

        *next = l->next;
        tgn_listener_close(l);
    }
}


int
tgn_http_listen_fd(tgn_http_t *http, int fd, void *listener,
    tg_error_t *error)
{
    int                      type, listening;
    tg_addr_t                addr;
    socklen_t                len;
    struct sockaddr_storage  ss;

    len = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1) {
        return fault(error, TG_ERR_TYPE, "descriptor %d is no socket: %s", fd,
                     strerror(errno));
    }

    len = sizeof(listening);

    if (type != SOCK_STREAM
        || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1
        || !listening)
    {
        return fault(error, TG_ERR_TYPE,
                     "descriptor %d is no listening stream socket: the socket"
                     " unit needs ListenStream= and Accept=no", fd);
    }

    len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *) &ss, &len) == -1
        || tg_addr_from_sockaddr(&addr, (struct sockaddr *) &ss, len) != TG_OK)
    {
        return fault(error, TG_ERR_TYPE,
                     "descriptor %d is neither a Unix nor an IP socket", fd);
    }

    if (addr.family != TG_ADDR_UNIX && !tg_addr_is_loopback(&addr)) {
        return fault(error, TG_ERR_REFUSED,
                     "descriptor %d listens on an address that is no loopback"
                     " address: use 127.0.0.1, ::1 or a Unix socket", fd);
    }

    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1
        || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
    {
        return fault(error, TG_ERR_TYPE, "descriptor %d: %s", fd,
                     strerror(errno));
    }

    return add(http, fd, NULL, NULL, listener, error);
}


int
tgn_http_listener_addr(const tgn_http_t *http, size_t n, tg_addr_t *addr)
{
    const tgn_listener_t  *l;

    for (l = http->listeners; l; l = l->next) {

        if (n-- == 0) {
            *addr = l->addr;
            return TG_OK;
        }
    }

    return TG_ERR_ABSENT;
}
