
/*
 * Copyright (C) The Tailgate authors
 *
 * Through all links in steps.
 */

#include "authd/app/links/index.h"

#include <string.h>


typedef struct {
    authd_links_each_pt    cb;
    void                  *data;
    authd_links_entry_t   *last;
} step_t;


static size_t cursor_place(const authd_links_index_t *index,
    const authd_links_cursor_t *cursor);
static bool step_each(authd_links_entry_t *entry, void *data);


bool
authd_links_index_step(const authd_links_index_t *index,
    authd_links_cursor_t *cursor, authd_links_each_pt cb, void *data)
{
    step_t  step;

    step.cb = cb;
    step.data = data;
    step.last = NULL;

    authd_links_index_each(index, cursor_place(index, cursor), step_each,
                           &step);

    authd_links_cursor_drop(cursor);

    if (step.last == NULL) {
        return false;
    }

    cursor->last = authd_record_hold(step.last->record);

    return true;
}


void
authd_links_cursor_drop(authd_links_cursor_t *cursor)
{
    authd_record_drop(&cursor->last);
}


/* By name: places move when links come and go, names stay in order. */

static size_t
cursor_place(const authd_links_index_t *index,
    const authd_links_cursor_t *cursor)
{
    size_t                place;
    authd_link_t          last, next;
    authd_links_entry_t  *entry;

    if (cursor->last == NULL) {
        return 0;
    }

    authd_record_link(cursor->last, &last);

    place = authd_links_index_place(index, last.name);
    entry = authd_links_index_at(index, place);

    if (entry == NULL) {
        return place;
    }

    authd_record_link(entry->record, &next);

    return next.name.len == last.name.len
           && memcmp(next.name.data, last.name.data, last.name.len) == 0
           ? place + 1 : place;
}


static bool
step_each(authd_links_entry_t *entry, void *data)
{
    step_t  *step;

    step = data;

    if (step->cb(entry, step->data)) {
        return true;
    }

    step->last = entry;

    return false;
}
