
/*
 * Copyright (C) The Tailgate authors
 *
 * The gate: whom to ask about, and the built-in rule "a member of this
 * tailnet".
 */

#include "core/policy/gate.h"

#include "core/base/base.h"

#include <string.h>


#define NELTS(a)  (sizeof(a) / sizeof((a)[0]))

/* What a rule may open. */

#define TRAITS_OPENABLE                                                       \
    (TG_TRAIT_MEMBER|TG_TRAIT_TAGGED|TG_TRAIT_SHARED|TG_TRAIT_ROUTED)


const char *
tg_reason_text(tg_reason_t reason)
{
    static const char *const  texts[] = {

        [TG_REASON_NONE] = "no reason",

        [TG_REASON_UNIX_LISTENER] =
            "the connection came in by a Unix socket, which has no peer "
            "address; list \"unix:\" in tailgate_trusted_proxy if a proxy "
            "there forwards for people",

        [TG_REASON_UNTRUSTED_FORWARDER] =
            "the sender forwards for somebody else and is not trusted; list "
            "it in tailgate_trusted_proxy if it is your proxy",

        [TG_REASON_NO_FORWARDED_ADDR] =
            "the trusted proxy named no client address; make it send one",

        [TG_REASON_FOREIGN_LOCAL_ADDR] =
            "a tailnet source address reached a local address that is not of "
            "this node: it may be spoofed; listen on the node's tailnet "
            "address, or configure the Tailscale Service that has it",

        [TG_REASON_WRONG_INTERFACE] =
            "the connection did not come in by the interface that "
            "tailgate_interface names",

        [TG_REASON_NOT_TAILNET] =
            "the source address is not a tailnet address",

        [TG_REASON_NO_PORT] =
            "a loopback source is looked up by its port, and none is known; "
            "make the proxy send it",

        [TG_REASON_BAD_ADDRESS] =
            "the source address cannot be read, or has a zone id"
    };

    if ((size_t) reason >= NELTS(texts)) {
        return texts[TG_REASON_NONE];
    }

    return texts[reason];
}


static void
nobody(tg_question_t *question, tg_reason_t reason)
{
    question->ask = TG_ASK_NOBODY;
    question->reason = reason;
}


static bool
is_trusted(const tg_source_rules_t *rules, const tg_addr_t *peer)
{
    size_t  i;

    if (peer->family == TG_ADDR_UNIX) {
        return rules->trusted_unix;
    }

    for (i = 0; i < rules->ntrusted; i++) {
        if (tg_cidr_match(&rules->trusted[i], peer)) {
            return true;
        }
    }

    return false;
}


/* The Service that has this local address, NULL if none does. */

static const tg_service_t *
find_service(const tg_source_rules_t *rules, const tg_addr_t *local)
{
    size_t  i;

    for (i = 0; i < rules->nservices; i++) {
        if (tg_addr_equal(&rules->services[i].addr, local)) {
            return &rules->services[i];
        }
    }

    return NULL;
}


static bool
is_own_address(const tg_self_t *self, const tg_addr_t *local)
{
    size_t  i;

    for (i = 0; i < self->naddrs; i++) {
        if (tg_addr_equal(&self->addrs[i], local)) {
            return true;
        }
    }

    return false;
}


/* Whoever it is, what kind of address is it? */

static void
ask_about(tg_question_t *question, const tg_addr_t *addr)
{
    question->ask = TG_ASK_WHOIS;
    question->reason = TG_REASON_NONE;
    question->addr = *addr;

    if (addr->family != TG_ADDR_V4 && addr->family != TG_ADDR_V6) {
        nobody(question, TG_REASON_BAD_ADDRESS);

    } else if (tg_addr_is_loopback(addr)) {
        question->with_port = true;

        if (addr->port == 0) {
            nobody(question, TG_REASON_NO_PORT);
        }

    } else if (!tg_addr_is_tailnet(addr)) {
        nobody(question, TG_REASON_NOT_TAILNET);
    }
}


