
/*
 * Copyright (C) The Tailgate authors
 *
 * From Unicode to the ASCII letters that people would type instead.  A table
 * of our own, as iconv's "//TRANSLIT" depends on the locale of the process,
 * and on what locales are installed: a name must not change with them.
 *
 * The letters are those of Unicode's canonical decompositions without their
 * marks; letters that have none (a stroke, a ligature) are in the second
 * table.
 */

#include "core/headers/headers.h"

#include "core/base/base.h"


typedef struct {
    uint32_t     first;
    uint32_t     last;
    const char  *letters;      /* one for each; "?" is not known here */
} letter_range_t;

typedef struct {
    uint16_t    code;
    tg_str_t    text;
} letter_text_t;

typedef struct {
    uint32_t        mark;
    const char     *bases;
    const uint8_t  *composed;
} composition_t;


static const letter_range_t  letter_ranges[] = {

    { 0x00c0, 0x024f,
      "AAAAAA?CEEEEIIIIDNOOOOO?OUUUUY??aaaaaa?ceeeeiiiidnooooo?ouuuuy?y"
      "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi??JjKkqLlLlLlL"
      "lLlNnNnNn???OoOoOo??RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"
      "????????????????????????????????Oo?????????????Uu???????????????"
      "?????????????AaIiOoUuUuUuUuUu?AaAa????GgKkOoOo??j???Gg??NnAa????"
      "AaAaEeEeIiIiOoOoRrRrUuUuSsTt??Hh??????AaEeOoOoOoOoYy????????????"
      "????????????????" },

    { 0x1e00, 0x1eff,
      "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMm"
      "MmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVv"
      "WwWwWwWwWwXxXxYyZzZzZzhtwy??????AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe"
      "EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy??????" }
};


/* in order of code */

static const letter_text_t  letter_texts[] = {
    { 0x00a0, TG_STR(" ") },
    { 0x00a1, TG_STR("!") },
    { 0x00a2, TG_STR("c") },
    { 0x00a3, TG_STR("GBP") },
    { 0x00a5, TG_STR("JPY") },
    { 0x00a6, TG_STR("|") },
    { 0x00a9, TG_STR("(C)") },
    { 0x00aa, TG_STR("a") },
    { 0x00ab, TG_STR("<<") },
    { 0x00ad, TG_STR("") },
    { 0x00ae, TG_STR("(R)") },
    { 0x00b1, TG_STR("+-") },
    { 0x00b2, TG_STR("2") },
    { 0x00b3, TG_STR("3") },
    { 0x00b4, TG_STR("'") },
    { 0x00b5, TG_STR("u") },
    { 0x00b7, TG_STR(".") },
    { 0x00b8, TG_STR(",") },
    { 0x00b9, TG_STR("1") },
    { 0x00ba, TG_STR("o") },
    { 0x00bb, TG_STR(">>") },
    { 0x00bc, TG_STR("1/4") },
    { 0x00bd, TG_STR("1/2") },
    { 0x00be, TG_STR("3/4") },
    { 0x00c6, TG_STR("AE") },
    { 0x00d7, TG_STR("x") },
    { 0x00de, TG_STR("Th") },
    { 0x00df, TG_STR("ss") },
    { 0x00e6, TG_STR("ae") },
    { 0x00f7, TG_STR("/") },
    { 0x00fe, TG_STR("th") },
    { 0x0132, TG_STR("IJ") },
    { 0x0133, TG_STR("ij") },
    { 0x0149, TG_STR("'n") },
    { 0x014a, TG_STR("NG") },
    { 0x014b, TG_STR("ng") },
    { 0x0152, TG_STR("OE") },
    { 0x0153, TG_STR("oe") },
    { 0x018f, TG_STR("E") },
    { 0x0192, TG_STR("f") },
    { 0x01c4, TG_STR("DZ") },
    { 0x01c5, TG_STR("Dz") },
    { 0x01c6, TG_STR("dz") },
    { 0x01c7, TG_STR("LJ") },
    { 0x01c8, TG_STR("Lj") },
    { 0x01c9, TG_STR("lj") },
    { 0x01ca, TG_STR("NJ") },
    { 0x01cb, TG_STR("Nj") },
    { 0x01cc, TG_STR("nj") },
    { 0x01e2, TG_STR("AE") },
    { 0x01e3, TG_STR("ae") },
    { 0x01fc, TG_STR("AE") },
    { 0x01fd, TG_STR("ae") },
    { 0x01fe, TG_STR("O") },
    { 0x01ff, TG_STR("o") },
    { 0x0259, TG_STR("e") },
    { 0x02b9, TG_STR("'") },
    { 0x02bb, TG_STR("'") },
    { 0x02bc, TG_STR("'") },
    { 0x02bd, TG_STR("'") },
    { 0x1e9e, TG_STR("SS") },
    { 0x200b, TG_STR("") },
    { 0x200c, TG_STR("") },
    { 0x200d, TG_STR("") },
    { 0x200e, TG_STR("") },
    { 0x200f, TG_STR("") },
    { 0x2010, TG_STR("-") },
    { 0x2011, TG_STR("-") },
    { 0x2012, TG_STR("-") },
    { 0x2013, TG_STR("-") },
    { 0x2014, TG_STR("-") },
    { 0x2015, TG_STR("-") },
    { 0x2018, TG_STR("'") },
    { 0x2019, TG_STR("'") },
    { 0x201a, TG_STR(",") },
    { 0x201b, TG_STR("'") },
    { 0x201c, TG_STR("\"") },
    { 0x201d, TG_STR("\"") },
    { 0x201e, TG_STR("\"") },
    { 0x201f, TG_STR("\"") },
    { 0x2022, TG_STR("*") },
    { 0x2026, TG_STR("...") },
    { 0x202f, TG_STR(" ") },
    { 0x2032, TG_STR("'") },
    { 0x2033, TG_STR("\"") },
    { 0x2039, TG_STR("<") },
    { 0x203a, TG_STR(">") },
    { 0x2044, TG_STR("/") },
    { 0x205f, TG_STR(" ") },
    { 0x2060, TG_STR("") },
    { 0x20ac, TG_STR("EUR") },
    { 0x2116, TG_STR("No") },
    { 0x2122, TG_STR("TM") },
    { 0x2212, TG_STR("-") },
    { 0x3000, TG_STR(" ") },
    { 0xfb00, TG_STR("ff") },
    { 0xfb01, TG_STR("fi") },
    { 0xfb02, TG_STR("fl") },
    { 0xfb03, TG_STR("ffi") },
    { 0xfb04, TG_STR("ffl") },
    { 0xfeff, TG_STR("") }
};


