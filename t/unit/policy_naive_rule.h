
/*
 * Copyright (C) The Tailgate authors
 *
 * One rule once more, written from docs/policy.md alone: no function of
 * core/policy, no thought of speed.
 */

#ifndef T_POLICY_NAIVE_RULE_H_INCLUDED_
#define T_POLICY_NAIVE_RULE_H_INCLUDED_

#include "policy_random.h"

#include <ctype.h>
#include <inttypes.h>
#include <strings.h>


typedef struct {
    const person_t      *person;
    const tg_request_t  *request;
    char                 host[300];
    char                 path[300];
    char                 method[32];
    char                 login[100];
    bool                 known;
    uint32_t             has;
} naive_t;

static void
c_string(tg_str_t str, char *buf, size_t size)
{
    assert_true(str.len < size);

    if (str.len > 0) {
        memcpy(buf, str.data, str.len);
    }

    buf[str.len] = '\0';
}


static bool
is_text(tg_str_t str, const char *wanted)
{
    return str.len == strlen(wanted)
           && (str.len == 0 || strncmp(str.data, wanted, str.len) == 0);
}


static bool
is_word(tg_str_t a, tg_str_t b)
{
    return a.len == b.len
           && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}


/* By recursion; deep: "*" crosses slashes. */

static bool
naive_glob(const char *pattern, const char *subject, bool deep)
{
    bool  crossing;

    if (*pattern == '\0') {
        return *subject == '\0';
    }

    if (*pattern != '*') {
        return *pattern == *subject
               && naive_glob(pattern + 1, subject + 1, deep);
    }

    crossing = deep || pattern[1] == '*';

    while (pattern[1] == '*') {
        pattern++;
    }

    for ( ;; ) {
        if (naive_glob(pattern + 1, subject, deep)) {
            return true;
        }

        if (*subject == '\0' || (*subject == '/' && !crossing)) {
            return false;
        }

        subject++;
    }
}


static bool
naive_path(const tgi_path_t *path, const char *subject)
{
    char    pattern[300];
    size_t  len;

    c_string(path->text, pattern, sizeof(pattern));
    len = strlen(pattern);

    if (path->kind == TGI_PATH_EXACT) {
        return strcmp(pattern, subject) == 0;
    }

    if (path->kind == TGI_PATH_GLOB) {
        return naive_glob(pattern, subject, false);
    }

    if (strncmp(pattern, subject, len) != 0) {
        return false;
    }

    return pattern[len - 1] == '/' || subject[len] == '/'
           || subject[len] == '\0';
}


static bool
naive_host(const tgi_host_t *host, const char *subject)
{
    char    pattern[300];
    size_t  len, own;

    if (host->kind == TGI_HOST_ANY) {
        return true;
    }

    c_string(host->text, pattern, sizeof(pattern));

    if (host->kind == TGI_HOST_EXACT) {
        return strcmp(pattern, subject) == 0;
    }

    len = strlen(pattern);
    own = strlen(subject);

    return own > len && strcmp(subject + own - len, pattern) == 0;
}


static bool
naive_user(tg_str_t user, const char *login)
{
    char         pattern[100];
    const char  *at;

    c_string(user, pattern, sizeof(pattern));

    if (pattern[0] != '*') {
        return strcasecmp(pattern, login) == 0;
    }

    at = strrchr(login, '@');

    return at != NULL && strcasecmp(pattern + 1, at) == 0;
}


static bool
naive_users(const tg_list_t *list, const naive_t *naive)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        if (naive->login[0] != '\0' && !(naive->has & TG_TRAIT_TAGGED)
            && naive_user(list->items[i], naive->login))
        {
            return true;
        }
    }

    return false;
}


static const char *
without_group(const char *name)
{
    return strncmp(name, "group:", 6) == 0 ? name + 6 : name;
}


