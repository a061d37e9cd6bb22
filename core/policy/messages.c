
/*
 * Copyright (C) The Tailgate authors
 *
 * The table of messages, and how they are kept until all are known.
 */

#include "core/policy/messages.h"

#include "core/base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* Of an argument, so that a sentence keeps its end. */

#define ARGUMENT_MAX  100


struct tgi_message_s {
    tgi_message_t        *next;
    size_t                order;
    tg_policy_message_t   message;
};


#define ERROR(code, text)    { code, TG_POLICY_ERROR, text }
#define WARNING(code, text)  { code, TG_POLICY_WARNING, text }

const tgi_code_text_t  tgi_codes[TGI_P_N] = {

    /* the file */

    [TGI_P_SYNTAX] = ERROR("P001",
        "%1, near \"%2\""),
    [TGI_P_TAB] = ERROR("P002",
        "a tab before \"%1\": YAML is indented by blanks"),
    [TGI_P_BYTES] = ERROR("P003",
        "%1: the file has to be UTF-8 text"),
    [TGI_P_LIMITS] = ERROR("P004",
        "%1"),
    [TGI_P_DUPLICATE_KEY] = ERROR("P005",
        "%1: join the two"),
    [TGI_P_ANCHOR] = ERROR("P006",
        "\"%1\": anchors and aliases are not used here, write the value again"),
    [TGI_P_YAML_TAG] = ERROR("P007",
        "\"%1\": tags of YAML are not used here, leave it out"),
    [TGI_P_DOCUMENTS] = ERROR("P008",
        "a second document begins here: a policy is one"),
    [TGI_P_KEY] = ERROR("P009",
        "\"%1\": a key has to be a word"),
    [TGI_P_UNKNOWN_KEY] = ERROR("P010",
        "\"%1\" is no key of %2; %3"),
    [TGI_P_NOT_MAPPING] = ERROR("P011",
        "%1 has to be a mapping of keys to values, not %2"),
    [TGI_P_NOT_LIST] = ERROR("P012",
        "%1 has to be a list, not %2"),
    [TGI_P_NOT_TEXT] = ERROR("P013",
        "%1 has to be a text, not %2"),
    [TGI_P_EMPTY] = ERROR("P014",
        "%1 is empty: write a value, or leave the key out"),
    [TGI_P_CONTROL] = ERROR("P015",
        "%1 \"%2\" holds a control character, or is longer than %3 bytes"),
    [TGI_P_MISSING] = ERROR("P016",
        "%1 has no \"%2\""),
    [TGI_P_VERSION] = ERROR("P017",
        "version \"%1\" is not known: write \"version: 1\""),
    [TGI_P_KEY_TWICE] = ERROR("P018",
        "\"%1\" and \"%2\" are the same key: join the two"),
    [TGI_P_WORD] = ERROR("P019",
        "\"%1\" is no value of \"%2\": write %3"),
    [TGI_P_TOO_MANY] = ERROR("P020",
        "more than %1 %2 in one file"),
    [TGI_P_MORE] = WARNING("P021",
        "%1 more messages are not shown"),

    /* names */

    [TGI_P_NAME] = ERROR("P022",
        "\"%1\" is no name of %2: %3"),
    [TGI_P_ROUTE_TWICE] = ERROR("P023",
        "there are two routes \"%1\", the first in line %2"),
    [TGI_P_NO_GROUP] = ERROR("P024",
        "there is no group \"%1\"; %2"),
    [TGI_P_UNUSED_GROUP] = WARNING("P025",
        "no rule of the file names the group \"%1\""),
    [TGI_P_NESTED_GROUP] = ERROR("P026",
        "\"%1\" is a group: a group lists logins and \"*@domain\", and no"
        " groups"),
    [TGI_P_EMPTY_GROUP] = WARNING("P027",
        "the group \"%1\" has no members: no rule that needs it matches"),

    /* who */

    [TGI_P_USER_ADDR] = ERROR("P030",
        "\"%1\" is an address, a login is meant: name the person, or \"node\","
        " as addresses change hands"),
    [TGI_P_USER_TAGGED_DEVICES] = ERROR("P031",
        "\"%1\" is the login of every tagged node and of no person: write"
        " \"tag: tag:NAME\""),
    [TGI_P_USER_PREFIX] = ERROR("P032",
        "\"%1\" is no login: write \"%2: %3\""),
    [TGI_P_USER_ANY] = ERROR("P033",
        "\"%1\" would be anybody: write \"autogroup: member\" for the people"
        " of the tailnet, or \"*@domain\""),
    [TGI_P_USER] = ERROR("P034",
        "\"%1\" is neither a login nor \"*@domain\""),
    [TGI_P_USER_NO_DOMAIN] = WARNING("P035",
        "the login \"%1\" has no \"@\": only some control servers have such"
        " logins"),
    [TGI_P_TAG_PREFIX] = ERROR("P036",
        "the tag \"%1\" lacks its prefix: write \"tag:%1\""),
    [TGI_P_TAG] = ERROR("P037",
        "\"%1\" is no tag: behind \"tag:\" come a letter, and letters, digits"
        " and \"-\""),
    [TGI_P_NODE] = ERROR("P038",
        "\"%1\" is neither a node's name nor its stable id"),
    [TGI_P_TAILNET] = ERROR("P039",
        "\"%1\" is no tailnet: write its DNS name, such as \"tail0123.ts.net\""
        ),
    [TGI_P_AUTOGROUP] = ERROR("P040",
        "there is no autogroup \"%1\" here: write member, tagged or shared"),
    [TGI_P_CAPABILITY] = ERROR("P041",
        "\"%1\" is no capability: write its name without blanks, such as"
        " \"example.com/cap/wiki\""),
    [TGI_P_WHERE_ALONE] = ERROR("P042",
        "\"where\" looks into a capability: name it by \"capability\""),
    [TGI_P_WHERE] = ERROR("P043",
        "\"%1\" is nothing that a field can be compared to: %2"),

    /* from what, when and how */

    [TGI_P_OS] = WARNING("P045",
        "no client reports the system \"%1\"; %2"),
    [TGI_P_VERSION_RANGE] = ERROR("P046",
        "\"%1\" is no range of versions: write \"15.3\", \"< 15.3\" or"
        " \">= 15, < 16\""),
    [TGI_P_DURATION] = ERROR("P047",
        "\"%1\" is no range of durations: write \"< 7d\" or \">= 12h\" (s, m,"
        " h, d, w)"),
    [TGI_P_TIME] = ERROR("P048",
        "\"%1\" is no time of RFC 3339: write \"2027-01-31T18:00:00Z\""),
    [TGI_P_VIA] = ERROR("P049",
        "\"%1\" is no way in: write direct, service, svc:NAME or funnel"),

    /* what is asked for */

    [TGI_P_HOST_PORT] = ERROR("P050",
        "the host \"%1\" has a port, which is never looked at: leave it out"),
    [TGI_P_HOST_SCHEME] = ERROR("P051",
        "\"%1\" is a URL, a host is meant: leave out scheme and path"),
    [TGI_P_HOST] = ERROR("P052",
        "\"%1\" is neither a host nor \"*.\" and a domain"),
    [TGI_P_PATH_START] = ERROR("P053",
        "the path \"%1\" does not begin with \"/\""),
    [TGI_P_PATH] = ERROR("P054",
        "no request has the path \"%1\": %2"),
    [TGI_P_METHOD_CASE] = ERROR("P055",
        "methods are in capital letters: write \"%2\" for \"%1\""),
    [TGI_P_METHOD] = ERROR("P056",
        "\"%1\" is no method"),

    /* rules and routes */

    [TGI_P_NEVER] = WARNING("P060",
        "the rule %1 can never match: %2"),
    [TGI_P_SHADOWED] = WARNING("P061",
        "the route \"%1\" is never chosen: \"%2\" in line %3 has all of its"
        " hosts and paths"),
    [TGI_P_AMBIGUOUS] = ERROR("P062",
        "the routes \"%1\" and \"%2\" both have %3"),
    [TGI_P_NO_ALLOW] = WARNING("P063",
        "the route \"%1\" has no \"allow\": nobody passes"),
    [TGI_P_ALWAYS_ALLOW] = ERROR("P064",
        "\"always\" has no \"allow\", as it would open every route: write it"
        " on the routes"),
    [TGI_P_CHECK] = ERROR("P065",
        "\"check: %1\" asks for a fresh confirmation: step-up is not available"
        " yet, and without it the rule would be weaker than it reads"),

    /* headers and capabilities */

    [TGI_P_HEADER_NAME] = ERROR("P070",
        "\"%1\" is no name of a header"),
    [TGI_P_HEADER_NEEDED] = ERROR("P071",
        "HTTP itself needs the header \"%1\": a policy cannot set it"),
    [TGI_P_HEADER_TWICE] = ERROR("P072",
        "the header \"%1\" is there twice: apps take \"%2\" for the same"),
    [TGI_P_HEADER_FROM] = ERROR("P073",
        "a header cannot be made from \"%1\": write \"capability NAME\","
        " \"role\", or one of %2"),
    [TGI_P_HEADER_KEY] = ERROR("P074",
        "\"%1\" has no meaning for a header made from \"%2\""),
    [TGI_P_HEADER_ROLE] = ERROR("P075",
        "\"from: role\" is the role of a grant: the file has no \"grants\""),
    [TGI_P_ENCODING] = ERROR("P076",
        "\"%1\" is no encoding: write utf8, latin1, ascii, percent,"
        " quoted-printable or rfc2047"),
    [TGI_P_ORDER_TWICE] = ERROR("P077",
        "\"%1\" is twice in \"order\""),
    [TGI_P_DEFAULT] = ERROR("P078",
        "\"default: %1\" is not in \"order\""),

    /* inline rules and tests */

    [TGI_P_INLINE_WORD] = ERROR("P080",
        "\"%1\" is no condition: write KEY=VALUE, such as"
        " \"user=*@example.com\""),
    [TGI_P_TEST_PEER] = ERROR("P081",
        "nobody can be made of this test: %1"),
    [TGI_P_TEST_REQUEST] = ERROR("P082",
        "\"%1\" is no request: %2"),
    [TGI_P_TEST_RULE] = ERROR("P083",
        "there is no rule \"%1\"")
};


