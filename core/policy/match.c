
/*
 * Copyright (C) The Tailgate authors
 *
 * One rule against one peer and request.  What is not known about a peer
 * satisfies no allow and no require, and any deny.
 */

#include "core/policy/match.h"

#include "core/policy/caps.h"
#include "core/policy/gate.h"
#include "core/policy/index.h"

#include <string.h>


/* More than these are looked up. */

#define FEW_MEMBERS  8

#define IS(text, literal)                                                     \
    ((text).len == sizeof(literal) - 1                                        \
     && memcmp((text).data, literal, sizeof(literal) - 1) == 0)


uint32_t
tgi_method_class(tg_str_t method)
{
    return IS(method, "GET") || IS(method, "HEAD") || IS(method, "OPTIONS")
           ? TGI_METHOD_READ : TGI_METHOD_WRITE;
}


/*
 * RFC 9110 9.1 tells methods apart by case, but there are apps that do not: a
 * "delete" would pass a deny of DELETE and be one.  No method has lower case,
 * and nginx refuses it.
 */

static bool
is_method(tg_str_t method)
{
    size_t  i;

    for (i = 0; i < method.len; i++) {
        if (method.data[i] >= 'a' && method.data[i] <= 'z') {
            return false;
        }
    }

    return method.len > 0;
}


static uint32_t
via_of(const tg_peer_t *peer, const tg_request_t *request)
{
    if (peer->identity != NULL && (peer->identity->traits & TG_TRAIT_FUNNEL)) {
        return TGI_VIA_FUNNEL;
    }

    switch (request->via) {

    case TG_VIA_DIRECT:
        return TGI_VIA_DIRECT;

    case TG_VIA_SERVICE:
        return TGI_VIA_SERVICE;

    default:
        return TGI_VIA_FUNNEL;
    }
}


/*
 * The traits by which rules judge: a peer of none of the tailnets whose people
 * are members is one of somebody else's.
 */

static uint32_t
traits_of(const tg_policy_t *file, const tg_peer_t *peer)
{
    uint32_t         has;
    const tg_list_t *tailnets;

    static const tg_list_t  none = { NULL, 0 };

    has = peer->identity->traits;
    tailnets = (file != NULL) ? &file->tailnets : &none;

    if (tgi_gate_tailnet(tailnets->items, tailnets->n, peer->identity,
                         peer->self, &has)
        != NULL)
    {
        has &= ~TG_TRAIT_MEMBER;
        has |= TG_TRAIT_SHARED;
    }

    return has;
}


static tg_str_t
domain_of(tg_str_t login)
{
    tg_str_t     domain = TG_NULL_STR;
    const char  *at;

    at = (login.len > 0) ? memrchr(login.data, '@', login.len) : NULL;

    if (at != NULL) {
        domain.data = at + 1;
        domain.len = login.len - (size_t) (domain.data - login.data);
    }

    return domain;
}


bool
tgi_subject_init(tgi_subject_t *subject, const tg_policy_t *file,
    const tg_peer_t *peer, const tg_request_t *request)
{
    tg_str_t              path;
    const tg_identity_t  *identity;

    identity = peer->identity;

    if (identity != NULL && identity->status != peer->status) {
        identity = NULL;
    }

    subject->peer = peer;
    subject->identity = identity;
    subject->request = request;
    subject->has = 0;
    subject->domain = (tg_str_t) TG_NULL_STR;
    subject->groups = (file != NULL) ? file->group_index : NULL;
    subject->nhosts = 0;
    subject->npaths = 0;
    subject->method_class = tgi_method_class(request->method);
    subject->via = via_of(peer, request);

    if (identity != NULL) {
        subject->has = traits_of(file, peer);
        subject->domain = domain_of(identity->login);
    }

    path = request->path;

    return tgi_host_canonical(request->host, subject->host_buf,
                              &subject->host)
           && is_method(request->method)
           && path.len > 0 && path.len <= TG_PATH_MAX && path.data[0] == '/'
           && memchr(path.data, '\0', path.len) == NULL;
}


/* A tagged node is nobody's, whatever its JSON says. */

static bool
is_person(const tgi_subject_t *subject)
{
    return subject->identity != NULL && subject->identity->login.len > 0
           && !(subject->has & TG_TRAIT_TAGGED);
}


static bool
list_has(const tg_list_t *list, tg_str_t item)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        if (tgi_str_equal(list->items[i], item)) {
            return true;
        }
    }

    return false;
}


static bool
list_has_nocase(const tg_list_t *list, tg_str_t item)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        if (tgi_str_equal_nocase(list->items[i], item)) {
            return true;
        }
    }

    return false;
}


bool
tgi_is_domain(tg_str_t user, tg_str_t *domain)
{
    if (user.len < 3 || user.data[0] != '*' || user.data[1] != '@') {
        return false;
    }

    domain->data = user.data + 2;
    domain->len = user.len - 2;

    return true;
}