static void
ask_about_peer(tg_question_t *question, const tg_source_t *source,
    const tg_source_rules_t *rules)
{
    const tg_self_t     *self;
    const tg_service_t  *service;

    ask_about(question, &source->peer);

    if (question->ask != TG_ASK_WHOIS || question->with_port) {
        return;
    }

    service = find_service(rules, &source->local);

    if (service != NULL) {
        question->service = service->name;
        return;
    }

    if (rules->no_local_rule) {
        return;
    }

    self = rules->self;

    /* a node that is still starting does not know its addresses */

    if (self == NULL || (!self->running && self->naddrs == 0)) {
        question->ask = TG_ASK_SELF;
        return;
    }

    if (!is_own_address(self, &source->local)) {
        nobody(question, TG_REASON_FOREIGN_LOCAL_ADDR);
    }
}


void
tg_source_question(const tg_source_t *source, const tg_source_rules_t *rules,
    tg_question_t *question)
{
    bool              proxied;
    const tg_addr_t  *named;

    memset(question, 0, sizeof(tg_question_t));
    question->addr = source->peer;

    if (source->peer.family == TG_ADDR_NONE) {
        nobody(question, TG_REASON_BAD_ADDRESS);
        return;
    }

    if (source->wrong_interface) {
        nobody(question, TG_REASON_WRONG_INTERFACE);
        return;
    }

    /* on a PROXY listener everything is forwarded, even for UNKNOWN */

    proxied = source->proxy_listener || source->proxied.family != TG_ADDR_NONE;

    if (!proxied && !source->rewritten) {

        if (source->peer.family == TG_ADDR_UNIX) {
            nobody(question, rules->trusted_unix ? TG_REASON_NO_FORWARDED_ADDR
                                                 : TG_REASON_UNIX_LISTENER);
            return;
        }

        ask_about_peer(question, source, rules);
        return;
    }

    if (!is_trusted(rules, &source->peer)) {
        nobody(question, TG_REASON_UNTRUSTED_FORWARDER);
        return;
    }

    /* a spoofed packet must not be believed for whom it names either */

    if (tg_addr_is_tailnet(&source->peer)) {
        ask_about_peer(question, source, rules);

        if (question->ask != TG_ASK_WHOIS) {
            return;
        }

        question->service = (tg_str_t) TG_NULL_STR;
    }

    named = proxied ? &source->proxied : &source->forwarded;

    if (named->family != TG_ADDR_V4 && named->family != TG_ADDR_V6) {
        nobody(question, TG_REASON_NO_FORWARDED_ADDR);
        return;
    }

    ask_about(question, named);
}


/*
 * The traits from the weightiest on: the first one that is not open decides
 * what the person is told.  Those in TG_TRAITS_NEVER have no directive.
 */

static const struct {
    uint32_t     trait;
    const char  *closed;
} traits[] = {

    { TG_TRAIT_EXPIRED,
      "the key of this node has expired: log in to the tailnet again" },

    { TG_TRAIT_UNAUTHORIZED,
      "this node waits for approval by an admin of the tailnet" },

    { TG_TRAIT_UNSIGNED,
      "the key of this node is not signed by the tailnet lock" },

    { TG_TRAIT_FUNNEL,
      "the request came from the Internet by Funnel" },

    { TG_TRAIT_SHARED,
      "this node is of another tailnet, and shared nodes are not let in" },

    { TG_TRAIT_ROUTED,
      "this node routes for others, so that many people may be behind it, "
      "and routed nodes are not let in" },

    { TG_TRAIT_TAGGED,
      "this node is tagged: it is nobody's, and tagged nodes are not let "
      "in" },

    { TG_TRAIT_MEMBER,
      "members of the tailnet are not let in" }
};


/* A bit that the table does not know, or none at all. */

static const char  not_understood[] = "what this node is was not understood";


static const struct {
    const char  *word;
    uint32_t     trait;
} trait_words[] = {
    { "member", TG_TRAIT_MEMBER },
    { "tagged", TG_TRAIT_TAGGED },
    { "shared", TG_TRAIT_SHARED },
    { "routed", TG_TRAIT_ROUTED }
};


