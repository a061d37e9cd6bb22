
/*
 * Copyright (C) The Tailgate authors
 *
 * Questions to the store, copied for its thread.
 */

#include "authd/store/store.h"

#include "authd/store/worker.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


#define HISTORY_MAX  10000


static tg_str_t
copy(char **at, tg_str_t text)
{
    tg_str_t  copied = { *at, text.len };

    if (text.len) {
        memcpy(*at, text.data, text.len);
        *at += text.len;
    }

    return copied;
}


/* An id, or a name, or a login that is no link's yet. */

static int
check_name(tg_str_t id, tg_str_t name, tg_error_t *error)
{
    authd_link_t  link;

    memset(&link, 0, sizeof(authd_link_t));
    link.id = id;
    link.name = name;
    link.url = id;

    return authd_link_check(&link, error);
}


static int
check_change(const authd_store_change_t *change, tg_error_t *error)
{
    int  rc;

    if (change->op == AUTHD_STORE_PUT) {
        return authd_link_check(change->link, error);
    }

    rc = check_name(change->id, change->id, error);

    if (rc == TG_OK && change->op == AUTHD_STORE_RENAME) {
        rc = check_name(change->to, change->name, error);
    }

    return rc;
}


static size_t
text_of(const authd_store_change_t *change)
{
    switch (change->op) {

    case AUTHD_STORE_PUT:
        return 0;

    case AUTHD_STORE_RENAME:
        return change->id.len + change->to.len + change->name.len;

    default:
        return change->id.len;
    }
}


static int
copy_change(authd_op_t *op, const authd_store_change_t *change, char **text)
{
    op->change = *change;
    op->change.link = NULL;

    if (change->op == AUTHD_STORE_PUT) {
        op->put = authd_record_new(change->link);

        return op->put != NULL ? TG_OK : TG_ERR_NOMEM;
    }

    op->change.id = copy(text, change->id);

    if (change->op == AUTHD_STORE_RENAME) {
        op->change.to = copy(text, change->to);
        op->change.name = copy(text, change->name);
    }

    return TG_OK;
}


int
authd_store_submit(authd_store_t *store, const authd_store_change_t *changes,
    size_t n, bool whole, tg_str_t who, int64_t at, authd_store_done_pt done,
    void *data, tg_error_t *error)
{
    int               rc;
    char             *text;
    size_t            i, len;
    authd_request_t  *r;

    len = who.len + 1;

    for (i = 0; i < n; i++) {
        rc = check_change(&changes[i], error);
        if (rc != TG_OK) {
            if (error != NULL) {
                error->line = i + 1;
            }

            return rc;
        }

        len += text_of(&changes[i]);
    }

    if (who.len && check_name(who, who, error) != TG_OK) {
        return tgi_error(error, TG_ERR_SYNTAX, "who: is no UTF-8 text, or too "
                         "long");
    }

    r = calloc(1, sizeof(authd_request_t));
    if (r == NULL) {
        return tgi_error(error, TG_ERR_NOMEM, "out of memory");
    }

    r->kind = AUTHD_REQUEST_CHANGES;
    r->n = n;
    r->whole = whole;
    r->at = at;
    r->done = done;
    r->data = data;
    r->weight = sizeof(authd_request_t) + len;
    r->text = text = malloc(len);
    r->ops = calloc(n ? n : 1, sizeof(authd_op_t));
    r->results = calloc(n ? n : 1, sizeof(authd_store_result_t));

    rc = TG_ERR_NOMEM;

    if (r->text == NULL || r->ops == NULL || r->results == NULL) {
        goto failed;
    }

    r->id = copy(&text, who);

    for (i = 0; i < n; i++) {
        rc = copy_change(&r->ops[i], &changes[i], &text);
        if (rc != TG_OK) {
            goto failed;
        }

        r->weight += sizeof(authd_op_t) + sizeof(authd_store_result_t);

        if (r->ops[i].put != NULL) {
            r->weight += authd_record_size(r->ops[i].put);
        }
    }

    rc = authd_store_queue(store, r);
    if (rc == TG_OK) {
        return TG_OK;
    }

    return tgi_error(error, rc, "too much waits for the store");

failed:

    authd_request_free(r);

    return tgi_error(error, rc, "out of memory");
}


int
authd_store_history(authd_store_t *store, tg_str_t id, uint64_t before,
    size_t limit, authd_store_history_pt done, void *data)
{
    char             *text;
    authd_request_t  *r;

    r = calloc(1, sizeof(authd_request_t));
    if (r == NULL) {
        return TG_ERR_NOMEM;
    }

    r->kind = AUTHD_REQUEST_HISTORY;
    r->before = before;
    r->limit = limit < HISTORY_MAX ? limit : HISTORY_MAX;
    r->history_done = done;
    r->data = data;
    r->weight = sizeof(authd_request_t) + id.len;
    r->text = text = malloc(id.len + 1);

    if (text == NULL) {
        authd_request_free(r);
        return TG_ERR_NOMEM;
    }

    r->id = copy(&text, id);

    return authd_store_queue(store, r);
}


int
authd_store_add_clicks(authd_store_t *store,
    const authd_store_clicks_t *clicks, size_t n, bool at_least,
    authd_store_done_pt done, void *data)
{
    authd_request_t  *r;

    r = calloc(1, sizeof(authd_request_t));
    if (r == NULL) {
        return TG_ERR_NOMEM;
    }

    r->kind = AUTHD_REQUEST_ADD_CLICKS;
    r->n = n;
    r->whole = at_least;
    r->done = done;
    r->data = data;
    r->weight = sizeof(authd_request_t) + n * sizeof(clicks[0]);
    r->clicks = calloc(n ? n : 1, sizeof(clicks[0]));

    if (r->clicks == NULL) {
        authd_request_free(r);
        return TG_ERR_NOMEM;
    }

    if (n) {
        memcpy(r->clicks, clicks, n * sizeof(clicks[0]));
    }

    return authd_store_queue(store, r);
}


int
authd_store_clicks(authd_store_t *store, uint64_t uid, int32_t from,
    int32_t to, bool totals, authd_store_counts_pt done, void *data)
{
    authd_request_t  *r;

    r = calloc(1, sizeof(authd_request_t));
    if (r == NULL) {
        return TG_ERR_NOMEM;
    }

    r->kind = AUTHD_REQUEST_CLICKS;
    r->before = uid;
    r->from = from;
    r->to = to;
    r->whole = totals;
    r->counts_done = done;
    r->data = data;
    r->weight = sizeof(authd_request_t);

    return authd_store_queue(store, r);
}
