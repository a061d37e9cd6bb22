
/*
 * Copyright (C) The Tailgate authors
 *
 * A rule: the words that files and nginx directives share.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <string.h>


/* Read in this order: "where" looks at what "capability" found. */

static const tgi_key_t  rule_keys[] = {
    { "user", "users", tgi_read_user, false },
    { "group", "groups", tgi_read_group, false },
    { "tag", "tags", tgi_read_tag, false },
    { "node", "nodes", tgi_read_node, false },
    { "tailnet", "tailnets", tgi_read_tailnet, false },
    { "autogroup", "autogroups", tgi_read_autogroup, false },
    { "capability", "capabilities", tgi_read_capability, false },
    { "where", NULL, tgi_read_where, false },
    { "os", NULL, tgi_read_os, false },
    { "os_version", "os_versions", tgi_read_os_version, false },
    { "client_version", "client_versions", tgi_read_client_version, false },
    { "key_expires_in", NULL, tgi_read_key_expires_in, false },
    { "via", NULL, tgi_read_via, false },
    { "from", NULL, tgi_read_from, false },
    { "until", NULL, tgi_read_until, false },
    { "host", "hosts", tgi_read_host, false },
    { "path", "paths", tgi_read_path, false },
    { "method", "methods", tgi_read_method, false },
    { "check", NULL, tgi_read_check, false }
};

const tgi_keys_t  tgi_rule_keys = {
    "a rule", rule_keys, sizeof(rule_keys) / sizeof(rule_keys[0])
};


void
tgi_read_check(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    (void) object;

    tgi_messages_add(&rd->messages, TGI_P_CHECK, tgi_place(node),
                     node->kind == TGI_YAML_SCALAR ? node->text.data : "...",
                     NULL, NULL);
}


tg_rule_t *
tgi_read_rule(tgi_read_t *rd, const tgi_yaml_t *node, tg_rule_kind_t kind,
    tg_str_t id)
{
    tg_rule_t  *rule;

    rule = tgi_new(rd, 1, sizeof(tg_rule_t));
    if (rule == NULL) {
        return NULL;
    }

    rule->kind = kind;
    rule->id = id;
    rule->line = node->value_line;
    rule->column = node->value_column;
    rule->opens = TG_TRAIT_MEMBER;

    tgi_read_keys(rd, node, "a rule", &tgi_rule_keys, rule);

    return rule;
}


int
tgi_resolve_groups(tg_rule_t *rule, const tg_policy_t *policy,
    const tg_alloc_t *alloc, size_t *missing)
{
    size_t    i;
    uint32_t  index;

    rule->groups = NULL;
    rule->ngroups = 0;

    if (rule->group_names.n == 0) {
        return TG_OK;
    }

    rule->groups = tgi_alloc(alloc, rule->group_names.n,
                             sizeof(tgi_group_t *));
    if (rule->groups == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0; i < rule->group_names.n; i++) {

        index = TGI_MAP_NONE;

        if (policy != NULL) {
            index = tgi_map_get(&policy->group_map,
                                rule->group_names.items[i]);
        }

        if (index == TGI_MAP_NONE) {
            *missing = i;
            return TG_ERR_REFUSED;
        }

        rule->groups[i] = &policy->groups[index];
        rule->ngroups++;
    }

    return TG_OK;
}
