
/*
 * Copyright (C) The Tailgate authors
 *
 * "grants:": values of a capability that act as allow rules.
 */

#include "core/policy/decide.h"

#include <string.h>


typedef tgi_grant_t (*match_pt)(tg_str_t text, const tgi_subject_t *subject);


static tgi_grant_t
match_host(tg_str_t text, const tgi_subject_t *subject)
{
    char        buf[TG_HOST_MAX];
    tgi_host_t  host;

    if (!tgi_host_parse(text, buf, &host)) {
        return TGI_GRANT_BAD;
    }

    return tgi_host_match(&host, subject->host) ? TGI_GRANT_YES : TGI_GRANT_NO;
}


static tgi_grant_t
match_path(tg_str_t text, const tgi_subject_t *subject)
{
    tgi_path_t  path;

    if (!tgi_path_parse(text, &path)) {
        return TGI_GRANT_BAD;
    }

    return tgi_path_match(&path, subject->request->path) ? TGI_GRANT_YES
                                                         : TGI_GRANT_NO;
}


/* RFC 9110 5.6.2; those of methods that exist are in upper case. */

static bool
is_method(tg_str_t text)
{
    char    c;
    size_t  i;

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')
            && memchr("!#$%&'*+-.^_`|~", c, 15) == NULL)
        {
            return false;
        }
    }

    return text.len > 0;
}


static tgi_grant_t
match_method(tg_str_t text, const tgi_subject_t *subject)
{
    bool  is;

    static const tg_str_t  read = TG_STR("read"), write = TG_STR("write");

    if (tgi_str_equal(text, read)) {
        is = (subject->method_class & TGI_METHOD_READ) != 0;

    } else if (tgi_str_equal(text, write)) {
        is = (subject->method_class & TGI_METHOD_WRITE) != 0;

    } else if (is_method(text)) {
        is = tgi_str_equal(text, subject->request->method);

    } else {
        return TGI_GRANT_BAD;
    }

    return is ? TGI_GRANT_YES : TGI_GRANT_NO;
}


static tgi_grant_t
match_role(tg_str_t text, const tgi_subject_t *subject)
{
    (void) subject;

    return text.len > 0 ? TGI_GRANT_YES : TGI_GRANT_BAD;
}


/* Any of a list; one item that cannot be read spoils it. */

static tgi_grant_t
match_list(const tgi_value_t *value, match_pt match,
    const tgi_subject_t *subject)
{
    size_t       i;
    tgi_grant_t  result, grant;

    if (value->kind == TGI_VALUE_TEXT) {
        return match(value->u.text, subject);
    }

    if (value->kind != TGI_VALUE_ARRAY || value->n == 0) {
        return TGI_GRANT_BAD;
    }

    result = TGI_GRANT_NO;

    for (i = 0; i < value->n; i++) {
        if (value->u.items[i].kind != TGI_VALUE_TEXT) {
            return TGI_GRANT_BAD;
        }

        grant = match(value->u.items[i].u.text, subject);

        if (grant == TGI_GRANT_BAD) {
            return TGI_GRANT_BAD;
        }

        if (grant == TGI_GRANT_YES) {
            result = TGI_GRANT_YES;
        }
    }

    return result;
}


static tgi_grant_t
match_field(const tgi_value_t *field, const tgi_subject_t *subject)
{
    size_t  i;

    static const struct {
        tg_str_t  name;
        match_pt  match;
        bool      list;
    } fields[] = {
        { TG_STR("hosts"), match_host, true },
        { TG_STR("paths"), match_path, true },
        { TG_STR("methods"), match_method, true },
        { TG_STR("role"), match_role, false }
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!tgi_str_equal(field->name, fields[i].name)) {
            continue;
        }

        if (!fields[i].list && field->kind != TGI_VALUE_TEXT) {
            return TGI_GRANT_BAD;
        }

        return match_list(field, fields[i].match, subject);
    }

    return TGI_GRANT_BAD;
}


tgi_grant_t
tgi_grant_match(const tgi_value_t *grant, const tgi_subject_t *subject)
{
    size_t       i;
    tgi_grant_t  result, field;

    if (grant->kind != TGI_VALUE_OBJECT) {
        return TGI_GRANT_BAD;
    }

    result = TGI_GRANT_YES;

    for (i = 0; i < grant->n; i++) {
        field = match_field(&grant->u.items[i], subject);

        if (field == TGI_GRANT_BAD) {
            return TGI_GRANT_BAD;
        }

        if (field == TGI_GRANT_NO) {
            result = TGI_GRANT_NO;
        }
    }

    return result;
}


bool
tgi_grants_open(const tgi_subject_t *subject)
{
    return subject->identity != NULL && subject->has != 0
           && !(subject->has & ~(TG_TRAIT_MEMBER|TG_TRAIT_TAGGED));
}


bool
tgi_grants_match(const tg_policy_t *policy, const tgi_subject_t *subject,
    size_t *bad)
{
    bool                found;
    size_t              i;
    const tgi_value_t  *grants;

    *bad = 0;
    found = false;

    if (policy->grants.len == 0 || !tgi_grants_open(subject)) {
        return false;
    }

    grants = tgi_caps_find(subject->peer->caps, policy->grants);

    for (i = 0; grants != NULL && i < grants->n; i++) {
        switch (tgi_grant_match(&grants->u.items[i], subject)) {

        case TGI_GRANT_YES:
            found = true;
            break;

        case TGI_GRANT_BAD:
            (*bad)++;
            break;

        default:
            break;
        }
    }

    return found;
}