bool
tgi_user_match(tg_str_t user, const tgi_subject_t *subject)
{
    tg_str_t  domain;

    if (tgi_is_domain(user, &domain)) {
        return tgi_str_equal_nocase(domain, subject->domain);
    }

    return tgi_str_equal_nocase(user, subject->identity->login);
}


static bool
users_match(const tg_list_t *users, const tgi_subject_t *subject)
{
    size_t  i;

    for (i = 0; i < users->n; i++) {
        if (tgi_user_match(users->items[i], subject)) {
            return true;
        }
    }

    return false;
}


bool
tgi_group_match(const tgi_group_t *group, const tgi_subject_t *subject)
{
    bool  member;

    if (!is_person(subject)) {
        return false;
    }

    if (group->members.n > FEW_MEMBERS && subject->groups != NULL
        && tgi_group_index_find(subject->groups, group, subject, &member))
    {
        return member;
    }

    return users_match(&group->members, subject);
}


/* "eng" and "group:eng" are the same. */

tg_str_t
tgi_group_name(tg_str_t group)
{
    static const tg_str_t  prefix = TG_STR("group:");

    if (group.len > prefix.len
        && memcmp(group.data, prefix.data, prefix.len) == 0)
    {
        group.data += prefix.len;
        group.len -= prefix.len;
    }

    return group;
}


static bool
in_tailnet_groups(const tg_list_t *wanted, const tg_list_t *groups)
{
    size_t  i, j;

    for (i = 0; i < wanted->n; i++) {
        for (j = 0; j < groups->n; j++) {
            if (tgi_str_equal(tgi_group_name(wanted->items[i]),
                              tgi_group_name(groups->items[j])))
            {
                return true;
            }
        }
    }

    return false;
}


static bool
groups_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t  i;

    if (!is_person(subject)) {
        return false;
    }

    for (i = 0; i < rule->ngroups; i++) {
        if (tgi_group_match(rule->groups[i], subject)) {
            return true;
        }
    }

    return in_tailnet_groups(&rule->tailnet_groups,
                             &subject->identity->groups);
}


static bool
tags_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t           i;
    const tg_list_t *tags;

    if (!(subject->has & TG_TRAIT_TAGGED)) {
        return false;
    }

    tags = &subject->identity->tags;

    for (i = 0; i < tags->n; i++) {
        if (list_has(&rule->tags, tags->items[i])) {
            return true;
        }
    }

    return false;
}


/*
 * Whether text can be nothing but a StableID: "nFsZ2CNTRL" of Tailscale's
 * control server, a number of headscale's.  Names are in lower case.
 */

static bool
is_stable_id(tg_str_t text)
{
    size_t  i;

    static const tg_str_t  end = TG_STR("CNTRL");

    if (text.len > end.len
        && memcmp(text.data + text.len - end.len, end.data, end.len) == 0)
    {
        return true;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }

    return text.len > 0;
}


/*
 * People name their own machines: one that is called like another's StableID
 * is not that machine.  A deny takes it for what it may be.
 */

static bool
names_node(const tg_rule_t *rule, tg_str_t name)
{
    size_t  i;

    for (i = 0; i < rule->nodes.n; i++) {
        if (tgi_str_equal_nocase(rule->nodes.items[i], name)
            && (rule->kind == TG_RULE_DENY
                || !is_stable_id(rule->nodes.items[i])))
        {
            return true;
        }
    }

    return false;
}


/*
 * Who shares a node with us has chosen its first label: it is a name among our
 * own nodes only.  A deny takes it for what it may be.
 */

static bool
nodes_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    tg_str_t              label;
    const char           *dot;
    const tg_identity_t  *identity;

    identity = subject->identity;

    if (identity == NULL) {
        return false;
    }

    if (identity->node_id.len > 0
        && list_has(&rule->nodes, identity->node_id))
    {
        return true;
    }

    label = identity->node;

    if (label.len == 0) {
        return false;
    }

    if (names_node(rule, label)) {
        return true;
    }

    dot = memchr(label.data, '.', label.len);

    if (dot == NULL || dot == label.data
        || ((subject->has & TG_TRAIT_SHARED) && rule->kind != TG_RULE_DENY))
    {
        return false;
    }

    label.len = (size_t) (dot - label.data);

    return names_node(rule, label);
}


static bool
tailnets_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t  i;

    if (subject->identity == NULL) {
        return false;
    }

    for (i = 0; i < rule->tailnets.n; i++) {
        if (tgi_tailnet_equal(rule->tailnets.items[i],
                              subject->identity->tailnet))
        {
            return true;
        }
    }

    return false;
}


static bool
autogroups_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    uint32_t  has;

    has = subject->has;

    if (has & TG_TRAIT_TAGGED) {
        has &= ~TG_TRAIT_MEMBER;
    }

    return (rule->autogroups & has) != 0;
}


