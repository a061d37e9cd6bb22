
/*
 * Copyright (C) The Tailgate authors
 *
 * Go's durations.  What is read is written, and read again as the same.
 */

#include "core/acl/go.h"

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


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         buf[TGI_GO_DURATION];
    int64_t      value, again;
    tg_str_t     text, unit;
    const char  *why;

    text.data = (const char *) data;
    text.len = size;

    if (tgi_go_duration(text, &value, &why, &unit) != TG_OK) {
        require(why != NULL && unit.len <= size);
        return 0;
    }

    text.len = tgi_go_duration_text(value, buf);
    text.data = buf;

    require(text.len == strlen(buf));
    require(tgi_go_duration(text, &again, &why, &unit) == TG_OK);
    require(again == value);

    return 0;
}