static bool
naive_groups(const tg_rule_t *rule, const naive_t *naive)
{
    char                  a[50], b[50];
    size_t                i, j;
    const tg_identity_t  *identity;

    for (i = 0; i < rule->ngroups; i++) {
        if (naive_users(&rule->groups[i]->members, naive)) {
            return true;
        }
    }

    if (!naive->known || (naive->has & TG_TRAIT_TAGGED)) {
        return false;
    }

    identity = &naive->person->identity;

    for (i = 0; i < rule->tailnet_groups.n; i++) {
        c_string(rule->tailnet_groups.items[i], a, sizeof(a));

        for (j = 0; j < identity->groups.n; j++) {
            c_string(identity->groups.items[j], b, sizeof(b));

            if (strcmp(without_group(a), without_group(b)) == 0) {
                return true;
            }
        }
    }

    return false;
}


static bool
naive_nodes(const tg_rule_t *rule, const naive_t *naive)
{
    char                  name[100], full[100], label[100];
    size_t                i;
    const tg_identity_t  *identity;

    if (!naive->known) {
        return false;
    }

    identity = &naive->person->identity;
    c_string(identity->node, full, sizeof(full));
    c_string(identity->node, label, sizeof(label));
    label[strcspn(label, ".")] = '\0';

    for (i = 0; i < rule->nodes.n; i++) {
        c_string(rule->nodes.items[i], name, sizeof(name));

        if (is_text(identity->node_id, name) || strcasecmp(full, name) == 0) {
            return true;
        }

        if (strcasecmp(label, name) == 0
            && (rule->kind == TG_RULE_DENY || !(naive->has & TG_TRAIT_SHARED)))
        {
            return true;
        }
    }

    return false;
}


static bool
same_tailnet(tg_str_t a, tg_str_t b)
{
    if (a.len > 0 && a.data[a.len - 1] == '.') {
        a.len--;
    }

    if (b.len > 0 && b.data[b.len - 1] == '.') {
        b.len--;
    }

    return a.len > 0 && is_word(a, b);
}


static bool
naive_op(tgi_op_t op, double difference)
{
    switch (op) {
    case TGI_OP_LT: return difference < 0;
    case TGI_OP_LE: return difference <= 0;
    case TGI_OP_EQ: return difference == 0;
    case TGI_OP_GE: return difference >= 0;
    default:        return difference > 0;
    }
}


static bool
naive_scalar(const tgi_where_value_t *value, json_t *field)
{
    char    wanted[50], *end;
    double  number;

    c_string(value->text, wanted, sizeof(wanted));

    switch (value->kind) {

    case TGI_WHERE_EQUALS:
        if (json_is_boolean(field)) {
            return strcmp(wanted, json_is_true(field) ? "true" : "false") == 0;
        }

        if (json_is_number(field)) {
            number = strtod(wanted, &end);
            return *end == '\0' && number >= json_number_value(field)
                   && number <= json_number_value(field);
        }

        /* fall through */

    case TGI_WHERE_TEXT:
        return json_is_string(field)
               && strcmp(json_string_value(field), wanted) == 0;

    case TGI_WHERE_GLOB:
        return json_is_string(field)
               && naive_glob(wanted, json_string_value(field), true);

    default:
        return json_is_number(field)
               && naive_op(value->op,
                           json_number_value(field) - value->number);
    }
}


static bool
naive_field(const tgi_where_t *where, json_t *grant)
{
    char     name[50];
    bool     there;
    size_t   i, j;
    json_t  *field, *item;

    c_string(where->field, name, sizeof(name));
    field = json_object_get(grant, name);
    there = field != NULL && !json_is_null(field);

    for (i = 0; i < where->nvalues; i++) {
        if (where->values[i].kind == TGI_WHERE_PRESENT
            || where->values[i].kind == TGI_WHERE_ABSENT)
        {
            if (there == (where->values[i].kind == TGI_WHERE_PRESENT)) {
                return true;
            }

            continue;
        }

        if (!there) {
            continue;
        }

        if (!json_is_array(field)) {
            if (naive_scalar(&where->values[i], field)) {
                return true;
            }
        }

        json_array_foreach(field, j, item) {
            if (naive_scalar(&where->values[i], item)) {
                return true;
            }
        }
    }

    return false;
}


