
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links import: links of a file, of golink's database or of a running
 * golink, in requests that a server takes.
 */

#include <cli/cli.h>
#include <cli/links.h>
#include <cli/links_golink.h>
#include <cli/print.h>
#include <cli/read.h>

#include <authd/store/golink_db.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* Of one request; the server takes 8 MB. */

#define BATCH  ((size_t) 4 * 1024 * 1024)


typedef struct {
    cli_links_t   links;
    const char   *file;            /* for messages: a path or a URL */
    const char   *from;
    const char   *format;          /* NULL: by the file's first bytes */
    bool          dry_run;
    bool          upsert;
    tg_str_t      text;
    tg_str_t      clicks;          /* of a golink */
    size_t        line;            /* that the next request begins with */
    json_int_t    created;
    json_int_t    updated;
    json_int_t    unchanged;
    json_int_t    failed;
    json_int_t    clicked;
    json_t       *results;         /* for --json */
} import_t;


static bool options(import_t *self, int argc, char **argv, int *code);
static int import(import_t *self);
static int read_links(import_t *self);
static int read_file(import_t *self);
static int import_clicks(import_t *self);
static bool is_csv(const import_t *self);
static size_t batch_end(tg_str_t text, bool csv);
static int send_batch(import_t *self, const char *target, tg_str_t text,
    bool csv);
static void count(import_t *self, const json_t *answer);
static size_t lines_of(tg_str_t text);
static int summary(import_t *self);


static const char  usage[] =
    "usage: tailgate links import FILE [options]\n"
    "       tailgate links import --url URL [options]\n"
    "\n"
    "Takes links over: golink's database (golink.db), golink's export (a JSON\n"
    "object a line), our own full export, or CSV with name,url.  \"-\" is\n"
    "standard input.  A line that the server refuses is named, and the others\n"
    "are taken.\n"
    "\n"
    "  --url URL        take the links that a golink at URL exports\n"
    "  --format NAME    jsonl or csv, where the first line misleads\n"
    "  --upsert         change links that are there; else such a line fails\n"
    "  --dry-run        say what would happen\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 all were taken, 1 some were not, 2 the command line is\n"
    "wrong or the file cannot be read, 3 the server does not answer.\n";


int
cli_links_import(int argc, char **argv)
{
    int        code;
    import_t   self;

    memset(&self, 0, sizeof(self));

    if (!cli_links_begin(&self.links, "links import")) {
        return CLI_USAGE;
    }

    self.results = json_array();
    self.line = 1;

    if (options(&self, argc, argv, &code)) {
        code = import(&self);
    }

    json_decref(self.results);
    cli_links_end(&self.links);

    return code;
}


static bool
options(import_t *self, int argc, char **argv, int *code)
{
    int  c;

    static const struct option  known[] = {
        { "url", required_argument, NULL, 'g' },
        { "format", required_argument, NULL, 'F' },
        { "upsert", no_argument, NULL, 'u' },
        { "dry-run", no_argument, NULL, 'n' },
        CLI_LINKS_OPTIONS
    };

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {

        switch (c) {

        case 'g':
            self->from = optarg;
            break;

        case 'F':
            self->format = optarg;

            if (strcmp(optarg, "jsonl") != 0 && strcmp(optarg, "csv") != 0) {
                *code = cli_usage(self->links.command, "the format \"%s\" is"
                                  " neither jsonl nor csv", optarg);
                return false;
            }

            break;

        case 'u':
            self->upsert = true;
            break;

        case 'n':
            self->dry_run = true;
            break;

        default:
            if (!cli_links_option(&self->links, c, usage, code)) {
                return false;
            }
        }
    }

    if (argc - optind != (self->from == NULL ? 1 : 0)) {
        *code = cli_usage(self->links.command,
                          "one file, or --url and no file, is wanted");
        return false;
    }

    self->file = self->from != NULL ? self->from : argv[optind];

    return true;
}


static int
import(import_t *self)
{
    int          code;
    bool         csv;
    size_t       end;
    tg_str_t     batch;
    const char  *target;

    code = read_links(self);

    if (code != CLI_OK) {
        return code;
    }

    csv = is_csv(self);
    target = cli_links_query(&self->links, "/api/v1/import", (const char *[]) {
                 "dry_run", self->dry_run ? "1" : NULL,
                 "upsert", self->upsert ? "1" : NULL, NULL });

    while (code == CLI_OK && self->text.len > 0) {
        end = batch_end(self->text, csv);
        batch = (tg_str_t) { self->text.data, end };

        code = send_batch(self, target, batch, csv);

        self->line += lines_of(batch);
        self->text.data += end;
        self->text.len -= end;
    }

    if (code == CLI_OK && !self->dry_run) {
        code = import_clicks(self);
    }

    if (code == CLI_OK || self->line > 1) {
        (void) summary(self);
    }

    return code == CLI_OK && self->failed > 0 ? CLI_BAD : code;
}


