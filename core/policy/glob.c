
/*
 * Copyright (C) The Tailgate authors
 *
 * Patterns of paths, and of texts of capabilities.
 */

#include "core/policy/policy.h"

#include <string.h>


#define WORD_BITS  64
#define WORDS      (TGI_PATTERN_MAX / WORD_BITS + 1)


/*
 * Bit i: the pattern's first i bytes fit what has been read.  So a path is
 * read once, whatever it and the pattern are.
 */

typedef struct {
    uint64_t  words[WORDS];
    size_t    n;
} states_t;


static void
add_state(states_t *states, tg_str_t pattern, size_t i)
{
    for ( ;; ) {
        states->words[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);

        /* a star may stand for nothing */

        if (i == pattern.len || pattern.data[i] != '*') {
            return;
        }

        i++;
    }
}


/* Whether the star at i is one of two: then it crosses slashes. */

static bool
crosses(tg_str_t pattern, size_t i)
{
    return (i + 1 < pattern.len && pattern.data[i + 1] == '*')
           || (i > 0 && pattern.data[i - 1] == '*');
}


/* Reads one byte; false if no state is left. */

static bool
step(const states_t *from, states_t *to, tg_str_t pattern, char c)
{
    size_t    i, w;
    uint64_t  word;
    bool      some;

    memset(to->words, 0, from->n * sizeof(uint64_t));

    some = false;

    for (w = 0; w < from->n; w++) {
        for (word = from->words[w]; word != 0; word &= word - 1) {
            i = w * WORD_BITS + (size_t) __builtin_ctzll(word);

            if (i == pattern.len) {
                continue;
            }

            if (pattern.data[i] == '*') {
                if (c != '/' || crosses(pattern, i)) {
                    add_state(to, pattern, i);
                    some = true;
                }

            } else if (pattern.data[i] == c) {
                add_state(to, pattern, i + 1);
                some = true;
            }
        }
    }

    return some;
}


static bool
glob_path(tg_str_t pattern, tg_str_t path)
{
    size_t     i;
    states_t   a, b, *from, *to, *swap;

    if (pattern.len > TGI_PATTERN_MAX) {
        return false;
    }

    from = &a;
    to = &b;
    from->n = to->n = pattern.len / WORD_BITS + 1;

    memset(from->words, 0, from->n * sizeof(uint64_t));
    add_state(from, pattern, 0);

    for (i = 0; i < path.len; i++) {
        if (!step(from, to, pattern, path.data[i])) {
            return false;
        }

        swap = from;
        from = to;
        to = swap;
    }

    i = pattern.len;

    return (from->words[i / WORD_BITS] >> (i % WORD_BITS)) & 1;
}


static bool
has_prefix(tg_str_t text, tg_str_t prefix)
{
    return text.len >= prefix.len
           && memcmp(text.data, prefix.data, prefix.len) == 0;
}


static tg_str_t
behind(tg_str_t text, size_t n)
{
    text.data += n;
    text.len -= n;

    return text;
}


bool
tgi_path_match(const tgi_path_t *pattern, tg_str_t path)
{
    tg_str_t  text;

    text = pattern->text;

    switch (pattern->kind) {

    case TGI_PATH_PREFIX:
        return has_prefix(path, text)
               && (path.len == text.len || text.data[text.len - 1] == '/'
                   || path.data[text.len] == '/');

    case TGI_PATH_EXACT:
        return tgi_str_equal(path, text);

    case TGI_PATH_GLOB:
        text.len = pattern->literal;

        return has_prefix(path, text)
               && glob_path(behind(pattern->text, text.len),
                            behind(path, text.len));
    }

    return false;
}


bool
tgi_path_parse(tg_str_t text, tgi_path_t *path)
{
    const char  *star;

    path->kind = TGI_PATH_PREFIX;

    if (text.len > 0 && text.data[0] == '=') {
        path->kind = TGI_PATH_EXACT;

        do {
            text = behind(text, 1);
        } while (text.len > 0 && text.data[0] == ' ');
    }

    if (text.len == 0 || text.data[0] != '/' || text.len > TGI_PATTERN_MAX) {
        return false;
    }

    star = memchr(text.data, '*', text.len);

    if (path->kind != TGI_PATH_EXACT && star != NULL) {
        path->kind = TGI_PATH_GLOB;
    }

    path->text = text;
    path->literal = (path->kind == TGI_PATH_GLOB)
                    ? (size_t) (star - text.data) : text.len;

    return true;
}


/*
 * Here a star is any number of any: the last one alone ever has to be tried
 * again.
 */

bool
tgi_glob_match(tg_str_t pattern, tg_str_t text)
{
    bool    starred;
    size_t  p, t, star, mark;

    starred = false;
    p = t = star = mark = 0;

    while (t < text.len) {

        if (p < pattern.len && pattern.data[p] == '*') {
            starred = true;
            star = ++p;
            mark = t;

        } else if (p < pattern.len && pattern.data[p] == text.data[t]) {
            p++;
            t++;

        } else if (starred) {
            p = star;
            t = ++mark;

        } else {
            return false;
        }
    }

    while (p < pattern.len && pattern.data[p] == '*') {
        p++;
    }

    return p == pattern.len;
}
