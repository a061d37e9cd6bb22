
/*
 * Copyright (C) The Tailgate authors
 *
 * Text whose case does not count.
 */

#include "core/golink/golink.h"
#include "t/unit/golink.h"


static bool
holds(const char *text, const char *term, bool begins)
{
    size_t    n;
    uint32_t  chars[64];

    n = tg_link_fold(golink_str(term), chars);

    return begins ? tg_link_begins(golink_str(text), chars, n)
                  : tg_link_holds(golink_str(text), chars, n);
}


static void
test_holds(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        const char  *term;
        bool         holds;
        bool         begins;
    } cases[] = {
        { "Wiki", "wIKI", true, true },
        { "my wiki", "WIKI", true, false },
        { "wik", "wiki", false, false },
        { "", "a", false, false },
        { "anything", "", true, true },
        { "aaab", "aab", true, false },
        { "stra\xc3\x9f" "e", "STRA\xe1\xba\x9e" "E", true, true },
        { "Z\xc3\x9cRICH", "z\xc3\xbcrich", true, true },
        { "in Z\xc3\x9cRICH", "\xc3\xbcr", true, false },
        { "\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xce\xa3",
          "\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x82",
          true, true },
        { "\xd0\x94\xd0\x9e\xd0\x9c", "\xd0\xb4\xd0\xbe\xd0\xbc", true,
          true },
        { "\xe2\x84\xaa", "k", true, true },
        { "\xc5\xbf", "S", true, true },
        { "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", true, true },
        { "e", "\xc3\xa9", false, false },
        { "\xc3\xa9", "\xc3", false, false },
        { "\xff\xfe", "\xfe", true, false },
        { "\xc3\xbe", "\xfe", false, false },
    };

    (void) state;

    for (i = 0; i < NELTS(cases); i++) {
        assert_int_equal(holds(cases[i].text, cases[i].term, false),
                         cases[i].holds);
        assert_int_equal(holds(cases[i].text, cases[i].term, true),
                         cases[i].begins);
    }
}


/* Whatever the case of a character, it is folded to one that stays. */

static void
test_every_char(void **state)
{
    char      buf[4];
    size_t    i;
    uint32_t  c, folded, other[2];
    tg_str_t  text;

    (void) state;

    text.data = buf;

    for (c = 1; c < 0x110000; c++) {

        if (c >= 0xd800 && c < 0xe000) {
            continue;
        }

        text.len = tgi_link_put_utf8(buf, c);
        assert_int_equal(tg_link_fold(text, &folded), 1);

        other[0] = tgi_link_upper(c);
        other[1] = folded;

        for (i = 0; i < NELTS(other); i++) {
            text.len = tgi_link_put_utf8(buf, other[i]);
            assert_true(tg_link_begins(text, &folded, 1));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_every_char)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
