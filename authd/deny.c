
/*
 * Copyright (C) The Tailgate authors
 *
 * A denial as an answer.
 */

#include "authd/exchange.h"

#include <stdio.h>
#include <string.h>


static tg_denial_form_t deny_form(authd_exchange_t *ex);
static tg_str_t deny_accept(authd_exchange_t *ex);


void
authd_exchange_deny(authd_exchange_t *ex, const authd_identified_t *identified,
    bool body, int code)
{
    size_t               i;
    char                 name[64];
    tg_denial_t          denial;
    authd_result_t       result;
    tg_denial_answer_t   answer;

    result = ex->decision.verdict == TG_UNAVAILABLE
             ? AUTHD_RESULT_UNAVAILABLE : AUTHD_RESULT_DENY;

    denial.decision = &ex->decision;
    denial.peer = &identified->peer;
    denial.id = (tg_str_t) { ex->id, strlen(ex->id) };
    denial.form = body ? deny_form(ex) : TG_DENIAL_TEXT;
    denial.forwarded = true;

    if (tg_denial_render(&denial, &ex->alloc, &answer) != TG_OK) {
        authd_exchange_refuse(ex, AUTHD_RESULT_UNAVAILABLE, 503, identified,
                              "out of memory");
        return;
    }

    for (i = 0; i < answer.nheaders; i++) {
        (void) snprintf(name, sizeof(name), "%.*s",
                        (int) answer.headers[i].name.len,
                        answer.headers[i].name.data);
        authd_exchange_header(ex, name, answer.headers[i].value);
    }

    if (answer.content_type.len != 0) {
        authd_exchange_header(ex, "Content-Type", answer.content_type);
    }

    authd_exchange_finish(ex, result, code ? code : answer.status, identified,
                          NULL, answer.body);
}


static tg_denial_form_t
deny_form(authd_exchange_t *ex)
{
    tg_str_t              value;
    tgn_request_t        *r;
    tg_denial_request_t   request;

    r = ex->r;
    memset(&request, 0, sizeof(request));

    request.method = ex->request.method;
    request.accept = deny_accept(ex);
    request.origin = tgn_request_header(r, "Origin", 0, &value);
    request.request_method = tgn_request_header(r,
                                  "Access-Control-Request-Method", 0, &value);

    (void) tgn_request_header(r, "Content-Type", 0, &request.content_type);

    return tg_denial_form(&request);
}


/* All of them, as if they were one; none when out of memory. */

static tg_str_t
deny_accept(authd_exchange_t *ex)
{
    char      *text;
    size_t     n, len;
    tg_str_t   value, accept = TG_NULL_STR;

    len = 0;

    for (n = 0; tgn_request_header(ex->r, "Accept", n, &value); n++) {
        len += value.len + 1;
    }

    text = len ? ex->alloc.alloc(ex->alloc.ctx, len) : NULL;

    if (text == NULL) {
        return accept;
    }

    accept.data = text;

    for (n = 0; tgn_request_header(ex->r, "Accept", n, &value); n++) {
        memcpy(text + accept.len, value.data, value.len);
        accept.len += value.len;
        text[accept.len++] = ',';
    }

    return accept;
}
