
/*
 * Copyright (C) The Tailgate authors
 *
 * What a denial says, and in which headers.
 */

#include "core/policy/denial.h"
#include "core/base/base.h"

#include <string.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

#define RETRY_AFTER  "5"           /* seconds */


typedef enum {
    KIND_POLICY = 0,
    KIND_REQUEST,
    KIND_STRANGER,
    KIND_FUNNEL,
    KIND_EXPIRED,
    KIND_UNAUTHORIZED,
    KIND_UNSIGNED,
    KIND_OUTAGE
} kind_t;

typedef void (*body_pt)(tgi_out_t *out, const tgi_denial_facts_t *facts);


static const struct {
    const char  *title;
    const char  *advice;
} kinds[] = {
    { "You may not do this",
      "The rules of this site do not let you do what you asked for. If they"
      " should, tell whoever runs it, with the number of the request." },

    { "This request was refused",
      "Different programs would read it in different ways, so that no rule"
      " can judge it. The links of the site itself are not of this kind." },

    { "You are not on the tailnet",
      "This site is for the people of a tailnet. Connect this device to it"
      " with Tailscale, then load this page again." },

    { "This site is not for the Internet",
      "The request came through Funnel. Connect this device to the tailnet"
      " with Tailscale, then load this page again." },

    { "The key of this device has expired",
      "Log in to Tailscale on this device again, in its app or with"
      " \"tailscale up\", then load this page again." },

    { "This device has not been approved",
      "An admin of the tailnet has to approve it. Then load this page"
      " again." },

    { "This device has not been signed",
      "The tailnet lets signed devices in alone (Tailnet Lock): ask somebody"
      " who may sign. Then load this page again." },

    { "Nobody can be identified at the moment",
      "The identity service of this server does not answer. Load this page"
      " again in a moment; if this lasts, tell whoever runs the site." }
};


static kind_t denial_kind(const tg_decision_t *decision,
    const tg_peer_t *peer);
static int denial_facts(const tg_denial_t *denial, const tg_alloc_t *alloc,
    tgi_denial_facts_t *facts);
static bool denial_explains(const tg_denial_t *denial);
static void facts_list(tgi_denial_facts_t *facts, const char *name,
    const char *label, const tg_list_t *list);
static void facts_text(tgi_denial_facts_t *facts, const char *name,
    const char *label, const tg_str_t *text);
static int denial_form(const tg_denial_t *denial, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_denial_answer_t *answer);
static int denial_grpc(const tg_denial_t *denial, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_denial_answer_t *answer);
static void header(tg_denial_answer_t *answer, const char *name,
    tg_str_t value);
static int denial_write(body_pt body, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_str_t *text);
static tg_str_t str(const char *text);


int
tg_denial_render(const tg_denial_t *denial, const tg_alloc_t *alloc,
    tg_denial_answer_t *answer)
{
    int                 rc;
    tgi_denial_facts_t  facts;

    memset(answer, 0, sizeof(tg_denial_answer_t));

    if (denial->decision->verdict != TG_DENY
        && denial->decision->verdict != TG_UNAVAILABLE)
    {
        return TG_ERR_RANGE;
    }

    rc = denial_facts(denial, alloc, &facts);

    if (rc != TG_OK) {
        return rc;
    }

    answer->status = facts.status;

    header(answer, "cache-control", (tg_str_t) TG_STR("no-store"));
    header(answer, "x-content-type-options", (tg_str_t) TG_STR("nosniff"));

    if (facts.status == 503) {
        header(answer, "retry-after", (tg_str_t) TG_STR(RETRY_AFTER));
    }

    return denial_form(denial, alloc, &facts, answer);
}


static kind_t
denial_kind(const tg_decision_t *decision, const tg_peer_t *peer)
{
    if (decision->verdict == TG_UNAVAILABLE) {
        return KIND_OUTAGE;
    }

    if (decision->reason == TG_POLICY_REASON_RAW_PATH
        || decision->reason == TG_POLICY_REASON_METHOD_OVERRIDE
        || decision->reason == TG_POLICY_REASON_BAD_REQUEST)
    {
        return KIND_REQUEST;
    }

    switch (peer->status) {

    case TG_STATUS_STRANGER:
        return KIND_STRANGER;

    case TG_STATUS_FUNNEL:
        return KIND_FUNNEL;

    case TG_STATUS_EXPIRED:
        return KIND_EXPIRED;

    case TG_STATUS_UNAUTHORIZED:
        return KIND_UNAUTHORIZED;

    case TG_STATUS_UNSIGNED:
        return KIND_UNSIGNED;

    default:
        return KIND_POLICY;
    }
}


