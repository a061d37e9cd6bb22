
/*
 * Copyright (C) The Tailgate authors
 *
 * "/.detail/NAME": a link as a page, or as golink's JSON.
 */

#include "authd/app/links/page.h"

#include <string.h>
#include <time.h>


#define DAYS        30
#define DAY         86400
#define NAMES_MAX   32             /* former names that are told */


typedef struct {
    authd_record_t        *record;
    authd_links_detail_t   page;
    authd_links_day_t      days[DAYS];
    int                    code;
    bool                   asked;
    bool                   lost;
} detail_t;


static detail_t *detail_new(authd_links_call_t *call,
    authd_links_entry_t *entry);
static void detail_json(authd_links_call_t *call, const authd_link_t *link);
static void detail_people(bool ok, void *data);
static void detail_judge(authd_links_call_t *call);
static void detail_clicks(void *data, const authd_store_counts_t *counts);
static void detail_days(detail_t *detail, int32_t today,
    const authd_store_counts_t *counts, const tg_alloc_t *alloc);
static void detail_fill(authd_links_call_t *call, const authd_link_t *link,
    authd_links_may_t may);
static tg_str_t detail_names(authd_links_call_t *call, tg_str_t id);
static tg_str_t detail_path(authd_links_call_t *call, const char *path,
    tg_str_t name);
static bool detail_back(authd_links_call_t *call);


void
authd_links_detail_page(authd_links_call_t *call)
{
    authd_link_t          link;
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(call->app->index, call->name);

    if (entry == NULL) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    authd_record_link(entry->record, &link);

    if (link.alias.len != 0) {
        entry = authd_links_index_get(call->app->index, link.alias);

        if (entry == NULL) {
            authd_links_fault(call, 404, "there is no such link");
            return;
        }

        authd_record_link(entry->record, &link);
    }

    if (call->name.len != link.name.len
        || memcmp(call->name.data, link.name.data, link.name.len) != 0)
    {
        authd_links_see(call, 302, detail_path(call, "/.detail/", link.name));
        return;
    }

    (void) tgn_response_header(call->r, "Vary", authd_links_str("Accept"));

    if (!authd_links_wants_html(call->r)) {
        detail_json(call, &link);
        return;
    }

    if (detail_new(call, entry) != NULL) {
        detail_judge(call);
    }
}


void
authd_links_rename_wrong(authd_links_call_t *call, int code, const char *text,
    tg_str_t to, bool keep_alias)
{
    detail_t             *detail;
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(call->app->index, call->name);

    if (entry == NULL) {
        authd_links_fault(call, code, text);
        return;
    }

    detail = detail_new(call, entry);

    if (detail == NULL) {
        return;
    }

    detail->code = code;
    detail->page.note = authd_links_str("The link was not renamed: beside its"
                                        " new name is why.");
    detail->page.rename_to = to;
    detail->page.rename_keep = keep_alias;
    detail->page.rename_error = authd_links_labelled(&call->alloc, "New name",
                                                     text);

    detail_judge(call);
}


/* NULL when out of memory: then it was answered. */

static detail_t *
detail_new(authd_links_call_t *call, authd_links_entry_t *entry)
{
    detail_t  *detail;

    detail = call->alloc.alloc(call->alloc.ctx, sizeof(detail_t));

    if (detail == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return NULL;
    }

    memset(detail, 0, sizeof(detail_t));

    call->data = detail;
    detail->code = 200;
    detail->record = authd_record_hold(entry->record);
    detail->page.rename_keep = true;

    return detail;
}


/* As Go's encoder has it with an indent of two blanks. */

static void
detail_json(authd_links_call_t *call, const authd_link_t *link)
{
    char      *p;
    bool       quoted;
    size_t     i, n;
    tg_str_t   line;

    line = authd_links_golink_line(link, &call->alloc);
    p = call->alloc.alloc(call->alloc.ctx, line.len + 64);

    if (p == NULL || line.len == 0) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    quoted = false;

    for (i = 0, n = 0; i < line.len; i++) {

        if (line.data[i] == '}' && !quoted) {
            p[n++] = '\n';
        }

        p[n++] = line.data[i];

        if (line.data[i] == '\\') {
            p[n++] = line.data[++i];

        } else if (line.data[i] == '"') {
            quoted = !quoted;

        } else if (!quoted && line.data[i] == ':') {
            p[n++] = ' ';

        } else if (!quoted && (line.data[i] == '{' || line.data[i] == ',')) {
            memcpy(p + n, "\n  ", 3);
            n += 3;
        }
    }

    authd_links_send(call, 200, "application/json", (tg_str_t) { p, n });
}


static void
detail_people(bool ok, void *data)
{
    detail_t            *detail;
    authd_links_call_t  *call;

    call = data;

    if (!detail_back(call)) {
        return;
    }

    detail = call->data;
    detail->asked = true;
    detail->lost = !ok;

    detail_judge(call);
}


