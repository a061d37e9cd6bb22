
/*
 * Copyright (C) The Tailgate authors
 *
 * Requests, their answers, and lists of news.
 */

#include "authd/store/request.h"

#include <stdlib.h>
#include <string.h>


#define NEWS_FIRST  16


void
authd_request_reset(authd_request_t *request)
{
    size_t  i;

    if (request->results != NULL) {
        for (i = 0; i < request->n; i++) {
            authd_record_drop(&request->results[i].record);
        }

        memset(request->results, 0, request->n * sizeof(request->results[0]));
    }

    for (i = 0; request->entries != NULL && i < request->answered; i++) {
        authd_record_drop(&request->entries[i].before);
        authd_record_drop(&request->entries[i].after);
        free((void *) (uintptr_t) request->entries[i].who.data);
    }

    free(request->entries);
    free(request->counts);

    request->entries = NULL;
    request->counts = NULL;
    request->answered = 0;
    request->status = AUTHD_STORE_OK;
    request->retry = 0;
    request->why[0] = '\0';
}


void
authd_request_free(authd_request_t *request)
{
    size_t  i;

    if (request == NULL) {
        return;
    }

    authd_request_reset(request);

    for (i = 0; request->ops != NULL && i < request->n; i++) {
        authd_record_drop(&request->ops[i].put);
    }

    free(request->ops);
    free(request->results);
    free(request->clicks);
    free(request->text);
    free(request);
}


void
authd_request_answer(const authd_request_t *request)
{
    authd_store_answer_t   answer;
    authd_store_counts_t   counts;
    authd_store_history_t  history;

    switch (request->kind) {

    case AUTHD_REQUEST_CHANGES:
    case AUTHD_REQUEST_ADD_CLICKS:

        answer.results = request->results;
        answer.n = request->results != NULL ? request->n : 0;
        answer.status = request->status;
        answer.text = request->why;
        answer.retry = request->retry;

        if (request->done != NULL) {
            request->done(request->data, &answer);
        }

        break;

    case AUTHD_REQUEST_HISTORY:

        history.status = request->status;
        history.entries = request->entries;
        history.n = request->answered;
        history.text = request->why;
        history.retry = request->retry;

        request->history_done(request->data, &history);
        break;

    case AUTHD_REQUEST_CLICKS:

        counts.status = request->status;
        counts.clicks = request->counts;
        counts.n = request->answered;
        counts.text = request->why;
        counts.retry = request->retry;

        request->counts_done(request->data, &counts);
        break;
    }
}


int
authd_news_add(authd_news_list_t *list, authd_record_t *record,
    bool has_clicks, uint64_t clicks)
{
    size_t         max;
    authd_news_t  *news;

    if (record == NULL) {
        return TG_ERR_NOMEM;
    }

    if (list->n == list->max) {
        max = list->max ? list->max * 2 : NEWS_FIRST;

        news = reallocarray(list->news, max, sizeof(authd_news_t));
        if (news == NULL) {
            authd_record_drop(&record);
            return TG_ERR_NOMEM;
        }

        list->news = news;
        list->max = max;
    }

    news = &list->news[list->n++];

    news->record = record;
    news->clicks = clicks;
    news->has_clicks = has_clicks;
    news->gone = false;

    return TG_OK;
}


int
authd_news_gone(authd_news_list_t *list, tg_str_t id)
{
    int           rc;
    authd_link_t  link;

    memset(&link, 0, sizeof(authd_link_t));
    link.id = id;

    rc = authd_news_add(list, authd_record_new(&link), false, 0);
    if (rc == TG_OK) {
        list->news[list->n - 1].gone = true;
    }

    return rc;
}


void
authd_news_cut(authd_news_list_t *list, size_t n)
{
    while (list->n > n) {
        authd_record_drop(&list->news[--list->n].record);
    }

    if (n == 0) {
        free(list->news);
        list->news = NULL;
        list->max = 0;
    }
}


void
authd_news_tell(authd_news_list_t *list, const authd_store_handler_t *handler)
{
    size_t              i, n, at;
    authd_news_t       *from;
    authd_store_news_t  news[256], *to;

    for (at = 0; at < list->n; at += n) {
        n = list->n - at < 256 ? list->n - at : 256;

        for (i = 0; i < n; i++) {
            from = &list->news[at + i];
            to = &news[i];

            to->id = authd_record_id(from->record);
            to->record = from->gone ? NULL : from->record;
            to->clicks = from->clicks;
            to->has_clicks = from->has_clicks;
        }

        handler->changed(handler->data, news, n);
    }

    authd_news_cut(list, 0);
}
