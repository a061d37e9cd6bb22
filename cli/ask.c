
/*
 * Copyright (C) The Tailgate authors
 */

#include <cli/ask.h>
#include <cli/print.h>

#include <stdio.h>
#include <string.h>


typedef struct {
    const tg_alloc_t  *alloc;
    cli_answer_t      *answer;
    bool               failed;
} keep_t;


static void keep(const tgn_localapi_answer_t *answer, void *data);
static const char *keep_text(const tg_alloc_t *alloc, const char *text);


int
cli_ask(const char *socket, const char *target, const tg_alloc_t *alloc,
    cli_answer_t *answer)
{
    return cli_ask_max(socket, target, 0, alloc, answer);
}


int
cli_ask_max(const char *socket, const char *target, size_t max,
    const tg_alloc_t *alloc, cli_answer_t *answer)
{
    int                  rc;
    keep_t               k = { alloc, answer, false };
    tgn_localapi_conf_t  conf = { 0 };

    *answer = (cli_answer_t) { .status = TGN_LOCALAPI_FAILED, .error = "" };

    conf.socket = socket;
    conf.body_max = max;

    rc = tgn_localapi_get_wait(&conf, target, keep, &k);

    return (rc == TG_OK && k.failed) ? TG_ERR_NOMEM : rc;
}


int
cli_ask_self(const char *socket, const tg_alloc_t *alloc, tg_self_t *self,
    cli_answer_t *answer)
{
    int         rc;
    char        text[64];
    tg_error_t  error;

    rc = cli_ask(socket, TG_LOCALAPI_STATUS, alloc, answer);

    if (rc != TG_OK) {
        answer->error = "out of memory";
        return rc;
    }

    if (answer->code == 0) {
        return TG_ERR_ABSENT;
    }

    if (answer->code != 200) {
        snprintf(text, sizeof(text), "tailscaled answered %d to status",
                 answer->code);
        answer->error = keep_text(alloc, text);
        return TG_ERR_REFUSED;
    }

    rc = tg_status_parse(answer->body.data, answer->body.len, alloc, self,
                         &error);

    if (rc != TG_OK) {
        answer->error = keep_text(alloc, error.text);
    }

    return rc;
}


static void
keep(const tgn_localapi_answer_t *answer, void *data)
{
    char    *body;
    keep_t  *k = data;

    k->answer->status = answer->status;
    k->answer->code = answer->code;
    k->answer->error = keep_text(k->alloc, answer->error);

    body = k->alloc->alloc(k->alloc->ctx, answer->len + 1);

    if (body == NULL) {
        k->failed = true;
        return;
    }

    memcpy(body, answer->body, answer->len);
    body[answer->len] = '\0';

    k->answer->body.data = body;
    k->answer->body.len = answer->len;
}


static const char *
keep_text(const tg_alloc_t *alloc, const char *text)
{
    char    *copy;
    size_t   len;

    len = strlen(text) + 1;
    copy = alloc->alloc(alloc->ctx, len);

    if (copy == NULL) {
        return "out of memory";
    }

    memcpy(copy, text, len);

    return copy;
}


void
cli_row(const char *name, tg_str_t value)
{
    if (value.len == 0) {
        return;
    }

    printf("%-14s", name);
    cli_print(stdout, value);
    putchar('\n');
}


void
cli_set_text(json_t *object, const char *key, tg_str_t value)
{
    if (value.len != 0) {
        json_object_set_new(object, key, json_stringn(value.data, value.len));
    }
}