/* Appends an argument, made safe to print and cut between characters. */

static size_t
append(char *out, size_t size, size_t n, const char *text)
{
    size_t    i, len, step, left;
    uint32_t  c;

    len = strlen(text);
    left = size - n;

    for (i = 0; i < len && i < ARGUMENT_MAX; i += step) {
        step = tgi_utf8_char(text + i, len - i, &c);

        if (step == 0 || tgi_is_control(c)) {
            step = step ? step : 1;

            if (left > 1) {
                out[n++] = '?';
                left--;
            }

            continue;
        }

        if (step >= left) {
            break;
        }

        memcpy(out + n, text + i, step);
        n += step;
        left -= step;
    }

    if (i < len && left > 3) {
        memcpy(out + n, "...", 3);
        n += 3;
    }

    return n;
}


static void
format(char *out, size_t size, const char *text, const char *const *args)
{
    size_t       n;
    const char  *p, *arg;

    n = 0;

    for (p = text; *p != '\0' && n < size - 1; p++) {

        if (*p == '%' && p[1] >= '1' && p[1] <= '3') {
            arg = args[*++p - '1'];
            n = append(out, size, n, arg != NULL ? arg : "");
            continue;
        }

        out[n++] = *p;
    }

    out[n] = '\0';
}


void
tgi_messages_add(tgi_messages_t *messages, tgi_code_t code, tgi_place_t place,
    const char *a, const char *b, const char *c)
{
    tgi_message_t        *item;
    tg_policy_message_t  *message;
    const char           *args[] = { a, b, c };

    if (tgi_codes[code].severity == TG_POLICY_ERROR) {
        messages->errors++;
    }

    if (messages->n == TGI_MESSAGES_MAX && code != TGI_P_MORE) {
        messages->dropped++;
        return;
    }

    item = tgi_alloc(messages->alloc, 1, sizeof(tgi_message_t));
    if (item == NULL) {
        messages->nomem = true;
        return;
    }

    item->next = NULL;
    item->order = messages->n++;

    message = &item->message;
    message->severity = tgi_codes[code].severity;
    memcpy(message->code, tgi_codes[code].code, sizeof(message->code));
    message->line = place.line;
    message->column = place.column;

    format(message->text, sizeof(message->text), tgi_codes[code].text, args);

    if (messages->last == NULL) {
        messages->first = item;

    } else {
        messages->last->next = item;
    }

    messages->last = item;
}


