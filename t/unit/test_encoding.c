
/*
 * Copyright (C) The Tailgate authors
 *
 * Encodings of header values.  What rfc2047 and quoted-printable are to give
 * was made with Go's mime.QEncoding and mime/quotedprintable (Go 1.26): the
 * one is what tailscale serve calls, the other what Grafana decodes with.
 */

#include <tailgate/headers.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>


typedef struct {
    const char  *in;
    const char  *out;
} pair_t;

typedef struct {
    const char  *in;
    size_t       len;
    int          rc;
} refusal_t;


#define N(table)  (sizeof(table) / sizeof(table[0]))


static tg_arena_t  *arena;


static int
setup(void **state)
{
    (void) state;

    arena = tg_arena_new(1024 * 1024);

    return arena == NULL;
}


static int
teardown(void **state)
{
    (void) state;

    tg_arena_free(&arena);

    return 0;
}


static int
encode(tg_encoding_t encoding, const char *in, size_t len, size_t max,
    tg_str_t *out)
{
    tg_alloc_t  alloc;

    alloc = tg_arena_allocator(arena);

    return tg_encode(encoding, (tg_str_t) { in, len }, max, &alloc, out);
}


static void
check(tg_encoding_t encoding, const pair_t *pairs, size_t n)
{
    size_t    i, len;
    tg_str_t  out;

    for (i = 0; i < n; i++) {
        len = strlen(pairs[i].out);

        assert_int_equal(encode(encoding, pairs[i].in, strlen(pairs[i].in),
                                len, &out), TG_OK);

        assert_int_equal(out.len, len);
        assert_memory_equal(out.data, pairs[i].out, len);

        /* one byte less is one too few, and nothing is ever cut */

        if (len != 0) {
            assert_int_equal(encode(encoding, pairs[i].in,
                                    strlen(pairs[i].in), len - 1, &out),
                             TG_ERR_LIMIT);
        }
    }
}


static void
test_utf8(void **state)
{
    static const pair_t  pairs[] = {
        { "", "" },
        { "alice@example.com", "alice@example.com" },
        { "Zoë Ångström 🚀", "Zoë Ångström 🚀" }
    };

    (void) state;

    check(TG_ENCODING_UTF8, pairs, N(pairs));
}


static void
test_latin1(void **state)
{
    static const pair_t  pairs[] = {
        { "alice@example.com", "alice@example.com" },
        { "Zoë Ångström", "Zo\xeb \xc5ngstr\xf6m" },
        { "ÿ þ ß", "\xff \xfe \xdf" },

        /* what Latin-1 does not have */
        { "Łukasz Żółw", "Lukasz Z\xf3lw" },
        { "Œuvre ﬁn", "OEuvre fin" },
        { "“x” – ‘y’…", "\"x\" - 'y'..." },
        { "Nguyễn", "Nguyen" },
        { "Иван", "????" },
        { "🚀", "?" },
        { "❤\xef\xb8\x8f", "?" },

        /* letters that came in parts */
        { "Zoe\xcc\x88", "Zo\xeb" },
        { "A\xcc\x8angstro\xcc\x88m", "\xc5ngstr\xf6m" },
        { "S\xcc\x8c", "S" },
        { "e\xcc\x88\xcc\xa3", "\xeb" },
        { "\xcc\x88", "?" },
        { "x\xcc\x88", "x" }
    };

    (void) state;

    check(TG_ENCODING_LATIN1, pairs, N(pairs));
}


/* Every letter of Latin-1 that has a mark, as a letter and a mark. */

static void
test_compositions(void **state)
{
    static const pair_t  pairs[] = {
        { "A\xcc\x80" "A\xcc\x81" "A\xcc\x82" "A\xcc\x83" "A\xcc\x88",
          "\xc0\xc1\xc2\xc3\xc4" },
        { "A\xcc\x8a" "C\xcc\xa7" "E\xcc\x80" "E\xcc\x81" "E\xcc\x82",
          "\xc5\xc7\xc8\xc9\xca" },
        { "E\xcc\x88I\xcc\x80I\xcc\x81I\xcc\x82I\xcc\x88",
          "\xcb\xcc\xcd\xce\xcf" },
        { "N\xcc\x83O\xcc\x80O\xcc\x81O\xcc\x82O\xcc\x83",
          "\xd1\xd2\xd3\xd4\xd5" },
        { "O\xcc\x88U\xcc\x80U\xcc\x81U\xcc\x82U\xcc\x88",
          "\xd6\xd9\xda\xdb\xdc" },
        { "Y\xcc\x81" "a\xcc\x80" "a\xcc\x81" "a\xcc\x82" "a\xcc\x83",
          "\xdd\xe0\xe1\xe2\xe3" },
        { "a\xcc\x88" "a\xcc\x8a" "c\xcc\xa7" "e\xcc\x80" "e\xcc\x81",
          "\xe4\xe5\xe7\xe8\xe9" },
        { "e\xcc\x82" "e\xcc\x88i\xcc\x80i\xcc\x81i\xcc\x82",
          "\xea\xeb\xec\xed\xee" },
        { "i\xcc\x88n\xcc\x83o\xcc\x80o\xcc\x81o\xcc\x82",
          "\xef\xf1\xf2\xf3\xf4" },
        { "o\xcc\x83o\xcc\x88u\xcc\x80u\xcc\x81u\xcc\x82",
          "\xf5\xf6\xf9\xfa\xfb" },
        { "u\xcc\x88y\xcc\x81y\xcc\x88",
          "\xfc\xfd\xff" }
    };

    (void) state;

    check(TG_ENCODING_LATIN1, pairs, N(pairs));
}


