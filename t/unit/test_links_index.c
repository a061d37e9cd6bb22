
/*
 * Copyright (C) The Tailgate authors
 *
 * The index: many links that come and go, against a plain array.
 */

#include "authd/app/links/index.h"
#include "authd/app/links/nearby.h"
#include "authd/app/links/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define LINKS  3000


static uint32_t  seed = 1;

static uint32_t
next(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static void
tell_link(authd_links_index_t *index, const char *name, const char *url,
    const char *alias, uint64_t uid, bool there)
{
    char                id[TG_LINK_NAME_MAX];
    tg_str_t            s;
    authd_link_t        link;
    authd_record_t     *record;
    authd_store_news_t  news;

    s = (tg_str_t) { name, strlen(name) };

    memset(&link, 0, sizeof(link));
    memset(&news, 0, sizeof(news));

    link.name = s;
    link.id.data = id;
    link.id.len = tg_link_id(s, id);
    link.url = (tg_str_t) { url, strlen(url) };
    link.description = (tg_str_t) TG_STR("The Text");
    link.alias = (tg_str_t) { alias, strlen(alias) };
    link.uid = uid;

    news.id = link.id;
    record = there ? authd_record_new(&link) : NULL;
    news.record = record;

    assert_true(authd_links_index_news(index, &news));

    authd_record_drop(&record);
}


static void
tell(authd_links_index_t *index, const char *name, const char *url,
    uint64_t uid, bool there)
{
    tell_link(index, name, url, "", uid, there);
}


typedef struct {
    char    last[TG_LINK_NAME_MAX];
    size_t  n;
} walk_t;


static bool
each(authd_links_entry_t *entry, void *data)
{
    char           name[TG_LINK_NAME_MAX];
    walk_t        *walk;
    authd_link_t   link;

    walk = data;
    authd_record_link(entry->record, &link);

    (void) snprintf(name, sizeof(name), "%.*s", (int) link.name.len,
                    link.name.data);

    assert_true(strcmp(walk->last, name) < 0);
    memcpy(walk->last, name, sizeof(name));
    walk->n++;

    return true;
}


static void
test_many(void **state)
{
    char                  name[32];
    bool                  there[LINKS];
    size_t                i, n, round;
    walk_t                walk;
    tg_str_t              s;
    authd_links_index_t  *index;
    authd_links_entry_t  *entry;

    (void) state;

    memset(there, 0, sizeof(there));
    index = authd_links_index_new();
    assert_non_null(index);

    for (round = 0; round < 20000; round++) {
        i = next(LINKS);
        there[i] = next(3) != 0;

        /* two spellings: one moves the link in the order */

        (void) snprintf(name, sizeof(name), "%s%zu", next(2) ? "Link-" :
                        "link", i);
        tell(index, name, "http://x/", i + 1, there[i]);
    }

    n = 0;

    for (i = 0; i < LINKS; i++) {
        (void) snprintf(name, sizeof(name), "LINK%zu", i);
        s = (tg_str_t) { name, strlen(name) };
        entry = authd_links_index_named(index, s);

        assert_int_equal(entry != NULL, there[i]);
        n += there[i];
    }

    assert_int_equal(authd_links_index_n(index), n);

    memset(&walk, 0, sizeof(walk));
    authd_links_index_each(index, 0, each, &walk);
    assert_int_equal(walk.n, n);

    entry = authd_links_index_at(index, n / 2);
    assert_non_null(entry);
    assert_null(authd_links_index_at(index, n));

    authd_links_index_free(&index);
}


static void
test_clicks(void **state)
{
    size_t                n;
    authd_links_index_t  *index;
    authd_links_entry_t  *entry;
    authd_store_clicks_t  clicks[4];

    (void) state;

    index = authd_links_index_new();
    tell(index, "a", "http://a/", 1, true);
    tell(index, "b", "http://b/", 2, true);
    tell(index, "c", "http://c/", 3, true);

    entry = authd_links_index_named(index, (tg_str_t) TG_STR("a"));
    authd_links_index_click(index, entry);
    authd_links_index_click(index, entry);
    authd_links_index_click(index, authd_links_index_named(index,
                                                (tg_str_t) TG_STR("b")));
    authd_links_index_click(index, authd_links_index_named(index,
                                                (tg_str_t) TG_STR("c")));

    /* a change keeps them, a deletion does not lose what was counted */

    tell(index, "A", "http://new/", 1, true);
    tell(index, "b", "", 2, false);

    n = authd_links_index_fresh(index, clicks, 4, 9);
    assert_int_equal(n, 3);
    assert_int_equal(clicks[0].uid, 2);
    assert_int_equal(clicks[0].day, 9);
    assert_int_equal(clicks[0].n, 1);
    assert_int_equal(clicks[1].n + clicks[2].n, 3);

    entry = authd_links_index_named(index, (tg_str_t) TG_STR("a"));
    assert_int_equal(entry->clicks, 2);
    assert_int_equal(authd_links_index_nfresh(index), 0);

    authd_links_index_free(&index);
}


static bool
is_near(const authd_links_index_t *index, const char *name, const char *want)
{
    char            id[TG_LINK_NAME_MAX];
    size_t          i;
    tg_str_t        s;
    tg_link_near_t  near;

    s = (tg_str_t) { name, strlen(name) };
    s.len = tg_link_id(s, id);
    s.data = id;

    authd_links_index_near(index, s, &near);

    for (i = 0; i < near.nitems; i++) {
        if (near.items[i].id.len == strlen(want)
            && memcmp(near.items[i].id.data, want, strlen(want)) == 0)
        {
            return true;
        }
    }

    return false;
}


/* Of few links as of many. */

static void
test_near(void **state)
{
    char                  name[32];
    size_t                i, n;
    authd_links_index_t  *index;

    (void) state;

    for (n = 0; n < 5000; n += 4999) {
        index = authd_links_index_new();
        tell(index, "wiki", "http://w/", 1, true);

        for (i = 0; i < n; i++) {
            (void) snprintf(name, sizeof(name), "zz%zuzz", i);
            tell(index, name, "http://x/", i + 2, true);
        }

        assert_true(is_near(index, "wik", "wiki"));
        assert_true(is_near(index, "wikki", "wiki"));
        assert_true(is_near(index, "wkii", "wiki"));
        assert_true(is_near(index, "wiko", "wiki"));
        assert_true(is_near(index, "iki", "wiki"));
        assert_true(is_near(index, "wiki_", "wiki"));
        assert_false(is_near(index, "x", "wiki"));
        assert_false(is_near(index, "abcd", "wiki"));

        authd_links_index_free(&index);
    }
}


static bool
around_each(authd_links_entry_t *entry, void *data)
{
    size_t                 i;
    authd_links_entry_t  **seen;

    seen = data;

    for (i = 0; seen[i] != NULL; i++) {
        /* void */
    }

    seen[i] = entry;

    return i + 1 < 10;
}


/* Neighbours of a name, there or not, over the ends of the pieces. */

static void
test_around(void **state)
{
    char                  name[32];
    size_t                i, k, at, first;
    tg_str_t              s;
    authd_links_index_t  *index;
    authd_links_entry_t  *seen[12];

    (void) state;

    index = authd_links_index_new();
    assert_non_null(index);

    memset(seen, 0, sizeof(seen));
    authd_links_index_around(index, (tg_str_t) TG_STR("a"), 5, around_each,
                             seen);
    assert_null(seen[0]);

    for (i = 0; i < LINKS; i++) {
        (void) snprintf(name, sizeof(name), "link%04zu", i * 7919 % LINKS);
        tell(index, name, "http://x/", i + 1, true);
    }

    for (i = 0; i < (size_t) 2 * LINKS; i++) {
        (void) snprintf(name, sizeof(name), "link%04zu%s", i / 2,
                        i % 2 ? "x" : "");
        s = (tg_str_t) { name, strlen(name) };

        at = authd_links_index_place(index, s);
        assert_int_equal(at, i / 2 + i % 2);
        first = at > 5 ? at - 5 : 0;

        memset(seen, 0, sizeof(seen));
        authd_links_index_around(index, s, 5, around_each, seen);

        for (k = 0; k < 10; k++) {
            assert_ptr_equal(seen[k], authd_links_index_at(index, first + k));
        }

        assert_null(seen[10]);
    }

    authd_links_index_free(&index);
}


/* What is kept is what is near, until a link comes or goes. */

static void
test_nearby(void **state)
{
    size_t                i;
    tg_str_t              id = TG_STR("wik");
    authd_links_index_t  *index;
    authd_links_entry_t  *entries[TG_LINK_NEAR_MAX];
    authd_links_nearby_t  nearby;

    (void) state;

    memset(&nearby, 0, sizeof(nearby));
    index = authd_links_index_new();
    assert_non_null(index);

    assert_int_equal(authd_links_nearby(&nearby, index, id, entries), 0);

    tell(index, "wiki", "http://w/", 1, true);
    tell(index, "other", "http://o/", 2, true);

    for (i = 0; i < 2; i++) {
        assert_int_equal(authd_links_nearby(&nearby, index, id, entries), 1);
        assert_ptr_equal(entries[0], authd_links_index_get(index,
                                         (tg_str_t) TG_STR("wiki")));
    }

    tell(index, "wik-k", "http://w/", 3, true);
    assert_int_equal(authd_links_nearby(&nearby, index, id, entries), 2);

    tell(index, "wiki", "http://w/", 1, false);

    for (i = 0; i < 2; i++) {
        assert_int_equal(authd_links_nearby(&nearby, index, id, entries), 1);
        assert_ptr_equal(entries[0], authd_links_index_get(index,
                                         (tg_str_t) TG_STR("wikk")));
    }

    /* each has its own */

    assert_int_equal(authd_links_nearby(&nearby, index,
                                        (tg_str_t) TG_STR("othe"), entries),
                     1);
    assert_int_equal(authd_links_nearby(&nearby, index, id, entries), 1);

    authd_links_index_free(&index);
}


/* Whether it took more than one step. */

static bool
find(const authd_links_index_t *index, const authd_links_search_t *search,
    const tg_alloc_t *alloc, authd_links_found_t *found)
{
    bool                  many;
    authd_links_finder_t  finder;

    assert_int_equal(authd_links_finder_init(&finder, search), TG_OK);

    for (many = false; authd_links_finder_step(&finder, index); many = true) {
        /* void */
    }

    assert_int_equal(authd_links_finder_done(&finder, index, alloc, found),
                     TG_OK);
    authd_links_finder_drop(&finder);

    return many;
}


static void
test_search(void **state)
{
    tg_alloc_t            alloc;
    tg_arena_t           *arena;
    authd_links_found_t   found;
    authd_links_index_t  *index;
    authd_links_search_t  search;

    (void) state;

    arena = tg_arena_new(65536);
    alloc = tg_arena_allocator(arena);
    index = authd_links_index_new();

    tell(index, "my-wiki", "http://x/", 1, true);
    tell(index, "wiki-two", "http://x/", 2, true);
    tell(index, "Wiki", "http://x/", 3, true);
    tell(index, "other", "http://x/WIKI", 4, true);
    tell(index, "none", "http://x/", 5, true);

    memset(&search, 0, sizeof(search));
    search.text = (tg_str_t) TG_STR("wIkI");
    search.limit = 3;

    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 4);
    assert_int_equal(found.n, 3);
    assert_true(found.more);
    assert_memory_equal(authd_record_id(found.items[0]->record).data, "wiki",
                        4);
    assert_memory_equal(authd_record_id(found.items[1]->record).data,
                        "wikitwo", 7);
    assert_memory_equal(authd_record_id(found.items[2]->record).data,
                        "mywiki", 6);

    search.text = (tg_str_t) TG_STR("wiki two text");
    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 1);

    authd_links_index_free(&index);
    tg_arena_free(&arena);
}


