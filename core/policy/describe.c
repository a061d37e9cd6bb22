
/*
 * Copyright (C) The Tailgate authors
 *
 * Conditions as they are written in a file.
 */

#include "core/policy/describe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>


static const char *const  ops[] = {
    [TGI_OP_LT] = "<",
    [TGI_OP_LE] = "<=",
    [TGI_OP_EQ] = "=",
    [TGI_OP_GE] = ">=",
    [TGI_OP_GT] = ">"
};


static const struct {
    uint32_t     bit;
    const char  *word;
} autogroups[] = {
    { TG_TRAIT_MEMBER, "autogroup:member" },
    { TG_TRAIT_TAGGED, "autogroup:tagged" },
    { TG_TRAIT_SHARED, "autogroup:shared" }
};


static const struct {
    uint32_t     bit;
    const char  *word;
} vias[] = {
    { TGI_VIA_DIRECT, "direct" },
    { TGI_VIA_SERVICE, "service" },
    { TGI_VIA_FUNNEL, "funnel" }
};


/* "a, b": what goes before the next item. */

static const char *
comma(const tgi_text_t *text, size_t start)
{
    return text->len > start ? ", " : "";
}


static void
add_item(tgi_text_t *text, size_t start, const char *prefix, tg_str_t item)
{
    tgi_text_add(text, "%s%s", comma(text, start), prefix);
    tgi_text_str(text, item);
}


static void
add_list(tgi_text_t *text, size_t start, const char *prefix,
    const tg_list_t *list)
{
    size_t  i;

    for (i = 0; i < list->n; i++) {
        add_item(text, start, prefix, list->items[i]);
    }
}


static void
add_ranges(tgi_text_t *text, const tgi_ranges_t *ranges)
{
    size_t  i;

    for (i = 0; i < ranges->n; i++) {
        tgi_text_add(text, "%s", i > 0 ? " or " : "");
        tgi_text_str(text, ranges->items[i].text);
    }
}


static void
add_where_value(tgi_text_t *text, const tgi_where_value_t *value)
{
    switch (value->kind) {

    case TGI_WHERE_EQUALS:
    case TGI_WHERE_GLOB:
        tgi_text_str(text, value->text);
        break;

    case TGI_WHERE_TEXT:
        tgi_text_add(text, "\"");
        tgi_text_str(text, value->text);
        tgi_text_add(text, "\"");
        break;

    case TGI_WHERE_NUMBER:
        tgi_text_add(text, "%s %.15g", ops[value->op], value->number);
        break;

    case TGI_WHERE_PRESENT:
        tgi_text_add(text, "present");
        break;

    case TGI_WHERE_ABSENT:
        tgi_text_add(text, "not present");
        break;
    }
}


static void
add_where(tgi_text_t *text, const tgi_where_t *where, size_t n)
{
    size_t  i, j;

    for (i = 0; i < n; i++) {
        tgi_text_add(text, "%s", i > 0 ? ", " : " where ");
        tgi_text_str(text, where[i].field);

        for (j = 0; j < where[i].nvalues; j++) {
            tgi_text_add(text, "%s", j > 0 ? " or " : ": ");
            add_where_value(text, &where[i].values[j]);
        }
    }
}


