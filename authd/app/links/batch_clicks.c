
/*
 * Copyright (C) The Tailgate authors
 *
 * Clicks that were counted elsewhere, as golink's /.export-stats has them: name
 * or id, Unix seconds, clicks.  Days have at least so many from then on, so
 * that taking the same file twice counts once.
 */

#include "authd/app/links/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>


#define DAY         86400
#define CLICKS_MAX  UINT64_C(1000000000000)    /* of a line */


typedef struct {
    authd_links_call_t    *call;
    authd_store_clicks_t  *clicks;
    size_t                 n;
    size_t                 size;
    uint64_t               taken;
    size_t                 unknown;    /* lines of links that are none */
} given_t;

typedef struct {
    authd_links_index_t         *index;
    const authd_store_counts_t  *counts;
} told_t;


static bool may_give(authd_links_call_t *call);
static bool read_lines(given_t *given);
static bool read_line(tg_str_t line, tg_str_t *name, uint64_t *at,
    uint64_t *n);
static bool read_number(tg_str_t text, uint64_t max, uint64_t *n);
static bool given_add(given_t *given, uint64_t uid, int32_t day, uint64_t n);
static int given_compare(const void *a, const void *b);
static void given_merge(given_t *given);
static void given_stored(void *data, const authd_store_answer_t *answer);
static void given_counted(void *data, const authd_store_counts_t *counts);
static bool given_each(authd_links_entry_t *entry, void *data);
static void given_free(given_t *given);


