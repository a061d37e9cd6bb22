
/*
 * Copyright (C) The Tailgate authors
 *
 * Conditions on from what, when and how: os, os_version, client_version,
 * key_expires_in, via, from, until.
 */

#include "core/policy/read.h"

#include "core/base/base.h"

#include <string.h>


typedef bool (*value_pt)(const char *text, size_t len, tgi_version_t *value);


/* tailscale version.OS(), in the order of what people have. */

static const char *const  systems[] = {
    "linux", "macOS", "windows", "iOS", "android", "tvOS", "freebsd",
    "openbsd", "netbsd", "dragonfly", "illumos", "solaris", "plan9", "aix",
    "js", "wasi"
};

#define NSYSTEMS  (sizeof(systems) / sizeof(systems[0]))


static bool
check_os(tgi_read_t *rd, const tgi_yaml_t *item)
{
    char      hint[256];
    size_t    i;
    tg_str_t  name;

    for (i = 0; i < NSYSTEMS; i++) {
        name.data = systems[i];
        name.len = strlen(systems[i]);

        if (tgi_str_equal_nocase(name, item->text)) {
            return true;
        }
    }

    /* a newer client may know another one */

    tgi_nearest(hint, sizeof(hint), item->text.data, systems, NSYSTEMS);
    tgi_tell(rd, TGI_P_OS, item, item->text.data, hint, NULL);

    return true;
}


void
tgi_read_os(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_OS;

    tgi_read_list(rd, node, check_os, &rule->os);
}


/* The operator that text begins with, and its length. */

size_t
tgi_op_parse(const char *text, tgi_op_t *op)
{
    size_t  i;

    static const struct {
        const char  *text;
        tgi_op_t     op;
    } ops[] = {
        { "<=", TGI_OP_LE },
        { ">=", TGI_OP_GE },
        { "==", TGI_OP_EQ },
        { "<", TGI_OP_LT },
        { ">", TGI_OP_GT },
        { "=", TGI_OP_EQ }
    };

    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strncmp(text, ops[i].text, strlen(ops[i].text)) == 0) {
            *op = ops[i].op;
            return strlen(ops[i].text);
        }
    }

    *op = TGI_OP_EQ;

    return 0;
}


/* All of text is a dotted number; that of a client may go on behind it. */

static bool
parse_version(const char *text, size_t len, tgi_version_t *value)
{
    size_t    i, parts;
    tg_str_t  version;

    parts = 1;

    for (i = 0; i < len; i++) {
        if (text[i] == '.') {
            if (i == 0 || i + 1 == len || text[i + 1] == '.') {
                return false;
            }

            parts++;
            continue;
        }

        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }

    version.data = text;
    version.len = len;

    return parts <= TGI_VERSION_PARTS && tgi_version_parse(version, value);
}


bool
tgi_duration_parse(const char *text, size_t len, int64_t *seconds)
{
    size_t    i, digits;
    uint64_t  n, unit, sum;

    sum = 0;

    for (i = 0; i < len; /* void */ ) {
        n = 0;

        for (digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
            n = n * 10 + (uint64_t) (text[i] - '0');

            if (++digits > 9) {
                return false;
            }
        }

        if (digits == 0 || i == len) {
            return false;
        }

        switch (text[i++]) {

        case 's':
            unit = 1;
            break;

        case 'm':
            unit = 60;
            break;

        case 'h':
            unit = 3600;
            break;

        case 'd':
            unit = 86400;
            break;

        case 'w':
            unit = 7 * 86400;
            break;

        default:
            return false;
        }

        sum += n * unit;

        if (sum > INT32_MAX) {
            return false;
        }
    }

    *seconds = (int64_t) sum;

    return len != 0;
}


static bool
parse_duration(const char *text, size_t len, tgi_version_t *value)
{
    int64_t  seconds;

    if (!tgi_duration_parse(text, len, &seconds)) {
        return false;
    }

    memset(value, 0, sizeof(*value));
    value->parts[0] = (uint64_t) seconds;

    return true;
}


/* "OP VALUE, OP VALUE"; bounds may be NULL to count them.  0 if it is none. */

static size_t
parse_bounds(const char *text, value_pt parse, bool needs_op,
    tgi_bound_t *bounds)
{
    size_t         n, len;
    tgi_bound_t    bound;

    for (n = 0; /* void */ ; text++) {

        text += strspn(text, " ");
        len = tgi_op_parse(text, &bound.op);

        if (len == 0 && needs_op) {
            return 0;
        }

        text += len;
        text += strspn(text, " ");
        len = strcspn(text, " ,");

        if (len == 0 || !parse(text, len, &bound.version)) {
            return 0;
        }

        if (bounds != NULL) {
            bounds[n] = bound;
        }

        n++;
        text += len;
        text += strspn(text, " ");

        if (*text == '\0') {
            return n;
        }

        if (*text != ',') {
            return 0;
        }
    }
}


