
/*
 * Copyright (C) The Tailgate authors
 *
 * What is checked, in which order, and what is said of it is golink's
 * (golink.go, serveSave and serveDelete): its clients read it.
 */

#include "authd/app/links/form.h"
#include "authd/app/links/field.h"
#include "authd/app/links/origin.h"
#include "authd/app/links/page.h"
#include "authd/app/links/token.h"
#include "core/base/base.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>


#define BAD_NAME   "short may only contain letters, numbers, dash, and period"
#define BAD_TOKEN  "invalid XSRF token"
#define STALE      "the form is older than a day, or was made for somebody else"


static bool form_begin(authd_links_call_t *call);
static tg_str_t form_value(authd_links_call_t *call, const char *name,
    bool query, bool *given);
static tg_str_t form_list(authd_links_call_t *call, const char *name);
static bool form_scripted(const authd_links_call_t *call);
static bool form_token(authd_links_call_t *call, const char *path,
    tg_str_t object);
static bool save_fields(authd_links_call_t *call, authd_links_job_t *job);
static bool save_check(authd_links_job_t *job);
static void save_done(authd_links_job_t *job);
static void save_wrong(authd_links_job_t *job);
static void save_text(const authd_links_job_t *job, char *text, size_t size);
static bool named_check(authd_links_job_t *job);
static void form_done(authd_links_job_t *job);
static void form_wrong(authd_links_job_t *job);


void
authd_links_save_form(authd_links_call_t *call)
{
    bool                ok;
    authd_links_job_t  *job;

    if (!form_begin(call)) {
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_PUT,
                          form_value(call, "short", true, NULL));

    if (job == NULL) {
        return;
    }

    job->check = save_check;
    job->done = save_done;
    job->code = 400;

    ok = save_fields(call, job);

    if (job->name.len == 0 || job->edit.url.len == 0) {
        job->wrong.missing = true;
        save_wrong(job);
        return;
    }

    if (!ok) {
        job->wrong.field = "expires";
        (void) snprintf(job->wrong.text, sizeof(job->wrong.text), "this has to"
                        " be a day, such as 2026-12-31");
        save_wrong(job);
        return;
    }

    authd_links_job_run(job);
}


void
authd_links_delete_form(authd_links_call_t *call)
{
    authd_links_job_t  *job;

    if (!form_begin(call)) {
        return;
    }

    if (call->name.len == 0) {
        authd_links_fault(call, 400, "short required");
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_DELETE, call->name);

    if (job != NULL) {
        job->check = named_check;
        job->done = form_done;
        authd_links_job_run(job);
    }
}


void
authd_links_rename_form(authd_links_call_t *call)
{
    bool                given;
    authd_links_job_t  *job;

    if (!form_begin(call)) {
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_RENAME, call->name);

    if (job == NULL) {
        return;
    }

    job->to = form_value(call, "to", false, NULL);
    (void) form_value(call, "keep", false, &given);

    job->keep_alias = given;
    job->check = named_check;
    job->done = form_done;

    authd_links_job_run(job);
}


void
authd_links_restore_form(authd_links_call_t *call)
{
    size_t              i;
    tg_str_t            seq;
    authd_links_job_t  *job;

    if (!form_begin(call)) {
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_RESTORE, call->name);

    if (job == NULL) {
        return;
    }

    seq = form_value(call, "seq", false, NULL);

    for (i = 0; i < seq.len && i < 18; i++) {

        if (seq.data[i] < '0' || seq.data[i] > '9') {
            break;
        }

        job->seq = job->seq * 10 + (uint64_t) (seq.data[i] - '0');
    }

    if (i == 0 || i != seq.len) {
        authd_links_fault(call, 400, "seq has to be a number");
        return;
    }

    job->check = named_check;
    job->done = form_done;

    authd_links_job_run(job);
}


/* What is asked of every form, before any of its fields is looked at. */

static bool
form_begin(authd_links_call_t *call)
{
    const char  *why;

    if (call->app->authd->conf->links.readonly) {
        authd_links_fault(call, 405, "golink is in read-only mode");
        return false;
    }

    if (authd_links_equal(call->r->method, "GET") || call->r->head) {
        return true;
    }

    why = authd_links_origin(call->r, &call->app->authd->conf->links,
                             call->from.tls);

    if (why != NULL) {
        call->app->counts.refused++;
        authd_links_audit(call, AUTHD_RESULT_DENY, 403, "form", call->name,
                          why);
        authd_links_fault(call, 403, why);
        return false;
    }

    return true;
}


