
/*
 * Copyright (C) The Tailgate authors
 *
 * What a golink has: links as the lines that it exports, and clicks, which it
 * counts a minute each and by ids in several spellings, as those of a day.
 */

#include <cli/cli.h>
#include <cli/links.h>
#include <cli/links_golink.h>

#include <authd/store/golink_db.h>
#include <tailgate/golink.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define DAY  86400


typedef struct {
    tg_str_t  id;
    int32_t   day;
    uint64_t  n;
} day_t;

typedef struct {
    cli_links_t  *links;
    FILE         *out;
    day_t        *days;
    size_t        ndays;
    size_t        size;
} golink_t;


static int on_link(void *data, const authd_golink_link_t *link);
static int on_clicks(void *data, const authd_golink_clicks_t *clicks);
static int fetch(cli_links_t *links, const char *url, const char *path,
    tgn_fetch_answer_t *answer);
static int read_stats(golink_t *self, tg_str_t text);
static bool read_row(tg_str_t line, authd_golink_clicks_t *clicks);
static bool read_number(tg_str_t text, uint64_t *n);
static tg_str_t cut(tg_str_t *rest, char end);
static int day_compare(const void *a, const void *b);
static int write_days(golink_t *self, tg_str_t *text);
static int take_text(cli_links_t *links, FILE *out, char **data, size_t *len,
    tg_str_t *text);


int
cli_links_golink_file(cli_links_t *links, const char *file,
    cli_links_golink_t *golink)
{
    int                    rc;
    char                  *text;
    size_t                 len;
    golink_t               self;
    tg_error_t             error;
    authd_golink_reader_t  reader;

    memset(&self, 0, sizeof(golink_t));
    memset(golink, 0, sizeof(cli_links_golink_t));

    text = NULL;
    self.links = links;
    self.out = open_memstream(&text, &len);
    reader = (authd_golink_reader_t) { on_link, on_clicks, &self };

    if (self.out == NULL) {
        cli_error(links->command, "out of memory");
        return CLI_USAGE;
    }

    error.text[0] = '\0';
    rc = authd_golink_read(file, &reader, &error);

    if (take_text(links, self.out, &text, &len, &golink->lines) != TG_OK
        || (rc == TG_OK && write_days(&self, &golink->clicks) != TG_OK))
    {
        rc = TG_ERR_NOMEM;
    }

    free(self.days);

    /* the reader names the file itself */

    if (rc != TG_OK) {
        cli_error(links->command, "%s", rc == TG_ERR_NOMEM ? "out of memory"
                                                           : error.text);
        return CLI_USAGE;
    }

    return CLI_OK;
}


/* golink's own exports, in whatever state that golink is. */

int
cli_links_golink_url(cli_links_t *links, const char *url,
    cli_links_golink_t *golink)
{
    int                 rc;
    golink_t            self;
    tgn_fetch_answer_t  answer;

    memset(&self, 0, sizeof(golink_t));
    memset(golink, 0, sizeof(cli_links_golink_t));

    self.links = links;

    rc = fetch(links, url, ".export", &answer);

    if (rc == TG_OK && answer.code != 200) {
        cli_error(links->command, "%s/.export%s", url, answer.code == 0
                  ? ": no answer" : " is no export of golink's");
        return CLI_UNAVAILABLE;
    }

    golink->lines = answer.body;

    if (rc == TG_OK) {
        rc = fetch(links, url, ".export-stats", &answer);
    }

    if (rc == TG_OK && answer.code == 200) {
        rc = read_stats(&self, answer.body);
    }

    if (rc == TG_OK) {
        rc = write_days(&self, &golink->clicks);
    }

    free(self.days);

    if (rc != TG_OK) {
        cli_error(links->command, "out of memory");
        return CLI_UNAVAILABLE;
    }

    return CLI_OK;
}


static int
on_link(void *data, const authd_golink_link_t *link)
{
    int                rc;
    golink_t          *self;
    tg_str_t           line;
    tg_link_record_t   record;

    self = data;
    record = (tg_link_record_t) {
        link->name, link->url, link->owner, link->created, link->edited
    };

    rc = tg_link_write(TG_LINK_JSONL, &record, &self->links->alloc, &line);

    if (rc == TG_OK && fwrite(line.data, 1, line.len, self->out) != line.len) {
        rc = TG_ERR_NOMEM;
    }

    return rc;
}


/* An id that no link can have is none's. */

