
/*
 * Copyright (C) The Tailgate authors
 *
 * Why a condition holds or does not, about this peer and request alone.
 */

#include "core/policy/caps.h"
#include "core/policy/describe.h"

#include <string.h>
#include <time.h>


#define MINUTE  60
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)


static const char  nobody[] = "nobody was identified";


/* "NAME is VALUE", or that it is not known and what follows from that. */

static void
why_value(tgi_text_t *text, const tg_rule_t *rule, const char *name,
    tg_str_t value)
{
    tgi_text_add(text, "%s is ", name);

    if (value.len > 0) {
        tgi_text_str(text, value);
        return;
    }

    tgi_text_add(text, "not known, %s", rule->kind == TG_RULE_DENY
                 ? "which counts as matching in a deny"
                 : "which satisfies no such rule");
}


static void
why_person(tgi_text_t *text, const tgi_subject_t *subject, bool holds,
    const char *yes, const char *no)
{
    if (subject->has & TG_TRAIT_TAGGED) {
        tgi_text_add(text, "the node is tagged, so that it is nobody's");

    } else if (subject->identity->login.len == 0) {
        tgi_text_add(text, "the peer has no login");

    } else {
        tgi_text_str(text, subject->identity->login);
        tgi_text_add(text, " %s", holds ? yes : no);
    }
}


static void
why_tag(tgi_text_t *text, const tgi_subject_t *subject)
{
    size_t            i;
    const tg_list_t  *tags;

    tags = &subject->identity->tags;

    if (tags->n == 0) {
        tgi_text_add(text, "the node has no tag");
        return;
    }

    tgi_text_add(text, "the node has ");

    for (i = 0; i < tags->n; i++) {
        tgi_text_add(text, "%s", i > 0 ? ", " : "");
        tgi_text_str(text, tags->items[i]);
    }
}


static void
why_node(tgi_text_t *text, const tg_rule_t *rule, const tgi_subject_t *subject)
{
    tgi_text_add(text, "the node is ");
    tgi_text_str(text, subject->identity->node);
    tgi_text_add(text, " (");
    tgi_text_str(text, subject->identity->node_id);
    tgi_text_add(text, ")");

    if ((subject->has & TG_TRAIT_SHARED) && rule->kind != TG_RULE_DENY) {
        tgi_text_add(text, " of another tailnet, so that only its whole name "
                     "or its id counts");
    }
}


void
tgi_describe_class(tgi_text_t *text, const tgi_subject_t *subject)
{
    size_t  i, n;

    static const struct {
        uint32_t     trait;
        const char  *word;
    } words[] = {
        { TG_TRAIT_MEMBER, "a member" },
        { TG_TRAIT_TAGGED, "tagged" },
        { TG_TRAIT_SHARED, "shared in from another tailnet" },
        { TG_TRAIT_ROUTED, "a router for others" },
        { TG_TRAIT_FUNNEL, "behind Funnel" },
        { TG_TRAIT_EXPIRED, "expired" },
        { TG_TRAIT_UNAUTHORIZED, "not approved" },
        { TG_TRAIT_UNSIGNED, "not signed" }
    };

    if (subject->identity == NULL) {
        tgi_text_add(text, "%s", nobody);
        return;
    }

    tgi_text_add(text, "the peer is ");
    n = 0;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (subject->has & words[i].trait) {
            tgi_text_add(text, "%s%s", n++ > 0 ? " and " : "", words[i].word);
        }
    }

    if (n == 0) {
        tgi_text_add(text, "of no kind that is known");
    }
}


static void
why_capability(tgi_text_t *text, const tg_rule_t *rule,
    const tgi_subject_t *subject, bool holds)
{
    size_t              i, grants, owned;
    const tgi_value_t  *values;

    grants = 0;
    owned = 0;

    for (i = 0; i < rule->capabilities.n; i++) {
        values = tgi_caps_find(subject->peer->caps,
                               rule->capabilities.items[i]);

        if (values != NULL) {
            owned++;
            grants += values->n;
        }
    }

    if (owned == 0) {
        tgi_text_add(text, "the peer has no such capability");

    } else if (rule->nwhere == 0) {
        tgi_text_add(text, "the peer has it");

    } else if (holds) {
        tgi_text_add(text, "the peer has it, with such a value");

    } else {
        tgi_text_add(text, "the peer has it, but %s",
                     grants == 0 ? "without a value"
                                 : "none of its values is such");
    }
}


/* "15.1 is below 15.3" for one bound, else where the value is. */

static void
why_version(tgi_text_t *text, const tg_rule_t *rule, const char *name,
    const tgi_ranges_t *ranges, tg_str_t value)
{
    int                 order;
    tg_str_t            bound;
    tgi_version_t       version;
    const tgi_range_t  *range;

    if (!tgi_version_parse(value, &version)) {
        why_value(text, rule, name, (tg_str_t) TG_NULL_STR);
        return;
    }

    tgi_text_str(text, value);
    range = &ranges->items[0];

    if (ranges->n != 1 || range->n != 1) {
        tgi_text_add(text, " is %sin the range",
                     tgi_ranges_match(ranges, &version) ? "" : "not ");
        return;
    }

    order = tgi_version_compare(&version, &range->bounds[0].version);
    bound = range->text;

    while (bound.len > 0 && memchr("<>= ", bound.data[0], 4) != NULL) {
        bound.data++;
        bound.len--;
    }

    tgi_text_add(text, " %s ", order < 0 ? "is below"
                               : order > 0 ? "is above" : "equals");
    tgi_text_str(text, bound);
}