/*
 * Links enough for several steps: page by page they come in order, each once.
 */

#define MANY  20000

static void
test_search_pages(void **state)
{
    bool                  seen[MANY];
    char                  name[32];
    size_t                i, k, n;
    uint64_t              last;
    tg_alloc_t            alloc;
    tg_arena_t           *arena;
    authd_link_t          link;
    authd_links_found_t   found;
    authd_links_index_t  *index;
    authd_links_search_t  search;
    authd_links_entry_t  *entry;

    (void) state;

    index = authd_links_index_new();
    memset(&search, 0, sizeof(search));
    memset(seen, 0, sizeof(seen));

    for (i = 0; i < MANY; i++) {
        (void) snprintf(name, sizeof(name), "l%05zu", i);
        tell(index, name, "http://x/", i + 1, true);

        entry = authd_links_index_named(index,
                                        (tg_str_t) { name, strlen(name) });

        for (k = next(50); k > 0; k--) {
            authd_links_index_click(index, entry);
        }
    }

    search.text = (tg_str_t) TG_STR("HTTP");
    search.sort = AUTHD_LINKS_BY_CLICKS;
    search.limit = 777;
    last = UINT64_MAX;

    for (n = 0; n < MANY; n += found.n) {
        arena = tg_arena_new(65536);
        alloc = tg_arena_allocator(arena);
        search.offset = n;

        assert_true(find(index, &search, &alloc, &found));
        assert_int_equal(found.total, MANY);
        assert_int_equal(found.n, MANY - n < 777 ? MANY - n : 777);
        assert_int_equal(found.more, n + found.n < MANY);

        for (i = 0; i < found.n; i++) {
            authd_record_link(found.items[i]->record, &link);

            assert_true(found.items[i]->clicks <= last);
            assert_false(seen[link.uid - 1]);
            assert_true(i == 0
                        || found.items[i - 1]->clicks
                           != found.items[i]->clicks
                        || memcmp(authd_record_id(
                                      found.items[i - 1]->record).data,
                                  link.id.data, 6) < 0);

            seen[link.uid - 1] = true;
            last = found.items[i]->clicks;
        }

        tg_arena_free(&arena);
    }

    authd_links_index_free(&index);
}


