
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: the options of all its forms.
 */

#include <cli/cli.h>
#include <cli/policy.h>

#include <getopt.h>
#include <string.h>


#define ARENA_MAX  ((size_t) 1 << 30)


typedef enum {
    OPT_JSON = 0x100,
    OPT_POLICY,
    OPT_NO_POLICY,
    OPT_INLINE,
    OPT_AS,
    OPT_NODE,
    OPT_ADDR,
    OPT_WHOIS,
    OPT_SELF,
    OPT_FROM,
    OPT_SOCKET,
    OPT_REQUEST,
    OPT_VIA,
    OPT_METHOD_OVERRIDE,
    OPT_AT,
    OPT_PEERS,
    OPT_NO_PEERS,
    OPT_LOG,
    OPT_JUNIT,
    OPT_HELP
} option_t;


static bool take_option(cli_policy_t *self, int c);
static bool take_from(cli_policy_t *self, char *text);


/* Which forms an option is for. */

static const struct {
    option_t  option;
    int       forms;
} takers[] = {
    { OPT_JSON, CLI_POLICY_JSON },
    { OPT_POLICY, CLI_POLICY_POLICY },
    { OPT_NO_POLICY, CLI_POLICY_POLICY },
    { OPT_INLINE, CLI_POLICY_POLICY },
    { OPT_AS, CLI_POLICY_SUBJECT },
    { OPT_NODE, CLI_POLICY_SUBJECT },
    { OPT_ADDR, CLI_POLICY_SUBJECT },
    { OPT_WHOIS, CLI_POLICY_SUBJECT },
    { OPT_SELF, CLI_POLICY_SUBJECT },
    { OPT_FROM, CLI_POLICY_SUBJECT },
    { OPT_SOCKET, CLI_POLICY_SUBJECT|CLI_POLICY_PEERS },
    { OPT_REQUEST, CLI_POLICY_REQUEST },
    { OPT_VIA, CLI_POLICY_REQUEST|CLI_POLICY_VIA },
    { OPT_METHOD_OVERRIDE, CLI_POLICY_REQUEST },
    { OPT_AT, CLI_POLICY_AT },
    { OPT_PEERS, CLI_POLICY_PEERS },
    { OPT_NO_PEERS, CLI_POLICY_LOG },
    { OPT_LOG, CLI_POLICY_LOG },
    { OPT_JUNIT, CLI_POLICY_JUNIT }
};


static bool
is_taken(int c, int takes)
{
    size_t  i;

    for (i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if ((int) takers[i].option == c) {
            return (takers[i].forms & takes) != 0;
        }
    }

    return false;
}


bool
cli_policy_options(cli_policy_t *self, int argc, char **argv, int takes,
    const char *usage, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, OPT_JSON },
        { "policy", required_argument, NULL, OPT_POLICY },
        { "no-policy", no_argument, NULL, OPT_NO_POLICY },
        { "inline", required_argument, NULL, OPT_INLINE },
        { "as", required_argument, NULL, OPT_AS },
        { "node", required_argument, NULL, OPT_NODE },
        { "addr", required_argument, NULL, OPT_ADDR },
        { "whois", required_argument, NULL, OPT_WHOIS },
        { "self", required_argument, NULL, OPT_SELF },
        { "from", required_argument, NULL, OPT_FROM },
        { "socket", required_argument, NULL, OPT_SOCKET },
        { "request", required_argument, NULL, OPT_REQUEST },
        { "via", required_argument, NULL, OPT_VIA },
        { "method-override", no_argument, NULL, OPT_METHOD_OVERRIDE },
        { "at", required_argument, NULL, OPT_AT },
        { "peers", required_argument, NULL, OPT_PEERS },
        { "no-peers", no_argument, NULL, OPT_NO_PEERS },
        { "log", required_argument, NULL, OPT_LOG },
        { "junit", required_argument, NULL, OPT_JUNIT },
        { "help", no_argument, NULL, OPT_HELP },
        { NULL, 0, NULL, 0 }
    };

    *code = CLI_USAGE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == OPT_HELP) {
            fputs(usage, stdout);
            *code = CLI_OK;
            return false;
        }

        if (!is_taken(c, takes) || !take_option(self, c)) {
            cli_usage(self->name, "the command line was not understood");
            return false;
        }
    }

    self->files = argv + optind;
    self->nfiles = argc - optind;

    self->arena = tg_arena_new(ARENA_MAX);

    if (self->arena == NULL) {
        cli_error(self->name, "out of memory");
        return false;
    }

    self->alloc = tg_arena_allocator(self->arena);

    return true;
}


static const char **
text_option(cli_policy_t *self, int c)
{
    switch (c) {

    case OPT_POLICY:
        return &self->policy;

    case OPT_AS:
        return &self->as;

    case OPT_NODE:
        return &self->node;

    case OPT_ADDR:
        return &self->addr;

    case OPT_WHOIS:
        return &self->whois;

    case OPT_SELF:
        return &self->self_path;

    case OPT_SOCKET:
        return &self->socket;

    case OPT_REQUEST:
        return &self->request_text;

    case OPT_VIA:
        return &self->via_text;

    case OPT_AT:
        return &self->at_text;

    case OPT_PEERS:
        return &self->peers_path;

    case OPT_LOG:
        return &self->log_path;

    default:
        return &self->junit;
    }
}


static bool
take_option(cli_policy_t *self, int c)
{
    const char  **text;

    switch (c) {

    case OPT_JSON:
        self->json = true;
        return true;

    case OPT_NO_POLICY:
        self->no_policy = true;
        return true;

    case OPT_NO_PEERS:
        self->no_peers = true;
        return true;

    case OPT_METHOD_OVERRIDE:
        self->method_override = true;
        return true;

    case OPT_FROM:
        return take_from(self, optarg);

    case OPT_INLINE:
        if (self->ninlines == CLI_POLICY_INLINE_MAX) {
            return false;
        }

        self->inlines[self->ninlines++] = optarg;
        return true;

    default:
        text = text_option(self, c);

        /* of two, which is meant? */

        if (*text != NULL) {
            return false;
        }

        *text = optarg;
        return true;
    }
}


/*
 * Words with commas between them; a comma inside of brackets or quotes is the
 * word's own, as in capability=NAME:{"role":"a","team":"b"}.
 */

static bool
take_from(cli_policy_t *self, char *text)
{
    int    depth;
    char  *p, *word;
    bool   quoted;

    depth = 0;
    quoted = false;
    word = text;

    for (p = text; ; p++) {

        if (*p == '"' && (p == text || p[-1] != '\\')) {
            quoted = !quoted;
        }

        if (!quoted && (*p == '{' || *p == '[')) {
            depth++;
        }

        if (!quoted && (*p == '}' || *p == ']')) {
            depth--;
        }

        if (*p != '\0' && (*p != ',' || quoted || depth > 0)) {
            continue;
        }

        if (self->nfrom == CLI_POLICY_WORDS_MAX) {
            return false;
        }

        if (p > word) {
            self->from[self->nfrom++] = (tg_str_t) { word,
                                                     (size_t) (p - word) };
        }

        if (*p == '\0') {
            return true;
        }

        word = p + 1;
    }
}
