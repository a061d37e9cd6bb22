
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links list, get, history, resolve: what is there.
 */

#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/links.h>
#include <cli/print.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


/* A page of the API at most. */

#define PAGE       "1000"

#define NAME_WIDTH 24


typedef struct {
    const char  *owner;
    const char  *tag;
    const char  *sort;
    const char  *query;
} filter_t;


static const char *behind_host(const cli_links_t *self, const char *word);
static int one_name(cli_links_t *self, int argc, char **argv,
    const char *command, const char *usage, const char **name);
static int list_options(cli_links_t *self, filter_t *filter, int argc,
    char **argv, int *code);
static int list_all(cli_links_t *self, const filter_t *filter);
static int list_page(cli_links_t *self, const filter_t *filter,
    const char *cursor, cli_links_answer_t *answer);
static void print_short(const json_t *link);
static void print_link(const json_t *link);
static void print_list(const char *name, const json_t *list);
static void print_entry(const json_t *entry);
static void print_changes(const json_t *before, const json_t *after);


static const char  list_usage[] =
    "usage: tailgate links list [QUERY ...] [--owner LOGIN] [--tag TAG]\n"
    "                           [--sort name|clicks|edited] [--json]\n"
    "\n"
    "Lists links: name, clicks, where it leads.  With words, those in which\n"
    "all of them occur, the best first.\n"
    "\n"
    "  --owner LOGIN    owned by LOGIN; \"me\" is the caller\n"
    "  --tag TAG        with this tag\n"
    "  --sort KEY       by name, clicks or edited\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 something was found, 1 nothing was, 2 the command line\n"
    "is wrong, 3 the server does not answer.\n";

static const char  get_usage[] =
    "usage: tailgate links get NAME [--json]\n"
    "\n"
    "Shows a link: where it leads, who owns it, how often it was followed.\n"
    "\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it is there, 1 there is no such link, 2 the command line\n"
    "is wrong, 3 the server does not answer.\n";

static const char  history_usage[] =
    "usage: tailgate links history NAME [--json]\n"
    "\n"
    "Shows who changed what in a link, the newest first, also after it was\n"
    "deleted.  The numbers are for \"tailgate links restore\".\n"
    "\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it has a history, 1 there was no such link, 2 the\n"
    "command line is wrong, 3 the server does not answer.\n";

static const char  resolve_usage[] =
    "usage: tailgate links resolve NAME[/PATH][?QUERY] [--json]\n"
    "\n"
    "Prints where a link leads, without going there or counting it.  A whole\n"
    "URL is taken, too, and a name with the host before it: go/NAME, where a\n"
    "link named \"go\" is /go.\n"
    "\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it leads somewhere, 1 it does not, 2 the command line is\n"
    "wrong, 3 the server does not answer.\n";


int
cli_links_list(int argc, char **argv)
{
    int          code;
    filter_t     filter;
    cli_links_t  self;

    if (!cli_links_begin(&self, "links list")) {
        return CLI_USAGE;
    }

    memset(&filter, 0, sizeof(filter));

    if (list_options(&self, &filter, argc, argv, &code) == TG_OK) {
        code = list_all(&self, &filter);
    }

    cli_links_end(&self);

    return code;
}


int
cli_links_get(int argc, char **argv)
{
    int                 code;
    const char         *name;
    cli_links_t         self;
    cli_links_ask_t     ask = { .method = "GET" };
    cli_links_answer_t  answer = { 0 };

    code = one_name(&self, argc, argv, "links get", get_usage, &name);

    if (name == NULL) {
        return code;
    }

    ask.target = cli_links_target(&self, name, "");
    code = cli_links_call(&self, &ask, &answer);

    if (code == CLI_OK && self.json) {
        code = cli_links_print(&self, &answer);

    } else if (code == CLI_OK) {
        print_link(answer.json);
    }

    json_decref(answer.json);
    cli_links_end(&self);

    return code;
}


int
cli_links_history(int argc, char **argv)
{
    int                 code;
    size_t              i;
    json_t             *entry;
    const char         *name;
    cli_links_t         self;
    cli_links_ask_t     ask = { .method = "GET" };
    cli_links_answer_t  answer = { 0 };

    code = one_name(&self, argc, argv, "links history", history_usage, &name);

    if (name == NULL) {
        return code;
    }

    ask.target = cli_links_target(&self, name, "/history");
    code = cli_links_call(&self, &ask, &answer);

    if (code == CLI_OK && self.json) {
        code = cli_links_print(&self, &answer);

    } else if (code == CLI_OK) {
        json_array_foreach(json_object_get(answer.json, "history"), i, entry) {
            print_entry(entry);
        }
    }

    json_decref(answer.json);
    cli_links_end(&self);

    return code;
}


