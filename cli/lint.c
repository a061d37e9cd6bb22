
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate lint: what in an nginx configuration undoes the guard.
 */

#include <cli/ask.h>
#include <cli/cli.h>
#include <cli/lint.h>
#include <cli/print.h>

#include <core/base/base.h>

#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ARENA_MAX  (512 * 1024 * 1024)


typedef struct {
    const char  *path;
    const char  *nginx;
    bool         json;
    bool        *ignored;      /* by index of cli_lint_rules */
} options_t;


static bool parse(int argc, char **argv, options_t *o, int *code);
static bool ignore(options_t *o, const char *name);
static void help(void);
static int lint_all(const options_t *o, const tg_alloc_t *alloc);
static int by_place(const void *a, const void *b);
static int print_json(const cli_lint_t *lint);
static void print_text(const cli_lint_t *lint);


static const char  usage[] =
    "usage: tailgate lint [--json] [--ignore RULE] [--nginx PROGRAM]\n"
    "                     [FILE | -]\n"
    "\n"
    "Reports what in an nginx configuration goes past the guard, or breaks\n"
    "what it tells the apps.  Without FILE it reads what \"nginx -T\" prints;\n"
    "FILE is an nginx.conf, or such a print (\"-\": standard input).\n"
    "\n"
    "  --json           print one JSON object\n"
    "  --ignore RULE    do not check RULE; may be given several times\n"
    "  --nginx PROGRAM  the nginx to run (nginx)\n"
    "  --help           print this message\n"
    "\n"
    "Rules:\n";


int
cli_lint(int argc, char **argv)
{
    int          code;
    options_t    o = { 0 };
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    arena = tg_arena_new(ARENA_MAX);

    if (arena != NULL) {
        o.ignored = tg_arena_alloc(arena, cli_lint_nrules * sizeof(bool));
    }

    if (o.ignored == NULL) {
        cli_error("lint", "out of memory");
        code = CLI_UNAVAILABLE;

    } else if (parse(argc, argv, &o, &code)) {
        alloc = tg_arena_allocator(arena);
        code = lint_all(&o, &alloc);
    }

    tg_arena_free(&arena);

    return code;
}


static bool
parse(int argc, char **argv, options_t *o, int *code)
{
    int  c;

    static const struct option  options[] = {
        { "json", no_argument, NULL, 'j' },
        { "ignore", required_argument, NULL, 'i' },
        { "nginx", required_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    o->nginx = "nginx";
    *code = CLI_USAGE;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j':
            o->json = true;
            break;

        case 'i':
            if (!ignore(o, optarg)) {
                cli_usage("lint", "\"%s\" is no rule", optarg);
                return false;
            }

            break;

        case 'n':
            o->nginx = optarg;
            break;

        case 'h':
            help();
            *code = CLI_OK;
            return false;

        default:
            cli_usage("lint", "the command line was not understood");
            return false;
        }
    }

    if (argc - optind > 1) {
        cli_usage("lint", "one file is checked at a time");
        return false;
    }

    o->path = argv[optind];

    return true;
}


static bool
ignore(options_t *o, const char *name)
{
    size_t  i;

    for (i = 0; i < cli_lint_nrules; i++) {

        if (strcmp(cli_lint_rules[i].name, name) == 0) {
            o->ignored[i] = true;
            return true;
        }
    }

    return false;
}


static void
help(void)
{
    size_t  i;

    fputs(usage, stdout);

    for (i = 0; i < cli_lint_nrules; i++) {
        printf("  %-26s %s\n", cli_lint_rules[i].name,
               cli_lint_rules[i].summary);
    }

    fputs("\nExit status: 0 nothing was found, 1 something was, 2 the command"
          " line or\nthe configuration is wrong.\n", stdout);
}


static int
lint_all(const options_t *o, const tg_alloc_t *alloc)
{
    int          code;
    size_t       i;
    cli_conf_t  *root;
    cli_lint_t   lint = { 0 };

    code = cli_lint_load(o->path, o->nginx, alloc, &root);

    if (code != CLI_OK) {
        return code;
    }

    lint.alloc = alloc;
    lint.root = root;
    lint.strip = tg_strip_new(alloc);
    lint.nomem = lint.strip == NULL;

    for (i = 0; i < cli_lint_nrules && !lint.nomem; i++) {

        if (!o->ignored[i]) {
            cli_lint_run(&lint, &cli_lint_rules[i]);
        }
    }

    if (lint.nfindings > 0) {
        qsort(lint.findings, lint.nfindings, sizeof(cli_lint_finding_t),
              by_place);
    }

    if (!lint.nomem) {
        if (o->json) {
            lint.nomem = print_json(&lint) != TG_OK;

        } else {
            print_text(&lint);
        }
    }

    if (lint.nomem) {
        cli_error("lint", "out of memory");
        return CLI_UNAVAILABLE;
    }

    return lint.nfindings > 0 ? CLI_BAD : CLI_OK;
}


