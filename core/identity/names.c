
/*
 * Copyright (C) The Tailgate authors
 *
 * Names: of a status, of a tailnet, and of a person.
 */

#include "core/identity/identity.h"

#include "core/base/base.h"

#include <string.h>


const char *
tg_status_name(tg_status_t status)
{
    static const char *const  names[] = {
        [TG_STATUS_NONE] = "-",
        [TG_STATUS_MEMBER] = "member",
        [TG_STATUS_TAGGED] = "tagged",
        [TG_STATUS_SHARED] = "shared",
        [TG_STATUS_ROUTED] = "routed",
        [TG_STATUS_FUNNEL] = "funnel",
        [TG_STATUS_EXPIRED] = "expired",
        [TG_STATUS_UNAUTHORIZED] = "unauthorized",
        [TG_STATUS_UNSIGNED] = "unsigned",
        [TG_STATUS_STRANGER] = "stranger",
        [TG_STATUS_UNAVAILABLE] = "unavailable"
    };

    if ((size_t) status >= sizeof(names) / sizeof(names[0])) {
        return names[TG_STATUS_NONE];
    }

    return names[status];
}


tg_status_t
tgi_traits_status(uint32_t traits)
{
    size_t  i;

    static const struct {
        uint32_t     trait;
        tg_status_t  status;
    } weights[] = {
        { TG_TRAIT_EXPIRED, TG_STATUS_EXPIRED },
        { TG_TRAIT_UNAUTHORIZED, TG_STATUS_UNAUTHORIZED },
        { TG_TRAIT_UNSIGNED, TG_STATUS_UNSIGNED },
        { TG_TRAIT_FUNNEL, TG_STATUS_FUNNEL },
        { TG_TRAIT_SHARED, TG_STATUS_SHARED },
        { TG_TRAIT_ROUTED, TG_STATUS_ROUTED },
        { TG_TRAIT_TAGGED, TG_STATUS_TAGGED },
        { TG_TRAIT_MEMBER, TG_STATUS_MEMBER }
    };

    for (i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        if (traits & weights[i].trait) {
            return weights[i].status;
        }
    }

    return TG_STATUS_NONE;
}


tg_str_t
tgi_name_undotted(tg_str_t name)
{
    if (name.len > 0 && name.data[name.len - 1] == '.') {
        name.len--;
    }

    return name;
}


int
tgi_name_tailnet(tg_str_t name, const tg_alloc_t *alloc, tg_str_t *tailnet)
{
    char        *p;
    size_t       i, len;
    const char  *dot;

    *tailnet = (tg_str_t) TG_NULL_STR;

    dot = name.len > 0 ? memchr(name.data, '.', name.len) : NULL;

    if (dot == NULL) {
        return TG_OK;
    }

    dot++;
    len = name.len - (size_t) (dot - name.data);

    if (len == 0) {
        return TG_OK;
    }

    p = tgi_alloc(alloc, len, 1);
    if (p == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < len; i++) {
        p[i] = tgi_lower(dot[i]);
    }

    tailnet->data = p;
    tailnet->len = len;

    return TG_OK;
}


int
tgi_login_check(tg_identity_t *identity, const char *field, tg_error_t *error)
{
    tg_str_t     login;
    const char  *at;

    /* the login of every tagged node, tailcfg.TaggedDevices */
    static const tg_str_t  tagged = TG_STR("tagged-devices");

    login = identity->login;

    if (login.len == 0) {
        return tgi_error(error, TG_ERR_MISSING, "%s is empty", field);
    }

    if (login.len > TG_LOGIN_MAX) {
        return tgi_error(error, TG_ERR_REFUSED, "%s is over %d bytes", field,
                         TG_LOGIN_MAX);
    }

    if (tgi_str_equal_nocase(login, tagged)) {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s of an untagged node is \"tagged-devices\"",
                         field);
    }

    /* header values lose blanks at their ends on the way to an app */

    if (login.data[0] == ' ' || login.data[login.len - 1] == ' ') {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s begins or ends with a blank", field);
    }

    at = memchr(login.data, '@', login.len);

    identity->user = login;

    if (at == NULL) {
        return TG_OK;
    }

    identity->user.len = (size_t) (at - login.data);

    if (memchr(at + 1, '@', login.len - identity->user.len - 1) != NULL) {
        return tgi_error(error, TG_ERR_REFUSED, "%s has more than one \"@\"",
                         field);
    }

    if (identity->user.len == 0 || at[-1] == ' ') {
        return tgi_error(error, TG_ERR_REFUSED,
                         "%s has no user before its \"@\"", field);
    }

    return TG_OK;
}
