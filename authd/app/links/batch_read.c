
/*
 * Copyright (C) The Tailgate authors
 *
 * From a body to changes, line by line.
 */

#include "authd/app/links/batch.h"

#include <stdlib.h>
#include <string.h>


static void batch_lines(authd_links_batch_t *batch);
static bool batch_line(authd_links_batch_t *batch, tg_str_t line,
    size_t number);
static void batch_csv(authd_links_batch_t *batch);
static void batch_apply(authd_links_batch_t *batch);
static void batch_prune(authd_links_batch_t *batch);
static bool prune_each(authd_links_entry_t *entry, void *data);


void
authd_links_batch_read(authd_links_batch_t *batch)
{
    if (tgi_map_init(&batch->pending, 64, &batch->call->alloc) != TG_OK) {
        authd_links_batch_fail(batch, 0, (tg_str_t) TG_NULL_STR,
                               "out of memory");
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
    json_t                *json;
    tg_error_t             error;
    const char            *name;
    json_error_t           fault;
    tg_link_reader_t       reader;
    tg_link_record_t       record;
    authd_links_edit_t     edit;
    authd_links_wrong_t    wrong;

    memset(&edit, 0, sizeof(edit));

    json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &fault);

    if (json != NULL && json_object_get(json, "name") != NULL) {

        if (!authd_links_batch_room((void **) &batch->lines,
                                    &batch->lines_size, batch->nlines + 1,
                                    sizeof(json_t *)))
        {
            json_decref(json);
            return false;
        }

        batch->lines[batch->nlines++] = json;

        if (!authd_links_json_edit(json, true, &batch->call->alloc, &edit,
                                   &wrong))
        {
            authd_links_batch_fail(batch, number, edit.name, wrong.text);
            return true;
        }

        edit.nobody = json_is_string(json_object_get(json, "owner"))
                      && edit.owner.len == 0;

        authd_links_batch_edit(batch, &edit, number);

        return true;
    }

    tg_link_reader_init(&reader, TG_LINK_JSONL, line);

    if (tg_link_read(&reader, NULL, &batch->call->alloc, &record, &error)
        != TG_OK)
    {
        name = json_string_value(json_object_get(json, "Short"));

        authd_links_batch_fail(batch, number,
                               authd_links_format(&batch->call->alloc, "%s",
                                                  name ? name : ""),
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

    authd_links_batch_edit(batch, &edit, number);

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
            authd_links_batch_fail(batch, error.line, name, error.text);
            continue;
        }

        memset(&edit, 0, sizeof(edit));

        edit.name = record.name;
        edit.url = record.url;
        edit.has_url = true;

        authd_links_batch_edit(batch, &edit, reader.record);
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
            authd_links_batch_fail(batch, i + 1, edit.name, wrong.text);
            continue;
        }

        edit.git = true;
        edit.has_owners = true;
        edit.has_description = true;
        edit.has_tags = true;
        edit.has_expires = true;
        edit.has_anyone = true;

        authd_links_batch_edit(batch, &edit, i + 1);
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
        authd_links_batch_fail(batch, 0, (tg_str_t) TG_NULL_STR,
                               "out of memory");
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
            authd_links_batch_fail(batch, 0, link.name, "out of memory");
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

    if (!authd_links_batch_hold(batch, entry)) {
        return false;
    }

    item = authd_links_batch_item(batch, 0, link.name);

    if (item == NULL) {
        return false;
    }

    change = authd_links_batch_change(batch, item, AUTHD_STORE_DELETE);

    if (change == NULL) {
        return false;
    }

    item->status = AUTHD_LINKS_ITEM_DELETED;
    change->id = link.id;
    change->expect = AUTHD_STORE_VERSION;
    change->version = link.version;

    return true;
}