/* Latin-1's letters with a mark, as their parts. */

static const composition_t  compositions[] = {
    { 0x0300, "AEIOUaeiou",
      (const uint8_t *) "\xc0\xc8\xcc\xd2\xd9\xe0\xe8\xec\xf2\xf9" },
    { 0x0301, "AEIOUYaeiouy",
      (const uint8_t *) "\xc1\xc9\xcd\xd3\xda\xdd\xe1\xe9\xed\xf3\xfa\xfd" },
    { 0x0302, "AEIOUaeiou",
      (const uint8_t *) "\xc2\xca\xce\xd4\xdb\xe2\xea\xee\xf4\xfb" },
    { 0x0303, "ANOano",
      (const uint8_t *) "\xc3\xd1\xd5\xe3\xf1\xf5" },
    { 0x0308, "AEIOUaeiouy",
      (const uint8_t *) "\xc4\xcb\xcf\xd6\xdc\xe4\xeb\xef\xf6\xfc\xff" },
    { 0x030a, "Aa",
      (const uint8_t *) "\xc5\xe5" },
    { 0x0327, "Cc",
      (const uint8_t *) "\xc7\xe7" }
};


#define N(table)  (sizeof(table) / sizeof(table[0]))


bool
tgi_is_mark(uint32_t c)
{
    return c >= 0x300 && c <= 0x36f;
}


bool
tgi_is_blank(uint32_t c)
{
    switch (c) {

    case ' ':
    case 0xa0:
    case 0xad:
    case 0x1680:
    case 0x180e:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xfeff:
        return true;

    default:
        return (c >= 0x2000 && c <= 0x200f)
               || (c >= 0x2028 && c <= 0x202e)
               || (c >= 0x2060 && c <= 0x206f);
    }
}


uint32_t
tgi_compose(uint32_t base, uint32_t mark)
{
    size_t                i, n;
    const composition_t  *composition;

    for (i = 0; i < N(compositions); i++) {
        composition = &compositions[i];

        if (composition->mark != mark) {
            continue;
        }

        for (n = 0; composition->bases[n] != '\0'; n++) {
            if ((uint32_t) composition->bases[n] == base) {
                return composition->composed[n];
            }
        }
    }

    return 0;
}


static const letter_text_t *
find_text(uint32_t c)
{
    size_t  low, high, middle;

    low = 0;
    high = N(letter_texts);

    while (low < high) {
        middle = low + (high - low) / 2;

        if (letter_texts[middle].code == c) {
            return &letter_texts[middle];
        }

        if (letter_texts[middle].code < c) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return NULL;
}


tg_str_t
tgi_transliterate(uint32_t c)
{
    size_t                 i;
    const char            *letter;
    const letter_text_t   *text;
    const letter_range_t  *range;

    for (i = 0; i < N(letter_ranges); i++) {
        range = &letter_ranges[i];

        if (c < range->first || c > range->last) {
            continue;
        }

        letter = range->letters + (c - range->first);

        if (*letter != '?') {
            return (tg_str_t) { letter, 1 };
        }
    }

    text = find_text(c);

    if (text != NULL) {
        return text->text;
    }

    if (c >= 0x2000 && c <= 0x200a) {
        return (tg_str_t) TG_STR(" ");
    }

    /* variation selectors: they choose among pictures of the one before */

    if (c >= 0xfe00 && c <= 0xfe0f) {
        return (tg_str_t) TG_STR("");
    }

    return (tg_str_t) TG_STR("?");
}
