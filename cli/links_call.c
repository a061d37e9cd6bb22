
/*
 * Copyright (C) The Tailgate authors
 *
 * One call of the REST API of the links, and what a refusal says.
 */

#include <cli/cli.h>
#include <cli/links.h>
#include <cli/print.h>

#include <net/client/fetch.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* An import of 100,000 links is many calls, of which none takes as long. */

#define TIMEOUT      60000

#define HEADER_MAX   256


static int refused(const cli_links_t *self, const cli_links_answer_t *answer);
static void print_fields(const json_t *problem);
static void encode(FILE *out, const char *text);
static const char *keep(cli_links_t *self, FILE *out, char **text);
static const char *join(cli_links_t *self, const char *url,
    const char *target);


int
cli_links_call(cli_links_t *self, const cli_links_ask_t *ask,
    cli_links_answer_t *answer)
{
    char                 type[HEADER_MAX], match[HEADER_MAX];
    const char          *headers[5];
    tgn_fetch_ask_t      fetch;
    tgn_fetch_answer_t   got;

    memset(answer, 0, sizeof(cli_links_answer_t));
    memset(&fetch, 0, sizeof(fetch));

    fetch.url = ask->target ? join(self, self->url, ask->target) : NULL;

    if (fetch.url == NULL) {
        cli_error(self->command, "out of memory");
        return CLI_UNAVAILABLE;
    }

    headers[fetch.nheaders++] = "Accept: application/json";

    if (ask->type != NULL) {
        (void) snprintf(type, sizeof(type), "Content-Type: %s", ask->type);
        headers[fetch.nheaders++] = type;
        fetch.body = ask->body;
    }

    /* a program, not a page of another site: see docs/links/openapi.yaml */

    if (strcmp(ask->method, "GET") != 0) {
        headers[fetch.nheaders++] = "Sec-Golink: 1";
    }

    if (ask->create) {
        headers[fetch.nheaders++] = "If-None-Match: *";
    }

    if (ask->if_match != NULL) {
        (void) snprintf(match, sizeof(match), "If-Match: %s", ask->if_match);
        headers[fetch.nheaders++] = match;
    }

    fetch.method = ask->method;
    fetch.headers = headers;
    fetch.socket = self->socket;
    fetch.cacert = self->cacert;
    fetch.timeout = TIMEOUT;

    if (tgn_fetch(self->fetch, &fetch, &self->alloc, &got) != TG_OK) {
        cli_error(self->command, "out of memory");
        return CLI_UNAVAILABLE;
    }

    if (got.code == 0) {
        cli_error(self->command, "%s", got.error);
        return CLI_UNAVAILABLE;
    }

    answer->code = got.code;
    answer->body = got.body;
    answer->json = json_loadb(got.body.data, got.body.len,
                              JSON_REJECT_DUPLICATES, NULL);
    (void) tgn_fetch_header(&got, "ETag", 0, &answer->etag);

    return got.code / 100 == 2 ? CLI_OK : refused(self, answer);
}


int
cli_links_send(cli_links_t *self, const char *method, const char *target,
    json_t *json, cli_links_answer_t *answer)
{
    int              code;
    char            *text;
    cli_links_ask_t  ask;

    memset(answer, 0, sizeof(cli_links_answer_t));
    memset(&ask, 0, sizeof(ask));

    text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);

    if (text == NULL || target == NULL) {
        cli_error(self->command, "out of memory");
        code = CLI_UNAVAILABLE;
        goto out;
    }

    ask.method = method;
    ask.target = target;
    ask.type = "application/json";
    ask.body = (tg_str_t) { text, strlen(text) };

    code = cli_links_call(self, &ask, answer);

out:

    free(text);

    return code;
}


const char *
cli_links_target(cli_links_t *self, const char *name, const char *rest)
{
    FILE   *out;
    char   *text;
    size_t  len;

    out = open_memstream(&text, &len);

    if (out == NULL) {
        return NULL;
    }

    (void) fputs("/api/v1/links/", out);
    encode(out, name);
    (void) fputs(rest, out);

    return keep(self, out, &text);
}