static int
read_links(import_t *self)
{
    int                  code;
    cli_links_golink_t   golink;

    if (self->from == NULL) {
        code = read_file(self);

        if (code != CLI_OK
            || !authd_golink_is_sqlite(self->text.data, self->text.len))
        {
            return code;
        }

        code = cli_links_golink_file(&self->links, self->file, &golink);

    } else {
        code = cli_links_golink_url(&self->links, self->from, &golink);
    }

    self->text = golink.lines;
    self->clicks = golink.clicks;

    return code;
}


static int
read_file(import_t *self)
{
    int  error;

    error = cli_read(self->file, CLI_LINKS_FILE_MAX, &self->links.alloc,
                     &self->text);

    if (error != 0) {
        cli_error(self->links.command, "%s: %s", self->file, strerror(error));
        return CLI_USAGE;
    }

    return CLI_OK;
}


/* Of links that are there by now; those of a day at least so many. */

static int
import_clicks(import_t *self)
{
    int                  code;
    size_t               end;
    cli_links_ask_t      ask;
    cli_links_answer_t   answer;

    code = CLI_OK;

    while (code == CLI_OK && self->clicks.len > 0) {
        end = batch_end(self->clicks, false);

        memset(&ask, 0, sizeof(ask));

        ask.method = "POST";
        ask.target = "/api/v1/clicks";
        ask.type = "text/csv";
        ask.body = (tg_str_t) { self->clicks.data, end };

        code = cli_links_call(&self->links, &ask, &answer);

        self->clicked += json_integer_value(json_object_get(answer.json,
                                                            "taken"));
        json_decref(answer.json);

        self->clicks.data += end;
        self->clicks.len -= end;
    }

    return code;
}


static bool
is_csv(const import_t *self)
{
    size_t  i;

    if (self->format != NULL) {
        return strcmp(self->format, "csv") == 0;
    }

    for (i = 0; i < self->text.len; i++) {

        if (strchr(" \t\r\n\xef\xbb\xbf", self->text.data[i]) == NULL) {
            return self->text.data[i] != '{';
        }
    }

    return false;
}


/* Behind the last whole line; a line of CSV may be in quotes for longer. */

static size_t
batch_end(tg_str_t text, bool csv)
{
    bool    quoted;
    size_t  i, end;

    if (text.len <= BATCH) {
        return text.len;
    }

    end = 0;
    quoted = false;

    for (i = 0; i < text.len && (i < BATCH || end == 0); i++) {

        if (csv && text.data[i] == '"') {
            quoted = !quoted;

        } else if (text.data[i] == '\n' && !quoted) {
            end = i + 1;
        }
    }

    return end != 0 ? end : text.len;
}


static int
send_batch(import_t *self, const char *target, tg_str_t text, bool csv)
{
    int                  code;
    cli_links_ask_t      ask;
    cli_links_answer_t   answer;

    memset(&ask, 0, sizeof(ask));

    ask.method = "POST";
    ask.target = target;
    ask.type = csv ? "text/csv" : "application/x-ndjson";
    ask.body = text;

    code = cli_links_call(&self->links, &ask, &answer);

    if (code == CLI_OK) {
        count(self, answer.json);
    }

    json_decref(answer.json);

    return code;
}


static void
count(import_t *self, const json_t *answer)
{
    size_t       i;
    json_t      *result;
    tg_str_t     error;
    json_int_t   line;

#define ADD(name)                                                             \
    self->name += json_integer_value(json_object_get(answer, #name))

    ADD(created);
    ADD(updated);
    ADD(unchanged);
    ADD(failed);

#undef ADD

    json_array_foreach(json_object_get(answer, "results"), i, result) {
        line = json_integer_value(json_object_get(result, "line"))
               + (json_int_t) self->line - 1;
        error = cli_links_text(result, "error");

        (void) json_object_set_new(result, "line", json_integer(line));
        (void) json_array_append(self->results, result);

        if (error.len > 0 && !self->links.json) {
            (void) fprintf(stderr, "%s:%" JSON_INTEGER_FORMAT ": ", self->file,
                           line);
            cli_print(stderr, cli_links_text(result, "name"));
            (void) fputs(": ", stderr);
            cli_print(stderr, error);
            (void) fputc('\n', stderr);
        }
    }
}


static size_t
lines_of(tg_str_t text)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < text.len; i++) {
        n += text.data[i] == '\n';
    }

    return n;
}


static int
summary(import_t *self)
{
    cli_links_answer_t  answer = { 0 };

    if (!self->links.json) {
        (void) printf("%" JSON_INTEGER_FORMAT " created, %"
                      JSON_INTEGER_FORMAT " updated, %" JSON_INTEGER_FORMAT
                      " unchanged, %" JSON_INTEGER_FORMAT " failed%s\n",
                      self->created, self->updated, self->unchanged,
                      self->failed,
                      self->dry_run ? "; nothing was changed" : "");

        if (self->clicked > 0) {
            (void) printf("%" JSON_INTEGER_FORMAT " clicks\n", self->clicked);
        }

        return CLI_OK;
    }

    answer.json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:O}",
                            "created", self->created, "updated", self->updated,
                            "unchanged", self->unchanged,
                            "failed", self->failed, "clicks", self->clicked,
                            "results", self->results);
    (void) cli_links_print(&self->links, &answer);
    json_decref(answer.json);

    return CLI_OK;
}