/* What comes and goes between two steps puts no other link out of sight. */

static void
test_search_changes(void **state)
{
    char                   name[32];
    size_t                 i, steps;
    tg_alloc_t             alloc;
    tg_arena_t            *arena;
    authd_link_t           link;
    authd_links_found_t    found;
    authd_links_index_t   *index;
    authd_links_finder_t   finder;
    authd_links_search_t   search;

    (void) state;

    arena = tg_arena_new(1024 * 1024);
    alloc = tg_arena_allocator(arena);
    index = authd_links_index_new();
    memset(&search, 0, sizeof(search));

    for (i = 0; i < MANY; i++) {
        (void) snprintf(name, sizeof(name), "l%05zu", i);
        tell(index, name, "http://x/", i + 1, true);
    }

    search.sort = AUTHD_LINKS_BY_EDITED;
    search.limit = SIZE_MAX / 4;

    assert_int_equal(authd_links_finder_init(&finder, &search), TG_OK);

    for (steps = 0; authd_links_finder_step(&finder, index); steps++) {

        /* the link that it is at, and some before and behind */

        authd_record_link(finder.cursor.last, &link);
        (void) snprintf(name, sizeof(name), "%.*s", (int) link.name.len,
                        link.name.data);
        tell(index, name, "", link.uid, false);

        for (i = 0; i < 300; i++) {
            (void) snprintf(name, sizeof(name), "a%zu-%zu", steps, i);
            tell(index, name, "http://x/", MANY + 1, true);
            (void) snprintf(name, sizeof(name), "l00%03zu", i);
            tell(index, name, "", i + 1, false);
        }
    }

    assert_true(steps > 2);

    assert_int_equal(authd_links_finder_done(&finder, index, &alloc, &found),
                     TG_OK);
    assert_int_equal(found.total, MANY);
    assert_int_equal(found.n, MANY - 300 - steps);

    authd_links_finder_drop(&finder);
    authd_links_index_free(&index);
    tg_arena_free(&arena);
}


