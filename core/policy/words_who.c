
/*
 * Copyright (C) The Tailgate authors
 *
 * Conditions on who asks: user, group, tag, node, tailnet, autogroup,
 * capability.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <string.h>


/* RFC 1035, as text. */

#define NAME_LABELS_MAX  253


static const tg_str_t  tagged_devices = TG_STR("tagged-devices");


static bool
is_letter(char c)
{
    c = tgi_lower(c);

    return c >= 'a' && c <= 'z';
}


static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
has_prefix(tg_str_t text, const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}


/* Labels of letters, digits, "-" and "_", without an empty one. */

static bool
is_dns_name(tg_str_t name)
{
    char    c;
    size_t  i, label;

    if (name.len > 0 && name.data[name.len - 1] == '.') {
        name.len--;
    }

    label = 0;

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (c == '.') {
            if (label == 0) {
                return false;
            }

            label = 0;
            continue;
        }

        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') {
            return false;
        }

        label++;
    }

    return label != 0 && name.len <= NAME_LABELS_MAX;
}


bool
tgi_is_name(tg_str_t name)
{
    char    c;
    size_t  i;

    for (i = 0; i < name.len; i++) {
        c = name.data[i];

        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
        {
            return false;
        }
    }

    return name.len != 0 && name.len <= TG_LIST_ITEM_MAX;
}


/* "a@b", "a", or "*@b": as tgi_login_check() wants a login to be. */

static bool
is_login_pattern(tg_str_t text)
{
    size_t       i, ats, at;
    const char  *p;

    p = text.data;
    ats = 0;
    at = text.len;

    if (text.len > TG_LOGIN_MAX || p[0] == ' ' || p[text.len - 1] == ' ') {
        return false;
    }

    for (i = 0; i < text.len; i++) {
        if (p[i] == '@') {
            ats++;
            at = i;
        }

        if (p[i] == '*' && (i != 0 || text.len < 2 || p[1] != '@')) {
            return false;
        }
    }

    return ats < 2 && at != 0 && at != text.len - 1;
}


static bool
is_addr(tg_str_t text)
{
    tg_addr_t  addr;
    tg_cidr_t  cidr;

    return tg_addr_parse(&addr, text.data, text.len) == TG_OK
           || tg_cidr_parse(&cidr, text.data, text.len) == TG_OK;
}


bool
tgi_check_login(tgi_read_t *rd, const tgi_yaml_t *item)
{
    size_t       i;
    const char  *text;

    static const struct {
        const char  *prefix;
        const char  *key;
        bool         keep;     /* the prefix is part of the value */
    } others[] = {
        { "tag:", "tag", true },
        { "group:", "group", false },
        { "autogroup:", "autogroup", false },
        { "tailnet:", "group", true }
    };

    text = item->text.data;

    if (is_addr(item->text)) {
        tgi_tell(rd, TGI_P_USER_ADDR, item, text, NULL, NULL);
        return false;
    }

    if (tgi_str_equal_nocase(item->text, tagged_devices)) {
        tgi_tell(rd, TGI_P_USER_TAGGED_DEVICES, item, text, NULL, NULL);
        return false;
    }

    if (strcmp(text, "*") == 0) {
        tgi_tell(rd, TGI_P_USER_ANY, item, text, NULL, NULL);
        return false;
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (has_prefix(item->text, others[i].prefix)) {
            tgi_tell(rd, TGI_P_USER_PREFIX, item, text, others[i].key,
                     others[i].keep ? text
                                    : text + strlen(others[i].prefix));
            return false;
        }
    }

    if (!is_login_pattern(item->text)) {
        tgi_tell(rd, TGI_P_USER, item, text, NULL, NULL);
        return false;
    }

    if (strchr(text, '@') == NULL) {
        tgi_tell(rd, TGI_P_USER_NO_DOMAIN, item, text, NULL, NULL);
    }

    return true;
}


/* As tgi_read_list(), in lower case. */

static void
read_lower_list(tgi_read_t *rd, const tgi_yaml_t *node,
    bool (*check)(tgi_read_t *rd, const tgi_yaml_t *item), tg_list_t *list)
{
    size_t  i;

    tgi_read_list(rd, node, check, list);

    for (i = 0; i < list->n; i++) {
        if (!tgi_copy_lower(rd, list->items[i], &list->items[i])) {
            return;
        }
    }
}


void
tgi_read_user(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_USER;

    read_lower_list(rd, node, tgi_check_login, &rule->users);
}


/* Groups of the file, and "tailnet:NAME" of UserProfile.Groups. */