static bool
naive_capability(const tg_rule_t *rule, const naive_t *naive)
{
    bool     all;
    char     name[50];
    size_t   i, j, k;
    json_t  *grants, *grant;

    for (i = 0; i < rule->capabilities.n; i++) {
        c_string(rule->capabilities.items[i], name, sizeof(name));
        grants = json_object_get(naive->person->caps, name);

        if (!json_is_array(grants) && !json_is_null(grants)) {
            continue;
        }

        if (rule->nwhere == 0) {
            return true;
        }

        json_array_foreach(grants, j, grant) {
            all = json_is_object(grant);

            for (k = 0; all && k < rule->nwhere; k++) {
                all = naive_field(&rule->where[k], grant);
            }

            if (all) {
                return true;
            }
        }
    }

    return false;
}


/* The versions of these tests have two parts. */

static double
version_value(const uint64_t *parts)
{
    return (double) parts[0] * 1000 + (double) parts[1];
}


static bool
naive_ranges(const tgi_ranges_t *ranges, double value)
{
    bool                all;
    size_t              i, j;
    const tgi_bound_t  *bound;

    for (i = 0; i < ranges->n; i++) {
        all = true;

        for (j = 0; j < ranges->items[i].n; j++) {
            bound = &ranges->items[i].bounds[j];
            all = all && naive_op(bound->op, value
                                  - version_value(bound->version.parts));
        }

        if (all) {
            return true;
        }
    }

    return false;
}


static bool
naive_version(const tg_rule_t *rule, const tgi_ranges_t *ranges, bool known,
    tg_str_t version)
{
    char    *end, buf[50];
    double   value;

    if (!known || version.len == 0
        || !isdigit((unsigned char) version.data[0]))
    {
        return rule->kind == TG_RULE_DENY;
    }

    c_string(version, buf, sizeof(buf));
    value = (double) strtoumax(buf, &end, 10) * 1000;

    if (end[0] == '.') {
        value += (double) strtoumax(end + 1, &end, 10);
    }

    /* a third part lies between the values of two */

    return naive_ranges(ranges, end[0] == '.' ? value + 0.5 : value);
}


static bool
naive_os(const tg_rule_t *rule, const naive_t *naive)
{
    size_t  i;

    if (!naive->known || naive->person->identity.os.len == 0) {
        return rule->kind == TG_RULE_DENY;
    }

    for (i = 0; i < rule->os.n; i++) {
        if (is_word(rule->os.items[i], naive->person->identity.os)) {
            return true;
        }
    }

    return false;
}


static bool
naive_key(const tg_rule_t *rule, const naive_t *naive)
{
    int64_t  expiry;

    if (!naive->known) {
        return rule->kind == TG_RULE_DENY;
    }

    expiry = naive->person->identity.key_expiry;

    if (expiry == 0) {
        return naive_ranges(&rule->key_expires_in, 1e18);
    }

    expiry -= naive->request->now;

    return naive_ranges(&rule->key_expires_in,
                        (double) (expiry > 0 ? expiry : 0) * 1000);
}


static bool
naive_via(const tg_rule_t *rule, const naive_t *naive)
{
    size_t    i;
    tg_via_t  via;

    via = naive->request->via;

    if (naive->known && (naive->person->identity.traits & TG_TRAIT_FUNNEL)) {
        via = TG_VIA_FUNNEL;
    }

    if (rule->via & (via == TG_VIA_DIRECT ? TGI_VIA_DIRECT
                     : via == TG_VIA_SERVICE ? TGI_VIA_SERVICE
                     : TGI_VIA_FUNNEL))
    {
        return true;
    }

    for (i = 0; via == TG_VIA_SERVICE && i < rule->services.n; i++) {
        if (is_text(naive->request->service, rule->services.items[i].data)) {
            return true;
        }
    }

    return false;
}


