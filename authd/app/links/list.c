
/*
 * Copyright (C) The Tailgate authors
 *
 * Pages that list links.
 */

#include "authd/app/links/page.h"
#include "authd/app/links/turn.h"

#include <string.h>


#define PAGE_ROWS  100


typedef struct {
    const char  *title;
    tg_str_t     about;
    size_t       number;       /* of the page, from 1 */
} list_t;


static void list_page(authd_links_call_t *call, const char *title,
    tg_str_t about, authd_links_search_t *search);
static void list_found(authd_links_call_t *call,
    const authd_links_found_t *found);
static size_t list_number(authd_links_call_t *call);
static tg_str_t list_href(authd_links_call_t *call, size_t number);


void
authd_links_all_page(authd_links_call_t *call)
{
    authd_links_search_t  search;

    memset(&search, 0, sizeof(search));
    search.sort = AUTHD_LINKS_BY_NAME;

    list_page(call, "All links", (tg_str_t) TG_NULL_STR, &search);
}


void
authd_links_popular_page(authd_links_call_t *call)
{
    authd_links_search_t  search;

    memset(&search, 0, sizeof(search));
    search.sort = AUTHD_LINKS_BY_CLICKS;

    list_page(call, "Popular links", (tg_str_t) TG_NULL_STR, &search);
}


void
authd_links_recent_page(authd_links_call_t *call)
{
    authd_links_search_t  search;

    memset(&search, 0, sizeof(search));
    search.sort = AUTHD_LINKS_BY_EDITED;

    list_page(call, "Changed recently", (tg_str_t) TG_NULL_STR, &search);
}


void
authd_links_mine_page(authd_links_call_t *call)
{
    authd_links_search_t  search;

    memset(&search, 0, sizeof(search));
    search.sort = AUTHD_LINKS_BY_NAME;
    search.owner = call->who.login;
    search.has_owner = true;

    if (call->who.login.len == 0) {
        authd_links_fault(call, 401, "only a person has links");
        return;
    }

    list_page(call, "Your links",
              authd_links_format(&call->alloc, "Links owned by %.*s.",
                                 (int) call->who.login.len,
                                 call->who.login.data),
              &search);
}


/* golink's "owner:LOGIN", or words. */

void
authd_links_search_page(authd_links_call_t *call)
{
    tg_str_t              q, about = TG_NULL_STR;
    authd_links_search_t  search;

    static const tg_str_t  owner = TG_STR("owner:");

    memset(&search, 0, sizeof(search));

    q = authd_links_arg(call, "q");

    if (q.len >= owner.len && memcmp(q.data, owner.data, owner.len) == 0) {
        search.has_owner = true;
        search.owner.data = q.data + owner.len;
        search.owner.len = q.len - owner.len;
        search.sort = AUTHD_LINKS_BY_NAME;
        about = authd_links_format(&call->alloc, "Links owned by %.*s.",
                                   (int) search.owner.len, search.owner.data);

    } else {
        search.text = q;
    }

    list_page(call, "Search", about, &search);
}


static void
list_page(authd_links_call_t *call, const char *title, tg_str_t about,
    authd_links_search_t *search)
{
    list_t  *list;

    list = call->alloc.alloc(call->alloc.ctx, sizeof(list_t));

    if (list == NULL) {
        authd_links_unavailable(call, 5, "out of memory");
        return;
    }

    list->title = title;
    list->about = about;
    list->number = list_number(call);

    search->limit = PAGE_ROWS;
    search->offset = (list->number - 1) * PAGE_ROWS;

    call->data = list;
    authd_links_find(call, search, list_found);
}


static void
list_found(authd_links_call_t *call, const authd_links_found_t *found)
{
    const list_t        *list;
    authd_links_out_t    out;
    authd_links_list_t   page;

    list = call->data;

    memset(&page, 0, sizeof(page));

    authd_links_frame(call, list->title, &page.frame);

    page.frame.query = authd_links_arg(call, "q");
    page.about = list->about;
    page.rows = authd_links_rows(call, found->items, found->n);
    page.total = found->total;

    if (list->number > 1) {
        page.previous = list_href(call, list->number - 1);
    }

    if (found->more) {
        page.next = list_href(call, list->number + 1);
    }

    authd_links_out_init(&out, &call->alloc);
    authd_links_page_list(&out, &page);

    authd_links_send_page(call, 200, authd_links_out_done(&out));
}


static size_t
list_number(authd_links_call_t *call)
{
    size_t    i, n;
    tg_str_t  arg;

    n = 0;
    arg = authd_links_arg(call, "page");

    for (i = 0; i < arg.len && i < 7; i++) {

        if (arg.data[i] < '0' || arg.data[i] > '9') {
            return 1;
        }

        n = n * 10 + (size_t) (arg.data[i] - '0');
    }

    return n ? n : 1;
}


static tg_str_t
list_href(authd_links_call_t *call, size_t number)
{
    tg_str_t  q;

    q = authd_links_segment(&call->alloc, authd_links_arg(call, "q"));

    return authd_links_format(&call->alloc, "%.*s?%s%.*s%spage=%zu",
                              (int) call->r->path.len, call->r->path.data,
                              q.len ? "q=" : "", (int) q.len,
                              q.len ? q.data : "", q.len ? "&" : "", number);
}
