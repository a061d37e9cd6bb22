
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/page.h"
#include "authd/app/links/token.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


#define HOME_POPULAR  20
#define HOME_RECENT   10


static void unknown_known(authd_links_call_t *call);
static void form_new(authd_links_call_t *call, tg_str_t name,
    authd_links_form_t *form);
static bool may_create(const authd_links_call_t *call);
static void saved_text(const authd_links_job_t *job,
    authd_links_done_t *page);


void
authd_links_home_page(authd_links_call_t *call)
{
    size_t                 n;
    authd_links_t         *app;
    authd_links_out_t      out;
    authd_links_home_t     page;
    authd_links_entry_t  **entries;

    app = call->app;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, NULL, &page.frame);
    form_new(call, authd_links_arg(call, "short"), &page.form);

    page.may_create = may_create(call);

    entries = authd_links_index_popular(app->index, &n);
    page.popular = authd_links_rows(call, entries,
                                    n < HOME_POPULAR ? n : HOME_POPULAR);

    entries = authd_links_index_recent(app->index, &n);
    page.recent = authd_links_rows(call, entries,
                                   n < HOME_RECENT ? n : HOME_RECENT);

    page.total = authd_links_index_n(app->index);

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_home(&out, &page);

    authd_links_send_page(call, 200, authd_links_out_done(&out));
}


void
authd_links_help_page(authd_links_call_t *call)
{
    authd_links_out_t   out;
    authd_links_help_t  page;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, "Help", &page.frame);

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_help(&out, &page);

    authd_links_send_page(call, 200, authd_links_out_done(&out));
}


void
authd_links_unknown_page(authd_links_call_t *call, tg_str_t name)
{
    call->name = authd_links_format(&call->alloc, "%.*s", (int) name.len,
                                    name.data);

    /* who may not look gets the page all the same, without what is there */

    authd_links_identify(call, true, unknown_known);
}


void
authd_links_unknown_bare(authd_links_t *app, tgn_request_t *r, bool tls,
    tg_str_t name, const tg_alloc_t *alloc)
{
    authd_links_out_t          out;
    authd_links_bare_t         page;
    const authd_links_conf_t  *conf;

    conf = &app->authd->conf->links;

    page.host = conf->hosts.n ? conf->hosts.items[0]
                              : (tg_str_t) TG_STR("go");
    page.name = name;
    page.may_create = !conf->readonly;

    authd_links_out_init(&out, alloc);
    authd_links_page_bare(&out, &page);

    authd_links_answer_page(r, tls, 404, authd_links_out_done(&out));
}


void
authd_links_saved_page(authd_links_job_t *job)
{
    authd_links_t         *app;
    authd_links_out_t      out;
    authd_links_done_t     page;
    authd_links_call_t    *call;
    authd_links_entry_t   *entry;

    call = job->call;
    app = call->app;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, "Success", &page.frame);
    saved_text(job, &page);

    if (job->code != 204) {
        entry = authd_links_index_get(app->index, job->after.id);
        authd_links_row_of(call, &job->after, entry ? entry->clicks : 0,
                           &page.link);
    }

    if (job->code == 204) {
        page.undo_action = authd_links_format(&call->alloc, "/.restore/%.*s",
                                              (int) job->before.name.len,
                                              job->before.name.data);
        page.undo_seq = job->done_seq;
        page.token = authd_links_page_token(call, "/.restore/",
                                            job->before.name);
    }

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_done(&out, &page);

    authd_links_job_end(job);
    authd_links_send_page(call, 200, authd_links_out_done(&out));
}


tg_str_t
authd_links_fault_page(authd_links_call_t *call, int code, const char *text)
{
    authd_links_out_t    out;
    authd_links_fault_t  page;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, tgn_status_text(code), &page.frame);

    page.text = authd_links_str(text);

    if (call->advice != NULL) {
        page.advice = authd_links_str(call->advice);
    }

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_fault(&out, &page);

    return authd_links_out_done(&out);
}


void
authd_links_frame(authd_links_call_t *call, const char *title,
    authd_links_frame_t *frame)
{
    const authd_links_conf_t  *conf;

    conf = &call->app->authd->conf->links;

    frame->host = conf->hosts.n ? conf->hosts.items[0]
                                : (tg_str_t) TG_STR("go");
    frame->title = title ? authd_links_format(&call->alloc, "%s", title)
                         : frame->host;
    frame->login = call->who.login;
    frame->readonly = conf->readonly;
    frame->known = call->who.verdict == TG_ALLOW;
}


void
authd_links_row(authd_links_call_t *call, const authd_links_entry_t *entry,
    authd_links_row_t *row)
{
    authd_link_t  link;

    authd_record_link(entry->record, &link);
    authd_links_row_of(call, &link, entry->clicks, row);
}


void
authd_links_row_of(authd_links_call_t *call, const authd_link_t *link,
    uint64_t clicks, authd_links_row_t *row)
{
    tg_str_t    list, item, segment, *tags;
    tg_alloc_t  alloc;

    alloc = call->alloc;
    segment = authd_links_segment(&alloc, link->name);

    memset(row, 0, sizeof(authd_links_row_t));

    row->name = link->name;
    row->href = authd_links_format(&alloc, "/%.*s", (int) segment.len,
                                   segment.data);
    row->detail = authd_links_format(&alloc, "/.detail/%.*s",
                                     (int) segment.len, segment.data);
    row->url = link->url;
    row->owner = link->owner;
    row->description = link->description;
    row->edited = authd_links_day(&alloc, link->edited);
    row->clicks = clicks;

    list = link->tags;
    tags = alloc.alloc(alloc.ctx,
                       (AUTHD_LINKS_WORDS_MAX + 1) * sizeof(tg_str_t));

    while (tags != NULL && row->ntags < AUTHD_LINKS_WORDS_MAX
           && authd_list_next(&list, &item))
    {
        tags[row->ntags++] = item;
    }

    row->tags = tags;
}


