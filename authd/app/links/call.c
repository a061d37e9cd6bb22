
/*
 * Copyright (C) The Tailgate authors
 *
 * A request from its arrival to its answer, if it takes more than one turn of
 * the loop: whoever waits for the node or the store may find its client gone.
 */

#include "authd/app/links/app.h"
#include "authd/decide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


static void call_identified(const authd_identified_t *identified, void *data);
static void call_who(authd_links_call_t *call,
    const authd_identified_t *identified);
static void call_machine(authd_links_call_t *call,
    const authd_identified_t *identified);
static bool call_keep(authd_links_call_t *call,
    const tg_identity_t *identity);
static bool is_admin(const authd_links_call_t *call,
    const tg_identity_t *identity);
static bool has_capability(tg_str_t caps);
static bool keep(const authd_links_call_t *call, tg_str_t *to, tg_str_t from);
static void call_abort(void *data);
static void call_free(authd_links_call_t *call);
static void add(authd_log_field_t *fields, size_t *n, const char *key,
    tg_str_t value);


authd_links_call_t *
authd_links_call(authd_links_t *app, tgn_request_t *r,
    const authd_links_from_t *from)
{
    tg_arena_t          *arena;
    authd_links_call_t  *call;

    arena = tg_arena_new(AUTHD_LINKS_ARENA_MAX);
    call = arena ? tg_arena_alloc(arena, sizeof(authd_links_call_t)) : NULL;

    if (call == NULL) {
        tg_arena_free(&arena);
        authd_links_refuse(r, 503, "out of memory");
        return NULL;
    }

    call->app = app;
    call->r = r;
    call->arena = arena;
    call->alloc = tg_arena_allocator(arena);
    call->from = *from;
    call->who.verdict = TG_DENY;
    call->who.reason = "nobody was asked";

    (void) snprintf(call->id, sizeof(call->id), "%016" PRIx64,
                    app->authd->id_base + app->authd->id_next++);

    tgn_request_on_abort(r, call_abort, call);

    return call;
}


void
authd_links_identify(authd_links_call_t *call, bool any,
    authd_links_call_pt next)
{
    authd_lookup_t  *lookup;

    call->next = next;
    call->waits = any;

    lookup = authd_identify(call->app->authd->identify, &call->from.source,
                            call->from.has_local ? &call->from.local : NULL,
                            call_identified, call);

    /* the call is gone if the lookup is */

    if (lookup != NULL) {
        call->lookup = lookup;
    }
}


void
authd_links_wait(authd_links_call_t *call)
{
    call->waits++;
}


bool
authd_links_back(authd_links_call_t *call)
{
    call->waits--;

    if (call->r != NULL) {
        return true;
    }

    if (call->waits == 0) {
        call_free(call);
    }

    return false;
}


void
authd_links_send(authd_links_call_t *call, int code, const char *type,
    tg_str_t body)
{
    tgn_request_t  *r;

    r = call->r;

    tgn_request_on_abort(r, NULL, NULL);

    if (type != NULL) {
        (void) tgn_response_header(r, "Content-Type", authd_links_str(type));
    }

    tgn_response_send(r, code, body);
    call_free(call);
}


void
authd_links_end(authd_links_call_t *call)
{
    call_free(call);
}


void
authd_links_audit(const authd_links_call_t *call, authd_result_t result,
    int code, const char *action, tg_str_t name, const char *why)
{
    char               source[TG_ADDR_TEXT_MAX], number[16];
    size_t             n;
    authd_t           *authd;
    authd_log_field_t  fields[12];

    n = 0;
    authd = call->app->authd;

    if (authd->audit.fd == -1) {
        return;
    }

    (void) tg_addr_format(&call->from.source, call->from.source.port != 0,
                          source);
    (void) snprintf(number, sizeof(number), "%d", code);

    add(fields, &n, "audit", authd_links_str(authd_result_name(result)));
    add(fields, &n, "id", authd_links_str(call->id));
    add(fields, &n, "endpoint", authd_links_str("links"));
    add(fields, &n, "code", authd_links_str(number));
    fields[n - 1].number = true;
    add(fields, &n, "status",
        authd_links_str(tg_status_name(call->who.status)));
    add(fields, &n, "action", authd_links_str(action));
    add(fields, &n, "link", name);
    add(fields, &n, "why", authd_links_str(why ? why : ""));
    add(fields, &n, "login", call->who.login);
    add(fields, &n, "who", call->who.name);
    add(fields, &n, "source", authd_links_str(source));

    if (!authd_log_fields(&authd->audit, AUTHD_LOG_INFO, NULL, fields, n)) {
        authd->metrics.audit_failed++;
    }
}


static void
call_identified(const authd_identified_t *identified, void *data)
{
    bool                 any;
    authd_links_call_t  *call;

    call = data;
    call->lookup = NULL;

    any = call->waits != 0;
    call->waits = 0;

    call_who(call, identified);

    if (call->who.verdict == TG_ALLOW || any) {
        call->next(call);
        return;
    }

    if (call->who.verdict == TG_UNAVAILABLE) {
        authd_links_unavailable(call, 5, call->who.reason);
        return;
    }

    authd_links_audit(call, AUTHD_RESULT_DENY, 403, "look", call->r->path,
                      call->who.reason);
    authd_links_fault(call, 403, call->who.reason);
}


