
/*
 * Copyright (C) The Tailgate authors
 *
 * What rules are found by, on both sides: keys of a rule, keys of a subject.
 * Whatever satisfies a condition has one of the condition's keys.
 */

#include "core/policy/index.h"

#include <string.h>


/* Seeds, so that a tag is no login. */

#define SEED(by)    ((uint64_t) (by) + 1)
#define SEED_CLASS  (SEED(TGI_BY_MAX) + 1)
#define SEED_NAMED  (SEED(TGI_BY_MAX) + 2)
#define SEED_DOMAIN (SEED(TGI_BY_MAX) + 3)

/* Of an operating system that is not known, which a deny takes for any. */

#define KEY_UNKNOWN  UINT64_C(0x756e6b6e6f776e21)


uint64_t
tgi_key_of_user(tg_str_t user)
{
    tg_str_t  domain;

    if (tgi_is_domain(user, &domain)) {
        return tgi_key_of_domain(domain);
    }

    return tgi_hash_nocase(SEED(TGI_BY_USER), user);
}


uint64_t
tgi_key_of_domain(tg_str_t domain)
{
    return tgi_hash_nocase(SEED_DOMAIN, domain);
}


static uint64_t
key_of_list_item(tgi_by_t by, tg_str_t item)
{
    switch (by) {

    case TGI_BY_USER:
        return tgi_key_of_user(item);

    case TGI_BY_NODE:
    case TGI_BY_OS:
        return tgi_hash_nocase(SEED(by), item);

    case TGI_BY_TAILNET:
        if (item.len > 0 && item.data[item.len - 1] == '.') {
            item.len--;
        }

        return tgi_hash_nocase(SEED(by), item);

    default:
        return tgi_hash(SEED(by), item);
    }
}


static size_t
keys_of_list(tgi_by_t by, const tg_list_t *list, uint64_t *keys)
{
    size_t  i;

    for (i = 0; keys != NULL && i < list->n; i++) {
        keys[i] = key_of_list_item(by, list->items[i]);
    }

    return list->n;
}


static uint64_t
key_of_tailnet_group(tg_str_t name)
{
    return tgi_hash(SEED_NAMED, tgi_group_name(name));
}


static size_t
keys_of_groups(const tg_rule_t *rule, uint64_t *keys)
{
    size_t  i;

    for (i = 0; keys != NULL && i < rule->ngroups; i++) {
        keys[i] = tgi_hash_number(SEED(TGI_BY_GROUP), rule->groups[i]->index);
    }

    for (i = 0; keys != NULL && i < rule->tailnet_groups.n; i++) {
        keys[rule->ngroups + i]
            = key_of_tailnet_group(rule->tailnet_groups.items[i]);
    }

    return rule->ngroups + rule->tailnet_groups.n;
}


static size_t
keys_of_hosts(const tg_rule_t *rule, uint64_t *keys)
{
    size_t  i;

    for (i = 0; i < rule->nhosts; i++) {
        if (rule->hosts[i].kind == TGI_HOST_ANY) {
            return 0;
        }

        if (keys != NULL) {
            keys[i] = tgi_hash_number(SEED(TGI_BY_HOST),
                                      tgi_hash_host_pattern(&rule->hosts[i]));
        }
    }

    return rule->nhosts;
}


static size_t
keys_of_paths(const tg_rule_t *rule, uint64_t *keys)
{
    size_t  i;

    for (i = 0; keys != NULL && i < rule->npaths; i++) {
        keys[i] = tgi_hash_number(SEED(TGI_BY_PATH),
                                  tgi_hash_path_pattern(&rule->paths[i]));
    }

    return rule->npaths;
}


static size_t
keys_of_methods(const tg_rule_t *rule, uint64_t *keys)
{
    size_t    n;
    uint32_t  left;

    n = keys_of_list(TGI_BY_METHOD, &rule->methods, keys);

    for (left = rule->method_classes; left != 0; left &= left - 1) {
        if (keys != NULL) {
            keys[n] = tgi_hash_number(SEED_CLASS, left & (~left + 1));
        }

        n++;
    }

    return n;
}


static size_t
keys_of_os(const tg_rule_t *rule, uint64_t *keys)
{
    size_t  n;

    n = keys_of_list(TGI_BY_OS, &rule->os, keys);

    if (rule->kind == TG_RULE_DENY) {
        if (keys != NULL) {
            keys[n] = KEY_UNKNOWN;
        }

        n++;
    }

    return n;
}


size_t
tgi_rule_hashes(const tg_rule_t *rule, tgi_by_t by, uint64_t *keys)
{
    static const uint32_t  conditions[TGI_BY_MAX] = {
        [TGI_BY_USER] = TGI_IF_USER,
        [TGI_BY_NODE] = TGI_IF_NODE,
        [TGI_BY_TAG] = TGI_IF_TAG,
        [TGI_BY_GROUP] = TGI_IF_GROUP,
        [TGI_BY_CAPABILITY] = TGI_IF_CAPABILITY,
        [TGI_BY_TAILNET] = TGI_IF_TAILNET,
        [TGI_BY_HOST] = TGI_IF_HOST,
        [TGI_BY_PATH] = TGI_IF_PATH,
        [TGI_BY_METHOD] = TGI_IF_METHOD,
        [TGI_BY_OS] = TGI_IF_OS
    };

    if (!(rule->conditions & conditions[by])) {
        return 0;
    }

    switch (by) {

    case TGI_BY_USER:
        return keys_of_list(by, &rule->users, keys);

    case TGI_BY_NODE:
        return keys_of_list(by, &rule->nodes, keys);

    case TGI_BY_TAG:
        return keys_of_list(by, &rule->tags, keys);

    case TGI_BY_GROUP:
        return keys_of_groups(rule, keys);

    case TGI_BY_CAPABILITY:
        return keys_of_list(by, &rule->capabilities, keys);

    case TGI_BY_TAILNET:
        return keys_of_list(by, &rule->tailnets, keys);

    case TGI_BY_HOST:
        return keys_of_hosts(rule, keys);

    case TGI_BY_PATH:
        return keys_of_paths(rule, keys);

    case TGI_BY_METHOD:
        return keys_of_methods(rule, keys);

    case TGI_BY_OS:
        return keys_of_os(rule, keys);

    default:
        return 0;
    }
}