static void
add_time(tgi_text_t *text, int64_t seconds)
{
    char        buf[sizeof("9999-12-31T23:59:59Z")];
    time_t      when;
    struct tm   tm;

    when = (time_t) seconds;

    if (gmtime_r(&when, &tm) == NULL
        || strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    {
        tgi_text_add(text, "%lld", (long long) seconds);
        return;
    }

    tgi_text_add(text, "%s", buf);
}


static void
describe_via(tgi_text_t *text, const tg_rule_t *rule, size_t start)
{
    size_t  i;

    for (i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
        if (rule->via & vias[i].bit) {
            tgi_text_add(text, "%s%s", comma(text, start), vias[i].word);
        }
    }

    add_list(text, start, "", &rule->services);
}


static void
describe_autogroups(tgi_text_t *text, const tg_rule_t *rule, size_t start)
{
    size_t  i;

    for (i = 0; i < sizeof(autogroups) / sizeof(autogroups[0]); i++) {
        if (rule->autogroups & autogroups[i].bit) {
            tgi_text_add(text, "%s%s", comma(text, start),
                         autogroups[i].word);
        }
    }
}


static void
describe_hosts(tgi_text_t *text, const tg_rule_t *rule, size_t start)
{
    size_t  i;

    for (i = 0; i < rule->nhosts; i++) {
        add_item(text, start,
                 rule->hosts[i].kind == TGI_HOST_WILDCARD ? "*" : "",
                 rule->hosts[i].text);
    }
}


static void
describe_paths(tgi_text_t *text, const tg_rule_t *rule, size_t start)
{
    size_t  i;

    for (i = 0; i < rule->npaths; i++) {
        add_item(text, start,
                 rule->paths[i].kind == TGI_PATH_EXACT ? "= " : "",
                 rule->paths[i].text);
    }
}


static void
describe_methods(tgi_text_t *text, const tg_rule_t *rule, size_t start)
{
    if (rule->method_classes & TGI_METHOD_READ) {
        tgi_text_add(text, "read");
    }

    if (rule->method_classes & TGI_METHOD_WRITE) {
        tgi_text_add(text, "%swrite", comma(text, start));
    }

    add_list(text, start, "", &rule->methods);
}


static const char *
name_of(uint32_t condition)
{
    size_t  i;

    static const char *const  names[] = {
        "user", "group", "tag", "node", "tailnet", "autogroup", "capability",
        "os", "os_version", "client_version", "key_expires_in", "via", "from",
        "until", "hosts", "paths", "methods"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (condition == UINT32_C(1) << i) {
            return names[i];
        }
    }

    return "?";
}


void
tgi_describe(tgi_text_t *text, const tg_rule_t *rule, uint32_t condition)
{
    size_t  start;

    tgi_text_add(text, "%s: ", name_of(condition));
    start = text->len;

    switch (condition) {

    case TGI_IF_USER:
        add_list(text, start, "", &rule->users);
        break;

    case TGI_IF_GROUP:
        add_list(text, start, "", &rule->group_names);
        add_list(text, start, "tailnet:", &rule->tailnet_groups);
        break;

    case TGI_IF_TAG:
        add_list(text, start, "", &rule->tags);
        break;

    case TGI_IF_NODE:
        add_list(text, start, "", &rule->nodes);
        break;

    case TGI_IF_TAILNET:
        add_list(text, start, "", &rule->tailnets);
        break;

    case TGI_IF_AUTOGROUP:
        describe_autogroups(text, rule, start);
        break;

    case TGI_IF_CAPABILITY:
        add_list(text, start, "", &rule->capabilities);
        add_where(text, rule->where, rule->nwhere);
        break;

    case TGI_IF_OS:
        add_list(text, start, "", &rule->os);
        break;

    case TGI_IF_OS_VERSION:
        add_ranges(text, &rule->os_versions);
        break;

    case TGI_IF_CLIENT_VERSION:
        add_ranges(text, &rule->client_versions);
        break;

    case TGI_IF_KEY_EXPIRES_IN:
        add_ranges(text, &rule->key_expires_in);
        break;

    case TGI_IF_VIA:
        describe_via(text, rule, start);
        break;

    case TGI_IF_FROM:
        add_time(text, rule->from);
        break;

    case TGI_IF_UNTIL:
        add_time(text, rule->until);
        break;

    case TGI_IF_HOST:
        describe_hosts(text, rule, start);
        break;

    case TGI_IF_PATH:
        describe_paths(text, rule, start);
        break;

    case TGI_IF_METHOD:
        describe_methods(text, rule, start);
        break;
    }
}
