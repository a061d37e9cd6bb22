
/*
 * Copyright (C) The Tailgate authors
 *
 * One line of many: it is judged as a save of its link would be.
 */

#include "authd/app/links/batch.h"
#include "authd/app/links/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static const char *batch_judge(authd_links_batch_t *batch,
    authd_links_edit_t *edit, const authd_link_t *before,
    authd_links_item_t *item);


bool
authd_links_batch_hold(authd_links_batch_t *batch, authd_links_entry_t *entry)
{
    if (!authd_links_batch_room((void **) &batch->records,
                                &batch->records_size, batch->nrecords + 1,
                                sizeof(authd_record_t *)))
    {
        return false;
    }

    batch->records[batch->nrecords++] = authd_record_hold(entry->record);

    return true;
}


void
authd_links_batch_edit(authd_links_batch_t *batch, authd_links_edit_t *edit,
    size_t line)
{
    authd_links_item_t     *item;
    const char            *error;
    authd_link_t           before;
    authd_links_entry_t   *entry;

    item = authd_links_batch_item(batch, line, edit->name);

    if (item == NULL) {
        return;
    }

    entry = authd_links_index_named(batch->call->app->index, edit->name);

    if (entry != NULL) {

        if (!authd_links_batch_hold(batch, entry)) {
            return;
        }

        authd_record_link(entry->record, &before);
    }

    error = batch_judge(batch, edit, entry ? &before : NULL, item);

    if (error != NULL) {
        item->status = AUTHD_LINKS_ITEM_FAILED;
        item->error = error;
    }
}


/* NULL, or why the line is refused. */

static const char *
batch_judge(authd_links_batch_t *batch, authd_links_edit_t *edit,
    const authd_link_t *before, authd_links_item_t *item)
{
    char                   text[TG_ERROR_TEXT_MAX], *id;
    tg_str_t               owner;
    tg_alloc_t             alloc;
    authd_link_t          *after;
    authd_links_t         *app;
    authd_links_may_t      may;
    authd_links_call_t    *call;
    authd_links_wrong_t    wrong;
    authd_links_circle_t   circle;
    authd_store_change_t  *change;

    call = batch->call;
    app = call->app;
    alloc = call->alloc;

    if (before != NULL && before->alias.len == 0 && !batch->upsert) {
        return "there is such a link";
    }

    /* whose links these were is for admins to say, and since when */

    if (!call->who.admin && !call->who.machine) {
        edit->owner = (tg_str_t) TG_NULL_STR;
        edit->nobody = false;
        edit->created = 0;
        edit->edited = 0;
    }

    id = alloc.alloc(alloc.ctx, TG_LINK_NAME_MAX);
    after = alloc.alloc(alloc.ctx, sizeof(authd_link_t));

    if (id == NULL || after == NULL) {
        return "out of memory";
    }

    may = authd_links_may(&call->who, before, false, app->people,
                          batch->lost);

    if (!authd_links_may_change(may)) {
        authd_links_may_wrong(may, "update", before, &wrong);
        goto failed;
    }

    if (!authd_links_edit_check(edit, before, &wrong)
        || !authd_links_edit_apply(edit, before, &call->who, may, id, after,
                                   &wrong))
    {
        goto failed;
    }

    owner = batch->apply ? authd_links_edit_owner(edit, before, &call->who)
                         : (tg_str_t) TG_NULL_STR;

    if (owner.len != 0 && !authd_links_people_has(app->people, owner)) {
        return "the owner is nobody on the tailnet";
    }

    circle.app = app;
    circle.alloc = &alloc;
    circle.pending = &batch->pending;
    circle.changes = batch->changes;

    if (authd_links_is_circle(&circle, after, text)) {
        (void) snprintf(wrong.text, sizeof(wrong.text), "%s", text);
        goto failed;
    }

    item->status = before == NULL || before->alias.len != 0
                   ? AUTHD_LINKS_ITEM_CREATED : AUTHD_LINKS_ITEM_UPDATED;

    if (before != NULL && authd_links_edit_same(before, after)) {
        item->status = AUTHD_LINKS_ITEM_UNCHANGED;
        return NULL;
    }

    change = authd_links_batch_change(batch, item, AUTHD_STORE_PUT);

    if (change == NULL) {
        return "out of memory";
    }

    change->link = after;
    change->expect = before ? AUTHD_STORE_VERSION : AUTHD_STORE_NEW;
    change->version = before ? before->version : 0;
    change->keep_times = edit->created != 0 || edit->edited != 0;

    /* of two lines for one link the store takes the first */

    if (tgi_map_add(&batch->pending, after->id, (uint32_t) item->change)
        == TG_ERR_NOMEM)
    {
        return "out of memory";
    }

    return NULL;

failed:

    return authd_links_format(&alloc, "%s", wrong.text).data;
}


authd_store_change_t *
authd_links_batch_change(authd_links_batch_t *batch, authd_links_item_t *item,
    authd_store_op_t op)
{
    authd_store_change_t  *change;

    if (!authd_links_batch_room((void **) &batch->changes,
                                &batch->changes_size, batch->nchanges + 1,
                                sizeof(authd_store_change_t)))
    {
        return NULL;
    }

    item->change = batch->nchanges;
    change = &batch->changes[batch->nchanges++];

    memset(change, 0, sizeof(authd_store_change_t));
    change->op = op;

    return change;
}


void
authd_links_batch_fail(authd_links_batch_t *batch, size_t line, tg_str_t name,
    const char *text)
{
    authd_links_item_t  *item;

    item = authd_links_batch_item(batch, line, name);

    if (item != NULL) {
        item->status = AUTHD_LINKS_ITEM_FAILED;
        item->error = authd_links_format(&batch->call->alloc, "%s",
                                         text).data;
    }
}


authd_links_item_t *
authd_links_batch_item(authd_links_batch_t *batch, size_t line, tg_str_t name)
{
    authd_links_item_t  *item;

    if (!authd_links_batch_room((void **) &batch->items, &batch->items_size,
                                batch->nitems + 1,
                                sizeof(authd_links_item_t)))
    {
        return NULL;
    }

    item = &batch->items[batch->nitems++];

    memset(item, 0, sizeof(authd_links_item_t));

    item->line = line;
    item->name = name;
    item->change = SIZE_MAX;

    return item;
}


bool
authd_links_batch_room(void **items, size_t *size, size_t n, size_t width)
{
    void    *p;
    size_t   more;

    if (n <= *size) {
        return true;
    }

    more = *size ? *size * 2 : 256;
    p = reallocarray(*items, more, width);

    if (p == NULL) {
        return false;
    }

    *items = p;
    *size = more;

    return true;
}