authd_links_rows_t
authd_links_rows(authd_links_call_t *call, authd_links_entry_t *const *entries,
    size_t n)
{
    size_t               i;
    authd_links_row_t   *rows;
    authd_links_rows_t   out = { NULL, 0 };

    rows = call->alloc.alloc(call->alloc.ctx,
                             (n + 1) * sizeof(authd_links_row_t));

    if (rows == NULL) {
        return out;
    }

    for (i = 0; i < n; i++) {
        authd_links_row(call, entries[i], &rows[i]);
    }

    out.rows = rows;
    out.nrows = n;

    return out;
}


void
authd_links_form_of(authd_links_call_t *call, const authd_link_t *link,
    authd_links_form_t *form)
{
    memset(form, 0, sizeof(authd_links_form_t));

    form->name = link->name;
    form->url = link->url;
    form->owner = link->owner;
    form->owners = authd_links_joined(&call->alloc, link->owners);
    form->description = link->description;
    form->tags = authd_links_joined(&call->alloc, link->tags);
    form->anyone = link->anyone;
    form->exists = true;

    if (link->expires != 0) {
        form->expires = authd_links_day(&call->alloc, link->expires);
    }
}


tg_str_t
authd_links_page_token(authd_links_call_t *call, const char *path,
    tg_str_t object)
{
    char      token[AUTHD_LINKS_TOKEN_MAX];
    tg_str_t  none = TG_NULL_STR;

    if (call->who.login.len == 0
        || authd_links_token(call->app->secret, call->who.login, path, object,
                             (int64_t) time(NULL), token)
           == 0)
    {
        return none;
    }

    return authd_links_format(&call->alloc, "%s", token);
}


tg_str_t
authd_links_joined(const tg_alloc_t *alloc, tg_str_t list)
{
    char      *p;
    size_t     n;
    tg_str_t   item, out = TG_NULL_STR;

    p = alloc->alloc(alloc->ctx, list.len * 2 + 1);

    if (p == NULL) {
        return out;
    }

    n = 0;

    while (authd_list_next(&list, &item)) {

        if (n != 0) {
            p[n++] = ',';
            p[n++] = ' ';
        }

        memcpy(p + n, item.data, item.len);
        n += item.len;
    }

    out.data = p;
    out.len = n;

    return out;
}


tg_str_t
authd_links_golink_line(const authd_link_t *link, const tg_alloc_t *alloc)
{
    tg_str_t          line;
    tg_link_record_t  record;

    record.name = link->name;
    record.url = link->url;
    record.owner = link->owner;
    record.created = link->created ? link->created : TG_LINK_NO_TIME;
    record.edited = link->edited ? link->edited : TG_LINK_NO_TIME;

    if (tg_link_write(TG_LINK_JSONL, &record, alloc, &line) != TG_OK) {
        line = (tg_str_t) TG_NULL_STR;
    }

    return line;
}


static void
unknown_known(authd_links_call_t *call)
{
    char                    id[TG_LINK_NAME_MAX];
    size_t                  n;
    tg_str_t                folded, segment;
    authd_links_out_t       out;
    authd_links_entry_t    *entries[TG_LINK_NEAR_MAX];
    authd_links_unknown_t   page;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, "No such link", &page.frame);
    form_new(call, call->name, &page.form);

    n = 0;

    if (call->who.verdict == TG_ALLOW) {
        page.may_create = may_create(call);

        folded.data = id;
        folded.len = tg_link_id(call->name, id);

        if (page.may_create && folded.len != 0) {
            segment = authd_links_segment(&call->alloc, call->name);
            page.history = authd_links_format(&call->alloc, "/.history/%.*s",
                                              (int) segment.len,
                                              segment.data);
        }

        n = authd_links_nearby(&call->app->nearby, call->app->index, folded,
                               entries);
    }

    page.nearest = authd_links_rows(call, entries, n);

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_unknown(&out, &page);

    (void) tgn_response_header(call->r, "Vary", authd_links_str("Accept"));
    authd_links_send_page(call, 404, authd_links_out_done(&out));
}


static void
form_new(authd_links_call_t *call, tg_str_t name, authd_links_form_t *form)
{
    memset(form, 0, sizeof(authd_links_form_t));

    form->name = name;
    form->owner = call->who.login;
    form->token = authd_links_page_token(call, "/",
                      (tg_str_t) TG_STR(AUTHD_LINKS_TOKEN_NEW));
}


static bool
may_create(const authd_links_call_t *call)
{
    return call->who.login.len != 0
           && !call->app->authd->conf->links.readonly;
}


static void
saved_text(const authd_links_job_t *job, authd_links_done_t *page)
{
    const char          *verb;
    const authd_link_t  *link;
    authd_links_call_t  *call;

    call = job->call;
    link = job->code == 204 ? &job->before : &job->after;

    switch (job->op) {

    case AUTHD_STORE_DELETE:
        verb = "deleted";
        break;

    case AUTHD_STORE_RENAME:
        verb = "the new name";
        break;

    case AUTHD_STORE_RESTORE:
        verb = "restored";
        break;

    default:
        verb = "saved";
    }

    page->text = authd_links_format(&call->alloc, "%.*s/%.*s is %s.",
                                    (int) page->frame.host.len,
                                    page->frame.host.data,
                                    (int) link->name.len, link->name.data,
                                    verb);
}