/* Of the body, or, for golink's fields, of the query. */

static tg_str_t
form_value(authd_links_call_t *call, const char *name, bool query,
    bool *given)
{
    int       rc;
    tg_str_t  type = TG_NULL_STR, value;

    (void) tgn_request_header(call->r, "Content-Type", 0, &type);

    rc = authd_links_field(type, call->r->body, name, &call->alloc, &value);

    if (rc != TG_OK && query) {
        value = authd_links_arg(call, name);
    }

    if (given != NULL) {
        *given = rc == TG_OK;
    }

    return value;
}


/* Separated by commas or blanks; a link's are by line feeds. */

static tg_str_t
form_list(authd_links_call_t *call, const char *name)
{
    char      *p;
    size_t     i, n;
    tg_str_t   value, list = TG_NULL_STR;

    value = form_value(call, name, false, NULL);
    p = call->alloc.alloc(call->alloc.ctx, value.len + 1);

    if (p == NULL) {
        return list;
    }

    for (i = 0, n = 0; i < value.len; i++) {

        if (value.data[i] != ',' && value.data[i] != ' '
            && value.data[i] != '\n' && value.data[i] != '\r')
        {
            p[n++] = value.data[i];

        } else if (n != 0 && p[n - 1] != '\n') {
            p[n++] = '\n';
        }
    }

    if (n != 0 && p[n - 1] == '\n') {
        n--;
    }

    list.data = p;
    list.len = n;

    return list;
}


/* No page can make a browser send a Sec- header. */

static bool
form_scripted(const authd_links_call_t *call)
{
    tg_str_t  value;

    return tgn_request_header(call->r, "Sec-Golink", 0, &value)
           && value.len != 0;
}


static bool
form_token(authd_links_call_t *call, const char *path, tg_str_t object)
{
    tg_str_t  token;

    token = form_value(call, "xsrf", false, NULL);

    return authd_links_token_check(call->app->secret, call->who.login, path,
                                   object, (int64_t) time(NULL), token);
}


/* False if the day that it expires on is none. */

static bool
save_fields(authd_links_call_t *call, authd_links_job_t *job)
{
    bool                 all, given;
    char                 text[32];
    tg_str_t             day;
    authd_links_edit_t  *edit;

    edit = &job->edit;

    edit->url = form_value(call, "long", true, NULL);
    edit->has_url = true;
    edit->owner = form_value(call, "owner", true, NULL);

    edit->description = form_value(call, "description", false, &given);
    edit->has_description = given;

    /* a box that is not ticked is not sent */

    (void) form_value(call, "fields", false, &all);

    (void) form_value(call, "anyone", false, &given);
    edit->anyone = given;
    edit->has_anyone = all;

    edit->owners = form_list(call, "owners");
    edit->has_owners = all;
    edit->tags = form_list(call, "tags");
    edit->has_tags = all;

    day = form_value(call, "expires", false, NULL);
    edit->has_expires = all;

    if (day.len == 0) {
        return true;
    }

    (void) snprintf(text, sizeof(text), "%.*sT00:00:00Z",
                    day.len < 20 ? (int) day.len : 0, day.data);

    return tgi_time_parse(&edit->expires, text, strlen(text)) == TG_OK;
}


/* The token of a new link is for making it; of another, for that one. */

static bool
save_check(authd_links_job_t *job)
{
    tg_str_t             fresh = TG_STR(AUTHD_LINKS_TOKEN_NEW), name;
    authd_links_call_t  *call;

    call = job->call;

    if (form_scripted(call)
        || form_token(call, "/", job->existed ? job->before.name : fresh))
    {
        return true;
    }

    name = job->name;

    if (!job->existed || !form_token(call, "/", fresh)) {
        job->code = 400;
        (void) snprintf(job->wrong.text, sizeof(job->wrong.text), BAD_TOKEN);
        save_wrong(job);
        return false;
    }

    authd_links_job_end(job);
    authd_links_see(call, 303,
                    authd_links_format(&call->alloc, "/.detail/%.*s?exists=1",
                                       (int) name.len, name.data));

    return false;
}


