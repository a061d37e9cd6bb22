
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links: go links, listed, changed, carried in and out.
 */

#include <cli/cli.h>
#include <cli/links.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>


static const struct {
    const char  *name;
    int        (*run)(int argc, char **argv);
} forms[] = {
    { "list", cli_links_list },
    { "get", cli_links_get },
    { "set", cli_links_set },
    { "rm", cli_links_rm },
    { "rename", cli_links_rename },
    { "history", cli_links_history },
    { "restore", cli_links_restore },
    { "resolve", cli_links_resolve },
    { "import", cli_links_import },
    { "export", cli_links_export },
    { "apply", cli_links_apply }
};

static const char  usage[] =
    "usage: tailgate links list [QUERY ...] [--owner LOGIN] [--tag TAG]\n"
    "       tailgate links get NAME\n"
    "       tailgate links set NAME [URL] [--description TEXT] ...\n"
    "       tailgate links rm NAME ...\n"
    "       tailgate links rename NAME NEW [--drop]\n"
    "       tailgate links history NAME\n"
    "       tailgate links restore NAME [--before NUMBER]\n"
    "       tailgate links resolve NAME[/PATH][?QUERY]\n"
    "       tailgate links import FILE | --url URL [--dry-run]\n"
    "       tailgate links export [--format golink|full]\n"
    "       tailgate links apply -f FILE [--prune] [--dry-run]\n"
    "\n"
    "Works on the links of a tailgate-authd, as whoever this machine is on\n"
    "the tailnet.  Each form has its own --help.\n";


static bool is_url(const char *url);


int
cli_links(int argc, char **argv)
{
    size_t  i;

    if (argc < 2) {
        return cli_usage("links", "no form was named");
    }

    if (strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return CLI_OK;
    }

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (strcmp(argv[1], forms[i].name) == 0) {
            return forms[i].run(argc - 1, argv + 1);
        }
    }

    return cli_usage("links", "\"%s\" is none of its forms", argv[1]);
}


bool
cli_links_begin(cli_links_t *self, const char *command)
{
    memset(self, 0, sizeof(cli_links_t));

    self->command = command;
    self->url = getenv("TAILGATE_LINKS");

    if (self->url == NULL || self->url[0] == '\0') {
        self->url = CLI_LINKS_URL;

    } else if (!is_url(self->url)) {
        cli_error(command, "TAILGATE_LINKS is \"%s\": it has to begin with"
                  " http:// or https://", self->url);
        return false;
    }

    self->arena = tg_arena_new(CLI_LINKS_ARENA_MAX);
    self->fetch = tgn_fetch_new();

    if (self->arena == NULL || self->fetch == NULL) {
        cli_links_end(self);
        cli_error(command, "out of memory");
        return false;
    }

    self->alloc = tg_arena_allocator(self->arena);

    return true;
}


void
cli_links_end(cli_links_t *self)
{
    tgn_fetch_free(&self->fetch);
    tg_arena_free(&self->arena);
}


bool
cli_links_option(cli_links_t *self, int c, const char *help, int *code)
{
    *code = CLI_USAGE;

    switch (c) {

    case CLI_LINKS_OPTION_SERVER:
        if (!is_url(optarg)) {
            cli_error(self->command, "\"%s\" is no URL of links: it has to"
                      " begin with http:// or https://", optarg);
            return false;
        }

        self->url = optarg;
        return true;

    case CLI_LINKS_OPTION_SOCKET:
        self->socket = optarg;
        return true;

    case CLI_LINKS_OPTION_CACERT:
        self->cacert = optarg;
        return true;

    case CLI_LINKS_OPTION_JSON:
        self->json = true;
        return true;

    case CLI_LINKS_OPTION_HELP:
        fputs(help, stdout);
        *code = CLI_OK;
        return false;

    default:
        cli_usage(self->command, "the command line was not understood");
        return false;
    }
}


static bool
is_url(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0
           || strncasecmp(url, "https://", 8) == 0;
}
