
/*
 * Copyright (C) The Tailgate authors
 *
 * A raw path, a pattern of paths, a host and a pattern of hosts, a line each:
 * what is normal stays so, a pattern fits what its definition says, and an
 * index finds by its hash whatever it fits.
 */

#include "core/policy/table.h"

#include <stdlib.h>
#include <string.h>


#define SMALL  96


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static tg_str_t
next_line(tg_str_t *rest)
{
    tg_str_t     line;
    const char  *end;

    line = *rest;
    end = line.len > 0 ? memchr(line.data, '\n', line.len) : NULL;

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return line;
    }

    line.len = (size_t) (end - line.data);
    rest->data += line.len + 1;
    rest->len -= line.len + 1;

    return line;
}


static bool
has(tg_str_t text, const char *part, size_t len)
{
    return text.len > 0 && memmem(text.data, text.len, part, len) != NULL;
}


static bool
ends(tg_str_t text, const char *part, size_t len)
{
    return text.len >= len
           && memcmp(text.data + text.len - len, part, len) == 0;
}


static void
check_normal(tg_str_t raw, tg_str_t path)
{
    require(path.len > 0 && path.len <= raw.len && path.data[0] == '/');
    require(path.len < raw.len || memcmp(path.data, raw.data, raw.len) == 0);

    require(!has(path, "\0", 1) && !has(path, "//", 2));
    require(!has(path, "/./", 3) && !has(path, "/../", 4));
    require(!ends(path, "/.", 2) && !ends(path, "/..", 3));

    if (tg_path_ambiguity(raw) == NULL) {
        require(!has(path, "\\", 1) && !has(path, ";", 1));
        require(!has(path, "#", 1));
    }
}


/* By a table of what the first i bytes of one and j of the other come to. */

static bool
fits(tg_str_t pattern, tg_str_t path)
{
    bool    table[SMALL + 1][SMALL + 1], deep;
    size_t  i, j;

    for (i = 0; i <= pattern.len; i++) {
        for (j = 0; j <= path.len; j++) {

            if (i == 0) {
                table[i][j] = j == 0;

            } else if (pattern.data[i - 1] != '*') {
                table[i][j] = j > 0 && table[i - 1][j - 1]
                              && pattern.data[i - 1] == path.data[j - 1];

            } else {
                deep = (i > 1 && pattern.data[i - 2] == '*')
                       || (i < pattern.len && pattern.data[i] == '*');
                table[i][j] = table[i - 1][j]
                              || (j > 0 && table[i][j - 1]
                                  && (deep || path.data[j - 1] != '/'));
            }
        }
    }

    return table[pattern.len][path.len];
}


static bool
among(uint64_t hash, const uint64_t *hashes, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (hashes[i] == hash) {
            return true;
        }
    }

    return false;
}


static void
check_pattern(tg_str_t text, tg_str_t path)
{
    bool        matches;
    uint64_t    hashes[TGI_SEGMENTS_MAX + 1];
    tgi_path_t  pattern;

    if (!tgi_path_parse(text, &pattern)) {
        return;
    }

    matches = tgi_path_match(&pattern, path);

    if (matches) {
        require(among(tgi_hash_path_pattern(&pattern), hashes,
                      tgi_hash_path(path, hashes)));
    }

    if (pattern.kind == TGI_PATH_GLOB && pattern.text.len <= SMALL
        && path.len <= SMALL)
    {
        require(matches == fits(pattern.text, path));
    }
}


static void
check_host(tg_str_t host, tg_str_t text)
{
    char        buf[TG_HOST_MAX], again[TG_HOST_MAX], lower[TG_HOST_MAX];
    uint64_t    hashes[TGI_LABELS_MAX];
    tg_str_t    canonical, same;
    tgi_host_t  pattern;

    if (!tgi_host_canonical(host, buf, &canonical)) {
        return;
    }

    require(tgi_host_canonical(canonical, again, &same));
    require(tgi_str_equal(canonical, same));

    if (tgi_host_parse(text, lower, &pattern)
        && tgi_host_match(&pattern, canonical))
    {
        require(among(tgi_hash_host_pattern(&pattern), hashes,
                      tgi_hash_host(canonical, hashes)));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_str_t     rest, raw, path, pattern, host;
    tg_alloc_t   alloc;
    tg_arena_t  *arena;

    rest.data = (const char *) data;
    rest.len = size;

    raw = next_line(&rest);
    pattern = next_line(&rest);
    host = next_line(&rest);

    arena = tg_arena_new(raw.len + 4096);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    (void) tg_path_ambiguity(raw);

    if (tg_path_normalize(raw, &alloc, &path) == TG_OK) {
        if (memchr(raw.data, '?', raw.len) == NULL) {
            check_normal(raw, path);
        }

        check_pattern(pattern, path);
    }

    if (raw.len > 0 && raw.data[0] == '/') {
        check_pattern(pattern, raw);
    }

    check_host(host, rest);

    tg_arena_free(&arena);

    return 0;
}
