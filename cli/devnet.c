
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate devnet: a stand-in for tailscaled, for a machine without a tailnet.
 * It can only be reached by naming its socket.
 */

#include <cli/cli.h>
#include <cli/devnet.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define SOCKET   "devnet.sock"
#define CONTROL  "devnet.ctl"

/* Of the tree that a file becomes. */

#define ARENA_MAX  (UINT32_C(1024) * 1024 * 1024)


typedef struct {
    const char  *file;
    const char  *socket;
    const char  *control;
} options_t;


static void
help(void)
{
    printf("Usage: tailgate devnet FILE [--socket PATH] [--control PATH]\n"
           "       tailgate devnet ctl [--control PATH] COMMAND [ARGUMENT ...]"
           "\n\n"
           "Plays the tailnet that FILE (YAML) describes: answers as"
           " tailscaled's LocalAPI\nwould, on a Unix socket of its own.  ctl"
           " changes it while it runs.\n\n"
           "  --socket PATH    the LocalAPI; default: " SOCKET "\n"
           "  --control PATH   where ctl speaks to; default: " CONTROL "\n\n"
           "Commands of ctl:\n");

    cli_command_help();
}


int
cli_devnet_listen(cli_devnet_t *devnet, tg_error_t *error)
{
    /* as tailscaled's: everybody may ask */

    return tgn_http_listen_unix(devnet->http, devnet->socket, 0666,
                                (uid_t) -1, (gid_t) -1, NULL, error);
}


static int
count_connection(const tgn_peer_t *peer, void *listener, void *data)
{
    cli_devnet_t  *devnet = data;

    (void) peer;
    (void) listener;

    devnet->accepted++;

    return 0;
}


static int
read_file(const char *path, char **text, size_t *len, tg_error_t *error)
{
    int          fd;
    ssize_t      n;
    struct stat  st;

    memset(error, 0, sizeof(tg_error_t));
    *text = NULL;

    fd = open(path, O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1) {
        goto failed;
    }

    if (!S_ISREG(st.st_mode) || st.st_size > CLI_YAML_FILE_MAX) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        goto failed;
    }

    *text = malloc((size_t) st.st_size + 1);
    if (*text == NULL) {
        goto failed;
    }

    for (*len = 0; *len < (size_t) st.st_size; *len += (size_t) n) {
        n = read(fd, *text + *len, (size_t) st.st_size - *len);

        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            goto failed;
        }
    }

    (void) close(fd);

    return TG_OK;

failed:

    (void) snprintf(error->text, sizeof(error->text), "%s", strerror(errno));

    if (fd != -1) {
        (void) close(fd);
    }

    free(*text);
    *text = NULL;

    return TG_ERR_ABSENT;
}


static cli_world_t *
load(const char *path)
{
    int           rc;
    char         *text;
    size_t        len;
    tg_alloc_t    alloc;
    tg_error_t    error;
    tgi_yaml_t   *root;
    tg_arena_t   *arena;
    cli_world_t  *world;

    world = NULL;
    arena = NULL;

    rc = read_file(path, &text, &len, &error);
    if (rc != TG_OK) {
        goto failed;
    }

    arena = tg_arena_new(ARENA_MAX);
    world = cli_world_new();

    if (arena == NULL || world == NULL) {
        (void) snprintf(error.text, sizeof(error.text), "out of memory");
        goto failed;
    }

    alloc = tg_arena_allocator(arena);

    rc = tgi_yaml_read(text, len, &cli_yaml_limits, &alloc, &root, &error);
    if (rc != TG_OK) {
        goto failed;
    }

    rc = cli_load_world(root, world, &error);
    if (rc != TG_OK) {
        goto failed;
    }

    goto out;

failed:

    if (error.line) {
        cli_error("devnet", "%s:%zu:%zu: %s", path, error.line, error.column,
                  error.text);

    } else {
        cli_error("devnet", "%s: %s", path, error.text);
    }

    cli_world_free(&world);

out:

    tg_arena_free(&arena);
    free(text);

    return world;
}


static void
on_stop(int signo, void *data)
{
    (void) signo;

    tgn_loop_stop(data);
}


