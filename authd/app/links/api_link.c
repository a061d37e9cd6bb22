
/*
 * Copyright (C) The Tailgate authors
 *
 * The operations on one link.
 */

#include "authd/app/links/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>


static json_t *body_json(authd_links_call_t *call);
static bool is_json(const authd_links_call_t *call);
static bool same_name(tg_str_t a, tg_str_t b);
static bool conditions(authd_links_job_t *job);
static bool etag_read(tg_str_t value, uint64_t *version);
static void etag(authd_links_call_t *call, uint64_t version);
static void link_done(authd_links_job_t *job);
static void link_send(authd_links_call_t *call, int code,
    const authd_link_t *link);


void
authd_links_api_get(authd_links_call_t *call)
{
    uint64_t              version;
    tg_str_t              value;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(call->app->index, call->name);

    if (entry == NULL) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    authd_record_link(entry->record, &link);

    if (tgn_request_header(call->r, "If-None-Match", 0, &value)
        && etag_read(value, &version) && version == link.version)
    {
        etag(call, link.version);
        authd_links_send(call, 304, NULL, (tg_str_t) TG_NULL_STR);
        return;
    }

    link_send(call, 200, &link);
}


void
authd_links_api_put(authd_links_call_t *call)
{
    bool                  ok;
    json_t               *json;
    authd_links_job_t    *job;
    authd_links_wrong_t   wrong;

    json = body_json(call);

    if (json == NULL) {
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_PUT, call->name);

    if (job == NULL) {
        json_decref(json);
        return;
    }

    ok = authd_links_json_edit(json, false, &call->alloc, &job->edit, &wrong);

    if (ok && !same_name(job->edit.name, job->name)) {
        ok = false;
        wrong.field = "name";
        (void) snprintf(wrong.text, sizeof(wrong.text), "this has to be a"
                        " spelling of the name in the path: a rename gives a"
                        " link another name");
    }

    if (!ok) {
        json_decref(json);
        authd_links_fault_field(call, 422, wrong.field, wrong.text);
        return;
    }

    job->json = json;
    job->done = link_done;

    if (!conditions(job)) {
        authd_links_job_end(job);
        authd_links_fault(call, 400, "If-Match has to be a version in"
                          " quotation marks, If-None-Match has to be *");
        return;
    }

    authd_links_job_run(job);
}


void
authd_links_api_delete(authd_links_call_t *call)
{
    authd_links_job_t  *job;

    job = authd_links_job(call, AUTHD_STORE_DELETE, call->name);

    if (job == NULL) {
        return;
    }

    job->done = link_done;

    if (!conditions(job)) {
        authd_links_fault(call, 412, "If-Match is no version");
        return;
    }

    authd_links_job_run(job);
}


void
authd_links_api_rename(authd_links_call_t *call)
{
    json_t             *json, *to, *keep_alias;
    authd_links_job_t  *job;

    json = body_json(call);

    if (json == NULL) {
        return;
    }

    to = json_object_get(json, "to");
    keep_alias = json_object_get(json, "keep_alias");

    if (!json_is_string(to)
        || (keep_alias != NULL && !json_is_boolean(keep_alias)))
    {
        json_decref(json);
        authd_links_fault(call, 400, "the body has to be {\"to\": NAME,"
                          " \"keep_alias\": true or false}");
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_RENAME, call->name);

    if (job == NULL) {
        json_decref(json);
        return;
    }

    job->json = json;
    job->to.data = json_string_value(to);
    job->to.len = json_string_length(to);
    job->keep_alias = keep_alias == NULL || json_is_true(keep_alias);
    job->done = link_done;

    authd_links_job_run(job);
}


void
authd_links_api_restore(authd_links_call_t *call)
{
    json_t             *json;
    json_int_t          seq;
    authd_links_job_t  *job;

    json = body_json(call);

    if (json == NULL) {
        return;
    }

    seq = json_integer_value(json_object_get(json, "seq"));
    json_decref(json);

    if (seq <= 0) {
        authd_links_fault(call, 400, "the body has to be {\"seq\": NUMBER}");
        return;
    }

    job = authd_links_job(call, AUTHD_STORE_RESTORE, call->name);

    if (job != NULL) {
        job->seq = (uint64_t) seq;
        job->done = link_done;
        authd_links_job_run(job);
    }
}


/* The body as an object; NULL when it was answered. */

