
/*
 * Copyright (C) The Tailgate authors
 *
 * Selectors, ports, protocols, and what Go does with text.
 */

#include "core/acl/acl.h"
#include "core/acl/go.h"
#include "core/acl/rules.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
require(bool condition)
{
    if (!condition) {
        abort();
    }
}


static int
message(tg_str_t *result, const tg_alloc_t *alloc, const char *format, ...)
{
    int      rc;
    va_list  args;

    va_start(args, format);
    rc = tgi_go_message(result, alloc, format, args);
    va_end(args);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint16_t      first, last;
    tg_str_t      text, trimmed, host, ports, quoted;
    tgi_sel_t     sel;
    tg_alloc_t    alloc;
    tg_arena_t   *arena;
    const char   *why;

    text.data = (const char *) data;
    text.len = size;

    trimmed = tgi_go_trim(text);
    require(trimmed.len <= size);
    require(tgi_go_trim(trimmed).len == trimmed.len);

    tgi_selector(&sel, trimmed);
    require(sel.text.len == trimmed.len && sel.domain.len <= trimmed.len);

    if (tgi_rules_split(trimmed, &host, &ports)) {
        require(host.len + ports.len < trimmed.len);
    }

    if (tgi_port_range(text, &first, &last, &why) == TG_OK) {
        require(first <= last);
    }

    require(tgi_proto(text) >= -2 && tgi_proto(text) <= 255);
    (void) tgi_go_key(text, "tagOwners");

    arena = tg_arena_new(size * 16 + 4096);
    require(arena != NULL);
    alloc = tg_arena_allocator(arena);

    require(message(&quoted, &alloc, "%q %t %v %s", &text, &text, &text, "x")
            == TG_OK);
    require(quoted.len >= size);

    tg_arena_free(&arena);

    return 0;
}
