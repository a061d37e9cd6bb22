
/*
 * Copyright (C) The Tailgate authors
 *
 * What a route tells its app: headers, and the roles of "capabilities".
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <stdio.h>
#include <string.h>


/* Room for an encoding that makes three bytes of one. */

#define VALUE_MAX  4096


/* The words are those of the $tailgate_ variables. */

static const struct {
    const char  *name;
    tg_attr_t    attr;
} attributes[] = {
    { "login", TG_ATTR_LOGIN },
    { "user", TG_ATTR_USER },
    { "name", TG_ATTR_NAME },
    { "picture", TG_ATTR_PICTURE },
    { "groups", TG_ATTR_GROUPS },
    { "tags", TG_ATTR_TAGS },
    { "node", TG_ATTR_NODE },
    { "node_id", TG_ATTR_NODE_ID },
    { "node_addr", TG_ATTR_NODE_ADDR },
    { "tailnet", TG_ATTR_TAILNET },
    { "os", TG_ATTR_OS },
    { "os_version", TG_ATTR_OS_VERSION }
};

#define NATTRIBUTES  (sizeof(attributes) / sizeof(attributes[0]))


/* A mapping that is being read, and the parts of it that come together. */

typedef struct {
    tg_policy_header_t  *header;       /* NULL: an entry of "capabilities" */
    tgi_role_t          *role;
    const tgi_yaml_t    *from;
    const tgi_yaml_t    *capability;
    const tgi_yaml_t    *field;
    const tgi_yaml_t    *order;
    const tgi_yaml_t    *fallback;
} source_t;


static void
read_capability(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    source_t  *source;

    source = object;
    source->capability = node;

    if (tgi_is_text(rd, node, "\"capability\"")
        && tgi_check_capability(rd, node))
    {
        (void) tgi_copy(rd, node->text, &source->role->capability);
    }
}


static void
read_field(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    source_t  *source;

    source = object;
    source->field = node;

    if (tgi_is_text(rd, node, "\"field\"")) {
        (void) tgi_copy(rd, node->text, &source->role->field);
    }
}


static void
read_order(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t             i, j;
    source_t          *source;
    tg_list_t         *order;
    const tgi_yaml_t  *item;

    source = object;
    source->order = node;
    order = &source->role->order;

    if (!tgi_is_list(rd, node, "\"order\"")) {
        return;
    }

    if (node->n > TG_LIST_MAX) {
        tgi_tell(rd, TGI_P_TOO_MANY, node, "256", "roles in an order", NULL);
        return;
    }

    tgi_read_list(rd, node, NULL, order);

    for (item = node->first, i = 0; i < order->n; i++, item = item->next) {
        for (j = 0; j < i; j++) {
            if (tgi_str_equal_nocase(order->items[i], order->items[j])) {
                tgi_tell(rd, TGI_P_ORDER_TWICE, item, item->text.data, NULL,
                         NULL);
                break;
            }
        }
    }
}


static void
read_default(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    source_t  *source;

    source = object;
    source->fallback = node;

    if (tgi_is_text(rd, node, "\"default\"")) {
        (void) tgi_copy(rd, node->text, &source->role->fallback);
    }
}


/* What a role falls back to is one of the roles, as order spells it. */

static void
check_default(tgi_read_t *rd, const source_t *source)
{
    size_t            i;
    const tg_list_t  *order;

    order = &source->role->order;

    if (source->fallback == NULL || order->n == 0) {
        return;
    }

    for (i = 0; i < order->n; i++) {
        if (tgi_str_equal_nocase(source->role->fallback, order->items[i])) {
            source->role->fallback = order->items[i];
            return;
        }
    }

    tgi_tell(rd, TGI_P_DEFAULT, source->fallback, source->fallback->text.data,
             NULL, NULL);
}


static const tgi_key_t  role_keys[] = {
    { "capability", NULL, read_capability, true },
    { "field", NULL, read_field, true },
    { "order", NULL, read_order, false },
    { "default", NULL, read_default, false }
};

const tgi_keys_t  tgi_role_keys = {
    "a capability", role_keys, sizeof(role_keys) / sizeof(role_keys[0])
};


/* Part of a variable's name in nginx. */

static bool
is_variable(tg_str_t name)
{
    size_t  i;

    for (i = 0; i < name.len; i++) {
        if (!(name.data[i] >= 'a' && name.data[i] <= 'z')
            && !(name.data[i] >= '0' && name.data[i] <= '9')
            && name.data[i] != '_')
        {
            return false;
        }
    }

    return name.len != 0 && name.len <= 64;
}


