
/*
 * Copyright (C) The Tailgate authors
 *
 * Links that lead to links: whether one more closes a circle.
 */

#include "authd/app/links/save.h"
#include "core/base/base.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


/* Where a hop leads to. */

typedef struct {
    char          id[TG_LINK_NAME_MAX + 1];
    size_t        len;
    tg_str_t      url;
    tg_link_t    *program;    /* NULL: not compiled, or url is none */
} step_t;


static bool step_to(const authd_links_circle_t *circle,
    const authd_link_t *after, tg_str_t name, step_t *step);
static bool step_kept(const authd_links_circle_t *circle, tg_str_t name,
    step_t *step);
static bool compiled(const authd_links_circle_t *circle, step_t *step);


bool
authd_links_is_circle(const authd_links_circle_t *circle,
    const authd_link_t *after, char text[TG_ERROR_TEXT_MAX])
{
    char                  buf[TG_LINK_NAME_MAX + 1];
    size_t                hops;
    step_t                step;
    tg_str_t              id, location;
    tg_link_hop_t         hop;
    tg_link_path_t        parts;
    tg_link_request_t     request;
    const authd_words_t  *hosts;

    hosts = &circle->app->authd->conf->links.hosts;

    memset(&request, 0, sizeof(request));

    request.user = (tg_str_t) TG_STR("somebody@example.com");
    request.now = (int64_t) time(NULL);

    step.url = after->url;
    step.program = NULL;

    for (hops = 0; hops < AUTHD_LINKS_HOPS_MAX; hops++) {

        if (!compiled(circle, &step)
            || tg_link_expand(step.program, step.url, &request, NULL,
                              circle->alloc, &location, NULL)
               != TG_OK
            || tg_link_hop(location, hosts->items, hosts->n, &hop) != TG_OK
            || tg_link_split(hop.path, buf, &parts) != TG_OK
            || parts.details
            || (!step_to(circle, after, parts.name, &step)
                && !step_to(circle, after, parts.trimmed, &step)))
        {
            return false;
        }

        id.data = step.id;
        id.len = step.len;

        if (tgi_str_equal(id, after->id)) {
            break;
        }

        request.rest = parts.rest;
        request.query = hop.query;
    }

    (void) snprintf(text, TG_ERROR_TEXT_MAX, "the link would lead back to"
                    " itself, or through more than %d links",
                    AUTHD_LINKS_HOPS_MAX);

    return true;
}


/* False if it leads to no link. */

static bool
step_to(const authd_links_circle_t *circle, const authd_link_t *after,
    tg_str_t name, step_t *step)
{
    uint32_t  n;
    tg_str_t  id;

    id.data = step->id;
    id.len = tg_link_id(name, step->id);

    step->len = id.len;
    step->program = NULL;
    step->url = after->url;

    if (tgi_str_equal(id, after->id)) {
        return true;
    }

    n = circle->pending ? tgi_map_get(circle->pending, id) : TGI_MAP_NONE;

    if (n == TGI_MAP_NONE) {
        return step_kept(circle, name, step);
    }

    step->url = circle->changes[n].link->url;

    return true;
}


/* A former name leads to what it is a name of. */

static bool
step_kept(const authd_links_circle_t *circle, tg_str_t name, step_t *step)
{
    authd_link_t          link;
    authd_links_entry_t  *entry;

    entry = authd_links_index_named(circle->app->index, name);

    if (entry == NULL) {
        return false;
    }

    authd_record_link(entry->record, &link);

    if (link.alias.len != 0) {
        entry = authd_links_index_get(circle->app->index, link.alias);

        if (entry == NULL) {
            return false;
        }

        authd_record_link(entry->record, &link);
    }

    step->url = link.url;
    step->program = entry->program;
    step->len = link.id.len;
    memcpy(step->id, link.id.data, link.id.len);

    return true;
}


static bool
compiled(const authd_links_circle_t *circle, step_t *step)
{
    return step->program != NULL
           || memmem(step->url.data, step->url.len, "{{", 2) == NULL
           || tg_link_compile(step->url, NULL, circle->alloc, &step->program,
                              NULL)
              == TG_OK;
}
