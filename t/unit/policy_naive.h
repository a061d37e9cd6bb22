
/*
 * Copyright (C) The Tailgate authors
 *
 * The decision once more, written from docs/policy.md alone: no index, no
 * function of core/policy, no thought of speed.
 */

#ifndef T_POLICY_NAIVE_H_INCLUDED_
#define T_POLICY_NAIVE_H_INCLUDED_

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

typedef struct {
    tg_verdict_t         verdict;
    tg_policy_reason_t   reason;
    const tgi_route_t   *route;
    const char          *rule;
    size_t               rule_len;
} naive_decision_t;


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

        if (!json_is_array(grants)) {
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


/* "Best" as a number: what is compared first weighs most. */

static uint64_t
host_weight(const tgi_host_t *host)
{
    return host->kind == TGI_HOST_EXACT ? 1000
           : host->kind == TGI_HOST_WILDCARD ? 1 + host->text.len : 0;
}


static uint64_t
path_weight(const tgi_path_t *path)
{
    uint64_t  kind;

    kind = path->kind == TGI_PATH_EXACT ? 2 : path->kind == TGI_PATH_GLOB;

    return ((uint64_t) path->literal * 3 + kind) * 1000 + path->text.len;
}


static const tgi_route_t *
naive_route(const tg_policy_t *policy, const naive_t *naive)
{
    size_t              i, j, k;
    uint64_t            weight, best;
    const tgi_route_t  *route, *found;

    best = 0;
    found = NULL;

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        for (j = 0; j < route->nhosts; j++) {
            for (k = 0; k < route->npaths; k++) {
                if (!naive_host(&route->hosts[j], naive->host)
                    || !naive_path(&route->paths[k], naive->path))
                {
                    continue;
                }

                weight = host_weight(&route->hosts[j]) << 40
                         | (path_weight(&route->paths[k]) + 1);

                if (weight > best) {
                    best = weight;
                    found = route;
                }
            }
        }
    }

    return found;
}


/* A grant as one of "grants:", read by the letter of docs/policy.md. */

static bool
naive_grant_list(json_t *list, const char *key, const naive_t *naive)
{
    bool         fits;
    size_t       i;
    json_t      *item;
    tgi_host_t   host;
    tgi_path_t   path;
    const char  *word;

    fits = false;

    for (i = 0; i < (json_is_array(list) ? json_array_size(list) : 1); i++) {
        item = json_is_array(list) ? json_array_get(list, i) : list;
        word = json_string_value(item);

        if (strcmp(key, "hosts") == 0) {
            host.kind = word[0] == '*' ? TGI_HOST_WILDCARD : TGI_HOST_EXACT;
            host.text = text(word + (word[0] == '*'));
            fits = fits || naive_host(&host, naive->host);

        } else if (strcmp(key, "paths") == 0) {
            path.kind = word[0] == '=' ? TGI_PATH_EXACT
                        : strchr(word, '*') ? TGI_PATH_GLOB : TGI_PATH_PREFIX;
            path.text = text(word + (word[0] == '=' ? 2 : 0));
            fits = fits || naive_path(&path, naive->path);

        } else {
            fits = fits || strcmp(word, "read") != 0
                   || strcmp(naive->method, "GET") == 0
                   || strcmp(naive->method, "HEAD") == 0;
        }
    }

    return fits;
}


static bool
naive_grants(const tg_policy_t *policy, const naive_t *naive)
{
    bool         fits;
    size_t       i;
    json_t      *grants, *grant, *field;
    const char  *key;

    if (policy->grants.len == 0 || !naive->known
        || (naive->has & ~(TG_TRAIT_MEMBER|TG_TRAIT_TAGGED)))
    {
        return false;
    }

    grants = json_object_get(naive->person->caps, "g");

    json_array_foreach(grants, i, grant) {
        fits = json_is_object(grant);

        json_object_foreach(grant, key, field) {
            if (strcmp(key, "hosts") == 0 || strcmp(key, "paths") == 0
                || strcmp(key, "methods") == 0)
            {
                fits = fits && naive_grant_list(field, key, naive);

            } else if (strcmp(key, "role") != 0) {
                fits = false;
            }
        }

        if (fits) {
            return true;
        }
    }

    return false;
}


static const tg_rule_t *
naive_first(const tgi_rules_t *rules, const naive_t *naive, bool matching)
{
    size_t  i;

    for (i = 0; i < rules->n; i++) {
        if (naive_rule(rules->items[i], naive) == matching) {
            return rules->items[i];
        }
    }

    return NULL;
}


static naive_decision_t
naive_deny(tg_policy_reason_t reason, const tgi_route_t *route,
    const tg_rule_t *rule)
{
    naive_decision_t  decision = { TG_DENY, reason, route, "", 0 };

    if (rule != NULL) {
        decision.rule = rule->id.data;
        decision.rule_len = rule->id.len;
    }

    return decision;
}


