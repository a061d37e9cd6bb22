
/*
 * Copyright (C) The Tailgate authors
 *
 * "/.history/NAME": who changed what.
 */

#include "authd/app/links/page.h"

#include <string.h>


#define ENTRIES_MAX  100
#define CHANGES_MAX  10


static void history_done(void *data, const authd_store_history_t *history);
static void history_entry(authd_links_call_t *call,
    const authd_store_history_t *history, size_t i,
    authd_links_entry_view_t *view);
static void history_changes(authd_links_call_t *call,
    const authd_store_entry_t *entry, authd_links_entry_view_t *view);
static void change_add(authd_links_entry_view_t *view,
    authd_links_change_t *changes, const char *field, tg_str_t before,
    tg_str_t after);
static const char *action_word(tg_str_t action);


void
authd_links_history_page(authd_links_call_t *call)
{
    char        buf[TG_LINK_NAME_MAX];
    tg_str_t    id;

    id.data = buf;
    id.len = tg_link_id(call->name, buf);

    if (id.len == 0) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    authd_links_wait(call);

    if (authd_store_history(call->app->store, id, 0, ENTRIES_MAX,
                            history_done, call)
        != TG_OK)
    {
        (void) authd_links_back(call);
        authd_links_unavailable(call, 5, "the store does not work");
    }
}


static void
history_done(void *data, const authd_store_history_t *history)
{
    size_t                     i;
    authd_link_t               link;
    authd_links_out_t          out;
    authd_links_call_t        *call;
    authd_links_entry_t       *entry;
    authd_links_history_t      page;
    authd_links_entry_view_t  *views;

    call = data;

    if (!authd_links_back(call)) {
        return;
    }

    if (history->status != AUTHD_STORE_OK) {
        authd_links_unavailable(call, history->retry, history->text);
        return;
    }

    views = call->alloc.alloc(call->alloc.ctx, (history->n + 1)
                                          * sizeof(authd_links_entry_view_t));

    if (history->n == 0 || views == NULL) {
        authd_links_fault(call, 404, "there is no such link");
        return;
    }

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, "History", &page.frame);

    page.name = call->name;
    entry = authd_links_index_named(call->app->index, call->name);

    if (entry != NULL) {
        authd_record_link(entry->record, &link);
        page.name = link.name;
        page.detail = authd_links_format(&call->alloc, "/.detail/%.*s",
                                         (int) link.name.len, link.name.data);

    } else if (history->entries[0].before != NULL) {
        authd_record_link(history->entries[0].before, &link);
        page.name = link.name;
    }

    page.restore_action = authd_links_format(&call->alloc, "/.restore/%.*s",
                                             (int) page.name.len,
                                             page.name.data);

    if (!call->app->authd->conf->links.readonly) {
        page.token = authd_links_page_token(call, "/.restore/", page.name);
    }

    for (i = 0; i < history->n; i++) {
        history_entry(call, history, i, &views[i]);
    }

    page.entries = views;
    page.nentries = history->n;

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_history(&out, &page);

    authd_links_send_page(call, 200, authd_links_out_done(&out));
}


/*
 * Back to before a change is to what the one before it made; before a deletion
 * is what the deletion took away.
 */

static void
history_entry(authd_links_call_t *call, const authd_store_history_t *history,
    size_t i, authd_links_entry_view_t *view)
{
    const authd_store_entry_t  *entry, *older;

    entry = &history->entries[i];
    older = i + 1 < history->n ? &history->entries[i + 1] : NULL;

    memset(view, 0, sizeof(authd_links_entry_view_t));

    view->when = authd_links_moment(&call->alloc, entry->at);
    view->who = entry->who;
    view->action = authd_links_str(action_word(entry->action));

    if (entry->after == NULL) {
        view->seq = entry->seq;
        view->restorable = true;

    } else if (entry->before != NULL && older != NULL) {
        view->seq = older->seq;
        view->restorable = true;
    }

    history_changes(call, entry, view);
}


static void
history_changes(authd_links_call_t *call, const authd_store_entry_t *entry,
    authd_links_entry_view_t *view)
{
    authd_link_t           a, b;
    tg_alloc_t             alloc;
    authd_links_change_t  *changes;

    alloc = call->alloc;
    changes = alloc.alloc(alloc.ctx,
                          CHANGES_MAX * sizeof(authd_links_change_t));

    if (changes == NULL) {
        return;
    }

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));

    if (entry->before != NULL) {
        authd_record_link(entry->before, &a);
    }

    if (entry->after != NULL) {
        authd_record_link(entry->after, &b);
    }

    view->changes = changes;

    change_add(view, changes, "name", a.name, b.name);
    change_add(view, changes, "url", a.url, b.url);
    change_add(view, changes, "owner", a.owner, b.owner);
    change_add(view, changes, "owners",
               authd_links_joined(&alloc, a.owners),
               authd_links_joined(&alloc, b.owners));
    change_add(view, changes, "description", a.description,
               b.description);
    change_add(view, changes, "tags",
               authd_links_joined(&alloc, a.tags),
               authd_links_joined(&alloc, b.tags));
    change_add(view, changes, "anyone may change it",
               authd_links_str(a.anyone ? "yes" : ""),
               authd_links_str(b.anyone ? "yes" : ""));
    change_add(view, changes, "expires",
               a.expires ? authd_links_day(&alloc, a.expires)
                         : (tg_str_t) TG_NULL_STR,
               b.expires ? authd_links_day(&alloc, b.expires)
                         : (tg_str_t) TG_NULL_STR);
}


static void
change_add(authd_links_entry_view_t *view, authd_links_change_t *changes,
    const char *field, tg_str_t before, tg_str_t after)
{
    authd_links_change_t  *change;

    if (before.len == after.len
        && (before.len == 0 || memcmp(before.data, after.data, before.len)
                               == 0))
    {
        return;
    }

    change = &changes[view->nchanges++];

    change->field = authd_links_str(field);
    change->before = before;
    change->after = after;
}


static const char *
action_word(tg_str_t action)
{
    size_t  i;

    static const char *const  words[][2] = {
        { "create", "created" },
        { "edit", "changed" },
        { "delete", "deleted" },
        { "rename", "renamed" },
        { "restore", "restored" },
        { "alias", "former name" }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (authd_links_equal(action, words[i][0])) {
            return words[i][1];
        }
    }

    return "changed";
}