static void
read_ranges(tgi_read_t *rd, const tgi_yaml_t *node, value_pt parse,
    tgi_code_t code, tgi_ranges_t *ranges)
{
    bool               needs_op;
    size_t             n;
    tgi_range_t       *range;
    const tgi_yaml_t  *item;

    n = tgi_count(rd, node);
    if (n == 0) {
        return;
    }

    ranges->items = tgi_new(rd, n, sizeof(tgi_range_t));
    if (ranges->items == NULL) {
        return;
    }

    /* no key expires in exactly 7 days */

    needs_op = (code == TGI_P_DURATION);

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {

        n = parse_bounds(item->text.data, parse, needs_op, NULL);

        if (n == 0) {
            tgi_tell(rd, code, item, item->text.data, NULL, NULL);
            continue;
        }

        range = &ranges->items[ranges->n];
        range->bounds = tgi_new(rd, n, sizeof(tgi_bound_t));

        if (range->bounds == NULL
            || !tgi_copy(rd, item->text, &range->text))
        {
            return;
        }

        range->n = parse_bounds(item->text.data, parse, needs_op,
                                range->bounds);
        ranges->n++;
    }
}


void
tgi_read_os_version(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_OS_VERSION;

    read_ranges(rd, node, parse_version, TGI_P_VERSION_RANGE,
                &rule->os_versions);
}


void
tgi_read_client_version(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_CLIENT_VERSION;

    read_ranges(rd, node, parse_version, TGI_P_VERSION_RANGE,
                &rule->client_versions);
}


void
tgi_read_key_expires_in(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_KEY_EXPIRES_IN;

    read_ranges(rd, node, parse_duration, TGI_P_DURATION,
                &rule->key_expires_in);
}


/* As tg_whois_target() wants it. */

bool
tgi_is_service(tg_str_t name)
{
    char    c;
    size_t  i;

    if (name.len < 5 || name.len > 63 || memcmp(name.data, "svc:", 4) != 0) {
        return false;
    }

    for (i = 4; i < name.len; i++) {
        c = name.data[i];

        if (!(tgi_lower(c) >= 'a' && tgi_lower(c) <= 'z')
            && !(c >= '0' && c <= '9') && c != '-')
        {
            return false;
        }
    }

    return true;
}


void
tgi_read_via(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    size_t             i, n;
    tg_rule_t         *rule;
    const tgi_yaml_t  *item;

    static const tgi_word_t  words[] = {
        { "direct", TGI_VIA_DIRECT },
        { "service", TGI_VIA_SERVICE },
        { "funnel", TGI_VIA_FUNNEL }
    };

    rule = object;
    rule->conditions |= TGI_IF_VIA;

    n = tgi_count(rd, node);
    if (n == 0) {
        return;
    }

    rule->services.items = tgi_new(rd, n, sizeof(tg_str_t));
    if (rule->services.items == NULL) {
        return;
    }

    for (item = tgi_first(node); item != NULL; item = tgi_next(node, item)) {

        for (i = 0; i < 3 && strcmp(words[i].name, item->text.data) != 0; i++)
        {
            /* void */
        }

        if (i < 3) {
            rule->via |= words[i].value;

        } else if (!tgi_is_service(item->text)) {
            tgi_tell(rd, TGI_P_VIA, item, item->text.data, NULL, NULL);

        } else if (tgi_copy(rd, item->text,
                            &rule->services.items[rule->services.n]))
        {
            rule->services.n++;
        }
    }
}


bool
tgi_check_time(tgi_read_t *rd, const tgi_yaml_t *item, int64_t *time)
{
    if (!tgi_is_text(rd, item, NULL)) {
        return false;
    }

    if (tgi_time_parse(time, item->text.data, item->text.len) != TG_OK) {
        tgi_tell(rd, TGI_P_TIME, item, item->text.data, NULL, NULL);
        return false;
    }

    return true;
}


void
tgi_read_from(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_FROM;

    (void) tgi_check_time(rd, node, &rule->from);
}


void
tgi_read_until(tgi_read_t *rd, void *object, const tgi_yaml_t *node)
{
    tg_rule_t  *rule;

    rule = object;
    rule->conditions |= TGI_IF_UNTIL;

    (void) tgi_check_time(rd, node, &rule->until);
}
