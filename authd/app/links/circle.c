
/*
 * Copyright (C) The Tailgate authors
 *
 * Links that lead to links: whether one more closes a circle.
 */

#include "authd/app/links/save.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


bool
authd_links_is_circle(authd_links_t *app, const authd_link_t *after,
    const tg_alloc_t *alloc, char text[TG_ERROR_TEXT_MAX])
{
    char                  buf[TG_LINK_NAME_MAX + 1];
    size_t                hops;
    tg_str_t              url, location;
    tg_link_t            *program;
    authd_link_t          link;
    tg_link_hop_t         hop;
    tg_link_path_t        parts;
    tg_link_request_t     request;
    authd_links_entry_t  *entry;
    const authd_words_t  *hosts;

    hosts = &app->authd->conf->links.hosts;

    memset(&request, 0, sizeof(request));

    request.user = (tg_str_t) TG_STR("somebody@example.com");
    request.now = (int64_t) time(NULL);

    url = after->url;

    if (memmem(url.data, url.len, "{{", 2) == NULL) {
        program = NULL;

    } else if (tg_link_compile(url, NULL, alloc, &program, NULL) != TG_OK) {
        return false;
    }

    for (hops = 0; hops < AUTHD_LINKS_HOPS_MAX; hops++) {

        if (tg_link_expand(program, url, &request, NULL, alloc, &location,
                           NULL)
            != TG_OK
            || tg_link_hop(location, hosts->items, hosts->n, &hop) != TG_OK
            || tg_link_split(hop.path, buf, &parts) != TG_OK
            || parts.details)
        {
            return false;
        }

        entry = authd_links_index_named(app->index, parts.name);

        if (entry == NULL) {
            entry = authd_links_index_named(app->index, parts.trimmed);
        }

        if (entry != NULL) {
            authd_record_link(entry->record, &link);

            if (link.alias.len != 0) {
                entry = authd_links_index_get(app->index, link.alias);
            }
        }

        link.id.data = buf;
        link.id.len = tg_link_id(parts.name, buf);

        if (entry != NULL) {
            authd_record_link(entry->record, &link);
        }

        if (link.id.len == after->id.len
            && memcmp(link.id.data, after->id.data, after->id.len) == 0)
        {
            break;
        }

        if (entry == NULL) {
            return false;
        }

        url = link.url;
        program = entry->program;
        request.rest = parts.rest;
        request.query = hop.query;
    }

    (void) snprintf(text, TG_ERROR_TEXT_MAX, "the link would lead back to"
                    " itself, or through more than %d links",
                    AUTHD_LINKS_HOPS_MAX);

    return true;
}
