
/*
 * Copyright (C) The Tailgate authors
 *
 * From a body to changes: each line is judged as a save of its link would be.
 */

#include "authd/app/links/batch.h"
#include "authd/app/links/save.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void batch_lines(authd_links_batch_t *batch);
static bool batch_line(authd_links_batch_t *batch, tg_str_t line,
    size_t number);
static void batch_csv(authd_links_batch_t *batch);
static void batch_apply(authd_links_batch_t *batch);
static void batch_prune(authd_links_batch_t *batch);
static bool prune_each(authd_links_entry_t *entry, void *data);
static bool batch_hold(authd_links_batch_t *batch,
    authd_links_entry_t *entry);
static void batch_edit(authd_links_batch_t *batch, authd_links_edit_t *edit,
    size_t line);
static const char *batch_judge(authd_links_batch_t *batch,
    authd_links_edit_t *edit, const authd_link_t *before,
    authd_links_item_t *item);
static authd_store_change_t *batch_change(authd_links_batch_t *batch,
    authd_links_item_t *item, authd_store_op_t op);
static void batch_fail(authd_links_batch_t *batch, size_t line, tg_str_t name,
    const char *text);
static bool batch_room(void **items, size_t *size, size_t n, size_t width);
static authd_links_item_t *batch_item(authd_links_batch_t *batch, size_t line,
    tg_str_t name);


void
authd_links_batch_read(authd_links_batch_t *batch)
{
    if (tgi_map_init(&batch->pending, 64, &batch->call->alloc) != TG_OK) {
        batch_fail(batch, 0, (tg_str_t) TG_NULL_STR, "out of memory");
        return;
    }

    if (batch->apply) {
        batch_apply(batch);

    } else if (batch->csv) {
        batch_csv(batch);

    } else {
        batch_lines(batch);
    }
}


/* A line that has a Short is golink's, else it is one of a full export. */

static void
batch_lines(authd_links_batch_t *batch)
{
    size_t       number;
    tg_str_t     body, line;
    const char  *end;

    body = batch->call->r->body;

    for (number = 1; body.len != 0; number++) {
        end = memchr(body.data, '\n', body.len);

        line.data = body.data;
        line.len = end ? (size_t) (end - body.data) : body.len;

        body.data += line.len + (end != NULL);
        body.len -= line.len + (end != NULL);

        while (line.len != 0 && (line.data[line.len - 1] == '\r'
                                 || line.data[line.len - 1] == ' '))
        {
            line.len--;
        }

        if (line.len != 0 && !batch_line(batch, line, number)) {
            return;
        }
    }
}


static bool
batch_line(authd_links_batch_t *batch, tg_str_t line, size_t number)
{
    json_t                *json, *short_name;
    tg_error_t             error;
    json_error_t           fault;
    tg_link_reader_t       reader;
    tg_link_record_t       record;
    authd_links_edit_t     edit;
    authd_links_wrong_t    wrong;

    memset(&edit, 0, sizeof(edit));

    json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &fault);

    if (json != NULL && json_object_get(json, "name") != NULL) {

        if (!batch_room((void **) &batch->lines, &batch->lines_size,
                        batch->nlines + 1, sizeof(json_t *)))
        {
            json_decref(json);
            return false;
        }

        batch->lines[batch->nlines++] = json;

        if (!authd_links_json_edit(json, true, &batch->call->alloc, &edit,
                                   &wrong))
        {
            batch_fail(batch, number, edit.name, wrong.text);
            return true;
        }

        edit.nobody = json_is_string(json_object_get(json, "owner"))
                      && edit.owner.len == 0;

        batch_edit(batch, &edit, number);

        return true;
    }

    tg_link_reader_init(&reader, TG_LINK_JSONL, line);

    if (tg_link_read(&reader, NULL, &batch->call->alloc, &record, &error)
        != TG_OK)
    {
        short_name = json_object_get(json, "Short");

        batch_fail(batch, number,
                   authd_links_format(&batch->call->alloc, "%s",
                                      json_string_value(short_name)
                                      ? json_string_value(short_name) : ""),
                   error.text);
        json_decref(json);
        return true;
    }

    json_decref(json);

    edit.name = record.name;
    edit.url = record.url;
    edit.has_url = true;
    edit.owner = record.owner;
    edit.nobody = record.owner.len == 0;
    edit.created = record.created;
    edit.edited = record.edited;

    batch_edit(batch, &edit, number);

    return true;
}


static void
batch_csv(authd_links_batch_t *batch)
{
    int                   rc;
    size_t                i;
    tg_str_t              name;
    tg_error_t            error;
    tg_link_reader_t      reader;
    tg_link_record_t      record;
    authd_links_edit_t    edit;

    tg_link_reader_init(&reader, TG_LINK_CSV, batch->call->r->body);

    for ( ;; ) {
        memset(&error, 0, sizeof(error));

        name = reader.rest;

        rc = tg_link_read(&reader, NULL, &batch->call->alloc, &record, &error);

        if (rc == TG_ERR_ABSENT || rc == TG_ERR_NOMEM) {
            return;
        }

        if (rc != TG_OK) {
            for (i = 0; i < name.len && strchr(",\r\n", name.data[i]) == NULL;
                 i++)
            {
                /* void */
            }

            name.len = i;
            batch_fail(batch, error.line, name, error.text);
            continue;
        }

        memset(&edit, 0, sizeof(edit));

        edit.name = record.name;
        edit.url = record.url;
        edit.has_url = true;

        batch_edit(batch, &edit, reader.record);
    }
}


