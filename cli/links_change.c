
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links set, rm, rename, restore: one link changed.
 */

#include <cli/cli.h>
#include <cli/links.h>
#include <cli/print.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static bool set_option(json_t *link, int c, bool *create, bool *good);
static bool set_list(json_t *link, const char *key, const char *text);
static bool set_expiry(json_t *link, const char *text);
static int set_send(cli_links_t *self, const char *name, json_t *link,
    bool create);
static int rename_send(cli_links_t *self, const char *name, const char *to,
    bool drop);
static int restore_send(cli_links_t *self, const char *name, json_int_t seq);
static int before_change(cli_links_t *self, const char *name,
    json_int_t *seq);
static int tell(cli_links_t *self, int code, cli_links_answer_t *answer);


static const char  set_usage[] =
    "usage: tailgate links set NAME [URL] [options]\n"
    "\n"
    "Makes a link, or changes what is named of one that is there.\n"
    "\n"
    "  --create               only if there is no such link yet\n"
    "  --owner LOGIN          hand it to LOGIN\n"
    "  --owners LIST          who else owns it: logins and group:NAME, with\n"
    "                         commas between them\n"
    "  --anyone yes|no        whether anyone on the tailnet may change it\n"
    "  --description TEXT     what it is\n"
    "  --tags LIST            tags, with commas between them\n"
    "  --expires DATE|never   the day, as 2026-12-31 or with a time as in\n"
    "                         RFC 3339, from which it leads nowhere\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it is so, 1 the server refused it, 2 the command line is\n"
    "wrong, 3 the server does not answer.\n";

static const char  rm_usage[] =
    "usage: tailgate links rm NAME ...\n"
    "\n"
    "Deletes links.  \"tailgate links restore\" brings one back.\n"
    "\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 all are gone, 1 one could not be deleted, 2 the command\n"
    "line is wrong, 3 the server does not answer.\n";

static const char  rename_usage[] =
    "usage: tailgate links rename NAME NEW [--drop]\n"
    "\n"
    "Gives a link another name.  The old one goes on leading to it.\n"
    "\n"
    "  --drop           the old name leads nowhere from now on\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it is so, 1 the server refused it, 2 the command line is\n"
    "wrong, 3 the server does not answer.\n";

static const char  restore_usage[] =
    "usage: tailgate links restore NAME [--before NUMBER]\n"
    "\n"
    "Takes back the last change of a link, also its deletion.\n"
    "\n"
    "  --before NUMBER  make it what it was before this change, which\n"
    "                   \"tailgate links history\" numbers\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 it is so, 1 the server refused it, 2 the command line is\n"
    "wrong, 3 the server does not answer.\n";


int
cli_links_set(int argc, char **argv)
{
    int           c, code;
    bool          create, good;
    json_t       *link;
    cli_links_t   self;

    static const struct option  options[] = {
        { "create", no_argument, NULL, 'c' },
        { "owner", required_argument, NULL, 'o' },
        { "owners", required_argument, NULL, 'O' },
        { "anyone", required_argument, NULL, 'a' },
        { "description", required_argument, NULL, 'd' },
        { "tags", required_argument, NULL, 't' },
        { "expires", required_argument, NULL, 'e' },
        CLI_LINKS_OPTIONS
    };

    if (!cli_links_begin(&self, "links set")) {
        return CLI_USAGE;
    }

    good = true;
    create = false;
    link = json_object();

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (set_option(link, c, &create, &good)) {

            if (!good) {
                code = CLI_USAGE;
                goto out;
            }

        } else if (!cli_links_option(&self, c, set_usage, &code)) {
            goto out;
        }
    }

    if (argc - optind != 1 && argc - optind != 2) {
        code = cli_usage(self.command, "a name and perhaps a URL are wanted");
        goto out;
    }

    if (argc - optind == 2) {
        (void) json_object_set_new(link, "url",
                                   json_string(argv[optind + 1]));
    }

    if (json_object_get(link, "url") == NULL && argc - optind == 2) {
        code = cli_usage(self.command, "the URL is no UTF-8");
        goto out;
    }

    code = set_send(&self, argv[optind], json_incref(link), create);