static bool
capability_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t              i, j;
    const tgi_value_t  *grants;

    if (subject->identity == NULL) {
        return false;
    }

    for (i = 0; i < rule->capabilities.n; i++) {
        grants = tgi_caps_find(subject->peer->caps,
                               rule->capabilities.items[i]);
        if (grants == NULL) {
            continue;
        }

        if (rule->nwhere == 0) {
            return true;
        }

        for (j = 0; j < grants->n; j++) {
            if (tgi_where_match(rule->where, rule->nwhere,
                                &grants->u.items[j]))
            {
                return true;
            }
        }
    }

    return false;
}


static bool
os_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    if (subject->identity == NULL || subject->identity->os.len == 0) {
        return rule->kind == TG_RULE_DENY;
    }

    return list_has_nocase(&rule->os, subject->identity->os);
}


static bool
version_match(const tg_rule_t *rule, const tgi_ranges_t *ranges, tg_str_t text)
{
    tgi_version_t  version;

    if (!tgi_version_parse(text, &version)) {
        return rule->kind == TG_RULE_DENY;
    }

    return tgi_ranges_match(ranges, &version);
}


static bool
os_version_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    tg_str_t  text = TG_NULL_STR;

    if (subject->identity != NULL) {
        text = subject->identity->os_version;
    }

    return version_match(rule, &rule->os_versions, text);
}


static bool
client_version_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    tg_str_t  text = TG_NULL_STR;

    if (subject->identity != NULL) {
        text = subject->identity->client_version;
    }

    return version_match(rule, &rule->client_versions, text);
}


/* A key that never expires is later than any time that can be named. */

static bool
key_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    int64_t        expiry, now;
    tgi_version_t  left;

    if (subject->identity == NULL) {
        return rule->kind == TG_RULE_DENY;
    }

    memset(&left, 0, sizeof(left));
    expiry = subject->identity->key_expiry;
    now = subject->request->now;

    if (expiry == 0) {
        left.parts[0] = UINT64_MAX;

    } else if (expiry > now) {
        left.parts[0] = (uint64_t) expiry - (uint64_t) now;
    }

    return tgi_ranges_match(&rule->key_expires_in, &left);
}


static bool
via_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    if (rule->via & subject->via) {
        return true;
    }

    return subject->via == TGI_VIA_SERVICE
           && subject->request->service.len > 0
           && list_has(&rule->services, subject->request->service);
}


static bool
hosts_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t  i;

    for (i = 0; i < rule->nhosts; i++) {
        if (tgi_host_match(&rule->hosts[i], subject->host)) {
            return true;
        }
    }

    return false;
}


static bool
paths_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    size_t  i;

    for (i = 0; i < rule->npaths; i++) {
        if (tgi_path_match(&rule->paths[i], subject->request->path)) {
            return true;
        }
    }

    return false;
}


bool
tgi_condition_holds(const tg_rule_t *rule, const tgi_subject_t *subject,
    uint32_t condition)
{
    switch (condition) {

    case TGI_IF_USER:
        return is_person(subject) && users_match(&rule->users, subject);

    case TGI_IF_GROUP:
        return groups_match(rule, subject);

    case TGI_IF_TAG:
        return tags_match(rule, subject);

    case TGI_IF_NODE:
        return nodes_match(rule, subject);

    case TGI_IF_TAILNET:
        return tailnets_match(rule, subject);

    case TGI_IF_AUTOGROUP:
        return autogroups_match(rule, subject);

    case TGI_IF_CAPABILITY:
        return capability_match(rule, subject);

    case TGI_IF_OS:
        return os_match(rule, subject);

    case TGI_IF_OS_VERSION:
        return os_version_match(rule, subject);

    case TGI_IF_CLIENT_VERSION:
        return client_version_match(rule, subject);

    case TGI_IF_KEY_EXPIRES_IN:
        return key_match(rule, subject);

    case TGI_IF_VIA:
        return via_match(rule, subject);

    case TGI_IF_FROM:
        return subject->request->now >= rule->from;

    case TGI_IF_UNTIL:
        return subject->request->now < rule->until;

    case TGI_IF_HOST:
        return hosts_match(rule, subject);

    case TGI_IF_PATH:
        return paths_match(rule, subject);

    case TGI_IF_METHOD:
        return (rule->method_classes & subject->method_class)
               || list_has(&rule->methods, subject->request->method);

    default:
        return false;
    }
}


bool
tgi_rule_opens(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    return subject->has != 0 && (subject->has & ~rule->opens) == 0;
}


bool
tgi_rule_match(const tg_rule_t *rule, const tgi_subject_t *subject)
{
    uint32_t  left;

    if (rule->kind == TG_RULE_ALLOW && !tgi_rule_opens(rule, subject)) {
        return false;
    }

    for (left = rule->conditions; left != 0; left &= left - 1) {
        if (!tgi_condition_holds(rule, subject, left & (~left + 1))) {
            return false;
        }
    }

    return true;
}
