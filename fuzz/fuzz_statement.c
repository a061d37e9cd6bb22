
/*
 * Copyright (C) The Tailgate authors
 *
 * What a proxy states: method, host, URI, URL, source and arguments.  What
 * passes has one reading alone.
 */

#include "authd/app/forward/arguments.h"
#include "authd/app/forward/statement.h"
#include "authd/source.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Lower case, and what was read once is read the same again. */

static void
check_host(const authd_statement_t *st)
{
    size_t             i;
    authd_statement_t  again;

    if (st->host.len == 0 || st->host.len > AUTHD_HOST_MAX) {
        abort();
    }

    for (i = 0; i < st->host.len; i++) {
        if (isupper((unsigned char) st->host.data[i])
            || (unsigned char) st->host.data[i] <= 0x20
            || (unsigned char) st->host.data[i] >= 0x7f)
        {
            abort();
        }
    }

    if (authd_statement_host(&again, st->host) != NULL
        || again.host.len != st->host.len
        || memcmp(again.host.data, st->host.data, st->host.len) != 0)
    {
        abort();
    }
}


static void
check_path(const authd_statement_t *st)
{
    size_t         i;
    unsigned char  c;

    if (st->path.len == 0) {
        abort();
    }

    for (i = 0; i < st->path.len; i++) {
        c = (unsigned char) st->path.data[i];

        if (c <= 0x20 || c == 0x7f || c == '?') {
            abort();
        }

        if (st->odd == NULL && (c >= 0x80 || c == '#' || c == '\\')) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tg_str_t           in;
    tg_addr_t          addr;
    const char        *what;
    authd_arguments_t  args;
    authd_statement_t  st;

    in.data = (const char *) data;
    in.len = size;

    memset(&st, 0, sizeof(st));
    (void) authd_statement_method(&st, in);

    if (authd_statement_host(&st, in) == NULL) {
        check_host(&st);
    }

    if (authd_statement_uri(&st, in) == NULL) {
        check_path(&st);
    }

    if (authd_statement_url(&st, in) == NULL) {
        check_host(&st);
        check_path(&st);
    }

    if ((authd_source_parse(in, NULL, &addr, &what) == TG_OK
         || authd_source_last(in, &addr, &what) == TG_OK
         || authd_source_parse((tg_str_t) TG_STR("127.0.0.1"), &in, &addr,
                               &what)
            == TG_OK)
        && addr.family != TG_ADDR_V4 && addr.family != TG_ADDR_V6)
    {
        abort();
    }

    args.source = AUTHD_SOURCE_REMOTE;

    if (authd_arguments_read(in, &args) == NULL
        && args.nprofiles > AUTHD_PROFILES_MAX)
    {
        abort();
    }

    return 0;
}
