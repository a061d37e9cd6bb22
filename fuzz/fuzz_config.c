
/*
 * Copyright (C) The Tailgate authors
 *
 * authd.yaml: whatever the bytes, there is a configuration or a fault that
 * says why, and a message has no control characters.  Files that a
 * configuration names are not opened: a name for one is not let through.
 */

#include "authd/config.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
report(const authd_fault_t *fault, void *data)
{
    bool                 *told;
    const unsigned char  *p;

    told = data;
    *told = true;

    for (p = (const unsigned char *) fault->text; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            abort();
        }
    }

    if (fault->text[0] == '\0' || fault->warning) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool             ok, told;
    const char      *bytes;
    authd_config_t  *conf;

    bytes = (const char *) data;
    told = false;
    conf = NULL;

    if (memmem(bytes, size, "secrets", 7) != NULL) {
        return 0;
    }

    ok = authd_config_parse("fuzz", bytes, size, &conf, report, &told);

    if (ok == told || ok != (conf != NULL)) {
        abort();
    }

    if (ok && conf->has_tcp && !tg_addr_is_loopback(&conf->tcp_addr)) {
        abort();
    }

    authd_config_free(&conf);

    return 0;
}