/* Nothing of a text is left out, and it is folded as a whole. */

static void
test_search_terms(void **state)
{
    char                   text[AUTHD_LINKS_TEXT_MAX + 1];
    size_t                 i;
    tg_alloc_t             alloc;
    tg_arena_t            *arena;
    authd_links_found_t    found;
    authd_links_index_t   *index;
    authd_links_finder_t   finder;
    authd_links_search_t   search;

    (void) state;

    arena = tg_arena_new(65536);
    alloc = tg_arena_allocator(arena);
    index = authd_links_index_new();
    memset(&search, 0, sizeof(search));
    search.limit = 10;

    tell(index, "b-tee", "http://x/STRASSE/Z\xc3\x9cRICH", 1, true);

    memset(text, 'b', sizeof(text));

    for (i = 1; i < sizeof(text); i += 2) {
        text[i] = ' ';
    }

    search.text = (tg_str_t) { text, AUTHD_LINKS_TEXT_MAX };
    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 1);

    text[AUTHD_LINKS_TEXT_MAX - 2] = 'q';
    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 0);

    search.text.len = AUTHD_LINKS_TEXT_MAX + 1;
    assert_int_equal(authd_links_finder_init(&finder, &search), TG_ERR_LIMIT);

    search.text = (tg_str_t) TG_STR("  z\xc3\xbcrich\tTHE ");
    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 1);

    /* a name in any spelling */

    search.text = (tg_str_t) TG_STR(" BTEE ");
    assert_false(find(index, &search, &alloc, &found));
    assert_int_equal(found.total, 1);

    authd_links_index_free(&index);
    tg_arena_free(&arena);
}