out:

    json_decref(link);
    cli_links_end(&self);

    return code;
}


int
cli_links_rm(int argc, char **argv)
{
    int                 c, i, code, worst;
    cli_links_t         self;
    cli_links_ask_t     ask = { .method = "DELETE" };
    cli_links_answer_t  answer;

    static const struct option  options[] = { CLI_LINKS_OPTIONS };

    if (!cli_links_begin(&self, "links rm")) {
        return CLI_USAGE;
    }

    worst = CLI_OK;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (!cli_links_option(&self, c, rm_usage, &worst)) {
            goto out;
        }
    }

    if (optind == argc) {
        worst = cli_usage(self.command, "no link was named");
        goto out;
    }

    for (i = optind; i < argc; i++) {
        ask.target = cli_links_target(&self, argv[i], "");
        code = cli_links_call(&self, &ask, &answer);
        json_decref(answer.json);

        if (code > worst) {
            worst = code;
        }
    }

out:

    cli_links_end(&self);

    return worst;
}


int
cli_links_rename(int argc, char **argv)
{
    int          c, code;
    bool         drop;
    cli_links_t  self;

    static const struct option  options[] = {
        { "drop", no_argument, NULL, 'd' },
        CLI_LINKS_OPTIONS
    };

    if (!cli_links_begin(&self, "links rename")) {
        return CLI_USAGE;
    }

    drop = false;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'd') {
            drop = true;

        } else if (!cli_links_option(&self, c, rename_usage, &code)) {
            goto out;
        }
    }

    if (argc - optind != 2) {
        code = cli_usage(self.command, "the name and the new one are wanted");
        goto out;
    }

    code = rename_send(&self, argv[optind], argv[optind + 1], drop);

out:

    cli_links_end(&self);

    return code;
}


int
cli_links_restore(int argc, char **argv)
{
    int           c, code;
    char         *end;
    json_int_t    seq;
    cli_links_t   self;

    static const struct option  options[] = {
        { "before", required_argument, NULL, 'b' },
        CLI_LINKS_OPTIONS
    };

    if (!cli_links_begin(&self, "links restore")) {
        return CLI_USAGE;
    }

    seq = 0;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {

        if (c == 'b') {
            seq = (json_int_t) strtoumax(optarg, &end, 10);

            if (*end != '\0' || seq <= 0) {
                code = cli_usage(self.command, "\"%s\" is no number of a"
                                 " change", optarg);
                goto out;
            }

        } else if (!cli_links_option(&self, c, restore_usage, &code)) {
            goto out;
        }
    }

    if (argc - optind != 1) {
        code = cli_usage(self.command, "one name is wanted");
        goto out;
    }

    code = before_change(&self, argv[optind], &seq);

    if (code == CLI_OK) {
        code = restore_send(&self, argv[optind], seq);
    }

out:

    cli_links_end(&self);

    return code;
}


/* False: it is none of set's own.  *good is false after a message. */

static bool
set_option(json_t *link, int c, bool *create, bool *good)
{
    switch (c) {

    case 'c':
        *create = true;
        return true;

    case 'o':
        *good = json_object_set_new(link, "owner", json_string(optarg)) == 0;
        break;

    case 'O':
        *good = set_list(link, "owners", optarg);
        break;

    case 'a':
        *good = strcmp(optarg, "yes") == 0 || strcmp(optarg, "no") == 0;
        (void) json_object_set_new(link, "anyone",
                                   json_boolean(strcmp(optarg, "yes") == 0));
        break;

    case 'd':
        *good = json_object_set_new(link, "description", json_string(optarg))
                == 0;
        break;

    case 't':
        *good = set_list(link, "tags", optarg);
        break;

    case 'e':
        *good = set_expiry(link, optarg);
        break;

    default:
        return false;
    }

    if (!*good) {
        (void) cli_usage("links set", "\"%s\" is not understood", optarg);
    }

    return true;
}


/* "a, b" is a and b; an empty text is an empty list. */