static void
test_ascii(void **state)
{
    static const pair_t  pairs[] = {
        { "alice@example.com", "alice@example.com" },
        { "Zoë Ångström", "Zoe Angstrom" },
        { "Straße Æsir Þór Đorđe", "Strasse AEsir Thor Dorde" },
        { "Zoe\xcc\x88", "Zoe" },
        { "\xc2\xa0x\xc2\xad", " x" },
        { "x\xe2\x80\x8by\xe2\x80\x83z", "xy z" },
        { "日本", "??" }
    };

    (void) state;

    check(TG_ENCODING_ASCII, pairs, N(pairs));
}


static void
test_percent(void **state)
{
    static const pair_t  pairs[] = {
        { "alice@example.com", "alice%40example.com" },
        { "AZaz09-._~", "AZaz09-._~" },
        { "a b+c%d", "a%20b%2Bc%25d" },
        { "Zoë", "Zo%C3%AB" },
        { "🚀", "%F0%9F%9A%80" }
    };

    (void) state;

    check(TG_ENCODING_PERCENT, pairs, N(pairs));
}


static void
test_quoted_printable(void **state)
{
    static const pair_t  pairs[] = {
        { "", "" },
        { "alice@example.com", "alice@example.com" },
        { "Alice Ångström", "Alice =C3=85ngstr=C3=B6m" },
        { "Zoë Ångström", "Zo=C3=AB =C3=85ngstr=C3=B6m" },
        { "a=b?c_d é", "a=3Db?c_d =C3=A9" },
        { "k=41", "k=3D41" },
        { "trailing blank ", "trailing blank=20" },
        { "=", "=3D" },
        { "🚀 to the moon", "=F0=9F=9A=80 to the moon" },
        { "Ω", "=CE=A9" },
        { "\"quoted\" ä", "\"quoted\" =C3=A4" },

        /* Go would wrap these */
        { "Ærøskøbing Ålesund Łódź Kraków Sønderjylland Þingvellir Århus",
          "=C3=86r=C3=B8sk=C3=B8bing =C3=85lesund =C5=81=C3=B3d=C5=BA "
          "Krak=C3=B3w S=C3=B8nderjylland =C3=9Eingvellir =C3=85rhus" },

        /* Go would not encode the first blank, which HTTP takes away */
        { " x ", "=20x=20" }
    };

    (void) state;

    check(TG_ENCODING_QUOTED_PRINTABLE, pairs, N(pairs));
}


static void
test_rfc2047(void **state)
{
    static const pair_t  pairs[] = {
        { "", "" },
        { "alice@example.com", "alice@example.com" },
        { "a_b = c?", "a_b = c?" },
        { "Alice Ångström", "=?utf-8?q?Alice_=C3=85ngstr=C3=B6m?=" },
        { "Zoë Ångström", "=?utf-8?q?Zo=C3=AB_=C3=85ngstr=C3=B6m?=" },
        { "a=b?c_d é", "=?utf-8?q?a=3Db=3Fc=5Fd_=C3=A9?=" },
        { "🚀 to the moon", "=?utf-8?q?=F0=9F=9A=80_to_the_moon?=" },
        { "Ω", "=?utf-8?q?=CE=A9?=" },
        { "\"quoted\" ä", "=?utf-8?q?\"quoted\"_=C3=A4?=" },

        { "Ærøskøbing Ålesund Łódź Kraków Sønderjylland Þingvellir Århus "
          "Malmö Göteborg",
          "=?utf-8?q?=C3=86r=C3=B8sk=C3=B8bing_=C3=85lesund_=C5=81=C3=B3d"
          "=C5=BA_Krak?= "
          "=?utf-8?q?=C3=B3w_S=C3=B8nderjylland_=C3=9Eingvellir_=C3=85rhus"
          "_Malm?= =?utf-8?q?=C3=B6_G=C3=B6teborg?=" },

        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé",
          "=?utf-8?q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaa?= =?utf-8?q?=C3=A9?=" },

        { "ébbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
          "bbbbbbbbbbbbbbbbb",
          "=?utf-8?q?=C3=A9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
          "bbbbbbbbbb?= =?utf-8?q?bbbbbbbbbbbbbbbbbbbbbbb?=" },

        /* Go would leave it, and a name would be decoded into another one */
        { "=?utf-8?q?admin?=",
          "=?utf-8?q?=3D=3Futf-8=3Fq=3Fadmin=3F=3D?=" }
    };

    (void) state;

    check(TG_ENCODING_RFC2047, pairs, N(pairs));
}