static bool
naive_start(naive_t *naive, const tg_policy_t *file, const person_t *person,
    const tg_request_t *request)
{
    bool    listed, own;
    size_t  i;

    memset(naive, 0, sizeof(naive_t));
    naive->person = person;
    naive->request = request;
    naive->known = person->peer.identity != NULL;
    naive->has = person->identity.traits;

    c_string(person->identity.login, naive->login, sizeof(naive->login));
    c_string(request->method, naive->method, sizeof(naive->method));
    c_string(request->path, naive->path, sizeof(naive->path));
    c_string(request->host, naive->host, sizeof(naive->host));

    own = person->peer.self != NULL
          && same_tailnet(person->identity.tailnet, text(SELF_TAILNET));
    listed = false;

    for (i = 0; file != NULL && i < file->tailnets.n; i++) {
        listed = listed || same_tailnet(file->tailnets.items[i],
                                        person->identity.tailnet);
    }

    if (!naive->known) {
        naive->has = 0;

    } else if (file != NULL && file->tailnets.n > 0) {

        if (!listed) {
            naive->has = (naive->has & ~TG_TRAIT_MEMBER) | TG_TRAIT_SHARED;

        } else if ((naive->has & TG_TRAIT_SHARED) && !own) {
            naive->has &= ~TG_TRAIT_SHARED;
            naive->has |= naive->has & TG_TRAIT_TAGGED ? 0 : TG_TRAIT_MEMBER;
        }

    } else if (!own) {
        naive->has = (naive->has & ~TG_TRAIT_MEMBER) | TG_TRAIT_SHARED;
    }

    for (i = 0; naive->host[i] != '\0'; i++) {
        naive->host[i] = (char) tolower((unsigned char) naive->host[i]);
    }

    naive->host[strcspn(naive->host, ":")] = '\0';
    i = strlen(naive->host);

    if (i > 0 && naive->host[i - 1] == '.') {
        naive->host[i - 1] = '\0';
    }

    return strchr(naive->host, ' ') == NULL && naive->path[0] == '/';
}


/* The raw paths of these tests are either like the path or ambiguous. */

static bool
naive_ambiguous(const tg_request_t *request)
{
    return !is_text(request->raw_path, "")
           && request->raw_path.data != request->path.data;
}


static bool
naive_refuse(const tg_policy_t *file, const tg_inline_t *rules,
    const tgi_route_t *route, const naive_t *naive, naive_decision_t *decision)
{
    size_t            i;
    const tg_rule_t  *rule;

    const struct {
        bool                use;
        bool                raw_path;
        bool                override;
        const tgi_rules_t  *deny;
        const tgi_rules_t  *require;
    } parts[] = {
        { file != NULL, false, false,
          file ? &file->always_deny : NULL,
          file ? &file->always_require : NULL },
        { route != NULL, route && !route->raw_path,
          route && route->refuse_override,
          route ? &route->deny : NULL, route ? &route->require : NULL },
        { file != NULL && route == NULL && file->grants.len > 0, true, false,
          NULL, NULL },
        { rules != NULL, rules && !rules->raw_path, false,
          rules ? &rules->deny : NULL, rules ? &rules->require : NULL }
    };

    for (i = 0; i < NELTS(parts); i++) {
        if (!parts[i].use) {
            continue;
        }

        if (parts[i].raw_path && naive_ambiguous(naive->request)) {
            *decision = naive_deny(TG_POLICY_REASON_RAW_PATH, route, NULL);
            return true;
        }

        if (parts[i].override && naive->request->method_override) {
            *decision = naive_deny(TG_POLICY_REASON_METHOD_OVERRIDE, route,
                                   NULL);
            return true;
        }

        if (parts[i].deny == NULL) {
            continue;
        }

        rule = naive_first(parts[i].deny, naive, true);

        if (rule != NULL) {
            *decision = naive_deny(TG_POLICY_REASON_DENIED, route, rule);
            return true;
        }

        rule = naive_first(parts[i].require, naive, false);

        if (rule != NULL) {
            *decision = naive_deny(TG_POLICY_REASON_REQUIRED, route, rule);
            return true;
        }
    }

    return false;
}


/* Not where the built-in rule decides. */

static naive_decision_t
naive_decide(const tg_policy_t *file, const tg_inline_t *rules,
    const person_t *person, const tg_request_t *request)
{
    naive_t             naive;
    const tg_rule_t    *by_file, *by_inline;
    naive_decision_t    decision;
    const tgi_route_t  *route;

    if (person->peer.status == TG_STATUS_UNAVAILABLE) {
        decision = naive_deny(TG_POLICY_REASON_UNAVAILABLE, NULL, NULL);
        decision.verdict = TG_UNAVAILABLE;
        return decision;
    }

    if (!naive_start(&naive, file, person, request)) {
        return naive_deny(TG_POLICY_REASON_BAD_REQUEST, NULL, NULL);
    }

    route = file != NULL && file->has_routes ? naive_route(file, &naive)
                                             : NULL;

    if (naive_refuse(file, rules, route, &naive, &decision)) {
        return decision;
    }

    if (!naive.known) {
        return naive_deny(TG_POLICY_REASON_STRANGER, route, NULL);
    }

    if ((naive.has & TG_TRAITS_NEVER) || request->via == TG_VIA_FUNNEL) {
        return naive_deny(TG_POLICY_REASON_PEER, route, NULL);
    }

    decision = naive_deny(TG_POLICY_REASON_ALLOWED, route, NULL);
    decision.verdict = TG_ALLOW;

    if (file != NULL && (file->has_routes || rules == NULL)) {
        by_file = route != NULL ? naive_first(&route->allow, &naive, true)
                                : NULL;

        if (by_file != NULL) {
            decision.rule = by_file->id.data;
            decision.rule_len = by_file->id.len;

        } else if (naive_grants(file, &naive)) {
            decision.rule = "grants";
            decision.rule_len = 6;

        } else {
            return naive_deny(route != NULL ? TG_POLICY_REASON_NO_ALLOW
                                            : TG_POLICY_REASON_NO_ROUTE,
                              route, NULL);
        }
    }

    if (rules != NULL && (rules->allow.n > 0 || !file->has_routes)) {
        by_inline = naive_first(&rules->allow, &naive, true);

        if (by_inline == NULL) {
            return naive_deny(TG_POLICY_REASON_NO_ALLOW, route, NULL);
        }

        if (decision.rule_len == 0) {
            decision.rule = by_inline->id.data;
            decision.rule_len = by_inline->id.len;
        }
    }

    return decision;
}


#endif /* T_POLICY_NAIVE_H_INCLUDED_ */
