
/*
 * Copyright (C) The Tailgate authors
 *
 * Addresses and networks.  What is understood is written the same way and
 * understood again; a network holds its own address.
 */

#include <tailgate/addr.h>

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


static void
check_addr(const char *text, size_t len)
{
    char       buf[TG_ADDR_TEXT_MAX];
    size_t     n;
    tg_addr_t  addr, again;

    if (tg_addr_parse(&addr, text, len) != TG_OK) {
        require(addr.family == TG_ADDR_NONE);
        return;
    }

    n = tg_addr_format(&addr, true, buf);
    require(n == strlen(buf) && n < sizeof(buf));

    require(tg_addr_parse(&again, buf, n) == TG_OK);
    require(memcmp(&addr, &again, sizeof(addr)) == 0);
    require(tg_addr_equal(&addr, &again));
    require(!tg_addr_is_tailnet(&addr) || !tg_addr_is_loopback(&addr));
}


static void
check_cidr(const char *text, size_t len)
{
    tg_cidr_t  cidr;

    if (tg_cidr_parse(&cidr, text, len) != TG_OK) {
        require(cidr.addr.family == TG_ADDR_NONE);
        return;
    }

    require(cidr.prefix <= (cidr.addr.family == TG_ADDR_V4 ? 32 : 128));
    require(cidr.addr.port == 0);
    require(tg_cidr_match(&cidr, &cidr.addr));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_addr_t                addr;
    struct sockaddr_storage  storage;

    check_addr((const char *) data, size);
    check_cidr((const char *) data, size);

    memset(&storage, 0, sizeof(storage));
    memcpy(&storage, data, size < sizeof(storage) ? size : sizeof(storage));

    (void) tg_addr_from_sockaddr(&addr, (struct sockaddr *) &storage,
                                 (socklen_t) (size < sizeof(storage)
                                              ? size : sizeof(storage)));

    return 0;
}
