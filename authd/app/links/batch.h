
/*
 * Copyright (C) The Tailgate authors
 *
 * Many links at a time: what a body asks for, line by line, and what became of
 * it.
 */

#ifndef AUTHD_LINKS_BATCH_H_INCLUDED_
#define AUTHD_LINKS_BATCH_H_INCLUDED_

#include "authd/app/links/json.h"
#include "core/base/map.h"


typedef enum {
    AUTHD_LINKS_ITEM_CREATED = 0,
    AUTHD_LINKS_ITEM_UPDATED,
    AUTHD_LINKS_ITEM_UNCHANGED,
    AUTHD_LINKS_ITEM_DELETED,
    AUTHD_LINKS_ITEM_FAILED,
    AUTHD_LINKS_ITEM_MAX
} authd_links_status_t;

typedef struct {
    size_t                 line;
    tg_str_t               name;
    authd_links_status_t   status;
    const char            *error;
    size_t                 change;     /* SIZE_MAX: none */
} authd_links_item_t;

typedef struct {
    authd_links_call_t    *call;
    authd_links_item_t    *items;
    size_t                 nitems;
    size_t                 items_size;
    authd_store_change_t  *changes;
    size_t                 nchanges;
    size_t                 changes_size;
    json_t               **lines;      /* that strings live in */
    size_t                 nlines;
    size_t                 lines_size;
    authd_record_t       **records;
    size_t                 nrecords;
    size_t                 records_size;
    tgi_map_t              pending;    /* changes by the ids of links */
    json_t                *json;       /* of an apply */
    tgi_map_t              kept;       /* ids that a pruning apply names */
    bool                   apply;
    bool                   upsert;
    bool                   dry_run;
    bool                   csv;
    bool                   lost;
} authd_links_batch_t;


/*
 * batch_read.c: fills items and changes.  Who sends it may change links; people
 * have been asked for.
 */

void authd_links_batch_read(authd_links_batch_t *batch);

/*
 * batch_judge.c: an item for a line, and a change where the line makes one.
 * authd_links_batch_fail() makes an item of a line that can't be read.  NULL
 * and false when out of memory.
 */

void authd_links_batch_edit(authd_links_batch_t *batch,
    authd_links_edit_t *edit, size_t line);
void authd_links_batch_fail(authd_links_batch_t *batch, size_t line,
    tg_str_t name, const char *text);
authd_links_item_t *authd_links_batch_item(authd_links_batch_t *batch,
    size_t line, tg_str_t name);
authd_store_change_t *authd_links_batch_change(authd_links_batch_t *batch,
    authd_links_item_t *item, authd_store_op_t op);

/* The record of an entry lives as long as the batch. */

bool authd_links_batch_hold(authd_links_batch_t *batch,
    authd_links_entry_t *entry);

/* Room for n items of a width in *items, which holds *size of them. */

bool authd_links_batch_room(void **items, size_t *size, size_t n,
    size_t width);


#endif /* AUTHD_LINKS_BATCH_H_INCLUDED_ */
