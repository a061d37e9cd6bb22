
/*
 * Copyright (C) The Tailgate authors
 *
 * Reading: all links, news, history; and clicks, which are added here too.
 */

#include "authd/store/request.h"

#include "authd/store/record.h"
#include "core/base/base.h"

#include <stdlib.h>
#include <string.h>


/* Links that are passed on together; news that are read at once. */

#define LINKS_AT_ONCE  1024
#define NEWS_AT_ONCE   1000


typedef struct {
    authd_news_list_t  *list;
    authd_deliver_pt    deliver;
    void               *data;
} links_t;

typedef struct {
    authd_news_list_t  *list;
    int64_t             seq;
    size_t              n;
} news_t;


static int
on_seq(void *data, const authd_value_t *columns, size_t n)
{
    int64_t  *seq = data;

    if (n != 1 || !columns[0].is_number) {
        return TG_ERR_TYPE;
    }

    *seq = columns[0].number;

    return TG_OK;
}


int
authd_read_seq(authd_engine_t *engine, authd_sql_t sql, int64_t *seq)
{
    int  rc;

    rc = engine->ops->send(engine, sql, NULL, 0, on_seq, seq);

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}


static int
on_link(void *data, const authd_value_t *columns, size_t n)
{
    int              rc;
    links_t         *links = data;
    uint64_t         clicks;
    authd_record_t  *record;

    rc = authd_record_read(columns, n, &record, &clicks);
    if (rc == TG_OK) {
        rc = authd_news_add(links->list, record, true, clicks);
    }

    if (rc == TG_OK && links->deliver != NULL
        && links->list->n >= LINKS_AT_ONCE)
    {
        links->deliver(links->data, links->list);
    }

    return rc;
}


int
authd_read_links(authd_engine_t *engine, authd_news_list_t *list,
    authd_deliver_pt deliver, void *data)
{
    int      rc;
    links_t  links = { list, deliver, data };

    rc = engine->ops->send(engine, AUTHD_SQL_LINKS, NULL, 0, on_link, &links);

    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    if (rc == TG_OK && deliver != NULL) {
        deliver(data, list);
    }

    return rc;
}


static int
on_news(void *data, const authd_value_t *columns, size_t n)
{
    int              rc;
    news_t          *news = data;
    uint64_t         clicks;
    authd_record_t  *record;

    if (n != 3 + AUTHD_RECORD_COLUMNS) {
        return TG_ERR_TYPE;
    }

    news->seq = columns[0].number;
    news->n++;

    if (columns[2].text.len) {
        rc = authd_news_gone(news->list, columns[2].text);
        if (rc != TG_OK) {
            return rc;
        }
    }

    rc = authd_record_read(columns + 3, n - 3, &record, &clicks);
    if (rc != TG_OK) {
        return rc;
    }

    if (record == NULL) {
        return authd_news_gone(news->list, columns[1].text);
    }

    return authd_news_add(news->list, record, true, clicks);
}


int
authd_read_news(authd_engine_t *engine, int64_t *seq, authd_news_list_t *list)
{
    int            rc;
    news_t         news = { list, *seq, 0 };
    authd_value_t  values[2];

    do {
        news.n = 0;
        values[0] = authd_number(news.seq);
        values[1] = authd_number(NEWS_AT_ONCE);

        rc = engine->ops->send(engine, AUTHD_SQL_NEWS, values, 2, on_news,
                               &news);
        if (rc == TG_OK) {
            rc = engine->ops->wait(engine);
        }

    } while (rc == TG_OK && news.n == NEWS_AT_ONCE);

    if (rc == TG_OK) {
        *seq = news.seq;
    }

    return rc;
}


static int
on_history(void *data, const authd_value_t *columns, size_t n)
{
    char                 *text;
    authd_request_t      *r = data;
    authd_store_entry_t  *entry;

    if (n != 6 || r->answered == r->limit) {
        return TG_ERR_TYPE;
    }

    text = malloc(columns[2].text.len + columns[3].text.len + 1);
    if (text == NULL) {
        return TG_ERR_NOMEM;
    }

    entry = &r->entries[r->answered++];

    memcpy(text, columns[2].text.data, columns[2].text.len);
    memcpy(text + columns[2].text.len, columns[3].text.data,
           columns[3].text.len);

    entry->seq = (uint64_t) columns[0].number;
    entry->at = columns[1].number;
    entry->who.data = text;
    entry->who.len = columns[2].text.len;
    entry->action.data = text + columns[2].text.len;
    entry->action.len = columns[3].text.len;
    entry->before = authd_record_parse(columns[4].text);
    entry->after = authd_record_parse(columns[5].text);

    return TG_OK;
}