static void
save_done(authd_links_job_t *job)
{
    tg_str_t             line;
    authd_links_call_t  *call;

    call = job->call;

    if (job->code >= 400) {
        save_wrong(job);
        return;
    }

    if (authd_links_wants_html(call->r)) {
        authd_links_saved_page(job);
        return;
    }

    line = authd_links_golink_line(&job->after, &call->alloc);

    (void) tgn_response_header(call->r, "Vary", authd_links_str("Accept"));
    authd_links_job_end(job);
    authd_links_send(call, 200, "application/json", line);
}


/* As a page, or in golink's words where it has any. */

static void
save_wrong(authd_links_job_t *job)
{
    int                   code;
    char                  text[TG_ERROR_TEXT_MAX + 64];
    authd_links_call_t   *call;
    authd_links_wrong_t  *wrong;

    call = job->call;
    wrong = &job->wrong;
    code = job->code == 422 ? 400 : job->code;

    if (code == 503) {
        (void) snprintf(text, sizeof(text), "%s", wrong->text);
        authd_links_job_end(job);
        authd_links_unavailable(call, job->retry, text);
        return;
    }

    if (code == 400 && authd_links_wants_html(call->r)) {

        if (strcmp(wrong->text, BAD_TOKEN) == 0) {
            (void) snprintf(wrong->text, sizeof(wrong->text), BAD_TOKEN
                            ": " STALE ". Nothing was saved: look it over and"
                            " send it again.");
        }

        authd_links_wrong_page(job,
                               form_token(call, "/",
                                   (tg_str_t) TG_STR(AUTHD_LINKS_TOKEN_NEW)),
                               form_value(call, "expires", false, NULL));
        return;
    }

    save_text(job, text, sizeof(text));

    authd_links_job_end(job);
    authd_links_fault(call, code, text);
}


static void
save_text(const authd_links_job_t *job, char *text, size_t size)
{
    const char                 *field;
    const authd_links_wrong_t  *wrong;

    wrong = &job->wrong;
    field = wrong->field;

    if (wrong->missing) {
        (void) snprintf(text, size, "short and long required");

    } else if (field == NULL || strcmp(field, "owner") == 0) {
        (void) snprintf(text, size, "%s", wrong->text);

    } else if (strcmp(field, "url") == 0) {
        (void) snprintf(text, size, "%s%s",
                        wrong->template
                        ? "long contains an invalid template: "
                        : "long is no URL to send people to: ", wrong->text);

    } else if (strcmp(field, "name") != 0) {
        (void) snprintf(text, size, "%s: %s", field, wrong->text);

    } else if (job->edit.name.len <= TG_LINK_NAME_MAX) {
        (void) snprintf(text, size, BAD_NAME);

    } else {
        (void) snprintf(text, size, "short is too long: %s", wrong->text);
    }
}


static bool
named_check(authd_links_job_t *job)
{
    char                 path[TG_LINK_NAME_MAX + 32];
    authd_links_call_t  *call;

    call = job->call;

    (void) snprintf(path, sizeof(path), "%s",
                    job->op == AUTHD_STORE_DELETE ? "/.delete/"
                    : job->op == AUTHD_STORE_RENAME ? "/.rename/"
                                                    : "/.restore/");

    if ((form_scripted(call) && !authd_links_equal(call->r->method, "GET"))
        || form_token(call, path, job->before.name))
    {
        return true;
    }

    call->advice = "Nothing was changed: " STALE ". Go back, load the page"
                   " again, and send it once more.";

    authd_links_job_end(job);
    authd_links_fault(call, 400, BAD_TOKEN);

    return false;
}


static void
form_done(authd_links_job_t *job)
{
    if (job->code >= 400) {
        form_wrong(job);
        return;
    }

    authd_links_saved_page(job);
}


static void
form_wrong(authd_links_job_t *job)
{
    int                  code;
    char                 text[TG_ERROR_TEXT_MAX];
    bool                 beside, keep;
    tg_str_t             to;
    unsigned             retry;
    authd_links_call_t  *call;

    call = job->call;
    code = job->code == 422 ? 400 : job->code;
    beside = job->wrong.field != NULL && strcmp(job->wrong.field, "to") == 0;
    to = job->to;
    keep = job->keep_alias;
    retry = job->retry;

    (void) snprintf(text, sizeof(text), "%s", job->wrong.text);

    authd_links_job_end(job);

    if (code == 503) {
        authd_links_unavailable(call, retry, text);
        return;
    }

    if (beside && authd_links_wants_html(call->r)) {
        authd_links_rename_wrong(call, code, text, to, keep);
        return;
    }

    authd_links_fault(call, code, text);
}
