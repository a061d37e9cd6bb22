
/*
 * Copyright (C) The Tailgate authors
 *
 * A link as JSON: what a change asks for.  What passes is a link that the store
 * takes, and that reads back from its own JSON as what it is.
 */

#include "authd/app/links/json.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* False if it is refused, which says why. */

static bool
read_link(const json_t *json, bool lines, const tg_alloc_t *alloc,
    const authd_link_t *before, char id[TG_LINK_NAME_MAX],
    authd_link_t *after)
{
    authd_links_who_t    who;
    authd_links_edit_t   edit;
    authd_links_wrong_t  wrong;

    memset(&who, 0, sizeof(authd_links_who_t));
    memset(&edit, 0, sizeof(authd_links_edit_t));
    memset(&wrong, 0, sizeof(authd_links_wrong_t));

    who.admin = true;
    who.login = authd_links_str("admin@example.com");
    who.name = who.login;

    if (!authd_links_json_edit(json, lines, alloc, &edit, &wrong)) {
        goto refused;
    }

    if (edit.name.len == 0) {
        edit.name = authd_links_str("name");
    }

    if (!authd_links_edit_check(&edit, before, &wrong)
        || !authd_links_edit_apply(&edit, before, &who, AUTHD_LINKS_MAY_OWN,
                                   id, after, &wrong))
    {
        goto refused;
    }

    return true;

refused:

    if (wrong.text[0] == '\0' || wrong.code < 400 || wrong.code > 499) {
        abort();
    }

    return false;
}


static void
check_link(const authd_link_t *link, const tg_alloc_t *alloc)
{
    char            id[TG_LINK_NAME_MAX];
    json_t         *json;
    tg_str_t        line;
    tg_error_t      error;
    authd_link_t    again;

    if (authd_link_check(link, &error) != TG_OK) {
        abort();
    }

    line = authd_links_json_line(link, 0, alloc);

    if (line.len == 0) {
        abort();
    }

    json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);

    if (json == NULL || !read_link(json, true, alloc, NULL, id, &again)
        || !authd_links_edit_same(link, &again)
        || again.id.len != link->id.len
        || memcmp(again.id.data, link->id.data, link->id.len) != 0)
    {
        abort();
    }

    json_decref(json);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char          id[TG_LINK_NAME_MAX], other[TG_LINK_NAME_MAX];
    bool          lines;
    json_t       *json;
    tg_alloc_t    alloc;
    tg_arena_t   *arena;
    authd_link_t  link, after;

    if (size == 0 || size > 65536) {
        return 0;
    }

    lines = data[0] == 'l';

    json = json_loadb((const char *) data + 1, size - 1,
                      JSON_REJECT_DUPLICATES, NULL);
    arena = tg_arena_new(4 * 1024 * 1024);

    if (json == NULL || arena == NULL) {
        goto out;
    }

    alloc = tg_arena_allocator(arena);

    if (!read_link(json, lines, &alloc, NULL, id, &link)) {
        goto out;
    }

    check_link(&link, &alloc);

    /* the same once more changes nothing */

    if (!read_link(json, lines, &alloc, &link, other, &after)
        || !authd_links_edit_same(&link, &after))
    {
        abort();
    }

out:

    json_decref(json);
    tg_arena_free(&arena);

    return 0;
}