static bool
naive_what(const tg_rule_t *rule, const naive_t *naive)
{
    bool    fits, read;
    size_t  i;

    if (rule->conditions & TGI_IF_HOST) {
        fits = false;

        for (i = 0; i < rule->nhosts; i++) {
            fits = fits || naive_host(&rule->hosts[i], naive->host);
        }

        if (!fits) {
            return false;
        }
    }

    if (rule->conditions & TGI_IF_PATH) {
        fits = false;

        for (i = 0; i < rule->npaths; i++) {
            fits = fits || naive_path(&rule->paths[i], naive->path);
        }

        if (!fits) {
            return false;
        }
    }

    if (rule->conditions & TGI_IF_METHOD) {
        read = strcmp(naive->method, "GET") == 0
               || strcmp(naive->method, "HEAD") == 0
               || strcmp(naive->method, "OPTIONS") == 0;
        fits = (rule->method_classes
                & (read ? TGI_METHOD_READ : TGI_METHOD_WRITE)) != 0;

        for (i = 0; i < rule->methods.n; i++) {
            fits = fits || is_text(rule->methods.items[i], naive->method);
        }

        if (!fits) {
            return false;
        }
    }

    if ((rule->conditions & TGI_IF_FROM) && naive->request->now < rule->from) {
        return false;
    }

    return !(rule->conditions & TGI_IF_UNTIL)
           || naive->request->now < rule->until;
}


static bool
naive_who(const tg_rule_t *rule, const naive_t *naive)
{
    bool      fits;
    size_t    i, j;
    uint32_t  has, conditions;

    const tg_identity_t  *identity = &naive->person->identity;

    conditions = rule->conditions;
    has = naive->has;

    if ((conditions & TGI_IF_USER) && !naive_users(&rule->users, naive)) {
        return false;
    }

    if ((conditions & TGI_IF_GROUP) && !naive_groups(rule, naive)) {
        return false;
    }

    if (conditions & TGI_IF_TAG) {
        fits = false;

        for (i = 0; i < rule->tags.n; i++) {
            for (j = 0; j < identity->tags.n; j++) {
                fits = fits || is_text(rule->tags.items[i],
                                       identity->tags.items[j].data);
            }
        }

        if (!fits) {
            return false;
        }
    }

    if ((conditions & TGI_IF_NODE) && !naive_nodes(rule, naive)) {
        return false;
    }

    if (conditions & TGI_IF_TAILNET) {
        fits = false;

        for (i = 0; i < rule->tailnets.n; i++) {
            fits = fits || same_tailnet(rule->tailnets.items[i],
                                        identity->tailnet);
        }

        if (!fits) {
            return false;
        }
    }

    if (conditions & TGI_IF_AUTOGROUP) {
        fits = ((rule->autogroups & TG_TRAIT_MEMBER)
                && (has & TG_TRAIT_MEMBER) && !(has & TG_TRAIT_TAGGED))
               || ((rule->autogroups & TG_TRAIT_TAGGED)
                   && (has & TG_TRAIT_TAGGED))
               || ((rule->autogroups & TG_TRAIT_SHARED)
                   && (has & TG_TRAIT_SHARED));

        if (!fits) {
            return false;
        }
    }

    return !(conditions & TGI_IF_CAPABILITY)
           || (naive->known && naive_capability(rule, naive));
}


static bool
naive_rule(const tg_rule_t *rule, const naive_t *naive)
{
    uint32_t              conditions;
    const tg_identity_t  *identity;

    conditions = rule->conditions;
    identity = &naive->person->identity;

    if (rule->kind == TG_RULE_ALLOW
        && (!naive->known || (naive->has & ~rule->opens) != 0))
    {
        return false;
    }

    if (!naive_who(rule, naive) || !naive_what(rule, naive)) {
        return false;
    }

    if ((conditions & TGI_IF_OS) && !naive_os(rule, naive)) {
        return false;
    }

    if ((conditions & TGI_IF_OS_VERSION)
        && !naive_version(rule, &rule->os_versions, naive->known,
                          identity->os_version))
    {
        return false;
    }

    if ((conditions & TGI_IF_CLIENT_VERSION)
        && !naive_version(rule, &rule->client_versions, naive->known,
                          identity->client_version))
    {
        return false;
    }

    if ((conditions & TGI_IF_KEY_EXPIRES_IN) && !naive_key(rule, naive)) {
        return false;
    }

    return !(conditions & TGI_IF_VIA) || naive_via(rule, naive);
}


#endif /* T_POLICY_NAIVE_RULE_H_INCLUDED_ */
