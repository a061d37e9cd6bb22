
/*
 * Copyright (C) The Tailgate authors
 *
 * Dotted numbers, and ranges of them and of durations.
 */

#include "core/policy/policy.h"

#include <string.h>


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* One number at *i; false for none, or one that is too big to be any. */

static bool
parse_part(tg_str_t text, size_t *i, uint64_t *part)
{
    uint64_t  digit;

    *part = 0;

    if (*i >= text.len || !is_digit(text.data[*i])) {
        return false;
    }

    for ( /* void */ ; *i < text.len && is_digit(text.data[*i]); (*i)++) {
        digit = (uint64_t) (text.data[*i] - '0');

        if (*part > (UINT64_MAX - digit) / 10) {
            return false;
        }

        *part = *part * 10 + digit;
    }

    return true;
}


bool
tgi_version_parse(tg_str_t text, tgi_version_t *version)
{
    size_t  i, n;

    memset(version, 0, sizeof(tgi_version_t));

    i = 0;

    for (n = 0; n < TGI_VERSION_PARTS; n++) {
        if (!parse_part(text, &i, &version->parts[n])) {
            return false;
        }

        if (text.len - i < 2 || text.data[i] != '.'
            || !is_digit(text.data[i + 1]))
        {
            return true;
        }

        i++;
    }

    /* more parts than any version has: what follows would not be compared */

    return false;
}


int
tgi_version_compare(const tgi_version_t *a, const tgi_version_t *b)
{
    size_t  i;

    for (i = 0; i < TGI_VERSION_PARTS; i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }

    return 0;
}


bool
tgi_op_holds(tgi_op_t op, int comparison)
{
    switch (op) {

    case TGI_OP_LT:
        return comparison < 0;

    case TGI_OP_LE:
        return comparison <= 0;

    case TGI_OP_EQ:
        return comparison == 0;

    case TGI_OP_GE:
        return comparison >= 0;

    case TGI_OP_GT:
        return comparison > 0;
    }

    return false;
}


bool
tgi_range_match(const tgi_range_t *range, const tgi_version_t *version)
{
    size_t  i;

    for (i = 0; i < range->n; i++) {
        if (!tgi_op_holds(range->bounds[i].op,
                          tgi_version_compare(version,
                                              &range->bounds[i].version)))
        {
            return false;
        }
    }

    return true;
}


bool
tgi_ranges_match(const tgi_ranges_t *ranges, const tgi_version_t *version)
{
    size_t  i;

    for (i = 0; i < ranges->n; i++) {
        if (tgi_range_match(&ranges->items[i], version)) {
            return true;
        }
    }

    return false;
}