void
tgi_read_roles(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    source_t           source;
    tg_policy_t       *policy;
    const tgi_yaml_t  *item;

    policy = object;

    if (!tgi_is_mapping(rd, node, "\"capabilities\"") || node->n == 0) {
        return;
    }

    policy->roles = tgi_new(rd, node->n, sizeof(tgi_role_t));
    if (policy->roles == NULL) {
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {

        if (!is_variable(item->key)) {
            tgi_messages_add(&rd->messages, TGI_P_NAME, tgi_place(item),
                             item->key.data, "a capability's variable",
                             "write small letters, digits and \"_\"");
        }

        memset(&source, 0, sizeof(source));
        source.role = &policy->roles[policy->nroles++];

        if (!tgi_copy(rd, item->key, &source.role->name)) {
            return;
        }

        tgi_read_keys(rd, item, item->key.data, &tgi_role_keys, &source);
        check_default(rd, &source);
    }
}


static void
unknown_source(tgi_read_t *rd, const tgi_yaml_t *node)
{
    char    all[256];
    size_t  i, n;

    for (n = 0, i = 0; i < NATTRIBUTES; i++) {
        n += (size_t) snprintf(all + n, sizeof(all) - n, "%s%s",
                               i ? ", " : "", attributes[i].name);
    }

    tgi_tell(rd, TGI_P_HEADER_FROM, node, node->text.data, all, NULL);
}


static void
read_from(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t       i;
    source_t    *source;
    tgi_yaml_t   capability;

    static const char  prefix[] = "capability ";

    source = object;
    source->from = node;

    if (!tgi_is_text(rd, node, "\"from\"")) {
        return;
    }

    if (strncmp(node->text.data, prefix, sizeof(prefix) - 1) == 0) {

        source->header->kind = TGI_HEADER_ROLE;

        capability = *node;
        capability.text.data += sizeof(prefix) - 1;
        capability.text.len -= sizeof(prefix) - 1;

        while (capability.text.data[0] == ' ') {
            capability.text.data++;
            capability.text.len--;
        }

        read_capability(rd, source, &capability);
        return;
    }

    if (strcmp(node->text.data, "role") == 0) {
        source->header->kind = TGI_HEADER_GRANTED;
        return;
    }

    source->header->kind = TGI_HEADER_ATTRIBUTE;

    for (i = 0; i < NATTRIBUTES; i++) {
        if (strcmp(node->text.data, attributes[i].name) == 0) {
            source->header->header.source = attributes[i].attr;
            return;
        }
    }

    unknown_source(rd, node);
}


static void
read_encoding(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    source_t  *source;

    source = object;

    if (tgi_is_text(rd, node, "\"encoding\"")
        && tg_encoding_parse(node->text.data, node->text.len,
                             &source->header->header.encoding) != TG_OK)
    {
        tgi_tell(rd, TGI_P_ENCODING, node, node->text.data, NULL, NULL);
    }
}


static const tgi_key_t  header_keys[] = {
    { "from", NULL, read_from, true },
    { "field", NULL, read_field, false },
    { "order", NULL, read_order, false },
    { "default", NULL, read_default, false },
    { "encoding", NULL, read_encoding, false }
};

const tgi_keys_t  tgi_header_keys = {
    "a header", header_keys, sizeof(header_keys) / sizeof(header_keys[0])
};


static void
check_key(tgi_read_t *rd, const tgi_yaml_t *node, const tgi_yaml_t *from)
{
    if (node != NULL) {
        tgi_messages_add(&rd->messages, TGI_P_HEADER_KEY, tgi_place(node),
                         node->key.data, from->text.data, NULL);
    }
}


/* Which keys go together. */

static void
check_source(tgi_read_t *rd, const tgi_yaml_t *node, const source_t *source)
{
    if (source->from == NULL || source->from->kind != TGI_YAML_SCALAR) {
        return;
    }

    check_default(rd, source);

    switch (source->header->kind) {

    case TGI_HEADER_ATTRIBUTE:
        check_key(rd, source->field, source->from);
        check_key(rd, source->order, source->from);
        check_key(rd, source->fallback, source->from);
        break;

    case TGI_HEADER_ROLE:
        if (source->field == NULL) {
            tgi_messages_add(&rd->messages, TGI_P_MISSING, tgi_place(node),
                             node->key.data, "field", NULL);
        }
        break;

    case TGI_HEADER_GRANTED:
        check_key(rd, source->field, source->from);

        if (rd->policy->grants.len == 0) {
            tgi_tell(rd, TGI_P_HEADER_ROLE, source->from, NULL, NULL, NULL);
        }
        break;
    }
}


static void
read_header(tgi_read_t *rd, const tgi_yaml_t *node, tg_policy_header_t *header)
{
    source_t      source;
    tg_header_t  *value;

    if (!tgi_copy(rd, node->key, &header->name)) {
        return;
    }

    memset(&source, 0, sizeof(source));
    source.header = header;
    source.role = &header->role;

    value = &header->header;
    value->name = header->name.data;
    value->encoding = TG_ENCODING_UTF8;
    value->join = TG_JOIN_SEPARATOR;
    value->separator = ',';
    value->max = VALUE_MAX;

    tgi_read_keys(rd, node, node->key.data, &tgi_header_keys, &source);
    check_source(rd, node, &source);
}


/* Into the names that no client may send, which are those of all routes. */

static void
add_name(tgi_read_t *rd, const tgi_yaml_t *node)
{
    char  folded[TG_HEADER_NAME_MAX];

    if (node->key.len == 0 || node->key.len > sizeof(folded)) {
        tgi_messages_add(&rd->messages, TGI_P_HEADER_NAME, tgi_place(node),
                         node->key.data, NULL, NULL);
        return;
    }

    switch (tg_strip_add(rd->strip, node->key.data, node->key.len)) {

    case TG_OK:
        break;

    case TG_ERR_REFUSED:
        tgi_messages_add(&rd->messages, TGI_P_HEADER_NEEDED, tgi_place(node),
                         node->key.data, NULL, NULL);
        break;

    case TG_ERR_NOMEM:
        rd->messages.nomem = true;
        break;

    default:
        tgi_messages_add(&rd->messages, TGI_P_HEADER_NAME, tgi_place(node),
                         node->key.data, NULL, NULL);
        break;
    }
}


/* Two names of one route that are the same to an app. */

static void
check_folded(tgi_read_t *rd, tgi_map_t *map, const tgi_yaml_t *node,
    uint32_t i, const tgi_route_t *route)
{
    char      *p;
    tg_str_t   folded;

    p = tgi_alloc(rd->scratch, node->key.len + 1, 1);
    if (p == NULL) {
        rd->messages.nomem = true;
        return;
    }

    tg_header_fold(node->key.data, node->key.len, p);
    folded.data = p;
    folded.len = node->key.len;

    switch (tgi_map_add(map, folded, i)) {

    case TG_OK:
        break;

    case TG_ERR_REFUSED:
        tgi_messages_add(&rd->messages, TGI_P_HEADER_TWICE, tgi_place(node),
                         node->key.data,
                         route->headers[tgi_map_get(map, folded)].name.data,
                         NULL);
        break;

    default:
        rd->messages.nomem = true;
        break;
    }
}


void
tgi_read_headers(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tgi_map_t          map;
    tgi_route_t       *route;
    const tgi_yaml_t  *item;

    route = object;

    if (!tgi_is_mapping(rd, node, "\"headers\"") || node->n == 0) {
        return;
    }

    if (rd->strip == NULL) {
        rd->strip = tg_strip_new(rd->scratch);
    }

    route->headers = tgi_new(rd, node->n, sizeof(tg_policy_header_t));

    if (rd->strip == NULL || route->headers == NULL
        || tgi_map_init(&map, node->n, rd->scratch) != TG_OK)
    {
        rd->messages.nomem = true;
        return;
    }

    for (item = node->first; item != NULL; item = item->next) {
        add_name(rd, item);
        check_folded(rd, &map, item, (uint32_t) route->nheaders, route);
        read_header(rd, item, &route->headers[route->nheaders++]);
    }
}


/* Every name once. */

void
tgi_collect_headers(tgi_read_t *rd)
{
    size_t        i, j, n;
    tgi_map_t     map;
    tg_str_t      name;
    tg_list_t    *names;
    tgi_route_t  *route;
    tg_policy_t  *policy;

    policy = rd->policy;
    names = &policy->header_names;

    for (n = 0, i = 0; i < policy->nroutes; i++) {
        n += policy->routes[i].nheaders;
    }

    if (n == 0) {
        return;
    }

    names->items = tgi_new(rd, n, sizeof(tg_str_t));

    if (names->items == NULL || tgi_map_init(&map, 0, rd->scratch) != TG_OK) {
        rd->messages.nomem = true;
        return;
    }

    for (i = 0; i < policy->nroutes; i++) {
        route = &policy->routes[i];

        for (j = 0; j < route->nheaders; j++) {
            name = route->headers[j].name;

            switch (tgi_map_add(&map, name, 0)) {

            case TG_OK:
                names->items[names->n++] = name;
                break;

            case TG_ERR_REFUSED:
                break;

            default:
                rd->messages.nomem = true;
                return;
            }
        }
    }
}