static void
test_refusals(void **state)
{
    size_t    i;
    int       encoding;
    tg_str_t  out;

    static const refusal_t  refusals[] = {
        { "a\r\nX-Admin: 1", 13, TG_ERR_REFUSED },
        { "a\nb", 3, TG_ERR_REFUSED },
        { "a\0b", 3, TG_ERR_REFUSED },
        { "a\tb", 3, TG_ERR_REFUSED },
        { "a\x1b[0m", 5, TG_ERR_REFUSED },
        { "a\x7f", 2, TG_ERR_REFUSED },
        { "a\xc2\x85" "b", 4, TG_ERR_REFUSED },
        { "\xff", 1, TG_ERR_SYNTAX },
        { "Zo\xeb", 3, TG_ERR_SYNTAX },
        { "\xc0\x8a", 2, TG_ERR_SYNTAX },
        { "\xed\xa0\x80", 3, TG_ERR_SYNTAX },
        { "\xf4\x90\x80\x80", 4, TG_ERR_SYNTAX },
        { "\xe2\x82", 2, TG_ERR_SYNTAX }
    };

    (void) state;

    for (i = 0; i < N(refusals); i++) {
        for (encoding = 0; encoding <= TG_ENCODING_RFC2047; encoding++) {
            assert_int_equal(encode((tg_encoding_t) encoding, refusals[i].in,
                                    refusals[i].len, 1024, &out),
                             refusals[i].rc);
        }
    }

    assert_int_equal(encode((tg_encoding_t) 99, "a", 1, 1024, &out),
                     TG_ERR_RANGE);
}


/* Nothing but visible ASCII and blanks, whatever goes in. */

static void
test_every_character(void **state)
{
    char      in[4];
    size_t    i, len;
    uint32_t  c;
    tg_str_t  out;

    (void) state;

    for (c = 0xa0; c <= 0x10ffff; c += (c < 0x3000) ? 1 : 37) {
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }

        if (c < 0x800) {
            in[0] = (char) (0xc0 | (c >> 6));
            len = 1;

        } else if (c < 0x10000) {
            in[0] = (char) (0xe0 | (c >> 12));
            in[1] = (char) (0x80 | ((c >> 6) & 0x3f));
            len = 2;

        } else {
            in[0] = (char) (0xf0 | (c >> 18));
            in[1] = (char) (0x80 | ((c >> 12) & 0x3f));
            in[2] = (char) (0x80 | ((c >> 6) & 0x3f));
            len = 3;
        }

        in[len++] = (char) (0x80 | (c & 0x3f));

        tg_arena_reset(arena);

        assert_int_equal(encode(TG_ENCODING_ASCII, in, len, 16, &out), TG_OK);

        for (i = 0; i < out.len; i++) {
            assert_in_range((unsigned char) out.data[i], ' ', '~');
        }
    }
}


static void
test_parse(void **state)
{
    tg_encoding_t  encoding;

    (void) state;

    assert_int_equal(tg_encoding_parse("utf8", 4, &encoding), TG_OK);
    assert_int_equal(encoding, TG_ENCODING_UTF8);
    assert_int_equal(tg_encoding_parse("latin1", 6, &encoding), TG_OK);
    assert_int_equal(encoding, TG_ENCODING_LATIN1);
    assert_int_equal(tg_encoding_parse("ascii", 5, &encoding), TG_OK);
    assert_int_equal(encoding, TG_ENCODING_ASCII);
    assert_int_equal(tg_encoding_parse("percent", 7, &encoding), TG_OK);
    assert_int_equal(encoding, TG_ENCODING_PERCENT);
    assert_int_equal(tg_encoding_parse("quoted-printable", 16, &encoding),
                     TG_OK);
    assert_int_equal(encoding, TG_ENCODING_QUOTED_PRINTABLE);
    assert_int_equal(tg_encoding_parse("rfc2047", 7, &encoding), TG_OK);
    assert_int_equal(encoding, TG_ENCODING_RFC2047);

    assert_int_equal(tg_encoding_parse("utf", 3, &encoding), TG_ERR_RANGE);
    assert_int_equal(tg_encoding_parse("utf88", 5, &encoding), TG_ERR_RANGE);
    assert_int_equal(tg_encoding_parse("UTF8", 4, &encoding), TG_ERR_RANGE);
    assert_int_equal(tg_encoding_parse("", 0, &encoding), TG_ERR_RANGE);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(test_latin1, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compositions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ascii, setup, teardown),
        cmocka_unit_test_setup_teardown(test_percent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quoted_printable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_rfc2047, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_character, setup,
                                        teardown),
        cmocka_unit_test(test_parse)
    };

    return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
