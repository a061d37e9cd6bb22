
/*
 * Copyright (C) The Tailgate authors
 *
 * tailgate policy: the policy, the request and the time that options name.
 */

#include <cli/cli.h>
#include <cli/policy.h>
#include <cli/read.h>

#include "core/base/base.h"

#include <string.h>
#include <time.h>


typedef struct {
    const char  *path;
    json_t      *messages;
    size_t       errors;
    bool         quiet;
} report_t;


int
cli_policy_read(cli_policy_t *self, const char *path, size_t max,
    tg_str_t *text)
{
    int  error;

    error = cli_read(path, max, &self->alloc, text);

    if (error != 0) {
        cli_error(self->name, "%s: %s", path, strerror(error));
        return CLI_USAGE;
    }

    return CLI_OK;
}


static void
print_message(const char *path, const tg_policy_message_t *message)
{
    tg_str_t  text;

    text.data = message->text;
    text.len = strlen(message->text);

    (void) fflush(stdout);
    (void) fputs(path, stderr);

    if (message->line > 0) {
        (void) fprintf(stderr, ":%zu:%zu", message->line, message->column);
    }

    (void) fprintf(stderr, ": %s: %s: ",
                   message->severity == TG_POLICY_ERROR ? "error" : "warning",
                   message->code);
    cli_print(stderr, text);
    (void) fputc('\n', stderr);
}


static void
report(void *ctx, const tg_policy_message_t *message)
{
    report_t  *r = ctx;

    r->errors += message->severity == TG_POLICY_ERROR;

    if (!r->quiet) {
        print_message(r->path, message);
    }

    if (r->messages != NULL) {
        (void) json_array_append_new(r->messages,
            json_pack("{s:s, s:s, s:I, s:I, s:s}",
                      "severity", message->severity == TG_POLICY_ERROR
                                  ? "error" : "warning",
                      "code", message->code,
                      "line", (json_int_t) message->line,
                      "column", (json_int_t) message->column,
                      "text", message->text));
    }
}


int
cli_policy_compile(cli_policy_t *self, const char *path, bool quiet,
    json_t *messages, tg_policy_t **policy)
{
    int       rc;
    tg_str_t  text;
    report_t  r = { path, messages, 0, quiet };

    if (cli_policy_read(self, path, TG_POLICY_SIZE_MAX, &text) != CLI_OK) {
        return CLI_USAGE;
    }

    rc = tg_policy_compile(text.data, text.len, &self->alloc, report, &r,
                           policy);

    if (rc == TG_OK) {
        return CLI_OK;
    }

    if (r.errors == 0) {
        cli_error(self->name, "%s: %s", path, tg_strerror(rc));
    }

    return rc == TG_ERR_NOMEM ? CLI_USAGE : CLI_BAD;
}


/* The word or the option names the file, else it is where it is installed. */

static int
choose_file(cli_policy_t *self)
{
    if (self->nfiles == 1 && self->policy == NULL && !self->no_policy) {
        self->policy = self->files[0];
        self->nfiles = 0;
    }

    if (self->nfiles > 0 || (self->no_policy && self->policy != NULL)) {
        return cli_usage(self->name, "one policy is asked at a time");
    }

    if (self->policy == NULL) {
        self->policy = CLI_POLICY_FILE;
    }

    return CLI_OK;
}


int
cli_policy_rules(cli_policy_t *self)
{
    int  code;

    code = choose_file(self);
    if (code != CLI_OK) {
        return code;
    }

    if (!self->no_policy) {
        code = cli_policy_compile(self, self->policy, false, NULL,
                                  &self->file);

        if (code == CLI_BAD) {
            cli_error(self->name, "%s is refused", self->policy);
        }

        if (code != CLI_OK) {
            return CLI_USAGE;
        }
    }

    code = cli_policy_inline(self);

    return code != CLI_OK ? code : cli_policy_at(self);
}


int
cli_policy_at(cli_policy_t *self)
{
    if (self->at_text == NULL) {
        self->now = time(NULL);
        return CLI_OK;
    }

    if (tgi_time_parse(&self->now, self->at_text, strlen(self->at_text))
        != TG_OK)
    {
        return cli_usage(self->name, "\"%s\" is no time: use"
                         " 2027-01-31T18:00:00Z", self->at_text);
    }

    return CLI_OK;
}


int
cli_policy_via(cli_policy_t *self, tg_request_t *request)
{
    const char  *via;

    via = self->via_text;

    if (via == NULL || strcmp(via, "direct") == 0) {
        request->via = TG_VIA_DIRECT;

    } else if (strcmp(via, "funnel") == 0) {
        request->via = TG_VIA_FUNNEL;

    } else if (strcmp(via, "service") == 0) {
        request->via = TG_VIA_SERVICE;

    } else if (strncmp(via, "svc:", 4) == 0) {
        request->via = TG_VIA_SERVICE;
        request->service = (tg_str_t) { via, strlen(via) };

    } else {
        return cli_usage(self->name, "\"%s\" is no way in: direct, service,"
                         " svc:NAME or funnel", via);
    }

    return CLI_OK;
}


int
cli_policy_request(cli_policy_t *self)
{
    tg_str_t    text;
    tg_error_t  error;

    if (self->request_text == NULL) {
        return cli_usage(self->name, "--request is needed");
    }

    text.data = self->request_text;
    text.len = strlen(text.data);

    if (tg_request_parse(text, &self->alloc, &self->request, &error)
        != TG_OK)
    {
        cli_error(self->name, "--request: %s", error.text);
        return CLI_USAGE;
    }

    self->request.now = self->now;
    self->request.method_override = self->method_override;

    return cli_policy_via(self, &self->request);
}