void
authd_links_api_give_clicks(authd_links_call_t *call)
{
    given_t   *given;
    tg_str_t   type = TG_NULL_STR;

    (void) tgn_request_header(call->r, "Content-Type", 0, &type);

    if (type.len < 8 || strncasecmp(type.data, "text/csv", 8) != 0) {
        authd_links_fault(call, 415, "the body has to be text/csv");
        return;
    }

    if (!may_give(call)) {
        return;
    }

    given = call->alloc.alloc(call->alloc.ctx, sizeof(given_t));

    if (given == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    memset(given, 0, sizeof(given_t));
    given->call = call;

    if (!read_lines(given)) {
        return;
    }

    given_merge(given);
    authd_links_wait(call);

    if (authd_store_add_clicks(call->app->store, given->clicks, given->n,
                               true, given_stored, given)
        != TG_OK)
    {
        (void) authd_links_back(call);
        given_free(given);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


/* How often a link was followed is nobody's to say but an admin's. */

static bool
may_give(authd_links_call_t *call)
{
    authd_links_may_t    may;
    authd_links_wrong_t  wrong;

    may = authd_links_may(&call->who, NULL,
                          call->app->authd->conf->links.readonly, NULL, true);

    if (may == AUTHD_LINKS_MAY_OWN
        && (call->who.admin || call->who.machine))
    {
        return true;
    }

    if (may == AUTHD_LINKS_MAY_OWN) {
        wrong.code = 403;
        (void) memcpy(wrong.text, "only an admin may give clicks",
                      sizeof("only an admin may give clicks"));

    } else {
        authd_links_may_wrong(may, "import", NULL, &wrong);
    }

    call->app->counts.refused++;
    authd_links_audit(call, AUTHD_RESULT_DENY, wrong.code, "clicks",
                      (tg_str_t) TG_NULL_STR, wrong.text);
    authd_links_fault(call, wrong.code, wrong.text);

    return false;
}


/* All lines or none; false: it was answered. */

static bool
read_lines(given_t *given)
{
    size_t                number;
    uint64_t              at, n;
    tg_str_t              body, line, name, text;
    const char           *end;
    authd_link_t          link;
    authd_links_call_t   *call;
    authd_links_entry_t  *entry;

    call = given->call;
    body = call->r->body;

    for (number = 1; body.len != 0; number++) {
        end = memchr(body.data, '\n', body.len);

        line.data = body.data;
        line.len = end ? (size_t) (end - body.data) : body.len;

        body.data += line.len + (end != NULL);
        body.len -= line.len + (end != NULL);

        if (line.len != 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (line.len == 0) {
            continue;
        }

        if (!read_line(line, &name, &at, &n)) {
            text = authd_links_format(&call->alloc, "line %zu is not \"name,"
                                      "seconds,clicks\"", number);
            given_free(given);
            authd_links_fault(call, 400, text.len ? text.data
                                                  : "a line is broken");
            return false;
        }

        entry = authd_links_index_named(call->app->index, name);

        if (entry == NULL) {
            given->unknown++;
            continue;
        }

        authd_record_link(entry->record, &link);

        if (!given_add(given, link.uid, (int32_t) (at / DAY), n)) {
            given_free(given);
            authd_links_unavailable(call, 5, "out of memory");
            return false;
        }

        given->taken += n;
    }

    return true;
}


static bool
read_line(tg_str_t line, tg_str_t *name, uint64_t *at, uint64_t *n)
{
    tg_str_t     rest;
    const char  *comma;

    comma = memchr(line.data, ',', line.len);

    if (comma == NULL) {
        return false;
    }

    name->data = line.data;
    name->len = (size_t) (comma - line.data);

    rest.data = comma + 1;
    rest.len = line.len - name->len - 1;

    comma = rest.len ? memchr(rest.data, ',', rest.len) : NULL;

    if (comma == NULL) {
        return false;
    }

    line.data = comma + 1;
    line.len = (size_t) (rest.data + rest.len - line.data);
    rest.len = (size_t) (comma - rest.data);

    /* seconds of the days that the store can number */

    return read_number(rest, (uint64_t) INT32_MAX * DAY, at)
           && read_number(line, CLICKS_MAX, n);
}


static bool
read_number(tg_str_t text, uint64_t max, uint64_t *n)
{
    size_t  i;

    *n = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9' || i == 18) {
            return false;
        }

        *n = *n * 10 + (uint64_t) (text.data[i] - '0');
    }

    return text.len != 0 && *n <= max;
}


static bool
given_add(given_t *given, uint64_t uid, int32_t day, uint64_t n)
{
    size_t                 more;
    authd_store_clicks_t  *p;

    if (given->n == given->size) {
        more = given->size ? given->size * 2 : 256;
        p = reallocarray(given->clicks, more, sizeof(authd_store_clicks_t));

        if (p == NULL) {
            return false;
        }

        given->clicks = p;
        given->size = more;
    }

    given->clicks[given->n++] = (authd_store_clicks_t) { uid, day, n };

    return true;
}


static int
given_compare(const void *a, const void *b)
{
    const authd_store_clicks_t  *x, *y;

    x = a;
    y = b;

    return x->uid != y->uid ? (x->uid > y->uid) - (x->uid < y->uid)
                            : (x->day > y->day) - (x->day < y->day);
}


/* golink has a line for each minute in which somebody clicked. */

static void
given_merge(given_t *given)
{
    size_t  i, n;

    if (given->n == 0) {
        return;
    }

    qsort(given->clicks, given->n, sizeof(authd_store_clicks_t),
          given_compare);

    n = 0;

    for (i = 1; i < given->n; i++) {

        if (given_compare(&given->clicks[n], &given->clicks[i]) == 0) {
            given->clicks[n].n += given->clicks[i].n;

        } else {
            given->clicks[++n] = given->clicks[i];
        }
    }

    given->n = n + 1;
}


static void
given_stored(void *data, const authd_store_answer_t *answer)
{
    given_t             *given;
    authd_links_call_t  *call;

    given = data;
    call = given->call;

    /* what is stored is counted here, too, whether or not the client waits */

    if (answer->text[0] == '\0'
        && authd_store_clicks(call->app->store, 0, 0, 0, true, given_counted,
                              given)
           == TG_OK)
    {
        return;
    }

    given_free(given);

    if (authd_links_back(call)) {
        authd_links_unavailable(call, answer->retry, answer->text);
    }
}


static void
given_counted(void *data, const authd_store_counts_t *counts)
{
    json_t               *json;
    told_t                told;
    given_t              *given;
    authd_links_call_t   *call;

    given = data;
    call = given->call;

    given_free(given);

    if (counts->status != AUTHD_STORE_OK) {

        if (authd_links_back(call)) {
            authd_links_unavailable(call, counts->retry, counts->text);
        }

        return;
    }

    told.index = call->app->index;
    told.counts = counts;

    authd_links_index_each(call->app->index, 0, given_each, &told);

    if (!authd_links_back(call)) {
        return;
    }

    authd_links_audit(call, AUTHD_RESULT_ALLOW, 200, "clicks",
                      (tg_str_t) TG_NULL_STR, NULL);

    json = json_pack("{s:I, s:I}", "taken", (json_int_t) given->taken,
                     "unknown", (json_int_t) given->unknown);
    authd_links_send_json(call, 200, json);
}


/* The counts are by uid; what is not flushed yet is not among them. */

static bool
given_each(authd_links_entry_t *entry, void *data)
{
    told_t                      *told;
    authd_link_t                 link;
    authd_store_clicks_t         key;
    const authd_store_clicks_t  *found;
    const authd_store_counts_t  *counts;

    told = data;
    counts = told->counts;
    authd_record_link(entry->record, &link);

    key = (authd_store_clicks_t) { link.uid, 0, 0 };
    found = counts->n ? bsearch(&key, counts->clicks, counts->n,
                                sizeof(authd_store_clicks_t), given_compare)
                      : NULL;

    if (found != NULL && link.alias.len == 0) {
        authd_links_index_counted(told->index, entry, found->n);
    }

    return true;
}


static void
given_free(given_t *given)
{
    free(given->clicks);
    given->clicks = NULL;
    given->n = 0;
}
