
/*
 * Copyright (C) The Tailgate authors
 *
 * Names of links.
 */

#include "t/unit/golink.h"


static void
test_check(void **state)
{
    size_t      i;
    char        name[TG_LINK_NAME_MAX + 1];
    tg_str_t    longest;
    tg_error_t  error;

    static const struct {
        const char  *name;
        int          rc;
    } cases[] = {
        { "who", TG_OK }, { "_a", TG_OK }, { "9", TG_OK },
        { "Foo.Bar", TG_OK }, { "a-", TG_OK }, { "a.", TG_OK },
        { "", TG_ERR_MISSING }, { "a b", TG_ERR_SYNTAX },
        { ".a", TG_ERR_SYNTAX }, { "-a", TG_ERR_SYNTAX },
        { "a/b", TG_ERR_SYNTAX }, { "a+", TG_ERR_SYNTAX },
        { "\xc3\xa9", TG_ERR_SYNTAX }, { "a\n", TG_ERR_SYNTAX },
        { "a\xc3\xa9", TG_ERR_SYNTAX }, { "a%", TG_ERR_SYNTAX },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(tg_link_name_check(golink_str(cases[i].name), &error),
                         cases[i].rc);
    }

    memset(name, 'a', sizeof(name));
    longest.data = name;
    longest.len = TG_LINK_NAME_MAX;
    assert_int_equal(tg_link_name_check(longest, NULL), TG_OK);

    longest.len++;
    assert_int_equal(tg_link_name_check(longest, NULL), TG_ERR_LIMIT);
    assert_int_equal(tg_link_id(longest, name), 0);
}


static void
test_id(void **state)
{
    size_t  i, len;
    char    id[TG_LINK_NAME_MAX];

    static const struct {
        const char  *name;
        const char  *id;
    } cases[] = {
        { "Foo-Bar", "foobar" }, { "foobar", "foobar" },
        { "-FOO--BAR-", "foobar" }, { "a.b_c", "a.b_c" }, { "---", "" },
        { "", "" }, { "a b", "" }, { "\xe2\x84\xaa", "" }, { "who!", "" },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        len = tg_link_id(golink_str(cases[i].name), id);
        assert_int_equal(len, strlen(cases[i].id));
        assert_memory_equal(id, cases[i].id, len);
    }
}


static void
equal(tg_str_t str, const char *text)
{
    assert_int_equal(str.len, strlen(text));

    if (str.len > 0) {
        assert_memory_equal(str.data, text, str.len);
    }
}


static void
test_split(void **state)
{
    int              rc;
    size_t           i;
    char             buf[TG_LINK_NAME_MAX + 1];
    tg_link_path_t   parts;

    static const struct {
        const char  *path;
        int          rc;
        const char  *name;
        const char  *trimmed;
        const char  *rest;
        bool         details;
    } cases[] = {
        { "/who", TG_OK, "who", "who", "", false },
        { "/who/", TG_OK, "who", "who", "", false },
        { "/who/p%2Fq", TG_OK, "who", "who", "p%2Fq", false },
        { "/who/http://host", TG_OK, "who", "who", "http://host", false },
        { "/who%2Fx", TG_OK, "who", "who", "x", false },
        { "/w%68o%2fx/y", TG_OK, "who", "who", "x/y", false },
        { "/who.,)]}", TG_OK, "who.,)]}", "who", "", false },
        { "/who,/p", TG_OK, "who,", "who", "p", false },
        { "/who!", TG_OK, "who!", "who!", "", false },
        { "/...", TG_OK, "...", "", "", false },
        { "/who+", TG_OK, "who", "who", "", true },
        { "/who++", TG_OK, "who+", "who+", "", true },
        { "/w-ho%2B/x", TG_OK, "w-ho", "w-ho", "x", true },
        { "/who%20", TG_OK, "who ", "who ", "", false },
        { "//who", TG_OK, "", "", "who", false },
        { "/", TG_OK, "", "", "", false },
        { "/%2fwho", TG_OK, "", "", "who", false },
        { "", TG_ERR_SYNTAX, "", "", "", false },
        { "who", TG_ERR_SYNTAX, "", "", "", false },
        { "/who/%zz", TG_ERR_SYNTAX, "", "", "", false },
        { "/who%4", TG_ERR_SYNTAX, "", "", "", false },
        { "/who%00", TG_LINK_BYTES, "", "", "", false },
        { "/who%ff", TG_LINK_BYTES, "", "", "", false },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        rc = tg_link_split(golink_str(cases[i].path), buf, &parts);
        assert_int_equal(rc, cases[i].rc);

        equal(parts.name, cases[i].name);
        equal(parts.trimmed, cases[i].trimmed);
        equal(parts.rest, cases[i].rest);
        assert_int_equal(parts.details, cases[i].details);
    }
}