int
cli_links_resolve(int argc, char **argv)
{
    int                 code;
    const char         *word, *path;
    cli_links_t         self;
    cli_links_ask_t     ask = { .method = "GET" };
    cli_links_answer_t  answer = { 0 };

    code = one_name(&self, argc, argv, "links resolve", resolve_usage, &word);

    if (word == NULL) {
        return code;
    }

    path = behind_host(&self, word);

    if (path == NULL) {
        code = cli_usage(self.command, "there is no name behind the host");

    } else {
        path = cli_links_words(&self, "", (const char *[]) {
                   path[0] == '/' ? "" : "/", path, NULL });
        ask.target = cli_links_query(&self, "/api/v1/resolve",
                         (const char *[]) { "path", path, NULL });
        code = cli_links_call(&self, &ask, &answer);
    }

    if (code == CLI_OK && self.json) {
        code = cli_links_print(&self, &answer);

    } else if (code == CLI_OK) {
        cli_print(stdout, cli_links_text(answer.json, "url"));
        (void) putchar('\n');
    }

    json_decref(answer.json);
    cli_links_end(&self);

    return code;
}


/*
 * As golink has it, "go/wiki" and "http://any.host/wiki" are "/wiki": the host
 * of a whole URL does not matter, "go" and that of the server are no names.
 * NULL if a URL ends with its host.
 */

static const char *
behind_host(const cli_links_t *self, const char *word)
{
    size_t       i, len;
    const char  *slash, *hosts[2];

    slash = strchr(word, '/');

    if (slash == NULL || slash == word) {
        return word;
    }

    if (slash[-1] == ':' && slash[1] == '/') {
        return strchr(slash + 2, '/');
    }

    hosts[0] = "go";
    hosts[1] = strstr(self->url, "://");
    hosts[1] = hosts[1] ? hosts[1] + strlen("://") : self->url;

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        len = strcspn(hosts[i], "/");

        if ((size_t) (slash - word) == len
            && strncasecmp(word, hosts[i], len) == 0)
        {
            return slash;
        }
    }

    return word;
}


/* Begins a form that takes one name; *name is NULL if it ends with a code. */

static int
one_name(cli_links_t *self, int argc, char **argv, const char *command,
    const char *usage, const char **name)
{
    int  c, code;

    static const struct option  options[] = { CLI_LINKS_OPTIONS };

    *name = NULL;

    if (!cli_links_begin(self, command)) {
        return CLI_USAGE;
    }

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (!cli_links_option(self, c, usage, &code)) {
            cli_links_end(self);
            return code;
        }
    }

    if (argc - optind != 1) {
        code = cli_usage(command, "one name is wanted, not %d", argc - optind);
        cli_links_end(self);
        return code;
    }

    *name = argv[optind];

    return CLI_OK;
}


static int
list_options(cli_links_t *self, filter_t *filter, int argc, char **argv,
    int *code)
{
    int  c;

    static const struct option  options[] = {
        { "owner", required_argument, NULL, 'o' },
        { "tag", required_argument, NULL, 't' },
        { "sort", required_argument, NULL, 's' },
        CLI_LINKS_OPTIONS
    };

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        switch (c) {

        case 'o':
            filter->owner = optarg;
            break;

        case 't':
            filter->tag = optarg;
            break;

        case 's':
            filter->sort = optarg;
            break;

        default:
            if (!cli_links_option(self, c, list_usage, code)) {
                return TG_ERR_ABSENT;
            }
        }
    }

    if (optind < argc) {
        filter->query = cli_links_words(self, " ",
                            (const char *const *) argv + optind);
    }

    return TG_OK;
}


/* Page after page: a list has no end that is known before. */

