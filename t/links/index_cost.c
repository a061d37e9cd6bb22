
/*
 * Copyright (C) The Tailgate authors
 *
 * index_cost LINKS
 *
 * What the loop does among so many links when one is saved, and for the pages
 * that list some.  Under callgrind (with --instr-atstart=no) a dump for each
 * has its instructions, of ROUNDS times.
 */

#include "authd/app/links/index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>


#define ROUNDS  200
#define FORMER  16                 /* one link of so many is a former name */


static authd_links_index_t  *index_of;
static uintmax_t             nlinks;
static authd_record_t       *records[ROUNDS];


static void
fail(const char *why)
{
    fprintf(stderr, "index_cost: %s\n", why);
    exit(1);
}


static authd_record_t *
record(const char *prefix, uintmax_t n, int64_t edited, bool former)
{
    char             name[TG_LINK_NAME_MAX], id[TG_LINK_NAME_MAX];
    authd_link_t     link;
    authd_record_t  *made;

    memset(&link, 0, sizeof(link));

    link.name.data = name;
    link.name.len = (size_t) snprintf(name, sizeof(name), "%s%07" PRIuMAX,
                                      prefix, n);
    link.id.data = id;
    link.id.len = tg_link_id(link.name, id);
    link.url = (tg_str_t) TG_STR("http://app.example.com/");
    link.uid = n + 1;
    link.edited = edited;

    if (former) {
        link.alias = (tg_str_t) TG_STR("other");
    }

    made = authd_record_new(&link);

    if (made == NULL) {
        fail("out of memory");
    }

    return made;
}


static void
tell(authd_record_t *told, bool there)
{
    authd_store_news_t  news;

    memset(&news, 0, sizeof(news));

    news.id = authd_record_id(told);
    news.record = there ? told : NULL;

    if (!authd_links_index_news(index_of, &news)) {
        fail("out of memory");
    }
}


/* The links of a round lie anywhere among all. */

static uintmax_t
nth(size_t i)
{
    return (i + 1) * 7919 * FORMER % nlinks;
}


static void
save(size_t i)
{
    tell(records[i], true);
}


static void
create_and_delete(size_t i)
{
    tell(records[i], true);
    tell(records[i], false);
}


static void
save_and_home(size_t i)
{
    size_t  popular, recent;

    tell(records[i], true);

    (void) authd_links_index_popular(index_of, &popular);
    (void) authd_links_index_recent(index_of, &recent);

    if (popular != AUTHD_LINKS_TOP_MAX || recent != AUTHD_LINKS_TOP_MAX) {
        fail("there are too few links");
    }
}


static void
unknown(size_t i)
{
    tg_link_near_t  near;

    authd_links_index_near(index_of, authd_record_id(records[i]), &near);
}


static void
click(size_t i)
{
    authd_links_index_click(index_of,
                            authd_links_index_get(index_of,
                                authd_record_id(records[i])));
}


static void
measure(const char *what, const char *prefix, bool former,
    void (*run)(size_t i))
{
    size_t  i;

    for (i = 0; i < ROUNDS; i++) {
        records[i] = record(prefix, nth(i) + !former, (int64_t) i + 2, former);
    }

    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;

    for (i = 0; i < ROUNDS; i++) {
        run(i);
    }

    CALLGRIND_DUMP_STATS_AT(what);
    CALLGRIND_STOP_INSTRUMENTATION;

    puts(what);

    for (i = 0; i < ROUNDS; i++) {
        authd_record_drop(&records[i]);
    }
}


int
main(int argc, char **argv)
{
    uintmax_t        i;
    authd_record_t  *made;

    nlinks = argc == 2 ? strtoumax(argv[1], NULL, 10) : 0;
    index_of = authd_links_index_new();

    if (nlinks < (uintmax_t) ROUNDS * FORMER || index_of == NULL) {
        fail("index_cost LINKS: 3200 at least");
    }

    for (i = 0; i < nlinks; i++) {
        made = record("link", i, 1, i % FORMER == 0);
        tell(made, true);
        authd_record_drop(&made);
    }

    measure("a save", "link", false, save);
    measure("a save of a former name", "link", true, save);
    measure("a link that is made and deleted", "new", false,
            create_and_delete);
    measure("a save, and home", "link", false, save_and_home);
    measure("a click", "link", false, click);
    measure("an unknown name", "milk", false, unknown);

    authd_links_index_free(&index_of);

    return 0;
}