static void
test_split_long(void **state)
{
    char             path[1000], buf[TG_LINK_NAME_MAX + 1];
    tg_str_t         str;
    tg_link_path_t   parts;

    (void) state;

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    str.data = path;

    str.len = TG_LINK_NAME_MAX + 2;
    assert_int_equal(tg_link_split(str, buf, &parts), TG_OK);

    str.len++;
    assert_int_equal(tg_link_split(str, buf, &parts), TG_ERR_LIMIT);
}


/* Every cell of the table, to hold the band against. */

static unsigned
slow_distance(const char *a, const char *b)
{
    size_t    i, j;
    unsigned  best, d[32][32];

    for (i = 0; i <= strlen(a); i++) {
        for (j = 0; j <= strlen(b); j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned) (i + j);
                continue;
            }

            best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
            best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;

            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]
                && d[i - 2][j - 2] + 1 < best)
            {
                best = d[i - 2][j - 2] + 1;
            }

            d[i][j] = best;
        }
    }

    return d[strlen(a)][strlen(b)];
}


static void
test_distance(void **state)
{
    char      a[16], b[16];
    size_t    i, j;
    unsigned  seed, max, want;

    (void) state;

    seed = 1;

    for (i = 0; i < 20000; i++) {
        for (j = 0; j < 15; j++) {
            seed = seed * 1103515245 + 12345;
            a[j] = (char) ('a' + (seed >> 16) % 3);
            b[j] = (char) ('a' + (seed >> 20) % 3);
        }

        a[i % 15] = '\0';
        b[(seed >> 9) % 15] = '\0';

        for (max = 0; max < 4; max++) {
            want = slow_distance(a, b);
            want = want > max ? max + 1 : want;
            assert_int_equal(tg_link_distance(golink_str(a), golink_str(b),
                                              max), want);
        }
    }
}


static void
test_near(void **state)
{
    size_t          i;
    tg_link_near_t  near;

    static const char *const  ids[] = {
        "wiki", "wikis", "wikipedia", "viki", "meet", "w", "iwki", "calendar",
        "wiki2", "wik"
    };

    static const char *const  want[] = {
        "iwki", "viki", "wik", "wiki2", "wikis"
    };

    (void) state;

    tg_link_near_init(&near, golink_str("wiki"));

    for (i = 0; i < NELTS(ids); i++) {
        if (i > 0) {
            tg_link_near_add(&near, golink_str(ids[i]), ids[i]);
        }
    }

    assert_int_equal(near.nitems, NELTS(want));

    for (i = 0; i < NELTS(want); i++) {
        equal(near.items[i].id, want[i]);
        assert_int_equal(near.items[i].distance, 1);
        assert_string_equal(near.items[i].data, want[i]);
    }

    /* what it begins with comes last; two edits are too many for it */

    tg_link_near_init(&near, golink_str("cal"));
    tg_link_near_add(&near, golink_str("calendar"), NULL);
    tg_link_near_add(&near, golink_str("cat"), NULL);
    tg_link_near_add(&near, golink_str("dog"), NULL);
    tg_link_near_add(&near, golink_str("b"), NULL);

    assert_int_equal(near.nitems, 2);
    equal(near.items[0].id, "cat");
    equal(near.items[1].id, "calendar");

    tg_link_near_init(&near, golink_str(""));
    tg_link_near_add(&near, golink_str("a"), NULL);
    assert_int_equal(near.nitems, 0);

    tg_link_near_init(&near, golink_str("a"));
    tg_link_near_add(&near, golink_str("b"), NULL);
    assert_int_equal(near.nitems, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_long),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