bool
tgi_tailnet_equal(tg_str_t a, tg_str_t b)
{
    if (a.len > 0 && a.data[a.len - 1] == '.') {
        a.len--;
    }

    if (b.len > 0 && b.data[b.len - 1] == '.') {
        b.len--;
    }

    return a.len > 0 && tgi_str_equal_nocase(a, b);
}


static bool
is_listed(const tg_str_t *tailnets, size_t n, tg_str_t tailnet)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (tgi_tailnet_equal(tailnets[i], tailnet)) {
            return true;
        }
    }

    return false;
}


/* Not so on a node that is shared in under a name of our own tailnet. */

const char *
tgi_gate_tailnet(const tg_str_t *tailnets, size_t ntailnets,
    const tg_identity_t *identity, const tg_self_t *self, uint32_t *has)
{
    bool  own;

    own = self != NULL && tgi_tailnet_equal(self->tailnet, identity->tailnet);

    if (ntailnets == 0) {
        return own || (*has & TG_TRAIT_SHARED)
               ? NULL : "this node is not of the tailnet of this server";
    }

    if (!is_listed(tailnets, ntailnets, identity->tailnet)) {
        return "the tailnet of this node is not one that is let in";
    }

    if ((*has & TG_TRAIT_SHARED) && !own) {
        *has &= ~TG_TRAIT_SHARED;

        if (!(*has & TG_TRAIT_TAGGED)) {
            *has |= TG_TRAIT_MEMBER;
        }
    }

    return NULL;
}


const char *
tgi_gate_never(uint32_t has)
{
    size_t  i;

    if (has == 0) {
        return not_understood;
    }

    if (!(has & ~TRAITS_OPENABLE)) {
        return NULL;
    }

    for (i = 0; i < NELTS(traits); i++) {
        if (has & traits[i].trait & TG_TRAITS_NEVER) {
            return traits[i].closed;
        }

        has &= ~traits[i].trait;
    }

    return has != 0 ? not_understood : NULL;
}


/* NULL: the peer passes. */

static const char *
judge_peer(const tg_gate_rules_t *rules, const tg_identity_t *identity,
    const tg_self_t *self)
{
    size_t       i;
    uint32_t     has, open;
    const char  *reason;

    has = identity->traits;
    open = rules->peers & ~TG_TRAITS_NEVER;

    reason = tgi_gate_tailnet(rules->tailnets, rules->ntailnets, identity, self,
                              &has);

    for (i = 0; i < NELTS(traits); i++) {

        /* what is wrong with the node itself is the better thing to tell */

        if (reason != NULL && !(traits[i].trait & TG_TRAITS_NEVER)) {
            return reason;
        }

        if (has & traits[i].trait & ~open) {
            return traits[i].closed;
        }

        has &= ~traits[i].trait;
    }

    if (has != 0 || identity->traits == 0) {
        return not_understood;
    }

    return NULL;
}


tg_verdict_t
tg_gate_decide(const tg_gate_rules_t *rules, tg_status_t status,
    const tg_identity_t *identity, const tg_self_t *self,
    const char **reason)
{
    const char    *text;
    tg_verdict_t   verdict;

    verdict = TG_DENY;

    if (status == TG_STATUS_UNAVAILABLE) {
        verdict = TG_UNAVAILABLE;
        text = "the identity service of this server is not available";

    } else if (status == TG_STATUS_STRANGER) {
        text = "this address belongs to nobody on the tailnet";

    } else if (identity == NULL || status == TG_STATUS_NONE
               || status != identity->status)
    {
        text = "nobody was identified";

    } else {
        text = judge_peer(rules, identity, self);

        if (text == NULL) {
            verdict = TG_ALLOW;
            text = "a peer of a kind that is let in";
        }
    }

    if (reason != NULL) {
        *reason = text;
    }

    return verdict;
}


uint32_t
tg_trait_parse(const char *word, size_t len)
{
    size_t    i;
    tg_str_t  known, given = { word, len };

    for (i = 0; i < NELTS(trait_words); i++) {
        known.data = trait_words[i].word;
        known.len = strlen(known.data);

        if (tgi_str_equal(known, given)) {
            return trait_words[i].trait;
        }
    }

    return 0;
}