int
authd_history_run(authd_engine_t *engine, authd_request_t *r)
{
    int            rc;
    authd_value_t  values[3];

    r->entries = calloc(r->limit ? r->limit : 1, sizeof(authd_store_entry_t));
    if (r->entries == NULL) {
        return TG_ERR_NOMEM;
    }

    values[0] = authd_text(r->id);
    values[1] = authd_number(r->before && r->before < INT64_MAX
                             ? (int64_t) r->before : INT64_MAX);
    values[2] = authd_number((int64_t) r->limit);

    rc = engine->ops->send(engine, AUTHD_SQL_HISTORY, values, 3, on_history,
                           r);

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}


static int
on_count(void *data, const authd_value_t *columns, size_t n)
{
    size_t                 max;
    authd_request_t       *r = data;
    authd_store_clicks_t  *counts;

    if (n != 3) {
        return TG_ERR_TYPE;
    }

    /* a power of two is full */

    if ((r->answered & (r->answered - 1)) == 0) {
        max = r->answered ? r->answered * 2 : 1;

        counts = reallocarray(r->counts, max, sizeof(authd_store_clicks_t));
        if (counts == NULL) {
            return TG_ERR_NOMEM;
        }

        r->counts = counts;
    }

    counts = &r->counts[r->answered++];
    counts->uid = (uint64_t) columns[0].number;
    counts->day = (int32_t) columns[1].number;
    counts->n = (uint64_t) columns[2].number;

    return TG_OK;
}


int
authd_counts_run(authd_engine_t *engine, authd_request_t *r)
{
    int            rc;
    size_t         n;
    authd_sql_t    sql;
    authd_value_t  values[3];

    n = 0;
    sql = AUTHD_SQL_TOTALS;

    if (!r->whole) {
        sql = AUTHD_SQL_CLICKS_ALL;

        if (r->before) {
            sql = AUTHD_SQL_CLICKS;
            values[n++] = authd_number((int64_t) r->before);
        }

        values[n++] = authd_number(r->from);
        values[n++] = authd_number(r->to);
    }

    rc = engine->ops->send(engine, sql, values, n, on_count, r);

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}


int
authd_clicks_run(authd_tx_t *tx, authd_request_t *r)
{
    int                    rc;
    size_t                 i;
    authd_value_t          values[3];
    authd_engine_t        *engine = tx->engine;
    authd_store_clicks_t  *clicks;

    rc = engine->ops->send(engine, AUTHD_SQL_SAVEPOINT, NULL, 0, NULL, NULL);

    for (i = 0; i < r->n && rc == TG_OK; i++) {
        clicks = &r->clicks[i];

        values[0] = authd_number((int64_t) clicks->uid);
        values[1] = authd_number(clicks->day);
        values[2] = authd_number((int64_t) clicks->n);

        rc = engine->ops->send(engine,
                               r->whole ? AUTHD_SQL_CLICKS_LEAST
                                        : AUTHD_SQL_CLICKS_ADD,
                               values, 3, NULL, NULL);
        if (rc != TG_OK) {
            break;
        }

        values[1] = values[2];

        if (!r->whole) {
            rc = engine->ops->send(engine, AUTHD_SQL_TOTAL_ADD, values, 2,
                                   NULL, NULL);

        } else if (i + 1 == r->n || clicks[1].uid != clicks->uid) {
            rc = engine->ops->send(engine, AUTHD_SQL_TOTAL_SUM, values, 1,
                                   NULL, NULL);
        }
    }

    if (rc == TG_OK) {
        rc = engine->ops->wait(engine);
    }

    if (rc == TG_ERR_REFUSED) {
        r->status = AUTHD_STORE_REFUSED;
        (void) memcpy(r->why, engine->text, sizeof(r->why));

        rc = engine->ops->send(engine, AUTHD_SQL_UNDO, NULL, 0, NULL, NULL);
    }

    if (rc == TG_OK) {
        rc = engine->ops->send(engine, AUTHD_SQL_RELEASE, NULL, 0, NULL,
                               NULL);
    }

    return rc == TG_OK ? engine->ops->wait(engine) : rc;
}
