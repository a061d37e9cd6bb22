
/*
 * Copyright (C) The Tailgate authors
 *
 * The control socket: a line is a JSON list of words, and is answered by a
 * line that is a JSON object.  It is for the user who started devnet.
 */

#include <cli/cli.h>
#include <cli/devnet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>


#define LINE_MAX_LEN  (1024 * 1024)
#define CLIENTS_MAX   64
#define READ_SIZE     16384

/* A client that does not read what it asked for. */

#define SEND_TIMEOUT  5


struct cli_client_s {
    cli_client_t    *next;
    cli_devnet_t    *devnet;
    tgn_poll_t      *poll;
    char            *line;
    size_t           len;
    int              fd;
};


static void
hang_up(cli_client_t *client)
{
    cli_client_t  **last;

    for (last = &client->devnet->clients; *last != client;
         last = &(*last)->next)
    {
        /* void */
    }

    *last = client->next;

    tgn_poll_free(&client->poll);
    (void) close(client->fd);

    free(client->line);
    free(client);
}


/* Waits for the client if it has to: who controls devnet may hold it up. */

static bool
send_all(int fd, const char *text, size_t len)
{
    size_t         sent;
    ssize_t        n;
    fd_set         set;
    struct timeval tv;

    for (sent = 0; sent < len; /* void */) {
        n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (size_t) n;
            continue;
        }

        if (errno == EINTR) {
            continue;
        }

        if (errno != EAGAIN || fd >= FD_SETSIZE) {
            return false;
        }

        FD_ZERO(&set);
        FD_SET(fd, &set);

        tv.tv_sec = SEND_TIMEOUT;
        tv.tv_usec = 0;

        if (select(fd + 1, NULL, &set, NULL, &tv) == 0) {
            return false;
        }
    }

    return true;
}


static bool
answer(cli_client_t *client, const char *line, size_t len)
{
    bool          sent;
    char         *text, *grown;
    size_t        n;
    json_t       *words, *result;
    json_error_t  error;

    words = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

    result = json_is_array(words)
             ? cli_command_run(client->devnet, words)
             : json_pack("{s:s}", "error", "a command is a JSON list of words");

    json_decref(words);

    text = result ? cli_json_text(result, false, &n) : NULL;
    json_decref(result);

    grown = text ? realloc(text, n + 2) : NULL;

    if (grown == NULL) {
        free(text);
        return false;
    }

    grown[n] = '\n';

    sent = send_all(client->fd, grown, n + 1);
    free(grown);

    return sent;
}


static bool
answer_lines(cli_client_t *client)
{
    size_t   len;
    char    *end;

    while ((end = memchr(client->line, '\n', client->len)) != NULL) {
        len = (size_t) (end - client->line);

        if (!answer(client, client->line, len)) {
            return false;
        }

        client->len -= len + 1;
        memmove(client->line, end + 1, client->len);
    }

    return true;
}


static void
on_client(tgn_poll_t *poll, unsigned events, void *data)
{
    char          *line;
    ssize_t        n;
    cli_client_t  *client = data;

    (void) poll;
    (void) events;

    line = client->len + READ_SIZE > LINE_MAX_LEN
           ? NULL : realloc(client->line, client->len + READ_SIZE);

    if (line == NULL) {
        hang_up(client);
        return;
    }

    client->line = line;

    n = recv(client->fd, line + client->len, READ_SIZE, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        hang_up(client);
        return;
    }

    client->len += (size_t) n;

    if (!answer_lines(client)) {
        hang_up(client);
    }
}


static void
on_control(tgn_poll_t *poll, unsigned events, void *data)
{
    int            fd;
    size_t         n;
    cli_client_t  *client;
    cli_devnet_t  *devnet = data;

    (void) poll;
    (void) events;

    fd = accept4(devnet->control, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);
    if (fd == -1) {
        return;
    }

    n = 0;

    for (client = devnet->clients; client; client = client->next) {
        n++;
    }

    client = n < CLIENTS_MAX ? calloc(1, sizeof(cli_client_t)) : NULL;

    if (client == NULL) {
        (void) close(fd);
        return;
    }

    client->devnet = devnet;
    client->fd = fd;
    client->poll = tgn_poll_new(devnet->loop, fd, on_client, client);

    if (client->poll == NULL
        || tgn_poll_set(client->poll, TGN_POLL_READ) != TG_OK)
    {
        tgn_poll_free(&client->poll);
        (void) close(fd);
        free(client);
        return;
    }

    client->next = devnet->clients;
    devnet->clients = client;
}


