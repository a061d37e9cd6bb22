
/*
 * Copyright (C) The Tailgate authors
 *
 * Routes of a policy file, and the rules in them.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


static const char  name_hint[] = "write letters, digits, \"-\", \"_\" and"
                                 " \".\"";


/* "grafana.allow[1]" */

static bool
rule_id(tgi_read_t *rd, tg_str_t of, tg_rule_kind_t kind, size_t i,
    tg_str_t *id)
{
    int   n;
    char  end[40];
    char  *p;

    static const char *const  kinds[] = {
        [TG_RULE_ALLOW] = "allow",
        [TG_RULE_DENY] = "deny",
        [TG_RULE_REQUIRE] = "require"
    };

    n = snprintf(end, sizeof(end), ".%s[%zu]", kinds[kind], i);

    p = tgi_new(rd, of.len + (size_t) n + 1, 1);
    if (p == NULL) {
        return false;
    }

    memcpy(p, of.data, of.len);
    memcpy(p + of.len, end, (size_t) n);

    id->data = p;
    id->len = of.len + (size_t) n;

    return true;
}


static void
unknown_group(tgi_read_t *rd, const tg_rule_t *rule, const char *name)
{
    char           hint[256];
    size_t         i;
    tgi_place_t    place = { rule->line, rule->column };
    const char   **names;

    hint[0] = '\0';

    /* a look at all of them costs too much to be thrown away */

    if (rd->messages.n < TGI_MESSAGES_MAX) {

        names = tgi_alloc(rd->scratch, rd->policy->ngroups, sizeof(char *));
        if (names == NULL) {
            rd->messages.nomem = true;
            return;
        }

        for (i = 0; i < rd->policy->ngroups; i++) {
            names[i] = rd->policy->groups[i].name.data;
        }

        tgi_nearest(hint, sizeof(hint), name, names, rd->policy->ngroups);
    }

    tgi_messages_add(&rd->messages, TGI_P_NO_GROUP, place, name, hint, NULL);
}


static void
resolve(tgi_read_t *rd, tg_rule_t *rule)
{
    int     rc;
    size_t  missing;

    rc = tgi_resolve_groups(rule, rd->policy, rd->alloc, &missing);

    if (rc == TG_ERR_NOMEM) {
        rd->messages.nomem = true;

    } else if (rc != TG_OK) {
        unknown_group(rd, rule, rule->group_names.items[missing].data);
    }
}


void
tgi_read_rules(tgi_read_t *rd, const tgi_yaml_t *node, tg_rule_kind_t kind,
    tg_str_t of, tgi_rules_t *rules)
{
    char               max[24];
    tg_str_t           id;
    tg_rule_t         *rule;
    const tgi_yaml_t  *item;

    static const char *const  names[] = {
        [TG_RULE_ALLOW] = "\"allow\"",
        [TG_RULE_DENY] = "\"deny\"",
        [TG_RULE_REQUIRE] = "\"require\""
    };

    if (!tgi_is_list(rd, node, names[kind]) || node->n == 0) {
        return;
    }

    rules->items = tgi_new(rd, node->n, sizeof(tg_rule_t *));
    if (rules->items == NULL) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {

        if (rd->nrules++ == TG_POLICY_RULES_MAX) {
            (void) snprintf(max, sizeof(max), "%d", TG_POLICY_RULES_MAX);
            tgi_tell(rd, TGI_P_TOO_MANY, item, max, "rules", NULL);
        }

        if (rd->nrules > TG_POLICY_RULES_MAX
            || !rule_id(rd, of, kind, rules->n, &id))
        {
            return;
        }

        rule = tgi_read_rule(rd, item, kind, id);
        if (rule == NULL) {
            return;
        }

        resolve(rd, rule);

        rules->items[rules->n++] = rule;
    }
}


static void
read_name(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    if (!tgi_is_text(rd, node, "\"name\"")) {
        return;
    }

    if (!tgi_is_name(node->text)) {
        tgi_tell(rd, TGI_P_NAME, node, node->text.data, "a route", name_hint);
        return;
    }

    /* ids of rules begin so */

    if (strcmp(node->text.data, "always") == 0
        || strcmp(node->text.data, "grants") == 0)
    {
        tgi_tell(rd, TGI_P_NAME, node, node->text.data, "a route",
                 "it has a meaning of its own");
        return;
    }

    (void) tgi_copy(rd, node->text, &route->name);
}


static void
read_hosts(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    tgi_read_hosts(rd, node, &route->hosts, &route->nhosts);
}


static void
read_paths(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    tgi_read_paths(rd, node, &route->paths, &route->npaths);
}


static void
read_allow(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    tgi_read_rules(rd, node, TG_RULE_ALLOW, route->name, &route->allow);
}


static void
read_deny(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    tgi_read_rules(rd, node, TG_RULE_DENY, route->name, &route->deny);
}


