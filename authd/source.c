
/*
 * Copyright (C) The Tailgate authors
 */

#include "authd/source.h"

#include <string.h>


static int fail(int rc, const char *text, const char **what);


bool
authd_sender_listed(const authd_senders_t *senders, const tgn_peer_t *peer)
{
    size_t  i;

    if (peer->addr.family != TG_ADDR_UNIX) {

        for (i = 0; i < senders->ncidrs; i++) {
            if (tg_cidr_match(&senders->cidrs[i], &peer->addr)) {
                return true;
            }
        }

        return false;
    }

    if (!peer->has_cred) {
        return false;
    }

    for (i = 0; i < senders->nuids; i++) {
        if (senders->uids[i] == peer->uid) {
            return true;
        }
    }

    for (i = 0; i < senders->ngids; i++) {
        if (senders->gids[i] == peer->gid) {
            return true;
        }
    }

    return false;
}


int
authd_header_one(const tgn_request_t *r, const char *name, tg_str_t *value)
{
    tg_str_t  second;

    if (!tgn_request_header(r, name, 0, value)) {
        return TG_ERR_ABSENT;
    }

    if (tgn_request_header(r, name, 1, &second)) {
        return TG_ERR_REFUSED;
    }

    return TG_OK;
}


int
authd_source_read(const tgn_request_t *r, authd_source_kind_t kind,
    tg_addr_t *source, const char **what)
{
    int       rc;
    tg_str_t  addr, port, list;

    rc = authd_header_one(r, "Remote-Addr", &addr);

    if (rc == TG_ERR_REFUSED) {
        return fail(rc, "Remote-Addr comes twice", what);
    }

    if (kind == AUTHD_SOURCE_FORWARDED) {

        if (rc == TG_OK) {
            return fail(TG_ERR_REFUSED, "both Remote-Addr and X-Forwarded-For"
                        " name the source", what);
        }

        rc = authd_header_one(r, "X-Forwarded-For", &list);

        if (rc == TG_ERR_REFUSED) {
            return fail(rc, "X-Forwarded-For comes twice", what);
        }

        if (rc != TG_OK) {
            return fail(TG_ERR_MISSING, "X-Forwarded-For is missing", what);
        }

        return authd_source_last(list, source, what);
    }

    if (rc != TG_OK || addr.len == 0) {
        return fail(TG_ERR_MISSING, "Remote-Addr is missing", what);
    }

    rc = authd_header_one(r, "Remote-Port", &port);

    if (rc == TG_ERR_REFUSED) {
        return fail(rc, "Remote-Port comes twice", what);
    }

    if (rc != TG_OK || port.len == 0) {
        return fail(TG_ERR_MISSING, "Remote-Port is missing", what);
    }

    return authd_source_parse(addr, &port, source, what);
}


int
authd_source_local(const tgn_request_t *r, authd_source_kind_t kind,
    tg_addr_t *local, bool *has_local, const char **what)
{
    int       rc;
    tg_str_t  addr;

    *has_local = false;

    rc = authd_header_one(r, "Tailgate-Local-Addr", &addr);

    if (rc == TG_ERR_ABSENT) {
        return TG_OK;
    }

    if (kind == AUTHD_SOURCE_FORWARDED) {
        return fail(TG_ERR_REFUSED, "Tailgate-Local-Addr counts only beside"
                    " Remote-Addr", what);
    }

    if (rc != TG_OK) {
        return fail(rc, "Tailgate-Local-Addr comes twice", what);
    }

    rc = authd_source_parse(addr, NULL, local, what);

    if (rc != TG_OK) {
        return fail(rc, "Tailgate-Local-Addr is no address", what);
    }

    *has_local = true;

    return TG_OK;
}


int
authd_source_parse(tg_str_t addr, const tg_str_t *port, tg_addr_t *source,
    const char **what)
{
    size_t    i;
    uint32_t  n;

    /* a port or brackets in here would be somebody else's idea of an address */

    if (addr.len == 0 || addr.data[0] == '['
        || tg_addr_parse(source, addr.data, addr.len) != TG_OK
        || source->port != 0)
    {
        return fail(TG_ERR_SYNTAX, "Remote-Addr is no address", what);
    }

    if (port == NULL) {
        return TG_OK;
    }

    n = 0;

    for (i = 0; i < port->len; i++) {

        if (port->data[i] < '0' || port->data[i] > '9' || i == 5) {
            n = UINT32_MAX;
            break;
        }

        n = n * 10 + (uint32_t) (port->data[i] - '0');
    }

    if (port->len == 0 || n > UINT16_MAX) {
        return fail(TG_ERR_SYNTAX, "Remote-Port is no port", what);
    }

    source->port = (uint16_t) n;

    return TG_OK;
}


int
authd_source_last(tg_str_t list, tg_addr_t *source, const char **what)
{
    const char  *p, *end;

    end = list.data + list.len;

    for (p = end; p > list.data && p[-1] != ','; p--) { /* void */ }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == end || tg_addr_parse(source, p, (size_t) (end - p)) != TG_OK) {
        return fail(TG_ERR_SYNTAX, "the last value of X-Forwarded-For is no"
                    " address", what);
    }

    /* some proxies write a port; nobody promises that it is the client's */

    source->port = 0;

    return TG_OK;
}


static int
fail(int rc, const char *text, const char **what)
{
    *what = text;

    return rc;
}