/* Former names in the place of links: another node's renames come so. */

static void
test_aliases(void **state)
{
    char                  name[32];
    size_t                i, n, round;
    authd_links_index_t  *index;

    (void) state;

    index = authd_links_index_new();
    assert_non_null(index);

    for (round = 0; round < 3; round++) {
        for (i = 0; i < LINKS; i++) {
            (void) snprintf(name, sizeof(name), "link%zu", i);
            tell_link(index, name, round == 1 ? "" : "http://x/",
                      round == 1 ? "other" : "", i + 1, true);
        }

        for (n = 0; authd_links_index_alias(index, n) != NULL; n++) {
            /* void */
        }

        assert_int_equal(n, round == 1 ? LINKS : 0);
    }

    authd_links_index_free(&index);
    assert_null(index);
}


/* A long word that nearly occurs everywhere: the steps are the shorter. */

static void
test_search_word(void **state)
{
    char                   name[32], url[1024], word[AUTHD_LINKS_TEXT_MAX];
    size_t                 i, steps[2];
    authd_links_index_t   *index;
    authd_links_finder_t   finder;
    authd_links_search_t   search;

    (void) state;

    index = authd_links_index_new();
    assert_non_null(index);

    memset(url, 'a', sizeof(url));
    memcpy(url, "http://x/", 9);
    url[sizeof(url) - 1] = '\0';

    for (i = 0; i < LINKS; i++) {
        (void) snprintf(name, sizeof(name), "link%zu", i);
        tell(index, name, url, i + 1, true);
    }

    memset(&search, 0, sizeof(search));
    memset(word, 'a', sizeof(word));

    word[sizeof(word) - 1] = 'b';
    search.limit = 1;

    for (i = 0; i < 2; i++) {
        search.text.len = i ? sizeof(word) : 2;
        search.text.data = word + sizeof(word) - search.text.len;

        assert_int_equal(authd_links_finder_init(&finder, &search), TG_OK);

        for (steps[i] = 1; authd_links_finder_step(&finder, index); steps[i]++)
        {
            assert_in_range(steps[i], 1, LINKS);
        }

        assert_int_equal(finder.total, 0);
        authd_links_finder_drop(&finder);
    }

    assert_in_range(steps[0], 2, 20);
    assert_in_range(steps[1], 10 * steps[0], LINKS);

    authd_links_index_free(&index);
    assert_null(index);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_clicks),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_around),
        cmocka_unit_test(test_nearby),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_pages),
        cmocka_unit_test(test_search_changes),
        cmocka_unit_test(test_search_terms),
        cmocka_unit_test(test_search_word)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
