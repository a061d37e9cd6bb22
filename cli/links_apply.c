
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate links apply: links that are kept in a file, and so in git.
 */

#include <cli/cli.h>
#include <cli/links.h>
#include <cli/print.h>
#include <cli/read.h>

#include <core/base/yaml.h>

#include <stdio.h>
#include <string.h>


#define FILE_SIZE_MAX  ((size_t) 8 * 1024 * 1024)


typedef struct {
    cli_links_t   links;
    const char   *file;
    bool          prune;
    bool          dry_run;
    json_t       *list;            /* for the request */
} apply_t;


static bool options(apply_t *self, int argc, char **argv, int *code);
static int apply(apply_t *self);
static int read_links(apply_t *self);
static int read_link(apply_t *self, const tgi_yaml_t *value);
static int read_field(apply_t *self, const tgi_yaml_t *value, json_t *link);
static int complain(const apply_t *self, const tgi_yaml_t *value,
    const char *text);
static json_t *text_of(tg_str_t text);
static json_t *list_of(const tgi_yaml_t *value);
static int report(apply_t *self, cli_links_answer_t *answer);


static const tgi_yaml_limits_t  limits = { FILE_SIZE_MAX, 1000000, 8 };

static const char  usage[] =
    "usage: tailgate links apply -f FILE [--prune] [--dry-run]\n"
    "\n"
    "Makes the links what FILE says:\n"
    "\n"
    "    links:\n"
    "      wiki: https://wiki.example.com/\n"
    "      bug:\n"
    "        url: https://bugs.example.com/{{.Path}}\n"
    "        description: the bug with that number\n"
    "        owners: [alice@example.com, group:docs]\n"
    "        tags: [dev]\n"
    "\n"
    "They belong to \"git\" from now on.  It takes an administrator of the\n"
    "links.\n"
    "\n"
    "  -f, --file FILE  the file, or \"-\" for standard input\n"
    "  --prune          delete links that belong to git and are not in FILE\n"
    "  --dry-run        say what would happen\n"
    CLI_LINKS_USAGE
    "\n"
    "Exit status: 0 they are so, 1 some were refused, 2 the command line or\n"
    "the file is wrong, 3 the server does not answer.\n";


int
cli_links_apply(int argc, char **argv)
{
    int      code;
    apply_t  self;

    memset(&self, 0, sizeof(self));

    if (!cli_links_begin(&self.links, "links apply")) {
        return CLI_USAGE;
    }

    self.list = json_array();

    if (options(&self, argc, argv, &code)) {
        code = apply(&self);
    }

    json_decref(self.list);
    cli_links_end(&self.links);

    return code;
}


static bool
options(apply_t *self, int argc, char **argv, int *code)
{
    int  c;

    static const struct option  known[] = {
        { "file", required_argument, NULL, 'f' },
        { "prune", no_argument, NULL, 'p' },
        { "dry-run", no_argument, NULL, 'n' },
        CLI_LINKS_OPTIONS
    };

    while ((c = getopt_long(argc, argv, "f:", known, NULL)) != -1) {

        switch (c) {

        case 'f':
            self->file = optarg;
            break;

        case 'p':
            self->prune = true;
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

    if (self->file == NULL || optind != argc) {
        *code = cli_usage(self->links.command, "a file is wanted, by -f");
        return false;
    }

    return true;
}


static int
apply(apply_t *self)
{
    int                 code;
    cli_links_answer_t  answer;

    code = read_links(self);

    if (code != CLI_OK) {
        return code;
    }

    code = cli_links_send(&self->links, "POST", "/api/v1/apply",
                          json_pack("{s:O, s:b, s:b}", "links", self->list,
                                    "prune", self->prune, "dry_run",
                                    self->dry_run),
                          &answer);

    if (code == CLI_OK) {
        code = report(self, &answer);
    }

    json_decref(answer.json);

    return code;
}


static int
read_links(apply_t *self)
{
    int          rc, code;
    tg_str_t     text;
    tg_error_t   error;
    tgi_yaml_t  *root, *value;

    rc = cli_read(self->file, FILE_SIZE_MAX, &self->links.alloc, &text);

    if (rc != 0) {
        cli_error(self->links.command, "%s: %s", self->file, strerror(rc));
        return CLI_USAGE;
    }

    if (tgi_yaml_read(text.data, text.len, &limits, &self->links.alloc, &root,
                      &error)
        != TG_OK)
    {
        cli_error(self->links.command, "%s:%zu:%zu: %s", self->file,
                  error.line, error.column, error.text);
        return CLI_USAGE;
    }

    /* an empty file with --prune would delete all there is */

    if (root->kind != TGI_YAML_MAPPING || root->n != 1
        || strcmp(root->first->key.data, "links") != 0
        || root->first->kind != TGI_YAML_MAPPING)
    {
        return complain(self, root, "there has to be one key, \"links\", with"
                        " names and where they lead");
    }

    code = CLI_OK;

    for (value = root->first->first; value != NULL; value = value->next) {
        if (read_link(self, value) != CLI_OK) {
            code = CLI_USAGE;
        }
    }

    return code;
}


static int
read_link(apply_t *self, const tgi_yaml_t *value)
{
    int          code;
    json_t      *link;
    tgi_yaml_t  *field;

    code = CLI_OK;
    link = json_object();
    (void) json_object_set_new(link, "name", text_of(value->key));

    if (value->kind == TGI_YAML_SCALAR) {
        (void) json_object_set_new(link, "url", text_of(value->text));

    } else if (value->kind == TGI_YAML_SEQUENCE) {
        code = complain(self, value, "a link is a URL, or a mapping with url");
    }

    if (value->kind == TGI_YAML_MAPPING) {
        for (field = value->first; field != NULL; field = field->next) {
            if (read_field(self, field, link) != CLI_OK) {
                code = CLI_USAGE;
            }
        }
    }

    if (code == CLI_OK && json_object_get(link, "url") == NULL) {
        code = complain(self, value, "it has no url");
    }

    if (json_array_append_new(self->list, link) != 0) {
        cli_error(self->links.command, "out of memory");
        code = CLI_USAGE;
    }

    return code;
}


static int
read_field(apply_t *self, const tgi_yaml_t *value, json_t *link)
{
    size_t       i;
    const char  *key;

    static const char *const  texts[] = { "url", "description", "expires" };
    static const char *const  lists[] = { "owners", "tags" };

    key = value->key.data;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(key, texts[i]) == 0) {
            return value->kind == TGI_YAML_SCALAR
                   && json_object_set_new(link, key, text_of(value->text)) == 0
                   ? CLI_OK : complain(self, value, "it has to be a text");
        }
    }

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (strcmp(key, lists[i]) == 0) {
            return value->kind == TGI_YAML_SEQUENCE
                   && json_object_set_new(link, key, list_of(value)) == 0
                   ? CLI_OK : complain(self, value, "it has to be a list of"
                                       " texts");
        }
    }

    if (strcmp(key, "anyone") == 0) {
        return value->kind == TGI_YAML_SCALAR
               && (strcmp(value->text.data, "true") == 0
                   || strcmp(value->text.data, "false") == 0)
               && json_object_set_new(link, key,
                      json_boolean(value->text.data[0] == 't')) == 0
               ? CLI_OK : complain(self, value, "it has to be true or false");
    }

    return complain(self, value, "a link has url, description, owners, anyone,"
                    " tags and expires, and nothing of this name");
}