const char *
cli_links_query(cli_links_t *self, const char *path, const char *const *pairs)
{
    char    mark;
    FILE   *out;
    char   *text;
    size_t  len;

    out = open_memstream(&text, &len);

    if (out == NULL) {
        return NULL;
    }

    (void) fputs(path, out);

    for (mark = '?'; pairs[0] != NULL; pairs += 2) {

        if (pairs[1] != NULL) {
            (void) fprintf(out, "%c%s=", mark, pairs[0]);
            encode(out, pairs[1]);
            mark = '&';
        }
    }

    return keep(self, out, &text);
}


const char *
cli_links_words(cli_links_t *self, const char *between,
    const char *const *words)
{
    FILE   *out;
    char   *text;
    size_t  i, len;

    out = open_memstream(&text, &len);

    if (out == NULL) {
        return NULL;
    }

    for (i = 0; words[i] != NULL; i++) {
        (void) fputs(i == 0 ? "" : between, out);
        (void) fputs(words[i], out);
    }

    return keep(self, out, &text);
}


int
cli_links_print(cli_links_t *self, const cli_links_answer_t *answer)
{
    if (answer->json == NULL
        || json_dumpf(answer->json, stdout, JSON_INDENT(2)|JSON_ENSURE_ASCII)
           != 0)
    {
        cli_error(self->command, "the answer is no JSON: is %s where links"
                  " are served?", self->url);
        return CLI_UNAVAILABLE;
    }

    (void) putchar('\n');

    return CLI_OK;
}


tg_str_t
cli_links_text(const json_t *object, const char *key)
{
    const json_t  *value;

    value = json_object_get(object, key);

    if (!json_is_string(value)) {
        return (tg_str_t) TG_NULL_STR;
    }

    return (tg_str_t) { json_string_value(value), json_string_length(value) };
}


/* The server's own words are in a problem of RFC 9457. */

static int
refused(const cli_links_t *self, const cli_links_answer_t *answer)
{
    tg_str_t  text;

    text = cli_links_text(answer->json, "detail");

    if (text.len == 0) {
        text = cli_links_text(answer->json, "title");
    }

    if (text.len > 0) {
        cli_error(self->command, "%.*s", (int) text.len, text.data);
        print_fields(answer->json);

    } else {
        cli_error(self->command, "%s answered %d and does not say why: is it"
                  " where links are served?", self->url, answer->code);
    }

    return answer->code >= 500 ? CLI_UNAVAILABLE : CLI_BAD;
}


static void
print_fields(const json_t *problem)
{
    size_t         i;
    const json_t  *error;

    json_array_foreach(json_object_get(problem, "errors"), i, error) {
        (void) fputs("  ", stderr);
        cli_print(stderr, cli_links_text(error, "field"));
        (void) fputs(": ", stderr);
        cli_print(stderr, cli_links_text(error, "message"));
        (void) fputc('\n', stderr);
    }
}


static void
encode(FILE *out, const char *text)
{
    const unsigned char  *c;

    for (c = (const unsigned char *) text; *c != '\0'; c++) {

        if (isalnum(*c) || strchr("-._~", *c) != NULL) {
            (void) fputc(*c, out);

        } else {
            (void) fprintf(out, "%%%02X", *c);
        }
    }
}


/* Closes a stream of memory, whose bytes live with the form from now on. */

static const char *
keep(cli_links_t *self, FILE *out, char **text)
{
    char  *kept;

    kept = NULL;

    if (fclose(out) == 0) {
        kept = self->alloc.alloc(self->alloc.ctx, strlen(*text) + 1);
    }

    if (kept != NULL) {
        memcpy(kept, *text, strlen(*text) + 1);
    }

    free(*text);

    return kept;
}


/* A URL is given with a slash at its end or without. */

static const char *
join(cli_links_t *self, const char *url, const char *target)
{
    FILE   *out;
    char   *text;
    size_t  len;

    len = strlen(url);

    while (len > 0 && url[len - 1] == '/') {
        len--;
    }

    out = open_memstream(&text, &(size_t) { 0 });

    if (out == NULL) {
        return NULL;
    }

    (void) fwrite(url, 1, len, out);
    (void) fputs(target, out);

    return keep(self, out, &text);
}