static int
on_clicks(void *data, const authd_golink_clicks_t *clicks)
{
    char      *id, folded[TG_LINK_NAME_MAX];
    day_t     *days;
    size_t     len, more;
    golink_t  *self;

    self = data;
    len = tg_link_id(clicks->id, folded);

    if (len == 0) {
        return TG_OK;
    }

    if (self->ndays == self->size) {
        more = self->size ? self->size * 2 : 1024;
        days = reallocarray(self->days, more, sizeof(day_t));

        if (days == NULL) {
            return TG_ERR_NOMEM;
        }

        self->days = days;
        self->size = more;
    }

    id = self->links->alloc.alloc(self->links->alloc.ctx, len);

    if (id == NULL) {
        return TG_ERR_NOMEM;
    }

    memcpy(id, folded, len);

    self->days[self->ndays++] = (day_t) {
        { id, len }, clicks->day, clicks->n
    };

    return TG_OK;
}


static int
fetch(cli_links_t *links, const char *url, const char *path,
    tgn_fetch_answer_t *answer)
{
    tgn_fetch_ask_t  ask;

    memset(&ask, 0, sizeof(ask));
    memset(answer, 0, sizeof(tgn_fetch_answer_t));

    ask.url = cli_links_words(links, url[strlen(url) - 1] == '/' ? "" : "/",
                              (const char *[]) { url, path, NULL });
    ask.body_max = CLI_LINKS_FILE_MAX;

    return ask.url == NULL ? TG_ERR_NOMEM
           : tgn_fetch(links->fetch, &ask, &links->alloc, answer);
}


/* What is no row of golink's counts nothing. */

static int
read_stats(golink_t *self, tg_str_t text)
{
    int                    rc;
    authd_golink_clicks_t  clicks;

    for (rc = TG_OK; rc == TG_OK && text.len != 0; /* void */ ) {
        if (read_row(cut(&text, '\n'), &clicks)) {
            rc = on_clicks(self, &clicks);
        }
    }

    return rc;
}


static bool
read_row(tg_str_t line, authd_golink_clicks_t *clicks)
{
    uint64_t  at;

    clicks->id = cut(&line, ',');

    if (!read_number(cut(&line, ','), &at) || !read_number(line, &clicks->n)
        || at / DAY > INT32_MAX)
    {
        return false;
    }

    clicks->day = (int32_t) (at / DAY);

    return clicks->n != 0;
}


static bool
read_number(tg_str_t text, uint64_t *n)
{
    size_t  i;

    *n = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9' || i == 18) {
            return false;
        }

        *n = *n * 10 + (uint64_t) (text.data[i] - '0');
    }

    return text.len != 0;
}


/* What is before the next end, which is taken away with it. */

static tg_str_t
cut(tg_str_t *rest, char end)
{
    tg_str_t     part;
    const char  *p;

    p = rest->len ? memchr(rest->data, end, rest->len) : NULL;

    part.data = rest->data;
    part.len = p ? (size_t) (p - rest->data) : rest->len;

    rest->data += part.len + (p != NULL);
    rest->len -= part.len + (p != NULL);

    return part;
}


static int
day_compare(const void *a, const void *b)
{
    int           order;
    size_t        len;
    const day_t  *x, *y;

    x = a;
    y = b;

    len = x->id.len < y->id.len ? x->id.len : y->id.len;
    order = memcmp(x->id.data, y->id.data, len);

    if (order == 0) {
        order = (x->id.len > y->id.len) - (x->id.len < y->id.len);
    }

    return order ? order : (x->day > y->day) - (x->day < y->day);
}


/* One line for each link and day: a server adds up those of one request. */

static int
write_days(golink_t *self, tg_str_t *text)
{
    char      *data;
    FILE      *out;
    size_t     i, len;
    uint64_t   n;

    if (self->ndays == 0) {
        return TG_OK;
    }

    qsort(self->days, self->ndays, sizeof(day_t), day_compare);

    data = NULL;
    out = open_memstream(&data, &len);

    if (out == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, n = 0; i < self->ndays; i++) {
        n += self->days[i].n;

        if (i + 1 < self->ndays
            && day_compare(&self->days[i], &self->days[i + 1]) == 0)
        {
            continue;
        }

        (void) fprintf(out, "%.*s,%" PRId64 ",%" PRIu64 "\n",
                       (int) self->days[i].id.len, self->days[i].id.data,
                       (int64_t) self->days[i].day * DAY, n);
        n = 0;
    }

    return take_text(self->links, out, &data, &len, text);
}


/* Closes out, a memory stream of *data and *len, and keeps what it has. */

static int
take_text(cli_links_t *links, FILE *out, char **data, size_t *len,
    tg_str_t *text)
{
    int    rc;
    bool   failed;
    char  *p;

    failed = ferror(out) != 0;
    rc = fclose(out) != 0 || failed ? TG_ERR_NOMEM : TG_OK;

    if (rc == TG_OK && *len != 0) {
        p = links->alloc.alloc(links->alloc.ctx, *len);

        if (p == NULL) {
            rc = TG_ERR_NOMEM;

        } else {
            memcpy(p, *data, *len);
            *text = (tg_str_t) { p, *len };
        }
    }

    free(*data);

    return rc;
}