static void
give_list(const tg_list_t *list, tgi_by_t by, tgi_key_pt found, void *ctx)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        found(ctx, key_of_list_item(by, list->items[i]));
    }
}


static void
give_user(const tgi_subject_t *subject, tgi_key_pt found, void *ctx)
{
    tg_str_t  login;

    login = subject->identity->login;

    if (login.len == 0) {
        return;
    }

    found(ctx, tgi_key_of_user(login));

    if (subject->domain.len > 0) {
        found(ctx, tgi_key_of_domain(subject->domain));
    }
}


static void
give_node(const tgi_subject_t *subject, tgi_key_pt found, void *ctx)
{
    tg_str_t     node;
    const char  *dot;

    node = subject->identity->node;

    found(ctx, key_of_list_item(TGI_BY_NODE, subject->identity->node_id));
    found(ctx, key_of_list_item(TGI_BY_NODE, node));

    dot = node.len > 0 ? memchr(node.data, '.', node.len) : NULL;

    if (dot != NULL) {
        node.len = (size_t) (dot - node.data);
        found(ctx, key_of_list_item(TGI_BY_NODE, node));
    }
}


static void
give_groups(const tgi_subject_t *subject, tgi_key_pt found, void *ctx)
{
    size_t                    i, n;
    tgi_group_iter_t          iter;
    const tg_list_t          *groups;

    if (subject->groups != NULL) {
        tgi_group_iter_init(&iter, subject->groups, subject);

        while (tgi_group_iter_next(&iter, &n)) {
            found(ctx, tgi_hash_number(SEED(TGI_BY_GROUP), n));
        }
    }

    groups = &subject->identity->groups;

    for (i = 0; i < groups->n; i++) {
        found(ctx, key_of_tailnet_group(groups->items[i]));
    }
}


static void
give_capabilities(const tgi_subject_t *subject, tgi_key_pt found, void *ctx)
{
    size_t            i;
    const tg_caps_t  *caps;

    caps = subject->peer->caps;

    for (i = 0; caps != NULL && i < caps->n; i++) {
        found(ctx, key_of_list_item(TGI_BY_CAPABILITY, caps->items[i].name));
    }
}


/* One decision may look into several indexes. */

void
tgi_subject_hash_host(tgi_subject_t *subject)
{
    if (subject->nhosts == 0) {
        subject->nhosts = tgi_hash_host(subject->host, subject->hosts);
    }
}


void
tgi_subject_hash_path(tgi_subject_t *subject)
{
    if (subject->npaths == 0) {
        subject->npaths = tgi_hash_path(subject->request->path,
                                        subject->paths);
    }
}


static void
give_hashes(tgi_by_t by, const uint64_t *hashes, size_t n, tgi_key_pt found,
    void *ctx)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        found(ctx, tgi_hash_number(SEED(by), hashes[i]));
    }
}


static void
give_os(const tgi_subject_t *subject, tgi_key_pt found, void *ctx)
{
    const tg_identity_t  *identity;

    identity = subject->identity;

    found(ctx, identity == NULL || identity->os.len == 0
               ? KEY_UNKNOWN : key_of_list_item(TGI_BY_OS, identity->os));
}


static void
give_peer(const tgi_subject_t *subject, tgi_by_t by, tgi_key_pt found,
    void *ctx)
{
    switch (by) {

    case TGI_BY_USER:
        give_user(subject, found, ctx);
        break;

    case TGI_BY_NODE:
        give_node(subject, found, ctx);
        break;

    case TGI_BY_TAG:
        give_list(&subject->identity->tags, by, found, ctx);
        break;

    case TGI_BY_GROUP:
        give_groups(subject, found, ctx);
        break;

    case TGI_BY_CAPABILITY:
        give_capabilities(subject, found, ctx);
        break;

    default:
        found(ctx, key_of_list_item(TGI_BY_TAILNET,
                                    subject->identity->tailnet));
    }
}


void
tgi_subject_keys(tgi_subject_t *subject, tgi_by_t by, tgi_key_pt found,
    void *ctx)
{
    switch (by) {

    case TGI_BY_HOST:
        tgi_subject_hash_host(subject);
        give_hashes(by, subject->hosts, subject->nhosts, found, ctx);
        break;

    case TGI_BY_PATH:
        tgi_subject_hash_path(subject);
        give_hashes(by, subject->paths, subject->npaths, found, ctx);
        break;

    case TGI_BY_METHOD:
        found(ctx, key_of_list_item(by, subject->request->method));
        found(ctx, tgi_hash_number(SEED_CLASS, subject->method_class));
        break;

    case TGI_BY_OS:
        give_os(subject, found, ctx);
        break;

    default:

        /* nobody has no login, no tag and no name */

        if (subject->identity != NULL) {
            give_peer(subject, by, found, ctx);
        }
    }
}
