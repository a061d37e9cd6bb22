
/*
 * Copyright (C) The Tailgate authors
 *
 * Clicks that were counted elsewhere, as golink's /.export-stats has them: name
 * or id, Unix seconds, clicks.  Days have at least so many from then on, so
 * that taking the same file twice counts once.
 */

#include "authd/app/links/api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


#define DAY         86400

/* Of a link and day; those of all days that there are fit in 63 bits. */

#define CLICKS_MAX  UINT64_C(1000000000)


typedef struct {
    authd_store_clicks_t   count;
    size_t                 number;     /* of the line, from 1 */
} given_line_t;

typedef struct {
    authd_links_call_t    *call;
    given_line_t          *lines;
    size_t                 nlines;
    size_t                 size;
    authd_store_clicks_t  *clicks;     /* the lines, a link and day once */
    size_t                 n;
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
static authd_links_entry_t *given_link(const authd_links_index_t *index,
    tg_str_t name, authd_link_t *link);
static bool given_add(given_t *given, const given_line_t *line);
static int given_compare(const void *a, const void *b);
static int given_line_compare(const void *a, const void *b);
static bool given_merge(given_t *given);
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

    if (!read_lines(given) || !given_merge(given)) {
        return;
    }

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
    given_line_t          each;
    authd_links_call_t   *call;

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

        if (given_link(call->app->index, name, &link) == NULL) {
            given->unknown++;
            continue;
        }

        each.count = (authd_store_clicks_t) { link.uid, (int32_t) (at / DAY),
                                              n };
        each.number = number;

        if (!given_add(given, &each)) {
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


/* Clicks on a former name are those of the link that it leads to. */

static authd_links_entry_t *
given_link(const authd_links_index_t *index, tg_str_t name,
    authd_link_t *link)
{
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(index, name);

    if (entry == NULL) {
        return NULL;
    }

    authd_record_link(entry->record, link);

    if (link->alias.len == 0) {
        return entry;
    }

    entry = authd_links_index_get(index, link->alias);

    if (entry == NULL) {
        return NULL;
    }

    authd_record_link(entry->record, link);

    return link->alias.len == 0 ? entry : NULL;
}


static bool
given_add(given_t *given, const given_line_t *line)
{
    size_t         more;
    given_line_t  *p;

    if (given->nlines == given->size) {
        more = given->size ? given->size * 2 : 256;
        p = reallocarray(given->lines, more, sizeof(given_line_t));

        if (p == NULL) {
            return false;
        }

        given->lines = p;
        given->size = more;
    }

    given->lines[given->nlines++] = *line;

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


static int
given_line_compare(const void *a, const void *b)
{
    int                  rc;
    const given_line_t  *x, *y;

    x = a;
    y = b;
    rc = given_compare(&x->count, &y->count);

    return rc != 0 ? rc : (x->number > y->number) - (x->number < y->number);
}


/*
 * golink has a line for each minute in which somebody clicked.  False: it was
 * answered.
 */

static bool
given_merge(given_t *given)
{
    size_t                 i;
    tg_str_t               text;
    authd_links_call_t    *call;
    authd_store_clicks_t  *count, *last;

    call = given->call;

    if (given->nlines == 0) {
        return true;
    }

    given->clicks = calloc(given->nlines, sizeof(authd_store_clicks_t));

    if (given->clicks == NULL) {
        given_free(given);
        authd_links_unavailable(call, 5, "out of memory");
        return false;
    }

    qsort(given->lines, given->nlines, sizeof(given_line_t),
          given_line_compare);

    for (i = 0; i < given->nlines; i++) {
        count = &given->lines[i].count;
        last = given->n ? &given->clicks[given->n - 1] : NULL;

        if (last == NULL || given_compare(last, count) != 0) {
            given->clicks[given->n++] = *count;
            continue;
        }

        /* each is CLICKS_MAX at most: the sum does not wrap */

        last->n += count->n;

        if (last->n > CLICKS_MAX) {
            text = authd_links_format(&call->alloc, "line %zu makes more than "
                                      "%" PRIu64 " clicks of a link on a day",
                                      given->lines[i].number, CLICKS_MAX);
            given_free(given);
            authd_links_fault(call, 422, text.len ? text.data
                                                  : "too many clicks");
            return false;
        }
    }

    return true;
}


static void
given_stored(void *data, const authd_store_answer_t *answer)
{
    unsigned             retry;
    const char          *text;
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

    if (!authd_links_back(call)) {
        return;
    }

    if (answer->status == AUTHD_STORE_REFUSED) {
        authd_links_fault(call, 422, answer->text);
        return;
    }

    /* stored, but there is nothing to count it with */

    retry = answer->text[0] ? answer->retry : 5;
    text = answer->text[0] ? answer->text
                           : "the clicks are stored, but cannot be read back";

    authd_links_unavailable(call, retry, text);
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
    free(given->lines);
    free(given->clicks);

    given->lines = NULL;
    given->nlines = 0;
    given->clicks = NULL;
    given->n = 0;
}