static void
detail_judge(authd_links_call_t *call)
{
    int32_t             today;
    detail_t           *detail;
    authd_link_t        link;
    authd_links_t      *app;
    authd_links_may_t   may;

    app = call->app;
    detail = call->data;

    authd_record_link(detail->record, &link);

    may = authd_links_may(&call->who, &link,
                          app->authd->conf->links.readonly,
                          detail->asked ? app->people : NULL, detail->lost);

    if (may == AUTHD_LINKS_MAY_ASK) {
        authd_links_wait(call);
        authd_links_people_ask(app->people, detail_people, call);
        return;
    }

    detail_fill(call, &link, may);

    today = (int32_t) (time(NULL) / DAY);

    authd_links_wait(call);

    if (authd_store_clicks(app->store, link.uid, today - DAYS + 1, today,
                           false, detail_clicks, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_wait(call);
        detail_clicks(call, NULL);
    }
}


/* Without counts the page has no bars. */

static void
detail_clicks(void *data, const authd_store_counts_t *counts)
{
    detail_t            *detail;
    authd_links_out_t    out;
    authd_links_call_t  *call;

    call = data;

    if (!detail_back(call)) {
        return;
    }

    detail = call->data;

    if (counts != NULL && counts->status == AUTHD_STORE_OK && counts->n != 0) {
        detail_days(detail, (int32_t) (time(NULL) / DAY), counts,
                    &call->alloc);
    }

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_detail(&out, &detail->page);

    authd_record_drop(&detail->record);
    authd_links_send_page(call, detail->code, authd_links_out_done(&out));
}


static void
detail_days(detail_t *detail, int32_t today,
    const authd_store_counts_t *counts, const tg_alloc_t *alloc)
{
    size_t             i;
    int32_t            ago;
    uint64_t           most;
    authd_links_day_t  *day;

    for (i = 0; i < DAYS; i++) {
        detail->days[i].day = authd_links_day(alloc,
            ((int64_t) today - DAYS + 1 + (int64_t) i) * DAY);
    }

    most = 1;

    for (i = 0; i < counts->n; i++) {
        ago = today - counts->clicks[i].day;

        if (ago < 0 || ago >= DAYS) {
            continue;
        }

        day = &detail->days[DAYS - 1 - ago];
        day->clicks += counts->clicks[i].n;
        most = day->clicks > most ? day->clicks : most;
    }

    for (i = 0; i < DAYS; i++) {
        detail->days[i].height = detail->days[i].clicks * 100 / most;
    }

    detail->page.days = detail->days;
    detail->page.ndays = DAYS;
}


static void
detail_fill(authd_links_call_t *call, const authd_link_t *link,
    authd_links_may_t may)
{
    tg_str_t               segment;
    tg_alloc_t             alloc;
    authd_links_wrong_t    wrong;
    authd_links_detail_t  *page;

    alloc = call->alloc;
    page = &((detail_t *) call->data)->page;
    segment = authd_links_segment(&alloc, link->name);

    authd_links_frame(call, NULL, &page->frame);
    page->frame.title = authd_links_format(&alloc, "%.*s/%.*s",
                                           (int) page->frame.host.len,
                                           page->frame.host.data,
                                           (int) link->name.len,
                                           link->name.data);

    authd_links_row(call, authd_links_index_get(call->app->index, link->id),
                    &page->link);
    authd_links_form_of(call, link, &page->form);

    page->created = authd_links_day(&alloc, link->created);
    page->owners = authd_links_joined(&alloc, link->owners);
    page->other_names = detail_names(call, link->id);
    page->history = detail_path(call, "/.history/", link->name);
    page->csv = authd_links_format(&alloc,
                                   "/api/v1/links/%.*s/clicks?format=csv",
                                   (int) segment.len, segment.data);
    page->rename_action = detail_path(call, "/.rename/", link->name);
    page->delete_action = detail_path(call, "/.delete/", link->name);
    page->anyone = link->anyone;
    page->git = authd_links_equal(link->origin, AUTHD_LINKS_GIT);
    page->takeover = may == AUTHD_LINKS_MAY_TAKE && link->owner.len != 0;

    if (link->expires != 0) {
        page->expires = authd_links_day(&alloc, link->expires);
        page->expired = link->expires <= (int64_t) time(NULL);
    }

    if (authd_links_arg(call, "exists").len != 0) {
        page->note = authd_links_str("This link already exists: this is how"
                                     " it is.");
    }

    if (!authd_links_may_change(may)) {
        authd_links_may_wrong(may, "update", link, &wrong);
        page->not_editable = authd_links_format(&alloc, "%s", wrong.text);
        return;
    }

    page->owned = may != AUTHD_LINKS_MAY_EDIT;

    if (may == AUTHD_LINKS_MAY_TAKE) {
        page->form.owner = call->who.login;
    }

    page->form.token = authd_links_page_token(call, "/", link->name);
    page->rename_token = authd_links_page_token(call, "/.rename/", link->name);
    page->delete_token = authd_links_page_token(call, "/.delete/", link->name);
}


static tg_str_t
detail_names(authd_links_call_t *call, tg_str_t id)
{
    size_t                i, n;
    tg_str_t              names = TG_NULL_STR;
    authd_link_t          link;
    authd_links_entry_t  *entry;

    n = 0;

    for (i = 0; n < NAMES_MAX; i++) {
        entry = authd_links_index_alias(call->app->index, i);

        if (entry == NULL) {
            break;
        }

        authd_record_link(entry->record, &link);

        if (link.alias.len != id.len
            || memcmp(link.alias.data, id.data, id.len) != 0)
        {
            continue;
        }

        names = authd_links_format(&call->alloc, "%.*s%s%.*s",
                                   (int) names.len, names.len ? names.data
                                                              : "",
                                   names.len ? ", " : "",
                                   (int) link.name.len, link.name.data);
        n++;
    }

    return names;
}


static tg_str_t
detail_path(authd_links_call_t *call, const char *path, tg_str_t name)
{
    tg_str_t  segment;

    segment = authd_links_segment(&call->alloc, name);

    return authd_links_format(&call->alloc, "%s%.*s", path, (int) segment.len,
                              segment.data);
}


static bool
detail_back(authd_links_call_t *call)
{
    if (call->r == NULL) {
        authd_record_drop(&((detail_t *) call->data)->record);
    }

    return authd_links_back(call);
}