static bool
set_list(json_t *link, const char *key, const char *text)
{
    json_t      *list;
    size_t       len, next;

    list = json_array();

    for ( ;; text += next) {
        text += strspn(text, ", ");

        if (*text == '\0') {
            break;
        }

        next = strcspn(text, ",");
        len = next;

        while (text[len - 1] == ' ') {
            len--;
        }

        if (json_array_append_new(list, json_stringn(text, len)) != 0) {
            json_decref(list);
            return false;
        }
    }

    return json_object_set_new(link, key, list) == 0;
}


/* A day begins at midnight UTC. */

static bool
set_expiry(json_t *link, const char *text)
{
    json_t  *value;

    if (strcmp(text, "never") == 0) {
        value = json_null();

    } else if (strlen(text) == strlen("2026-12-31")) {
        value = json_sprintf("%sT00:00:00Z", text);

    } else {
        value = json_string(text);
    }

    return json_object_set_new(link, "expires", value) == 0;
}


static int
set_send(cli_links_t *self, const char *name, json_t *link, bool create)
{
    int                  code;
    char                *text;
    cli_links_ask_t      ask = { .method = "PUT" };
    cli_links_answer_t   answer;

    text = json_dumps(link, JSON_COMPACT);
    json_decref(link);

    if (text == NULL) {
        cli_error(self->command, "out of memory");
        return CLI_UNAVAILABLE;
    }

    ask.target = cli_links_target(self, name, "");
    ask.type = "application/json";
    ask.body = (tg_str_t) { text, strlen(text) };
    ask.create = create;

    code = cli_links_call(self, &ask, &answer);
    free(text);

    return tell(self, code, &answer);
}


static int
rename_send(cli_links_t *self, const char *name, const char *to, bool drop)
{
    int                 code;
    cli_links_answer_t  answer;

    code = cli_links_send(self, "POST",
                          cli_links_target(self, name, "/rename"),
                          json_pack("{s:s, s:b}", "to", to, "keep_alias",
                                    !drop),
                          &answer);

    return tell(self, code, &answer);
}


static int
restore_send(cli_links_t *self, const char *name, json_int_t seq)
{
    int                 code;
    cli_links_answer_t  answer;

    code = cli_links_send(self, "POST",
                          cli_links_target(self, name, "/restore"),
                          json_pack("{s:I}", "seq", seq), &answer);

    return tell(self, code, &answer);
}


/*
 * From the number of a change, or 0 for the last one, to that of the entry of
 * the history, the newest first, that has the link as it was before.  The entry
 * of a deletion has it itself.
 */

static int
before_change(cli_links_t *self, const char *name, json_int_t *seq)
{
    int                  code;
    size_t               i;
    json_t              *list, *entry;
    json_int_t           found;
    cli_links_ask_t      ask = { .method = "GET" };
    cli_links_answer_t   answer;

    ask.target = cli_links_target(self, name, "/history");
    code = cli_links_call(self, &ask, &answer);

    found = 0;
    list = json_object_get(answer.json, "history");

    json_array_foreach(list, i, entry) {
        found = json_integer_value(json_object_get(entry, "seq"));

        if (*seq == 0 || found == *seq) {

            if (json_is_object(json_object_get(entry, "after"))) {
                entry = json_array_get(list, i + 1);
                found = json_integer_value(json_object_get(entry, "seq"));
            }

            break;
        }

        found = 0;
    }

    *seq = found;

    if (code == CLI_OK && found == 0) {
        cli_error(self->command, "the history of %s has nothing before that"
                  " change", name);
        code = CLI_BAD;
    }

    json_decref(answer.json);

    return code;
}


/* What a link has become; gives the answer's JSON back. */

static int
tell(cli_links_t *self, int code, cli_links_answer_t *answer)
{
    if (code == CLI_OK && self->json) {
        code = cli_links_print(self, answer);

    } else if (code == CLI_OK) {
        cli_print(stdout, cli_links_text(answer->json, "name"));
        (void) fputs(" -> ", stdout);
        cli_print(stdout, cli_links_text(answer->json, "url"));
        (void) putchar('\n');
    }

    json_decref(answer->json);

    return code;
}