void
cli_lint_run(cli_lint_t *lint, const cli_lint_rule_t *rule)
{
    lint->rule = rule;
    rule->check(lint);
}


void
cli_lint_find(cli_lint_t *lint, const cli_conf_t *conf, const char *fmt, ...)
{
    char                 text[CLI_LINT_TEXT_MAX];
    size_t               i;
    va_list              args;
    tg_str_t             copy;
    cli_lint_finding_t  *bigger;

    for (i = 0; i < lint->nfindings; i++) {

        if (lint->findings[i].rule == lint->rule
            && lint->findings[i].conf == conf)
        {
            return;
        }
    }

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (lint->nfindings == lint->room) {
        lint->room = lint->room > 0 ? 2 * lint->room : 64;
        bigger = tgi_alloc(lint->alloc, lint->room,
                           sizeof(cli_lint_finding_t));

        if (bigger == NULL) {
            lint->nomem = true;
            lint->room = lint->nfindings;
            return;
        }

        if (lint->nfindings > 0) {
            memcpy(bigger, lint->findings,
                   lint->nfindings * sizeof(cli_lint_finding_t));
        }

        lint->findings = bigger;
    }

    if (tgi_str_copy(&copy, text, strlen(text) + 1, lint->alloc) != TG_OK) {
        lint->nomem = true;
        return;
    }

    lint->findings[lint->nfindings].rule = lint->rule;
    lint->findings[lint->nfindings].conf = conf;
    lint->findings[lint->nfindings].text = copy.data;
    lint->nfindings++;
}


static int
by_place(const void *a, const void *b)
{
    int                        rc;
    size_t                     len;
    const cli_conf_t          *x, *y;
    const cli_lint_finding_t  *fa = a, *fb = b;

    x = fa->conf;
    y = fb->conf;

    len = x->file.len < y->file.len ? x->file.len : y->file.len;
    rc = memcmp(x->file.data, y->file.data, len);

    if (rc != 0) {
        return rc;
    }

    if (x->file.len != y->file.len) {
        return x->file.len < y->file.len ? -1 : 1;
    }

    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }

    return strcmp(fa->rule->name, fb->rule->name);
}


/* Names and values are the configuration's: no control of the terminal. */

static void
print_line(const cli_lint_finding_t *finding)
{
    tg_str_t  text = { finding->text, strlen(finding->text) };

    cli_print(stdout, finding->conf->file);
    printf(":%zu: %s: ", finding->conf->line, finding->rule->name);
    cli_print(stdout, text);
    putchar('\n');
}


static void
print_text(const cli_lint_t *lint)
{
    size_t  i;

    for (i = 0; i < lint->nfindings; i++) {
        print_line(&lint->findings[i]);
    }

    (void) fflush(stdout);

    if (lint->nfindings == 0) {
        fputs("tailgate lint: nothing was found\n", stderr);

    } else {
        (void) fprintf(stderr, "tailgate lint: %zu found\n", lint->nfindings);
    }
}


static int
print_json(const cli_lint_t *lint)
{
    int                        rc;
    json_t                    *object, *list, *item;
    size_t                     i;
    tg_str_t                   text;
    const cli_lint_finding_t  *finding;

    object = json_object();
    list = json_array();
    rc = json_object_set_new(object, "findings", list);

    for (i = 0; rc == 0 && i < lint->nfindings; i++) {
        finding = &lint->findings[i];

        text.data = finding->text;
        text.len = strlen(finding->text);

        item = json_pack("{s:I, s:s}",
                         "line", (json_int_t) finding->conf->line,
                         "rule", finding->rule->name);
        cli_set_text(item, "file", finding->conf->file);
        cli_set_text(item, "text", text);
        rc = json_array_append_new(list, item);
    }

    if (rc == 0) {
        rc = json_dumpf(object, stdout, JSON_INDENT(2));
        putchar('\n');
    }

    json_decref(object);

    return rc == 0 ? TG_OK : TG_ERR_NOMEM;
}
