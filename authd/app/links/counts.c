
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/app/links/counts.h"

#include <string.h>


void
authd_links_count_unknown(authd_links_counts_t *counts, tg_str_t name)
{
    size_t                        i;
    authd_links_unknown_count_t  *count;

    counts->unknown++;

    if (name.len == 0 || name.len > AUTHD_LINKS_UNKNOWN_NAME) {
        return;
    }

    for (i = 0; i < counts->nnames; i++) {
        count = &counts->names[i];

        if (count->len == name.len
            && memcmp(count->name, name.data, name.len) == 0)
        {
            count->n++;
            return;
        }
    }

    if (counts->nnames == AUTHD_LINKS_UNKNOWN_MAX) {
        return;
    }

    count = &counts->names[counts->nnames++];

    memcpy(count->name, name.data, name.len);

    count->len = name.len;
    count->n = 1;
}