int
cli_control_listen(cli_devnet_t *devnet, const char *path, tg_error_t *error)
{
    int  rc;

    rc = tgn_listen_unix(path, S_IRUSR|S_IWUSR, (uid_t) -1, (gid_t) -1,
                         &devnet->control, error);
    if (rc != TG_OK) {
        return rc;
    }

    devnet->control_poll = tgn_poll_new(devnet->loop, devnet->control,
                                        on_control, devnet);

    if (devnet->control_poll == NULL
        || tgn_poll_set(devnet->control_poll, TGN_POLL_READ) != TG_OK)
    {
        /* the caller frees what there is */
        error->code = TG_ERR_NOMEM;
        (void) snprintf(error->text, sizeof(error->text), "out of memory");
        return TG_ERR_NOMEM;
    }

    return TG_OK;
}


void
cli_control_free(cli_devnet_t *devnet, const char *path)
{
    while (devnet->clients) {
        hang_up(devnet->clients);
    }

    tgn_poll_free(&devnet->control_poll);

    if (devnet->control != -1) {
        (void) unlink(path);
        (void) close(devnet->control);
        devnet->control = -1;
    }
}


static bool
address(const char *path, struct sockaddr_un *sun)
{
    memset(sun, 0, sizeof(*sun));
    sun->sun_family = AF_UNIX;

    if (path[0] == '\0' || strlen(path) >= sizeof(sun->sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }

    memcpy(sun->sun_path, path, strlen(path));

    return true;
}


/* One line out of words, and the line that comes back. */

static char *
exchange(int fd, int argc, char **argv, size_t *len)
{
    int       i;
    char     *text, *grown;
    size_t    n;
    json_t   *words;
    ssize_t   got;

    words = json_array();

    for (i = 0; i < argc; i++) {
        if (json_array_append_new(words, json_string(argv[i])) != 0) {
            /* an argument that is not UTF-8 */
            json_decref(words);
            errno = EILSEQ;
            return NULL;
        }
    }

    text = cli_json_text(words, false, &n);
    json_decref(words);

    if (text == NULL || !send_all(fd, text, n) || !send_all(fd, "\n", 1)) {
        free(text);
        return NULL;
    }

    *len = 0;

    for ( ;; ) {
        grown = realloc(text, *len + READ_SIZE);
        if (grown == NULL) {
            break;
        }

        text = grown;
        got = recv(fd, text + *len, READ_SIZE, 0);

        if (got <= 0) {
            errno = got == 0 ? ECONNRESET : errno;
            break;
        }

        *len += (size_t) got;

        if (text[*len - 1] == '\n') {
            return text;
        }
    }

    free(text);

    return NULL;
}


int
cli_control_send(const char *path, int argc, char **argv)
{
    int                 fd, rc;
    char               *text;
    size_t              len;
    json_t             *result;
    const char         *why;
    struct sockaddr_un  sun;

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0);

    if (fd == -1 || !address(path, &sun)
        || connect(fd, (struct sockaddr *) &sun, sizeof(sun)) == -1
        || (text = exchange(fd, argc, argv, &len)) == NULL)
    {
        cli_error("devnet", "\"%s\": %s: is tailgate devnet running, with"
                  " --control %s?", path, strerror(errno), path);
        rc = CLI_UNAVAILABLE;
        goto out;
    }

    result = json_loadb(text, len, 0, NULL);
    why = json_string_value(json_object_get(result, "error"));

    rc = CLI_OK;

    if (why) {
        cli_error("devnet", "%s", why);
        rc = CLI_BAD;

    } else if (json_object_size(result)) {
        (void) fwrite(text, 1, len, stdout);
    }

    json_decref(result);
    free(text);

out:

    if (fd != -1) {
        (void) close(fd);
    }

    return rc;
}