/* By line and column; those without a line come last. */

static int
compare(const void *one, const void *two)
{
    const tgi_message_t *const  *a = one;
    const tgi_message_t *const  *b = two;

    const tg_policy_message_t  *p = &(*a)->message;
    const tg_policy_message_t  *q = &(*b)->message;

    /* line 0 wraps to the largest number */

    if (p->line != q->line) {
        return p->line - 1 < q->line - 1 ? -1 : 1;
    }

    if (p->column != q->column) {
        return p->column < q->column ? -1 : 1;
    }

    return (*a)->order < (*b)->order ? -1 : 1;
}


int
tgi_messages_report(tgi_messages_t *messages, tg_policy_report_pt report,
    void *ctx)
{
    char             dropped[24];
    size_t           i;
    tgi_place_t      nowhere = { 0, 0 };
    tgi_message_t   *item, **items;

    if (messages->dropped != 0) {
        (void) snprintf(dropped, sizeof(dropped), "%zu", messages->dropped);
        tgi_messages_add(messages, TGI_P_MORE, nowhere, dropped, NULL, NULL);
    }

    if (messages->nomem) {
        return TG_ERR_NOMEM;
    }

    if (messages->n == 0 || report == NULL) {
        return TG_OK;
    }

    items = tgi_alloc(messages->alloc, messages->n, sizeof(tgi_message_t *));
    if (items == NULL) {
        return TG_ERR_NOMEM;
    }

    for (i = 0, item = messages->first; item != NULL; item = item->next) {
        items[i++] = item;
    }

    qsort(items, i, sizeof(tgi_message_t *), compare);

    for (i = 0; i < messages->n; i++) {
        report(ctx, &items[i]->message);
    }

    return TG_OK;
}