static void
batch_apply(authd_links_batch_t *batch)
{
    size_t                i;
    json_t               *item;
    authd_links_edit_t    edit;
    authd_links_wrong_t   wrong;

    json_array_foreach(json_object_get(batch->json, "links"), i, item) {

        memset(&edit, 0, sizeof(edit));

        if (!authd_links_json_edit(item, false, &batch->call->alloc, &edit,
                                   &wrong))
        {
            batch_fail(batch, i + 1, edit.name, wrong.text);
            continue;
        }

        edit.git = true;
        edit.has_owners = true;
        edit.has_description = true;
        edit.has_tags = true;
        edit.has_expires = true;
        edit.has_anyone = true;

        batch_edit(batch, &edit, i + 1);
    }

    /* with a line that failed nobody knows what the file means */

    for (i = 0; i < batch->nitems; i++) {
        if (batch->items[i].status == AUTHD_LINKS_ITEM_FAILED) {
            return;
        }
    }

    if (json_is_true(json_object_get(batch->json, "prune"))) {
        batch_prune(batch);
    }
}


/* Deletes what belongs to git and has no line. */

static void
batch_prune(authd_links_batch_t *batch)
{
    size_t                i;
    authd_link_t          link;
    authd_links_t        *app;
    authd_links_entry_t  *entry;

    app = batch->call->app;

    if (tgi_map_init(&batch->kept, batch->nitems, &batch->call->alloc)
        != TG_OK)
    {
        batch_fail(batch, 0, (tg_str_t) TG_NULL_STR, "out of memory");
        return;
    }

    for (i = 0; i < batch->nitems; i++) {
        entry = authd_links_index_named(app->index, batch->items[i].name);

        if (entry == NULL) {
            continue;
        }

        authd_record_link(entry->record, &link);

        /* two lines may name one link */

        if (tgi_map_add(&batch->kept, link.id, 1) == TG_ERR_NOMEM) {
            batch_fail(batch, 0, link.name, "out of memory");
            return;
        }
    }

    authd_links_index_each(app->index, 0, prune_each, batch);
}


static bool
prune_each(authd_links_entry_t *entry, void *data)
{
    authd_link_t           link;
    authd_links_item_t    *item;
    authd_links_batch_t   *batch;
    authd_store_change_t  *change;

    batch = data;

    authd_record_link(entry->record, &link);

    if (!authd_links_equal(link.origin, AUTHD_LINKS_GIT)
        || link.alias.len != 0
        || tgi_map_get(&batch->kept, link.id) != TGI_MAP_NONE)
    {
        return true;
    }

    /* the index lets go of it before it is told */

    item = batch_hold(batch, entry) ? batch_item(batch, 0, link.name) : NULL;
    change = item ? batch_change(batch, item, AUTHD_STORE_DELETE) : NULL;

    if (change == NULL) {
        return false;
    }

    item->status = AUTHD_LINKS_ITEM_DELETED;
    change->id = link.id;
    change->expect = AUTHD_STORE_VERSION;
    change->version = link.version;

    return true;
}


static bool
batch_hold(authd_links_batch_t *batch, authd_links_entry_t *entry)
{
    if (!batch_room((void **) &batch->records, &batch->records_size,
                    batch->nrecords + 1, sizeof(authd_record_t *)))
    {
        return false;
    }

    batch->records[batch->nrecords++] = authd_record_hold(entry->record);

    return true;
}


static void
batch_edit(authd_links_batch_t *batch, authd_links_edit_t *edit, size_t line)
{
    authd_links_item_t     *item;
    const char            *error;
    authd_link_t           before;
    authd_links_entry_t   *entry;

    item = batch_item(batch, line, edit->name);

    if (item == NULL) {
        return;
    }

    entry = authd_links_index_named(batch->call->app->index, edit->name);

    if (entry != NULL) {

        if (!batch_hold(batch, entry)) {
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

    change = batch_change(batch, item, AUTHD_STORE_PUT);

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


static authd_store_change_t *
batch_change(authd_links_batch_t *batch, authd_links_item_t *item,
    authd_store_op_t op)
{
    authd_store_change_t  *change;

    if (!batch_room((void **) &batch->changes, &batch->changes_size,
                    batch->nchanges + 1, sizeof(authd_store_change_t)))
    {
        return NULL;
    }

    item->change = batch->nchanges;
    change = &batch->changes[batch->nchanges++];

    memset(change, 0, sizeof(authd_store_change_t));
    change->op = op;

    return change;
}


static void
batch_fail(authd_links_batch_t *batch, size_t line, tg_str_t name,
    const char *text)
{
    authd_links_item_t  *item;

    item = batch_item(batch, line, name);

    if (item != NULL) {
        item->status = AUTHD_LINKS_ITEM_FAILED;
        item->error = authd_links_format(&batch->call->alloc, "%s",
                                         text).data;
    }
}


static authd_links_item_t *
batch_item(authd_links_batch_t *batch, size_t line, tg_str_t name)
{
    authd_links_item_t  *item;

    if (!batch_room((void **) &batch->items, &batch->items_size,
                    batch->nitems + 1, sizeof(authd_links_item_t)))
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


static bool
batch_room(void **items, size_t *size, size_t n, size_t width)
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