static int
serve(cli_devnet_t *devnet, const options_t *options)
{
    int              rc;
    tg_error_t       error;
    tgn_signal_t    *term, *intr;
    tgn_http_conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    tgn_http_limits(&conf.limits);

    /* a stand-in has no cause to send clients away */

    conf.limits.idle_timeout = UINT64_C(86400000);
    conf.limits.requests = SIZE_MAX;
    conf.limits.backlog = 64 * 1024 * 1024;
    conf.limits.connections = 65536;
    conf.handler = cli_api_handle;
    conf.classify = count_connection;
    conf.data = devnet;
    conf.http10_no_host = true;

    rc = CLI_UNAVAILABLE;

    term = tgn_signal_new(devnet->loop, SIGTERM, on_stop, devnet->loop);
    intr = tgn_signal_new(devnet->loop, SIGINT, on_stop, devnet->loop);
    devnet->http = tgn_http_new(devnet->loop, &conf);

    if (term == NULL || intr == NULL || devnet->http == NULL) {
        cli_error("devnet", "out of memory");
        goto out;
    }

    if (cli_devnet_listen(devnet, &error) != TG_OK
        || cli_control_listen(devnet, options->control, &error) != TG_OK)
    {
        cli_error("devnet", "%s", error.text);
        rc = CLI_USAGE;
        goto out;
    }

    printf("tailgate devnet: LocalAPI on %s, control on %s\n",
           options->socket, options->control);
    (void) fflush(stdout);

    (void) tgn_loop_run(devnet->loop);

    tgn_signal_hold();

    rc = CLI_OK;

out:

    cli_control_free(devnet, options->control);

    if (devnet->http) {
        cli_bus_free(devnet);
        cli_fault_free(devnet);
    }

    tgn_http_free(&devnet->http);
    tgn_timer_free(&devnet->timer);
    tgn_signal_free(&term);
    tgn_signal_free(&intr);

    return rc;
}


static int
run(const options_t *options)
{
    int           rc;
    cli_devnet_t  devnet;

    memset(&devnet, 0, sizeof(devnet));

    devnet.control = -1;
    devnet.socket = options->socket;

    devnet.world = load(options->file);
    if (devnet.world == NULL) {
        return CLI_USAGE;
    }

    devnet.loop = tgn_loop_new();

    if (devnet.loop == NULL) {
        cli_error("devnet", "out of memory");
        rc = CLI_UNAVAILABLE;

    } else {
        rc = serve(&devnet, options);
    }

    tgn_loop_free(&devnet.loop);
    cli_world_free(&devnet.world);

    return rc;
}


/* The value of "--name VALUE" or "--name=VALUE"; *i moves past it. */

static bool
option(int argc, char **argv, int *i, const char *name, const char **value)
{
    size_t  len;

    len = strlen(name);

    if (strncmp(argv[*i], name, len) != 0) {
        return false;
    }

    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
        return true;
    }

    if (argv[*i][len] != '\0' || *i + 1 == argc) {
        return false;
    }

    *value = argv[++*i];

    return true;
}


static int
control(int argc, char **argv)
{
    int          i;
    const char  *path;

    path = CONTROL;

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {

        if (strcmp(argv[i], "--help") == 0) {
            help();
            return CLI_OK;
        }

        if (!option(argc, argv, &i, "--control", &path)) {
            return cli_usage("devnet ctl", "\"%s\" is no option, or lacks its"
                             " value", argv[i]);
        }
    }

    if (i == argc) {
        return cli_usage("devnet ctl", "there is no command");
    }

    return cli_control_send(path, argc - i, argv + i);
}


int
cli_devnet(int argc, char **argv)
{
    int        i;
    options_t  options;

    if (argc > 1 && strcmp(argv[1], "ctl") == 0) {
        return control(argc - 1, argv + 1);
    }

    memset(&options, 0, sizeof(options));

    options.socket = SOCKET;
    options.control = CONTROL;

    for (i = 1; i < argc; i++) {

        if (strcmp(argv[i], "--help") == 0) {
            help();
            return CLI_OK;
        }

        if (option(argc, argv, &i, "--socket", &options.socket)
            || option(argc, argv, &i, "--control", &options.control))
        {
            continue;
        }

        if (argv[i][0] == '-') {
            return cli_usage("devnet", "\"%s\" is no option, or lacks its"
                             " value", argv[i]);
        }

        if (options.file) {
            return cli_usage("devnet", "there is more than one file");
        }

        options.file = argv[i];
    }

    if (options.file == NULL) {
        return cli_usage("devnet", "there is no file");
    }

    return run(&options);
}