static int
complain(const apply_t *self, const tgi_yaml_t *value, const char *text)
{
    if (value->key.len > 0) {
        cli_error(self->links.command, "%s:%zu:%zu: \"%s\": %s", self->file,
                  value->line, value->column, value->key.data, text);

    } else {
        cli_error(self->links.command, "%s:%zu:%zu: %s", self->file,
                  value->line, value->column, text);
    }

    return CLI_USAGE;
}


static json_t *
text_of(tg_str_t text)
{
    return json_stringn(text.data, text.len);
}


/* NULL if an item is no text. */

static json_t *
list_of(const tgi_yaml_t *value)
{
    json_t            *list;
    const tgi_yaml_t  *item;

    list = json_array();

    for (item = value->first; item != NULL; item = item->next) {

        if (item->kind != TGI_YAML_SCALAR
            || json_array_append_new(list, text_of(item->text)) != 0)
        {
            json_decref(list);
            return NULL;
        }
    }

    return list;
}


static int
report(apply_t *self, cli_links_answer_t *answer)
{
    size_t       i;
    json_t      *result;
    tg_str_t     status, error;
    json_int_t   failed;

    failed = json_integer_value(json_object_get(answer->json, "failed"));

    if (self->links.json) {
        (void) cli_links_print(&self->links, answer);
        return failed > 0 ? CLI_BAD : CLI_OK;
    }

    json_array_foreach(json_object_get(answer->json, "results"), i, result) {
        status = cli_links_text(result, "status");
        error = cli_links_text(result, "error");

        if (status.len == strlen("unchanged")
            && memcmp(status.data, "unchanged", status.len) == 0)
        {
            continue;
        }

        cli_print_padded(stdout, status, 10);
        cli_print(stdout, cli_links_text(result, "name"));

        if (error.len > 0) {
            (void) fputs(": ", stdout);
            cli_print(stdout, error);
        }

        (void) putchar('\n');
    }

    (void) printf("%" JSON_INTEGER_FORMAT " created, %" JSON_INTEGER_FORMAT
                  " updated, %" JSON_INTEGER_FORMAT " unchanged, %"
                  JSON_INTEGER_FORMAT " deleted, %" JSON_INTEGER_FORMAT
                  " failed%s\n",
                  json_integer_value(json_object_get(answer->json, "created")),
                  json_integer_value(json_object_get(answer->json, "updated")),
                  json_integer_value(json_object_get(answer->json,
                                                     "unchanged")),
                  json_integer_value(json_object_get(answer->json, "deleted")),
                  failed, self->dry_run ? "; nothing was changed" : "");

    return failed > 0 ? CLI_BAD : CLI_OK;
}