static void
why_key(tgi_text_t *text, const tgi_subject_t *subject)
{
    int64_t  expiry, left;

    expiry = subject->identity->key_expiry;

    if (expiry == 0) {
        tgi_text_add(text, "the key of the node never expires");
        return;
    }

    left = expiry > subject->request->now ? expiry - subject->request->now : 0;

    tgi_text_add(text, "the key of the node expires in ");

    if (left >= DAY) {
        tgi_text_add(text, "%lldd %lldh", (long long) (left / DAY),
                     (long long) (left % DAY / HOUR));

    } else if (left >= HOUR) {
        tgi_text_add(text, "%lldh %lldm", (long long) (left / HOUR),
                     (long long) (left % HOUR / MINUTE));

    } else {
        tgi_text_add(text, "%llds", (long long) left);
    }
}


static void
why_via(tgi_text_t *text, const tgi_subject_t *subject)
{
    switch (subject->via) {

    case TGI_VIA_DIRECT:
        tgi_text_add(text, "the request came directly");
        break;

    case TGI_VIA_SERVICE:
        tgi_text_add(text, "the request came by the Service ");
        tgi_text_str(text, subject->request->service);
        break;

    default:
        tgi_text_add(text, "the request came by Funnel");
    }
}


static void
why_time(tgi_text_t *text, const tgi_subject_t *subject)
{
    char       buf[sizeof("9999-12-31T23:59:59Z")];
    time_t     when;
    struct tm  tm;

    when = (time_t) subject->request->now;

    if (gmtime_r(&when, &tm) == NULL
        || strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
    {
        buf[0] = '\0';
    }

    tgi_text_add(text, "it is %s", buf);
}


/* The conditions on the request, which has to be there. */

static void
why_request(tgi_text_t *text, const tgi_subject_t *subject,
    uint32_t condition)
{
    switch (condition) {

    case TGI_IF_VIA:
        why_via(text, subject);
        break;

    case TGI_IF_FROM:
    case TGI_IF_UNTIL:
        why_time(text, subject);
        break;

    case TGI_IF_HOST:
        tgi_text_add(text, "the host is ");
        tgi_text_str(text, subject->host);
        break;

    case TGI_IF_PATH:
        tgi_text_add(text, "the path is ");
        tgi_text_str(text, subject->request->path);
        break;

    default:
        tgi_text_add(text, "the method is ");
        tgi_text_str(text, subject->request->method);
        tgi_text_add(text, ", which is a %s",
                     subject->method_class == TGI_METHOD_READ ? "read"
                                                              : "write");
    }
}


static void
why_peer(tgi_text_t *text, const tg_rule_t *rule, const tgi_subject_t *subject,
    uint32_t condition, bool holds)
{
    const tg_identity_t  *identity;

    identity = subject->identity;

    switch (condition) {

    case TGI_IF_USER:
        why_person(text, subject, holds, "is such a login",
                   "is no such login");
        break;

    case TGI_IF_GROUP:
        why_person(text, subject, holds, "is in such a group",
                   "is in no such group");
        break;

    case TGI_IF_TAG:
        why_tag(text, subject);
        break;

    case TGI_IF_NODE:
        why_node(text, rule, subject);
        break;

    case TGI_IF_TAILNET:
        why_value(text, rule, "the tailnet", identity->tailnet);
        break;

    case TGI_IF_AUTOGROUP:
        tgi_describe_class(text, subject);
        break;

    case TGI_IF_CAPABILITY:
        why_capability(text, rule, subject, holds);
        break;

    case TGI_IF_OS:
        why_value(text, rule, "the operating system", identity->os);
        break;

    case TGI_IF_OS_VERSION:
        why_version(text, rule, "the version of the operating system",
                    &rule->os_versions, identity->os_version);
        break;

    case TGI_IF_CLIENT_VERSION:
        why_version(text, rule, "the version of Tailscale",
                    &rule->client_versions, identity->client_version);
        break;

    default:
        why_key(text, subject);
    }
}


void
tgi_describe_why(tgi_text_t *text, const tg_rule_t *rule,
    const tgi_subject_t *subject, uint32_t condition)
{
    bool  holds;

    holds = tgi_condition_holds(rule, subject, condition);

    if (condition >= TGI_IF_VIA) {
        why_request(text, subject, condition);
        return;
    }

    if (subject->identity == NULL) {
        tgi_text_add(text, "%s%s", nobody, holds
                     ? ", which counts as matching in a deny" : "");
        return;
    }

    why_peer(text, rule, subject, condition, holds);
}
