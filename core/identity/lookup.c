
/*
 * Copyright (C) The Tailgate authors
 *
 * A lookup: what to ask the LocalAPI, and what its answer means.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


#define SERVICE_MAX  63        /* a DNS label, tailcfg.ServiceName */


/* Text that is bounded and NUL-terminated; full is set once it did not fit. */

typedef struct {
    char    *buf;
    size_t   len;
    size_t   size;
    bool     full;
} target_t;


static void
put_char(target_t *target, char c)
{
    if (target->size - target->len < 2) {
        target->full = true;
        return;
    }

    target->buf[target->len++] = c;
    target->buf[target->len] = '\0';
}


static void
put_text(target_t *target, const char *text)
{
    for (/* void */ ; *text != '\0'; text++) {
        put_char(target, *text);
    }
}


static bool
is_alnum(char c)
{
    c = tgi_lower(c);

    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}


/* Everything but the unreserved characters of RFC 3986 2.3 is encoded. */

static void
put_encoded(target_t *target, const char *text, size_t len)
{
    size_t         i;
    unsigned char  c;

    static const char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < len; i++) {
        c = (unsigned char) text[i];

        if (is_alnum(text[i]) || memchr("-._~", c, 4) != NULL) {
            put_char(target, text[i]);
            continue;
        }

        put_char(target, '%');
        put_char(target, hex[c >> 4]);
        put_char(target, hex[c & 0x0f]);
    }
}


static bool
has_address(const tg_addr_t *addr)
{
    return addr->family == TG_ADDR_V4 || addr->family == TG_ADDR_V6;
}


static bool
is_service_name(tg_str_t service)
{
    size_t  i;

    if (service.len > SERVICE_MAX) {
        return false;
    }

    for (i = 0; i < service.len; i++) {
        if (!is_alnum(service.data[i]) && service.data[i] != ':'
            && service.data[i] != '-')
        {
            return false;
        }
    }

    return true;
}


int
tg_whois_target(const tg_addr_t *addr, bool with_port, tg_str_t service,
    const tg_addr_t *dst, char buf[TG_LOCALAPI_TARGET_MAX], size_t *len)
{
    char      text[TG_ADDR_TEXT_MAX];
    target_t  target = { buf, 0, TG_LOCALAPI_TARGET_MAX, false };

    buf[0] = '\0';
    *len = 0;

    if (!has_address(addr) || (with_port && addr->port == 0)
        || (dst != NULL && !has_address(dst)))
    {
        return TG_ERR_RANGE;
    }

    if (!is_service_name(service)) {
        return TG_ERR_LIMIT;
    }

    put_text(&target, "/localapi/v0/whois?addr=");
    put_encoded(&target, text, tg_addr_format(addr, with_port, text));

    if (with_port) {
        put_text(&target, "&proto=tcp");
    }

    if (service.len > 0) {
        put_text(&target, "&svc_name=");
        put_encoded(&target, service.data, service.len);
    }

    if (dst != NULL) {
        put_text(&target, "&dst_ip=");
        put_encoded(&target, text, tg_addr_format(dst, false, text));
    }

    if (target.full) {
        buf[0] = '\0';
        return TG_ERR_LIMIT;
    }

    *len = target.len;

    return TG_OK;
}


static tg_status_t
judge_not_found(const tg_self_t *self, tg_error_t *error)
{
    if (self == NULL) {
        (void) tgi_error(error, TG_ERR_ABSENT, "tailscaled answered 404, and "
                         "its state is not known");
        return TG_STATUS_UNAVAILABLE;
    }

    if (!self->running) {
        (void) tgi_error(error, TG_ERR_ABSENT,
                         "tailscaled is in state %.*s", (int) self->state.len,
                         self->state.len ? self->state.data : "");
        return TG_STATUS_UNAVAILABLE;
    }

    (void) tgi_error(error, TG_ERR_ABSENT,
                     "tailscaled knows nobody at this address");

    return TG_STATUS_STRANGER;
}


static tg_status_t
judge_body(const char *body, size_t len, const tg_self_t *self, int64_t now,
    const tg_alloc_t *alloc, tg_identity_t *identity, tg_error_t *error)
{
    int         rc;
    tg_error_t  cause;

    rc = tg_whois_parse(body, len, self, now, alloc, identity, &cause);

    if (rc == TG_OK) {
        return identity->status;
    }

    if (rc == TG_ERR_NOMEM) {
        *error = cause;
        return TG_STATUS_UNAVAILABLE;
    }

    (void) tgi_error(error, rc, "tailscaled answered nonsense: %s",
                     cause.text);

    error->line = cause.line;
    error->column = cause.column;

    return TG_STATUS_UNAVAILABLE;
}


tg_status_t
tg_whois_status(int code, const char *body, size_t len, const tg_self_t *self,
    int64_t now, const tg_alloc_t *alloc, tg_identity_t *identity,
    tg_error_t *error)
{
    memset(identity, 0, sizeof(tg_identity_t));
    memset(error, 0, sizeof(tg_error_t));

    switch (code) {

    case 200:
        return judge_body(body, len, self, now, alloc, identity, error);

    case 404:
        return judge_not_found(self, error);

    case 0:
        (void) tgi_error(error, TG_ERR_ABSENT, "tailscaled did not answer");
        break;

    default:
        (void) tgi_error(error, TG_ERR_REFUSED,
                         "tailscaled answered %d to WhoIs", code);
    }

    return TG_STATUS_UNAVAILABLE;
}
