
/*
 * Copyright (C) The Tailgate authors
 *
 * The links that are followed most and those that were changed last, against
 * all links in order, while links and clicks come and go.
 */

#include "authd/app/links/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define LINKS   1500
#define ROUNDS  12000               /* of a phase */


typedef struct {
    char      name[16];
    bool      there;
    bool      alias;
    uint64_t  clicks;
    int64_t   edited;
    uint64_t  version;
} plain_t;


static plain_t   plain[LINKS];
static uint32_t  seed = 1;


static uint32_t
next(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static void
tell(authd_links_index_t *index, const plain_t *p, bool has_clicks)
{
    char                id[TG_LINK_NAME_MAX];
    tg_str_t            s;
    authd_link_t        link;
    authd_record_t     *record;
    authd_store_news_t  news;

    s = (tg_str_t) { p->name, strlen(p->name) };

    memset(&link, 0, sizeof(link));
    memset(&news, 0, sizeof(news));

    link.name = s;
    link.id.data = id;
    link.id.len = tg_link_id(s, id);
    link.url = (tg_str_t) TG_STR("http://x/");
    link.uid = (uint64_t) (p - plain) + 1;
    link.edited = p->edited;
    link.version = p->version;

    if (p->alias) {
        link.alias = (tg_str_t) TG_STR("other");
    }

    news.id = link.id;
    news.has_clicks = has_clicks;
    news.clicks = p->clicks;

    record = p->there ? authd_record_new(&link) : NULL;
    news.record = record;

    assert_true(authd_links_index_news(index, &news));

    authd_record_drop(&record);
}


static int
by_clicks(const void *a, const void *b)
{
    const plain_t *const  *x = a;
    const plain_t *const  *y = b;

    return (*x)->clicks != (*y)->clicks
           ? ((*x)->clicks < (*y)->clicks ? 1 : -1)
           : strcmp((*x)->name, (*y)->name);
}


static int
by_edited(const void *a, const void *b)
{
    const plain_t *const  *x = a;
    const plain_t *const  *y = b;

    if ((*x)->edited != (*y)->edited) {
        return (*x)->edited < (*y)->edited ? 1 : -1;
    }

    return (*x)->version != (*y)->version
           ? ((*x)->version < (*y)->version ? 1 : -1)
           : strcmp((*x)->name, (*y)->name);
}


static void
check(authd_links_entry_t **entries, size_t n,
    int (*order)(const void *a, const void *b))
{
    size_t          i, nall;
    authd_link_t    link;
    const plain_t  *all[LINKS];

    nall = 0;

    for (i = 0; i < LINKS; i++) {
        if (plain[i].there && !plain[i].alias) {
            all[nall++] = &plain[i];
        }
    }

    qsort(all, nall, sizeof(all[0]), order);

    assert_int_equal(n, nall < AUTHD_LINKS_TOP_MAX ? nall
                                                   : AUTHD_LINKS_TOP_MAX);

    for (i = 0; i < n; i++) {
        authd_record_link(entries[i]->record, &link);

        assert_int_equal(link.name.len, strlen(all[i]->name));
        assert_memory_equal(link.name.data, all[i]->name, link.name.len);
        assert_int_equal(entries[i]->clicks, all[i]->clicks);
    }
}


/* Each former name once. */

static void
check_aliases(const authd_links_index_t *index)
{
    size_t                i, n;
    bool                  seen[LINKS];
    authd_link_t          link;
    authd_links_entry_t  *entry;

    memset(seen, 0, sizeof(seen));

    for (n = 0; (entry = authd_links_index_alias(index, n)) != NULL; n++) {
        authd_record_link(entry->record, &link);

        assert_true(plain[link.uid - 1].there && plain[link.uid - 1].alias);
        assert_false(seen[link.uid - 1]);
        seen[link.uid - 1] = true;
    }

    for (i = 0; i < LINKS; i++) {
        n -= plain[i].there && plain[i].alias;
    }

    assert_int_equal(n, 0);
}


static void
check_all(authd_links_index_t *index)
{
    size_t                 n;
    authd_links_entry_t  **entries;

    entries = authd_links_index_popular(index, &n);
    check(entries, n, by_clicks);

    entries = authd_links_index_recent(index, &n);
    check(entries, n, by_edited);

    check_aliases(index);
}


/* A link of either list is touched as often as all others. */

static plain_t *
some(void)
{
    return &plain[next(2) ? next(LINKS) : next(50)];
}


static void
change(authd_links_index_t *index, uint32_t round, uint32_t present)
{
    plain_t              *p;
    authd_links_entry_t  *entry;

    p = some();
    entry = authd_links_index_named(index,
                                    (tg_str_t) { p->name, strlen(p->name) });

    assert_int_equal(entry != NULL, p->there);

    switch (next(6)) {

    case 0:
    case 1:
    case 2:
        p->there = next(100) < present;
        p->alias = next(20) == 0;
        p->edited = next(round / 50 + 1);
        p->version = round;

        if (entry == NULL || !p->there) {
            p->clicks = 0;
        }

        tell(index, p, false);
        return;

    case 3:
        if (entry != NULL) {
            p->clicks = next(40);
            authd_links_index_counted(index, entry, p->clicks);
            p->clicks += entry->fresh;
        }

        return;

    default:
        if (entry != NULL) {
            p->clicks++;
            authd_links_index_click(index, entry);
        }
    }
}


/*
 * First few are there, then most, then fewer than a list has.  The lists are
 * read so seldom that in between more leave them than they keep to spare.
 */

static void
test_changes(void **state)
{
    size_t                i, n, phase;
    uint32_t              round;
    authd_links_index_t  *index;

    static const uint32_t  present[] = { 10, 95, 30, 5, 60, 15, 90 };

    (void) state;

    for (i = 0; i < LINKS; i++) {
        memset(&plain[i], 0, sizeof(plain_t));
        (void) snprintf(plain[i].name, sizeof(plain[i].name), "link%04zu", i);
    }

    index = authd_links_index_new();
    assert_non_null(index);

    round = 0;

    for (phase = 0; phase < sizeof(present) / sizeof(present[0]); phase++) {

        for (i = 0; i < ROUNDS; i++) {
            change(index, ++round, present[phase]);

            if (next(2000) == 0) {
                check_all(index);
            }
        }

        check_all(index);
    }

    authd_links_index_clear(index);

    (void) authd_links_index_popular(index, &n);
    assert_int_equal(n, 0);
    (void) authd_links_index_recent(index, &n);
    assert_int_equal(n, 0);

    authd_links_index_free(&index);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_changes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