static int
denial_facts(const tg_denial_t *denial, const tg_alloc_t *alloc,
    tgi_denial_facts_t *facts)
{
    kind_t                kind;
    tg_str_t             *status;
    const tg_identity_t  *identity;

    memset(facts, 0, sizeof(tgi_denial_facts_t));

    kind = denial_kind(denial->decision, denial->peer);

    facts->status = denial->decision->verdict == TG_UNAVAILABLE ? 503 : 403;
    facts->title = kinds[kind].title;
    facts->advice = kinds[kind].advice;
    facts->contact = denial->decision->contact;
    facts->id = denial->id;

    facts->detail = denial_explains(denial)
                    ? denial->decision->text
                    : "the policy of this site does not allow this request";

    if (kind == KIND_OUTAGE) {
        return TG_OK;
    }

    status = tgi_alloc(alloc, 1, sizeof(tg_str_t));

    if (status == NULL) {
        return TG_ERR_NOMEM;
    }

    *status = str(tg_status_name(denial->peer->status));
    identity = denial->peer->identity;

    if (identity != NULL) {
        facts_text(facts, "login", "You are", &identity->login);
        facts_text(facts, "name", "Name", &identity->name);
        facts_text(facts, "node", "Device", &identity->node);
        facts_list(facts, "tags", "Tags", &identity->tags);
    }

    facts_text(facts, "peer", "Status", status);

    /* a rule is told to whoever is known to be the one that it is about */

    if (identity != NULL && denial->decision->explain) {
        facts_text(facts, "rule", "Rule", &denial->decision->rule);
    }

    return TG_OK;
}


/*
 * Whether the text of the decision is for the person: what it says of them or
 * of their request always is, what it says of the policy if that lets it.
 */

static bool
denial_explains(const tg_denial_t *denial)
{
    switch (denial->decision->reason) {

    case TG_POLICY_REASON_DENIED:
    case TG_POLICY_REASON_REQUIRED:
    case TG_POLICY_REASON_NO_ROUTE:
    case TG_POLICY_REASON_NO_ALLOW:
        return denial->decision->explain && denial->peer->identity != NULL;

    default:
        return true;
    }
}


static void
facts_list(tgi_denial_facts_t *facts, const char *name, const char *label,
    const tg_list_t *list)
{
    tgi_denial_row_t  *row;

    if (list->n == 0) {
        return;
    }

    row = &facts->rows[facts->nrows++];

    row->name = name;
    row->label = label;
    row->items = list->items;
    row->n = list->n < TGI_DENIAL_LIST_MAX ? list->n : TGI_DENIAL_LIST_MAX;
    row->list = true;
}


static void
facts_text(tgi_denial_facts_t *facts, const char *name, const char *label,
    const tg_str_t *text)
{
    tgi_denial_row_t  *row;

    if (text->len == 0) {
        return;
    }

    row = &facts->rows[facts->nrows++];

    row->name = name;
    row->label = label;
    row->items = text;
    row->n = 1;
    row->list = false;
}


static int
denial_form(const tg_denial_t *denial, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_denial_answer_t *answer)
{
    int       rc;
    tg_str_t  csp;

    switch (denial->form) {

    case TG_DENIAL_PREFLIGHT:
        return TG_OK;

    case TG_DENIAL_GRPC:
        return denial_grpc(denial, alloc, facts, answer);

    case TG_DENIAL_WEBDAV:
        answer->content_type = str("application/xml; charset=utf-8");
        return denial_write(tgi_denial_webdav, alloc, facts, &answer->body);

    case TG_DENIAL_JSON:
        answer->content_type = str("application/problem+json");
        return denial_write(tgi_denial_json, alloc, facts, &answer->body);

    case TG_DENIAL_HTML:
        rc = tgi_denial_csp(alloc, &csp);

        if (rc != TG_OK) {
            return rc;
        }

        header(answer, "content-security-policy", csp);
        header(answer, "x-frame-options", (tg_str_t) TG_STR("DENY"));
        header(answer, "referrer-policy", (tg_str_t) TG_STR("no-referrer"));

        answer->content_type = str("text/html; charset=utf-8");
        return denial_write(tgi_denial_page, alloc, facts, &answer->body);

    case TG_DENIAL_TEXT:
        break;
    }

    answer->content_type = str("text/plain; charset=utf-8");

    return denial_write(tgi_denial_text, alloc, facts, &answer->body);
}


/* PROTOCOL-HTTP2.md of gRPC: status and message among the headers. */

static int
denial_grpc(const tg_denial_t *denial, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_denial_answer_t *answer)
{
    int       rc;
    tg_str_t  message;

    rc = denial_write(tgi_denial_grpc, alloc, facts, &message);

    if (rc != TG_OK) {
        return rc;
    }

    if (!denial->forwarded) {
        answer->status = 200;
    }

    answer->content_type = str("application/grpc");

    header(answer, "grpc-status", str(facts->status == 503 ? "14" : "7"));
    header(answer, "grpc-message", message);

    return TG_OK;
}


static void
header(tg_denial_answer_t *answer, const char *name, tg_str_t value)
{
    answer->headers[answer->nheaders].name = str(name);
    answer->headers[answer->nheaders].value = value;
    answer->nheaders++;
}


/* Once to know the length, once to write. */

static int
denial_write(body_pt body, const tg_alloc_t *alloc,
    const tgi_denial_facts_t *facts, tg_str_t *text)
{
    tgi_out_t  out;

    memset(&out, 0, sizeof(tgi_out_t));

    body(&out, facts);

    out.size = out.len;
    out.len = 0;
    out.data = alloc->alloc(alloc->ctx, out.size);

    if (out.data == NULL) {
        return TG_ERR_NOMEM;
    }

    body(&out, facts);

    text->data = out.data;
    text->len = out.len;

    return TG_OK;
}


static tg_str_t
str(const char *text)
{
    tg_str_t  out;

    out.data = text;
    out.len = strlen(text);

    return out;
}