static void
read_require(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    route = object;

    tgi_read_rules(rd, node, TG_RULE_REQUIRE, route->name, &route->require);
}


static void
read_raw_path(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    static const tgi_word_t  words[] = { { "refuse", 0 }, { "allow", 1 } };

    route = object;
    route->raw_path = tgi_read_word(rd, node, words, 2) == 1;
}


static void
read_override(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_route_t  *route;

    static const tgi_word_t  words[] = { { "ignore", 0 }, { "refuse", 1 } };

    route = object;
    route->refuse_override = tgi_read_word(rd, node, words, 2) == 1;
}


static void
read_explain(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_read_explain(rd, node, &((tgi_route_t *) object)->explain);
}


static void
read_contact(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_read_contact(rd, node, &((tgi_route_t *) object)->contact);
}


/* In the order of reading: ids of rules begin with the name. */

static const tgi_key_t  route_keys[] = {
    { "name", NULL, read_name, false },
    { "hosts", "host", read_hosts, false },
    { "paths", "path", read_paths, false },
    { "allow", NULL, read_allow, false },
    { "deny", NULL, read_deny, false },
    { "require", NULL, read_require, false },
    { "headers", NULL, tgi_read_headers, false },
    { "raw_path", NULL, read_raw_path, false },
    { "method_override", NULL, read_override, false },
    { "explain_denials", NULL, read_explain, false },
    { "contact", NULL, read_contact, false },
    { "check", NULL, tgi_read_check, false }
};

const tgi_keys_t  tgi_route_keys = {
    "a route", route_keys, sizeof(route_keys) / sizeof(route_keys[0])
};


static void
default_places(tgi_read_t *rd, tgi_route_t *route)
{
    static const tg_str_t  root = TG_STR("/");

    if (route->hosts == NULL) {
        route->hosts = tgi_new(rd, 1, sizeof(tgi_host_t));
        if (route->hosts == NULL) {
            return;
        }

        route->hosts[0].kind = TGI_HOST_ANY;
        route->nhosts = 1;
    }

    if (route->paths == NULL) {
        route->paths = tgi_new(rd, 1, sizeof(tgi_path_t));
        if (route->paths == NULL) {
            return;
        }

        route->paths[0].kind = TGI_PATH_PREFIX;
        route->paths[0].text = root;
        route->paths[0].literal = root.len;
        route->npaths = 1;
    }
}


static void
read_route(tgi_read_t *rd, const tgi_yaml_t *node, tgi_route_t *route)
{
    int       n;
    char      name[32];
    tg_str_t  text;

    n = snprintf(name, sizeof(name), "routes[%zu]", route->index);

    text.data = name;
    text.len = (size_t) n;

    if (!tgi_copy(rd, text, &route->name)) {
        return;
    }

    tgi_read_keys(rd, node, name, &tgi_route_keys, route);

    default_places(rd, route);
}


/* A name that comes twice, told where it comes the second time. */

static void
check_names(tgi_read_t *rd)
{
    char          line[24];
    size_t        i, first;
    tgi_place_t   place;
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = rd->policy;

    if (tgi_map_init(&rd->routes, policy->nroutes, rd->scratch) != TG_OK) {
        rd->messages.nomem = true;
        return;
    }

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        switch (tgi_map_add(&rd->routes, route->name, (uint32_t) i)) {

        case TG_OK:
            break;

        case TG_ERR_REFUSED:
            place.line = route->line;
            place.column = route->column;

            first = tgi_map_get(&rd->routes, route->name);
            (void) snprintf(line, sizeof(line), "%zu",
                            policy->routes[first].line);
            tgi_messages_add(&rd->messages, TGI_P_ROUTE_TWICE, place,
                             route->name.data, line, NULL);
            break;

        default:
            rd->messages.nomem = true;
            return;
        }
    }
}


void
tgi_read_routes(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    char               max[24];
    tgi_route_t       *route;
    tg_policy_t       *policy;
    const tgi_yaml_t  *item;

    policy = object;
    policy->has_routes = true;

    if (!tgi_is_list(rd, node, "\"routes\"") || node->n == 0) {
        return;
    }

    if (node->n > TG_POLICY_ROUTES_MAX) {
        (void) snprintf(max, sizeof(max), "%d", TG_POLICY_ROUTES_MAX);
        tgi_tell(rd, TGI_P_TOO_MANY, node, max, "routes", NULL);
        return;
    }

    policy->routes = tgi_new(rd, node->n, sizeof(tgi_route_t));
    if (policy->routes == NULL) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {

        route = &policy->routes[policy->nroutes];
        route->index = policy->nroutes++;
        route->line = item->value_line;
        route->column = item->value_column;
        route->explain = policy->explain;
        route->contact = policy->contact;

        read_route(rd, item, route);
    }

    check_names(rd);
}