static json_t *
body_json(authd_links_call_t *call)
{
    char          text[TG_ERROR_TEXT_MAX];
    json_t       *json;
    json_error_t  error;

    if (!is_json(call)) {
        authd_links_fault(call, 415, "the body has to be application/json");
        return NULL;
    }

    json = json_loadb(call->r->body.data, call->r->body.len,
                      JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        (void) snprintf(text, sizeof(text), "the body is no JSON: line %d,"
                        " column %d", error.line, error.column);
        authd_links_fault(call, 400, text);
        return NULL;
    }

    if (!json_is_object(json)) {
        json_decref(json);
        authd_links_fault(call, 400, "the body has to be an object");
        return NULL;
    }

    return json;
}


static bool
is_json(const authd_links_call_t *call)
{
    tg_str_t  type;

    return tgn_request_header(call->r, "Content-Type", 0, &type)
           && type.len >= 16
           && strncasecmp(type.data, "application/json", 16) == 0;
}


/* But for case and dashes. */

static bool
same_name(tg_str_t a, tg_str_t b)
{
    char    one[TG_LINK_NAME_MAX], other[TG_LINK_NAME_MAX];
    size_t  len;

    len = tg_link_id(a, one);

    return tg_link_id(b, other) == len && memcmp(one, other, len) == 0;
}


/* RFC 9110, 13.1: a weak validator never is what If-Match asks for. */

static bool
conditions(authd_links_job_t *job)
{
    tg_str_t  value;

    if (tgn_request_header(job->call->r, "If-None-Match", 0, &value)) {

        if (!authd_links_equal(value, "*")) {
            return false;
        }

        job->must_be_new = true;
    }

    if (!tgn_request_header(job->call->r, "If-Match", 0, &value)) {
        return true;
    }

    if (authd_links_equal(value, "*")) {
        job->must_exist = true;
        return true;
    }

    if (!etag_read(value, &job->version)) {
        return false;
    }

    job->has_version = true;

    if (value.data[0] == 'W') {
        job->version = 0;
    }

    return true;
}


/* "12", weak or not. */

static bool
etag_read(tg_str_t value, uint64_t *version)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    if (value.len > 2 && memcmp(value.data, "W/", 2) == 0) {
        value.data += 2;
        value.len -= 2;
    }

    if (value.len < 3 || value.len > 20 || value.data[0] != '"'
        || value.data[value.len - 1] != '"')
    {
        return false;
    }

    for (i = 1; i + 1 < value.len; i++) {

        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }

        n = n * 10 + (uint64_t) (value.data[i] - '0');
    }

    *version = n;

    return true;
}


static void
etag(authd_links_call_t *call, uint64_t version)
{
    char  text[32];

    (void) snprintf(text, sizeof(text), "\"%" PRIu64 "\"", version);
    (void) tgn_response_header(call->r, "ETag", authd_links_str(text));
}


static void
link_done(authd_links_job_t *job)
{
    tg_str_t              segment;
    authd_links_call_t   *call;
    authd_links_wrong_t   wrong;

    call = job->call;

    if (job->code == 503) {
        wrong = job->wrong;
        authd_links_job_end(job);
        authd_links_unavailable(call, job->retry, wrong.text);
        return;
    }

    if (job->code >= 400) {
        wrong = job->wrong;
        authd_links_job_end(job);
        authd_links_fault_field(call, job->code, wrong.field, wrong.text);
        return;
    }

    if (job->code == 204) {
        authd_links_job_end(job);
        authd_links_send(call, 204, NULL, (tg_str_t) TG_NULL_STR);
        return;
    }

    if (job->code == 201) {
        segment = authd_links_segment(&call->alloc, job->after.name);
        (void) tgn_response_header(call->r, "Location",
                 authd_links_format(&call->alloc, "/api/v1/links/%.*s",
                                    (int) segment.len, segment.data));
    }

    link_send(call, job->code, &job->after);
}


static void
link_send(authd_links_call_t *call, int code, const authd_link_t *link)
{
    json_t               *json;
    authd_links_entry_t  *entry;

    entry = authd_links_index_get(call->app->index, link->id);
    json = authd_links_json(link, entry ? entry->clicks : 0);

    etag(call, link->version);

    if (call->data != NULL) {
        authd_links_job_end(call->data);
    }

    authd_links_send_json(call, code, json);
}