/* The rules of "peers", and machines: they may follow and look at links. */

static void
call_who(authd_links_call_t *call, const authd_identified_t *identified)
{
    tg_gate_rules_t        rules;
    authd_links_who_t     *who;
    const tg_identity_t   *identity;
    const authd_config_t  *conf;

    who = &call->who;
    conf = call->app->authd->conf;
    identity = identified->peer.identity;

    rules = conf->gate;
    rules.peers |= TG_TRAIT_TAGGED;

    who->status = identified->peer.status;
    who->verdict = tg_gate_decide(&rules, identified->peer.status, identity,
                                  identified->peer.self, &who->reason);

    if (who->verdict != TG_ALLOW || identity == NULL) {
        who->verdict = who->verdict == TG_ALLOW ? TG_DENY : who->verdict;
        return;
    }

    if (!call_keep(call, identity)) {
        who->verdict = TG_UNAVAILABLE;
        who->reason = "out of memory";
        return;
    }

    who->admin = is_admin(call, identity);

    if (who->login.len == 0) {
        call_machine(call, identified);
    }
}


/* A machine writes where a policy file allows it the method and path. */

static void
call_machine(authd_links_call_t *call, const authd_identified_t *identified)
{
    tg_request_t           request;
    tg_decision_t          decision;
    const authd_config_t  *conf;

    conf = call->app->authd->conf;

    if (conf->rules == NULL || call->r == NULL) {
        return;
    }

    memset(&request, 0, sizeof(request));
    memset(&decision, 0, sizeof(decision));

    request.method = call->r->method;
    request.host = call->r->host;
    request.raw_path = call->r->target;
    request.via = TG_VIA_DIRECT;

    if (tg_path_normalize(call->r->target, &call->alloc, &request.path)
        != TG_OK)
    {
        return;
    }

    authd_decide(conf, &identified->peer, &request, &decision);

    call->who.machine = decision.verdict == TG_ALLOW;
}


static bool
call_keep(authd_links_call_t *call, const tg_identity_t *identity)
{
    size_t              i;
    tg_str_t           *groups;
    authd_links_who_t  *who;

    who = &call->who;

    groups = call->alloc.alloc(call->alloc.ctx,
                               (identity->groups.n + 1) * sizeof(tg_str_t));

    if (groups == NULL || !keep(call, &who->login, identity->login)
        || !keep(call, &who->name, identity->login.len ? identity->login
                                                       : identity->node))
    {
        return false;
    }

    for (i = 0; i < identity->groups.n; i++) {
        if (!keep(call, &groups[i], identity->groups.items[i])) {
            return false;
        }
    }

    who->groups.items = groups;
    who->groups.n = identity->groups.n;

    return true;
}


static bool
is_admin(const authd_links_call_t *call, const tg_identity_t *identity)
{
    size_t                i;
    const authd_words_t  *admins;

    /* a machine has the rights that policy gives it, no others */

    if (identity->login.len == 0) {
        return false;
    }

    admins = &call->app->authd->conf->links.admins;

    for (i = 0; i < admins->n; i++) {
        if (authd_links_is_named(&call->who, admins->items[i])) {
            return true;
        }
    }

    return has_capability(identity->caps);
}


/* Of either capability one value with {"admin": true} will do. */

static bool
has_capability(tg_str_t caps)
{
    bool     found;
    size_t   i, k;
    json_t  *root, *values, *value;

    static const char *const  names[] = {
        "tailscale.com/cap/golink", "tailgate.dev/cap/links"
    };

    found = false;
    root = json_loadb(caps.data, caps.len, 0, NULL);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        values = json_object_get(root, names[i]);

        json_array_foreach(values, k, value) {
            found = found || json_is_true(json_object_get(value, "admin"));
        }
    }

    json_decref(root);

    return found;
}


static bool
keep(const authd_links_call_t *call, tg_str_t *to, tg_str_t from)
{
    char  *p;

    p = call->alloc.alloc(call->alloc.ctx, from.len + 1);

    if (p == NULL) {
        return false;
    }

    if (from.len != 0) {
        memcpy(p, from.data, from.len);
    }

    to->data = p;
    to->len = from.len;

    return true;
}


static void
call_abort(void *data)
{
    authd_links_call_t  *call;

    call = data;
    call->r = NULL;

    if (call->lookup != NULL) {
        authd_lookup_cancel(&call->lookup);
        call->waits = 0;
    }

    if (call->waits == 0) {
        call_free(call);
    }
}


static void
call_free(authd_links_call_t *call)
{
    tg_arena_t  *arena;

    /* the call lives in it */

    arena = call->arena;
    tg_arena_free(&arena);
}


static void
add(authd_log_field_t *fields, size_t *n, const char *key, tg_str_t value)
{
    authd_log_field_t  *f;

    f = &fields[(*n)++];

    f->key = key;
    f->value = value;
    f->number = false;
}