void
tgi_read_group(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t      i;
    tg_str_t    name;
    tg_list_t   all = { NULL, 0 };
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_GROUP;

    tgi_read_list(rd, node, NULL, &all);

    for (i = 0; i < all.n && !has_prefix(all.items[i], "tailnet:"); i++) {
        /* void */
    }

    if (i == all.n) {
        rule->group_names = all;
        return;
    }

    rule->group_names.items = tgi_new(rd, all.n, sizeof(tg_str_t));
    rule->tailnet_groups.items = tgi_new(rd, all.n, sizeof(tg_str_t));

    if (rule->group_names.items == NULL
        || rule->tailnet_groups.items == NULL)
    {
        return;
    }

    for (i = 0; i < all.n; i++) {
        name = all.items[i];

        if (has_prefix(name, "tailnet:") && name.len > strlen("tailnet:")) {
            name.data += strlen("tailnet:");
            name.len -= strlen("tailnet:");
            rule->tailnet_groups.items[rule->tailnet_groups.n++] = name;
            continue;
        }

        rule->group_names.items[rule->group_names.n++] = name;
    }
}


static bool
check_tag(tgi_read_t *rd, const tgi_yaml_t *item)
{
    size_t       i;
    const char  *p;

    if (!has_prefix(item->text, "tag:")) {
        tgi_tell(rd, TGI_P_TAG_PREFIX, item, item->text.data, NULL, NULL);
        return false;
    }

    p = item->text.data + strlen("tag:");

    for (i = 0; is_letter(p[i]) || is_digit(p[i]) || p[i] == '-'; i++) {
        /* void */
    }

    if (p[i] != '\0' || !is_letter(p[0])) {
        tgi_tell(rd, TGI_P_TAG, item, item->text.data, NULL, NULL);
        return false;
    }

    return true;
}


void
tgi_read_tag(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_TAG;
    rule->opens |= TG_TRAIT_TAGGED;

    tgi_read_list(rd, node, check_tag, &rule->tags);
}


static bool
check_node(tgi_read_t *rd, const tgi_yaml_t *item)
{
    if (is_dns_name(item->text) && !is_addr(item->text)) {
        return true;
    }

    tgi_tell(rd, TGI_P_NODE, item, item->text.data, NULL, NULL);

    return false;
}


void
tgi_read_node(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t      i;
    tg_str_t   *name;
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_NODE;
    rule->opens |= TG_TRAIT_TAGGED|TG_TRAIT_SHARED|TG_TRAIT_ROUTED;

    tgi_read_list(rd, node, check_node, &rule->nodes);

    for (i = 0; i < rule->nodes.n; i++) {
        name = &rule->nodes.items[i];

        if (name->data[name->len - 1] == '.') {
            name->len--;
        }
    }
}


static bool
check_tailnet(tgi_read_t *rd, const tgi_yaml_t *item)
{
    if (is_dns_name(item->text) && !is_addr(item->text)) {
        return true;
    }

    tgi_tell(rd, TGI_P_TAILNET, item, item->text.data, NULL, NULL);

    return false;
}


void
tgi_read_tailnets(tgi_read_t *rd, const tgi_yaml_t *node, tg_list_t *list)
{
    size_t     i;
    tg_str_t  *name;

    read_lower_list(rd, node, check_tailnet, list);

    for (i = 0; i < list->n; i++) {
        name = &list->items[i];

        if (name->data[name->len - 1] == '.') {
            name->len--;
        }
    }
}


void
tgi_read_tailnet(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_TAILNET;

    tgi_read_tailnets(rd, node, &rule->tailnets);
}


void
tgi_read_autogroup(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t             i;
    tg_rule_t         *rule;
    const char        *name;
    const tgi_yaml_t  *item;

    static const struct {
        const char  *name;
        uint32_t     trait;
    } autogroups[] = {
        { "member", TG_TRAIT_MEMBER },
        { "tagged", TG_TRAIT_TAGGED },
        { "shared", TG_TRAIT_SHARED }
    };

    rule = object;
    rule->conditions |= TGI_IF_AUTOGROUP;

    if (tgi_count(rd, node) == 0) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {
        name = item->text.data;

        if (has_prefix(item->text, "autogroup:")) {
            name += strlen("autogroup:");
        }

        for (i = 0; i < 3 && strcmp(name, autogroups[i].name) != 0; i++) {
            /* void */
        }

        if (i == 3) {
            tgi_tell(rd, TGI_P_AUTOGROUP, item, item->text.data, NULL, NULL);
            continue;
        }

        rule->autogroups |= autogroups[i].trait;
    }

    rule->opens |= rule->autogroups;
}


bool
tgi_check_capability(tgi_read_t *rd, const tgi_yaml_t *item)
{
    if (strpbrk(item->text.data, " \"'\\{}[]*") == NULL) {
        return true;
    }

    tgi_tell(rd, TGI_P_CAPABILITY, item, item->text.data, NULL, NULL);

    return false;
}


void
tgi_read_capability(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_CAPABILITY;
    rule->opens |= TG_TRAIT_TAGGED;

    tgi_read_list(rd, node, tgi_check_capability, &rule->capabilities);
}