static int
list_all(cli_links_t *self, const filter_t *filter)
{
    int                  code;
    size_t               i, n;
    json_t              *link, *all;
    tg_str_t             next;
    const char          *cursor;
    cli_links_answer_t   answer;

    n = 0;
    cursor = NULL;
    all = json_array();

    do {
        code = list_page(self, filter, cursor, &answer);

        json_array_foreach(json_object_get(answer.json, "links"), i, link) {
            n++;

            if (self->json) {
                (void) json_array_append(all, link);

            } else {
                print_short(link);
            }
        }

        next = cli_links_text(answer.json, "next");
        cursor = next.len > 0
                 ? cli_links_words(self, "", (const char *[]) { next.data,
                                                                NULL })
                 : NULL;

        json_decref(answer.json);

    } while (code == CLI_OK && cursor != NULL);

    if (code == CLI_OK && self->json) {
        answer.json = all;
        code = cli_links_print(self, &answer);
    }

    json_decref(all);

    return code == CLI_OK && n == 0 ? CLI_BAD : code;
}


static int
list_page(cli_links_t *self, const filter_t *filter, const char *cursor,
    cli_links_answer_t *answer)
{
    cli_links_ask_t  ask = { .method = "GET" };
    const char      *pairs[] = {
        "limit", PAGE, "q", filter->query, "owner", filter->owner,
        "tag", filter->tag, "sort", filter->sort, "cursor", cursor, NULL
    };

    ask.target = cli_links_query(self, "/api/v1/links", pairs);

    return cli_links_call(self, &ask, answer);
}


static void
print_short(const json_t *link)
{
    cli_print_padded(stdout, cli_links_text(link, "name"), NAME_WIDTH);
    (void) printf(" %8" JSON_INTEGER_FORMAT "  ",
                  json_integer_value(json_object_get(link, "clicks")));
    cli_print(stdout, cli_links_text(link, "url"));
    (void) putchar('\n');
}


static void
print_link(const json_t *link)
{
    cli_row("name", cli_links_text(link, "name"));
    cli_row("leads to", cli_links_text(link, "url"));
    cli_row("alias of", cli_links_text(link, "alias"));
    cli_row("description", cli_links_text(link, "description"));
    cli_row("owner", cli_links_text(link, "owner"));
    print_list("owners", json_object_get(link, "owners"));

    if (json_is_true(json_object_get(link, "anyone"))) {
        cli_row("anyone", (tg_str_t) TG_STR("may change it"));
    }

    print_list("tags", json_object_get(link, "tags"));
    cli_row("kept by", cli_links_text(link, "origin"));
    cli_row("created", cli_links_text(link, "created"));
    cli_row("edited", cli_links_text(link, "edited"));
    cli_row("expires", cli_links_text(link, "expires"));

    (void) printf("%-12s %" JSON_INTEGER_FORMAT "\n", "clicks",
                  json_integer_value(json_object_get(link, "clicks")));
}


static void
print_list(const char *name, const json_t *list)
{
    size_t         i;
    const json_t  *item;

    json_array_foreach(list, i, item) {
        cli_row(i == 0 ? name : "", (tg_str_t) {
                json_string_value(item), json_string_length(item) });
    }
}


static void
print_entry(const json_t *entry)
{
    (void) printf("%" JSON_INTEGER_FORMAT "  ",
                  json_integer_value(json_object_get(entry, "seq")));
    cli_print(stdout, cli_links_text(entry, "time"));
    (void) fputs("  ", stdout);
    cli_print(stdout, cli_links_text(entry, "action"));
    (void) fputs(" by ", stdout);
    cli_print(stdout, cli_links_text(entry, "who"));
    (void) putchar('\n');

    print_changes(json_object_get(entry, "before"),
                  json_object_get(entry, "after"));
}


/* What is the same before and after is not worth a line. */

static void
print_changes(const json_t *before, const json_t *after)
{
    char          *text;
    size_t         i, k;
    const json_t  *old, *new;

    static const char *const  fields[] = {
        "name", "url", "owner", "owners", "anyone", "description", "tags",
        "expires"
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        old = json_object_get(before, fields[i]);
        new = json_object_get(after, fields[i]);

        if (json_equal(old, new)) {
            continue;
        }

        for (k = 0; k < 2; k++) {
            text = json_dumps(k == 0 ? old : new,
                              JSON_ENCODE_ANY|JSON_ENSURE_ASCII);

            if (text != NULL) {
                (void) printf("    %c %s: %s\n", k == 0 ? '-' : '+',
                              fields[i], text);
            }

            free(text);
        }
    }
}
